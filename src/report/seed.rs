//! `--layout seed`: to the byte what the program printed that this one replaces, for those who read its
//! files. It knows three modulations, counts `hops_seed`, and rounds half percents to the even one.

use std::{
    borrow::Cow,
    cmp::Reverse,
    collections::BTreeMap,
    io::{self, Write},
};

use serde::Serialize;

use super::{
    arithmetic::{Numbers, SEED_MODULATIONS},
    findings::Findings,
    request::Request,
    window::local,
};
use crate::{record, text};

/// The first line of the CSV.
pub const HEADER: &str = "CMTS;upstream;hops;%QAM64;%QAM16;%QPSK;Metingen\n";

/// The percents of QAM64, QAM16 and QPSK, in this order.
type Percents = [u64; 3];

#[derive(Clone, Debug, Serialize)]
struct Row<'a> {
    cmts: &'a str,
    upstream: &'a str,
    hops: u64,
    qam64_pct: u64,
    qam16_pct: u64,
    qpsk_pct: u64,
    measurements: u64,
}

impl<'a> Row<'a> {
    /// `counts` are those of [`SEED_MODULATIONS`].
    fn new(cmts: &'a str, upstream: &'a str, hops: u64, counts: [u64; 3]) -> Option<Self> {
        let measurements: u64 = counts.iter().sum();
        if measurements == 0 {
            return None;
        }
        let percent = |count: u64| ((count as f64 / measurements as f64) * 100.0).round_ties_even() as u64;
        let [qam64_pct, qam16_pct, qpsk_pct] = counts.map(percent);
        Some(Row { cmts, upstream, hops, qam64_pct, qam16_pct, qpsk_pct, measurements })
    }

    fn percents(&self) -> Percents {
        [self.qam64_pct, self.qam16_pct, self.qpsk_pct]
    }
}

/// Hops descending, CMTS, then the bytes of the two names as one.
fn rows(findings: &Findings) -> Vec<Row<'_>> {
    let row = |&(number, ref numbers): &'_ (u32, Numbers)| {
        let about = findings.roster.about(number);
        let counts = SEED_MODULATIONS.map(|m| u64::from(numbers.counts[m.index()]));
        Row::new(about.cmts, about.upstream, numbers.hops_seed.into(), counts)
    };
    in_order(findings.lines.iter().filter_map(row).collect())
}

fn in_order(mut rows: Vec<Row<'_>>) -> Vec<Row<'_>> {
    // Within one CMTS the joined names compare as the upstreams do.
    rows.sort_by_key(|row| (Reverse(row.hops), row.cmts, row.upstream));
    rows
}

/// The CSV, at most `top` rows of it.
///
/// # Errors
/// Those of the writer.
pub fn csv(top: Option<usize>, findings: &Findings, output: &mut dyn Write) -> io::Result<()> {
    let rows = rows(findings);
    csv_rows(&rows[..rows.len().min(top.unwrap_or(usize::MAX))], output)
}

/// The CSV of rows that are records.
///
/// # Errors
/// Those of the writer.
pub fn csv_of<'a>(
    records: impl IntoIterator<Item = &'a record::Row>,
    output: &mut dyn Write,
) -> io::Result<()> {
    let row = |row: &'a record::Row| {
        let counts = SEED_MODULATIONS.map(|m| row.counts.get(&m).copied().unwrap_or(0));
        Row::new(&row.cmts, &row.upstream, row.hops_seed, counts)
    };
    csv_rows(&in_order(records.into_iter().filter_map(row).collect()), output)
}

fn csv_rows(rows: &[Row<'_>], output: &mut dyn Write) -> io::Result<()> {
    output.write_all(HEADER.as_bytes())?;
    for row in rows {
        let [qam64, qam16, qpsk] = row.percents();
        let (cmts, upstream, hops, measurements) =
            (cell(row.cmts), cell(row.upstream), row.hops, row.measurements);
        writeln!(output, "{cmts};{upstream};{hops};{qam64};{qam16};{qpsk};{measurements}")?;
    }
    Ok(())
}

/// A layout without quotes has no other way to keep a hostile name in its cell.
fn cell(name: &str) -> Cow<'_, str> {
    let harmless = text::csv_cell(name);
    if harmless.contains(|c: char| c == ';' || c.is_control()) {
        Cow::Owned(harmless.replace(|c: char| c == ';' || c.is_control(), "_"))
    } else {
        harmless
    }
}

#[derive(Serialize)]
struct Document<'a> {
    generated_at: String,
    report_date: String,
    total_upstreams: usize,
    total_hops: u64,
    summary: Summary<'a>,
    full_data: &'a [Row<'a>],
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
///
/// # Errors
/// Those of the writer.
pub fn json(
    request: &Request,
    top: Option<usize>,
    findings: &Findings,
    output: &mut dyn Write,
) -> io::Result<()> {
    let rows = rows(findings);
    let shown = &rows[..rows.len().min(top.unwrap_or(usize::MAX))];
    let document = Document {
        generated_at: local(request.tz, request.now).format("%Y-%m-%dT%H:%M:%S").to_string(),
        report_date: request.file_date(findings.frame.window).to_string(),
        total_upstreams: rows.len(),
        total_hops: total_hops(&rows),
        summary: Summary {
            top_hoppers: shown,
            by_device_type: by_device_type(&rows),
            modulation_distribution: distribution(&rows),
        },
        full_data: shown,
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
