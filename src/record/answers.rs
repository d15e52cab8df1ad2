//! `change`, `gap`, `state` and `fresh`: what mod-report says besides its report.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Status, Timestamp};
use crate::modulation::Modulation;

/// `change`, of `--format changes`: an upstream's sample differs from the one before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// That of the sample.
    pub ts: Timestamp,
    /// Name of the device.
    pub cmts: String,
    /// Name of the upstream.
    pub upstream: String,
    /// Modulation before.
    pub from: Modulation,
    /// Modulation from now on.
    pub to: Modulation,
    /// For how long `from` was sampled, as far as it was looked at (a day before the window), s.
    pub held_s: u64,
    /// Modulation profile of the sample, as far as it is kept (48 hours).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<u32>,
    /// Signal-to-noise ratio of the sample, as far as it is kept, dB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snr_db: Option<f64>,
}

/// `gap`, of `--format changes`: for longer than a sample holds there was none of an upstream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// That of the last sample before it.
    pub ts: Timestamp,
    /// Name of the device.
    pub cmts: String,
    /// Name of the upstream.
    pub upstream: String,
    /// That of the first sample after it; missing when none came in the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Without a sample, s.
    pub gap_s: u64,
    /// Status of the first scan in it that was not good; missing: no such scan explains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// What that scan said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// `state`, of `--at`: an upstream's last sample up to a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct State {
    /// The moment.
    pub ts: Timestamp,
    /// Name of the device.
    pub cmts: String,
    /// Name of the upstream.
    pub upstream: String,
    /// Its modulation.
    pub modulation: Modulation,
    /// Time of the sample.
    pub since: Timestamp,
    /// Whether the sample still holds at the moment.
    pub holds: bool,
}

/// `fresh`, of `--fresh`: when a device was last read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fresh {
    /// Now.
    pub ts: Timestamp,
    /// Name of the device.
    pub cmts: String,
    /// Whether `age_s` is at most 2.5 intervals.
    pub fresh: bool,
    /// Since the last good scan began, s; missing when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_s: Option<u64>,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_good: Option<Timestamp>,
    /// Status of the last scan, good or not; missing where only samples are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
}
