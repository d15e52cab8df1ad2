//! mod-store --notify: what a supervisor hears, and that it hears it only when it is true.

use std::{
    io::{ErrorKind, Write},
    os::unix::net::UnixDatagram,
    path::Path,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use crate::{
    mariadb::MariaDb,
    store::{END, LATER, NOON, sample, scan, two_scans},
    support::{DEADLINE, tool, until, wait},
};

const AGAIN: &str = "2026-05-01T12:20:00Z";
const HEARTBEAT: &str = "{\"v\":1,\"type\":\"heartbeat\",\"ts\":\"2026-05-01T12:00:00Z\",\"devices\":9,\"due\":1,\"running\":3}\n";

/// The supervisor's end of the socket.
struct Supervisor {
    socket: UnixDatagram,
    heard: String,
}

impl Supervisor {
    fn new(dir: &Path) -> Self {
        let socket = UnixDatagram::bind(dir.join("notify")).unwrap();
        socket.set_nonblocking(true).unwrap();
        Supervisor { socket, heard: String::new() }
    }

    fn hear(&mut self) -> &str {
        let mut buffer = [0; 4096];
        loop {
            match self.socket.recv(&mut buffer) {
                Ok(length) => self.heard += std::str::from_utf8(&buffer[..length]).unwrap(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return &self.heard,
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn beats(&mut self) -> usize {
        self.hear().matches("WATCHDOG=1\n").count()
    }

    /// The totals that were told last.
    fn totals(&mut self) -> serde_json::Value {
        let heard = self.hear();
        let line = heard.lines().rfind(|line| line.starts_with("X_MODTOOLS_STATS=")).unwrap();
        serde_json::from_str(line.split_once('=').unwrap().1).unwrap()
    }
}

fn start(mut command: Command, dir: &Path) -> Child {
    command.env("NOTIFY_SOCKET", dir.join("notify")).stdin(Stdio::piped());
    command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap()
}

#[test]
fn readiness_beats_and_totals_are_told() {
    let dir = TempDir::new().unwrap();
    let mut supervisor = Supervisor::new(dir.path());
    let command = tool("mod-store").args(["--db", "sqlite:m.db", "--notify"]).command(dir.path());
    let mut child = start(command, dir.path());
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"\n{\"type\":\"weather\"}\n").unwrap();
    until("readiness", || supervisor.hear() == "READY=1\n");
    stdin.write_all(HEARTBEAT.as_bytes()).unwrap();
    until("a beat for the heartbeat", || supervisor.beats() == 1);
    assert_eq!(supervisor.totals()["running"], 3);
    let failed = scan(LATER, "B", "auth_failed", 0).replace("\"samples\"", "\"elapsed_ms\":2500,\"samples\"");
    stdin
        .write_all((sample(NOON, "A", "u", "QPSK", "") + &scan(NOON, "A", "ok", 1) + &failed).as_bytes())
        .unwrap();
    until("a beat for the scans", || {
        supervisor.beats() >= 2 && supervisor.totals()["total_devices_processed"] == 2
    });
    let totals = supervisor.totals();
    assert_eq!((&totals["total_scans"], &totals["total_records_stored"]), (&0.into(), &1.into()));
    // Nine devices are due, and A comes again: the first round is over, with one good device and one failed.
    stdin.write_all(scan(AGAIN, "A", "ok", 0).as_bytes()).unwrap();
    until("the first round", || supervisor.totals()["total_scans"] == 1);
    let totals = supervisor.totals();
    assert_eq!((&totals["successful_scans"], &totals["failed_scans"]), (&1.into(), &0.into()));
    assert_eq!(totals["total_devices_processed"], 3);
    assert_eq!((&totals["last_scan_time"], &totals["average_scan_time"]), (&602.5.into(), &602.5.into()));
    stdin.write_all(END.as_bytes()).unwrap();
    drop(stdin);
    assert_eq!(wait(&mut child, DEADLINE).code(), Some(3));
    assert_eq!(supervisor.totals()["total_scans"], 2, "the end of the input ends the round");
    assert_eq!(supervisor.hear().matches("READY=1").count(), 1);
}

#[test]
fn no_beat_before_everything_is_safe() {
    let mut db = MariaDb::initialised();
    db.run("BEGIN");
    db.run("INSERT INTO modulation_new VALUES ('2026-05-01 12:00:00', 'A', 'u', 'QPSK')");
    let dir = TempDir::new().unwrap();
    let mut supervisor = Supervisor::new(dir.path());
    let mut child = start(db.tool(&db.url()).args(["--notify"]).command(dir.path()), dir.path());
    let mut stdin = child.stdin.take().unwrap();
    let input = sample(NOON, "A", "u", "QPSK", "") + &scan(NOON, "A", "ok", 1) + HEARTBEAT;
    stdin.write_all(input.as_bytes()).unwrap();
    let waiting = "SELECT COUNT(*) FROM information_schema.processlist \
                   WHERE db = DATABASE() AND id <> CONNECTION_ID() AND info LIKE '%INSERT%'";
    until("the waiting statement", || db.number(waiting) == 1);
    assert_eq!(supervisor.hear(), "READY=1\n", "the database has not answered");
    db.run("COMMIT");
    until("a beat", || supervisor.beats() > 0);
    stdin.write_all(END.as_bytes()).unwrap();
    drop(stdin);
    assert_eq!(wait(&mut child, DEADLINE).code(), Some(0));
}

#[test]
fn what_is_spooled_is_safe_and_its_depth_is_told() {
    let dir = TempDir::new().unwrap();
    let mut supervisor = Supervisor::new(dir.path());
    // Nothing listens on port 1.
    let args = ["--db", "mysql://u@127.0.0.1:1/d", "--notify", "--spool", "spool", "-q"];
    let command = tool("mod-store").args(args).env("ACCESS_PASSWORD", "x").command(dir.path());
    let mut child = start(command, dir.path());
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(two_scans().as_bytes()).unwrap();
    until("a beat", || supervisor.beats() > 0);
    // The first group may be spooled before the second has come.
    let mut told = String::new();
    until("the depth of both groups", || {
        told = supervisor.hear().to_owned();
        told.contains("2 groups with 4 samples")
    });
    assert!(told.contains("no connection"), "{told}");
    assert_eq!(supervisor.totals()["total_records_stored"], 0, "safe is not stored");
    drop(stdin);
    assert_eq!(wait(&mut child, DEADLINE).code(), Some(3));
}

#[test]
fn without_the_flag_nothing_is_told_and_without_a_supervisor_nothing_is_wrong() {
    let dir = TempDir::new().unwrap();
    let mut supervisor = Supervisor::new(dir.path());
    let socket = dir.path().join("notify");
    let store = || tool("mod-store").args(["--db", "sqlite:m.db"]).dir(dir.path()).stdin(two_scans());
    store().env("NOTIFY_SOCKET", &socket).run().clean(0);
    assert_eq!(supervisor.hear(), "");
    store().args(["--notify"]).run().clean(0);
    store().args(["--notify"]).env("NOTIFY_SOCKET", dir.path().join("nobody")).run().clean(0);
    let long = format!("/{}", "x".repeat(200));
    store().args(["--notify"]).env("NOTIFY_SOCKET", long).run().says(2, &["NOTIFY_SOCKET"]);
}
