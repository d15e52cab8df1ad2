//! SIGTERM, SIGINT and SIGHUP as flags that stages look at, with the promises of the contract:
//! a second signal ends at once, a filter ends 20 s after the first at the latest. A supervisor ends
//! when its command has, and is only told.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
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
    stage::Role,
    watch::proc,
};

/// How long a filter may go on after the first signal.
const FILTER_GRACE: Duration = Duration::from_secs(20);
/// A source gives its sessions 10 s; this is the end for one that cannot even keep that.
const SOURCE_GRACE: Duration = Duration::from_secs(25);

#[derive(Debug, Default)]
struct State {
    stop: Option<(i32, Instant)>,
    insisted: bool,
    reload: bool,
}

/// What the process has been told so far. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Signals(Arc<(Mutex<State>, Condvar)>);

impl Signals {
    /// Begins to listen. Signals that were ignored when the process started (`nohup`) stay ignored by their default.
    ///
    /// # Errors
    /// [`Error::System`] when handlers cannot be set.
    pub fn install(role: Role) -> Result<Self> {
        let signals = Signals::default();
        let told = signals.clone();
        let listen = |signals: &[i32]| Incoming::new(signals).map_err(Error::system("signal handlers"));
        // Only a source has something to read again; SIGHUP ends a filter as it ends any Unix tool,
        // and a supervisor must not be ended by it without its command.
        let mut incoming = match role {
            Role::Supervisor if proc::ignores(SIGHUP) => listen(&[SIGTERM, SIGINT])?,
            Role::Source | Role::Supervisor => listen(&[SIGTERM, SIGINT, SIGHUP])?,
            Role::Filter => listen(&[SIGTERM, SIGINT])?,
        };
        let listener = move || {
            for signal in incoming.forever() {
                told.receive(signal, role);
            }
        };
        thread::Builder::new()
            .name("signals".into())
            .spawn(listener)
            .map_err(Error::system("signal thread"))?;
        Ok(signals)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
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
            (_, Some(_), None) => state.insisted = true,
            (_, Some(_), Some(_)) => die_by(signal),
            (_, None, Some(grace)) => {
                state.stop = Some((signal, Instant::now()));
                thread::spawn(move || {
                    thread::sleep(grace);
                    log::error!("told to stop {} s ago and still not done: ended", grace.as_secs());
                    die_by(signal);
                });
            }
        }
        self.0.1.notify_all();
    }

    /// For tests and for stages that end themselves: as if the signal had come.
    pub fn tell(&self, signal: i32) {
        let mut state = self.lock();
        state.stop.get_or_insert((signal, Instant::now()));
        self.0.1.notify_all();
    }

    /// Whether we were told to stop.
    #[must_use]
    pub fn stopping(&self) -> bool {
        self.lock().stop.is_some()
    }

    /// Whether a supervisor was told more than once: it is to end at once.
    #[must_use]
    pub fn insisted(&self) -> bool {
        self.lock().insisted
    }

    /// How long ago we were told to stop.
    #[must_use]
    pub fn stopping_for(&self) -> Option<Duration> {
        self.lock().stop.map(|(_, when)| when.elapsed())
    }

    /// Whether SIGHUP came since the last time this was asked.
    #[must_use]
    pub fn take_reload(&self) -> bool {
        std::mem::take(&mut self.lock().reload)
    }

    /// Waits until a signal comes, or for `patience`; true when we are to stop.
    #[must_use]
    pub fn wait(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut state = self.lock();
        while state.stop.is_none() && !state.reload {
            let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
            else {
                break;
            };
            state = self.0.1.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.stop.is_some()
    }

    /// Ends the process by the signal that told it to stop, if one did: its parent must see why.
    pub fn die_if_told(&self) {
        if let Some((signal, _)) = self.lock().stop {
            die_by(signal);
        }
    }
}

fn die_by(signal: i32) {
    let _: io::Result<()> = emulate_default_handler(signal);
}
