//! A finished day of one upstream as `modulation_day` keeps it: two JSON objects, of which the first is
//! the time by modulation, and the second leaves out whatever is nought.

use serde::{Deserialize, Serialize};

use super::{
    arithmetic::{Day, named},
    memory::Memory,
};

/// The version of what stands in a row, and of the arithmetic behind it. A day of another one is made anew as
/// long as its samples are there. A test ties it to the names of the fields.
pub const RULES: u32 = 2;

/// What a finished day keeps of an upstream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What it came to.
    #[serde(flatten)]
    pub day: Day,
    /// Its past, this day included.
    #[serde(default)]
    pub memory: Memory,
    /// When it stepped down, seconds from the begin of the day: incidents are made of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps_down_s: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
struct Time(#[serde(with = "named")] super::arithmetic::PerIndex);

impl Line {
    /// The columns `time_s` and `finished`.
    #[must_use]
    pub fn to_columns(&self) -> (String, String) {
        let json = |value: serde_json::Result<String>| value.unwrap_or_default();
        (json(serde_json::to_string(&Time(self.day.time))), json(serde_json::to_string(self)))
    }

    /// Out of the two columns.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn of_columns(time_s: &str, finished: &str) -> serde_json::Result<Self> {
        let mut line: Line = serde_json::from_str(finished)?;
        line.day.time = serde_json::from_str::<Time>(time_s)?.0;
        Ok(line)
    }

    /// Samples in the day.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.day.measurements()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modulation::Modulation;

    fn line() -> Line {
        let day = Day {
            first: Some((86_400, Modulation::Qam64)),
            last: Some((90_000, Modulation::Unknown)),
            counts: [1, 2, 3, 4, 5, 6, 7, 8, 9],
            time: [0, 0, 0, 0, 86_400, 0, 0, 1, 2],
            hops: 4,
            hops_down: 1,
            hops_up: 2,
            hops_seed: 3,
            seed: Some((Modulation::Qam64, Modulation::Qpsk)),
            head: 5,
            tail: 6,
            longest_below_s: [0, 1, 2, 3, 4, 5, 6],
            lead_s: [0, 0, 0, 0, 0, 5, 6],
            trail_s: [0, 0, 0, 0, 0, 0, 6],
            recovered: [0, 0, 1, 1, 1, 0, 0],
            below_from: [0, 0, 0, 0, 0, 86_400, 86_400],
            flapping: true,
            hours: (0..9).chain([u8::MAX; 16]).collect(),
            ..Day::default()
        };
        let mut memory = Memory::default();
        memory.follow(&day, 1500);
        memory.close(1, &[0, 0, 40, 0, 86_400, 0, 0, 0, 0]);
        memory.close(20, &[0, 0, 86_400, 0, 40, 0, 0, 0, 0]);
        Line { day, memory, steps_down_s: vec![0, 86_399] }
    }

    #[test]
    fn a_line_reads_back_as_it_was_written() {
        let line = line();
        let (time_s, finished) = line.to_columns();
        assert_eq!(time_s, r#"{"QAM64":86400,"OFDMA":1,"UNKNOWN":2}"#);
        assert_eq!(Line::of_columns(&time_s, &finished).expect("its own"), line);
        let quiet = Line::default();
        let (time_s, finished) = quiet.to_columns();
        assert_eq!(finished, r#"{"memory":{"day":0,"days":"--------------"}}"#);
        assert_eq!(Line::of_columns(&time_s, &finished).expect("its own"), quiet);
        assert!(Line::of_columns("{}", "{").is_err());
    }

    #[test]
    fn a_day_of_the_version_before_is_still_read() {
        let finished = r#"{"last":"QAM64","counts":{"QAM64":144},"hops":2,"longest_below_s":[0,0,0,0,0,7,9],"hours":"66"}"#;
        let line = Line::of_columns(r#"{"QAM64":86400}"#, finished).expect("readable");
        assert_eq!((line.samples(), line.day.longest_below_s[6], line.day.first), (144, 9, None));
        assert_eq!(line.day.last.map(|(_, modulation)| modulation), Some(Modulation::Qam64));
    }

    /// Whoever adds a field, takes one away or renames it counts the version up, so that a day that was kept
    /// without it is never read as one that has it.
    #[test]
    fn the_version_knows_its_fields() {
        let finished: serde_json::Value = serde_json::from_str(&line().to_columns().1).expect("json");
        let names = |value: &serde_json::Value| {
            let mut names: Vec<_> = value.as_object().expect("an object").keys().cloned().collect();
            names.sort();
            names.join(" ")
        };
        assert_eq!(
            (RULES, names(&finished).as_str(), names(&finished["memory"]).as_str()),
            (
                2,
                "below_from counts first flapping head hops hops_down hops_seed hops_up hours last lead_s \
                 longest_below_s memory recovered seed steps_down_s tail trail_s",
                "below_from day days held last later"
            )
        );
    }
}
