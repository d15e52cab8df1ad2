//! All upstreams of a window together: each with its state, and what happened to several at once.

use std::collections::{BTreeSet, HashMap};

use super::{
    arithmetic::{Frame, Numbers, Upstream},
    devices::Devices,
    findings::Findings,
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

    /// Ends the window.
    #[must_use]
    pub fn finish(mut self, roster: Roster, devices: Devices) -> Findings {
        self.close_scan();
        let mut incidents: Vec<_> = self
            .incidents
            .into_iter()
            .map(|(ts, cmts, upstreams)| Incident {
                cmts: roster.cmts_name(cmts).to_owned(),
                ts,
                upstreams,
                platform: roster.platform(cmts).map(str::to_owned),
            })
            .collect();
        incidents.sort_by(|a, b| (a.ts, &a.cmts).cmp(&(b.ts, &b.cmts)));
        let frame = &self.frame;
        let lines: Vec<(u32, Numbers)> = (0..)
            .zip(self.upstreams)
            .filter(|(_, upstream)| upstream.is_in_window())
            .map(|(number, upstream)| (number, upstream.finish(frame)))
            .collect();
        let heard: BTreeSet<_> = lines.iter().map(|&(number, _)| roster.about(number).cmts).collect();
        let silent = devices.silent(&heard);
        Findings { frame: self.frame, roster, lines, incidents, silent }
    }
}
