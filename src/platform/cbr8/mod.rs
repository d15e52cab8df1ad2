//! Cisco cBR-8 (uBR10012 and uBR7200 are close): the session and the parser. The modem summary tells the
//! MAC domains, and each one's controller tells its upstream channels, a block for each.

mod controller;

use std::collections::HashMap;

use super::{
    Answer, Dialogue, Facts, Family, Iuc, Parsed, Platform, ProfileTable, Reading, Step, Taken, Upstream,
    lines::{is_number, noise, starts_with},
    walk::{Line, Walk, lines_of},
};
use crate::modulation::Modulation;
use controller::Block;

/// Its modulation profiles.
const PROFILES: &str = "show cable modulation-profile";
/// Where the MAC domains and the descriptions of their upstreams stand.
const SUMMARY: &str = "show cable modem summary";

/// The cBR-8 family.
pub struct Cbr8;

impl Family for Cbr8 {
    fn facts(&self) -> &'static Facts {
        &Facts {
            product: "Cisco cBR-8",
            name_glob: "*CCAP2[0-9][0-9]*",
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

    fn dialogue(&self) -> &'static Dialogue {
        &Dialogue {
            setup: &[&["terminal length 0"], &["terminal width 0"]],
            user_mode: true,
            logout: "exit",
            detect: ("show version", &["cisco"]),
        }
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

    fn parse(&self, answers: &[Answer<'_>], reading: &mut Reading<'_>) -> Parsed {
        let mut walk = Walk::new(Platform::Cbr8, reading);
        let mut summary = Summary::default();
        let (mut blocks, mut strange) = (false, None);
        for (place, answer) in answers.iter().enumerate().filter(|(_, answer)| answer.is_good()) {
            let mut page = Page { summary: &mut summary, section: Section::None, block: None, blocks: false };
            for line in lines_of(place, answer) {
                page.line(line, &mut walk);
            }
            page.flush(&mut walk);
            blocks |= page.blocks;
            let known = match answer.command {
                SUMMARY => summary.seen,
                command => page.blocks || !starts_with(command, "show controller"),
            };
            strange = strange.or((!known).then_some(answer.command));
        }
        let fault = match strange {
            Some(command) => Some(format!("{command}: no header and no row that is known")),
            // A summary without a single row is that of a device without MAC domains.
            None if blocks || summary.seen && summary.rows.is_empty() => None,
            None => Some("show controller: no upstream block that is known".to_owned()),
        };
        let mut parsed = walk.finish(fault);
        summary.describe(&mut parsed.upstreams);
        parsed
    }
}

/// The modem summary: its rows by the name of the upstream, and what stands behind the name.
#[derive(Default)]
struct Summary<'a> {
    seen: bool,
    rows: Vec<(String, &'a str)>,
}

impl Summary<'_> {
    /// Gives the upstreams their descriptions: what stands behind the counts. How many counts there are, no
    /// header says reliably; the row with the fewest does, for a description may begin with a number.
    fn describe(&self, upstreams: &mut [Upstream]) {
        let counts = |rest: &str| rest.split_ascii_whitespace().take_while(|word| is_number(word)).count();
        let fewest = self.rows.iter().map(|(_, rest)| counts(rest)).min().unwrap_or_default();
        let text = |rest| {
            (0..fewest).try_fold(rest, |rest: &str, _| {
                rest.trim_start().split_once(char::is_whitespace).map(|parts| parts.1)
            })
        };
        let texts: HashMap<&str, &str> =
            self.rows.iter().filter_map(|(name, rest)| Some((name.as_str(), text(*rest)?.trim()))).collect();
        for upstream in upstreams {
            let text = texts.get(upstream.name.as_str()).filter(|text| text.contains(char::is_alphabetic));
            upstream.description = text.map(|&text| text.to_owned());
        }
    }
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
    summary: &'p mut Summary<'a>,
    section: Section,
    block: Option<Block<'a>>,
    blocks: bool,
}

impl<'a> Page<'_, 'a> {
    fn line(&mut self, line: Line<'a>, walk: &mut Walk<'_, '_>) {
        if let Some(block) = Block::open(line) {
            self.flush(walk);
            (self.block, self.blocks, self.section) = (Some(block), true, Section::None);
            return;
        }
        let taken = if let Some((domain, channel)) = summary_row(line.text) {
            self.flush(walk);
            self.section = Section::Summary { rows: true };
            self.summary.seen = true;
            let rest = line.text.split_once(char::is_whitespace).map_or("", |parts| parts.1);
            self.summary.rows.push((format!("{domain}/{channel}"), rest));
            Taken::Row("modem summary")
        } else if let Some(taken) = profile_row(line.text, &mut walk.profiles) {
            self.flush(walk);
            self.section = Section::Profiles { rows: true };
            taken
        } else if let Some(why) = noise(line.text) {
            let rows =
                matches!(self.section, Section::Profiles { rows: true } | Section::Summary { rows: true });
            if rows && line.text.trim().is_empty() {
                self.section = Section::None;
            }
            Taken::Ignored(why)
        } else if let Some(taken) = self.header(line.text) {
            self.flush(walk);
            taken
        } else if let Some(block) = &mut self.block {
            block.line(line.text)
        } else {
            self.between(line)
        };
        walk.take(line, taken);
    }

    /// The first line of a table's header.
    fn header(&mut self, text: &str) -> Option<Taken> {
        let mut words = text.split_ascii_whitespace();
        let first = words.next()?;
        if matches!(first, "Mod" | "Mo") && words.any(|word| word == "IUC") {
            self.section = Section::Profiles { rows: false };
            return Some(Taken::Header("modulation profiles"));
        }
        let head = first == "Interface" || starts_with(text.trim_start(), "cable modem");
        if head && self.block.is_none() {
            self.section = Section::Summary { rows: false };
            self.summary.seen = true;
            return Some(Taken::Header("the modem summary"));
        }
        None
    }

    /// A line that is no row: the rest of a header as long as no row followed it.
    fn between(&self, line: Line<'_>) -> Taken {
        match self.section {
            Section::Profiles { rows: false } => Taken::Header("modulation profiles"),
            Section::Summary { rows: false } => Taken::Header("the modem summary"),
            Section::Profiles { rows: true } if line.text.contains("ofdm") => {
                Taken::Ignored("an OFDMA profile")
            }
            Section::Profiles { rows: true } => Taken::Unparsed("no row of the modulation profiles"),
            Section::Summary { rows: true } => Taken::Unparsed("no row of the modem summary"),
            Section::None if starts_with(line.command, "show controller") => {
                Taken::Unparsed("a line of no block")
            }
            Section::None => Taken::Ignored("no table"),
        }
    }

    fn flush(&mut self, walk: &mut Walk<'_, '_>) {
        if let Some(block) = self.block.take() {
            block.close(walk);
        }
    }
}

/// A row of the profile table: its number, in newer releases the DOCSIS mode, the burst type, the modulation.
/// None when the line is no such row.
fn profile_row(text: &str, table: &mut ProfileTable) -> Option<Taken> {
    let mut words = text.split_ascii_whitespace();
    let profile = words.next()?.parse().ok()?;
    let burst = words.by_ref().take(2).find(|word| is_burst(word))?;
    let Some(iuc) = Iuc::from_token(burst) else {
        return Some(Taken::Ignored("a burst that carries no data"));
    };
    Some(match words.next().and_then(Modulation::from_spelling) {
        Some(modulation) => {
            table.add(profile, iuc, modulation);
            Taken::Profile
        }
        None => Taken::Unparsed("a modulation that is not known"),
    })
}

/// The burst types by name; numbers are other columns here.
fn is_burst(word: &str) -> bool {
    const OTHERS: [&str; 7] = ["request", "reqdata", "req/data", "initial", "station", "a-ugs", "ugs"];
    let data = word.starts_with(|c: char| c.is_ascii_alphabetic()) && Iuc::from_token(word).is_some();
    data || OTHERS.iter().any(|name| word.eq_ignore_ascii_case(name))
}

/// The command for the upstream channels of one MAC domain.
fn controller(domain: &str) -> String {
    format!("show controller c{domain} Upstream | i Profile|Upstream|US|up|UP")
}

/// The MAC domains of a modem summary, in its order, each once.
fn mac_domains(output: &str) -> Vec<&str> {
    let mut domains: Vec<&str> = Vec::new();
    for (domain, _) in output.lines().filter_map(summary_row) {
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    domains
}

/// MAC domain and channel (`0`, or `B` for the bonded ones) of a row `C1/0/0/U0 …`: nothing but the first
/// word counts, for descriptions hold slashes too.
fn summary_row(line: &str) -> Option<(&str, &str)> {
    let (word, _) = line.split_once(char::is_whitespace)?;
    let (domain, channel) = word.strip_prefix('C')?.rsplit_once("/U")?;
    let parts = domain.split('/').count();
    let named = (2..=3).contains(&parts) && domain.split('/').all(is_number);
    (named && (is_number(channel) || channel == "B")).then_some((domain, channel))
}
