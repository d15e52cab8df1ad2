//! `mod-report --deploy` to accounts as web servers have them: a login that may sudo beside a directory of
//! www-data, a login that may use SFTP only, a login whose .bashrc prints, an umask of 077, and commands that
//! break off. The accounts exist in a mount namespace of the sshd's own, so nothing is left on the machine.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{
    hostile_ssh::Peer,
    sshd::{ACCOUNT, Account, Sshd},
    support::{Run, in_package, tool},
};

const WWW_DATA: u32 = 33;

/// A web server with an account on it.
struct Server {
    sshd: Sshd,
    dir: TempDir,
    root: PathBuf,
}

impl Server {
    /// None, and a word about it, where an account cannot be had.
    fn start(account: &Account<'_>, config: &str) -> Option<Self> {
        let sshd = Sshd::with_account(account, config)?;
        sshd.known_hosts();
        let dir = TempDir::new().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let root = dir.path().join("www");
        fs::create_dir(&root).unwrap();
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
        Some(Server { sshd, dir, root })
    }

    fn owned_by(self, uid: u32) -> Self {
        chown(&self.root, Some(uid), Some(uid)).unwrap();
        self
    }

    fn deploy(&self, root: &Path, args: &[&str]) -> Run {
        let page = self.dir.path().join("page");
        tool("mod-report")
            .arg("--input", in_package("tests/fixtures/report/scans.ndjson"))
            .args(["--date", "2025-05-01", "--tz", "Europe/Amsterdam", "--layout", "seed", "-o", "/dev/null"])
            .arg("--web", page)
            .arg("--deploy", format!("{ACCOUNT}@127.0.0.1:{}", root.display()))
            .arg("--deploy-port", self.sshd.port.to_string())
            .arg("--identity", self.sshd.key())
            .arg("--known-hosts", self.sshd.dir().join("known_hosts"))
            .args(args)
            .run()
    }

    /// Everything under the root: owner, mode, and whether it is a link.
    fn files(&self) -> BTreeMap<String, (u32, u32, bool)> {
        let mut files = BTreeMap::new();
        for directory in ["", "data"] {
            let Ok(entries) = fs::read_dir(self.root.join(directory)) else { continue };
            for entry in entries.map(Result::unwrap) {
                let name = Path::new(directory).join(entry.file_name()).display().to_string();
                let found = entry.path().symlink_metadata().unwrap();
                files.insert(name, (found.uid(), found.mode() & 0o777, found.is_symlink()));
            }
        }
        files
    }

    #[track_caller]
    fn has_the_page_of(&self, uid: u32) {
        let files = self.files();
        for name in ["index.html", "data/index.json", "data/2025-05-01.json", "data/latest.json"] {
            assert!(files.contains_key(name), "{name} is not in {files:?}");
        }
        for name in ["modulation_report_2025-05-01_web.json", "modulation_report_2025-05-01.json"] {
            let json = fs::read(self.root.join(name)).unwrap();
            assert!(String::from_utf8(json).unwrap().contains("\"report_date\": \"2025-05-01\""));
        }
        for (name, (owner, mode, is_link)) in &files {
            assert!(!name.contains(".modtools-"), "{name} is left over");
            assert_eq!(*owner, uid, "{name}");
            let wanted = if name == "data" { 0o755 } else { 0o644 };
            assert!(*is_link || *mode == wanted, "{name} {mode:o}");
        }
    }
}

/// What deployments of the test's account left where they were staged.
fn staged(uid: u32) -> Vec<PathBuf> {
    let entries = fs::read_dir("/tmp").unwrap().map(|entry| entry.unwrap().path());
    let ours = |path: &PathBuf| path.metadata().is_ok_and(|found| found.uid() == uid);
    entries.filter(|path| path.to_string_lossy().contains("modtools-deploy.")).filter(ours).collect()
}

/// Uploads went into the directory as the login user, who may not write there.
#[test]
fn sudo_deploys_into_a_directory_of_the_web_servers_own() {
    let account = Account { uid: 61_001, may_sudo: true, ..Account::default() };
    let Some(server) = Server::start(&account, "Subsystem sftp internal-sftp") else { return };
    let server = server.owned_by(WWW_DATA);
    let args = ["--deploy-sudo", "--deploy-owner", "www-data:www-data"];
    for _ in 0..2 {
        server.deploy(&server.root, &args).clean(0);
        server.has_the_page_of(WWW_DATA);
    }
    assert_eq!(fs::metadata(&server.root).unwrap().mode() & 0o777, 0o755);
    assert_eq!(staged(account.uid), Vec::<PathBuf>::new());

    // A path that is missing is made, for everybody to enter.
    let missing = server.root.join("a/b");
    server.deploy(&missing, &args).clean(0);
    for path in [server.root.join("a"), missing.clone(), missing.join("data")] {
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o755, "{}", path.display());
    }
    assert_eq!(fs::metadata(missing.join("data")).unwrap().uid(), WWW_DATA);

    // An owner that does not exist: nothing has changed, and nothing is left there.
    let before = server.files();
    let run = server.deploy(&server.root, &["--deploy-sudo", "--deploy-owner", "no-such-user-here"]);
    run.says(3, &["command_failed", "no-such-user-here", "what was there is still there"]);
    assert_eq!(server.files(), before);
    assert_eq!(staged(account.uid), Vec::<PathBuf>::new());
}

#[test]
fn an_account_without_sudo_is_told_so() {
    let account = Account { uid: 61_002, ..Account::default() };
    let Some(server) = Server::start(&account, "Subsystem sftp internal-sftp") else { return };
    let server = server.owned_by(WWW_DATA);
    let run = server.deploy(&server.root, &["--deploy-sudo"]);
    run.says(3, &["command_failed", "sudo", "still there"]);
    let run = server.deploy(&server.root, &[]);
    let run = run.says(3, &["command_failed", "ermission denied", "still there"]);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    assert!(server.files().is_empty(), "{:?}", server.files());
}

#[test]
fn an_account_that_may_use_sftp_only_deploys_by_renames() {
    let account = Account { uid: 61_003, ..Account::default() };
    let config = "Subsystem sftp internal-sftp\nForceCommand internal-sftp -u 0077";
    let Some(server) = Server::start(&account, config) else { return };
    let server = server.owned_by(account.uid);
    for _ in 0..2 {
        fs::write(server.root.join("index.html"), "the old page").unwrap();
        chown(server.root.join("index.html"), Some(account.uid), Some(account.uid)).unwrap();
        server.deploy(&server.root, &[]).clean(0);
        assert_ne!(fs::read(server.root.join("index.html")).unwrap(), b"the old page");
        server.has_the_page_of(account.uid);
    }
    assert_eq!(fs::read_link(server.root.join("data/latest.json")).unwrap(), Path::new("2025-05-01.json"));
    let run = server.deploy(&server.root, &["--deploy-owner", "www-data"]);
    run.says(3, &["command_failed", "no command", "--deploy-owner", "still there"]);
}

#[test]
fn directories_can_be_entered_whatever_the_umask() {
    let account = Account { uid: 61_004, ..Account::default() };
    let Some(server) = Server::start(&account, "Subsystem sftp internal-sftp -u 0077") else { return };
    let server = server.owned_by(account.uid);
    server.deploy(&server.root, &[]).clean(0);
    server.has_the_page_of(account.uid);
}

#[test]
fn a_login_file_that_prints_is_named() {
    let account = Account { uid: 61_005, bashrc: "echo Welcome to web1\n", ..Account::default() };
    let Some(server) = Server::start(&account, "Subsystem sftp /usr/lib/openssh/sftp-server") else { return };
    let server = server.owned_by(account.uid);
    let run = server.deploy(&server.root, &[]);
    let run = run.says(3, &["command_failed", ".bashrc", "Welcome to web1", "still there"]);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    // Where SFTP itself needs no shell, such a file does no harm.
    let Some(server) = Server::start(&account, "Subsystem sftp internal-sftp") else { return };
    let server = server.owned_by(account.uid);
    server.deploy(&server.root, &[]).clean(0);
    server.has_the_page_of(account.uid);
}

/// Each of them counted as done.
#[test]
fn a_command_that_breaks_off_is_a_deployment_that_failed() {
    for (mode, words) in [
        ("exec-signal", "ended by signal KILL"),
        ("exec-close", "broke off without a word"),
        ("exec-short", "broke off without a word"),
        ("exec-status", "exit status 7"),
    ] {
        let peer = Peer::start(mode);
        let run = tool("mod-report")
            .arg("--input", in_package("tests/fixtures/report/scans.ndjson"))
            .args(["--date", "2025-05-01", "--tz", "Europe/Amsterdam", "--web", "page", "--host-keys", "off"])
            .arg("--deploy", "web@127.0.0.1:/srv/www")
            .arg("--deploy-port", peer.port.to_string())
            .run()
            .says(3, &["command_failed", words, "each of them whole"]);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
        // What was uploaded is removed again.
        let (made, removed) = (peer.logged("made "), peer.logged("removed "));
        assert!(
            !made.is_empty() && made.iter().all(|path| removed.contains(path)),
            "{mode}: {made:?} {removed:?}"
        );
    }
}
