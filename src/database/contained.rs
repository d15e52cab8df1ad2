//! A database whose client library may panic over what a server sends: then it is away, and of no use any more.

use chrono::NaiveDate;

use super::{
    Aged, Chunk, Counts, Database, DayHead, DayRow, Days, Detail, Gauge, Group, IdState, Inspection, Limits,
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

#[cfg_attr(windows, allow(dead_code))]
pub(super) struct Contained<D> {
    database: D,
    broken: bool,
}

#[cfg_attr(windows, allow(dead_code))]
impl<D: Database> Contained<D> {
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

/// Methods of a trait whose every call is contained: their signatures, without `&mut self`.
macro_rules! contained {
    ($(fn $name:ident($($given:ident: $kind:ty),*) -> Result<$out:ty>;)*) => {
        $(fn $name(&mut self, $($given: $kind),*) -> Result<$out> {
            self.run(|database| database.$name($($given),*))
        })*
    };
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

    fn lacks_tables(&self) -> bool {
        self.database.lacks_tables()
    }

    contained! {
        fn store(groups: &[Group], again: bool) -> Result<Vec<Counts>>;
        fn touch(now: Timestamp) -> Result<()>;
        fn migrate(dry_run: bool) -> Result<Migration>;
        fn inspect() -> Result<Inspection>;
        fn samples(window: Window, detail: Detail, each: &mut dyn FnMut(Stored<'_>) -> Result<()>) -> Result<()>;
        fn scans(window: Window, each: &mut dyn FnMut(Scan) -> Result<()>) -> Result<()>;
        fn channels(each: &mut dyn FnMut(Channel)) -> Result<()>;
        fn devices() -> Result<Vec<Device>>;
        fn newest() -> Result<Option<Timestamp>>;
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

    contained! {
        fn day_heads() -> Result<Vec<DayHead>>;
        fn day_rows(day: NaiveDate, whole: bool, each: &mut dyn FnMut(DayRow<'_>) -> Result<()>) -> Result<()>;
        fn write_day(head: &DayHead, rows: &[DayRow<'_>]) -> Result<()>;
        fn write_head(head: &DayHead) -> Result<()>;
        fn count_samples(window: Window) -> Result<u64>;
        fn count_scans(window: Window) -> Result<[u64; 2]>;
        fn gauge() -> Result<Option<Gauge>>;
        fn has_samples(window: Window) -> Result<bool>;
    }
}

impl<D: Database> Retention for Contained<D> {
    contained! {
        fn lock() -> Result<()>;
        fn plan(aged: Aged, before: Timestamp, count: bool) -> Result<Option<Plan>>;
        fn drop_partitions(aged: Aged, plan: &Plan) -> Result<bool>;
        fn delete_chunk(aged: Aged, before: Timestamp, batch: u64, progress: &mut Progress) -> Result<Chunk>;
        fn last_prune() -> Result<Option<Timestamp>>;
        fn note_prune(now: Timestamp) -> Result<()>;
        fn server_time() -> Result<Option<Timestamp>>;
        fn forget(devices: &[String]) -> Result<()>;
        fn give_back() -> Result<u64>;
        fn oldest() -> Result<Option<Timestamp>>;
        fn samples_after(moment: Timestamp) -> Result<u64>;
        fn tables() -> Result<Vec<TableState>>;
        fn id() -> Result<Option<IdState>>;
        fn reset_id(id: &IdState) -> Result<()>;
    }
}
