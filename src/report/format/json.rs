//! The report as one JSON object: the fields of the `report` record, and its rows in `rows` or its sums in
//! `groups`.

use std::io::{self, Write};

use super::{Format, GroupFormat};
use crate::{
    record,
    report::{findings::Findings, groups::Groups, request::View},
};

/// One object.
#[derive(Debug)]
pub struct Json;

impl Format for Json {
    /// One row a line, so that the file can also be read by people and compared by diff.
    fn write(&self, view: &View, findings: &Findings<'_>, output: &mut dyn Write) -> io::Result<()> {
        let mut head = Vec::new();
        record::write(&mut head, &findings.report())?;
        // The object stays open for its rows, which are written one by one: nothing is collected.
        let open = head.strip_suffix(b"}\n").unwrap_or(&head);
        output.write_all(open)?;
        output.write_all(b",\"rows\":[")?;
        for (number, row) in findings.rows(view).enumerate() {
            output.write_all(if number == 0 { b"\n" } else { b",\n" })?;
            serde_json::to_writer(&mut *output, &row)?;
        }
        output.write_all(b"\n]}\n")
    }
}

impl GroupFormat for Json {
    fn write_groups(&self, groups: &Groups<'_, '_>, output: &mut dyn Write) -> io::Result<()> {
        let mut report = serde_json::to_value(groups.findings.report())?;
        report["groups"] = serde_json::to_value(groups.shown())?;
        serde_json::to_writer_pretty(&mut *output, &report)?;
        output.write_all(b"\n")
    }
}
