//! The rows, or the sums of them, as a spreadsheet opens them by a double click.

use std::io::{self, Write};

use super::{Format, GroupFormat};
use crate::{
    layout::excel,
    report::{
        findings::Findings,
        groups::{Groups, cells},
        request::View,
    },
};

/// CSV in the form of a spreadsheet.
#[derive(Debug)]
pub struct Excel;

impl Format for Excel {
    fn write(&self, view: &View, findings: &Findings<'_>, output: &mut dyn Write) -> io::Result<()> {
        excel::write(findings.rows(view), view.language, output)
    }
}

impl GroupFormat for Excel {
    fn write_groups(&self, groups: &Groups<'_, '_>, output: &mut dyn Write) -> io::Result<()> {
        let mut sheet = excel::Sheet::new(&groups.names(), groups.view.language, output)?;
        groups.shown().iter().try_for_each(|group| sheet.line(cells(group)))?;
        sheet.finish()
    }
}
