//! One supervisor per name: a flock on `NAME.pid`, which only its owner can open. Where others may make
//! files in the directory, and so may have made that one, a second lock lies in the account's own directory.
//!
//! Who holds a lock is asked of the system, which shows it in /proc; what the file says is for others to read.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    os::{fd::AsFd, unix::fs::MetadataExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use super::paths::Paths;
use crate::{
    error::{Error, Result},
    files::{self, Access},
    lock::{release, try_exclusive, try_shared},
    procfs,
};

/// How long a new holder may need until it can be named, and a passing probe to let go.
const SETTLING: Duration = Duration::from_secs(1);
/// Between two tries.
const RETRY: Duration = Duration::from_millis(20);

/// The lock of one name, held by this process. It goes when the process does, whatever happens.
#[derive(Debug)]
pub struct Lock {
    guard: Option<Held>,
    pid: Option<Held>,
    is_signed: bool,
}

/// One locked file.
#[derive(Debug)]
struct Held {
    file: File,
    path: PathBuf,
}

/// A supervisor, told apart from any other process that had or will have its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its number.
    pid: i32,
    /// When it began, in clock ticks since boot.
    start: u64,
    /// The boot that it runs in.
    boot: String,
}

/// What a try for the lock came to.
#[derive(Debug)]
pub enum Attempt<T = Lock> {
    /// It is ours.
    Taken(T),
    /// Another's; its supervisor, unless it is not known yet.
    Held(Option<Holder>),
}

/// What a probe of the lock showed.
#[derive(Debug, PartialEq)]
pub enum Probe {
    /// Nobody holds it.
    Free,
    /// Somebody does; the supervisor, unless it is not known.
    Held(Option<Holder>),
    /// It is another account's and hidden from us.
    Hidden,
}

/// What a supervisor found when it checked on its lock.
#[derive(Debug, PartialEq)]
pub enum Upkeep {
    /// As it was.
    Kept,
    /// Something was missing and was written again; what.
    Renewed(&'static str),
    /// It is another's now, or cannot be made again: this supervisor has to end; why.
    Lost(String),
}

impl Lock {
    /// Takes the lock if it is free. It does not wait, but tells a passing probe from a supervisor.
    ///
    /// # Errors
    /// [`Error::Write`] when the file cannot be made, or is another user's and nothing stands in for it.
    pub fn take(paths: &Paths) -> Result<Attempt> {
        let guard = match paths.guard().map(|path| Held::take_guard(&path)) {
            None => None,
            Some(Ok(Attempt::Taken(guard))) => Some(guard),
            Some(Ok(Attempt::Held(holder))) => return Ok(Attempt::Held(holder)),
            Some(Err(error)) => {
                log::info!("no second lock beside {}: {error}", paths.pid().display());
                None
            }
        };
        Self::with_guard(guard, paths)
    }

    fn with_guard(guard: Option<Held>, paths: &Paths) -> Result<Attempt> {
        let path = paths.pid();
        let pid = match Held::take(&path) {
            Ok(Attempt::Taken(pid)) => Some(pid),
            Ok(Attempt::Held(holder)) => return Ok(Attempt::Held(holder)),
            Err(error) if guard.is_some() && error.kind() == io::ErrorKind::PermissionDenied => {
                log::warn!("{}: {error}: it is ignored", path.display());
                None
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let advice = io::Error::new(error.kind(), format!("{error}; choose --dir or --name"));
                return Err(Error::write(path)(advice));
            }
            Err(error) => return Err(Error::write(path)(error)),
        };
        Ok(Attempt::Taken(Lock { guard, pid, is_signed: false }))
    }

    /// The lock that `start` or `check` took and handed down on standard input.
    ///
    /// # Errors
    /// [`Error::Usage`] when that is not the lock.
    pub fn inherited(paths: &Paths) -> Result<Attempt> {
        let wrong = || Error::system("--detached");
        let file = File::from(io::stdin().as_fd().try_clone_to_owned().map_err(wrong())?);
        let metadata = file.metadata().map_err(wrong())?;
        let guard = paths.guard();
        let is_at = |path: &PathBuf| is_same(path, &metadata);
        let Some(path) = guard.iter().chain([&paths.pid()]).find(|path| is_at(path)).cloned() else {
            return Err(Error::usage("--detached is for `mod-watch start`, which hands down the lock"));
        };
        if !try_exclusive(&file).map_err(wrong())? {
            return Err(Error::usage("--detached is for `mod-watch start`, which hands down the lock"));
        }
        let is_guard = guard.as_ref() == Some(&path);
        let held = Held { file, path };
        if is_guard {
            return Self::with_guard(Some(held), paths);
        }
        Ok(Attempt::Taken(Lock { guard: None, pid: Some(held), is_signed: false }))
    }

    /// The open file, to be handed down with the lock on it. A supervisor that is handed the guard takes
    /// `NAME.pid` itself.
    #[must_use]
    pub fn into_file(self) -> Option<File> {
        self.guard.or(self.pid).map(|held| held.file)
    }

    /// Writes down the number of this process.
    ///
    /// # Errors
    /// [`Error::Write`]; the lock holds all the same.
    pub fn sign(&mut self) -> Result<()> {
        let Some(pid) = &mut self.pid else { return Ok(()) };
        pid.write(&format!("{}\n", std::process::id())).map_err(Error::write(&pid.path))?;
        self.is_signed = true;
        Ok(())
    }

    /// Sees whether the lock files are still the ones that this process holds, and makes missing ones again.
    pub fn check(&mut self, paths: &Paths) -> Upkeep {
        if let Some(guard) = &self.guard
            && !guard.is_in_place()
        {
            match Held::take_guard(&guard.path) {
                Ok(Attempt::Taken(again)) => self.guard = Some(again),
                Ok(Attempt::Held(_)) => return Upkeep::Lost(taken(&guard.path)),
                // The old one still excludes whoever finds NAME.pid.
                Err(_) => {}
            }
        }
        if self.pid.as_ref().is_some_and(Held::is_in_place) {
            if !self.is_signed && self.sign().is_ok() {
                return Upkeep::Renewed("its process number");
            }
            return Upkeep::Kept;
        }
        let path = paths.pid();
        match paths.create().and_then(|()| Held::take(&path).map_err(Error::write(&path))) {
            Ok(Attempt::Taken(again)) => {
                self.pid = Some(again);
                // Said again when there is room.
                self.is_signed = false;
                let _ = self.sign();
                Upkeep::Renewed("its lock file, which was removed")
            }
            Ok(Attempt::Held(_)) => Upkeep::Lost(taken(&path)),
            Err(_) if self.guard.is_some() => Upkeep::Kept,
            Err(Error::Write { source, .. }) if is_full(&source) => Upkeep::Kept,
            Err(error) => {
                Upkeep::Lost(format!("the lock file was removed and cannot be made again: {error}"))
            }
        }
    }

    /// Lets go. `NAME.pid` is emptied and stays, as older versions rely on it; the guard is removed.
    pub fn release(self) {
        // All of this ends with the process in any case.
        if let Some(pid) = self.pid {
            let _ = pid.file.set_len(0);
            release(&pid.file);
        }
        if let Some(guard) = self.guard.filter(Held::is_in_place) {
            // Whoever has it open already finds out, once it is locked, that another file is in its place.
            let _ = fs::remove_file(&guard.path);
        }
    }
}

fn taken(path: &Path) -> String {
    format!("another supervisor holds {}", path.display())
}

fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | ReadOnlyFilesystem)
}

fn is_same(path: &Path, metadata: &fs::Metadata) -> bool {
    let found = path.symlink_metadata();
    found.is_ok_and(|found| (found.dev(), found.ino()) == (metadata.dev(), metadata.ino()))
}

impl Held {
    fn take_guard(path: &Path) -> io::Result<Attempt<Self>> {
        if let Some(directory) = path.parent() {
            files::create_public_dir(directory)?;
            if !files::is_own_dir(directory) {
                return Err(io::Error::other(format!("{} is not this account's alone", directory.display())));
            }
        }
        Self::take(path)
    }

    fn take(path: &Path) -> io::Result<Attempt<Self>> {
        loop {
            // For its owner alone: whoever can open a file can lock it.
            let mut file = files::open_own(path, Access::Update, 0o600)?;
            if let Err(holder) = try_until_known(&mut file, path, try_exclusive)? {
                return Ok(Attempt::Held(holder));
            }
            let held = Held { file, path: path.to_owned() };
            if held.is_in_place() {
                return Ok(Attempt::Taken(held));
            }
            // It was removed between opening and locking.
        }
    }

    fn is_in_place(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| is_same(&self.path, &metadata))
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(text.as_bytes())
    }
}

/// Probes who holds the lock, without taking it. A file that is not believed is named and ignored.
pub fn probe(paths: &Paths) -> Result<Probe> {
    let mut hidden = false;
    for path in paths.guard().into_iter().chain([paths.pid()]) {
        match probe_file(&path).map_err(Error::read(&path))? {
            Probe::Held(holder) => return Ok(Probe::Held(holder.or_else(|| recorded(paths)))),
            Probe::Hidden => hidden = true,
            Probe::Free => {}
        }
    }
    Ok(if hidden { Probe::Hidden } else { Probe::Free })
}

fn probe_file(path: &Path) -> io::Result<Probe> {
    let mut file = match files::open_trusted(path) {
        Ok(None) => return Ok(Probe::Free),
        Ok(Some(file)) => file,
        // The system's own refusal has a number, ours has words.
        Err(error) if error.raw_os_error() == Some(libc::EACCES) && files::is_trusted(path) => {
            return Ok(Probe::Hidden);
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            log::warn!("{}: {error}: it is ignored", path.display());
            return Ok(Probe::Free);
        }
        Err(error) => return Err(error),
    };
    Ok(match try_until_known(&mut file, path, try_shared)? {
        Ok(()) => Probe::Free,
        Err(holder) => Probe::Held(holder),
    })
}

/// The supervisor that NAME.cmd names, if it is that very process that runs.
fn recorded(paths: &Paths) -> Option<Holder> {
    paths
        .recipe()
        .ok()??
        .supervisor
        .filter(|holder| holder.lives() && holder.pid().is_some_and(is_supervisor))
}

/// Tries for the lock until it is got or its holder is known; a holder that is not known after a while is
/// one all the same.
fn try_until_known(
    file: &mut File,
    path: &Path,
    attempt: impl Fn(&File) -> io::Result<bool>,
) -> io::Result<Result<(), Option<Holder>>> {
    let until = Instant::now() + SETTLING;
    loop {
        if attempt(file)? {
            return Ok(Ok(()));
        }
        let holder = Holder::of(file, path)?;
        if holder.is_some() || Instant::now() >= until {
            return Ok(Err(holder));
        }
        thread::sleep(RETRY);
    }
}

impl Holder {
    /// This process.
    ///
    /// # Errors
    /// When /proc does not show it.
    pub fn own() -> io::Result<Self> {
        let pid = rustix::process::getpid();
        let start =
            procfs::start_time(pid).ok_or_else(|| io::Error::other("/proc does not show this process"))?;
        Ok(Holder { pid: pid.as_raw_nonzero().get(), start, boot: procfs::boot_id()? })
    }

    /// The supervisor that holds the lock on this file, if there is one: a mod-watch of the file's owner, or
    /// root's.
    fn of(file: &mut File, path: &Path) -> io::Result<Option<Self>> {
        let metadata = file.metadata()?;
        let holds = |pid: &Pid| {
            procfs::owner(*pid).is_some_and(|owner| owner == metadata.uid() || owner == 0)
                && is_supervisor(*pid)
                && procfs::holds_lock(*pid, path, metadata.ino())
        };
        // It is mostly the one whose number stands there.
        let found = number(file)?.filter(holds).or_else(|| procfs::all().find(holds));
        let Some(pid) = found else { return Ok(None) };
        let holder = procfs::start_time(pid).zip(procfs::boot_id().ok());
        let holder = holder.map(|(start, boot)| Holder { pid: pid.as_raw_nonzero().get(), start, boot });
        // Seen once more, so that the start is that of the process that holds it.
        Ok(holder.filter(|_| holds(&pid)))
    }

    /// Its number.
    #[must_use]
    pub fn pid(&self) -> Option<Pid> {
        Pid::from_raw(self.pid)
    }

    /// Whether it is this very process that runs, and not a later one of the same number.
    #[must_use]
    pub fn lives(&self) -> bool {
        self.pid().and_then(procfs::start_time) == Some(self.start)
            && procfs::boot_id().is_ok_and(|boot| boot == self.boot)
    }

    /// Sends it SIGTERM; true when it was there to receive it.
    ///
    /// # Errors
    /// What the system says: it is another user's, mostly.
    pub fn terminate(&self) -> io::Result<bool> {
        let Some(pid) = self.pid() else { return Ok(false) };
        // The descriptor pins the process: what is found to be the right one afterwards stays it.
        let process = match pidfd_open(pid, PidfdFlags::empty()) {
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

/// Whether a process is another mod-watch that supervises: `mod-watch … run …`.
fn is_supervisor(pid: Pid) -> bool {
    let arguments = procfs::arguments(pid);
    let program = arguments.first().and_then(|program| Path::new(program).file_name()).unwrap_or_default();
    pid != rustix::process::getpid()
        && program.to_string_lossy().starts_with("mod-watch")
        && arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "run")
}

/// The process number on the first line of a lock file; older versions wrote more lines.
fn number(file: &mut File) -> io::Result<Option<Pid>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(64).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let number = text.lines().next().and_then(|line| line.trim().parse().ok());
    Ok(number.filter(|&number: &i32| number > 0).and_then(Pid::from_raw))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> (tempfile::TempDir, Paths) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let paths = Paths::at(dir.path(), "x").expect("named");
        (dir, paths)
    }

    fn take(paths: &Paths) -> Lock {
        let Attempt::Taken(lock) = Lock::take(paths).expect("possible") else { unreachable!("free") };
        lock
    }

    #[test]
    fn one_holder_at_a_time_whatever_the_file_said_before() {
        let (_dir, paths) = scratch();
        // A number of a living process that never held the lock.
        fs::write(paths.pid(), format!("{}\n1\nold-boot\n", std::process::id())).expect("written");
        assert_eq!(probe(&paths).expect("readable"), Probe::Free);
        let mut lock = take(&paths);
        lock.sign().expect("signed");
        assert_eq!(fs::read_to_string(paths.pid()).expect("there"), format!("{}\n", std::process::id()));
        assert_eq!(paths.pid().metadata().expect("there").mode() & 0o777, 0o600);
        // A test is not a supervisor, so nobody can be named, and nobody would be signalled.
        assert!(matches!(Lock::take(&paths), Ok(Attempt::Held(None))));
        assert_eq!(probe(&paths).expect("readable"), Probe::Held(None));
        lock.release();
        assert_eq!(probe(&paths).expect("readable"), Probe::Free);
        assert_eq!(fs::read(paths.pid()).expect("still there"), b"");
    }

    #[test]
    fn a_lock_file_that_was_removed_is_made_again_unless_another_was_faster() {
        let (_dir, paths) = scratch();
        let mut lock = take(&paths);
        assert_eq!(lock.check(&paths), Upkeep::Renewed("its process number"));
        assert_eq!(lock.check(&paths), Upkeep::Kept);
        fs::remove_file(paths.pid()).expect("there");
        assert_eq!(lock.check(&paths), Upkeep::Renewed("its lock file, which was removed"));
        assert_eq!(fs::read_to_string(paths.pid()).expect("there"), format!("{}\n", std::process::id()));
        fs::remove_file(paths.pid()).expect("there");
        let _other = take(&paths);
        assert!(matches!(lock.check(&paths), Upkeep::Lost(reason) if reason.contains("x.pid")));
    }

    #[test]
    fn a_holder_is_known_by_number_start_and_boot() {
        let own = Holder::own().expect("known");
        assert!(own.lives());
        let reused = Holder { start: own.start + 1, ..own.clone() };
        let rebooted = Holder { boot: "another".into(), ..own };
        for other in [reused, rebooted] {
            assert!(!other.lives());
            assert!(matches!(other.terminate(), Ok(false)), "nobody else is signalled");
        }
    }
}
