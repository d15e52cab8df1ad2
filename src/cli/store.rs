//! mod-store's flags.

use clap::Parser;

use super::{Common, Database};
use crate::stage::{Role, Tool};

const AFTER: &str = "\
Examples:
  mod-store --db sqlite:modulation.db --init </dev/null
  ccap-fetch -i inventory.csv | mod-parse | mod-store
  mod-store --tee <samples.ndjson | mod-report --input -
  mod-store --check --db mysql://access@db1,db2/access?ssl=required

Exit status:
  0  everything is stored
  1  the database or standard output failed; what was committed before stays
  2  wrong usage or settings: nothing was done
  3  stored, but a line was bad or did not fit, a scan was neither ok nor partial, or the input
     broke off without its `end`; with --check: something is missing";

/// Store samples and scans in a database, one transaction per device and scan
///
/// Reads sample and scan records on standard input. A replay changes nothing: what is stored already
/// is counted as duplicate. Without --tee, nothing is written to standard output.
#[derive(Parser, Clone, Debug)]
#[command(name = "mod-store", version, after_help = AFTER, max_term_width = 100)]
pub struct Store {
    /// Make the tables that are missing, and on MySQL the partitions of the days to keep
    #[arg(long)]
    pub init: bool,
    /// With --init: also an index for the history of one upstream
    #[arg(long, requires = "init")]
    pub history_index: bool,
    /// Say what server, tables, columns, rights and samples there are, and what is missing; write nothing
    #[arg(long, conflicts_with_all = ["init", "tee", "dry_run"])]
    pub check: bool,
    /// Pass every line on to standard output once it is committed, with a `stored` record per group
    #[arg(long)]
    pub tee: bool,
    /// Rows per statement on MySQL and MariaDB, at most 10000
    #[arg(long, value_name = "ROWS", default_value_t = 1000, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub batch: u16,
    /// Store OFDMA and UNKNOWN also in an older modulation_new, whose other readers may not know them
    #[arg(long)]
    pub store_all: bool,
    /// Read and judge everything, connect, but write nothing to the database
    #[arg(long)]
    pub dry_run: bool,
    #[allow(missing_docs)]
    #[command(flatten)]
    pub database: Database,
    #[allow(missing_docs)]
    #[command(flatten)]
    pub common: Common,
}

impl Tool for Store {
    const NAME: &'static str = "mod-store";

    fn role(&self) -> Role {
        Role::Filter
    }

    fn common(&self) -> &Common {
        &self.common
    }
}
