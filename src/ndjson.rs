//! Reading a record stream line by line: numbers, lossy UTF-8, the warning about newer versions,
//! and the account of bad lines that every filter keeps in the same way.

use std::{
    borrow::Cow,
    io::{self, BufRead, Write},
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
    /// Bytes that lie in the input's buffer behind the line that was read last.
    buffered: usize,
}

impl<R: BufRead> Lines<R> {
    /// Reads from `input`.
    pub fn new(input: R) -> Self {
        Lines { input, line: Vec::new(), number: 0, buffered: 0 }
    }

    /// The next line without its end, or none at the end of the input.
    ///
    /// # Errors
    /// [`Error::Input`].
    pub fn next_line(&mut self) -> Result<Option<Cow<'_, str>>> {
        Ok(self.next_numbered()?.map(|(_, line)| line))
    }

    /// Reads the next line that is not blank; false at the end of the input.
    fn advance(&mut self) -> Result<bool> {
        loop {
            self.line.clear();
            if !self.read_line().map_err(Error::Input)? {
                return Ok(false);
            }
            self.number += 1;
            if self.line.iter().any(|b| !b.is_ascii_whitespace()) {
                break;
            }
        }
        while self.line.last().is_some_and(|b| matches!(b, b'\n' | b'\r')) {
            self.line.pop();
        }
        Ok(true)
    }

    /// Reads up to and with the next line feed, or to the end; false when nothing is left.
    fn read_line(&mut self) -> io::Result<bool> {
        loop {
            let buffer = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                buffer => buffer?,
            };
            let end = memchr::memchr(b'\n', buffer).map(|at| at + 1);
            let used = end.unwrap_or(buffer.len());
            self.line.extend_from_slice(&buffer[..used]);
            self.buffered = buffer.len() - used;
            self.input.consume(used);
            if end.is_some() || used == 0 {
                return Ok(!self.line.is_empty());
            }
        }
    }

    /// Whether another line can be had without waiting for the input.
    ///
    /// # Errors
    /// [`Error::Input`].
    pub fn has_buffered_line(&mut self) -> Result<bool> {
        if self.buffered == 0 {
            return Ok(false);
        }
        let buffer = self.input.fill_buf().map_err(Error::Input)?;
        Ok(memchr::memchr(b'\n', buffer).is_some())
    }

    /// The next line with its number.
    ///
    /// # Errors
    /// [`Error::Input`].
    pub fn next_numbered(&mut self) -> Result<Option<(u64, Cow<'_, str>)>> {
        if !self.advance()? {
            return Ok(None);
        }
        Ok(Some((self.number, String::from_utf8_lossy(&self.line))))
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
