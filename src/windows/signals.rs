//! Signals as flags that stages poll: on Windows, where Ctrl-C ends a program at once, none comes.

use std::time::Duration;

use crate::error::Result;

/// What a signal means to a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Begins the pipe.
    Source,
    /// Reads from another tool.
    Filter,
    /// Keeps others alive.
    Supervisor,
}

/// The signals that this process has received: none.
#[derive(Clone, Debug, Default)]
pub struct Signals;

impl Signals {
    /// Sets no handlers.
    pub fn install(_role: Role) -> Result<Self> {
        Ok(Signals)
    }

    /// Whether a signal to stop has come.
    #[must_use]
    pub fn stopping(&self) -> bool {
        false
    }

    /// How long ago the signal to stop came.
    #[must_use]
    pub fn stopping_for(&self) -> Option<Duration> {
        None
    }

    /// Does nothing.
    pub fn die_if_stopped(&self) {}
}
