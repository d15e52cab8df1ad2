//! A finished day of one upstream as `modulation_day` keeps it: two JSON objects, of which the first is
//! the time by modulation, and the second leaves out whatever is nought.

use serde::{Deserialize, Serialize};

use super::arithmetic::{Day, PerIndex, WITH_BITS, hours_of, strip};
use crate::{modulation::Modulation, record::PerModulation};

/// The version of what stands in a row, and of the arithmetic behind it. A day of another one is made anew.
pub const RULES: u32 = 1;

/// What a finished day keeps of an upstream.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its numbers.
    pub day: Day,
    /// When it stepped down, seconds from the begin of the day: incidents are made of these.
    pub steps_down: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
struct Finished {
    last: Modulation,
    counts: PerModulation<u32>,
    #[serde(default, skip_serializing_if = "is_zero")]
    hops: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    hops_down: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    hops_up: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    hops_seed: u32,
    /// The longest stretch below each modulation with bits, s.
    #[serde(default, skip_serializing_if = "is_all_zero")]
    longest_below_s: [u32; WITH_BITS],
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    flapping: bool,
    hours: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    steps_down_s: Vec<u32>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn is_all_zero(numbers: &[u32]) -> bool {
    numbers.iter().all(|&number| number == 0)
}

fn named(numbers: &PerIndex) -> PerModulation<u32> {
    Modulation::ALL.into_iter().map(|m| (m, numbers[m.index()])).filter(|&(_, n)| n > 0).collect()
}

fn indexed(numbers: &PerModulation<u32>) -> PerIndex {
    Modulation::ALL.map(|m| numbers.get(&m).copied().unwrap_or(0))
}

impl Line {
    /// The columns `time_s` and `finished`.
    #[must_use]
    pub fn to_columns(&self) -> (String, String) {
        let Line { day, steps_down } = self;
        let finished = Finished {
            last: day.last,
            counts: named(&day.counts),
            hops: day.hops,
            hops_down: day.hops_down,
            hops_up: day.hops_up,
            hops_seed: day.hops_seed,
            longest_below_s: day.longest_below,
            flapping: day.flapping,
            hours: strip(&day.hours),
            steps_down_s: steps_down.clone(),
        };
        let json = |value: serde_json::Result<String>| value.unwrap_or_default();
        (json(serde_json::to_string(&named(&day.time))), json(serde_json::to_string(&finished)))
    }

    /// Out of the two columns.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn of_columns(time_s: &str, finished: &str) -> serde_json::Result<Self> {
        let finished: Finished = serde_json::from_str(finished)?;
        let day = Day {
            last: finished.last,
            counts: indexed(&finished.counts),
            time: time_of_column(time_s)?,
            hops: finished.hops,
            hops_down: finished.hops_down,
            hops_up: finished.hops_up,
            hops_seed: finished.hops_seed,
            longest_below: finished.longest_below_s,
            flapping: finished.flapping,
            hours: hours_of(&finished.hours),
        };
        Ok(Line { day, steps_down: finished.steps_down_s })
    }

    /// Samples in the day.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.day.counts.iter().map(|&n| u64::from(n)).sum()
    }
}

/// Out of the column `time_s`.
///
/// # Errors
/// What is wrong with it.
pub fn time_of_column(time_s: &str) -> serde_json::Result<PerIndex> {
    serde_json::from_str(time_s).map(|time| indexed(&time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_back_as_it_was_written() {
        let mut day = Day {
            last: Modulation::Unknown,
            counts: [1, 2, 3, 4, 5, 6, 7, 8, 9],
            time: [0, 0, 0, 0, 86_400, 0, 0, 1, 2],
            hops: 4,
            hops_down: 1,
            hops_up: 2,
            hops_seed: 3,
            longest_below: [0, 1, 2, 3, 4, 5, 6],
            flapping: true,
            hours: (0..9).chain([u8::MAX; 16]).collect(),
        };
        let line = Line { day: day.clone(), steps_down: vec![0, 86_399] };
        let (time_s, finished) = line.to_columns();
        assert_eq!(time_s, r#"{"QAM64":86400,"OFDMA":1,"UNKNOWN":2}"#);
        assert_eq!(Line::of_columns(&time_s, &finished).expect("its own"), line);
        day.longest_below = [0; WITH_BITS];
        day.flapping = false;
        let quiet = Line { day, steps_down: Vec::new() };
        let (time_s, finished) = quiet.to_columns();
        assert!(!finished.contains("steps_down") && !finished.contains("flapping"), "{finished}");
        assert_eq!(Line::of_columns(&time_s, &finished).expect("its own"), quiet);
        assert!(Line::of_columns("{}", "{}").is_err());
    }
}
