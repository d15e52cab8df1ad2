//! What an upstream's past says of it: the modulations that it could hold, since when it is below them, and how
//! its last days went. Each finished day carries it forward, so that a report reads one day and not ninety.

use serde::{Deserialize, Serialize};

use super::arithmetic::{Day, PerIndex, Sampled, WITH_BITS, named, of_text, suffix};
use crate::modulation::Modulation;

/// A modulation that was held for at least this part of a finished day is one that the upstream can do, %.
const HELD_PCT: u64 = 10;
/// `chronic_days` counts within so many days.
pub const CHRONIC_DAYS: usize = 14;
/// An upstream without a sample for so many days is not carried forward.
const FORGOTTEN_DAYS: i32 = 92;
/// No day: half of its observed time was below nothing, or it was not observed.
const NEVER: u8 = u8::MAX;

/// A local day, counted from 1970-01-01.
pub type DayNumber = i32;

/// The past of one upstream, up to a moment. Days are 0 where there was none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// The last day that counts in it.
    pub day: DayNumber,
    /// By modulation with bits the last finished day of which it was held for at least 10 %.
    #[serde(with = "by_modulation", skip_serializing_if = "is_never")]
    pub held: [DayNumber; WITH_BITS],
    /// The last day on which it was held at all, where that is another one.
    #[serde(with = "by_modulation", skip_serializing_if = "is_never")]
    later: [DayNumber; WITH_BITS],
    /// The last sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Sampled>,
    /// By threshold since when it is below (UNIX); 0: it is not.
    #[serde(with = "suffix", skip_serializing_if = "is_not_below")]
    pub below_from: [i64; WITH_BITS],
    /// Of the last days, newest last, the lowest threshold that half of the observed time was below.
    #[serde(with = "digits")]
    days: [u8; CHRONIC_DAYS],
}

impl Default for Memory {
    fn default() -> Self {
        Memory {
            day: 0,
            held: [0; WITH_BITS],
            later: [0; WITH_BITS],
            last: None,
            below_from: [0; WITH_BITS],
            days: [NEVER; CHRONIC_DAYS],
        }
    }
}

fn is_never(days: &[DayNumber; WITH_BITS]) -> bool {
    days.iter().all(|&day| day == 0)
}

fn is_not_below(moments: &[i64; WITH_BITS]) -> bool {
    moments.iter().all(|&moment| moment == 0)
}

impl Memory {
    /// Takes the samples of the time that follows. A stretch below goes on through it unless more than a hold
    /// was not observed.
    pub fn follow(&mut self, next: &Day, hold: i64) {
        let Some(first) = next.first else { return };
        let is_joined = self.last.is_some_and(|last| first.0.saturating_sub(last.0) <= 2 * hold);
        for (ours, &theirs) in self.below_from.iter_mut().zip(&next.below_from) {
            let goes_on = is_joined && *ours != 0 && theirs == first.0;
            *ours = if goes_on { *ours } else { theirs };
        }
        self.last = next.last;
    }

    /// Ends a local day with its time by modulation.
    pub fn close(&mut self, day: DayNumber, time: &PerIndex) {
        self.shift_to(day);
        let observed = total(time);
        if observed == 0 {
            return;
        }
        let below = |threshold: usize| total(&time[..threshold]);
        let lowest = (1..WITH_BITS).find(|&threshold| below(threshold) * 2 >= observed);
        if let (Some(today), Some(lowest)) = (self.days.last_mut(), lowest) {
            *today = lowest as u8;
        }
        for (at, &held) in time[..WITH_BITS].iter().enumerate() {
            if u64::from(held) * 100 >= observed * HELD_PCT {
                (self.held[at], self.later[at]) = (day, 0);
            } else if held > 0 {
                self.later[at] = day;
            }
        }
    }

    /// Notes what was held on a day that is not over.
    pub fn note(&mut self, day: DayNumber, time: &PerIndex) {
        for (at, &held) in time[..WITH_BITS].iter().enumerate() {
            if held > 0 && self.held[at] != day {
                self.later[at] = day;
            }
        }
    }

    fn shift_to(&mut self, day: DayNumber) {
        let days = usize::try_from(day.saturating_sub(self.day)).unwrap_or(0).min(CHRONIC_DAYS);
        self.days.rotate_left(days);
        self.days[CHRONIC_DAYS - days..].fill(NEVER);
        self.day = self.day.max(day);
    }

    /// Whether there is a reason to carry it on to a day.
    #[must_use]
    pub fn is_alive(&self, day: DayNumber) -> bool {
        self.held.iter().chain(&self.later).any(|&seen| seen > day - FORGOTTEN_DAYS)
    }

    /// The best modulation that was held for at least 10 % of one of the days before `day`, `within` so many.
    #[must_use]
    pub fn best_held(&self, day: DayNumber, within: u32) -> Option<Modulation> {
        let from = day - i32::try_from(within).unwrap_or(i32::MAX);
        let is_held = |m: &Modulation| self.held[m.index()] >= from.max(1);
        Modulation::ALL[..WITH_BITS].iter().rev().copied().find(is_held)
    }

    /// The last day on which a modulation was held.
    #[must_use]
    pub fn last_day_of(&self, modulation: Modulation) -> Option<DayNumber> {
        let at = modulation.index();
        let day = self.held.get(at)?.max(&self.later[at]);
        (*day > 0).then_some(*day)
    }

    /// Of the last 14 days up to `day` those of which half of the observed time was below a modulation.
    #[must_use]
    pub fn chronic_days(&self, day: DayNumber, expected: Modulation) -> u32 {
        let mut memory = self.clone();
        memory.shift_to(day);
        memory.days.iter().filter(|&&lowest| usize::from(lowest) <= expected.index()).count() as u32
    }
}

fn total(time: &[u32]) -> u64 {
    time.iter().map(|&s| u64::from(s)).sum()
}

/// Days by the words of the modulations.
mod by_modulation {
    use serde::{Deserializer, Serializer};

    use super::{DayNumber, WITH_BITS, named};

    pub fn serialize<S: Serializer>(days: &[DayNumber; WITH_BITS], serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = [0; 9];
        for (to, &day) in all.iter_mut().zip(days) {
            *to = u32::try_from(day).unwrap_or(0);
        }
        named::serialize(&all, serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[DayNumber; WITH_BITS], D::Error> {
        let all = named::deserialize(deserializer)?;
        let mut days = [0; WITH_BITS];
        for (to, day) in days.iter_mut().zip(all) {
            *to = i32::try_from(day).unwrap_or(0);
        }
        Ok(days)
    }
}

/// A digit per day, `-` for none.
mod digits {
    use serde::{Deserializer, Serializer};

    use super::{CHRONIC_DAYS, NEVER, of_text};

    pub fn serialize<S: Serializer>(days: &[u8; CHRONIC_DAYS], serializer: S) -> Result<S::Ok, S::Error> {
        let letter = |&day: &u8| if day == NEVER { '-' } else { char::from(b'0' + day) };
        serializer.serialize_str(&days.iter().map(letter).collect::<String>())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; CHRONIC_DAYS], D::Error> {
        of_text(deserializer, |text| {
            let mut days = [NEVER; CHRONIC_DAYS];
            for (day, letter) in days.iter_mut().zip(text.bytes()) {
                *day = if letter.is_ascii_digit() { letter - b'0' } else { NEVER };
            }
            days
        })
    }
}
