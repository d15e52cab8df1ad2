//! Points in time as records carry them: RFC 3339, UTC, whole seconds, `Z`.

use std::{borrow::Cow, fmt, str::FromStr};

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Whole seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The same instant for chrono; out of its range becomes the epoch.
    #[must_use]
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0, 0).unwrap_or_default()
    }

    /// Seconds from `earlier` to this one; negative when it is later.
    #[must_use]
    pub fn since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl std::ops::Add<i64> for Timestamp {
    type Output = Timestamp;

    fn add(self, seconds: i64) -> Timestamp {
        Timestamp(self.0.saturating_add(seconds))
    }
}

impl Timestamp {
    /// `2026-05-01T12:00:00Z`; none in years of more or fewer digits.
    pub(super) fn text(self) -> Option<[u8; 20]> {
        let (days, second) = (self.0.div_euclid(86_400), self.0.rem_euclid(86_400) as u32);
        let date = NaiveDate::from_epoch_days(i32::try_from(days).ok()?)?;
        let year = u32::try_from(date.year()).ok().filter(|year| (1000..10_000).contains(year))?;
        let mut text = *b"0000-00-00T00:00:00Z";
        let mut put = |at: usize, digits: usize, mut value: u32| {
            for place in (at..at + digits).rev() {
                text[place] = b'0' + (value % 10) as u8;
                value /= 10;
            }
        };
        put(0, 4, year);
        put(5, 2, date.month());
        put(8, 2, date.day());
        put(11, 2, second / 3600);
        put(14, 2, second / 60 % 60);
        put(17, 2, second % 60);
        Some(text)
    }

    /// The time of a text in exactly the form that [`Timestamp::text`] gives.
    fn of_text(text: &[u8]) -> Option<Self> {
        let text: &[u8; 20] = text.try_into().ok()?;
        let fixed = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
        if fixed.iter().any(|&(place, byte)| text[place] != byte) {
            return None;
        }
        let number = |at: usize, digits: usize| {
            text[at..at + digits]
                .iter()
                .try_fold(0_u32, |value, &b| b.is_ascii_digit().then(|| value * 10 + u32::from(b - b'0')))
        };
        let date = NaiveDate::from_ymd_opt(number(0, 4)?.try_into().ok()?, number(5, 2)?, number(8, 2)?)?;
        let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let day = i64::from(date.to_epoch_days());
        Some(Timestamp(day * 86_400 + i64::from(hour * 3600 + minute * 60 + second)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) => f.pad(str::from_utf8(&text).map_err(|_| fmt::Error)?),
            None => f.pad(&self.utc().to_rfc3339_opts(SecondsFormat::Secs, true)),
        }
    }
}

impl FromStr for Timestamp {
    type Err = String;

    /// Any RFC 3339 time; a fraction of a second is cut off.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(time) = Self::of_text(text.as_bytes()) {
            return Ok(time);
        }
        DateTime::parse_from_rfc3339(text)
            .map(|time| Timestamp(time.timestamp()))
            .map_err(|_| format!("invalid time {text:?}; example: 2026-05-01T12:00:00Z"))
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "RFC 3339, UTC, whole seconds.",
            "type": "string",
            "format": "date-time",
            "pattern": "^[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
        })
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.text().as_ref().map(|text| str::from_utf8(text)) {
            Some(Ok(text)) => serializer.serialize_str(text),
            _ => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Timestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 time")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_and_read_as_chrono_does_it() {
        let chrono = |time: Timestamp| time.utc().to_rfc3339_opts(SecondsFormat::Secs, true);
        for seconds in (-4_000_000_000_i64..8_000_000_000).step_by(9_876_543) {
            let time = Timestamp(seconds);
            assert_eq!(time.to_string(), chrono(time));
            assert_eq!(time.to_string().parse(), Ok(time));
        }
        assert_eq!("2026-05-01T14:00:00.9+02:00".parse(), Ok(Timestamp(1_777_636_800)));
        for bad in ["2026-02-30T00:00:00Z", "2026-05-01T24:00:00Z", "2026-05-01", "2026-05-01T12:00:61Z", ""]
        {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
        }
    }
}
