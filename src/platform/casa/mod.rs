//! Casa C100G and C40G, CommScope EVO vCCAP: the session and the parser. The hop history tells the state
//! of every channel that ever hopped; of the others the configuration does.

mod config;
mod hops;
mod profiles;

use std::collections::HashSet;

use super::{
    Answer, Dialogue, Facts, Family, Need, Parsed, Platform, Reading, Step, Taken, Upstream, error_text,
    lines::{is_number, noise},
    walk::{Line, Walk, lines_of},
};
use crate::{modulation::Modulation, record::Source};
use config::Config;
use hops::Hops;
use profiles::Profiles;

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
    fn facts(&self) -> &'static Facts {
        &Facts {
            product: "Casa C100G and C40G, CommScope EVO vCCAP",
            name_glob: "*CCAP1[0-9][0-9]*",
            log_target: module_path!(),
            debug_setting: "DEBUG_CCAP1",
            built_in: &[(364, Modulation::Qam64), (316, Modulation::Qam16), (300, Modulation::Qpsk)],
        }
    }

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

    fn parse(&self, answers: &[Answer<'_>], reading: &mut Reading<'_>) -> Parsed {
        let mut walk = Walk::new(Platform::Casa, reading);
        let mut scan = Scan::default();
        for (place, answer) in answers.iter().enumerate().filter(|(_, answer)| answer.is_good()) {
            scan.answer(place, answer, &mut walk);
        }
        let fault = scan.fault(answers);
        scan.upstreams(&mut walk);
        walk.finish(fault)
    }
}

/// What the answers told so far.
#[derive(Default)]
struct Scan<'a> {
    hops: Hops<'a>,
    config: Config<'a>,
    profiles: Profiles<'a>,
    /// A command for hops whose answer holds text, and nothing of it is known.
    strange: Option<&'a str>,
}

impl<'a> Scan<'a> {
    fn answer(&mut self, place: usize, answer: &Answer<'a>, walk: &mut Walk<'_, '_>) {
        let about_hops = answer.command.starts_with(HOPS);
        let (mut known, mut text) = (false, false);
        self.config.close();
        self.profiles.close();
        for line in lines_of(place, answer) {
            let taken = if answer.command == SUMMARY {
                Taken::Ignored("the modem summary")
            } else if let Some(taken) = self.profiles.line(line.text, &mut walk.profiles) {
                self.config.close();
                taken
            } else if let Some(taken) = self.config.line(line.text) {
                self.profiles.close();
                taken
            } else if let Some(taken) = self.hops.line(line) {
                known = true;
                // The newest hop of a channel is told when all are read: it is the sample.
                if matches!(taken, Taken::Row(_)) {
                    continue;
                }
                taken
            } else if let Some(why) = noise(line.text) {
                Taken::Ignored(why)
            } else {
                text = true;
                // After a header, or where nothing else was asked for, every line should be a row.
                let expected = about_hops || known;
                if expected {
                    Taken::Unparsed("no row of the hop history")
                } else {
                    Taken::Ignored("no table")
                }
            };
            walk.take(line, taken);
        }
        if about_hops && text && !known {
            self.strange = self.strange.or(Some(answer.command));
        }
    }

    /// Why the scan must not be believed. An empty hop history is what a device prints on which nothing ever
    /// hopped, often without as much as a header: it is believed as long as something else shows that
    /// upstreams can be read, the configuration or the history of another channel. Text of which nothing is
    /// known is never taken for emptiness, for then hops would be missed and the configuration believed.
    fn fault(&self, answers: &[Answer<'_>]) -> Option<String> {
        if let Some(command) = self.strange {
            return Some(format!("{command}: no header and no row that is known"));
        }
        let summary = answers.iter().find(|answer| answer.command == SUMMARY && answer.is_good());
        if summary.is_some_and(|summary| !is_summary(summary.output)) {
            return Some(format!("{SUMMARY}: no header and no row that is known"));
        }
        let seen = self.hops.seen() || self.config.seen();
        (!seen).then(|| format!("{HOPS}: neither it nor the configuration shows a header that is known"))
    }

    fn upstreams(self, walk: &mut Walk<'_, '_>) {
        let (config, profiles, mut hopped) = (self.config, self.profiles, HashSet::new());
        let channel_type = |profile| profiles.channel_type(profile).map(str::to_ascii_lowercase);
        for hop in self.hops.newest() {
            hopped.insert(hop.upstream);
            let Some(profile) = hop.profile else { continue };
            let place = config.place(hop.upstream);
            if place.as_ref().is_some_and(|place| place.shut) {
                walk.take(hop.line, Taken::Ignored("shut down"));
                continue;
            }
            let mut upstream = Upstream::named(hop.upstream, Source::HopHistory);
            upstream.profile = Some(profile);
            upstream.channel_type = channel_type(profile);
            if let Some(place) = place {
                place.describe(&mut upstream);
            }
            walk.upstream(hop.line, upstream);
        }
        for (name, port, place) in config.channels() {
            let Some(profile) = place.profile.filter(|_| !place.shut) else { continue };
            // A history by port, without logical channels, speaks for all of them.
            if hopped.contains(name.as_str()) || hopped.contains(port) {
                continue;
            }
            let mut upstream = Upstream::named(name, Source::Config);
            upstream.profile = Some(profile);
            upstream.channel_type = channel_type(profile);
            place.describe(&mut upstream);
            walk.insert(upstream);
        }
    }
}

/// Whether an output is a modem summary at all, be it an empty one.
fn is_summary(output: &str) -> bool {
    let heading = |line: &str| {
        let line = line.to_ascii_lowercase();
        line.contains("upstream") || line.contains("interface") || line.contains("total")
    };
    !summary_upstreams(output).is_empty() || output.lines().any(heading)
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
    let Some((slot, rest)) = word.split_once('/') else { return false };
    let Some((port, channel)) = rest.split_once('.') else { return false };
    let (channel, logical) = channel.split_once('/').unwrap_or((channel, "0"));
    [slot, port, channel, logical].into_iter().all(is_number)
}
