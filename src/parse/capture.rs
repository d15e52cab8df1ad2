//! One capture becomes its samples and its scan: whether it is to be believed, what its platform's parser
//! reads in it, and what there is to say about it.

use std::{
    collections::{BTreeSet, HashSet},
    ops::Range,
};

use super::Method;
use crate::{
    modulation::Modulation,
    platform::{Answer, Line, Need, Parsed, Platform, Reading, Taken, Upstream, Verdict, family, judge},
    record::{self, Capture, Outputs, Sample, Scan, Status},
};

/// What came of a capture.
#[derive(Debug, Default)]
pub(super) struct ParsedCapture {
    /// Where its records are in the buffer that they were appended to.
    pub records: Range<usize>,
    /// What failed here, and not already at the fetcher's.
    pub complaint: Option<String>,
    /// Profile numbers that nothing explains.
    pub unknown: BTreeSet<u32>,
    /// The command whose answer should hold profiles, and none could be read, with what rests on the built-in
    /// table for that reason.
    pub unread_profiles: Option<String>,
    /// What each line was taken for, with `--explain`.
    pub explained: Vec<String>,
    /// Whether `--keep` saves the capture.
    pub remarkable: bool,
}

/// Parses a capture of the fetcher, and appends its records.
pub(super) fn parse_capture(
    capture: &Capture,
    outputs: &Outputs,
    method: &Method,
    records: &mut Vec<u8>,
) -> ParsedCapture {
    if !capture.status.is_good() {
        return Outcome::failed(capture.status, capture.error.clone()).write(capture, records);
    }
    let Ok(platform) = capture.platform.parse::<Platform>() else {
        let reason = format!(
            "unknown platform {:?}; name one of {} in the inventory",
            capture.platform,
            Platform::words()
        );
        return Outcome::failed(Status::ParseFailed, Some(reason)).reported_here().write(capture, records);
    };
    let answers = answers(capture, outputs);
    if let Some((status, reason)) = doubt(platform, &answers) {
        return Outcome::failed(status, Some(reason)).reported_here().write(capture, records);
    }
    let mut outcome = read(platform, &answers, capture, method);
    if outcome.status == Status::Ok {
        (outcome.status, outcome.error) = (capture.status, capture.error.clone());
    }
    outcome.write(capture, records)
}

/// Parses pasted text. It has not been judged yet, and need not be a whole scan: an error
/// text is a fault only where nothing else could be read.
pub(super) fn parse_pasted(
    platform: Platform,
    capture: &Capture,
    outputs: &Outputs,
    method: &Method,
    records: &mut Vec<u8>,
) -> ParsedCapture {
    let answers = answers(capture, outputs);
    let mut outcome = read(platform, &answers, capture, method);
    if family(platform).dialogue().is_none() {
        return outcome.reported_here().write(capture, records);
    }
    let refused = answers.iter().find_map(|answer| {
        answer.refusal().map(|text| match answer.command {
            "" => text.to_owned(),
            command => format!("{command}: {text}"),
        })
    });
    if let Some(reason) = refused {
        outcome.status = if outcome.status == Status::Ok { Status::Partial } else { Status::CommandFailed };
        outcome.error = Some(reason);
    }
    outcome.reported_here().write(capture, records)
}

fn answers<'a>(capture: &'a Capture, outputs: &'a Outputs) -> Vec<Answer<'a>> {
    let commands = capture.commands.iter().zip(outputs.iter());
    commands.map(|(c, output)| Answer { command: &c.command, output, complete: c.complete }).collect()
}

/// Why a capture that calls itself good is not believed: a needed command that is missing, broken off or
/// refused. The user's own commands stand in for the platform's, as far as they show its tables.
fn doubt(platform: Platform, answers: &[Answer<'_>]) -> Option<(Status, String)> {
    let family = family(platform);
    if let Verdict::CommandFailed(reason) = judge(platform, answers) {
        let broken =
            |answer: &Answer<'_>| !answer.complete && family.need(answer.command, answers) == Need::Needed;
        let status = if answers.iter().any(broken) { Status::ReadTimeout } else { Status::CommandFailed };
        return Some((status, reason));
    }
    let script = family.script(answers);
    let scripted: HashSet<&str> = script.iter().map(|step| &step.command[..]).collect();
    let asked: HashSet<&str> = answers.iter().map(|answer| answer.command).collect();
    if !asked.is_subset(&scripted) {
        return None;
    }
    let missing =
        script.iter().find(|step| step.need == Need::Needed && !asked.contains(&step.command[..]))?;
    Some((Status::CommandFailed, format!("{}: its answer is missing", missing.command)))
}

/// What became of a capture, before it is written.
struct Outcome<'a> {
    status: Status,
    error: Option<String>,
    reported_here: bool,
    parsed: Parsed<'a>,
    explained: Vec<String>,
}

fn read<'a>(platform: Platform, answers: &[Answer<'a>], capture: &Capture, method: &Method) -> Outcome<'a> {
    let mut told: Vec<(usize, usize, String)> = Vec::new();
    let mut note = |line: Line<'_>, taken: Taken| {
        let command = if line.command.is_empty() { "pasted text" } else { line.command };
        let text = format!("{}: {command}: line {}: {taken}: {}", capture.cmts, line.number, line.text);
        told.push((line.answer, line.number, text));
    };
    let explain = if method.explain { Some(&mut note as _) } else { None };
    let mut reading = Reading { cmts: &capture.cmts, book: &method.book, explain };
    let mut parsed = family(platform).parse(answers, &mut reading);
    told.sort_by_key(|(answer, number, _)| (*answer, *number));
    let (fault, partial) = (parsed.fault.take(), parsed.partial.take());
    let status = match (&fault, &partial) {
        (Some(_), _) => Status::ParseFailed,
        (None, Some(_)) => Status::Partial,
        (None, None) => Status::Ok,
    };
    Outcome {
        status,
        reported_here: fault.is_some(),
        error: fault.or(partial),
        parsed,
        explained: told.into_iter().map(|(.., text)| text).collect(),
    }
}

impl Outcome<'_> {
    fn failed(status: Status, error: Option<String>) -> Self {
        Outcome { status, error, reported_here: false, parsed: Parsed::default(), explained: Vec::new() }
    }

    /// Marks the failure as one that only mod-parse reports.
    fn reported_here(mut self) -> Self {
        self.reported_here = true;
        self
    }

    fn write(self, capture: &Capture, records: &mut Vec<u8>) -> ParsedCapture {
        let mut parsed = ParsedCapture { explained: self.explained, ..ParsedCapture::default() };
        let scan = Scan {
            ts: capture.ts,
            cmts: capture.cmts.clone(),
            platform: platform_word(capture),
            status: self.status,
            error: self.error,
            attempts: capture.attempts,
            elapsed_ms: capture.elapsed_ms,
            samples: self.parsed.upstreams.len() as u64,
            unparsed: self.parsed.unparsed,
            built_in: self.parsed.built_in(),
        };
        if let Some(command) = self.parsed.unread_profiles {
            parsed.unread_profiles = Some(format!(
                "{command}: the answer holds text, and no profile could be read; {} upstreams rest on the built-in table",
                scan.built_in
            ));
        }
        if self.reported_here && !scan.status.is_good() {
            parsed.complaint = Some(format!(
                "{}: {}: {}",
                scan.cmts,
                scan.status,
                scan.error.as_deref().unwrap_or("no reason")
            ));
        }
        for upstream in &self.parsed.upstreams {
            if let (Modulation::Unknown, Some(profile)) = (upstream.modulation, upstream.profile) {
                parsed.unknown.insert(profile);
            }
        }
        let samples = self.parsed.upstreams.iter().map(|upstream| sample(&scan, upstream));
        let from = records.len();
        Sample::append_all(records, samples)
            .and_then(|()| record::append(records, &scan))
            .expect("invariant: records of numbers and text are JSON, and memory takes them");
        parsed.records = from..records.len();
        parsed.remarkable = scan.status != Status::Ok || scan.unparsed > 0 || !parsed.unknown.is_empty();
        parsed
    }
}

/// The family of the device as records spell it, however it was asked; one that is not known as it came.
fn platform_word(capture: &Capture) -> String {
    let given = capture.family.as_ref().unwrap_or(&capture.platform);
    given.parse().map_or_else(|_| given.clone(), |platform: Platform| platform.word().to_owned())
}

fn sample<'a>(scan: &'a Scan, upstream: &'a Upstream<'_>) -> Sample<&'a str> {
    Sample {
        ts: scan.ts,
        cmts: &scan.cmts,
        upstream: &upstream.name,
        modulation: upstream.modulation,
        profile: upstream.profile,
        source: upstream.source,
        explained_by: upstream.explained_by,
        platform: Some(&scan.platform),
        channel_type: upstream.channel_type.as_deref(),
        center_hz: upstream.center_hz,
        width_hz: upstream.width_hz,
        description: upstream.description.as_deref(),
        snr_db: upstream.snr_db,
        modems: upstream.modems,
    }
}
