//! Files of another machine, by SFTP, over a session that has logged in. As in `session.rs` nothing blocks: each
//! request is tried, and between tries bytes are moved within the budget.

use std::{
    io::{Read as _, Write as _},
    path::Path,
    time::Duration,
};

use ssh2::{ErrorCode, File, FileStat, OpenFlags, OpenType};

use super::{
    Budget, Failure,
    exec::silent,
    session::{Session, code, number},
};
use crate::record::Status;

/// Bytes that are handed over at once: libssh2 keeps so many on their way.
const WRITE_CHUNK: usize = 1 << 20;
/// More names in a directory are not believed.
const MOST_ENTRIES: usize = 200_000;
/// The server's own code, draft-ietf-secsh-filexfer-02, section 7.
const NO_SUCH_FILE: i32 = 2;
/// libssh2's code for the end of a directory, of include/libssh2.h.
const NO_MORE_FILES: i32 = -16;

/// An attribute that is not set stays as it is.
const NOTHING: FileStat = FileStat { size: None, uid: None, gid: None, perm: None, atime: None, mtime: None };

/// The file system of the other machine.
pub struct Sftp<'s> {
    session: &'s Session,
    sftp: ssh2::Sftp,
    silence: Duration,
}

/// What kind of thing a name leads to, links not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    File,
    Directory,
    Link,
    Other,
}

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Without its directory.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Bytes.
    pub size: u64,
    /// Seconds since 1970.
    pub modified: u64,
}

impl Session {
    /// Opens the file system. `silence` is how long the server may say nothing.
    ///
    /// # Errors
    /// The budget's; `command_failed` where the server offers no SFTP; `disconnected`.
    pub fn sftp(&self, silence: Duration, budget: &mut Budget) -> Result<Sftp<'_>, Failure> {
        budget.phase(silence, silent(silence));
        let sftp = self.drive(budget, || self.ssh.sftp()).map_err(|broken| self.lost("no SFTP", broken))?;
        Ok(Sftp { session: self, sftp, silence })
    }
}

impl Drop for Sftp<'_> {
    /// ssh2 would wait for the server in blocking mode, while nobody moves bytes.
    fn drop(&mut self) {
        if self.sftp.shutdown().is_err_and(|e| number(&e) != code::EAGAIN) {
            self.session.cut();
        }
    }
}

impl Sftp<'_> {
    fn drive<T>(
        &self,
        what: &str,
        path: &str,
        budget: &mut Budget,
        step: impl FnMut() -> Result<T, ssh2::Error>,
    ) -> Result<T, Failure> {
        budget.extend(self.silence);
        self.session
            .drive(budget, step)
            .map_err(|broken| self.session.lost(&format!("cannot {what} {path}"), broken))
    }

    /// What a path leads to, links followed; none: nothing is there.
    ///
    /// # Errors
    /// The budget's; `command_failed` with what the server says; `disconnected`.
    pub fn stat(&self, path: &str, budget: &mut Budget) -> Result<Option<Kind>, Failure> {
        let mut step = || match self.sftp.stat(Path::new(path)) {
            Err(e) if is_missing(&e) => Ok(None),
            found => found.map(|stat| Some(kind(&stat))),
        };
        self.drive("look at", path, budget, &mut step)
    }

    /// Makes a directory of this mode, whatever the account's umask.
    pub fn make_directory(&self, path: &str, mode: u32, budget: &mut Budget) -> Result<(), Failure> {
        let made = mode.cast_signed();
        self.drive("make the directory", path, budget, || self.sftp.mkdir(Path::new(path), made))?;
        let stat = || FileStat { perm: Some(mode), ..NOTHING };
        self.drive("set the mode of", path, budget, || self.sftp.setstat(Path::new(path), stat()))
    }

    /// The names in a directory, in no order.
    pub fn list(&self, path: &str, budget: &mut Budget) -> Result<Vec<Entry>, Failure> {
        let mut directory = self.drive("list", path, budget, || self.sftp.opendir(path))?;
        let listed = self.entries(&mut directory, path, budget);
        let closed = self.drive("close", path, budget, || directory.close());
        listed.and_then(|entries| closed.map(|()| entries))
    }

    fn entries(&self, directory: &mut File, path: &str, budget: &mut Budget) -> Result<Vec<Entry>, Failure> {
        let mut entries = Vec::new();
        let mut next = || match directory.readdir() {
            Err(e) if e.code() == ErrorCode::Session(NO_MORE_FILES) => Ok(None),
            found => found.map(Some),
        };
        while let Some((name, stat)) = self.drive("list", path, budget, &mut next)? {
            if entries.len() >= MOST_ENTRIES {
                let error = format!("cannot list {path}: it holds more than {MOST_ENTRIES} names");
                return Err(Failure::new(Status::CommandFailed, error));
            }
            if let Some(name) = name.to_str().filter(|name| !matches!(*name, "." | "..")) {
                let (size, modified) = (stat.size.unwrap_or(0), stat.mtime.unwrap_or(0));
                entries.push(Entry { name: name.to_owned(), kind: kind(&stat), size, modified });
            }
        }
        Ok(entries)
    }

    /// Where a link points to.
    pub fn read_link(&self, path: &str, budget: &mut Budget) -> Result<String, Failure> {
        let target = self.drive("read the link", path, budget, || self.sftp.readlink(Path::new(path)))?;
        Ok(target.to_string_lossy().into_owned())
    }

    /// The first bytes of a file, at most as many as `limit`.
    pub fn begin_of(&self, path: &str, limit: usize, budget: &mut Budget) -> Result<Vec<u8>, Failure> {
        let mut file = self.drive("read", path, budget, || self.sftp.open(path))?;
        let (mut bytes, what) = (vec![0; limit], format!("cannot read {path}"));
        let read = self.fill(&mut file, &mut bytes, &what, budget);
        let closed = self.drive("close", path, budget, || file.close());
        bytes.truncate(read?);
        closed.map(|()| bytes)
    }

    fn fill(&self, file: &mut File, bytes: &mut [u8], what: &str, budget: &Budget) -> Result<usize, Failure> {
        let mut length = 0;
        while length < bytes.len() {
            match self.session.pass(what, budget, || file.read(&mut bytes[length..]))? {
                0 => break,
                more => length += more,
            }
        }
        Ok(length)
    }

    /// Writes a file that is not there yet, for everybody to read, and gives it a time.
    ///
    /// # Errors
    /// As [`Sftp::stat`]; then a part of the file may be there.
    pub fn create(
        &self,
        path: &str,
        bytes: &[u8],
        modified: Option<u64>,
        budget: &mut Budget,
    ) -> Result<(), Failure> {
        let flags = OpenFlags::WRITE | OpenFlags::EXCLUSIVE;
        let open = || self.sftp.open_mode(path, flags, 0o644, OpenType::File);
        let mut file = self.drive("write", path, budget, open)?;
        let written = self.write_all(&mut file, bytes, path, budget).and_then(|()| {
            // The mode again: at its creation the account's umask took from it.
            let stat = || FileStat { perm: Some(0o644), atime: modified, mtime: modified, ..NOTHING };
            self.drive("set mode and time of", path, budget, || file.setstat(stat()))
        });
        let closed = self.drive("close", path, budget, || file.close());
        written.and(closed)
    }

    fn write_all(
        &self,
        file: &mut File,
        mut rest: &[u8],
        path: &str,
        budget: &mut Budget,
    ) -> Result<(), Failure> {
        let what = format!("cannot write {path}");
        while !rest.is_empty() {
            let chunk = &rest[..rest.len().min(WRITE_CHUNK)];
            let length = self.session.pass(&what, budget, || file.write(chunk))?;
            rest = &rest[length..];
            budget.extend(self.silence);
        }
        Ok(())
    }

    /// Makes a link to a file beside it, and sees that it is the right way round.
    pub fn link(&self, path: &str, to: &str, budget: &mut Budget) -> Result<(), Failure> {
        // OpenSSH takes the two the other way round than the draft says; others do so for its own client only.
        let is_openssh = self.session.ssh.banner().is_some_and(|banner| banner.contains("OpenSSH"));
        let (first, second) = if is_openssh { (to, path) } else { (path, to) };
        let step = || self.sftp.symlink(Path::new(first), Path::new(second));
        self.drive("make the link", path, budget, step)?;
        if self.read_link(path, budget)? == to {
            return Ok(());
        }
        Err(Failure::new(Status::CommandFailed, format!("cannot make the link {path}: it leads elsewhere")))
    }

    /// Removes a file; that it is not there is no fault.
    pub fn remove(&self, path: &str, budget: &mut Budget) -> Result<(), Failure> {
        let mut step = || match self.sftp.unlink(Path::new(path)) {
            Err(e) if is_missing(&e) => Ok(()),
            done => done,
        };
        self.drive("remove", path, budget, &mut step)
    }

    /// Removes an empty directory.
    pub fn remove_directory(&self, path: &str, budget: &mut Budget) -> Result<(), Failure> {
        self.drive("remove", path, budget, || self.sftp.rmdir(Path::new(path)))
    }
}

fn is_missing(error: &ssh2::Error) -> bool {
    error.code() == ErrorCode::SFTP(NO_SUCH_FILE)
}

fn kind(stat: &FileStat) -> Kind {
    let kind = stat.file_type();
    if kind.is_file() {
        Kind::File
    } else if kind.is_dir() {
        Kind::Directory
    } else if kind.is_symlink() {
        Kind::Link
    } else {
        Kind::Other
    }
}
