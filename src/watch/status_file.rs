//! `NAME.status`, written when something changed and at least every few seconds; and read by others.

use std::{
    fs, io,
    path::PathBuf,
    time::{Duration, Instant, SystemTime},
};

use super::{
    paths::{LARGEST, Paths},
    watchdog_log::WatchdogLog,
};
use crate::{
    error::{Error, Result},
    files, output,
    record::Document,
};

/// A status that changed in its counts only waits this long.
const PACE: Duration = Duration::from_secs(1);
/// A status is written at least so often, as a sign of life.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// A status that is older was left by a supervisor that hangs, or that cannot write it.
pub const STALE: Duration = Duration::from_secs(60);

/// The writer of the status.
#[derive(Debug)]
pub struct StatusFile {
    path: PathBuf,
    lock_file: String,
    last: Option<(Instant, Document)>,
    broken: bool,
}

impl StatusFile {
    /// For a paths.
    #[must_use]
    pub fn new(paths: &Paths) -> Self {
        let lock_file = paths.pid().display().to_string();
        StatusFile { path: paths.status(), lock_file, last: None, broken: false }
    }

    /// Writes it in the next turn in any case: the file may be missing.
    pub fn refresh(&mut self) {
        self.last = None;
    }

    /// Path of the lock, as the status names it.
    #[must_use]
    pub fn lock_file(&self) -> &str {
        &self.lock_file
    }

    /// Writes the status when it is time to. That it cannot be written is said once, and no reason to
    /// stop anything.
    pub fn write(&mut self, document: &Document, now: Instant, watchdog_log: &WatchdogLog) {
        if !self.is_due(document, now) {
            return;
        }
        self.last = Some((now, document.clone()));
        match (write(&self.path, document), self.broken) {
            (Err(error), false) => {
                self.broken = true;
                watchdog_log.warn(&format!("{error}; supervision goes on without"));
            }
            (Ok(()), true) => {
                self.broken = false;
                watchdog_log.warn("the status is written again");
            }
            _ => {}
        }
    }

    fn is_due(&self, document: &Document, now: Instant) -> bool {
        let Some((when, last)) = &self.last else { return true };
        let age = now.duration_since(*when);
        let news =
            (document.status, &document.message, document.pid) != (last.status, &last.message, last.pid);
        let counts = document.last_heartbeat.to_bits() != last.last_heartbeat.to_bits()
            || document.statistics.totals != last.statistics.totals;
        news || (counts && age >= PACE) || age >= SIGN_OF_LIFE
    }
}

/// Writes a status file.
pub fn write(path: &std::path::Path, document: &Document) -> Result<()> {
    output::replace_file(path, 0o644, |out| {
        serde_json::to_writer_pretty(&mut *out, document).map_err(|e| Error::write(path)(e.into()))?;
        out.write_all(b"\n").map_err(Error::write(path))
    })
}

/// The status as it stands in its file, and how old the file is; none when it is missing. One that others
/// can have written is named and ignored.
///
/// # Errors
/// [`Error::Read`] when it cannot be read, or is not a status.
pub fn read(paths: &Paths) -> Result<Option<(Document, Duration)>> {
    let path = paths.status();
    let json = match files::read_trusted(&path, LARGEST) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            log::warn!("{}: {error}: it is ignored", path.display());
            return Ok(None);
        }
        read => read.map_err(Error::read(&path))?,
    };
    let Some(json) = json else { return Ok(None) };
    let document = serde_json::from_slice(&json).map_err(|e| Error::read(&path)(e.into()))?;
    let written = fs::metadata(&path).and_then(|metadata| metadata.modified()).map_err(Error::read(&path))?;
    let age = SystemTime::now().duration_since(written).unwrap_or_default();
    Ok(Some((document, age)))
}
