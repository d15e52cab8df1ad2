//! Cisco cBR-8 (uBR10012 and uBR7200 are close): the session and the parser.

use super::{Answer, Dialogue, Family, Parsed, Reading, Step};

/// Its modulation profiles.
const PROFILES: &str = "show cable modulation-profile";
/// Where the MAC domains and the descriptions of their upstreams stand.
const SUMMARY: &str = "show cable modem summary";

/// The cBR-8 family.
pub struct Cbr8;

impl Family for Cbr8 {
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

    fn parse(&self, _answers: &[Answer<'_>], _reading: &mut Reading<'_>) -> Parsed {
        Parsed::default()
    }
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
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (domain, channel) = word.strip_prefix('C')?.rsplit_once("/U")?;
    let parts = domain.split('/').count();
    let named = (2..=3).contains(&parts) && domain.split('/').all(number);
    (named && (number(channel) || channel == "B")).then_some((domain, channel))
}
