//! `--layout seed`: the CSV and the JSON of the program that this one replaces.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde::Serialize;

use super::Format;
use crate::{
    layout::seed::{Row, in_order, write_rows},
    measure::{
        arithmetic::{Numbers, SEED_MODULATIONS},
        window::local,
    },
    report::{findings::Findings, request::View},
};

/// The CSV.
#[derive(Debug)]
pub struct Csv;

impl Format for Csv {
    fn write(&self, view: &View, findings: &Findings<'_>, output: &mut dyn Write) -> io::Result<()> {
        csv(view.top, findings, output)
    }
}

/// The JSON.
#[derive(Debug)]
pub struct Json;

impl Format for Json {
    fn write(&self, view: &View, findings: &Findings<'_>, output: &mut dyn Write) -> io::Result<()> {
        json(view.top, findings, output)
    }
}

fn rows<'a>(findings: &'a Findings<'_>) -> Vec<Row<'a>> {
    if let Some(saved) = findings.saved_rows() {
        return in_order(saved.iter().filter_map(Row::of_record).collect());
    }
    let row = |&(number, ref numbers): &'a (u32, Numbers)| {
        let about = findings.roster.about(number);
        let counts = SEED_MODULATIONS.map(|m| u64::from(numbers.counts[m.index()]));
        Row::new(about.cmts, about.upstream, numbers.hops_seed.into(), counts)
    };
    in_order(findings.lines.iter().filter_map(row).collect())
}

/// The CSV, at most `top` rows of it.
pub fn csv(top: Option<usize>, findings: &Findings<'_>, output: &mut dyn Write) -> io::Result<()> {
    let rows = rows(findings);
    write_rows(&rows[..rows.len().min(top.unwrap_or(usize::MAX))], output)
}

#[derive(Serialize)]
struct Document<'a> {
    generated_at: String,
    report_date: String,
    total_upstreams: usize,
    total_hops: u64,
    summary: Summary<'a>,
    full_data: Vec<Full<'a>>,
}

/// A row with the family that its CMTS belongs to by name; other names have none.
#[derive(Serialize)]
struct Full<'a> {
    #[serde(flatten)]
    row: &'a Row<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_type: Option<&'a str>,
}

#[derive(Serialize)]
struct Summary<'a> {
    top_hoppers: &'a [Row<'a>],
    by_device_type: Vec<DeviceType>,
    modulation_distribution: Distribution,
}

#[derive(Serialize)]
struct DeviceType {
    device_type: String,
    total_upstreams: usize,
    total_hops: u64,
    avg_qam64_pct: f64,
    avg_qam16_pct: f64,
    avg_qpsk_pct: f64,
}

#[derive(Serialize)]
struct Distribution {
    overall_qam64_pct: f64,
    overall_qam16_pct: f64,
    overall_qpsk_pct: f64,
    total_measurements: u64,
}

/// The JSON; its totals are those of all rows, whatever `top` leaves out.
pub fn json(top: Option<usize>, findings: &Findings<'_>, output: &mut dyn Write) -> io::Result<()> {
    let rows = rows(findings);
    let shown = &rows[..rows.len().min(top.unwrap_or(usize::MAX))];
    let document = Document {
        generated_at: format!(
            "{}.{:06}",
            local(findings.tz, findings.question.now).format("%Y-%m-%dT%H:%M:%S"),
            findings.question.now_us
        ),
        report_date: findings.file_date().to_string(),
        total_upstreams: rows.len(),
        total_hops: total_hops(&rows),
        summary: Summary {
            top_hoppers: shown,
            by_device_type: by_device_type(&rows),
            modulation_distribution: distribution(&rows),
        },
        full_data: shown.iter().map(|row| Full { row, device_type: device_type(row.cmts) }).collect(),
    };
    serde_json::to_writer_pretty(&mut *output, &document)?;
    output.write_all(b"\n")
}

fn total_hops<'a>(rows: impl IntoIterator<Item = &'a Row<'a>>) -> u64 {
    rows.into_iter().map(|row| row.hops).sum()
}

/// The first `CCAP0`, `CCAP1` or `CCAP2` with a digit after it.
fn device_type(cmts: &str) -> Option<&str> {
    cmts.match_indices("CCAP").find_map(|(at, _)| match cmts.as_bytes().get(at + 4..at + 6)? {
        [b'0'..=b'2', b'0'..=b'9'] => cmts.get(at..at + 5),
        _ => None,
    })
}

/// Plain means of the integer percents.
fn by_device_type(rows: &[Row<'_>]) -> Vec<DeviceType> {
    let mut groups: BTreeMap<&str, Vec<&Row<'_>>> = BTreeMap::new();
    for row in rows {
        if let Some(device_type) = device_type(row.cmts) {
            groups.entry(device_type).or_default().push(row);
        }
    }
    let group = |(device_type, rows): (&str, Vec<&Row<'_>>)| {
        let mean =
            |of: usize| one_decimal(rows.iter().map(|row| row.percents()[of]).sum(), rows.len() as u64);
        DeviceType {
            device_type: device_type.to_owned(),
            total_upstreams: rows.len(),
            total_hops: rows.iter().map(|row| row.hops).sum(),
            avg_qam64_pct: mean(0),
            avg_qam16_pct: mean(1),
            avg_qpsk_pct: mean(2),
        }
    };
    groups.into_iter().map(group).collect()
}

/// Means of the integer percents, weighted by measurements.
fn distribution(rows: &[Row<'_>]) -> Distribution {
    let total = rows.iter().map(|row| row.measurements).sum();
    let weighted =
        |of: usize| one_decimal(rows.iter().map(|row| row.percents()[of] * row.measurements).sum(), total);
    Distribution {
        overall_qam64_pct: weighted(0),
        overall_qam16_pct: weighted(1),
        overall_qpsk_pct: weighted(2),
        total_measurements: total,
    }
}

fn one_decimal(sum: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { (sum as f64 / of as f64 * 10.0).round_ties_even() / 10.0 }
}
