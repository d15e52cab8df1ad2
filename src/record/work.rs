//! `work`: what works on upstreams did to them.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Timestamp,
    columns::{Cell, Field, columns},
};
use crate::closed_set::closed_set;

closed_set! {
    /// What became of the upstreams that were worked on.
    #[allow(missing_docs)]
    pub enum Verdict {
        Better = "better",
        Same = "same",
        Worse = "worse",
        TooEarly = "too_early",
    }
}

columns! {
    /// `work`, of `--works`: a line of the table of works, with the same local hours of the seven days before and of
    /// the seven days after them (modtools(5) explains the figures). CSV has its fields as columns.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct Work {
        /// Now.
        pub ts: Timestamp => hidden,
        /// A pattern of CMTSs.
        pub cmts: String,
        /// A pattern of the upstreams; missing: all of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub upstream: Option<String>,
        /// A pattern of the nodes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub node: Option<String>,
        /// Where the works are written down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub ticket: Option<String>,
        /// Begin of the works.
        pub from: Timestamp,
        /// End of the works, itself not in them.
        pub to: Timestamp,
        /// Missing when it is not known and will not be.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub verdict: Option<Verdict>,
        /// Before them.
        pub before: WorkSide,
        /// After them.
        pub after: WorkSide,
    }
}

columns! {
    /// The hours before works, or those after them. A figure that is missing is not known.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct WorkSide {
        /// Of seven days those whose hours are over and observed for half of their time.
        pub days: u64,
        /// Upstreams that were observed in them.
        pub upstreams: u64,
        /// Observed time of the hours that are over, of these upstreams; missing when none is over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub coverage_pct: Option<f64>,
        /// Bits per symbol lost of those expected, mean of the upstreams.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub lost_pct: Option<f64>,
        /// Sum of the upstreams whose width is known, Mbit/s.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub lost_mbps: Option<f64>,
        /// Changes, sum of the upstreams.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub hops: Option<u64>,
        /// Time below what is expected, sum of the upstreams, s.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub degraded_s: Option<u64>,
        /// Of seven days those whose samples are gone: the figures of their hours come from finished days, which know a
        /// moment to one interval of scans, or five minutes.
        #[serde(default, skip_serializing_if = "super::is_zero")]
        pub finished_days: u64,
        /// The days whose hours are over and of which neither samples nor a finished day are left.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub missing_days: Vec<NaiveDate>,
    }
}

impl Field for Verdict {
    fn append_to<'a>(&'a self, cells: &mut Vec<Cell<'a>>) {
        cells.push(Cell::Word(self.word().into()));
    }
}

impl Field for Vec<NaiveDate> {
    fn append_to<'a>(&'a self, cells: &mut Vec<Cell<'a>>) {
        let days: Vec<_> = self.iter().map(ToString::to_string).collect();
        cells.push(Cell::Word(days.join(" ").into()));
    }
}

impl Field for WorkSide {
    fn names(name: &str) -> Vec<String> {
        WorkSide::names().into_iter().map(|column| format!("{name}_{column}")).collect()
    }

    fn append_to<'a>(&'a self, cells: &mut Vec<Cell<'a>>) {
        cells.extend(self.cells());
    }

    fn round(&mut self) {
        *self = std::mem::take(self).rounded();
    }
}
