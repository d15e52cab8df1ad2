//! A window out of a database: finished days as far as they go, one row per upstream and day instead of a
//! hundred samples, and samples for the rest. What it comes to is the same.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::request::Question;
use crate::{
    database::{
        Database, Detail,
        finished::{Calendar, Care, Decode, Keeper, detail_of},
    },
    error::Result,
    measure::{
        Window,
        arithmetic::{CARRY_S, Frame},
        memory::CHRONIC_DAYS,
        plan::{Part, Plan},
        rollup::Line,
        roster::Roster,
        snr,
        tally::{Tallied, Tally},
        window::{local, midnight, of_day},
    },
    record::{ExplainedBy, Timestamp},
};

/// What a window came to.
#[derive(Debug)]
pub struct Read {
    /// Its upstreams.
    pub tallied: Tallied,
    /// How it was gone through.
    pub plan: Plan,
    /// The days that are over of which nothing is left.
    pub missing: Vec<NaiveDate>,
}

/// Days on end that are known in the same way.
struct Stage {
    days: Vec<NaiveDate>,
    is_kept: bool,
}

/// How many days before a window tell of its upstreams' past.
#[must_use]
pub fn days_back(frame: &Frame) -> u32 {
    frame.expected_days.max(CHRONIC_DAYS as u32)
}

/// Reads a window.
pub fn read(
    question: &Question,
    database: &mut dyn Database,
    frame: &Frame,
    roster: &mut Roster,
) -> Result<Read> {
    let calendar = Calendar { tz: question.tz, interval_s: question.interval_s, now: question.now };
    let start = start_day(question, calendar, frame);
    let plan = Plan::new(frame.clone(), question.tz, midnight(question.tz, start));
    let mut reader = Reader {
        question,
        calendar,
        tally: Tally::new(plan, &question.maintained),
        roster,
        start,
        seen: BTreeSet::new(),
    };
    let stages = reader.stages();
    let is_kept_first = stages.first().is_some_and(|stage| stage.is_kept);
    let mut follows = !is_kept_first && reader.past(database)?;
    for stage in stages {
        match stage.is_kept {
            true => reader.kept(database, &stage.days)?,
            false => reader.samples(database, &stage.days, follows)?,
        }
        follows = true;
    }
    let Reader { tally, seen, .. } = reader;
    let plan = tally.plan().clone();
    let over = |day: &NaiveDate| of_day(question.tz, *day).to <= frame.end;
    let missing = window_days(question, frame).filter(|day| over(day) && !seen.contains(day)).collect();
    Ok(Read { tallied: tally.finish(roster), plan, missing })
}

fn window_days(question: &Question, frame: &Frame) -> impl Iterator<Item = NaiveDate> {
    let [first, last] = [frame.window.from, frame.window.to + -1].map(|ts| local(question.tz, ts).date());
    first.iter_days().take_while(move |day| *day <= last)
}

/// The first day that is gone through: that of the window, or the one that it is compared with, or one that is
/// over and not settled.
fn start_day(question: &Question, calendar: Calendar, frame: &Frame) -> NaiveDate {
    let begin = frame.before.map_or(frame.window.from, |before| before.from.min(frame.window.from));
    let mut start = local(question.tz, begin).date();
    while let Some(before) = start.pred_opt()
        && of_day(question.tz, before).to <= question.now
        && !calendar.is_finished(before)
    {
        start = before;
    }
    start
}

struct Reader<'a> {
    question: &'a Question,
    calendar: Calendar,
    tally: Tally,
    roster: &'a mut Roster,
    /// The first day that is gone through.
    start: NaiveDate,
    /// The days of which there was something.
    seen: BTreeSet<NaiveDate>,
}

impl Reader<'_> {
    /// Whether a day can be taken as it was kept: as a whole, not worked on.
    fn is_kept(&self, day: NaiveDate) -> bool {
        let plan = self.tally.plan();
        let Some(part) = plan.part_of(day, self.question.tz).map(|at| &plan.parts[at]) else { return false };
        self.calendar.is_finished(day) && self.question.maintained.within(part.span.window).next().is_none()
    }

    fn stages(&self) -> Vec<Stage> {
        let plan = self.tally.plan();
        let mut stages: Vec<Stage> = Vec::new();
        for day in self.start.iter_days().take_while(|&day| {
            let begin = midnight(self.question.tz, day);
            begin < plan.frame.window.to && begin <= self.question.now
        }) {
            let is_kept = self.is_kept(day);
            match stages.last_mut() {
                Some(stage) if stage.is_kept == is_kept => stage.days.push(day),
                _ => stages.push(Stage { days: vec![day], is_kept }),
            }
        }
        stages
    }

    fn keeper<'d>(&self, database: &'d mut dyn Database, until: NaiveDate) -> Result<Keeper<'d>> {
        // Until the day before the first one is what tells of the past.
        let more = until.signed_duration_since(self.start).num_days() + 1;
        let back = days_back(&self.tally.plan().frame) + u32::try_from(more).unwrap_or(0);
        let days = self.calendar.days_of_samples(database, until, back)?;
        Keeper::new(database, self.calendar, Care::Report, days)
    }

    /// Takes what the last day before the first one carries on; whether there is one.
    fn past(&mut self, database: &mut dyn Database) -> Result<bool> {
        let Some(until) = self.start.pred_opt() else { return Ok(false) };
        let mut keeper = self.keeper(database, until)?;
        let Some(day) = keeper.before(self.start) else { return Ok(false) };
        let Reader { question, tally, roster, .. } = self;
        let mut found = false;
        keeper.run(
            until,
            &BTreeMap::from([(day, Line::carried as Decode)]),
            &mut |_, cmts, upstream, line| {
                found = true;
                if question.only.upstream(cmts, upstream) {
                    let number = roster.upstream(cmts, upstream);
                    tally.remember(roster, number, line.memory);
                }
                Ok(())
            },
        )?;
        Ok(found)
    }

    /// Takes finished days; when they are the first ones, after what the day before them carries on. One that is known
    /// carries on all there is itself, which is enough before the window.
    fn kept(&mut self, database: &mut dyn Database, days: &[NaiveDate]) -> Result<()> {
        let (Some(&first), Some(&until)) = (days.first(), days.last()) else { return Ok(()) };
        let mut keeper = self.keeper(database, until)?;
        let tz = self.question.tz;
        let Reader { question, tally, roster, start, seen, .. } = self;
        let is_window = |part: &Part| part.date == first && part.is_window;
        let is_enough = keeper.has(first) && !tally.plan().parts.iter().any(is_window);
        let past = keeper.before(first).filter(|_| first == *start && !is_enough);
        let is_shown = |day| tally.plan().part_of(day, tz).is_some_and(|at| tally.plan().parts[at].is_window);
        let decode = |day| if is_shown(day) { Line::of_columns } else { Line::carried as Decode };
        let wanted = days.iter().copied().chain(past).map(|day| (day, decode(day))).collect();
        let mut steps: Vec<(Timestamp, u32)> = Vec::new();
        let (mut today, mut at) = (None, None);
        keeper.run(until, &wanted, &mut |day, cmts, upstream, line| {
            if line.samples() > 0 && day >= first && seen.last() != Some(&day) {
                seen.insert(day);
            }
            if today != Some(day) {
                (today, at) = (Some(day), tally.plan().part_of(day, tz));
                tally.step_downs(roster, std::mem::take(&mut steps));
            }
            if !question.only.upstream(cmts, upstream) {
                return Ok(());
            }
            let number = roster.upstream(cmts, upstream);
            if day < first {
                tally.remember(roster, number, line.memory);
                return Ok(());
            }
            let Some((at, of)) = at.and_then(|at| Some((at, tally.plan().parts.get(at)?))) else {
                return Ok(());
            };
            if of.is_window {
                let from = of.span.window.from;
                steps.extend(line.steps_down_s.iter().map(|&at| (from + i64::from(at), number)));
            }
            if of.is_window && line.built_in {
                roster.explained(number, of.span.window.to + -1, ExplainedBy::BuiltIn);
            }
            tally.keep(roster, at, number, line);
            Ok(())
        })?;
        tally.step_downs(roster, steps);
        Ok(())
    }

    /// `follows`: what is carried in is known already.
    fn samples(&mut self, database: &mut dyn Database, days: &[NaiveDate], follows: bool) -> Result<()> {
        let (Some(&first), Some(&last)) = (days.first(), days.last()) else { return Ok(()) };
        let tz = self.question.tz;
        let begin = midnight(tz, first) + if follows { 0 } else { -CARRY_S };
        let end = of_day(tz, last).to.min(self.tally.plan().frame.window.to);
        let Reader { question, tally, roster, seen, .. } = self;
        let mut today = Window { from: begin, to: begin };
        let window = Window { from: begin, to: end };
        database.samples(window, detail_of(window, question.now), &mut |stored| {
            if stored.ts >= today.to {
                let day = local(tz, stored.ts).date();
                today = of_day(tz, day);
                seen.insert(day);
            }
            if question.only.upstream(stored.cmts, stored.upstream) {
                let upstream = roster.upstream(stored.cmts, stored.upstream);
                let snr = stored.snr_db.and_then(snr::tenths);
                tally.feed(roster, upstream, stored.ts, stored.modulation, snr);
            }
            Ok(())
        })
    }
}

/// A window of samples alone: nothing is kept of days that a sample holds through.
pub fn read_samples(
    question: &Question,
    database: &mut dyn Database,
    frame: &Frame,
    roster: &mut Roster,
) -> Result<Read> {
    let oldest = database.oldest()?.unwrap_or(frame.window.from);
    let from = past_from(question, frame).max(oldest);
    let plan = Plan::new(frame.clone(), question.tz, from);
    let mut tally = Tally::new(plan.clone(), &question.maintained);
    database.samples(
        Window { from: from + -CARRY_S, to: frame.window.to },
        Detail::Without,
        &mut |stored| {
            if question.only.upstream(stored.cmts, stored.upstream) {
                let upstream = roster.upstream(stored.cmts, stored.upstream);
                tally.feed(roster, upstream, stored.ts, stored.modulation, None);
            }
            Ok(())
        },
    )?;
    Ok(Read { tallied: tally.finish(roster), plan, missing: Vec::new() })
}

/// From where on samples tell of the past of a window's upstreams.
#[must_use]
pub fn past_from(question: &Question, frame: &Frame) -> Timestamp {
    let first = local(question.tz, frame.window.from).date();
    let back = chrono::Days::new(days_back(frame).into());
    midnight(question.tz, first.checked_sub_days(back).unwrap_or(first))
}
