//! Object identifiers: as people write them, as BER holds them, and in the order of a walk.

use std::{fmt, str::FromStr};

/// An object identifier of two numbers or more. Its order is that of a walk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(Vec<u32>);

/// The most numbers of an identifier (RFC 3416, section 4).
const LONGEST: usize = 128;

impl Oid {
    /// Whether this one is `root` or below it.
    #[must_use]
    pub fn is_within(&self, root: &Oid) -> bool {
        self.0.starts_with(&root.0)
    }

    /// The content of a BER object identifier; none when it is not one, or longer than SNMP allows.
    #[must_use]
    pub fn from_ber(content: &[u8]) -> Option<Self> {
        let mut numbers = Vec::with_capacity(content.len() + 1);
        let mut number: u32 = 0;
        for (at, &byte) in content.iter().enumerate() {
            number = number.checked_mul(128)?.checked_add(u32::from(byte & 0x7f))?;
            if byte & 0x80 != 0 {
                continue;
            }
            if numbers.is_empty() {
                let first = (number / 40).min(2);
                numbers.extend([first, number - first * 40]);
            } else {
                numbers.push(number);
            }
            number = 0;
            if numbers.len() > LONGEST || (at + 1 == content.len() && byte & 0x80 != 0) {
                return None;
            }
        }
        let ends = content.last().is_some_and(|byte| byte & 0x80 == 0);
        (ends && numbers.len() >= 2).then_some(Oid(numbers))
    }

    /// The content of a BER object identifier.
    #[must_use]
    pub fn to_ber(&self) -> Vec<u8> {
        let mut content = Vec::with_capacity(self.0.len() + 4);
        let first = u64::from(self.0[0]) * 40 + u64::from(self.0[1]);
        let rest = self.0[2..].iter().map(|&number| u64::from(number));
        for number in std::iter::once(first).chain(rest) {
            let groups = (0..5).rev().map(|group| (number >> (7 * group)) as u8 & 0x7f);
            let significant = groups.skip_while(|&group| group == 0).collect::<Vec<_>>();
            match significant.split_last() {
                None => content.push(0),
                Some((last, others)) => {
                    content.extend(others.iter().map(|group| group | 0x80));
                    content.push(*last);
                }
            }
        }
        content
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|number| write!(f, ".{number}"))
    }
}

impl FromStr for Oid {
    type Err = String;

    /// Reads `1.3.6.1.2.1.1` or `.1.3.6.1.2.1.1`.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let numbers: Option<Vec<u32>> =
            text.strip_prefix('.').unwrap_or(text).split('.').map(|number| number.parse().ok()).collect();
        let is_valid = |numbers: &Vec<u32>| {
            (2..=LONGEST).contains(&numbers.len()) && numbers[0] <= 2 && (numbers[0] == 2 || numbers[1] < 40)
        };
        numbers.filter(is_valid).map(Oid).ok_or_else(|| {
            format!("invalid object identifier {text:?}; write it in numbers, such as 1.3.6.1.2.1.1")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_the_same_in_words_and_in_ber() {
        for (text, ber) in [
            (
                ".1.3.6.1.2.1.10.127.1.1.2.1.4.50002",
                &[0x2b, 6, 1, 2, 1, 10, 127, 1, 1, 2, 1, 4, 0x83, 0x86, 0x52][..],
            ),
            (".1.3.6.1.4.1.4491.2", &[0x2b, 6, 1, 4, 1, 0xa3, 0x0b, 2]),
            (".0.0", &[0]),
            (".1.3.0.4294967295", &[0x2b, 0, 0x8f, 0xff, 0xff, 0xff, 0x7f]),
            (".2.999.3", &[0x88, 0x37, 3]),
        ] {
            let oid: Oid = text.parse().expect(text);
            assert_eq!((oid.to_ber(), oid.to_string()), (ber.to_vec(), text.to_owned()));
            assert_eq!(Oid::from_ber(ber), Some(oid));
        }
        for bad in ["", "1", "1.40", "3.1", "1.3.x", "1..3", "1.3.4294967296", "ifDescr"] {
            assert!(bad.parse::<Oid>().is_err(), "{bad}");
        }
        for bad in [&[][..], &[0x2b, 0x86], &[0x2b, 0x9f, 0xff, 0xff, 0xff, 0xff, 0x7f], &[1; 200]] {
            assert_eq!(Oid::from_ber(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_order_is_that_of_a_walk() {
        let oid = |text: &str| text.parse::<Oid>().expect(text);
        assert!(oid("1.3.6.9") < oid("1.3.6.10") && oid("1.3.6") < oid("1.3.6.0"));
        assert!(oid("1.3.6.1.5").is_within(&oid("1.3.6.1")) && !oid("1.3.6.10").is_within(&oid("1.3.6.1")));
    }
}
