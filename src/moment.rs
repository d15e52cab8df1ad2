//! Time as people type it: a time zone, a local day, a moment.

use chrono::{Days, LocalResult, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone as _};
use chrono_tz::Tz;

use crate::{
    error::{Error, Result},
    record::Timestamp,
    settings::Settings,
    units,
};

/// The time zone of local days and hours: `--tz`, else MODTOOLS_TZ, else the system's (TZ,
/// /etc/localtime), else UTC.
///
/// # Errors
/// [`Error::Usage`] for a flag or a MODTOOLS_TZ that names no zone.
pub fn zone(flag: Option<&str>, settings: &Settings) -> Result<Tz> {
    let given = |place: &str, name: &str| {
        name.parse::<Tz>().map_err(|_| {
            Error::usage(format!("{place}: unknown time zone {name:?}; examples: Europe/Amsterdam, UTC"))
        })
    };
    if let Some(name) = flag {
        return given("--tz", name);
    }
    if let Some(name) = settings.get("MODTOOLS_TZ")? {
        return given("MODTOOLS_TZ", &name);
    }
    let by_environment = settings.get("TZ")?.and_then(|name| name.trim_start_matches(':').parse::<Tz>().ok());
    Ok(by_environment.or_else(system_zone).unwrap_or(Tz::UTC))
}

/// The zone that /etc/localtime links to.
fn system_zone() -> Option<Tz> {
    let target = std::fs::canonicalize("/etc/localtime").ok()?;
    target.to_str()?.split_once("/zoneinfo/")?.1.parse().ok()
}

/// The day of `YYYY-MM-DD`, `today` or `yesterday`.
///
/// # Errors
/// [`Error::Usage`], naming the flag.
pub fn day(flag: &str, text: &str, tz: Tz, now: Timestamp) -> Result<NaiveDate> {
    let today = local(tz, now).date();
    let date = match text {
        "today" => Some(today),
        "yesterday" => today.pred_opt(),
        _ => parse_date(text),
    };
    date.ok_or_else(|| {
        Error::usage(format!("{flag}: invalid date {text:?}; examples: YYYY-MM-DD, today, yesterday"))
    })
}

/// The days that a date, a week (`2026-W47`) or a month (`2026-11`) has: the first, and the one after the last.
///
/// # Errors
/// [`Error::Usage`], naming the flag.
pub fn days(flag: &str, text: &str, tz: Tz, now: Timestamp) -> Result<(NaiveDate, NaiveDate)> {
    let days = week(text).or_else(|| month(text));
    match days {
        Some(days) => Ok(days),
        None => {
            let day = day(flag, text, tz, now)?;
            Ok((day, day.succ_opt().unwrap_or(day)))
        }
    }
}

/// An ISO 8601 week.
fn week(text: &str) -> Option<(NaiveDate, NaiveDate)> {
    let (year, week) = text.split_once("-W")?;
    let is_exact = year.len() == 4 && week.len() == 2;
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let (year, week) = (number(year)?, number(week)?);
    let first = NaiveDate::from_isoywd_opt(i32::try_from(year).ok()?, week, chrono::Weekday::Mon)?;
    is_exact.then(|| first.checked_add_days(Days::new(7)).map(|next| (first, next))).flatten()
}

fn month(text: &str) -> Option<(NaiveDate, NaiveDate)> {
    (text.len() == 7).then_some(())?;
    let first = parse_date(&format!("{text}-01"))?;
    Some((first, first.checked_add_months(Months::new(1))?))
}

/// Four digits, two, two: what chrono takes for a date besides is a slip of the finger here.
fn parse_date(text: &str) -> Option<NaiveDate> {
    (text.len() == 10).then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten()
}

/// A moment: RFC 3339, or local `YYYY-MM-DD[ HH:MM[:SS]]`, or `now`, `today`, `yesterday`,
/// `-7d` (the local midnight seven days ago), `-1h`, `-90m` (so long before now).
///
/// # Errors
/// [`Error::Usage`], naming the flag.
pub fn moment(flag: &str, text: &str, tz: Tz, now: Timestamp) -> Result<Timestamp> {
    if text == "now" {
        return Ok(now);
    }
    if let Ok(moment) = text.parse() {
        return Ok(moment);
    }
    if let Ok(date) = day(flag, text, tz, now) {
        return Ok(midnight(tz, date));
    }
    let today = local(tz, now).date();
    if let Some(days) = text.strip_prefix('-').and_then(|text| text.strip_suffix('d'))
        && let Some(day) = days.parse().ok().and_then(|days| today.checked_sub_days(Days::new(days)))
    {
        return Ok(midnight(tz, day));
    }
    if let Some(ago) = text.strip_prefix('-').filter(|ago| ago.ends_with(['h', 'm']))
        && let Ok(ago) = units::duration(ago)
    {
        return Ok(now + -i64::try_from(ago.as_secs()).unwrap_or(i64::MAX));
    }
    if let (5, Ok(time)) = (text.len(), NaiveTime::parse_from_str(text, "%H:%M")) {
        return Ok(first_instant(tz, today.and_time(time)));
    }
    let text_with_blank = text.replacen('T', " ", 1);
    let time = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&text_with_blank, format).ok());
    time.map(|time| first_instant(tz, time)).ok_or_else(|| {
        Error::usage(format!(
            "{flag}: invalid time {text:?}; write 2026-05-01T12:00:00Z, or local \"2026-05-01 12:00\", 12:00, -7d, -1h"
        ))
    })
}

/// The clock on the wall in `tz`.
#[must_use]
pub fn local(tz: Tz, moment: Timestamp) -> NaiveDateTime {
    moment.utc().with_timezone(&tz).naive_local()
}

/// The begin of a local day.
#[must_use]
pub fn midnight(tz: Tz, date: NaiveDate) -> Timestamp {
    first_instant(tz, date.and_time(NaiveTime::MIN))
}

/// The first instant at which the wall shows `time` or later: of an hour that comes twice the earlier one,
/// of an hour that is left out its end.
#[must_use]
pub fn first_instant(tz: Tz, time: NaiveDateTime) -> Timestamp {
    match tz.from_local_datetime(&time) {
        LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => Timestamp(moment.timestamp()),
        LocalResult::None => {
            // Clocks are put forward by whole minutes, and by a day at most.
            let later = (1..=1440).find_map(|minutes| {
                let later = time.checked_add_signed(TimeDelta::minutes(minutes))?;
                tz.from_local_datetime(&later).earliest()
            });
            Timestamp(later.map_or_else(|| time.and_utc().timestamp(), |moment| moment.timestamp()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_777_636_800); // 2026-05-01T12:00:00Z
    const AMSTERDAM: Tz = Tz::Europe__Amsterdam;

    #[test]
    fn moments_are_read_as_they_are_typed() {
        let read = |text: &str| moment("--from", text, AMSTERDAM, NOW).map(|t| t.to_string());
        for (text, utc) in [
            ("2026-05-01T12:00:00+02:00", "2026-05-01T10:00:00Z"),
            ("2026-05-01 12:00", "2026-05-01T10:00:00Z"),
            ("2026-05-01T12:00:30", "2026-05-01T10:00:30Z"),
            ("2026-05-01", "2026-04-30T22:00:00Z"),
            ("yesterday", "2026-04-29T22:00:00Z"),
            ("now", "2026-05-01T12:00:00Z"),
            ("06:30", "2026-05-01T04:30:00Z"),
            ("-7d", "2026-04-23T22:00:00Z"),
            ("-1h", "2026-05-01T11:00:00Z"),
            ("-90m", "2026-05-01T10:30:00Z"),
            // Twice on the wall: the first; never on the wall: the end of the gap.
            ("2026-10-25 02:30", "2026-10-25T00:30:00Z"),
            ("2026-03-29 02:30", "2026-03-29T01:00:00Z"),
        ] {
            assert_eq!(read(text).expect(text), utc, "{text}");
        }
        let read = |text: &str| days("--date", text, AMSTERDAM, NOW).map(|(a, b)| format!("{a} {b}"));
        for (text, days) in [
            ("2026-05-01", "2026-05-01 2026-05-02"),
            ("2026-W01", "2025-12-29 2026-01-05"),
            ("2026-W53", "2026-12-28 2027-01-04"),
            ("2026-02", "2026-02-01 2026-03-01"),
        ] {
            assert_eq!(read(text).expect(text), days);
        }
        for text in ["2025-W53", "2026-W1", "2026-13", "2026-2", "26-W10"] {
            assert!(read(text).is_err(), "{text}");
        }
        let read = |text: &str| moment("--from", text, AMSTERDAM, NOW).map(|t| t.to_string());
        for text in ["", "noon", "2026-13-01", "2026-5-1", "26-05-01", "2026-05-01 25:00", "-h", "-1x"] {
            let error = read(text).expect_err(text).to_string();
            assert!(error.contains("--from") && error.contains("write"), "{error}");
        }
    }

    #[test]
    fn the_zone_is_the_flags_then_the_settings_then_the_systems() {
        let settings = Settings::of([("MODTOOLS_TZ", "Asia/Tokyo"), ("TZ", ":Europe/Paris")]);
        assert_eq!(zone(Some("UTC"), &settings).expect("known"), Tz::UTC);
        assert_eq!(zone(None, &settings).expect("known"), Tz::Asia__Tokyo);
        let settings = Settings::of([("TZ", ":Europe/Paris")]);
        assert_eq!(zone(None, &settings).expect("known"), Tz::Europe__Paris);
        let error = zone(Some("Mars/Base"), &settings).expect_err("unknown").to_string();
        assert!(error.contains("--tz") && error.contains("Europe/Amsterdam"), "{error}");
    }
}
