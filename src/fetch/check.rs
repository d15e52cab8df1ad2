//! `--check`: can each device be logged in to, and who is it? A line per device instead of a capture, with what to
//! do about those that failed.

use crate::{
    platform::{self, Platform, snmp::columns::Column},
    record::{Capture, Status},
    text,
};

/// What every family answers with its product and its release.
pub const COMMAND: &str = "show version";
/// What is asked by SNMP: sysDescr, and the profiles of the upstreams, which a view may leave out.
pub const WALKS: [&str; 2] = ["walk 1.3.6.1.2.1.1.1", "walk 1.3.6.1.2.1.10.127.1.1.2.1.4"];

/// Characters of the longest release that is shown.
const LONGEST: usize = 60;

/// Whether a device can be fetched, and its line.
#[must_use]
pub fn line(capture: &Capture) -> (bool, String) {
    let said = capture.commands.iter().find(|answer| answer.complete).map_or("", |answer| &answer.output);
    // A device that is logged in to and knows no `show version` can be fetched all the same.
    let asked =
        capture.status == Status::CommandFailed && capture.commands.iter().all(|answer| answer.complete);
    let by_snmp = capture.platform == Platform::Snmp.word();
    let (cmts, platform) = (&capture.cmts, &capture.platform);
    let line = if !(capture.status.is_good() || asked && !capture.commands.is_empty()) {
        let error = capture.error.as_deref().unwrap_or("no reason known");
        let remedy = if by_snmp { snmp_remedy(capture.status) } else { remedy(capture.status) };
        let remedy = remedy.map_or(String::new(), |remedy| format!("; {remedy}"));
        Err(format!("{cmts}: {}: {error}{remedy}", capture.status))
    } else if let Some(other) = other_platform(capture.family.as_ref().unwrap_or(platform), said) {
        let platform = capture.family.as_ref().unwrap_or(platform);
        Err(format!(
            "{cmts}: the inventory or its name says {platform}, the device says {other}; correct its platform"
        ))
    } else if by_snmp && !shows_upstreams(capture) {
        Err(format!(
            "{cmts}: answers, and shows no upstream channels ({}); let the community or the user see them, or this \
             is not a CMTS",
            Column::Profile.name()
        ))
    } else {
        let release =
            release(said).map_or("release unknown".to_owned(), |release| format!("release {release}"));
        Ok(format!("{cmts}: ok, {platform}, {release}, {} ms", capture.elapsed_ms))
    };
    let good = line.is_ok();
    let (Ok(line) | Err(line)) = line;
    (good, text::terminal(&line).into_owned())
}

/// Whether the walk of the channels found one.
fn shows_upstreams(capture: &Capture) -> bool {
    let walk = Column::Profile.command();
    let channels = capture.commands.iter().find(|answer| answer.command == walk && answer.complete);
    channels.is_some_and(|answer| answer.output.lines().any(|line| !line.contains(" = No ")))
}

/// Another family whose name stands in the answer, when that of the device's own does not.
fn other_platform(platform: &str, said: &str) -> Option<Platform> {
    let said = said.to_ascii_lowercase();
    let named = |platform: Platform| {
        let dialogue = platform::family(platform).dialogue();
        dialogue.is_some_and(|dialogue| dialogue.detect.1.iter().any(|word| said.contains(word)))
    };
    let own: Platform = platform.parse().ok()?;
    if named(own) { None } else { Platform::ALL.into_iter().find(|&other| named(other)) }
}

/// The release in an answer to [`COMMAND`]: the word with a digit behind one of the words that announce it.
fn release(said: &str) -> Option<String> {
    const ANNOUNCED_BY: [&str; 5] = ["active sw", "software version", "version", "release", "rel"];
    ANNOUNCED_BY.iter().find_map(|word| said.lines().find_map(|line| behind(line, word)))
}

fn behind(line: &str, word: &str) -> Option<String> {
    let lower = line.to_ascii_lowercase();
    let at = lower.find(word).filter(|&at| !lower[..at].ends_with(|c: char| c.is_alphanumeric()))?;
    let rest = line.get(at + word.len()..)?.trim_start_matches([' ', ':', '\t', '=', '.']);
    let release = rest.split([' ', ',', ';', '\t', ')']).next()?;
    let digits = release.chars().any(|c| c.is_ascii_digit());
    digits.then(|| release.chars().take(LONGEST).collect())
}

fn snmp_remedy(status: Status) -> Option<&'static str> {
    Some(match status {
        Status::ResolveFailed => "check the name, or give the address as host",
        Status::Refused => "check that SNMP is on there, and snmp_port",
        Status::Unreachable => "check routes and firewalls",
        Status::ReadTimeout => "raise --request-timeout, or look at a --transcript",
        _ => return None,
    })
}

fn remedy(status: Status) -> Option<&'static str> {
    Some(match status {
        Status::ResolveFailed => "check the name, or give the address as host",
        Status::Refused => "check that SSH is on there, and the port",
        Status::Unreachable | Status::ConnectTimeout => {
            "check routes and firewalls, or connect through --jump HOST"
        }
        Status::KexFailed => "try --algorithms legacy",
        Status::HostKeyChanged => "if the device was replaced, remove its old key from the known hosts",
        Status::AuthFailed => "check user and password",
        Status::LoginTimeout => "check the device's AAA server, or raise --auth-timeout",
        Status::ReadTimeout => "raise --idle-timeout, or look at a --transcript",
        Status::Disconnected => "check the device's limit of sessions and its access lists",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_found_in_what_each_family_says() {
        for (said, found) in [
            ("Cisco IOS XE Software, Version 17.06.01z\nCisco cBR-8 (X86) processor\n", Some("17.06.01z")),
            ("Chassis Type: E6000\nActive SW: CER_V10.01.00.0013\n", Some("CER_V10.01.00.0013")),
            ("Casa Systems, Inc.\nRunning Image: Rel 8.3.3\n", Some("8.3.3")),
            ("Release 8.3.3, Ver 1", Some("8.3.3")),
            ("no such thing as a subversion 7", None),
            ("version unknown", None),
            ("", None),
        ] {
            assert_eq!(release(said).as_deref(), found, "{said}");
        }
    }
}
