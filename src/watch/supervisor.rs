//! The edge of the supervisor: hears what happens, lets `machine` decide, carries it out, and writes
//! down how it is. One thread, one poll(2).

use std::{
    io::PipeReader,
    os::fd::AsFd,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{
    health::Health,
    hook,
    log::{Flow, Log, Stderr, Turn},
    machine::{Action, Cause, Event, Machine, Phase, Policy, Verdict},
    notify::{Socket, Word},
    paths::Paths,
    pipeline::Pipeline,
    status_file::StatusFile,
    watchdog_log::WatchdogLog,
};
use crate::{cli::watch::Options, clock::Clock, error::Result, signals::Signals, units};

/// Signals and the end of a process are noticed this late at most.
const TURN: Duration = Duration::from_millis(200);
/// The same while the command is being ended.
const SHORT_TURN: Duration = Duration::from_millis(50);

/// One command under supervision.
pub struct Supervisor<'a> {
    options: &'a Options,
    command: &'a [String],
    clock: Clock,
    signals: Signals,
    watchdog_log: WatchdogLog,
    machine: Machine,
    health: Health,
    socket: Socket,
    pipeline: Pipeline,
    pipe: Option<PipeReader>,
    stderr: Stderr,
    status: StatusFile,
}

impl<'a> Supervisor<'a> {
    /// Makes everything ready; the caller holds the lock. Gives the first action, too.
    ///
    /// # Errors
    /// [`crate::error::Error::Write`] when the socket cannot be made.
    pub fn new(
        options: &'a Options,
        command: &'a [String],
        paths: &Paths,
        signals: Signals,
        clock: Clock,
    ) -> Result<(Self, Action)> {
        let policy = Policy {
            max_heartbeat_age: options.max_heartbeat_age,
            max_restart_attempts: options.max_restart_attempts,
            restart_delay: options.restart_delay,
            stop_timeout: options.stop_timeout,
        };
        let (now, wall) = (Instant::now(), clock.now());
        let watchdog_log = WatchdogLog::of(paths, clock);
        let mut pipeline = Pipeline::new(paths.socket());
        let leftovers = !pipeline.is_gone();
        if leftovers {
            watchdog_log.info("processes of an earlier supervisor still run: they are ended first");
        }
        let (machine, first) = Machine::begin(policy, leftovers, now, fastrand::Rng::new());
        let supervisor = Supervisor {
            options,
            command,
            clock,
            signals,
            machine,
            health: Health::new(options.interval, now, wall),
            socket: Socket::bind(&paths.socket())?,
            pipeline,
            pipe: None,
            stderr: Stderr::new(Log::new(paths.log(), options.max_log, 3)),
            status: StatusFile::new(paths),
            watchdog_log,
        };
        Ok((supervisor, first))
    }

    /// Carries out the first action and writes the first status.
    pub fn begin(&mut self, first: Action) -> Option<Verdict> {
        let verdict = self.perform(first);
        self.write_status();
        verdict
    }

    /// Supervises until it is over.
    pub fn watch(&mut self) -> Verdict {
        loop {
            self.wait();
            for event in self.hear() {
                if let Some(verdict) = self.tell(event) {
                    self.write_status();
                    return verdict;
                }
            }
            self.write_status();
        }
    }

    fn is_ending(&self) -> bool {
        matches!(self.machine.phase(), Phase::Clearing | Phase::Ending(_) | Phase::Stopping)
    }

    fn wait(&self) {
        let turn = if self.is_ending() { SHORT_TURN } else { TURN };
        let turn = Timespec { tv_sec: 0, tv_nsec: i64::from(turn.subsec_nanos()) };
        let mut inputs = vec![PollFd::from_borrowed_fd(self.socket.inner().as_fd(), PollFlags::IN)];
        inputs.extend(self.pipe.iter().map(|pipe| PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::IN)));
        // An interrupted wait is a short one.
        let _ = poll(&mut inputs, Some(&turn));
    }

    /// What has happened since the last turn: progress before the time, so that a supervisor that was
    /// itself held up does not take the command for hung.
    fn hear(&mut self) -> Vec<Event> {
        let mut events = self.hear_words();
        self.hear_stderr();
        events.extend(self.pipeline.ended().map(Event::Ended));
        // The first look comes in the turn after the signal, the last ones follow until all are gone.
        if self.is_ending() && self.pipeline.is_gone() {
            self.close_stderr();
            events.push(Event::Gone);
        }
        if self.signals.stopping_at_once() {
            events.push(Event::StopNow);
        } else if self.signals.stopping() {
            events.push(Event::Stop);
        }
        events.push(Event::Tick);
        events
    }

    fn hear_words(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        for word in self.socket.receive() {
            match word {
                Word::Progress => {
                    self.health.beat(self.clock.now());
                    events.push(Event::Beat);
                }
                Word::Status(text) => self.health.says(text),
                Word::Stopping => self.health.says("the command is ending".to_owned()),
                Word::Totals(totals) => self.health.totals(totals, Instant::now(), self.clock.now()),
            }
        }
        events
    }

    fn hear_stderr(&mut self) -> Flow {
        let Some(pipe) = &mut self.pipe else { return Flow::End };
        let (flow, turn) = self.stderr.read(pipe, self.clock.now());
        if flow == Flow::End {
            self.pipe = None;
        }
        self.say(turn);
        flow
    }

    /// All processes are gone: what is left in the pipe is all there will be, even if somebody else
    /// still holds its other end.
    fn close_stderr(&mut self) {
        while self.hear_stderr() == Flow::Some {}
        self.pipe = None;
        let turn = self.stderr.flush(self.clock.now());
        self.say(turn);
    }

    fn say(&self, turn: Option<Turn>) {
        match turn {
            Some(Turn::Broken(error)) => {
                self.watchdog_log.warn(&format!("the log takes no more, supervision goes on: {error}"));
            }
            Some(Turn::Mended(lost)) => {
                self.watchdog_log.warn(&format!("the log is written again; about {lost} lines are missing"));
            }
            None => {}
        }
    }

    /// Tells the machine and does what it says.
    fn tell(&mut self, event: Event) -> Option<Verdict> {
        let action = self.machine.on(event, Instant::now())?;
        self.perform(action)
    }

    fn perform(&mut self, action: Action) -> Option<Verdict> {
        match action {
            Action::Start => return self.start(),
            Action::Terminate => {
                self.explain();
                self.pipeline.terminate();
            }
            Action::Kill { again } => {
                if !again {
                    self.watchdog_log.warn("the command did not end in time: it is killed");
                }
                self.pipeline.kill();
            }
            Action::Pause { cause, attempt, delay } => {
                let (most, delay) = (self.options.max_restart_attempts, units::human(delay));
                self.watchdog_log.warn(&format!("{cause}; restart {attempt} of {most} in {delay}"));
                self.quote();
            }
            Action::Finish(verdict) => {
                self.finish(&verdict);
                return Some(verdict);
            }
        }
        None
    }

    fn start(&mut self) -> Option<Verdict> {
        self.health.restart();
        let started = self.pipeline.start(self.command, self.options.max_heartbeat_age);
        let event = match started {
            Ok(pipe) => {
                self.pipe = Some(pipe);
                let pid = self.pipeline.pid().map_or(0, |pid| pid.as_raw_nonzero().get());
                self.watchdog_log.info(&format!("started the command, process group {pid}"));
                Event::Started
            }
            Err(error) => Event::NotStarted(error.to_string()),
        };
        self.tell(event)
    }

    /// Says why the command is being ended, when that is not said by what follows.
    fn explain(&self) {
        match self.machine.phase() {
            Phase::Stopping => self.watchdog_log.info("told to stop: the command is being ended"),
            Phase::Ending(cause @ Cause::NoBeat(_)) => {
                self.watchdog_log.warn(&format!("{cause}; it is being ended"));
            }
            _ => {}
        }
    }

    fn quote(&mut self) {
        for line in self.stderr.take_last() {
            self.watchdog_log.warn(&format!("| {line}"));
        }
    }

    fn finish(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Stopped => self.watchdog_log.info("stopped"),
            Verdict::Failed(cause) => {
                let attempts = self.options.max_restart_attempts;
                let message = format!("failed after {attempts} restarts in a row: {cause}");
                let last = self.stderr.take_last();
                self.watchdog_log.warn(&format!("{message}; `mod-watch start` or `reset` tries again"));
                for line in &last {
                    self.watchdog_log.warn(&format!("| {line}"));
                }
                // Whoever is called finds the status as it is.
                self.write_status();
                if let Some(hook) = &self.options.on_failure {
                    hook::run(
                        hook,
                        self.watchdog_log.name(),
                        &message,
                        &last,
                        &self.watchdog_log,
                        &self.signals,
                    );
                }
            }
        }
    }

    fn write_status(&mut self) {
        let now = Instant::now();
        let phase = self.machine.phase();
        let document = self.health.document(&phase, self.status.lock_file(), now, self.clock.now());
        self.status.write(&document, now, &self.watchdog_log);
    }
}
