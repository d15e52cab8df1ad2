//! The report as records: what the next tool reads.

use std::io::{self, Write};

use super::{Format, GroupFormat};
use crate::{
    record,
    report::{findings::Findings, groups::Groups, request::View},
};

/// A `report` record, then a `row` or `group` record each.
#[derive(Debug)]
pub struct Ndjson;

impl Format for Ndjson {
    fn write(&self, view: &View, findings: &Findings<'_>, output: &mut dyn Write) -> io::Result<()> {
        record::write(output, &findings.report())?;
        findings.rows(view).try_for_each(|row| record::write(output, &row))
    }
}

impl GroupFormat for Ndjson {
    fn write_groups(&self, groups: &Groups<'_, '_>, output: &mut dyn Write) -> io::Result<()> {
        record::write(output, &groups.findings.report())?;
        groups.shown().iter().try_for_each(|group| record::write(output, group))
    }
}
