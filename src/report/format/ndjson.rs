//! The report as records: what the next tool reads.

use std::io::{self, Write};

use crate::{
    record,
    report::{findings::Findings, request::Request},
};

/// The `report`, then its `row`s.
///
/// # Errors
/// Those of the writer.
pub fn write(request: &Request, findings: &Findings, output: &mut dyn Write) -> io::Result<()> {
    record::write(output, &findings.report(request))?;
    findings.rows(request).try_for_each(|row| record::write(output, &row))
}
