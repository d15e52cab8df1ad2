//! A simulated fleet for a test: real SSH on loopback, gone when the test is.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{built, records};

/// The user of every fleet.
pub const USER: &str = "operator";
/// The password of every fleet.
pub const PASSWORD: &str = "simulated";

/// A running ccap-sim with its files.
pub struct Fleet {
    // Its standard input is a pipe that we hold: it ends even when the test is killed.
    child: Child,
    dir: TempDir,
}

impl Fleet {
    /// Starts a fleet with these flags, and waits until every device can be reached.
    #[track_caller]
    pub fn start(args: &[&str]) -> Fleet {
        let dir = TempDir::new().expect("a temporary directory");
        let mut command = Command::new(built("examples/ccap-sim"));
        command.arg("--dir").arg(dir.path()).arg("--until-eof").args(args).env_remove("CCAP_SIM_PASSWORD");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("ccap-sim starts");
        let mut ready = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut ready).expect("readable");
        let fleet = Fleet { child, dir };
        assert!(ready.starts_with("ready"), "ccap-sim {args:?} says {ready:?}");
        fleet
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// For `ccap-fetch -i`.
    pub fn inventory(&self) -> PathBuf {
        self.dir().join("inventory.ndjson")
    }

    /// For `ccap-fetch --known-hosts`.
    pub fn known_hosts(&self) -> PathBuf {
        self.dir().join("known_hosts")
    }

    /// The samples that a scan has to give, without `ts`, sorted by their text.
    pub fn truth(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.read("truth.ndjson").lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    }

    /// `{cmts, status, samples}` of each device: what a scan has to come to.
    pub fn expected(&self) -> Vec<Value> {
        records(&self.read("expect.ndjson"))
    }

    /// `{cmts, v2c, v3}` of each device: the status that a scan by SNMP has to come to.
    pub fn expected_by_snmp(&self) -> Vec<Value> {
        records(&self.read("expect_snmp.ndjson"))
    }

    /// The samples that a scan by SNMP has to give, without `ts`.
    pub fn snmp_truth(&self) -> Vec<Value> {
        records(&self.read("truth_snmp.ndjson"))
    }

    /// What came to the doors so far.
    pub fn logins(&self) -> Vec<Value> {
        records(&self.read("logins.ndjson"))
    }

    /// Host and port of a device.
    #[track_caller]
    pub fn address(&self, cmts: &str) -> (String, u16) {
        let entry =
            records(&fs::read_to_string(self.inventory()).unwrap()).into_iter().find(|e| e["cmts"] == cmts);
        let entry = entry.unwrap_or_else(|| panic!("{cmts} is not in the inventory"));
        (entry["host"].as_str().unwrap().to_owned(), entry["port"].as_u64().unwrap() as u16)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir().join(name)).expect(name)
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
