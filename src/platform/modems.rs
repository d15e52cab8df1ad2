//! The modem summary, which the families print in much the same way: a header that names the columns of
//! counts, then a row per upstream. The header says how many words are counts, so that a description may begin
//! with a number, and which count is that of registered modems.

use std::borrow::Cow;

use foldhash::HashMap;

use super::{
    Taken, Upstream,
    lines::{WordsAt, cut_blank, first_word, is_number, starts_with, trim, words},
};

/// The columns of a modem summary.
#[derive(Default)]
struct Columns {
    /// How many words of a row are counts.
    counts: usize,
    /// Which of them counts registered modems.
    registered: Option<usize>,
    /// Whether descriptions stand before the counts.
    description_first: bool,
}

/// Whether a line names columns of a summary.
pub(super) fn is_heading(text: &str) -> bool {
    words(text).any(|word| ["upstream", "interface", "total"].iter().any(|name| starts_with(word, name)))
}

/// A modem summary while it is read.
#[derive(Default)]
pub(super) struct Modems<'a> {
    /// Where `Description` stands, as a column of text.
    description_at: Option<usize>,
    columns: Option<Columns>,
    rows: Vec<Row<'a>>,
}

/// A row: the name of its upstream, and what stands behind it.
struct Row<'a> {
    name: Cow<'a, str>,
    rest: &'a str,
}

impl<'a> Modems<'a> {
    /// Takes a line of an answer to the command for the summary: a row when its first word names an upstream, a line
    /// of the header as long as no row came, the total of all rows behind them; none is text of something else.
    pub fn line(&mut self, text: &'a str, is_upstream: fn(&str) -> bool) -> Option<Taken> {
        let first = first_word(text);
        if is_upstream(first) {
            let rest = text.trim_start().get(first.len()..).unwrap_or_default();
            self.row(first, rest);
            return Some(Taken::Row("modem summary"));
        }
        let heads = if self.is_empty() { self.header(text) } else { starts_with(first, "total") };
        heads.then_some(Taken::Header("the modem summary"))
    }

    /// Reads a line of the header; the one that names the counts may be any of them. False for a line that names
    /// nothing of a summary.
    pub fn header(&mut self, text: &str) -> bool {
        let mut names: Vec<String> = Vec::new();
        let mut total_at = None;
        for (at, word) in WordsAt::new(text).map(|(at, word)| (at, word.to_ascii_lowercase())) {
            match &word[..] {
                "description" => self.description_at = Some(at),
                "total" if total_at.is_none() => {
                    total_at = Some(at);
                    names.push(word);
                }
                _ if total_at.is_some() => names.push(word),
                _ => {}
            }
        }
        // The total of all rows begins with the same word, and has numbers.
        let counts = total_at.filter(|_| !names.iter().any(|name| is_number(name)));
        let Some(total_at) = counts else { return total_at.is_some() || is_heading(text) };
        let find =
            |wanted: &[&str]| wanted.iter().find_map(|wanted| names.iter().position(|name| name == wanted));
        self.columns = Some(Columns {
            counts: names.len(),
            registered: find(&["reg", "registered", "online", "oper", "operational"]),
            description_first: self.description_at.is_some_and(|at| at < total_at),
        });
        true
    }

    /// Takes a row.
    pub fn row(&mut self, name: impl Into<Cow<'a, str>>, rest: &'a str) {
        self.rows.push(Row { name: name.into(), rest });
    }

    /// Whether there is a row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Gives upstreams what the summary knows of them: modems, and the description where they have none.
    pub fn describe(&self, upstreams: &mut [Upstream<'a>]) {
        if self.rows.is_empty() {
            return;
        }
        // Without a known header, the row with the fewest numbers shows how many of them are counts.
        let numbers = |rest: &str| words(rest).take_while(|word| is_number(word)).count();
        let fewest = || self.rows.iter().map(|row| numbers(row.rest)).min().unwrap_or_default();
        let guessed;
        let columns = match &self.columns {
            Some(columns) => columns,
            None => {
                guessed = Columns { counts: fewest(), ..Columns::default() };
                &guessed
            }
        };
        let known: HashMap<&str, &'a str> = self.rows.iter().map(|row| (&row.name[..], row.rest)).collect();
        for upstream in upstreams {
            let Some(&rest) = known.get(&*upstream.name) else { continue };
            let Some((modems, text)) = columns.split(rest) else { continue };
            upstream.modems = upstream.modems.or(modems);
            let is_text = self.columns.is_some() || text.contains(char::is_alphabetic);
            if upstream.description.is_none() && is_text && !text.is_empty() {
                upstream.description = Some(text.into());
            }
        }
    }
}

impl Columns {
    /// The registered modems and the description of a row; none when its counts are not what the header names.
    fn split<'a>(&self, rest: &'a str) -> Option<(Option<u64>, &'a str)> {
        // Descriptions that stand first are taken off from the end.
        let wanted =
            self.registered.map(|place| if self.description_first { self.counts - 1 - place } else { place });
        let mut text = trim(rest);
        let mut modems = None;
        for place in 0..self.counts {
            let cut = if self.description_first {
                text.rsplit_once(char::is_whitespace)
                    .map_or(("", text), |(head, word)| (head.trim_end(), word))
            } else {
                cut_blank(text)
                    .map_or(("", text), |(word, tail)| (tail.trim_ascii_start().trim_start(), word))
            };
            let (remaining, word) = cut;
            // A dash stands where nothing was counted.
            if !is_number(word) && word != "-" {
                return None;
            }
            if Some(place) == wanted {
                modems = word.parse().ok();
            }
            text = remaining;
        }
        Some((modems, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Source;

    fn described(header: &[&str], row: &str) -> (Option<u64>, Option<String>) {
        let mut modems = Modems::default();
        for line in header {
            modems.header(line);
        }
        modems.row("1/0/0/0", row);
        let mut upstreams = [Upstream::named("1/0/0/0", Source::State)];
        modems.describe(&mut upstreams);
        let [upstream] = upstreams;
        (upstream.modems, upstream.description.map(Into::into))
    }

    #[test]
    fn a_header_tells_counts_from_descriptions() {
        let two =
            ["Interface          Cable Modem          Description", "      Total Reg Oper Unreg Offline"];
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(described(&two, "12 11 11 1 1 1101 Elm Street"), (Some(11), text("1101 Elm Street")));
        assert_eq!(described(&two, "12 11 11 1 1"), (Some(11), None));
        assert_eq!(described(&two, "12 11 Elm Street"), (None, None));
        let wide = ["Interface Total Offline Unreg Reg Wideband initRC Description"];
        assert_eq!(described(&wide, "9 1 1 7 0 0 12 Main 3"), (Some(7), text("12 Main 3")));
        let first = ["Interface  Description     Total Online Offline"];
        assert_eq!(described(&first, "12 Main St 3 20 19 1"), (Some(19), text("12 Main St 3")));
        assert_eq!(described(&[], "12 11 Node 5"), (None, text("Node 5")));
    }
}
