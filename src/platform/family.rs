//! What a family of CCAPs has to say about itself: its names, how its command line is handled, what a scan
//! asks, and what the answers mean. One folder beside this file implements [`Family`] for each.

use std::collections::HashSet;

use super::{Parsed, Platform, Reading, family, snmp::columns::walked};
use crate::modulation::Modulation;

/// What is fixed about a family. Its word in records is that of [`Platform`].
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Vendor and product, in words.
    pub product: &'static str,
    /// A glob over the names of its devices, in any case, where they have a pattern; an operator adds others by
    /// [`super::Names::SETTING`].
    pub name_glob: Option<&'static str>,
    /// The log target of its code: the path of its module.
    pub log_target: &'static str,
    /// The setting that switches [`Facts::log_target`] to debug.
    pub debug_setting: &'static str,
    /// What the system that this one replaces knew of profile numbers: the last resort.
    pub built_in: &'static [(u32, Modulation)],
}

/// Whether a scan can do without a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Without it there are no samples.
    Needed,
    /// Without it the scan is `partial`.
    Optional,
    /// It adds what nothing depends on, such as customers: a device or an account that refuses it is not at fault, and is
    /// not asked again before the next refresh.
    Extra,
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
    pub(super) fn needed(command: impl Into<String>) -> Self {
        Step { command: command.into(), need: Need::Needed, slow_changing: false }
    }

    pub(super) fn extra(command: impl Into<String>, slow_changing: bool) -> Self {
        Step { command: command.into(), need: Need::Extra, slow_changing }
    }

    pub(super) fn background(command: impl Into<String>) -> Self {
        Step { command: command.into(), need: Need::Optional, slow_changing: true }
    }
}

/// How a family's command line is handled, before and after the commands.
#[derive(Clone, Copy, Debug)]
pub struct Dialogue {
    /// Typed first, in order, to switch off paging and wrapping. Each inner list holds spellings of one
    /// wish: the next is tried when one is answered by an error text, and a last refusal is not a fault.
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
        self.complete && self.refusal().is_none()
    }

    /// The error text that answers a command line instead of an output. A walk has none: what went wrong with it
    /// makes it incomplete.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        if walked(self.command).is_some() { None } else { error_text(self.output) }
    }
}

/// A family: pure knowledge of a command line, one folder each.
pub trait Family: Sync {
    /// What is fixed about it.
    fn facts(&self) -> &'static Facts;

    /// How its command line is handled; none where there is none to log in to.
    fn dialogue(&self) -> Option<&'static Dialogue>;

    /// All that a scan asks, as far as the answers so far tell; answered commands stand in it too. A refused
    /// command with a stand-in is optional, and its stand-in needed.
    fn script(&self, answers: &[Answer<'_>]) -> Vec<Step>;

    /// Commands that only an answer leads to, with a word in capitals for the part that the answer gives, and
    /// when each is sent.
    fn further(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// What is still to be asked, given the answers so far: empty when there is nothing more. Called again
    /// after each answer; a command that stands among the answers is never asked twice.
    fn plan(&self, answers: &[Answer<'_>]) -> Vec<Step> {
        let asked: HashSet<&str> = answers.iter().map(|answer| answer.command).collect();
        let mut steps = self.script(answers);
        steps.retain(|step| !asked.contains(&step.command[..]));
        steps
    }

    /// Whether the scan can do without the answer to this command, given the others. A command outside of
    /// the script (`--command`, pasted text) is needed as long as the script's needed ones are not there.
    fn need(&self, command: &str, answers: &[Answer<'_>]) -> Need {
        need_by_script(self, command, answers)
    }

    /// The upstreams that the answers show. Answers that are not complete, and error texts, are not looked
    /// at. A table is known by its header and counts under a command that asks for it, or under one that is
    /// not known (`--command`, pasted text): what stands under another command does not count.
    fn parse<'a>(&self, answers: &[Answer<'a>], reading: &mut Reading<'_>) -> Parsed<'a>;
}

/// Whether the scan can do without the answer to this command, by the script of the family: see [`Family::need`].
pub(super) fn need_by_script<F: Family + ?Sized>(family: &F, command: &str, answers: &[Answer<'_>]) -> Need {
    let script = family.script(answers);
    if let Some(step) = script.iter().find(|step| step.command == command) {
        return step.need;
    }
    let asked: HashSet<&str> = answers.iter().map(|answer| answer.command).collect();
    let covered = script.iter().all(|step| step.need != Need::Needed || asked.contains(&step.command[..]));
    if covered { Need::Optional } else { Need::Needed }
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
        let said = answer.refusal().filter(|_| answer.complete).unwrap_or("its output is not complete");
        let reason = format!("{}: {said}", answer.command);
        match family.need(answer.command, answers) {
            Need::Needed => return Verdict::CommandFailed(reason),
            Need::Extra if answer.complete => {}
            Need::Optional | Need::Extra => partial = partial.or(Some(reason)),
        }
    }
    partial.map_or(Verdict::Ok, Verdict::Partial)
}

/// The error text in an output, if it is one rather than an answer: `Error: …` (E6000, C4), a caret line
/// and `% Invalid input …`, `% Incomplete command`, `% Ambiguous command`, `Command authorization failed`.
/// Only short outputs are: the same words inside a table are a description.
#[must_use]
pub fn error_text(output: &str) -> Option<&str> {
    let mut lines = output.trim().lines().map(str::trim).filter(|line| !line.is_empty());
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
        // Whoever may not count the modems has all that matters.
        let modems = answer("show cable modem summary mac", refused);
        assert_eq!(judge(Platform::E6000, &[table, answer(profiles, ""), modems]), Verdict::Ok);
        let broken = Answer { complete: false, ..modems };
        assert!(matches!(
            judge(Platform::E6000, &[table, answer(profiles, ""), broken]),
            Verdict::Partial(_)
        ));
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
