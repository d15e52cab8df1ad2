//! The CCAP families: what to say to a device, and what its answers mean. One file per family holds
//! both; adding a vendor is one file here with its fixtures, a [`Platform`] and a line in [`family`].
//!
//! Everything here is pure: text in, values out. The session itself is `fetch`'s affair.

mod casa;
mod cbr8;
mod e6000;
mod lines;
mod walk;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    modulation::{Modulation, ProfileBook},
    record::Source,
};

pub use walk::Line;

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

    fn background(command: impl Into<String>) -> Self {
        Step { command: command.into(), need: Need::Optional, slow_changing: true }
    }
}

/// How a family's command line is handled, before and after the commands.
#[derive(Clone, Copy, Debug)]
pub struct Dialogue {
    /// Typed first, in order, to switch off paging and wrapping. Each inner list holds spellings of one
    /// wish: the next is tried when one is answered by an error text, and a last refusal is no fault.
    pub setup: &'static [&'static [&'static str]],
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// A header or first line of a table or block, by its name.
    Header(&'static str),
    /// A row that became a sample, or part of one: of what.
    Row(&'static str),
    /// The data grants of a modulation profile.
    Profile,
    /// Understood, and not of interest: why.
    Ignored(&'static str),
    /// Not understood where a row was expected; counted in `scan.unparsed`.
    Unparsed(&'static str),
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Taken::Header(name) => write!(f, "header of {name}"),
            Taken::Row(what) => f.write_str(what),
            Taken::Profile => f.write_str("data grants of a profile"),
            Taken::Ignored(why) => write!(f, "ignored, {why}"),
            Taken::Unparsed(why) => write!(f, "unparsed, {why}"),
        }
    }
}

/// Is told of every line what it was taken for. Blocks are told when they end, so not strictly in order.
pub type Explain<'a> = &'a mut dyn FnMut(Line<'_>, Taken);

/// What a parser is given besides the text.
pub struct Reading<'a> {
    /// Name of the device, for the user's own profile file.
    pub cmts: &'a str,
    /// What the user says about profile numbers.
    pub book: &'a ProfileBook,
    /// When somebody wants to know.
    pub explain: Option<Explain<'a>>,
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

impl Upstream {
    /// An upstream of which only the name is known; its modulation follows from the profile, once all are read.
    fn named(name: impl Into<String>, source: Source) -> Self {
        Upstream {
            name: name.into(),
            modulation: Modulation::Unknown,
            profile: None,
            source,
            channel_type: None,
            center_hz: None,
            width_hz: None,
            description: None,
            snr_db: None,
        }
    }
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

    /// All that a scan asks, as far as the answers so far tell; answered commands stand in it too. A refused
    /// command with a stand-in is optional, and its stand-in needed.
    fn script(&self, answers: &[Answer<'_>]) -> Vec<Step>;

    /// What is still to be asked, given the answers so far: empty when there is nothing more. Called again
    /// after each answer; a command that stands among the answers is never asked twice.
    fn plan(&self, answers: &[Answer<'_>]) -> Vec<Step> {
        let mut steps = self.script(answers);
        steps.retain(|step| answers.iter().all(|answer| answer.command != step.command));
        steps
    }

    /// Whether the scan can do without the answer to this command, given the others. A command that is none
    /// of the script's (`--command`, pasted text) is needed as long as the script's needed ones are not there.
    fn need(&self, command: &str, answers: &[Answer<'_>]) -> Need {
        let script = self.script(answers);
        if let Some(step) = script.iter().find(|step| step.command == command) {
            return step.need;
        }
        let asked = |step: &Step| answers.iter().any(|answer| answer.command == step.command);
        let covered = script.iter().all(|step| step.need == Need::Optional || asked(step));
        if covered { Need::Optional } else { Need::Needed }
    }

    /// The upstreams that the answers show. Answers that are not complete, and error texts, are not looked
    /// at. Tables are known by their headers, not by the command, so pasted text parses as well.
    fn parse(&self, answers: &[Answer<'_>], reading: &mut Reading<'_>) -> Parsed;
}

/// What the answers of a session that ended in order come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every command was answered.
    Ok,
    /// Every needed one was; the reason names an optional one and what the device said.
    Partial(String),
    /// A needed one was not; the reason names it and what the device said.
    CommandFailed(String),
}

/// Judges the answers of a session. A needed command outweighs an optional one; otherwise the first stands.
#[must_use]
pub fn judge(platform: Platform, answers: &[Answer<'_>]) -> Verdict {
    let family = family(platform);
    let mut partial = None;
    for answer in answers.iter().filter(|answer| !answer.is_good()) {
        let said =
            error_text(answer.output).filter(|_| answer.complete).unwrap_or("its output is not complete");
        let reason = format!("{}: {said}", answer.command);
        match family.need(answer.command, answers) {
            Need::Needed => return Verdict::CommandFailed(reason),
            Need::Optional => partial = partial.or(Some(reason)),
        }
    }
    partial.map_or(Verdict::Ok, Verdict::Partial)
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
        let percent = lower.strip_prefix('%').map(str::trim_start);
        lower.starts_with("error:")
            || lower.starts_with("command authorization failed")
            || percent.is_some_and(|said| REFUSALS.iter().any(|word| said.starts_with(word)))
    })
}

/// How a refusal goes on after its `%`; a syslog line (`%SYS-5-CONFIG_I: …`) does not.
const REFUSALS: [&str; 12] = [
    "invalid",
    "incomplete",
    "ambiguous",
    "unknown",
    "unrecognized",
    "bad ",
    "error",
    "authorization",
    "command",
    "permission",
    "access",
    "not ",
];

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

    fn answer<'a>(command: &'a str, output: &'a str) -> Answer<'a> {
        Answer { command, output, complete: true }
    }

    fn commands(steps: &[Step]) -> Vec<&str> {
        steps.iter().map(|step| step.command.as_str()).collect()
    }

    #[test]
    fn a_plan_goes_on_from_what_was_answered_and_asks_nothing_twice() {
        let cbr8 = family(Platform::Cbr8);
        assert_eq!(commands(&cbr8.plan(&[])), ["show cable modulation-profile", "show cable modem summary"]);
        let rows = "C1/0/0/U0 1 2 C9/9/9/U1 show\nC1/0/0/UB 3\nC2/0/15/U1 4\n";
        let answers = [answer("show cable modulation-profile", ""), answer("show cable modem summary", rows)];
        let controller = |domain| format!("show controller c{domain} Upstream | i Profile|Upstream|US|up|UP");
        assert_eq!(commands(&cbr8.plan(&answers)), [controller("1/0/0"), controller("2/0/15")]);
    }

    #[test]
    fn a_refused_hop_history_is_optional_and_its_stand_ins_are_needed() {
        let casa = family(Platform::Casa);
        let refused = answer("show spectrum hop-history", "% Invalid input detected at '^' marker.");
        let summary =
            answer("show cable modem summary", "1/1.1/0 12 3\n1/1.2/0 8 0\n1/1.1/0 1 1\nTotal 20 3\n");
        let plan = casa.plan(&[refused, summary]);
        assert_eq!(
            commands(&plan)[2..],
            ["show spectrum hop-history upstream 1/1.1/0", "show spectrum hop-history upstream 1/1.2/0"]
        );
        assert_eq!(casa.need(refused.command, &[refused, summary]), Need::Optional);
        assert!(plan[2..].iter().all(|step| step.need == Need::Needed && !step.slow_changing));
        let judged = judge(Platform::Casa, &[refused, summary]);
        assert!(
            matches!(judged, Verdict::Partial(reason) if reason.starts_with("show spectrum hop-history: % Inv"))
        );
    }

    #[test]
    fn a_session_is_judged_by_what_it_cannot_do_without() {
        let table = answer("show interface cable-upstream", "Port Mac Conn State");
        let profiles = "show running-config verbose | include modulation-profile";
        assert_eq!(judge(Platform::E6000, &[table, answer(profiles, "")]), Verdict::Ok);
        let refused = "Error: not allowed";
        assert_eq!(
            judge(Platform::E6000, &[table, answer(profiles, refused)]),
            Verdict::Partial(format!("{profiles}: {refused}"))
        );
        assert_eq!(
            judge(Platform::E6000, &[answer(table.command, refused), answer(profiles, refused)]),
            Verdict::CommandFailed(format!("{}: {refused}", table.command))
        );
        // A command of the user's own is needed where it stands in for the script, and only there.
        let own = answer("show foo", refused);
        assert!(matches!(judge(Platform::E6000, &[own]), Verdict::CommandFailed(_)));
        assert!(matches!(judge(Platform::E6000, &[table, own]), Verdict::Partial(_)));
    }

    #[test]
    fn an_error_text_is_told_from_a_table_that_mentions_one() {
        let ios = "show foo\n     ^\n% Invalid input detected at '^' marker.\n";
        assert_eq!(error_text(ios), Some("% Invalid input detected at '^' marker."));
        assert_eq!(error_text("Error: unknown command"), Some("Error: unknown command"));
        assert_eq!(error_text("Command authorization failed.\n"), Some("Command authorization failed."));
        assert_eq!(error_text("% Ambiguous command:  \"sh c\"\n"), Some("% Ambiguous command:  \"sh c\""));
        assert_eq!(error_text(""), None);
        assert_eq!(error_text("%SYS-5-CONFIG_I: Configured from console\nPort State\n"), None);
        let table = format!("Port Description\n{}", "1/0 Error: none\n".repeat(20));
        assert_eq!(error_text(&table), None);
    }
}
