//! What becomes of the parsed lines, in the order of the input: records out, one stderr line for each
//! thing that went wrong, the exit code, and the captures that are kept.

use std::{
    collections::{BTreeSet, HashSet},
    io::Write,
};

use super::{
    Method,
    capture::{ParsedCapture, parse_capture, parse_pasted},
    keep::Keep,
};
use crate::{
    clock::Clock,
    error::{Error, Result},
    exit::Exit,
    ndjson::Account,
    platform::Platform,
    record::{self, BadLine, Capture, Outputs, Record},
    stage::Context,
};

/// So many unexplained profile numbers are named; a device that makes numbers up cannot fill memory.
const NAMED: usize = 65_536;

/// A parsed line: its record, without outputs, and what came of it when it is a capture.
pub(super) type ParsedLine = Result<(Record, Option<ParsedCapture>), BadLine>;

/// Parses one line; needs nothing of those before it but their memory.
pub(super) fn parse_line(
    line: &str,
    method: &Method,
    outputs: &mut Outputs,
    records: &mut Vec<u8>,
) -> ParsedLine {
    let record = outputs.decode(line)?;
    let parsed = match &record {
        Record::Capture(capture) => Some(parse_capture(capture, outputs, method, records)),
        _ => None,
    };
    Ok((record, parsed))
}

/// The account of a run.
pub(super) struct Sink {
    tool: &'static str,
    clock: Clock,
    strict: bool,
    account: Account,
    named: HashSet<(String, u32)>,
    unread: HashSet<String>,
    keep: Option<Keep>,
    failed: bool,
}

impl Sink {
    pub fn new(context: &Context, strict: bool, keep: Option<Keep>) -> Self {
        Sink {
            tool: context.tool,
            clock: context.clock,
            strict,
            account: Account::default(),
            named: HashSet::new(),
            unread: HashSet::new(),
            keep,
            failed: false,
        }
    }

    /// Writes what came of one line of a stream, of which `records` holds the records; true when the run goes on.
    pub fn line(
        &mut self,
        number: u64,
        line: &str,
        line_parsed: ParsedLine,
        records: &[u8],
        mut output: &mut dyn Write,
    ) -> Result<bool> {
        match line_parsed {
            Ok((record, parsed)) => {
                self.account.note(&record);
                match (record, parsed) {
                    (Record::Capture(capture), Some(parsed)) => {
                        self.capture(&capture, parsed, line, records, output)?
                    }
                    _ => {
                        let whole = output.write_all(line.as_bytes()).and_then(|()| output.write_all(b"\n"));
                        whole.map_err(Error::output)?;
                    }
                }
            }
            Err(bad) => {
                self.failed = true;
                self.account.bad_line(self.tool, self.clock.now(), number, &bad, &mut output)?;
            }
        }
        Ok(!(self.strict && self.failed))
    }

    /// Parses pasted text and writes what came of it, the whole of a run.
    pub fn raw(
        mut self,
        platform: Platform,
        mut capture: Capture,
        method: &Method,
        output: &mut dyn Write,
    ) -> Result<Exit> {
        let (mut line, mut outputs, mut records) = (Vec::new(), Outputs::default(), Vec::new());
        if self.keep.is_some() {
            record::write(&mut line, &capture).map_err(Error::output)?;
        }
        outputs.take(&mut capture);
        let parsed = parse_pasted(platform, &capture, &outputs, method, &mut records);
        self.capture(&capture, parsed, String::from_utf8_lossy(&line).trim_end(), &records, output)?;
        Ok(self.exit())
    }

    fn capture(
        &mut self,
        capture: &Capture,
        parsed: ParsedCapture,
        line: &str,
        records: &[u8],
        output: &mut dyn Write,
    ) -> Result<()> {
        output.write_all(&records[parsed.records]).map_err(Error::output)?;
        for text in &parsed.explained {
            log::warn!("{text}");
        }
        if let Some(complaint) = parsed.complaint {
            self.failed = true;
            log::warn!("{complaint}");
        }
        self.name_unknown(&capture.cmts, &parsed.unknown);
        if let Some(unread) = parsed.unread_profiles
            && self.unread.len() < NAMED
            && self.unread.insert(capture.cmts.clone())
        {
            log::warn!("{}: {unread}", capture.cmts);
        }
        if let Some(keep) = self.keep.as_mut().filter(|_| parsed.remarkable) {
            self.failed |= !keep.save(capture, line);
        }
        Ok(())
    }

    fn name_unknown(&mut self, cmts: &str, profiles: &BTreeSet<u32>) {
        for &profile in profiles {
            if self.named.len() < NAMED && self.named.insert((cmts.to_owned(), profile)) {
                log::warn!(
                    "{cmts}: profile {profile}: nothing explains it, its upstreams are UNKNOWN; name it in a file for --profiles"
                );
            }
        }
    }

    /// The end of the stream.
    pub fn end(mut self) -> Exit {
        if self.account.broke_off() {
            self.failed = true;
            log::warn!("the input ended without an end record: its source was cut off");
        }
        self.exit()
    }

    /// What the run came to.
    pub fn exit(&self) -> Exit {
        match (self.failed, self.strict) {
            (false, _) => Exit::Done,
            (true, false) => Exit::Partial,
            (true, true) => Exit::Failed,
        }
    }
}
