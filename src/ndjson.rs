//! Reading a record stream line by line: numbers, encoding, the limit on the length of a line, the warning
//! about newer versions, and the account of bad lines that every filter keeps in the same way.

use std::io::{self, BufRead, Write};

use crate::{
    error::{Error, Result},
    record::{self, BadLine, Fault, Record, Timestamp},
    text::encoding,
};

/// Bytes of the longest line that is read; a capture with all its answers stays below it.
pub const LONGEST: usize = 64 << 20;
/// A buffer that a long line has grown is given back after it.
const KEPT: usize = 1 << 20;

/// The lines of a stream. Blank lines are passed over; the last one need not end in a line feed.
pub struct Lines<R> {
    input: R,
    line: Vec<u8>,
    number: u64,
    /// Bytes that lie in the input's buffer behind the line that was read last.
    buffered: usize,
}

/// How a line ended.
enum Read {
    Whole,
    TooLong,
    Nothing,
}

impl<R: BufRead> Lines<R> {
    /// Reads from `input`.
    pub fn new(input: R) -> Self {
        Lines { input, line: Vec::new(), number: 0, buffered: 0 }
    }

    /// The next line without its end, or what is wrong with it; none at the end of the input.
    ///
    /// # Errors
    /// [`Error::Input`]; [`Error::Usage`] for a stream in UTF-16, of which no line could be read.
    pub fn next_line(&mut self) -> Result<Option<Result<&str, BadLine>>> {
        Ok(self.next_numbered()?.map(|(_, line)| line))
    }

    /// The next line with its number.
    pub fn next_numbered(&mut self) -> Result<Option<(u64, Result<&str, BadLine>)>> {
        loop {
            self.line.clear();
            self.line.shrink_to(KEPT);
            let read = self.read_line().map_err(Error::Input)?;
            self.number += 1;
            match read {
                Read::Nothing => {
                    self.number -= 1;
                    return Ok(None);
                }
                Read::TooLong => {
                    return Ok(Some((self.number, bad(format!("longer than {} MiB", LONGEST >> 20)))));
                }
                Read::Whole if self.number == 1 && encoding::is_utf16(&self.line) => {
                    let utf16 = encoding::Encoding::Utf16;
                    return Err(Error::usage(format!("line 1 of the input: {utf16}")));
                }
                Read::Whole if self.line.iter().any(|b| !b.is_ascii_whitespace()) => break,
                Read::Whole => {}
            }
        }
        while self.line.last().is_some_and(|b| matches!(b, b'\n' | b'\r')) {
            self.line.pop();
        }
        let line = match std::str::from_utf8(&self.line) {
            Ok(line) => Ok(line.strip_prefix(encoding::BYTE_ORDER_MARK).unwrap_or(line)),
            Err(error) => {
                let byte = self.line.get(error.valid_up_to()).copied().unwrap_or(0);
                bad(encoding::Encoding::Byte(byte).to_string())
            }
        };
        Ok(Some((self.number, line)))
    }

    /// Reads up to and with the next line feed, or to the end. Of a line that is too long nothing is held.
    fn read_line(&mut self) -> io::Result<Read> {
        let mut length = 0;
        loop {
            let buffer = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                buffer => buffer?,
            };
            let end = memchr::memchr(b'\n', buffer).map(|at| at + 1);
            let used = end.unwrap_or(buffer.len());
            length += used;
            if length <= LONGEST {
                self.line.extend_from_slice(&buffer[..used]);
            } else {
                self.line = Vec::new();
            }
            self.buffered = buffer.len() - used;
            self.input.consume(used);
            if end.is_some() || used == 0 {
                return Ok(match length {
                    0 => Read::Nothing,
                    length if length <= LONGEST => Read::Whole,
                    _ => Read::TooLong,
                });
            }
        }
    }

    /// Whether another line can be had without waiting for the input.
    pub fn has_buffered_line(&mut self) -> Result<bool> {
        if self.buffered == 0 {
            return Ok(false);
        }
        let buffer = self.input.fill_buf().map_err(Error::Input)?;
        Ok(memchr::memchr(b'\n', buffer).is_some())
    }

    /// Number of the line that was read last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }
}

fn bad<T>(message: String) -> Result<T, BadLine> {
    Err(BadLine { kind: None, message })
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

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_line_that_is_too_long_or_not_utf8_is_bad_and_the_next_one_is_read() {
        let long = std::io::repeat(b'x').take(LONGEST as u64 + 5);
        let input = b"\xef\xbb\xbf{}\r\n".chain(long).chain(&b"\n\n\xfc\n[]"[..]);
        let mut lines = Lines::new(std::io::BufReader::new(input));
        let mut read = || {
            let line = lines.next_line().expect("readable").map(|line| line.map(str::to_owned));
            (line.map(|line| line.map_err(|bad| bad.message)), lines.number())
        };
        assert_eq!(read(), (Some(Ok("{}".into())), 1));
        assert!(matches!(read(), (Some(Err(said)), 2) if said.contains("64 MiB")));
        assert!(matches!(read(), (Some(Err(said)), 4) if said.contains("0xfc is not UTF-8")));
        assert_eq!(read(), (Some(Ok("[]".into())), 5));
        assert_eq!(read().0, None);
    }
}
