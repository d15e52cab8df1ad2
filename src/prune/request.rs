//! What was asked for: flags and settings, understood before anything is opened.

use chrono::{Days, NaiveDate};

use crate::{
    cli,
    database::finished::Calendar,
    error::{Error, Result},
    measure::window::local,
    moment,
    record::{Retained, Timestamp},
    stage::Context,
};

const DAY_S: i64 = 86_400;
const KEEP_DAYS: u32 = 8;
const BATCH: u32 = 10_000;
/// ID_RESET_THRESHOLD unless it is set.
const ID_PERCENT: f64 = 80.0;

/// A pruning that can be done.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Request {
    pub now: Timestamp,
    pub calendar: Calendar,
    pub keep_days: u32,
    /// Samples and scans from before this go.
    pub samples_before: Timestamp,
    pub detail_before: Timestamp,
    pub days_before: Timestamp,
    pub batch: u64,
    detail_hours: u32,
    rollup_days: u32,
    force: bool,
    pub prom: bool,
    pub reset_id: bool,
    /// ENABLE_ID_RESET: from when on the id is reset without being asked.
    pub guard: Option<Threshold>,
    /// ENABLE_AUTO_CLEANUP is off.
    pub cleanup_off: bool,
}

/// How far an id may count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// A part of its range.
    Percent(f64),
    Id(u64),
}

impl Threshold {
    /// ID_RESET_THRESHOLD: up to 100 it is a percentage.
    fn of(setting: f64) -> Self {
        if setting <= 100.0 { Threshold::Percent(setting) } else { Threshold::Id(setting as u64) }
    }

    /// Whether an id that counts up to `limit` has come so far.
    #[must_use]
    pub fn is_reached(self, next: u64, limit: u64) -> bool {
        match self {
            Threshold::Percent(percent) => next.saturating_sub(1) as f64 >= limit as f64 * percent / 100.0,
            Threshold::Id(id) => next >= id,
        }
    }
}

impl Request {
    /// Understands the flags.
    ///
    /// # Errors
    /// [`Error::Usage`], naming the flag or setting and the remedy.
    pub fn new(args: &cli::Prune, context: &Context) -> Result<Self> {
        let settings = &context.settings;
        let number = |flag: Option<u32>, name: &str, default: u32| -> Result<u32> {
            let set = match flag {
                Some(number) => return Ok(number),
                None => settings.parse(name, "a whole number")?.unwrap_or(default),
            };
            if set == 0 {
                return Err(Error::usage(format!("{name}=0 keeps nothing; set it to 1 or more")));
            }
            Ok(set)
        };
        let now = context.clock.now();
        let tz = moment::zone(args.tz.as_deref(), settings)?;
        let keep_days = number(args.keep_days, "DATA_RETENTION_DAYS", KEEP_DAYS)?;
        let guard = match settings.switch("ENABLE_ID_RESET", true)? {
            true => {
                let threshold =
                    settings.parse("ID_RESET_THRESHOLD", "a percentage or an id")?.unwrap_or(ID_PERCENT);
                Some(Threshold::of(threshold)).filter(|_| threshold > 0.0)
            }
            false => None,
        };
        let cleanup_off = !settings.switch("ENABLE_AUTO_CLEANUP", true)?;
        let request = Request {
            now,
            calendar: Calendar { tz, interval_s: args.interval.as_secs(), now },
            keep_days,
            samples_before: now,
            detail_before: now,
            days_before: now,
            detail_hours: args.detail_hours,
            rollup_days: args.rollup_days,
            force: args.force,
            batch: number(args.batch, "CLEANUP_BATCH_SIZE", BATCH)?.into(),
            reset_id: args.reset_id,
            prom: args.prom,
            guard,
            cleanup_off,
        };
        Ok(request.at(now))
    }

    fn at(self, moment: Timestamp) -> Self {
        Request {
            samples_before: moment + -DAY_S * i64::from(self.keep_days),
            detail_before: moment + -3600 * i64::from(self.detail_hours),
            days_before: moment + -DAY_S * i64::from(self.rollup_days),
            ..self
        }
    }

    /// Judges age by the newest sample that is stored, so that a clock that is wrong destroys nothing.
    ///
    /// # Errors
    /// [`Error::Usage`] when every sample would go: nobody scans, or the clock is wrong.
    pub fn judged_by(self, newest: Option<Timestamp>) -> Result<Self> {
        let Some(newest) = newest.filter(|_| !self.force) else { return Ok(self) };
        if newest < self.samples_before {
            return Err(Error::usage(format!(
                "the newest sample is of {newest} and all samples would go, with {} days to keep: the clock \
                 ({}) is wrong or nothing has been stored since; nothing was done; use --force to prune nevertheless",
                self.keep_days, self.now
            )));
        }
        let moment = self.now.min(newest + DAY_S);
        Ok(self.at(moment))
    }

    /// For `--status`: what is kept.
    #[must_use]
    pub fn retained(&self, last_run: Option<Timestamp>) -> Retained {
        let off = [("ENABLE_AUTO_CLEANUP", self.cleanup_off), ("ENABLE_ID_RESET", self.guard.is_none())];
        Retained {
            keep_days: self.keep_days,
            detail_hours: self.detail_hours,
            rollup_days: self.rollup_days,
            off: off.into_iter().filter_map(|(setting, off)| off.then_some(setting)).collect(),
            last_run,
        }
    }

    /// The first local day that modulation_day keeps.
    #[must_use]
    pub fn first_day(&self) -> NaiveDate {
        local(self.calendar.tz, self.days_before).date()
    }

    /// The last local day that is finished.
    #[must_use]
    pub fn last_day(&self) -> NaiveDate {
        let today = local(self.calendar.tz, self.now).date();
        let back = |days| today.checked_sub_days(Days::new(days)).unwrap_or(today);
        // Right after midnight it is not yesterday.
        if self.calendar.is_finished(back(1)) { back(1) } else { back(2) }
    }
}

#[cfg(test)]
mod tests {
    use super::Threshold;

    #[test]
    fn a_threshold_is_a_percentage_up_to_100() {
        for (setting, next, limit, reached) in [
            (80.0, 81, 100, true),
            (80.0, 80, 100, false),
            (80.0, 100_000_000, 2_147_483_647, false),
            (100.0, 101, 100, true),
            (101.0, 100, 2_147_483_647, false),
            (101.0, 101, 2_147_483_647, true),
        ] {
            assert_eq!(Threshold::of(setting).is_reached(next, limit), reached, "{setting} {next}");
        }
    }
}
