//! Reads standard input: `report` records, each with its rows, and `event` records. Other records pass by
//! unread; a line that is not a record is logged, counted, and named in the mail.

use std::{
    collections::BTreeSet,
    io::{self, BufRead},
};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    error::Result,
    ndjson::{Account, Lines},
    record::{self, BadLine, Event, Record, Report, Row, Timestamp},
    stage::Context,
};

/// A report with its rows.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Reading {
    pub report: Report,
    pub header: HeaderContext,
    /// In the order in which they came.
    pub lines: Vec<Line>,
    /// Lines between them that could not be read.
    pub bad_lines: u64,
}

/// A row of a report.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Line {
    pub row: Row,
    pub context: RowContext,
}

/// What a header says beyond its figures.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct HeaderContext {
    /// Devices that nobody polls any more.
    pub gone: Vec<Gone>,
    /// Days of the window that no data is left of, `YYYY-MM-DD`.
    pub missing_days: Vec<String>,
}

/// A device that nobody polls any more.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Gone {
    pub cmts: String,
    /// When it was polled last.
    #[serde(default)]
    pub since: Option<Timestamp>,
}

/// What surrounds an upstream: its place in the network, its channel, its customers, its history.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[allow(missing_docs)]
pub struct RowContext {
    pub node: Option<String>,
    pub hub: Option<String>,
    /// One sentence about the row, in the language of the report.
    pub says: Option<String>,
    /// When its present stretch below what is expected began.
    pub since: Option<Timestamp>,
    pub center_hz: Option<u64>,
    pub width_hz: Option<u64>,
    pub snr_db: Option<Snr>,
    pub modems: Option<u64>,
    /// Its place on the web page.
    pub url: Option<String>,
    /// Of the last 14 days, those below what is expected for half of the time.
    pub chronic_days: Option<u64>,
}

/// Signal to noise in the window, dB.
#[derive(Clone, Copy, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Snr {
    pub median: f64,
    pub min: f64,
}

impl Reading {
    /// The names of all CMTSs that the report is about, silent ones too.
    #[must_use]
    pub fn cmts(&self) -> BTreeSet<&str> {
        let silent = self.report.silent.iter().map(|device| device.cmts.as_str());
        self.rows().map(|row| row.cmts.as_str()).chain(silent).collect()
    }

    /// Its rows.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.lines.iter().map(|line| &line.row)
    }
}

/// The whole input.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// In the order in which they came.
    pub reports: Vec<Reading>,
    /// In the order in which they came.
    pub events: Vec<Event>,
    /// Lines that could not be read, those of the reports included.
    pub bad_lines: u64,
}

impl Input {
    fn take(&mut self, kind: &str, line: &str, bad_before: &mut u64) -> Result<(), BadLine> {
        let bad = |message: String| BadLine { kind: Some(kind.to_owned()), message };
        let failed = |e: serde_json::Error| bad(format!("{kind}: {e}"));
        let value: Value = serde_json::from_str(line).map_err(failed)?;
        match kind {
            "report" => {
                let report = Report::deserialize(&value).map_err(failed)?;
                let header = HeaderContext::deserialize(&value).map_err(failed)?;
                let bad_lines = std::mem::take(bad_before);
                self.reports.push(Reading { report, header, lines: Vec::new(), bad_lines });
            }
            "row" => {
                let row = Row::deserialize(&value).map_err(failed)?;
                let context = RowContext::deserialize(&value).map_err(failed)?;
                let orphan = || bad("a row without a report record before it".to_owned());
                self.reports.last_mut().ok_or_else(orphan)?.lines.push(Line { row, context });
            }
            "event" => self.events.push(Event::deserialize(&value).map_err(failed)?),
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
