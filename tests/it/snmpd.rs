//! net-snmp's snmpd of a test's own, on a free loopback port: the second, independent agent that the fetcher is held
//! against. What it serves stands in a table.

use std::{
    fs,
    net::UdpSocket,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use crate::support::{in_package, until};

/// The community of every snmpd.
pub const COMMUNITY: &str = "s3cret-community";
/// The passwords of its users.
pub const AUTH_PASSWORD: &str = "s3cret-signature";
pub const PRIV_PASSWORD: &str = "s3cret-cipher";

/// Its users: name, `SNMP_AUTH`, `SNMP_PRIV`.
pub const USERS: [(&str, &str, &str); 10] = [
    ("md5des", "MD5", "DES"),
    ("shaaes", "SHA", "AES"),
    ("sha224", "SHA-224", "AES"),
    ("sha256", "SHA-256", "AES-192"),
    ("sha384", "SHA-384", "AES-256"),
    ("sha512", "SHA-512", "AES-256"),
    ("longkey", "SHA", "AES-256"),
    ("longkeyc", "SHA", "AES-256-C"),
    ("clear", "SHA-256", "none"),
    ("open", "none", "none"),
];

/// What comes from the table, and not from snmpd itself.
pub const TREES: [&str; 4] =
    ["1.3.6.1.2.1.2.2", "1.3.6.1.2.1.31.1.1", "1.3.6.1.2.1.10.127", "1.3.6.1.4.1.4491.2.1.28.1.23"];

/// A running snmpd; it ends with the value.
pub struct Snmpd {
    child: Child,
    dir: TempDir,
    pub address: String,
    pub port: u16,
}

impl Snmpd {
    /// Serves lines `OID, tab, type, tab, value` below [`TREES`], on 127.0.0.1 or [::1].
    pub fn start(host: &str, table: &str) -> Self {
        let everything = format!("rocommunity {COMMUNITY} 127.0.0.1\nrocommunity6 {COMMUNITY} ::1\n");
        Self::serve(host, table, &TREES, &everything, &[])
    }

    /// Serves such lines below `roots`, and what else is served unless `flags` say otherwise, to whom `access` allows
    /// it.
    pub fn serve(host: &str, table: &str, roots: &[&str], access: &str, flags: &[&str]) -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        let path = |name: &str| dir.path().join(name);
        fs::write(path("table"), table).expect("written");
        let mut config = access.to_owned();
        for (name, auth, privacy) in USERS {
            let mut keys = match auth {
                "none" => String::new(),
                auth => format!(" {auth} {AUTH_PASSWORD}"),
            };
            let level = match (auth, privacy) {
                ("none", _) => "noauth",
                (_, "none") => "auth",
                _ => "priv",
            };
            if level == "priv" {
                keys += &format!(" {privacy} {PRIV_PASSWORD}");
            }
            config += &format!("createUser {name}{keys}\nrouser {name} {level}\n");
        }
        let script = in_package("tests/pass_persist.py");
        config += &format!("createUser blind SHA {AUTH_PASSWORD}\n");
        for root in roots {
            let (script, table) = (script.display(), path("table").display().to_string());
            config += &format!("pass_persist -p 1 .{root} /usr/bin/env python3 {script} {table} {root}\n");
        }
        fs::write(path("snmpd.conf"), config).expect("written");
        // A port that was free a moment ago; snmpd cannot choose one itself.
        let port =
            UdpSocket::bind((host, 0)).and_then(|socket| socket.local_addr()).expect("a free port").port();
        let listen = match host {
            "::1" => format!("udp6:[::1]:{port}"),
            host => format!("udp:{host}:{port}"),
        };
        let mut command = Command::new("snmpd");
        command
            .args(flags)
            .args(["-f", "-C", "-m", "", "-Lf"])
            .arg(path("log"))
            .arg("-c")
            .arg(path("snmpd.conf"));
        command.arg("-p").arg(path("pid")).arg(listen);
        command.env("SNMP_PERSISTENT_DIR", path("state")).env("SNMPCONFPATH", dir.path()).env("MIBS", "");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("snmpd starts; `make setup` installs it");
        let snmpd = Snmpd { child, dir, address: host.to_owned(), port };
        until("snmpd", || snmpd.walk("1.3.6.1.2.1.1.1").contains("STRING"));
        snmpd
    }

    /// Where it listens, as net-snmp's tools want it.
    pub fn peer(&self) -> String {
        match self.address.as_str() {
            "::1" => format!("udp6:[::1]:{}", self.port),
            host => format!("{host}:{}", self.port),
        }
    }

    /// What the real snmpbulkwalk prints of a subtree, without carriage returns, and what it repeats once.
    pub fn walk(&self, oid: &str) -> String {
        let peer = self.peer();
        let mut command = Command::new("snmpbulkwalk");
        // Of 15 rows, as we ask. The community stands in a file, as it should outside of tests too.
        fs::write(self.dir.path().join("snmp.conf"), format!("defCommunity {COMMUNITY}\n")).expect("written");
        command.args(["-m", "", "-v2c", "-On", "-Cr15", "-r0", "-t1", &peer, oid]);
        command
            .env("SNMPCONFPATH", self.dir.path())
            .env("SNMP_PERSISTENT_DIR", self.dir.path().join("client"));
        let printed = command.output().expect("snmpbulkwalk").stdout;
        let printed = String::from_utf8(printed).expect("ASCII").replace('\r', "");
        let mut lines: Vec<&str> = printed.lines().collect();
        lines.dedup_by(|a, b| a == b && a.contains("No more variables"));
        lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

impl Drop for Snmpd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
