//! What a mail says, as headings, sentences and tables; text and HTML are two forms of the same page.
//! Text from devices has lost its control characters here; each renderer escapes what its own form needs.

use std::time::Duration;

use super::{
    input::Reading,
    period::Period,
    shortfall::{self, THIN_PCT},
    words::{Words, fill},
};
use crate::{
    record::{Incident, Row, Silent, Why},
    text, units,
};

/// A mail is read in a minute: the rest is in the attachment.
const OFFENDERS: usize = 20;
const LISTED: usize = 20;
/// No name in a table is longer than this.
const NAME: usize = 60;

/// A block of a page.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A heading.
    Heading(String),
    /// A sentence that must not be missed.
    Warning(String),
    /// A sentence.
    Paragraph(String),
    /// A table; without any title it is a list of names and values.
    Table {
        /// Title of each column, and whether its values are numbers.
        columns: Vec<(String, bool)>,
        /// Its cells, one for each column.
        rows: Vec<Vec<String>>,
    },
}

/// A page.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Its title.
    pub title: String,
    /// BCP 47 tag of its language.
    pub language: &'static str,
    /// What it says.
    pub blocks: Vec<Block>,
}

/// The page of a report.
#[must_use]
pub fn compose(reading: &Reading, words: &'static Words, attachment: &str) -> Page {
    let period = Period::of(&reading.report);
    let mut blocks = Vec::new();
    blocks.extend(shortfall::sentence(&shortfall::of(reading), words).map(Block::Warning));
    blocks.push(summary(reading, period, words));
    if !reading.rows.is_empty() {
        offenders(reading, words, &mut blocks);
    }
    incidents(&reading.report.incidents, period, words, &mut blocks);
    silent(&reading.report.silent, period, words, &mut blocks);
    if !reading.rows.is_empty() {
        thin(reading, words, &mut blocks);
    }
    blocks.push(Block::Paragraph(fill(words.attached, &[attachment])));
    let made = period.local(reading.report.generated_at);
    blocks.push(Block::Paragraph(fill(words.made, &[&made, env!("CARGO_PKG_VERSION")])));
    let title = fill(words.title, &[&period.label(words.to)]);
    Page { title, language: words.tag, blocks }
}

fn safe(name: &str) -> String {
    let safe = text::terminal(name);
    match safe.char_indices().nth(NAME) {
        Some((end, _)) => format!("{}…", &safe[..end]),
        None => safe.into_owned(),
    }
}

fn summary(reading: &Reading, period: Period, words: &Words) -> Block {
    let report = &reading.report;
    let shares: Vec<_> = report
        .share_pct
        .iter()
        .map(|(modulation, share)| format!("{modulation} {} %", words.number(*share, 1)))
        .collect();
    let lost: Vec<_> = [(report.lost_mbps, "Mbit/s"), (report.lost_gb, "GB")]
        .into_iter()
        .filter_map(|(lost, unit)| Some(format!("{} {unit}", words.number(lost?, 1))))
        .collect();
    let on = fill(words.upstreams_on_cmts, &[&report.upstreams.to_string(), &report.cmts.to_string()]);
    let facts = [
        (words.window, period.exact()),
        (words.upstreams, on),
        (words.measurements, report.measurements.to_string()),
        (words.hops, report.hops.to_string()),
        (words.coverage, format!("{} %", words.number(report.coverage_pct, 1))),
        (words.modulations, shares.join(", ")),
        (words.lost, lost.join(", ")),
    ];
    let rows = facts.into_iter().filter(|(_, value)| !value.is_empty());
    untitled(rows.map(|(name, value)| vec![name.to_owned(), value]))
}

/// A table of names and values.
fn untitled(rows: impl Iterator<Item = Vec<String>>) -> Block {
    Block::Table { columns: vec![(String::new(), false); 2], rows: rows.collect() }
}

/// A column of the table of offenders: its title, whether it is a number, and its value in a row.
type Column<'a> = (&'static str, bool, Box<dyn Fn(&Row) -> Option<String> + 'a>);

fn columns(words: &'static Words) -> [Column<'static>; 9] {
    let change = |row: &Row| Some(format!("{:+}", row.delta?.hops));
    let degraded = |row: &Row| {
        let seconds = row.degraded_s;
        (seconds > 0).then(|| units::human(Duration::from_secs(seconds)))
    };
    [
        (words.cmts, false, Box::new(|row| Some(safe(&row.cmts)))),
        (words.upstream, false, Box::new(|row| Some(safe(&row.upstream)))),
        (words.description, false, Box::new(|row| row.description.as_deref().map(safe))),
        (words.hops, true, Box::new(|row| Some(row.hops.to_string()))),
        (words.change, true, Box::new(change)),
        (words.degraded, true, Box::new(degraded)),
        (words.worst, false, Box::new(|row| Some(row.worst?.to_string()))),
        (words.lost_pct, true, Box::new(move |row| Some(words.number(row.lost_pct?, 1)))),
        (words.why, false, Box::new(|row| Some(words_of(&row.why)))),
    ]
}

/// Rows in the order of the report, as far as anything is wrong with them. Columns that nobody fills are left out.
fn offenders(reading: &Reading, words: &'static Words, blocks: &mut Vec<Block>) {
    blocks.push(Block::Heading(words.offenders.to_owned()));
    let offends = |row: &&Row| row.hops > 0 || row.degraded_s > 0 || row.flapping || !row.why.is_empty();
    let (count, shown) = (
        reading.rows.iter().filter(offends).count(),
        reading.rows.iter().filter(offends).take(OFFENDERS).collect::<Vec<_>>(),
    );
    if shown.is_empty() {
        blocks.push(Block::Paragraph(words.no_offenders.to_owned()));
        return;
    }
    let mut rows = vec![Vec::new(); shown.len()];
    let mut titles = Vec::new();
    for (title, number, value) in columns(words) {
        let cells: Vec<_> = shown.iter().map(|row| value(row).unwrap_or_default()).collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            titles.push((title.to_owned(), number));
            rows.iter_mut().zip(cells).for_each(|(row, cell)| row.push(cell));
        }
    }
    blocks.push(Block::Table { columns: titles, rows });
    if count > shown.len() {
        let more = (count - shown.len()).to_string();
        blocks.push(Block::Paragraph(fill(words.more_offenders, &[&more])));
    }
    let given = |why: &Why| shown.iter().any(|row| row.why.contains(why));
    let mut explained = Why::ALL.into_iter().filter(given).peekable();
    if explained.peek().is_some() {
        blocks.push(untitled(explained.map(|why| vec![why.word().into(), words.reason(why).into()])));
    }
}

fn words_of(why: &[Why]) -> String {
    why.iter().map(|why| why.word()).collect::<Vec<_>>().join(", ")
}

fn incidents(incidents: &[Incident], period: Period, words: &Words, blocks: &mut Vec<Block>) {
    if incidents.is_empty() {
        return;
    }
    blocks.push(Block::Heading(words.incidents.to_owned()));
    blocks.push(Block::Paragraph(words.incidents_note.to_owned()));
    let rows = incidents.iter().map(|incident| {
        vec![period.local(incident.ts), safe(&incident.cmts), incident.upstreams.to_string()]
    });
    list(&[(words.moment, false), (words.cmts, false), (words.stepped_down, true)], rows, words, blocks);
}

fn silent(silent: &[Silent], period: Period, words: &Words, blocks: &mut Vec<Block>) {
    blocks.push(Block::Heading(words.silent.to_owned()));
    if silent.is_empty() {
        blocks.push(Block::Paragraph(words.no_silent.to_owned()));
        return;
    }
    let rows = silent.iter().map(|device| {
        let since = device.since.map_or_else(|| words.never.to_owned(), |since| period.local(since));
        vec![safe(&device.cmts), since, device.status.to_string()]
    });
    list(&[(words.cmts, false), (words.last_good, false), (words.status, false)], rows, words, blocks);
}

/// CMTSs whose upstreams were on average observed for less than they should, the worst first.
fn thin(reading: &Reading, words: &Words, blocks: &mut Vec<Block>) {
    let threshold = words.number(THIN_PCT, 0);
    blocks.push(Block::Heading(fill(words.thin, &[&threshold])));
    let thin = shortfall::thin_cmts(reading);
    if thin.is_empty() {
        blocks.push(Block::Paragraph(fill(words.no_thin, &[&threshold])));
        return;
    }
    let rows = thin.into_iter().map(|(cmts, upstreams, coverage)| {
        vec![safe(cmts), upstreams.to_string(), format!("{} %", words.number(coverage, 1))]
    });
    list(&[(words.cmts, false), (words.upstreams, true), (words.coverage, true)], rows, words, blocks);
}

fn list(
    columns: &[(&str, bool)],
    rows: impl ExactSizeIterator<Item = Vec<String>>,
    words: &Words,
    blocks: &mut Vec<Block>,
) {
    let left = rows.len().saturating_sub(LISTED);
    let columns = columns.iter().map(|&(title, number)| (title.to_owned(), number)).collect();
    blocks.push(Block::Table { columns, rows: rows.take(LISTED).collect() });
    if left > 0 {
        blocks.push(Block::Paragraph(fill(words.and_more, &[&left.to_string()])));
    }
}
