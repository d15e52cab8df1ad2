//! The rows as CSV (RFC 4180: CRLF, quotes where they are needed), with the names of the record's fields as
//! the header. Text cells that a spreadsheet would take for a formula are made harmless.

use std::{
    borrow::{Borrow, Cow},
    io::{self, Write},
};

use crate::{
    modulation::Modulation,
    record::{PerModulation, Row},
    text,
};

/// What a column has of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Nothing: an empty cell.
    Missing,
    /// Text that others chose, or that looks like a number and is none.
    Text(Cow<'a, str>),
    /// A word, date or time of our own.
    Word(Cow<'static, str>),
    /// A number; whole ones up to 2^53.
    Number(f64),
}

impl Cell<'_> {
    /// As it stands in a CSV file.
    #[must_use]
    pub fn to_csv(&self) -> Cow<'_, str> {
        match self {
            Cell::Missing => Cow::Borrowed(""),
            Cell::Text(text) => text::csv_cell(text),
            Cell::Word(word) => Cow::Borrowed(word),
            Cell::Number(number) => Cow::Owned(number.to_string()),
        }
    }
}

/// A column: its name and what it takes from a row.
type Column = (&'static str, fn(&Row) -> Cell<'_>);

/// Every column but those per modulation.
const COLUMNS: [Column; 42] = [
    ("cmts", |row| text(Some(&row.cmts))),
    ("upstream", |row| text(Some(&row.upstream))),
    ("platform", |row| text(row.platform.as_deref())),
    ("description", |row| text(row.description.as_deref())),
    ("last", |row| word(Some(row.last))),
    ("worst", |row| word(row.worst)),
    ("expected", |row| word(row.expected)),
    ("hops", |row| number(Some(row.hops))),
    ("hops_down", |row| number(Some(row.hops_down))),
    ("hops_up", |row| number(Some(row.hops_up))),
    ("hops_seed", |row| number(Some(row.hops_seed))),
    ("measurements", |row| number(Some(row.measurements))),
    ("observed_s", |row| number(Some(row.observed_s))),
    ("coverage_pct", |row| number(Some(row.coverage_pct))),
    ("degraded_s", |row| number(Some(row.degraded_s))),
    ("longest_degraded_s", |row| number(Some(row.longest_degraded_s))),
    ("lost_pct", |row| number(row.lost_pct)),
    ("lost_mbps", |row| number(row.lost_mbps)),
    ("lost_gb", |row| number(row.lost_gb)),
    ("flapping", |row| word(Some(row.flapping))),
    // An hour without any sample is a `-`: a strip may begin with one, like a formula.
    ("hours", |row| text(row.hours.as_deref())),
    ("why", |row| Cell::Text(row.why.iter().map(|why| why.word()).collect::<Vec<_>>().join(" ").into())),
    ("delta_hops", |row| number(row.delta.map(|delta| delta.hops))),
    ("delta_lost_pct", |row| number(row.delta.and_then(|delta| delta.lost_pct))),
    ("maintenance_s", |row| number(Some(row.maintenance_s.unwrap_or(0)))),
    ("best_seen", |row| word(row.best_seen.as_ref())),
    ("since", |row| word(row.since)),
    ("chronic_days", |row| number(Some(row.chronic_days))),
    ("center_hz", |row| number(row.center_hz)),
    ("width_hz", |row| number(row.width_hz)),
    ("modems", |row| number(row.modems)),
    ("node", |row| text(row.node.as_deref())),
    ("hub", |row| text(row.hub.as_deref())),
    ("area", |row| text(row.area.as_deref())),
    ("homes", |row| number(row.homes)),
    ("customer_hours", |row| number(row.customer_hours)),
    ("snr_db_median", |row| number(row.snr_db.map(|snr| snr.median))),
    ("snr_db_min", |row| number(row.snr_db.map(|snr| snr.min))),
    ("snr_db_degraded", |row| number(row.snr_db.and_then(|snr| snr.degraded))),
    ("snr_db_otherwise", |row| number(row.snr_db.and_then(|snr| snr.otherwise))),
    ("url", |row| text(row.url.as_deref())),
    ("says", |row| text(Some(&row.says))),
];

/// A column that there is for each modulation: the begin of its name, and its cell.
type PerModulationColumn = (&'static str, fn(&Row, Modulation) -> Cell<'_>);

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
        for cell in cells(row.borrow()) {
            writer.write_field(cell.to_csv().as_bytes())?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.flush()
}

/// The names of all columns.
pub fn names() -> impl Iterator<Item = String> {
    let plain = COLUMNS.iter().map(|(name, _)| (*name).to_owned());
    plain.chain(per_modulation().map(|((name, _), m)| format!("{name}_{m}")))
}

/// The cells of a row.
pub fn cells(row: &Row) -> impl Iterator<Item = Cell<'_>> {
    let plain = COLUMNS.iter().map(|(_, cell)| cell(row));
    plain.chain(per_modulation().map(|((_, cell), m)| cell(row, m)))
}

fn per_modulation() -> impl Iterator<Item = (&'static PerModulationColumn, Modulation)> {
    PER_MODULATION.iter().flat_map(|column| Modulation::ALL.into_iter().map(move |m| (column, m)))
}

fn text(text: Option<&str>) -> Cell<'_> {
    text.map_or(Cell::Missing, |text| Cell::Text(text.into()))
}

fn word<T: ToString>(value: Option<T>) -> Cell<'static> {
    value.map_or(Cell::Missing, |value| Cell::Word(value.to_string().into()))
}

fn number<T: Figure>(value: Option<T>) -> Cell<'static> {
    value.map_or(Cell::Missing, |value| Cell::Number(value.figure()))
}

fn or_zero<T: Figure + Copy>(of: &PerModulation<T>, m: Modulation) -> Cell<'static> {
    number(Some(of.get(&m).map_or(0.0, |&value| value.figure())))
}

/// A number of a row as a cell has it.
trait Figure {
    fn figure(self) -> f64;
}

impl Figure for f64 {
    fn figure(self) -> f64 {
        self
    }
}

impl Figure for u64 {
    fn figure(self) -> f64 {
        self as f64
    }
}

impl Figure for i64 {
    fn figure(self) -> f64 {
        self as f64
    }
}

impl Figure for u32 {
    fn figure(self) -> f64 {
        self.into()
    }
}
