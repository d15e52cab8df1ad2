//! The rows, or the sums of them, as CSV.

use std::io::{self, Write};

use super::{Format, GroupFormat};
use crate::{
    layout::full,
    record::Group,
    report::{
        findings::Findings,
        groups::{Groups, whys},
        request::View,
    },
    text,
};

/// RFC 4180.
#[derive(Debug)]
pub struct Csv;

impl Format for Csv {
    fn write(&self, view: &View, findings: &Findings<'_>, output: &mut dyn Write) -> io::Result<()> {
        full::write(findings.rows(view), output)
    }
}

impl GroupFormat for Csv {
    fn write_groups(
        &self,
        _: &View,
        _: &Findings<'_>,
        groups: &Groups,
        output: &mut dyn Write,
    ) -> io::Result<()> {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(output);
        writer.write_record(COLUMNS.map(|(name, _)| name))?;
        for group in groups.shown() {
            writer.write_record(COLUMNS.map(|(_, cell)| cell(group)))?;
        }
        writer.flush()
    }
}

/// A column of the CSV: its name and what it takes from a group.
type Column = (&'static str, fn(&Group) -> String);

const COLUMNS: [Column; 11] = [
    ("cmts", |group| safe(group.cmts.as_deref())),
    ("description", |group| safe(group.description.as_deref())),
    ("upstreams", |group| group.upstreams.to_string()),
    ("degraded", |group| group.degraded.to_string()),
    ("hops", |group| group.hops.to_string()),
    ("degraded_s", |group| group.degraded_s.to_string()),
    ("coverage_pct", |group| group.coverage_pct.to_string()),
    ("lost_pct", |group| shown(group.lost_pct)),
    ("lost_mbps", |group| shown(group.lost_mbps)),
    ("lost_gb", |group| shown(group.lost_gb)),
    ("why", whys),
];

fn safe(text: Option<&str>) -> String {
    text::csv_cell(text.unwrap_or_default()).into_owned()
}

fn shown(number: Option<f64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}
