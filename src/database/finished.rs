//! Finished days: a local day is reckoned once, when half an hour has passed since its end, and kept in
//! `modulation_day`. It is reckoned anew when the rows that it was made of are not the same any more, so
//! that what it says is always what its samples say.

use std::collections::BTreeMap;

use chrono::{NaiveDate, Offset, TimeZone};
use chrono_tz::Tz;

use super::{Database, DayHead, DayRow, Made};
use crate::{
    error::{Error, Result},
    measure::{
        Window,
        arithmetic::{CARRY_S, Frame, PerIndex, Upstream},
        rollup::{Line, RULES, time_of_column},
        roster::Roster,
        window,
    },
    modulation::Modulation,
    record::Timestamp,
};

/// A day is finished so long after its end, s: until then its last samples may be on their way.
const SETTLE_S: i64 = 1800;
/// From 1900 to 2037, in which zones differ that are not the same, and steps in which a difference is seen.
const ZONE_TIMES: std::ops::Range<i64> = -2_208_988_800..2_145_916_800;
const ZONE_STEP_S: usize = 20 * 86_400;
/// Of a day of more rows than this the number of its scans, which takes no time, tells whether it is still true; the
/// rows of a lesser one are counted.
const COUNTED: u64 = 200_000;

/// Whose days, and what time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Calendar {
    pub tz: Tz,
    pub interval_s: u64,
    pub now: Timestamp,
}

impl Calendar {
    /// Whether a day can be kept.
    #[must_use]
    pub fn is_finished(&self, day: NaiveDate) -> bool {
        window::of_day(self.tz, day).to + SETTLE_S <= self.now
    }

    /// How long a sample holds, s.
    #[must_use]
    pub fn hold(&self) -> i64 {
        i64::try_from(self.interval_s * 5 / 2).unwrap_or(i64::MAX)
    }

    fn frame(&self, day: NaiveDate) -> Frame {
        let window = window::of_day(self.tz, day);
        Frame {
            window,
            end: window.to,
            history_from: window.from,
            hold: self.hold(),
            expected: None,
            hourly: true,
            before: None,
            step_s: None,
        }
    }
}

/// For whom days are looked after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// A report: what is not there is reckoned, and kept where that is allowed.
    Report,
    /// mod-prune: everything is counted, and a day that cannot be kept is a fault.
    Prune,
}

/// What there is of a day.
#[derive(Clone, Debug)]
enum State {
    /// It is kept, and true.
    Kept,
    /// It has to be reckoned, and kept with this head, if at all.
    Wanted(Option<DayHead>),
}

/// The days of a database, looked after.
pub struct Keeper<'a> {
    database: &'a mut dyn Database,
    calendar: Calendar,
    care: Care,
    heads: BTreeMap<NaiveDate, DayHead>,
    states: BTreeMap<NaiveDate, State>,
    /// The last sample of each upstream at the end of the day that was reckoned last.
    roster: Roster,
    last: Vec<Option<(Timestamp, Modulation)>>,
    reckoned: Option<NaiveDate>,
}

impl<'a> Keeper<'a> {
    /// Looks at what there is of some days. They are all looked at before the first is reckoned: what
    /// comes late meanwhile is not in these counts, and so the day is reckoned again the next time.
    ///
    /// # Errors
    /// Those of the database.
    pub fn new(
        database: &'a mut dyn Database,
        calendar: Calendar,
        care: Care,
        days: impl IntoIterator<Item = NaiveDate>,
    ) -> Result<Self> {
        if care == Care::Report {
            database.hurry();
        }
        let heads = if database.keeps_days() { database.day_heads()? } else { Vec::new() };
        let mut keeper = Keeper {
            database,
            calendar,
            care,
            heads: heads.into_iter().map(|head| (head.day, head)).collect(),
            states: BTreeMap::new(),
            roster: Roster::default(),
            last: Vec::new(),
            reckoned: None,
        };
        for day in days {
            let state = keeper.look(day)?;
            keeper.states.insert(day, state);
        }
        Ok(keeper)
    }

    fn look(&mut self, day: NaiveDate) -> Result<State> {
        let Some(kept) = self.heads.get(&day).cloned() else {
            let keep = self.database.keeps_days();
            return Ok(State::Wanted(if keep { Some(self.fresh(day, None)?) } else { None }));
        };
        let Calendar { tz, interval_s, .. } = self.calendar;
        if !is_same_zone(&kept.tz, tz) || kept.interval_s != interval_s {
            // Not for one report's sake: mod-prune is the one who decides.
            let ours = self.care == Care::Prune && !kept.made.sealed;
            let head = if ours { Some(self.fresh(day, None)?) } else { None };
            return Ok(State::Wanted(head.filter(|head| head.samples > 0)));
        }
        if kept.made.rules != RULES {
            let head = self.fresh(day, None)?;
            return Ok(State::Wanted(Some(head).filter(|head| head.samples > 0)));
        }
        if kept.made.sealed {
            return Ok(State::Kept);
        }
        let made_of = kept.samples.saturating_add(kept.made.carried);
        let scans = self.database.count_scans(self.span(day))?;
        // Where scans account for all samples, new ones would be in new scans; and what mod-store stores late into the
        // same scans, it marks. Otherwise, as where another program fills the table, the rows are counted.
        let [_, of_scans] = scans;
        if made_of > COUNTED && scans == kept.made.scans && of_scans >= made_of {
            return Ok(State::Kept);
        }
        let head = self.fresh(day, Some(scans))?;
        // Rows that have all gone were pruned, whoever did it.
        let same = |now: u64, then: u64| now == then || now == 0;
        if same(head.samples, kept.samples) && same(head.made.carried, kept.made.carried) {
            self.renew_scans(&kept, scans);
            return Ok(State::Kept);
        }
        Ok(State::Wanted(Some(head)))
    }

    /// A day whose scans changed but not its rows would be counted again each time.
    fn renew_scans(&mut self, kept: &DayHead, scans: [u64; 2]) {
        if scans != kept.made.scans {
            let head = DayHead { made: Made { scans, ..kept.made }, ..kept.clone() };
            if let Err(error) = self.database.write_head(&head) {
                log::info!("{}: its head is not renewed: {error}", kept.day);
            }
        }
    }

    /// From what may be carried in to the end of the day.
    fn span(&self, day: NaiveDate) -> Window {
        let window = window::of_day(self.calendar.tz, day);
        Window { from: window.from + -CARRY_S, to: window.to }
    }

    /// The head of a day as it is now.
    fn fresh(&mut self, day: NaiveDate, scans: Option<[u64; 2]>) -> Result<DayHead> {
        let window = window::of_day(self.calendar.tz, day);
        let span = self.span(day);
        let scans = match scans {
            Some(scans) => scans,
            None => self.database.count_scans(span)?,
        };
        let carried = self.database.count_samples(Window { from: span.from, to: window.from })?;
        let samples = self.database.count_samples(window)?;
        let Calendar { tz, interval_s, .. } = self.calendar;
        let made = Made { rules: RULES, carried, scans, sealed: false };
        Ok(DayHead { day, tz: tz.name().to_owned(), interval_s, samples, made })
    }

    /// The times by modulation of each upstream in a day.
    ///
    /// # Errors
    /// Those of the database, and those of `each`.
    pub fn times(
        &mut self,
        day: NaiveDate,
        each: &mut dyn FnMut(&str, &str, &PerIndex) -> Result<()>,
    ) -> Result<()> {
        if let Some(lines) = self.reckon_wanted(day)? {
            return self.hand_out(&lines, &mut |cmts, upstream, line| each(cmts, upstream, &line.day.time));
        }
        let place = self.database.place().to_owned();
        self.database.day_rows(day, false, &mut |row| {
            let time = time_of_column(row.time_s).map_err(|e| broken(&place, day, row, &e))?;
            each(row.cmts, row.upstream, &time)
        })
    }

    /// All that is kept of each upstream in a day.
    ///
    /// # Errors
    /// Those of the database, and those of `each`.
    pub fn lines(
        &mut self,
        day: NaiveDate,
        each: &mut dyn FnMut(&str, &str, &Line) -> Result<()>,
    ) -> Result<()> {
        if let Some(lines) = self.reckon_wanted(day)? {
            return self.hand_out(&lines, each);
        }
        let place = self.database.place().to_owned();
        self.database.day_rows(day, true, &mut |row| {
            let line =
                Line::of_columns(row.time_s, row.finished).map_err(|e| broken(&place, day, row, &e))?;
            each(row.cmts, row.upstream, &line)
        })
    }

    /// Makes sure that a day is kept.
    ///
    /// # Errors
    /// Those of the database.
    pub fn ensure(&mut self, day: NaiveDate) -> Result<()> {
        match self.states.get(&day) {
            Some(State::Wanted(Some(_))) => self.reckon_wanted(day).map(drop),
            _ => Ok(()),
        }
    }

    fn hand_out(
        &self,
        lines: &[(u32, Line)],
        each: &mut dyn FnMut(&str, &str, &Line) -> Result<()>,
    ) -> Result<()> {
        lines.iter().try_for_each(|(number, line)| {
            let about = self.roster.about(*number);
            each(about.cmts, about.upstream, line)
        })
    }

    /// Reckons a day that has to be, and keeps it; none: it is kept already.
    fn reckon_wanted(&mut self, day: NaiveDate) -> Result<Option<Vec<(u32, Line)>>> {
        let state = match self.states.get(&day) {
            Some(state) => state.clone(),
            None => self.look(day)?,
        };
        let State::Wanted(head) = state else { return Ok(None) };
        let lines = self.reckon(day)?;
        // Of a day without samples there is nothing to keep.
        if let Some(head) = head.filter(|_| !lines.is_empty()) {
            match self.keep(&head, &lines) {
                Err(error) if self.care == Care::Report => {
                    log::info!("{day} is not kept: {error}");
                    self.keep_no_more();
                }
                kept => kept?,
            }
        }
        Ok(Some(lines))
    }

    /// What is refused once is refused again.
    fn keep_no_more(&mut self) {
        for state in self.states.values_mut() {
            if let State::Wanted(head) = state {
                *head = None;
            }
        }
    }

    /// Reads the samples of a day. Right after the day before, it knows already what is carried in.
    fn reckon(&mut self, day: NaiveDate) -> Result<Vec<(u32, Line)>> {
        let frame = self.calendar.frame(day);
        let mut window = frame.window;
        let follows = day.pred_opt().is_some_and(|before| self.reckoned == Some(before));
        let mut states: Vec<(Upstream, Vec<u32>)> = Vec::new();
        if follows {
            for last in &self.last {
                let mut upstream = Upstream::new(&frame);
                if let &Some((ts, modulation)) = last {
                    upstream.feed(&frame, ts, modulation);
                }
                states.push((upstream, Vec::new()));
            }
        } else {
            window.from = window.from + -CARRY_S;
            self.roster = Roster::default();
        }
        let roster = &mut self.roster;
        self.database.samples(window, false, &mut |stored| {
            let number = roster.upstream(stored.cmts, stored.upstream) as usize;
            while states.len() <= number {
                states.push((Upstream::new(&frame), Vec::new()));
            }
            let (upstream, steps) = &mut states[number];
            if upstream.feed(&frame, stored.ts, stored.modulation) {
                steps.push(u32::try_from(stored.ts.since(frame.window.from)).unwrap_or_default());
            }
            Ok(())
        })?;
        self.last = states.iter().map(|(upstream, _)| upstream.last()).collect();
        self.reckoned = Some(day);
        let lines = (0..).zip(states).map(|(number, (upstream, steps_down))| {
            (number, Line { day: upstream.finish_day(&frame), steps_down })
        });
        // Time without a sample is what was carried in: it counts for what is expected.
        Ok(lines.filter(|(_, line)| line.samples() > 0 || line.day.time.iter().any(|&s| s > 0)).collect())
    }

    fn keep(&mut self, head: &DayHead, lines: &[(u32, Line)]) -> Result<()> {
        let columns: Vec<_> = lines.iter().map(|(_, line)| line.to_columns()).collect();
        let mut rows: Vec<DayRow<'_>> = lines
            .iter()
            .zip(&columns)
            .map(|((number, line), (time_s, finished))| {
                let about = self.roster.about(*number);
                let (cmts, upstream) = (about.cmts, about.upstream);
                DayRow { cmts, upstream, samples: line.samples(), time_s, finished }
            })
            .collect();
        // In the order of the key, so that its pages are written once.
        rows.sort_by_key(|row| (row.cmts, row.upstream));
        self.database.write_day(head, &rows)
    }

    /// Seals every kept day that is made of samples from before a moment: they are about to go.
    ///
    /// # Errors
    /// Those of the database.
    pub fn seal(database: &mut dyn Database, calendar: Calendar, before: Timestamp) -> Result<()> {
        if !database.keeps_days() {
            return Ok(());
        }
        for head in database.day_heads()? {
            let tz = head.tz.parse().unwrap_or(calendar.tz);
            let made_from = window::of_day(tz, head.day).from + -CARRY_S;
            if made_from < before && !head.made.sealed {
                database.write_head(&DayHead { made: Made { sealed: true, ..head.made }, ..head })?;
            }
        }
        Ok(())
    }
}

/// Whether a day was kept for this zone, by its name or by an alias, which has had the same offset at all times.
fn is_same_zone(kept: &str, tz: Tz) -> bool {
    let is_alias = |kept: Tz| ZONE_TIMES.step_by(ZONE_STEP_S).all(|at| offset(kept, at) == offset(tz, at));
    kept == tz.name() || kept.parse().is_ok_and(is_alias)
}

fn offset(tz: Tz, at: i64) -> i32 {
    tz.offset_from_utc_datetime(&Timestamp(at).utc().naive_utc()).fix().local_minus_utc()
}

fn broken(place: &str, day: NaiveDate, row: DayRow<'_>, error: &serde_json::Error) -> Error {
    Error::Database {
        place: place.to_owned(),
        reason: format!(
            "modulation_day of {day}, {} {}, cannot be read ({error}); DELETE FROM modulation_day WHERE \
             day = '{day}' has it made anew",
            row.cmts, row.upstream
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::is_same_zone;
    use chrono_tz::Tz;

    #[test]
    fn an_alias_is_the_same_zone_and_a_neighbour_is_not() {
        for (kept, tz, same) in [
            ("Etc/UTC", Tz::UTC, true),
            ("Europe/Amsterdam", Tz::Europe__Amsterdam, true),
            ("Asia/Calcutta", Tz::Asia__Kolkata, true),
            ("Europe/Berlin", Tz::Europe__Amsterdam, false),
            ("Mars/Base", Tz::UTC, false),
        ] {
            assert_eq!(is_same_zone(kept, tz), same, "{kept}");
        }
    }
}
