//! `--input report.ndjson`: a report that was written as records, read again to be shown in another form.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use serde::de::DeserializeOwned;

use super::request::Question;
use crate::{
    cli,
    error::{Error, Result},
    exit::Exit,
    measure::{Window, arithmetic::percent},
    modulation::Modulation,
    record::{BadLine, PerModulation, Report, Row, columns::rounded},
};

/// A report and its rows, as they were written.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Saved {
    pub report: Report,
    pub rows: Vec<Row>,
}

/// What is read of a report so far.
#[derive(Debug, Default)]
pub struct Reader {
    reports: Vec<Report>,
    rows: Vec<Row>,
}

fn decoded<T: DeserializeOwned>(kind: &str, line: &str) -> Result<T, BadLine> {
    serde_json::from_str(line)
        .map_err(|e| BadLine { kind: Some(kind.to_owned()), message: format!("{kind}: {e}") })
}

impl Reader {
    /// Takes a line by the word of its type; other types pass.
    pub fn take(&mut self, kind: &str, line: &str) -> Result<(), BadLine> {
        match kind {
            "report" => self.reports.push(decoded(kind, line)?),
            "row" => self.rows.push(decoded(kind, line)?),
            _ => {}
        }
        Ok(())
    }

    /// Whether a report came.
    #[must_use]
    pub fn is_report(&self) -> bool {
        !self.reports.is_empty()
    }

    /// The report as it is asked for.
    ///
    /// # Errors
    /// [`Error::Usage`] for what cannot be asked of a report that is made already.
    pub fn finish(mut self, question: &Question, args: &cli::Report) -> Result<(Saved, Exit)> {
        let Some(report) = self.reports.pop().filter(|_| self.reports.is_empty()) else {
            return Err(Error::usage("--input: it holds several reports; give one of them"));
        };
        check(&report, question, args)?;
        let mut saved = Saved { report, rows: self.rows };
        let (all, read) = (saved.report.upstreams, saved.rows.len() as u64);
        let is_summed = args.by.is_some() || question.only.is_some();
        let exit = if saved.is_cut() && is_summed {
            log::warn!("input: it holds {read} of the {all} rows of its report; sums are of these");
            Exit::Partial
        } else {
            Exit::Done
        };
        if !question.nodes.is_empty() {
            saved.rows.iter_mut().for_each(|row| place(row, question));
        }
        if question.only.is_some() {
            saved.rows.retain(|row| question.only.row(row));
            sum_up(&mut saved.report, &saved.rows, question);
        }
        Ok((saved, exit))
    }
}

/// What was reckoned cannot be reckoned otherwise.
fn check(report: &Report, question: &Question, args: &cli::Report) -> Result<()> {
    let flags = [
        ("--expected", args.expected.is_some()),
        ("--expected-days", args.expected_days.is_some()),
        ("--maintenance", args.maintenance.is_some()),
    ];
    if let Some((flag, _)) = flags.into_iter().find(|&(_, given)| given) {
        return Err(Error::usage(format!(
            "{flag}: the input is a report that is made already; leave it out"
        )));
    }
    let is_other_zone = args.tz.as_ref().is_some_and(|tz| *tz != report.tz);
    let window = Window { from: report.from, to: report.to };
    if is_other_zone || question.window.is_some_and(|asked| asked != window) {
        let of = report.date.clone().unwrap_or_else(|| format!("{} to {}", report.from, report.to));
        return Err(Error::usage(format!(
            "--input: it is a report of {of} {}; leave out --date, --days, --from, --to and --tz",
            report.tz
        )));
    }
    Ok(())
}

fn place(row: &mut Row, question: &Question) {
    let node = question.nodes.of(&row.cmts, &row.upstream).cloned();
    row.homes = node.as_ref().and_then(|node| node.homes);
    (row.node, row.hub, row.area) =
        node.map_or((None, None, None), |node| (Some(node.node), node.hub, node.area));
}

/// The header over those rows that are looked at.
fn sum_up(report: &mut Report, rows: &[Row], question: &Question) {
    let sum = |of: fn(&Row) -> Option<f64>| rows.iter().filter_map(of).reduce(|a, b| a + b).map(rounded);
    let count = |of: fn(&Row) -> u64| rows.iter().map(of).sum();
    report.upstreams = rows.len() as u64;
    report.cmts = rows.iter().map(|row| &row.cmts).collect::<BTreeSet<_>>().len() as u64;
    report.hops = count(|row| row.hops);
    report.measurements = count(|row| row.measurements);
    let coverage = rows.iter().map(|row| row.coverage_pct).fold(0.0, |sum, pct| sum + pct);
    report.coverage_pct = rounded(coverage / rows.len().max(1) as f64);
    let samples = |m: Modulation| rows.iter().filter_map(|row| row.counts.get(&m)).sum::<u64>();
    let share = |m: Modulation| (m, rounded(percent(samples(m), report.measurements)));
    let shares: PerModulation<f64> =
        Modulation::ALL.into_iter().filter(|&m| samples(m) > 0).map(share).collect();
    report.share_pct = shares;
    report.lost_mbps = sum(|row| row.lost_mbps);
    report.lost_gb = sum(|row| row.lost_gb);
    report.incidents.retain(|incident| question.only.cmts(&incident.cmts));
    report.silent.retain(|device| question.only.cmts(&device.cmts));
    report.gone.retain(|device| question.only.cmts(&device.cmts));
}

impl Saved {
    /// Whether only some of its rows were written.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        (self.rows.len() as u64) < self.report.upstreams
    }

    /// The zone that its days and hours are of.
    #[must_use]
    pub fn tz(&self) -> Option<Tz> {
        self.report.tz.parse().ok()
    }
}
