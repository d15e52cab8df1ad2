//! The report as one JSON object: the fields of the `report` record, and its rows in `rows`.

use std::io::{self, Write};

use crate::{
    record,
    report::{findings::Findings, request::Request},
};

/// One row a line, so that the file can also be read by people and compared by diff.
///
/// # Errors
/// Those of the writer.
pub fn write(request: &Request, findings: &Findings, output: &mut dyn Write) -> io::Result<()> {
    let mut head = Vec::new();
    record::write(&mut head, &findings.report(request))?;
    // The object stays open for its rows, which are written one by one: nothing is collected.
    let open = head.strip_suffix(b"}\n").unwrap_or(&head);
    output.write_all(open)?;
    output.write_all(b",\"rows\":[")?;
    for (number, row) in findings.rows(request).enumerate() {
        output.write_all(if number == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *output, &row)?;
    }
    output.write_all(b"\n]}\n")
}
