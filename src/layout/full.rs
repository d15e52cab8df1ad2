//! The rows as CSV (RFC 4180: CRLF, quotes where they are needed), with the names of the record's fields as
//! the header. Text cells that a spreadsheet would take for a formula are made harmless.

use std::{
    borrow::Borrow,
    io::{self, Write},
};

use crate::{
    modulation::Modulation,
    record::{PerModulation, Row},
    text,
};

const COLUMNS: [&str; 26] = [
    "cmts",
    "upstream",
    "platform",
    "description",
    "last",
    "worst",
    "expected",
    "hops",
    "hops_down",
    "hops_up",
    "hops_seed",
    "measurements",
    "observed_s",
    "coverage_pct",
    "degraded_s",
    "longest_degraded_s",
    "lost_pct",
    "lost_mbps",
    "lost_gb",
    "flapping",
    "hours",
    "why",
    "delta_hops",
    "delta_lost_pct",
    "maintenance_s",
    "generated_at",
];

/// All columns, in every report the same: after those of [`COLUMNS`] three for each modulation.
///
/// # Errors
/// Those of the writer.
pub fn write<R: Borrow<Row>>(rows: impl IntoIterator<Item = R>, output: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(output);
    let per_modulation = ["counts", "share_pct", "time_pct"]
        .iter()
        .flat_map(|of| Modulation::ALL.iter().map(move |m| format!("{of}_{m}")));
    writer.write_record(COLUMNS.map(str::to_owned).into_iter().chain(per_modulation))?;
    for row in rows {
        writer.write_record(cells(row.borrow()))?;
    }
    writer.flush()
}

fn cells(row: &Row) -> Vec<String> {
    let text = |text: &str| text::csv_cell(text).into_owned();
    let maybe = |text: Option<String>| text.unwrap_or_default();
    let word = |m: Option<Modulation>| maybe(m.map(|m| m.to_string()));
    let number = |number: Option<f64>| maybe(number.map(|number| number.to_string()));
    let mut cells = vec![
        text(&row.cmts),
        text(&row.upstream),
        text(row.platform.as_deref().unwrap_or_default()),
        text(row.description.as_deref().unwrap_or_default()),
        row.last.to_string(),
        word(row.worst),
        word(row.expected),
        row.hops.to_string(),
        row.hops_down.to_string(),
        row.hops_up.to_string(),
        row.hops_seed.to_string(),
        row.measurements.to_string(),
        row.observed_s.to_string(),
        row.coverage_pct.to_string(),
        row.degraded_s.to_string(),
        row.longest_degraded_s.to_string(),
        number(row.lost_pct),
        number(row.lost_mbps),
        number(row.lost_gb),
        row.flapping.to_string(),
        // An hour without any sample is a `-`: a strip may begin with one, like a formula.
        text(row.hours.as_deref().unwrap_or_default()),
        row.why.iter().map(|why| why.word()).collect::<Vec<_>>().join(" "),
        maybe(row.delta.map(|delta| delta.hops.to_string())),
        number(row.delta.and_then(|delta| delta.lost_pct)),
        row.maintenance_s.unwrap_or(0).to_string(),
        row.ts.to_string(),
    ];
    extend(&mut cells, &row.counts);
    extend(&mut cells, &row.share_pct);
    extend(&mut cells, &row.time_pct);
    cells
}

fn extend<T: ToString>(cells: &mut Vec<String>, of: &PerModulation<T>) {
    cells.extend(Modulation::ALL.iter().map(|m| of.get(m).map_or_else(|| "0".to_owned(), T::to_string)));
}
