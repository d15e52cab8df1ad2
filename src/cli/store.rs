//! mod-store's flags.

use std::{path::PathBuf, time::Duration};

use clap::Parser;

use super::{Common, Database, Tool};
use crate::units;

const AFTER: &str = "\
Examples:
  mod-store --db sqlite:modulation.db --init </dev/null
  ccap-fetch -i inventory.csv | mod-parse | mod-store
  ccap-fetch -i inventory.csv --every 10m | mod-parse | mod-store --spool /var/spool/modtools
  mod-store --tee <samples.ndjson | mod-report --input -
  mod-store --init --migrate --dry-run
  mod-store --check --db mysql://access@db1,db2/access?ssl=required

Exit status:
  0  everything is stored
  1  the database, the spool or standard output failed; what was committed before stays
  2  wrong usage or settings: nothing was done
  3  stored, but a line was bad or did not fit, a scan was neither ok nor partial, the input
     broke off without its `end`, or groups wait in the spool; with --check: something is missing";

/// Store samples and scans in a database, one transaction per device and scan
///
/// Reads sample and scan records on standard input. A replay changes nothing: what is stored already
/// is counted as duplicate. Groups that arrive faster than they are stored share a transaction.
/// Without --tee, nothing is written to standard output.
#[derive(Parser, Clone, Debug)]
#[command(name = "mod-store", version, after_help = AFTER, max_term_width = 100)]
pub struct Store {
    /// Make missing tables, and on MySQL the partitions of the days to keep
    #[arg(long)]
    pub init: bool,
    /// With --init: move an older modulation_new into the present shape, while it stays readable. It can
    /// be broken off and taken up again; the old table stays as modulation_old. With --dry-run: say how
    #[arg(long, requires = "init")]
    pub migrate: bool,
    /// With --init: also an index for the history of one upstream
    #[arg(long, requires = "init")]
    pub history_index: bool,
    /// Show server, tables, columns, rights and samples, and what is missing; write nothing
    #[arg(long, conflicts_with_all = ["init", "tee", "dry_run"])]
    pub check: bool,
    /// With --check: one line with perfdata and the exit codes of a monitoring plugin
    #[arg(long, requires = "check")]
    pub nagios: bool,
    /// With --check: gauges for Prometheus, as node_exporter's textfile collector reads them
    #[arg(long, requires = "check", conflicts_with = "nagios")]
    pub prom: bool,
    /// Pass every line on to standard output once it is committed or spooled, with a `stored` record per group
    #[arg(long)]
    pub tee: bool,
    /// Prove progress to mod-watch or systemd on the socket that NOTIFY_SOCKET names
    #[arg(long)]
    pub notify: bool,
    /// Keep what the database cannot take now in files of DIR, and store it when the database is back
    #[arg(long, value_name = "DIR")]
    pub spool: Option<PathBuf>,
    /// End with a failure rather than let the spool grow beyond this
    #[arg(long, value_name = "SIZE", default_value = "1GiB", requires = "spool", value_parser = units::size)]
    pub spool_size: u64,
    /// Drop, with a warning, what has waited in the spool for longer than this
    #[arg(long, value_name = "TIME", default_value = "8d", requires = "spool", value_parser = units::duration)]
    pub spool_age: Duration,
    /// Rows per statement on MySQL and MariaDB, at most 10000
    #[arg(long, value_name = "ROWS", default_value_t = 1000, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub batch: u16,
    /// Store every modulation in an older modulation_new; without it only QPSK, QAM16 and QAM64 go there, because
    /// the other programs that read it know no others
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

    fn input(&self) -> Option<&'static str> {
        (!self.check && !self.init).then_some("the samples of mod-parse, or use --check or --init")
    }

    fn common(&self) -> &Common {
        &self.common
    }
}
