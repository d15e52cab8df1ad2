//! What works did: the same local hours of the seven days before them and of the seven days after them.
//!
//! - Works from 02:00 to 04:00 are compared with 02:00 to 04:00 of other days, works of a day or more with whole days
//!   of 24 hours, up to their begin and from their end on. Hours count once they are over. What other works of the same
//!   table took of them is left out, of an upstream that they were on.
//! - One yardstick for both sides: what the user expects, else the best modulation that the upstream held for 1 % of
//!   the observed time of both together, or as the newest finished day remembers it.
//! - Of a day whose samples are gone, what the finished day says was held in each of its steps counts. They are an
//!   interval of scans long, at least five minutes: moments are known to one of them, and nothing else is lost.
//! - A day *counts* when its hours were observed for half of their time. It is [`Verdict::TooEarly`] while fewer than
//!   three days after the works count and more are to come. With fewer than three that count, and none to come,
//!   nothing is said. [`Verdict::Better`] and [`Verdict::Worse`] are a loss that differs by at least half a point and
//!   by at least a fifth of what it was before; else it is the same.

use std::rc::Rc;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use chrono_tz::Tz;

use super::{
    Window,
    arithmetic::{PerIndex, Span, Upstream, add, best_held, change, mbps_of, mean_bits_lost, percent},
    window::{first_instant, local},
};
use crate::{
    modulation::Modulation,
    record::{Timestamp, Verdict, WorkSide},
};

/// So many days are looked at on each side.
const DAYS: i32 = 7;
/// So many of them must count,
const ENOUGH_DAYS: u64 = 3;
/// and a day does from this coverage on, %.
const COVERED_PCT: f64 = 50.0;
/// The loss differs when it does so by this many points,
const POINTS: f64 = 0.5;
/// and by this part of what it was before.
const PART: f64 = 0.2;

/// The hours of one day.
#[derive(Clone, Debug, PartialEq)]
pub struct Hours {
    /// The local day that they begin in.
    pub date: NaiveDate,
    /// From when to when.
    pub window: Window,
    is_after: bool,
}

/// The hours that works are judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Those that are over, in the order of time.
    pub hours: Vec<Hours>,
    /// Whether more are to come.
    pub is_open: bool,
    hold: i64,
    /// What was before comes from finished days, the rest from samples.
    samples_from: Timestamp,
}

impl Compared {
    /// The hours that works in a window are judged by; `hold` is how long a sample holds, s.
    #[must_use]
    pub fn new(works: Window, tz: Tz, now: Timestamp, hold: i64) -> Self {
        let (from, to) = (local(tz, works.from), local(tz, works.to));
        let length = Some(to - from).filter(|length| *length > TimeDelta::zero());
        let length = length.unwrap_or(TimeDelta::seconds(works.to.since(works.from)));
        let day = TimeDelta::days(1);
        // Works of a day or more: the days that end where they begin, and begin where they end.
        let (length, after) = if length < day { (length, from) } else { (day, to - day) };
        let hours = |begin: NaiveDateTime, days: i32, is_after| {
            let begin = begin.checked_add_signed(day * days)?;
            let end = begin.checked_add_signed(length)?;
            let window = Window { from: first_instant(tz, begin), to: first_instant(tz, end) };
            // Where the clocks go forward there may be nothing of them.
            (window.from < window.to).then_some(Hours { date: begin.date(), window, is_after })
        };
        let before = (-DAYS..0).filter_map(|days| hours(from, days, false));
        let all: Vec<_> = before.chain((1..=DAYS).filter_map(|days| hours(after, days, true))).collect();
        let (hours, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|hours| hours.window.to <= now);
        Compared { hours, is_open: !rest.is_empty(), hold, samples_from: Timestamp(i64::MIN) }
    }

    /// From when on samples are fed; finished days tell what was before.
    pub fn samples_from(&mut self, from: Timestamp) {
        self.samples_from = from;
    }

    fn span(&self, at: usize) -> Option<Span> {
        let Window { from, to } = self.hours.get(at)?.window;
        let window = Window { from: from.max(self.samples_from).min(to), to };
        let (end, hold) = (window.to, self.hold);
        Some(Span { window, end, hold, carry: hold, hourly: false, step_s: None })
    }
}

/// One upstream on its way through these hours.
#[derive(Debug)]
pub struct Progress {
    at: usize,
    now: Option<Upstream>,
    held: Option<(Timestamp, Modulation)>,
    works: Rc<[Window]>,
    /// Before and after the works.
    sides: [Sum; 2],
    /// Observed outside works, of each day, s.
    observed: Vec<u64>,
}

/// What an upstream came to on one side.
#[derive(Debug, Default)]
struct Sum {
    time: PerIndex,
    hops: u64,
}

impl Sum {
    fn observed_s(&self) -> u64 {
        self.time.iter().map(|&s| u64::from(s)).sum()
    }
}

impl Progress {
    /// Before its first sample; it is worked on in these windows, in the order of time and not overlapping.
    #[must_use]
    pub fn new(compared: &Compared, works: Rc<[Window]>) -> Self {
        let observed = vec![0; compared.hours.len()];
        Progress { at: 0, now: None, held: None, works, sides: Default::default(), observed }
    }

    /// Takes what a finished day says was held for some steps of `step` seconds each, in the order of time and before
    /// any sample.
    pub fn held(&mut self, compared: &Compared, held: Window, step: i64, modulation: Modulation) {
        let is_joined = |last: Timestamp| last < held.from && last + step >= held.from;
        let before = self.held.filter(|&(last, _)| is_joined(last) && !self.is_worked_on(last));
        let before = before.map(|(_, before)| before);
        for (at, hours) in compared.hours.iter().enumerate() {
            let Window { from, to } = hours.window;
            let within = Window { from: from.max(held.from), to: to.min(held.to) };
            let seconds = self.outside_works(within);
            self.observed[at] += seconds;
            let side = &mut self.sides[usize::from(hours.is_after)];
            side.time[modulation.index()] += u32::try_from(seconds).unwrap_or(u32::MAX);
            if from <= held.from && held.from < to {
                self.hop(hours.is_after, before, held.from, modulation);
            }
        }
        self.held = Some((held.to + -step, modulation));
    }

    /// Takes its next sample in the order of time.
    pub fn feed(&mut self, compared: &Compared, ts: Timestamp, modulation: Modulation) {
        while compared.hours.get(self.at).is_some_and(|hours| ts >= hours.window.to) {
            self.end(compared);
        }
        if let Some(span) = compared.span(self.at) {
            let begun = || Upstream::begin(&span, self.held, Rc::clone(&self.works));
            self.now.get_or_insert_with(begun).feed(&span, ts, modulation);
            let holds = |held: &Timestamp| *held < ts && ts.since(*held) <= span.hold;
            let held = self.held.filter(|(held, _)| holds(held) && !self.is_worked_on(*held));
            if span.window.from <= ts {
                self.hop(compared.hours[self.at].is_after, held.map(|(_, held)| held), ts, modulation);
            }
        }
        self.held = Some((ts, modulation));
    }

    /// Counts a change against what still held, when neither is of other works.
    fn hop(&mut self, is_after: bool, held: Option<Modulation>, ts: Timestamp, modulation: Modulation) {
        if change(held, modulation).is_some() && !self.is_worked_on(ts) {
            self.sides[usize::from(is_after)].hops += 1;
        }
    }

    fn is_worked_on(&self, ts: Timestamp) -> bool {
        self.works.iter().any(|works| works.from <= ts && ts < works.to)
    }

    /// Seconds of a window in which it is not worked on.
    fn outside_works(&self, Window { from, to }: Window) -> u64 {
        let worked_on = |works: &Window| works.to.min(to).since(works.from.max(from)).max(0);
        let works: i64 = self.works.iter().map(worked_on).sum();
        u64::try_from(to.since(from) - works).unwrap_or(0)
    }

    /// Ends the hours of a day.
    fn end(&mut self, compared: &Compared) {
        let at = self.at;
        self.at += 1;
        let Some((span, hours)) = compared.span(at).zip(compared.hours.get(at)) else { return };
        let begun = || Upstream::begin(&span, self.held, Rc::clone(&self.works));
        let (day, _) = self.now.take().unwrap_or_else(begun).finish(&span);
        let mut time = day.time;
        time.iter_mut().zip(day.maintained).for_each(|(time, maintained)| *time -= maintained);
        self.observed[at] += time.iter().map(|&s| u64::from(s)).sum::<u64>();
        let side = &mut self.sides[usize::from(hours.is_after)];
        add(&mut side.time, &time);
    }
}

/// An upstream that has come to the end of the hours, and what is known of it.
#[derive(Debug)]
pub struct Ended {
    progress: Progress,
    expected: Option<Modulation>,
    width_hz: Option<u64>,
}

impl Ended {
    /// Ends an upstream; `told` is what the user expects of it, `remembered` what a finished day says that it can do.
    #[must_use]
    pub fn new(
        mut progress: Progress,
        compared: &Compared,
        told: Option<Modulation>,
        remembered: Option<Modulation>,
        width_hz: Option<u64>,
    ) -> Self {
        while progress.at < compared.hours.len() {
            progress.end(compared);
        }
        let mut time = progress.sides[0].time;
        add(&mut time, &progress.sides[1].time);
        Ended { expected: told.or_else(|| best_held(&time).max(remembered)), progress, width_hz }
    }
}

/// What the hours came to: before, after, and the verdict.
#[must_use]
pub fn judged(compared: &Compared, upstreams: &[Ended]) -> (WorkSide, WorkSide, Option<Verdict>) {
    let [before, after] = [false, true].map(|is_after| side(compared, upstreams, is_after));
    let verdict = verdict(&before, &after, compared.is_open);
    (before, after, verdict)
}

fn verdict(before: &WorkSide, after: &WorkSide, is_open: bool) -> Option<Verdict> {
    if after.days < ENOUGH_DAYS && is_open {
        return Some(Verdict::TooEarly);
    }
    if before.days.min(after.days) < ENOUGH_DAYS {
        return None;
    }
    let (was, is) = before.lost_pct.zip(after.lost_pct)?;
    let differs = (is - was).abs() >= POINTS.max(PART * was);
    Some(match (differs, is < was) {
        (false, _) => Verdict::Same,
        (true, true) => Verdict::Better,
        (true, false) => Verdict::Worse,
    })
}

fn side(compared: &Compared, upstreams: &[Ended], is_after: bool) -> WorkSide {
    let sum = |ended: &Ended| ended.progress.sides[usize::from(is_after)].observed_s();
    let seen: Vec<_> = upstreams.iter().filter(|ended| sum(ended) > 0).collect();
    let mut side = WorkSide { upstreams: seen.len() as u64, ..WorkSide::default() };
    let (mut observed, mut elapsed) = (0, 0);
    for (at, hours) in compared.hours.iter().enumerate().filter(|(_, hours)| hours.is_after == is_after) {
        let of_day: u64 = seen.iter().map(|ended| ended.progress.observed[at]).sum();
        let of_all: u64 = seen.iter().map(|ended| ended.progress.outside_works(hours.window)).sum();
        side.days += u64::from(of_all > 0 && percent(of_day, of_all) >= COVERED_PCT);
        side.finished_days += u64::from(of_day > 0 && hours.window.from < compared.samples_from);
        side.coverage_pct = Some(0.0);
        (observed, elapsed) = (observed + of_day, elapsed + of_all);
        // Hours in which all were worked on again are not missing.
        if of_day == 0 && (of_all > 0 || seen.is_empty()) {
            side.missing_days.push(hours.date);
        }
    }
    if seen.is_empty() {
        return side;
    }
    side.coverage_pct = Some(percent(observed, elapsed));
    figures(&mut side, &seen, is_after);
    side
}

fn figures(side: &mut WorkSide, seen: &[&Ended], is_after: bool) {
    let at = usize::from(is_after);
    let lost = |ended: &Ended| mean_bits_lost(&ended.progress.sides[at].time, ended.expected?);
    let pcts = seen.iter().filter_map(|ended| {
        let bits = f64::from(ended.expected?.bits()?);
        Some(100.0 * lost(ended)? / bits)
    });
    let (count, sum) = pcts.fold((0_u32, 0.0), |(count, sum), pct| (count + 1, sum + pct));
    side.lost_pct = (count > 0).then(|| sum / f64::from(count));
    let mbps = seen.iter().filter_map(|ended| Some(mbps_of(ended.width_hz?, lost(ended)?)));
    side.lost_mbps = mbps.reduce(|sum, mbps| sum + mbps);
    side.hops = Some(seen.iter().map(|ended| ended.progress.sides[at].hops).sum());
    let degraded = seen.iter().filter_map(|ended| {
        let below = &ended.progress.sides[at].time[..ended.expected?.index()];
        Some(below.iter().map(|&s| u64::from(s)).sum::<u64>())
    });
    side.degraded_s = degraded.reduce(|sum, s| sum + s);
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMSTERDAM: Tz = Tz::Europe__Amsterdam;

    fn compared(from: &str, to: &str, now: &str) -> Compared {
        let ts = |text: &str| text.parse().expect("a time");
        Compared::new(Window { from: ts(from), to: ts(to) }, AMSTERDAM, ts(now), 1500)
    }

    fn told(compared: &Compared) -> Vec<String> {
        compared.hours.iter().map(|h| format!("{} {} {}", h.date, h.window.from, h.window.to)).collect()
    }

    #[test]
    fn the_hours_are_those_of_the_clock_on_the_wall() {
        // 02:00 to 04:00 local, three days before the clocks go forward.
        let compared = compared("2026-03-26T01:00:00Z", "2026-03-26T03:00:00Z", "2026-04-30T00:00:00Z");
        let told = told(&compared);
        assert_eq!((told.len(), compared.is_open), (14, false));
        assert_eq!(told[0], "2026-03-19 2026-03-19T01:00:00Z 2026-03-19T03:00:00Z");
        assert_eq!(told[7], "2026-03-27 2026-03-27T01:00:00Z 2026-03-27T03:00:00Z");
        assert_eq!(told[9], "2026-03-29 2026-03-29T01:00:00Z 2026-03-29T02:00:00Z");
        assert_eq!(told[13], "2026-04-02 2026-04-02T00:00:00Z 2026-04-02T02:00:00Z");
    }

    #[test]
    fn works_of_days_are_compared_with_whole_days_and_those_to_come_do_not_count() {
        let compared = compared("2026-05-10T10:00:00Z", "2026-05-12T16:00:00Z", "2026-05-14T17:00:00Z");
        let told = told(&compared);
        assert_eq!((told.len(), compared.is_open), (9, true));
        assert_eq!(told[6], "2026-05-09 2026-05-09T10:00:00Z 2026-05-10T10:00:00Z");
        assert_eq!(told[7], "2026-05-12 2026-05-12T16:00:00Z 2026-05-13T16:00:00Z");
    }

    #[test]
    fn a_loss_differs_by_half_a_point_and_a_fifth() {
        let side = |days, lost_pct| WorkSide { days, lost_pct: Some(lost_pct), ..WorkSide::default() };
        let of = |was, is| verdict(&side(7, was), &side(3, is), true);
        assert_eq!(of(0.0, 0.5), Some(Verdict::Worse));
        assert_eq!(of(0.0, 0.49), Some(Verdict::Same));
        assert_eq!(of(10.0, 8.0), Some(Verdict::Better));
        assert_eq!(of(10.0, 8.1), Some(Verdict::Same));
        assert_eq!(of(10.0, 12.0), Some(Verdict::Worse));
        assert_eq!(of(0.4, 0.0), Some(Verdict::Same));
        assert_eq!(verdict(&side(7, 1.0), &side(2, 9.0), true), Some(Verdict::TooEarly));
        assert_eq!(verdict(&side(7, 1.0), &side(2, 9.0), false), None);
        assert_eq!(verdict(&side(2, 1.0), &side(7, 9.0), false), None);
    }
}
