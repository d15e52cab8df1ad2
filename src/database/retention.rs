//! What a database must do so that it does not grow without end: which rows are too old, dropping them by
//! partition or by chunk, and how the tables are. mod-prune decides; this is what it asks for.

use super::SampleTable;
use crate::{error::Result, record::Timestamp};

/// Rows that grow too old, of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aged {
    /// The samples themselves.
    Samples,
    /// `modulation_scan`, kept as long as samples.
    Scans,
    /// `modulation_detail`.
    Detail,
    /// `modulation_day`.
    Days,
}

impl Aged {
    /// Its table, where the samples are in `samples`.
    #[must_use]
    pub fn table(self, samples: SampleTable) -> &'static str {
        match self {
            Aged::Samples => samples.name(),
            Aged::Scans => "modulation_scan",
            Aged::Detail => "modulation_detail",
            Aged::Days => "modulation_day",
        }
    }

    /// Its table as it stands in SQL.
    pub(super) fn in_sql(self, samples: SampleTable) -> String {
        match self {
            Aged::Samples => samples.to_string(),
            _ => self.table(samples).to_owned(),
        }
    }

    /// Its column of time.
    pub(super) fn time(self) -> &'static str {
        match self {
            Aged::Samples | Aged::Detail => "timestamp",
            Aged::Scans => "ts",
            Aged::Days => "day",
        }
    }

    /// The columns of its key, time first.
    pub(super) fn key(self) -> &'static str {
        match self {
            Aged::Samples | Aged::Detail => "timestamp, cmts, upstream",
            Aged::Scans => "ts, cmts",
            Aged::Days => "day, cmts, upstream",
        }
    }
}

/// Where devices stand, whatever becomes of their samples.
pub(super) const DEVICE_TABLES: [&str; 2] = ["modulation_device", "modulation_channel"];

/// How the old rows of a table go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// These partitions are dropped; every row in them is old.
    Partitions(Vec<String>),
    /// So many rows at a time.
    Chunks,
}

/// What pruning a table takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How.
    pub method: Method,
    /// The statement; of chunks, what they do together. None when there is nothing to do.
    pub statement: Option<String>,
    /// Rows that go.
    pub rows: u64,
    /// Whether that is the server's estimate.
    pub estimated: bool,
}

/// How far a table has been gone through, where that takes more than asking for what is old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress(pub(super) u64);

/// What one chunk came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Chunk {
    pub deleted: u64,
    /// Whether there may be more.
    pub more: bool,
}

/// How a table is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableState {
    /// Its name.
    pub table: &'static str,
    /// Rows in it.
    pub rows: u64,
    /// Whether that is the server's estimate.
    pub estimated: bool,
    /// Size with its indexes.
    pub bytes: u64,
    /// Time of its oldest row, of tables that have times.
    pub oldest: Option<Timestamp>,
    /// Time of its newest row.
    pub newest: Option<Timestamp>,
    /// Partitions, when it has some.
    pub partitions: Option<u64>,
    /// The statement that makes an index which reports and pruning lack.
    pub lacking_index: Option<String>,
}

/// How an AUTO_INCREMENT column is.
#[derive(Clone, Debug, PartialEq)]
pub struct IdState {
    /// Its name.
    pub column: String,
    /// Its type in full.
    pub kind: String,
    /// The highest id that it can hold.
    pub limit: u64,
    /// The statement that makes it count on after the highest id that is there.
    pub reset: String,
    /// The id that the next row gets.
    pub next: u64,
    /// The highest id that is there.
    pub max: Option<u64>,
    /// Steps between two ids; more than one in a cluster.
    pub increment: u64,
    /// Ids that the latest rows took, per row.
    pub per_row: Option<f64>,
    /// Ids that a day takes, at the rate of all rows there are.
    pub per_day: Option<f64>,
}

/// A database that can be pruned.
pub trait Retention {
    /// Takes the lock that only one mod-prune can hold, until the connection is closed.
    ///
    /// # Errors
    /// [`crate::error::Error::Locked`], or a fault of the database.
    fn lock(&mut self) -> Result<()>;

    /// What pruning a table of everything before a moment takes; none where the table is missing. Rows that
    /// go by chunks are only counted when that is asked for.
    fn plan(&mut self, aged: Aged, before: Timestamp, count: bool) -> Result<Option<Plan>>;

    /// Drops the partitions of a plan, in milliseconds. Returns false when others use the table: it waits for them
    /// only a second, because everyone else waits behind it.
    fn drop_partitions(&mut self, aged: Aged, plan: &Plan) -> Result<bool>;

    /// Deletes the next chunk of at most `batch` rows from before a moment, in a transaction of its own.
    ///
    /// # Errors
    /// A fault of the database; a deadlock is retried first.
    fn delete_chunk(
        &mut self,
        aged: Aged,
        before: Timestamp,
        batch: u64,
        progress: &mut Progress,
    ) -> Result<Chunk>;

    /// When mod-prune ended last; none: it never did, or nothing tells.
    fn last_prune(&mut self) -> Result<Option<Timestamp>>;

    /// Remembers that mod-prune ended.
    fn note_prune(&mut self, now: Timestamp) -> Result<()>;

    /// What time the server has, which may be another machine; none: it has no clock of its own.
    fn server_time(&mut self) -> Result<Option<Timestamp>> {
        Ok(None)
    }

    /// Removes devices from modulation_device and modulation_channel.
    fn forget(&mut self, devices: &[String]) -> Result<()>;

    /// Gives free space back to the file system, where that is cheap; bytes.
    fn give_back(&mut self) -> Result<u64>;

    /// Time of the oldest sample.
    fn oldest(&mut self) -> Result<Option<Timestamp>>;

    /// Samples after a moment: of those from the future.
    fn samples_after(&mut self, moment: Timestamp) -> Result<u64>;

    /// How every table is that is there.
    fn tables(&mut self) -> Result<Vec<TableState>>;

    /// How the id of an older `modulation_new` is; none when it has none.
    fn id(&mut self) -> Result<Option<IdState>>;

    /// Makes the id count on after the highest that is there.
    fn reset_id(&mut self, id: &IdState) -> Result<()>;
}
