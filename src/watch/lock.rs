//! One supervisor per name: a flock on `NAME.pid`. The lock is the truth; what the file says about
//! its holder is information, and believed only while it fits a living process.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::{fd::AsFd, unix::fs::OpenOptionsExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::{
    error::{Error, Result},
    lock::{release, try_exclusive, try_shared},
    proc,
};

/// How long a holder may take to write who it is, and a prober to let go again.
const SETTLING: Duration = Duration::from_secs(1);

/// The lock, held by this process. It goes when the process does, whatever happens.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

/// A process, told apart from any other that had or will have its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub pid: Pid,
    start: u64,
    boot: String,
}

/// What a try for the lock came to.
#[derive(Debug)]
pub enum Attempt {
    /// It is ours.
    Taken(Lock),
    /// Another's; who it is, unless it has not said so yet.
    Held(Option<Holder>),
}

/// What a look at the lock showed.
#[derive(Debug, PartialEq)]
pub enum Look {
    /// Nobody holds it.
    Free,
    /// Somebody does; who it is, unless it has not said so yet.
    Held(Option<Holder>),
}

impl Lock {
    /// Takes the lock if it is free. It is not waited for, but a passing look of another at the lock
    /// is told apart from a supervisor.
    ///
    /// # Errors
    /// [`Error::Write`] when the file cannot be made, or is another user's.
    pub fn take(path: &Path) -> Result<Attempt> {
        let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let mut options = OpenOptions::new();
        // Not truncated: until the lock is held, the content is another's.
        options.read(true).write(true).create(true).truncate(false).mode(0o644).custom_flags(flags);
        let mut file = options.open(path).map_err(Error::write(path))?;
        file.metadata().and_then(|metadata| paths::ours(&metadata)).map_err(Error::write(path))?;
        Ok(match try_until_known(&mut file, try_exclusive).map_err(Error::write(path))? {
            Ok(()) => Attempt::Taken(Lock { file, path: path.to_owned() }),
            Err(holder) => Attempt::Held(holder),
        })
    }

    /// The lock that `start` or `check` took and handed down on standard input.
    ///
    /// # Errors
    /// [`Error::System`] when that is not the lock.
    pub fn inherited(path: &Path) -> Result<Self> {
        let wrong = || Error::system("--detached");
        let file = File::from(io::stdin().as_fd().try_clone_to_owned().map_err(wrong())?);
        let same = {
            use std::os::unix::fs::MetadataExt;
            let (ours, theirs) = (file.metadata().map_err(wrong())?, path.metadata().map_err(wrong())?);
            (ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino())
        };
        if !same || !try_exclusive(&file).map_err(wrong())? {
            return Err(Error::usage("--detached is for `mod-watch start`, which hands down the lock"));
        }
        Ok(Lock { file, path: path.to_owned() })
    }

    /// The open file, to be handed down with the lock on it.
    #[must_use]
    pub fn into_file(self) -> File {
        self.file
    }

    /// Writes down who holds the lock.
    ///
    /// # Errors
    /// [`Error::Write`]; the lock holds all the same.
    pub fn sign(&mut self) -> Result<()> {
        let signed = Holder::own().and_then(|own| self.write(&own.to_string()));
        signed.map_err(Error::write(&self.path))
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(text.as_bytes())
    }

    /// Lets go. The file is emptied and stays: unlinking it would let two processes lock two files.
    pub fn release(self) {
        // Both end with the process in any case.
        let _ = self.file.set_len(0);
        release(&self.file);
    }
}

/// Looks who holds the lock, without taking it.
///
/// # Errors
/// [`Error::Read`].
pub fn look(path: &Path) -> Result<Look> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Look::Free),
        opened => opened.map_err(Error::read(path))?,
    };
    Ok(match try_until_known(&mut file, try_shared).map_err(Error::read(path))? {
        Ok(()) => Look::Free,
        Err(holder) => Look::Held(holder),
    })
}

/// Tries for the lock until it is got or its holder is known; a holder that is not known after a
/// while is one all the same.
fn try_until_known(
    file: &mut File,
    attempt: impl Fn(&File) -> io::Result<bool>,
) -> io::Result<Result<(), Option<Holder>>> {
    let until = Instant::now() + SETTLING;
    loop {
        if attempt(file)? {
            return Ok(Ok(()));
        }
        let holder = Holder::read(file)?.filter(Holder::lives);
        if holder.is_some() || Instant::now() >= until {
            return Ok(Err(holder));
        }
        thread::sleep(Duration::from_millis(10));
    }
}

impl Holder {
    fn own() -> io::Result<Self> {
        let pid = rustix::process::getpid();
        let start =
            proc::start_time(pid).ok_or_else(|| io::Error::other("/proc does not show this process"))?;
        Ok(Holder { pid, start, boot: proc::boot_id()? })
    }

    fn read(file: &mut File) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.take(4096).read_to_end(&mut bytes)?;
        Ok(Self::parse(&String::from_utf8_lossy(&bytes)))
    }

    /// Three lines: number, start time, boot. A file of another kind names nobody.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok().filter(|&pid: &i32| pid > 0).and_then(Pid::from_raw)?;
        let start = lines.next()?.trim().parse().ok()?;
        let boot = lines.next()?.trim().to_owned();
        Some(Holder { pid, start, boot })
    }

    /// Whether it is this very process that runs, and not a later one of the same number.
    #[must_use]
    pub fn lives(&self) -> bool {
        proc::start_time(self.pid) == Some(self.start) && proc::boot_id().is_ok_and(|boot| boot == self.boot)
    }

    /// Asks it to end; true when it was there to be asked.
    ///
    /// # Errors
    /// What the system says: it is another user's, mostly.
    pub fn terminate(&self) -> io::Result<bool> {
        // The descriptor pins the process: what is found to be the right one afterwards stays it.
        let process = match pidfd_open(self.pid, PidfdFlags::empty()) {
            Err(rustix::io::Errno::SRCH) => return Ok(false),
            opened => opened?,
        };
        if !self.lives() {
            return Ok(false);
        }
        // One that was stopped is continued, or it would not hear it.
        match pidfd_send_signal(&process, Signal::TERM)
            .and_then(|()| pidfd_send_signal(&process, Signal::CONT))
        {
            Err(rustix::io::Errno::SRCH) => Ok(false),
            sent => Ok(sent.map(|()| true)?),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.pid.as_raw_nonzero(), self.start, self.boot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("x.pid");
        (dir, path)
    }

    #[test]
    fn one_holder_at_a_time_whatever_the_file_said_before() {
        let (_dir, path) = scratch();
        // A number of a living process that never held the lock.
        std::fs::write(&path, format!("{}\n1\nold-boot\n", std::process::id())).expect("written");
        assert_eq!(look(&path).expect("readable"), Look::Free);
        let Attempt::Taken(mut lock) = Lock::take(&path).expect("possible") else { unreachable!("free") };
        lock.sign().expect("signed");
        let own = Holder::own().expect("known");
        assert!(matches!(Lock::take(&path), Ok(Attempt::Held(Some(holder))) if holder == own));
        assert_eq!(look(&path).expect("readable"), Look::Held(Some(own)));
        lock.release();
        assert_eq!(look(&path).expect("readable"), Look::Free);
        assert_eq!(std::fs::read(&path).expect("still there"), b"");
    }

    #[test]
    fn a_holder_is_known_by_number_start_and_boot() {
        let own = Holder::own().expect("known");
        assert!(own.lives());
        assert_eq!(Holder::parse(&own.to_string()), Some(own.clone()));
        let reused = Holder { start: own.start + 1, ..own.clone() };
        let rebooted = Holder { boot: "another".into(), ..own };
        for other in [reused, rebooted] {
            assert!(!other.lives());
            assert!(matches!(other.terminate(), Ok(false)), "nobody else is signalled");
        }
        for wrong in ["", "12", "12\n", "x\n1\nb", "0\n1\nb", "-5\n1\nb\n"] {
            assert_eq!(Holder::parse(wrong), None, "{wrong:?}");
        }
    }
}
