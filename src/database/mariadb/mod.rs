//! The database on a MySQL or MariaDB server: the only place that speaks to one.

mod connect;
mod days;
pub mod faults;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod gather;
mod guard;
mod hosts;
mod id;
mod insert;
mod inspect;
mod migrate;
mod partitions;
mod prune;
mod read;
mod rights;
mod schema;
mod shape;
mod tables;
mod write;
mod writer;
mod zone;

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use ::mysql::{Conn, Error as Fault};

use super::{
    Access, Counts, Database, Days, Detail, Group, Inspection, Limits, Migration, SampleTable, Server,
    Stored, Target,
    channels::Channels,
    days::late,
    mariadb::{
        connect::{Again, Connected, Connector},
        gather::Outcome,
        insert::Room,
        shape::Shape,
        tables::Tables,
        write::Plan,
        writer::Writer,
        zone::Zone,
    },
    sample_table::Choice,
};
use crate::{
    clock::Clock,
    error::{Error, Result},
    measure::{Channel, Device, Window},
    record::{Scan, Timestamp},
    settings::Settings,
};

/// Connections, unless ACCESS_POOL_SIZE says otherwise. No more than two are ever made: one that
/// stores, and another that helps when much waits.
const POOL: u32 = 10;
/// After partitions could not be made ahead (a long report holds the table), it is tried again
/// after this, seconds: whoever waits for the table makes everyone else wait behind.
const PARTITIONS_EVERY_S: i64 = 600;
/// While a table is in use, a partition that is needed now is tried so often, with pauses in which others go on.
const BUSY_TRIES: u32 = 5;
const BUSY_PAUSE: Duration = Duration::from_secs(2);
/// Days of samples kept, as mod-prune has it, unless DATA_RETENTION_DAYS says otherwise.
const KEEP_DAYS: u32 = 8;

/// A server, connected.
pub(super) struct MariaDb {
    connector: Connector,
    connection: Conn,
    second: Option<Conn>,
    /// Connections that we may have.
    pool: u32,
    tables: Tables,
    shape: Shape,
    /// Finished days are kept for the table of samples, not for another one beside it.
    days_are_ours: bool,
    /// The zone of DATETIME columns.
    local: Zone,
    keep_days: u32,
    clock: Clock,
    batch: usize,
    /// Bytes that a statement may have, as the server said.
    max_packet: usize,
    channels: Option<Channels>,
    warned_ambiguous: bool,
    warned_partitions: bool,
    /// When partitions that are not needed yet are tried again.
    partitions_from: Timestamp,
}

impl MariaDb {
    /// Connects, makes the tables when told to, and learns what there is.
    pub fn open(
        server: &Server,
        settings: &Settings,
        access: Access,
        choice: Choice,
        clock: Clock,
    ) -> Result<Self> {
        let (user, password) = server.credentials(settings)?;
        let local = Zone::of_settings(settings)?;
        let keep_days = settings.parse("DATA_RETENTION_DAYS", "a number of days")?.unwrap_or(KEEP_DAYS);
        let pool = settings.parse("ACCESS_POOL_SIZE", "a number of connections")?.unwrap_or(POOL);
        let server = Server { user: Some(user.clone()), ..server.clone() };
        let place = Target::MySql(server.clone()).place();
        let patient = matches!(access, Access::Read | Access::Keep);
        let writes = matches!(access, Access::Write(_) | Access::Keep);
        let (first, bulk) = (AtomicUsize::new(0), AtomicBool::new(true));
        let connector = Connector { server, user, password, patient, writes, place, first, bulk };
        let Connected { mut connection, max_packet, .. } = connector.connect()?;
        let tables = Tables::prepare(&mut connection, &connector, access, choice, keep_days, clock)?;
        let store_all = matches!(access, Access::Write(options) | Access::Look(options) if options.store_all);
        let shape = tables.shape(&mut connection, &connector, local, store_all)?;
        let reads = matches!(access, Access::Read | Access::Keep);
        let days_are_ours =
            days::are_ours(&mut connection, &tables, reads).map_err(|e| connector.fault(&e))?;
        let batch = match access {
            Access::Write(options) | Access::Look(options) => options.batch,
            Access::Read | Access::Keep => 1,
        };
        Ok(MariaDb {
            connector,
            connection,
            second: None,
            pool,
            tables,
            shape,
            days_are_ours,
            local,
            keep_days,
            clock,
            batch,
            max_packet,
            channels: None,
            warned_ambiguous: false,
            warned_partitions: false,
            partitions_from: Timestamp(i64::MIN),
        })
    }

    fn known_channels(&mut self) -> Result<&mut Channels> {
        if self.channels.is_none() {
            let mut known = Channels::default();
            read::channels(&mut self.connection, self.tables.provenance, &mut |row| known.learn([row]))
                .map_err(|e| self.connector.fault(&e))?;
            self.channels = Some(known);
        }
        Ok(self.channels.get_or_insert_default())
    }

    /// Makes the partitions that the samples of `ts` and of the next days need.
    fn make_partitions(&mut self, ts: Timestamp) -> Result<()> {
        let now = self.clock.now();
        for table in self.tables.partitioned() {
            let covered = self.tables.end(table) > ts.0;
            if covered && now < self.partitions_from {
                continue;
            }
            let Err(fault) = self.extend(table, ts, now)? else { continue };
            let reason = self.connector.reason(&fault);
            if !covered {
                let reason = format!("{table} has no partition for {ts} and none can be made: {reason}");
                let place = self.connector.place.clone();
                return Err(if faults::is_away(&fault) {
                    Error::Away { place, reason }
                } else {
                    Error::Database { place, reason }
                });
            }
            self.partitions_from = now + PARTITIONS_EVERY_S;
            if !std::mem::replace(&mut self.warned_partitions, true) {
                let end = Timestamp(self.tables.end(table));
                log::warn!("{table}: no partitions can be made beyond {end}: {reason}");
            }
        }
        Ok(())
    }

    /// A table that lacks the partition is waited for; ahead of need it is tried once.
    fn extend(&mut self, table: &'static str, ts: Timestamp, now: Timestamp) -> Result<Result<(), Fault>> {
        for _ in 0..BUSY_TRIES {
            match self.extend_once(table, ts, now)? {
                Err(fault) if self.tables.end(table) <= ts.0 && connect::is_lock_wait(&fault) => {
                    thread::sleep(BUSY_PAUSE);
                }
                other => return Ok(other),
            }
        }
        self.extend_once(table, ts, now)
    }

    /// A connection that was lost while nothing came is made again.
    fn extend_once(
        &mut self,
        table: &'static str,
        ts: Timestamp,
        now: Timestamp,
    ) -> Result<Result<(), Fault>> {
        match self.tables.extend(&mut self.connection, table, ts, now) {
            Err(fault) if self.connector.again(&fault) == Again::Reconnect => {
                self.connection = self.connector.connect_elsewhere()?.connection;
                Ok(self.tables.extend(&mut self.connection, table, ts, now))
            }
            other => Ok(other),
        }
    }

    fn warn_ambiguous(&mut self, ts: Timestamp) {
        if !self.warned_ambiguous && self.shape.zone.is_ambiguous(ts) {
            self.warned_ambiguous = true;
            log::warn!(
                "{ts} is in the hour that the clocks repeat: {}.timestamp is DATETIME, \
                 so it will read as the first of the two",
                self.tables.samples.name()
            );
        }
    }

    /// How large a statement may be.
    fn room(&self) -> Room {
        let bulk = self.connector.bulk.load(Ordering::Relaxed);
        Room { rows: self.batch, bytes: self.max_packet, bulk }
    }

    /// For many groups, or for ratios beside samples: a second connection, as far as ACCESS_POOL_SIZE allows it.
    fn call_second(&mut self) {
        if self.second.is_none() && self.pool > 1 {
            // Without it things go slower, no more.
            self.second = self.connector.connect().ok().map(|connected| connected.connection);
        }
    }

    /// Gathered by the server where that can be, and else row by row.
    fn read_samples(
        &mut self,
        window: Window,
        detail: Detail,
        each: &mut dyn FnMut(Stored<'_>) -> bool,
    ) -> ::mysql::Result<()> {
        let has_detail = detail != Detail::Without && self.tables.has("modulation_detail");
        if has_detail && detail == Detail::Snr {
            self.call_second();
        }
        let second = self.second.as_mut().filter(|_| has_detail);
        let by_rows = detail == Detail::Whole || has_detail && second.is_none() || !self.shape.gathers;
        let mut from = None;
        if !by_rows {
            match gather::samples(&mut self.connection, second, self.tables.samples, window, each)? {
                Outcome::Whole => return Ok(()),
                Outcome::From(ts, cmts) => from = Some((ts, cmts)),
            }
        }
        let window = Window { from: from.as_ref().map_or(window.from, |(ts, _)| *ts), ..window };
        let detail = Some(self.tables.provenance).filter(|_| has_detail);
        read::samples(&mut self.connection, &self.shape, window, detail, &mut |row| {
            // What came before it was taken already.
            if from.as_ref().is_some_and(|(ts, cmts)| row.ts == *ts && row.cmts != cmts) {
                return true;
            }
            from = None;
            each(row)
        })
    }

    /// Partitions for each day of these groups, and a warning about times that the column cannot tell apart.
    fn make_room(&mut self, groups: &[Group]) -> Result<()> {
        let mut moments: Vec<_> =
            groups.iter().filter(|group| !group.samples.is_empty()).map(|group| group.ts).collect();
        moments.sort_unstable();
        moments.dedup();
        for &ts in &moments {
            self.warn_ambiguous(ts);
        }
        // The last partition made covers all that come before it.
        moments.last().map_or(Ok(()), |&latest| self.make_partitions(latest))
    }
}

impl Database for MariaDb {
    fn place(&self) -> &str {
        &self.connector.place
    }

    fn sample_table(&self) -> SampleTable {
        self.tables.samples
    }

    fn limits(&self) -> &Limits {
        &self.shape.limits
    }

    fn store(&mut self, groups: &[Group], again: bool) -> Result<Vec<Counts>> {
        self.make_room(groups)?;
        let changes = if self.tables.has("modulation_channel") {
            self.known_channels()?.changes(groups)
        } else {
            Vec::new()
        };
        let late = if self.keeps_days() { late(groups, self.clock.now()) } else { Vec::new() };
        let much = !again && writer::is_much(&self.shape, groups);
        if much {
            self.call_second();
        }
        let room = self.room();
        let (shape, tables, now) = (&self.shape, &self.tables, self.clock.now());
        let plan = Plan { shape, tables, room, now, late: &late, again };
        let writer = Writer { connector: &self.connector, plan };
        let second = self.second.as_mut().filter(|_| much);
        let counts = writer.store(&mut self.connection, second, groups, &changes)?;
        if !changes.is_empty() {
            self.known_channels()?.learn(changes);
        }
        Ok(counts)
    }

    fn lacks_tables(&self) -> bool {
        !self.tables.are_whole()
    }

    fn touch(&mut self, now: Timestamp) -> Result<()> {
        if !self.tables.has("lastupdatemodulation") {
            return Ok(());
        }
        let mut tries = 0;
        while let Err(fault) = write::touch(&mut self.connection, now) {
            tries += 1;
            self.connector.recover(&mut self.connection, &fault, tries)?;
        }
        Ok(())
    }

    fn samples(
        &mut self,
        window: Window,
        detail: Detail,
        each: &mut dyn FnMut(Stored<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut outcome = Ok(());
        let mut taken = |row: Stored<'_>| {
            outcome = each(row);
            outcome.is_ok()
        };
        let read = self.read_samples(window, detail, &mut taken);
        read.map_err(|e| self.connector.fault(&e))?;
        outcome
    }

    fn scans(&mut self, window: Window, each: &mut dyn FnMut(Scan) -> Result<()>) -> Result<()> {
        if !self.tables.has("modulation_scan") {
            return Ok(());
        }
        let mut outcome = Ok(());
        read::scans(&mut self.connection, self.tables.provenance, window, &mut |scan| {
            outcome = each(scan);
            outcome.is_ok()
        })
        .map_err(|e| self.connector.fault(&e))?;
        outcome
    }

    fn channels(&mut self, each: &mut dyn FnMut(Channel)) -> Result<()> {
        if !self.tables.has("modulation_channel") {
            return Ok(());
        }
        read::channels(&mut self.connection, self.tables.provenance, &mut |known| each(known.channel))
            .map_err(|e| self.connector.fault(&e))
    }

    fn devices(&mut self) -> Result<Vec<Device>> {
        if !self.tables.has("modulation_device") {
            return Ok(Vec::new());
        }
        read::devices(&mut self.connection).map_err(|e| self.connector.fault(&e))
    }

    fn newest(&mut self) -> Result<Option<Timestamp>> {
        read::newest(&mut self.connection, &self.shape).map_err(|e| self.connector.fault(&e))
    }

    fn migrate(&mut self, dry_run: bool) -> Result<Migration> {
        self.migrate_all(dry_run)
    }

    fn inspect(&mut self) -> Result<Inspection> {
        self.look().map_err(|e| self.connector.fault(&e))
    }
}
