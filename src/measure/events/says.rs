//! One sentence about an event, in English or Dutch.

use chrono_tz::Tz;

use crate::{
    language::Language,
    measure::window::local,
    record::{Event, Timestamp, What},
};

/// The sentence. Names of devices stand in it as they are: whoever shows it escapes them.
#[must_use]
pub fn says(event: &Event, tz: Tz, language: Language) -> String {
    let words = Words::of(language);
    let time = |ts: Timestamp| local(tz, ts).format("%Y-%m-%d %H:%M").to_string();
    let place = match (&event.upstream, &event.node) {
        (Some(upstream), Some(node)) => format!("{} {upstream} ({node})", event.cmts),
        (Some(upstream), None) => format!("{} {upstream}", event.cmts),
        (None, Some(node)) => words.of.replace("{node}", node).replace("{cmts}", &event.cmts),
        (None, None) => event.cmts.clone(),
    };
    let who = match event.upstream {
        Some(_) => place,
        None => words.upstreams.replace("{n}", &event.upstreams.to_string()).replace("{place}", &place),
    };
    let since = event.since.map(time).unwrap_or_default();
    let mut said = match event.what {
        What::Opened | What::Grew => {
            let change = match (event.from, event.to) {
                (Some(from), Some(to)) => {
                    words.fell.replace("{from}", from.word()).replace("{to}", to.word())
                }
                _ => words.fell_below.to_owned(),
            };
            format!("{who} {change} {} {since}", words.since)
        }
        What::Closed => {
            let held = event.to.map(|m| words.at.replace("{m}", m.word())).unwrap_or_default();
            words
                .back
                .replace("{who}", &who)
                .replace("{at}", &held)
                .replace("{ts}", &time(event.ts))
                .replace("{since}", &since)
        }
    };
    if let Some(lost) = event.lost_mbps {
        said += &words.lost.replace("{n}", &number(lost, language));
    }
    if let Some(modems) = event.modems {
        said += &words.modems.replace("{n}", &modems.to_string());
    }
    said + "."
}

fn number(number: f64, language: Language) -> String {
    let text = format!("{number:.1}");
    match language {
        Language::En => text,
        Language::Nl => text.replace('.', ","),
    }
}

struct Words {
    upstreams: &'static str,
    of: &'static str,
    fell: &'static str,
    fell_below: &'static str,
    since: &'static str,
    back: &'static str,
    at: &'static str,
    lost: &'static str,
    modems: &'static str,
}

impl Words {
    fn of(language: Language) -> Self {
        match language {
            Language::En => Words {
                upstreams: "{n} upstreams of {place}",
                of: "{node} on {cmts}",
                fell: "fell from {from} to {to}",
                fell_below: "fell below what is expected",
                since: "at",
                back: "{who}: over at {ts}{at}, began at {since}",
                at: ", now at {m}",
                lost: ", {n} Mbit/s lost",
                modems: ", {n} modems",
            },
            Language::Nl => Words {
                upstreams: "{n} upstreams van {place}",
                of: "{node} op {cmts}",
                fell: "gezakt van {from} naar {to}",
                fell_below: "gezakt tot onder de verwachting",
                since: "om",
                back: "{who}: voorbij om {ts}{at}, begonnen om {since}",
                at: ", nu op {m}",
                lost: ", {n} Mbit/s verloren",
                modems: ", {n} modems",
            },
        }
    }
}
