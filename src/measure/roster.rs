//! The upstreams of a report: their names, each kept once, and what is known of them besides samples.

use std::{collections::HashMap, rc::Rc};

use super::nodes::{Node, Nodes};
use crate::{
    platform::Platform,
    record::{ExplainedBy, Sample, Timestamp},
};

/// `modulation_channel`: what is known of an upstream besides its modulation.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct Channel {
    pub cmts: String,
    pub upstream: String,
    pub platform: Option<String>,
    pub channel_type: Option<String>,
    pub center_hz: Option<u64>,
    pub width_hz: Option<u64>,
    pub description: Option<String>,
    /// Registered modems and SNR, dB, as of the last time that they were written.
    pub modems: Option<u64>,
    pub snr_db: Option<f64>,
}

/// A value with the time that it is from: a newer one replaces it, whatever came first.
#[derive(Debug)]
struct Latest<T>(Option<(Timestamp, T)>);

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Latest(None)
    }
}

impl<T> Latest<T> {
    fn offer(&mut self, ts: Timestamp, value: Option<T>) {
        if let Some(value) = value
            && self.0.as_ref().is_none_or(|&(held, _)| ts > held)
        {
            self.0 = Some((ts, value));
        }
    }

    fn get(&self) -> Option<&T> {
        self.0.as_ref().map(|(_, value)| value)
    }
}

#[derive(Debug)]
struct Cmts {
    name: Rc<str>,
    platform: Latest<String>,
    upstreams: HashMap<Rc<str>, u32>,
}

#[derive(Debug)]
struct Upstream {
    cmts: u32,
    name: Rc<str>,
    /// The number of its node.
    node: Option<usize>,
    center_hz: Latest<u64>,
    width_hz: Latest<u64>,
    modems: Latest<u64>,
    description: Latest<String>,
    explained_by: Latest<ExplainedBy>,
}

/// Names to numbers and back. Numbers count from 0, without gaps.
#[derive(Debug, Default)]
pub struct Roster {
    by_name: HashMap<Rc<str>, u32>,
    cmts: Vec<Cmts>,
    upstreams: Vec<Upstream>,
    /// The number after the one that was asked for last: scans name their upstreams in one order.
    next: u32,
    nodes: Rc<Nodes>,
}

/// What is known of an upstream.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct About<'a> {
    pub cmts: &'a str,
    pub upstream: &'a str,
    pub platform: Option<&'a str>,
    pub center_hz: Option<u64>,
    pub width_hz: Option<u64>,
    pub modems: Option<u64>,
    pub description: Option<&'a str>,
    pub node: Option<&'a Node>,
}

/// The next free number; a report of four thousand million upstreams is none.
fn number<T>(of: &[T]) -> u32 {
    u32::try_from(of.len()).unwrap_or(u32::MAX)
}

impl Roster {
    /// A roster whose upstreams have these nodes.
    #[must_use]
    pub fn with_nodes(nodes: &Rc<Nodes>) -> Self {
        Roster { nodes: Rc::clone(nodes), ..Roster::default() }
    }

    fn cmts(&mut self, name: &str) -> u32 {
        if let Some(&known) = self.by_name.get(name) {
            return known;
        }
        let new = number(&self.cmts);
        let name: Rc<str> = name.into();
        self.by_name.insert(Rc::clone(&name), new);
        self.cmts.push(Cmts { name, platform: Latest::default(), upstreams: HashMap::new() });
        new
    }

    /// The number of an upstream.
    pub fn upstream(&mut self, cmts: &str, upstream: &str) -> u32 {
        let number = match self.upstreams.get(self.next as usize) {
            Some(next) if *next.name == *upstream && *self.cmts[next.cmts as usize].name == *cmts => {
                self.next
            }
            _ => self.looked_up(cmts, upstream),
        };
        self.next = number.saturating_add(1);
        number
    }

    fn looked_up(&mut self, cmts: &str, upstream: &str) -> u32 {
        let at = self.cmts(cmts);
        let cmts = &mut self.cmts[at as usize];
        if let Some(&known) = cmts.upstreams.get(upstream) {
            return known;
        }
        let node = self.nodes.number_of(&cmts.name, upstream);
        let new = number(&self.upstreams);
        let name: Rc<str> = upstream.into();
        cmts.upstreams.insert(Rc::clone(&name), new);
        let (center_hz, width_hz, modems, description, explained_by) = Default::default();
        let upstream =
            Upstream { cmts: at, name, node, center_hz, width_hz, modems, description, explained_by };
        self.upstreams.push(upstream);
        new
    }

    /// The number of an upstream that is known.
    #[must_use]
    pub fn find(&self, cmts: &str, upstream: &str) -> Option<u32> {
        let cmts = &self.cmts[*self.by_name.get(cmts)? as usize];
        cmts.upstreams.get(upstream).copied()
    }

    /// The number of the CMTS that an upstream is on.
    #[must_use]
    pub fn cmts_of(&self, upstream: u32) -> u32 {
        self.upstreams[upstream as usize].cmts
    }

    /// Takes the number of a sample's upstream, and what the sample says of it.
    pub fn sample(&mut self, sample: Sample) -> u32 {
        let Sample {
            ts,
            cmts,
            upstream,
            platform,
            center_hz,
            width_hz,
            modems,
            description,
            explained_by,
            ..
        } = sample;
        let number = self.upstream(&cmts, &upstream);
        let upstream = &mut self.upstreams[number as usize];
        upstream.explained_by.offer(ts, explained_by);
        upstream.center_hz.offer(ts, center_hz);
        upstream.width_hz.offer(ts, width_hz);
        upstream.modems.offer(ts, modems);
        upstream.description.offer(ts, description);
        self.cmts[upstream.cmts as usize].platform.offer(ts, platform);
        number
    }

    /// Takes what explains the modulation of a sample.
    pub fn explained(&mut self, upstream: u32, ts: Timestamp, by: ExplainedBy) {
        self.upstreams[upstream as usize].explained_by.offer(ts, Some(by));
    }

    /// Whether the modulation of its last sample, of which that is known, rests on the built-in profile table.
    #[must_use]
    pub fn is_unconfirmed(&self, upstream: u32) -> bool {
        self.upstreams[upstream as usize].explained_by.get() == Some(&ExplainedBy::BuiltIn)
    }

    /// Takes what a scan or a database says of a device's family.
    pub fn device(&mut self, cmts: &str, ts: Timestamp, platform: Option<String>) {
        let cmts = self.cmts(cmts) as usize;
        self.cmts[cmts].platform.offer(ts, platform);
    }

    /// What a database knows of an upstream; of no use for one that has no samples.
    pub fn channel(&mut self, channel: Channel) {
        let Some(&at) = self.by_name.get(&*channel.cmts) else { return };
        let cmts = &mut self.cmts[at as usize];
        let Some(&number) = cmts.upstreams.get(&*channel.upstream) else { return };
        let now = Timestamp::default();
        cmts.platform.offer(now, channel.platform);
        let upstream = &mut self.upstreams[number as usize];
        upstream.center_hz.offer(now, channel.center_hz);
        upstream.width_hz.offer(now, channel.width_hz);
        upstream.modems.offer(now, channel.modems);
        upstream.description.offer(now, channel.description);
    }

    /// What is known of an upstream.
    #[must_use]
    pub fn about(&self, upstream: u32) -> About<'_> {
        let upstream = &self.upstreams[upstream as usize];
        About {
            cmts: self.cmts_name(upstream.cmts),
            upstream: &upstream.name,
            platform: self.platform(upstream.cmts),
            center_hz: upstream.center_hz.get().copied(),
            width_hz: upstream.width_hz.get().copied(),
            modems: upstream.modems.get().copied(),
            description: upstream.description.get().map(String::as_str),
            node: upstream.node.and_then(|number| self.nodes.get(number)),
        }
    }

    /// The number of an upstream's node.
    #[must_use]
    pub fn node_of(&self, upstream: u32) -> Option<usize> {
        self.upstreams[upstream as usize].node
    }

    /// The name of a node.
    #[must_use]
    pub fn node_name(&self, number: usize) -> Option<&str> {
        self.nodes.get(number).map(|node| node.node.as_str())
    }

    /// The name of a CMTS.
    #[must_use]
    pub fn cmts_name(&self, cmts: u32) -> &str {
        &self.cmts[cmts as usize].name
    }

    /// The family of a CMTS, as its samples say, else as its name tells.
    #[must_use]
    pub fn platform(&self, cmts: u32) -> Option<&str> {
        let cmts = &self.cmts[cmts as usize];
        let said = cmts.platform.get().map(String::as_str);
        said.or_else(|| Platform::of_name(&cmts.name).map(Platform::word))
    }
}
