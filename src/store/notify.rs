//! `--notify`: reports to the supervisor by sd_notify(3): `READY=1` at the first record, `WATCHDOG=1` once
//! everything before it is committed or spooled, and our own `X_MODTOOLS_STATS` with the totals so far.

use std::{
    collections::HashSet,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram},
    },
    time::Duration,
};

use crate::{
    error::{Error, Result},
    record::{Heartbeat, Scan, Timestamp, Totals},
    settings::Settings,
};

/// How long a supervisor that does not read its socket can hold us up.
const SEND_TIMEOUT: Duration = Duration::from_secs(1);
/// A round that holds more devices than any fleet has is taken for ended.
const LARGEST_ROUND: usize = 100_000;

/// Totals since the run began. What they call a scan is a round: every device of the inventory once. A
/// round ends when all devices that the source announced are through, when a device comes again, or at
/// the end of the input.
#[derive(Debug, Default)]
pub(super) struct Progress {
    totals: Totals,
    /// Devices in the inventory, as the last heartbeat said.
    devices: Option<u64>,
    round: Option<Round>,
}

/// The round that is under way.
#[derive(Debug)]
struct Round {
    devices: HashSet<String>,
    has_good: bool,
    began: Timestamp,
    /// When its last device was done, seconds after `began`.
    seconds: f64,
}

impl Progress {
    /// The totals so far.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The scan of one device.
    pub fn scan(&mut self, scan: &Scan) {
        if self.round.as_ref().is_some_and(|round| round.devices.contains(&scan.cmts)) {
            self.end_round();
        }
        self.totals.total_devices_processed += 1;
        let round = self.round.get_or_insert_with(|| Round {
            devices: HashSet::new(),
            has_good: false,
            began: scan.ts,
            seconds: 0.0,
        });
        round.devices.insert(scan.cmts.clone());
        round.has_good |= scan.status.is_good();
        round.seconds =
            round.seconds.max(scan.ts.since(round.began) as f64 + scan.elapsed_ms as f64 / 1000.0);
        let size = round.devices.len();
        if self.devices.is_some_and(|devices| size as u64 >= devices) || size >= LARGEST_ROUND {
            self.end_round();
        }
    }

    /// What the source reports of itself.
    pub fn heartbeat(&mut self, heartbeat: &Heartbeat) {
        self.totals.running = Some(heartbeat.running);
        self.devices = Some(heartbeat.devices);
    }

    /// Samples that were committed to the database.
    pub fn stored(&mut self, samples: u64) {
        self.totals.total_records_stored += samples;
    }

    /// Ends the round that is under way, if there is one: at the end of the input.
    pub fn end_round(&mut self) {
        let Some(round) = self.round.take() else { return };
        let totals = &mut self.totals;
        totals.total_scans += 1;
        if round.has_good {
            totals.successful_scans += 1;
        } else {
            totals.failed_scans += 1;
        }
        totals.last_scan_time = round.seconds;
        totals.average_scan_time +=
            (totals.last_scan_time - totals.average_scan_time) / totals.total_scans as f64;
    }
}

/// The supervisor's socket, if there is one.
pub(super) struct Notify {
    socket: Option<(UnixDatagram, SocketAddr)>,
    ready: bool,
}

impl Notify {
    /// Without a supervisor.
    pub fn nobody() -> Self {
        Notify { socket: None, ready: false }
    }

    /// Reports to NOTIFY_SOCKET: a path, or an abstract name after `@`. Without it nothing is sent.
    pub fn of_settings(settings: &Settings) -> Result<Self> {
        let Some(name) = settings.get("NOTIFY_SOCKET")? else {
            log::info!("NOTIFY_SOCKET is not set: --notify does nothing");
            return Ok(Self::nobody());
        };
        let address = match name.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name),
            None => SocketAddr::from_pathname(&name),
        };
        let address = address.map_err(|e| Error::usage(format!("invalid NOTIFY_SOCKET {name:?}: {e}")))?;
        let socket = UnixDatagram::unbound().map_err(Error::system("notify socket"))?;
        socket.set_write_timeout(Some(SEND_TIMEOUT)).map_err(Error::system("notify socket"))?;
        Ok(Notify { socket: Some((socket, address)), ready: false })
    }

    /// Whether there is no supervisor.
    pub fn is_nobody(&self) -> bool {
        self.socket.is_none()
    }

    /// Reports the first record, once.
    pub fn ready(&mut self) {
        if !std::mem::replace(&mut self.ready, true) {
            self.send("READY=1\n");
        }
    }

    /// Reports that everything so far is committed or spooled.
    pub fn beat(&self, totals: &Totals, status: &str) {
        let totals = serde_json::to_string(totals).unwrap_or_default();
        self.send(&format!("WATCHDOG=1\nSTATUS={status}\nX_MODTOOLS_STATS={totals}\n"));
    }

    /// A supervisor that went away is not a reason to end.
    fn send(&self, words: &str) {
        let Some((socket, address)) = &self.socket else { return };
        if let Err(error) = socket.send_to_addr(words.as_bytes(), address) {
            log::debug!("cannot send to the supervisor: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{self, Record};

    fn scan(second: u32, cmts: &str, status: &str, ms: u64) -> Scan {
        let line = format!(
            r#"{{"v":1,"type":"scan","ts":"2026-05-01T12:00:{second:02}Z","cmts":"{cmts}","status":"{status}","elapsed_ms":{ms}}}"#
        );
        let Ok(Record::Scan(scan)) = record::decode(&line) else { unreachable!("{line}") };
        scan
    }

    fn counts(progress: &Progress) -> [u64; 4] {
        let totals = progress.totals();
        [totals.total_scans, totals.successful_scans, totals.failed_scans, totals.total_devices_processed]
    }

    #[test]
    fn a_round_is_every_device_once_and_takes_from_its_first_to_its_last() {
        let mut progress = Progress::default();
        progress.scan(&scan(0, "A", "ok", 1000));
        progress.scan(&scan(5, "B", "auth_failed", 4000));
        assert_eq!(counts(&progress), [0, 0, 0, 2], "not known to be whole");
        progress.scan(&scan(20, "A", "refused", 1000));
        assert_eq!(counts(&progress), [1, 1, 0, 3]);
        assert_eq!(progress.totals().last_scan_time.to_bits(), 9f64.to_bits());
        progress.end_round();
        progress.end_round();
        assert_eq!(counts(&progress), [2, 1, 1, 3], "a round without a good scan has failed");
        assert_eq!(progress.totals().average_scan_time.to_bits(), 5f64.to_bits());
    }

    #[test]
    fn a_round_ends_with_the_last_device_of_the_inventory() {
        let mut progress = Progress::default();
        let heartbeat =
            r#"{"v":1,"type":"heartbeat","ts":"2026-05-01T12:00:00Z","devices":2,"due":1,"running":1}"#;
        let Ok(Record::Heartbeat(heartbeat)) = record::decode(heartbeat) else { unreachable!("a heartbeat") };
        progress.heartbeat(&heartbeat);
        progress.scan(&scan(0, "A", "ok", 1));
        assert_eq!(counts(&progress), [0, 0, 0, 1]);
        progress.scan(&scan(1, "B", "ok", 1));
        assert_eq!(counts(&progress), [1, 1, 0, 2]);
    }

    #[test]
    fn words_arrive_in_order_and_ready_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("s");
        let socket = UnixDatagram::bind(&path).expect("bound");
        let settings = Settings::of([("NOTIFY_SOCKET", path.to_str().expect("utf-8"))]);
        let mut notify = Notify::of_settings(&settings).expect("a socket");
        notify.ready();
        notify.ready();
        notify.beat(&Totals::default(), "all is well");
        let mut buffer = [0; 1000];
        let length = socket.recv(&mut buffer).expect("a datagram");
        assert_eq!(&buffer[..length], b"READY=1\n");
        let length = socket.recv(&mut buffer).expect("a datagram");
        let words = String::from_utf8_lossy(&buffer[..length]).into_owned();
        assert!(words.starts_with("WATCHDOG=1\nSTATUS=all is well\nX_MODTOOLS_STATS={\"total"), "{words}");
    }
}
