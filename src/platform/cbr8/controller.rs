//! One upstream channel of a controller: a block whose first line names it, then lines in any order. A new
//! block knows nothing of the one before.

use super::{Line, Taken, Walk, is_number};
use crate::{
    modulation::Modulation,
    platform::{Iuc, Upstream, lines::mhz},
    record::Source,
};

/// What the lines of a block told so far.
pub(super) struct Block<'a> {
    line: Line<'a>,
    up: bool,
    ofdma: bool,
    /// MAC domain and US index that it is bound to.
    bound: Option<String>,
    profile: Option<u32>,
    printed: Option<Modulation>,
    center_hz: Option<u64>,
    width_hz: Option<u64>,
    channel_type: Option<&'a str>,
    snr_db: Option<f64>,
}

impl<'a> Block<'a> {
    /// The block that a line begins: `Controller 1/0/0 upstream 0  AdminState:UP OpState: UP`.
    pub fn open(line: Line<'a>) -> Option<Self> {
        let mut words = line.text.split_ascii_whitespace();
        if !words.next()?.eq_ignore_ascii_case("controller")
            || !words.any(|word| word.eq_ignore_ascii_case("upstream"))
        {
            return None;
        }
        let text = line.text.to_ascii_lowercase();
        let state = |name: &str| {
            let (_, rest) = text.split_once(name)?;
            rest.trim_start_matches([':', ' ']).split_ascii_whitespace().next()
        };
        let up =
            ["adminstate", "opstate"].into_iter().all(|name| state(name).is_none_or(|state| state == "up"));
        Some(Block {
            line,
            up,
            ofdma: false,
            bound: None,
            profile: None,
            printed: None,
            center_hz: None,
            width_hz: None,
            channel_type: None,
            snr_db: None,
        })
    }

    /// Takes one of its lines.
    pub fn line(&mut self, text: &'a str) -> Taken {
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        self.ofdma |= lower.contains("subcarrier") || lower.starts_with("ofdma");
        if let Some(rest) = after(&lower, "bind to").or_else(|| after(&lower, "bound to")) {
            return self.bind(rest);
        }
        if let Some(rest) = after(&lower, "modulation profile") {
            return self.modulation_profile(rest);
        }
        if let Some(rest) = lower.strip_prefix("modulations") {
            return self.modulations(rest);
        }
        if lower.contains("phy mer") || lower.contains("phy snr") {
            return self.signal(&lower);
        }
        if lower.starts_with("frequency") || lower.starts_with("channel width") {
            return self.frequency(&lower);
        }
        match text.split_ascii_whitespace().next() {
            Some(mode) if mode.ends_with("dma") && lower.contains("mode") => {
                self.channel_type = Some(mode);
                Taken::Row("channel type")
            }
            _ => Taken::Ignored("of no interest"),
        }
    }

    fn bind(&mut self, rest: &str) -> Taken {
        let mut words = rest.split_ascii_whitespace();
        let domain = words.next().unwrap_or_default();
        if matches!(domain, "none" | "nothing" | "-") {
            return Taken::Ignored("not bound");
        }
        let domain = domain.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let index = match words.next() {
            Some("us" | "upstream") => words.next(),
            Some(word) => word.strip_prefix("us"),
            None => None,
        };
        match index.map(|index| index.trim_end_matches([',', '.'])) {
            Some(index) if is_number(index) && domain.contains('/') && domain.split('/').all(is_number) => {
                self.bound = Some(format!("{domain}/{index}"));
                Taken::Row("MAC domain and US index")
            }
            _ => Taken::Unparsed("a binding that is not known"),
        }
    }

    /// `Modulation Profile Group NNN`, or `Modulation Profile (ID N, …` of an OFDMA channel.
    fn modulation_profile(&mut self, rest: &str) -> Taken {
        self.ofdma |= rest.trim_start().starts_with("(id");
        let number = rest.split(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty());
        match number.and_then(|number| number.parse().ok()) {
            Some(profile) => {
                // An OFDMA block lists several: its modulation is OFDMA whichever it is.
                self.profile = self.profile.or(Some(profile));
                Taken::Row("modulation profile")
            }
            None => Taken::Unparsed("a modulation profile without a number"),
        }
    }

    /// `Modulations (64QAM) - A-short 64QAM, A-long 64QAM`: the data grants if they are listed.
    fn modulations(&mut self, rest: &str) -> Taken {
        let mut words = rest.split(|c: char| c.is_ascii_whitespace() || matches!(c, '(' | ')' | ','));
        let (mut best, mut iuc) = (None, None);
        for word in words.by_ref().filter(|word| !word.is_empty()) {
            match Modulation::from_spelling(word) {
                Some(modulation) if best.is_none_or(|(before, _)| iuc > before) => {
                    best = Some((iuc, modulation))
                }
                Some(_) => {}
                None => iuc = Iuc::from_token(word),
            }
        }
        self.print(best.map(|(_, modulation)| modulation))
    }

    fn print(&mut self, modulation: Option<Modulation>) -> Taken {
        self.printed = self.printed.or(modulation);
        match modulation {
            Some(_) => Taken::Row("modulation"),
            None => Taken::Unparsed("a modulation that is not known"),
        }
    }

    /// `US phy MER(SNR)_estimate for good packets - 36.1230 dB`; dashes where nothing was received.
    fn signal(&mut self, lower: &str) -> Taken {
        let words: Vec<&str> = lower.split_ascii_whitespace().collect();
        let unit = words.iter().rposition(|word| word.starts_with("db")).unwrap_or(words.len());
        let value = unit.checked_sub(1).and_then(|place| words[place].parse::<f64>().ok());
        self.snr_db = value.filter(|db| db.is_finite());
        if self.snr_db.is_some() { Taken::Row("MER") } else { Taken::Ignored("no MER") }
    }

    /// `Frequency 25.800 MHz, Channel Width 6.400 MHz, 64QAM Symbol Rate 5.120 Msps`.
    fn frequency(&mut self, lower: &str) -> Taken {
        let words: Vec<&str> = lower.split_ascii_whitespace().collect();
        let behind = |name: &str| {
            let place = words.iter().position(|word| *word == name)?;
            mhz(words.get(place + 1)?.trim_end_matches("mhz"))
        };
        self.center_hz = self.center_hz.or(behind("frequency"));
        self.width_hz = self.width_hz.or(behind("width"));
        let rate = words.iter().position(|word| *word == "symbol").and_then(|place| place.checked_sub(1));
        if let Some(modulation) = rate.and_then(|place| Modulation::from_spelling(words[place])) {
            self.printed = self.printed.or(Some(modulation));
        }
        match self.center_hz.or(self.width_hz) {
            Some(_) => Taken::Row("frequency and width"),
            None => Taken::Ignored("no frequency"),
        }
    }

    /// What the block came to, told of its first line.
    pub fn close(self, walk: &mut Walk<'_, '_>) {
        let Some(name) = self.bound.filter(|_| self.up) else {
            let why = if self.up { "not bound to a MAC domain" } else { "not up" };
            return walk.take(self.line, Taken::Ignored(why));
        };
        let mut upstream = Upstream {
            profile: self.profile,
            center_hz: self.center_hz,
            width_hz: self.width_hz,
            snr_db: self.snr_db,
            ..Upstream::named(name, Source::State)
        };
        upstream.channel_type = self.channel_type.map(str::to_ascii_lowercase);
        if self.ofdma {
            upstream.modulation = Modulation::Ofdma;
            upstream.channel_type = Some("ofdma".to_owned());
        } else if let Some(printed) = self.printed {
            upstream.modulation = printed;
        } else if self.profile.is_none() {
            return walk.take(self.line, Taken::Unparsed("a block without a modulation profile"));
        }
        walk.upstream(self.line, upstream);
    }
}

/// What stands behind some words, where they begin the line or stand free in it.
fn after<'t>(lower: &'t str, words: &str) -> Option<&'t str> {
    let (before, rest) = lower.split_once(words)?;
    (before.is_empty() || before.ends_with(' ')).then_some(rest)
}
