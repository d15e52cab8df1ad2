//! Finished days in SQLite.

use chrono::NaiveDate;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::{HURRIED, Sqlite, schema};
use crate::{
    database::{DayHead, DayRow, Days, Made, SampleTable, days},
    error::Result,
    measure::Window,
};

impl Days for Sqlite {
    fn keeps_days(&self) -> bool {
        self.days_are_ours
    }

    fn hurry(&mut self) {
        self.patience = HURRIED;
        if let Err(error) = self.connection.busy_timeout(HURRIED) {
            log::debug!("waiting as long as ever: {error}");
        }
    }

    fn day_heads(&mut self) -> Result<Vec<DayHead>> {
        heads(&self.connection).map_err(|e| self.fault(&e))
    }

    fn day_rows(
        &mut self,
        day: NaiveDate,
        whole: bool,
        each: &mut dyn FnMut(DayRow<'_>) -> Result<()>,
    ) -> Result<()> {
        self.read(|connection, outcome| rows(connection, day, whole, &mut |row| outcome.take(each(row))))
    }

    fn write_day(&mut self, head: &DayHead, rows: &[DayRow<'_>]) -> Result<()> {
        let made = head.made.to_json(self.samples);
        self.transaction(|transaction| {
            transaction.execute("DELETE FROM modulation_day WHERE day = ?1", [head.day.to_string()])?;
            rows.iter().try_for_each(|&row| insert(transaction, head, row))?;
            insert_head(transaction, head, &made)
        })
    }

    fn write_head(&mut self, head: &DayHead) -> Result<()> {
        let made = head.made.to_json(self.samples);
        self.transaction(|transaction| insert_head(transaction, head, &made))
    }

    fn count_samples(&mut self, window: Window) -> Result<u64> {
        let sql = format!("SELECT count(*) FROM {} WHERE timestamp >= ?1 AND timestamp < ?2", self.samples);
        self.count(&sql, window).map(|[count]| count)
    }

    fn has_samples(&mut self, window: Window) -> Result<bool> {
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM {} WHERE timestamp >= ?1 AND timestamp < ?2)",
            self.samples
        );
        self.count(&sql, window).map(|[found]| found > 0)
    }

    fn count_scans(&mut self, window: Window) -> Result<[u64; 2]> {
        self.count(
            "SELECT count(*), coalesce(sum(samples), 0) FROM modulation_scan WHERE ts >= ?1 AND ts < ?2",
            window,
        )
    }
}

impl Sqlite {
    /// One transaction that is going to write.
    pub(super) fn transaction(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<()> {
        let immediate = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        immediate
            .and_then(|transaction| {
                work(&transaction)?;
                transaction.commit()
            })
            .map_err(|e| self.fault(&e))
    }

    /// The numbers of one row.
    fn count<const N: usize>(&mut self, sql: &str, window: Window) -> Result<[u64; N]> {
        let numbers = self.connection.query_row(sql, [window.from.0, window.to.0], |row| {
            let mut numbers = [0; N];
            for (column, number) in numbers.iter_mut().enumerate() {
                *number = row.get::<_, i64>(column)?.try_into().unwrap_or_default();
            }
            Ok(numbers)
        });
        numbers.map_err(|e| self.fault(&e))
    }
}

/// The rows that head the days. The key begins with the day, so each next day is looked up; a search by the rest of the
/// key would read every row of every day.
const HEADS: &str = "WITH RECURSIVE days(day) AS ( \
         SELECT min(day) FROM modulation_day \
         UNION ALL SELECT (SELECT min(day) FROM modulation_day AS later WHERE later.day > days.day) \
         FROM days WHERE days.day IS NOT NULL) \
     SELECT head.day, tz, interval_s, samples, finished FROM days \
     CROSS JOIN modulation_day AS head ON head.day = days.day AND cmts = '' AND upstream = '' ORDER BY head.day";

/// Whether the finished days were made of the table of samples.
pub(super) fn are_ours(connection: &Connection, samples: SampleTable, reads: bool) -> rusqlite::Result<bool> {
    if !schema::has(connection, "modulation_day")? {
        return Ok(true);
    }
    let sql = format!("{HEADS} DESC LIMIT 1");
    let head: Option<String> = connection.query_row(&sql, [], |row| row.get(4)).optional()?;
    days::are_ours(head.as_deref(), samples, reads, |table| schema::has(connection, table))
}

fn heads(connection: &Connection) -> rusqlite::Result<Vec<DayHead>> {
    let mut statement = connection.prepare(HEADS)?;
    let heads = statement.query_map([], |row| {
        let Ok(day) = row.get_ref(0)?.as_str()?.parse() else { return Ok(None) };
        let unsigned =
            |column| row.get::<_, i64>(column).map(|number| u64::try_from(number).unwrap_or_default());
        Ok(Some(DayHead {
            day,
            tz: row.get(1)?,
            interval_s: unsigned(2)?,
            samples: unsigned(3)?,
            made: Made::from_json(row.get_ref(4)?.as_str()?),
        }))
    })?;
    heads.filter_map(Result::transpose).collect()
}

/// Calls `each` until it says false.
fn rows(
    connection: &Connection,
    day: NaiveDate,
    whole: bool,
    each: &mut dyn FnMut(DayRow<'_>) -> bool,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT cmts, upstream, samples, time_s, iif(?2, finished, '') FROM modulation_day \
         WHERE day = ?1 AND cmts <> '' ORDER BY cmts, upstream",
    )?;
    let mut rows = statement.query(params![day.to_string(), whole])?;
    while let Some(row) = rows.next()? {
        let row = DayRow {
            cmts: row.get_ref(0)?.as_str()?,
            upstream: row.get_ref(1)?.as_str()?,
            samples: row.get::<_, i64>(2)?.try_into().unwrap_or_default(),
            time_s: row.get_ref(3)?.as_str()?,
            finished: row.get_ref(4)?.as_str()?,
        };
        if !each(row) {
            break;
        }
    }
    Ok(())
}

fn insert_head(transaction: &Transaction<'_>, head: &DayHead, made: &str) -> rusqlite::Result<()> {
    let row = DayRow { cmts: "", upstream: "", samples: head.samples, time_s: "{}", finished: made };
    insert(transaction, head, row)
}

fn insert(transaction: &Transaction<'_>, head: &DayHead, row: DayRow<'_>) -> rusqlite::Result<()> {
    let DayRow { cmts, upstream, samples, time_s, finished } = row;
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO modulation_day \
               (day, cmts, upstream, tz, interval_s, samples, time_s, finished) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            head.day.to_string(),
            cmts,
            upstream,
            head.tz,
            whole(head.interval_s),
            whole(samples),
            time_s,
            finished
        ])?;
    Ok(())
}
