//! The run as a whole: which device is begun when, on a pool of its own, and what becomes of each attempt.
//!
//! ```text
//!   ready ──▶ pool of --jobs threads ──▶ bounded channel ──▶ one writer
//!     ▲                                                        │
//!     └── later (back-off) ◀── a failure that may pass ◀───────┘
//! ```
//!
//! One thread decides and writes: lines never interleave, and a reader that is slow slows the fetch.

use std::{
    collections::VecDeque,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    time::{Duration, Instant},
};

use rayon::ThreadPool;

use super::{
    cache::Cache,
    check,
    collect::{self, Attempt, Job},
    failure_log::FailureLog,
    inventory::Device,
    logins::Pace,
    options::Options,
    progress::Progress,
};
use crate::{
    backoff,
    cli::{self, Via},
    clock::Clock,
    error::{Error, Result},
    record::{self, Capture, Status},
    ssh::{Algorithms, Failure},
    stage::Context,
};

/// Delay before the first retry of a device, and the longest.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(64);
/// The longest that the loop goes without looking at the signals.
const LOOK_UP: Duration = Duration::from_millis(200);
/// Stacks of the pool: sessions are shallow, and there may be hundreds.
const STACK: usize = 1 << 20;

/// An attempt that is over.
struct Message {
    job: Job,
    attempt: Box<Attempt>,
}

/// A device that is done.
pub struct Done {
    /// Its name.
    pub cmts: String,
    /// Time of its attempts.
    pub took: Duration,
}

/// Runs jobs, and writes a capture for each.
pub struct Coordinator<'a> {
    options: Arc<Options>,
    clock: Clock,
    output: &'a mut dyn Write,
    pool: ThreadPool,
    most: usize,
    pace: Pace,
    cache: Cache,
    failures: FailureLog,
    progress: Progress,
    ready: VecDeque<Job>,
    later: Vec<(Instant, Job)>,
    running: usize,
    messages: Receiver<Message>,
    sender: SyncSender<Message>,
    /// Captures that were good.
    pub ok: u64,
    /// Captures that were not.
    pub failed: u64,
}

impl<'a> Coordinator<'a> {
    /// A coordinator with nothing to do yet.
    ///
    /// # Errors
    /// [`Error::Usage`] when the threads cannot be had, [`Error::Write`] for the cache.
    pub fn new(
        args: &cli::Fetch,
        context: &Context,
        options: Arc<Options>,
        output: &'a mut dyn Write,
    ) -> Result<Self> {
        let jobs = usize::from(args.jobs);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(jobs)
            .stack_size(STACK)
            .thread_name(|n| format!("session-{n}"))
            .build()
            .map_err(|e| Error::usage(format!("--jobs {jobs}: {e}")))?;
        let (sender, messages) = mpsc::sync_channel(jobs);
        Ok(Coordinator {
            options,
            clock: context.clock,
            output,
            pool,
            most: jobs,
            pace: Pace::new(args.login_rate),
            cache: Cache::new(args.cache.as_deref())?,
            failures: FailureLog::new(args.every.is_some()),
            progress: Progress::new(context.terminals.stderr && args.every.is_none()),
            ready: VecDeque::new(),
            later: Vec::new(),
            running: 0,
            messages,
            sender,
            ok: 0,
            failed: 0,
        })
    }

    /// Puts a device at the end of the queue.
    pub fn add(&mut self, device: Arc<Device>) {
        let kept = self.cache.get(&device.cmts);
        self.progress.added();
        self.ready.push_back(Job::new(device, kept, self.options.algorithms));
    }

    /// Whether every job is done.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.running == 0 && self.ready.is_empty() && self.later.is_empty()
    }

    /// Jobs that are being fetched.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running
    }

    /// Writes a record that is not about a job.
    pub fn write<B: record::Body>(&mut self, body: &B) -> Result<()> {
        record::write(self.output, body).and_then(|()| self.output.flush()).map_err(Error::output)
    }

    /// Begins what may begin, then waits until something happens or `until`: the devices that are done.
    pub fn turn(&mut self, until: Option<Instant>) -> Result<Vec<Done>> {
        let mut done = Vec::new();
        if self.options.signals.stopping() {
            self.cancel_the_rest(&mut done)?;
        }
        let now = Instant::now();
        let (due, later) = std::mem::take(&mut self.later).into_iter().partition(|(at, _)| *at <= now);
        self.later = later;
        let due: Vec<(Instant, Job)> = due;
        self.ready.extend(due.into_iter().map(|(_, job)| job));
        let wake = self.begin(now, &mut done)?;
        let wakes = self.later.iter().map(|(at, _)| *at).chain(until).chain(wake).min();
        let patience = wakes.map_or(LOOK_UP, |at| at.saturating_duration_since(now).min(LOOK_UP));
        match self.messages.recv_timeout(patience) {
            Ok(message) => self.take(message, &mut done)?,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        while let Ok(message) = self.messages.try_recv() {
            self.take(message, &mut done)?;
        }
        self.progress.show(self.running);
        self.output.flush().map_err(Error::output)?;
        Ok(done)
    }

    /// Begins jobs in their order while there are free threads. Returns when to look again.
    fn begin(&mut self, now: Instant, done: &mut Vec<Done>) -> Result<Option<Instant>> {
        while self.running < self.most {
            let Some(job) = self.ready.pop_front() else { break };
            if let Some(failure) = self.options.gate.broken(job.user(&self.options)) {
                let capture = job.capture(failure.status, Some(failure.error), self.clock.now());
                self.finish(&job, capture, done)?;
                continue;
            }
            // The rate spares the servers behind logins, and SNMP has none.
            let paced = if job.device.via == Via::Snmp { Ok(()) } else { self.pace.begin(now) };
            match paced {
                Ok(()) => self.spawn(job),
                Err(next) => {
                    self.ready.push_front(job);
                    return Ok(Some(next));
                }
            }
        }
        Ok(None)
    }

    fn spawn(&mut self, mut job: Job) {
        self.running += 1;
        self.progress.began(&job.device.cmts);
        let (options, clock, sender) = (Arc::clone(&self.options), self.clock, self.sender.clone());
        self.pool.spawn_fifo(move || {
            let result = catch_unwind(AssertUnwindSafe(|| collect::attempt(&mut job, &options, clock)));
            let attempt = result.unwrap_or_else(|_| {
                let failure = Failure::new(Status::Internal, "a fault of ccap-fetch; please report it");
                let capture = job.capture(failure.status, Some(failure.error.clone()), clock.now());
                Attempt { capture, failure: Some(failure), kept: Vec::new() }
            });
            // The coordinator is gone only when the whole run is.
            let _ = sender.send(Message { job, attempt: Box::new(attempt) });
        });
    }

    fn take(&mut self, Message { job, attempt }: Message, done: &mut Vec<Done>) -> Result<()> {
        self.running -= 1;
        self.progress.ended(&job.device.cmts);
        self.cache.put(&job.device.cmts, attempt.kept);
        match attempt.failure {
            Some(failure) => self.after(job, failure, attempt.capture, done),
            None => self.finish(&job, attempt.capture, done),
        }
    }

    /// What a failure leads to: legacy algorithms, the second account, another attempt later, or the end.
    fn after(
        &mut self,
        mut job: Job,
        failure: Failure,
        capture: Capture,
        done: &mut Vec<Done>,
    ) -> Result<()> {
        let options = &self.options;
        let time_left = job.spent < options.budgets.device && !options.signals.stopping();
        let by_ssh = job.device.via == Via::Ssh;
        let auto = job.device.algorithms.unwrap_or(options.algorithms) == Algorithms::Auto;
        if time_left && failure.no_common_algorithm && auto && !job.legacy {
            job.legacy = true;
            self.ready.push_front(job);
        } else if time_left
            && by_ssh
            && failure.status == Status::AuthFailed
            && options.local.is_some()
            && !job.local
        {
            job.local = true;
            self.ready.push_front(job);
        } else if time_left && failure.transient && job.retries < options.retries {
            job.retries += 1;
            let patience = backoff::delay(
                FIRST_RETRY,
                job.retries.saturating_sub(1),
                LAST_RETRY,
                &mut fastrand::Rng::new(),
            );
            log::info!("{}: {failure}; tried again in {:.1} s", job.device.cmts, patience.as_secs_f64());
            self.later.push((Instant::now() + patience, job));
        } else {
            self.finish(&job, capture, done)?;
        }
        Ok(())
    }

    fn finish(&mut self, job: &Job, capture: Capture, done: &mut Vec<Done>) -> Result<()> {
        let checked = self.options.check.then(|| check::line(&capture));
        let good = checked.as_ref().map_or(capture.status.is_good(), |(good, _)| *good);
        if good {
            self.ok += 1
        } else {
            self.failed += 1
        };
        if let Some((_, line)) = checked {
            let mut written = Ok(());
            self.progress.suspend(|| written = writeln!(self.output, "{line}"));
            written.map_err(Error::output)?;
        } else {
            let (progress, failures) = (&self.progress, &mut self.failures);
            progress.suspend(|| failures.log(&capture));
            record::write(self.output, &capture).map_err(Error::output)?;
        }
        self.progress.done(good);
        done.push(Done { cmts: capture.cmts, took: job.spent });
        Ok(())
    }

    /// Told to stop: what was not begun is not begun any more.
    fn cancel_the_rest(&mut self, done: &mut Vec<Done>) -> Result<()> {
        let ready = std::mem::take(&mut self.ready).into_iter();
        let later = std::mem::take(&mut self.later).into_iter().map(|(_, job)| job);
        for job in ready.chain(later).collect::<Vec<_>>() {
            let cancelled = Failure::cancelled();
            let capture = job.capture(cancelled.status, Some(cancelled.error), self.clock.now());
            self.finish(&job, capture, done)?;
        }
        Ok(())
    }
}
