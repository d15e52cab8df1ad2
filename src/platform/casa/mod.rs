//! Casa C100G and C40G, CommScope EVO vCCAP: the session and the parser. The hop history tells the state
//! of every channel that ever hopped; of the others the configuration does.

mod config;
mod hops;
mod profiles;

use foldhash::HashSet;

use super::{
    Answer, Dialogue, Facts, Family, Need, Parsed, Platform, Reading, Step, Taken, Upstream,
    asked::Asked,
    collector::{Collector, Line, lines_of},
    error_text,
    lines::{Words, cut, is_number, lower_case, noise, starts_with, words},
    modems::{Modems, is_heading},
};
use crate::{modulation::Modulation, record::Source};
use config::Config;
use hops::Hops;
use profiles::Profiles;

/// Modulation hops, newest first.
const HOPS: &str = "show spectrum hop-history";
const PROFILES: &str = "show modulation-profile";
/// What the channels are configured to: the state of those that never hopped.
const BASE: &str = "show interface upstream";
/// Modems per upstream; and where the upstreams are learned when the device refuses [`HOPS`] as a whole.
const SUMMARY: &str = "show cable modem summary";

/// The Casa family.
pub struct Casa;

impl Family for Casa {
    fn facts(&self) -> &'static Facts {
        &Facts {
            product: "Casa C100G and C40G, CommScope EVO vCCAP",
            name_glob: Some("*CCAP1[0-9][0-9]*"),
            log_target: module_path!(),
            debug_setting: "DEBUG_CCAP1",
            built_in: &[(364, Modulation::Qam64), (316, Modulation::Qam16), (300, Modulation::Qpsk)],
        }
    }

    fn dialogue(&self) -> Option<&'static Dialogue> {
        Some(&Dialogue {
            setup: &[&["page-off", "page off"]],
            user_mode: false,
            logout: "logout",
            detect: ("show version", &["casa"]),
        })
    }

    fn script(&self, answers: &[Answer<'_>]) -> Vec<Step> {
        let mut steps = vec![Step::needed(HOPS), Step::background(PROFILES), Step::background(BASE)];
        let said = |command: &str| answers.iter().find(|answer| answer.command == command && answer.complete);
        if said(HOPS).is_none_or(|answer| error_text(answer.output).is_none()) {
            steps.push(Step::extra(SUMMARY, false));
        } else {
            steps[0].need = Need::Optional;
            steps.push(Step::needed(SUMMARY));
            if let Some(summary) = said(SUMMARY).filter(|answer| answer.is_good()) {
                let names = summary_upstreams(summary.output);
                steps.extend(names.into_iter().map(|name| Step::needed(format!("{HOPS} upstream {name}"))));
            }
        }
        steps
    }

    fn further(&self) -> &'static [(&'static str, &'static str)] {
        &[(
            "show spectrum hop-history upstream UPSTREAM",
            "for each, when the hop history is refused as a whole",
        )]
    }

    fn parse<'a>(&self, answers: &[Answer<'a>], reading: &mut Reading<'_>) -> Parsed<'a> {
        let mut collector = Collector::new(Platform::Casa, reading);
        let doubt_of_summary = self.doubt_of_summary(answers);
        let mut scan = Scan { fails_by_summary: doubt_of_summary.is_some(), ..Scan::default() };
        for (place, answer) in answers.iter().enumerate().filter(|(_, answer)| answer.is_good()) {
            scan.answer(place, answer, &mut collector);
        }
        let doubt = doubt_of_summary.or_else(|| scan.doubt());
        scan.upstreams(&mut collector);
        let fault = doubt.or_else(|| scan.shortfall(collector.is_empty()));
        let mut parsed = collector.finish(fault);
        scan.modems.describe(&mut parsed.upstreams);
        parsed
    }
}

impl Casa {
    /// Why the scan must not be believed where the summary names the upstreams. Where it only counts modems, one that is
    /// not understood costs nothing but them.
    fn doubt_of_summary(&self, answers: &[Answer<'_>]) -> Option<String> {
        let summary = answers.iter().find(|answer| answer.command == SUMMARY && answer.is_good())?;
        let is_bad = !is_summary(summary.output) && self.need(SUMMARY, answers) == Need::Needed;
        is_bad.then(|| format!("{SUMMARY}: no header and no row that is known"))
    }
}

/// What commands ask for, the first that fits.
const ASKED: [(&str, Asked); 4] = [
    (HOPS, Asked::Upstreams),
    ("modulation-profile", Asked::Profiles),
    (BASE, Asked::Configuration),
    (SUMMARY, Asked::Modems),
];

/// What the answers told so far.
#[derive(Default)]
struct Scan<'a> {
    hops: Hops<'a>,
    config: Config<'a>,
    profiles: Profiles<'a>,
    modems: Modems<'a>,
    /// A summary that was needed is none.
    fails_by_summary: bool,
    /// A command for hops whose answer holds text, and nothing of it is known.
    strange: Option<&'a str>,
    /// A command for the configuration was answered: by nothing, by text that is not known, or by interfaces.
    configured: Configured<'a>,
}

/// How the configuration was answered.
#[derive(Clone, Copy, Default)]
enum Configured<'a> {
    #[default]
    NotAsked,
    Read,
    /// This command's answer holds text, and no upstream interface.
    NotUnderstood(&'a str),
}

impl<'a> Scan<'a> {
    fn answer(&mut self, place: usize, answer: &Answer<'a>, collector: &mut Collector<'_, '_, 'a>) {
        let asked = Asked::by(answer.command, &ASKED);
        let mut page = Page { asked, known_hops: false, interfaces: false, strays: Vec::new(), text: false };
        self.config.close();
        self.profiles.close();
        for line in lines_of(place, answer) {
            self.line(line, &mut page, collector);
        }
        for line in std::mem::take(&mut page.strays) {
            // A configuration without an interface that is known was asked for, and cannot be judged.
            let taken = match asked {
                Asked::Configuration if !page.interfaces => Taken::Unparsed("no upstream interface"),
                _ => Taken::Ignored("no table"),
            };
            collector.text(line, taken);
        }
        if page.known_hops || page.interfaces {
            collector.known();
        }
        match asked {
            Asked::Profiles => collector.end_of_profiles(answer.command),
            Asked::Modems if self.fails_by_summary => collector.end_of_answer(answer.command, false),
            _ => collector.end_of_answer(answer.command, asked != Asked::Anything),
        }
        match asked {
            Asked::Upstreams if page.text && !page.known_hops => {
                self.strange = self.strange.or(Some(answer.command));
            }
            Asked::Configuration => self.configured = self.configured.and(&page, answer.command),
            Asked::Anything if page.interfaces => self.configured = Configured::Read,
            _ => {}
        }
    }

    fn line(&mut self, line: Line<'a>, page: &mut Page<'a>, collector: &mut Collector<'_, '_, 'a>) {
        let asked = page.asked;
        if asked == Asked::Modems {
            return match self.modems.line(line.text, is_upstream) {
                Some(taken) => collector.take(line, taken),
                None => match noise(line.text, line.percent) {
                    Some(why) => collector.take(line, Taken::Ignored(why)),
                    None => collector.text(line, Taken::Ignored("no table")),
                },
            };
        }
        if asked == Asked::Configuration
            && !self.profiles.is_open()
            && let Some(taken) = self.config.again(line.text)
        {
            return collector.take(line, taken);
        }
        let words = words(line.text);
        if asked.may(Asked::Profiles)
            && let Some(taken) = self.profiles.line(words.clone(), &mut collector.profiles)
        {
            self.config.close();
            return collector.profile(line, taken);
        }
        if asked.may(Asked::Configuration)
            && let Some(taken) = self.config.line(line.text, words.clone())
        {
            self.profiles.close();
            page.interfaces |= matches!(taken, Taken::Header(_));
            return collector.take(line, taken);
        }
        if (asked == Asked::Upstreams || asked == Asked::Anything && may_be_of_hops(words.clone()))
            && let Some(taken) = self.hops.line(line, words)
        {
            page.known_hops = true;
            // The newest hop of a channel becomes the sample, and is reported when all hops are read.
            if !matches!(taken, Taken::Row(_)) {
                collector.take(line, taken);
            }
            return;
        }
        if let Some(why) = noise(line.text, line.percent) {
            return collector.take(line, Taken::Ignored(why));
        }
        page.text = true;
        if asked == Asked::Upstreams || page.known_hops {
            collector.take(line, Taken::Unparsed("no row of the hop history"));
        } else if asked == Asked::Configuration && page.strays.len() < STRAYS {
            page.strays.push(line);
        } else {
            collector.text(line, Taken::Ignored("no table"));
        }
    }

    /// Why the scan must not be believed. An empty hop history is what a device prints on which nothing ever
    /// hopped, often without as much as a header: it is believed as long as something else shows that
    /// upstreams can be read, the configuration or the history of another channel. Text of which nothing is
    /// known is never taken for emptiness, for then hops would be missed and the configuration believed.
    fn doubt(&self) -> Option<String> {
        if let Some(command) = self.strange {
            return Some(format!("{command}: no header and no row that is known"));
        }
        let seen = self.hops.seen() || self.config.seen();
        (!seen).then(|| format!("{HOPS}: neither it nor the configuration shows a header that is known"))
    }

    /// Why a scan without an upstream is a fault: the configuration shows some, or could not be read.
    fn shortfall(&self, is_empty: bool) -> Option<String> {
        if !is_empty {
            return None;
        }
        match self.configured {
            _ if self.config.in_service() => {
                Some(format!("{BASE}: it shows upstream interfaces, and no profile of any"))
            }
            Configured::Read => None,
            Configured::NotAsked => {
                Some(format!("{HOPS}: it names no upstream, and the configuration was not read"))
            }
            Configured::NotUnderstood(command) => {
                Some(format!("{command}: no upstream interface that is known"))
            }
        }
    }

    fn upstreams(&mut self, collector: &mut Collector<'_, '_, 'a>) {
        let channel_type = |profile| self.profiles.channel_type(profile).map(lower_case);
        for hop in self.hops.newest() {
            let place = self.config.take(hop.upstream);
            let Some(profile) = hop.profile else { continue };
            if place.as_ref().is_some_and(|place| place.shut) {
                collector.take(hop.line, Taken::Ignored("shut down"));
                continue;
            }
            let mut upstream = Upstream::named(hop.upstream, Source::HopHistory);
            upstream.profile = Some(profile);
            upstream.channel_type = channel_type(profile);
            if let Some(place) = place {
                place.describe(&mut upstream);
            }
            collector.upstream(hop.line, upstream);
        }
        for (name, place) in self.config.rest() {
            let Some(profile) = place.profile.filter(|_| !place.shut) else { continue };
            let mut upstream = Upstream::named(name, Source::Config);
            upstream.profile = Some(profile);
            upstream.channel_type = channel_type(profile);
            place.describe(&mut upstream);
            collector.insert(upstream);
        }
    }
}

/// So many lines of an answer are kept until its end shows what they were.
const STRAYS: usize = 1000;

/// What one answer showed so far.
struct Page<'a> {
    asked: Asked,
    known_hops: bool,
    interfaces: bool,
    /// Lines that nothing explains, where a configuration was asked for.
    strays: Vec<Line<'a>>,
    text: bool,
}

impl<'a> Configured<'a> {
    /// The best of what was known and what an answer shows.
    fn and(self, page: &Page<'a>, command: &'a str) -> Self {
        match self {
            Configured::Read => self,
            _ if page.interfaces || !page.text => Configured::Read,
            _ => Configured::NotUnderstood(command),
        }
    }
}

/// Whether a line can belong to a hop history, where nothing says which command it answers: a row, or a heading
/// that speaks of hops.
fn may_be_of_hops(mut words: Words<'_>) -> bool {
    words.clone().next().is_some_and(is_upstream) || words.any(|word| starts_with(word, "hop"))
}

/// Whether an output is a modem summary at all, be it an empty one.
fn is_summary(output: &str) -> bool {
    summary_rows(output).next().is_some() || output.lines().any(is_heading)
}

/// The upstreams of a modem summary, in its order, each once.
fn summary_upstreams(output: &str) -> Vec<&str> {
    let mut seen = HashSet::default();
    summary_rows(output).filter(|name| seen.insert(*name)).collect()
}

/// The upstream of each row of a modem summary.
fn summary_rows(output: &str) -> impl Iterator<Item = &str> {
    output.lines().filter_map(|line| line.split_whitespace().find(|word| is_upstream(word)))
}

/// `slot/port.channel`, or `slot/port.channel/logical`.
fn is_upstream(word: &str) -> bool {
    let Some((slot, rest)) = cut(word, b'/') else { return false };
    let Some((port, channel)) = cut(rest, b'.') else { return false };
    let (channel, logical) = cut(channel, b'/').unwrap_or((channel, "0"));
    [slot, port, channel, logical].into_iter().all(is_number)
}
