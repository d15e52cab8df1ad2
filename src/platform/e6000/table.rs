//! Upstream tables: one or two header lines whose words name the columns, then a row per channel. The
//! header words, their order and the columns between them differ between releases and between SC-QAM
//! and OFDMA, so a cell is found by the header, never at a fixed place.

use super::{super::Upstream, Taken, is_port};
use crate::{
    modulation::Modulation,
    platform::lines::{WordsAt, cut, lower_case, mhz, starts_with},
    record::Source,
};

/// What rows belong to.
pub(super) enum Table {
    Upstream(Header),
    Downstream,
}

/// Where the columns of an upstream table are.
pub(super) struct Header {
    /// Columns of text that the words of a column cover.
    state: Span,
    range: Vec<Span>,
    profile: Span,
    /// Places of the same columns in the header line that names the profile, and the number of its columns.
    state_index: Option<usize>,
    profile_index: usize,
    columns: usize,
    /// OFDMA tables speak of subcarriers and minislots, and have no channel type.
    ofdma: bool,
}

/// A word of a line.
#[derive(Clone, Copy)]
pub(super) struct Word<'a> {
    text: &'a str,
    span: Span,
}

/// From its first column to the one behind its last.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Span(usize, usize);

impl Span {
    fn overlap(self, other: Span) -> usize {
        self.1.min(other.1).saturating_sub(self.0.max(other.0))
    }

    fn union(self, other: Span) -> Span {
        Span(self.0.min(other.0), self.1.max(other.1))
    }

    /// One more column to either side: headings and cells are not always aligned to the letter.
    fn wider(self) -> Span {
        Span(self.0.saturating_sub(1), self.1 + 1)
    }
}

fn words(line: &str) -> impl Iterator<Item = Word<'_>> {
    WordsAt::new(line).map(|(start, text)| Word { text, span: Span(start, start + text.len()) })
}

/// The most words of a line of a header; a longer one is something else.
const MOST_WORDS: usize = 64;

/// Headings of two words, where a line of words is counted.
const PAIRS: [(&str, &str); 9] = [
    ("mod", "prof"),
    ("per", "frame"),
    ("mini", "slot"),
    ("1.6", "mhz"),
    ("cable", "mac"),
    ("oper", "state"),
    ("chan", "type"),
    ("channel", "type"),
    ("freq", "low"),
];

impl Header {
    /// The table that these lines are the header of, and how many of them belong to it.
    pub fn read(lines: &[&str]) -> Option<(Table, usize)> {
        // Single words (`CABLE:`) and pairs (`OFDM: true`) stand above tables, not over their columns.
        let rows: Vec<(usize, Vec<Word<'_>>)> = lines
            .iter()
            .map(|line| words(line).collect::<Vec<_>>())
            .enumerate()
            .filter(|(_, w)| (3..=MOST_WORDS).contains(&w.len()))
            .collect();
        let all = || rows.iter().flat_map(|(_, words)| words.iter());
        let any = |names: &[&str]| all().any(|word| names.iter().any(|name| contains(word.text, name)));
        let begins = |names: &[&str]| {
            rows.iter().any(|(_, words)| names.iter().any(|name| words[0].text.eq_ignore_ascii_case(name)))
        };
        let last = rows
            .iter()
            .rev()
            .find(|(_, words)| words.iter().any(|w| is_heading(w.text)))
            .map(|(i, _)| i + 1)?;
        if begins(&["ds", "downstream"]) || any(&["annex", "intrlv", "plc"]) {
            return any(&["state", "freq", "annex"]).then_some((Table::Downstream, last));
        }
        let state = all().find(|word| contains(word.text, "state") || contains(word.text, "status"))?.span;
        let (line, profile) = profile_column(&rows)?;
        if !any(&["mac", "conn", "port", "freq", "upstream"]) && !begins(&["us"]) {
            return None;
        }
        let counted = joined(&rows[line].1);
        let header = Header {
            state,
            range: all()
                .filter(|w| ["freq", "low", "(mhz"].iter().any(|n| starts_with(w.text, n)))
                .map(|w| w.span)
                .collect(),
            profile,
            state_index: counted.iter().position(|span| *span == state || span.overlap(state) > 0),
            profile_index: counted.iter().position(|span| span.overlap(profile) > 0)?,
            columns: counted.len(),
            ofdma: any(&["subcarrier", "licbw", "minislots", "rolloff", "cyclic", "ofdm"]),
        };
        Some((Table::Upstream(header), last))
    }

    /// The cell of the modulation profile. First the column of the same number, where the row has as many as
    /// the header; then the one that stands below the heading, where other cells stand below theirs; at last
    /// the place that it has in the layouts that are known.
    fn profile_cell(&self, row: &Row<'_, '_>) -> Option<Cell> {
        let counted = (row.columns() == self.columns && self.state_index == Some(row.state))
            .then_some(self.profile_index);
        let aligned = || {
            let below =
                |word: Word<'_>, headings: &[Span]| headings.iter().any(|h| h.wider().overlap(word.span) > 0);
            let range =
                row.range.is_none_or(|range| self.range.is_empty() || below(row.words[range], &self.range));
            if !range || !below(row.words[row.state], &[self.state]) {
                return None;
            }
            let cells = (row.state + 1..row.words.len())
                .map(|index| (row.words[index].span.overlap(self.profile), index));
            cells
                .filter(|(overlap, _)| *overlap > 0)
                .max_by_key(|&(overlap, index)| (overlap, usize::MAX - index))
                .map(|(_, index)| index)
        };
        let known = || row.range.map(|range| range + if row.channel_type.is_some() { 4 } else { 3 });
        let read = |index: usize| row.words.get(index).and_then(|word| Cell::read(word.text));
        counted.and_then(read).or_else(|| aligned().and_then(read)).or_else(|| known().and_then(read))
    }
}

/// The heading of the modulation profile: `Mod` over or before `Prof`, `ModProf`, `Prof` alone, `Mod` alone.
/// Gives the line of the lower word too.
fn profile_column(rows: &[(usize, Vec<Word<'_>>)]) -> Option<(usize, Span)> {
    let find = |class: fn(&str) -> bool| {
        rows.iter().enumerate().flat_map(move |(line, (_, words))| {
            words.iter().filter(move |word| class(word.text)).map(move |word| (line, word.span))
        })
    };
    let mods: Vec<_> = find(|text| starts_with(text, "mod")).collect();
    let profiles: Vec<_> = find(|text| contains(text, "prof")).collect();
    let belongs = |(line, span): (usize, Span)| {
        mods.iter().copied().find(|&(above, word)| {
            (above, word) == (line, span)
                || above == line && span.0 == word.1 + 1
                || above + 1 == line && word.wider().overlap(span) > 0
        })
    };
    let both = profiles
        .iter()
        .find_map(|&(line, span)| belongs((line, span)).map(|(_, word)| (line, span.union(word))));
    both.or_else(|| profiles.first().copied()).or_else(|| mods.first().copied())
}

/// The columns of a header line where words of one heading are taken together.
fn joined(words: &[Word<'_>]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut before = "";
    for word in words {
        let pair = |(first, second): &(&str, &str)| {
            before.eq_ignore_ascii_case(first) && starts_with(word.text, second)
        };
        match spans.last_mut() {
            Some(last) if PAIRS.iter().any(pair) => *last = last.union(word.span),
            _ => spans.push(word.span),
        }
        before = word.text;
    }
    spans
}

fn contains(word: &str, name: &str) -> bool {
    word.as_bytes().windows(name.len()).any(|window| window.eq_ignore_ascii_case(name.as_bytes()))
}

fn is_heading(word: &str) -> bool {
    ["state", "status", "prof", "mod", "mac", "conn", "freq", "mhz", "annex", "chan", "type", "oper"]
        .iter()
        .any(|name| contains(word, name))
}

/// What stands in the column of the profile.
enum Cell {
    Profile(u32),
    /// A release that prints the modulation itself.
    Printed(Modulation),
}

impl Cell {
    fn read(text: &str) -> Option<Cell> {
        let number = || text.parse().ok().map(Cell::Profile);
        number().or_else(|| Modulation::from_spelling(text).map(Cell::Printed))
    }
}

/// Channel types where a release prints them behind the frequencies.
const TYPES: [&str; 4] = ["atdma", "tdma", "scdma", "ofdma"];

struct Row<'s, 'a> {
    words: &'s [Word<'a>],
    /// Place of `IS` or `OOS`.
    state: usize,
    /// Place of `55.600-62.000`, and its ends in Hz.
    range: Option<usize>,
    edges: Option<(u64, u64)>,
    channel_type: Option<&'a str>,
}

impl<'s, 'a> Row<'s, 'a> {
    fn read(words: &'s [Word<'a>], ofdma: bool) -> Result<Self, Taken> {
        let found =
            words.iter().enumerate().find_map(|(index, word)| edges(word.text).map(|edges| (index, edges)));
        // Behind the frequencies an operator's text may stand, which may hold any word.
        let (head, tail) = words.split_at(found.map_or(words.len().min(8), |f| f.0));
        let stands = |state: &str| head.iter().position(|word| word.text.eq_ignore_ascii_case(state));
        // Releases that print an administrative state too: one OOS is enough.
        if stands("oos").is_some() {
            return Err(Taken::Ignored("out of service"));
        }
        let state = stands("is").ok_or(Taken::Unparsed("a row without IS or OOS"))?;
        let is_type = |text: &&str| text.as_bytes()[0].is_ascii_alphabetic() && contains(text, "dma");
        let before = head.iter().skip(1).map(|word| word.text).find(is_type);
        let behind = || tail.iter().map(|word| word.text).find(|text| TYPES.contains(text));
        let channel_type = before.or_else(|| if ofdma { None } else { behind() });
        Ok(Row { state, range: found.map(|f| f.0), edges: found.map(|f| f.1), channel_type, words })
    }

    /// Number of its columns: the load-balance groups `1, 2, 3` are one.
    fn columns(&self) -> usize {
        let more = self.words.iter().rev().skip(1).take_while(|word| word.text.ends_with(',')).count();
        self.words.len() - more
    }

    /// Centre and width, Hz. Between the edges lies the centre, as far as the edges are apart is the width;
    /// where the row has columns for them these are more exact.
    fn band(&self) -> (Option<u64>, Option<u64>) {
        let printed = self.words[self.range.unwrap_or(self.state) + 1..].iter();
        let mut printed = printed.filter(|word| word.text.contains('.')).filter_map(|word| mhz(word.text));
        let Some((low, high)) = self.edges else {
            return (printed.next(), printed.next());
        };
        let centre = printed.next().filter(|hz| (low..=high).contains(hz));
        let width = centre.and(printed.next()).filter(|hz| (1..=high - low).contains(hz));
        (Some(centre.unwrap_or(low.midpoint(high))), Some(width.unwrap_or(high - low)))
    }
}

/// The ends of a frequency range in MHz.
fn edges(text: &str) -> Option<(u64, u64)> {
    let (low, high) = cut(text, b'-')?;
    let (low, high) = (mhz(low)?, mhz(high)?);
    (low < high).then_some((low, high))
}

/// The upstream of a row, or what else the row was taken for.
pub(super) fn row<'a>(
    text: &'a str,
    header: &Header,
    scratch: &mut Vec<Word<'a>>,
) -> Result<Upstream<'a>, Taken> {
    scratch.clear();
    scratch.extend(words(text));
    let row = Row::read(scratch, header.ofdma)?;
    let port = row.words[0].text;
    debug_assert!(is_port(port));
    let ofdma = match row.channel_type {
        Some(channel_type) => contains(channel_type, "ofdm"),
        None => header.ofdma || contains(port, "/ofd"),
    };
    let (center_hz, width_hz) = row.band();
    let mut upstream = Upstream { center_hz, width_hz, ..Upstream::named(port, Source::State) };
    match header.profile_cell(&row) {
        Some(Cell::Profile(profile)) => upstream.profile = Some(profile),
        Some(Cell::Printed(modulation)) => upstream.modulation = modulation,
        None if ofdma => {}
        None => return Err(Taken::Unparsed("a row without a modulation profile")),
    }
    if ofdma {
        upstream.modulation = Modulation::Ofdma;
        upstream.channel_type = Some("ofdma".into());
    } else {
        upstream.channel_type = row.channel_type.map(lower_case);
    }
    Ok(upstream)
}
