//! The state of a supervised command, seen from outside: the lock says whether there is a supervisor, its
//! status what it knows. A status that no supervisor stands behind is not believed.

use std::{fmt::Write, time::Duration};

use rustix::process::Pid;

use super::{
    health::local,
    lock::{self, Holder, Probe},
    paths::Paths,
    status_file::{self, STALE},
};
use crate::{
    error::Result,
    exit::Exit,
    procfs,
    record::{Document, Statistics, StatusWord, Timestamp},
    units,
};

/// The state of one name at one moment.
#[derive(Debug)]
pub struct Report {
    /// Whether a supervisor holds the lock.
    pub is_running: bool,
    /// The status, corrected by what the lock says.
    pub document: Document,
    /// Nothing of that name was found at all.
    is_unknown: bool,
}

/// Reads the lock and the status.
pub fn status_now(paths: &Paths, now: Timestamp) -> Result<Report> {
    let probe = lock::probe(paths)?;
    let written = status_file::read(paths)?;
    let (is_running, holder) = match probe {
        Probe::Free => (false, None),
        Probe::Held(holder) => (true, holder.as_ref().and_then(Holder::pid)),
        // Another account's lock: its status tells what can be checked.
        Probe::Hidden => {
            let pid = written.as_ref().and_then(|(document, _)| Pid::from_raw(document.pid?));
            let alive = pid.filter(|&pid| procfs::start_time(pid).is_some());
            (alive.is_some(), alive)
        }
    };
    let is_unknown = !is_running && written.is_none() && probe_found_nothing(paths);
    let document = if is_running {
        running(holder, written, paths, now)
    } else {
        not_running(written.map(|(document, _)| document), paths, now)
    };
    Ok(Report { is_running, document, is_unknown })
}

fn probe_found_nothing(paths: &Paths) -> bool {
    !paths.pid().exists() && !paths.cmd().exists()
}

fn not_running(written: Option<Document>, paths: &Paths, now: Timestamp) -> Document {
    let Some(document) = written else {
        let message = format!("it was never started here; no {}", paths.status().display());
        return bare(StatusWord::Stopped, message, paths, now);
    };
    match document.status {
        StatusWord::Stopped | StatusWord::Failed => document,
        _ => {
            let pid = document.pid.unwrap_or_default();
            let message = format!("the supervisor (pid {pid}) is gone and has not said why");
            Document { status: StatusWord::Stopped, message, pid: None, is_healthy: false, ..document }
        }
    }
}

fn running(
    holder: Option<Pid>,
    written: Option<(Document, Duration)>,
    paths: &Paths,
    now: Timestamp,
) -> Document {
    let pid = holder.map(|holder| holder.as_raw_nonzero().get());
    match written.filter(|(document, _)| pid.is_some() && document.pid == pid) {
        Some((document, age)) if age < STALE => document.later(age),
        Some((document, age)) => {
            let message = format!("the supervisor has not written its status for {}", units::human(age));
            Document { status: StatusWord::Error, message, is_healthy: false, ..document.later(age) }
        }
        None => {
            // Signed at its start, so this is how long it has been up.
            let signed = paths.pid().symlink_metadata().and_then(|metadata| metadata.modified()).ok();
            let age = signed.and_then(|signed| signed.elapsed().ok()).unwrap_or_default();
            let (status, message) = if age < STALE {
                (StatusWord::Starting, "the supervisor is starting".to_owned())
            } else {
                (StatusWord::Error, format!("the supervisor has written no status for {}", units::human(age)))
            };
            Document { pid, ..bare(status, message, paths, now) }.later(age)
        }
    }
}

fn bare(status: StatusWord, message: String, paths: &Paths, now: Timestamp) -> Document {
    Document {
        timestamp: local(now),
        status,
        message,
        last_successful_scan: None,
        last_heartbeat: 0.0,
        pid: None,
        uptime_seconds: 0,
        uptime_human: units::human(Duration::ZERO),
        lock_file: paths.pid().display().to_string(),
        is_healthy: status.is_healthy(),
        statistics: Statistics { started_at: local(now), ..Statistics::default() },
    }
}

impl Report {
    /// 0 healthy, 1 not running, 3 unhealthy or degraded.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match (self.is_running, self.document.is_healthy) {
            (false, _) => Exit::Failed,
            (true, false) => Exit::Partial,
            (true, true) => Exit::Done,
        }
    }

    /// How long ago the last heartbeat came, if one ever did.
    pub(super) fn heartbeat_age(&self, now: Timestamp) -> Option<u64> {
        let heartbeat = self.document.last_heartbeat as i64;
        (self.is_running && heartbeat > 0).then(|| (now.0 - heartbeat).max(0).cast_unsigned())
    }

    /// One line for people, as svstat(8) has it.
    #[must_use]
    pub fn line(&self, name: &str, now: Timestamp) -> String {
        let Document { status, message, pid, uptime_human, statistics, .. } = &self.document;
        let mut line = format!("{name}: {status}");
        let mut add = |part: std::fmt::Arguments<'_>| {
            line.write_fmt(part).expect("invariant: a string takes all");
        };
        if let Some(pid) = pid.filter(|_| self.is_running) {
            add(format_args!(" (pid {pid}) for {uptime_human}"));
        }
        if let Some(age) = self.heartbeat_age(now) {
            add(format_args!(", heartbeat {} ago", units::human(Duration::from_secs(age))));
        }
        if let Some(scan) = &self.document.last_successful_scan {
            add(format_args!(", last successful scan {scan}"));
        }
        let totals = &statistics.totals;
        if totals.total_scans > 0 {
            let (scans, failed) = (totals.total_scans, totals.failed_scans);
            let plural = if scans == 1 { "" } else { "s" };
            add(format_args!(
                ", {scans} scan{plural} ({failed} failed), {} records",
                totals.total_records_stored
            ));
        }
        add(format_args!(": {message}"));
        line
    }

    /// One line with performance data, as monitoring plugins print it.
    #[must_use]
    pub fn plugin_line(&self, name: &str, now: Timestamp) -> String {
        let word = match self.plugin_exit() {
            Exit::Done => "OK",
            Exit::Failed => "WARNING",
            Exit::Usage => "CRITICAL",
            Exit::Partial | Exit::Locked => "UNKNOWN",
        };
        let Document { status, message, uptime_seconds, statistics, .. } = &self.document;
        // A bar begins the performance data.
        let message = message.replace('|', "/");
        let mut line = format!("{word}: {name} {status}: {message} |");
        let totals = &statistics.totals;
        let uptime = if self.is_running { *uptime_seconds } else { 0 };
        write!(line, " uptime={uptime}s").expect("invariant: a string takes all");
        if let Some(age) = self.heartbeat_age(now) {
            write!(line, " heartbeat_age={age}s").expect("invariant: a string takes all");
        }
        for (label, count) in [
            ("scans", totals.total_scans),
            ("failed_scans", totals.failed_scans),
            ("devices", totals.total_devices_processed),
            ("records", totals.total_records_stored),
        ] {
            write!(line, " {label}={count}c").expect("invariant: a string takes all");
        }
        line
    }

    /// The exit code of a monitoring plugin: 0 OK, 1 WARNING (unhealthy or degraded), 2 CRITICAL (it does
    /// not run), 3 UNKNOWN (nothing of that name is there).
    #[must_use]
    pub fn plugin_exit(&self) -> Exit {
        // The numbers are the exit codes of plugins; the names of the variants are ours.
        match (self.is_unknown, self.is_running, self.document.is_healthy) {
            (true, ..) => Exit::Partial,
            (_, false, _) => Exit::Usage,
            (_, true, false) => Exit::Failed,
            (_, true, true) => Exit::Done,
        }
    }
}
