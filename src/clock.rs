//! The only place that reads the wall clock, so that tests can hold it still.

use crate::record::Timestamp;

/// Where "now" comes from.
#[derive(Clone, Copy, Debug, Default)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// A moment that does not pass, for tests.
    Fixed(Timestamp),
}

impl Clock {
    /// Whole seconds, UTC.
    #[must_use]
    pub fn now(self) -> Timestamp {
        match self {
            Clock::System => Timestamp(chrono::Utc::now().timestamp()),
            Clock::Fixed(moment) => moment,
        }
    }
}
