//! The edge of the supervisor: receives what happens, lets `machine` decide, carries it out, and writes the
//! status. One thread, one poll(2).

use std::{
    io::PipeReader,
    os::fd::AsFd,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{WaitId, WaitIdOptions, waitid},
};

use super::{
    health::Health,
    hook,
    lock::{Holder, Lock, Upkeep},
    log::{Flow, Log, Stderr, Turn},
    machine::{Action, Cause, Event, Machine, Phase, Policy, Verdict},
    notify::{Socket, Word},
    paths::{Paths, Recipe},
    pipeline::Pipeline,
    status_file::StatusFile,
    watchdog_log::WatchdogLog,
};
use crate::{cli::watch::Options, clock::Clock, error::Result, procfs, signals::Signals, units};

/// Signals and the end of a process are noticed this late at most.
const TURN: Duration = Duration::from_millis(200);
/// The same while the command is being ended.
const SHORT_TURN: Duration = Duration::from_millis(50);
/// The first process of a system or a container, which inherits every orphan.
const INIT: i32 = 1;

/// What a supervisor is given.
pub struct Task<'a> {
    /// The flags.
    pub options: &'a Options,
    /// The command and its arguments.
    pub command: &'a [String],
    /// Its files.
    pub paths: &'a Paths,
    /// What asks it to stop.
    pub signals: Signals,
    /// What time it is.
    pub clock: Clock,
}

/// One command under supervision.
pub struct Supervisor<'a> {
    task: Task<'a>,
    lock: Lock,
    /// NAME.cmd is not written yet.
    unkept: Option<Recipe>,
    recipe: Recipe,
    watchdog_log: WatchdogLog,
    machine: Machine,
    health: Health,
    socket: Socket,
    pipeline: Pipeline,
    pipe: Option<PipeReader>,
    stderr: Stderr,
    status: StatusFile,
    /// Another supervisor has taken the files over; they are not written any more.
    is_replaced: bool,
}

impl<'a> Supervisor<'a> {
    /// Makes everything ready; gives the first action, too.
    ///
    /// # Errors
    /// [`crate::error::Error::Write`] when the socket cannot be made.
    pub fn new(task: Task<'a>, mut lock: Lock) -> Result<(Self, Action)> {
        let Task { options, command, paths, clock, .. } = task;
        let policy = Policy {
            max_heartbeat_age: options.max_heartbeat_age,
            max_restart_attempts: options.max_restart_attempts,
            restart_delay: options.restart_delay,
            stop_timeout: options.stop_timeout,
        };
        let (now, wall) = (Instant::now(), clock.now());
        let watchdog_log = WatchdogLog::of(paths, clock);
        let recipe = Recipe { supervisor: Holder::own().ok(), ..Recipe::of(options, command, paths)? };
        // A full disk keeps nothing from being supervised; both are tried again.
        let signed = lock.sign();
        let kept = paths.keep(&recipe);
        for error in [&signed, &kept].into_iter().filter_map(|written| written.as_ref().err()) {
            watchdog_log.warn(&format!("{error}; supervision goes on without"));
        }
        let unkept = kept.is_err().then(|| recipe.clone());
        let mut pipeline = Pipeline::new(paths.socket());
        let leftovers = !pipeline.is_gone();
        if leftovers {
            watchdog_log.info("processes of an earlier supervisor still run: they are ended first");
        }
        let (machine, first) = Machine::begin(policy, leftovers, now, fastrand::Rng::new());
        let supervisor = Supervisor {
            lock,
            unkept,
            recipe,
            machine,
            health: Health::new(options.interval, now, wall),
            socket: Socket::bind(&paths.socket())?,
            pipeline,
            pipe: None,
            stderr: Stderr::new(Log::new(paths.log(), options.max_log, 3)),
            status: StatusFile::new(paths),
            watchdog_log,
            is_replaced: false,
            task,
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
    pub fn run(&mut self) -> Verdict {
        loop {
            self.wait();
            for event in self.events() {
                if let Some(verdict) = self.handle(event) {
                    self.write_status();
                    return verdict;
                }
            }
            self.write_status();
        }
    }

    /// Lets go of the lock, after everything else.
    pub fn release(self) {
        let Supervisor { lock, socket, .. } = self;
        drop(socket);
        lock.release();
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
    fn events(&mut self) -> Vec<Event> {
        let mut events = self.receive_progress();
        self.read_stderr();
        events.extend(self.pipeline.ended().map(Event::Ended));
        // The first check comes in the turn after the signal, the last ones follow until all are gone.
        if self.is_ending() && self.pipeline.is_gone() {
            self.close_stderr();
            events.push(Event::Gone);
        }
        self.reap_orphans();
        let is_lost = !self.keep_files();
        if self.task.signals.stopping_at_once() {
            events.push(Event::StopNow);
        } else if self.task.signals.stopping() || is_lost {
            events.push(Event::Stop);
        }
        events.push(Event::Tick);
        events
    }

    fn receive_progress(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        for word in self.socket.receive() {
            match word {
                Word::Progress => {
                    self.health.beat(self.task.clock.now());
                    events.push(Event::Beat);
                }
                Word::Status(text) => self.health.says(text),
                Word::Stopping => self.health.says("the command is ending".to_owned()),
                Word::Totals(totals) => self.health.totals(totals, Instant::now(), self.task.clock.now()),
            }
        }
        events
    }

    fn read_stderr(&mut self) -> Flow {
        let Some(pipe) = &mut self.pipe else { return Flow::End };
        let (flow, turn) = self.stderr.read(pipe, self.task.clock.now());
        if flow == Flow::End {
            self.pipe = None;
        }
        self.log_turn(turn);
        flow
    }

    /// All processes are gone: what is left in the pipe is all there will be, even if somebody else
    /// still holds its other end.
    fn close_stderr(&mut self) {
        while self.read_stderr() == Flow::Some {}
        self.pipe = None;
        let turn = self.stderr.flush(self.task.clock.now());
        self.log_turn(turn);
    }

    fn log_turn(&self, turn: Option<Turn>) {
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

    /// The first process of a container inherits every orphan and has to wait for it, or the process table
    /// fills up.
    fn reap_orphans(&self) {
        if rustix::process::getpid().as_raw_nonzero().get() != INIT {
            return;
        }
        for pid in procfs::ended_children().into_iter().filter(|&pid| Some(pid) != self.pipeline.pid()) {
            let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
        }
    }

    /// Makes files again that were removed while it runs, and writes what a full disk did not take. False
    /// when another supervisor holds the lock by now.
    fn keep_files(&mut self) -> bool {
        if self.is_replaced {
            return false;
        }
        match self.lock.check(self.task.paths) {
            Upkeep::Kept => {}
            Upkeep::Renewed(what) => {
                self.watchdog_log.warn(&format!("wrote {what}"));
                self.unkept = Some(self.recipe.clone());
                self.status.refresh();
            }
            Upkeep::Lost(reason) => {
                self.watchdog_log.warn(&format!("{reason}: this supervisor ends"));
                self.is_replaced = true;
                return false;
            }
        }
        if !self.socket.is_in_place()
            && let Ok(socket) = Socket::bind(&self.task.paths.socket())
        {
            self.socket = socket;
            self.status.refresh();
        }
        if self.unkept.as_ref().is_some_and(|recipe| self.task.paths.keep(recipe).is_ok()) {
            self.unkept = None;
        }
        true
    }

    /// Gives the event to the machine and does what it decides.
    fn handle(&mut self, event: Event) -> Option<Verdict> {
        let action = self.machine.on(event, Instant::now())?;
        self.perform(action)
    }

    fn perform(&mut self, action: Action) -> Option<Verdict> {
        match action {
            Action::Start => return self.start(),
            Action::Terminate => {
                self.log_reason();
                self.pipeline.terminate();
            }
            Action::Kill { again } => {
                if !again {
                    self.watchdog_log.warn("the command did not end in time: it is killed");
                }
                self.pipeline.kill();
            }
            Action::Pause { cause, attempt, delay } => {
                let (most, delay) = (self.task.options.max_restart_attempts, units::human(delay));
                self.watchdog_log.warn(&format!("{cause}; restart {attempt} of {most} in {delay}"));
                self.log_last_lines();
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
        let started = self.pipeline.start(self.task.command, self.task.options.max_heartbeat_age);
        let event = match started {
            Ok(pipe) => {
                self.pipe = Some(pipe);
                let pid = self.pipeline.pid().map_or(0, |pid| pid.as_raw_nonzero().get());
                self.watchdog_log.info(&format!("started the command, process group {pid}"));
                Event::Started
            }
            Err(error) => Event::NotStarted(error.to_string()),
        };
        self.handle(event)
    }

    /// Logs why the command is being ended, when the next message does not.
    fn log_reason(&self) {
        match self.machine.phase() {
            Phase::Stopping => self.watchdog_log.info("asked to stop: the command is being ended"),
            Phase::Ending(cause @ Cause::NoBeat(_)) => {
                self.watchdog_log.warn(&format!("{cause}; it is being ended"));
            }
            _ => {}
        }
    }

    fn log_last_lines(&mut self) {
        for line in self.stderr.take_last() {
            self.watchdog_log.warn(&format!("| {line}"));
        }
    }

    fn finish(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Stopped => self.watchdog_log.info("stopped"),
            Verdict::Failed(cause) => {
                let attempts = self.task.options.max_restart_attempts;
                let message = format!("failed after {attempts} restarts in a row: {cause}");
                let last = self.stderr.take_last();
                self.watchdog_log.warn(&format!("{message}; `mod-watch start` or `reset` tries again"));
                for line in &last {
                    self.watchdog_log.warn(&format!("| {line}"));
                }
                // Whoever is called finds the status as it is.
                self.write_status();
                if let Some(hook) = &self.task.options.on_failure {
                    let name = self.watchdog_log.name();
                    hook::run(hook, name, &message, &last, &self.watchdog_log, &self.task.signals);
                }
            }
        }
    }

    fn write_status(&mut self) {
        // It is the other supervisor's status by now.
        if self.is_replaced {
            return;
        }
        let now = Instant::now();
        let phase = self.machine.phase();
        let document = self.health.document(&phase, self.status.lock_file(), now, self.task.clock.now());
        self.status.write(&document, now, &self.watchdog_log);
    }
}
