//! Reads standard input: `report` records, each with its rows, and `event` records. Other records pass by
//! unread; a line that is not a record is logged, counted, and named in the mail.

use std::{
    collections::BTreeSet,
    io::{self, BufRead},
};

use crate::{
    error::Result,
    ndjson::{Account, Lines},
    record::{self, BadLine, Event, Record, Report, Row},
    stage::Context,
};

/// A report with its rows.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Reading {
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
    /// In the order in which they came.
    pub events: Vec<Event>,
    /// Lines that could not be read, including the ones that the reports count.
    pub bad_lines: u64,
}

impl Input {
    fn take(&mut self, kind: &str, line: &str, bad_before: &mut u64) -> Result<(), BadLine> {
        let bad = |message: String| BadLine { kind: Some(kind.to_owned()), message };
        let failed = |e: serde_json::Error| bad(format!("{kind}: {e}"));
        match kind {
            "report" => {
                let report = serde_json::from_str(line).map_err(failed)?;
                let bad_lines = std::mem::take(bad_before);
                self.reports.push(Reading { report, rows: Vec::new(), bad_lines });
            }
            "row" => {
                let row = serde_json::from_str(line).map_err(failed)?;
                let orphan = || bad("a row without a report record before it".to_owned());
                self.reports.last_mut().ok_or_else(orphan)?.rows.push(row);
            }
            "event" => self.events.push(serde_json::from_str(line).map_err(failed)?),
            _ => {}
        }
        Ok(())
    }
}

/// Reads the input to its end.
///
/// # Errors
/// [`crate::error::Error::Input`] when the input cannot be read.
pub fn read(context: &Context, input: &mut dyn BufRead) -> Result<Input> {
    let mut lines = Lines::new(input);
    let mut account = Account::default();
    let mut found = Input::default();
    let mut bad_before = 0;
    while let Some(line) = lines.next_line()? {
        let line = line.map(str::to_owned);
        let decoded = line.as_deref().map_err(Clone::clone).and_then(record::decode);
        let line = line.unwrap_or_default();
        let taken = match decoded {
            Ok(Record::Other(kind)) => found.take(&kind, &line, &mut bad_before),
            Ok(other) => {
                account.note(&other);
                Ok(())
            }
            Err(bad) => Err(bad),
        };
        if let Err(bad) = taken {
            let number = lines.number();
            // Standard output is not a stream of records here: the error record has no reader.
            account.bad_line(context.tool, context.clock.now(), number, &bad, &mut io::sink())?;
            *found.reports.last_mut().map_or(&mut bad_before, |reading| &mut reading.bad_lines) += 1;
        }
    }
    found.bad_lines = account.bad;
    Ok(found)
}
