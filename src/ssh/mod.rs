//! SSH as the tools need it: every wait bounded by a budget of ours, host keys checked in every mode,
//! modern algorithms first and legacy ones when a device offers nothing else.
//!
//! Only `session.rs`, `exec.rs`, `sftp.rs` and `rename.rs` know ssh2; `dial.rs` makes the connection, `relay.rs` hands it what comes over
//! it in bounded parts; the rest is pure.

mod algorithms;
mod dial;
mod exec;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod kexinit;
mod known_hosts;
mod openssh;
mod relay;
mod rename;
mod session;
mod sftp;

use std::time::{Duration, Instant};

use crate::{record::Status, settings::Secret, signals::Signals, text};

pub use algorithms::{Algorithms, Class, supported};
pub use dial::{Stream, dial, explain_key_exchange};
pub(crate) use dial::{refusal, resolve};
pub use exec::Answer;
pub use known_hosts::{Checking, KnownHosts, Policy, fingerprint, key_type, lookup_name};
pub use openssh::{Alias, alias};
pub use rename::Renamer;
pub use session::{Accepted, Session, Shell};
pub use sftp::{Entry, Kind, Sftp};

/// Why a connection or a session ended, as a capture reports it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {error}")]
pub struct Failure {
    /// The status of the scan.
    pub status: Status,
    /// What happened, and the remedy where there is one.
    pub error: String,
    /// A retry may help.
    pub transient: bool,
    /// A key exchange without a common algorithm: legacy algorithms may help at once.
    pub no_common_algorithm: bool,
}

impl Failure {
    /// A failure that is final for this run.
    pub fn new(status: Status, error: impl Into<String>) -> Self {
        Failure { status, error: error.into(), transient: false, no_common_algorithm: false }
    }

    /// A failure that may pass by itself.
    pub fn transient(status: Status, error: impl Into<String>) -> Self {
        Failure { transient: true, ..Failure::new(status, error) }
    }

    /// A signal stopped the run.
    #[must_use]
    pub fn cancelled() -> Self {
        Failure::new(Status::Cancelled, "stopped by a signal")
    }
}

/// A text of a peer's as it goes into a message: its beginning.
pub(crate) fn shortened(text: &str) -> &str {
    text::beginning(text, 1000)
}

/// How long running sessions may go on after the first signal.
const STOP_GRACE: Duration = Duration::from_secs(10);
/// Signals are polled at least this often.
const SIGNAL_POLL: Duration = Duration::from_millis(200);

/// One phase of a session and the time it has: until its own end, and at most until the end of the
/// device's total budget.
#[derive(Clone, Debug)]
pub struct Budget {
    signals: Signals,
    total_until: Instant,
    phase_until: Instant,
    over: Failure,
    /// The message when all of it is used up.
    used_up: String,
}

impl Budget {
    /// A budget of `left` of a device's `total`, with no phase begun.
    #[must_use]
    pub fn new(signals: &Signals, left: Duration, total: Duration) -> Self {
        let total_until = Instant::now() + left;
        let over = Failure::new(Status::ReadTimeout, String::new());
        let used_up = format!("the device used up its {} s (--device-timeout)", total.as_secs_f64());
        Budget { signals: signals.clone(), total_until, phase_until: total_until, over, used_up }
    }

    /// The budget of something else than a device, with its own message for when all of it is used up.
    #[must_use]
    pub fn with_message(self, used_up: String) -> Self {
        Budget { used_up, ..self }
    }

    /// Begins a phase of its own length; when it is over, this is the failure.
    pub fn phase(&mut self, length: Duration, over: Failure) {
        self.phase_until = Instant::now() + length;
        self.over = over;
    }

    /// The phase goes on for `length` from now, because the device is alive.
    pub fn extend(&mut self, length: Duration) {
        self.phase_until = Instant::now() + length;
    }

    /// How long the next wait may take, or why there is none.
    ///
    /// # Errors
    /// The failure of the phase, or the end of the total budget, or `cancelled`.
    pub fn wait(&self) -> Result<Duration, Failure> {
        let now = Instant::now();
        if self.signals.stopping_for().is_some_and(|since| since >= STOP_GRACE) {
            return Err(Failure::cancelled());
        }
        if now >= self.phase_until {
            return Err(self.over.clone());
        }
        if now >= self.total_until {
            return Err(Failure { error: self.used_up.clone(), transient: false, ..self.over.clone() });
        }
        Ok((self.phase_until.min(self.total_until) - now).min(SIGNAL_POLL))
    }
}

/// What a login is tried with, in this order: key file, agent, password (or its prompts).
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// Name of the account.
    pub user: String,
    /// For `password` and `keyboard-interactive`, whichever the device offers.
    pub password: Option<Secret>,
    /// A private key file.
    pub identity: Option<std::path::PathBuf>,
    /// Of the key file.
    pub passphrase: Option<Secret>,
    /// Whether the user's agent is asked; true when there is one.
    pub agent: bool,
}
