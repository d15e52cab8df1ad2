//! Pruning MySQL and MariaDB: whole partitions where the table has them, else chunks along a key.

use ::mysql::{Conn, Params, Row, TxOpts, Value, prelude::Queryable};

use super::{
    MariaDb,
    connect::{self, Again, RERUNS, is_lock_wait, pause},
    days::date,
    read::{instant, moment, number},
    tables::quoted,
    zone::{Zone, utc, value},
};
use crate::{
    database::{
        Aged, Chunk, IdState, Method, Plan, Progress, Retention, SampleTable, TableState,
        retention::DEVICE_TABLES,
    },
    error::{Error, Result},
    record::Timestamp,
};

/// One lock per database, by a name that fits whatever the database is called. A cluster keeps it on each
/// node by itself: two that prune through different nodes meet in deadlocks, which are run again.
const LOCK: &str = "CONCAT('modtools-prune:', SHA1(DATABASE()))";
/// The statement that makes the index which an older table lacks.
pub(super) fn time_index(samples: SampleTable) -> String {
    format!("CREATE INDEX modulation_time ON {samples} (timestamp)")
}

/// What tells of mod-prune itself: one row.
pub(super) const CREATE_NOTE: &str = "CREATE TABLE IF NOT EXISTS modulation_prune (one TINYINT NOT NULL PRIMARY KEY, \
     ts TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP) ENGINE=InnoDB";
const NOTE: &str =
    "INSERT INTO modulation_prune (one, ts) VALUES (1, ?) ON DUPLICATE KEY UPDATE ts = VALUES(ts)";

/// ER_NO_SUCH_TABLE, or no right to look at it.
fn is_missing(fault: &::mysql::Error) -> bool {
    matches!(fault, ::mysql::Error::MySqlError(error) if matches!(error.code, 1142 | 1146))
}

/// A RANGE partition by day.
pub(super) struct Partition {
    pub name: String,
    /// UNIX time that all its rows are before; MAXVALUE has none.
    pub end: Option<i64>,
    pub rows: u64,
}

impl Retention for MariaDb {
    fn lock(&mut self) -> Result<()> {
        let held: Option<Option<i64>> = self.first(&format!("SELECT GET_LOCK({LOCK}, 0)"), ())?;
        if held.flatten() == Some(1) {
            return Ok(());
        }
        let by: Option<Option<u64>> = self.first(&format!("SELECT IS_USED_LOCK({LOCK})"), ())?;
        let by = by.flatten().map(|id| format!(", connection {id}")).unwrap_or_default();
        let path = self.connector.place.clone().into();
        Err(Error::Locked { path, holder: format!("another mod-prune{by}") })
    }

    fn plan(&mut self, aged: Aged, before: Timestamp, count: bool) -> Result<Option<Plan>> {
        let samples = self.tables.samples;
        let (table, time) = (aged.table(samples), aged.time());
        if !self.tables.has(table) {
            return Ok(None);
        }
        if let Some(partitions) = self.day_partitions(table)? {
            let old: Vec<_> =
                partitions.into_iter().filter(|p| p.end.is_some_and(|end| end <= before.0)).collect();
            let quoted: Vec<_> = old.iter().map(|p| quoted(&p.name)).collect();
            let table = aged.in_sql(samples);
            return Ok(Some(Plan {
                statement: (!old.is_empty())
                    .then(|| format!("ALTER TABLE {table} DROP PARTITION {}", quoted.join(", "))),
                rows: old.iter().map(|p| p.rows).sum(),
                estimated: true,
                method: Method::Partitions(old.into_iter().map(|p| p.name).collect()),
            }));
        }
        let (table, limit) = (aged.in_sql(samples), self.limit(aged, before));
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE {time} < ?");
        let rows: Option<u64> = if count { self.first(&sql, (limit.clone(),))? } else { None };
        Ok(Some(Plan {
            method: Method::Chunks,
            statement: Some(format!("DELETE FROM {table} WHERE {time} < {}", limit.as_sql(true))),
            rows: rows.unwrap_or_default(),
            estimated: false,
        }))
    }

    fn drop_partitions(&mut self, aged: Aged, plan: &Plan) -> Result<bool> {
        let (Method::Partitions(old), Some(statement)) = (&plan.method, &plan.statement) else {
            return Ok(true);
        };
        let table = aged.table(self.tables.samples);
        let there = self.day_partitions(table)?.map_or(0, |partitions| partitions.len());
        if there == old.len() {
            // A table cannot lose its last partition, and mod-store needs today's anyway.
            let now = self.clock.now();
            match self.tables.extend(&mut self.connection, table, now, now) {
                Err(fault) if is_lock_wait(&fault) => return Ok(false),
                other => other.map_err(|e| self.connector.fault(&e))?,
            }
        }
        match connect::alter(&mut self.connection, statement) {
            Err(fault) if is_lock_wait(&fault) => Ok(false),
            other => other.map(|()| true).map_err(|e| self.connector.fault(&e)),
        }
    }

    fn delete_chunk(
        &mut self,
        aged: Aged,
        before: Timestamp,
        batch: u64,
        progress: &mut Progress,
    ) -> Result<Chunk> {
        let (table, time) = (aged.in_sql(self.tables.samples), aged.time());
        let limit = self.limit(aged, before);
        let order = match (aged, self.shape.id.clone()) {
            (Aged::Samples, Some(id)) if !self.has_time_index()? => {
                return self.delete_ids(&quoted(&id), limit, batch, progress);
            }
            (Aged::Samples, _) if !self.shape.keyed => time,
            _ => aged.key(),
        };
        let sql = format!("DELETE FROM {table} WHERE {time} < ? ORDER BY {order} LIMIT {batch}");
        let deleted = self.again(|connection| {
            connection.exec_drop(&sql, (limit.clone(),))?;
            Ok(connection.affected_rows())
        })?;
        Ok(Chunk { deleted, more: deleted >= batch })
    }

    fn last_prune(&mut self) -> Result<Option<Timestamp>> {
        let row: ::mysql::Result<Option<Row>> =
            self.connection.exec_first("SELECT ts FROM modulation_prune", ());
        match row {
            Err(fault) if is_missing(&fault) => Ok(None),
            other => Ok(other.map_err(|e| self.connector.fault(&e))?.and_then(|row| instant(&row, 0))),
        }
    }

    fn note_prune(&mut self, now: Timestamp) -> Result<()> {
        match self.connection.exec_drop(NOTE, (utc(now),)) {
            // What is missing is made by mod-store --init alone.
            Err(fault) if is_missing(&fault) => Ok(()),
            other => other.map_err(|e| self.connector.fault(&e)),
        }
    }

    fn server_time(&mut self) -> Result<Option<Timestamp>> {
        let now: Option<i64> = self.first("SELECT UNIX_TIMESTAMP()", ())?;
        Ok(now.map(Timestamp))
    }

    fn forget(&mut self, devices: &[String]) -> Result<()> {
        let tables: Vec<_> = DEVICE_TABLES.into_iter().filter(|table| self.tables.has(table)).collect();
        self.again(|connection| {
            let mut transaction = connection.start_transaction(TxOpts::default())?;
            for table in &tables {
                for device in devices {
                    transaction.exec_drop(format!("DELETE FROM {table} WHERE cmts = ?"), (device,))?;
                }
            }
            transaction.commit()
        })
    }

    fn give_back(&mut self) -> Result<u64> {
        Ok(0)
    }

    fn oldest(&mut self) -> Result<Option<Timestamp>> {
        let sql = format!("SELECT MIN(timestamp) FROM {}", self.tables.samples);
        let row: Option<Row> = self.first(&sql, ())?;
        Ok(row.and_then(|row| moment(&row, 0)).map(|at| self.shape.zone.of_column(at)))
    }

    fn samples_after(&mut self, after: Timestamp) -> Result<u64> {
        let after = self.limit(Aged::Samples, after);
        let sql = format!("SELECT COUNT(*) FROM {} WHERE timestamp > ?", self.tables.samples);
        Ok(self.first(&sql, (after,))?.unwrap_or_default())
    }

    fn tables(&mut self) -> Result<Vec<TableState>> {
        let there: Vec<_> = self.tables.all().filter(|(table, _)| self.tables.has(table)).collect();
        there.into_iter().map(|(table, _)| self.state(table)).collect()
    }

    fn id(&mut self) -> Result<Option<IdState>> {
        let Some(id) = self.shape.id.clone() else { return Ok(None) };
        let zone = self.shape.zone;
        super::id::state(&mut self.connection, self.tables.samples, id, zone)
            .map_err(|e| self.connector.fault(&e))
    }

    fn reset_id(&mut self, id: &IdState) -> Result<()> {
        self.again(|connection| connection.query_drop(&id.reset))
    }
}

impl MariaDb {
    fn first<T: ::mysql::prelude::FromRow>(
        &mut self,
        sql: &str,
        parameters: impl Into<Params>,
    ) -> Result<Option<T>> {
        self.connection.exec_first(sql, parameters).map_err(|e| self.connector.fault(&e))
    }

    /// Runs a transaction, and again after a deadlock or a lock that was waited for in vain.
    pub(super) fn again<T>(&mut self, mut run: impl FnMut(&mut Conn) -> ::mysql::Result<T>) -> Result<T> {
        for tries in 1.. {
            match run(&mut self.connection) {
                Err(fault) if tries <= RERUNS && self.connector.again(&fault) == Again::Rerun => {
                    log::debug!("run again: {fault}");
                    pause(tries);
                }
                result => return result.map_err(|e| self.connector.fault(&e)),
            }
        }
        unreachable!("invariant: the loop has no end but its return")
    }

    /// What the column of time is compared with.
    fn limit(&self, aged: Aged, before: Timestamp) -> Value {
        match (aged, self.shape.zone) {
            (Aged::Days, _) => date(before.utc().date_naive()),
            (Aged::Samples, zone) if zone != Zone::Utc => value(zone.to_column(before)),
            _ => utc(before),
        }
    }

    /// The partitions of a table that has them by UNIX time, in their order; others count as none.
    pub(super) fn day_partitions(&mut self, table: &'static str) -> Result<Option<Vec<Partition>>> {
        let rows: Vec<(String, String, String, u64)> = self
            .connection
            // Not prepared: MariaDB 10.11 has crashed over this question when it was.
            .query(format!(
                "SELECT partition_name, partition_description, partition_expression, table_rows \
                 FROM information_schema.partitions \
                 WHERE table_schema = DATABASE() AND table_name = '{table}' AND partition_method = 'RANGE' \
                 ORDER BY partition_ordinal_position"
            ))
            .map_err(|e| self.connector.fault(&e))?;
        let by_time = |expression: &str| {
            expression.to_ascii_lowercase().replace(['`', ' '], "") == "unix_timestamp(timestamp)"
        };
        if rows.is_empty() || !rows.iter().all(|(_, _, expression, _)| by_time(expression)) {
            return Ok(None);
        }
        let partition = |(name, end, _, rows): (String, String, String, u64)| Partition {
            name,
            end: end.parse().ok(),
            rows,
        };
        Ok(Some(rows.into_iter().map(partition).collect()))
    }

    fn has_time_index(&mut self) -> Result<bool> {
        has_time_index(&mut self.connection, self.tables.samples).map_err(|e| self.connector.fault(&e))
    }

    /// Without an index on the time, the ids are gone through: all of them, since an old row that came
    /// late has a young id.
    fn delete_ids(&mut self, id: &str, limit: Value, batch: u64, progress: &mut Progress) -> Result<Chunk> {
        let table = self.tables.samples;
        let look = format!(
            "SELECT MAX(id), COUNT(*), CAST(COALESCE(SUM(timestamp < ?), 0) AS UNSIGNED) FROM \
             (SELECT {id} AS id, timestamp FROM {table} WHERE {id} > ? ORDER BY {id} LIMIT {batch}) ids"
        );
        let next: Option<(Option<u64>, u64, u64)> = self.first(&look, (limit.clone(), progress.0))?;
        let Some((Some(last), rows, old)) = next else { return Ok(Chunk { deleted: 0, more: false }) };
        let delete = format!("DELETE FROM {table} WHERE {id} > ? AND {id} <= ? AND timestamp < ?");
        let from = progress.0;
        let deleted = match old {
            0 => 0,
            _ => self.again(|connection| {
                connection.exec_drop(&delete, (from, last, limit.clone()))?;
                Ok(connection.affected_rows())
            })?,
        };
        progress.0 = last;
        Ok(Chunk { deleted, more: rows >= batch })
    }

    fn state(&mut self, table: &'static str) -> Result<TableState> {
        let size: Option<Row> = self.first(
            "SELECT table_rows, data_length + index_length FROM information_schema.tables \
             WHERE table_schema = DATABASE() AND table_name = ?",
            (table,),
        )?;
        let of_size = |column| size.as_ref().and_then(|row| number(row, column)).unwrap_or_default();
        let (oldest, newest) = self.edges(table)?;
        let partitions = self.day_partitions(table)?.map(|partitions| partitions.len() as u64);
        let samples = self.tables.samples;
        let lacks = table == samples.name() && !self.has_time_index()?;
        Ok(TableState {
            table,
            rows: of_size(0),
            estimated: true,
            bytes: of_size(1),
            oldest,
            newest,
            partitions,
            lacking_index: lacks.then(|| time_index(samples)),
        })
    }

    /// Times of the oldest and the newest row.
    fn edges(&mut self, table: &str) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
        let of_samples = table == self.tables.samples.name();
        let time = match table {
            "modulation_detail" => "timestamp",
            _ if of_samples => "timestamp",
            "modulation_scan" => "ts",
            "modulation_day" => "day",
            _ => return Ok((None, None)),
        };
        let row: Option<Row> = self.first(&format!("SELECT MIN({time}), MAX({time}) FROM `{table}`"), ())?;
        let zone = if of_samples { self.shape.zone } else { Zone::Utc };
        let at = |column| match zone {
            Zone::Utc => row.as_ref().and_then(|row| instant(row, column)),
            zone => row.as_ref().and_then(|row| moment(row, column)).map(|at| zone.of_column(at)),
        };
        Ok((at(0), at(1)))
    }
}

/// Whether the table of samples has an index that begins with its time.
pub(super) fn has_time_index(connection: &mut Conn, samples: SampleTable) -> ::mysql::Result<bool> {
    let sql = format!(
        "SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() \
         AND table_name = '{}' AND seq_in_index = 1 AND column_name = 'timestamp'",
        samples.name()
    );
    Ok(connection.query_first::<u64, _>(sql)?.unwrap_or_default() > 0)
}
