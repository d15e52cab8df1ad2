//! mod-report's flags.

use std::{path::PathBuf, str::FromStr, time::Duration};

use clap::{Parser, ValueEnum};

use super::{Common, Database, Deploy, Tool};
use crate::{language::Language, units};

const AFTER: &str = "\
Examples:
  mod-report                                       yesterday, as a table on a terminal
  mod-report 2026-05-01 --top 20
  mod-report --date 2026-W47 --sort hops
  mod-report --from '2026-05-01 06:00' --to '2026-05-01 12:00' --cmts 'CCAP0*'
  mod-report --save --format csv -o report.csv
  ccap-fetch -i inventory.csv | mod-parse | mod-report --input - --format table
  mod-report --date today --web /var/www/html/modulation >/dev/null
  mod-report --web page --layout seed --deploy www@web1:/var/www/modulation -o report.csv
  mod-report --events --state events.state | mod-mail --events --to noc@example.net
  mod-report --html report.html --cmts 'CCAP0*' --format table
  mod-report --by cmts                             which CMTS loses most
  mod-report --nodes nodes.csv --by node --sort customers
  mod-report --maintenance works.csv
  mod-report --works works.csv                     did the works help?
  diff <(mod-report --at '2026-05-01 02:00') <(mod-report --at '2026-05-01 06:00')
  mod-report --upstream '1/scq/3' --cmts CCAP001 --format changes
  mod-report --input report.ndjson --format csv-excel
  mod-report --fresh || echo 'a CMTS is not being read'
  mod-report --date today --format samples | jq -r .modulation | sort | uniq -c

Exit status:
  0  the report is whole
  1  the database or the output failed
  2  wrong usage or settings: nothing was read
  3  the report is valid, but there is no sample in the window or of one of its days, a line of the input was bad, the input
     broke off without its `end`, the deployment failed, or with --fresh a CMTS is stale";

/// The form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: a header and one line per upstream, as wide as the terminal
    Table,
    /// A report record, then a row record per upstream
    Ndjson,
    /// One object, its rows in it
    Json,
    /// One line per upstream
    Csv,
    /// As csv, for a spreadsheet: semicolons, the decimal sign of --lang, names that look like dates kept as text
    CsvExcel,
    /// One record per upstream and day of the window that is over
    Days,
    /// The samples of the window as records
    Samples,
    /// One line per change of an upstream and per gap
    Changes,
    /// Gauges for Prometheus (node_exporter's textfile collector), per CMTS and node; upstreams only with --top
    Prom,
    /// One line for a monitoring plugin, with performance data: exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
    Check,
}

/// Which columns CSV and JSON have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Layout {
    /// Everything that a row record has
    Full,
    /// What the replaced program printed, for whoever reads its files
    Seed,
}

/// What upstreams are summed up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// The CMTS
    Cmts,
    /// The family of the device
    Platform,
    /// The node (--nodes)
    Node,
    /// The hub of the node
    Hub,
    /// The area of the node
    Area,
    /// The description, such as a node's name
    Description,
    /// The centre frequency
    Frequency,
}

/// What the worst upstream is; it comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// Most hops
    Hops,
    /// Most capacity lost
    Lost,
    /// Longest below what is expected
    Degraded,
    /// Most customer hours below what is expected
    Customers,
    /// By name
    Cmts,
}

/// Report how each upstream's modulation did over a day or any other window
///
/// Reads samples from a database, or with --input from a record stream, and shows for each upstream how
/// often it changed, how long it ran at which modulation, and what capacity that cost.
#[derive(Parser, Clone, Debug)]
#[command(name = "mod-report", version, after_help = AFTER, max_term_width = 100)]
pub struct Report {
    /// As --date
    #[arg(value_name = "DATE", conflicts_with_all = ["date", "days", "from", "to"])]
    pub day: Option<String>,
    /// The local day, week or month: YYYY-MM-DD, today, yesterday, 2026-W47, 2026-11 (default: yesterday; with
    /// --input: all of it)
    #[arg(long, value_name = "D", conflicts_with_all = ["from", "to"])]
    pub date: Option<String>,
    /// The last N local days that are over
    #[arg(long, value_name = "N", conflicts_with_all = ["date", "from", "to"],
          value_parser = clap::value_parser!(u32).range(1..=400))]
    pub days: Option<u32>,
    /// Begin of the window: RFC 3339, local "YYYY-MM-DD HH:MM", HH:MM of today, -7d or -1h
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// End of the window (default: now)
    #[arg(long, value_name = "T", requires = "from", allow_hyphen_values = true)]
    pub to: Option<String>,
    /// Every upstream's state at a moment, in an order that diff can compare
    #[arg(long, value_name = "T", conflicts_with_all = ["day", "date", "days", "from", "to"], allow_hyphen_values = true)]
    pub at: Option<String>,
    /// The age and status of each CMTS's last good scan; exit 3 when one is older than 2.5 intervals
    #[arg(long, conflicts_with_all = ["day", "date", "days", "from", "to", "at"])]
    pub fresh: bool,
    /// With --format check: WARNING when this many upstreams are below expectation, such as 20 or 2.5%
    #[arg(long, value_name = "N|N%")]
    pub warning: Option<Limit>,
    /// With --format check: CRITICAL when this many are
    #[arg(long, value_name = "N|N%")]
    pub critical: Option<Limit>,
    /// What opened, grew or closed since the last run, each once: run it after each scan, or behind mod-store --tee with
    /// --input -; exit 3 when something opened
    #[arg(long, requires = "state", conflicts_with_all = ["day", "date", "days", "from", "to", "at", "fresh"])]
    pub events: bool,
    /// With --events: the file that carries what the next run has to know
    #[arg(long, value_name = "FILE", requires = "events")]
    pub state: Option<PathBuf>,
    /// Read records from FILE instead of the database; - is standard input: samples and scans, or a report that was
    /// written as ndjson, which can be shown in any other form
    #[arg(long, value_name = "FILE", conflicts_with = "db")]
    pub input: Option<PathBuf>,
    /// Time zone of days and hours (default: MODTOOLS_TZ, else the system's)
    #[arg(long, value_name = "ZONE")]
    pub tz: Option<String>,
    /// Interval between scans: a sample holds for at most 2.5 of them
    #[arg(long, value_name = "D", default_value = "10m", value_parser = interval)]
    pub interval: Duration,
    /// Form of the output (default: table on a terminal, else ndjson)
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Columns of csv and json (default: full)
    #[arg(long, value_name = "LAYOUT")]
    pub layout: Option<Layout>,
    /// What comes first (default: lost)
    #[arg(long, value_name = "BY")]
    pub sort: Option<Sort>,
    /// Show only the first N upstreams; the totals still count all (default: all; 40 in a table on a terminal)
    #[arg(long, value_name = "N")]
    pub top: Option<usize>,
    /// Sum up: one line for each CMTS, node or frequency, and one for the upstreams without
    #[arg(long, value_name = "WHAT")]
    pub by: Option<By>,
    /// Look only at the CMTSs that match, such as CCAP0*
    #[arg(long, value_name = "GLOB")]
    pub cmts: Option<String>,
    /// Look only at the upstreams that match, such as 1/*
    #[arg(long, value_name = "GLOB")]
    pub upstream: Option<String>,
    /// Which node each upstream serves, CSV lines cmts,upstream,node, if known also hub,area,homes, such as
    /// "CCAP001,1/scq/*,HRN12,Hoorn"; the first that matches counts [default: MODTOOLS_NODES]
    #[arg(long, value_name = "FILE")]
    pub nodes: Option<PathBuf>,
    /// Look only at the upstreams of the nodes that match, such as HRN*; needs --nodes
    #[arg(long, value_name = "GLOB")]
    pub node: Option<String>,
    /// What upstreams should run at: QAM64 for all, or a CSV file cmts,upstream,modulation (default:
    /// MODTOOLS_EXPECTED, else the best that each held for 1 % of the window or 10 % of a day before it)
    #[arg(long, value_name = "M|FILE")]
    pub expected: Option<String>,
    /// How many finished days before the window show what to expect [default: MODTOOLS_EXPECTED_DAYS, else 90]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=400))]
    pub expected_days: Option<u32>,
    /// Language of the page and of each row's sentence [default: MODTOOLS_LANG, else en]
    #[arg(long, value_name = "LANG")]
    pub lang: Option<Language>,
    /// Address of the page, for the links of rows [default: MODTOOLS_PAGE_URL]
    #[arg(long, value_name = "URL")]
    pub page_url: Option<String>,
    /// When CMTSs are worked on, CSV lines cmts,from,to, optionally upstream,node,ticket, such as
    /// "CCAP0*,2026-05-01 02:00,2026-05-01 04:00": shown apart, and not counted as lost
    #[arg(long, value_name = "FILE")]
    pub maintenance: Option<PathBuf>,
    /// What works did, for each line of a file like that of --maintenance: loss, hops and time below expectation in the
    /// same hours of the seven days before and the seven days after, and better, same, worse or too early
    #[arg(long, value_name = "FILE",
          conflicts_with_all = ["day", "date", "days", "from", "to", "at", "fresh", "events", "maintenance"])]
    pub works: Option<PathBuf>,
    /// Write to FILE, whole or not at all, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write also modulation_report_DATE.csv and modulation_report_DATE_web.json (seed layout, all upstreams)
    /// into REPORT_OUTPUT_DIR (default: reports)
    #[arg(long)]
    pub save: bool,
    /// With --save: also modulation_report_DATE.json, the same as modulation_report_DATE_web.json under another name
    #[arg(long, requires = "save")]
    pub save_copy: bool,
    /// Write also the day's page, with all upstreams, into a web server's DIR: index.html, its script and style,
    /// and data/DATE.json
    #[arg(long, value_name = "DIR", help_heading = "Page")]
    pub web: Option<PathBuf>,
    /// Write also the same page as one FILE that opens from a disk, for mail and tickets
    #[arg(long, value_name = "FILE", help_heading = "Page")]
    pub html: Option<PathBuf>,
    /// Name, logo and colours of the page, as in examples/brands; they stay for later runs; none: the usual look again
    #[arg(long, value_name = "FILE", help_heading = "Page")]
    pub brand: Option<PathBuf>,
    /// Remove dated files of --web, --save and --deploy whose day is longer ago than this [default: HOUSEKEEPING_DAYS, else 30]
    #[arg(long, value_name = "DAYS", help_heading = "Page", value_parser = clap::value_parser!(u32).range(1..))]
    pub keep_files: Option<u32>,
    /// As it was called once: --save or --layout seed --format json.
    #[arg(long, hide = true)]
    pub json_only: bool,
    /// As it was called once: --save or --layout seed.
    #[arg(long, hide = true)]
    pub csv_only: bool,
    /// As it was called once: --save --save-copy, or --web or --deploy.
    #[arg(long, hide = true)]
    pub web_only: bool,
    #[allow(missing_docs)]
    #[command(flatten)]
    pub deploy: Deploy,
    #[allow(missing_docs)]
    #[command(flatten)]
    pub database: Database,
    #[allow(missing_docs)]
    #[command(flatten)]
    pub common: Common,
}

/// From how many upstreams below expectation on there is something to say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// So many.
    Count(u64),
    /// So many of a hundred.
    Percent(f64),
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("invalid limit {text:?}; examples: 20, 2.5%");
        match text.strip_suffix('%') {
            Some(percent) => {
                let percent: f64 = percent.parse().map_err(|_| bad())?;
                if (0.0..=100.0).contains(&percent) { Ok(Limit::Percent(percent)) } else { Err(bad()) }
            }
            None => text.parse().map(Limit::Count).map_err(|_| bad()),
        }
    }
}

impl Limit {
    /// The number of upstreams that reaches it.
    #[must_use]
    pub fn of(self, upstreams: u64) -> u64 {
        match self {
            Limit::Count(count) => count,
            Limit::Percent(percent) => (upstreams as f64 * percent / 100.0).ceil() as u64,
        }
    }
}

pub(super) fn interval(text: &str) -> Result<Duration, String> {
    let interval = units::duration(text)?;
    if interval < Duration::from_secs(1) || interval.subsec_nanos() > 0 {
        return Err(format!("invalid interval {text:?}; it must be whole seconds, such as 10m"));
    }
    Ok(interval)
}

impl Tool for Report {
    const NAME: &'static str = "mod-report";

    fn input(&self) -> Option<&'static str> {
        let is_stdin = self.input.as_deref().is_some_and(|path| path == std::path::Path::new("-"));
        is_stdin.then_some("the records of mod-parse, or a report of mod-report")
    }

    fn common(&self) -> &Common {
        &self.common
    }
}
