//! mod-store: samples and scans into the database, one transaction per device and scan.

mod admit;
mod channels;
mod check;
mod database;
mod run;
mod sqlite;
mod target;
mod tee;

pub use admit::{Column, Limits, Repertoire, Verdict};
pub use database::{Access, Channel, Counts, Database, Device, Group, Inspection, Options, Stored, Window};
pub use run::run;
pub use target::{Host, Server, Target, Tls};

use crate::{
    cli,
    error::{Error, Result},
    settings::Settings,
};

/// Connects to the database that flags and settings name (contract, section 3).
///
/// # Errors
/// [`Error::Usage`] when none is named or the URL is wrong; [`Error::Database`].
pub fn open(flags: &cli::Database, settings: &Settings, access: Access) -> Result<Box<dyn Database>> {
    let init = matches!(
        access,
        Access::Write(Options { init: true, .. }) | Access::Look(Options { init: true, .. })
    );
    match Target::find(flags.db.as_deref(), settings, init)? {
        target @ Target::MySql(_) => Err(Error::usage(format!("{}: not yet", target.place()))),
        Target::Sqlite(path) => Ok(Box::new(sqlite::Sqlite::open(&path, access)?)),
    }
}
