//! `--events`: what opened, grew or closed since the last run, as one short mail for a ticket system.

use chrono_tz::Tz;

use super::{
    page::{Block, Entry, Page, safe, sentence},
    words::{Words, fill},
};
use crate::{
    measure::events,
    record::{Event, Timestamp},
};

/// No mail names more events than this.
const LISTED: usize = 30;

/// What makes an event another one than that of an earlier run.
#[must_use]
pub fn key(event: &Event) -> String {
    format!("{}\n{}\n{}", event.id, event.what, event.ts)
}

fn place(event: &Event) -> String {
    let names = [Some(&event.cmts), event.node.as_ref(), event.upstream.as_ref()];
    names.into_iter().flatten().map(|name| safe(name)).collect::<Vec<_>>().join(" ")
}

/// Sorts the largest first: by what is lost, then by customers, then by upstreams.
pub fn largest_first(events: &mut [Event]) {
    events.sort_by(events::largest_first);
}

/// How many more opened than are told one by one.
fn untold(events: &[Event]) -> u64 {
    events.iter().filter_map(|event| event.more).fold(0, u64::saturating_add)
}

/// The subject of sorted events: the largest, and how many more. English in every language.
#[must_use]
pub fn subject(events: &[Event]) -> String {
    let Some(event) = events.first() else { return "Modulation events".to_owned() };
    let mut subject = format!("Modulation event {}: {}", event.what.word(), place(event));
    if event.upstreams > 1 {
        subject += &format!(": {} upstreams", event.upstreams);
    }
    if let (Some(from), Some(to)) = (event.from, event.to) {
        subject += &format!(" from {from} to {to}");
    }
    if let Some(lost) = event.lost_mbps.filter(|&lost| lost >= 0.5) {
        subject += &format!(", {lost:.0} Mbit/s");
    }
    match events.len() as u64 - 1 + untold(events) {
        0 => subject,
        more => subject + &format!(" (and {more} more)"),
    }
}

/// The page of sorted events.
#[must_use]
pub fn compose(events: &[Event], tz: Tz, now: Timestamp, words: &'static Words) -> Page {
    let local = |moment: Timestamp| moment.utc().with_timezone(&tz).format("%Y-%m-%d %H:%M").to_string();
    let entries = events.iter().take(LISTED).map(|event| {
        let changed = match (event.from, event.to) {
            (Some(from), Some(to)) => Some(format!("{from} → {to}")),
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
        Entry::new(place(event), Vec::new(), event.says.as_deref().map(sentence), figures, None)
    });
    let mut blocks = vec![Block::Entries(entries.collect())];
    let more = events.len().saturating_sub(LISTED) as u64 + untold(events);
    if more > 0 {
        blocks.push(Block::Paragraph(fill(words.and_more, &[&more.to_string()])));
    }
    blocks.push(Block::Paragraph(fill(
        words.made,
        &[&format!("{} ({tz})", local(now)), env!("CARGO_PKG_VERSION")],
    )));
    Page { title: words.events.to_owned(), language: words.language.tag(), blocks }
}
