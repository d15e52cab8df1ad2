//! What the numbers of a report mean: one small state per upstream, fed with its samples in the order of
//! time, and the numbers that come of it. Pure; its size does not depend on how many samples there were.
//!
//! - A sample *holds* until the next one, at most 2.5 intervals, clipped to the window and to now. Time that no
//!   sample holds is not observed: nothing is claimed of it.
//! - The *carried-in* sample is the last one within 24 h before the window. It holds into the window, and
//!   the first sample of the window is compared with it.
//! - *Maintenance* is time in which a CMTS was worked on: what is lost in it is not counted as lost, and no
//!   stretch of degradation goes through it.
//! - *Bits* are bits per symbol; OFDMA and UNKNOWN have none and are left out wherever bits are compared.
//! - A *threshold* is a modulation with bits: what is expected is known only at the end, so stretches are kept
//!   below each of them.

mod day;
mod numbers;

use std::rc::Rc;

pub use day::{Day, Sampled, named, of_text, suffix};
pub use numbers::{
    Before, Course, Days, Numbers, add, best_held, hours_of, indexes, mbps_of, mean_bits_lost, modulations,
    percent, strip,
};

use super::{Window, snr::Snrs};
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
    /// How long a sample holds when no other follows, s: 2.5 intervals.
    pub hold: i64,
    /// The finished days before the window that tell what to expect.
    pub expected_days: u32,
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
}

/// A stretch of time that an upstream's samples are accumulated over.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// From when to when.
    pub window: Window,
    /// Where time ends for us.
    pub end: Timestamp,
    /// How long a sample holds when no other follows, s.
    pub hold: i64,
    /// How far before it the carried-in sample may lie, s.
    pub carry: i64,
    /// Whether its hours are told.
    pub hourly: bool,
    /// How long the steps are that it is drawn in, s.
    pub step_s: Option<u64>,
}

impl Span {
    fn elapsed(&self) -> u64 {
        seconds(self.window.from, self.end)
    }

    /// Hours that have begun.
    fn hours(&self) -> usize {
        if self.hourly { begun(self.elapsed(), 3600) } else { 0 }
    }

    /// Steps that have begun.
    fn steps(&self) -> usize {
        self.step_s.map_or(0, |step| begun(self.elapsed(), step))
    }
}

/// How many parts of `length` a time has begun.
fn begun(time: u64, length: u64) -> usize {
    usize::try_from(time.div_ceil(length)).unwrap_or(usize::MAX)
}

/// The time from `from` to `to`, 0 when it is none, s.
fn seconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.since(from)).unwrap_or(0)
}

/// What was before, when a sample after it is a change: not from or to UNKNOWN.
#[must_use]
pub fn change(before: Option<Modulation>, now: Modulation) -> Option<Modulation> {
    before.filter(|&before| before != now && before != Modulation::Unknown && now != Modulation::Unknown)
}

/// A stretch of time below a threshold.
#[derive(Clone, Copy, Debug, Default)]
struct Stretch {
    current: u32,
}

/// One upstream on its way through a span.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// The last sample so far, in the span or before it.
    held: Option<(Timestamp, Modulation)>,
    day: Day,
    /// Samples in the span.
    samples: u32,
    /// What they tell of the signal-to-noise ratio.
    snrs: Snrs,
    /// When its CMTS was worked on, in the order of time, not overlapping.
    maintenance: Rc<[Window]>,
    below: [Stretch; WITH_BITS],
    below_until: Timestamp,
    /// Per step of a page the index of the modulation held in its middle.
    steps: Box<[u8]>,
}

impl Upstream {
    /// An upstream of which nothing is known yet.
    #[must_use]
    pub fn new(span: &Span) -> Self {
        Self::begin(span, None, Rc::default())
    }

    /// As [`Upstream::new`], with its last sample before, of a CMTS that is worked on in these windows, in the
    /// order of time and not overlapping.
    #[must_use]
    pub fn begin(span: &Span, held: Option<(Timestamp, Modulation)>, maintenance: Rc<[Window]>) -> Self {
        Upstream {
            held,
            day: Day { hours: vec![u8::MAX; span.hours()].into(), ..Day::default() },
            samples: 0,
            snrs: Snrs::default(),
            maintenance,
            below: [Stretch::default(); WITH_BITS],
            below_until: span.window.from,
            steps: vec![u8::MAX; span.steps()].into(),
        }
    }

    /// Takes the next sample, and returns whether it is a step down within the span. What comes after the
    /// span is not used, nor is a second sample of the same moment: the first stands.
    ///
    /// `hops` are the changes against the last sample before, across a gap too, the carried-in one included.
    /// To and from UNKNOWN is none. To and from OFDMA is neither down nor up.
    pub fn feed(&mut self, span: &Span, ts: Timestamp, modulation: Modulation) -> bool {
        self.feed_with(span, ts, modulation, None)
    }

    /// As [`Upstream::feed`], with the sample's signal-to-noise ratio, tenths of a dB.
    pub fn feed_with(
        &mut self,
        span: &Span,
        ts: Timestamp,
        modulation: Modulation,
        snr: Option<i16>,
    ) -> bool {
        if ts >= span.window.to || self.held.is_some_and(|(held, _)| held >= ts) {
            return false;
        }
        self.hold_until(span, ts);
        let held = self.held.replace((ts, modulation));
        if ts < span.window.from {
            return false;
        }
        self.day.counts[modulation.index()] += 1;
        if let Some(snr) = snr {
            self.snrs.push(modulation, snr);
        }
        self.feed_seed(modulation);
        self.follow_below(span, held, ts, modulation);
        self.day.first = self.day.first.or(Some((ts.0, modulation)));
        self.day.last = Some((ts.0, modulation));
        // Not what is too old to be carried in.
        let carried = held.filter(|&(held, _)| held >= span.window.from + -span.carry);
        self.step(carried.map(|(_, held)| held), modulation)
    }

    fn step(&mut self, before: Option<Modulation>, modulation: Modulation) -> bool {
        let before = change(before, modulation);
        let bits = before.and_then(|before| before.bits().zip(modulation.bits()));
        let down = bits.is_some_and(|(before, now)| now < before);
        let day = &mut self.day;
        day.hops += u32::from(before.is_some());
        day.hops_down += u32::from(down);
        day.hops_up += u32::from(bits.is_some_and(|(before, now)| now > before));
        day.tail = (day.tail << 1 | u32::from(before.is_some())) & ((1 << FLAPPING_WINDOW) - 1);
        day.flapping |= day.tail.count_ones() >= FLAPPING_CHANGES;
        if self.samples < FLAPPING_WINDOW {
            day.head |= u32::from(before.is_some()) << self.samples;
        }
        self.samples += 1;
        down
    }

    /// `hops_seed`: changes within the window plus one for its first sample, without the carried-in one, of
    /// the samples that the replaced program knows.
    fn feed_seed(&mut self, modulation: Modulation) {
        if SEED_MODULATIONS.contains(&modulation) {
            let (first, last) = self.day.seed.unwrap_or((modulation, modulation));
            self.day.hops_seed += u32::from(self.day.seed.is_none() || last != modulation);
            self.day.seed = Some((first, modulation));
        }
    }

    /// Stretches of samples below each threshold, and how often it rose from there.
    fn follow_below(
        &mut self,
        span: &Span,
        held: Option<(Timestamp, Modulation)>,
        ts: Timestamp,
        modulation: Modulation,
    ) {
        let is_joined = self.day.last.is_some_and(|(last, _)| ts.0 - last <= 2 * span.hold);
        let before = held.filter(|&(held, _)| ts.since(held) <= span.hold).map(|(_, before)| before.index());
        let now = modulation.index();
        for threshold in 0..WITH_BITS {
            let from = &mut self.day.below_from[threshold];
            *from = match (now < threshold, is_joined && *from != 0) {
                (true, true) => *from,
                (true, false) => ts.0,
                (false, _) => 0,
            };
            let rose =
                before.is_some_and(|before| before < threshold) && (threshold..WITH_BITS).contains(&now);
            self.day.recovered[threshold] += u32::from(rose);
        }
    }

    /// Accounts for the time from the last sample to `next`, as far as it holds.
    fn hold_until(&mut self, span: &Span, next: Timestamp) {
        let Some((ts, modulation)) = self.held else { return };
        let until = next.min(ts + span.hold).min(span.end);
        let from = ts.max(span.window.from);
        let of = modulation.index();
        let held = u32::try_from(until.since(from)).unwrap_or(0);
        if held == 0 {
            return;
        }
        self.day.time[of] += held;
        self.mark_hours(span, from, until, of);
        self.mark_steps(span, from, until, of);
        let mut at = from;
        for window in Rc::clone(&self.maintenance).iter() {
            let worked_on = Window { from: at.max(window.from), to: until.min(window.to) };
            if worked_on.from < worked_on.to {
                self.mark_below(span, at, worked_on.from, of);
                self.day.maintained[of] += u32::try_from(worked_on.to.since(worked_on.from)).unwrap_or(0);
                at = worked_on.to;
            }
        }
        self.mark_below(span, at, until, of);
    }

    fn mark_below(&mut self, span: &Span, from: Timestamp, until: Timestamp, of: usize) {
        let held = u32::try_from(until.since(from)).unwrap_or(0);
        if held == 0 {
            return;
        }
        // A stretch is broken by time that was not observed, by maintenance, and by what has no bits.
        let joined = self.below_until == from;
        self.below_until = until;
        let since_begin = u32::try_from(until.since(span.window.from)).unwrap_or(0);
        for (threshold, stretch) in self.below.iter_mut().enumerate() {
            let so_far = if joined { stretch.current } else { 0 };
            stretch.current = if of < threshold { so_far + held } else { 0 };
            let longest = &mut self.day.longest_below_s[threshold];
            *longest = (*longest).max(stretch.current);
            if stretch.current == since_begin {
                self.day.lead_s[threshold] = stretch.current;
            }
        }
    }

    fn mark_hours(&mut self, span: &Span, from: Timestamp, until: Timestamp, of: usize) {
        let hour = |moment: u64| usize::try_from(moment / 3600).unwrap_or(usize::MAX);
        let first = hour(seconds(span.window.from, from));
        let last = hour(seconds(span.window.from, until + -1));
        for lowest in self.day.hours.iter_mut().take(last + 1).skip(first) {
            *lowest = (*lowest).min(of as u8);
        }
    }

    /// One interval long as they are, each sample holds in the middle of one step: stretches keep their length.
    fn mark_steps(&mut self, span: &Span, from: Timestamp, until: Timestamp, of: usize) {
        let Some(step) = span.step_s else { return };
        let middles_before = |moment: Timestamp| {
            let moment = seconds(span.window.from, moment) + step / 2;
            usize::try_from(moment.saturating_sub(1) / step).unwrap_or(usize::MAX)
        };
        let (first, end) = (middles_before(from), middles_before(until));
        for held in self.steps.iter_mut().take(end).skip(first) {
            *held = of as u8;
        }
    }

    /// The last sample so far.
    #[must_use]
    pub fn held(&self) -> Option<(Timestamp, Modulation)> {
        self.held
    }

    /// What the span came to, after the last sample; and the steps that a page draws.
    #[must_use]
    pub fn finish(mut self, span: &Span) -> (Day, Box<[u8]>) {
        self.hold_until(span, Timestamp(i64::MAX));
        if self.below_until == span.window.to {
            self.day.trail_s = self.below.map(|stretch| stretch.current);
        }
        self.day.snr = self.snrs.finish(self.samples);
        (self.day, self.steps)
    }
}

#[cfg(test)]
mod tests;
