//! A simulated fleet of a test's own: the example ccap-sim as a process, on loopback addresses and a free port.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use crate::support::{built, records};

/// A running fleet; it ends with the value.
pub struct Fleet {
    child: Child,
    dir: TempDir,
}

impl Fleet {
    /// Starts it with these flags, and waits until every device can be reached.
    pub fn start<S: AsRef<OsStr>>(flags: &[S]) -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        let mut child = Command::new(built("examples/ccap-sim"))
            .arg("--dir")
            .arg(dir.path())
            .arg("--until-eof")
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("ccap-sim starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("readable");
        assert!(line.starts_with("ready"), "ccap-sim said {line:?}");
        Fleet { child, dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn inventory(&self) -> PathBuf {
        self.path("inventory.ndjson")
    }

    pub fn known_hosts(&self) -> PathBuf {
        self.path("known_hosts")
    }

    fn records(&self, name: &str) -> Vec<serde_json::Value> {
        records(&fs::read_to_string(self.path(name)).expect("readable"))
    }

    /// The samples that a scan has to give, without their ts.
    pub fn truth(&self) -> Vec<serde_json::Value> {
        self.records("truth.ndjson")
    }

    /// The status that a scan of each device has to come to.
    pub fn expected(&self) -> Vec<serde_json::Value> {
        self.records("expect.ndjson")
    }

    /// Connections, logins, commands and log-outs, as they happened so far.
    pub fn journal(&self) -> Vec<serde_json::Value> {
        self.records("logins.ndjson")
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
