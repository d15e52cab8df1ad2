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
        self.now_with_us().0
    }

    /// Whole seconds, UTC, and the microseconds beyond them.
    #[must_use]
    pub fn now_with_us(self) -> (Timestamp, u32) {
        match self {
            Clock::System => {
                let now = chrono::Utc::now();
                // A leap second counts beyond a million.
                (Timestamp(now.timestamp()), now.timestamp_subsec_micros().min(999_999))
            }
            Clock::Fixed(moment) => (moment, 0),
        }
    }
}
