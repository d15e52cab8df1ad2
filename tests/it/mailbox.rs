//! A real SMTP server on loopback (tests/smtp.py), and the mails that it was given, as recipients see them.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Tool, in_package, tool};

/// A running server; it ends with this value.
pub struct Mailbox {
    child: Child,
    dir: TempDir,
    pub port: u16,
}

/// A mail that a server kept.
#[derive(Debug, Deserialize)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    pub tls: bool,
    pub user: Option<String>,
    /// Decoded, by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The names of the headers in their order.
    pub names: Vec<String>,
    pub defects: Vec<String>,
    pub parts: Vec<Part>,
    /// Bytes of the longest line.
    pub longest: usize,
}

#[derive(Debug, Deserialize)]
pub struct Part {
    #[serde(rename = "type")]
    pub kind: String,
    pub disposition: Option<String>,
    pub filename: Option<String>,
    base64: String,
}

impl Part {
    pub fn bytes(&self) -> Vec<u8> {
        BASE64_STANDARD.decode(&self.base64).unwrap()
    }

    /// Its text, with plain line feeds.
    pub fn text(&self) -> String {
        String::from_utf8(self.bytes()).unwrap().replace("\r\n", "\n")
    }
}

impl Mail {
    #[track_caller]
    pub fn part(&self, kind: &str) -> &Part {
        self.parts.iter().find(|part| part.kind == kind).unwrap_or_else(|| panic!("no {kind} in {self:?}"))
    }
}

impl Mailbox {
    /// Starts a server; the options are those of tests/smtp.py.
    pub fn start(options: &Value) -> Mailbox {
        let dir = TempDir::new().unwrap();
        let mut child = Command::new(python_with("aiosmtpd"))
            .arg(in_package("tests/smtp.py"))
            .arg(dir.path())
            .arg(options.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("smtp.py prints its port; is python3-aiosmtpd installed?");
        Mailbox { child, dir, port }
    }

    /// The mails that were kept, in their order.
    pub fn mails(&self) -> Vec<Mail> {
        let paths = fs::read_dir(self.dir.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
        paths.sort();
        paths.iter().map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
    }

    /// Who got a mail, in the order in which they did.
    pub fn recipients(&self) -> Vec<String> {
        self.mails().into_iter().flat_map(|mail| mail.to).collect()
    }

    /// mod-mail about to use this server.
    pub fn mail<const N: usize>(&self, args: [&str; N]) -> Tool {
        tool("mod-mail")
            .args(args)
            .env("SMTP_HOST", "127.0.0.1")
            .env("SMTP_PORT", self.port.to_string())
            .env("FROM_EMAIL", "NOC <noc@example.net>")
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The python3 that has a module.
pub fn python_with(module: &str) -> &'static str {
    let debian = "/usr/bin/python3";
    let has = Command::new(debian).args(["-c", &format!("import {module}")]).stderr(Stdio::null()).status();
    if has.is_ok_and(|status| status.success()) { debian } else { "python3" }
}

/// A CA of our own in `dir`: `ca.pem`, and `cert.pem` with `key.pem` for localhost.
pub fn certificates(dir: &Path) {
    certificates_for(dir, "DNS:localhost,IP:127.0.0.1");
}

/// The same, for these names.
pub fn certificates_for(dir: &Path, names: &str) {
    fs::write(dir.join("names"), format!("subjectAltName={names}\n")).unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for line in [
        &format!(
            "req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=test-ca \
             -addext basicConstraints=critical,CA:TRUE"
        ),
        &format!("req {key} -keyout key.pem -out request -subj /CN=localhost"),
        "x509 -req -in request -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out cert.pem",
    ] {
        let made = Command::new("openssl").args(line.split_whitespace()).current_dir(dir).output().unwrap();
        assert!(made.status.success(), "{line}: {}", String::from_utf8_lossy(&made.stderr));
    }
}
