//! `modulation_day`: what the finished days came to, one row per upstream and local day, so that a report
//! need not read their samples again. What stands in the rows is the report's affair; here is the head
//! that tells whether they are still true.

use std::sync::Once;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Gauge, Group, SampleTable, gauge::Mark};
use crate::{error::Result, measure::Window, record::Timestamp, text};

/// No day is kept sooner than this after its end, s.
const LATE_S: i64 = 1800;

/// The head of a day: a row with an empty cmts and upstream, which no sample can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayHead {
    /// The local day.
    pub day: NaiveDate,
    /// The time zone that it is local to.
    pub tz: String,
    /// The interval that was reckoned with, s.
    pub interval_s: u64,
    /// Rows of samples that it was made of.
    pub samples: u64,
    /// What else tells whether it is still true.
    pub made: Made,
}

/// What a day was made of, besides its samples. A JSON object in the head's column `finished`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The version of the arithmetic.
    pub rules: u32,
    /// Rows of samples in the 24 h before the day, one of which each upstream may carry in.
    pub carried: u64,
    /// Number of scans from 24 h before the day to its end, and the sum of what they say of their samples.
    pub scans: [u64; 2],
    /// The server's own tally of their rows; missing where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
    /// Samples of the day, or of those it carries in, have been pruned: it stands as it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sealed: bool,
    /// What the pasts of its upstreams came to in the day before that it carries on; 0: there was none.
    #[serde(default)]
    pub after: u64,
    /// What they come to in it.
    #[serde(default)]
    pub memory: u64,
}

/// A head as it is written, with the table that the samples were in, when that is not the usual one.
#[derive(Serialize)]
struct Written {
    #[serde(flatten)]
    made: Made,
    #[serde(flatten)]
    of: Of,
}

#[derive(Default, Serialize, Deserialize)]
struct Of {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    table: Option<String>,
}

impl Of {
    fn table(samples: SampleTable) -> Self {
        Of { table: (samples != SampleTable::USUAL).then(|| samples.name().into()) }
    }
}

/// What stands in a head that is to be made anew.
pub(super) fn marked(samples: SampleTable) -> String {
    serde_json::to_string(&Of::table(samples)).unwrap_or_default()
}

/// Whether the finished days of a database, of which this is a head, are those of `samples`. A table that is gone was
/// renamed: its days went along. `reads`: they are wanted, so it is said, once per run, when they are another's.
pub(super) fn are_ours<E>(
    head: Option<&str>,
    samples: SampleTable,
    reads: bool,
    is_there: impl FnOnce(&str) -> Result<bool, E>,
) -> Result<bool, E> {
    static ANNOUNCED: Once = Once::new();
    let Some(head) = head else { return Ok(true) };
    let Of { table } = serde_json::from_str(head).unwrap_or_default();
    let table = table.as_deref().unwrap_or(SampleTable::USUAL.name());
    if table == samples.name() || !is_there(table)? {
        return Ok(true);
    }
    if reads {
        let (samples, table) = (samples.name(), text::terminal(table));
        ANNOUNCED.call_once(|| {
            log::warn!(
                "the finished days in this database are those of {table}: they are not used, and none are kept, \
                 for {samples}; give {samples} a database of its own"
            );
        });
    }
    Ok(false)
}

/// A finished day of one upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayRow<'a> {
    /// The device.
    pub cmts: &'a str,
    /// Its upstream.
    pub upstream: &'a str,
    /// Samples in the day.
    pub samples: u64,
    /// Seconds held by modulation, a JSON object: a column of its own, because seven days of it are read
    /// to know what is expected of one.
    pub time_s: &'a str,
    /// Everything else, a JSON object.
    pub finished: &'a str,
}

/// The days of which a sample may be a part in any time zone, and those that it may be carried into.
pub(super) fn days_of(ts: Timestamp) -> [NaiveDate; 4] {
    let day = ts.utc().date_naive();
    [-1, 0, 1, 2].map(|n| day.checked_add_signed(chrono::TimeDelta::days(n)).unwrap_or(day))
}

/// The moments of groups that came so late that their day may be kept already: it is marked, and reckoned again.
pub(super) fn late(groups: &[Group], now: Timestamp) -> Vec<NaiveDate> {
    let is_late = |group: &&Group| !group.samples.is_empty() && now.since(group.ts) > LATE_S;
    let mut days: Vec<_> = groups.iter().filter(is_late).flat_map(|group| days_of(group.ts)).collect();
    days.sort_unstable();
    days.dedup();
    days
}

/// A database that keeps finished days.
pub trait Days {
    /// Whether there is a place to keep them.
    fn keeps_days(&self) -> bool;

    /// From here on writing waits only a moment for others: for a report, which can do without.
    fn hurry(&mut self);

    /// The heads of all days, oldest first.
    fn day_heads(&mut self) -> Result<Vec<DayHead>>;

    /// The rows of a day, in the order of cmts and upstream; `whole`: not only their times.
    fn day_rows(
        &mut self,
        day: NaiveDate,
        whole: bool,
        each: &mut dyn FnMut(DayRow<'_>) -> Result<()>,
    ) -> Result<()>;

    /// Writes a day in the place of what there was of it, in one transaction.
    ///
    /// # Errors
    /// A fault of the database; then what there was still stands.
    fn write_day(&mut self, head: &DayHead, rows: &[DayRow<'_>]) -> Result<()>;

    /// Writes the head of a day alone.
    fn write_head(&mut self, head: &DayHead) -> Result<()>;

    /// Counts the rows of samples in a window.
    fn count_samples(&mut self, window: Window) -> Result<u64>;

    /// Whether there is a row of samples in a window.
    fn has_samples(&mut self, window: Window) -> Result<bool>;

    /// The server's own tally of the rows in each partition of samples; none where there are no partitions, or the
    /// tally may lag behind.
    fn gauge(&mut self) -> Result<Option<Gauge>> {
        Ok(None)
    }

    /// Number of scans in a window, and the sum of what they say of their samples.
    fn count_scans(&mut self, window: Window) -> Result<[u64; 2]>;
}

impl Made {
    /// As it stands in the head, with the table that the samples were in.
    pub(super) fn to_json(self, samples: SampleTable) -> String {
        serde_json::to_string(&Written { made: self, of: Of::table(samples) }).unwrap_or_default()
    }

    /// Out of a head; what cannot be read was made by other rules.
    pub(super) fn from_json(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}
