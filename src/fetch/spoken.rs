//! What is said of failing devices on stderr: every one in a single run; in `--every` mode when its state
//! changes and once an hour.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use crate::record::{Capture, Status};

const AGAIN: Duration = Duration::from_secs(3600);

/// What was said of each device last.
#[derive(Debug, Default)]
pub struct Spoken {
    continuous: bool,
    last: HashMap<String, (Status, Instant)>,
}

impl Spoken {
    /// For a single run or for a continuous one.
    #[must_use]
    pub fn new(continuous: bool) -> Self {
        Spoken { continuous, last: HashMap::new() }
    }

    /// Says what is to be said of a capture.
    pub fn say(&mut self, capture: &Capture) {
        let (cmts, status) = (&capture.cmts, capture.status);
        let reason = capture.error.as_deref().unwrap_or("no reason known");
        if status == Status::Partial {
            log::info!("{cmts}: {status}: {reason}");
        }
        if status.is_good() {
            if self.last.remove(cmts).is_some() {
                log::warn!("{cmts}: {status}: answers again");
            }
            return;
        }
        let known = self.last.get(cmts).is_some_and(|&(said, when)| said == status && when.elapsed() < AGAIN);
        if known {
            return;
        }
        log::warn!("{cmts}: {status}: {reason}");
        if self.continuous {
            self.last.insert(cmts.clone(), (status, Instant::now()));
        }
    }
}
