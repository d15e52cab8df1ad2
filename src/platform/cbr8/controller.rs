//! One upstream channel of a controller: a block whose first line names it, then lines in any order. A new
//! block knows nothing of the one before.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::{Collector, Line, Taken, is_number};
use crate::{
    modulation::Modulation,
    platform::{
        Iuc, Upstream,
        lines::{Memo, first_word, frequency, lower_case, mhz, numbers, starts_with, words},
    },
    record::Source,
};

/// What the lines of a block told so far.
pub(super) struct Block<'a> {
    line: Line<'a>,
    /// The MAC domain or controller that was asked about.
    asked: Option<&'a str>,
    /// The controller of its heading.
    controller: &'a str,
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
    /// The present line in lower case.
    lower: String,
}

impl<'a> Block<'a> {
    /// The block that a line begins: `Controller 1/0/0 upstream 0  AdminState:UP OpState: UP`, or by MAC domain
    /// `Cable1/0/0 Upstream 0 is up`, which names the upstream itself.
    pub fn open(line: Line<'a>, asked: Option<&'a str>) -> Option<Self> {
        if !starts_with(line.text.trim_ascii_start(), "c") {
            return None;
        }
        let mut words = words(line.text);
        let first = words.next()?;
        let block = |controller, up, bound| Block {
            line,
            asked,
            controller,
            up,
            ofdma: false,
            bound,
            profile: None,
            printed: None,
            center_hz: None,
            width_hz: None,
            channel_type: None,
            snr_db: None,
            lower: String::new(),
        };
        if first.eq_ignore_ascii_case("controller") {
            let controller = words.next()?;
            words.find(|word| word.eq_ignore_ascii_case("upstream"))?;
            let bare = line.text.as_bytes().split(|b| !b.is_ascii_alphanumeric());
            let mut states = bare.filter(|word| !word.is_empty());
            let mut up = true;
            while let Some(word) = states.next() {
                if word.eq_ignore_ascii_case(b"adminstate") || word.eq_ignore_ascii_case(b"opstate") {
                    up &= states.next().is_none_or(|state| state.eq_ignore_ascii_case(b"up"));
                }
            }
            return Some(block(controller, up, None));
        }
        if !starts_with(first, "cable") {
            return None;
        }
        let domain = match &first["cable".len()..] {
            "" => words.next()?,
            domain => domain,
        };
        let word = words.next()?;
        let number = match word.get(.."upstream".len()) {
            Some(head) if head.eq_ignore_ascii_case("upstream") => &word["upstream".len()..],
            _ => return None,
        };
        let number = if number.is_empty() { words.next()? } else { number };
        if !is_domain(domain) || !is_number(number) || !words.next()?.eq_ignore_ascii_case("is") {
            return None;
        }
        let up = words.next()?.trim_end_matches([',', '.']).eq_ignore_ascii_case("up");
        let down = words.any(|word| word.trim_end_matches([',', '.']).eq_ignore_ascii_case("down"));
        Some(block(domain, up && !down, Some(format!("{domain}/{number}"))))
    }

    /// Takes one of its lines.
    pub fn line(&mut self, line: &'a str, memo: &mut Memo<'a, Told>) -> Taken {
        let text = line.trim_ascii();
        let mut lower = std::mem::take(&mut self.lower);
        lower.clear();
        lower.push_str(text);
        lower.make_ascii_lowercase();
        let before = self.profile;
        let taken = self.lower_line(text, &lower);
        self.lower = lower;
        // A line that told of OFDMA as well is not remembered.
        let told = match self.profile {
            _ if self.ofdma => None,
            _ if taken == NOTHING => Some(Told::Nothing),
            // The first of a block, so it is the one that this line tells.
            Some(profile) if before.is_none() => Some(Told::Profile(profile)),
            _ => None,
        };
        if let Some(told) = told {
            memo.put(line, told);
        }
        taken
    }

    /// Takes a line that came before, in any block.
    pub fn again(&mut self, told: Told) -> Taken {
        match told {
            Told::Nothing => NOTHING,
            Told::Profile(profile) => self.has_profile(profile),
        }
    }

    fn lower_line(&mut self, text: &'a str, lower: &str) -> Taken {
        let head = |heads: &[&str]| heads.iter().any(|head| lower.starts_with(head));
        match lower.bytes().next() {
            Some(b'd') if head(&["description"]) => return NOTHING,
            Some(b'u' | b'm' | b's') if head(&["us phy mer", "us phy snr", "mer", "snr"]) => {
                return self.signal(lower);
            }
            Some(b'f' | b'c') if head(&["frequency", "channel width", "center frequency"]) => {
                return self.frequency(lower);
            }
            Some(b'b') if head(&["bind to"]) => return self.bind(&lower["bind to".len()..]),
            _ => {}
        }
        let found = Found::within(lower);
        self.ofdma |= head(&["ofdma", "docsis-mode ofdma"]) || found.has(SUBCARRIER);
        if let Some(rest) = found.after(PROFILE, lower) {
            return self.modulation_profile(rest);
        }
        if let Some(rest) = found.after(BIND, lower).or_else(|| found.after(BOUND, lower)) {
            return self.bind(rest);
        }
        if let Some(rest) = lower.strip_prefix("modulations") {
            return self.modulations(rest);
        }
        if found.has(MER) || found.has(SNR) {
            return self.signal(lower);
        }
        match first_word(text) {
            mode if mode.ends_with("dma") && lower.contains("mode") => {
                self.channel_type = Some(mode);
                Taken::Row("channel type")
            }
            _ => NOTHING,
        }
    }

    fn bind(&mut self, rest: &str) -> Taken {
        let mut words = words(rest);
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
            Some(index) if is_number(index) && is_domain(domain) => {
                self.bound = Some([domain, "/", index].concat());
                Taken::Row("MAC domain and US index")
            }
            _ => Taken::Unparsed("an unknown binding"),
        }
    }

    /// `Modulation Profile Group NNN`, or `Modulation Profile (ID N, …` of an OFDMA channel.
    fn modulation_profile(&mut self, rest: &str) -> Taken {
        self.ofdma |= rest.trim_start().starts_with("(id");
        let number = rest.split(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty());
        match number.and_then(|number| number.parse().ok()) {
            Some(profile) => self.has_profile(profile),
            None => Taken::Unparsed("a modulation profile without a number"),
        }
    }

    /// An OFDMA block lists several: its modulation is OFDMA whichever it is.
    fn has_profile(&mut self, profile: u32) -> Taken {
        self.profile = self.profile.or(Some(profile));
        Taken::Row("modulation profile")
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
            None => Taken::Unparsed("an unknown modulation"),
        }
    }

    /// `US phy MER(SNR)_estimate for good packets - 36.1230 dB`; dashes where nothing was received.
    fn signal(&mut self, lower: &str) -> Taken {
        let backwards = || lower.rsplit(|c| c <= ' ').filter(|word| !word.is_empty());
        let mut from_unit = backwards().skip_while(|word| !word.starts_with("db"));
        let value = match from_unit.next() {
            Some(_) => from_unit.next(),
            None => backwards().next(),
        };
        self.snr_db = value.and_then(|value| value.parse().ok()).filter(|db: &f64| db.is_finite());
        if self.snr_db.is_some() { Taken::Row("MER") } else { Taken::Ignored("no MER") }
    }

    /// `Frequency 25.800 MHz, Channel Width 6.400 MHz, 64QAM Symbol Rate 5.120 Msps`.
    fn frequency(&mut self, lower: &str) -> Taken {
        if let Some((low, high)) = range(lower) {
            self.center_hz = self.center_hz.or(Some(low.midpoint(high)));
            self.width_hz = self.width_hz.or(Some(high - low));
            return Taken::Row("frequency and width");
        }
        let mut before = "";
        for word in words(lower) {
            let hz = || mhz(word.trim_end_matches("mhz"));
            match before {
                "frequency" => self.center_hz = self.center_hz.or_else(hz),
                "width" => self.width_hz = self.width_hz.or_else(hz),
                _ => {}
            }
            if word == "symbol" {
                self.printed = self.printed.or_else(|| Modulation::from_spelling(before));
            }
            before = word;
        }
        match self.center_hz.or(self.width_hz) {
            Some(_) => Taken::Row("frequency and width"),
            None => Taken::Ignored("no frequency"),
        }
    }

    /// Whether the block is the answer to another command: neither its controller nor the MAC domain that it is
    /// bound to was asked about.
    fn is_foreign(&self) -> bool {
        let domain = self.bound.as_deref().and_then(|name| name.rsplit_once('/')).map(|(domain, _)| domain);
        self.asked.is_some_and(|asked| asked != self.controller && Some(asked) != domain)
    }

    /// Ends the block: what it came to is said of its first line. False when it answers another command.
    pub fn close(self, collector: &mut Collector<'_, '_, 'a>) -> bool {
        if self.is_foreign() {
            collector.take(self.line, Taken::Unparsed("a block of another MAC domain"));
            return false;
        }
        self.sample(collector);
        true
    }

    fn sample(self, collector: &mut Collector<'_, '_, 'a>) {
        let Some(name) = self.bound.filter(|_| self.up) else {
            let why = if self.up { "not bound to a MAC domain" } else { "not up" };
            return collector.take(self.line, Taken::Ignored(why));
        };
        let mut upstream = Upstream {
            profile: self.profile,
            center_hz: self.center_hz,
            width_hz: self.width_hz,
            snr_db: self.snr_db,
            ..Upstream::named(name, Source::State)
        };
        upstream.channel_type = self.channel_type.map(lower_case);
        if self.ofdma {
            upstream.modulation = Modulation::Ofdma;
            upstream.channel_type = Some("ofdma".into());
        } else if let Some(printed) = self.printed {
            upstream.modulation = printed;
        } else if self.profile.is_none() {
            return collector.take(self.line, Taken::Unparsed("a block without a modulation profile"));
        }
        collector.upstream(self.line, upstream);
    }
}

/// The MAC domain or controller in a command: `show controller c1/0/0 …`, `show controllers Upstream-Cable 1/0/0`.
pub(super) fn asked_domain(command: &str) -> Option<&str> {
    let words = words(command).skip(2).take(2);
    let mut domains =
        words.map(|word| word.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '-'));
    domains.find(|word| is_domain(word))
}

/// `1/0/0`, `3/0`.
fn is_domain(word: &str) -> bool {
    numbers(word) > 1
}

/// The ends in Hz of `frequency range 15.000 mhz - 29.000 mhz`.
fn range(lower: &str) -> Option<(u64, u64)> {
    let mut words = words(lower);
    words.find(|word| word.trim_end_matches(':') == "range")?;
    let ends = words.flat_map(|word| word.split('-'));
    let mut ends = ends.filter_map(|word| frequency(word.trim_end_matches("mhz").trim_end_matches(',')));
    let (low, high) = (ends.next()?, ends.next()?);
    (low < high).then_some((low, high))
}

/// What a line is taken for that tells nothing.
const NOTHING: Taken = Taken::Ignored("of no interest");

/// What a line tells, as far as it is remembered: that of most lines stands in each block alike.
#[derive(Clone, Copy)]
pub(super) enum Told {
    Nothing,
    Profile(u32),
}

/// What counts wherever in a line it stands.
const ANYWHERE: [&str; 6] = ["subcarrier", "modulation profile", "bind to", "bound to", "phy mer", "phy snr"];
/// Places in [`ANYWHERE`].
const SUBCARRIER: usize = 0;
const PROFILE: usize = 1;
const BIND: usize = 2;
const BOUND: usize = 3;
const MER: usize = 4;
const SNR: usize = 5;

/// Where the first of each of [`ANYWHERE`] ends in a line: most lines of a block hold none, and one pass shows it.
struct Found([Option<usize>; ANYWHERE.len()]);

impl Found {
    fn within(lower: &str) -> Self {
        static SEARCH: LazyLock<AhoCorasick> = LazyLock::new(|| {
            // A search for rare bytes in front of it costs more than it spares on lines this short.
            let builder = AhoCorasick::builder().prefilter(false).build(ANYWHERE);
            builder.expect("invariant: a few short words make an automaton")
        });
        let mut ends = [None; ANYWHERE.len()];
        for found in SEARCH.find_iter(lower) {
            ends[found.pattern().as_usize()].get_or_insert(found.end());
        }
        Found(ends)
    }

    fn has(&self, place: usize) -> bool {
        self.0[place].is_some()
    }

    /// What stands behind the first of some words, where they begin the line or stand free in it.
    fn after<'t>(&self, place: usize, lower: &'t str) -> Option<&'t str> {
        let end = self.0[place]?;
        let before = &lower[..end - ANYWHERE[place].len()];
        (before.is_empty() || before.ends_with(' ')).then(|| &lower[end..])
    }
}
