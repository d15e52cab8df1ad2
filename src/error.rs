//! Every way in which a run as a whole can fail. One bad device, line or row is not an `Error`:
//! it becomes a record and a line on stderr, and the run goes on.
//!
//! Messages are lower case, on one line, and name the flag, file or device and the remedy.

use std::{io, path::PathBuf};

use crate::exit::Exit;

/// The result of anything that can end a run.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a run ended without doing what was asked.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum Error {
    /// A flag, a setting or an input file that cannot be used as it stands; exit 2.
    #[error("{0}")]
    Usage(String),
    /// A file that has to be read and cannot be; exit 2, because it was named by the user.
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    /// A file that cannot be written: full disk, no such directory, no right; exit 1.
    #[error("cannot write {path}: {source}")]
    Write { path: PathBuf, source: io::Error },
    /// Standard input broke off with a fault of the system; exit 1.
    #[error("cannot read standard input: {0}")]
    Input(io::Error),
    /// Standard output took no more (a full disk behind a redirection); exit 1.
    #[error("cannot write standard output: {0}")]
    Output(io::Error),
    /// The reader of our output went away (`| head`): not a fault, exit 0.
    #[error("the reader of standard output went away")]
    ReaderGone,
    /// Another process holds the lock; exit 4.
    #[error("{path} is locked by {holder}: nothing was done")]
    Locked { path: PathBuf, holder: String },
    /// The database refused, broke off or is not what we expect; exit 1.
    #[error("database {place}: {reason}")]
    Database {
        /// Which database, never with a password.
        place: String,
        /// What it said, and the remedy where there is one.
        reason: String,
    },
    /// The database cannot be used for now: away, busy, read-only, full. Later it may be; exit 1.
    #[error("database {place}: {reason}")]
    Away {
        /// Which database, never with a password.
        place: String,
        reason: String,
    },
    /// Anything else of the system that failed; `what` says what was tried.
    #[error("{what}: {source}")]
    System { what: String, source: io::Error },
}

impl Error {
    /// A [`Error::Usage`] of anything that can be shown.
    pub fn usage(message: impl Into<String>) -> Self {
        Error::Usage(message.into())
    }

    /// A write to standard output that failed: a reader that went away is told apart from a full disk.
    #[must_use]
    pub fn output(source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::BrokenPipe { Error::ReaderGone } else { Error::Output(source) }
    }

    /// For `map_err`: a file that cannot be read.
    pub fn read(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Error::Read { path, source }
    }

    /// For `map_err`: a file that cannot be written.
    pub fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Error::Write { path, source }
    }

    /// For `map_err`: a call to the system that failed.
    pub fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Error::System { what, source }
    }

    /// The exit code that this error stands for.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Error::ReaderGone => Exit::Done,
            Error::Usage(_) | Error::Read { .. } => Exit::Usage,
            Error::Locked { .. } => Exit::Locked,
            Error::Write { .. }
            | Error::Input(_)
            | Error::Output(_)
            | Error::Database { .. }
            | Error::Away { .. }
            | Error::System { .. } => Exit::Failed,
        }
    }
}
