//! The database in a SQLite file: the only place that speaks to SQLite. WAL, so that reports read
//! while samples are stored; a commit is on the disk before it counts.

mod days;
mod prune;
mod read;
mod schema;
mod write;

use std::{fs::File, path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags};

use super::{
    Access, Counts, Database, Detail, Group, Inspection, Limits, SampleTable, Stored, channels::Channels,
    provenance::Provenance, sample_table::Choice, sqlite::schema::State,
};
use crate::{
    clock::Clock,
    error::{Error, Result},
    files,
    measure::{Channel, Device, Window},
    record::{Scan, Timestamp},
};

/// How long another writer is waited for, and how long by a report that can do without.
const BUSY: Duration = Duration::from_secs(30);
const HURRIED: Duration = Duration::from_secs(1);
/// With less free space than this a file cannot grow.
const FREE_BYTES: u64 = 64 * 1024;

/// A SQLite file, open.
pub(super) struct Sqlite {
    connection: Connection,
    place: String,
    samples: SampleTable,
    /// Finished days are kept for that table, not for another one beside it.
    days_are_ours: bool,
    limits: Limits,
    channels: Option<Channels>,
    /// Columns that came later.
    provenance: Provenance,
    clock: Clock,
    /// How long another writer is waited for.
    patience: Duration,
    /// Looked for and not found: what we look at is an empty database in memory.
    absent: bool,
    /// Held as long as this is the mod-prune that works.
    lock: Option<File>,
}

impl Sqlite {
    /// Opens the file; to store, makes it and its tables when they are missing.
    pub fn open(path: &Path, access: Access, choice: Choice, clock: Clock) -> Result<Self> {
        let place = format!("sqlite:{}", path.display());
        let absent = !path.exists();
        let connection = match access {
            Access::Read | Access::Keep if absent => {
                return Err(Error::usage(format!("{place}: no such file; mod-store --init makes it")));
            }
            Access::Look(_) if absent => Connection::open_in_memory(),
            Access::Read | Access::Keep | Access::Look(_) => {
                Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
            }
            Access::Write(_) => {
                parent_exists(path)?;
                create(path)?;
                let create = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
                Connection::open_with_flags(path, create)
            }
        };
        let connection = connection.map_err(|e| fault(&place, &e, BUSY))?;
        let mut this = Sqlite {
            connection,
            place,
            samples: SampleTable::USUAL,
            days_are_ours: true,
            limits: Limits::default(),
            channels: None,
            provenance: Provenance::default(),
            clock,
            patience: BUSY,
            absent,
            lock: None,
        };
        this.samples = schema::samples(&this.connection, choice).map_err(|e| this.fault(&e))?;
        this.prepare(access).map_err(|e| this.fault(&e))?;
        this.refuse(access)?;
        let reads = matches!(access, Access::Read | Access::Keep);
        this.days_are_ours =
            days::are_ours(&this.connection, this.samples, reads).map_err(|e| this.fault(&e))?;
        this.provenance = schema::provenance(&this.connection).map_err(|e| this.fault(&e))?;
        Ok(this)
    }

    fn prepare(&mut self, access: Access) -> rusqlite::Result<()> {
        self.connection.busy_timeout(BUSY)?;
        let options = match access {
            Access::Write(options) => options,
            Access::Keep => return Ok(()),
            Access::Read | Access::Look(_) => {
                return self.connection.pragma_update(None, "query_only", true);
            }
        };
        let state = State::of(&self.connection)?;
        if state == State::Empty {
            // Before the first table, or never: so that mod-prune can give space back.
            self.connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        }
        if matches!(state, State::Empty | State::Ours) {
            self.connection.pragma_update(None, "journal_mode", "WAL")?;
            self.connection.pragma_update(None, "synchronous", "FULL")?;
            self.connection.pragma_update(None, "cache_size", -65_536)?;
            schema::create(&mut self.connection, self.samples)?;
            if options.init {
                schema::create_samples(&self.connection, self.samples)?;
                schema::add_columns(&mut self.connection)?;
            }
            if options.init && options.history_index {
                schema::create_history_index(&self.connection, self.samples)?;
            }
        }
        Ok(())
    }

    fn fault(&self, error: &rusqlite::Error) -> Error {
        fault(&self.place, error, self.patience)
    }

    fn has_samples(&self) -> Result<bool> {
        schema::has(&self.connection, self.samples.name()).map_err(|e| self.fault(&e))
    }

    fn refuse(&self, access: Access) -> Result<()> {
        let refuse = |reason: String| Err(Error::Database { place: self.place.clone(), reason });
        match (State::of(&self.connection).map_err(|e| self.fault(&e))?, access) {
            (State::Ours, Access::Look(_)) | (State::Empty, Access::Look(_)) => Ok(()),
            (State::Ours, _) if self.has_samples()? => Ok(()),
            (State::Ours, _) => {
                refuse(format!("there is no table {}; mod-store --init makes it", self.samples.name()))
            }
            (State::Newer(version), _) => refuse(format!(
                "its schema version {version} is newer than ours, {}; update modtools",
                schema::VERSION
            )),
            (State::Foreign, _) => refuse("it holds tables of another program; name another file".into()),
            (State::Empty, _) => refuse("it has no tables; mod-store --init makes them".into()),
        }
    }
}

fn parent_exists(path: &Path) -> Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() && !parent.is_dir() => Err(Error::usage(format!(
            "sqlite:{}: the directory {} does not exist; make it first",
            path.display(),
            parent.display()
        ))),
        _ => Ok(()),
    }
}

/// Makes the file when it is missing, for its owner alone: SQLite gives its journals the same mode.
fn create(path: &Path) -> Result<()> {
    match files::create_private(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(Error::write(path)(error)),
        _ => Ok(()),
    }
}

/// Whether the disk that holds a database is full. SQLite says "disk I/O error" for some of these faults.
fn is_full(place: &str) -> bool {
    let path = Path::new(place.strip_prefix("sqlite:").unwrap_or(place));
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    files::free_bytes(dir).is_some_and(|free| free < FREE_BYTES)
}

/// A fault of SQLite in our words.
fn fault(place: &str, error: &rusqlite::Error, patience: Duration) -> Error {
    use rusqlite::ErrorCode;
    let reason = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            format!("another process has been writing to it for {} s", patience.as_secs())
        }
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) if is_full(place) => {
            "the disk is full".into()
        }
        Some(ErrorCode::CannotOpen) => {
            "it cannot be opened; is it a file, and may we read and write it?".into()
        }
        Some(ErrorCode::NotADatabase) => "the file is not a SQLite database".into(),
        Some(ErrorCode::DiskFull) => "the disk is full".into(),
        Some(ErrorCode::ReadOnly) => "we may not write to it or to its directory".into(),
        _ => error.to_string(),
    };
    let place = place.to_owned();
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::ReadOnly
            | ErrorCode::SystemIoFailure,
        ) => Error::Away { place, reason },
        _ => Error::Database { place, reason },
    }
}

impl Database for Sqlite {
    fn place(&self) -> &str {
        &self.place
    }

    fn sample_table(&self) -> SampleTable {
        self.samples
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn store(&mut self, groups: &[Group], _again: bool) -> Result<Vec<Counts>> {
        self.store_groups(groups).map_err(|e| self.fault(&e))
    }

    fn touch(&mut self, now: Timestamp) -> Result<()> {
        write::touch(&mut self.connection, now).map_err(|e| self.fault(&e))
    }

    fn samples(
        &mut self,
        window: Window,
        detail: Detail,
        each: &mut dyn FnMut(Stored<'_>) -> Result<()>,
    ) -> Result<()> {
        self.read(|connection, outcome| {
            read::samples(connection, self.samples, self.provenance, window, detail, &mut |row| {
                outcome.take(each(row))
            })
        })
    }

    fn scans(&mut self, window: Window, each: &mut dyn FnMut(Scan) -> Result<()>) -> Result<()> {
        self.read(|connection, outcome| {
            read::scans(connection, self.provenance, window, &mut |scan| outcome.take(each(scan)))
        })
    }

    fn channels(&mut self, each: &mut dyn FnMut(Channel)) -> Result<()> {
        read::channels(&self.connection, self.provenance, &mut |known| each(known.channel))
            .map_err(|e| self.fault(&e))
    }

    fn devices(&mut self) -> Result<Vec<Device>> {
        read::devices(&self.connection).map_err(|e| self.fault(&e))
    }

    fn newest(&mut self) -> Result<Option<Timestamp>> {
        read::newest(&self.connection, self.samples).map_err(|e| self.fault(&e))
    }

    fn inspect(&mut self) -> Result<Inspection> {
        let mut found = Inspection::default();
        found.fact("server", format!("SQLite {}", rusqlite::version()));
        found.fact("encryption", "none: a local file");
        self.inspect_tables(&mut found).map_err(|e| self.fault(&e))?;
        Ok(found)
    }
}

/// A fault of the callback inside a query, which must not be taken for one of SQLite.
#[derive(Default)]
struct Outcome(Option<Error>);

impl Outcome {
    /// Whether reading goes on.
    fn take(&mut self, result: Result<()>) -> bool {
        self.0 = result.err();
        self.0.is_none()
    }
}

impl Sqlite {
    fn read(&self, query: impl FnOnce(&Connection, &mut Outcome) -> rusqlite::Result<()>) -> Result<()> {
        let mut outcome = Outcome::default();
        query(&self.connection, &mut outcome).map_err(|e| self.fault(&e))?;
        outcome.0.map_or(Ok(()), Err)
    }

    /// The mode of the file.
    fn mode(&self) -> Option<u32> {
        let path = self.connection.path().filter(|path| !path.is_empty())?;
        files::mode(Path::new(path))
    }

    fn inspect_tables(&self, found: &mut Inspection) -> rusqlite::Result<()> {
        if self.absent {
            found.missing.push("the file: mod-store --init makes it".into());
        } else if self.connection.is_readonly("main")? {
            found.missing.push("the right to write to the file".into());
        }
        if let Some(mode) = self.mode() {
            let others = if mode & 0o022 == 0 { "" } else { ", so others may write to it: chmod go-w" };
            found.fact("mode", format!("{mode:04o}{others}"));
        }
        for table in schema::tables(self.samples) {
            let there = schema::has(&self.connection, table)?;
            found.fact(table, if there { "there" } else { "missing" });
            if !there {
                found.missing.push(format!("table {table}: mod-store --init makes it"));
            }
        }
        if schema::has(&self.connection, self.samples.name())? {
            found.fact("shape", "keyed: timestamp, cmts, upstream");
            let newest = read::newest(&self.connection, self.samples)?;
            found.fact("newest sample", newest.map_or_else(|| "none yet".into(), |ts| ts.to_string()));
        }
        Ok(())
    }
}
