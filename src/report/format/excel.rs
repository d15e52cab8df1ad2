//! The rows as a spreadsheet opens them by a double click.

use std::io::{self, Write};

use super::{Format, GroupFormat, csv::Csv};
use crate::{
    layout::excel,
    report::{findings::Findings, groups::Groups, request::View},
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
    fn write_groups(
        &self,
        view: &View,
        findings: &Findings<'_>,
        groups: &Groups,
        output: &mut dyn Write,
    ) -> io::Result<()> {
        Csv.write_groups(view, findings, groups, output)
    }
}
