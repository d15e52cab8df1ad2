//! How long mod-prune may go on.

use std::time::{Duration, Instant};

use crate::{record::Stopped, signals::Signals};

/// Ended by a deadline or a signal.
#[derive(Debug)]
pub struct Until {
    deadline: Option<Instant>,
    signals: Signals,
}

impl Until {
    /// Begins to count.
    #[must_use]
    pub fn new(deadline: Option<Duration>, signals: Signals) -> Self {
        Until { deadline: deadline.map(|after| Instant::now() + after), signals }
    }

    /// Why nothing more is to be begun, if so.
    #[must_use]
    pub fn stop(&self) -> Option<Stopped> {
        if self.signals.stopping() {
            Some(Stopped::Signal)
        } else if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            Some(Stopped::Deadline)
        } else {
            None
        }
    }

    /// Waits, not beyond the deadline or a signal.
    pub fn pause(&self, pause: Duration) {
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        // Whoever was told to stop finds out by asking.
        let _ = self.signals.wait(left.map_or(pause, |left| left.min(pause)));
    }
}
