//! The socket on which the command proves progress: the protocol of sd_notify(3), so that the same command runs
//! under systemd and under mod-watch, and one assignment of our own.
//!
//! | assignment | meaning |
//! |---|---|
//! | `READY=1` | it works: progress |
//! | `WATCHDOG=1` | everything up to now is done: progress |
//! | `STATUS=TEXT` | one line for people |
//! | `STOPPING=1` | it has begun to end |
//! | `X_MODTOOLS_STATS={json}` | [`Totals`] since the command began |
//!
//! Everything else (`WATCHDOG_PID`, `MAINPID`, …) is ignored.

use std::{
    fs, io,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        net::UnixDatagram,
    },
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, Result},
    record::Totals,
    text,
};

/// One assignment of a datagram that we act upon.
#[derive(Clone, Debug, PartialEq)]
pub enum Word {
    /// `READY=1` or `WATCHDOG=1`.
    Progress,
    /// `STATUS=`, made harmless and short.
    Status(String),
    /// `STOPPING=1`.
    Stopping,
    /// `X_MODTOOLS_STATS=`.
    Totals(Totals),
}

/// The words of a datagram, in order.
pub fn words(datagram: &[u8]) -> Vec<Word> {
    String::from_utf8_lossy(datagram).lines().filter_map(word).collect()
}

fn word(line: &str) -> Option<Word> {
    match line.split_once('=')? {
        ("READY" | "WATCHDOG", "1") => Some(Word::Progress),
        ("STOPPING", "1") => Some(Word::Stopping),
        ("STATUS", text) => {
            let short: String = text.chars().take(200).collect();
            Some(Word::Status(text::terminal(short.trim()).into_owned()))
        }
        ("X_MODTOOLS_STATS", json) => serde_json::from_str(json).ok().map(Word::Totals),
        _ => None,
    }
}

/// The socket, there as long as this value.
#[derive(Debug)]
pub struct Socket {
    socket: UnixDatagram,
    path: PathBuf,
    /// Device and inode of the file.
    file: (u64, u64),
}

impl Socket {
    /// Makes the socket, for this user only; one of an earlier supervisor is replaced. The caller
    /// holds the lock.
    ///
    /// # Errors
    /// [`Error::Write`]: no such directory, or a path of more than 107 bytes.
    pub fn bind(path: &Path) -> Result<Self> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::write(path)(error)),
            _ => {}
        }
        let socket = UnixDatagram::bind(path).map_err(Error::write(path))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(Error::write(path))?;
        socket.set_nonblocking(true).map_err(Error::write(path))?;
        let metadata = path.symlink_metadata().map_err(Error::write(path))?;
        Ok(Socket { socket, path: path.to_owned(), file: (metadata.dev(), metadata.ino()) })
    }

    /// Whether its file is still there, so that the command reaches it.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        self.path.symlink_metadata().is_ok_and(|found| (found.dev(), found.ino()) == self.file)
    }

    /// For poll(2).
    #[must_use]
    pub fn inner(&self) -> &UnixDatagram {
        &self.socket
    }

    /// The words that have arrived.
    #[must_use]
    pub fn receive(&self) -> Vec<Word> {
        let mut buffer = [0; 16 * 1024];
        let mut all = Vec::new();
        // A sender that never pauses must not keep the supervisor from its other work.
        for _ in 0..1000 {
            match self.socket.recv(&mut buffer) {
                Ok(length) => all.extend(words(&buffer[..length])),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        all
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Not that of another supervisor. A stale one is replaced by the next.
        if self.is_in_place() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_is_heard() {
        let datagram = b"READY=1\nSTATUS=12 devices\x1b[2J \nWATCHDOG_PID=7\nMAINPID=1\nnonsense\nWATCHDOG=trigger\nSTOPPING=1\n";
        assert_eq!(
            words(datagram),
            [Word::Progress, Word::Status("12 devices\\u{1b}[2J".into()), Word::Stopping]
        );
        assert_eq!(words(b"\xff\xfe=\x00"), []);
    }

    #[test]
    fn totals_are_read_as_far_as_they_go_and_wrong_ones_are_passed_over() {
        let [Word::Totals(totals)] = &words(br#"X_MODTOOLS_STATS={"total_scans":4,"later":true}"#)[..] else {
            unreachable!("one word")
        };
        assert_eq!((totals.total_scans, totals.total_records_stored), (4, 0));
        assert_eq!(words(br#"X_MODTOOLS_STATS={"total_scans":-4}"#), []);
        assert_eq!(words(b"X_MODTOOLS_STATS=[[[["), []);
    }

    #[test]
    fn the_socket_is_ours_alone_and_replaces_a_stale_one() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("x.sock");
        let stale = UnixDatagram::bind(&path).expect("bound");
        drop(stale);
        let socket = Socket::bind(&path).expect("bound");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        UnixDatagram::unbound().and_then(|s| s.send_to(b"WATCHDOG=1", &path)).expect("sent");
        assert_eq!(socket.receive(), [Word::Progress]);
        assert_eq!(socket.receive(), []);
        drop(socket);
        assert!(!path.exists());
    }
}
