//! A finished day of one upstream as `modulation_day` keeps it: two JSON objects, of which the first is
//! the time by modulation, and the second leaves out whatever is nought.

use std::{fmt, sync::OnceLock};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{
        DeserializeSeed, Error as _, IntoDeserializer as _, MapAccess, Visitor,
        value::{self, MapAccessDeserializer},
    },
    forward_to_deserialize_any,
};

use super::{
    arithmetic::{Day, named},
    memory::Memory,
};

/// The version of the arithmetic behind a row: whoever changes what a field means counts it up.
const ARITHMETIC: u32 = 2;

/// The version of what stands in a row: the arithmetic, and the names of the fields. A day of another one is made
/// anew as long as its samples are there, so that a day that was kept without a field is never read as one that
/// has it.
#[must_use]
pub fn rules() -> u32 {
    static RULES: OnceLock<u32> = OnceLock::new();
    *RULES.get_or_init(|| version_of(&[fields_of::<Day>(), fields_of::<Memory>(), &REST].concat()))
}

/// FNV-1a: what is kept in a database must not depend on how a library hashes.
fn version_of(fields: &[&str]) -> u32 {
    let bytes = fields.iter().flat_map(|name| name.bytes().chain([0]));
    bytes.fold(0x811c_9dc5 ^ ARITHMETIC, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// What a finished day keeps of an upstream.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Line {
    /// What it came to.
    #[serde(flatten)]
    pub day: Day,
    /// Its past, this day included.
    pub memory: Memory,
    /// When it stepped down, seconds from the begin of the day: incidents are made of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps_down_s: Vec<u32>,
    /// What was held in the middle of each step that a page draws, as [`stretches`](super::stretches) has it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub steps: String,
    /// Its last sample rests on the built-in profile table.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub built_in: bool,
}

/// What stands in a line beside its day.
const REST: [&str; 4] = ["built_in", "memory", "steps", "steps_down_s"];

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
    pub fn of_columns(time_s: &str, finished: &str) -> serde_json::Result<Self> {
        let mut line: Line = serde_json::from_str(finished)?;
        line.day.time = serde_json::from_str::<Time>(time_s)?.0;
        Ok(line)
    }

    /// Out of the two columns what later days need of it: its past, its time and its hops. All else is left out.
    pub fn carried(time_s: &str, finished: &str) -> serde_json::Result<Self> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Carried {
            hops: u32,
            memory: Memory,
        }
        let Carried { hops, memory } = serde_json::from_str(finished)?;
        let time = serde_json::from_str::<Time>(time_s)?.0;
        Ok(Line { day: Day { time, hops, ..Day::default() }, memory, ..Line::default() })
    }

    /// Samples in the day.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.day.measurements()
    }
}

/// Field by field as they come: those of a flattened struct would be collected in a map first.
impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;

        impl<'de> Visitor<'de> for Whole {
            type Value = Line;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a finished day")
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Line, M::Error> {
                let mut line = Line::default();
                let fields = DayFields { map, line: &mut line };
                let day = Day::deserialize(MapAccessDeserializer::new(fields))?;
                Ok(Line { day, ..line })
            }
        }

        deserializer.deserialize_map(Whole)
    }
}

/// The fields of a line's day; the others go into `line` on the way.
struct DayFields<'a, M> {
    map: M,
    line: &'a mut Line,
}

impl<'de, M: MapAccess<'de>> MapAccess<'de> for DayFields<'_, M> {
    type Error = M::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, M::Error> {
        let DayFields { map, line } = self;
        while let Some(key) = map.next_key::<&str>()? {
            match key {
                "built_in" => line.built_in = map.next_value()?,
                "memory" => line.memory = map.next_value()?,
                "steps" => line.steps = map.next_value()?,
                "steps_down_s" => line.steps_down_s = map.next_value()?,
                _ => return seed.deserialize(key.into_deserializer()).map(Some),
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, M::Error> {
        self.map.next_value_seed(seed)
    }
}

/// The names of the fields of a struct, as it is read.
fn fields_of<T: for<'de> Deserialize<'de>>() -> &'static [&'static str] {
    let mut fields = Fields::default();
    // It never succeeds: the names have come by then.
    let _ = T::deserialize(&mut fields);
    fields.0
}

/// Is given the names of the fields that a struct asks for, and has none of them.
#[derive(Default)]
struct Fields(&'static [&'static str]);

impl<'de> Deserializer<'de> for &mut Fields {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(value::Error::custom("no field"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0 = fields;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{measure::arithmetic::Before, modulation::Modulation};

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
        Line { day, memory, steps_down_s: vec![0, 86_399], steps: "e143a".to_owned(), built_in: true }
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
    fn what_later_days_need_of_a_line_is_in_the_line() {
        let line = line();
        let (time_s, finished) = line.to_columns();
        let carried = Line::carried(&time_s, &finished).expect("its own");
        assert_eq!(carried.memory, line.memory);
        assert_eq!(Before::of(&carried.day), Before::of(&line.day));
        assert!(Line::carried("{}", "{").is_err());
    }

    #[test]
    fn a_day_of_the_version_before_is_still_read() {
        let finished = r#"{"last":"QAM64","counts":{"QAM64":144},"hops":2,"longest_below_s":[0,0,0,0,0,7,9],"hours":"66"}"#;
        let line = Line::of_columns(r#"{"QAM64":86400}"#, finished).expect("readable");
        assert_eq!((line.samples(), line.day.longest_below_s[6], line.day.first), (144, 9, None));
        assert_eq!(line.day.last.map(|(_, modulation)| modulation), Some(Modulation::Qam64));
    }

    /// A day that was kept without a field must never be read as one that has it.
    #[test]
    fn the_version_is_made_of_every_field() {
        let finished: serde_json::Value = serde_json::from_str(&line().to_columns().1).expect("json");
        let known = |value: &serde_json::Value, fields: &[&str]| {
            let names: Vec<_> = value.as_object().expect("an object").keys().cloned().collect();
            assert!(names.len() > 4 || names.len() == fields.len(), "{names:?}");
            names.into_iter().filter(|name| !fields.contains(&name.as_str())).collect::<Vec<_>>()
        };
        assert_eq!(known(&finished, fields_of::<Day>()), REST);
        assert_eq!(known(&finished["memory"], fields_of::<Memory>()), [""; 0]);
        let fields = [fields_of::<Day>(), fields_of::<Memory>(), &REST].concat();
        assert_eq!(version_of(&fields), rules());
        assert_ne!(version_of(&fields[1..]), rules());
        assert_ne!(version_of(&[&fields[..], &["one_more"]].concat()), rules());
    }
}
