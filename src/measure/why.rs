//! `why`: what is wrong with an upstream, in words of a closed set, each of them an exact condition on its
//! numbers and on those of its neighbours. Pure.

use std::collections::{BTreeMap, HashMap};

use super::arithmetic::{Numbers, percent};
use crate::{modulation::Modulation, record::Why};

/// `chronic`: from so many of the last 14 days on.
const CHRONIC_FROM: u32 = 7;
/// `stuck_low`: below what is expected for at least this part of the time, %.
const STUCK_PCT: f64 = 95.0;
/// `gap`: observed for less than this part of the time that has passed, %.
const GAP_PCT: f64 = 90.0;

/// What is wrong with an upstream, in the order of [`Why::ALL`]:
///
/// - `chronic`: `chronic_days` is at least 7.
/// - `stuck_low`: it ran below what is expected for at least 95 % of the observed time that has bits,
///   maintenance left out.
/// - `flapping`: the row's own `flapping`.
/// - `stepped_down`: it stepped down in the window, its last sample is below what is expected, and it is not
///   `stuck_low`: it fell and has not come back.
/// - `incident`: one of its steps down belongs to an incident outside maintenance.
/// - `gap`: `coverage_pct` is less than 90.
/// - `unknown_profile`: a sample of the window is UNKNOWN.
/// - `unconfirmed_profile`: its last sample of which that is known rests on the built-in profile table: the device
///   gave a number, and did not say what it means.
/// - `never_better`: what its neighbours do was out of its reach. Without `--expected`: the `expected` of its
///   own (the best it held in the days that count) is below the yardstick of its CMTS ([`yardsticks`]), so that nothing
///   counts as lost, and only the neighbours show that it could do better. With it: nothing that it held in the
///   window reaches that.
#[must_use]
pub fn why(numbers: &Numbers, about: Circumstances) -> Vec<Why> {
    let time = numbers.time_with_bits();
    let is_low = |m: Modulation| numbers.expected.is_some_and(|expected| is_below(m, expected));
    let is_stuck = time > 0 && percent(numbers.degraded_s, time) >= STUCK_PCT;
    let holds = |why: Why| match why {
        Why::Chronic => numbers.chronic_days >= CHRONIC_FROM,
        Why::StuckLow => is_stuck,
        Why::Flapping => numbers.flapping,
        Why::SteppedDown => numbers.hops_down > 0 && is_low(numbers.last()) && !is_stuck,
        Why::Incident => about.is_in_incident,
        Why::Gap => numbers.coverage_pct() < GAP_PCT,
        Why::UnknownProfile => numbers.counts[Modulation::Unknown.index()] > 0,
        Why::UnconfirmedProfile => about.is_unconfirmed,
        Why::NeverBetter => about.yardstick.is_some_and(|yardstick| is_out_of_reach(numbers, yardstick)),
    };
    Why::ALL.into_iter().filter(|&why| holds(why)).collect()
}

/// What is known of an upstream besides its numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// It was in an incident outside maintenance.
    pub is_in_incident: bool,
    /// Its modulation rests on the built-in profile table.
    pub is_unconfirmed: bool,
    /// What it is measured by.
    pub yardstick: Option<Yardstick>,
}

/// What an upstream is measured by besides itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Yardstick {
    /// `--expected`.
    Told(Modulation),
    /// What most upstreams of its CMTS are expected to run at.
    Neighbours(Modulation),
}

fn is_out_of_reach(numbers: &Numbers, yardstick: Yardstick) -> bool {
    match yardstick {
        Yardstick::Told(told) => {
            let held = |m: &Modulation| numbers.time[m.index()] > 0 && m.bits().is_some();
            let mut held = Modulation::ALL.into_iter().filter(held).peekable();
            held.peek().is_some() && held.all(|m| is_below(m, told))
        }
        Yardstick::Neighbours(usual) => numbers.expected.is_some_and(|own| is_below(own, usual)),
    }
}

fn is_below(a: Modulation, b: Modulation) -> bool {
    a.bits().zip(b.bits()).is_some_and(|(a, b)| a < b)
}

/// The yardstick of each CMTS: the `expected` that most of its upstreams have; of two that are as frequent the
/// better one.
#[must_use]
pub fn yardsticks<'a>(upstreams: impl Iterator<Item = (u32, &'a Numbers)>) -> HashMap<u32, Modulation> {
    let mut often: HashMap<u32, BTreeMap<Modulation, u32>> = HashMap::new();
    for (cmts, numbers) in upstreams {
        if let Some(expected) = numbers.expected {
            *often.entry(cmts).or_default().entry(expected).or_default() += 1;
        }
    }
    let usual =
        |often: BTreeMap<Modulation, u32>| often.into_iter().max_by_key(|&(m, n)| (n, m)).map(|(m, _)| m);
    often.into_iter().filter_map(|(cmts, often)| Some((cmts, usual(often)?))).collect()
}

#[cfg(test)]
mod tests {
    use Modulation::{Qam16, Qam64, Qpsk, Unknown};

    use super::*;
    use crate::{
        measure::{Window, arithmetic::Frame, tally::numbers_of},
        record::Timestamp,
    };

    /// A day of samples every ten minutes, `sample` by the number of each; before it a day at `before`.
    fn day(
        told: Option<Modulation>,
        before: Modulation,
        sample: impl Fn(i64) -> Option<Modulation>,
    ) -> Numbers {
        let frame = Frame {
            window: Window { from: Timestamp(864_000), to: Timestamp(950_400) },
            end: Timestamp(950_400),
            hold: 1500,
            expected_days: 90,
            hourly: true,
            before: None,
            step_s: None,
        };
        let sample = |step: i64| {
            let modulation = if step < 0 { Some(before) } else { sample(step) };
            modulation.map(|modulation| (Timestamp(864_000 + step * 600), modulation))
        };
        numbers_of(&frame, told, &[], (-144..144).filter_map(sample))
    }

    fn words(numbers: &Numbers, yardstick: Option<Yardstick>) -> String {
        why(numbers, Circumstances { yardstick, ..Circumstances::default() })
            .into_iter()
            .map(Why::word)
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn each_word_has_its_condition() {
        let said = |sample: &dyn Fn(i64) -> Option<Modulation>| words(&day(None, Qam64, sample), None);
        assert_eq!(said(&|_| Some(Qam64)), "");
        assert_eq!(said(&|_| Some(Qam16)), "stuck_low");
        assert_eq!(said(&|step| Some(if step < 7 { Qam64 } else { Qam16 })), "stuck_low");
        assert_eq!(said(&|step| Some(if step < 8 { Qam64 } else { Qam16 })), "stepped_down");
        // It came back: the hops and the loss show that.
        assert_eq!(said(&|step| Some(if step < 140 { Qam16 } else { Qam64 })), "stuck_low");
        assert_eq!(said(&|step| Some(if step < 20 { Qam16 } else { Qam64 })), "");
        assert_eq!(said(&|step| Some(if step % 2 == 0 { Qam64 } else { Qam16 })), "flapping stepped_down");
        assert_eq!(said(&|step| (step >= 15).then_some(Qam64)), "");
        assert_eq!(said(&|step| (step >= 17).then_some(Qam64)), "gap");
        assert_eq!(said(&|step| Some(if step == 9 { Unknown } else { Qam64 })), "unknown_profile");
        let both = Circumstances { is_in_incident: true, is_unconfirmed: true, yardstick: None };
        let well = day(None, Qam64, |_| Some(Qam64));
        assert_eq!(why(&well, both), [Why::Incident, Why::UnconfirmedProfile]);
    }

    #[test]
    fn who_was_never_better_is_seen_by_the_neighbours_or_the_users_word() {
        let low = day(None, Qpsk, |_| Some(Qpsk));
        assert_eq!(words(&low, None), "");
        assert_eq!(words(&low, Some(Yardstick::Neighbours(Qam64))), "never_better");
        assert_eq!(words(&low, Some(Yardstick::Neighbours(Qpsk))), "");
        // It can do better, as yesterday shows: that it does not is another matter.
        let fallen = day(None, Qam64, |_| Some(Qpsk));
        assert_eq!(words(&fallen, Some(Yardstick::Neighbours(Qam64))), "stuck_low");
        let told = Some(Qam64);
        let reached = day(told, Qpsk, |step| Some(if step == 3 { Qam64 } else { Qpsk }));
        assert_eq!(words(&reached, Some(Yardstick::Told(Qam64))), "stuck_low");
        let low = day(told, Qpsk, |_| Some(Qpsk));
        assert_eq!(words(&low, Some(Yardstick::Told(Qam64))), "stuck_low never_better");
        let dark = day(told, Unknown, |_| Some(Unknown));
        assert_eq!(words(&dark, Some(Yardstick::Told(Qam64))), "unknown_profile");
    }

    #[test]
    fn the_yardstick_of_a_cmts_is_what_most_of_its_upstreams_do() {
        let numbers: Vec<_> = [Qam64, Qam64, Qpsk, Qam16, Qpsk].map(|m| day(None, m, |_| Some(m))).into();
        let of = |cmts: u32, which: &[usize]| which.iter().map(|&n| (cmts, &numbers[n])).collect::<Vec<_>>();
        let all = [of(1, &[0, 1, 2]), of(2, &[2, 3, 4]), of(3, &[0, 2])].concat();
        let found = yardsticks(all.into_iter());
        assert_eq!(found, HashMap::from([(1, Qam64), (2, Qpsk), (3, Qam64)]));
    }
}
