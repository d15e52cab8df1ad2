//! The storing half of mod-store: records into groups, groups into the keeper, and lines on to the
//! next stage once what they say is safe.

use std::{
    io::Write,
    mem,
    sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError},
    time::Instant,
};

use serde::Deserialize;

use super::{
    intake::Item,
    keeper::Keeper,
    notify::{Notify, Progress},
    receipt::receipt,
    tee::Tee,
};
use crate::{
    cli,
    database::{Counts, Group, Verdict},
    error::{Error, Result},
    exit::Exit,
    modulation::Modulation,
    ndjson::Account,
    record::{self, BadLine, Fault, Record, Sample, Scan, Status, Timestamp},
    stage::Context,
};

/// Groups that wait for each other share a transaction up to this many samples, and so many groups.
const SAMPLES: usize = 20_000;
const GROUPS: usize = 1000;
/// Devices named in the last line about scans that were not good.
const NAMED: usize = 5;

/// A sample whose modulation is not a word that we know.
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

/// One run of mod-store.
pub(super) struct Session<'a> {
    keeper: Keeper,
    context: &'a Context,
    tee: Tee<'a>,
    notify: Notify,
    dry_run: bool,
    open: Option<Open>,
    /// Groups that are whole and not kept yet.
    closed: Vec<(Group, Counts)>,
    samples: usize,
    account: Account,
    totals: Counts,
    groups: u64,
    /// Scans that were neither ok nor partial, and the first of them by name.
    not_good: u64,
    named: Vec<(String, Status, u64)>,
    progress: Progress,
    /// When the present batch came.
    now: Timestamp,
    /// A scan or a heartbeat came: when everything before it is safe, the supervisor is told.
    beat: bool,
}

impl<'a> Session<'a> {
    pub fn new(
        args: &cli::Store,
        context: &'a Context,
        keeper: Keeper,
        notify: Notify,
        output: &'a mut (dyn Write + Send),
    ) -> Self {
        Session {
            keeper,
            context,
            tee: Tee::new(args.tee.then_some(output)),
            notify,
            dry_run: args.dry_run,
            open: None,
            closed: Vec::new(),
            samples: 0,
            account: Account::default(),
            totals: Counts::default(),
            groups: 0,
            not_good: 0,
            named: Vec::new(),
            progress: Progress::default(),
            now: context.clock.now(),
            beat: false,
        }
    }

    /// Keeps what comes, to the end.
    pub fn serve(&mut self, queue: &Receiver<Vec<Item>>) -> Result<Exit> {
        self.keep_all(queue).map_err(|error| self.place_in_stream(error))
    }

    fn keep_all(&mut self, queue: &Receiver<Vec<Item>>) -> Result<Exit> {
        while let Some(batch) = self.next(queue)? {
            self.now = self.context.clock.now();
            for item in batch {
                self.notify.ready();
                self.take(item)?;
            }
            if self.samples >= SAMPLES || self.closed.len() >= GROUPS {
                self.settle()?;
                self.work()?;
            }
        }
        self.commit(None);
        self.settle()?;
        let signals = &self.context.signals;
        let waiting = self.keeper.finish(|| !signals.stopping())?;
        self.count_replayed();
        self.progress.end_round();
        if !self.notify.is_nobody() {
            self.notify.beat(self.progress.totals(), &self.keeper.status());
        }
        let exit = self.exit(waiting);
        self.tee.finish().map(|()| exit)
    }

    /// The next batch. Before it is waited for, everything that came is kept.
    fn next(&mut self, queue: &Receiver<Vec<Item>>) -> Result<Option<Vec<Item>>> {
        match queue.try_recv() {
            Ok(batch) => return Ok(Some(batch)),
            Err(TryRecvError::Disconnected) => return Ok(None),
            Err(TryRecvError::Empty) => self.settle()?,
        }
        loop {
            let Some(due) = self.keeper.due() else { return Ok(queue.recv().ok()) };
            match queue.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(batch) => return Ok(Some(batch)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => self.work()?,
            }
        }
    }

    /// A piece of the keeper's own work, when some is due.
    fn work(&mut self) -> Result<()> {
        if self.keeper.due().is_some_and(|due| due <= Instant::now()) {
            self.keeper.work()?;
            self.count_replayed();
        }
        Ok(())
    }

    fn count_replayed(&mut self) {
        let replayed = self.keeper.take_replayed();
        if replayed > 0 {
            log::info!("{replayed} samples of the spool are stored");
        }
        self.progress.stored(replayed);
    }

    fn take(&mut self, item: Item) -> Result<()> {
        let Item { number, line, record } = item;
        let record = match record {
            Ok(record) => record,
            Err(bad) => return self.bad(number, &line, &bad),
        };
        self.account.note(&record);
        match record {
            Record::Sample(sample) => return self.sample(number, &line, sample),
            Record::Scan(scan) => return self.scan(number, &line, scan),
            Record::Heartbeat(heartbeat) => {
                self.progress.heartbeat(&heartbeat);
                self.beat = true;
            }
            Record::End(_) => self.commit(None),
            _ => {}
        }
        // What is none of our business goes on in its place.
        self.tee.line(&line);
        Ok(())
    }

    fn bad(&mut self, number: u64, line: &str, bad: &BadLine) -> Result<()> {
        if let Some(misfit) = Misfit::of(line, bad) {
            self.enter(&misfit.cmts, misfit.ts);
            let reason = format!("unknown modulation {:?}", misfit.modulation);
            return self.reject(number, &misfit.cmts, &misfit.upstream, &reason);
        }
        self.account.bad_line(self.context.tool, self.now, number, bad, &mut self.tee)
    }

    fn sample(&mut self, number: u64, line: &str, sample: Sample) -> Result<()> {
        let verdict = self.keeper.limits().judge(&sample, self.now);
        let open = self.enter(&sample.cmts, sample.ts);
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
        let (ts, stage) = (self.now, self.context.tool.to_owned());
        record::write(&mut self.tee, &Fault { ts, stage, line: Some(number), message }).map_err(Error::output)
    }

    fn scan(&mut self, number: u64, line: &str, scan: Scan) -> Result<()> {
        self.progress.scan(&scan);
        self.beat = true;
        if let Some(reason) = self.keeper.limits().scan_fault(&scan, self.now) {
            self.account.bad += 1;
            self.fault(number, format!("scan of {}: {reason}", scan.cmts))?;
            self.commit(None);
            return Ok(());
        }
        self.enter(&scan.cmts, scan.ts);
        self.tee.line(line);
        if !scan.status.is_good() {
            self.not_good += 1;
            let named =
                self.named.iter_mut().find(|(cmts, status, _)| *cmts == scan.cmts && *status == scan.status);
            if let Some((_, _, times)) = named {
                *times += 1;
            } else if self.named.len() < NAMED {
                self.named.push((scan.cmts.clone(), scan.status, 1));
            }
        }
        self.commit(Some(scan));
        Ok(())
    }

    /// The open group of this pair; an open one of another pair is whole now.
    fn enter(&mut self, cmts: &str, ts: Timestamp) -> &mut Open {
        if self.open.as_ref().is_some_and(|open| open.group.ts != ts || open.group.cmts != cmts) {
            self.commit(None);
        }
        self.open.get_or_insert_with(|| {
            self.tee.open_group();
            let group = Group { cmts: cmts.to_owned(), ts, samples: Vec::new(), scan: None };
            Open { group, counts: Counts::default() }
        })
    }

    /// The open group, if there is one, is whole: it is kept with those that wait already.
    fn commit(&mut self, scan: Option<Scan>) {
        let Some(Open { mut group, counts }) = self.open.take() else { return };
        group.scan = scan;
        self.samples += group.samples.len();
        self.tee.close_group();
        self.closed.push((group, counts));
    }

    /// Keeps all groups that are whole, and then lets their lines go on.
    fn settle(&mut self) -> Result<()> {
        self.samples = 0;
        let (groups, mut counts): (Vec<_>, Vec<_>) = mem::take(&mut self.closed).into_iter().unzip();
        let (kept, outcome) = self.keep(&groups);
        counts.truncate(kept.len());
        counts.iter_mut().zip(kept).for_each(|(counts, kept)| *counts += kept);
        self.groups += counts.len() as u64;
        for counts in &counts {
            self.totals += *counts;
            self.progress.stored(counts.stored);
        }
        let whole = groups.iter().zip(&counts);
        let receipts: Vec<_> = whole.map(|(group, &counts)| receipt(group, counts, self.dry_run)).collect();
        self.tee.release(&receipts);
        outcome?;
        if self.open.is_none() && mem::take(&mut self.beat) && !self.notify.is_nobody() {
            self.notify.beat(self.progress.totals(), &self.keeper.status());
        }
        Ok(())
    }

    fn keep(&mut self, groups: &[Group]) -> (Vec<Counts>, Result<()>) {
        if !self.dry_run {
            return self.keeper.store(groups);
        }
        let only_sent = |group: &Group| Counts { sent: group.samples.len() as u64, ..Counts::default() };
        (groups.iter().map(only_sent).collect(), Ok(()))
    }

    /// The last words, and the result. `waiting`: what is left in the spool.
    fn exit(&self, waiting: Option<String>) -> Exit {
        let Counts { sent, stored, duplicate, rejected, left_out, spooled } = self.totals;
        log::info!(
            "{} groups, {sent} samples: {stored} stored, {duplicate} duplicate, {rejected} rejected, \
             {left_out} left out, {spooled} spooled",
            self.groups
        );
        if self.not_good > 0 {
            let told: u64 = self.named.iter().map(|(.., times)| times).sum();
            let more = if self.not_good > told { ", …" } else { "" };
            let scans = if self.account.scans == 1 { "scan" } else { "scans" };
            let named = self.named.iter().map(|(cmts, status, times)| match times {
                1 => format!("{cmts} {status}"),
                times => format!("{cmts} {status} ({times} times)"),
            });
            log::warn!(
                "{} of {} {scans} failed: {}{more}",
                self.not_good,
                self.account.scans,
                named.collect::<Vec<_>>().join(", ")
            );
        }
        if self.account.broke_off() {
            log::warn!("the input broke off without its `end`; what came is stored");
        }
        let partial = self.account.bad > 0 || rejected > 0 || self.not_good > 0 || self.account.broke_off();
        let given_up = self.keeper.given_up() > 0;
        let waits = waiting.is_some() || given_up;
        if let Some(waiting) = waiting {
            log::warn!("{waiting}; the next run with it stores them");
        }
        if partial || waits { Exit::Partial } else { Exit::Done }
    }

    /// A fault of the database says how far we came.
    fn place_in_stream(&self, error: Error) -> Error {
        let so_far = |reason: String| match self.groups {
            0 => reason,
            groups => format!("{reason}; groups stored before this: {groups}"),
        };
        match error {
            Error::Database { place, reason } => Error::Database { place, reason: so_far(reason) },
            Error::Away { place, reason } => Error::Away { place, reason: so_far(reason) },
            other => other,
        }
    }
}
