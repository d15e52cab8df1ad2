//! Files that hold one secret: a file that nobody else can read, or a pipe; UTF-8, one line, and bounded in size
//! and time.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    path::Path,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::secret_text::{self, LONGEST, Readers};
use crate::error::{Error, Result};

/// How long the writer of a pipe is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The secret in a file; none where the file does not exist, or is a credential that systemd left empty.
///
/// # Errors
/// [`Error::Usage`], naming the setting and the file; [`Error::Read`].
pub(super) fn read(name: &str, path: &Path, readers: Readers) -> Result<Option<String>> {
    let refuse = |reason: String| Error::usage(format!("{name}: {}: {reason}", path.display()));
    // A pipe that nobody writes to must not be waited for in open().
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let mut file = match OpenOptions::new().read(true).custom_flags(nonblocking).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::read(path)(error)),
    };
    let metadata = file.metadata().map_err(Error::read(path))?;
    let mode = metadata.mode();
    if readers == Readers::Owner && mode & 0o077 != 0 {
        let path = path.display();
        return Err(refuse(format!("can be read by others (mode {:o}); chmod 600 {path}", mode & 0o777)));
    }
    let bytes = match kind(&metadata) {
        Some(Kind::File) => at_most(&mut file, path)?,
        Some(Kind::Pipe) => from_pipe(&mut file).map_err(Error::read(path))?,
        None => return Err(refuse("neither a file nor a pipe".to_owned())),
    };
    secret_text::judge(&bytes, readers).map_err(refuse)
}

enum Kind {
    File,
    Pipe,
}

fn kind(metadata: &Metadata) -> Option<Kind> {
    let kind = metadata.file_type();
    match (kind.is_file(), kind.is_fifo()) {
        (true, _) => Some(Kind::File),
        (_, true) => Some(Kind::Pipe),
        _ => None,
    }
}

fn at_most(file: &mut File, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(Error::read(path))?;
    Ok(bytes)
}

fn from_pipe(file: &mut File) -> io::Result<Vec<u8>> {
    let until = Instant::now() + PATIENCE;
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    while bytes.len() as u64 <= LONGEST {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let words = format!("nobody wrote to this pipe and closed it within {} s", PATIENCE.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, words));
        }
        let left = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(&*file, PollFlags::IN)], Some(&left)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => bytes.extend_from_slice(&chunk[..length]),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

/// Refuses an env file that was found rather than named and belongs to somebody else: they would say which
/// server gets our passwords.
pub(super) fn refuse_foreign(path: &Path) -> Result<()> {
    let metadata = fs::metadata(path).map_err(Error::read(path))?;
    let ours = [rustix::process::geteuid().as_raw(), 0];
    if ours.contains(&metadata.uid()) {
        return Ok(());
    }
    let (path, uid) = (path.display(), metadata.uid());
    Err(Error::usage(format!(
        "{path} belongs to another user (uid {uid}) and is not read; chown it, or name it: --env-file {path}"
    )))
}

/// Whether others can read a file. Where the system's own files are, a group of its own is trusted.
pub(super) fn is_readable_by_others(path: &Path) -> bool {
    let others = if path.starts_with("/etc") { 0o007 } else { 0o077 };
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.mode() & others != 0)
}
