//! The hop history: a row per hop, newest first. A modulation hop has `M` as a field of its own, the
//! profile before it and the profile after it; the newest one of a channel is the channel's state.

use foldhash::HashSet;

use super::{Line, Taken, is_upstream};
use crate::platform::lines::Words;

/// Place of the profile after the hop among the fields of a row.
const AFTER: usize = 9;

/// The newest modulation hop of each channel.
#[derive(Default)]
pub(super) struct Hops<'a> {
    rows: Vec<Hop<'a>>,
    channels: HashSet<&'a str>,
    seen: bool,
}

/// The newest modulation hop of one channel.
#[derive(Clone, Copy)]
pub(super) struct Hop<'a> {
    pub line: Line<'a>,
    pub upstream: &'a str,
    /// None when the row does not tell: then no older row is the state either.
    pub profile: Option<u32>,
}

impl<'a> Hops<'a> {
    /// Returns what a line was taken for, or none when it has nothing to do with hops.
    pub fn line(&mut self, line: Line<'a>, mut fields: Words<'a>) -> Option<Taken> {
        let upstream = fields.next()?;
        if !is_upstream(upstream) {
            let header = is_header(line.text);
            self.seen |= header;
            return header.then_some(Taken::Header("the hop history"));
        }
        self.seen = true;
        if !fields.clone().any(|field| field == "M") {
            return Some(Taken::Ignored("no modulation hop"));
        }
        if !self.channels.insert(upstream) {
            return Some(Taken::Ignored("an older hop"));
        }
        let profile = fields.nth(AFTER - 1).and_then(|after| after.parse().ok());
        self.rows.push(Hop { line, upstream, profile });
        Some(match profile {
            Some(_) => Taken::Row("hop"),
            None => Taken::Unparsed("a hop without the profile after it"),
        })
    }

    /// Whether a history was there, be it an empty one.
    pub fn seen(&self) -> bool {
        self.seen
    }

    /// In the order of the device.
    pub fn newest(&self) -> impl Iterator<Item = Hop<'a>> {
        self.rows.iter().copied()
    }
}

/// A heading, or a sentence that there is nothing to list. A heading names what hops, and something of
/// the hop; other sentences (`… not supported`) must not be taken for an empty history.
fn is_header(text: &str) -> bool {
    const WHAT: [&str; 5] = ["upstream", "interface", "channel", "hop", "hops"];
    const MORE: [&str; 18] = [
        "history",
        "time",
        "date",
        "type",
        "from",
        "to",
        "old",
        "new",
        "profile",
        "prof",
        "frequency",
        "freq",
        "width",
        "before",
        "after",
        "action",
        "reason",
        "hop",
    ];
    let lower = text.trim().to_ascii_lowercase();
    let words = || lower.split(|c: char| !c.is_ascii_alphanumeric());
    let named = |names: &[&str]| words().filter(|word| names.contains(word)).count();
    if lower.starts_with("no ") {
        return lower.contains("hop");
    }
    named(&WHAT) > 0 && named(&MORE) > 0 && named(&["not", "cannot", "unsupported"]) == 0
}
