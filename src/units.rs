//! Durations, sizes and rates as they are typed in flags and settings: `30s`, `10m`, `32MiB`, `10/s`.

use std::{fmt, time::Duration};

/// A duration such as `500ms`, `30s`, `10m`, `6h`, `2d`. The unit is needed: a bare number is minutes to one
/// person and seconds to the next.
pub fn duration(text: &str) -> Result<Duration, String> {
    let bad = || format!("invalid duration {text:?}; examples: 500ms, 30s, 10m, 6h, 2d");
    let (number, unit) = split(text).ok_or_else(bad)?;
    let ms = match unit {
        "ms" => 1.0,
        "s" | "sec" => 1e3,
        "m" | "min" => 60e3,
        "h" => 3_600e3,
        "d" => 86_400e3,
        "w" => 604_800e3,
        "" => return Err(format!("the duration {text:?} needs a unit; examples: {text}s, {text}m, {text}h")),
        _ => return Err(bad()),
    };
    let ms = number * ms;
    // A century: everything longer is a slip of the finger.
    if !(0.0..=3.2e12).contains(&ms) {
        return Err(bad());
    }
    Ok(Duration::from_millis(ms.round() as u64))
}

/// A duration that must not be zero, such as a time limit.
pub fn positive_duration(text: &str) -> Result<Duration, String> {
    at_least(text, Duration::from_millis(1))
}

/// The time from one scan of a device to the next: a second at least.
pub fn interval(text: &str) -> Result<Duration, String> {
    at_least(text, Duration::from_secs(1))
}

/// How often something is looked at: ten times a second at most.
pub fn tick(text: &str) -> Result<Duration, String> {
    at_least(text, Duration::from_millis(100))
}

fn at_least(text: &str, least: Duration) -> Result<Duration, String> {
    match duration(text)? {
        given if given < least => Err(format!("the duration {text:?} is too short; the least is {least:?}")),
        given => Ok(given),
    }
}

/// A size in bytes such as `65536`, `64KiB`, `32MiB`, `1GiB` (also `k`, `M`, `G`, by 1024).
pub fn size(text: &str) -> Result<u64, String> {
    let bad = || format!("invalid size {text:?}; examples: 65536, 64KiB, 32MiB");
    let (number, unit) = split(text).ok_or_else(bad)?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" | "kib" => 1024.0,
        "m" | "mb" | "mib" => 1_048_576.0,
        "g" | "gb" | "gib" => 1_073_741_824.0,
        _ => return Err(bad()),
    };
    let bytes = number * factor;
    if !(0.0..=1e15).contains(&bytes) {
        return Err(bad());
    }
    Ok(bytes.round() as u64)
}

/// A rate per second such as `10/s`, `30/m`, or a bare number per second.
pub fn rate(text: &str) -> Result<f64, String> {
    let bad = || format!("invalid rate {text:?}; examples: 10/s, 30/m");
    let (count, unit) = text.split_once('/').unwrap_or((text, "s"));
    let count: f64 = count.trim().parse().map_err(|_| bad())?;
    let per = match unit.trim() {
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(bad()),
    };
    if count > 0.0 && count.is_finite() { Ok(count / per) } else { Err(bad()) }
}

/// One part of several, such as `1/2`: for a fleet that several collectors share.
pub fn part(text: &str) -> Result<(u32, u32), String> {
    const MOST: u32 = 1000;
    let parsed = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    match parsed {
        Some((part, parts)) if (1..=parts).contains(&part) && parts <= MOST => Ok((part, parts)),
        _ => Err(format!("invalid part {text:?}; examples: 1/2, 2/2; at most {MOST} parts")),
    }
}

fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim()))
}

/// A duration in the words of a status line: `45s`, `12m`, `1d 2h 3m`.
#[must_use]
pub fn human(duration: Duration) -> String {
    let s = duration.as_secs();
    let (d, h, m) = (s / 86_400, s / 3600 % 24, s / 60 % 60);
    match (d, h, m) {
        (0, 0, 0) => format!("{s}s"),
        (0, 0, _) => format!("{m}m"),
        (0, ..) => format!("{h}h {m}m"),
        _ => format!("{d}d {h}h {m}m"),
    }
}

/// A count with its noun: "1 hop", "2 hops".
#[must_use]
pub fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A number as `f64` displays it: in the fewest digits that say which one it is. Most have three decimals at most, and
/// those are written as whole thousandths, which is quicker.
#[derive(Clone, Copy, Debug)]
pub struct Plain(pub f64);

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plain(number) = *self;
        let thousandths = (number * 1000.0).round();
        // Of up to 15 digits no two name the same number.
        let is_said = thousandths.abs() < 1e15 && thousandths / 1000.0 == number;
        if !is_said || (number == 0.0 && number.is_sign_negative()) {
            return write!(f, "{number}");
        }
        let sign = if number < 0.0 { "-" } else { "" };
        let thousandths = thousandths.abs() as u64;
        let (whole, rest) = (thousandths / 1000, thousandths % 1000);
        match (rest, rest % 100, rest % 10) {
            (0, ..) => write!(f, "{sign}{whole}"),
            (_, 0, _) => write!(f, "{sign}{whole}.{}", rest / 100),
            (_, _, 0) => write!(f, "{sign}{whole}.{:02}", rest / 10),
            _ => write!(f, "{sign}{whole}.{rest:03}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_plain_number_stands_as_ever(thousandths in -3_000_000_000_000_i64..3_000_000_000_000, any in any::<f64>()) {
            for number in [thousandths as f64 / 1000.0, (thousandths % 4000) as f64 / 1000.0, thousandths as f64, any] {
                prop_assert_eq!(Plain(number).to_string(), number.to_string());
            }
        }
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "hop")), ["0 hops", "1 hop", "2 hops"]);
    }

    #[test]
    fn durations_sizes_and_rates_are_read_as_they_are_typed() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1.5h"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("2d"), Ok(Duration::from_secs(172_800)));
        assert!(duration("90").is_err_and(|said| said.contains("needs a unit") && said.contains("90s")));
        assert_eq!(size("32MiB"), Ok(32 << 20));
        assert_eq!(size("64k"), Ok(65_536));
        assert_eq!(rate("30/m"), Ok(0.5));
        for bad in ["", "s", "-1s", "1x", "1e9d", "ten"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        assert!(rate("0/s").is_err() && size("1TiBx").is_err());
        assert!(positive_duration("0s").is_err() && interval("999ms").is_err() && tick("0s").is_err());
        assert_eq!(part("2/3"), Ok((2, 3)));
        for bad in ["0/2", "3/2", "1/0", "1", "1/4294967295", "-1/2", "1/2/3"] {
            assert!(part(bad).is_err(), "{bad}");
        }
        assert_eq!(human(Duration::from_secs(93_780)), "1d 2h 3m");
    }
}
