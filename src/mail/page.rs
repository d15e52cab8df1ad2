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
    record::{Gone, Incident, Row, Silent, Why},
    text, units,
};

/// A mail is read in a minute: the rest is in the attachment.
const OFFENDERS: usize = 20;
const LISTED: usize = 20;
/// No name in a table is longer than this, in characters.
const NAME: usize = 60;
/// No sentence from a record is longer than this, in characters.
const SENTENCE: usize = 500;

#[derive(Clone, Debug, PartialEq)]
pub enum Block {
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
    /// Upstreams or events, each with what there is to say about it.
    Entries(Vec<Entry>),
}

/// An upstream or an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub name: String,
    /// Where it is: node, hub, description.
    pub labels: Vec<String>,
    /// One sentence about it, made by mod-report.
    pub says: Option<String>,
    /// Figures by name.
    pub figures: Vec<(&'static str, String)>,
    /// Its place on the web page.
    pub url: Option<String>,
}

impl Entry {
    /// An entry with the figures that there are. An address that a browser would run is left out.
    pub fn new(
        name: String,
        labels: Vec<String>,
        says: Option<String>,
        figures: impl IntoIterator<Item = (&'static str, Option<String>)>,
        url: Option<&str>,
    ) -> Self {
        let figures = figures.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let figures = figures.filter(|(_, value)| !value.is_empty()).collect();
        let is_link = |url: &&str| url.starts_with("https://") || url.starts_with("http://");
        let url = url.filter(is_link).map(|url| text::terminal(url).into_owned());
        Entry { name, labels, says, figures, url }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub title: String,
    /// BCP 47 tag of its language.
    pub language: &'static str,
    /// What it says.
    pub blocks: Vec<Block>,
}

/// The page of a report. `rows`: where all rows are, in words.
#[must_use]
pub fn compose(reading: &Reading, words: &'static Words, rows: String) -> Page {
    let period = Period::of(&reading.report);
    let mut blocks = Vec::new();
    blocks.extend(shortfall::sentence(&shortfall::of(reading), words).map(Block::Warning));
    blocks.push(summary(reading, period, words));
    if !reading.rows.is_empty() {
        offenders(reading, period, words, &mut blocks);
    }
    incidents(&reading.report.incidents, period, words, &mut blocks);
    silent(&reading.report.silent, period, words, &mut blocks);
    gone(&reading.report.gone, period, words, &mut blocks);
    if !reading.rows.is_empty() {
        thin(reading, words, &mut blocks);
    }
    blocks.push(Block::Paragraph(rows));
    let made = period.local(reading.report.generated_at);
    blocks.push(Block::Paragraph(fill(words.made, &[&made, env!("CARGO_PKG_VERSION")])));
    let title = fill(words.title, &[&period.label(words.to)]);
    Page { title, language: words.language.tag(), blocks }
}

/// A name from a device or a user, without control characters and of a bounded length.
pub fn safe(name: &str) -> String {
    shortened(name, NAME)
}

/// The same for a sentence.
pub fn sentence(text: &str) -> String {
    shortened(text, SENTENCE)
}

fn shortened(text: &str, longest: usize) -> String {
    let safe = text::terminal(text);
    match safe.char_indices().nth(longest) {
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

/// What there is to say about an upstream.
fn entry(row: &Row, period: Period, words: &Words) -> Entry {
    let labels = [&row.node, &row.hub, &row.description];
    let lost = match (row.lost_mbps, row.lost_pct) {
        (Some(mbps), _) if mbps > 0.0 => Some(format!("{} Mbit/s", words.number(mbps, 1))),
        (_, Some(pct)) if pct > 0.0 => Some(format!("{} %", words.number(pct, 1))),
        _ => None,
    };
    let degraded = Duration::from_secs(row.degraded_s);
    let mhz = |hz: u64| words.number(hz as f64 / 1e6, 1);
    let channel = row.center_hz.map(|center| match row.width_hz {
        Some(width) => format!("{} MHz ({} MHz)", mhz(center), mhz(width)),
        None => format!("{} MHz", mhz(center)),
    });
    let snr = row.snr_db.map(|snr| {
        let [median, min] = [snr.median, snr.min].map(|db| words.number(db, 1));
        fill(words.snr_values, &[&median, &min])
    });
    let figures = [
        (words.lost, lost),
        (words.degraded, (row.degraded_s > 0).then(|| units::human(degraded))),
        (words.since, row.since.map(|since| period.local(since))),
        (words.worst, row.worst.map(|worst| worst.to_string())),
        (words.hops, Some(row.hops.to_string())),
        (words.change, row.delta.map(|delta| format!("{:+}", delta.hops))),
        (words.modems, row.modems.map(|modems| modems.to_string())),
        (words.snr, snr),
        (words.channel, channel),
        (
            words.chronic,
            (row.chronic_days > 0).then(|| fill(words.chronic_of, &[&row.chronic_days.to_string()])),
        ),
        (words.why, Some(words_of(&row.why))),
    ];
    let name = format!("{} {}", safe(&row.cmts), safe(&row.upstream));
    let labels = labels.into_iter().flatten().map(|label| safe(label)).collect();
    Entry::new(
        name,
        labels,
        Some(row.says.as_str()).filter(|says| !says.is_empty()).map(sentence),
        figures,
        row.url.as_deref(),
    )
}

/// The first rows with anything wrong, in the order of the report.
fn offenders(reading: &Reading, period: Period, words: &'static Words, blocks: &mut Vec<Block>) {
    blocks.push(Block::Heading(words.offenders.to_owned()));
    let offends = |row: &&Row| row.hops > 0 || row.degraded_s > 0 || row.flapping || !row.why.is_empty();
    let count = reading.rows.iter().filter(offends).count();
    let shown: Vec<_> = reading.rows.iter().filter(offends).take(OFFENDERS).collect();
    if shown.is_empty() {
        blocks.push(Block::Paragraph(words.no_offenders.to_owned()));
        return;
    }
    blocks.push(Block::Entries(shown.iter().map(|row| entry(row, period, words)).collect()));
    if count > shown.len() {
        let more = (count - shown.len()).to_string();
        blocks.push(Block::Paragraph(fill(words.more_offenders, &[&more])));
    }
    let given = |why: &Why| shown.iter().any(|line| line.why.contains(why));
    let mut explained = Why::ALL.into_iter().filter(given).peekable();
    if explained.peek().is_some() {
        blocks
            .push(untitled(explained.map(|why| vec![why.word().into(), why.meaning(words.language).into()])));
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
        let node = incident.node.iter().map(|node| format!(" {}", safe(node)));
        let place = std::iter::once(safe(&incident.cmts)).chain(node).collect();
        vec![period.local(incident.ts), place, incident.upstreams.to_string()]
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

/// Devices that nobody polls any more: nothing is missing without them.
fn gone(gone: &[Gone], period: Period, words: &Words, blocks: &mut Vec<Block>) {
    if gone.is_empty() {
        return;
    }
    blocks.push(Block::Heading(words.gone.to_owned()));
    let rows = gone.iter().map(|device| vec![safe(&device.cmts), period.local(device.since)]);
    list(&[(words.cmts, false), (words.last_polled, false)], rows, words, blocks);
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
