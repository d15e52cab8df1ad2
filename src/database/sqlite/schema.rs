//! The tables in SQLite: made when they are missing, refused when a newer modtools made them.
//! Times are INTEGER UNIX seconds.

use rusqlite::{Connection, TransactionBehavior};

use crate::database::{
    SampleTable,
    provenance::{COLUMNS, Column, Provenance},
    sample_table::Choice,
};

/// The version of the schema, kept in `user_version`.
pub(super) const VERSION: i64 = 1;

/// Every table that we make besides that of the samples.
const OTHERS: [&str; 6] = [
    "modulation_detail",
    "modulation_channel",
    "modulation_scan",
    "modulation_device",
    "modulation_day",
    "lastupdatemodulation",
];

/// Every table that we make, that of the samples first.
pub(super) fn tables(samples: SampleTable) -> impl Iterator<Item = &'static str> {
    [samples.name()].into_iter().chain(OTHERS)
}

const CREATE: &str = "
CREATE TABLE modulation_detail (
    timestamp INTEGER NOT NULL, cmts TEXT NOT NULL, upstream TEXT NOT NULL,
    profile INTEGER, source TEXT NOT NULL, snr_db REAL, explained_by TEXT,
    PRIMARY KEY (timestamp, cmts, upstream)
) WITHOUT ROWID;
CREATE TABLE modulation_channel (
    cmts TEXT NOT NULL, upstream TEXT NOT NULL, platform TEXT, type TEXT, center_hz INTEGER, width_hz INTEGER,
    description TEXT, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, modems INTEGER, snr_db REAL,
    PRIMARY KEY (cmts, upstream)
) WITHOUT ROWID;
CREATE TABLE modulation_scan (
    ts INTEGER NOT NULL, cmts TEXT NOT NULL, platform TEXT, status TEXT NOT NULL, error TEXT,
    attempts INTEGER NOT NULL, elapsed_ms INTEGER NOT NULL, samples INTEGER NOT NULL, unparsed INTEGER NOT NULL,
    built_in INTEGER,
    PRIMARY KEY (ts, cmts)
) WITHOUT ROWID;
CREATE TABLE modulation_device (
    cmts TEXT NOT NULL PRIMARY KEY, platform TEXT, last_try INTEGER NOT NULL, last_good INTEGER,
    last_status TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE modulation_day (
    day TEXT NOT NULL, cmts TEXT NOT NULL, upstream TEXT NOT NULL, tz TEXT NOT NULL, interval_s INTEGER NOT NULL,
    samples INTEGER NOT NULL, time_s TEXT NOT NULL, finished TEXT NOT NULL,
    PRIMARY KEY (day, cmts, upstream)
) WITHOUT ROWID;
CREATE TABLE lastupdatemodulation (stamp INTEGER NOT NULL);
PRAGMA user_version = 1;
";

/// What kind of database a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing is in it.
    Empty,
    /// Our tables, of our version.
    Ours,
    /// Our tables, of a newer version.
    Newer(i64),
    /// Somebody else's.
    Foreign,
}

impl State {
    pub fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let count = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        let tables = count("SELECT count(*) FROM sqlite_master")?;
        let ours =
            count("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'modulation_device'")?;
        Ok(match (version, tables, ours) {
            (0, 0, _) => State::Empty,
            (VERSION, _, 1) => State::Ours,
            (newer, _, 1) if newer > VERSION => State::Newer(newer),
            _ => State::Foreign,
        })
    }
}

/// Makes the tables in an empty file. Two processes may try at once.
pub(super) fn create(connection: &mut Connection, samples: SampleTable) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if State::of(&transaction)? == State::Empty {
        transaction.execute_batch(CREATE)?;
        create_samples(&transaction, samples)?;
    }
    transaction.commit()
}

/// Makes the table of samples.
pub(super) fn create_samples(connection: &Connection, samples: SampleTable) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS {samples} (
            timestamp INTEGER NOT NULL, cmts TEXT NOT NULL, upstream TEXT NOT NULL, modulation TEXT NOT NULL,
            PRIMARY KEY (timestamp, cmts, upstream)
        ) WITHOUT ROWID"
    ))
}

pub(super) fn has(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?1";
    connection.query_row(sql, [table], |row| row.get::<_, i64>(0)).map(|count| count > 0)
}

/// Which table holds the samples.
pub(super) fn samples(connection: &Connection, choice: Choice) -> rusqlite::Result<SampleTable> {
    let columns = columns(connection)?;
    Ok(choice.among(|table, name| columns.iter().any(|(of, column)| of == table && column == name)))
}

/// Tables, each with its columns.
fn columns(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let sql =
        "SELECT m.name, p.name FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table'";
    let mut statement = connection.prepare(sql)?;
    let columns = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    columns.collect()
}

/// Which of the columns that came later are there.
pub(super) fn provenance(connection: &Connection) -> rusqlite::Result<Provenance> {
    let columns = columns(connection)?;
    Ok(Provenance::of(|table, name| columns.iter().any(|(of, column)| of == table && column == name)))
}

/// Adds the columns that came later to tables that lack them.
pub(super) fn add_columns(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for Column { table, name, sqlite, .. } in &COLUMNS {
        let there = "SELECT count(*) FROM pragma_table_info(?1) WHERE name = ?2";
        let there: i64 = transaction.query_row(there, [table, name], |row| row.get(0))?;
        if there == 0 {
            transaction.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {name} {sqlite}"))?;
        }
    }
    transaction.commit()
}

/// The index behind the history of one upstream.
pub(super) fn create_history_index(connection: &Connection, samples: SampleTable) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "CREATE INDEX IF NOT EXISTS modulation_history ON {samples} (cmts, upstream, timestamp)"
    ))
}
