//! The moment that a device shows: its clock, and the ten-minute slot that decides its state.

use chrono::{DateTime, Utc};
use modtools::record::Timestamp;

/// Seconds for which every upstream keeps its state.
pub const SLOT_S: i64 = 600;
/// Slots of a day.
pub const DAY: i64 = 86_400 / SLOT_S;

/// Number of a ten-minute slot since 1970.
pub type Slot = i64;

/// The slot of a time.
pub fn slot_of(time: Timestamp) -> Slot {
    time.0.div_euclid(SLOT_S)
}

/// When a slot begins.
pub fn start_of(slot: Slot) -> Timestamp {
    Timestamp(slot * SLOT_S)
}

/// How the clock of the whole fleet goes.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The time passes, and with it the state.
    Live,
    /// The time passes, the state is that of this slot.
    Held(Slot),
    /// It is always this time.
    Frozen(Timestamp),
}

/// What a device is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// What its clock shows.
    pub now: DateTime<Utc>,
    /// What its state is that of.
    pub slot: Slot,
}

impl Clock {
    /// The present moment.
    pub fn moment(self) -> Moment {
        let system = modtools::clock::Clock::System.now();
        match self {
            Clock::Live => Moment { now: system.utc(), slot: slot_of(system) },
            Clock::Held(slot) => Moment { now: system.utc(), slot },
            Clock::Frozen(time) => Moment { now: time.utc(), slot: slot_of(time) },
        }
    }
}
