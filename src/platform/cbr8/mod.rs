//! Cisco cBR-8 (uBR10012 and uBR7200 are close): the session and the parser. The modem summary tells the
//! MAC domains, and each one's controller tells its upstream channels, a block for each.

mod controller;

use foldhash::HashSet;

use super::{
    Answer, Dialogue, Facts, Family, Iuc, Parsed, Platform, ProfileTable, Reading, Step, Taken,
    asked::Asked,
    collector::{Collector, Line, lines_of},
    lines::{Memo, cut_blank, is_number, lines, noise, numbers, starts_with, words},
    modems::Modems,
};
use crate::modulation::Modulation;
use controller::{Block, Told};

const PROFILES: &str = "show cable modulation-profile";
/// Where the MAC domains and the descriptions of their upstreams stand.
const SUMMARY: &str = "show cable modem summary";

/// The cBR-8 family.
pub struct Cbr8;

impl Family for Cbr8 {
    fn facts(&self) -> &'static Facts {
        &Facts {
            product: "Cisco cBR-8",
            name_glob: Some("*CCAP2[0-9][0-9]*"),
            log_target: module_path!(),
            debug_setting: "DEBUG_CCAP2",
            built_in: &[
                (224, Modulation::Qam64),
                (228, Modulation::Qam64),
                (227, Modulation::Qam16),
                (226, Modulation::Qpsk),
                (220, Modulation::Qpsk),
                (222, Modulation::Qpsk),
            ],
        }
    }

    fn dialogue(&self) -> Option<&'static Dialogue> {
        Some(&Dialogue {
            setup: &[&["terminal length 0"], &["terminal width 0"]],
            user_mode: true,
            logout: "exit",
            detect: ("show version", &["cisco"]),
        })
    }

    fn script(&self, answers: &[Answer<'_>]) -> Vec<Step> {
        let mut steps = vec![Step::background(PROFILES), Step::needed(SUMMARY)];
        if let Some(summary) = answers.iter().find(|answer| answer.command == SUMMARY && answer.is_good()) {
            steps.extend(
                mac_domains(summary.output).into_iter().map(|domain| Step::needed(controller(domain))),
            );
        }
        steps
    }

    fn further(&self) -> &'static [(&'static str, &'static str)] {
        &[("show controller cMAC-DOMAIN Upstream | i Profile|Upstream|US|up|UP", "for each MAC domain")]
    }

    fn parse<'a>(&self, answers: &[Answer<'a>], reading: &mut Reading<'_>) -> Parsed<'a> {
        let mut collector = Collector::new(Platform::Cbr8, reading);
        let (mut summary, mut memo) = (Summary::default(), Memo::default());
        let (mut blocks, mut strange) = (false, None);
        for (place, answer) in answers.iter().enumerate().filter(|(_, answer)| answer.is_good()) {
            let asked = Asked::by(answer.command, &ASKED);
            let mut page = Page::new(asked, answer.command, &mut summary, &mut memo);
            for line in lines_of(place, answer) {
                page.line(line, &mut collector);
            }
            page.flush(&mut collector);
            blocks |= page.blocks;
            let known = match asked {
                Asked::Modems => page.summary.seen,
                Asked::Upstreams => page.blocks,
                Asked::Profiles | Asked::Configuration | Asked::Anything => true,
            };
            match asked {
                Asked::Profiles => collector.end_of_profiles(answer.command),
                _ => collector.end_of_answer(answer.command, known && asked != Asked::Anything),
            }
            strange = strange.or((!known).then_some(answer.command));
        }
        let fault = match strange {
            Some(command) => Some(format!("{command}: no header and no row that is known")),
            // A summary without a single row is that of a device without MAC domains.
            None if blocks || summary.seen && summary.modems.is_empty() => None,
            None => Some("show controller: no upstream block that is known".to_owned()),
        };
        let mut parsed = collector.finish(fault);
        summary.modems.describe(&mut parsed.upstreams);
        parsed
    }
}

/// What commands ask for, the first that fits.
const ASKED: [(&str, Asked); 5] = [
    ("modulation-profile", Asked::Profiles),
    (PROFILES, Asked::Profiles),
    (SUMMARY, Asked::Modems),
    ("show configuration", Asked::Configuration),
    ("show controllers", Asked::Upstreams),
];

/// The modem summary, and whether one was there.
#[derive(Default)]
struct Summary<'a> {
    seen: bool,
    modems: Modems<'a>,
}

/// Which table the lines belong to, and whether a row of it was there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    None,
    Profiles { rows: bool },
    Summary { rows: bool },
}

/// Where we are in an output.
struct Page<'p, 'a> {
    asked: Asked,
    /// The MAC domain or controller that the command asks about.
    domain: Option<&'a str>,
    summary: &'p mut Summary<'a>,
    /// What lines of blocks told.
    memo: &'p mut Memo<'a, Told>,
    section: Section,
    block: Option<Block<'a>>,
    blocks: bool,
}

impl<'p, 'a> Page<'p, 'a> {
    fn new(
        asked: Asked,
        command: &'a str,
        summary: &'p mut Summary<'a>,
        memo: &'p mut Memo<'a, Told>,
    ) -> Self {
        let domain = (asked == Asked::Upstreams).then(|| controller::asked_domain(command)).flatten();
        Page { asked, domain, summary, memo, section: Section::None, block: None, blocks: false }
    }

    fn line(&mut self, line: Line<'a>, collector: &mut Collector<'_, '_, 'a>) {
        if self.asked == Asked::Upstreams
            && let Some(block) = &mut self.block
            && let Some(told) = self.memo.get(line.text)
        {
            return collector.take(line, block.again(told));
        }
        if self.asked.may(Asked::Upstreams)
            && let Some(block) = Block::open(line, self.domain)
        {
            self.flush(collector);
            (self.block, self.section) = (Some(block), Section::None);
            return;
        }
        if self.asked.may(Asked::Modems)
            && let Some((domain, channel)) = summary_row(line.text)
        {
            self.flush(collector);
            self.section = Section::Summary { rows: true };
            self.summary.seen = true;
            let rest = cut_blank(line.text.trim_start()).map_or("", |parts| parts.1);
            self.summary.modems.row([domain, "/", channel].concat(), rest);
            return collector.take(line, Taken::Row("modem summary"));
        }
        if self.asked.may(Asked::Profiles)
            && let Some(taken) = profile_line(line.text, &mut collector.profiles)
        {
            self.flush(collector);
            // Lines of a configuration stand among others; rows of a table do not.
            if !matches!(taken, Taken::Header(_)) && !starts_with(line.text.trim_start(), "cable") {
                self.section = Section::Profiles { rows: true };
            }
            return collector.profile(line, taken);
        }
        if let Some(why) = noise(line.text, line.percent) {
            let rows =
                matches!(self.section, Section::Profiles { rows: true } | Section::Summary { rows: true });
            if rows && line.text.trim().is_empty() {
                self.section = Section::None;
            }
            collector.take(line, Taken::Ignored(why));
        } else if let Some(taken) = self.header(line.text) {
            self.flush(collector);
            collector.take(line, taken);
        } else if let Some(block) = &mut self.block {
            let taken = block.line(line.text, self.memo);
            collector.take(line, taken);
        } else {
            let taken = self.between(line);
            collector.text(line, taken);
        }
    }

    /// The first line of a table's header.
    fn header(&mut self, text: &'a str) -> Option<Taken> {
        if self.asked == Asked::Upstreams {
            return None;
        }
        let mut words = words(text);
        let first = words.next()?;
        let profiles = self.asked.may(Asked::Profiles);
        if profiles && matches!(first, "Mod" | "Mo") && words.any(|word| word == "IUC") {
            self.section = Section::Profiles { rows: false };
            return Some(Taken::Header("modulation profiles"));
        }
        let head = || first == "Interface" || starts_with(text.trim_start(), "cable modem");
        let within = self.section == Section::Summary { rows: false };
        if self.asked.may(Asked::Modems) && self.block.is_none() && (within || head()) {
            self.section = Section::Summary { rows: false };
            self.summary.seen = true;
            self.summary.modems.header(text);
            return Some(Taken::Header("the modem summary"));
        }
        None
    }

    /// Classifies a line that is not a row: the rest of a header as long as no row has followed it.
    fn between(&self, line: Line<'_>) -> Taken {
        match self.section {
            Section::Profiles { rows: false } => Taken::Header("modulation profiles"),
            Section::Summary { rows: false } => Taken::Header("the modem summary"),
            Section::Profiles { rows: true } if line.text.contains("ofdm") => {
                Taken::Ignored("an OFDMA profile")
            }
            Section::Profiles { rows: true } => Taken::Unparsed("no row of the modulation profiles"),
            Section::Summary { rows: true } => Taken::Unparsed("no row of the modem summary"),
            Section::None if self.asked == Asked::Upstreams => Taken::Unparsed("a line outside of a block"),
            Section::None => Taken::Ignored("no table"),
        }
    }

    fn flush(&mut self, collector: &mut Collector<'_, '_, 'a>) {
        if let Some(block) = self.block.take() {
            self.blocks |= block.close(collector);
        }
    }
}

/// A line that defines a burst of a profile, in either form: a row of the display (its number, in newer releases
/// the DOCSIS mode, the burst type, the modulation), or a line of the configuration (`cable modulation-profile 224
/// atdma a-long 9 232 0 22 64qam scrambler …`). None when the line is neither.
fn profile_line(text: &str, table: &mut ProfileTable) -> Option<Taken> {
    let mut words = words(text);
    let mut number = words.next()?;
    let configured = number == "cable";
    if configured {
        match words.next()? {
            "modulation-profile" => number = words.next()?,
            "mod-profile-ofdma" => return Some(Taken::Header("an OFDMA profile")),
            _ => return None,
        }
    }
    let profile = number.parse().ok()?;
    let Some(burst) = words.by_ref().take(2).find(|word| Iuc::is_name(word)) else {
        return configured.then_some(Taken::Unparsed("a profile without a burst type"));
    };
    let Some(iuc) = Iuc::from_token(burst) else {
        return Some(Taken::Ignored("a burst that carries no data"));
    };
    // The display names the modulation next; the configuration has numbers before it.
    let modulation = match configured {
        true => words.find_map(Modulation::from_spelling),
        false => words.next().and_then(Modulation::from_spelling),
    };
    Some(match modulation {
        Some(modulation) => {
            table.add(profile, iuc, modulation);
            Taken::Profile
        }
        None => Taken::Unparsed("an unknown modulation"),
    })
}

/// The command for the upstream channels of one MAC domain.
fn controller(domain: &str) -> String {
    format!("show controller c{domain} Upstream | i Profile|Upstream|US|up|UP")
}

/// The MAC domains of a modem summary, in its order, each once.
fn mac_domains(output: &str) -> Vec<&str> {
    let mut seen = HashSet::default();
    let domains = lines(output).filter_map(summary_row).map(|(domain, _)| domain);
    domains.filter(|domain| seen.insert(*domain)).collect()
}

/// MAC domain and channel (`0`, or `B` for the bonded ones) of a row `C1/0/0/U0 …`: nothing but the first
/// word counts, for descriptions hold slashes too.
fn summary_row(line: &str) -> Option<(&str, &str)> {
    let bare = line.strip_prefix('C')?;
    let bare = &bare[..bare.bytes().position(|b| b.is_ascii_whitespace())?];
    let bare = bare.strip_prefix("able").or_else(|| bare.strip_prefix('a')).unwrap_or(bare);
    let (domain, channel) = bare.rsplit_once('/')?;
    let channel = channel.strip_prefix('U')?;
    let named = (2..=3).contains(&numbers(domain));
    (named && (is_number(channel) || channel == "B")).then_some((domain, channel))
}
