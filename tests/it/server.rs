//! A MariaDB server that a test may stop and kill: its own directory, its own port, gone with the test.

use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::Duration,
};

use mysql::{Conn, OptsBuilder, prelude::Queryable};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{
    mailbox::certificates_for,
    support::{DEADLINE, Tool, tool, until, wait},
};

const USER: &str = "killable";
const PASSWORD: &str = "known to the test";

/// A server, running or not; its data outlives its process.
pub struct Server {
    dir: TempDir,
    port: u16,
    child: Mutex<Option<Child>>,
}

impl Server {
    /// Makes the data and starts.
    pub fn new() -> Self {
        Self::in_directory(TempDir::new().unwrap())
    }

    /// One that offers TLS, with a certificate for these names.
    pub fn with_certificate(names: &str) -> Self {
        let dir = TempDir::new().unwrap();
        certificates_for(dir.path(), names);
        Self::in_directory(dir)
    }

    fn in_directory(dir: TempDir) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Server { dir, port, child: Mutex::new(None) };
        let init = format!(
            "CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';\nGRANT ALL ON *.* TO '{USER}'@'%';\n"
        );
        fs::write(server.path("init.sql"), init).unwrap();
        let mut install = Command::new("mariadb-install-db");
        install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
        install
            .arg(format!("--user={}", whoami()))
            .arg(format!("--datadir={}", server.path("data").display()));
        let installed = install.stdin(Stdio::null()).output().unwrap();
        assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
        server.start();
        server
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Starts the process and waits until it answers.
    pub fn start(&self) {
        let log = fs::File::create(self.path("log")).unwrap();
        // It ends with the test even when that is killed.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "mariadbd", "--no-defaults", "--bind-address=127.0.0.1"]);
        command.args(["--skip-name-resolve", "--performance-schema=OFF", "--innodb-buffer-pool-size=64M"]);
        command.args(["--innodb-log-file-size=16M", "--innodb-flush-log-at-trx-commit=1"]);
        command.arg(format!("--user={}", whoami())).arg(format!("--port={}", self.port));
        for (flag, name) in
            [("datadir", "data"), ("socket", "socket"), ("pid-file", "pid"), ("init-file", "init.sql")]
        {
            command.arg(format!("--{flag}={}", self.path(name).display()));
        }
        if self.path("cert.pem").exists() {
            for (flag, name) in [("ssl-ca", "ca.pem"), ("ssl-cert", "cert.pem"), ("ssl-key", "key.pem")] {
                command.arg(format!("--{flag}={}", self.path(name).display()));
            }
        }
        let path = std::env::var("PATH").unwrap() + ":/usr/sbin:/sbin";
        let child = command.env("PATH", path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let mut child = child.unwrap();
        until("the server", || {
            assert!(child.try_wait().unwrap().is_none(), "{}", fs::read_to_string(self.path("log")).unwrap());
            self.try_connect().is_ok()
        });
        *self.child.lock().unwrap() = Some(child);
    }

    /// kill -9
    pub fn kill(&self) {
        self.end(Signal::KILL);
    }

    /// As an administrator stops it.
    pub fn stop(&self) {
        self.end(Signal::TERM);
    }

    fn end(&self, signal: Signal) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            kill_process(Pid::from_child(&child), signal).unwrap();
            wait(&mut child, DEADLINE);
        }
    }

    /// An error while it is away.
    pub fn try_connect(&self) -> mysql::Result<Conn> {
        let options = OptsBuilder::new()
            .ip_or_hostname(Some("127.0.0.1"))
            .tcp_port(self.port)
            .user(Some(USER))
            .pass(Some(PASSWORD))
            .prefer_socket(false)
            .tcp_connect_timeout(Some(Duration::from_secs(5)))
            .init(vec!["SET time_zone = '+00:00'"]);
        Conn::new(options)
    }

    pub fn connect(&self) -> Conn {
        self.try_connect().unwrap()
    }

    pub fn run(&self, sql: &str) {
        self.connect().query_drop(sql).unwrap();
    }

    /// mod-store on a database of it.
    pub fn store(&self, database: &str) -> Tool {
        let url = format!("mysql://{USER}@127.0.0.1:{}/{database}", self.port);
        tool("mod-store").args(["--db", &url]).env("ACCESS_PASSWORD", PASSWORD)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// mariadbd refuses to be root unless it is told so by name.
fn whoami() -> String {
    String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap().trim().to_owned()
}
