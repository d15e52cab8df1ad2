//! The flags of the tools: clap structs only, one file per tool, shared groups here.

#[cfg_attr(windows, path = "../windows/deploy_flags.rs")]
mod deploy;
#[cfg(unix)]
mod fetch;
#[cfg(unix)]
mod mail;
pub mod parse;
#[cfg(unix)]
mod prune;
pub mod report;
#[cfg(unix)]
mod store;
#[cfg(unix)]
pub mod watch;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser};
use log::LevelFilter;

pub use deploy::Deploy;
#[cfg(unix)]
pub use fetch::{Fetch, Via};
#[cfg(unix)]
pub use mail::Mail;
pub use parse::Parse;
#[cfg(unix)]
pub use prune::Prune;
pub use report::Report;
#[cfg(unix)]
pub use store::Store;
#[cfg(unix)]
pub use watch::Watch;

use crate::signals::Role;

/// The arguments of a tool, and what the harness must know of it.
pub trait Tool: Parser {
    /// Name of the program, as in messages and records.
    const NAME: &'static str;
    /// What `-h` says below the options, before it names `--help`.
    const HINT: &'static str = "";
    /// What a signal means to it.
    fn role(&self) -> Role {
        Role::Filter
    }
    /// What has to be piped into it, when these arguments have it read standard input. A terminal there is
    /// refused: whoever sits at it waits for nothing.
    fn input(&self) -> Option<&'static str> {
        None
    }
    /// The flags that every tool has.
    fn common(&self) -> &Common;
}

/// The flags that every tool has.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Read settings from FILE instead of ./.env or /etc/modtools/env
    #[arg(long, value_name = "FILE", global = true)]
    pub env_file: Option<PathBuf>,
    /// Say only what ends the run
    #[arg(short, long, conflicts_with = "verbose", global = true)]
    pub quiet: bool,
    /// Say more; twice: everything
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub verbose: u8,
}

impl Common {
    /// The log level that the flags ask for; none: RUST_LOG, else warnings.
    #[must_use]
    pub fn level(&self) -> Option<LevelFilter> {
        match (self.quiet, self.verbose) {
            (true, _) => Some(LevelFilter::Error),
            (false, 0) => None,
            (false, 1) => Some(LevelFilter::Info),
            (false, _) => Some(LevelFilter::Debug),
        }
    }
}

/// A help text of its own: to rustdoc the brackets of a doc comment would be links.
const DB_HELP: &str = "sqlite:PATH or mysql://USER@HOST[,HOST2][:PORT]/DB[?ssl=required|verify-ca&ca=FILE] \
     [default: MODTOOLS_DB, else ACCESS_*, else sqlite:modulation.db]";

/// Which database (contract, section 3).
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Database")]
pub struct Database {
    /// The URL of the database.
    #[arg(long, value_name = "URL", help = DB_HELP)]
    pub db: Option<String>,
}
