//! Locks between processes, on files: flock(2), which ends with the process that holds it, and which
//! OpenSSH, flock(1) and the program that modtools replaces use, too.

use std::{
    fs::File,
    io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use fs2::FileExt;

use crate::error::{Error, Result};

/// Between two tries for a lock that another process holds.
const RETRY: Duration = Duration::from_millis(20);
/// Whoever waits longer than this says so.
const SILENT: Duration = Duration::from_secs(2);

/// Takes the lock if nobody holds it; false when somebody does.
///
/// # Errors
/// What the system says: file systems without locks, mostly.
pub fn try_exclusive(file: &File) -> io::Result<bool> {
    taken(FileExt::try_lock_exclusive(file))
}

/// Takes the lock for reading if nobody holds it for writing; false when somebody does.
pub fn try_shared(file: &File) -> io::Result<bool> {
    taken(FileExt::try_lock_shared(file))
}

fn taken(tried: io::Result<()>) -> io::Result<bool> {
    match tried {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}

/// Lets go of the lock before the file is closed.
pub fn release(file: &File) {
    // It ends with the file in any case.
    let _ = FileExt::unlock(file);
}

/// Takes the lock, and waits for it at most `wait`; after two seconds a line on stderr says that it waits.
///
/// # Errors
/// [`Error::Locked`] naming `holder` when the time is over; [`Error::Write`].
pub fn exclusive(file: &File, path: &Path, wait: Duration, holder: &str) -> Result<()> {
    let began = Instant::now();
    let mut is_silent = true;
    while !try_exclusive(file).map_err(Error::write(path))? {
        let waited = began.elapsed();
        if waited >= wait {
            return Err(Error::Locked { path: path.to_owned(), holder: holder.to_owned() });
        }
        if waited >= SILENT && std::mem::take(&mut is_silent) {
            let seconds = wait.as_secs();
            log::warn!("{} is locked by {holder}: waiting for at most {seconds} s", path.display());
        }
        thread::sleep(RETRY);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_for_a_lock_ends() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("lock");
        let open = || File::options().write(true).create(true).truncate(false).open(&path).expect("opened");
        let (ours, theirs) = (open(), open());
        assert!(try_exclusive(&theirs).expect("tried"));
        assert!(!try_exclusive(&ours).expect("tried") && !try_shared(&ours).expect("tried"));
        let refused = exclusive(&ours, &path, Duration::from_millis(50), "another one");
        assert!(matches!(refused, Err(Error::Locked { holder, .. }) if holder == "another one"));
        release(&theirs);
        exclusive(&ours, &path, Duration::ZERO, "another one").expect("free");
    }
}
