//! Where samples are kept: a SQLite file, or a MySQL or MariaDB server, behind the same traits. SQL is written
//! nowhere else.
//!
//! [`open`] finds the database that flags and settings name and connects to it. Three traits say what a tool can ask
//! of it: [`Database`] stores and reads samples, [`Days`] keeps finished days, [`Retention`] removes old rows.
//! [`finished`] computes the finished days and makes them anew when late samples change them.
//!
//! # How faults are handled
//!
//! - A statement fails with a deadlock or a lock wait: it runs again. The connection breaks: the next host is tried.
//! - The database cannot be used now: [`Error::Away`](crate::error::Error::Away). mod-store spools then.
//! - It can be reached and refuses: any other error, which ends the run with the server's reason.
//! - A value does not fit into its column: the sample is rejected with a reason before anything is sent.
//! - A server sends nonsense: the client library is contained, and the database counts as away.
//!
//! # What is kept
//!
//! | table | a row per | content |
//! |---|---|---|
//! | `modulation_new` (MODTOOLS_TABLE) | sample | the modulation |
//! | `modulation_detail` | sample | profile, source and SNR of the last 48 hours |
//! | `modulation_channel` | upstream | frequency, width, description, modems |
//! | `modulation_scan` | scan | how it ended, and how many samples it has |
//! | `modulation_device` | device | the last try, the last good scan, the last status |
//! | `modulation_day` | upstream and day | what the finished day came to |
//!
//! An older `modulation_new` with an id of its own is used as it stands.

mod admit;
mod channels;
mod contained;
mod days;
pub mod finished;
mod gauge;
#[cfg(unix)]
mod mariadb;
mod provenance;
mod retention;
mod sample_table;
mod sqlite;
mod target;
mod unconfirmed;

pub use admit::{Column, Limits, Repertoire, Verdict};
pub use days::{DayHead, DayRow, Days, Made};
pub use gauge::Gauge;
#[cfg(unix)]
pub use mariadb::faults::{Class, FAULTS};
#[cfg(any(test, fuzzing))]
pub use mariadb::fuzz;
pub use retention::{Aged, Chunk, IdState, Method, Plan, Progress, Retention, TableState};
pub use sample_table::SampleTable;
pub use target::{Host, Server, Target, Tls};
pub use unconfirmed::explained;

#[cfg(unix)]
use contained::Contained;
use sample_table::Choice;

use crate::{
    cli,
    error::Result,
    measure::{Channel, Device, Window},
    modulation::Modulation,
    record::{ExplainedBy, Sample, Scan, Source, Timestamp},
    stage::Context,
};

/// The consecutive samples of one (cmts, ts), and their scan when it came: one transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The device.
    pub cmts: String,
    /// When its scan began.
    pub ts: Timestamp,
    /// In the order of the stream.
    pub samples: Vec<Sample>,
    /// Missing for hand-made groups and for those that broke off.
    pub scan: Option<Scan>,
}

/// What became of the samples of one or more groups:
/// `sent = stored + duplicate + rejected + left_out + spooled`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Samples that came.
    pub sent: u64,
    /// New rows.
    pub stored: u64,
    /// Rows that were there already (a replay).
    pub duplicate: u64,
    /// Samples that do not fit, each with an `error` record.
    pub rejected: u64,
    /// Samples of modulations that the other readers of an older table do not know.
    pub left_out: u64,
    /// Samples that wait in the spool.
    pub spooled: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.sent += other.sent;
        self.stored += other.stored;
        self.duplicate += other.duplicate;
        self.rejected += other.rejected;
        self.left_out += other.left_out;
        self.spooled += other.spooled;
    }
}

/// What a database is opened for.
#[derive(Clone, Copy, Debug)]
pub enum Access {
    /// To read samples: it must be there and have them.
    Read,
    /// To read it, to write its finished days, and to prune it: nothing is made that is missing.
    Keep,
    /// To look at it, whatever state it is in; nothing is written.
    Look(Options),
    /// To store.
    Write(Options),
}

/// How samples are stored.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Make the tables that are missing.
    pub init: bool,
    /// With `init`: an index for the history of one upstream.
    pub history_index: bool,
    /// Rows per statement.
    pub batch: usize,
    /// Every modulation also into an older table.
    pub store_all: bool,
}

/// What `--check` found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inspection {
    /// What there is, by name, in the order in which it is shown.
    pub facts: Vec<(String, String)>,
    /// What is missing or off, each with its remedy.
    pub missing: Vec<String>,
}

impl Inspection {
    /// Adds a fact.
    pub fn fact(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.facts.push((name.into(), value.into()));
    }
}

/// What came of moving an older sample table into the present shape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migration {
    /// There was something to move, and it is moved.
    pub done: bool,
    /// What would be done, when that was asked: statements and words about them.
    pub plan: Vec<String>,
    /// Rows that are in the new table.
    pub moved: u64,
    /// Rows of a device, upstream and time that were there already.
    pub doubled: u64,
    /// Rows that do not fit: they stay in the old table alone.
    pub unfit: u64,
}

/// How much comes with the samples besides their modulation, where the last 48 hours of it are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Nothing.
    Without,
    /// The signal-to-noise ratio.
    Snr,
    /// Everything.
    Whole,
}

/// A sample as it was stored.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Stored<'a> {
    pub ts: Timestamp,
    pub cmts: &'a str,
    pub upstream: &'a str,
    /// A word in the table that is not a modulation reads as `Unknown`.
    pub modulation: Modulation,
    /// Profile, source, SNR and what explains the profile: only of the last 48 hours, and only when they were asked for.
    pub profile: Option<u32>,
    pub source: Option<Source>,
    pub snr_db: Option<f64>,
    pub explained_by: Option<ExplainedBy>,
}

/// Connects to the database that flags and settings name.
///
/// # Errors
/// [`crate::error::Error::Usage`] when none is named or the URL is wrong;
/// [`crate::error::Error::Database`].
pub fn open(flags: &cli::Database, context: &Context, access: Access) -> Result<Box<dyn Database>> {
    let init = match access {
        Access::Read | Access::Keep => false,
        Access::Look(options) | Access::Write(options) => options.init,
    };
    let Context { settings, clock, .. } = context;
    let table = Choice::of_settings(settings)?;
    Ok(match Target::find(flags.db.as_deref(), settings, init)? {
        Target::Sqlite(path) => Box::new(sqlite::Sqlite::open(&path, access, table, *clock)?),
        #[cfg(windows)]
        Target::MySql(_) => {
            return Err(crate::error::Error::usage(
                "MySQL and MariaDB need Linux; this build reads SQLite files",
            ));
        }
        #[cfg(unix)]
        Target::MySql(server) => {
            let place = Target::MySql(server.clone()).place();
            let open = || mariadb::MariaDb::open(&server, settings, access, table, *clock);
            Box::new(Contained::open(&place, open)?)
        }
    })
}

/// A database, connected.
pub trait Database: Days + Retention + Send {
    /// Its name for messages: no password in it.
    fn place(&self) -> &str;

    /// The table of samples.
    fn sample_table(&self) -> SampleTable;

    /// What its sample table takes.
    fn limits(&self) -> &Limits;

    /// Stores groups together, each of them in one transaction, and counts each. Their samples and scans have passed
    /// [`Database::limits`]. `again`: they may be there already, without a mark that says so.
    ///
    /// # Errors
    /// [`crate::error::Error::Away`], after which this connection is of no use any more, and
    /// [`crate::error::Error::Database`]. Then nothing is acknowledged, though some groups may be stored
    /// all the same: storing again is always safe.
    fn store(&mut self, groups: &[Group], again: bool) -> Result<Vec<Counts>>;

    /// Whether tables are missing, and something is not kept therefore.
    fn lacks_tables(&self) -> bool {
        false
    }

    /// Sets `lastupdatemodulation`, by which other programs see that samples came.
    fn touch(&mut self, now: Timestamp) -> Result<()>;

    /// Moves an older sample table into the present shape, if it is not in it; or only says how.
    ///
    /// # Errors
    /// A fault of the database; [`crate::error::Error::Locked`] when another is at it. It can be taken up again.
    fn migrate(&mut self, dry_run: bool) -> Result<Migration> {
        let _ = dry_run;
        Ok(Migration::default())
    }

    /// Server, tables, columns, rights, newest sample; writes nothing.
    fn inspect(&mut self) -> Result<Inspection>;

    /// All samples of a window in the order of time, then cmts, then upstream. It streams: nothing is collected.
    ///
    /// # Errors
    /// A fault of the database, or what `each` returns, which ends the reading.
    fn samples(
        &mut self,
        window: Window,
        detail: Detail,
        each: &mut dyn FnMut(Stored<'_>) -> Result<()>,
    ) -> Result<()>;

    /// All scans of a window in the order of time, then cmts; none where the table is missing.
    fn scans(&mut self, window: Window, each: &mut dyn FnMut(Scan) -> Result<()>) -> Result<()>;

    /// Hands out every upstream that is known; none where the table is missing.
    fn channels(&mut self, each: &mut dyn FnMut(Channel)) -> Result<()>;

    /// Every device that was ever tried; none where the table is missing.
    fn devices(&mut self) -> Result<Vec<Device>>;

    /// Time of the newest sample.
    fn newest(&mut self) -> Result<Option<Timestamp>>;
}
