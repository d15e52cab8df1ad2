//! What a window came to, before it is written in any format: the numbers of every upstream in the order
//! asked for, and the header over them. Rounding happens here, at the way out.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeSet, HashMap, HashSet},
};

use super::request::Request;
use crate::{
    cli::report::Sort,
    measure::devices::Devices,
    measure::tally::Tallied,
    measure::{
        arithmetic::{Frame, Numbers, percent},
        natural,
        roster::{About, Roster},
        why::{Yardstick, why, yardsticks},
    },
    modulation::Modulation,
    record::{Delta, Incident, PerModulation, Report, Row, Silent},
};

/// The result of a window.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Findings {
    pub frame: Frame,
    pub roster: Roster,
    /// Each upstream that has a sample in the window, by its number in the roster.
    pub lines: Vec<(u32, Numbers)>,
    pub incidents: Vec<Incident>,
    /// The numbers of the upstreams that are in one outside maintenance.
    pub in_incident: HashSet<u32>,
    pub silent: Vec<Silent>,
}

impl Findings {
    /// What was tallied, with names.
    #[must_use]
    pub fn new(tallied: Tallied, frame: Frame, roster: Roster, devices: Devices) -> Self {
        let silent = devices.silent(&tallied.heard(&roster));
        let (incidents, in_incident) = tallied.incidents.named(&roster);
        Findings { frame, roster, lines: tallied.lines, incidents, in_incident, silent }
    }

    /// Puts the upstreams in order: `hops` is hops descending, then CMTS, then upstream in natural order, and
    /// the others end the same way.
    pub fn sort(&mut self, by: Sort) {
        let roster = &self.roster;
        let lost = |number: u32, numbers: &Numbers| {
            let mbps = roster.about(number).width_hz.and_then(|width| numbers.lost_mbps(width));
            (mbps, numbers.lost_pct())
        };
        self.lines.sort_by(|(a, x), (b, y)| {
            let first = match by {
                Sort::Hops => y.hops.cmp(&x.hops),
                Sort::Lost => lost(*b, y).partial_cmp(&lost(*a, x)).unwrap_or(Ordering::Equal),
                Sort::Degraded => (Reverse(x.degraded_s), Reverse(x.longest_degraded_s))
                    .cmp(&(Reverse(y.degraded_s), Reverse(y.longest_degraded_s))),
                Sort::Cmts => Ordering::Equal,
            };
            let (a, b) = (roster.about(*a), roster.about(*b));
            first.then_with(|| a.cmts.cmp(b.cmts)).then_with(|| natural::compare(a.upstream, b.upstream))
        });
    }

    /// The header over all upstreams.
    #[must_use]
    pub fn report(&self, request: &Request) -> Report {
        let numbers = || self.lines.iter().map(|(_, numbers)| numbers);
        let measurements = numbers().map(Numbers::measurements).sum();
        let cmts: BTreeSet<_> = self.lines.iter().map(|&(number, _)| self.roster.cmts_of(number)).collect();
        // An empty sum of floats is -0.0.
        let coverage = numbers().map(Numbers::coverage_pct).fold(0.0, |sum, pct| sum + pct);
        let lost = |of: fn(&Numbers, u64) -> Option<f64>| {
            self.lines
                .iter()
                .filter_map(|&(number, ref numbers)| of(numbers, self.roster.about(number).width_hz?))
                .reduce(|sum, lost| sum + lost)
                .map(rounded)
        };
        let count = |m: Modulation| numbers().map(|numbers| u64::from(numbers.counts[m.index()])).sum();
        Report {
            ts: request.now,
            from: self.frame.window.from,
            to: self.frame.window.to,
            date: request.date(self.frame.window).map(|date| date.to_string()),
            tz: request.tz.name().to_owned(),
            interval_s: request.interval_s,
            generated_at: request.now,
            upstreams: self.lines.len() as u64,
            cmts: cmts.len() as u64,
            hops: numbers().map(|numbers| u64::from(numbers.hops)).sum(),
            measurements,
            coverage_pct: rounded(coverage / (self.lines.len().max(1)) as f64),
            share_pct: shares(count, measurements),
            lost_mbps: lost(Numbers::lost_mbps),
            lost_gb: lost(Numbers::lost_gb),
            incidents: self.incidents.clone(),
            maintenance: request.maintained.within(self.frame.window).collect(),
            silent: self.silent.clone(),
        }
    }

    /// The rows in their order, at most `top`.
    pub fn rows<'a>(&'a self, request: &'a Request) -> impl Iterator<Item = Row> + 'a {
        self.all_rows(request).map(|(row, _)| row).take(request.top.unwrap_or(usize::MAX))
    }

    /// All rows in their order, and the numbers that they came of.
    pub fn all_rows<'a>(&'a self, request: &'a Request) -> impl Iterator<Item = (Row, &'a Numbers)> + 'a {
        let cmts_of = |number: u32| self.roster.cmts_of(number);
        let usual = match self.frame.expected {
            Some(_) => HashMap::new(),
            None => yardsticks(self.lines.iter().map(|&(number, ref numbers)| (cmts_of(number), numbers))),
        };
        self.lines.iter().map(move |&(number, ref numbers)| {
            let told = self.frame.expected.map(Yardstick::Told);
            let usual = || usual.get(&self.roster.cmts_of(number)).copied().map(Yardstick::Neighbours);
            let why = why(numbers, self.in_incident.contains(&number), told.or_else(usual));
            (Row { why, ..row(request, self.roster.about(number), numbers) }, numbers)
        })
    }

    /// How many rows `top` leaves out.
    #[must_use]
    pub fn left_out(&self, request: &Request) -> usize {
        self.lines.len().saturating_sub(request.top.unwrap_or(usize::MAX))
    }
}

fn row(request: &Request, about: About<'_>, numbers: &Numbers) -> Row {
    let lost = |of: fn(&Numbers, u64) -> Option<f64>| of(numbers, about.width_hz?).map(rounded);
    let count = |m: Modulation| u64::from(numbers.counts[m.index()]);
    let time = |m: Modulation| u64::from(numbers.time[m.index()]);
    Row {
        ts: request.now,
        cmts: about.cmts.to_owned(),
        upstream: about.upstream.to_owned(),
        platform: about.platform.map(str::to_owned),
        description: about.description.map(str::to_owned),
        last: numbers.last,
        measurements: numbers.measurements(),
        counts: Modulation::ALL.into_iter().map(|m| (m, count(m))).filter(|&(_, n)| n > 0).collect(),
        hops: u64::from(numbers.hops),
        hops_down: u64::from(numbers.hops_down),
        hops_up: u64::from(numbers.hops_up),
        hops_seed: u64::from(numbers.hops_seed),
        observed_s: numbers.observed_s(),
        coverage_pct: rounded(numbers.coverage_pct()),
        share_pct: shares(count, numbers.measurements()),
        time_pct: shares(time, numbers.observed_s()),
        expected: numbers.expected,
        degraded_s: numbers.degraded_s,
        longest_degraded_s: numbers.longest_degraded_s,
        worst: numbers.worst(),
        lost_pct: numbers.lost_pct().map(rounded),
        lost_mbps: lost(Numbers::lost_mbps),
        lost_gb: lost(Numbers::lost_gb),
        flapping: numbers.flapping,
        hours: numbers.hours(),
        maintenance_s: Some(numbers.maintenance_s()).filter(|&s| s > 0),
        why: Vec::new(),
        delta: numbers.delta().map(|(hops, lost)| Delta { hops, lost_pct: lost.map(rounded) }),
    }
}

/// The modulations that were seen, in percent of a whole.
fn shares(of: impl Fn(Modulation) -> u64, whole: u64) -> PerModulation<f64> {
    Modulation::ALL
        .into_iter()
        .map(|m| (m, of(m)))
        .filter(|&(_, part)| part > 0)
        .map(|(m, part)| (m, rounded(percent(part, whole))))
        .collect()
}

/// Three decimals.
#[must_use]
pub fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}
