//! What the numbers of a report mean: one small state per upstream, fed with its samples in the order of
//! time, and the numbers that come of it. Pure; its size does not depend on how many samples there were.
//!
//! - A sample *holds* until the next one, at most [`Frame::hold`], clipped to the window and to now. Time
//!   that no sample holds is not observed: nothing is claimed of it.
//! - The *carried-in* sample is the last one within 24 h before the window. It holds into the window, and
//!   the first sample of the window is compared with it.
//! - *Maintenance* is time in which a CMTS was worked on: what is lost in it is not counted as lost, and no
//!   stretch of degradation goes through it.
//! - *Bits* are bits per symbol; OFDMA and UNKNOWN have none and are left out wherever bits are compared.

mod numbers;

use std::rc::Rc;

pub use numbers::{Before, Day, Numbers, add, best_held, hours_of, percent, strip};

use super::Window;
use crate::{modulation::Modulation, record::Timestamp};

/// How far back the carried-in sample may lie, s.
pub const CARRY_S: i64 = 86_400;
/// How many changes within [`FLAPPING_WINDOW`] consecutive samples are flapping.
const FLAPPING_CHANGES: u32 = 6;
const FLAPPING_WINDOW: u32 = 20;

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
    /// The day before, as far as the window has passed, when the window is one local day: `delta` is against it.
    pub before: Option<Window>,
    /// How long the steps are that a page draws the window in, s; none: nobody draws it.
    pub step_s: Option<u64>,
}

impl Frame {
    /// Seconds of the window that have passed.
    #[must_use]
    pub fn elapsed(&self) -> u64 {
        seconds(self.window.from, self.end)
    }

    /// How far before the day before its carried-in sample may lie, s. Of an unfinished day only as far as it may
    /// hold: so no more samples have to be read than those of a day.
    #[must_use]
    pub fn carry_before(&self) -> i64 {
        if self.end < self.window.to { self.hold.min(CARRY_S) } else { CARRY_S }
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

/// The seconds that two windows have in common.
fn overlap(a: Window, b: Window) -> u32 {
    u32::try_from(a.to.min(b.to).since(a.from.max(b.from))).unwrap_or(0)
}

/// What was before, when a sample after it is a change: not from or to UNKNOWN.
fn change(before: Option<Modulation>, now: Modulation) -> Option<Modulation> {
    before.filter(|&before| before != now && before != Modulation::Unknown && now != Modulation::Unknown)
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
    before: Before,
    /// When its CMTS was worked on, in the order of time, not overlapping.
    maintenance: Rc<[Window]>,
    /// Seconds held in the window while its CMTS was worked on, by modulation.
    maintained: PerIndex,
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
        Self::maintained(frame, Rc::default())
    }

    /// As [`Upstream::new`], of a CMTS that is worked on in these windows, in the order of time and not
    /// overlapping.
    #[must_use]
    pub fn maintained(frame: &Frame, maintenance: Rc<[Window]>) -> Self {
        Upstream {
            held: None,
            counts: [0; MODULATIONS],
            time: [0; MODULATIONS],
            history: [0; MODULATIONS],
            before: Before::default(),
            maintenance,
            maintained: [0; MODULATIONS],
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
        let held = self.held.replace(Held { ts, modulation });
        // What was held before, unless it is too old to be carried into a window.
        let carried = |window: Window, carry: i64| {
            held.filter(|held| held.ts >= window.from + -carry).map(|held| held.modulation)
        };
        if ts < frame.window.from {
            if let Some(before) = frame.before.filter(|before| before.from <= ts && ts < before.to) {
                self.before.hops +=
                    u32::from(change(carried(before, frame.carry_before()), modulation).is_some());
            }
            return false;
        }
        let before = carried(frame.window, CARRY_S);
        self.counts[modulation.index()] += 1;
        self.feed_seed(modulation);
        self.step(before, modulation)
    }

    fn step(&mut self, before: Option<Modulation>, modulation: Modulation) -> bool {
        let before = change(before, modulation);
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
        if let Some(before) = frame.before {
            let held = Window { from: ts.max(before.from), to: until.min(before.to) };
            let maintained: u32 = self.maintenance.iter().map(|window| overlap(held, *window)).sum();
            self.before.time[of] += overlap(held, before) - maintained;
        }
        let held = clip(frame.window.from);
        if held == 0 {
            return;
        }
        self.time[of] += held;
        let from = ts.max(frame.window.from);
        self.mark_hours(frame, from, until, of);
        self.mark_steps(frame, from, until, of);
        let mut at = from;
        for window in Rc::clone(&self.maintenance).iter() {
            let worked_on = Window { from: at.max(window.from), to: until.min(window.to) };
            if worked_on.from < worked_on.to {
                self.mark_below(at, worked_on.from, of);
                self.maintained[of] += overlap(worked_on, worked_on);
                at = worked_on.to;
            }
        }
        self.mark_below(at, until, of);
    }

    fn mark_below(&mut self, from: Timestamp, until: Timestamp, of: usize) {
        let held = u32::try_from(until.since(from)).unwrap_or(0);
        if held == 0 {
            return;
        }
        // A stretch is broken by time that was not observed, by maintenance, and by what has no bits.
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
        let (history, maintained, before) = (self.history, self.maintained, self.before);
        let steps = std::mem::take(&mut self.steps);
        let before = Some(before).filter(Before::is_known);
        let mut numbers = self.into_day().numbers_without(frame, &history, maintained);
        (numbers.steps, numbers.before) = (steps, before);
        numbers
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
        }
    }
}

#[cfg(test)]
mod tests;
