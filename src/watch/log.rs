//! Logs that cannot grow without end: appended to, rotated by size, opened anew for each write, so
//! that one which was moved or deleted comes back. And what the command says on stderr.

use std::{
    collections::VecDeque,
    fs,
    io::{self, Read, Write},
    path::PathBuf,
};

use super::health::local;
use crate::{
    files::{self, Access},
    record::Timestamp,
    text,
};

/// Lines of stderr that are quoted when the command fails.
const QUOTED: usize = 20;
/// A line that is longer is broken; one without end must not fill the memory.
const LONGEST_LINE: usize = 4096;

/// A log file and its older ones, `.1` the youngest.
#[derive(Clone, Debug)]
pub struct Log {
    path: PathBuf,
    max: u64,
    keep: u32,
}

impl Log {
    /// A log of at most `max` bytes, beside `keep` older ones of that size.
    #[must_use]
    pub fn new(path: PathBuf, max: u64, keep: u32) -> Self {
        Log { path, max, keep }
    }

    /// Adds whole lines.
    ///
    /// # Errors
    /// What the system says: full disk, no right, another user's file.
    pub fn append(&self, lines: &[u8]) -> io::Result<()> {
        let open = || files::open_own(&self.path, Access::Append, 0o640);
        let mut file = open()?;
        let length = file.metadata()?.len();
        if length > 0 && length + lines.len() as u64 > self.max {
            self.rotate()?;
            file = open()?;
        }
        file.write_all(lines)
    }

    fn rotate(&self) -> io::Result<()> {
        let numbered = |number: u32| {
            let mut name = self.path.clone().into_os_string();
            if number > 0 {
                name.push(format!(".{number}"));
            }
            name
        };
        for number in (0..self.keep).rev() {
            match fs::rename(numbered(number), numbered(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The stderr of the command: every line goes to its log, the last ones are kept for quoting.
#[derive(Debug)]
pub struct Stderr {
    log: Log,
    partial: Vec<u8>,
    last: VecDeque<String>,
    lost: u64,
}

/// How much a look at the stream brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Some; there may be more.
    Some,
    /// Nothing for now.
    Dry,
    /// Its end: nobody can write to it any more.
    End,
}

/// A change in whether the log takes what is written to it; worth a word, once.
#[derive(Debug)]
pub enum Turn {
    /// It takes no more.
    Broken(io::Error),
    /// It takes again; so many lines are missing.
    Mended(u64),
}

impl Stderr {
    /// Goes to this log.
    #[must_use]
    pub fn new(log: Log) -> Self {
        Stderr { log, partial: Vec::new(), last: VecDeque::new(), lost: 0 }
    }

    /// Reads what is there, without waiting, and not without end.
    pub fn read(&mut self, pipe: &mut impl Read, wall: Timestamp) -> (Flow, Option<Turn>) {
        let mut buffer = [0; 64 * 1024];
        match pipe.read(&mut buffer) {
            Ok(0) => (Flow::End, self.flush(wall)),
            Ok(length) => (Flow::Some, self.take(&buffer[..length], wall)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (Flow::Some, None),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => (Flow::Dry, None),
            Err(_) => (Flow::End, self.flush(wall)),
        }
    }

    fn take(&mut self, bytes: &[u8], wall: Timestamp) -> Option<Turn> {
        let mut lines = Vec::new();
        for &byte in bytes {
            if byte != b'\n' {
                self.partial.push(byte);
            }
            if byte == b'\n' || self.partial.len() >= LONGEST_LINE {
                self.line(&mut lines, wall);
            }
        }
        self.write(&lines)
    }

    /// Ends a line that has no end, as those of a killed process.
    pub fn flush(&mut self, wall: Timestamp) -> Option<Turn> {
        if self.partial.is_empty() {
            return None;
        }
        let mut lines = Vec::new();
        self.line(&mut lines, wall);
        self.write(&lines)
    }

    fn line(&mut self, lines: &mut Vec<u8>, wall: Timestamp) {
        let raw = String::from_utf8_lossy(&self.partial);
        let line = text::terminal(raw.trim_end_matches('\r')).into_owned();
        self.partial.clear();
        lines.extend_from_slice(format!("{} {line}\n", local(wall)).as_bytes());
        if self.last.len() == QUOTED {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    fn write(&mut self, lines: &[u8]) -> Option<Turn> {
        if lines.is_empty() {
            return None;
        }
        match self.log.append(lines) {
            Ok(()) if self.lost > 0 => Some(Turn::Mended(std::mem::take(&mut self.lost))),
            Ok(()) => None,
            Err(error) => {
                let first = self.lost == 0;
                self.lost += lines.iter().filter(|&&byte| byte == b'\n').count() as u64;
                first.then_some(Turn::Broken(error))
            }
        }
    }

    /// The last lines, oldest first; they are quoted once.
    pub fn take_last(&mut self) -> Vec<String> {
        std::mem::take(&mut self.last).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Timestamp = Timestamp(1_777_636_800);

    fn scratch(max: u64) -> (tempfile::TempDir, PathBuf, Stderr) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("x.log");
        let stderr = Stderr::new(Log::new(path.clone(), max, 3));
        (dir, path, stderr)
    }

    #[test]
    fn lines_are_stamped_made_harmless_and_the_last_ones_kept() {
        let (_dir, path, mut stderr) = scratch(1 << 20);
        for number in 0..25 {
            assert!(stderr.take(format!("line {number}\n").as_bytes(), WALL).is_none());
        }
        stderr.take(b"half \x1b[31m", WALL);
        assert!(matches!(stderr.read(&mut io::empty(), WALL), (Flow::End, None)));
        let log = fs::read_to_string(&path).expect("written");
        assert_eq!(log.lines().count(), 26);
        assert!(log.lines().all(|line| line.starts_with(&local(WALL))));
        assert!(log.ends_with("half \\u{1b}[31m\n"), "{log}");
        let last = stderr.take_last();
        assert_eq!((last.len(), last[0].as_str()), (20, "line 6"));
        assert!(stderr.take_last().is_empty());
    }

    #[test]
    fn a_log_never_takes_more_than_four_times_its_size() {
        let (dir, _path, mut stderr) = scratch(10_000);
        for _ in 0..1000 {
            stderr.take(&[b'x'; 1000], WALL);
            stderr.take(b"\n", WALL);
        }
        let sizes: Vec<u64> = fs::read_dir(dir.path())
            .expect("listed")
            .map(|entry| entry.and_then(|e| e.metadata()).expect("known").len())
            .collect();
        assert_eq!(sizes.len(), 4);
        assert!(sizes.iter().all(|&size| size <= 10_000), "{sizes:?}");
    }

    #[test]
    fn a_line_without_end_is_broken() {
        let (_dir, path, mut stderr) = scratch(1 << 20);
        stderr.take(&[b'x'; 10 * LONGEST_LINE], WALL);
        assert_eq!(fs::read_to_string(&path).expect("written").lines().count(), 10);
        assert!(stderr.partial.is_empty());
    }

    #[test]
    fn a_log_that_cannot_be_written_is_said_once_and_counted() {
        let (dir, path, mut stderr) = scratch(1 << 20);
        fs::create_dir(&path).expect("in the way");
        assert!(matches!(stderr.take(b"a\nb\n", WALL), Some(Turn::Broken(_))));
        assert!(stderr.take(b"c\n", WALL).is_none());
        fs::remove_dir(&path).expect("out of the way");
        assert!(matches!(stderr.take(b"d\n", WALL), Some(Turn::Mended(3))));
        drop(dir);
    }
}
