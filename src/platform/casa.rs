//! Casa C100G and C40G, CommScope EVO vCCAP: the session and the parser.

use super::{Answer, Dialogue, Family, Need, Parsed, Reading, Step, error_text};

/// Modulation hops, newest first.
const HOPS: &str = "show spectrum hop-history";
/// Its modulation profiles.
const PROFILES: &str = "show modulation-profile";
/// What the channels are configured to: the state of those that never hopped.
const BASE: &str = "show interface upstream";
/// Where the upstreams are learned when the device refuses [`HOPS`] as a whole.
const SUMMARY: &str = "show cable modem summary";

/// The Casa family.
pub struct Casa;

impl Family for Casa {
    fn dialogue(&self) -> &'static Dialogue {
        &Dialogue {
            setup: &[&["page-off", "page off"]],
            user_mode: false,
            logout: "logout",
            detect: ("show version", &["casa"]),
        }
    }

    fn script(&self, answers: &[Answer<'_>]) -> Vec<Step> {
        let mut steps = vec![Step::needed(HOPS), Step::background(PROFILES), Step::background(BASE)];
        let said = |command: &str| answers.iter().find(|answer| answer.command == command && answer.complete);
        if said(HOPS).is_some_and(|answer| error_text(answer.output).is_some()) {
            steps[0].need = Need::Optional;
            steps.push(Step::needed(SUMMARY));
            if let Some(summary) = said(SUMMARY).filter(|answer| answer.is_good()) {
                let names = summary_upstreams(summary.output);
                steps.extend(names.into_iter().map(|name| Step::needed(format!("{HOPS} upstream {name}"))));
            }
        }
        steps
    }

    fn parse(&self, _answers: &[Answer<'_>], _reading: &mut Reading<'_>) -> Parsed {
        Parsed::default()
    }
}

/// The upstreams of a modem summary, in its order, each once.
fn summary_upstreams(output: &str) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for name in output.lines().filter_map(|line| line.split_whitespace().find(|word| is_upstream(word))) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// `slot/port.channel`, or `slot/port.channel/logical`.
fn is_upstream(word: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let Some((slot, rest)) = word.split_once('/') else { return false };
    let (port, channel) = match rest.split_once('.') {
        Some(parts) => parts,
        None => return false,
    };
    let (channel, logical) = channel.split_once('/').unwrap_or((channel, "0"));
    [slot, port, channel, logical].into_iter().all(number)
}
