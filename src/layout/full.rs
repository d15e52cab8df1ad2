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

/// A column: its name and what it takes from a row.
type Column = (&'static str, fn(&Row) -> String);

/// Every column but those per modulation.
const COLUMNS: [Column; 41] = [
    ("cmts", |row| safe(&row.cmts)),
    ("upstream", |row| safe(&row.upstream)),
    ("platform", |row| text(row.platform.as_deref())),
    ("description", |row| text(row.description.as_deref())),
    ("last", |row| row.last.to_string()),
    ("worst", |row| shown(row.worst)),
    ("expected", |row| shown(row.expected)),
    ("hops", |row| row.hops.to_string()),
    ("hops_down", |row| row.hops_down.to_string()),
    ("hops_up", |row| row.hops_up.to_string()),
    ("hops_seed", |row| row.hops_seed.to_string()),
    ("measurements", |row| row.measurements.to_string()),
    ("observed_s", |row| row.observed_s.to_string()),
    ("coverage_pct", |row| row.coverage_pct.to_string()),
    ("degraded_s", |row| row.degraded_s.to_string()),
    ("longest_degraded_s", |row| row.longest_degraded_s.to_string()),
    ("lost_pct", |row| shown(row.lost_pct)),
    ("lost_mbps", |row| shown(row.lost_mbps)),
    ("lost_gb", |row| shown(row.lost_gb)),
    ("flapping", |row| row.flapping.to_string()),
    // An hour without any sample is a `-`: a strip may begin with one, like a formula.
    ("hours", |row| text(row.hours.as_deref())),
    ("why", |row| row.why.iter().map(|why| why.word()).collect::<Vec<_>>().join(" ")),
    ("delta_hops", |row| shown(row.delta.map(|delta| delta.hops))),
    ("delta_lost_pct", |row| shown(row.delta.and_then(|delta| delta.lost_pct))),
    ("maintenance_s", |row| row.maintenance_s.unwrap_or(0).to_string()),
    ("best_seen", |row| text(row.best_seen.as_deref())),
    ("since", |row| shown(row.since)),
    ("chronic_days", |row| row.chronic_days.to_string()),
    ("center_hz", |row| shown(row.center_hz)),
    ("width_hz", |row| shown(row.width_hz)),
    ("modems", |row| shown(row.modems)),
    ("node", |row| text(row.node.as_deref())),
    ("hub", |row| text(row.hub.as_deref())),
    ("area", |row| text(row.area.as_deref())),
    ("customer_hours", |row| shown(row.customer_hours)),
    ("snr_db_median", |row| shown(row.snr_db.map(|snr| snr.median))),
    ("snr_db_min", |row| shown(row.snr_db.map(|snr| snr.min))),
    ("snr_db_degraded", |row| shown(row.snr_db.and_then(|snr| snr.degraded))),
    ("snr_db_otherwise", |row| shown(row.snr_db.and_then(|snr| snr.otherwise))),
    ("url", |row| text(row.url.as_deref())),
    ("says", |row| safe(&row.says)),
];

/// A column that there is for each modulation: the begin of its name, and its cell.
type PerModulationColumn = (&'static str, fn(&Row, Modulation) -> String);

const PER_MODULATION: [PerModulationColumn; 3] = [
    ("counts", |row, m| or_zero(&row.counts, m)),
    ("share_pct", |row, m| or_zero(&row.share_pct, m)),
    ("time_pct", |row, m| or_zero(&row.time_pct, m)),
];

/// All columns, in every report the same.
///
/// # Errors
/// Those of the writer.
pub fn write<R: Borrow<Row>>(rows: impl IntoIterator<Item = R>, output: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(output);
    writer.write_record(names())?;
    for row in rows {
        writer.write_record(cells(row.borrow()))?;
    }
    writer.flush()
}

/// The names of all columns.
pub fn names() -> impl Iterator<Item = String> {
    let plain = COLUMNS.iter().map(|(name, _)| (*name).to_owned());
    plain.chain(per_modulation().map(|((name, _), m)| format!("{name}_{m}")))
}

/// The cells of a row.
pub fn cells(row: &Row) -> impl Iterator<Item = String> + '_ {
    let plain = COLUMNS.iter().map(|(_, cell)| cell(row));
    plain.chain(per_modulation().map(|((_, cell), m)| cell(row, m)))
}

fn per_modulation() -> impl Iterator<Item = (&'static PerModulationColumn, Modulation)> {
    PER_MODULATION.iter().flat_map(|column| Modulation::ALL.into_iter().map(move |m| (column, m)))
}

fn safe(text: &str) -> String {
    text::csv_cell(text).into_owned()
}

fn text(text: Option<&str>) -> String {
    safe(text.unwrap_or_default())
}

fn shown<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn or_zero<T: ToString>(of: &PerModulation<T>, m: Modulation) -> String {
    of.get(&m).map_or_else(|| "0".to_owned(), T::to_string)
}
