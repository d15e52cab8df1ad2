//! A report of one local day out of finished days, as far as they go: 60,000 rows instead of millions of
//! samples. What it says is the same.

use std::collections::HashMap;

use chrono::{Days, NaiveDate};

use super::{
    arithmetic::{CARRY_S, Frame, Numbers, PerIndex, add},
    days::{Calendar, Care, Keeper},
    request::{HISTORY_DAYS, Request},
    rollup::Line,
    roster::Roster,
    tally::{INCIDENT_UPSTREAMS, Tallied, Tally},
    window,
};
use crate::{
    error::Result,
    record::Timestamp,
    store::{Database, Window},
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
    let before = if frame.expected.is_some() { 0 } else { HISTORY_DAYS };
    let first = date.checked_sub_days(Days::new(before)).unwrap_or(date);
    // The steps of a page are not kept: they are made of the day's own samples.
    let last = if frame.step_s.is_some() { date.pred_opt().unwrap_or(date) } else { date };
    let finished: Vec<_> =
        first.iter_days().take_while(|&day| day <= last && calendar.is_finished(day)).collect();
    let mut keeper = Keeper::new(database, calendar, Care::Report, finished.iter().copied())?;
    let mut times = Times::default();
    for &day in finished.iter().filter(|&&day| day < date) {
        keeper.times(day, &mut |cmts, upstream, time| {
            if request.only.upstream(cmts, upstream) {
                add(times.of(roster.upstream(cmts, upstream)), time);
            }
            Ok(())
        })?;
    }
    if finished.last() == Some(&date) {
        return whole(request, &mut keeper, frame, date, roster, times);
    }
    let next = finished.last().and_then(NaiveDate::succ_opt).unwrap_or(first);
    unfinished(request, database, frame, window::of_day(request.tz, next).from, roster, times)
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
    let mut steps: HashMap<(Timestamp, u32), u64> = HashMap::new();
    keeper.lines(date, &mut |cmts, upstream, line: &Line| {
        if request.only.upstream(cmts, upstream) && line.samples() > 0 {
            let number = roster.upstream(cmts, upstream);
            for &at in &line.steps_down {
                *steps.entry((frame.window.from + i64::from(at), roster.cmts_of(number))).or_default() += 1;
            }
            let history = times.of(number);
            add(history, &line.day.time);
            lines.push((number, line.day.clone().numbers(frame, history)));
        }
        Ok(())
    })?;
    let grave = steps.into_iter().filter(|&(_, upstreams)| upstreams >= INCIDENT_UPSTREAMS);
    let incidents = grave.map(|((ts, cmts), upstreams)| (ts, cmts, upstreams)).collect();
    Ok(Tallied { lines, incidents })
}

/// From the first day on that is not finished, samples are read.
fn unfinished(
    request: &Request,
    database: &mut dyn Database,
    frame: &Frame,
    from: Timestamp,
    roster: &mut Roster,
    times: Times,
) -> Result<Tallied> {
    let carried = (frame.window.from + -CARRY_S).min(from + -frame.hold);
    let mut tally = Tally::new(Frame { history_from: from, ..frame.clone() });
    database.samples(Window { from: carried, to: frame.window.to }, false, &mut |stored| {
        if request.only.upstream(stored.cmts, stored.upstream) {
            let upstream = roster.upstream(stored.cmts, stored.upstream);
            tally.feed(roster, upstream, stored.ts, stored.modulation);
        }
        Ok(())
    })?;
    for (upstream, time) in (0..).zip(&times.0) {
        tally.remember(upstream, time);
    }
    Ok(tally.finish())
}
