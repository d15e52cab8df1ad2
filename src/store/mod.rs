//! mod-store: samples and scans into the database, one transaction per device and scan.

mod database;

pub use database::{Channel, Counts, Database, Device, Group, Stored, Window};

use crate::{
    cli,
    error::{Error, Result},
    settings::Settings,
};

/// Connects to the database that flags and settings name (contract, section 3), making the file and the
/// tables where `init` says so.
///
/// # Errors
/// [`Error::Usage`] when none is named or the URL is wrong; [`Error::Database`].
pub fn open(flags: &cli::Database, settings: &Settings, init: bool) -> Result<Box<dyn Database>> {
    let _ = (flags, settings, init);
    Err(Error::usage("no database is known yet"))
}
