//! The day partitions of the keyed tables: which there must be, and their SQL. A partition holds the
//! rows from the end of the one before it to the end of its own UTC day; so the lowest holds
//! everything older, and only the future can lack one.

use std::fmt::Write;

use crate::record::Timestamp;

/// Seconds of a UTC day.
const DAY_S: i64 = 86_400;
/// Days made ahead of today.
const AHEAD: i64 = 3;
/// No more than this many days are made at once: after a long pause the first of them is wider.
const AT_ONCE: i64 = 400;

/// A UTC day, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day(i64);

impl Day {
    pub fn of(ts: Timestamp) -> Self {
        Day(ts.0.div_euclid(DAY_S))
    }

    /// The first moment after it, UNIX seconds: the bound of its partition.
    pub fn end(self) -> i64 {
        (self.0 + 1) * DAY_S
    }

    fn name(self) -> String {
        Timestamp(self.0 * DAY_S).utc().format("p%Y%m%d").to_string()
    }
}

/// The days of a new table: those that are kept, and some ahead.
pub(super) fn initial(now: Timestamp, keep_days: u32) -> Vec<Day> {
    let today = Day::of(now).0;
    let kept = i64::from(keep_days).clamp(1, AT_ONCE - AHEAD - 2);
    (today - kept - 1..=today + AHEAD).map(Day).collect()
}

/// The days that a table whose last partition ends at `end` lacks; none as long as it covers `ts`
/// and tomorrow.
pub(super) fn lacking(end: i64, ts: Timestamp, now: Timestamp) -> Vec<Day> {
    let today = Day::of(now).0;
    if end >= Day(today + 1).end() && end > ts.0 {
        return Vec::new();
    }
    let last = (today + AHEAD).max(Day::of(ts).0);
    let first = end.div_euclid(DAY_S).max(last - AT_ONCE + 1);
    (first..=last).map(Day).collect()
}

/// `PARTITION … VALUES LESS THAN …` for each day.
pub(super) fn clause(days: &[Day]) -> String {
    let mut sql = String::new();
    for day in days {
        let comma = if sql.is_empty() { "" } else { ", " };
        let _ = write!(sql, "{comma}PARTITION {} VALUES LESS THAN ({})", day.name(), day.end());
    }
    sql
}

/// The end of the last partition, from the statement that makes the table; none: it has none, or not ours.
pub(super) fn end(create: &str) -> Option<i64> {
    let bounds = create.split("PARTITION BY RANGE").nth(1)?.split("VALUES LESS THAN ").skip(1);
    // MAXVALUE is not a number: such a table lacks nothing.
    let bound = |text: &str| text.strip_prefix('(')?.split(')').next()?.trim().parse().ok();
    bounds.map(|text| bound(text).unwrap_or(i64::MAX)).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp(1_777_636_800); // 2026-05-01T12:00:00Z

    #[test]
    fn the_end_is_read_from_the_table_itself() {
        let table =
            |clause: &str| format!("CREATE TABLE `t` (\n  `c` int COMMENT 'VALUES LESS THAN (9)'\n){clause}");
        let ours = " PARTITION BY RANGE (unix_timestamp(`timestamp`))\n\
                    (PARTITION `a` VALUES LESS THAN (86400) ENGINE = InnoDB,\n PARTITION `b` VALUES LESS THAN (172800) ENGINE = InnoDB)";
        assert_eq!(end(&table(ours)), Some(172_800));
        assert_eq!(end(&table(&ours.replace("(172800)", "MAXVALUE"))), Some(i64::MAX));
        assert_eq!((end(&table("")), end(&table(" PARTITION BY HASH (c) PARTITIONS 4"))), (None, None));
        let again = format!("{}{}", table(""), clause(&initial(NOON, 8)));
        assert_eq!(
            end(&again.replace("PARTITION p20260422", "PARTITION BY RANGE (x) (PARTITION p20260422")),
            Some(Day(Day::of(NOON).0 + 3).end())
        );
    }

    #[test]
    fn a_new_table_covers_the_kept_days_and_some_ahead() {
        let days = initial(NOON, 8);
        assert_eq!(days.len(), 13);
        assert_eq!(clause(&days[..1]), "PARTITION p20260422 VALUES LESS THAN (1776902400)");
        assert_eq!(days[12].end(), Day::of(NOON).end() + 3 * DAY_S);
        assert_eq!(initial(NOON, u32::MAX).len(), 400);
    }

    #[test]
    fn days_are_made_before_they_are_needed_and_only_then() {
        let today = Day::of(NOON);
        let tomorrow = Day(today.0 + 1);
        assert_eq!(lacking(tomorrow.end(), NOON, NOON), []);
        // Old samples always have a place: the lowest partition.
        assert_eq!(lacking(tomorrow.end(), Timestamp(0), NOON), []);
        let days = lacking(today.end(), NOON, NOON);
        assert_eq!((days.first(), days.len()), (Some(&tomorrow), 3));
        assert_eq!(days[0].name(), "p20260502");
        // After a pause of years the first new partition is wider than a day.
        let days = lacking(0, NOON, NOON);
        assert_eq!((days.len(), days.last()), (400, Some(&Day(today.0 + 3))));
        // A clock that is a day ahead is followed.
        let ahead = Timestamp(NOON.0 + DAY_S);
        assert_eq!(lacking(tomorrow.end() + 5 * DAY_S, ahead, NOON), []);
    }
}
