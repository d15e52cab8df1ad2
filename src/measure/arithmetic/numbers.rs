//! The numbers of one upstream over a window, once its last sample was fed and something is expected of it.

use std::ops::Deref;

use super::{Day, Frame, PerIndex, WITH_BITS};
use crate::{
    measure::memory::{DayNumber, Memory},
    modulation::Modulation,
    record::{Snr, Timestamp},
};

/// The share of the observed time, in percent, from which on a modulation counts as what the upstream can do.
const EXPECTED_PCT: u64 = 1;
/// DOCSIS: a channel's symbol rate is its width over 1.25 (roll-off 0.25).
const WIDTH_PER_SYMBOL_RATE: f64 = 1.25;

/// What `delta` needs of the day before.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Before {
    /// Changes, the first sample against what was carried in.
    pub hops: u32,
    /// Seconds held by [`Modulation::index`].
    pub time: PerIndex,
}

impl Before {
    /// Of a day, when anything was observed in it. What was lost while its CMTS was worked on is left out.
    #[must_use]
    pub fn of(day: &Day) -> Option<Self> {
        let mut time = day.time;
        time.iter_mut().zip(day.maintained).for_each(|(time, maintained)| *time -= maintained);
        (day.observed_s() > 0).then_some(Before { hops: day.hops, time })
    }
}

fn total(time: &[u32]) -> u64 {
    time.iter().map(|&s| u64::from(s)).sum()
}

/// Bits per symbol that are missing on average of those expected; none of no time that has bits.
#[must_use]
pub fn mean_bits_lost(time: &PerIndex, expected: Modulation) -> Option<f64> {
    let expected = expected.bits()?;
    let observed = total(&time[..WITH_BITS]);
    let lost = |m: &Modulation| {
        u64::from(time[m.index()]) * u64::from(expected.saturating_sub(m.bits().unwrap_or(expected)))
    };
    let lost: u64 = Modulation::ALL.iter().map(lost).sum();
    (observed > 0).then(|| lost as f64 / observed as f64)
}

/// What so many bits per symbol are of a channel, Mbit/s.
#[must_use]
pub fn mbps_of(width_hz: u64, bits: f64) -> f64 {
    width_hz as f64 / WIDTH_PER_SYMBOL_RATE * bits / 1e6
}

/// Adds up times by modulation.
pub fn add(sum: &mut PerIndex, time: &PerIndex) {
    sum.iter_mut().zip(time).for_each(|(sum, time)| *sum += time);
}

/// The best modulation held for at least 1 % of the time observed.
#[must_use]
pub fn best_held(time: &PerIndex) -> Option<Modulation> {
    let observed = total(time);
    let enough = |&m: &Modulation| {
        let held = u64::from(time[m.index()]);
        held > 0 && held * 100 >= observed * EXPECTED_PCT
    };
    Modulation::ALL[..WITH_BITS].iter().rev().copied().find(enough)
}

/// What an upstream's window came to, with its past.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct Course {
    pub day: Day,
    /// The best modulation that was held in the days before the window.
    pub held_before: Option<Modulation>,
    /// The past as it was when the window ended.
    pub memory: Memory,
    /// The day before, when it is known.
    pub before: Option<Before>,
    /// Per step of a page the index of the modulation held in its middle.
    pub steps: Box<[u8]>,
}

/// The days that a window lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The local day that it begins in.
    pub first: DayNumber,
    /// The last one that is over when it ends.
    pub last_over: DayNumber,
}

/// The numbers of one upstream over the window, not rounded.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct Numbers {
    pub day: Day,
    /// The day before, when it is known.
    pub before: Option<Before>,
    pub elapsed_s: u64,
    pub expected: Option<Modulation>,
    /// The last local day on which that was held.
    pub best_seen: Option<DayNumber>,
    /// When the stretch below it began that the last sample belongs to.
    pub since: Option<Timestamp>,
    /// Of the last 14 days those that were below it for half of their observed time.
    pub chronic_days: u32,
    pub degraded_s: u64,
    pub longest_degraded_s: u64,
    /// How often it rose again to what is expected.
    pub recovered: u32,
    /// By step ([`Frame::step_s`]) the index of the modulation held in its middle, if any was.
    pub steps: Box<[u8]>,
}

impl Deref for Numbers {
    type Target = Day;

    fn deref(&self) -> &Day {
        &self.day
    }
}

impl Numbers {
    /// The numbers of a course; `told` is what the user expects.
    #[must_use]
    pub fn new(course: Course, frame: &Frame, days: Days, told: Option<Modulation>) -> Self {
        let Course { day, held_before, memory, before, steps } = course;
        // Bits are in the order of the modulations.
        let expected = told.or_else(|| best_held(&day.time).max(held_before));
        let threshold = expected.map_or(0, Modulation::index);
        Numbers {
            elapsed_s: frame.elapsed(),
            expected,
            best_seen: expected.and_then(|expected| memory.last_day_of(expected)),
            since: Some(memory.below_from[threshold]).filter(|&ts| ts != 0).map(Timestamp),
            chronic_days: expected.map_or(0, |expected| memory.chronic_days(days.last_over, expected)),
            degraded_s: total(&day.time[..threshold]) - total(&day.maintained[..threshold]),
            longest_degraded_s: day.longest_below_s[threshold].into(),
            recovered: day.recovered[threshold],
            day,
            before,
            steps,
        }
    }

    /// The modulation of the last sample.
    #[must_use]
    pub fn last(&self) -> Modulation {
        self.day.last.map_or(Modulation::Unknown, |(_, modulation)| modulation)
    }

    /// `observed_s` of the time that has passed of the window.
    #[must_use]
    pub fn coverage_pct(&self) -> f64 {
        percent(self.observed_s(), self.elapsed_s)
    }

    /// The lowest modulation with bits that was sampled or held in the window.
    #[must_use]
    pub fn worst(&self) -> Option<Modulation> {
        let seen = |m: &Modulation| self.counts[m.index()] > 0 || self.time[m.index()] > 0;
        Modulation::ALL[..WITH_BITS].iter().copied().find(seen)
    }

    /// The signal-to-noise ratio, when it is known of the whole window.
    #[must_use]
    pub fn snr_db(&self) -> Option<Snr> {
        let mut seen = Modulation::ALL.into_iter().filter(|m| self.counts[m.index()] > 0);
        let lowest = seen.next()?;
        Some(self.day.snr.as_ref()?.of(self.expected, lowest, seen.next_back().unwrap_or(lowest)))
    }

    /// `lost_pct`: 100 × Σ time × max(0, expected bits − bits) / (time of samples that have bits × expected
    /// bits); none without an expectation or such time.
    #[must_use]
    pub fn lost_pct(&self) -> Option<f64> {
        let expected = f64::from(self.expected?.bits()?);
        self.mean_bits_lost().map(|lost| 100.0 * lost / expected)
    }

    /// `lost_mbps`: the symbol rate (width / 1.25) × the mean bits lost, in Mbit/s.
    #[must_use]
    pub fn lost_mbps(&self, width_hz: u64) -> Option<f64> {
        self.mean_bits_lost().map(|lost| mbps_of(width_hz, lost))
    }

    /// `lost_gb`: `lost_mbps` over the observed time that has bits, in GB (1e9 bytes).
    #[must_use]
    pub fn lost_gb(&self, width_hz: u64) -> Option<f64> {
        self.lost_mbps(width_hz).map(|mbps| mbps * self.time_with_bits() as f64 / 8000.0)
    }

    /// Observed seconds outside maintenance at a modulation that has bits.
    #[must_use]
    pub fn time_with_bits(&self) -> u64 {
        total(&self.time_that_counts()[..WITH_BITS])
    }

    /// Observed seconds in maintenance.
    #[must_use]
    pub fn maintenance_s(&self) -> u64 {
        total(&self.day.maintained)
    }

    fn time_that_counts(&self) -> PerIndex {
        let mut time = self.day.time;
        time.iter_mut().zip(self.day.maintained).for_each(|(time, maintained)| *time -= maintained);
        time
    }

    fn mean_bits_lost(&self) -> Option<f64> {
        mean_bits_lost(&self.time_that_counts(), self.expected?)
    }

    /// `delta`: how `hops` and `lost_pct` differ from the day before, which is measured by what is expected today;
    /// none when that day is not known. An unfinished day is compared with the same part of the day before.
    #[must_use]
    pub fn delta(&self) -> Option<(i64, Option<f64>)> {
        let before = self.before.as_ref()?;
        let lost = self.expected.and_then(|expected| {
            Some(
                self.lost_pct()?
                    - 100.0 * mean_bits_lost(&before.time, expected)? / f64::from(expected.bits()?),
            )
        });
        Some((i64::from(self.hops) - i64::from(before.hops), lost))
    }

    /// The strip of hours, in windows of one day.
    #[must_use]
    pub fn hours(&self) -> Option<String> {
        (!self.hours.is_empty()).then(|| strip(&self.hours))
    }
}

/// Modulations by their indexes; any other number is none.
pub fn modulations(indexes: &[u8]) -> impl Iterator<Item = Option<Modulation>> + '_ {
    indexes.iter().map(|&index| Modulation::ALL.get(usize::from(index)).copied())
}

/// Their indexes.
#[must_use]
pub fn indexes(held: Vec<Option<Modulation>>) -> Box<[u8]> {
    held.into_iter().map(|held| held.map_or(u8::MAX, |modulation| modulation as u8)).collect()
}

/// The hours of a day, one character each.
#[must_use]
pub fn strip(hours: &[u8]) -> String {
    let letter = |&lowest: &u8| match Modulation::ALL.get(usize::from(lowest)) {
        None => '-',
        Some(Modulation::Ofdma) => 'O',
        Some(modulation) => modulation.bits().map_or('?', |bits| char::from(b'0' + bits)),
    };
    hours.iter().map(letter).collect()
}

/// The hours that a strip tells.
#[must_use]
pub fn hours_of(strip: &str) -> Box<[u8]> {
    let index = |letter: u8| match letter {
        b'2'..=b'8' => letter - b'2',
        b'O' => Modulation::Ofdma as u8,
        b'?' => Modulation::Unknown as u8,
        _ => u8::MAX,
    };
    strip.bytes().map(index).collect()
}

/// `part` of `whole`, 0 to 100; 0 of nothing.
#[must_use]
pub fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 }
}
