//! The stage itself: lines into groups, groups into the database, lines on to the next stage once
//! they are committed.

use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};

use super::{Access, Counts, Database, Group, Options, Verdict, check, open, tee::Tee};
use crate::{
    cli,
    error::{Error, Result},
    exit::Exit,
    modulation::Modulation,
    ndjson::{Account, Lines},
    record::{self, BadLine, Body, Fault, Record, Sample, Scan, Timestamp},
    stage::{self, Context},
};

/// `lastupdatemodulation` is set at most this often, seconds.
const TOUCH_EVERY_S: i64 = 30;
/// Devices named in the last line about scans that were not good.
const NAMED: usize = 5;

/// Runs mod-store.
///
/// # Errors
/// [`Error::Usage`] for settings, [`Error::Database`], and those of the streams.
pub fn run(
    args: &cli::Store,
    context: &Context,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<Exit> {
    let options = Options {
        init: args.init,
        history_index: args.history_index,
        batch: usize::from(args.batch),
        store_all: args.store_all,
    };
    let access = if args.check || args.dry_run { Access::Look(options) } else { Access::Write(options) };
    let mut database = open(&args.database, context, access)?;
    if args.check {
        return check::run(&mut *database, output);
    }
    if args.init && stage::input_is_terminal() {
        return Ok(Exit::Done);
    }
    let mut session = Session::new(args, context, database, output);
    let result = session.read(Lines::new(input));
    result.map_err(|error| session.place_in_stream(error))
}

/// `stored`, per group, with `--tee`.
#[derive(Serialize)]
struct Receipt<'a> {
    ts: Timestamp,
    cmts: &'a str,
    sent: u64,
    stored: u64,
    duplicate: u64,
    rejected: u64,
    #[serde(skip_serializing_if = "is_zero")]
    left_out: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
}

impl Body for Receipt<'_> {
    const TYPE: &'static str = "stored";
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A sample whose modulation is no word of ours.
#[derive(Deserialize)]
struct Misfit {
    ts: Timestamp,
    cmts: String,
    upstream: String,
    modulation: String,
}

impl Misfit {
    fn of(line: &str, bad: &BadLine) -> Option<Self> {
        let misfit: Misfit = match bad.kind.as_deref() {
            Some("sample") => serde_json::from_str(line).ok()?,
            _ => return None,
        };
        Modulation::from_word(&misfit.modulation).is_none().then_some(misfit)
    }
}

/// A group that is being collected: the samples to store, and the counts of the others.
struct Open {
    group: Group,
    counts: Counts,
}

struct Session<'a> {
    database: Box<dyn Database>,
    context: &'a Context,
    tee: Tee<'a>,
    dry_run: bool,
    open: Option<Open>,
    account: Account,
    totals: Counts,
    groups: u64,
    /// Scans that were neither ok nor partial, and the first of them by name.
    not_good: u64,
    named: Vec<String>,
    /// When `lastupdatemodulation` is due again.
    touch_from: Timestamp,
    warned_touch: bool,
}

impl<'a> Session<'a> {
    fn new(
        args: &cli::Store,
        context: &'a Context,
        database: Box<dyn Database>,
        output: &'a mut dyn Write,
    ) -> Self {
        Session {
            database,
            context,
            tee: Tee::new(args.tee.then_some(output)),
            dry_run: args.dry_run,
            open: None,
            account: Account::default(),
            totals: Counts::default(),
            groups: 0,
            not_good: 0,
            named: Vec::new(),
            touch_from: Timestamp(i64::MIN),
            warned_touch: false,
        }
    }

    fn read(&mut self, mut lines: Lines<&mut dyn BufRead>) -> Result<Exit> {
        let mut text = String::new();
        while let Some(line) = lines.next_line()? {
            text.clear();
            text.push_str(&line);
            self.take(lines.number(), &text)?;
        }
        self.commit(None)?;
        Ok(self.exit())
    }

    fn take(&mut self, number: u64, line: &str) -> Result<()> {
        let record = match record::decode(line) {
            Ok(record) => record,
            Err(bad) => return self.bad(number, line, &bad),
        };
        self.account.note(&record);
        match record {
            Record::Sample(sample) => self.sample(number, line, sample),
            Record::Scan(scan) => self.scan(number, line, scan),
            Record::End(_) => {
                self.commit(None)?;
                self.pass(line)
            }
            _ => self.pass(line),
        }
    }

    /// A line that is none of our business goes on in its place.
    fn pass(&mut self, line: &str) -> Result<()> {
        self.tee.line(line);
        self.release()
    }

    fn bad(&mut self, number: u64, line: &str, bad: &BadLine) -> Result<()> {
        if let Some(misfit) = Misfit::of(line, bad) {
            self.enter(&misfit.cmts, misfit.ts)?;
            let reason = format!("{:?} is no modulation", misfit.modulation);
            return self.reject(number, &misfit.cmts, &misfit.upstream, &reason);
        }
        let now = self.context.clock.now();
        self.account.bad_line(self.context.tool, now, number, bad, &mut self.tee)?;
        self.release()
    }

    fn sample(&mut self, number: u64, line: &str, sample: Sample) -> Result<()> {
        let verdict = self.database.limits().judge(&sample, self.context.clock.now());
        let open = self.enter(&sample.cmts, sample.ts)?;
        match verdict {
            Verdict::Reject(reason) => return self.reject(number, &sample.cmts, &sample.upstream, &reason),
            Verdict::LeaveOut => {
                open.counts.sent += 1;
                open.counts.left_out += 1;
            }
            Verdict::Store => open.group.samples.push(sample),
        }
        self.tee.line(line);
        Ok(())
    }

    /// A rejected line does not go on: whatever goes on is stored.
    fn reject(&mut self, number: u64, cmts: &str, upstream: &str, reason: &str) -> Result<()> {
        if let Some(open) = &mut self.open {
            open.counts.sent += 1;
            open.counts.rejected += 1;
        }
        self.fault(number, format!("{cmts} {upstream}: {reason}"))
    }

    fn fault(&mut self, number: u64, message: String) -> Result<()> {
        log::warn!("line {number}: {message}");
        let (ts, stage) = (self.context.clock.now(), self.context.tool.to_owned());
        record::write(&mut self.tee, &Fault { ts, stage, line: Some(number), message }).map_err(Error::output)
    }

    fn scan(&mut self, number: u64, line: &str, scan: Scan) -> Result<()> {
        if let Some(reason) = self.database.limits().scan_fault(&scan, self.context.clock.now()) {
            self.account.bad += 1;
            self.fault(number, format!("scan of {}: {reason}", scan.cmts))?;
            return self.commit(None);
        }
        self.enter(&scan.cmts, scan.ts)?;
        self.tee.line(line);
        if !scan.status.is_good() {
            self.not_good += 1;
            if self.named.len() < NAMED {
                self.named.push(format!("{} {}", scan.cmts, scan.status));
            }
        }
        self.commit(Some(scan))
    }

    /// The open group of this pair; an open one of another pair is committed first.
    fn enter(&mut self, cmts: &str, ts: Timestamp) -> Result<&mut Open> {
        if self.open.as_ref().is_some_and(|open| open.group.ts != ts || open.group.cmts != cmts) {
            self.commit(None)?;
        }
        Ok(self.open.get_or_insert_with(|| Open {
            group: Group { cmts: cmts.to_owned(), ts, samples: Vec::new(), scan: None },
            counts: Counts::default(),
        }))
    }

    /// Commits the open group, if there is one, and then lets its lines go on.
    fn commit(&mut self, scan: Option<Scan>) -> Result<()> {
        let Some(Open { mut group, mut counts }) = self.open.take() else { return self.release() };
        group.scan = scan;
        counts += self.store(&group)?;
        self.groups += 1;
        self.totals += counts;
        let receipt = Receipt {
            ts: group.ts,
            cmts: &group.cmts,
            sent: counts.sent,
            stored: counts.stored,
            duplicate: counts.duplicate,
            rejected: counts.rejected,
            left_out: counts.left_out,
            dry_run: self.dry_run,
        };
        record::write(&mut self.tee, &receipt).map_err(Error::output)?;
        self.release()
    }

    fn store(&mut self, group: &Group) -> Result<Counts> {
        let nothing = group.samples.is_empty() && group.scan.is_none();
        if self.dry_run || nothing {
            return Ok(Counts { sent: group.samples.len() as u64, ..Counts::default() });
        }
        let counts = self.database.store(group)?;
        if counts.stored > 0 {
            self.touch();
        }
        Ok(counts)
    }

    /// The samples are safe by now; that other programs do not hear of them is said once.
    fn touch(&mut self) {
        let now = self.context.clock.now();
        if now < self.touch_from {
            return;
        }
        self.touch_from = now + TOUCH_EVERY_S;
        if let Err(error) = self.database.touch(now)
            && !std::mem::replace(&mut self.warned_touch, true)
        {
            log::warn!("lastupdatemodulation is not kept: {error}");
        }
    }

    fn release(&mut self) -> Result<()> {
        if self.open.is_none() { self.tee.release() } else { Ok(()) }
    }

    fn exit(&self) -> Exit {
        let Counts { sent, stored, duplicate, rejected, left_out } = self.totals;
        log::info!(
            "{} groups, {sent} samples: {stored} stored, {duplicate} duplicate, {rejected} rejected, {left_out} left out",
            self.groups
        );
        if self.not_good > 0 {
            let more = if self.not_good > NAMED as u64 { ", …" } else { "" };
            log::warn!(
                "{} of {} scans failed: {}{more}",
                self.not_good,
                self.account.scans,
                self.named.join(", ")
            );
        }
        if self.account.broke_off() {
            log::warn!("the input broke off without its `end`; what came is stored");
        }
        let partial = self.account.bad > 0 || rejected > 0 || self.not_good > 0 || self.account.broke_off();
        if partial { Exit::Partial } else { Exit::Done }
    }

    /// A fault of the database says how far we came.
    fn place_in_stream(&self, error: Error) -> Error {
        match error {
            Error::Database { place, reason } if self.groups > 0 => {
                let reason = format!("{reason}; groups stored before this: {}", self.groups);
                Error::Database { place, reason }
            }
            other => other,
        }
    }
}
