//! Pruning SQLite: chunks along the primary key, then the free pages go back to the file system.

use std::{
    io::{Read, Write},
    path::PathBuf,
};

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params_from_iter, types::Value};

use super::{Sqlite, schema};
use crate::{
    database::{
        Aged, Chunk, IdState, Method, Plan, Progress, Retention, SampleTable, TableState,
        retention::DEVICE_TABLES,
    },
    error::{Error, Result},
    files, lock,
    record::Timestamp,
};

/// Free pages that are given back at once, so that mod-store is not kept waiting.
const PAGES: i64 = 5000;

impl Retention for Sqlite {
    fn lock(&mut self) -> Result<()> {
        let path = self.lock_path()?;
        // A link that somebody else put there would have its target emptied below.
        let mut file = files::open_no_link(&path).map_err(Error::write(&path))?;
        if !lock::try_exclusive(&file).map_err(Error::write(&path))? {
            let mut pid = String::new();
            // Who it is, is a kindness; that somebody holds it is known.
            let _ = file.read_to_string(&mut pid);
            let holder = format!("another mod-prune, process {}", pid.trim());
            return Err(Error::Locked { path, holder });
        }
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(Error::write(&path))?;
        self.lock = Some(file);
        Ok(())
    }

    fn plan(&mut self, aged: Aged, before: Timestamp, count: bool) -> Result<Option<Plan>> {
        let (table, time) = (aged.in_sql(self.samples), aged.time());
        let rows = if count {
            let sql = format!("SELECT count(*) FROM {table} WHERE {time} < ?1");
            let rows = self.connection.query_row(&sql, [limit(aged, before)], |row| row.get::<_, i64>(0));
            rows.map_err(|e| self.fault(&e))?.try_into().unwrap_or_default()
        } else {
            0
        };
        let statement = match limit(aged, before) {
            Value::Text(day) => format!("DELETE FROM {table} WHERE {time} < '{day}'"),
            _ => format!("DELETE FROM {table} WHERE {time} < {}", before.0),
        };
        Ok(Some(Plan { method: Method::Chunks, statement: Some(statement), rows, estimated: false }))
    }

    fn drop_partitions(&mut self, _aged: Aged, _plan: &Plan) -> Result<bool> {
        Ok(true)
    }

    fn delete_chunk(
        &mut self,
        aged: Aged,
        before: Timestamp,
        batch: u64,
        _progress: &mut Progress,
    ) -> Result<Chunk> {
        chunk(&self.connection, self.samples, aged, before, batch).map_err(|e| self.fault(&e))
    }

    /// The lock is written to by each run.
    fn last_prune(&mut self) -> Result<Option<Timestamp>> {
        let changed = std::fs::metadata(self.lock_path()?).and_then(|lock| lock.modified()).ok();
        let since = changed.and_then(|changed| changed.duration_since(std::time::UNIX_EPOCH).ok());
        Ok(since.map(|since| Timestamp(since.as_secs().try_into().unwrap_or_default())))
    }

    fn note_prune(&mut self, _now: Timestamp) -> Result<()> {
        Ok(())
    }

    fn forget(&mut self, devices: &[String]) -> Result<()> {
        self.transaction(|transaction| {
            for table in DEVICE_TABLES {
                let mut delete = transaction.prepare(&format!("DELETE FROM {table} WHERE cmts = ?1"))?;
                devices.iter().try_for_each(|device| delete.execute([device]).map(drop))?;
            }
            Ok(())
        })
    }

    fn give_back(&mut self) -> Result<u64> {
        give_back(&self.connection).map_err(|e| self.fault(&e))
    }

    fn oldest(&mut self) -> Result<Option<Timestamp>> {
        self.moment(&format!("SELECT min(timestamp) FROM {}", self.samples), [])
    }

    fn samples_after(&mut self, moment: Timestamp) -> Result<u64> {
        let sql = format!("SELECT count(*) FROM {} WHERE timestamp > ?1", self.samples);
        let count = self.connection.query_row(&sql, [moment.0], |row| row.get::<_, i64>(0));
        Ok(count.map_err(|e| self.fault(&e))?.try_into().unwrap_or_default())
    }

    fn tables(&mut self) -> Result<Vec<TableState>> {
        let states = schema::tables(self.samples).map(|table| state(&self.connection, self.samples, table));
        states.collect::<rusqlite::Result<_>>().map_err(|e| self.fault(&e))
    }

    fn id(&mut self) -> Result<Option<IdState>> {
        Ok(None)
    }

    fn reset_id(&mut self, _id: &IdState) -> Result<()> {
        Ok(())
    }
}

impl Sqlite {
    /// Beside the database, whatever name it was opened by.
    fn lock_path(&self) -> Result<PathBuf> {
        let path = self.connection.path().unwrap_or_default();
        let path = std::fs::canonicalize(path).map_err(Error::read(path))?;
        let mut name = path.into_os_string();
        name.push("-prune-lock");
        Ok(name.into())
    }

    fn moment(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<Option<Timestamp>> {
        let moment = self.connection.query_row(sql, parameters, |row| row.get::<_, Option<i64>>(0));
        Ok(moment.map_err(|e| self.fault(&e))?.map(Timestamp))
    }
}

/// What the column of time is compared with.
fn limit(aged: Aged, before: Timestamp) -> Value {
    match aged {
        Aged::Days => Value::Text(before.utc().date_naive().to_string()),
        Aged::Samples | Aged::Scans | Aged::Detail => Value::Integer(before.0),
    }
}

/// Everything up to the last key of the chunk; without such a key, all that is old.
fn chunk(
    connection: &Connection,
    samples: SampleTable,
    aged: Aged,
    before: Timestamp,
    batch: u64,
) -> rusqlite::Result<Chunk> {
    let (table, time, key) = (aged.in_sql(samples), aged.time(), aged.key());
    let limit = limit(aged, before);
    let columns = key.split(',').count();
    let last = format!("SELECT {key} FROM {table} WHERE {time} < ? ORDER BY {key} LIMIT 1 OFFSET ?");
    let offset = i64::try_from(batch.saturating_sub(1)).unwrap_or(i64::MAX);
    let values = |row: &Row<'_>| (0..columns).map(|column| row.get(column)).collect();
    let last: Option<Vec<Value>> =
        connection.prepare_cached(&last)?.query_row([&limit as &dyn ToSql, &offset], values).optional()?;
    let deleted = match &last {
        Some(last) => {
            let places = vec!["?"; columns].join(", ");
            let sql = format!("DELETE FROM {table} WHERE ({key}) <= ({places})");
            connection.prepare_cached(&sql)?.execute(params_from_iter(last))?
        }
        None => {
            let sql = format!("DELETE FROM {table} WHERE {time} < ?");
            connection.prepare_cached(&sql)?.execute([&limit])?
        }
    };
    Ok(Chunk { deleted: deleted as u64, more: last.is_some() })
}

fn give_back(connection: &Connection) -> rusqlite::Result<u64> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let before = number("freelist_count")?;
    let mut free = before;
    // 2: INCREMENTAL. Files that were made without it keep their pages for rows to come.
    while number("auto_vacuum")? == 2 && free > 0 {
        let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        let left = number("freelist_count")?;
        if left >= free {
            break;
        }
        free = left;
    }
    let given = (before - free).max(0) * number("page_size")?;
    Ok(given.try_into().unwrap_or_default())
}

fn state(connection: &Connection, samples: SampleTable, table: &'static str) -> rusqlite::Result<TableState> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
    let unsigned = |number: Option<i64>| number.unwrap_or_default().try_into().unwrap_or_default();
    let column = match table {
        "modulation_detail" => Some("timestamp"),
        _ if table == samples.name() => Some("timestamp"),
        "modulation_scan" => Some("ts"),
        "modulation_day" => Some("CAST(strftime('%s', day) AS INTEGER)"),
        _ => None,
    };
    let edge = |function: &str| match column {
        Some(column) => {
            // The least and the greatest day by its text, which is indexed.
            let inner = if table == "modulation_day" { "day" } else { column };
            let sql = format!("SELECT {function}({inner}) AS {inner} FROM `{table}`");
            number(&format!("SELECT {column} FROM ({sql})")).map(|ts| ts.map(Timestamp))
        }
        None => Ok(None),
    };
    let size = format!("SELECT sum(pgsize) FROM dbstat WHERE name = '{table}' AND aggregate = TRUE");
    Ok(TableState {
        table,
        rows: unsigned(number(&format!("SELECT count(*) FROM `{table}`"))?),
        bytes: unsigned(number(&size)?),
        oldest: edge("min")?,
        newest: edge("max")?,
        ..TableState::default()
    })
}
