//! The window of a report as a subject, a title and a file name call it.

use chrono::{Datelike, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use chrono_tz::Tz;

use crate::record::{Report, Timestamp};

/// A window in its local time.
#[derive(Clone, Copy, Debug)]
pub struct Period {
    tz: Tz,
    from: NaiveDateTime,
    to: NaiveDateTime,
}

impl Period {
    /// The window of a report. UTC stands in for a zone that this build does not know.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let tz = report.tz.parse().unwrap_or(Tz::UTC);
        Period { tz, from: local(tz, report.from), to: local(tz, report.to) }
    }

    /// A moment in the time zone of the report.
    #[must_use]
    pub fn local(&self, moment: Timestamp) -> String {
        local(self.tz, moment).format("%Y-%m-%d %H:%M").to_string()
    }

    /// The same without the day in a window of one day.
    #[must_use]
    pub fn brief(&self, moment: Timestamp) -> String {
        match self.days() {
            Some((first, last)) if first == last => local(self.tz, moment).format("%H:%M").to_string(),
            _ => self.local(moment),
        }
    }

    /// The first and the last day of a window that is made of whole days.
    fn days(&self) -> Option<(NaiveDate, NaiveDate)> {
        let whole = |moment: NaiveDateTime| moment.time() == NaiveTime::MIN;
        let last = self.to - TimeDelta::seconds(1);
        (whole(self.from) && whole(self.to) && self.from < self.to).then(|| (self.from.date(), last.date()))
    }

    /// `2026-05-01`, `2026-W19 (2026-05-04 to 2026-05-10)`, `2026-05 (…)`, `2026-05-01 to 2026-05-03`, or with the
    /// time of day where it is not midnight.
    #[must_use]
    pub fn label(&self, to: &str) -> String {
        let Some((first, last)) = self.days() else {
            return format!(
                "{} {to} {}",
                self.from.format("%Y-%m-%d %H:%M"),
                self.to.format("%Y-%m-%d %H:%M")
            );
        };
        if first == last {
            return first.to_string();
        }
        let week = first.weekday() == chrono::Weekday::Mon && last - first == TimeDelta::days(6);
        let month = first.day() == 1 && first.checked_add_months(Months::new(1)) == last.succ_opt();
        match (week, month) {
            (true, _) => format!("{} ({first} {to} {last})", first.format("%G-W%V")),
            (_, true) => format!("{} ({first} {to} {last})", first.format("%Y-%m")),
            _ => format!("{first} {to} {last}"),
        }
    }

    /// The same as part of a file name.
    #[must_use]
    pub fn file_label(&self) -> String {
        match self.days() {
            Some((first, last)) if first == last => first.to_string(),
            Some((first, last)) => format!("{first}_{last}"),
            None => format!("{}_{}", self.from.format("%Y-%m-%dT%H%M"), self.to.format("%Y-%m-%dT%H%M")),
        }
    }

    /// Begin, end and zone.
    #[must_use]
    pub fn exact(&self) -> String {
        let format = "%Y-%m-%d %H:%M";
        format!("{} – {} ({})", self.from.format(format), self.to.format(format), self.tz)
    }
}

fn local(tz: Tz, moment: Timestamp) -> NaiveDateTime {
    moment.utc().with_timezone(&tz).naive_local()
}
