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

/// By CMTS and upstream one modulation for each day.
type Strips = BTreeMap<String, BTreeMap<String, Vec<Option<Modulation>>>>;

/// The last days of all upstreams.
#[derive(Debug, Default)]
pub struct Past {
    tz: String,
    interval_s: u64,
    days: Vec<Day>,
    strips: Strips,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Day {
    date: String,
    made: String,
}

/// The file: of each CMTS its upstreams, and the days of each.
#[derive(Serialize, Deserialize)]
struct Written<Text> {
    v: u32,
    kind: Text,
    tz: Text,
    interval_s: u64,
    days: Vec<Day>,
    rows: Vec<(Text, Vec<Text>, Vec<String>)>,
}

impl Past {
    /// Reads the days that are kept in a database; `before` is the file as it was.
    pub fn read(database: &mut dyn Database, calendar: Calendar, before: Option<&str>) -> Result<Self> {
        let heads = if database.keeps_days() { database.day_heads()? } else { Vec::new() };
        let mut dates: Vec<(NaiveDate, Day)> =
            heads.iter().filter(|head| calendar.is_of(head)).map(|head| (head.day, Day::of(head))).collect();
        dates.sort_by_key(|&(date, _)| date);
        dates.drain(..dates.len().saturating_sub(DAYS));
        let days: Vec<Day> = dates.iter().map(|(_, day)| day.clone()).collect();
        let (tz, interval_s) = (calendar.tz.name(), calendar.interval_s);
        let is_like = |known: &Past| known.tz == tz && known.interval_s == interval_s;
        let known = before.and_then(Past::of_text).filter(is_like).unwrap_or_default();
        let is_known: Vec<bool> = days.iter().map(|day| known.days.contains(day)).collect();
        let strips = known.strips_of(&days);
        let mut past = Past { tz: tz.to_owned(), interval_s, days, strips };
        for (at, (date, _)) in dates.into_iter().enumerate().filter(|&(at, _)| !is_known[at]) {
            database.day_rows(date, false, &mut |row| {
                if let Some(lowest) = lowest(row.time_s) {
                    past.strip(row.cmts, row.upstream)[at] = Some(lowest);
                }
                Ok(())
            })?;
        }
        Ok(past)
    }

    fn strip(&mut self, cmts: &str, upstream: &str) -> &mut Vec<Option<Modulation>> {
        if !self.strips.contains_key(cmts) {
            self.strips.insert(cmts.to_owned(), BTreeMap::new());
        }
        let days = self.days.len();
        let strips = self.strips.entry(cmts.to_owned()).or_default();
        strips.entry(upstream.to_owned()).or_insert_with(|| vec![None; days])
    }

    /// What it knows of other days: of those that are still the same.
    fn strips_of(self, days: &[Day]) -> Strips {
        let Past { days: known, mut strips, .. } = self;
        if known == days {
            return strips;
        }
        let place = |day: &Day| known.iter().position(|known| known == day);
        let places: Vec<Option<usize>> = days.iter().map(place).collect();
        for upstreams in strips.values_mut() {
            for strip in upstreams.values_mut() {
                *strip = places.iter().map(|&place| *strip.get(place?)?).collect();
            }
            upstreams.retain(|_, strip| strip.iter().any(Option::is_some));
        }
        strips
    }

    /// Out of a file; none when it is not one.
    fn of_text(text: &str) -> Option<Self> {
        let Written::<String> { v, kind, tz, interval_s, days, rows } = serde_json::from_str(text).ok()?;
        if (v, kind.as_str()) != (1, KIND) || days.len() > DAYS {
            return None;
        }
        let strip = |text: String| {
            let mut strip = of_text(&text);
            strip.resize(days.len(), None);
            strip
        };
        let of_cmts = |(cmts, upstreams, texts): (String, Vec<String>, Vec<String>)| {
            (cmts, upstreams.into_iter().zip(texts.into_iter().map(strip)).collect())
        };
        let strips = rows.into_iter().map(of_cmts).collect();
        Some(Past { tz, interval_s, days, strips })
    }

    /// The file, with the upstreams that are `wanted`.
    #[must_use]
    pub fn to_json(&self, wanted: impl Fn(&str, &str) -> bool) -> String {
        let mut rows = Vec::new();
        for (cmts, upstreams) in &self.strips {
            let wanted = upstreams.iter().filter(|(upstream, _)| wanted(cmts, upstream));
            let (names, texts): (Vec<&str>, Vec<String>) =
                wanted.map(|(upstream, strip)| (upstream.as_str(), text_of(strip.iter().copied()))).unzip();
            if !names.is_empty() {
                rows.push((cmts.as_str(), names, texts));
            }
        }
        let days = self.days.clone();
        let written = Written { v: 1, kind: KIND, tz: &self.tz, interval_s: self.interval_s, days, rows };
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
        next.strips = read.strips_of(&next.days);
        assert_eq!(next.strips["__proto__"]["1/\"1"], [Some(Modulation::Qam16), None, None]);
        assert_eq!(next.to_json(|_, upstream| upstream == "2"), next.to_json(|_, _| false));
        assert!(Past::of_text("{}").is_none() && Past::of_text("").is_none());
    }
}
