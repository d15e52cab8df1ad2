//! The data file of one window, `data/DATE.json`: one JSON object that the page's `data.js` reads.
//!
//! ```json
//! {"v":1, "kind":"modtools-day", "report":{…}, "rows":60000, "step_s":600,
//!  "words":{"cmts":[…], "upstream":[…], "description":[…], "platform":[…], "hours":[…], "steps":[…], "why":[…]},
//!  "columns":{"cmts":…, "hops":…}, "counts":[{"modulation":"QPSK", "column":…}],
//!  "shares":[{"modulation":"QPSK", "counts":[…]}]}
//! ```
//!
//! `report` is the `report` record. `columns` are those of the `row` records in the form of [`Column`]: words
//! and modulations by number (-1: none), `why` as a set of bits. `steps` is what was held in the middle of each step of `step_s`:
//! a letter per modulation (`a` QPSK … `i` UNKNOWN, `-` nothing), then how many steps if more than one.
//! `shares` is how many upstreams held each modulation, by step.

use std::fmt::Write as _;

use serde_json::json;

use super::columns::{Column, Words};
use crate::{
    modulation::Modulation,
    record::{Report, Row, Why},
};

/// How the file begins: by this it is known as one of ours.
pub const SIGNATURE: &str = "{\"v\":1,\"kind\":\"modtools-day\",";
/// Steps that take no more room than this are always told.
const SHORT_STEPS: usize = 24;
/// Of longer ones only so much in all, bytes: the worst upstreams come first, the others open to their hours.
const LONG_STEPS: usize = 1_500_000;

const MODULATIONS: usize = Modulation::ALL.len();

/// The rows of a window as columns.
#[derive(Debug, Default)]
pub struct Day {
    rows: usize,
    cmts: Words,
    upstream: Words,
    description: Words,
    platform: Words,
    hours: Words,
    steps: Words,
    long_steps: usize,
    /// In the order of [`NUMBERS`].
    numbers: [Column; NUMBERS.len()],
    counts: [Option<Column>; MODULATIONS],
    /// By step how many upstreams held each modulation.
    held: Vec<[u32; MODULATIONS]>,
}

type Number = (&'static str, fn(&Row) -> Option<f64>);

/// The columns of numbers, each with what it takes from a row.
const NUMBERS: [Number; 16] = [
    ("hops", |row| Some(row.hops as f64)),
    ("hops_down", |row| Some(row.hops_down as f64)),
    ("hops_up", |row| Some(row.hops_up as f64)),
    ("coverage_pct", |row| Some((row.coverage_pct * 10.0).round() / 10.0)),
    ("lost_pct", |row| row.lost_pct),
    ("lost_mbps", |row| row.lost_mbps),
    ("lost_gb", |row| row.lost_gb),
    ("degraded_s", |row| Some(row.degraded_s as f64)),
    ("longest_degraded_s", |row| Some(row.longest_degraded_s as f64)),
    ("flapping", |row| Some(f64::from(u8::from(row.flapping)))),
    ("why", |row| Some(f64::from(row.why.iter().fold(0, |bits, &why| bits | 1_u32 << why as u32)))),
    ("last", |row| number(Some(row.last))),
    ("worst", |row| number(row.worst)),
    ("expected", |row| number(row.expected)),
    ("delta_hops", |row| row.delta.map(|delta| delta.hops as f64)),
    ("delta_lost_pct", |row| row.delta.and_then(|delta| delta.lost_pct)),
];

fn number(modulation: Option<Modulation>) -> Option<f64> {
    Some(modulation.map_or(-1.0, |modulation| modulation.index() as f64))
}

impl Day {
    /// Takes the next row, and what its upstream held in the middle of each step.
    pub fn push(&mut self, row: &Row, steps: impl Iterator<Item = Option<Modulation>>) {
        self.cmts.push(Some(&row.cmts));
        self.upstream.push(Some(&row.upstream));
        self.description.push(row.description.as_deref());
        self.platform.push(row.platform.as_deref());
        self.hours.push(row.hours.as_deref());
        for (column, (_, of)) in self.numbers.iter_mut().zip(NUMBERS) {
            column.push(of(row));
        }
        for (modulation, column) in Modulation::ALL.into_iter().zip(&mut self.counts) {
            let count = row.counts.get(&modulation).copied();
            if count.is_some() || column.is_some() {
                let column = column.get_or_insert_with(|| Column::zeros(self.rows));
                column.push(count.unwrap_or(0) as f64);
            }
        }
        self.rows += 1;
        let steps = self.hold(steps);
        self.push_steps(&steps);
    }

    /// Counts the steps of a row into the shares, and writes them down as stretches.
    fn hold(&mut self, steps: impl Iterator<Item = Option<Modulation>>) -> String {
        let mut stretches: Vec<(char, usize)> = Vec::new();
        for (at, held) in steps.enumerate() {
            if self.held.len() <= at {
                self.held.push([0; MODULATIONS]);
            }
            if let Some(modulation) = held {
                self.held[at][modulation.index()] += 1;
            }
            let letter = held.map_or('-', |modulation| char::from(b'a' + modulation as u8));
            match stretches.last_mut() {
                Some((last, length)) if *last == letter => *length += 1,
                _ => stretches.push((letter, 1)),
            }
        }
        let mut text = String::new();
        for (letter, length) in stretches {
            text.push(letter);
            if length > 1 {
                // Into a string nothing fails.
                let _ = write!(text, "{length}");
            }
        }
        text
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

    /// The whole file, under the header of its report.
    #[must_use]
    pub fn finish(&self, report: &Report, step_s: u64) -> String {
        let mut json = SIGNATURE.to_owned();
        let words = json!({
            "cmts": self.cmts.words(),
            "upstream": self.upstream.words(),
            "description": self.description.words(),
            "platform": self.platform.words(),
            "hours": self.hours.words(),
            "steps": self.steps.words(),
            "why": Why::ALL,
        });
        // Into a string nothing fails.
        let _ = write!(
            json,
            "\"report\":{},\"rows\":{},\"step_s\":{step_s},\"words\":{words},\"columns\":{{",
            json!(report),
            self.rows
        );
        let words = [
            ("cmts", &self.cmts),
            ("upstream", &self.upstream),
            ("description", &self.description),
            ("platform", &self.platform),
            ("hours", &self.hours),
            ("steps", &self.steps),
        ];
        let words = words.map(|(name, words)| (name, &words.column));
        let columns = words.into_iter().chain(NUMBERS.into_iter().map(|(name, _)| name).zip(&self.numbers));
        for (number, (name, column)) in columns.enumerate() {
            let comma = if number > 0 { "," } else { "" };
            let _ = write!(json, "{comma}\"{name}\":{column}");
        }
        json.push_str("},\"counts\":[");
        self.write_counts(&mut json);
        let _ = write!(json, "],\"shares\":{}}}", self.shares());
        json.push('\n');
        json
    }

    fn write_counts(&self, json: &mut String) {
        let seen = Modulation::ALL.into_iter().zip(&self.counts);
        let seen = seen.filter_map(|(modulation, column)| Some((modulation, column.as_ref()?)));
        for (number, (modulation, column)) in seen.enumerate() {
            let comma = if number > 0 { "," } else { "" };
            let _ = write!(json, "{comma}{{\"modulation\":\"{modulation}\",\"column\":{column}}}");
        }
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
