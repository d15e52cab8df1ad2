//! `logins.ndjson`: what came to the doors of the fleet, line by line as it happens, so that tests can
//! count connections, attempts, rates and proper log-outs.

use std::{
    fs::File,
    io::Write,
    path::Path,
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use modtools::error::{Error, Result};
use serde::Serialize;

/// What happened in a session.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    /// A connection was accepted.
    Open,
    /// A credential was offered; it is not written down.
    Auth { method: &'a str, user: &'a str, accepted: bool },
    /// A line was typed at a prompt.
    Command { command: &'a str },
    /// An object was asked for by SNMP v2c: itself, or so many rows behind it.
    Asked { object: &'a str, repetitions: Option<u32> },
    /// The session was left by its command.
    Logout,
    /// The connection is gone.
    Close,
}

#[derive(Serialize)]
struct Line<'a> {
    time_ms: u128,
    cmts: &'a str,
    session: u64,
    #[serde(flatten)]
    event: Event<'a>,
}

/// The file.
#[derive(Debug)]
pub struct SessionLog(Mutex<File>);

impl SessionLog {
    /// Begins an empty one.
    pub fn create(path: &Path) -> Result<Self> {
        File::create(path).map(|file| SessionLog(Mutex::new(file))).map_err(Error::write(path))
    }

    /// Writes a line; a disk that is full loses it, and nothing else.
    pub fn note(&self, cmts: &str, session: u64, event: Event<'_>) {
        let time_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
        if let Ok(mut line) = serde_json::to_vec(&Line { time_ms, cmts, session, event }) {
            line.push(b'\n');
            let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line);
        }
    }
}
