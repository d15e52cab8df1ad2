//! What was asked for: flags and settings, understood before anything is opened.

use chrono::{Days, NaiveDate};

use crate::{
    cli,
    database::finished::Calendar,
    error::{Error, Result},
    measure::window::local,
    moment,
    record::Timestamp,
    stage::Context,
};

const DAY_S: i64 = 86_400;
const KEEP_DAYS: u32 = 8;
const BATCH: u32 = 10_000;

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
    /// `--force`.
    force: bool,
    /// `--reset-id`.
    pub reset_id: bool,
    /// ENABLE_ID_RESET, from this id on.
    pub reset_from: Option<u64>,
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
        let reset_from = match settings.switch("ENABLE_ID_RESET", false)? {
            true => Some(settings.parse("ID_RESET_THRESHOLD", "an id")?.unwrap_or(0)),
            false => None,
        };
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
            reset_from,
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
