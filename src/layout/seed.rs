//! `--layout seed` as CSV: to the byte what the program printed that this one replaces, for those who read its
//! files. It knows three modulations, counts `hops_seed`, and rounds half percents to the even one.

use std::{
    borrow::Cow,
    cmp::Reverse,
    io::{self, Write},
};

use serde::Serialize;

use crate::{measure::arithmetic::SEED_MODULATIONS, record, text};

/// The first line of the CSV.
pub const HEADER: &str = "CMTS;upstream;hops;%QAM64;%QAM16;%QPSK;Metingen\n";

/// The percents of QAM64, QAM16 and QPSK, in this order.
pub type Percents = [u64; 3];

/// A line of the layout.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Row<'a> {
    pub cmts: &'a str,
    pub upstream: &'a str,
    pub hops: u64,
    pub qam64_pct: u64,
    pub qam16_pct: u64,
    pub qpsk_pct: u64,
    pub measurements: u64,
}

impl<'a> Row<'a> {
    /// `counts`: samples of each of [`SEED_MODULATIONS`]. None when there are none.
    #[must_use]
    pub fn new(cmts: &'a str, upstream: &'a str, hops: u64, counts: [u64; 3]) -> Option<Self> {
        let measurements: u64 = counts.iter().sum();
        if measurements == 0 {
            return None;
        }
        let percent = |count: u64| ((count as f64 / measurements as f64) * 100.0).round_ties_even() as u64;
        let [qam64_pct, qam16_pct, qpsk_pct] = counts.map(percent);
        Some(Row { cmts, upstream, hops, qam64_pct, qam16_pct, qpsk_pct, measurements })
    }

    /// The row of a record.
    #[must_use]
    pub fn of_record(row: &'a record::Row) -> Option<Self> {
        let counts = SEED_MODULATIONS.map(|m| row.counts.get(&m).copied().unwrap_or(0));
        Row::new(&row.cmts, &row.upstream, row.hops_seed, counts)
    }

    /// QAM64, QAM16, QPSK.
    #[must_use]
    pub fn percents(&self) -> Percents {
        [self.qam64_pct, self.qam16_pct, self.qpsk_pct]
    }
}

/// Hops descending, CMTS, then the bytes of the two names as one.
#[must_use]
pub fn in_order(mut rows: Vec<Row<'_>>) -> Vec<Row<'_>> {
    // Within one CMTS the joined names compare as the upstreams do.
    rows.sort_by_key(|row| (Reverse(row.hops), row.cmts, row.upstream));
    rows
}

/// The CSV of rows that are records.
pub fn write<'a>(
    records: impl IntoIterator<Item = &'a record::Row>,
    output: &mut dyn Write,
) -> io::Result<()> {
    write_rows(&in_order(records.into_iter().filter_map(Row::of_record).collect()), output)
}

/// The CSV of rows in this layout.
pub fn write_rows(rows: &[Row<'_>], output: &mut dyn Write) -> io::Result<()> {
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
    let has_no_place = |c: char| c == ';' || c.is_control();
    if name.contains(has_no_place) {
        Cow::Owned(text::csv_cell(&name.replace(has_no_place, "_")).into_owned())
    } else {
        text::csv_cell(name)
    }
}
