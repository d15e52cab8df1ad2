//! Modulation profiles, in each of their forms: the display, `configure cable modulation-profile 202 iuc 10 mod
//! qam64 …` on each line, or a block `cable modulation-profile 202` with lines `iuc 10 mod …`. The blocks of
//! upstream interfaces stand in the same configuration, and hold descriptions.

use foldhash::HashMap;

use super::Taken;
use crate::{
    modulation::Modulation,
    platform::{
        Iuc, ProfileTable,
        lines::{Words, is_number, is_port, starts_with, trim, words},
    },
};

/// What is open, and what was read besides profiles.
#[derive(Default)]
pub(super) struct Profiles<'a> {
    open: Open<'a>,
    descriptions: HashMap<&'a str, &'a str>,
}

/// The block that the next line belongs to.
#[derive(Clone, Copy, Default)]
enum Open<'a> {
    #[default]
    Nothing,
    /// A profile of the configuration.
    Profile(u32),
    /// A profile of the display, the place of the modulation among the words of its rows, and whether a row
    /// was there.
    Display(u32, Option<usize>, bool),
    /// An upstream interface of the configuration.
    Interface(&'a str),
}

impl<'a> Profiles<'a> {
    /// What the operator wrote beside an upstream.
    pub fn description(&self, upstream: &str) -> Option<&'a str> {
        self.descriptions.get(upstream).copied()
    }

    /// Ends the block that is open: another answer begins.
    pub fn close(&mut self) {
        self.open = Open::Nothing;
    }

    /// What a line was taken for; none when it has nothing to do with profiles.
    pub fn line(&mut self, text: &'a str, words: Words<'a>, table: &mut ProfileTable) -> Option<Taken> {
        let mut rest = words.clone();
        let first = rest.next()?;
        match first {
            "configure" => self.configured(rest, table).or(Some(Taken::Ignored("configuration"))),
            "cable" | "interface" => self.configured(words, table),
            "description" => match self.open {
                Open::Interface(name) => Some(self.describe(name, rest.rest())),
                _ => None,
            },
            "ofdm" => Some(Taken::Ignored("configuration")),
            "iuc" => Some(match self.open {
                Open::Profile(profile) => burst(profile, rest, table),
                _ => Taken::Unparsed("an iuc outside of a profile"),
            }),
            "exit" | "end" | "!" => {
                self.close();
                Some(Taken::Ignored("configuration"))
            }
            _ if first.eq_ignore_ascii_case("modulation") => self.display(rest),
            _ => self.display_line(first, text, table),
        }
    }

    /// A line of the configuration, without `configure`.
    fn configured(&mut self, mut words: Words<'a>, table: &mut ProfileTable) -> Option<Taken> {
        match (words.next()?, words.next()?) {
            ("cable", "modulation-profile") => {
                let Some(profile) = words.next().and_then(|number| number.parse().ok()) else {
                    return Some(Taken::Unparsed("a profile without a number"));
                };
                match words.next() {
                    Some("iuc") => Some(burst(profile, words, table)),
                    None if matches!(self.open, Open::Interface(_)) => {
                        Some(Taken::Ignored("configuration of an interface"))
                    }
                    _ => {
                        self.open = Open::Profile(profile);
                        Some(Taken::Header("a modulation profile"))
                    }
                }
            }
            ("cable", _) => Some(Taken::Ignored("configuration")),
            ("interface", "cable-upstream") => {
                let name = words.next().filter(|name| is_port(name))?;
                match words.next() {
                    // A block begins.
                    None => self.open = Open::Interface(name),
                    Some("description") => return Some(self.describe(name, words.rest())),
                    // The line form, and the state that stands once more at the end.
                    Some(_) => {}
                }
                Some(Taken::Ignored("configuration of an interface"))
            }
            ("interface", name) if name.contains('-') => {
                self.close();
                Some(Taken::Ignored("configuration of an interface"))
            }
            _ => None,
        }
    }

    fn describe(&mut self, upstream: &'a str, said: &'a str) -> Taken {
        let said = trim(said);
        let said = said.strip_prefix('"').and_then(|said| said.strip_suffix('"')).unwrap_or(said);
        if !said.is_empty() {
            self.descriptions.insert(upstream, said);
        }
        Taken::Ignored("configuration of an interface")
    }

    /// `Modulation profile N` begins a profile of the display.
    fn display(&mut self, mut words: impl Iterator<Item = &'a str>) -> Option<Taken> {
        if !starts_with(words.next()?, "profile") {
            return None;
        }
        let mut numbers = words.filter_map(|word| word.trim_matches([':', ',', '(', ')']).parse().ok());
        let profile = numbers.next()?;
        self.open = Open::Display(profile, None, false);
        Some(Taken::Header("a modulation profile"))
    }

    /// A heading or a row of the display.
    fn display_line(&mut self, first: &'a str, text: &'a str, table: &mut ProfileTable) -> Option<Taken> {
        let Open::Display(profile, column, in_rows) = self.open else {
            return self.row_with_number(text, table);
        };
        let words = || words(text);
        if !is_number(first) && !Iuc::is_name(first) {
            if in_rows {
                return None;
            }
            // The first heading names the columns; `Interval` stands over the number and the name of the IUC.
            let place = words().position(|word| word.eq_ignore_ascii_case("mod"));
            if column.is_none() && starts_with(first, "interval") {
                self.open = Open::Display(profile, place.map(|place| place + 1), false);
            }
            return Some(Taken::Header("a modulation profile"));
        }
        self.open = Open::Display(profile, column, true);
        let name = words().take(2).find(|word| Iuc::is_name(word)).unwrap_or(first);
        let Some(iuc) = Iuc::from_token(name) else {
            return Some(Taken::Ignored("a burst that carries no data"));
        };
        let named = column.and_then(|column| words().nth(column)).and_then(Modulation::from_spelling);
        Some(take(profile, iuc, named.or_else(|| words().skip(1).find_map(Modulation::from_spelling)), table))
    }

    /// A row that names its profile itself: `202  10 a-long atdma q64`, `202 a-long 64qam`.
    fn row_with_number(&self, text: &'a str, table: &mut ProfileTable) -> Option<Taken> {
        let mut rest = words(text);
        let number = rest.next()?;
        let profile = number.parse().ok()?;
        let name = rest.by_ref().take(3).find(|word| Iuc::is_name(word))?;
        let Some(iuc) = Iuc::from_token(name) else {
            return Some(Taken::Ignored("a burst that carries no data"));
        };
        // `10 a-long` is a row of a profile whose heading is missing.
        if Iuc::from_token(number) == Some(iuc) && words(text).nth(1) == Some(name) {
            return Some(Taken::Unparsed("a burst outside of a profile"));
        }
        Some(take(profile, iuc, rest.find_map(Modulation::from_spelling), table))
    }
}

/// One burst type of the configuration: only the modulation of data grants matters.
fn burst<'a>(profile: u32, mut words: impl Iterator<Item = &'a str>, table: &mut ProfileTable) -> Taken {
    let Some(iuc) = words.next().and_then(Iuc::from_token) else {
        return Taken::Ignored("a burst that carries no data");
    };
    // The second line of an IUC holds pre-type and interleaver, and no modulation.
    if !words.any(|word| matches!(word, "mod" | "modulation")) {
        return Taken::Ignored("more of the same burst");
    }
    take(profile, iuc, words.next().and_then(Modulation::from_spelling), table)
}

fn take(profile: u32, iuc: Iuc, modulation: Option<Modulation>, table: &mut ProfileTable) -> Taken {
    match modulation {
        Some(modulation) => {
            table.add(profile, iuc, modulation);
            Taken::Profile
        }
        None => Taken::Unparsed("an unknown modulation"),
    }
}
