//! Where samples come from: a database, which streams the window in the order of time, or a record stream in
//! any order, which is put in order first.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use super::{
    findings::Findings,
    history::{self, Read},
    reorder::{Compact, Reorder},
    request::Question,
    saved, web,
};
use crate::{
    cli,
    database::{self, Access, Database},
    error::{Error, Result},
    exit::Exit,
    measure::{
        Device, Window,
        arithmetic::{CARRY_S, Frame},
        devices::Devices,
        plan::Plan,
        roster::Roster,
        snr,
        tally::Tally,
    },
    ndjson::{Account, Lines},
    record::{self, BadLine, Record, Sample, Scan, Timestamp},
    stage::Context,
};

/// Reads all that the question asks for.
///
/// # Errors
/// Errors of the database, of the input, and of the temporary file that a long input needs.
pub fn read<'a>(
    question: &'a Question,
    args: &cli::Report,
    context: &Context,
    stdin: &mut dyn BufRead,
) -> Result<(Findings<'a>, Exit)> {
    match (&args.input, question.window) {
        (None, Some(window)) => {
            let mut database = database::open(&args.database, context, Access::Keep)?;
            let (mut findings, exit) = from_database(question, database.as_mut(), window)?;
            findings.past = web::past(args, question, database.as_mut())?;
            Ok((findings, exit))
        }
        (input, _) => {
            let path = input.as_deref().unwrap_or(Path::new("-"));
            with_input(path, stdin, |input| from_input(question, args, context, input))
        }
    }
}

/// Opens a file, or takes standard input for `-`.
pub fn with_input<T>(
    path: &Path,
    stdin: &mut dyn BufRead,
    read: impl FnOnce(&mut dyn BufRead) -> Result<T>,
) -> Result<T> {
    if path == Path::new("-") {
        return read(stdin);
    }
    let file = File::open(path).map_err(Error::read(path))?;
    read(&mut BufReader::with_capacity(1 << 16, file)).map_err(|error| match error {
        Error::Input(source) => Error::read(path)(source),
        other => other,
    })
}

/// The time that has to be read for a window: what may be carried in, and what tells the expected.
fn span(question: &Question, frame: &Frame) -> Window {
    let from = history::past_from(question, frame) + -CARRY_S;
    Window { from: from.min(frame.before.map_or(from, |before| before.from)), to: frame.window.to }
}

/// Reads a window out of a database.
pub fn from_database<'a>(
    question: &'a Question,
    database: &mut dyn Database,
    window: Window,
) -> Result<(Findings<'a>, Exit)> {
    let frame = question.frame(window);
    let mut roster = Roster::with_nodes(&question.nodes);
    // A sample that holds for longer than it can be carried in has no day to itself.
    let read = match frame.hold <= CARRY_S {
        true => history::read(question, database, &frame, &mut roster)?,
        false => history::read_samples(question, database, &frame, &mut roster)?,
    };
    // What is kept of a finished day says it too, when its detail is gone.
    database::explained(database, frame.end.min(window.to), frame.hold, &mut |cmts, upstream, ts, by| {
        if let Some(number) = roster.find(cmts, upstream) {
            roster.explained(number, ts, by);
        }
        Ok(())
    })?;
    database.channels(&mut |channel| roster.channel(channel))?;
    let mut known = database.devices()?;
    known.retain(|device| question.only.cmts(&device.cmts));
    for device in &known {
        roster.device(&device.cmts, device.last_try, device.platform.clone());
    }
    let devices = devices(question, database, &frame, known, &read.tallied.heard(&roster))?;
    let findings = Findings::new(question, read, roster, devices);
    let exit = say_missing(&findings);
    Ok((findings, exit))
}

/// A window that is only a part of what was asked for says so; one without any sample says that.
fn say_missing(findings: &Findings<'_>) -> Exit {
    if findings.missing.is_empty() || findings.lines.is_empty() {
        return Exit::Done;
    }
    let days: Vec<_> = findings.missing.iter().map(ToString::to_string).collect();
    log::warn!(
        "no samples and no finished day are left of {}; the report is of the other days",
        days.join(", ")
    );
    Exit::Partial
}

/// What tells which devices are silent. Scans are read only as far as that is open: not for devices that
/// were heard, and from before the window only for those that were tried again after it.
fn devices(
    question: &Question,
    database: &mut dyn Database,
    frame: &Frame,
    known: Vec<Device>,
    heard: &BTreeSet<&str>,
) -> Result<Devices> {
    let window = frame.window;
    let mut devices = Devices::default();
    let mut scans = |devices: &mut Devices, part: Window| {
        database.scans(part, &mut |scan| {
            if question.only.cmts(&scan.cmts) {
                devices.scan(Some(window), &scan.cmts, scan.ts, scan.status);
            }
            Ok(())
        })
    };
    if known.is_empty() || known.iter().any(|device| !heard.contains(device.cmts.as_str())) {
        scans(&mut devices, window)?;
        let is_open =
            |device: &Device| !heard.contains(device.cmts.as_str()) && devices.is_open(window, device);
        if known.is_empty() || known.iter().any(is_open) {
            let from = window.from + -8 * CARRY_S;
            scans(&mut devices, Window { from, to: window.from })?;
        }
    }
    known.into_iter().for_each(|device| devices.known(window, device));
    Ok(devices)
}

/// A record stream while it is read.
struct Intake<'a> {
    question: &'a Question,
    /// What is read of it; none: everything.
    span: Option<Window>,
    roster: Roster,
    devices: Devices,
    reorder: Reorder,
    first_last: Option<(Timestamp, Timestamp)>,
}

impl<'a> Intake<'a> {
    fn sample(&mut self, sample: Sample) -> Result<()> {
        let Sample { ts, modulation, snr_db, .. } = sample;
        let asked = self.span.is_none_or(|span| span.from <= ts && ts < span.to)
            && self.question.only.upstream(&sample.cmts, &sample.upstream);
        if !asked {
            return Ok(());
        }
        let (first, last) = self.first_last.unwrap_or((ts, ts));
        self.first_last = Some((first.min(ts), last.max(ts)));
        let upstream = self.roster.sample(sample);
        self.reorder.push(Compact { ts, upstream, modulation, snr: snr_db.and_then(snr::tenths) })
    }

    fn scan(&mut self, scan: Scan) {
        if self.question.only.cmts(&scan.cmts) {
            self.roster.device(&scan.cmts, scan.ts, Some(scan.platform).filter(|word| !word.is_empty()));
            self.devices.scan(self.question.window, &scan.cmts, scan.ts, scan.status);
        }
    }

    fn finish(self) -> Result<Findings<'a>> {
        let window = match (self.question.window, self.first_last) {
            (Some(window), _) => window,
            (None, Some((first, last))) => self.question.whole(first, last),
            (None, None) => Window { from: self.question.now, to: self.question.now },
        };
        let frame = self.question.frame(window);
        let first = self.first_last.map_or(window.from, |(first, _)| first);
        let from = history::past_from(self.question, &frame).max(first);
        let plan = Plan::new(frame, self.question.tz, from);
        let mut tally = Tally::new(plan.clone(), &self.question.maintained);
        self.reorder.drain(|Compact { ts, upstream, modulation, snr }| {
            tally.feed(&self.roster, upstream, ts, modulation, snr);
            Ok(())
        })?;
        let tallied = tally.finish(&self.roster);
        let read = Read { tallied, plan, missing: Vec::new() };
        Ok(Findings::new(self.question, read, self.roster, self.devices))
    }
}

/// A stream of samples, or a report that was written as records.
fn from_input<'a>(
    question: &'a Question,
    args: &cli::Report,
    context: &Context,
    input: &mut dyn BufRead,
) -> Result<(Findings<'a>, Exit)> {
    let mut intake = Intake {
        question,
        span: question.window.map(|window| span(question, &question.frame(window))),
        roster: Roster::with_nodes(&question.nodes),
        devices: Devices::default(),
        reorder: Reorder::default(),
        first_last: None,
    };
    let mut saved = saved::Reader::default();
    // Standard output is the report: a bad line is told on stderr only.
    let exit = each_line(context, input, &mut io::sink(), |line, record, _| {
        match record {
            Record::Sample(sample) => intake.sample(sample)?,
            Record::Scan(scan) => intake.scan(scan),
            Record::Other(kind) => return Ok(saved.take(&kind, line)),
            _ => {}
        }
        Ok(Ok(()))
    })?;
    if !saved.is_report() {
        question.only.check_of_samples()?;
        return Ok((intake.finish()?, exit));
    }
    if intake.first_last.is_some() {
        return Err(Error::usage("--input: it holds samples and a report; give one of them"));
    }
    let (saved, of_rows) = saved.finish(question, args)?;
    Ok((Findings::of_saved(question, saved), exit.merge(of_rows)))
}

/// Hands out the records of a stream, with `output` to write to. Bad lines become `error` records there; they
/// and a stream that breaks off make the result partial.
pub fn each_record<W: io::Write + ?Sized>(
    context: &Context,
    input: &mut dyn BufRead,
    output: &mut W,
    mut each: impl FnMut(Record, &mut W) -> Result<()>,
) -> Result<Exit> {
    each_line(context, input, output, |_, record, output| each(record, output).map(Ok))
}

/// As [`each_record`], with the line of each; what `each` finds wrong with it makes it a bad line.
fn each_line<W: io::Write + ?Sized>(
    context: &Context,
    input: &mut dyn BufRead,
    mut output: &mut W,
    mut each: impl FnMut(&str, Record, &mut W) -> Result<Result<(), BadLine>>,
) -> Result<Exit> {
    let mut lines = Lines::new(input);
    let mut account = Account::default();
    while let Some(line) = lines.next_line()? {
        let decoded = line.and_then(|line| Ok((line, record::decode(line)?)));
        let taken = match decoded {
            Ok((line, record)) => {
                account.note(&record);
                each(line, record, output)?
            }
            Err(bad) => Err(bad),
        };
        if let Err(bad) = taken {
            account.bad_line(context.tool, context.clock.now(), lines.number(), &bad, &mut output)?;
        }
    }
    if account.broke_off() {
        log::warn!("input: it broke off without its `end` record; the report is of what came");
    }
    let partial = account.bad > 0 || account.broke_off();
    Ok(if partial { Exit::Partial } else { Exit::Done })
}
