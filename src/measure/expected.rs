//! What the user says that upstreams should run at: one word for all, or a CSV file `cmts,upstream,modulation`
//! whose first two columns are names or patterns such as `CCAP0*`. The first line that matches counts.

use std::{collections::HashMap, fs, path::Path};

use globset::GlobMatcher;

use crate::{
    error::{Error, Result},
    glob::glob,
    modulation::Modulation,
};

/// The user's word.
#[derive(Debug, Default)]
pub struct Expected {
    all: Option<Modulation>,
    /// Names without a pattern, so that a line for each of many upstreams costs nothing.
    exact: HashMap<(String, String), (usize, Modulation)>,
    patterns: Vec<(usize, GlobMatcher, GlobMatcher, Modulation)>,
}

impl Expected {
    /// A modulation, or the name of a file.
    ///
    /// # Errors
    /// [`Error::Usage`] and [`Error::Read`], naming `place`.
    pub fn parse(place: &str, text: &str) -> Result<Self> {
        if let Ok(modulation) = text.parse::<Modulation>() {
            return Ok(Expected { all: Some(with_bits(place, text, modulation)?), ..Expected::default() });
        }
        let path = Path::new(text);
        if !path.exists() {
            return Err(Error::usage(format!(
                "{place}: {text:?} is neither a modulation (QPSK, QAM8 … QAM256) nor a file"
            )));
        }
        let bytes = fs::read(path).map_err(Error::read(path))?;
        Self::read(&bytes, &format!("{place} {text}"))
    }

    fn read(bytes: &[u8], place: &str) -> Result<Self> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Error::usage(format!("{place}: the file is not UTF-8; save it as UTF-8")))?;
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let delimiter = *b";\t,".iter().find(|&&c| first.as_bytes().contains(&c)).unwrap_or(&b',');
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .trim(csv::Trim::All)
            .comment(Some(b'#'))
            .from_reader(text.as_bytes());
        let mut expected = Expected::default();
        for (number, record) in reader.records().enumerate() {
            let record = record.map_err(|e| Error::usage(format!("{place}: {e}")))?;
            let place = format!("{place} line {}", record.position().map_or(0, csv::Position::line));
            let cells: Vec<_> = record.iter().collect();
            let [cmts, upstream, word] = cells[..] else {
                return Err(Error::usage(format!(
                    "{place}: expected three columns cmts,upstream,modulation"
                )));
            };
            if number == 0 && cmts.eq_ignore_ascii_case("cmts") {
                continue;
            }
            let modulation = word.parse().map_err(|e| Error::usage(format!("{place}: {e}")))?;
            let modulation = with_bits(&place, word, modulation)?;
            if [cmts, upstream].iter().any(|name| name.contains(['*', '?', '[', '{'])) {
                expected.patterns.push((number, glob(&place, cmts)?, glob(&place, upstream)?, modulation));
            } else {
                let key = (cmts.to_lowercase(), upstream.to_lowercase());
                expected.exact.entry(key).or_insert((number, modulation));
            }
        }
        Ok(expected)
    }

    /// What an upstream should run at, when the user says so.
    #[must_use]
    pub fn of(&self, cmts: &str, upstream: &str) -> Option<Modulation> {
        if self.exact.is_empty() && self.patterns.is_empty() {
            return self.all;
        }
        let exact = self.exact.get(&(cmts.to_lowercase(), upstream.to_lowercase()));
        let is_match = |(_, c, u, _): &&(usize, GlobMatcher, GlobMatcher, Modulation)| {
            c.is_match(cmts) && u.is_match(upstream)
        };
        let pattern = self.patterns.iter().find(is_match).map(|&(number, _, _, m)| (number, m));
        match (exact.copied(), pattern) {
            (Some(exact), Some(pattern)) => Some(if exact.0 < pattern.0 { exact.1 } else { pattern.1 }),
            (exact, pattern) => exact.or(pattern).map(|(_, modulation)| modulation),
        }
    }
}

fn with_bits(place: &str, text: &str, modulation: Modulation) -> Result<Modulation> {
    match modulation.bits() {
        Some(_) => Ok(modulation),
        None => Err(Error::usage(format!("{place}: {text:?} cannot be expected; write QPSK, QAM8 … QAM256"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_matches_counts() {
        let file = "\u{feff}cmts;upstream;modulation\r\nCCAP001;1/scq/3;QAM16\r\nCCAP0*;*;64QAM\r\nCCAP002;1/scq/1;QPSK\r\n";
        let expected = Expected::read(file.as_bytes(), "--expected e.csv").expect("a table");
        assert_eq!(expected.of("ccap001", "1/scq/3"), Some(Modulation::Qam16));
        assert_eq!(expected.of("CCAP001", "1/scq/4"), Some(Modulation::Qam64));
        assert_eq!(expected.of("CCAP002", "1/scq/1"), Some(Modulation::Qam64));
        assert_eq!(expected.of("CCAP101", "1/scq/1"), None);
        for (wrong, word) in
            [("A,B\n", "three columns"), ("A,B,QAM63\n", "line 1"), ("A,B,OFDMA\n", "QAM256")]
        {
            let error = Expected::read(wrong.as_bytes(), "--expected e.csv").expect_err(wrong).to_string();
            assert!(error.contains("e.csv line 1") && error.contains(word), "{error}");
        }
    }
}
