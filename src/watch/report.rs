//! How it is, seen from outside: the lock says whether there is a supervisor, its status what it
//! knows; a status that no supervisor stands behind is not believed.

use std::{fmt::Write, fs, time::Duration};

use serde::Serialize;

use super::{
    health::{Document, Statistics, StatusWord, local},
    lock::{self, Holder, Look},
    paths::Paths,
    status_file::{self, STALE},
};
use crate::{
    error::Result,
    exit::Exit,
    record::{Body, Timestamp},
    units,
};

/// What was seen.
#[derive(Debug)]
pub struct Report {
    /// Whether a supervisor holds the lock.
    pub is_running: bool,
    /// The status, corrected by what the lock says.
    pub document: Document,
}

/// `status` as a record: what `mod-watch status --json` prints.
#[derive(Debug, Serialize)]
pub struct StatusRecord<'a> {
    /// When it was looked at.
    pub ts: Timestamp,
    /// Name of what is supervised.
    pub name: &'a str,
    /// The status.
    #[serde(flatten)]
    pub document: &'a Document,
}

impl Body for StatusRecord<'_> {
    const TYPE: &'static str = "status";
}

/// Looks.
///
/// # Errors
/// [`crate::error::Error::Read`].
pub fn observe(paths: &Paths, now: Timestamp) -> Result<Report> {
    let held = lock::look(&paths.pid())?;
    let written = status_file::read(paths)?;
    Ok(match held {
        Look::Free => {
            let document = not_running(written.map(|(document, _)| document), paths, now);
            Report { is_running: false, document }
        }
        Look::Held(holder) => Report { is_running: true, document: running(holder, written, paths, now) },
    })
}

fn not_running(written: Option<Document>, paths: &Paths, now: Timestamp) -> Document {
    let Some(document) = written else {
        return bare(StatusWord::Stopped, "it was never started".to_owned(), paths, now);
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
    holder: Option<Holder>,
    written: Option<(Document, Duration)>,
    paths: &Paths,
    now: Timestamp,
) -> Document {
    let pid = holder.map(|holder| holder.pid.as_raw_nonzero().get());
    match written.filter(|(document, _)| pid.is_some() && document.pid == pid) {
        Some((document, age)) if age < STALE => document,
        Some((document, age)) => {
            let message = format!("the supervisor has not written its status for {}", units::human(age));
            Document { status: StatusWord::Error, message, is_healthy: false, ..document }
        }
        None => {
            // Signed at its start, so this is how long it has been up.
            let signed = fs::metadata(paths.pid()).and_then(|metadata| metadata.modified()).ok();
            let age = signed.and_then(|signed| signed.elapsed().ok()).unwrap_or_default();
            let (status, message) = if age < STALE {
                (StatusWord::Starting, "the supervisor is starting".to_owned())
            } else {
                (StatusWord::Error, format!("the supervisor has written no status for {}", units::human(age)))
            };
            Document { pid, ..bare(status, message, paths, now) }
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
            let beat = (now.0 - self.document.last_heartbeat as i64).max(0);
            add(format_args!(", heartbeat {} ago", units::human(Duration::from_secs(beat.cast_unsigned()))));
        }
        if let Some(scan) = &self.document.last_successful_scan {
            add(format_args!(", last successful scan {scan}"));
        }
        let totals = &statistics.totals;
        if totals.total_scans > 0 {
            let (scans, failed) = (totals.total_scans, totals.failed_scans);
            add(format_args!(", {scans} scans ({failed} failed), {} records", totals.total_records_stored));
        }
        add(format_args!(": {message}"));
        line
    }
}
