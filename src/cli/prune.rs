//! mod-prune's flags.

use std::time::Duration;

use clap::{Parser, value_parser};

use super::{Common, Database, Tool};
use crate::{signals::Role, units};

const AFTER: &str = "\
Examples:
  mod-prune                                 each night, from cron
  mod-prune --dry-run                       what would go, and by which statements
  mod-prune --deadline 30m --batch 5000     no longer than half an hour, in small steps
  mod-prune --status                        how the tables are; exit 3 when that is not well

What a finished day came to is kept in modulation_day before its samples go.

Exit status:
  0  nothing old is left; with --status: all tables are healthy
  1  the database or standard output failed; what was deleted before stays deleted
  2  wrong usage or settings, or every sample would go (see --force): nothing was done
  3  something old is left (deadline, a day that could not be kept), or samples are dated in the
     future; with --status: something is to be done
  4  another mod-prune is at work: nothing was done";

/// Keep the database from growing: drop what is old, keep what each finished day came to
///
/// Drops whole day partitions where the table has them, in milliseconds, and deletes chunk by chunk
/// elsewhere, with pauses in between. Prints one `pruned` record per table.
#[derive(Parser, Clone, Debug)]
#[command(name = "mod-prune", version, after_help = AFTER, max_term_width = 100)]
pub struct Prune {
    /// Days that samples and scans are kept [default: DATA_RETENTION_DAYS, else 8]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=36_500))]
    pub keep_days: Option<u32>,
    /// Hours that profile, source and SNR of each sample are kept
    #[arg(long, value_name = "N", default_value_t = 48, value_parser = value_parser!(u32).range(1..=876_000))]
    pub detail_hours: u32,
    /// Days that modulation_day is kept
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = value_parser!(u32).range(1..=36_500))]
    pub rollup_days: u32,
    /// Rows per transaction where there are no partitions [default: CLEANUP_BATCH_SIZE, else 10000]
    #[arg(long, value_name = "ROWS", value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub batch: Option<u32>,
    /// Stop after this long, such as 30m; the next run goes on
    #[arg(long, value_name = "D", value_parser = units::duration)]
    pub deadline: Option<Duration>,
    /// Time zone of the days in modulation_day, as mod-report has it [default: MODTOOLS_TZ, else the system's]
    #[arg(long, value_name = "ZONE")]
    pub tz: Option<String>,
    /// Interval between scans, as mod-report has it
    #[arg(long, value_name = "D", default_value = "10m", value_parser = super::report::interval)]
    pub interval: Duration,
    /// Prune even when every sample would go, which otherwise means that the clock is wrong
    #[arg(long)]
    pub force: bool,
    /// Remove the devices whose names match GLOB and that nobody has tried for a day from modulation_device and
    /// modulation_channel; do nothing else. With --dry-run: show them
    #[arg(long, value_name = "GLOB", conflicts_with_all = ["status", "reset_id", "deadline", "force"])]
    pub forget: Option<String>,
    /// Make the id of an older modulation_new count on after the highest that is there, if that gains 1 %
    #[arg(long)]
    pub reset_id: bool,
    /// Show rows, size, age and health of each table; change nothing
    #[arg(long, conflicts_with_all = ["dry_run", "reset_id", "deadline"])]
    pub status: bool,
    /// With --status: one line with perfdata and the exit codes of a monitoring plugin
    #[arg(long, requires = "status")]
    pub nagios: bool,
    /// With --status: gauges for Prometheus, as node_exporter's textfile collector reads them
    #[arg(long, requires = "status", conflicts_with = "nagios")]
    pub prom: bool,
    /// Show the statements and how many rows would go; change nothing
    #[arg(long)]
    pub dry_run: bool,
    #[allow(missing_docs)]
    #[command(flatten)]
    pub database: Database,
    #[allow(missing_docs)]
    #[command(flatten)]
    pub common: Common,
}

impl Tool for Prune {
    const NAME: &'static str = "mod-prune";

    fn role(&self) -> Role {
        Role::Source
    }

    fn common(&self) -> &Common {
        &self.common
    }
}
