//! Columns of a day's data file, made small: words go into dictionaries, and a column that mostly has one
//! value names only the places where it has another.

use std::{
    collections::HashMap,
    fmt::{self, Write as _},
};

/// A column with at most this share of other values, in percent, is written as its exceptions.
const SPARSE_PCT: usize = 40;

/// Numbers by row; NaN is a missing one.
#[derive(Debug, Default)]
pub struct Column(Vec<f64>);

impl Column {
    /// A column of this many zeros.
    #[must_use]
    pub fn zeros(rows: usize) -> Self {
        Column(vec![0.0; rows])
    }

    /// Takes the next row's number.
    pub fn push(&mut self, number: impl Into<Option<f64>>) {
        self.0.push(number.into().unwrap_or(f64::NAN));
    }

    /// The number that most rows have, and how many have another.
    fn usual(&self) -> (f64, usize) {
        let mut often: HashMap<u64, usize> = HashMap::new();
        for number in &self.0 {
            *often.entry(number.to_bits()).or_default() += 1;
        }
        // Of two that are as frequent the same one each time: a file does not change without a reason.
        let usual = often.into_iter().max_by_key(|&(bits, times)| (times, bits));
        usual.map_or((f64::NAN, 0), |(bits, times)| (f64::from_bits(bits), self.0.len() - times))
    }
}

/// JSON: an array by row, or `{"usual":…,"gaps":[…],"values":[…]}`, where each gap is the distance to the place
/// of the value before, the first one from -1.
impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (usual, others) = self.usual();
        if others * 100 > self.0.len() * SPARSE_PCT {
            return list(f, self.0.iter().map(|&number| Json(number)));
        }
        let places = || (0..).zip(&self.0).filter(|(_, number)| number.to_bits() != usual.to_bits());
        let mut before = -1;
        let gaps = places().map(|(at, _)| at - std::mem::replace(&mut before, at));
        write!(f, "{{\"usual\":{},\"gaps\":", Json(usual))?;
        list(f, gaps)?;
        f.write_str(",\"values\":")?;
        list(f, places().map(|(_, &number)| Json(number)))?;
        f.write_char('}')
    }
}

/// A number as JSON writes it, whole ones without a point.
struct Json(f64);

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_finite() { write!(f, "{}", self.0) } else { f.write_str("null") }
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: impl Iterator<Item = T>) -> fmt::Result {
    f.write_char('[')?;
    for (number, item) in items.enumerate() {
        if number > 0 {
            f.write_char(',')?;
        }
        write!(f, "{item}")?;
    }
    f.write_char(']')
}

/// Words by row, each kept once.
#[derive(Debug, Default)]
pub struct Words {
    known: HashMap<String, usize>,
    words: Vec<String>,
    /// By row the number of its word, -1 without one.
    pub column: Column,
}

impl Words {
    /// Takes the next row's word.
    pub fn push(&mut self, word: Option<&str>) {
        let number = word.map(|word| match self.known.get(word) {
            Some(&number) => number,
            None => {
                self.known.insert(word.to_owned(), self.words.len());
                self.words.push(word.to_owned());
                self.words.len() - 1
            }
        });
        self.column.push(number.map_or(-1.0, |number| number as f64));
    }

    /// Whether a word is there already: then it costs nothing more.
    #[must_use]
    pub fn knows(&self, word: &str) -> bool {
        self.known.contains_key(word)
    }

    /// All words, by number.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(numbers: &[f64]) -> String {
        Column(numbers.to_vec()).to_string()
    }

    #[test]
    fn a_column_is_written_whole_or_as_its_exceptions() {
        assert_eq!(written(&[]), r#"{"usual":null,"gaps":[],"values":[]}"#);
        assert_eq!(written(&[1.0, 2.5, 3.0]), "[1,2.5,3]");
        assert_eq!(written(&[1.0, f64::NAN, -3.0]), "[1,null,-3]");
        assert_eq!(
            written(&[7.0, 0.0, 0.0, 0.0, f64::NAN, 0.0]),
            r#"{"usual":0,"gaps":[1,4],"values":[7,null]}"#
        );
        assert_eq!(Column::zeros(3).to_string(), r#"{"usual":0,"gaps":[],"values":[]}"#);
    }

    #[test]
    fn a_word_is_kept_once() {
        let mut words = Words::default();
        for word in [Some("a"), Some("b"), None, Some("a")] {
            words.push(word);
        }
        assert_eq!(words.words(), ["a", "b"]);
        assert_eq!(words.column.to_string(), "[0,1,-1,0]");
        assert!(words.knows("b") && !words.knows("c"));
    }
}
