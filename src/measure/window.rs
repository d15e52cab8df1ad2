//! Windows of time, and the local days of a time zone.

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;

pub use crate::moment::{first_instant, local, midnight};
use crate::record::Timestamp;

/// A half-open span of time: `from` is in it, `to` is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Window {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// A local day from its midnight to the next: 23 or 25 hours when the clocks change.
#[must_use]
pub fn of_day(tz: Tz, date: NaiveDate) -> Window {
    let next = date.checked_add_days(Days::new(1)).unwrap_or(date);
    Window { from: midnight(tz, date), to: midnight(tz, next) }
}

/// The local day that a window is, when it is exactly one.
#[must_use]
pub fn single_day(tz: Tz, window: Window) -> Option<NaiveDate> {
    let date = local(tz, window.from).date();
    (of_day(tz, date) == window).then_some(date)
}

/// Whether two zones are one under two names, such as UTC and Etc/UTC: their clocks always agree.
#[must_use]
pub fn is_same_zone(a: Tz, b: Tz) -> bool {
    const FORTNIGHT_S: i64 = 14 * 86_400;
    a == b || (-57..1740).map(|n| Timestamp(n * FORTNIGHT_S)).all(|ts| local(a, ts) == local(b, ts))
}

/// The begin of the local day `days` before the one that `moment` lies in.
#[must_use]
pub fn days_before(tz: Tz, moment: Timestamp, days: u64) -> Timestamp {
    let date = local(tz, moment).date();
    midnight(tz, date.checked_sub_days(Days::new(days)).unwrap_or(date))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_777_636_800); // 2026-05-01T12:00:00Z
    const AMSTERDAM: Tz = Tz::Europe__Amsterdam;

    fn hours(tz: Tz, date: &str) -> i64 {
        let window = of_day(tz, date.parse().expect("a date"));
        window.to.since(window.from) / 3600
    }

    #[test]
    fn days_are_as_long_as_the_clocks_make_them() {
        assert_eq!(hours(AMSTERDAM, "2026-05-01"), 24);
        assert_eq!(hours(AMSTERDAM, "2026-03-29"), 23);
        assert_eq!(hours(AMSTERDAM, "2026-10-25"), 25);
        // Beirut puts its clocks forward at midnight: the day begins at 01:00.
        assert_eq!(hours(Tz::Asia__Beirut, "2026-03-29"), 23);
        assert_eq!(hours(Tz::UTC, "2026-03-29"), 24);
    }

    #[test]
    fn a_window_knows_whether_it_is_a_day() {
        let may: NaiveDate = "2026-05-01".parse().expect("a date");
        assert_eq!(single_day(AMSTERDAM, of_day(AMSTERDAM, may)), Some(may));
        assert_eq!(single_day(Tz::UTC, of_day(AMSTERDAM, may)), None);
        assert!(is_same_zone(Tz::UTC, Tz::Etc__UTC) && is_same_zone(Tz::Asia__Calcutta, Tz::Asia__Kolkata));
        assert!(!is_same_zone(AMSTERDAM, Tz::Europe__Berlin) && !is_same_zone(Tz::UTC, Tz::Europe__London));
        assert_eq!(days_before(AMSTERDAM, NOW, 7).to_string(), "2026-04-23T22:00:00Z");
    }
}
