//! One sentence about an upstream, for tables, mails, pages and tickets: made of held time only, so that it
//! claims nothing of time that was not observed.

use std::time::Duration;

use chrono_tz::Tz;

use super::{
    arithmetic::{Numbers, WITH_BITS, percent},
    window::local,
};
use crate::{language::Language, modulation::Modulation, units};

/// The sentence.
#[must_use]
pub fn says(numbers: &Numbers, tz: Tz, language: Language) -> String {
    let words = Words::of(language);
    let observed = words.observed(numbers);
    let Some(expected) = numbers.expected else { return format!("{}; {observed}.", words.no_bits) };
    let below = held_below(numbers, expected);
    let Some(&(most, most_s)) = below.iter().max_by_key(|&&(m, s)| (s, std::cmp::Reverse(m))) else {
        return format!("{}; {observed}.", words.never_below.replace("{}", expected.word()));
    };
    let mut said = words
        .instead
        .replace("{most}", most.word())
        .replace("{expected}", expected.word())
        .replace("{for}", &human(most_s));
    if let Some(&(lowest, lowest_s)) = below.first().filter(|&&(lowest, _)| lowest != most) {
        said += &words.lowest.replace("{m}", lowest.word()).replace("{for}", &human(lowest_s));
    }
    if below.len() > 1 {
        said += &words.below_in_all.replace("{for}", &human(numbers.degraded_s));
    }
    if let Some(since) = numbers.since {
        said += &words.since.replace("{}", &local(tz, since).format("%Y-%m-%d %H:%M").to_string());
    }
    match numbers.recovered {
        0 => {}
        1 => said += words.recovered_once,
        times => said += &words.recovered.replace("{}", &times.to_string()),
    }
    format!("{said}; {observed}.")
}

/// Time at each modulation below what is expected, lowest first, maintenance left out.
fn held_below(numbers: &Numbers, expected: Modulation) -> Vec<(Modulation, u64)> {
    let held = |m: &Modulation| u64::from(numbers.time[m.index()] - numbers.maintained[m.index()]);
    let below = Modulation::ALL[..WITH_BITS].iter().take(expected.index());
    below.map(|m| (*m, held(m))).filter(|&(_, s)| s > 0).collect()
}

fn human(seconds: u64) -> String {
    units::human(Duration::from_secs(seconds))
}

struct Words {
    no_bits: &'static str,
    never_below: &'static str,
    instead: &'static str,
    lowest: &'static str,
    below_in_all: &'static str,
    since: &'static str,
    recovered_once: &'static str,
    recovered: &'static str,
    observed: &'static str,
    decimal: char,
}

const ENGLISH: Words = Words {
    no_bits: "No modulation with bits was seen",
    never_below: "Never below {} while observed",
    instead: "{most} instead of {expected} for {for}",
    lowest: ", lowest {m} for {for}",
    below_in_all: ", {for} below in all",
    since: ", below since {}",
    recovered_once: ", recovered once",
    recovered: ", recovered {} times",
    observed: "observed for {} % of the time",
    decimal: '.',
};

const DUTCH: Words = Words {
    no_bits: "Geen modulatie met bits gezien",
    never_below: "Nooit onder {} zolang er gemeten is",
    instead: "{most} in plaats van {expected} gedurende {for}",
    lowest: ", laagst {m} gedurende {for}",
    below_in_all: ", in totaal {for} eronder",
    since: ", eronder sinds {}",
    recovered_once: ", één keer hersteld",
    recovered: ", {} keer hersteld",
    observed: "gemeten gedurende {} % van de tijd",
    decimal: ',',
};

impl Words {
    fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &ENGLISH,
            Language::Nl => &DUTCH,
        }
    }

    fn observed(&self, numbers: &Numbers) -> String {
        // Cut off and not rounded: 99.96 % is not all of the time.
        let pct = (percent(numbers.observed_s(), numbers.elapsed_s) * 10.0).floor() / 10.0;
        let pct = format!("{pct}").replace('.', &self.decimal.to_string());
        self.observed.replace("{}", &pct)
    }
}
