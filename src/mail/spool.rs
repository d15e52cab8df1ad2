//! What outlives a run: mails that wait for a retry, and a note of every mail that a server took. One
//! directory, one lock; a waiting mail is a file of one JSON line and the mail itself.

use std::{
    collections::HashSet,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    error::{Error, Result},
    lock, output,
    record::Timestamp,
    settings::Settings,
};

/// Another run may have many mails to send; then the lock is not free at once.
const PATIENCE: Duration = Duration::from_secs(600);
const EXTENSION: &str = "mail";

/// A mail that waits: its envelope, and what was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Waiting {
    pub message_id: String,
    pub from: String,
    pub to: String,
    pub since: Timestamp,
    /// Attempts so far.
    pub attempts: u32,
    /// Why the last one failed.
    pub reason: String,
}

/// A line of sent.ndjson: this server took this mail.
#[derive(Debug, Serialize, Deserialize)]
struct Sent {
    ts: Timestamp,
    message_id: String,
    to: String,
    server: String,
    /// The whole mail was given, and no answer came.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unconfirmed: bool,
}

/// The directory, locked for us.
#[derive(Debug)]
pub struct Spool {
    directory: PathBuf,
    sent: HashSet<(String, String)>,
    notes: File,
    _lock: File,
}

impl Spool {
    /// Where sent mails are noted without `--spool`: the directory that systemd gives, else the user's own.
    pub fn default_directory(settings: &Settings) -> Result<Option<PathBuf>> {
        if let Some(given) = settings.get("STATE_DIRECTORY")? {
            return Ok(given.split(':').next().map(PathBuf::from));
        }
        if let Some(state) = settings.get("XDG_STATE_HOME")? {
            return Ok(Some(Path::new(&state).join("modtools")));
        }
        Ok(settings.get("HOME")?.map(|home| Path::new(&home).join(".local/state/modtools")))
    }

    /// Makes the directory when it is missing, and waits until no other run has it.
    pub fn open(directory: &Path) -> Result<Self> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(directory).map_err(Error::write(directory))?;
        refuse_others(directory)?;
        let lock = take_lock(&directory.join("lock"))?;
        let path = directory.join("sent.ndjson");
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true).mode(0o600);
        let mut notes = open_own(&mut options, &path).map_err(Error::write(&path))?;
        let mut known = Vec::new();
        notes.read_to_end(&mut known).map_err(Error::read(&path))?;
        if known.last().is_some_and(|&b| b != b'\n') {
            notes.write_all(b"\n").map_err(Error::write(&path))?;
        }
        // A line that was cut short does not count as a note.
        let sent = known.split(|&b| b == b'\n').filter_map(|line| serde_json::from_slice::<Sent>(line).ok());
        let sent = sent.map(|sent| (sent.message_id, sent.server)).collect();
        Ok(Spool { directory: directory.to_owned(), sent, notes, _lock: lock })
    }

    /// Whether this server took this mail before.
    #[must_use]
    pub fn was_sent(&self, message_id: &str, server: &str) -> bool {
        self.sent.contains(&(message_id.to_owned(), server.to_owned()))
    }

    /// Notes that a server took a mail, or may have.
    pub fn note_sent(
        &mut self,
        now: Timestamp,
        envelope: &Waiting,
        server: &str,
        unconfirmed: bool,
    ) -> Result<()> {
        let Waiting { message_id, to, .. } = envelope.clone();
        let sent = Sent { ts: now, message_id, to, server: server.to_owned(), unconfirmed };
        let failed = || Error::write(self.directory.join("sent.ndjson"));
        let line = serde_json::to_string(&sent).map_err(|e| failed()(e.into()))? + "\n";
        let noted = self.notes.write_all(line.as_bytes()).and_then(|()| self.notes.sync_data());
        noted.map_err(failed())?;
        self.sent.insert((sent.message_id, sent.server));
        Ok(())
    }

    /// The mails that wait, longest first, with their files. A file that cannot be read is logged and left.
    ///
    /// # Errors
    /// [`Error::Read`] for the directory.
    pub fn waiting(&self) -> Result<Vec<(PathBuf, Waiting)>> {
        let entries = fs::read_dir(&self.directory).map_err(Error::read(&self.directory))?;
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut waiting = Vec::new();
        for path in paths.filter(|path| path.extension().is_some_and(|extension| extension == EXTENSION)) {
            match load(&path) {
                Ok((envelope, _)) => waiting.push((path, envelope)),
                Err(error) => log::warn!("{error}; it is left as it is"),
            }
        }
        waiting.sort_by(|(_, a), (_, b)| (a.since, &a.message_id).cmp(&(b.since, &b.message_id)));
        Ok(waiting)
    }

    /// The mail of a file.
    pub fn message(&self, path: &Path) -> Result<Vec<u8>> {
        load(path).map(|(_, message)| message)
    }

    /// Stores a mail for a retry; one that waits already is written anew.
    pub fn store(&self, envelope: &Waiting, message: &[u8]) -> Result<()> {
        let path = self.path(&envelope.message_id);
        output::write_file(&path, 0o600, |file| {
            serde_json::to_writer(&mut *file, envelope).map_err(|e| Error::write(&path)(e.into()))?;
            file.write_all(b"\n").and_then(|()| file.write_all(message)).map_err(Error::write(&path))
        })
    }

    pub fn remove(&self, path: &Path) -> Result<()> {
        fs::remove_file(path).map_err(Error::write(path))
    }

    /// The file of a mail. A Message-ID is not a file name.
    fn path(&self, message_id: &str) -> PathBuf {
        let hash: String =
            Sha256::digest(message_id).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        self.directory.join(format!("{hash}.{EXTENSION}"))
    }
}

fn load(path: &Path) -> Result<(Waiting, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut file = open_own(OpenOptions::new().read(true), path).map_err(Error::read(path))?;
    file.read_to_end(&mut bytes).map_err(Error::read(path))?;
    let end = bytes.iter().position(|&b| b == b'\n').unwrap_or(bytes.len());
    let (head, message) = bytes.split_at(end);
    let envelope = serde_json::from_slice(head).map_err(|e| Error::read(path)(e.into()))?;
    Ok((envelope, message.get(1..).unwrap_or_default().to_vec()))
}

/// Whoever can write into the spool sends mail in our name.
fn refuse_others(directory: &Path) -> Result<()> {
    let metadata = fs::metadata(directory).map_err(Error::write(directory))?;
    let refuse = |reason: &str| {
        Err(Error::write(directory)(io::Error::new(io::ErrorKind::PermissionDenied, reason.to_owned())))
    };
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return refuse("it belongs to another user");
    }
    if metadata.mode() & 0o002 != 0 {
        return refuse("everybody can write there; chmod o-w it");
    }
    Ok(())
}

/// Opens a regular file of ours: no link, no pipe, nothing of another user.
fn open_own(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
    let file = options.custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.uid() != rustix::process::geteuid().as_raw() {
        let reason = "not a regular file of this user";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
    }
    Ok(file)
}

fn take_lock(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let file = open_own(&mut options, path).map_err(Error::write(path))?;
    lock::exclusive(&file, path, PATIENCE, "another mod-mail").map(|()| file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(message_id: &str, since: i64) -> Waiting {
        Waiting {
            message_id: message_id.to_owned(),
            from: "noc@example.net".into(),
            to: "ops@example.net".into(),
            since: Timestamp(since),
            attempts: 1,
            reason: "450 later".into(),
        }
    }

    #[test]
    fn a_waiting_mail_comes_back_as_it_was_and_the_oldest_first() {
        let dir = tempfile::tempdir().expect("a directory");
        let spool = Spool::open(&dir.path().join("a/b")).expect("opens");
        spool.store(&envelope("<2@x>", 20), b"Subject: b\r\n\r\n{\n\xff").expect("stored");
        spool.store(&envelope("<../1@x>", 10), b"").expect("stored");
        fs::write(dir.path().join("a/b/junk.mail"), "no envelope").expect("written");
        let waiting = spool.waiting().expect("listed");
        let ids: Vec<_> = waiting.iter().map(|(_, mail)| mail.message_id.as_str()).collect();
        assert_eq!(ids, ["<../1@x>", "<2@x>"]);
        assert_eq!(spool.message(&waiting[1].0).expect("read"), b"Subject: b\r\n\r\n{\n\xff");
        spool.remove(&waiting[1].0).expect("removed");
        assert_eq!(spool.waiting().expect("listed").len(), 1);
    }

    #[test]
    fn a_note_outlives_the_run_and_a_torn_line_before_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let note = |id: &str| {
            let mut spool = Spool::open(dir.path()).expect("opens");
            spool.note_sent(Timestamp(0), &envelope(id, 0), "mx:25", false).expect("noted");
        };
        note("<1@x>");
        let path = dir.path().join("sent.ndjson");
        let torn = [fs::read(&path).expect("read"), b"{\"to\":\"caf\xc3".to_vec()].concat();
        fs::write(&path, torn).expect("written");
        note("<2@x>");
        let spool = Spool::open(dir.path()).expect("opens");
        assert!(spool.was_sent("<1@x>", "mx:25") && spool.was_sent("<2@x>", "mx:25"));
        assert!(!spool.was_sent("<1@x>", "other:25"));
    }
}
