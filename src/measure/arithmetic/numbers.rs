//! The numbers of one upstream over a window, once its last sample was fed.

use super::{Frame, PerIndex, WITH_BITS};
use crate::modulation::Modulation;

/// The share of the observed time, in percent, from which on a modulation counts as what the upstream can do.
const EXPECTED_PCT: u64 = 1;
/// DOCSIS: a channel's symbol rate is its width over 1.25 (roll-off 0.25).
const WIDTH_PER_SYMBOL_RATE: f64 = 1.25;

/// What an upstream's window came to before anything is expected of it: what `modulation_day` keeps.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Day {
    pub last: Modulation,
    /// Samples by [`Modulation::index`].
    pub counts: PerIndex,
    /// Seconds held by [`Modulation::index`].
    pub time: PerIndex,
    pub hops: u32,
    pub hops_down: u32,
    pub hops_up: u32,
    pub hops_seed: u32,
    /// The longest stretch below each modulation with bits, s.
    pub longest_below: [u32; WITH_BITS],
    pub flapping: bool,
    /// Per hour the index of the lowest modulation held in it, if any.
    pub hours: Box<[u8]>,
}

impl Day {
    /// The numbers of it. `history` is the time by modulation that tells what to expect, its own included.
    #[must_use]
    pub fn numbers(self, frame: &Frame, history: &PerIndex) -> Numbers {
        self.numbers_without(frame, history, PerIndex::default())
    }

    /// As [`Day::numbers`], with the time by modulation in which its CMTS was worked on: that time is not
    /// degraded, and nothing is lost in it.
    #[must_use]
    pub fn numbers_without(self, frame: &Frame, history: &PerIndex, maintained: PerIndex) -> Numbers {
        let expected = frame.expected.or_else(|| best_held(history));
        let threshold = expected.map_or(0, Modulation::index);
        let degraded = total(&self.time[..threshold]) - total(&maintained[..threshold]);
        Numbers {
            last: self.last,
            counts: self.counts,
            time: self.time,
            maintained,
            before: None,
            hops: self.hops,
            hops_down: self.hops_down,
            hops_up: self.hops_up,
            hops_seed: self.hops_seed,
            elapsed_s: frame.elapsed(),
            expected,
            degraded_s: degraded,
            longest_degraded_s: self.longest_below.get(threshold).map_or(0, |&longest| u64::from(longest)),
            flapping: self.flapping,
            hours: self.hours,
            steps: Box::default(),
        }
    }
}

/// What `delta` needs of the day before.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Before {
    /// Changes, the first sample against what was carried in.
    pub hops: u32,
    /// Seconds held by [`Modulation::index`].
    pub time: PerIndex,
}

impl Before {
    /// Whether anything was observed.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.time.iter().any(|&s| s > 0)
    }
}

fn total(time: &[u32]) -> u64 {
    time.iter().map(|&s| u64::from(s)).sum()
}

/// Bits per symbol that are missing on average of those expected; none of no time that has bits.
fn mean_bits_lost(time: &PerIndex, expected: Modulation) -> Option<f64> {
    let expected = expected.bits()?;
    let observed = total(&time[..WITH_BITS]);
    let lost = |m: &Modulation| {
        u64::from(time[m.index()]) * u64::from(expected.saturating_sub(m.bits().unwrap_or(expected)))
    };
    let lost: u64 = Modulation::ALL.iter().map(lost).sum();
    (observed > 0).then(|| lost as f64 / observed as f64)
}

/// Adds up times by modulation.
pub fn add(sum: &mut PerIndex, time: &PerIndex) {
    sum.iter_mut().zip(time).for_each(|(sum, time)| *sum += time);
}

/// `expected` without the user's word: the best modulation held for at least 1 % of the time observed over
/// this day and the seven finished days before.
#[must_use]
pub fn best_held(history: &PerIndex) -> Option<Modulation> {
    let observed = total(history);
    let enough = |&m: &Modulation| {
        let held = u64::from(history[m.index()]);
        held > 0 && held * 100 >= observed * EXPECTED_PCT
    };
    Modulation::ALL[..WITH_BITS].iter().rev().copied().find(enough)
}

/// The numbers of one upstream over the window, not rounded.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Numbers {
    pub last: Modulation,
    /// Samples by [`Modulation::index`].
    pub counts: PerIndex,
    /// Seconds held by [`Modulation::index`].
    pub time: PerIndex,
    /// Of that in maintenance, seconds by [`Modulation::index`].
    pub maintained: PerIndex,
    /// The day before, when it is known.
    pub before: Option<Before>,
    pub hops: u32,
    pub hops_down: u32,
    pub hops_up: u32,
    pub hops_seed: u32,
    pub elapsed_s: u64,
    pub expected: Option<Modulation>,
    pub degraded_s: u64,
    pub longest_degraded_s: u64,
    pub flapping: bool,
    hours: Box<[u8]>,
    pub(super) steps: Box<[u8]>,
}

impl Numbers {
    /// Samples in the window.
    #[must_use]
    pub fn measurements(&self) -> u64 {
        self.counts.iter().map(|&n| u64::from(n)).sum()
    }

    /// Time in the window for which a sample held, s.
    #[must_use]
    pub fn observed_s(&self) -> u64 {
        total(&self.time)
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
        self.mean_bits_lost().map(|lost| width_hz as f64 / WIDTH_PER_SYMBOL_RATE * lost / 1e6)
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
        total(&self.maintained)
    }

    fn time_that_counts(&self) -> PerIndex {
        let mut time = self.time;
        time.iter_mut().zip(self.maintained).for_each(|(time, maintained)| *time -= maintained);
        time
    }

    fn mean_bits_lost(&self) -> Option<f64> {
        mean_bits_lost(&self.time_that_counts(), self.expected?)
    }

    /// `delta`: hops and `lost_pct` less those of the day before, which is measured by what is expected today;
    /// none when that day is not known. Of an unfinished day, against the same part of the day before.
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

    /// The modulation held in the middle of each step ([`Frame::step_s`]), if any was.
    pub fn steps(&self) -> impl Iterator<Item = Option<Modulation>> + '_ {
        self.steps.iter().map(|&held| Modulation::ALL.get(usize::from(held)).copied())
    }

    /// The strip of hours, in windows of one day.
    #[must_use]
    pub fn hours(&self) -> Option<String> {
        (!self.hours.is_empty()).then(|| strip(&self.hours))
    }
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
