//! CommScope (ARRIS) E6000 CER and C4: the session and the parser. Upstreams stand in tables, known by
//! their headers; profiles in lines of the running configuration.

mod profiles;
mod table;

use super::{
    Answer, Dialogue, Facts, Family, Parsed, Platform, Reading, Step, Taken,
    lines::{is_port, noise},
    walk::{Line, Walk, lines_of},
};
use crate::modulation::Modulation;
use profiles::Profiles;
use table::{Header, Table};

/// Its upstream tables, SC-QAM and OFDMA.
const UPSTREAMS: &str = "show interface cable-upstream";
/// Its modulation profiles, in line form.
const PROFILES: &str = "show running-config verbose | include modulation-profile";

/// The E6000 family.
pub struct E6000;

impl Family for E6000 {
    fn facts(&self) -> &'static Facts {
        &Facts {
            product: "CommScope (ARRIS) E6000 CER and C4",
            name_glob: "*CCAP0[0-9][0-9]*",
            log_target: module_path!(),
            debug_setting: "DEBUG_CCAP0",
            built_in: &[(202, Modulation::Qam64), (204, Modulation::Qam16), (222, Modulation::Qpsk)],
        }
    }

    fn dialogue(&self) -> &'static Dialogue {
        &Dialogue {
            setup: &[&["terminal length 0", "no pagination"], &["terminal width 0"]],
            user_mode: false,
            logout: "exit",
            detect: ("show chassistype", &["e6000"]),
        }
    }

    fn script(&self, _answers: &[Answer<'_>]) -> Vec<Step> {
        vec![Step::needed(UPSTREAMS), Step::background(PROFILES)]
    }

    fn parse(&self, answers: &[Answer<'_>], reading: &mut Reading<'_>) -> Parsed {
        let mut walk = Walk::new(Platform::E6000, reading);
        let mut seen = false;
        for (place, answer) in answers.iter().enumerate().filter(|(_, answer)| answer.is_good()) {
            let mut page = Page::default();
            for line in lines_of(place, answer) {
                page.line(line, &mut walk);
            }
            page.settle(&mut walk);
            seen |= page.seen;
        }
        let fault = format!("{UPSTREAMS}: no upstream table has a header that is known");
        walk.finish((!seen).then_some(fault))
    }
}

/// Where we are in an output.
#[derive(Default)]
struct Page<'a> {
    /// Lines that may be a header: what they are shows when a row or a blank line follows.
    pending: Vec<Line<'a>>,
    table: Option<Table>,
    /// Whether the line before was a row, so that what follows should be one.
    in_rows: bool,
    /// Whether an upstream table was there.
    seen: bool,
    profiles: Profiles,
}

impl<'a> Page<'a> {
    fn line(&mut self, line: Line<'a>, walk: &mut Walk<'_, '_>) {
        let first = line.text.split_ascii_whitespace().next().unwrap_or_default();
        if is_port(first) && noise(line.text).is_none() {
            self.settle(walk);
            self.in_rows = true;
            self.row(line, walk);
        } else if let Some(why) = noise(line.text) {
            if first.is_empty() {
                self.settle(walk);
                self.in_rows = false;
            }
            walk.take(line, Taken::Ignored(why));
        } else if let Some(taken) = self.profiles.line(line.text, &mut walk.profiles) {
            self.settle(walk);
            walk.take(line, taken);
        } else {
            self.pending.push(line);
        }
    }

    fn row(&self, line: Line<'a>, walk: &mut Walk<'_, '_>) {
        match &self.table {
            Some(Table::Upstream(header)) => match table::row(line.text, header) {
                Ok(upstream) => walk.upstream(line, upstream),
                Err(taken) => walk.take(line, taken),
            },
            Some(Table::Downstream) => walk.take(line, Taken::Ignored("a downstream")),
            None => walk.take(line, Taken::Unparsed("a row without a header")),
        }
    }

    /// Decides what the pending lines are: a header that begins a table, or something else.
    fn settle(&mut self, walk: &mut Walk<'_, '_>) {
        let pending = std::mem::take(&mut self.pending);
        let texts: Vec<&str> = pending.iter().map(|line| line.text).collect();
        let (header, name) = match Header::read(&texts) {
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
            let taken = if index < header {
                Taken::Header(name)
            } else if self.in_rows && matches!(self.table, Some(Table::Upstream(_))) {
                Taken::Unparsed("no row of an upstream table")
            } else {
                Taken::Ignored("no table")
            };
            walk.take(line, taken);
        }
    }
}
