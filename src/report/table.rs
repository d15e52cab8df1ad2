//! The report for people: what matters in a few lines, then one line per upstream. On a terminal it fits the
//! width and says what it left out for that; text from devices is escaped.

use std::{
    borrow::Cow,
    io::{self, Write},
    time::Duration,
};

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{findings::Findings, request::Request, window::local};
use crate::{
    modulation::Modulation,
    record::{Report, Row, Timestamp},
    text, units,
};

/// Incidents and silent devices that are told one by one.
const TOLD: usize = 8;
/// A description in less than this says nothing.
const DESCRIPTION_MIN: usize = 8;

/// A column: how a row fills it, and how soon a narrow terminal goes without it.
struct Column {
    title: &'static str,
    right: bool,
    /// 0: never left out; the highest goes first.
    rank: u8,
    cell: fn(&Row) -> String,
}

const COLUMNS: [Column; 14] = [
    Column { title: "CMTS", right: false, rank: 0, cell: |row| text::terminal(&row.cmts).into_owned() },
    Column {
        title: "UPSTREAM",
        right: false,
        rank: 0,
        cell: |row| text::terminal(&row.upstream).into_owned(),
    },
    Column { title: "HOPS", right: true, rank: 0, cell: |row| row.hops.to_string() },
    Column { title: "DOWN", right: true, rank: 9, cell: |row| row.hops_down.to_string() },
    Column { title: "UP", right: true, rank: 10, cell: |row| row.hops_up.to_string() },
    Column { title: "LOST%", right: true, rank: 2, cell: |row| decimal(row.lost_pct) },
    Column { title: "MBIT/S", right: true, rank: 4, cell: |row| decimal(row.lost_mbps) },
    Column { title: "DEGRADED", right: true, rank: 5, cell: |row| duration(row.degraded_s) },
    Column { title: "COVER%", right: true, rank: 6, cell: |row| decimal(Some(row.coverage_pct)) },
    Column { title: "EXPECTED", right: false, rank: 8, cell: |row| word(row.expected) },
    Column { title: "WORST", right: false, rank: 1, cell: |row| word(row.worst) },
    Column { title: "LAST", right: false, rank: 7, cell: |row| row.last.to_string() },
    Column { title: "HOURS", right: false, rank: 3, cell: |row| row.hours.clone().unwrap_or_default() },
    Column { title: DESCRIPTION, right: false, rank: 11, cell: description },
];

const DESCRIPTION: &str = "DESCRIPTION";

fn decimal(number: Option<f64>) -> String {
    number.map(|number| format!("{number:.1}")).unwrap_or_default()
}

fn word(modulation: Option<Modulation>) -> String {
    modulation.map(|modulation| modulation.to_string()).unwrap_or_default()
}

fn description(row: &Row) -> String {
    row.description.as_deref().map(text::terminal).unwrap_or_default().into_owned()
}

fn duration(seconds: u64) -> String {
    if seconds == 0 { String::new() } else { units::human(Duration::from_secs(seconds)) }
}

/// Writes header and table.
///
/// # Errors
/// Those of the writer.
pub fn write(request: &Request, findings: &Findings, output: &mut dyn Write) -> io::Result<()> {
    for line in header(request, &findings.report(request)) {
        writeln!(output, "{}", cut(&line, request.columns.unwrap_or(usize::MAX)))?;
    }
    if findings.lines.is_empty() {
        return Ok(());
    }
    let layout = Fit::new(request, findings);
    writeln!(output)?;
    layout.line(output, |column| column.title.to_owned())?;
    for row in findings.rows(request) {
        layout.line(output, |column| (column.cell)(&row))?;
    }
    for line in footer(request, findings, &layout) {
        writeln!(output, "{}", cut(&line, request.columns.unwrap_or(usize::MAX)))?;
    }
    Ok(())
}

fn header(request: &Request, report: &Report) -> Vec<String> {
    let time = |ts: Timestamp| local(request.tz, ts).format("%Y-%m-%d %H:%M").to_string();
    let window = match &report.date {
        Some(date) => date.clone(),
        None => format!("{} to {}", time(report.from), time(report.to)),
    };
    let mut lines = vec![
        format!("Modulation report {window} {}", report.tz),
        format!(
            "{} upstreams on {} CMTSs: {} hops in {} measurements, coverage {:.1} %",
            report.upstreams, report.cmts, report.hops, report.measurements, report.coverage_pct
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
    let silent = report.silent.iter().map(|silent| {
        let since = silent
            .since
            .map_or_else(|| "no good scan is known".to_owned(), |ts| format!("since {}", time(ts)));
        format!("Silent: {}, {since}: {}", text::terminal(&silent.cmts), silent.status)
    });
    told(&mut lines, silent, "silent CMTSs");
    let incidents = report.incidents.iter().map(|incident| {
        let (cmts, at) = (text::terminal(&incident.cmts), time(incident.ts));
        format!("Incident: {cmts}, {at}: {} upstreams stepped down at once", incident.upstreams)
    });
    told(&mut lines, incidents, "incidents");
    lines
}

/// The first of them, and how many more there are.
fn told(lines: &mut Vec<String>, mut each: impl ExactSizeIterator<Item = String>, what: &str) {
    lines.extend(each.by_ref().take(TOLD));
    if each.len() > 0 {
        lines.push(format!("… and {} more {what} (--format json has all)", each.len()));
    }
}

fn footer(request: &Request, findings: &Findings, layout: &Fit) -> Vec<String> {
    let mut lines = Vec::new();
    match findings.left_out(request) {
        0 => {}
        more => lines.push(format!("{more} more upstreams are not shown (--top)")),
    }
    if !layout.dropped.is_empty() {
        let dropped = layout.dropped.join(", ");
        lines.push(format!("Left out to fit the width: {dropped}"));
    }
    if layout.columns.iter().any(|(column, _)| column.title == "HOURS") {
        lines.push("Hours: the lowest held as bits (6 QAM64 … 2 QPSK), O OFDMA, ? unknown, - nothing".into());
    }
    if !lines.is_empty() {
        lines.insert(0, String::new());
    }
    lines
}

/// The columns that there is something in and room for, with their widths.
struct Fit {
    columns: Vec<(&'static Column, usize)>,
    dropped: Vec<&'static str>,
}

impl Fit {
    fn new(request: &Request, findings: &Findings) -> Self {
        let mut widths = [0; COLUMNS.len()];
        for row in findings.rows(request) {
            for (width, column) in widths.iter_mut().zip(&COLUMNS) {
                *width = (*width).max((column.cell)(&row).width());
            }
        }
        let filled = COLUMNS.iter().zip(widths).filter(|&(_, width)| width > 0);
        let columns = filled.map(|(column, width)| (column, width.max(column.title.width()))).collect();
        let mut fit = Fit { columns, dropped: Vec::new() };
        if let Some(available) = request.columns {
            fit.narrow(available);
        }
        fit
    }

    fn width(&self) -> usize {
        self.columns.iter().map(|(_, width)| width + 1).sum::<usize>().saturating_sub(1)
    }

    fn narrow(&mut self, available: usize) {
        while self.width() > available {
            let excess = self.width() - available;
            let Some(last) = (0..self.columns.len()).max_by_key(|&at| self.columns[at].0.rank) else {
                return;
            };
            let (column, width) = &mut self.columns[last];
            if column.rank == 0 {
                return;
            }
            if column.title == DESCRIPTION && *width >= DESCRIPTION_MIN + excess {
                *width -= excess;
            } else {
                self.dropped.push(column.title);
                self.columns.remove(last);
            }
        }
    }

    fn line(&self, output: &mut dyn Write, cell: impl Fn(&Column) -> String) -> io::Result<()> {
        let mut line = String::new();
        for (column, width) in &self.columns {
            let cell = cell(column);
            let cell = cut(&cell, *width);
            let blanks = " ".repeat(width.saturating_sub(cell.width()));
            let (before, after) = if column.right { (blanks.as_str(), "") } else { ("", blanks.as_str()) };
            line.extend([before, &cell, after, " "]);
        }
        writeln!(output, "{}", line.trim_end())
    }
}

/// At most so many columns of a terminal; what is cut off leaves an ellipsis.
fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if text.width() <= columns {
        return Cow::Borrowed(text);
    }
    let mut room = columns.saturating_sub(1);
    let kept: String = text
        .chars()
        .take_while(|c| {
            let width = c.width().unwrap_or(0);
            let fits = width <= room;
            room = room.saturating_sub(width);
            fits
        })
        .collect();
    Cow::Owned(kept + "…")
}
