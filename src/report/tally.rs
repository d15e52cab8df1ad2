//! All upstreams of a window together: each with its state, and what happened to several at once.

use std::collections::{BTreeSet, HashMap};

use super::{
    arithmetic::{Frame, Numbers, PerIndex, Upstream},
    devices::Devices,
    findings::Findings,
    roster::Roster,
};
use crate::{
    modulation::Modulation,
    record::{Incident, Timestamp},
};

/// `incidents`: at least so many upstreams of one CMTS step down in the same scan.
pub const INCIDENT_UPSTREAMS: u64 = 5;

/// The steps down of one moment, by CMTS.
#[derive(Debug, Default)]
struct Steps {
    at: Timestamp,
    down: HashMap<u32, u64>,
}

/// The states of all upstreams on their way through the window.
#[derive(Debug)]
pub struct Tally {
    frame: Frame,
    upstreams: Vec<Upstream>,
    steps: Steps,
    incidents: Vec<(Timestamp, u32, u64)>,
}

impl Tally {
    /// Begins with no upstream.
    #[must_use]
    pub fn new(frame: Frame) -> Self {
        Tally { frame, upstreams: Vec::new(), steps: Steps::default(), incidents: Vec::new() }
    }

    /// Takes the next sample in the order of time.
    pub fn feed(&mut self, roster: &Roster, upstream: u32, ts: Timestamp, modulation: Modulation) {
        let at = upstream as usize;
        while self.upstreams.len() <= at {
            self.upstreams.push(Upstream::new(&self.frame));
        }
        if self.upstreams[at].feed(&self.frame, ts, modulation) {
            if ts != self.steps.at {
                self.close_scan();
                self.steps.at = ts;
            }
            *self.steps.down.entry(roster.cmts_of(upstream)).or_default() += 1;
        }
    }

    /// Scans share their time when they began together: what stepped down in each is known once time goes on.
    fn close_scan(&mut self) {
        let at = self.steps.at;
        let grave = self.steps.down.drain().filter(|&(_, upstreams)| upstreams >= INCIDENT_UPSTREAMS);
        self.incidents.extend(grave.map(|(cmts, upstreams)| (at, cmts, upstreams)));
    }

    /// Counts time before the window for what is expected of an upstream that has samples in it.
    pub fn remember(&mut self, upstream: u32, time: &PerIndex) {
        if let Some(upstream) = self.upstreams.get_mut(upstream as usize) {
            upstream.remember(time);
        }
    }

    /// Ends the window.
    #[must_use]
    pub fn finish(mut self) -> Tallied {
        self.close_scan();
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
    /// When, the number of the CMTS, how many upstreams.
    pub incidents: Vec<(Timestamp, u32, u64)>,
}

impl Tallied {
    /// The names of the CMTSs that have samples.
    #[must_use]
    pub fn heard<'a>(&self, roster: &'a Roster) -> BTreeSet<&'a str> {
        self.lines.iter().map(|&(number, _)| roster.about(number).cmts).collect()
    }

    /// With names.
    #[must_use]
    pub fn findings(self, frame: Frame, roster: Roster, devices: Devices) -> Findings {
        let incident = |&(ts, cmts, upstreams): &(Timestamp, u32, u64)| Incident {
            cmts: roster.cmts_name(cmts).to_owned(),
            ts,
            upstreams,
            platform: roster.platform(cmts).map(str::to_owned),
        };
        let mut incidents: Vec<_> = self.incidents.iter().map(incident).collect();
        incidents.sort_by(|a, b| (a.ts, &a.cmts).cmp(&(b.ts, &b.cmts)));
        let silent = devices.silent(&self.heard(&roster));
        Findings { frame, roster, lines: self.lines, incidents, silent }
    }
}
