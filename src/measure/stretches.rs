//! Modulations in the order of time as a short text: a letter each, `a` QPSK … `i` UNKNOWN and `-` for none, then
//! how many in a row if more than one, such as `e140-2a2`.

use std::fmt::Write as _;

use crate::modulation::Modulation;

/// A page draws a day in steps of its scans, but not in finer ones than these, s: with them it stays small.
const FINEST_STEP_S: u64 = 300;

/// How long the steps are that a page draws a day in, s.
#[must_use]
pub fn step_s(interval_s: u64) -> u64 {
    interval_s.max(FINEST_STEP_S)
}

/// No text is taken for more than so many: a year of days, or a day of half minutes.
const MOST: usize = 4096;

/// As text.
#[must_use]
pub fn text_of(held: impl IntoIterator<Item = Option<Modulation>>) -> String {
    let mut text = String::new();
    let mut held = held.into_iter().peekable();
    while let Some(modulation) = held.next() {
        let mut length = 1;
        while held.next_if_eq(&modulation).is_some() {
            length += 1;
        }
        text.push(modulation.map_or('-', |modulation| char::from(b'a' + modulation as u8)));
        if length > 1 {
            // Into a string nothing fails.
            let _ = write!(text, "{length}");
        }
    }
    text
}

/// Out of a text; what cannot be read is none.
#[must_use]
pub fn of_text(text: &str) -> Vec<Option<Modulation>> {
    let mut held = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let length = rest[..end].parse().unwrap_or(1).min(MOST.saturating_sub(held.len()));
        rest = &rest[end..];
        let index = u32::from(letter).wrapping_sub(u32::from('a'));
        let modulation = usize::try_from(index).ok().and_then(|index| Modulation::ALL.get(index)).copied();
        held.extend(std::iter::repeat_n(modulation, length));
    }
    held
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_reads_back_as_it_was_written() {
        let held = [None, None, Some(Modulation::Qpsk), Some(Modulation::Unknown), Some(Modulation::Qam64)];
        assert_eq!(text_of(held), "-2aie");
        assert_eq!(of_text("-2aie"), held);
        assert_eq!(text_of([]), "");
        assert_eq!(of_text("e3"), [Some(Modulation::Qam64); 3]);
        // Whatever stands in a file: not more than fits, and nothing fails.
        assert_eq!(of_text("ü2z9999999999999999999999").len(), 3);
        assert_eq!(of_text("e99999").len(), MOST);
    }
}
