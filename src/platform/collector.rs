//! The account that every parser keeps while it reads the lines of the answers: what became a
//! sample, which profiles the device has, and which lines were not understood.

use std::borrow::Cow;

use foldhash::{HashMap, HashSet};

use super::{Answer, Parsed, Platform, ProfileTable, Reading, Taken, Upstream, lines::line_at};
use crate::{modulation::Modulation, record::ExplainedBy};

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
    /// Whether it holds a `%`, as log messages do.
    pub percent: bool,
}

/// The lines of an answer, in order.
pub(super) fn lines_of<'a>(place: usize, answer: &Answer<'a>) -> impl Iterator<Item = Line<'a>> + use<'a> {
    let (command, output) = (answer.command, answer.output);
    let mut percents = memchr::memchr_iter(b'%', output.as_bytes()).peekable();
    let (mut number, mut at) = (0, 0);
    std::iter::from_fn(move || {
        let (text, next) = line_at(output, at)?;
        (number, at) = (number + 1, next);
        let mut percent = false;
        while percents.next_if(|&place| place < next).is_some() {
            percent = true;
        }
        Some(Line { answer: place, command, number, text, percent })
    })
}

/// What the lines of the present answer were.
#[derive(Default)]
struct Account {
    /// One defines a profile or a part of one.
    profiles: bool,
    /// One belongs to something that is known, or was counted as unparsed.
    known: bool,
    /// One holds other text.
    text: bool,
}

pub(super) struct Collector<'r, 'b, 't> {
    reading: &'r mut Reading<'b>,
    platform: Platform,
    parsed: Parsed<'t>,
    names: HashSet<Cow<'t, str>>,
    /// The device's own modulation profiles.
    pub profiles: ProfileTable,
    answer: Account,
}

impl<'r, 'b, 't> Collector<'r, 'b, 't> {
    pub fn new(platform: Platform, reading: &'r mut Reading<'b>) -> Self {
        Collector {
            reading,
            platform,
            parsed: Parsed::default(),
            names: HashSet::default(),
            profiles: ProfileTable::default(),
            answer: Account::default(),
        }
    }

    /// Notes what a line was taken for.
    pub fn take(&mut self, line: Line<'_>, taken: Taken) {
        self.answer.known |= !matches!(taken, Taken::Ignored(_));
        if matches!(taken, Taken::Unparsed(_)) {
            self.parsed.unparsed += 1;
            let (target, cmts) = (self.platform.log_target(), self.reading.cmts);
            log::debug!(target: target, "{cmts}: {}: line {}: {taken}: {}", line.command, line.number, line.text);
        }
        if let Some(explain) = &mut self.reading.explain {
            explain(line, taken);
        }
    }

    /// Counts what was not understood, of which the lines were noted already.
    pub fn unparsed(&mut self, count: usize) {
        self.parsed.unparsed += count as u64;
    }

    /// Notes a line that defines a modulation profile, or a part of one.
    pub fn profile(&mut self, line: Line<'_>, taken: Taken) {
        self.answer.profiles |= !matches!(taken, Taken::Unparsed(_));
        self.answer.known = true;
        self.take(line, taken);
    }

    /// Notes a line that holds text, and is not known to be part of a profile.
    pub fn text(&mut self, line: Line<'_>, taken: Taken) {
        self.answer.text = true;
        self.take(line, taken);
    }

    /// Notes that the present answer shows something that is known, whatever its lines were taken for.
    pub fn known(&mut self) {
        self.answer.known = true;
    }

    /// Ends the answer to a command for profiles. One that holds text and no profile was not understood.
    pub fn end_of_profiles(&mut self, command: &'t str) {
        let answer = std::mem::take(&mut self.answer);
        if answer.text && !answer.profiles {
            self.parsed.unparsed += 1;
            self.parsed.unread_profiles = self.parsed.unread_profiles.or(Some(command));
        }
    }

    /// Ends any other answer. When it was asked for something that we know (`judged`), and holds text and not one line
    /// that is known, it was not understood.
    pub fn end_of_answer(&mut self, command: &str, judged: bool) {
        let answer = std::mem::take(&mut self.answer);
        if answer.text && !answer.known && judged {
            self.parsed.unparsed += 1;
            let (target, cmts) = (self.platform.log_target(), self.reading.cmts);
            log::debug!(target: target, "{cmts}: {command}: no line of it is known");
        }
    }

    /// Notes an upstream and the line that it came of. Of two of one name the first stands.
    pub fn upstream(&mut self, line: Line<'_>, upstream: Upstream<'t>) {
        if self.insert(upstream) {
            self.take(line, Taken::Row("sample"));
        } else {
            self.take(line, Taken::Unparsed("an upstream of this name came before"));
        }
    }

    /// Adds an upstream whose lines were noted already; false when there is one of its name.
    pub fn insert(&mut self, upstream: Upstream<'t>) -> bool {
        let new = self.names.insert(upstream.name.clone());
        if new {
            self.parsed.upstreams.push(upstream);
        }
        new
    }

    /// Whether no upstream was found.
    pub fn is_empty(&self) -> bool {
        self.parsed.upstreams.is_empty()
    }

    /// What the answers came to: profile numbers become modulations now that all profiles are known, unless
    /// the device printed the modulation itself.
    pub fn finish(self, fault: Option<String>) -> Parsed<'t> {
        let Collector { reading, platform, mut parsed, profiles, .. } = self;
        let mut known: HashMap<u32, (Modulation, Option<ExplainedBy>)> = HashMap::default();
        for upstream in &mut parsed.upstreams {
            if upstream.modulation != Modulation::Unknown {
                upstream.explained_by = Some(ExplainedBy::Printed);
            } else if let Some(profile) = upstream.profile {
                let explain = || match reading.book.explain(platform, reading.cmts, &profiles, profile) {
                    Some((modulation, by)) => (modulation, Some(by)),
                    None => (Modulation::Unknown, None),
                };
                (upstream.modulation, upstream.explained_by) = *known.entry(profile).or_insert_with(explain);
            }
        }
        if fault.is_some() {
            parsed.upstreams.clear();
        }
        parsed.fault = fault;
        parsed
    }
}
