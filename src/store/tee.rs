//! `--tee`: lines wait here until what they say is committed, and then go on in their order.

use std::io::{self, Write};

use crate::error::{Error, Result};

/// Lines on their way to the next stage, or to nowhere.
pub(super) struct Tee<'a> {
    output: Option<&'a mut dyn Write>,
    waiting: Vec<u8>,
}

impl<'a> Tee<'a> {
    /// Without an output everything is dropped.
    pub fn new(output: Option<&'a mut dyn Write>) -> Self {
        Tee { output, waiting: Vec::new() }
    }

    /// Adds a line, which has no end yet.
    pub fn line(&mut self, line: &str) {
        if self.output.is_some() {
            self.waiting.extend_from_slice(line.as_bytes());
            self.waiting.push(b'\n');
        }
    }

    /// Lets go what waits. A reader that went away ends the passing on, not the storing.
    pub fn release(&mut self) -> Result<()> {
        let Some(output) = &mut self.output else { return Ok(()) };
        match output.write_all(&self.waiting).map_err(Error::output) {
            Err(Error::ReaderGone) => self.output = None,
            other => other?,
        }
        self.waiting.clear();
        Ok(())
    }
}

impl Write for Tee<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.output.is_some() {
            self.waiting.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
