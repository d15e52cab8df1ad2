//! Columns of a day's data file, made small: words go into dictionaries, and a column that mostly has one
//! value names only the places where it has another.

use std::{
    collections::HashMap,
    fmt::{self, Write as _},
    iter,
    sync::Arc,
};

use crate::{layout::full::Cell, units::Plain};

/// A column with at most this share of other values, in percent, is written as its exceptions.
const SPARSE_PCT: usize = 40;

/// Numbers by row; NaN is a missing one. A column in which all rows are alike takes no room.
#[derive(Debug, Default)]
pub struct Column {
    first: f64,
    /// Rows that have `first`, before any other.
    same: usize,
    rest: Vec<f64>,
}

impl Column {
    /// Takes the next row's number.
    pub fn push(&mut self, number: impl Into<Option<f64>>) {
        let number = number.into().unwrap_or(f64::NAN);
        match self.rest.is_empty() && (self.same == 0 || self.first.to_bits() == number.to_bits()) {
            true => (self.first, self.same) = (number, self.same + 1),
            false => self.rest.push(number),
        }
    }

    fn len(&self) -> usize {
        self.same + self.rest.len()
    }

    fn numbers(&self) -> impl Iterator<Item = f64> + '_ {
        iter::repeat_n(self.first, self.same).chain(self.rest.iter().copied())
    }

    /// The number that more than half of the rows have, if there is one, and how many have another (Boyer and
    /// Moore's majority vote).
    fn usual(&self) -> (f64, usize) {
        let (mut usual, mut ahead) = (f64::NAN, 0_usize);
        for number in self.numbers() {
            match (ahead, usual.to_bits() == number.to_bits()) {
                (0, _) => (usual, ahead) = (number, 1),
                (_, true) => ahead += 1,
                (_, false) => ahead -= 1,
            }
        }
        let others = self.numbers().filter(|number| number.to_bits() != usual.to_bits()).count();
        (usual, others)
    }
}

/// JSON: an array by row, or `{"usual":…,"gaps":[…],"values":[…]}`, where each gap is the distance to the place
/// of the value before, the first one from -1.
impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (usual, others) = self.usual();
        if others * 100 > self.len() * SPARSE_PCT {
            return list(f, self.numbers().map(Json));
        }
        let places = || (0..).zip(self.numbers()).filter(|(_, number)| number.to_bits() != usual.to_bits());
        let mut before = -1;
        let gaps = places().map(|(at, _)| at - std::mem::replace(&mut before, at));
        write!(f, "{{\"usual\":{},\"gaps\":", Json(usual))?;
        list(f, gaps)?;
        f.write_str(",\"values\":")?;
        list(f, places().map(|(_, number)| Json(number)))?;
        f.write_char('}')
    }
}

/// A number as JSON writes it, whole ones without a point.
struct Json(f64);

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_finite() { write!(f, "{}", Plain(self.0)) } else { f.write_str("null") }
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
    known: HashMap<Arc<str>, usize>,
    words: Vec<Arc<str>>,
    /// By row the number of its word, -1 without one.
    column: Column,
}

impl Words {
    /// Takes the next row's word.
    pub fn push(&mut self, word: Option<&str>) {
        let number = word.map(|word| match self.known.get(word) {
            Some(&number) => number,
            None => {
                let word: Arc<str> = word.into();
                self.known.insert(Arc::clone(&word), self.words.len());
                self.words.push(word);
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
}

/// JSON: `{"words":[…],"at":…}`, where `at` is a [`Column`] of numbers of words.
impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{\"words\":")?;
        list(f, self.words.iter().map(|word| Quoted(word)))?;
        write!(f, ",\"at\":{}}}", self.column)
    }
}

struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self.0).map_err(|_| fmt::Error)?)
    }
}

/// A column of the CSV, as its cells come: words or numbers.
#[derive(Debug)]
pub enum Series {
    /// So many rows, all without anything.
    Missing(usize),
    Numbers(Column),
    /// Text; `own`: words that are written as they are.
    Words {
        /// The cells.
        words: Words,
        /// See [`Cell::Word`].
        own: bool,
    },
}

impl Series {
    /// Takes the next row's cell.
    pub fn push(&mut self, cell: &Cell<'_>) {
        if let Series::Missing(rows) = self {
            let rows = *rows;
            match cell {
                Cell::Missing => return *self = Series::Missing(rows + 1),
                Cell::Number(_) => {
                    let mut column = Column::default();
                    (0..rows).for_each(|_| column.push(None));
                    *self = Series::Numbers(column);
                }
                Cell::Text(_) | Cell::Word(_) => {
                    let mut words = Words::default();
                    (0..rows).for_each(|_| words.push(None));
                    *self = Series::Words { words, own: matches!(cell, Cell::Word(_)) };
                }
            }
        }
        match (self, cell) {
            (Series::Numbers(column), Cell::Number(number)) => column.push(*number),
            (Series::Numbers(column), _) => column.push(None),
            (Series::Words { words, .. }, Cell::Text(text)) => words.push(Some(text)),
            (Series::Words { words, .. }, Cell::Word(word)) => words.push(Some(word)),
            (Series::Words { words, .. }, _) => words.push(None),
            (Series::Missing(_), _) => {}
        }
    }
}

/// JSON: that of [`Column`] or [`Words`]; words of our own have `"own":true` besides.
impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Series::Missing(_) => write!(f, "{}", Column::default()),
            Series::Numbers(column) => write!(f, "{column}"),
            Series::Words { words, own: false } => write!(f, "{words}"),
            Series::Words { words, own: true } => {
                write!(f, "{{\"own\":true,{}", words.to_string().trim_start_matches('{'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(numbers: &[f64]) -> String {
        let mut column = Column::default();
        numbers.iter().for_each(|&number| column.push(number));
        column.to_string()
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
        assert_eq!(written(&[0.0; 3]), r#"{"usual":0,"gaps":[],"values":[]}"#);
    }

    #[test]
    fn a_word_is_kept_once() {
        let mut words = Words::default();
        for word in [Some("a"), Some("\"b"), None, Some("a")] {
            words.push(word);
        }
        assert_eq!(words.to_string(), r#"{"words":["a","\"b"],"at":[0,1,-1,0]}"#);
        assert!(words.knows("a") && !words.knows("c"));
    }

    #[test]
    fn a_series_is_what_its_first_cell_is() {
        let mut series = Series::Missing(0);
        assert_eq!(series.to_string(), r#"{"usual":null,"gaps":[],"values":[]}"#);
        for cell in [Cell::Missing, Cell::Word("QAM64".into())] {
            series.push(&cell);
        }
        assert_eq!(series.to_string(), r#"{"own":true,"words":["QAM64"],"at":[-1,0]}"#);
        let mut series = Series::Missing(0);
        for cell in [Cell::Missing, Cell::Number(1.5), Cell::Missing] {
            series.push(&cell);
        }
        assert_eq!(series.to_string(), r#"{"usual":null,"gaps":[2],"values":[1.5]}"#);
    }
}
