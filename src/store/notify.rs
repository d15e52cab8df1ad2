//! `--notify`: what a supervisor is told, by sd_notify(3): that we work, that everything so far is
//! safe, and in one word of our own the totals since we began.

use std::{
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram},
    },
    time::Duration,
};

use serde::Serialize;

use crate::{
    error::{Error, Result},
    record::{Heartbeat, Scan},
    settings::Settings,
};

/// A supervisor that does not read is not waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// `X_MODTOOLS_STATS`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Totals {
    total_scans: u64,
    successful_scans: u64,
    failed_scans: u64,
    total_devices_processed: u64,
    total_records_stored: u64,
    /// s.
    average_scan_time: f64,
    /// s.
    last_scan_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    running: Option<u64>,
}

impl Totals {
    /// A scan, which is that of one device.
    pub fn scan(&mut self, scan: &Scan) {
        self.total_scans += 1;
        self.total_devices_processed += 1;
        if scan.status.is_good() {
            self.successful_scans += 1;
        } else {
            self.failed_scans += 1;
        }
        self.last_scan_time = scan.elapsed_ms as f64 / 1000.0;
        self.average_scan_time += (self.last_scan_time - self.average_scan_time) / self.total_scans as f64;
    }

    /// What the source says of itself.
    pub fn heartbeat(&mut self, heartbeat: &Heartbeat) {
        self.running = Some(heartbeat.running);
    }

    /// Samples that are in the database now.
    pub fn stored(&mut self, samples: u64) {
        self.total_records_stored += samples;
    }
}

/// The supervisor's socket, or nobody.
pub(super) struct Notify {
    socket: Option<(UnixDatagram, SocketAddr)>,
    ready: bool,
}

impl Notify {
    /// Of nobody.
    pub fn nobody() -> Self {
        Notify { socket: None, ready: false }
    }

    /// Of NOTIFY_SOCKET: a path, or an abstract name after `@`. Without it there is nobody to tell.
    pub fn of_settings(settings: &Settings) -> Result<Self> {
        let Some(name) = settings.get("NOTIFY_SOCKET")? else {
            log::info!("NOTIFY_SOCKET is not set: nobody is told");
            return Ok(Self::nobody());
        };
        let address = match name.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name),
            None => SocketAddr::from_pathname(&name),
        };
        let address =
            address.map_err(|e| Error::usage(format!("NOTIFY_SOCKET={name:?} is no socket: {e}")))?;
        let socket = UnixDatagram::unbound().map_err(Error::system("notify socket"))?;
        socket.set_write_timeout(Some(PATIENCE)).map_err(Error::system("notify socket"))?;
        Ok(Notify { socket: Some((socket, address)), ready: false })
    }

    /// Whether anybody listens.
    pub fn is_nobody(&self) -> bool {
        self.socket.is_none()
    }

    /// The first record is here.
    pub fn ready(&mut self) {
        if !std::mem::replace(&mut self.ready, true) {
            self.send("READY=1\n");
        }
    }

    /// Everything so far is safe.
    pub fn beat(&self, totals: &Totals, status: &str) {
        let totals = serde_json::to_string(totals).unwrap_or_default();
        self.send(&format!("WATCHDOG=1\nSTATUS={status}\nX_MODTOOLS_STATS={totals}\n"));
    }

    /// A supervisor that went away ends nothing.
    fn send(&self, words: &str) {
        let Some((socket, address)) = &self.socket else { return };
        if let Err(error) = socket.send_to_addr(words.as_bytes(), address) {
            log::debug!("the supervisor was not told: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{self, Record};

    fn scan(status: &str, ms: u64) -> Scan {
        let line = format!(
            r#"{{"v":1,"type":"scan","ts":"2026-05-01T12:00:00Z","cmts":"C","status":"{status}","elapsed_ms":{ms}}}"#
        );
        let Ok(Record::Scan(scan)) = record::decode(&line) else { unreachable!("{line}") };
        scan
    }

    #[test]
    fn totals_count_scans_and_their_mean_time() {
        let mut totals = Totals::default();
        totals.scan(&scan("ok", 1000));
        totals.scan(&scan("auth_failed", 4000));
        totals.stored(7);
        let json = serde_json::to_value(&totals).expect("serializable");
        assert_eq!(
            (&json["total_scans"], &json["successful_scans"], &json["failed_scans"]),
            (&2.into(), &1.into(), &1.into())
        );
        assert_eq!((&json["average_scan_time"], &json["last_scan_time"]), (&2.5.into(), &4.0.into()));
        assert_eq!((&json["total_records_stored"], json.get("running")), (&7.into(), None));
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
