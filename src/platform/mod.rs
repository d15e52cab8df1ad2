//! The CCAP families: what to say to a device, and what its answers mean. One file per family holds
//! both; adding a vendor is one file here with its fixtures, a [`Platform`] and a line in [`family`].
//!
//! Everything here is pure: text in, values out. The session itself is `fetch`'s affair.

mod casa;
mod cbr8;
mod e6000;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    modulation::{Modulation, ProfileBook},
    record::Source,
};

/// A family of CCAPs with a command line of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// CommScope (ARRIS) E6000 CER.
    E6000,
    /// Casa C100G and C40G, CommScope EVO vCCAP.
    Casa,
    /// Cisco cBR-8.
    Cbr8,
}

impl Platform {
    /// All of them, in the order of their names in the field: CCAP0xx, CCAP1xx, CCAP2xx.
    pub const ALL: [Platform; 3] = [Platform::E6000, Platform::Casa, Platform::Cbr8];

    /// The word in records, flags and inventories.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Platform::E6000 => "e6000",
            Platform::Casa => "casa",
            Platform::Cbr8 => "cbr8",
        }
    }

    /// The log target of the family's code, switched to debug by `DEBUG_CCAP0`, `1`, `2`.
    #[must_use]
    pub fn log_target(self) -> &'static str {
        match self {
            Platform::E6000 => "modtools::platform::e6000",
            Platform::Casa => "modtools::platform::casa",
            Platform::Cbr8 => "modtools::platform::cbr8",
        }
    }

    /// The family that a device's name tells: `CCAP0`, `CCAP1` or `CCAP2` and two digits, anywhere in it
    /// and in any case.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        let bytes = name.as_bytes();
        name.match_indices("CCAP").find_map(|(at, _)| match bytes.get(at + 4..at + 7)? {
            [b'0', a, b] if a.is_ascii_digit() && b.is_ascii_digit() => Some(Platform::E6000),
            [b'1', a, b] if a.is_ascii_digit() && b.is_ascii_digit() => Some(Platform::Casa),
            [b'2', a, b] if a.is_ascii_digit() && b.is_ascii_digit() => Some(Platform::Cbr8),
            _ => None,
        })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|p| p.word().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| format!("{text:?} is no platform; known are e6000, casa, cbr8"))
    }
}

/// Whether a scan can do without a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Without it there are no samples.
    Needed,
    /// Without it the scan is `partial`.
    Optional,
}

/// One command of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is typed.
    pub command: String,
    /// Whether the scan can do without.
    pub need: Need,
    /// Profiles and configuration: asked again only every `--refresh`.
    pub slow_changing: bool,
}

impl Step {
    fn needed(command: impl Into<String>) -> Self {
        Step { command: command.into(), need: Need::Needed, slow_changing: false }
    }

    fn profile(command: impl Into<String>) -> Self {
        Step { command: command.into(), need: Need::Optional, slow_changing: true }
    }
}

/// How a family's command line is handled, before and after the commands.
#[derive(Clone, Copy, Debug)]
pub struct Dialogue {
    /// Typed first, in order, to switch off paging and wrapping; an error text in answer is no fault.
    pub setup: &'static [&'static str],
    /// Whether a `>` prompt is user mode, to be left by `enable`.
    pub user_mode: bool,
    /// Ends the session.
    pub logout: &'static str,
    /// A harmless command, and the text (any case) in its answer that names the family.
    pub detect: (&'static str, &'static [&'static str]),
}

/// A device's answer to a command, as parsers and plans see it.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// What was typed; empty when it is not known (pasted text).
    pub command: &'a str,
    /// Cleaned text.
    pub output: &'a str,
    /// The final prompt was seen.
    pub complete: bool,
}

impl Answer<'_> {
    /// Whole, and not an error text.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.complete && error_text(self.output).is_none()
    }
}

/// What one line of output was taken for (`mod-parse --explain`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// A header or first line of a table or block, by its name.
    Header(&'static str),
    /// A row that became a sample, or part of one.
    Sample(String),
    /// A line of a profile.
    Profile(String),
    /// Understood, and not of interest: why.
    Ignored(&'static str),
    /// Not understood where a row was expected; counted in `scan.unparsed`.
    Unparsed(&'static str),
}

/// What a parser is given besides the text.
pub struct Reading<'a> {
    /// Name of the device, for the user's own profile file.
    pub cmts: &'a str,
    /// What the user says about profile numbers.
    pub book: &'a ProfileBook,
    /// Told of every line: command, number of the line in its output from 1, the line, what it was taken for.
    pub explain: &'a mut dyn FnMut(&str, usize, &str, &Taken),
}

/// An upstream as its device shows it: a sample without time and device.
#[derive(Clone, Debug, PartialEq)]
pub struct Upstream {
    /// Name on the device, whole.
    pub name: String,
    /// Modulation of its data grants.
    pub modulation: Modulation,
    /// Number of its modulation profile.
    pub profile: Option<u32>,
    /// Where it was read.
    pub source: Source,
    /// `atdma`, `tdma`, `scdma`, `ofdma`.
    pub channel_type: Option<String>,
    /// Centre frequency, Hz.
    pub center_hz: Option<u64>,
    /// Channel width, Hz.
    pub width_hz: Option<u64>,
    /// The operator's text.
    pub description: Option<String>,
    /// MER, dB.
    pub snr_db: Option<f64>,
}

/// What the answers of one scan came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// In the order of the device.
    pub upstreams: Vec<Upstream>,
    /// Lines that were not understood where a row was expected.
    pub unparsed: u64,
    /// Why the scan failed to parse: a needed table without a recognisable header. Then no upstreams count.
    pub fault: Option<String>,
}

/// A family: pure knowledge of a command line.
pub trait Family: Sync {
    /// How its command line is handled.
    fn dialogue(&self) -> &'static Dialogue;

    /// What is still to be asked, given the answers so far: empty when there is nothing more. Called again
    /// after each answer; a command that stands among the answers is never asked twice.
    fn plan(&self, answers: &[Answer<'_>]) -> Vec<Step>;

    /// Whether the scan can do without the answer to this command, given the others: a refused command
    /// whose stand-in was answered is optional.
    fn need(&self, command: &str, answers: &[Answer<'_>]) -> Need;

    /// The upstreams that the answers show. Answers that are not complete are not looked at. Tables are
    /// known by their headers, not by the command, so pasted text parses as well.
    fn parse(&self, answers: &[Answer<'_>], reading: &mut Reading<'_>) -> Parsed;
}

/// The knowledge of a family.
#[must_use]
pub fn family(platform: Platform) -> &'static dyn Family {
    match platform {
        Platform::E6000 => &e6000::E6000,
        Platform::Casa => &casa::Casa,
        Platform::Cbr8 => &cbr8::Cbr8,
    }
}

/// The error text in an output, if it is one rather than an answer: `Error: …` (E6000, C4), a caret line
/// and `% Invalid input …`, `% Incomplete command`, `% Ambiguous command`, `Command authorization failed`.
/// Only short outputs are: the same words inside a table are somebody's description.
#[must_use]
pub fn error_text(output: &str) -> Option<&str> {
    let mut lines = output.lines().map(str::trim).filter(|line| !line.is_empty());
    let few: Vec<&str> = lines.by_ref().take(8).collect();
    if lines.next().is_some() {
        return None;
    }
    few.into_iter().find(|line| {
        let lower = line.to_ascii_lowercase();
        lower.starts_with("error:")
            || lower.starts_with("% invalid")
            || lower.starts_with("%invalid")
            || lower.starts_with("% incomplete")
            || lower.starts_with("% ambiguous")
            || lower.starts_with("% unknown")
            || lower.starts_with("% unrecognized")
            || lower.starts_with("% bad ")
            || lower.starts_with("% authorization failed")
            || lower.contains("command authorization failed")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_family_anywhere_and_in_any_case() {
        for (name, platform) in [
            ("CCAP001", Some(Platform::E6000)),
            ("ams-ccap112-lab", Some(Platform::Casa)),
            ("xCCAPxCCAP205", Some(Platform::Cbr8)),
            ("CCAP301", None),
            ("CCAP1", None),
            ("CCAP0é", None),
            ("router1", None),
        ] {
            assert_eq!(Platform::of_name(name), platform, "{name}");
        }
    }

    #[test]
    fn an_error_text_is_told_from_a_table_that_mentions_one() {
        let ios = "show foo\n     ^\n% Invalid input detected at '^' marker.\n";
        assert_eq!(error_text(ios), Some("% Invalid input detected at '^' marker."));
        assert_eq!(error_text("Error: unknown command"), Some("Error: unknown command"));
        assert_eq!(error_text("Command authorization failed.\n"), Some("Command authorization failed."));
        assert_eq!(error_text(""), None);
        let table = format!("Port Description\n{}", "1/0 Error: none\n".repeat(20));
        assert_eq!(error_text(&table), None);
    }
}
