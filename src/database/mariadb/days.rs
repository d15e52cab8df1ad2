//! Finished days on MySQL and MariaDB.

use ::mysql::{Conn, TxOpts, Value, prelude::Queryable};
use chrono::{Datelike, NaiveDate};

use super::{
    MariaDb,
    read::{number, text},
    shape::Shape,
    tables::Tables,
    zone::{Zone, time, utc, value},
};
use crate::{
    database::{DayHead, DayRow, Days, Gauge, Made, days},
    error::Result,
    measure::Window,
    record::Timestamp,
};

/// Rows per statement.
const BATCH: usize = 500;
const INSERT: &str =
    "INSERT INTO modulation_day (day, cmts, upstream, tz, interval_s, samples, time_s, finished) VALUES ";

impl Days for MariaDb {
    fn keeps_days(&self) -> bool {
        self.days_are_ours && self.tables.has("modulation_day")
    }

    fn hurry(&mut self) {
        let sql = "SET SESSION innodb_lock_wait_timeout = 1, lock_wait_timeout = 1";
        if let Err(fault) = self.connection.query_drop(sql) {
            log::debug!("waiting as long as ever: {fault}");
        }
    }

    fn day_heads(&mut self) -> Result<Vec<DayHead>> {
        heads(&mut self.connection).map_err(|e| self.connector.fault(&e))
    }

    fn day_rows(
        &mut self,
        day: NaiveDate,
        whole: bool,
        each: &mut dyn FnMut(DayRow<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut outcome = Ok(());
        rows(&mut self.connection, day, whole, &mut |row| {
            outcome = each(row);
            outcome.is_ok()
        })
        .map_err(|e| self.connector.fault(&e))?;
        outcome
    }

    fn write_day(&mut self, head: &DayHead, rows: &[DayRow<'_>]) -> Result<()> {
        let (bytes, made) = (self.max_packet, head.made.to_json(self.tables.samples));
        self.again(|connection| write(connection, head, &made, rows, bytes))
    }

    fn write_head(&mut self, head: &DayHead) -> Result<()> {
        let made = head.made.to_json(self.tables.samples);
        self.again(|connection| insert(connection, head, &[head_row(head, &made)]))
    }

    fn count_samples(&mut self, window: Window) -> Result<u64> {
        let (from, to) = bounds(&self.shape, window);
        let sql =
            format!("SELECT COUNT(*) FROM {} WHERE timestamp >= ? AND timestamp < ?", self.tables.samples);
        let count: Option<u64> =
            self.connection.exec_first(sql, (from, to)).map_err(|e| self.connector.fault(&e))?;
        Ok(count.unwrap_or_default())
    }

    fn has_samples(&mut self, window: Window) -> Result<bool> {
        let (from, to) = bounds(&self.shape, window);
        let sql =
            format!("SELECT 1 FROM {} WHERE timestamp >= ? AND timestamp < ? LIMIT 1", self.tables.samples);
        let found: Option<u64> =
            self.connection.exec_first(sql, (from, to)).map_err(|e| self.connector.fault(&e))?;
        Ok(found.is_some())
    }

    fn gauge(&mut self) -> Result<Option<Gauge>> {
        // An account that may not see it does without.
        let Ok(Some(started)) = started(&mut self.connection) else { return Ok(None) };
        let partitions = self.day_partitions(self.tables.samples.name())?.unwrap_or_default();
        let partitions: Vec<_> = partitions.into_iter().map(|p| (p.end.map(Timestamp), p.rows)).collect();
        Ok(Some(Gauge { started, partitions }).filter(|gauge| !gauge.partitions.is_empty()))
    }

    fn count_scans(&mut self, window: Window) -> Result<[u64; 2]> {
        if !self.tables.has("modulation_scan") {
            return Ok([0; 2]);
        }
        let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(samples), 0) AS UNSIGNED) FROM modulation_scan \
                   WHERE ts >= ? AND ts < ?";
        let counts: Option<(u64, u64)> = self
            .connection
            .exec_first(sql, (utc(window.from), utc(window.to)))
            .map_err(|e| self.connector.fault(&e))?;
        let (scans, samples) = counts.unwrap_or_default();
        Ok([scans, samples])
    }
}

/// When a server started whose tally of rows moves with every row: MariaDB, or a MySQL that can be told not to
/// remember an old one.
fn started(connection: &mut Conn) -> ::mysql::Result<Option<Timestamp>> {
    let version: Option<String> = connection.query_first("SELECT VERSION()")?;
    let is_mariadb = version.as_deref().is_some_and(|version| version.contains("MariaDB"));
    if version.is_none_or(|version| version.contains("TiDB"))
        || !is_mariadb && connection.query_drop("SET SESSION information_schema_stats_expiry = 0").is_err()
    {
        return Ok(None);
    }
    let now: Option<i64> = connection.query_first("SELECT UNIX_TIMESTAMP()")?;
    let uptime: Option<(String, i64)> = connection.query_first("SHOW GLOBAL STATUS LIKE 'Uptime'")?;
    Ok(now.zip(uptime).map(|(now, (_, uptime))| Timestamp(now - uptime)))
}

/// A window as the column of samples holds it.
fn bounds(shape: &Shape, window: Window) -> (Value, Value) {
    match shape.zone {
        Zone::Utc => (utc(window.from), utc(window.to)),
        zone => (value(zone.to_column(window.from)), value(zone.to_column(window.to))),
    }
}

/// A date as a parameter.
pub(super) fn date(day: NaiveDate) -> Value {
    let year = u16::try_from(day.year()).unwrap_or_default();
    let small = |n: u32| u8::try_from(n).unwrap_or_default();
    Value::Date(year, small(day.month()), small(day.day()), 0, 0, 0, 0)
}

/// The rows that head the days. The key begins with the day, so the days are taken from it without their rows; a search
/// by the rest of the key would read every row of every day.
const HEADS: &str = "SELECT head.day, tz, interval_s, samples, finished \
     FROM (SELECT DISTINCT day FROM modulation_day) AS days \
     STRAIGHT_JOIN modulation_day AS head ON head.day = days.day AND cmts = '' AND upstream = '' ORDER BY head.day";

/// Whether the finished days were made of the table of samples.
pub(super) fn are_ours(connection: &mut Conn, tables: &Tables, reads: bool) -> ::mysql::Result<bool> {
    if !tables.has("modulation_day") {
        return Ok(true);
    }
    let head: Option<::mysql::Row> = connection.exec_first(format!("{HEADS} DESC LIMIT 1"), ())?;
    let head = head.as_ref().and_then(|row| text(row, 4));
    days::are_ours(head, tables.samples, reads, |table| {
        let sql = "SELECT COUNT(*) FROM information_schema.tables \
                   WHERE table_schema = DATABASE() AND table_name = ?";
        Ok(connection.exec_first::<u64, _, _>(sql, (table,))?.unwrap_or_default() > 0)
    })
}

fn heads(connection: &mut Conn) -> ::mysql::Result<Vec<DayHead>> {
    let rows: Vec<::mysql::Row> = connection.exec(HEADS, ())?;
    let head = |row: ::mysql::Row| {
        Some(DayHead {
            day: row.as_ref(0).and_then(time)?.date(),
            tz: text(&row, 1)?.to_owned(),
            interval_s: number(&row, 2)?,
            samples: number(&row, 3)?,
            made: Made::from_json(text(&row, 4)?),
        })
    };
    Ok(rows.into_iter().filter_map(head).collect())
}

/// Calls `each` until it says false.
fn rows(
    connection: &mut Conn,
    day: NaiveDate,
    whole: bool,
    each: &mut dyn FnMut(DayRow<'_>) -> bool,
) -> ::mysql::Result<()> {
    let finished = if whole { "finished" } else { "''" };
    let sql = format!(
        "SELECT cmts, upstream, samples, time_s, {finished} FROM modulation_day \
         WHERE day = ? AND cmts <> '' ORDER BY cmts, upstream"
    );
    let mut rows = connection.exec_iter(sql, (date(day),))?;
    for row in rows.by_ref() {
        let row = row?;
        let (Some(cmts), Some(upstream), Some(time_s), Some(finished)) =
            (text(&row, 0), text(&row, 1), text(&row, 3), text(&row, 4))
        else {
            continue;
        };
        let samples = number(&row, 2).unwrap_or_default();
        if !each(DayRow { cmts, upstream, samples, time_s, finished }) {
            break;
        }
    }
    Ok(())
}

fn write(
    connection: &mut Conn,
    head: &DayHead,
    made: &str,
    rows: &[DayRow<'_>],
    bytes: usize,
) -> ::mysql::Result<()> {
    let mut transaction = connection.start_transaction(TxOpts::default())?;
    transaction.exec_drop("DELETE FROM modulation_day WHERE day = ?", (date(head.day),))?;
    let mut rest = rows;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(fitting(rest, bytes));
        insert(&mut transaction, head, now)?;
        rest = later;
    }
    insert(&mut transaction, head, &[head_row(head, made)])?;
    transaction.commit()
}

/// How many of the first rows fit into a statement of so many bytes; at least one.
fn fitting(rows: &[DayRow<'_>], bytes: usize) -> usize {
    let mut left = bytes / 2;
    let fits = |row: &&DayRow<'_>| {
        let size = row.cmts.len() + row.upstream.len() + row.time_s.len() + row.finished.len() + 120;
        let fits = size <= left;
        left = left.saturating_sub(size);
        fits
    };
    rows.iter().take(BATCH).take_while(fits).count().max(1)
}

fn head_row<'a>(head: &DayHead, made: &'a str) -> DayRow<'a> {
    DayRow { cmts: "", upstream: "", samples: head.samples, time_s: "{}", finished: made }
}

fn insert(connection: &mut impl Queryable, head: &DayHead, rows: &[DayRow<'_>]) -> ::mysql::Result<()> {
    let places = vec!["(?,?,?,?,?,?,?,?)"; rows.len()].join(",");
    let tail = " ON DUPLICATE KEY UPDATE tz = VALUES(tz), interval_s = VALUES(interval_s), \
                samples = VALUES(samples), time_s = VALUES(time_s), finished = VALUES(finished)";
    let mut values: Vec<Value> = Vec::with_capacity(rows.len() * 8);
    for &DayRow { cmts, upstream, samples, time_s, finished } in rows {
        values.extend([
            date(head.day),
            cmts.into(),
            upstream.into(),
            head.tz.as_str().into(),
            head.interval_s.into(),
            samples.into(),
            time_s.into(),
            finished.into(),
        ]);
    }
    connection.exec_drop([INSERT, &places, tail].concat(), values)
}
