//! Which of the tables are there, making those that are not, and the partitions ahead.

use std::collections::BTreeMap;

use ::mysql::{Conn, Error as Fault, Row, prelude::Queryable};

use super::{
    connect::{self, Connector},
    partitions::{self, Day},
    prune::CREATE_NOTE,
    read::owned,
    schema,
    shape::{ColumnType, Shape},
    zone::Zone,
};
use crate::{
    clock::Clock,
    database::{
        Access, Limits, Options, SampleTable,
        provenance::{self, Provenance},
        sample_table::Choice,
    },
    error::{Error, Result},
    record::Timestamp,
};

/// The tables that are there, each with the end of its last partition if it has partitions.
#[derive(Debug)]
pub(super) struct Tables {
    pub samples: SampleTable,
    ends: BTreeMap<&'static str, Option<i64>>,
    /// Columns that came later.
    pub provenance: Provenance,
}

impl Tables {
    /// Learns what there is, and makes what is missing when told to.
    pub fn prepare(
        connection: &mut Conn,
        connector: &Connector,
        access: Access,
        choice: Choice,
        keep_days: u32,
        clock: Clock,
    ) -> Result<Self> {
        let refuse = |reason: String| Err(Error::Database { place: connector.place.clone(), reason });
        let fault = |fault: Fault| connector.fault(&fault);
        let newest = newest_version(connection).map_err(fault)?;
        if newest > schema::VERSION {
            let ours = schema::VERSION;
            return refuse(format!(
                "its schema version {newest} is newer than ours, {ours}; update modtools"
            ));
        }
        let mut denied = None;
        if let Access::Write(options @ Options { init: true, .. }) = access {
            let days = partitions::initial(clock.now(), keep_days);
            denied =
                Self::learn(connection, choice).map_err(fault)?.create(connection, &days).map_err(fault)?;
            if denied.is_none() {
                denied =
                    Self::learn(connection, choice).map_err(fault)?.add_columns(connection).map_err(fault)?;
            }
            if options.history_index {
                let samples = Self::learn(connection, choice).map_err(fault)?.samples;
                add_history_index(connection, samples).map_err(fault)?;
            }
        }
        let tables = Self::learn(connection, choice).map_err(fault)?;
        let table = tables.samples.name();
        if !tables.has(table) && !matches!(access, Access::Look(_)) {
            return match denied {
                Some(reason) => refuse(format!("{table} cannot be made: {reason}")),
                None => refuse(format!("there is no table {table}; mod-store --init makes it")),
            };
        }
        if matches!(access, Access::Write(_)) {
            tables.say_what_is_off(denied.as_deref());
        }
        Ok(tables)
    }

    fn learn(connection: &mut Conn, choice: Choice) -> ::mysql::Result<Self> {
        let names: Vec<String> = connection
            .query("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()")?;
        let columns: Vec<(String, String)> = connection.query(
            "SELECT table_name, column_name FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name LIKE 'modulation%'",
        )?;
        let has = |table: &str, name: &str| {
            columns.iter().any(|(of, column)| of == table && column.eq_ignore_ascii_case(name))
        };
        let (samples, provenance) = (choice.among(has), Provenance::of(has));
        let mut ends = BTreeMap::new();
        for (table, _) in schema::tables(samples).filter(|(table, _)| names.iter().any(|name| name == table))
        {
            ends.insert(table, partition_end(connection, table)?);
        }
        Ok(Tables { samples, ends, provenance })
    }

    /// Makes what is missing. A right that is lacking is given back as the server's words.
    fn create(&self, connection: &mut Conn, days: &[Day]) -> ::mysql::Result<Option<String>> {
        for (table, _) in self.all().filter(|(table, _)| !self.has(table)) {
            match connection.query_drop(schema::create(table, days)) {
                Err(Fault::MySqlError(error)) if is_denied(error.code) => return Ok(Some(error.message)),
                other => other?,
            }
        }
        match connection.query_drop(CREATE_NOTE) {
            Err(Fault::MySqlError(error)) if is_denied(error.code) => Ok(Some(error.message)),
            other => other.map(|()| None),
        }
    }

    /// Adds the columns that came later. A right that is lacking is given back as the server's words.
    fn add_columns(&self, connection: &mut Conn) -> ::mysql::Result<Option<String>> {
        for column in &provenance::COLUMNS {
            if !self.has(column.table) || self.has_column(column) {
                continue;
            }
            let provenance::Column { table, name, mysql, .. } = column;
            match connect::alter(connection, &format!("ALTER TABLE {table} ADD COLUMN {name} {mysql}")) {
                Err(Fault::MySqlError(error)) if is_denied(error.code) => return Ok(Some(error.message)),
                // ER_DUP_FIELDNAME: it is there.
                Err(Fault::MySqlError(error)) if error.code == 1060 => {}
                other => other?,
            }
        }
        Ok(None)
    }

    fn has_column(&self, column: &provenance::Column) -> bool {
        let Provenance { detail, channel, scan } = self.provenance;
        match column.table {
            "modulation_detail" => detail,
            "modulation_channel" => channel,
            _ => scan,
        }
    }

    fn say_what_is_off(&self, denied: Option<&str>) {
        let whole = Provenance { detail: true, channel: true, scan: true };
        if self.provenance != whole && self.has("modulation_scan") {
            log::info!(
                "modulation_detail, _channel or _scan lack columns for provenance; mod-store --init adds them"
            );
        }
        let missing: Vec<_> = self.all().filter(|(table, _)| !self.has(table)).collect();
        if missing.is_empty() {
            return;
        }
        let names: Vec<_> = missing.iter().map(|(table, _)| *table).collect();
        let off: Vec<_> = missing.iter().map(|(_, what)| *what).collect();
        let why = denied.unwrap_or("mod-store --init makes them");
        log::warn!("no table {}: {why}; not kept: {}", names.join(", "), off.join("; "));
    }

    /// Whether none is missing.
    pub fn are_whole(&self) -> bool {
        self.all().all(|(table, _)| self.has(table))
    }

    /// Every table that we make, there or not, and what is off without it.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        schema::tables(self.samples)
    }

    pub fn has_samples(&self) -> bool {
        self.has(self.samples.name())
    }

    pub fn has(&self, table: &str) -> bool {
        self.ends.contains_key(table)
    }

    /// The tables whose partitions are ours to make.
    pub fn partitioned(&self) -> Vec<&'static str> {
        self.ends.iter().filter(|(_, end)| end.is_some()).map(|(&table, _)| table).collect()
    }

    /// End of a table's last partition, UNIX seconds.
    pub fn end(&self, table: &str) -> i64 {
        self.ends.get(table).copied().flatten().unwrap_or(i64::MAX)
    }

    /// Makes the partitions that a table lacks. Another mod-store may do so at the same moment.
    pub fn extend(
        &mut self,
        connection: &mut Conn,
        table: &'static str,
        ts: Timestamp,
        now: Timestamp,
    ) -> ::mysql::Result<()> {
        let days = partitions::lacking(self.end(table), ts, now);
        if days.is_empty() {
            return Ok(());
        }
        let clause = partitions::clause(&days);
        let made = connect::alter(connection, &format!("ALTER TABLE `{table}` ADD PARTITION ({clause})"));
        self.ends.insert(table, partition_end(connection, table)?);
        match made {
            Err(_) if partitions::lacking(self.end(table), ts, now).is_empty() => Ok(()),
            made => made,
        }
    }

    /// What the table of samples looks like; one that is not there is one of ours to be.
    pub fn shape(
        &self,
        connection: &mut Conn,
        connector: &Connector,
        local: Zone,
        store_all: bool,
    ) -> Result<Shape> {
        let table = self.samples;
        if !self.has_samples() {
            let (zone, limits) = (Zone::Utc, Limits::default());
            return Ok(Shape { table, keyed: true, id: None, gathers: true, zone, limits });
        }
        let columns = columns(connection, table.name()).map_err(|e| connector.fault(&e))?;
        let key = primary_key(connection, table.name()).map_err(|e| connector.fault(&e))?;
        Shape::of(table, &columns, &key, local, store_all).map_err(|reason| Error::Database {
            place: connector.place.clone(),
            reason: format!("{} cannot be used: {reason}", table.name()),
        })
    }
}

/// An identifier as it stands in SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// ER_DBACCESS_DENIED, ER_TABLEACCESS_DENIED, ER_SPECIFIC_ACCESS_DENIED.
fn is_denied(code: u16) -> bool {
    matches!(code, 1044 | 1142 | 1227)
}

fn newest_version(connection: &mut Conn) -> ::mysql::Result<u32> {
    let comment: Option<String> = connection.query_first(
        "SELECT table_comment FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_name = 'modulation_device'",
    )?;
    Ok(comment.as_deref().and_then(schema::version).unwrap_or_default())
}

fn add_history_index(connection: &mut Conn, samples: SampleTable) -> ::mysql::Result<()> {
    match connection.query_drop(schema::history_index(samples)) {
        // ER_DUP_KEYNAME: it is there.
        Err(Fault::MySqlError(error)) if error.code == 1061 => Ok(()),
        other => other,
    }
}

/// The bound of the last partition; none for a table without partitions. It is read from the table's
/// own statement: MariaDB 10.11 has crashed over prepared questions to information_schema.partitions.
fn partition_end(connection: &mut Conn, table: &'static str) -> ::mysql::Result<Option<i64>> {
    match connection.query_first::<Row, _>(format!("SHOW CREATE TABLE `{table}`")) {
        Ok(shown) => Ok(shown.and_then(|row| partitions::end(&owned(&row, 1)?))),
        Err(Fault::MySqlError(error)) if is_denied(error.code) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Name, type, type in full, length, character set and collation.
type Described = (String, String, String, Option<u64>, Option<String>, Option<String>);

/// The columns of a table, by name.
pub(super) fn columns(
    connection: &mut Conn,
    table: &'static str,
) -> ::mysql::Result<BTreeMap<String, ColumnType>> {
    let rows: Vec<Described> = connection.query(format!(
        "SELECT column_name, data_type, column_type, character_maximum_length, character_set_name, collation_name \
         FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = '{table}'"
    ))?;
    let named = |(name, data, full, chars, charset, collation): Described| {
        (
            name.to_ascii_lowercase(),
            ColumnType { data: data.to_ascii_lowercase(), full, chars, charset, collation },
        )
    };
    Ok(rows.into_iter().map(named).collect())
}

/// The columns of a table's primary key, in order.
pub(super) fn primary_key(connection: &mut Conn, table: &'static str) -> ::mysql::Result<Vec<String>> {
    let columns: Vec<String> = connection.query(format!(
        "SELECT column_name FROM information_schema.statistics WHERE table_schema = DATABASE() \
         AND table_name = '{table}' AND index_name = 'PRIMARY' ORDER BY seq_in_index"
    ))?;
    Ok(columns.into_iter().map(|column| column.to_ascii_lowercase()).collect())
}
