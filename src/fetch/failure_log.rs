//! Failing devices on stderr: each of them in a single run; in `--every` mode when the state of a device changes,
//! and once an hour.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use crate::record::{Capture, Status};

/// After this long a failure is logged again.
const AGAIN: Duration = Duration::from_secs(3600);

/// What was logged about each device last.
#[derive(Debug, Default)]
pub struct FailureLog {
    continuous: bool,
    last: HashMap<String, (Status, Instant)>,
}

impl FailureLog {
    /// For a single run or for a continuous one.
    #[must_use]
    pub fn new(continuous: bool) -> Self {
        FailureLog { continuous, last: HashMap::new() }
    }

    /// Logs a capture that failed, or that is good again.
    pub fn log(&mut self, capture: &Capture) {
        let (cmts, status) = (&capture.cmts, capture.status);
        let reason = capture.error.as_deref().unwrap_or("the reason is not known");
        if status == Status::Partial {
            log::info!("{cmts}: {status}: {reason}");
        }
        if status.is_good() {
            if self.last.remove(cmts).is_some() {
                log::warn!("{cmts}: {status}: answers again");
            }
            return;
        }
        let known =
            self.last.get(cmts).is_some_and(|&(logged, when)| logged == status && when.elapsed() < AGAIN);
        if known {
            return;
        }
        log::warn!("{cmts}: {status}: {reason}");
        if self.continuous {
            self.last.insert(cmts.clone(), (status, Instant::now()));
        }
    }
}
