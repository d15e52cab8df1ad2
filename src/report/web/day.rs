//! The data file of one window, `data/DATE.json`: one JSON object that the page's `data.js` reads.
//!
//! ```json
//! {"v":2, "kind":"modtools-day", "report":{…}, "rows":60000, "step_s":600, "page_url":"https://…",
//!  "stopped":[{"cmts":"CCAP007", "since":"…"}],
//!  "columns":{"cmts":{"words":[…],"at":…}, "hops":…, "url":null, …}, "steps":{"words":[…],"at":…},
//!  "tops":{"words":[…],"at":…}, "shares":[{"modulation":"QPSK", "counts":[…]}]}
//! ```
//!
//! `report` is the `report` record. `columns` holds the columns of the CSV, by their names and in their order, each in
//! the form of [`Series`]: so the page downloads the same CSV. `url` is `null`: it is made of `page_url`, the date and the
//! names. `steps` is what was held in the middle of each step of `step_s`: a letter per modulation (`a` QPSK … `i`
//! UNKNOWN, `-` nothing), then how many steps if more than one. `tops` is in the same letters the highest modulation
//! of each hour, where `hours` is the lowest. `shares` is how many upstreams held each modulation, by step.
//! `stopped` are the CMTSs that answered in the window and have not for longer than a sample holds.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::json;

use super::columns::{Series, Words};
use crate::{
    layout::full,
    measure::stretches::text_of,
    modulation::Modulation,
    record::{Report, Row, Timestamp},
};

/// How the file begins: by this, or by that of the version before, it is known as one of ours.
pub const SIGNATURES: [&str; 2] =
    ["{\"v\":2,\"kind\":\"modtools-day\",", "{\"v\":1,\"kind\":\"modtools-day\","];
/// Steps that take no more room than this are always told.
const SHORT_STEPS: usize = 24;
/// Of longer ones only so much in all, bytes: the worst upstreams come first, the others open to their hours.
const LONG_STEPS: usize = 1_500_000;
/// The column that is made of others.
const URL: &str = "url";

const MODULATIONS: usize = Modulation::ALL.len();

/// What the rows of a window have in common.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The header of the report.
    pub report: &'a Report,
    /// How long the steps are, s.
    pub step_s: u64,
    /// The address of the page, as `--page-url` gives it.
    pub page_url: Option<&'a str>,
    /// CMTSs that have stopped answering.
    pub stopped: &'a [Stopped],
}

/// A CMTS that answered in the window, which is not over, and does not any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stopped {
    /// Name of the device.
    pub cmts: String,
    /// Its last sample.
    pub since: Timestamp,
}

/// The rows of a window as columns.
#[derive(Debug)]
pub struct Day {
    step_s: u64,
    rows: usize,
    /// In the order of [`full::names`].
    columns: Vec<(String, Series)>,
    steps: Words,
    tops: Words,
    long_steps: usize,
    /// By step how many upstreams held each modulation.
    held: Vec<[u32; MODULATIONS]>,
}

impl Day {
    /// A day without rows, with steps of this length, s.
    #[must_use]
    pub fn new(step_s: u64) -> Self {
        Day {
            step_s,
            rows: 0,
            columns: full::names().map(|name| (name, Series::Missing(0))).collect(),
            steps: Words::default(),
            tops: Words::default(),
            long_steps: 0,
            held: Vec::new(),
        }
    }

    /// Takes the next row, and what its upstream held in the middle of each step.
    pub fn push(&mut self, row: &Row, steps: impl Iterator<Item = Option<Modulation>>) {
        for ((name, series), cell) in self.columns.iter_mut().zip(full::cells(row)) {
            if name != URL {
                series.push(&cell);
            }
        }
        self.rows += 1;
        let steps: Vec<_> = steps.collect();
        if self.held.len() < steps.len() {
            self.held.resize(steps.len(), [0; MODULATIONS]);
        }
        for (step, held) in self.held.iter_mut().zip(&steps) {
            if let Some(modulation) = held {
                step[modulation.index()] += 1;
            }
        }
        let is_known = !steps.is_empty();
        self.tops.push(is_known.then(|| text_of(self.tops_of(&steps))).as_deref());
        self.push_steps(&text_of(steps));
    }

    /// The highest modulation of each hour.
    fn tops_of(&self, steps: &[Option<Modulation>]) -> Vec<Option<Modulation>> {
        let hour = |at: usize| (at as u64 * self.step_s + self.step_s / 2) / 3600;
        let mut tops = Vec::new();
        for (at, &held) in steps.iter().enumerate() {
            while tops.len() as u64 <= hour(at) {
                tops.push(None);
            }
            if let Some(top) = tops.last_mut() {
                *top = higher(*top, held);
            }
        }
        tops
    }

    fn push_steps(&mut self, steps: &str) {
        let is_free = steps.len() <= SHORT_STEPS || self.steps.knows(steps);
        let fits = is_free || self.long_steps + steps.len() <= LONG_STEPS;
        if !is_free && fits {
            self.long_steps += steps.len();
        }
        self.steps.push(Some(steps).filter(|steps| fits && !steps.is_empty()));
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The whole file.
    #[must_use]
    pub fn finish(&self, head: Head<'_>) -> String {
        let mut json = SIGNATURES[0].to_owned();
        // Into a string nothing fails.
        let _ = write!(
            json,
            "\"report\":{},\"rows\":{},\"step_s\":{},\"page_url\":{},\"stopped\":{},\"columns\":{{",
            json!(head.report),
            self.rows,
            head.step_s,
            json!(head.page_url),
            json!(head.stopped),
        );
        for (number, (name, series)) in self.columns.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            let _ = match name.as_str() {
                URL => write!(json, "{comma}\"{name}\":null"),
                _ => write!(json, "{comma}\"{name}\":{series}"),
            };
        }
        let _ = writeln!(
            json,
            "}},\"steps\":{},\"tops\":{},\"shares\":{}}}",
            self.steps,
            self.tops,
            self.shares()
        );
        json
    }

    fn shares(&self) -> serde_json::Value {
        let of = |m: Modulation| self.held.iter().map(move |held| held[m.index()]);
        Modulation::ALL
            .into_iter()
            .filter(|&m| of(m).any(|upstreams| upstreams > 0))
            .map(|m| json!({"modulation": m, "counts": of(m).collect::<Vec<_>>()}))
            .collect()
    }
}

/// The better of two; what has bits before what has none.
fn higher(a: Option<Modulation>, b: Option<Modulation>) -> Option<Modulation> {
    let rank = |m: &Modulation| (m.bits().is_some(), m.index());
    a.into_iter().chain(b).max_by_key(rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_of_two_has_bits() {
        use Modulation::{Ofdma, Qam64, Qpsk, Unknown};
        assert_eq!(higher(Some(Qpsk), Some(Qam64)), Some(Qam64));
        assert_eq!(higher(Some(Ofdma), Some(Qpsk)), Some(Qpsk));
        assert_eq!(higher(None, Some(Unknown)), Some(Unknown));
        assert_eq!(higher(None, None), None);
    }
}
