//! `event`: what mod-report tells between two runs, and what mod-mail and the hooks pass on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Timestamp;
use crate::{closed_set::closed_set, modulation::Modulation};

closed_set! {
    /// What became of an event.
    pub enum What {
        /// Upstreams fell below what is expected of them, and stayed there for two scans.
        Opened = "opened",
        /// Half as many upstreams again, or twice the loss, since it was last told.
        Grew = "grew",
        /// They are back for three scans, or nearly all of them.
        Closed = "closed",
    }
}

/// `event`, of `mod-report --events`: upstreams that fell together, or a single one. An event is opened once, may
/// grow, and is closed once; the record of each stands in the output once, or twice when a run was killed between
/// its output and its state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// That of the scan that showed it.
    pub ts: Timestamp,
    /// The same from its opening to its end, 16 hexadecimal digits.
    pub id: String,
    /// What became of it.
    pub what: What,
    /// Name of the device.
    pub cmts: String,
    /// Name of the node, where nodes are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Name of the upstream, when it is a single one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    /// How many are below what is expected; of a closed one, how many were at most.
    #[serde(default)]
    pub upstreams: u64,
    /// The modulation that most of them had before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Modulation>,
    /// The modulation that most of them have now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Modulation>,
    /// The first scan in which they were below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What is lost now, Mbit/s, of those upstreams whose width is known; missing when none is, and when it closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_mbps: Option<f64>,
    /// Modems on these upstreams, each channel of a modem counted, as far as they are known; missing when it closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modems: Option<u64>,
    /// One sentence about it, in the language of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
    /// On the last event of a run: how many more opened that are not told one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<u64>,
}
