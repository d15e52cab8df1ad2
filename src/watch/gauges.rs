//! `status --prom`: the state of a supervised command as gauges. What is not known is left out.

use super::report::Report;
use crate::{
    openmetrics::Metric,
    record::{Document, Timestamp},
};

/// The gauges of one name at one moment.
pub(super) fn of(report: &Report, name: &str, now: Timestamp) -> Vec<Metric> {
    let Document { status, is_healthy, uptime_seconds, statistics, .. } = &report.document;
    let labels = [("name", name)];
    let mut metrics = Vec::new();
    let mut gauge = |metric: &'static str, help: &str, value: Option<String>| {
        let mut metric = Metric::new(metric, help);
        value.iter().for_each(|value| metric.value(&labels, value));
        metrics.push(metric);
    };
    let flag = |is: bool| Some(u8::from(is).to_string());
    gauge("modtools_scanner_running", "Whether a supervisor runs, 0 or 1.", flag(report.is_running));
    let is_well = report.is_running && *is_healthy;
    gauge(
        "modtools_scanner_healthy",
        "Whether it runs and nobody has to look after it, 0 or 1.",
        flag(is_well),
    );
    let uptime = report.is_running.then(|| uptime_seconds.to_string());
    gauge("modtools_scanner_uptime_seconds", "Since supervision began.", uptime);
    let age = report.heartbeat_age(now).map(|age| age.to_string());
    gauge("modtools_scanner_heartbeat_age_seconds", "Since the last heartbeat.", age);
    let totals = &statistics.totals;
    for (metric, help, count) in [
        ("modtools_scanner_scans", "Scans of a device since supervision began.", totals.total_scans),
        ("modtools_scanner_failed_scans", "Of them neither ok nor partial.", totals.failed_scans),
        ("modtools_scanner_records_stored", "Samples stored since then.", totals.total_records_stored),
    ] {
        gauge(metric, help, Some(count.to_string()));
    }
    let last = (totals.total_scans > 0).then(|| totals.last_scan_time.to_string());
    gauge("modtools_scanner_last_scan_seconds", "How long the last scan took.", last);
    let mut word = Metric::new("modtools_scanner_status", "The word of its status, as a label; always 1.");
    word.value(&[("name", name), ("status", &status.to_string())], 1);
    metrics.push(word);
    metrics
}
