//! The account that every parser keeps while it walks over the lines of the answers: what became a
//! sample, which profiles the device told of, and which lines were not understood.

use std::collections::HashSet;

use super::{Answer, Parsed, Platform, ProfileTable, Reading, Taken, Upstream};
use crate::modulation::Modulation;

/// One line of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Place of its answer among the answers.
    pub answer: usize,
    /// What was typed.
    pub command: &'a str,
    /// Number of the line in the answer's output, from 1.
    pub number: usize,
    /// The line.
    pub text: &'a str,
}

/// The lines of an answer, in order.
pub(super) fn lines_of<'a>(place: usize, answer: &Answer<'a>) -> impl Iterator<Item = Line<'a>> + use<'a> {
    let command = answer.command;
    let lines = answer.output.lines().enumerate();
    lines.map(move |(index, text)| Line { answer: place, command, number: index + 1, text })
}

/// The account.
pub(super) struct Walk<'r, 'a> {
    reading: &'r mut Reading<'a>,
    platform: Platform,
    parsed: Parsed,
    names: HashSet<String>,
    /// The device's own modulation profiles.
    pub profiles: ProfileTable,
}

impl<'r, 'a> Walk<'r, 'a> {
    pub fn new(platform: Platform, reading: &'r mut Reading<'a>) -> Self {
        let (parsed, names) = (Parsed::default(), HashSet::new());
        Walk { reading, platform, parsed, names, profiles: ProfileTable::default() }
    }

    /// Notes what a line was taken for.
    pub fn take(&mut self, line: Line<'_>, taken: Taken) {
        if matches!(taken, Taken::Unparsed(_)) {
            self.parsed.unparsed += 1;
            let (target, cmts) = (self.platform.log_target(), self.reading.cmts);
            log::debug!(target: target, "{cmts}: {}: line {}: {taken}: {}", line.command, line.number, line.text);
        }
        if let Some(explain) = &mut self.reading.explain {
            explain(line, taken);
        }
    }

    /// Notes an upstream and the line that it came of. Of two of one name the first stands.
    pub fn upstream(&mut self, line: Line<'_>, upstream: Upstream) {
        if self.names.contains(&upstream.name) {
            return self.take(line, Taken::Unparsed("an upstream of this name came before"));
        }
        self.take(line, Taken::Row("sample"));
        self.insert(upstream);
    }

    /// Adds an upstream whose lines were noted already; false when there is one of its name.
    pub fn insert(&mut self, upstream: Upstream) -> bool {
        let new = self.names.insert(upstream.name.clone());
        if new {
            self.parsed.upstreams.push(upstream);
        }
        new
    }

    /// What the answers came to: profile numbers become modulations now that all profiles are known,
    /// unless the device printed the modulation itself.
    pub fn finish(self, fault: Option<String>) -> Parsed {
        let mut parsed = self.parsed;
        for upstream in &mut parsed.upstreams {
            if let (Modulation::Unknown, Some(profile)) = (upstream.modulation, upstream.profile) {
                upstream.modulation =
                    self.reading.book.modulation(self.platform, self.reading.cmts, &self.profiles, profile);
            }
        }
        if fault.is_some() {
            parsed.upstreams.clear();
        }
        parsed.fault = fault;
        parsed
    }
}
