//! CommScope (ARRIS) E6000 CER and C4: the session and the parser. Upstreams stand in tables, known by
//! their headers; profiles in a display or in lines of the running configuration.

mod profiles;
mod table;

use std::{borrow::Cow, collections::VecDeque};

use super::{
    Answer, Dialogue, Facts, Family, Parsed, Platform, Reading, Step, Taken,
    asked::Asked,
    collector::{Collector, Line, lines_of},
    lines::{Words, is_port, noise, words},
    modems::Modems,
};
use crate::modulation::Modulation;
use profiles::Profiles;
use table::{Header, Table, Word};

/// Its upstream tables, SC-QAM and OFDMA.
const UPSTREAMS: &str = "show interface cable-upstream";
/// Its modulation profiles, in line form.
const PROFILES: &str = "show running-config verbose | include modulation-profile";
const DISPLAY: &str = "show cable modulation-profile";
/// Modems per upstream, in any of its forms.
const MODEMS: &str = "show cable modem summary";
/// Modems per upstream.
const MODEMS_BY_MAC: &str = "show cable modem summary mac";
/// What the operator calls the upstreams, in line form.
const DESCRIPTIONS: &str = "show running-config verbose | include description";
/// The most lines of a header. What comes before belongs to something else.
const HEADER_LINES: usize = 12;

/// The E6000 family.
pub struct E6000;

impl Family for E6000 {
    fn facts(&self) -> &'static Facts {
        &Facts {
            product: "CommScope (ARRIS) E6000 CER and C4",
            name_glob: Some("*CCAP0[0-9][0-9]*"),
            log_target: module_path!(),
            debug_setting: "DEBUG_CCAP0",
            built_in: &[(202, Modulation::Qam64), (204, Modulation::Qam16), (222, Modulation::Qpsk)],
        }
    }

    fn dialogue(&self) -> Option<&'static Dialogue> {
        Some(&Dialogue {
            setup: &[&["terminal length 0", "no pagination"], &["terminal width 0"]],
            user_mode: false,
            logout: "exit",
            detect: ("show chassistype", &["e6000"]),
        })
    }

    fn script(&self, _answers: &[Answer<'_>]) -> Vec<Step> {
        vec![
            Step::needed(UPSTREAMS),
            Step::background(PROFILES),
            Step::extra(DESCRIPTIONS, true),
            Step::extra(MODEMS_BY_MAC, false),
        ]
    }

    fn parse<'a>(&self, answers: &[Answer<'a>], reading: &mut Reading<'_>) -> Parsed<'a> {
        let mut collector = Collector::new(Platform::E6000, reading);
        let (mut profiles, mut modems) = (Profiles::default(), Modems::default());
        let (mut seen, mut strange) = (false, None);
        for (place, answer) in answers.iter().enumerate().filter(|(_, answer)| answer.is_good()) {
            let asked = Asked::by(answer.command, &ASKED);
            let mut page = Page::new(asked, &mut profiles, &mut modems);
            for line in lines_of(place, answer) {
                page.line(line, &mut collector);
            }
            page.resolve(&mut collector);
            seen |= page.seen;
            page.profiles.close();
            let faulty = asked == Asked::Upstreams && !page.seen;
            if faulty {
                strange = strange.or(Some(answer.command));
            }
            match asked {
                Asked::Profiles => collector.end_of_profiles(answer.command),
                _ => collector.end_of_answer(answer.command, !faulty && asked != Asked::Anything),
            }
        }
        let strange = strange.or((!seen).then_some(UPSTREAMS));
        let fault = |command| format!("{command}: no upstream table has a header that is known");
        let mut parsed = collector.finish(strange.map(fault));
        for upstream in &mut parsed.upstreams {
            upstream.description = profiles.description(&upstream.name).map(Cow::Borrowed);
        }
        modems.describe(&mut parsed.upstreams);
        parsed
    }
}

/// What commands ask for, the first that fits.
const ASKED: [(&str, Asked); 4] = [
    (UPSTREAMS, Asked::Upstreams),
    ("modulation-profile", Asked::Profiles),
    (DISPLAY, Asked::Profiles),
    (MODEMS, Asked::Modems),
];

/// Where we are in an output.
struct Page<'p, 'a> {
    asked: Asked,
    /// Lines that may be a header: what they are shows when a row or a blank line follows.
    pending: VecDeque<Line<'a>>,
    table: Option<Table>,
    /// Whether the line before was a row, so that what follows should be one.
    in_rows: bool,
    /// Whether an upstream table was there.
    seen: bool,
    /// The words of the present row.
    words: Vec<Word<'a>>,
    profiles: &'p mut Profiles<'a>,
    modems: &'p mut Modems<'a>,
}

impl<'p, 'a> Page<'p, 'a> {
    fn new(asked: Asked, profiles: &'p mut Profiles<'a>, modems: &'p mut Modems<'a>) -> Self {
        Page {
            asked,
            pending: VecDeque::new(),
            table: None,
            in_rows: false,
            seen: false,
            words: Vec::new(),
            profiles,
            modems,
        }
    }

    fn line(&mut self, line: Line<'a>, collector: &mut Collector<'_, '_, 'a>) {
        let words = words(line.text);
        let first = words.clone().next().unwrap_or_default();
        let noise = noise(line.text, line.percent);
        if noise.is_none() && is_port(first) {
            self.resolve(collector);
            self.row(line, collector);
        } else if let Some(why) = noise {
            if first.is_empty() {
                self.resolve(collector);
                self.in_rows = false;
            }
            collector.take(line, Taken::Ignored(why));
        } else if let Some(taken) = self.profile_line(line.text, words, collector) {
            self.resolve(collector);
            match taken {
                Taken::Ignored("configuration" | "configuration of an interface") => {
                    collector.text(line, taken)
                }
                _ => collector.profile(line, taken),
            }
        } else if let Some(taken) = self.modems_line(line.text) {
            collector.take(line, taken);
        } else {
            self.pending.push_back(line);
            if self.pending.len() > HEADER_LINES
                && let Some(line) = self.pending.pop_front()
            {
                self.stray(line, collector);
            }
        }
    }

    fn profile_line(
        &mut self,
        text: &'a str,
        words: Words<'a>,
        collector: &mut Collector<'_, '_, 'a>,
    ) -> Option<Taken> {
        if !self.asked.may(Asked::Profiles) {
            return None;
        }
        self.profiles.line(text, words, &mut collector.profiles)
    }

    fn modems_line(&mut self, text: &'a str) -> Option<Taken> {
        if self.asked == Asked::Modems { self.modems.line(text, is_port) } else { None }
    }

    fn row(&mut self, line: Line<'a>, collector: &mut Collector<'_, '_, 'a>) {
        if let Some(taken) = self.modems_line(line.text) {
            return collector.take(line, taken);
        }
        self.in_rows = true;
        match &self.table {
            Some(Table::Upstream(header)) => match table::row(line.text, header, &mut self.words) {
                Ok(upstream) => collector.upstream(line, upstream),
                Err(taken) => collector.take(line, taken),
            },
            Some(Table::Downstream) => collector.take(line, Taken::Ignored("a downstream")),
            None if self.asked.may(Asked::Upstreams) => {
                collector.take(line, Taken::Unparsed("a row without a header"))
            }
            None => collector.text(line, Taken::Ignored("of another command")),
        }
    }

    /// Decides what the pending lines are: a header that begins a table, or something else.
    fn resolve(&mut self, collector: &mut Collector<'_, '_, 'a>) {
        if self.pending.is_empty() {
            return;
        }
        let pending = std::mem::take(&mut self.pending);
        let texts: Vec<&str> = pending.iter().map(|line| line.text).collect();
        let found = if self.asked.may(Asked::Upstreams) { Header::read(&texts) } else { None };
        let (header, name) = match found {
            Some((Table::Downstream, end)) => {
                self.table = Some(Table::Downstream);
                (end, "a downstream table")
            }
            Some((table, end)) => {
                self.table = Some(table);
                self.seen = true;
                self.in_rows = true;
                (end, "an upstream table")
            }
            None => (0, ""),
        };
        for (index, line) in pending.into_iter().enumerate() {
            if index < header {
                collector.take(line, Taken::Header(name));
            } else {
                self.stray(line, collector);
            }
        }
    }

    /// A line that belongs to no table: unparsed where a row should stand.
    fn stray(&self, line: Line<'a>, collector: &mut Collector<'_, '_, 'a>) {
        if self.in_rows && matches!(self.table, Some(Table::Upstream(_))) {
            collector.text(line, Taken::Unparsed("no row of an upstream table"));
        } else {
            collector.text(line, Taken::Ignored("no table"));
        }
    }
}
