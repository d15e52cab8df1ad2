//! SSH servers that never stop talking (tests/peer.py): every step ends within its budget, in little memory, and
//! the password is sent once.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    mailbox::python_with,
    sshd::{Login, Sshd, me},
    support::{Run, Tool, in_package, tool},
};

/// A hostile server; it ends with the value.
pub struct Peer {
    child: Child,
    dir: TempDir,
    pub port: u16,
}

impl Peer {
    pub fn start(mode: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let mut child = Command::new(python_with("asyncssh"))
            .arg(in_package("tests/peer.py"))
            .arg(dir.path().join("log"))
            .arg(mode)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("peer.py prints its port; is python3-asyncssh installed?");
        Peer { child, dir, port }
    }

    /// What stands behind this word in its log.
    pub fn logged(&self, word: &str) -> Vec<String> {
        let log = fs::read_to_string(self.dir.path().join("log")).unwrap();
        log.lines().filter_map(|line| line.strip_prefix(word)).map(str::to_owned).collect()
    }

    /// How often it was sent the password, and how often an empty answer.
    fn answers(&self) -> (usize, usize) {
        (self.logged("password").len(), self.logged("nothing").len())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const BUDGETS: [&str; 8] =
    ["--connect-timeout", "2s", "--auth-timeout", "3s", "--idle-timeout", "3s", "--device-timeout", "8s"];
/// Threads reserve more address space than they use.
pub const LIMIT: [&str; 2] = ["prlimit", "--as=1073741824"];
/// The longest of the budgets that a step has here, and what a loaded machine needs.
const IN_TIME: Duration = Duration::from_secs(8 + 52);

fn device(name: &str, port: u16) -> String {
    format!("{{\"cmts\":\"{name}\",\"host\":\"127.0.0.1\",\"port\":{port}}}\n")
}

fn fetch(inventory: &str) -> Tool {
    tool("ccap-fetch")
        .args(["--host-keys", "off", "--retries", "0", "--user", "scan"])
        .args(BUDGETS)
        .under(&LIMIT)
        .env("CCAP_PASSWORD", "s3cret")
        .stdin(inventory)
}

/// Runs it, and holds that it ended in time, whole, and with one line on stderr without control characters.
#[track_caller]
pub fn bounded(what: &str, tool: Tool) -> Run {
    let began = Instant::now();
    let run = tool.run();
    assert!(began.elapsed() < IN_TIME, "{what}: {:?}", began.elapsed());
    assert_eq!(run.code, Some(3), "{what}: {:?} {}", run.signal, run.stderr);
    assert_eq!(run.stderr.lines().count(), 1, "{what}: {}", run.stderr);
    assert!(!run.stderr.trim_end().contains(char::is_control), "{what}: {:?}", run.stderr);
    assert!(run.stderr.len() < 5000, "{what}: {} bytes", run.stderr.len());
    run
}

#[test]
fn a_device_that_never_stops_talking_before_its_shell_ends_within_its_budget() {
    every_mode_ends(&[
        ("version-lines", &["kex_failed"][..]),
        ("version-line", &["kex_failed"]),
        ("kex-ignore", &["output_too_large", "kex_failed"]),
        ("kex-length", &["kex_failed"]),
        ("kex-lists", &["kex_failed"]),
        ("auth-ignore", &["output_too_large", "login_timeout"]),
        ("auth-unknown", &["output_too_large", "login_timeout"]),
        ("auth-tiny", &["output_too_large", "login_timeout"]),
        ("auth-banner", &["output_too_large", "login_timeout"]),
        ("auth-requests", &["output_too_large", "login_timeout"]),
        ("open-unknown", &["output_too_large", "login_timeout"]),
        ("open-channels", &["output_too_large", "login_timeout", "disconnected"]),
    ]);
}

#[test]
fn a_device_that_never_stops_talking_in_its_shell_ends_within_its_budget() {
    let kinds =
        ["ignore", "unknown", "tiny", "requests", "drip", "rekey"].map(|kind| format!("shell-{kind}"));
    let ends = &["output_too_large", "read_timeout", "disconnected"][..];
    every_mode_ends(&kinds.each_ref().map(|mode| (mode.as_str(), ends)));
}

/// Each mode ends in time with one of its statuses, and the password is not sent again.
#[track_caller]
fn every_mode_ends(modes: &[(&str, &[&str])]) {
    for (mode, statuses) in modes {
        let peer = Peer::start(mode);
        let run = bounded(mode, fetch(&device("CCAP001", peer.port)));
        let capture = &run.records()[0];
        assert!(statuses.iter().any(|status| capture["status"] == *status), "{mode}: {capture}");
        assert!(peer.answers().0 <= 1, "{mode}: {:?}", peer.answers());
    }
}

#[test]
fn the_password_is_sent_once_however_often_it_is_asked_for() {
    for (mode, passwords) in [("kbd-again", 1), ("kbd-endless", 1), ("kbd-code", 1), ("kbd-many", 0)] {
        let peer = Peer::start(mode);
        let run = bounded(mode, fetch(&device("CCAP001", peer.port)));
        let capture = &run.records()[0];
        assert_eq!(capture["status"], "auth_failed", "{mode}: {capture}");
        let error = capture["error"].as_str().unwrap();
        assert!(error.contains("a password is sent once"), "{mode}: {error}");
        assert_eq!(peer.answers(), (passwords, 0), "{mode}");
    }
}

/// Two such addresses took both threads for good, and no healthy device was read.
#[test]
fn healthy_devices_are_read_beside_hostile_ones() {
    let hostile = [Peer::start("version-lines"), Peer::start("auth-unknown")];
    let script = in_package("tests/it/devices/e6000.sh");
    let healthy = Sshd::start(Login::Forced(&script.display().to_string()));
    let inventory = device("CCAP001", hostile[0].port)
        + &device("CCAP002", hostile[1].port)
        + &device("CCAP003", healthy.port).replace('}', &format!(",\"user\":\"{}\"}}", me()));
    let began = Instant::now();
    let run = fetch(&inventory).args(["-j", "2", "--identity"]).args([healthy.key()]).run();
    assert!(began.elapsed() < 2 * IN_TIME, "{:?}", began.elapsed());
    let run = run.says(3, &["CCAP001: kex_failed", "CCAP002: "]);
    let records = run.records();
    let status = |name: &str| records.iter().find(|r| r["cmts"] == name).unwrap()["status"].clone();
    assert_eq!(status("CCAP003"), "ok");
}

#[test]
fn a_web_server_that_never_stops_talking_ends_within_the_time_of_the_deployment() {
    let input = in_package("tests/fixtures/report/scans.ndjson");
    for mode in [
        "version-lines",
        "open-unknown",
        "exec-unknown",
        "exec-ignore",
        "exec-output",
        "sftp-unknown",
        "sftp-tiny",
        "sftp-requests",
        "sftp-names",
    ] {
        let peer = Peer::start(mode);
        let port = peer.port.to_string();
        let report = tool("mod-report")
            .arg("--input", &input)
            .args(["--date", "2025-05-01", "--tz", "Europe/Amsterdam", "--web", "page", "--host-keys", "off"])
            .args(["--deploy", "web@127.0.0.1:/srv/www", "--deploy-port", &port, "--deploy-timeout", "8s"])
            .under(&LIMIT);
        let run = bounded(mode, report);
        assert!(run.stderr.contains("still there"), "{mode}: {}", run.stderr);
    }
}
