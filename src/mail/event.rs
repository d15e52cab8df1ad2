//! `--events`: what opened, grew or closed since the last run, as one short mail for a ticket system.

use std::cmp::Ordering;

use chrono_tz::Tz;
use serde::Deserialize;

use super::{
    page::{Block, Entry, Page, safe, sentence},
    words::{Words, fill},
};
use crate::record::Timestamp;

/// No mail names more events than this.
const LISTED: usize = 30;

/// An `event` record of mod-report.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct Event {
    /// The same from its opening to its end.
    pub id: String,
    pub what: What,
    pub ts: Timestamp,
    pub cmts: String,
    #[serde(default)]
    pub node: Option<String>,
    /// How many are below what is expected.
    #[serde(default)]
    pub upstreams: u64,
    /// The upstream, when it is a single one.
    #[serde(default)]
    pub upstream: Option<String>,
    /// The modulation before it.
    #[serde(default)]
    pub from: Option<String>,
    /// The modulation since.
    #[serde(default)]
    pub to: Option<String>,
    #[serde(default)]
    pub since: Option<Timestamp>,
    #[serde(default)]
    pub lost_mbps: Option<f64>,
    #[serde(default)]
    pub modems: Option<u64>,
    /// One sentence about it, in the language of the report.
    #[serde(default)]
    pub says: Option<String>,
}

/// What became of an event, a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum What {
    Opened,
    Grew,
    Closed,
}

impl What {
    fn word(self) -> &'static str {
        match self {
            What::Opened => "opened",
            What::Grew => "grew",
            What::Closed => "closed",
        }
    }
}

impl Event {
    /// What makes it another one than that of an earlier run.
    pub fn key(&self) -> String {
        format!("{}\n{}\n{}", self.id, self.what.word(), self.ts)
    }

    fn place(&self) -> String {
        let names = [Some(&self.cmts), self.node.as_ref(), self.upstream.as_ref()];
        names.into_iter().flatten().map(|name| safe(name)).collect::<Vec<_>>().join(" ")
    }

    fn size(&self) -> (f64, u64, u64) {
        (self.lost_mbps.unwrap_or_default(), self.modems.unwrap_or_default(), self.upstreams)
    }
}

/// Sorts the largest first: by what is lost, then by customers, then by upstreams.
pub fn largest_first(events: &mut [Event]) {
    events.sort_by(|a, b| b.size().partial_cmp(&a.size()).unwrap_or(Ordering::Equal));
}

/// The subject of sorted events: the largest, and how many more. English in every language.
#[must_use]
pub fn subject(events: &[Event]) -> String {
    let Some(event) = events.first() else { return "Modulation events".to_owned() };
    let mut subject = format!("Modulation event {}: {}", event.what.word(), event.place());
    if event.upstreams > 1 {
        subject += &format!(": {} upstreams", event.upstreams);
    }
    if let (Some(from), Some(to)) = (&event.from, &event.to) {
        subject += &format!(" from {from} to {to}");
    }
    if let Some(lost) = event.lost_mbps.filter(|&lost| lost >= 0.5) {
        subject += &format!(", {lost:.0} Mbit/s");
    }
    match events.len() - 1 {
        0 => subject,
        more => subject + &format!(" (and {more} more)"),
    }
}

/// The page of sorted events.
#[must_use]
pub fn compose(events: &[Event], tz: Tz, now: Timestamp, words: &'static Words) -> Page {
    let local = |moment: Timestamp| moment.utc().with_timezone(&tz).format("%Y-%m-%d %H:%M").to_string();
    let entries = events.iter().take(LISTED).map(|event| {
        let changed = match (&event.from, &event.to) {
            (Some(from), Some(to)) => Some(format!("{} → {}", safe(from), safe(to))),
            _ => None,
        };
        let figures = [
            (event.what.word(), Some(local(event.ts))),
            (words.since, event.since.map(local)),
            (words.upstreams, (event.upstreams > 0).then(|| event.upstreams.to_string())),
            (words.modulations, changed),
            (words.lost, event.lost_mbps.map(|lost| format!("{} Mbit/s", words.number(lost, 1)))),
            (words.modems, event.modems.map(|modems| modems.to_string())),
        ];
        Entry::new(event.place(), Vec::new(), event.says.as_deref().map(sentence), figures, None)
    });
    let mut blocks = vec![Block::Entries(entries.collect())];
    if events.len() > LISTED {
        blocks.push(Block::Paragraph(fill(words.and_more, &[&(events.len() - LISTED).to_string()])));
    }
    blocks.push(Block::Paragraph(fill(
        words.made,
        &[&format!("{} ({tz})", local(now)), env!("CARGO_PKG_VERSION")],
    )));
    Page { title: words.events.to_owned(), language: words.tag, blocks }
}
