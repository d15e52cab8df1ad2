//! The window of a report in the words of a subject and of a file name.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
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
    /// That of a report. A zone that this build does not know is taken for UTC.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let tz = report.tz.parse().unwrap_or(Tz::UTC);
        Period { tz, from: local(tz, report.from), to: local(tz, report.to) }
    }

    /// A moment in the time zone of the report.
    #[must_use]
    pub fn local(&self, moment: Timestamp) -> String {
        format!("{}", local(self.tz, moment).format("%Y-%m-%d %H:%M"))
    }

    /// The first and the last day of a window that is made of whole days.
    fn days(&self) -> Option<(NaiveDate, NaiveDate)> {
        let whole = |moment: NaiveDateTime| moment.time() == NaiveTime::MIN;
        let last = self.to - TimeDelta::seconds(1);
        (whole(self.from) && whole(self.to) && self.from < self.to).then(|| (self.from.date(), last.date()))
    }

    /// `2026-05-01`, `2026-05-01 to 2026-05-07`, or with the time of day where it is not midnight.
    #[must_use]
    pub fn label(&self, to: &str) -> String {
        match self.days() {
            Some((first, last)) if first == last => first.to_string(),
            Some((first, last)) => format!("{first} {to} {last}"),
            None => {
                format!("{} {to} {}", self.from.format("%Y-%m-%d %H:%M"), self.to.format("%Y-%m-%d %H:%M"))
            }
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
