//! mod-store: samples and scans into the database, one transaction per device and scan.

mod admit;
mod channels;
mod check;
mod database;
mod days;
mod intake;
mod keeper;
mod mariadb;
mod notify;
mod receipt;
mod replay;
mod retention;
mod run;
mod session;
mod spool;
mod sqlite;
mod target;
mod tee;

pub use admit::{Column, Limits, Repertoire, Verdict};
pub use database::{
    Access, Channel, Counts, Database, Device, Group, Inspection, Migration, Options, Stored, Window,
};
pub use days::{DayHead, DayRow, Days, Made};
pub use retention::{Aged, Chunk, IdState, Method, Plan, Progress, Retention, TableState};
pub use run::run;
pub use target::{Host, Server, Target, Tls};

use crate::{cli, error::Result, stage::Context};

/// Connects to the database that flags and settings name (contract, section 3).
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
    Ok(match Target::find(flags.db.as_deref(), settings, init)? {
        Target::Sqlite(path) => Box::new(sqlite::Sqlite::open(&path, access)?),
        Target::MySql(server) => Box::new(mariadb::MariaDb::open(&server, settings, access, *clock)?),
    })
}
