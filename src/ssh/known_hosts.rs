//! Host keys as OpenSSH keeps them (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): plain, hashed and
//! wildcard names, `[host]:port`, several keys per host, `@revoked`. A line that cannot be parsed is skipped, as
//! OpenSSH does; it never hides the others.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{RwLock, RwLockReadGuard},
    time::Duration,
};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use hmac::{Hmac, Mac};
use sha2::Digest;

use super::Failure;
use crate::{
    error::{Error, Result},
    lock,
    record::Status,
    sync::unpoisoned,
};

/// How long a new key waits for another program that is writing the file.
const LOCK_WAIT: Duration = Duration::from_secs(30);

/// What to do about a host key that is not known. A changed or revoked key is refused in every mode but `off`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Policy {
    /// Refuse it
    #[default]
    Strict,
    /// Learn the first key of a host that has none, and refuse a changed one
    AcceptNew,
    /// Do not check host keys (a laboratory)
    Off,
}

/// The name that a host is looked up by: `host`, or `[host]:port` when the port is not 22.
#[must_use]
pub fn lookup_name(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    if port == 22 { host } else { format!("[{host}]:{port}") }
}

/// The lines of known_hosts files.
#[derive(Debug, Default)]
pub struct KnownHosts(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    revoked: bool,
    names: Names,
    key: Vec<u8>,
    line: String,
}

#[derive(Debug)]
enum Names {
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
    Patterns(Vec<String>),
}

/// What the files hold about a key.
#[derive(Debug, PartialEq)]
enum Verdict {
    Known,
    Unknown,
    /// Another key stands in this line.
    Changed(String),
    /// Revoked in this line.
    Revoked(String),
}

impl KnownHosts {
    /// Reads the lines of one file's text; `file` is for messages.
    pub fn add(&mut self, file: &Path, text: &[u8]) {
        for (number, line) in text.split(|&b| b == b'\n').enumerate() {
            let line = String::from_utf8_lossy(line);
            if let Some((revoked, names, key)) = entry(&line) {
                let at = format!("{} line {}", file.display(), number + 1);
                self.0.push(Entry { revoked, names, key, line: at });
            }
        }
    }

    fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.0.iter().filter(move |entry| entry.names.hold(name))
    }

    /// The types of the keys that are known of a host, such as `ssh-ed25519`, in the order of the file.
    #[must_use]
    pub fn key_types(&self, name: &str) -> Vec<String> {
        let mut types: Vec<String> =
            self.of(name).filter(|e| !e.revoked).filter_map(|e| key_type(&e.key)).collect();
        types.dedup();
        types
    }

    fn check(&self, name: &str, key: &[u8]) -> Verdict {
        if let Some(entry) = self.of(name).find(|e| e.revoked && e.key == key) {
            return Verdict::Revoked(entry.line.clone());
        }
        let mut known = self.of(name).filter(|e| !e.revoked).peekable();
        let Some(first) = known.peek().map(|e| e.line.clone()) else { return Verdict::Unknown };
        if known.any(|e| e.key == key) { Verdict::Known } else { Verdict::Changed(first) }
    }
}

/// One line: `[@marker] names type key [comment]`. Certificate authorities are not for devices.
fn entry(line: &str) -> Option<(bool, Names, Vec<u8>)> {
    let mut words = line.split_whitespace().peekable();
    let marker = words.next_if(|word| word.starts_with('@'));
    let revoked = match marker {
        None => false,
        Some("@revoked") => true,
        Some(_) => return None,
    };
    let names = words.next().filter(|names| !names.starts_with('#'))?;
    let kind = words.next()?;
    let key = STANDARD.decode(words.next()?).ok()?;
    if key_type(&key)? != kind {
        return None;
    }
    let names = match names.strip_prefix("|1|") {
        Some(hashed) => {
            let (salt, hash) = hashed.split_once('|')?;
            Names::Hashed { salt: STANDARD.decode(salt).ok()?, hash: STANDARD.decode(hash).ok()? }
        }
        None => Names::Patterns(names.split(',').map(str::to_ascii_lowercase).collect()),
    };
    Some((revoked, names, key))
}

impl Names {
    fn hold(&self, name: &str) -> bool {
        match self {
            Names::Hashed { salt, hash } => Hmac::<sha1::Sha1>::new_from_slice(salt)
                .is_ok_and(|mac| mac.chain_update(name).verify_slice(hash).is_ok()),
            Names::Patterns(patterns) => {
                let hit = |pattern: &str| wildcard(pattern.as_bytes(), name.as_bytes());
                !patterns.iter().any(|p| p.strip_prefix('!').is_some_and(hit))
                    && patterns.iter().any(|p| !p.starts_with('!') && hit(p))
            }
        }
    }
}

/// `*` and `?` only; brackets are literal, because `[host]:port` holds them. When a character does not match,
/// only the last `*` takes one more: an earlier one could gain nothing, and to try them all is exponential.
fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut last_star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                last_star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == b'?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star, taken)) = last_star else { return false };
                last_star = Some((star, taken + 1));
                p = star + 1;
                t = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

/// The type of a key, from its own bytes (RFC 4253, section 6.6).
#[must_use]
pub fn key_type(key: &[u8]) -> Option<String> {
    let (length, rest) = key.split_first_chunk::<4>()?;
    let name = rest.get(..u32::from_be_bytes(*length) as usize)?;
    std::str::from_utf8(name).ok().map(str::to_owned)
}

/// As OpenSSH prints it: `SHA256:` and base64 without padding.
#[must_use]
pub fn fingerprint(key: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(sha2::Sha256::digest(key)))
}

/// The check of host keys for all sessions of a run. Its files are read again when they have changed, so that a
/// key which is learned while a collector runs holds from the next session on.
#[derive(Debug)]
pub struct Checking {
    policy: Policy,
    file: PathBuf,
    known: RwLock<Loaded>,
}

/// What the files held, and how they looked then.
#[derive(Debug, Default)]
struct Loaded {
    hosts: KnownHosts,
    stamps: [Stamp; 2],
}

/// What changes with a file: device, inode, size and time of change, seconds and nanoseconds; none when it is missing.
type Stamp = Option<(u64, u64, u64, i64, i64)>;

fn stamp(path: &Path) -> Stamp {
    let found = fs::metadata(path).ok()?;
    Some((found.dev(), found.ino(), found.len(), found.ctime(), found.ctime_nsec()))
}

impl Checking {
    /// Reads `file` and, when there is one, the system's own file; a missing file holds no key.
    ///
    /// # Errors
    /// [`Error::Read`] for a file that is there and cannot be read.
    pub fn load(policy: Policy, file: &Path) -> Result<Self> {
        let checking = Checking { policy, file: file.to_owned(), known: RwLock::default() };
        let loaded = checking.read()?;
        *unpoisoned(checking.known.write()) = loaded;
        Ok(checking)
    }

    fn files(&self) -> [&Path; 2] {
        [&self.file, Path::new("/etc/ssh/ssh_known_hosts")]
    }

    fn read(&self) -> Result<Loaded> {
        // Before the text: what is written meanwhile is seen next time.
        let mut loaded = Loaded { stamps: self.files().map(stamp), ..Loaded::default() };
        for path in self.files() {
            match fs::read(path) {
                Ok(text) => loaded.hosts.add(path, &text),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => return Err(Error::read(path)(e)),
            }
        }
        Ok(loaded)
    }

    /// What is known now. A file that can no longer be read changes nothing, and that is logged once.
    fn current(&self) -> RwLockReadGuard<'_, Loaded> {
        let stamps = self.files().map(stamp);
        let unchanged = |loaded: &Loaded| loaded.stamps == stamps;
        let known = unpoisoned(self.known.read());
        if unchanged(&known) {
            return known;
        }
        drop(known);
        let mut known = unpoisoned(self.known.write());
        if !unchanged(&known) {
            match self.read() {
                Ok(loaded) => {
                    log::info!("{} has changed and was read again", self.file.display());
                    *known = loaded;
                }
                Err(e) => {
                    log::warn!("{e}; the host keys that were read before hold on");
                    known.stamps = stamps;
                }
            }
        }
        drop(known);
        unpoisoned(self.known.read())
    }

    /// The key types to ask a host for first: those that are known of it.
    pub fn key_types(&self, host: &str, port: u16) -> Vec<String> {
        self.current().hosts.key_types(&lookup_name(host, port))
    }

    /// Checks the key that a host presents, and learns it where the policy says so.
    ///
    /// # Errors
    /// `host_key_unknown` and `host_key_changed`, each with line, fingerprint and remedy.
    pub fn check(&self, host: &str, port: u16, key: &[u8]) -> Result<(), Failure> {
        let name = lookup_name(host, port);
        let verdict = self.current().hosts.check(&name, key);
        match (verdict, self.policy) {
            (_, Policy::Off) | (Verdict::Known, _) => Ok(()),
            (Verdict::Unknown, Policy::AcceptNew) => self.learn(&name, key),
            (Verdict::Unknown, Policy::Strict) => Err(Failure::new(
                Status::HostKeyUnknown,
                format!(
                    "host key {} of {name} is not in {}; check it, and add it with ssh-keyscan or --host-keys accept-new",
                    describe(key),
                    self.file.display()
                ),
            )),
            (verdict, _) => Err(refused(&name, key, &verdict)),
        }
    }

    /// Appends the key, under a lock that other threads and processes respect, unless one of them was faster.
    fn learn(&self, name: &str, key: &[u8]) -> Result<(), Failure> {
        let mut known = unpoisoned(self.known.write());
        let appended = self.append(&mut known.hosts, name, key).map_err(|e| {
            let error = format!("cannot add the host key of {name} to {}: {e}", self.file.display());
            Failure::new(Status::HostKeyUnknown, error)
        })?;
        match appended {
            Verdict::Known => Ok(()),
            verdict => Err(refused(name, key, &verdict)),
        }
    }

    fn append(&self, known: &mut KnownHosts, name: &str, key: &[u8]) -> std::io::Result<Verdict> {
        if let Some(parent) = self.file.parent().filter(|p| !p.as_os_str().is_empty()) {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        }
        let mut file: File =
            OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&self.file)?;
        lock::exclusive(&file, &self.file, LOCK_WAIT, "another program").map_err(std::io::Error::other)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let mut now = KnownHosts::default();
        now.add(&self.file, &text);
        let verdict = now.check(name, key);
        if verdict != Verdict::Unknown {
            return Ok(verdict);
        }
        let kind = key_type(key).unwrap_or_default();
        let line_end = if text.last().is_some_and(|&b| b != b'\n') { "\n" } else { "" };
        let line = format!("{line_end}{name} {kind} {}\n", STANDARD.encode(key));
        file.write_all(line.as_bytes())?;
        file.sync_data()?;
        known.add(&self.file, line.as_bytes());
        log::info!("learned host key {} of {name}", describe(key));
        Ok(Verdict::Known)
    }
}

fn describe(key: &[u8]) -> String {
    format!("{} {}", key_type(key).as_deref().unwrap_or("of no known type"), fingerprint(key))
}

fn refused(name: &str, key: &[u8], verdict: &Verdict) -> Failure {
    let key = describe(key);
    let words = match verdict {
        Verdict::Revoked(line) => format!("{name} presents the key {key}, which is revoked in {line}"),
        Verdict::Changed(line) => format!(
            "{name} presents the key {key}, but {line} holds another one: either the device was replaced, then \
             remove that line, or somebody intercepts the connection"
        ),
        Verdict::Known | Verdict::Unknown => format!("host key {key} of {name}"),
    };
    Failure::new(Status::HostKeyChanged, words)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn key(kind: &str, body: u8) -> Vec<u8> {
        let mut key = (kind.len() as u32).to_be_bytes().to_vec();
        key.extend(kind.as_bytes());
        key.extend([body; 32]);
        key
    }

    fn line(names: &str, key: &[u8]) -> String {
        format!("{names} {} {}\n", key_type(key).expect("a type"), STANDARD.encode(key))
    }

    fn known(text: &str) -> KnownHosts {
        let mut known = KnownHosts::default();
        known.add(Path::new("kh"), text.as_bytes());
        known
    }

    #[test]
    fn names_ports_wildcards_hashes_and_markers_are_those_of_openssh() {
        let (a, b, c) = (key("ssh-ed25519", 1), key("ssh-rsa", 2), key("ssh-ed25519", 3));
        // The hash of "hidden.example" with this salt, as ssh-keygen -H makes it.
        let salt = [9u8; 20];
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&salt).expect("any length");
        mac.update(b"hidden.example");
        let hashed = format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(mac.finalize().into_bytes()));
        let text = [
            "this line is junk\n".to_owned(),
            "# a comment\n\n".to_owned(),
            "broken ssh-rsa !!!\n".to_owned(),
            line("CCAP001,10.0.0.1", &a),
            line("ccap001", &b),
            line("[ccap002]:2222", &a),
            line("*.lab.example,!bad.lab.example", &c),
            line(&hashed, &b),
            format!("@revoked {}", line("*", &key("ssh-rsa", 66))),
            format!("@cert-authority {}", line("*", &key("ssh-rsa", 67))),
        ]
        .concat();
        let known = known(&text);
        for (host, port, key, verdict) in [
            ("ccap001", 22, &a, Verdict::Known),
            ("CCAP001", 22, &b, Verdict::Known),
            ("ccap001", 2222, &a, Verdict::Unknown),
            ("ccap002", 2222, &a, Verdict::Known),
            ("ccap002", 22, &a, Verdict::Unknown),
            ("ccap002", 2222, &b, Verdict::Changed("kh line 7".into())),
            ("x.lab.example", 22, &c, Verdict::Known),
            ("bad.lab.example", 22, &c, Verdict::Unknown),
            ("hidden.example", 22, &b, Verdict::Known),
            ("hidden.exampl", 22, &b, Verdict::Unknown),
            ("ccap001", 22, &key("ssh-rsa", 66), Verdict::Revoked("kh line 10".into())),
        ] {
            assert_eq!(known.check(&lookup_name(host, port), key), verdict, "{host}:{port}");
        }
        assert_eq!(known.key_types("ccap001"), ["ssh-ed25519", "ssh-rsa"]);
        assert!(known.key_types("ccap009").is_empty());
    }

    #[test]
    fn wildcards_match_as_those_of_openssh_in_linear_time() {
        for (pattern, text, matches) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*", "a", true),
            ("*a", "bab", false),
            ("*a*b", "xaxbxb", true),
            ("a?c*", "abcd", true),
            ("??", "a", false),
            ("*.lab.example", "x.lab.example", true),
            ("[ccap*]:22?2", "[ccap001]:2222", true),
            ("*ab*ab*c", "ababab", false),
        ] {
            assert_eq!(wildcard(pattern.as_bytes(), text.as_bytes()), matches, "{pattern} {text}");
        }
        // Each star doubled the time.
        let (pattern, text) = ("*a".repeat(200) + "b", "a".repeat(255));
        assert!(!wildcard(pattern.as_bytes(), text.as_bytes()));
    }

    #[test]
    fn a_file_that_changes_is_read_again() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("known_hosts");
        let checking = Checking::load(Policy::Strict, &file).expect("nobody is known");
        let own = key("ssh-ed25519", 7);
        assert!(checking.check("ccap001", 22, &own).is_err());
        fs::write(&file, line("ccap001", &own)).expect("written");
        checking.check("ccap001", 22, &own).expect("known from now on");
        assert_eq!(checking.key_types("ccap001", 22), ["ssh-ed25519"]);
        // Replaced in one step, as ssh-keygen -R does it.
        let new = dir.path().join("new");
        fs::write(&new, line("ccap001", &key("ssh-ed25519", 8))).expect("written");
        fs::rename(&new, &file).expect("replaced");
        let failure = checking.check("ccap001", 22, &own).expect_err("another key");
        assert_eq!(failure.status, Status::HostKeyChanged);
        // What cannot be read changes nothing.
        fs::remove_file(&file).expect("removed");
        fs::create_dir(&file).expect("made");
        assert_eq!(
            checking.check("ccap001", 22, &own).expect_err("as before").status,
            Status::HostKeyChanged
        );
        fs::remove_dir(&file).expect("removed");
        assert_eq!(checking.check("ccap001", 22, &own).expect_err("gone").status, Status::HostKeyUnknown);
    }

    #[test]
    fn learning_from_many_threads_keeps_every_line_whole_and_the_first_key() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("sub/known_hosts");
        fs::create_dir(dir.path().join("sub")).expect("made");
        fs::write(&file, "no line end").expect("written");
        let runs: Vec<_> =
            (0..2).map(|_| Checking::load(Policy::AcceptNew, &file).expect("readable")).collect();
        thread::scope(|scope| {
            for (run, checking) in runs.iter().enumerate() {
                for host in 0..20 {
                    scope.spawn(move || {
                        let own = key("ssh-ed25519", host);
                        checking.check(&format!("h{host}"), 22, &own).expect("learned");
                        let other = key("ssh-ed25519", 100 + run as u8);
                        let failure =
                            checking.check(&format!("h{host}"), 22, &other).expect_err("another key");
                        assert_eq!(failure.status, Status::HostKeyChanged);
                    });
                }
            }
        });
        let text = fs::read_to_string(&file).expect("readable");
        assert_eq!(text.lines().count(), 21, "{text}");
        let strict = Checking::load(Policy::Strict, &file).expect("readable");
        assert!((0..20).all(|host| strict.check(&format!("H{host}"), 22, &key("ssh-ed25519", host)).is_ok()));
        let failure = strict.check("h77", 22, &key("ssh-rsa", 1)).expect_err("unknown");
        assert!(failure.error.contains("accept-new"), "{failure}");
    }
}
