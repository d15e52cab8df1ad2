//! `--tee`: lines wait here until what they say is safe, and then go on in their order, each group
//! followed by its receipt.

use std::io::{self, Write};

use crate::{
    error::{Error, Result},
    record::{self, Body},
};

/// Lines on their way to the next stage, or to nowhere.
pub(super) struct Tee<'a> {
    output: Option<&'a mut (dyn Write + Send)>,
    waiting: Vec<u8>,
    /// Where the receipt of each closed group goes.
    receipts: Vec<usize>,
    /// Where the lines of the open group begin.
    open: Option<usize>,
    fault: Option<Error>,
}

impl<'a> Tee<'a> {
    /// Without an output everything is dropped.
    pub fn new(output: Option<&'a mut (dyn Write + Send)>) -> Self {
        Tee { output, waiting: Vec::new(), receipts: Vec::new(), open: None, fault: None }
    }

    /// Adds a line, which has no end yet.
    pub fn line(&mut self, line: &str) {
        if self.output.is_some() {
            self.waiting.extend_from_slice(line.as_bytes());
            self.waiting.push(b'\n');
        }
    }

    /// From here on the lines belong to a group.
    pub fn open_group(&mut self) {
        self.open = Some(self.waiting.len());
    }

    /// The group ends here: its receipt follows.
    pub fn close_group(&mut self) {
        self.open = None;
        self.receipts.push(self.waiting.len());
    }

    /// Passes on the lines that wait for these receipts, the receipts of the groups that were closed first. When they
    /// are all of them, what follows goes too, up to the open group. A reader that went away, or a
    /// full disk, ends the passing on, not the storing.
    pub fn release<B: Body>(&mut self, receipts: &[B]) {
        let whole = receipts.len() == self.receipts.len();
        let end =
            if whole { self.open.take().unwrap_or(self.waiting.len()) } else { self.end(receipts.len()) };
        if let Err(error) = self.write(receipts, end) {
            self.output = None;
            self.fault = Some(error);
        }
        self.waiting.drain(..end);
        self.receipts.clear();
        if whole && !self.waiting.is_empty() {
            self.open = Some(0);
        }
    }

    /// After the last line: what ended the passing on.
    pub fn finish(&mut self) -> Result<()> {
        match self.fault.take() {
            None | Some(Error::ReaderGone) => Ok(()),
            Some(error) => Err(error),
        }
    }

    fn end(&self, groups: usize) -> usize {
        groups.checked_sub(1).and_then(|last| self.receipts.get(last)).copied().unwrap_or_default()
    }

    fn write<B: Body>(&mut self, receipts: &[B], end: usize) -> Result<()> {
        let Some(output) = &mut self.output else { return Ok(()) };
        let mut from = 0;
        for (receipt, &at) in receipts.iter().zip(&self.receipts) {
            output.write_all(&self.waiting[from..at]).map_err(Error::output)?;
            record::write(*output, receipt).map_err(Error::output)?;
            from = at;
        }
        output.write_all(&self.waiting[from..end]).map_err(Error::output)?;
        output.flush().map_err(Error::output)
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
