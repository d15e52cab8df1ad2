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
    /// Home and accounts of [`Sshd::with_account`].
    house: Option<TempDir>,
    pub port: u16,
}

/// What one login by key leads to.
pub enum Login<'a> {
    /// This command, whatever the client asks for.
    Forced(&'a str),
    /// What the client asks for, forwarding included (a jump host).
    Free,
}

/// The name of the account of [`Sshd::with_account`].
pub const ACCOUNT: &str = "deployer";

/// An account that exists for one sshd only.
#[derive(Clone, Copy, Default)]
pub struct Account<'a> {
    pub uid: u32,
    pub may_sudo: bool,
    /// What its .bashrc holds.
    pub bashrc: &'a str,
}

impl Sshd {
    /// An sshd in a mount namespace of its own, where [`ACCOUNT`] exists and www-data does. None where that cannot
    /// be had, and then it says so.
    pub fn with_account(account: &Account<'_>, config: &str) -> Option<Self> {
        let possible = Command::new("unshare").args(["-m", "sh", "-c", "command -v sudo"]).output();
        if !possible.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: it needs root, a mount namespace of its own, and sudo");
            return None;
        }
        let house = TempDir::new().expect("a temporary directory");
        let path = |name: &str| house.path().join(name).display().to_string();
        fs::set_permissions(house.path(), fs::Permissions::from_mode(0o755)).expect("mode");
        let put = |name: &str, text: &str, mode: u32| {
            fs::write(path(name), text).expect("written");
            fs::set_permissions(path(name), fs::Permissions::from_mode(mode)).expect("mode");
        };
        let (uid, home) = (account.uid, path("home"));
        let added = format!("{ACCOUNT}:x:{uid}:{uid}::{home}:/bin/bash\n");
        let known = fs::read_to_string("/etc/passwd").expect("readable");
        put("passwd", &(known + &added), 0o644);
        let known = fs::read_to_string("/etc/group").expect("readable");
        put("group", &format!("{known}{ACCOUNT}:x:{uid}:\n"), 0o644);
        let known = fs::read_to_string("/etc/shadow").expect("readable");
        put("shadow", &format!("{known}{ACCOUNT}:*:19000:0:99999:7:::\n"), 0o600);
        let allowed =
            if account.may_sudo { format!("{ACCOUNT} ALL=(ALL) NOPASSWD: ALL\n") } else { String::new() };
        put("sudoers", &format!("root ALL=(ALL) ALL\n{allowed}"), 0o440);
        fs::create_dir(&home).expect("made");
        put("home/.bashrc", account.bashrc, 0o644);
        std::os::unix::fs::chown(&home, Some(uid), Some(uid)).expect("given");
        let mut script = "mount --make-rprivate /".to_owned();
        for name in ["passwd", "group", "shadow", "sudoers"] {
            script += &format!(" && mount --bind '{}' /etc/{name}", path(name));
        }
        let wrapper = ["unshare", "-m", "sh", "-c", &format!("{script} && exec \"$@\""), "sh"];
        let mut sshd = Self::under(&wrapper, Login::Free, config);
        sshd.house = Some(house);
        Some(sshd)
    }

    pub fn start(login: Login<'_>) -> Self {
        Self::with(login, "")
    }

    /// With more lines for sshd_config.
    pub fn with(login: Login<'_>, config: &str) -> Self {
        Self::under(&[], login, config)
    }

    fn under(wrapper: &[&str], login: Login<'_>, config: &str) -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        let path = |name: &str| dir.path().join(name);
        // sshd insists on directories that others cannot write to.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("mode");
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
        let sshd = sshd.expect("sshd is installed: run `make test`");
        let words: Vec<&str> = wrapper.iter().copied().chain([sshd]).collect();
        let child = Command::new(words[0])
            .args(&words[1..])
            .args(["-D", "-e", "-f"])
            .arg(path("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(path("log")).expect("a log"))
            .spawn()
            .expect("sshd starts");
        let sshd = Sshd { child, dir, house: None, port };
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
