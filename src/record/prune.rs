//! `pruned` and `status`: what mod-prune did, and how the tables are.

use schemars::JsonSchema;
use serde::Serialize;

use super::Timestamp;
use crate::closed_set::closed_set;

closed_set! {
    /// Why mod-prune stopped with a table.
    pub enum Stopped {
        /// Nothing old is left.
        Done = "done",
        /// `--deadline` has come; the next run goes on.
        Deadline = "deadline",
        /// A signal came; the next run goes on.
        Signal = "signal",
        /// A day that is about to go could not be kept in `modulation_day`: from it on, samples stay.
        HeldBack = "held_back",
        /// Others used the table all the time; the next run tries again.
        Busy = "busy",
        /// `--dry-run`: nothing was begun.
        DryRun = "dry_run",
    }
}

closed_set! {
    /// How old rows go.
    pub enum Way {
        /// Whole day partitions.
        Partitions = "partitions",
        /// So many rows at a time.
        Chunks = "chunks",
        /// Devices by their names.
        Forget = "forget",
        /// No rows: the id is made to count on after the highest that is there.
        IdReset = "id_reset",
    }
}

/// `pruned`, one per table.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Pruned {
    /// When the run began.
    pub ts: Timestamp,
    /// The table.
    pub table: &'static str,
    /// Rows from before this go.
    pub before: Timestamp,
    /// How.
    pub by: Way,
    /// Rows that went; with `dry_run`, that would go.
    pub rows: u64,
    /// Whether `rows` is the server's estimate.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
    /// Partitions that went.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<String>,
    /// Transactions that it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunks: Option<u64>,
    /// How long it took, pauses included, ms.
    pub elapsed_ms: u64,
    /// Why it stopped.
    pub stopped: Stopped,
    /// Nothing was changed; `statement` is what would be done.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// The statement, with `dry_run`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
}

closed_set! {
    /// How well a table is, worst last.
    #[derive(Default)]
    pub enum Health {
        /// Nothing is to be done.
        #[default]
        Healthy = "HEALTHY",
        /// Something is to be done some day.
        Warning = "WARNING",
        /// Something is to be done now.
        Critical = "CRITICAL",
    }
}

/// `status`, one per table, from `mod-prune --status`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TableStatus {
    /// When it was looked at.
    pub ts: Timestamp,
    /// The table.
    pub table: &'static str,
    /// Rows in it.
    pub rows: u64,
    /// Whether `rows` is the server's estimate.
    pub estimated: bool,
    /// Size with its indexes.
    pub bytes: u64,
    /// Time of its oldest row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Timestamp>,
    /// Time of its newest row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<Timestamp>,
    /// Days from the oldest to the newest, one decimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<f64>,
    /// Partitions, when it has some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partitions: Option<u64>,
    /// Rows dated more than a day ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub future: Option<u64>,
    /// The AUTO_INCREMENT id of an older `modulation_new`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<IdStatus>,
    /// What is kept, with modulation_new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retained>,
    /// The gravest of the reasons.
    pub health: Health,
    /// Why it is not healthy, each with its remedy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

/// What mod-prune was told, with the `status` of modulation_new.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Retained {
    /// Days that samples and scans are kept.
    pub keep_days: u32,
    /// Hours of detail.
    pub detail_hours: u32,
    /// Days that finished days are kept.
    pub rollup_days: u32,
    /// Settings by which something is switched off.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub off: Vec<&'static str>,
    /// When mod-prune ended last; missing when that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run: Option<Timestamp>,
}

/// How far an id is.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct IdStatus {
    /// Its column.
    pub column: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The highest id that it can hold.
    pub limit: u64,
    /// The id that the next row gets.
    pub next: u64,
    /// `next` of `limit`, three decimals.
    pub used_pct: f64,
    /// Steps between two ids, as a cluster sets them.
    pub increment: u64,
    /// Ids that the latest rows took, per row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_row: Option<f64>,
    /// Ids that a day takes at the present rate, the steps included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_day: Option<f64>,
    /// Days until the limit at that rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_left: Option<f64>,
}
