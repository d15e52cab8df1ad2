//! An OpenSSH server of a test's own, on a free loopback port, with a key of its own: the second,
//! independent server that the fetcher is held against.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use crate::support::until;

/// A running sshd; it ends with the value.
pub struct Sshd {
    child: Child,
    dir: TempDir,
    pub port: u16,
}

/// What one login by key leads to.
pub enum Login<'a> {
    /// This command, whatever the client asks for.
    Forced(&'a str),
    /// What the client asks for, forwarding included (a jump host).
    Free,
}

impl Sshd {
    pub fn start(login: Login<'_>) -> Self {
        Self::with(login, "")
    }

    /// With more lines for sshd_config.
    pub fn with(login: Login<'_>, config: &str) -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        let path = |name: &str| dir.path().join(name);
        // sshd insists on directories that others cannot write to.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).expect("mode");
        for name in ["host_key", "user_key"] {
            keygen(&path(name));
        }
        let key = fs::read_to_string(path("user_key.pub")).expect("a key");
        let options = match login {
            Login::Forced(command) => format!("command=\"{command}\" "),
            Login::Free => String::new(),
        };
        fs::write(path("authorized_keys"), format!("{options}{key}")).expect("written");
        // As root it separates privileges in a directory that Debian makes at boot.
        let _ = fs::create_dir("/run/sshd");
        let port = free_port();
        let config = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\n\
             StrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n\
             MaxStartups 200\nPrintMotd no\n{config}\n",
            path("host_key").display(),
            path("authorized_keys").display(),
        );
        fs::write(path("sshd_config"), config).expect("written");
        let sshd = ["/usr/sbin/sshd", "/usr/bin/sshd"].into_iter().find(|p| Path::new(p).exists());
        let child = Command::new(sshd.expect("sshd is installed: run `make test`"))
            .args(["-D", "-e", "-f"])
            .arg(path("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(path("log")).expect("a log"))
            .spawn()
            .expect("sshd starts");
        let sshd = Sshd { child, dir, port };
        until("sshd", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        sshd
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The key that may log in.
    pub fn key(&self) -> PathBuf {
        self.dir().join("user_key")
    }

    /// A known_hosts file that holds the server.
    pub fn known_hosts(&self) -> PathBuf {
        let key = fs::read_to_string(self.dir().join("host_key.pub")).expect("a key");
        let path = self.dir().join("known_hosts");
        fs::write(&path, format!("[127.0.0.1]:{} {key}", self.port)).expect("written");
        path
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn keygen(path: &Path) {
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path).status();
    assert!(made.expect("ssh-keygen is installed: run `make test`").success());
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port()
}

/// Whom the tests run as.
pub fn me() -> String {
    let output = Command::new("id").arg("-un").output().expect("id");
    String::from_utf8(output.stdout).expect("utf-8").trim().to_owned()
}
