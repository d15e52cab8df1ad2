//! Events: what fell just now, what grew since it was told, and what is back. A pure machine: scans go in, each
//! device's in the order of time, and events come out; what it has to remember between two runs is [`Memory`].
//!
//! **Hysteresis.** Two scans below what is expected open an event, three in a row at it close one. An upstream that
//! goes up and down in between is in one event all the time. What was below already when it was first seen, and
//! what is below because more is expected now, did not fall and is not told.
//!
//! **Together or alone.** Upstreams of one node, or of one device where nodes are not known, that are found down in
//! the same scan are one event when they are at least five and a tenth of those in the scan. Any other that goes
//! down while it is open joins it. The event grew when it has half as many upstreams again, or twice the bits are
//! lost for two scans; it is closed when nine tenths of its upstreams are back.
//!
//! **Gaps.** A device that was not read, and an upstream that is missing in a scan or is worked on, neither open nor
//! close. An upstream that its device has not shown for a day leaves its event; a device that was not read for a
//! week is forgotten, and its events are closed.

mod memory;
mod run;
mod says;
#[cfg(test)]
mod tests;
mod upstream;

use std::collections::BTreeMap;

pub use memory::{Device, Memory, Open};
pub use run::{MOST, Run, largest_first};
pub use says::says;

use crate::{
    measure::tally::is_incident,
    modulation::Modulation,
    record::{Event, Timestamp, What},
};
use upstream::Change;
pub use upstream::Upstream;

/// An upstream that its device has not shown for so long is not there any more, s.
const UNSEEN_S: i64 = 86_400;
/// A device that was not read for so long is forgotten, s.
const FORGOTTEN_S: i64 = 7 * 86_400;

/// A scan of one device: the upstreams that it showed.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Scan<'a> {
    pub cmts: &'a str,
    pub ts: Timestamp,
    pub upstreams: Vec<(&'a str, Modulation)>,
}

/// What the machine has to know besides the scans.
pub trait Knows {
    /// What the user expects of an upstream.
    fn expected(&self, cmts: &str, upstream: &str) -> Option<Modulation>;
    /// The node of an upstream.
    fn node(&self, cmts: &str, upstream: &str) -> Option<String>;
    /// Whether an upstream is worked on.
    fn is_maintained(&self, cmts: &str, upstream: &str, ts: Timestamp) -> bool;
}

/// An event, and the upstreams that are down in it with the bits per symbol that each lacks.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Happening {
    pub event: Event,
    pub down: Vec<(String, u8)>,
    /// Somebody was told before that it opened.
    pub is_told: bool,
}

/// An upstream that went down in a scan.
struct Fallen<'a> {
    name: &'a str,
    since: Timestamp,
}

impl Memory {
    /// Takes a scan, and gives what happened in it; none: it is not newer than the last one of its device.
    pub fn feed(&mut self, scan: &Scan<'_>, knows: &dyn Knows, hold: i64) -> Option<Vec<Happening>> {
        let device = self.devices.entry(scan.cmts.to_owned()).or_default();
        if device.ts.is_some_and(|last| scan.ts <= last) {
            return None;
        }
        device.ts = Some(scan.ts);
        let mut fallen: BTreeMap<Option<String>, Vec<Fallen<'_>>> = BTreeMap::new();
        let mut is_news = false;
        for &(name, modulation) in &scan.upstreams {
            if knows.is_maintained(scan.cmts, name, scan.ts) {
                continue;
            }
            let upstream = device.upstream(name);
            match upstream.feed(scan.ts, modulation, knows.expected(scan.cmts, name), hold) {
                Change::Nothing => {}
                Change::Up => {
                    is_news = true;
                    if let Some(open) = upstream.event.take().and_then(|id| device.open.get_mut(&id)) {
                        open.back.push(modulation);
                    }
                }
                Change::Down => {
                    let since = upstream.fell.map_or(scan.ts, |(ts, _)| ts);
                    fallen.entry(knows.node(scan.cmts, name)).or_default().push(Fallen { name, since });
                }
            }
        }
        device.forget_unseen(scan.ts);
        let mut happened = Vec::new();
        for (node, fallen) in fallen {
            device.fall(scan, knows, node, &fallen, &mut happened);
        }
        if is_news || !device.open.is_empty() {
            device.follow(scan, knows, &mut happened);
        }
        Some(happened)
    }

    /// Forgets the devices that were not read for a week before the newest scan of all, and closes their events.
    pub fn forget(&mut self) -> Vec<Happening> {
        let newest = self.devices.values().filter_map(|device| device.ts).max();
        let is_gone =
            |device: &Device| newest.zip(device.ts).is_none_or(|(newest, ts)| newest.since(ts) > FORGOTTEN_S);
        let mut closed = Vec::new();
        let gone: Vec<_> =
            self.devices.iter().filter(|(_, device)| is_gone(device)).map(|(name, _)| name.clone()).collect();
        for (name, device) in gone.into_iter().filter_map(|name| self.devices.remove_entry(&name)) {
            let Some(ts) = newest else { continue };
            closed.extend(device.open.into_iter().map(|(id, open)| open.close(&id, &name, ts, None)));
        }
        closed
    }
}

impl Device {
    /// An upstream, by name; a new one when it is not known.
    pub fn upstream(&mut self, name: &str) -> &mut Upstream {
        // Most are known: no name is copied for them.
        if !self.upstreams.contains_key(name) {
            self.upstreams.insert(name.to_owned(), Upstream::default());
        }
        self.upstreams.entry(name.to_owned()).or_default()
    }

    fn forget_unseen(&mut self, ts: Timestamp) {
        self.upstreams.retain(|_, upstream| ts.since(upstream.ts) <= UNSEEN_S);
    }

    /// Opens events for those that went down together or alone, or adds them to the one that is open.
    fn fall(
        &mut self,
        scan: &Scan<'_>,
        knows: &dyn Knows,
        node: Option<String>,
        fallen: &[Fallen<'_>],
        happened: &mut Vec<Happening>,
    ) {
        let joined = self.open.iter().find(|(_, open)| open.upstream.is_none() && open.node == node);
        if let Some(id) = joined.map(|(id, _)| id.clone()) {
            fallen.iter().for_each(|fallen| self.join(fallen.name, &id));
            return;
        }
        let in_service = || match &node {
            None => scan.upstreams.len(),
            Some(_) => scan.upstreams.iter().filter(|(name, _)| knows.node(scan.cmts, name) == node).count(),
        };
        if is_incident(fallen.len() as u64, || in_service() as u64) {
            happened.push(self.open(scan, knows, node, None, fallen));
            return;
        }
        for alone in fallen {
            let name = Some(alone.name.to_owned());
            happened.push(self.open(scan, knows, node.clone(), name, std::slice::from_ref(alone)));
        }
    }

    fn join(&mut self, name: &str, id: &str) {
        if let Some(upstream) = self.upstreams.get_mut(name) {
            upstream.event = Some(id.to_owned());
        }
    }

    fn open(
        &mut self,
        scan: &Scan<'_>,
        knows: &dyn Knows,
        node: Option<String>,
        upstream: Option<String>,
        fallen: &[Fallen<'_>],
    ) -> Happening {
        let since = fallen.iter().map(|fallen| fallen.since).min().unwrap_or(scan.ts);
        let id = memory::id(scan.cmts, node.as_deref(), upstream.as_deref(), since, scan.ts);
        fallen.iter().for_each(|fallen| self.join(fallen.name, &id));
        let before = fallen.iter().filter_map(|f| Some(self.upstreams.get(f.name)?.fell?.1));
        let mut open = Open { node, upstream, since, from: memory::most(before), ..Open::default() };
        let down = self.down(scan, knows, &id);
        open.to = self.holds(&id);
        open.tell(&down);
        let happening = open.happening(&id, scan, What::Opened, down);
        self.open.insert(id, open);
        happening
    }

    /// The upstreams that are down in an event.
    fn down(&self, scan: &Scan<'_>, knows: &dyn Knows, id: &str) -> Vec<(String, u8)> {
        let members = self.upstreams.iter().filter(|(_, upstream)| upstream.event.as_deref() == Some(id));
        let lacks = |(name, upstream): (&String, &Upstream)| {
            let expected = upstream.expected(knows.expected(scan.cmts, name)).and_then(Modulation::bits);
            let held = upstream.last.and_then(Modulation::bits);
            (name.clone(), expected.zip(held).map_or(0, |(expected, held)| expected.saturating_sub(held)))
        };
        members.map(lacks).collect()
    }

    fn holds(&self, id: &str) -> Option<Modulation> {
        let members = self.upstreams.values().filter(|upstream| upstream.event.as_deref() == Some(id));
        memory::most(members.filter_map(|upstream| upstream.last))
    }

    /// Tells which of the open events grew or are over.
    fn follow(&mut self, scan: &Scan<'_>, knows: &dyn Knows, happened: &mut Vec<Happening>) {
        for (id, mut open) in std::mem::take(&mut self.open) {
            let down = self.down(scan, knows, &id);
            if open.is_over(&down) {
                for (name, _) in &down {
                    self.upstreams.get_mut(name).into_iter().for_each(Upstream::leave);
                }
                let now = memory::most(open.back.iter().copied());
                let mut happening = open.close(&id, scan.cmts, scan.ts, now);
                happening.down = down;
                happened.push(happening);
                continue;
            }
            if open.grew(&down) {
                open.to = self.holds(&id).or(open.to);
                open.tell(&down);
                happened.push(open.happening(&id, scan, What::Grew, down));
            }
            self.open.insert(id, open);
        }
    }
}
