//! A report of one local day out of finished days, as far as they go: 60,000 rows instead of millions of
//! samples. What it says is the same.

use std::collections::HashMap;

use chrono::{Days, NaiveDate};

use super::request::{HISTORY_DAYS, Request};
use crate::{
    database::{
        Database,
        finished::{Calendar, Care, Keeper},
    },
    error::Result,
    measure::{
        Window,
        arithmetic::{Before, CARRY_S, Frame, Numbers, PerIndex, add},
        rollup::Line,
        roster::Roster,
        tally::{Incidents, Tallied, Tally},
        window,
    },
    record::Timestamp,
};

/// Times by modulation of each upstream, by its number in the roster.
#[derive(Default)]
struct Times(Vec<PerIndex>);

impl Times {
    fn of(&mut self, upstream: u32) -> &mut PerIndex {
        let at = upstream as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, PerIndex::default());
        }
        &mut self.0[at]
    }
}

/// What `delta` needs, by number.
type Yesterday = HashMap<u32, Before>;

/// Reads one local day, `frame`'s window.
///
/// # Errors
/// Those of the database.
pub fn read(
    request: &Request,
    database: &mut dyn Database,
    frame: &Frame,
    date: NaiveDate,
    roster: &mut Roster,
) -> Result<Tallied> {
    let calendar = Calendar { tz: request.tz, interval_s: request.interval_s, now: request.now };
    // The day before is needed for `delta` in any case.
    let before = if frame.expected.is_some() { 1 } else { HISTORY_DAYS };
    let first = date.checked_sub_days(Days::new(before)).unwrap_or(date);
    // The steps of a page are not kept, nor what was lost outside maintenance: they are made of samples.
    let is_maintained = request.is_maintained(frame);
    let of_samples = frame.step_s.is_some() || is_maintained;
    let last = if of_samples { date.pred_opt().unwrap_or(date) } else { date };
    let finished: Vec<_> =
        first.iter_days().take_while(|&day| day <= last && calendar.is_finished(day)).collect();
    let mut keeper = Keeper::new(database, calendar, Care::Report, finished.iter().copied())?;
    let (mut times, mut yesterday) = (Times::default(), Yesterday::new());
    // A day that is over is compared with the whole of the day before, which is kept.
    let compared = date.pred_opt().filter(|_| !is_maintained && frame.end == frame.window.to);
    for &day in finished.iter().filter(|&&day| day < date) {
        let mut time_of = |roster: &mut Roster, cmts: &str, upstream: &str, time: &PerIndex| {
            let number = roster.upstream(cmts, upstream);
            add(times.of(number), time);
            number
        };
        if Some(day) == compared {
            keeper.lines(day, &mut |cmts, upstream, line| {
                if request.only.upstream(cmts, upstream) {
                    let number = time_of(roster, cmts, upstream, &line.day.time);
                    yesterday.insert(number, Before { hops: line.day.hops, time: line.day.time });
                }
                Ok(())
            })?;
        } else {
            keeper.times(day, &mut |cmts, upstream, time| {
                if request.only.upstream(cmts, upstream) {
                    time_of(roster, cmts, upstream, time);
                }
                Ok(())
            })?;
        }
    }
    let is_kept = compared.is_some_and(|day| finished.contains(&day));
    if finished.last() == Some(&date) {
        let mut tallied = whole(request, &mut keeper, frame, date, roster, times)?;
        compare(&mut tallied, &yesterday);
        return Ok(tallied);
    }
    let next = finished.last().and_then(NaiveDate::succ_opt).unwrap_or(first);
    let from = window::of_day(request.tz, next).from;
    let frame = Frame { before: frame.before.filter(|_| !is_kept), ..frame.clone() };
    let mut tallied = unfinished(request, database, frame, from, roster, times)?;
    if is_kept {
        compare(&mut tallied, &yesterday);
    }
    Ok(tallied)
}

fn compare(tallied: &mut Tallied, yesterday: &Yesterday) {
    for (number, numbers) in &mut tallied.lines {
        numbers.before = yesterday.get(number).copied().filter(Before::is_known);
    }
}

/// The day itself is finished too.
fn whole(
    request: &Request,
    keeper: &mut Keeper<'_>,
    frame: &Frame,
    date: NaiveDate,
    roster: &mut Roster,
    mut times: Times,
) -> Result<Tallied> {
    let mut lines: Vec<(u32, Numbers)> = Vec::new();
    let mut steps: HashMap<(Timestamp, u32), Vec<u32>> = HashMap::new();
    keeper.lines(date, &mut |cmts, upstream, line: &Line| {
        if request.only.upstream(cmts, upstream) && line.samples() > 0 {
            let number = roster.upstream(cmts, upstream);
            for &at in &line.steps_down {
                let at = frame.window.from + i64::from(at);
                steps.entry((at, roster.cmts_of(number))).or_default().push(number);
            }
            let history = times.of(number);
            add(history, &line.day.time);
            lines.push((number, line.day.clone().numbers(frame, history)));
        }
        Ok(())
    })?;
    let mut incidents = Incidents::default();
    for ((ts, cmts), upstreams) in steps {
        incidents.note(ts, cmts, &upstreams, false);
    }
    Ok(Tallied { lines, incidents })
}

/// From the first day on that is not finished, samples are read.
fn unfinished(
    request: &Request,
    database: &mut dyn Database,
    frame: Frame,
    from: Timestamp,
    roster: &mut Roster,
    times: Times,
) -> Result<Tallied> {
    let mut carried = (frame.window.from + -CARRY_S).min(from + -frame.hold);
    if let Some(before) = frame.before {
        carried = carried.min(before.from + -frame.carry_before());
    }
    let window = Window { from: carried, to: frame.window.to };
    let mut tally = Tally::new(Frame { history_from: from, ..frame }, &request.maintained);
    database.samples(window, false, &mut |stored| {
        if request.only.upstream(stored.cmts, stored.upstream) {
            let upstream = roster.upstream(stored.cmts, stored.upstream);
            tally.feed(roster, upstream, stored.ts, stored.modulation);
        }
        Ok(())
    })?;
    for (upstream, time) in (0..).zip(&times.0) {
        tally.remember(upstream, time);
    }
    Ok(tally.finish(roster))
}
