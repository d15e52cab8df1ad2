//! What is remembered between two runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Happening, Scan, upstream::Upstream};
use crate::{
    modulation::Modulation,
    record::{Event, Timestamp, What},
};

/// An event is closed when at most one in so many of its upstreams is still down.
const LEFT: u64 = 10;

/// Everything that is under watch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// The finished day that says what upstreams can do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_of: Option<String>,
    /// By name.
    pub devices: BTreeMap<String, Device>,
    /// Events that are to be told in the next run: this one had no room left.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<Event>,
}

/// A device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Device {
    /// Its last scan that was taken.
    pub ts: Option<Timestamp>,
    /// Its events that are not over, by their id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub open: BTreeMap<String, Open>,
    /// By name.
    pub upstreams: BTreeMap<String, Upstream>,
}

/// An event that is not over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)]
pub struct Open {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    pub since: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Modulation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Modulation>,
    /// Somebody was told that it opened.
    pub is_told: bool,
    /// The upstreams and the bits that were told last.
    pub told: (u64, u64),
    /// The most upstreams that were down in it.
    pub most: u64,
    /// The bits that were lost in the last scan.
    pub bits: u64,
    /// What the upstreams hold that came back in this scan.
    #[serde(skip)]
    pub back: Vec<Modulation>,
}

fn bits(down: &[(String, u8)]) -> u64 {
    down.iter().map(|(_, bits)| u64::from(*bits)).sum()
}

impl Open {
    /// Notes what is told of it.
    pub fn tell(&mut self, down: &[(String, u8)]) {
        let upstreams = down.len() as u64;
        self.bits = bits(down);
        self.told = (upstreams.max(self.told.0), self.bits.max(self.told.1));
        self.most = self.most.max(upstreams);
    }

    /// Whether it is so much larger than it was told that this is news. A loss counts that two scans show.
    pub fn grew(&mut self, down: &[(String, u8)]) -> bool {
        let (upstreams, lost) = (down.len() as u64, bits(down));
        self.most = self.most.max(upstreams);
        let lasting = lost.min(std::mem::replace(&mut self.bits, lost));
        let (told, told_bits) = self.told;
        upstreams * 2 >= told * 3 || (lasting > told_bits && lasting >= told_bits * 2)
    }

    /// Whether nine tenths of its upstreams are back.
    #[must_use]
    pub fn is_over(&self, down: &[(String, u8)]) -> bool {
        down.len() as u64 * LEFT <= self.most
    }

    /// What is told of it now.
    #[must_use]
    pub fn happening(&self, id: &str, scan: &Scan<'_>, what: What, down: Vec<(String, u8)>) -> Happening {
        let event = self.event(id, scan.cmts, scan.ts, what);
        let event = Event { upstreams: down.len() as u64, from: self.from, to: self.to, ..event };
        Happening { event, down, is_told: self.is_told }
    }

    /// Its end; `now` is what its upstreams hold.
    #[must_use]
    pub fn close(self, id: &str, cmts: &str, ts: Timestamp, now: Option<Modulation>) -> Happening {
        let event = self.event(id, cmts, ts, What::Closed);
        let event = Event { upstreams: self.most, from: self.to, to: now, ..event };
        Happening { event, down: Vec::new(), is_told: self.is_told }
    }

    fn event(&self, id: &str, cmts: &str, ts: Timestamp, what: What) -> Event {
        Event {
            ts,
            id: id.to_owned(),
            what,
            cmts: cmts.to_owned(),
            node: self.node.clone(),
            upstream: self.upstream.clone(),
            upstreams: 0,
            from: None,
            to: None,
            since: Some(self.since),
            lost_mbps: None,
            modems: None,
            says: None,
            more: None,
        }
    }
}

/// The modulation that most have; of several, the lowest.
pub fn most(of: impl IntoIterator<Item = Modulation>) -> Option<Modulation> {
    let mut counts = [0_u32; Modulation::ALL.len()];
    of.into_iter().for_each(|modulation| counts[modulation.index()] += 1);
    let found = Modulation::ALL.into_iter().rev().max_by_key(|m| counts[m.index()])?;
    (counts[found.index()] > 0).then_some(found)
}

/// The id of an event: FNV-1a of what it is of and when it began and was found, the same on every machine.
pub fn id(
    cmts: &str,
    node: Option<&str>,
    upstream: Option<&str>,
    since: Timestamp,
    found: Timestamp,
) -> String {
    let parts = [cmts, node.unwrap_or_default(), upstream.unwrap_or_default()];
    let names = parts.iter().flat_map(|part| part.bytes().chain([0]));
    let bytes = names.chain(since.0.to_be_bytes()).chain(found.0.to_be_bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, b| (hash ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    format!("{hash:016x}")
}
