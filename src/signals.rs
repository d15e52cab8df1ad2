//! SIGTERM, SIGINT and SIGHUP as flags that stages poll. A second signal ends a stage at once, and a
//! filter ends 20 s after the first at the latest. A supervisor ends when its command has ended; it
//! only learns what was asked of it.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals as Incoming,
    low_level::emulate_default_handler,
};

use crate::{
    error::{Error, Result},
    procfs,
    sync::unpoisoned,
};

/// How long a filter may go on after the first signal.
const FILTER_GRACE: Duration = Duration::from_secs(20);
/// A source gives its sessions 10 s; one that does not even keep that ends after this.
const SOURCE_GRACE: Duration = Duration::from_secs(25);

/// What a signal means to a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Begins the pipe: finishes its work on a signal, and then dies by it.
    Source,
    /// Reads from another tool: goes on to the end of its input, at most 20 s.
    Filter,
    /// Keeps others alive: ends when they have ended, and never before them.
    Supervisor,
}

#[derive(Debug, Default)]
struct State {
    stop: Option<(i32, Instant)>,
    stop_at_once: bool,
    reload: bool,
}

/// The signals that this process has received so far. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Signals(Arc<(Mutex<State>, Condvar)>);

impl Signals {
    /// Sets the handlers. A supervisor that was started by `nohup` goes on to ignore SIGHUP.
    ///
    /// # Errors
    /// [`Error::System`] when handlers cannot be set.
    pub fn install(role: Role) -> Result<Self> {
        let signals = Signals::default();
        let received = signals.clone();
        let listen = |signals: &[i32]| Incoming::new(signals).map_err(Error::system("signal handlers"));
        // Only a source has something to read again; SIGHUP ends a filter as it ends any Unix tool,
        // and must not end a supervisor without its command.
        let mut incoming = match role {
            Role::Supervisor if procfs::ignores(SIGHUP) => listen(&[SIGTERM, SIGINT])?,
            Role::Source | Role::Supervisor => listen(&[SIGTERM, SIGINT, SIGHUP])?,
            Role::Filter => listen(&[SIGTERM, SIGINT])?,
        };
        let listener = move || {
            for signal in incoming.forever() {
                received.receive(signal, role);
            }
        };
        thread::Builder::new()
            .name("signals".into())
            .spawn(listener)
            .map_err(Error::system("signal thread"))?;
        Ok(signals)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        unpoisoned(self.0.0.lock())
    }

    fn receive(&self, signal: i32, role: Role) {
        let mut state = self.lock();
        let grace = match role {
            Role::Source => Some(SOURCE_GRACE),
            Role::Filter => Some(FILTER_GRACE),
            Role::Supervisor => None,
        };
        match (signal, state.stop, grace) {
            (SIGHUP, _, Some(_)) => state.reload = true,
            (_, None, None) => state.stop = Some((signal, Instant::now())),
            (_, Some(_), None) => state.stop_at_once = true,
            (_, Some(_), Some(_)) => die_by(signal),
            (_, None, Some(grace)) => {
                state.stop = Some((signal, Instant::now()));
                thread::spawn(move || {
                    thread::sleep(grace);
                    log::error!("still running {} s after the signal to stop: ended", grace.as_secs());
                    die_by(signal);
                });
            }
        }
        self.0.1.notify_all();
    }

    /// Whether a signal to stop has come.
    #[must_use]
    pub fn stopping(&self) -> bool {
        self.lock().stop.is_some()
    }

    /// Whether a supervisor received a second signal: it ends at once.
    #[must_use]
    pub fn stopping_at_once(&self) -> bool {
        self.lock().stop_at_once
    }

    /// How long ago the signal to stop came.
    #[must_use]
    pub fn stopping_for(&self) -> Option<Duration> {
        self.lock().stop.map(|(_, when)| when.elapsed())
    }

    /// Whether SIGHUP came since the last call.
    #[must_use]
    pub fn take_reload(&self) -> bool {
        std::mem::take(&mut self.lock().reload)
    }

    /// Waits for a signal, at most `timeout`; true when it is one to stop.
    #[must_use]
    pub fn wait(&self, timeout: Duration) -> bool {
        let until = Instant::now() + timeout;
        let mut state = self.lock();
        while state.stop.is_none() && !state.reload {
            let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
            else {
                break;
            };
            state = unpoisoned(self.0.1.wait_timeout(state, left)).0;
        }
        state.stop.is_some()
    }

    /// Ends the process by the signal that stopped it, if one did, so that its parent sees why.
    pub fn die_if_stopped(&self) {
        if let Some((signal, _)) = self.lock().stop {
            die_by(signal);
        }
    }
}

fn die_by(signal: i32) {
    let _: io::Result<()> = emulate_default_handler(signal);
}
