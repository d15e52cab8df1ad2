//! What the numbers of a report mean: one small state per upstream, fed with its samples in the order of
//! time, and the numbers that come of it. Pure; its size does not depend on how many samples there were.
//!
//! - A sample *holds* until the next one, at most [`Frame::hold`], clipped to the window and to now. Time
//!   that no sample holds is not observed: nothing is claimed of it.
//! - The *carried-in* sample is the last one within 24 h before the window. It holds into the window, and
//!   the first sample of the window is compared with it.
//! - *Bits* are bits per symbol; OFDMA and UNKNOWN have none and are left out wherever bits are compared.

use crate::{modulation::Modulation, record::Timestamp, store::Window};

/// How far back the carried-in sample may lie, s.
pub const CARRY_S: i64 = 86_400;
/// How many changes within [`FLAPPING_WINDOW`] consecutive samples are flapping.
const FLAPPING_CHANGES: u32 = 6;
const FLAPPING_WINDOW: u32 = 20;
/// The share of the observed time, in percent, from which on a modulation counts as what the upstream can do.
const EXPECTED_PCT: u64 = 1;
/// DOCSIS: a channel's symbol rate is its width over 1.25 (roll-off 0.25).
const WIDTH_PER_SYMBOL_RATE: f64 = 1.25;

const MODULATIONS: usize = Modulation::ALL.len();
/// The modulations with bits, lowest first: the head of [`Modulation::ALL`].
pub const WITH_BITS: usize = 7;

/// One number per modulation, by [`Modulation::index`].
pub type PerIndex = [u32; MODULATIONS];

/// The modulations that the program which this one replaces knows.
pub const SEED_MODULATIONS: [Modulation; 3] = [Modulation::Qam64, Modulation::Qam16, Modulation::Qpsk];

/// What every upstream of a report has in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The window.
    pub window: Window,
    /// Where time ends for us: now, or the end of the window when that is earlier.
    pub end: Timestamp,
    /// From where on the time of each modulation counts for `expected`: seven local days before the window.
    pub history_from: Timestamp,
    /// How long a sample holds when no other follows, s: 2.5 intervals.
    pub hold: i64,
    /// What the user says an upstream should run at.
    pub expected: Option<Modulation>,
    /// Whether the window is one local day, so that its hours are told.
    pub hourly: bool,
    /// How long the steps are that a page draws the window in, s; none: nobody draws it.
    pub step_s: Option<u64>,
}

impl Frame {
    /// Seconds of the window that have passed.
    #[must_use]
    pub fn elapsed(&self) -> u64 {
        seconds(self.window.from, self.end)
    }

    /// Hours of the window that have begun.
    fn hours(&self) -> usize {
        if self.hourly { pieces(self.elapsed(), 3600) } else { 0 }
    }

    /// Steps of the window that have begun.
    fn steps(&self) -> usize {
        self.step_s.map_or(0, |step| pieces(self.elapsed(), step))
    }
}

/// How many pieces of `length` a time has begun.
fn pieces(time: u64, length: u64) -> usize {
    usize::try_from(time.div_ceil(length)).unwrap_or(usize::MAX)
}

/// The time from `from` to `to`, 0 when it is none, s.
fn seconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.since(from)).unwrap_or(0)
}

/// The last sample of an upstream and the time that it holds from.
#[derive(Clone, Copy, Debug)]
struct Held {
    ts: Timestamp,
    modulation: Modulation,
}

/// A stretch of time below a threshold.
#[derive(Clone, Copy, Debug, Default)]
struct Stretch {
    current: u32,
    longest: u32,
}

/// One upstream on its way through the window.
#[derive(Clone, Debug)]
pub struct Upstream {
    held: Option<Held>,
    /// Samples in the window, by modulation.
    counts: PerIndex,
    /// Seconds held in the window, by modulation.
    time: PerIndex,
    /// Seconds held since [`Frame::history_from`], by modulation.
    history: PerIndex,
    hops: u32,
    hops_down: u32,
    hops_up: u32,
    hops_seed: u32,
    seed_last: Option<Modulation>,
    /// A bit per sample of the window, the newest lowest: whether it was a change.
    changes: u32,
    flapping: bool,
    /// What is expected is known only at the end: a stretch below each modulation with bits.
    below: [Stretch; WITH_BITS],
    below_until: Timestamp,
    /// Per hour the index of the lowest modulation held in it.
    hours: Box<[u8]>,
    /// Per step of a page the index of the modulation held in its middle.
    steps: Box<[u8]>,
}

impl Upstream {
    /// An upstream of which nothing is known yet.
    #[must_use]
    pub fn new(frame: &Frame) -> Self {
        Upstream {
            held: None,
            counts: [0; MODULATIONS],
            time: [0; MODULATIONS],
            history: [0; MODULATIONS],
            hops: 0,
            hops_down: 0,
            hops_up: 0,
            hops_seed: 0,
            seed_last: None,
            changes: 0,
            flapping: false,
            below: [Stretch::default(); WITH_BITS],
            below_until: frame.window.from,
            hours: vec![u8::MAX; frame.hours()].into_boxed_slice(),
            steps: vec![u8::MAX; frame.steps()].into_boxed_slice(),
        }
    }

    /// Takes the next sample, and says whether it is a step down within the window. What comes after the
    /// window is not used, nor is a second sample of the same moment: the first stands.
    ///
    /// `hops` are the changes against the last sample before, across a gap too, the carried-in one included.
    /// To and from UNKNOWN is none. To and from OFDMA is neither down nor up.
    pub fn feed(&mut self, frame: &Frame, ts: Timestamp, modulation: Modulation) -> bool {
        if ts >= frame.window.to || self.held.is_some_and(|held| held.ts >= ts) {
            return false;
        }
        self.hold_until(frame, ts);
        let before = self.held.replace(Held { ts, modulation });
        if ts < frame.window.from {
            return false;
        }
        let before =
            before.filter(|before| before.ts >= frame.window.from + -CARRY_S).map(|before| before.modulation);
        self.counts[modulation.index()] += 1;
        self.feed_seed(modulation);
        self.step(before, modulation)
    }

    fn step(&mut self, before: Option<Modulation>, modulation: Modulation) -> bool {
        let before = before.filter(|&before| {
            before != modulation && before != Modulation::Unknown && modulation != Modulation::Unknown
        });
        let bits = before.and_then(|before| before.bits().zip(modulation.bits()));
        let down = bits.is_some_and(|(before, now)| now < before);
        self.hops += u32::from(before.is_some());
        self.hops_down += u32::from(down);
        self.hops_up += u32::from(bits.is_some() && !down);
        self.changes = (self.changes << 1 | u32::from(before.is_some())) & ((1 << FLAPPING_WINDOW) - 1);
        self.flapping |= self.changes.count_ones() >= FLAPPING_CHANGES;
        down
    }

    /// `hops_seed`: changes within the window plus one for its first sample, without the carried-in one, of
    /// the samples that the replaced program knows.
    fn feed_seed(&mut self, modulation: Modulation) {
        if SEED_MODULATIONS.contains(&modulation) && self.seed_last.replace(modulation) != Some(modulation) {
            self.hops_seed += 1;
        }
    }

    /// Accounts for the time from the last sample to `next`, as far as it holds.
    fn hold_until(&mut self, frame: &Frame, next: Timestamp) {
        let Some(Held { ts, modulation }) = self.held else { return };
        let until = next.min(ts + frame.hold).min(frame.end);
        let clip = |from: Timestamp| u32::try_from(until.since(ts.max(from))).unwrap_or(0);
        let of = modulation.index();
        self.history[of] += clip(frame.history_from);
        let held = clip(frame.window.from);
        if held == 0 {
            return;
        }
        self.time[of] += held;
        let from = ts.max(frame.window.from);
        self.mark_hours(frame, from, until, of);
        self.mark_steps(frame, from, until, of);
        // A stretch is broken by time that was not observed, and by what has no bits.
        let joined = self.below_until == from;
        self.below_until = until;
        for (threshold, stretch) in self.below.iter_mut().enumerate() {
            let below = of < threshold;
            let so_far = if joined { stretch.current } else { 0 };
            stretch.current = if below { so_far + held } else { 0 };
            stretch.longest = stretch.longest.max(stretch.current);
        }
    }

    fn mark_hours(&mut self, frame: &Frame, from: Timestamp, until: Timestamp, of: usize) {
        let hour = |moment: u64| usize::try_from(moment / 3600).unwrap_or(usize::MAX);
        let first = hour(seconds(frame.window.from, from));
        let last = hour(seconds(frame.window.from, until + -1));
        for lowest in self.hours.iter_mut().take(last + 1).skip(first) {
            *lowest = (*lowest).min(of as u8);
        }
    }

    /// One interval long as they are, each sample holds in the middle of one step: stretches keep their length.
    fn mark_steps(&mut self, frame: &Frame, from: Timestamp, until: Timestamp, of: usize) {
        let Some(step) = frame.step_s else { return };
        let middles_before = |moment: Timestamp| {
            let moment = seconds(frame.window.from, moment) + step / 2;
            usize::try_from(moment.saturating_sub(1) / step).unwrap_or(usize::MAX)
        };
        let (first, end) = (middles_before(from), middles_before(until));
        for held in self.steps.iter_mut().take(end).skip(first) {
            *held = of as u8;
        }
    }

    /// Whether the upstream has a sample in the window; without one it has no row.
    #[must_use]
    pub fn is_in_window(&self) -> bool {
        self.counts.iter().any(|&count| count > 0)
    }

    /// The last sample so far.
    #[must_use]
    pub fn last(&self) -> Option<(Timestamp, Modulation)> {
        self.held.map(|held| (held.ts, held.modulation))
    }

    /// Counts time before the window for `expected` that is known without its samples.
    pub fn remember(&mut self, time: &PerIndex) {
        add(&mut self.history, time);
    }

    /// The numbers of the window, after the last sample.
    #[must_use]
    pub fn finish(mut self, frame: &Frame) -> Numbers {
        self.hold_until(frame, Timestamp(i64::MAX));
        let (history, steps) = (self.history, std::mem::take(&mut self.steps));
        Numbers { steps, ..self.into_day().numbers(frame, &history) }
    }

    /// All that a finished window says, whatever is expected.
    #[must_use]
    pub fn finish_day(mut self, frame: &Frame) -> Day {
        self.hold_until(frame, Timestamp(i64::MAX));
        self.into_day()
    }

    fn into_day(self) -> Day {
        Day {
            last: self.held.map_or(Modulation::Unknown, |held| held.modulation),
            counts: self.counts,
            time: self.time,
            hops: self.hops,
            hops_down: self.hops_down,
            hops_up: self.hops_up,
            hops_seed: self.hops_seed,
            longest_below: self.below.map(|stretch| stretch.longest),
            flapping: self.flapping,
            hours: self.hours,
            steps: self.steps,
        }
    }
}

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
    /// What was held in the middle of each step; empty in a day that was kept, of which nobody draws a page.
    pub steps: Box<[u8]>,
}

impl Day {
    /// The numbers of it. `history` is the time by modulation that tells what to expect, its own included.
    #[must_use]
    pub fn numbers(self, frame: &Frame, history: &PerIndex) -> Numbers {
        let expected = frame.expected.or_else(|| best_held(history));
        let threshold = expected.map_or(0, Modulation::index);
        let degraded = self.time.iter().take(threshold).map(|&s| u64::from(s)).sum();
        Numbers {
            last: self.last,
            counts: self.counts,
            time: self.time,
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

/// Adds up times by modulation.
pub fn add(sum: &mut PerIndex, time: &PerIndex) {
    sum.iter_mut().zip(time).for_each(|(sum, time)| *sum += time);
}

/// `expected` without the user's word: the best modulation held for at least 1 % of the time observed over
/// this day and the seven finished days before.
fn best_held(history: &PerIndex) -> Option<Modulation> {
    let observed: u64 = history.iter().map(|&s| u64::from(s)).sum();
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
    steps: Box<[u8]>,
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
        self.time.iter().map(|&s| u64::from(s)).sum()
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

    fn time_with_bits(&self) -> u64 {
        self.time[..WITH_BITS].iter().map(|&s| u64::from(s)).sum()
    }

    fn mean_bits_lost(&self) -> Option<f64> {
        let expected = self.expected?.bits()?;
        let observed = self.time_with_bits();
        let lost = |m: &Modulation| {
            u64::from(self.time[m.index()]) * u64::from(expected.saturating_sub(m.bits().unwrap_or(expected)))
        };
        let lost: u64 = Modulation::ALL.iter().map(lost).sum();
        (observed > 0).then(|| lost as f64 / observed as f64)
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

#[cfg(test)]
mod tests;
