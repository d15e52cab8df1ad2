//! A database whose client library may panic over what a server sends: then it is away, and of no use any more.

use chrono::NaiveDate;

use super::{
    Aged, Chunk, Counts, Database, DayHead, DayRow, Days, Gauge, Group, IdState, Inspection, Limits,
    Migration, Plan, Progress, Retention, SampleTable, Stored, TableState,
};
use crate::{
    contain,
    error::{Error, Result},
    measure::{Channel, Device, Window},
    record::{Scan, Timestamp},
};

/// What is said of a server whose answers make the client library panic.
#[cfg_attr(windows, allow(dead_code))]
pub(super) const SENSELESS: &str = "its answers cannot be understood";

/// A database, contained.
#[cfg_attr(windows, allow(dead_code))]
pub(super) struct Contained<D> {
    database: D,
    broken: bool,
}

#[cfg_attr(windows, allow(dead_code))]
impl<D: Database> Contained<D> {
    /// Opens it.
    pub fn open(place: &str, open: impl FnOnce() -> Result<D>) -> Result<Self> {
        let senseless = || Error::Away { place: place.to_owned(), reason: SENSELESS.into() };
        let database = contain::catch(open).ok_or_else(senseless)??;
        Ok(Contained { database, broken: false })
    }

    fn run<T>(&mut self, work: impl FnOnce(&mut D) -> Result<T>) -> Result<T> {
        if !self.broken
            && let Some(outcome) = contain::catch(|| work(&mut self.database))
        {
            return outcome;
        }
        self.broken = true;
        Err(Error::Away { place: self.database.place().to_owned(), reason: SENSELESS.into() })
    }
}

impl<D: Database> Database for Contained<D> {
    fn place(&self) -> &str {
        self.database.place()
    }

    fn sample_table(&self) -> SampleTable {
        self.database.sample_table()
    }

    fn limits(&self) -> &Limits {
        self.database.limits()
    }

    fn store(&mut self, groups: &[Group], again: bool) -> Result<Vec<Counts>> {
        self.run(|database| database.store(groups, again))
    }

    fn lacks_tables(&self) -> bool {
        self.database.lacks_tables()
    }

    fn touch(&mut self, now: Timestamp) -> Result<()> {
        self.run(|database| database.touch(now))
    }

    fn migrate(&mut self, dry_run: bool) -> Result<Migration> {
        self.run(|database| database.migrate(dry_run))
    }

    fn inspect(&mut self) -> Result<Inspection> {
        self.run(Database::inspect)
    }

    fn samples(
        &mut self,
        window: Window,
        detail: bool,
        each: &mut dyn FnMut(Stored<'_>) -> Result<()>,
    ) -> Result<()> {
        self.run(|database| database.samples(window, detail, each))
    }

    fn scans(&mut self, window: Window, each: &mut dyn FnMut(Scan) -> Result<()>) -> Result<()> {
        self.run(|database| database.scans(window, each))
    }

    fn channels(&mut self) -> Result<Vec<Channel>> {
        self.run(Database::channels)
    }

    fn devices(&mut self) -> Result<Vec<Device>> {
        self.run(Database::devices)
    }

    fn newest(&mut self) -> Result<Option<Timestamp>> {
        self.run(Database::newest)
    }
}

impl<D: Database> Days for Contained<D> {
    fn keeps_days(&self) -> bool {
        self.database.keeps_days()
    }

    fn hurry(&mut self) {
        // Then it waits longer, no more.
        let _ = contain::catch(|| self.database.hurry());
    }

    fn day_heads(&mut self) -> Result<Vec<DayHead>> {
        self.run(Days::day_heads)
    }

    fn day_rows(
        &mut self,
        day: NaiveDate,
        whole: bool,
        each: &mut dyn FnMut(DayRow<'_>) -> Result<()>,
    ) -> Result<()> {
        self.run(|database| database.day_rows(day, whole, each))
    }

    fn write_day(&mut self, head: &DayHead, rows: &[DayRow<'_>]) -> Result<()> {
        self.run(|database| database.write_day(head, rows))
    }

    fn write_head(&mut self, head: &DayHead) -> Result<()> {
        self.run(|database| database.write_head(head))
    }

    fn count_samples(&mut self, window: Window) -> Result<u64> {
        self.run(|database| database.count_samples(window))
    }

    fn has_samples(&mut self, window: Window) -> Result<bool> {
        self.run(|database| database.has_samples(window))
    }

    fn gauge(&mut self) -> Result<Option<Gauge>> {
        self.run(Days::gauge)
    }

    fn count_scans(&mut self, window: Window) -> Result<[u64; 2]> {
        self.run(|database| database.count_scans(window))
    }
}

impl<D: Database> Retention for Contained<D> {
    fn lock(&mut self) -> Result<()> {
        self.run(Retention::lock)
    }

    fn plan(&mut self, aged: Aged, before: Timestamp, count: bool) -> Result<Option<Plan>> {
        self.run(|database| database.plan(aged, before, count))
    }

    fn drop_partitions(&mut self, aged: Aged, plan: &Plan) -> Result<bool> {
        self.run(|database| database.drop_partitions(aged, plan))
    }

    fn delete_chunk(
        &mut self,
        aged: Aged,
        before: Timestamp,
        batch: u64,
        progress: &mut Progress,
    ) -> Result<Chunk> {
        self.run(|database| database.delete_chunk(aged, before, batch, progress))
    }

    fn last_prune(&mut self) -> Result<Option<Timestamp>> {
        self.run(Retention::last_prune)
    }

    fn note_prune(&mut self, now: Timestamp) -> Result<()> {
        self.run(|database| database.note_prune(now))
    }

    fn server_time(&mut self) -> Result<Option<Timestamp>> {
        self.run(Retention::server_time)
    }

    fn forget(&mut self, devices: &[String]) -> Result<()> {
        self.run(|database| database.forget(devices))
    }

    fn give_back(&mut self) -> Result<u64> {
        self.run(Retention::give_back)
    }

    fn oldest(&mut self) -> Result<Option<Timestamp>> {
        self.run(Retention::oldest)
    }

    fn samples_after(&mut self, moment: Timestamp) -> Result<u64> {
        self.run(|database| database.samples_after(moment))
    }

    fn tables(&mut self) -> Result<Vec<TableState>> {
        self.run(Retention::tables)
    }

    fn id(&mut self) -> Result<Option<IdState>> {
        self.run(Retention::id)
    }

    fn reset_id(&mut self, id: &IdState) -> Result<()> {
        self.run(|database| database.reset_id(id))
    }
}
