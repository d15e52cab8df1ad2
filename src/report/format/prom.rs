//! `--format prom`: figures for the textfile collector of Prometheus' node_exporter. Sums per CMTS and node; single upstreams with `--top` alone, as each is a series of its own.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use super::Format;
use crate::{
    modulation::Modulation,
    openmetrics::{self, Metric},
    record::{Row, Timestamp, columns::rounded},
    report::{
        findings::{Findings, is_below},
        request::View,
    },
};

/// Gauges.
#[derive(Debug)]
pub struct Prom;

/// What is summed up of the upstreams of a CMTS, or of a node on it.
#[derive(Default)]
struct Sum {
    by_modulation: BTreeMap<Modulation, u64>,
    below: u64,
    lost_mbps: Option<f64>,
    modems: Option<u64>,
    modems_below: Option<u64>,
    coverage: f64,
    upstreams: u64,
}

impl Sum {
    fn add(&mut self, row: &Row) {
        let is_below = is_below(row);
        self.upstreams += 1;
        *self.by_modulation.entry(row.last).or_default() += 1;
        self.below += u64::from(is_below);
        self.coverage += row.coverage_pct / 100.0;
        if let Some(lost) = row.lost_mbps {
            *self.lost_mbps.get_or_insert(0.0) += lost;
        }
        if let Some(modems) = row.modems {
            *self.modems.get_or_insert(0) += modems;
            *self.modems_below.get_or_insert(0) += if is_below { modems } else { 0 };
        }
    }
}

/// A device, and its node where that is known.
type Place = (String, Option<String>);

fn labels<'a>(place: &'a Place, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let node = place.1.as_deref().map(|node| ("node", node));
    std::iter::once(("cmts", place.0.as_str())).chain(node).chain(more.iter().copied()).collect()
}

impl Format for Prom {
    fn write(&self, view: &View, findings: &Findings<'_>, output: &mut dyn Write) -> io::Result<()> {
        let mut sums: BTreeMap<Place, Sum> = BTreeMap::new();
        for (row, _) in findings.exact_rows(view) {
            sums.entry((row.cmts.clone(), row.node.clone())).or_default().add(&row);
        }
        let mut metrics: Vec<Metric> = of_window(findings).into();
        metrics.extend(of_sums(&sums));
        metrics.extend(of_devices(findings, &sums));
        if view.top.is_some() {
            metrics.extend(of_upstreams(view, findings));
        }
        openmetrics::write(&metrics, output)
    }
}

fn of_window(findings: &Findings<'_>) -> [Metric; 2] {
    let window = findings.frame.window;
    let mut made = Metric::new("modtools_report_timestamp_seconds", "When these figures were made.");
    made.value(&[], findings.question.now.0);
    let mut length = Metric::new("modtools_report_window_seconds", "Length of the window that they are of.");
    length.value(&[], findings.frame.end.since(window.from).max(0));
    [made, length]
}

fn of_sums(sums: &BTreeMap<Place, Sum>) -> Vec<Metric> {
    let mut upstreams =
        Metric::new("modtools_upstreams", "Upstreams by the modulation of their last sample in the window.");
    let mut below = Metric::new(
        "modtools_upstreams_below_expectation",
        "Upstreams whose last sample is below what is expected of them.",
    );
    let mut lost = Metric::new(
        "modtools_lost_mbps",
        "Mbit/s lost on average over the window, of upstreams whose width is known.",
    );
    let mut modems = Metric::new(
        "modtools_modems",
        "Modems, each channel of a modem counted, of upstreams that count them.",
    );
    let mut modems_below =
        Metric::new("modtools_modems_below_expectation", "Modems on upstreams below expectation.");
    let mut coverage =
        Metric::new("modtools_coverage_ratio", "Part of the window that was observed, 0 to 1.");
    for (place, sum) in sums {
        for (modulation, count) in &sum.by_modulation {
            upstreams.value(&labels(place, &[("modulation", modulation.word())]), count);
        }
        let of = labels(place, &[]);
        below.value(&of, sum.below);
        sum.lost_mbps.iter().for_each(|mbps| lost.value(&of, rounded(*mbps)));
        sum.modems.iter().for_each(|n| modems.value(&of, n));
        sum.modems_below.iter().for_each(|n| modems_below.value(&of, n));
        coverage.value(&of, format!("{:.4}", sum.coverage / sum.upstreams.max(1) as f64));
    }
    vec![upstreams, below, lost, modems, modems_below, coverage]
}

fn of_devices(findings: &Findings<'_>, sums: &BTreeMap<Place, Sum>) -> [Metric; 3] {
    let mut incidents = Metric::new(
        "modtools_incidents",
        "Scans of the window in which many upstreams stepped down at once.",
    );
    let mut counts: BTreeMap<Place, u64> = BTreeMap::new();
    for incident in findings.report().incidents.into_iter().filter(|incident| !incident.maintenance) {
        *counts.entry((incident.cmts, incident.node)).or_default() += 1;
    }
    let heard = sums.keys().map(|(cmts, _)| cmts.as_str());
    for cmts in heard.chain(findings.last_good.keys().map(String::as_str)) {
        counts.entry((cmts.to_owned(), None)).or_default();
    }
    counts.iter().for_each(|(place, count)| incidents.value(&labels(place, &[]), count));
    let mut last = Metric::new("modtools_last_good_scan_timestamp_seconds", "When the last good scan began.");
    let mut age =
        Metric::new("modtools_last_good_scan_age_seconds", "Since then, when these figures were made.");
    for (cmts, &Timestamp(ts)) in &findings.last_good {
        last.value(&[("cmts", cmts)], ts);
        age.value(&[("cmts", cmts)], (findings.question.now.0 - ts).max(0));
    }
    [incidents, last, age]
}

fn of_upstreams(view: &View, findings: &Findings<'_>) -> [Metric; 3] {
    let mut lost = Metric::new("modtools_upstream_lost_mbps", "Mbit/s lost on average over the window.");
    let mut below = Metric::new(
        "modtools_upstream_below_expectation_seconds",
        "Observed time below expectation in the window.",
    );
    let mut hops = Metric::new("modtools_upstream_hops", "Changes of modulation in the window.");
    for row in findings.rows(view) {
        let place = (row.cmts.clone(), row.node.clone());
        let of = labels(&place, &[("upstream", &row.upstream)]);
        row.lost_mbps.iter().for_each(|mbps| lost.value(&of, rounded(*mbps)));
        below.value(&of, row.degraded_s);
        hops.value(&of, row.hops);
    }
    [lost, below, hops]
}
