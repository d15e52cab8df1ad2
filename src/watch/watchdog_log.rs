//! What the supervisor and its visitors did and why: `watchdog.log`, and stderr for warnings.

use std::io;

use super::{health::local, log::Log, paths::Paths};
use crate::{clock::Clock, text};

/// Bytes of `watchdog.log` before it is rotated.
const MAX: u64 = 1 << 20;

/// The log of one name.
#[derive(Clone, Debug)]
pub struct WatchdogLog {
    log: Log,
    name: String,
    clock: Clock,
}

impl WatchdogLog {
    /// The log of these paths.
    #[must_use]
    pub fn of(paths: &Paths, clock: Clock) -> Self {
        WatchdogLog { log: Log::new(paths.watchdog_log(), MAX, 1), name: paths.name().to_owned(), clock }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Something that was meant to happen.
    pub fn info(&self, message: &str) {
        log::info!("{}: {message}", self.name);
        self.write(message);
    }

    /// Something that somebody should know.
    pub fn warn(&self, message: &str) {
        log::warn!("{}: {message}", self.name);
        self.write(message);
    }

    fn write(&self, message: &str) {
        let now = local(self.clock.now());
        let line = format!("{now} {}: {}\n", self.name, text::terminal(message));
        if let Err(error) = self.log.append(line.as_bytes()) {
            // On stderr it was said already; a full disk must not stop anything.
            match error.kind() {
                io::ErrorKind::PermissionDenied => {
                    log::warn!("watchdog.log: {error}: nothing is written to it")
                }
                _ => log::debug!("watchdog.log: {error}"),
            }
        }
    }
}
