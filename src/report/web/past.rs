//! The last days of every upstream, `data/history.json`: one small file for the strips of thirty days. It is made of
//! finished days, and of the file before: a day that stands in it as it was kept is not read again.
//!
//! ```json
//! {"v":1, "kind":"modtools-history", "tz":"Europe/Amsterdam", "interval_s":600,
//!  "days":[{"date":"2026-05-01", "made":"8640.77"}], "rows":[["CCAP001", ["1/scq/1"], ["e29a"]]]}
//! ```
//!
//! Each upstream has its days as text (`stretches`): of each the lowest modulation that was held for at least a
//! tenth of the observed time, `-` where nothing is known. `made` tells whether the kept day is still that one.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    database::{Database, DayHead, finished::Calendar},
    error::Result,
    measure::stretches::{of_text, text_of},
    modulation::Modulation,
    record::PerModulation,
};

/// Days in the file: a page of thirty days ago has its thirty days too.
const DAYS: usize = 60;
/// A modulation counts from this part of the observed time on, %.
const HELD_PCT: u64 = 10;
const KIND: &str = "modtools-history";

/// The last days of all upstreams.
#[derive(Debug, Default)]
pub struct Past {
    tz: String,
    interval_s: u64,
    days: Vec<Day>,
    /// By CMTS and upstream, one for each day.
    strips: BTreeMap<String, BTreeMap<String, Vec<Option<Modulation>>>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Day {
    date: String,
    made: String,
}

#[derive(Serialize, Deserialize)]
struct Written {
    v: u32,
    kind: String,
    tz: String,
    interval_s: u64,
    days: Vec<Day>,
    rows: Vec<(String, Vec<String>, Vec<String>)>,
}

impl Past {
    /// Reads the days that are kept in a database; `before` is the file as it was.
    pub fn read(database: &mut dyn Database, calendar: Calendar, before: Option<&str>) -> Result<Self> {
        let heads = if database.keeps_days() { database.day_heads()? } else { Vec::new() };
        let dates: BTreeMap<String, NaiveDate> =
            heads.iter().map(|head| (head.day.to_string(), head.day)).collect();
        let mut days: Vec<Day> = heads.iter().filter(|head| calendar.is_of(head)).map(Day::of).collect();
        days.sort_by(|a, b| a.date.cmp(&b.date));
        days.drain(..days.len().saturating_sub(DAYS));
        let (tz, interval_s) = (calendar.tz.name().to_owned(), calendar.interval_s);
        let mut past = Past { tz, interval_s, days, strips: BTreeMap::new() };
        let known = before.and_then(Past::of_text).filter(|known| known.is_like(&past)).unwrap_or_default();
        past.take(&known);
        for (at, day) in past.days.clone().into_iter().enumerate() {
            let date = dates.get(&day.date).filter(|_| !known.days.contains(&day));
            let Some(&date) = date else { continue };
            database.day_rows(date, false, &mut |row| {
                if let Some(lowest) = lowest(row.time_s) {
                    past.strip(row.cmts, row.upstream)[at] = Some(lowest);
                }
                Ok(())
            })?;
        }
        Ok(past)
    }

    fn is_like(&self, other: &Past) -> bool {
        self.tz == other.tz && self.interval_s == other.interval_s
    }

    fn strip(&mut self, cmts: &str, upstream: &str) -> &mut Vec<Option<Modulation>> {
        if !self.strips.contains_key(cmts) {
            self.strips.insert(cmts.to_owned(), BTreeMap::new());
        }
        let days = self.days.len();
        let strips = self.strips.entry(cmts.to_owned()).or_default();
        strips.entry(upstream.to_owned()).or_insert_with(|| vec![None; days])
    }

    /// Takes the days that are still the same.
    fn take(&mut self, known: &Past) {
        let place = |day: &Day| self.days.iter().position(|ours| ours == day);
        let places: Vec<Option<usize>> = known.days.iter().map(place).collect();
        for (cmts, upstreams) in &known.strips {
            for (upstream, strip) in upstreams {
                for (held, place) in strip.iter().zip(&places) {
                    if let (Some(held), Some(place)) = (held, place) {
                        self.strip(cmts, upstream)[*place] = Some(*held);
                    }
                }
            }
        }
    }

    /// Out of a file; none when it is not one.
    fn of_text(text: &str) -> Option<Self> {
        let Written { v, kind, tz, interval_s, days, rows } = serde_json::from_str(text).ok()?;
        if (v, kind.as_str()) != (1, KIND) || days.len() > DAYS {
            return None;
        }
        let mut past = Past { tz, interval_s, days, strips: BTreeMap::new() };
        for (cmts, upstreams, texts) in rows {
            for (upstream, text) in upstreams.iter().zip(texts) {
                let strip = past.strip(&cmts, upstream);
                strip.iter_mut().zip(of_text(&text)).for_each(|(to, held)| *to = held);
            }
        }
        Some(past)
    }

    /// The file, with the upstreams that are `wanted`.
    #[must_use]
    pub fn to_json(&self, wanted: impl Fn(&str, &str) -> bool) -> String {
        let of_cmts = |(cmts, upstreams): (&String, &BTreeMap<String, Vec<Option<Modulation>>>)| {
            let wanted = upstreams.iter().filter(|(upstream, _)| wanted(cmts, upstream));
            let (names, texts) =
                wanted.map(|(upstream, strip)| (upstream.clone(), text_of(strip.iter().copied()))).unzip();
            (cmts.clone(), names, texts)
        };
        let rows: Vec<(String, Vec<String>, Vec<String>)> = self.strips.iter().map(of_cmts).collect();
        let written = Written {
            v: 1,
            kind: KIND.to_owned(),
            tz: self.tz.clone(),
            interval_s: self.interval_s,
            days: self.days.clone(),
            rows: rows.into_iter().filter(|(_, upstreams, _)| !upstreams.is_empty()).collect(),
        };
        serde_json::to_string(&written).unwrap_or_default()
    }
}

impl Day {
    fn of(head: &DayHead) -> Self {
        Day { date: head.day.to_string(), made: format!("{}.{}", head.samples, head.made.memory) }
    }
}

/// The lowest modulation that counts of a day's times.
fn lowest(time_s: &str) -> Option<Modulation> {
    let time: PerModulation<u64> = serde_json::from_str(time_s).ok()?;
    let observed: u64 = time.values().sum();
    // In the order of the modulations, which is that of their bits.
    time.into_iter().find(|&(_, held)| held > 0 && held * 100 >= observed * HELD_PCT).map(|(m, _)| m)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(date: &str, made: &str) -> Day {
        Day { date: date.to_owned(), made: made.to_owned() }
    }

    fn past(days: &[(&str, &str)]) -> Past {
        let days = days.iter().map(|(date, made)| day(date, made)).collect();
        Past { tz: "UTC".into(), interval_s: 600, days, strips: BTreeMap::new() }
    }

    #[test]
    fn a_tenth_of_the_time_counts() {
        assert_eq!(lowest(r#"{"QPSK":8639,"QAM64":77761}"#), Some(Modulation::Qam64));
        assert_eq!(lowest(r#"{"QPSK":8640,"QAM64":77760}"#), Some(Modulation::Qpsk));
        assert_eq!(lowest("{}"), None);
        assert_eq!(lowest("{"), None);
    }

    #[test]
    fn what_is_still_the_same_is_taken_over_and_nothing_else() {
        let mut known = past(&[("2026-05-01", "1.1"), ("2026-05-02", "2.2"), ("2026-05-03", "3.3")]);
        *known.strip("__proto__", "1/\"1") =
            vec![Some(Modulation::Qpsk), Some(Modulation::Qam16), Some(Modulation::Qam64)];
        let read = Past::of_text(&known.to_json(|_, _| true)).expect("its own");
        let mut next = past(&[("2026-05-02", "2.2"), ("2026-05-03", "3.4"), ("2026-05-04", "4.4")]);
        next.take(&read);
        assert_eq!(next.strips["__proto__"]["1/\"1"], [Some(Modulation::Qam16), None, None]);
        assert_eq!(next.to_json(|_, upstream| upstream == "2"), next.to_json(|_, _| false));
        assert!(Past::of_text("{}").is_none() && Past::of_text("").is_none());
    }
}
