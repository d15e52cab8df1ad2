//! Whether a kept day is still what its samples say, found without counting them wherever that can be: eight days of a
//! large network are seventy million rows.

use chrono::NaiveDate;

use super::{Care, Keeper, State};
use crate::{
    database::{DayHead, Made},
    error::Result,
    measure::{Window, arithmetic::CARRY_S, rollup::rules, window},
    record::Timestamp,
};

/// The rows of a lesser day are counted, whatever else tells of them.
const COUNTED: u64 = 200_000;

impl Keeper<'_> {
    pub(super) fn look(&mut self, day: NaiveDate) -> Result<State> {
        let Some(kept) = self.heads.get(&day).cloned() else {
            let keeps = self.database.keeps_days();
            return Ok(State::Wanted(if keeps { Some(self.signs(day)?) } else { None }));
        };
        if !self.calendar.is_of(&kept) {
            // Not for one report's sake: mod-prune is the one who decides.
            let ours = self.care == Care::Prune && !kept.made.sealed && self.has_samples(day)?;
            return Ok(State::Wanted(if ours { Some(self.signs(day)?) } else { None }));
        }
        if kept.made.rules != rules() && self.has_samples(day)? {
            return Ok(State::Wanted(Some(self.signs(day)?)));
        }
        if kept.made.sealed {
            return Ok(State::Kept);
        }
        let signs = self.signs(day)?;
        if !self.shows_no_change(&kept, signs) {
            if !self.counts_the_same(&kept)? {
                return Ok(State::Wanted(Some(signs)));
            }
            self.renew(&kept, signs);
        }
        Ok(State::Kept)
    }

    /// What a day is kept with, as far as it is known before its samples are read: what comes meanwhile changes it.
    fn signs(&mut self, day: NaiveDate) -> Result<Made> {
        let span = self.span(day);
        let mark = self.gauge()?.map(|gauge| gauge.mark(span));
        let today = window::of_day(self.calendar.tz, day);
        let before = self.count_scans(Window { from: span.from, to: today.from })?;
        let of_day = self.count_scans(today)?;
        let scans = [before[0] + of_day[0], before[1] + of_day[1]];
        Ok(Made { rules: rules(), scans, mark, ..Made::default() })
    }

    /// Whether no row can have come to a large day. Where scans account for all samples, new ones would be in new scans,
    /// and what mod-store stores late into the same scans, it marks. Where another program fills the table, the server's
    /// own tally of the partitions would have moved.
    fn shows_no_change(&self, kept: &DayHead, signs: Made) -> bool {
        let made_of = kept.samples.saturating_add(kept.made.carried);
        let [_, of_scans] = signs.scans;
        let scanned = of_scans >= made_of && signs.scans == kept.made.scans;
        let still = || signs.mark.is_some_and(|now| kept.made.mark.is_some_and(|then| now.is_same(then)));
        made_of > COUNTED && (scanned || still())
    }

    /// Whether a day has as many rows as it was made of. Rows that have all gone were pruned, and so were the first
    /// ones of a day that lost some: whoever did it.
    fn counts_the_same(&mut self, kept: &DayHead) -> Result<bool> {
        let (day, span) = (window::of_day(self.calendar.tz, kept.day), self.span(kept.day));
        let before = Window { from: span.from, to: day.from };
        let oldest = self.oldest;
        let same = |now: u64, then: u64, from: Timestamp| {
            now == then || now == 0 || (now < then && oldest.is_some_and(|oldest| oldest > from))
        };
        Ok(same(self.count(day)?, kept.samples, day.from)
            && same(self.count(before)?, kept.made.carried, before.from))
    }

    /// A day of which the signs changed but not the rows would be counted again each time.
    fn renew(&mut self, kept: &DayHead, signs: Made) {
        let made = Made { scans: signs.scans, mark: signs.mark, ..kept.made };
        if made == kept.made {
            return;
        }
        if let Err(error) = self.database.write_head(&DayHead { made, ..kept.clone() }) {
            log::info!("{}: its head is not renewed: {error}", kept.day);
        }
    }

    /// From what may be carried in to the end of the day.
    fn span(&self, day: NaiveDate) -> Window {
        let window = window::of_day(self.calendar.tz, day);
        Window { from: window.from + -CARRY_S, to: window.to }
    }

    fn has_samples(&mut self, day: NaiveDate) -> Result<bool> {
        self.database.has_samples(window::of_day(self.calendar.tz, day))
    }

    /// The rows of a window; most windows are asked for by two days, that which they are and the one after it.
    pub(super) fn count(&mut self, window: Window) -> Result<u64> {
        let key = (window.from, window.to);
        if let Some(&count) = self.counts.get(&key) {
            return Ok(count);
        }
        let count = self.database.count_samples(window)?;
        self.counts.insert(key, count);
        Ok(count)
    }

    /// As [`Keeper::count`], the scans and their samples.
    fn count_scans(&mut self, window: Window) -> Result<[u64; 2]> {
        let key = (window.from, window.to);
        if let Some(&counts) = self.scans.get(&key) {
            return Ok(counts);
        }
        let counts = self.database.count_scans(window)?;
        self.scans.insert(key, counts);
        Ok(counts)
    }
}
