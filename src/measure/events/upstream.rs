//! One upstream under watch: whether it is below what is expected of it, with hysteresis.

use serde::{Deserialize, Serialize};

use crate::{
    modulation::Modulation,
    record::{Timestamp, is_zero},
};

/// So many scans below open an event, unless so many above lie between them,
const DOWN: u8 = 2;
/// and so many in a row at what is expected close it.
const UP: u8 = 3;
/// What an upstream held for so many scans on end is what it can do, where nothing else says it.
const LEARNED: u8 = 6;

/// What is known of an upstream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Upstream {
    /// Its last sample that has bits.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Modulation>,
    /// When that was.
    pub ts: Timestamp,
    /// What a finished day says it can do.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub of_day: Option<Modulation>,
    /// The best that it was seen to hold.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    best: Option<Modulation>,
    /// The lowest of the last scans that were all above `best`, and how many these are.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    better: Option<(Modulation, u8)>,
    /// It was below what is expected when we came, or when an event ended without it: only a fall below this is news.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    floor: Option<Modulation>,
    /// Scans below since `UP` in a row were not, at most `DOWN`.
    #[serde(rename = "d", default, skip_serializing_if = "is_zero")]
    downs: u8,
    /// Scans in a row that were not below.
    #[serde(rename = "u", default, skip_serializing_if = "is_zero")]
    ups: u8,
    /// The first scan below, and the modulation before it.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub fell: Option<(Timestamp, Modulation)>,
    /// The event that it belongs to.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
}

/// What a sample changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing that is news.
    Nothing,
    Down,
    /// It was down and is back.
    Up,
}

impl Upstream {
    /// What is expected of it; `told` is what the user says.
    #[must_use]
    pub fn expected(&self, told: Option<Modulation>) -> Option<Modulation> {
        told.or(self.of_day).or(self.best)
    }

    /// Takes the next sample in the order of time. `told` is what the user expects, `hold` for how long a sample
    /// holds, s. A sample without bits (OFDMA, UNKNOWN) says neither up nor down.
    pub fn feed(&mut self, ts: Timestamp, now: Modulation, told: Option<Modulation>, hold: i64) -> Change {
        if now.bits().is_none() {
            return Change::Nothing;
        }
        let before = self.last.replace(now);
        let is_gap = ts.since(std::mem::replace(&mut self.ts, ts)) > hold;
        self.learn(now);
        let Some(expected) = self.expected(told) else { return Change::Nothing };
        if now < expected && self.downs == 0 && before.is_none_or(|before| now >= before) {
            // It did not fall: it was there already, or more is expected now.
            self.floor = Some(self.floor.map_or(now, |floor| floor.min(now)));
        }
        let is_below = now < self.floor.map_or(expected, |floor| floor.min(expected));
        if is_below {
            return self.below(ts, before.unwrap_or(now), is_gap);
        }
        self.ups = (self.ups + 1).min(UP);
        if self.ups < UP {
            return Change::Nothing;
        }
        if now >= expected {
            self.floor = None;
        }
        self.fell = None;
        let was_down = std::mem::take(&mut self.downs) >= DOWN;
        if was_down { Change::Up } else { Change::Nothing }
    }

    fn below(&mut self, ts: Timestamp, before: Modulation, is_gap: bool) -> Change {
        self.ups = 0;
        self.fell = match self.fell {
            // Nothing is said of time that was not observed.
            Some((_, before)) if is_gap && self.downs < DOWN => Some((ts, before)),
            None => Some((ts, before)),
            known => known,
        };
        let was_down = self.downs >= DOWN;
        self.downs = (self.downs + 1).min(DOWN);
        if self.downs >= DOWN && !was_down { Change::Down } else { Change::Nothing }
    }

    /// Ends its part in an event without its being back: where it is now is where it stays.
    pub fn leave(&mut self) {
        self.event = None;
        self.floor = self.last;
        (self.downs, self.ups, self.fell) = (0, 0, None);
    }

    fn learn(&mut self, now: Modulation) {
        if self.best.is_some_and(|best| now <= best) {
            self.better = None;
            return;
        }
        let (lowest, scans) = self.better.map_or((now, 1), |(lowest, scans)| (lowest.min(now), scans + 1));
        self.better = Some((lowest, scans));
        if scans >= LEARNED {
            (self.best, self.better) = (Some(lowest), None);
        }
    }
}
