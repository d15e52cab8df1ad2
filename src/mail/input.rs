//! Reads standard input: `report` records, each with its rows. Other records pass by unread; a line that is
//! not a record is logged, counted, and named in the mail.

use std::{
    collections::BTreeSet,
    io::{self, BufRead},
};

use serde::Deserialize;

use crate::{
    error::Result,
    ndjson::{Account, Lines},
    record::{self, BadLine, Record, Report, Row},
    stage::Context,
};

/// A report with its rows.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Its header.
    pub report: Report,
    /// In the order in which they came.
    pub rows: Vec<Row>,
    /// Lines between them that could not be read.
    pub bad_lines: u64,
}

impl Reading {
    /// The names of all CMTSs that the report is about, silent ones too.
    #[must_use]
    pub fn cmts(&self) -> BTreeSet<&str> {
        let silent = self.report.silent.iter().map(|device| device.cmts.as_str());
        self.rows.iter().map(|row| row.cmts.as_str()).chain(silent).collect()
    }
}

/// The whole input.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// In the order in which they came.
    pub reports: Vec<Reading>,
    /// Lines that could not be read, those of the reports included.
    pub bad_lines: u64,
}

/// Reads the input to its end.
///
/// # Errors
/// [`crate::error::Error::Input`] when the input cannot be read.
pub fn read(context: &Context, input: &mut dyn BufRead) -> Result<Input> {
    let mut lines = Lines::new(input);
    let mut account = Account::default();
    let mut reports: Vec<Reading> = Vec::new();
    let mut bad_before = 0;
    while let Some(line) = lines.next_line()? {
        let line = line.into_owned();
        let bad = match record::decode(&line) {
            Ok(Record::Other(kind)) if kind == "report" => body(&line, "report").map(|report| {
                let bad_lines = std::mem::take(&mut bad_before);
                reports.push(Reading { report, rows: Vec::new(), bad_lines });
            }),
            Ok(Record::Other(kind)) if kind == "row" => body(&line, "row").and_then(|row| {
                let orphan = || bad_line("row", "a row without a report record before it");
                let reading = reports.last_mut().ok_or_else(orphan)?;
                reading.rows.push(row);
                Ok(())
            }),
            Ok(other) => {
                account.note(&other);
                Ok(())
            }
            Err(bad) => Err(bad),
        };
        if let Err(bad) = bad {
            let number = lines.number();
            // Standard output is not a stream of records here: the error record has no reader.
            account.bad_line(context.tool, context.clock.now(), number, &bad, &mut io::sink())?;
            *reports.last_mut().map_or(&mut bad_before, |reading| &mut reading.bad_lines) += 1;
        }
    }
    Ok(Input { reports, bad_lines: account.bad })
}

fn body<'a, T: Deserialize<'a>>(line: &'a str, kind: &str) -> Result<T, BadLine> {
    serde_json::from_str(line).map_err(|e| bad_line(kind, &format!("{kind}: {e}")))
}

fn bad_line(kind: &str, message: &str) -> BadLine {
    BadLine { kind: Some(kind.to_owned()), message: message.to_owned() }
}
