//! The status of a supervised pipeline: `NAME.status`, and the `status` record that `mod-watch status --json` prints.

use std::{fmt, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Timestamp, Totals};
use crate::units;

/// The words of the status: as in the program that this one replaces, and two new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum StatusWord {
    Starting,
    Running,
    Scanning,
    Success,
    Error,
    Idle,
    Sleeping,
    ShuttingDown,
    Stopped,
    Degraded,
    Failed,
}

/// `NAME.status`. Keys, types and words are a contract with the programs that read it; times without
/// a zone are local ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    /// When this was written, naive local ISO.
    pub timestamp: String,
    /// One word.
    pub status: StatusWord,
    /// One line for people.
    pub message: String,
    /// Naive local ISO; null: none yet.
    pub last_successful_scan: Option<String>,
    /// UNIX time; before the first heartbeat: when supervision began.
    pub last_heartbeat: f64,
    /// The supervisor's; null when there is none.
    pub pid: Option<i32>,
    /// Of the supervisor.
    pub uptime_seconds: u64,
    /// The same, `1d 2h 3m`.
    pub uptime_human: String,
    /// `NAME.pid`.
    pub lock_file: String,
    /// Whether nobody has to look after it.
    pub is_healthy: bool,
    /// Since supervision began.
    pub statistics: Statistics,
}

impl Document {
    /// The same document, this much later.
    #[must_use]
    pub fn later(self, age: Duration) -> Self {
        let uptime_seconds = self.uptime_seconds + age.as_secs();
        let statistics = Statistics { uptime_seconds, ..self.statistics };
        let uptime_human = units::human(Duration::from_secs(uptime_seconds));
        Document { uptime_seconds, uptime_human, statistics, ..self }
    }
}

/// The counts of the status.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Statistics {
    /// What the command reported, over all of its starts.
    #[serde(flatten)]
    pub totals: Totals,
    /// When supervision began, naive local ISO.
    pub started_at: String,
    /// Of the supervisor.
    pub uptime_seconds: u64,
}

/// `status` as a record: what `mod-watch status --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StatusRecord<'a> {
    /// When this was looked up.
    pub ts: Timestamp,
    /// Name of what is supervised.
    pub name: &'a str,
    /// The status.
    #[serde(flatten)]
    pub document: &'a Document,
}

impl fmt::Display for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl StatusWord {
    /// Whether nobody has to look after it.
    #[must_use]
    pub fn is_healthy(self) -> bool {
        match self {
            StatusWord::Starting
            | StatusWord::Running
            | StatusWord::Scanning
            | StatusWord::Success
            | StatusWord::Idle
            | StatusWord::Sleeping => true,
            StatusWord::Error
            | StatusWord::ShuttingDown
            | StatusWord::Stopped
            | StatusWord::Degraded
            | StatusWord::Failed => false,
        }
    }
}
