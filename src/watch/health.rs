//! The health of the command, from what it reports: heartbeats, totals, a line of text. And the status document
//! that is made of it, `NAME.status`.

use std::time::{Duration, Instant};

use chrono::{Local, TimeZone};

use super::machine::{Phase, Verdict};
use crate::{
    record::{Document, Statistics, StatusWord, Timestamp, Totals},
    units,
};

/// What the command has reported since supervision began.
#[derive(Debug)]
pub struct Health {
    began: (Instant, Timestamp),
    interval: Duration,
    beat: Option<Timestamp>,
    good_scan: Option<Timestamp>,
    stored: Option<Instant>,
    earlier: Totals,
    totals: Option<Totals>,
    says: Option<String>,
}

impl Health {
    /// Before the first report.
    #[must_use]
    pub fn new(interval: Duration, now: Instant, wall: Timestamp) -> Self {
        Health {
            began: (now, wall),
            interval,
            beat: None,
            good_scan: None,
            stored: None,
            earlier: Totals::default(),
            totals: None,
            says: None,
        }
    }

    /// The command is started again and counts from 0.
    pub fn restart(&mut self) {
        self.earlier = self.all();
        self.totals = self.totals.is_some().then(Totals::default);
        self.says = None;
    }

    /// A heartbeat.
    pub fn beat(&mut self, wall: Timestamp) {
        self.beat = Some(wall);
    }

    /// Its own words.
    pub fn says(&mut self, text: String) {
        self.says = Some(text).filter(|text| !text.is_empty());
    }

    /// Its totals.
    pub fn totals(&mut self, totals: Totals, now: Instant, wall: Timestamp) {
        let before = self.totals.take().unwrap_or_default();
        if totals.successful_scans > before.successful_scans {
            self.good_scan = Some(wall);
        }
        if totals.total_records_stored > before.total_records_stored {
            self.stored = Some(now);
        }
        self.totals = Some(totals);
    }

    fn all(&self) -> Totals {
        match &self.totals {
            Some(totals) => self.earlier.then(totals),
            None => self.earlier.clone(),
        }
    }

    /// For how long nothing was stored, when that is too long; none for a command that reports no totals.
    fn starving(&self, now: Instant) -> Option<Duration> {
        self.totals.as_ref()?;
        let idle = now.duration_since(self.stored.unwrap_or(self.began.0));
        (idle > self.interval * 2).then_some(idle)
    }

    /// The status document of this moment.
    #[must_use]
    pub fn document(&self, phase: &Phase, lock_file: &str, now: Instant, wall: Timestamp) -> Document {
        let starving = self.starving(now);
        let (status, message) = self.word(phase, starving);
        let uptime = now.duration_since(self.began.0);
        let alive = !matches!(phase, Phase::Over(_));
        Document {
            timestamp: local(wall),
            status,
            message,
            last_successful_scan: self.good_scan.map(local),
            last_heartbeat: self.beat.unwrap_or(self.began.1).0 as f64,
            pid: alive.then(|| rustix::process::getpid().as_raw_nonzero().get()),
            uptime_seconds: uptime.as_secs(),
            uptime_human: units::human(uptime),
            lock_file: lock_file.to_owned(),
            is_healthy: status.is_healthy(),
            statistics: Statistics {
                // Not part of the status: the word says it.
                totals: Totals { running: None, ..self.all() },
                started_at: local(self.began.1),
                uptime_seconds: uptime.as_secs(),
            },
        }
    }

    fn word(&self, phase: &Phase, starving: Option<Duration>) -> (StatusWord, String) {
        let said = |otherwise: &str| self.says.clone().unwrap_or_else(|| otherwise.to_owned());
        match (phase, starving) {
            (Phase::Clearing, _) => {
                (StatusWord::Starting, "ending what an earlier supervisor left behind".to_owned())
            }
            (Phase::Ending(cause), _) => (StatusWord::Error, format!("{cause}; it is being ended")),
            (Phase::Pausing(cause), _) => (StatusWord::Error, format!("{cause}; it will be started again")),
            (Phase::Stopping, _) => (StatusWord::ShuttingDown, "asked to stop".to_owned()),
            (Phase::Over(Verdict::Stopped), _) => (StatusWord::Stopped, "stopped as requested".to_owned()),
            (Phase::Over(Verdict::Failed(cause)), _) => (StatusWord::Failed, cause.to_string()),
            (Phase::Running, Some(idle)) => {
                (StatusWord::Degraded, format!("nothing was stored for {}", units::human(idle)))
            }
            (Phase::Starting, _) => (StatusWord::Starting, said("waiting for the first heartbeat")),
            (Phase::Running, None) => match self.totals.as_ref().and_then(|totals| totals.running) {
                Some(0) => (StatusWord::Idle, said("between two scans")),
                Some(_) => (StatusWord::Scanning, said("devices are being polled")),
                None => (StatusWord::Running, said("heartbeats arrive")),
            },
        }
    }
}

/// Naive local ISO, as the readers of the status expect it.
#[must_use]
pub fn local(wall: Timestamp) -> String {
    Local.from_utc_datetime(&wall.utc().naive_utc()).format("%Y-%m-%dT%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::super::machine::{Cause, Ended};
    use super::*;

    const WALL: Timestamp = Timestamp(1_777_636_800);

    fn fresh() -> (Health, Instant) {
        let now = Instant::now();
        (Health::new(Duration::from_secs(600), now, WALL), now)
    }

    fn stored(records: u64) -> Totals {
        Totals {
            total_scans: records,
            successful_scans: records,
            total_records_stored: records,
            ..Totals::default()
        }
    }

    #[test]
    fn the_document_has_the_keys_and_types_of_the_contract() {
        let (mut health, now) = fresh();
        health.beat(WALL + 90_000);
        health.totals(stored(5), now, WALL + 90_000);
        let document =
            health.document(&Phase::Running, "/x.pid", now + Duration::from_secs(93_780), WALL + 93_780);
        let json = serde_json::to_value(&document).expect("serializable");
        let keys: Vec<_> = json.as_object().expect("an object").keys().cloned().collect();
        let mut expected = [
            "timestamp",
            "status",
            "message",
            "last_successful_scan",
            "last_heartbeat",
            "pid",
            "uptime_seconds",
            "uptime_human",
            "lock_file",
            "is_healthy",
            "statistics",
        ];
        expected.sort_unstable();
        let mut sorted = keys;
        sorted.sort_unstable();
        assert_eq!(sorted, expected);
        let statistics = json["statistics"].as_object().expect("an object");
        let mut expected = [
            "total_scans",
            "successful_scans",
            "failed_scans",
            "total_devices_processed",
            "total_records_stored",
            "average_scan_time",
            "last_scan_time",
            "started_at",
            "uptime_seconds",
        ];
        expected.sort_unstable();
        let mut sorted: Vec<_> = statistics.keys().collect();
        sorted.sort_unstable();
        assert_eq!(sorted, expected);
        assert!(json["last_heartbeat"].is_f64() && json["is_healthy"].is_boolean());
        assert_eq!(json["uptime_human"], "1d 2h 3m");
        assert_eq!(json["last_successful_scan"], local(WALL + 90_000));
        assert_eq!(serde_json::from_value::<Document>(json).expect("read back"), document);
    }

    #[test]
    fn two_intervals_without_anything_stored_are_degraded_and_one_record_heals() {
        let (mut health, now) = fresh();
        let at = |health: &Health, s| {
            health.document(&Phase::Running, "", now + Duration::from_secs(s), WALL).status
        };
        assert_eq!(at(&health, 5000), StatusWord::Running, "no totals, no judgement");
        health.totals(stored(1), now, WALL);
        assert_eq!(at(&health, 1200), StatusWord::Running);
        assert_eq!(at(&health, 1201), StatusWord::Degraded);
        health.totals(Totals { failed_scans: 9, ..stored(1) }, now + Duration::from_secs(1201), WALL);
        assert_eq!(at(&health, 1201), StatusWord::Degraded);
        health.totals(stored(2), now + Duration::from_secs(1202), WALL);
        assert_eq!(at(&health, 1203), StatusWord::Running);
    }

    #[test]
    fn totals_add_up_over_restarts_and_a_restart_is_no_progress() {
        let (mut health, now) = fresh();
        health.totals(Totals { average_scan_time: 10.0, last_scan_time: 9.0, ..stored(3) }, now, WALL);
        health.restart();
        assert_eq!(health.all().total_scans, 3);
        assert_eq!(health.all().last_scan_time.to_bits(), 9f64.to_bits());
        health.totals(Totals { average_scan_time: 20.0, ..stored(1) }, now, WALL + 9);
        assert_eq!((health.all().total_scans, health.all().total_records_stored), (4, 4));
        assert!((health.all().average_scan_time - 12.5).abs() < 1e-9);
    }

    #[test]
    fn each_phase_has_its_word() {
        let (mut health, now) = fresh();
        let word = |health: &Health, phase| health.document(&phase, "", now, WALL).status;
        let cause = Cause::Ended(Ended::Exit(1));
        assert_eq!(word(&health, Phase::Starting), StatusWord::Starting);
        assert_eq!(word(&health, Phase::Stopping), StatusWord::ShuttingDown);
        assert_eq!(word(&health, Phase::Pausing(cause.clone())), StatusWord::Error);
        assert_eq!(word(&health, Phase::Over(Verdict::Failed(cause))), StatusWord::Failed);
        assert_eq!(word(&health, Phase::Over(Verdict::Stopped)), StatusWord::Stopped);
        for (running, expected) in [(Some(0), StatusWord::Idle), (Some(3), StatusWord::Scanning)] {
            health.totals(Totals { running, ..Totals::default() }, now, WALL);
            assert_eq!(word(&health, Phase::Running), expected);
        }
    }
}
