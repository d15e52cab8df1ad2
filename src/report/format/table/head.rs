//! What stands over a table: what matters of the window in a few lines.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr as _;

use super::cut;
use crate::{
    measure::window::local,
    record::{Report, Timestamp},
    report::{findings::Findings, request::View},
    text,
    units::counted,
};

/// Incidents and silent devices that are told one by one.
const TOLD: usize = 8;

/// Writes the header, and a blank line.
pub fn write(view: &View, findings: &Findings<'_>, output: &mut dyn Write) -> io::Result<()> {
    let time = |ts: Timestamp| local(findings.tz, ts).format("%Y-%m-%d %H:%M").to_string();
    for line in lines(&findings.report(), time) {
        wrapped(output, &line, view.columns)?;
    }
    if findings.is_empty() { Ok(()) } else { writeln!(output) }
}

/// Writes a text of words on as many lines as it needs; those after the first are set in.
pub fn wrapped(output: &mut dyn Write, text: &str, columns: Option<usize>) -> io::Result<()> {
    let columns = columns.unwrap_or(usize::MAX);
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.trim().is_empty() && line.width() + 1 + word.width() > columns {
            writeln!(output, "{}", cut(&line, columns))?;
            line = "  ".to_owned();
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(output, "{}", cut(&line, columns))
}

fn lines(report: &Report, time: impl Fn(Timestamp) -> String) -> Vec<String> {
    let window = match &report.date {
        Some(date) => date.clone(),
        None => format!("{} to {}", time(report.from), time(report.to)),
    };
    let mut lines = vec![
        format!("Modulation report {window} {}", report.tz),
        format!(
            "{} on {}: {} in {}, coverage {:.1} %",
            counted(report.upstreams, "upstream"),
            counted(report.cmts, "CMTS"),
            counted(report.hops, "hop"),
            counted(report.measurements, "measurement"),
            report.coverage_pct
        ),
    ];
    if !report.share_pct.is_empty() {
        let shares: Vec<_> =
            report.share_pct.iter().rev().map(|(m, pct)| format!("{m} {pct:.1} %")).collect();
        lines.push(format!("Of the measurements {}", shares.join(", ")));
    }
    if let Some((mbps, gb)) = report.lost_mbps.zip(report.lost_gb) {
        lines.push(format!("Lost {mbps:.1} Mbit/s, {gb:.1} GB, as far as channel widths are known"));
    }
    if report.built_in > 0 {
        lines.push(format!(
            "On the built-in profile table, which no device has confirmed, rest {}",
            counted(report.built_in, "upstream")
        ));
    }
    let silent = report.silent.iter().map(|silent| {
        let since = silent
            .since
            .map_or_else(|| "no good scan is known".to_owned(), |ts| format!("since {}", time(ts)));
        format!("Silent: {}, {since}: {}", text::terminal(&silent.cmts), silent.status)
    });
    told(&mut lines, silent, "silent CMTSs");
    let gone = report
        .gone
        .iter()
        .map(|gone| format!("Gone: {}, not tried since {}", text::terminal(&gone.cmts), time(gone.since)));
    told(&mut lines, gone, "CMTSs that nobody tries any more");
    let incidents = report.incidents.iter().map(|incident| {
        let (cmts, at) = (text::terminal(&incident.cmts), time(incident.ts));
        let node = incident.node.as_deref().map(|node| format!(" node {}", text::terminal(node)));
        let cmts = format!("{cmts}{}", node.unwrap_or_default());
        let during = if incident.maintenance { ", in maintenance" } else { "" };
        format!("Incident: {cmts}, {at}: {} upstreams stepped down at once{during}", incident.upstreams)
    });
    told(&mut lines, incidents, "incidents");
    let maintenance = report.maintenance.iter().map(|maintenance| {
        let (what, from) = (maintenance.what(), time(maintenance.from));
        format!("Maintenance: {what}, {from} to {}: not counted as lost", time(maintenance.to))
    });
    told(&mut lines, maintenance, "maintenance windows");
    lines
}

/// The first of them, and how many more there are.
fn told(lines: &mut Vec<String>, mut each: impl ExactSizeIterator<Item = String>, what: &str) {
    lines.extend(each.by_ref().take(TOLD));
    if each.len() > 0 {
        lines.push(format!("… and {} more {what} (--format json has all)", each.len()));
    }
}
