//! The rows, or the sums of them, as CSV.

use std::io::{self, Write};

use super::{Format, GroupFormat};
use crate::{
    layout::full,
    report::{
        findings::Findings,
        groups::{Groups, cells},
        request::View,
    },
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
    fn write_groups(&self, groups: &Groups<'_, '_>, output: &mut dyn Write) -> io::Result<()> {
        let mut table = full::Table::new(&groups.names(), output)?;
        groups.shown().iter().try_for_each(|group| table.line(cells(group)))?;
        table.finish()
    }
}
