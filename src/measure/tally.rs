//! All upstreams of a window together: each with its state, and what happened to several at once.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    rc::Rc,
};

use super::{
    arithmetic::{Frame, Numbers, PerIndex, Upstream},
    maintenance::Maintained,
    roster::Roster,
};
use crate::{
    modulation::Modulation,
    record::{Incident, Timestamp},
};

/// `incidents`: at least so many upstreams of one CMTS step down in the same scan.
const INCIDENT_UPSTREAMS: u64 = 5;

/// The steps down of one moment, by CMTS.
#[derive(Debug, Default)]
struct Steps {
    at: Timestamp,
    down: HashMap<u32, Vec<u32>>,
}

/// The states of all upstreams on their way through the window.
#[derive(Debug)]
pub struct Tally {
    frame: Frame,
    maintained: Rc<Maintained>,
    upstreams: Vec<Upstream>,
    steps: Steps,
    incidents: Incidents,
}

impl Tally {
    /// Begins with no upstream.
    #[must_use]
    pub fn new(frame: Frame, maintained: &Rc<Maintained>) -> Self {
        let maintained = Rc::clone(maintained);
        let (steps, incidents) = (Steps::default(), Incidents::default());
        Tally { frame, maintained, upstreams: Vec::new(), steps, incidents }
    }

    /// Takes the next sample in the order of time.
    pub fn feed(&mut self, roster: &Roster, upstream: u32, ts: Timestamp, modulation: Modulation) {
        let at = upstream as usize;
        while self.upstreams.len() <= at {
            let number = u32::try_from(self.upstreams.len()).unwrap_or(u32::MAX);
            let windows = self.maintained.of(roster.cmts_name(roster.cmts_of(number)));
            self.upstreams.push(Upstream::maintained(&self.frame, windows));
        }
        if self.upstreams[at].feed(&self.frame, ts, modulation) {
            if ts != self.steps.at {
                self.close_scan(roster);
                self.steps.at = ts;
            }
            self.steps.down.entry(roster.cmts_of(upstream)).or_default().push(upstream);
        }
    }

    /// Scans share their time when they began together: what stepped down in each is known once time goes on.
    fn close_scan(&mut self, roster: &Roster) {
        for (cmts, upstreams) in self.steps.down.drain() {
            let is_maintained = self.maintained.is_at(roster.cmts_name(cmts), self.steps.at);
            self.incidents.note(self.steps.at, cmts, &upstreams, is_maintained);
        }
    }

    /// Counts time before the window for what is expected of an upstream that has samples in it.
    pub fn remember(&mut self, upstream: u32, time: &PerIndex) {
        if let Some(upstream) = self.upstreams.get_mut(upstream as usize) {
            upstream.remember(time);
        }
    }

    /// Ends the window.
    #[must_use]
    pub fn finish(mut self, roster: &Roster) -> Tallied {
        self.close_scan(roster);
        let lines = (0..)
            .zip(self.upstreams)
            .filter(|(_, upstream)| upstream.is_in_window())
            .map(|(number, upstream)| (number, upstream.finish(&self.frame)))
            .collect();
        Tallied { lines, incidents: self.incidents }
    }
}

/// What the samples of a window came to.
#[derive(Debug)]
pub struct Tallied {
    /// Each upstream that has a sample in the window, by its number in the roster.
    pub lines: Vec<(u32, Numbers)>,
    /// What happened to several at once.
    pub incidents: Incidents,
}

/// The incidents of a window, and who was in one.
#[derive(Debug, Default)]
pub struct Incidents {
    found: Vec<Found>,
    upstreams: HashSet<u32>,
}

#[derive(Debug)]
struct Found {
    ts: Timestamp,
    cmts: u32,
    upstreams: u64,
    maintenance: bool,
}

impl Incidents {
    /// Takes what stepped down in one scan of a CMTS: an incident when it is enough. Nobody is in one that
    /// happened while the CMTS was worked on.
    pub fn note(&mut self, ts: Timestamp, cmts: u32, upstreams: &[u32], maintenance: bool) {
        let count = upstreams.len() as u64;
        if count < INCIDENT_UPSTREAMS {
            return;
        }
        self.found.push(Found { ts, cmts, upstreams: count, maintenance });
        if !maintenance {
            self.upstreams.extend(upstreams);
        }
    }
}

impl Tallied {
    /// The names of the CMTSs that have samples.
    #[must_use]
    pub fn heard<'a>(&self, roster: &'a Roster) -> BTreeSet<&'a str> {
        self.lines.iter().map(|&(number, _)| roster.about(number).cmts).collect()
    }
}

impl Incidents {
    /// As records, in the order of time, and the upstreams that were in one.
    #[must_use]
    pub fn named(self, roster: &Roster) -> (Vec<Incident>, HashSet<u32>) {
        let incident = |&Found { ts, cmts, upstreams, maintenance }: &Found| Incident {
            cmts: roster.cmts_name(cmts).to_owned(),
            ts,
            upstreams,
            platform: roster.platform(cmts).map(str::to_owned),
            maintenance,
        };
        let mut incidents: Vec<_> = self.found.iter().map(incident).collect();
        incidents.sort_by(|a, b| (a.ts, &a.cmts).cmp(&(b.ts, &b.cmts)));
        (incidents, self.upstreams)
    }
}
