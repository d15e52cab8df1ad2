//! `--by`: sums over the upstreams of a CMTS or of a description, in place of the rows.

use std::{cmp::Ordering, collections::BTreeMap};

use super::{
    findings::{Findings, rounded},
    request::View,
};
use crate::{
    cli::report::{By, Sort},
    measure::{arithmetic::Numbers, natural},
    record::{Group, Row, Timestamp},
};

/// The groups in the order asked for.
#[derive(Debug)]
pub struct Groups {
    /// What they are sums by.
    pub by: By,
    all: Vec<Group>,
    shown: usize,
}

/// The sums before they are rounded.
#[derive(Default)]
struct Sum {
    upstreams: u64,
    degraded: u64,
    hops: u64,
    degraded_s: u64,
    coverage_pct: f64,
    /// Sum and how many.
    lost_pct: (f64, u64),
    lost_mbps: Option<f64>,
    lost_gb: Option<f64>,
    why: BTreeMap<&'static str, u64>,
}

impl Sum {
    fn add(&mut self, row: &Row, numbers: &Numbers, width_hz: Option<u64>) {
        self.upstreams += 1;
        self.degraded += u64::from(numbers.degraded_s > 0);
        self.hops += u64::from(numbers.hops);
        self.degraded_s += numbers.degraded_s;
        self.coverage_pct += numbers.coverage_pct();
        if let Some(lost) = numbers.lost_pct() {
            self.lost_pct = (self.lost_pct.0 + lost, self.lost_pct.1 + 1);
        }
        let sum = |sum: Option<f64>, more: Option<f64>| more.map(|more| sum.unwrap_or(0.0) + more).or(sum);
        self.lost_mbps = sum(self.lost_mbps, width_hz.and_then(|width| numbers.lost_mbps(width)));
        self.lost_gb = sum(self.lost_gb, width_hz.and_then(|width| numbers.lost_gb(width)));
        for why in &row.why {
            *self.why.entry(why.word()).or_default() += 1;
        }
    }

    fn group(self, ts: Timestamp, by: By, name: Option<String>) -> Group {
        let (cmts, description) = match by {
            By::Cmts => (name, None),
            By::Description => (None, name),
        };
        let (lost, with_lost) = self.lost_pct;
        Group {
            ts,
            cmts,
            description,
            upstreams: self.upstreams,
            degraded: self.degraded,
            hops: self.hops,
            degraded_s: self.degraded_s,
            coverage_pct: rounded(self.coverage_pct / self.upstreams.max(1) as f64),
            lost_pct: (with_lost > 0).then(|| rounded(lost / with_lost as f64)),
            lost_mbps: self.lost_mbps.map(rounded),
            lost_gb: self.lost_gb.map(rounded),
            why: self.why.into_iter().map(|(word, count)| (word.to_owned(), count)).collect(),
        }
    }
}

impl Groups {
    /// Sums up. Upstreams without a description are a group of their own.
    #[must_use]
    pub fn new(by: By, view: &View, findings: &Findings<'_>) -> Self {
        let mut sums: BTreeMap<Option<String>, Sum> = BTreeMap::new();
        for (&(number, _), (row, numbers)) in findings.lines.iter().zip(findings.all_rows(view)) {
            let name = match by {
                By::Cmts => Some(row.cmts.clone()),
                By::Description => row.description.clone(),
            };
            sums.entry(name).or_default().add(&row, numbers, findings.roster.about(number).width_hz);
        }
        let ts = findings.frame.window.from;
        let mut groups: Vec<_> = sums.into_iter().map(|(name, sum)| sum.group(ts, by, name)).collect();
        groups.sort_by(|a, b| {
            let first = match view.sort {
                Sort::Hops => b.hops.cmp(&a.hops),
                Sort::Lost => (b.lost_mbps, b.lost_pct)
                    .partial_cmp(&(a.lost_mbps, a.lost_pct))
                    .unwrap_or(Ordering::Equal),
                Sort::Degraded => (b.degraded_s, b.degraded).cmp(&(a.degraded_s, a.degraded)),
                Sort::Cmts => Ordering::Equal,
            };
            first.then_with(|| natural::compare(name(a), name(b)))
        });
        let shown = groups.len().min(view.top.unwrap_or(usize::MAX));
        Groups { by, all: groups, shown }
    }

    /// At most `--top` of them.
    #[must_use]
    pub fn shown(&self) -> &[Group] {
        &self.all[..self.shown]
    }

    /// How many are not shown.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.all.len() - self.shown
    }
}

/// What a group goes by; nothing for that of upstreams without it.
#[must_use]
pub fn name(group: &Group) -> &str {
    group.cmts.as_deref().or(group.description.as_deref()).unwrap_or_default()
}

/// The reasons of a group's upstreams, with how many have each.
#[must_use]
pub fn whys(group: &Group) -> String {
    group.why.iter().map(|(word, count)| format!("{word} {count}")).collect::<Vec<_>>().join(", ")
}
