//! Files of another machine (SFTP) and commands run there, over a session that has logged in. As in
//! `session.rs` nothing blocks: each request is tried, and between tries we wait within the budget.

use std::{
    io::{self, Read as _, Write as _},
    path::Path,
    time::Duration,
};

use ssh2::{ErrorCode, FileStat, OpenFlags, OpenType};

use super::{
    Budget, Failure,
    session::{Broken, Session, code, number},
};
use crate::record::Status;

/// Bytes that are handed over at once: libssh2 keeps so many on their way.
const PIECE: usize = 1 << 20;
/// What a command says beyond this is passed over, bytes.
const ANSWER_LIMIT: usize = 65_536;
/// The server's own code, draft-ietf-secsh-filexfer-02, section 7.
const NO_SUCH_FILE: i32 = 2;
/// libssh2's codes, of include/libssh2.h: the end of a directory; the server refused.
const NO_MORE_FILES: i32 = -16;
const SFTP_PROTOCOL: i32 = -31;

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

/// What a command said and came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Standard output and standard error as they came.
    pub text: String,
    /// Its exit status.
    pub status: i32,
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

    /// Runs one command and waits for its end.
    ///
    /// # Errors
    /// The budget's; `disconnected`. A command that fails is an [`Answer`].
    pub fn run(&self, command: &str, silence: Duration, budget: &mut Budget) -> Result<Answer, Failure> {
        let lost = |broken| self.lost("no command", broken);
        budget.phase(silence, silent(silence));
        let mut channel = self.drive(budget, || self.ssh.channel_session()).map_err(lost)?;
        self.drive(budget, || channel.handle_extended_data(ssh2::ExtendedData::Merge)).map_err(lost)?;
        self.drive(budget, || channel.exec(command)).map_err(lost)?;
        let (mut said, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            match self.pass("no answer", budget, || channel.read(&mut buffer))? {
                0 => break,
                length => {
                    said.extend_from_slice(&buffer[..length.min(ANSWER_LIMIT.saturating_sub(said.len()))]);
                    budget.extend(silence);
                }
            }
        }
        self.drive(budget, || channel.close()).map_err(lost)?;
        self.drive(budget, || channel.wait_close()).map_err(lost)?;
        let status = channel.exit_status().map_err(|e| lost(Broken::Ssh(e)))?;
        Ok(Answer { text: String::from_utf8_lossy(&said).into_owned(), status })
    }

    /// As `drive`, for what is read and written.
    fn pass(
        &self,
        what: &str,
        budget: &Budget,
        mut step: impl FnMut() -> io::Result<usize>,
    ) -> Result<usize, Failure> {
        loop {
            let fault = match step() {
                Ok(length) => return Ok(length),
                Err(fault) => fault,
            };
            if fault.kind() == io::ErrorKind::WouldBlock {
                self.wait(budget.wait().map_err(|over| self.lost(what, Broken::Budget(over)))?);
                continue;
            }
            // The code is in the session only; of a refusal the server's words are in the fault.
            return Err(match ssh2::Error::last_session_error(&self.ssh) {
                Some(last) if number(&last) != SFTP_PROTOCOL => self.lost(what, Broken::Ssh(last)),
                _ => Failure::new(Status::CommandFailed, format!("{what}: {fault}")),
            });
        }
    }

    /// What a request that did not come to its end means. The connection is of no more use unless the server
    /// itself refused: it is cut, because libssh2 blocks when it drops what is open, on a dead one for ever.
    fn lost(&self, what: &str, broken: Broken) -> Failure {
        match broken {
            Broken::Ssh(e) if matches!(e.code(), ErrorCode::SFTP(_)) => {
                Failure::new(Status::CommandFailed, format!("{what}: {}", e.message()))
            }
            Broken::Ssh(e) if code::CONNECTION.contains(&number(&e)) => {
                self.cut();
                Failure::transient(Status::Disconnected, format!("the connection broke: {}", e.message()))
            }
            Broken::Ssh(e) => {
                self.cut();
                Failure::new(Status::CommandFailed, format!("{what}: {}", e.message()))
            }
            Broken::Budget(failure) => {
                self.cut();
                failure
            }
        }
    }
}

fn silent(silence: Duration) -> Failure {
    Failure::transient(Status::ReadTimeout, format!("silent for {} s", silence.as_secs_f64()))
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

    /// Makes a directory that everybody may enter.
    ///
    /// # Errors
    /// As [`Sftp::stat`].
    pub fn make_directory(&self, path: &str, budget: &mut Budget) -> Result<(), Failure> {
        self.drive("make the directory", path, budget, || self.sftp.mkdir(Path::new(path), 0o755))
    }

    /// The names in a directory, in no order.
    ///
    /// # Errors
    /// As [`Sftp::stat`].
    pub fn list(&self, path: &str, budget: &mut Budget) -> Result<Vec<Entry>, Failure> {
        let mut directory = self.drive("list", path, budget, || self.sftp.opendir(path))?;
        let mut entries = Vec::new();
        let mut next = || match directory.readdir() {
            Err(e) if e.code() == ErrorCode::Session(NO_MORE_FILES) => Ok(None),
            found => found.map(Some),
        };
        while let Some((name, stat)) = self.drive("list", path, budget, &mut next)? {
            if let Some(name) = name.to_str().filter(|name| !matches!(*name, "." | "..")) {
                let (size, modified) = (stat.size.unwrap_or(0), stat.mtime.unwrap_or(0));
                entries.push(Entry { name: name.to_owned(), kind: kind(&stat), size, modified });
            }
        }
        self.drive("close", path, budget, || directory.close())?;
        Ok(entries)
    }

    /// Where a link points to.
    ///
    /// # Errors
    /// As [`Sftp::stat`].
    pub fn read_link(&self, path: &str, budget: &mut Budget) -> Result<String, Failure> {
        let target = self.drive("read the link", path, budget, || self.sftp.readlink(Path::new(path)))?;
        Ok(target.to_string_lossy().into_owned())
    }

    /// The first bytes of a file, at most as many as `limit`.
    ///
    /// # Errors
    /// As [`Sftp::stat`].
    pub fn begin_of(&self, path: &str, limit: usize, budget: &mut Budget) -> Result<Vec<u8>, Failure> {
        let mut file = self.drive("read", path, budget, || self.sftp.open(path))?;
        let (mut bytes, mut length) = (vec![0; limit], 0);
        let what = format!("cannot read {path}");
        while length < limit {
            match self.session.pass(&what, budget, || file.read(&mut bytes[length..]))? {
                0 => break,
                more => length += more,
            }
        }
        self.drive("close", path, budget, || file.close())?;
        bytes.truncate(length);
        Ok(bytes)
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
        let (mut rest, what) = (bytes, format!("cannot write {path}"));
        while !rest.is_empty() {
            let piece = &rest[..rest.len().min(PIECE)];
            let length = self.session.pass(&what, budget, || file.write(piece))?;
            rest = &rest[length..];
            budget.extend(self.silence);
        }
        // The mode again: at its creation the account's umask took from it.
        let (perm, atime, mtime) = (Some(0o644), modified, modified);
        let stat = || FileStat { size: None, uid: None, gid: None, perm, atime, mtime };
        self.drive("set mode and time of", path, budget, || file.setstat(stat()))?;
        self.drive("close", path, budget, || file.close())
    }

    /// Removes a file; that it is not there is no fault.
    ///
    /// # Errors
    /// As [`Sftp::stat`].
    pub fn remove(&self, path: &str, budget: &mut Budget) -> Result<(), Failure> {
        let mut step = || match self.sftp.unlink(Path::new(path)) {
            Err(e) if is_missing(&e) => Ok(()),
            done => done,
        };
        self.drive("remove", path, budget, &mut step)
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
