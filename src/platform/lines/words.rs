//! The words of a line. Where they begin and end is found for 64 bytes at a time: a word is a few bytes long, and a
//! loop over bytes guesses the end of each one wrong.

/// A byte of one in each of eight bytes, and the highest bit of each.
const ONES: u64 = u64::MAX / 255;
const HIGH: u64 = ONES << 7;

/// Whether a byte stands between words: a blank, a tab, or another control character.
pub(super) fn is_blank(byte: &u8) -> bool {
    *byte <= b' '
}

/// The words of a line, each with the column of text that it begins at.
#[derive(Clone)]
pub(in crate::platform) struct WordsAt<'a> {
    line: &'a str,
    /// The column that `words` begins at.
    from: usize,
    /// A bit for each of 64 bytes that is part of a word which was not given yet.
    words: u64,
    /// Where the word that was given last ends.
    end: usize,
}

impl<'a> WordsAt<'a> {
    #[inline]
    pub fn new(line: &'a str) -> Self {
        WordsAt { line, from: 0, words: words(line.as_bytes()), end: 0 }
    }

    fn rest(&self) -> &'a str {
        &self.line[self.end..]
    }

    /// Goes on to the next 64 bytes; false when there are none.
    #[inline]
    fn advance(&mut self) -> bool {
        self.from += 64;
        let rest = self.line.as_bytes().get(self.from..).unwrap_or_default();
        self.words = words(rest);
        !rest.is_empty()
    }
}

impl<'a> Iterator for WordsAt<'a> {
    type Item = (usize, &'a str);

    #[inline(always)]
    fn next(&mut self) -> Option<(usize, &'a str)> {
        while self.words == 0 {
            if !self.advance() {
                return None;
            }
        }
        let start = self.from + self.words.trailing_zeros() as usize;
        // Adding to its lowest bit carries through the word, and clears it.
        let (mut behind, mut goes_on) = self.words.overflowing_add(self.words & self.words.wrapping_neg());
        while goes_on && self.advance() {
            (behind, goes_on) = self.words.overflowing_add(1);
        }
        let end = match goes_on {
            true => self.line.len(),
            false => self.from + (behind & !self.words).trailing_zeros() as usize,
        };
        self.words &= behind;
        self.end = end.min(self.line.len());
        Some((start, &self.line[start..self.end]))
    }
}

/// The words of a line, without their places.
#[derive(Clone)]
pub(in crate::platform) struct Words<'a>(WordsAt<'a>);

impl<'a> Words<'a> {
    #[inline]
    pub fn new(line: &'a str) -> Self {
        Words(WordsAt::new(line))
    }

    /// What stands behind the word that was given last.
    pub fn rest(&self) -> &'a str {
        self.0.rest()
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    #[inline(always)]
    fn next(&mut self) -> Option<&'a str> {
        self.0.next().map(|(_, word)| word)
    }
}

/// A bit for each of the first 64 bytes that is part of a word.
#[inline]
fn words(bytes: &[u8]) -> u64 {
    if let Some(whole) = bytes.first_chunk::<64>() {
        return words_of_eights(whole.as_chunks().0);
    }
    let (eights, rest) = bytes.as_chunks::<8>();
    let mut words = words_of_eights(eights);
    if !rest.is_empty() {
        // Behind the last bytes zeros take the place of blanks.
        let last = match bytes.last_chunk() {
            Some(&last) => u64::from_le_bytes(last) >> (64 - 8 * rest.len()),
            None => rest.iter().rev().fold(0, |all, &byte| (all << 8) | u64::from(byte)),
        };
        words |= words_of_eight(last) << (8 * eights.len());
    }
    words
}

#[inline]
fn words_of_eights(eights: &[[u8; 8]]) -> u64 {
    let words = eights.iter().enumerate();
    words.fold(0, |all, (place, &eight)| all | (words_of_eight(u64::from_le_bytes(eight)) << (8 * place)))
}

/// A bit for each of eight bytes that is part of a word.
#[inline]
fn words_of_eight(bytes: u64) -> u64 {
    let above_blank = (((bytes & !HIGH) + ONES * u64::from(127 - b' ')) | bytes) & HIGH;
    (above_blank >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_any_length_are_found_at_any_place() {
        for length in 0..200 {
            for step in 1..70 {
                let line: String = (0..length)
                    .map(|at| match (at * at / step + at) % 5 {
                        0 | 1 => ' ',
                        2 if at % 7 == 0 => '\t',
                        3 if at % 11 == 0 => 'é',
                        _ => 'x',
                    })
                    .collect();
                let found: Vec<&str> = WordsAt::new(&line).map(|(_, word)| word).collect();
                assert_eq!(found, line.split_ascii_whitespace().collect::<Vec<_>>(), "{line:?}");
                assert!(WordsAt::new(&line).all(|(at, word)| line[at..].starts_with(word)), "{line:?}");
            }
        }
    }
}
