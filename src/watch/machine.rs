//! The supervisor's decisions, without a process in sight: events and the time go in, at most one action comes
//! out. `supervisor` carries the actions out.

use std::{
    fmt,
    time::{Duration, Instant},
};

use crate::backoff;

/// A process that survives a KILL, or was forked past it, gets another one this often.
const KILL_AGAIN: Duration = Duration::from_secs(1);
/// No pause before a restart is longer, however often it was doubled.
const LONGEST_DELAY: Duration = Duration::from_secs(3600);

/// What the operator wants.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Without a beat for longer, the command hangs.
    pub max_heartbeat_age: Duration,
    /// Restarts in a row before it counts as failed.
    pub max_restart_attempts: u32,
    /// Pause before the first restart; each further one is twice as long.
    pub restart_delay: Duration,
    /// From TERM to KILL.
    pub stop_timeout: Duration,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The command was started.
    Started,
    /// It could not be started.
    NotStarted(String),
    /// A sign of progress came from it.
    Beat,
    /// Its first process ended; others of its group may still run.
    Ended(Ended),
    /// None of its processes is left.
    Gone,
    /// A signal to stop came.
    Stop,
    /// A second one came: stop at once.
    StopNow,
    /// Time passed.
    Tick,
}

/// What to do about it.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Start the command.
    Start,
    /// TERM to all of its processes.
    Terminate,
    /// KILL to all of its processes.
    Kill {
        /// It was killed before, and something is still there.
        again: bool,
    },
    /// Nothing before the pause is over: say why, and which restart it will be.
    Pause {
        /// What went wrong.
        cause: Cause,
        /// Number of the restart that follows, from 1.
        attempt: u32,
        /// How long.
        delay: Duration,
    },
    /// Supervision is over.
    Finish(Verdict),
}

/// How supervision ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// As requested.
    Stopped,
    /// After too many restarts; the last cause.
    Failed(Cause),
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Exit(i32),
    /// By this signal.
    Signal(i32),
}

/// Why the command has to be started again.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Cause {
    /// It ended by itself.
    #[error("the command ended by itself with {0}")]
    Ended(Ended),
    /// It hung: no beat for this long.
    #[error("the command hangs: no heartbeat for {} s", .0.as_secs())]
    NoBeat(Duration),
    /// It could not be started at all.
    #[error("the command cannot be started: {0}")]
    NotStarted(String),
}

/// Where the command stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// It is to be started, or has not shown progress yet.
    Starting,
    /// It runs and beats.
    Running,
    /// Processes that an earlier supervisor left behind are being ended.
    Clearing,
    /// It is being ended because of this.
    Ending(Cause),
    /// It is being ended because of a signal to stop.
    Stopping,
    /// It pauses before the next start.
    Pausing(Cause),
    /// Nothing more will happen.
    Over(Verdict),
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    Starting,
    Up { since: Instant, beat: Option<Instant> },
    Ending { then: Then, kill_at: Instant, killed: bool },
    Pausing { cause: Cause, until: Instant },
    Over(Verdict),
}

/// What follows once the last process is gone.
#[derive(Clone, Debug, PartialEq)]
enum Then {
    Start,
    Restart(Cause),
    Stop,
}

/// The state machine.
#[derive(Debug)]
pub struct Machine {
    policy: Policy,
    state: State,
    restarts: u32,
    jitter: fastrand::Rng,
}

impl Machine {
    /// Begins; `leftovers`: processes of an earlier supervisor of the same name still run. They are
    /// ended first, so that there is never a second scanner.
    #[must_use]
    pub fn begin(policy: Policy, leftovers: bool, now: Instant, jitter: fastrand::Rng) -> (Self, Action) {
        let mut machine = Machine { policy, state: State::Starting, restarts: 0, jitter };
        let action = if leftovers { machine.end(Then::Start, now) } else { Action::Start };
        (machine, action)
    }

    /// Takes an event and says what to do.
    #[must_use]
    pub fn on(&mut self, event: Event, now: Instant) -> Option<Action> {
        match (event, &mut self.state) {
            (_, State::Over(_)) => None,

            (Event::Started, State::Starting) => {
                self.state = State::Up { since: now, beat: None };
                None
            }
            (Event::NotStarted(reason), State::Starting) => {
                Some(self.restart(Cause::NotStarted(reason), now))
            }

            (Event::Beat, State::Up { since, beat }) => {
                *beat = Some(now);
                // It has run healthily for a while: what was before is forgotten.
                if now.duration_since(*since) >= self.policy.max_heartbeat_age {
                    self.restarts = 0;
                }
                None
            }
            (Event::Ended(how), State::Up { .. }) => Some(self.end(Then::Restart(Cause::Ended(how)), now)),

            (Event::Gone, State::Ending { then, .. }) => Some(match then.clone() {
                Then::Start => self.start(),
                Then::Restart(cause) => self.restart(cause, now),
                Then::Stop => self.finish(Verdict::Stopped),
            }),

            (Event::Stop | Event::StopNow, State::Starting | State::Pausing { .. }) => {
                Some(self.finish(Verdict::Stopped))
            }
            (Event::Stop, State::Up { .. }) => Some(self.end(Then::Stop, now)),
            (Event::Stop, State::Ending { then, .. }) => {
                *then = Then::Stop;
                None
            }
            (Event::StopNow, State::Up { .. }) => {
                self.state = State::Ending { then: Then::Stop, kill_at: now + KILL_AGAIN, killed: true };
                Some(Action::Kill { again: false })
            }
            (Event::StopNow, State::Ending { then, kill_at, killed }) => {
                *then = Then::Stop;
                if *killed {
                    return None;
                }
                (*kill_at, *killed) = (now + KILL_AGAIN, true);
                Some(Action::Kill { again: false })
            }

            (Event::Tick, _) => self.tick(now),
            (Event::Started | Event::NotStarted(_) | Event::Beat | Event::Ended(_) | Event::Gone, _) => None,
        }
    }

    fn tick(&mut self, now: Instant) -> Option<Action> {
        match &mut self.state {
            State::Up { since, beat } => {
                let age = now.duration_since(beat.unwrap_or(*since));
                (age > self.policy.max_heartbeat_age)
                    .then(|| self.end(Then::Restart(Cause::NoBeat(age)), now))
            }
            State::Ending { kill_at, killed, .. } if now >= *kill_at => {
                *kill_at = now + KILL_AGAIN;
                Some(Action::Kill { again: std::mem::replace(killed, true) })
            }
            State::Pausing { until, .. } if now >= *until => Some(self.start()),
            _ => None,
        }
    }

    fn start(&mut self) -> Action {
        self.state = State::Starting;
        Action::Start
    }

    fn end(&mut self, then: Then, now: Instant) -> Action {
        self.state = State::Ending { then, kill_at: now + self.policy.stop_timeout, killed: false };
        Action::Terminate
    }

    fn restart(&mut self, cause: Cause, now: Instant) -> Action {
        if self.restarts >= self.policy.max_restart_attempts {
            return self.finish(Verdict::Failed(cause));
        }
        let delay = backoff::delay(self.policy.restart_delay, self.restarts, LONGEST_DELAY, &mut self.jitter);
        self.restarts += 1;
        self.state = State::Pausing { cause: cause.clone(), until: now + delay };
        Action::Pause { cause, attempt: self.restarts, delay }
    }

    fn finish(&mut self, verdict: Verdict) -> Action {
        self.state = State::Over(verdict.clone());
        Action::Finish(verdict)
    }

    /// Where the command stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match &self.state {
            State::Starting | State::Up { beat: None, .. } => Phase::Starting,
            State::Up { beat: Some(_), .. } => Phase::Running,
            State::Ending { then: Then::Start, .. } => Phase::Clearing,
            State::Ending { then: Then::Restart(cause), .. } => Phase::Ending(cause.clone()),
            State::Ending { then: Then::Stop, .. } => Phase::Stopping,
            State::Pausing { cause, .. } => Phase::Pausing(cause.clone()),
            State::Over(verdict) => Phase::Over(verdict.clone()),
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Exit(code) => write!(f, "exit code {code}"),
            Ended::Signal(signal) => match signal_hook::low_level::signal_name(*signal) {
                Some(name) => write!(f, "signal {signal} ({name})"),
                None => write!(f, "signal {signal}"),
            },
        }
    }
}

#[cfg(test)]
mod tests;
