//! DATETIME columns hold local time without saying which: the conversion, both ways.

use ::mysql::Value;
use chrono::{DateTime, Datelike, Local, LocalResult, NaiveDate, NaiveDateTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

use crate::{
    error::{Error, Result},
    record::Timestamp,
    settings::Settings,
};

/// How a time stands in the `timestamp` column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// TIMESTAMP, through a session in UTC.
    Utc,
    /// DATETIME in the time of MODTOOLS_TZ.
    Named(Tz),
    /// DATETIME in the time of this machine.
    System,
}

impl Zone {
    /// The zone of DATETIME columns: MODTOOLS_TZ, else that of the machine.
    pub fn of_settings(settings: &Settings) -> Result<Self> {
        match settings.get("MODTOOLS_TZ")? {
            None => Ok(Zone::System),
            Some(name) => name.trim().parse().map(Zone::Named).map_err(|_| {
                Error::usage(format!(
                    "MODTOOLS_TZ: unknown time zone {name:?}; examples: Europe/Amsterdam, UTC"
                ))
            }),
        }
    }

    /// As the column holds it.
    pub fn to_column(self, ts: Timestamp) -> NaiveDateTime {
        match self {
            Zone::Utc => ts.utc().naive_utc(),
            Zone::Named(tz) => ts.utc().with_timezone(&tz).naive_local(),
            Zone::System => ts.utc().with_timezone(&Local).naive_local(),
        }
    }

    /// The instant of a column's value. Of an hour that comes twice, the first is meant; of an hour
    /// that is left out, the same distance after the gap's beginning.
    pub fn of_column(self, time: NaiveDateTime) -> Timestamp {
        match self {
            Zone::Utc => Timestamp(time.and_utc().timestamp()),
            Zone::Named(tz) => first(&tz, time),
            Zone::System => first(&Local, time),
        }
    }

    /// Whether the column's value would stand for two instants.
    pub fn is_ambiguous(self, ts: Timestamp) -> bool {
        let time = self.to_column(ts);
        match self {
            Zone::Utc => false,
            Zone::Named(tz) => matches!(tz.from_local_datetime(&time), LocalResult::Ambiguous(..)),
            Zone::System => matches!(Local.from_local_datetime(&time), LocalResult::Ambiguous(..)),
        }
    }
}

fn first<Z: TimeZone>(zone: &Z, time: NaiveDateTime) -> Timestamp {
    let instant = |time: NaiveDateTime| zone.from_local_datetime(&time).earliest().map(|t| t.timestamp());
    let hour = chrono::TimeDelta::hours(1);
    let after_gap = || time.checked_sub_signed(hour).and_then(instant).map(|t| t + 3600);
    Timestamp(instant(time).or_else(after_gap).unwrap_or_else(|| time.and_utc().timestamp()))
}

/// A time as a parameter.
pub(super) fn value(time: NaiveDateTime) -> Value {
    let (date, clock) = (time.date(), time.time());
    let year = u16::try_from(date.year()).unwrap_or_default();
    let small = |n: u32| u8::try_from(n).unwrap_or_default();
    let (month, day) = (small(date.month()), small(date.day()));
    Value::Date(year, month, day, small(clock.hour()), small(clock.minute()), small(clock.second()), 0)
}

/// An instant as a parameter for a TIMESTAMP column, whose range it is moved into.
pub(super) fn utc(ts: Timestamp) -> Value {
    let within = ts.0.clamp(1, i64::from(i32::MAX));
    value(DateTime::<Utc>::from_timestamp(within, 0).unwrap_or_default().naive_utc())
}

/// The time that came as a value; none for NULL and for zero dates.
pub(super) fn time(value: &Value) -> Option<NaiveDateTime> {
    let &Value::Date(year, month, day, hour, minute, second, _) = value else { return None };
    let date = NaiveDate::from_ymd_opt(i32::from(year), u32::from(month), u32::from(day))?;
    date.and_hms_opt(u32::from(hour), u32::from(minute), u32::from(second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_time_goes_there_and_back_but_for_the_repeated_hour() {
        let zone = Zone::of_settings(&Settings::of([("MODTOOLS_TZ", "Europe/Amsterdam")])).expect("known");
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        for (utc, local, ambiguous, back) in [
            ("2026-05-01T12:00:00Z", "2026-05-01T14:00:00", false, "2026-05-01T12:00:00Z"),
            ("2026-10-25T00:30:00Z", "2026-10-25T02:30:00", true, "2026-10-25T00:30:00Z"),
            ("2026-10-25T01:30:00Z", "2026-10-25T02:30:00", true, "2026-10-25T00:30:00Z"),
            ("2026-10-25T02:00:00Z", "2026-10-25T03:00:00", false, "2026-10-25T02:00:00Z"),
        ] {
            let column = zone.to_column(at(utc));
            assert_eq!(column, local.parse().expect("a local time"), "{utc}");
            assert_eq!(zone.is_ambiguous(at(utc)), ambiguous, "{utc}");
            assert_eq!(zone.of_column(column), at(back), "{utc}");
        }
        // 02:30 of the spring night does not exist.
        let gap = "2026-03-29T02:30:00".parse().expect("a local time");
        assert_eq!(zone.of_column(gap), at("2026-03-29T01:30:00Z"));
        assert!(Zone::of_settings(&Settings::of([("MODTOOLS_TZ", "Mars/Olympus")])).is_err());
    }

    #[test]
    fn values_are_whole_seconds_in_range() {
        let moment = "2026-05-01T12:34:56".parse().expect("a time");
        assert_eq!(value(moment), Value::Date(2026, 5, 1, 12, 34, 56, 0));
        assert_eq!(time(&value(moment)), Some(moment));
        assert_eq!(time(&Value::Date(0, 0, 0, 0, 0, 0, 0)), None);
        assert_eq!(utc(Timestamp(i64::MIN)), Value::Date(1970, 1, 1, 0, 0, 1, 0));
    }
}
