//! Reading a record stream line by line: numbers, lossy UTF-8, the warning about newer versions,
//! and the account of bad lines that every filter keeps in the same way.

use std::{
    borrow::Cow,
    io::{BufRead, Write},
};

use crate::{
    error::{Error, Result},
    record::{self, BadLine, Fault, Record, Timestamp},
};

/// The lines of a stream. Blank lines are passed over; the last one need not end in a line feed.
pub struct Lines<R> {
    input: R,
    line: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    /// Reads from `input`.
    pub fn new(input: R) -> Self {
        Lines { input, line: Vec::new(), number: 0 }
    }

    /// The next line without its end, or none at the end of the input.
    ///
    /// # Errors
    /// [`Error::Input`].
    pub fn next_line(&mut self) -> Result<Option<Cow<'_, str>>> {
        loop {
            self.line.clear();
            if self.input.read_until(b'\n', &mut self.line).map_err(Error::Input)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if self.line.iter().any(|b| !b.is_ascii_whitespace()) {
                break;
            }
        }
        while self.line.last().is_some_and(|b| matches!(b, b'\n' | b'\r')) {
            self.line.pop();
        }
        Ok(Some(String::from_utf8_lossy(&self.line)))
    }

    /// Number of the line that was read last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }
}

/// What a filter has seen of its input, for its exit code and its last words.
#[derive(Clone, Copy, Debug, Default)]
pub struct Account {
    /// Lines that could not be used.
    pub bad: u64,
    /// `scan` or `capture` records.
    pub scans: u64,
    /// Whether `end` came after them.
    pub ended: bool,
    warned_newer: bool,
}

impl Account {
    /// Whether the stream broke off: scans were seen and no `end` followed.
    #[must_use]
    pub fn broke_off(&self) -> bool {
        self.scans > 0 && !self.ended
    }

    /// Notes what one decoded line says about the stream.
    pub fn note(&mut self, record: &Record) {
        match record {
            Record::Capture(_) | Record::Scan(_) => {
                self.scans += 1;
                self.ended = false;
            }
            Record::End(_) => self.ended = true,
            Record::Newer(v) if !self.warned_newer => {
                self.warned_newer = true;
                log::warn!("records of version {v} are passed through unread; a newer modtools knows them");
            }
            _ => {}
        }
    }

    /// Counts a line that could not be used: one line on stderr and an `error` record.
    ///
    /// # Errors
    /// Those of the output.
    pub fn bad_line(
        &mut self,
        stage: &str,
        now: Timestamp,
        line: u64,
        bad: &BadLine,
        output: &mut impl Write,
    ) -> Result<()> {
        self.bad += 1;
        log::warn!("line {line}: {}", bad.message);
        let fault =
            Fault { ts: now, stage: stage.to_owned(), line: Some(line), message: bad.message.clone() };
        record::write(output, &fault).map_err(Error::output)
    }
}
