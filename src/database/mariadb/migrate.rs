//! `--init --migrate`: an older `modulation_new` becomes the keyed one, a chunk of ids at a time.
//! The old table is read and written by others all the while; at the end the two change names in
//! one statement, and what came in the last moment follows. Nothing is dropped: the old table stays
//! as `modulation_old`. How far it is stands in `modulation_migration`, so that it can be broken off.

use ::mysql::{Conn, Error as Fault, Row, TxOpts, Value, prelude::Queryable};

use super::{
    MariaDb,
    insert::{Insert, Room, keyed},
    partitions::{self, Day},
    read::{moment, number, owned},
    schema,
    shape::Shape,
    tables,
    zone::utc,
};
use crate::{
    database::{Column, Migration, SampleTable, admit},
    error::{Error, Result},
    record::Timestamp,
};

/// Rows of one chunk, which is one transaction.
const CHUNK: u64 = 10_000;
/// So many ids are looked at again after the change of names, and when a migration is taken up
/// again: a transaction that was under way had lower ids than rows that we had seen.
const AGAIN: u64 = 100_000;
const LOCK: &str = "CONCAT('modtools migration of ', DATABASE())";
/// Longest word of the modulation column.
const WORD: usize = 16;

const CREATE_PROGRESS: &str = "CREATE TABLE IF NOT EXISTS modulation_migration (\
     one TINYINT NOT NULL PRIMARY KEY, last_id BIGINT UNSIGNED NOT NULL, moved BIGINT UNSIGNED NOT NULL, \
     doubled BIGINT UNSIGNED NOT NULL, unfit BIGINT UNSIGNED NOT NULL) ENGINE=InnoDB";
const BEGIN_PROGRESS: &str =
    "INSERT INTO modulation_migration VALUES (1, 0, 0, 0, 0) ON DUPLICATE KEY UPDATE one = one";
/// The name of the new table as long as it has no better one.
const KEYED: &str = "modulation_new_keyed";
const CHANGE_NAMES: &str =
    "RENAME TABLE modulation_new TO modulation_old, modulation_new_keyed TO modulation_new";

/// From where to where rows are copied.
struct Way<'a> {
    source: &'static str,
    id: &'a str,
    target: &'a Insert,
    shape: &'a Shape,
    room: Room,
    now: Timestamp,
}

/// A row of the older table as the new one takes it.
type Fitting = (Value, String, String, String);

impl MariaDb {
    /// Does it, or says what would be done.
    pub(super) fn migrate_all(&mut self, dry_run: bool) -> Result<Migration> {
        if !self.tables.has_samples() {
            return Ok(Migration::default());
        }
        let begun = self.there("modulation_migration")?;
        if self.shape.keyed && !begun {
            return Ok(Migration::default());
        }
        self.has_the_name_to_migrate()?;
        if dry_run {
            return self.plan();
        }
        self.lock()?;
        if !self.shape.keyed {
            self.copy_beside()?;
        }
        self.copy_rest()
    }

    /// A migration ends in `modulation_new`, so it begins there.
    fn has_the_name_to_migrate(&self) -> Result<()> {
        let table = self.tables.samples;
        if table == SampleTable::USUAL {
            return Ok(());
        }
        let (name, usual) = (table.name(), SampleTable::USUAL);
        self.refuse(&format!(
            "--migrate makes {usual} anew, and the samples are in {name}; stop what uses it, RENAME TABLE {table} \
             TO {usual}, and take MODTOOLS_TABLE out"
        ))
    }

    /// Up to the change of names.
    fn copy_beside(&mut self) -> Result<()> {
        let id = self.id()?;
        if self.there("modulation_old")? {
            return self.refuse("a table modulation_old is in the way; give it another name");
        }
        let days = partitions::initial(self.clock.now(), self.keep_days);
        for statement in [create(&days), CREATE_PROGRESS.into(), BEGIN_PROGRESS.into()] {
            self.connection.query_drop(statement).map_err(|e| self.connector.fault(&e))?;
        }
        let from = self.last_id()?.saturating_sub(AGAIN);
        self.copy("modulation_new", &id, &target(), from)?;
        self.connection.query_drop(CHANGE_NAMES).map_err(|e| self.connector.fault(&e))
    }

    /// What came to the old table since it was read for the last time.
    fn copy_rest(&mut self) -> Result<Migration> {
        let columns = tables::columns(&mut self.connection, "modulation_old");
        let columns = columns.map_err(|e| self.connector.fault(&e))?;
        let key = tables::primary_key(&mut self.connection, "modulation_old");
        let key = key.map_err(|e| self.connector.fault(&e))?;
        self.shape = match Shape::of(self.tables.samples, &columns, &key, self.local, true) {
            Ok(shape) => shape,
            Err(reason) => return self.refuse(&format!("modulation_old cannot be used: {reason}")),
        };
        let id = self.id()?;
        let from = self.last_id()?.saturating_sub(AGAIN);
        self.copy("modulation_old", &id, &keyed(SampleTable::USUAL), from)?;
        let counts: Option<(u64, u64, u64)> = self
            .connection
            .query_first("SELECT moved, doubled, unfit FROM modulation_migration")
            .map_err(|e| self.connector.fault(&e))?;
        self.connection
            .query_drop("DROP TABLE modulation_migration")
            .map_err(|e| self.connector.fault(&e))?;
        let (moved, doubled, unfit) = counts.unwrap_or_default();
        Ok(Migration { done: true, moved, doubled, unfit, plan: Vec::new() })
    }

    fn copy(&mut self, source: &'static str, id: &str, target: &Insert, from: u64) -> Result<()> {
        let (mut after, mut tries) = (from, 0);
        let seen = self.last_id()?;
        let shape = self.shape.clone();
        loop {
            let now = self.clock.now();
            let room = self.room();
            let way = Way { source, id, target, shape: &shape, room, now };
            match way.chunk(&mut self.connection, after, seen) {
                Ok(None) => return Ok(()),
                Ok(Some(last)) => {
                    log::debug!("migration: {source} up to {id} {last}");
                    (after, tries) = (last, 0);
                }
                Err(fault) => {
                    tries += 1;
                    self.connector.recover(&mut self.connection, &fault, tries)?;
                }
            }
        }
    }

    fn plan(&mut self) -> Result<Migration> {
        let mut plan = Vec::new();
        if !self.shape.keyed {
            let id = self.id()?;
            let rows: Option<(Option<u64>, u64)> = self
                .connection
                .query_first(format!(
                    "SELECT (SELECT table_rows FROM information_schema.tables WHERE table_schema = DATABASE() \
                     AND table_name = 'modulation_new'), COALESCE(MAX({id}), 0) FROM modulation_new"
                ))
                .map_err(|e| self.connector.fault(&e))?;
            let (rows, last) = rows.unwrap_or_default();
            let rows = rows.unwrap_or_default();
            plan.push(format!("-- modulation_new: about {rows} rows (an estimate), {id} up to {last}"));
            plan.push(create(&partitions::initial(self.clock.now(), self.keep_days)));
            plan.push(format!(
                "-- copied after checking each row, {CHUNK} in a transaction, lowest {id} first:"
            ));
            plan.push(format!("{}(…){}", target().head(), target().tail));
            plan.push(CHANGE_NAMES.into());
        }
        plan.push(
            "-- then what came to modulation_old meanwhile; modulation_old stays until you drop it".into(),
        );
        Ok(Migration { plan, ..Migration::default() })
    }

    fn id(&self) -> Result<String> {
        match &self.shape.id {
            Some(id) => Ok(tables::quoted(id)),
            None => self.refuse("modulation_new has no id of one column to go by"),
        }
    }

    fn last_id(&mut self) -> Result<u64> {
        let last = self.connection.query_first("SELECT last_id FROM modulation_migration");
        Ok(last.map_err(|e| self.connector.fault(&e))?.unwrap_or_default())
    }

    fn there(&mut self, table: &'static str) -> Result<bool> {
        let found: ::mysql::Result<Option<u8>> = self.connection.query_first(format!(
            "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = '{table}'"
        ));
        Ok(found.map_err(|e| self.connector.fault(&e))?.is_some())
    }

    fn lock(&mut self) -> Result<()> {
        match self.connection.query_first::<Option<i64>, _>(format!("SELECT GET_LOCK({LOCK}, 0)")) {
            Ok(Some(Some(1))) => Ok(()),
            // A cluster without such locks: whoever is told to migrate there is told once.
            Err(Fault::MySqlError(error)) if error.code == 1235 => Ok(()),
            Err(fault) => Err(self.connector.fault(&fault)),
            Ok(_) => Err(Error::Locked {
                path: "modulation_new".into(),
                holder: "another mod-store --migrate".into(),
            }),
        }
    }

    fn refuse<T>(&self, reason: &str) -> Result<T> {
        Err(Error::Database { place: self.connector.place.clone(), reason: reason.to_owned() })
    }
}

fn create(days: &[Day]) -> String {
    schema::create(KEYED, days)
}

/// The new table as long as it has no better name.
fn target() -> Insert {
    Insert { table: KEYED, ..keyed(SampleTable::USUAL) }
}

impl Way<'_> {
    /// One transaction; the last id of it, none at the end. Rows up to `seen` were counted before.
    fn chunk(&self, connection: &mut Conn, after: u64, seen: u64) -> ::mysql::Result<Option<u64>> {
        let Way { source, id, .. } = self;
        let mut transaction = connection.start_transaction(TxOpts::default())?;
        let rows: Vec<Row> = transaction.exec(
            format!(
                "SELECT timestamp, cmts, upstream, modulation, {id} FROM {source} \
                 WHERE {id} > ? ORDER BY {id} LIMIT {CHUNK}"
            ),
            (after,),
        )?;
        let Some(last) = rows.last().and_then(|row| number(row, 4)) else { return Ok(None) };
        let fitting: Vec<Fitting> = rows.iter().filter_map(|row| self.fit(row)).collect();
        let moved = self.target.run(&mut transaction, &fitting, self.room, |row, values| {
            let (ts, cmts, upstream, modulation) = row;
            values.extend([ts.clone(), cmts.into(), upstream.into(), modulation.into()]);
        })?;
        let news = |row: &&Row| number(row, 4).is_some_and(|id| id > seen);
        let (new, unfit) = rows.iter().filter(news).fold((0, 0), |(new, unfit), row| match self.fit(row) {
            Some(_) => (new + 1, unfit),
            None => (new, unfit + 1),
        });
        transaction.exec_drop(
            "UPDATE modulation_migration SET last_id = GREATEST(last_id, ?), moved = moved + ?, \
             doubled = doubled + ?, unfit = unfit + ?",
            (last, moved, u64::saturating_sub(new, moved), unfit as u64),
        )?;
        transaction.commit()?;
        Ok(Some(last))
    }

    /// What does not fit stays in the old table. A word that is not a modulation of ours moves as it is.
    fn fit(&self, row: &Row) -> Option<Fitting> {
        let ts = self.shape.zone.of_column(moment(row, 0)?);
        let (cmts, upstream, modulation) = (owned(row, 1)?, owned(row, 2)?, owned(row, 3)?);
        let fits = |what: &str, name: &str| Column::default().fault(what, name).is_none();
        let fitting = admit::time_fault(ts, self.now).is_none()
            && fits("cmts", &cmts)
            && fits("upstream", &upstream)
            && modulation.chars().count() <= WORD;
        fitting.then(|| (utc(ts), cmts, upstream, modulation))
    }
}
