//! What the user says that upstreams should run at: one word for all, or a table `cmts,upstream,modulation`
//! whose first two columns are names or patterns such as `CCAP0*`. The first line that matches counts.

use std::path::Path;

use super::by_name::ByName;
use crate::{
    error::{Error, Result},
    modulation::Modulation,
    tables::{self, Problem},
};

/// The user's word.
#[derive(Debug, Default)]
pub struct Expected {
    all: Option<Modulation>,
    lines: ByName<Modulation>,
}

impl Expected {
    /// A modulation, or the name of a file.
    ///
    /// # Errors
    /// [`Error::Usage`] and [`Error::Read`], naming `place`.
    pub fn parse(place: &str, text: &str) -> Result<Self> {
        if let Ok(modulation) = text.parse::<Modulation>() {
            let all = with_bits(text, modulation).map_err(|e| Error::usage(format!("{place}: {e}")))?;
            return Ok(Expected { all: Some(all), ..Expected::default() });
        }
        let path = Path::new(text);
        if !path.exists() {
            return Err(Error::usage(format!(
                "{place}: {text:?} is neither a modulation (QPSK, QAM8 … QAM256) nor a file"
            )));
        }
        tables::read(place, path, Self::read)
    }

    fn read(text: &str) -> Result<Self, Problem> {
        let mut expected = Expected::default();
        for row in tables::columns(text, ["cmts", "upstream", "modulation"], 3) {
            let (line, [cmts, upstream, word]) = row?;
            let problem = |reason: String| Problem { line, reason };
            let modulation = word.parse().map_err(problem)?;
            let modulation = with_bits(&word, modulation).map_err(problem)?;
            let pushed = expected.lines.push(&cmts, &upstream, modulation);
            pushed.map_err(|error| problem(error.to_string()))?;
        }
        Ok(expected)
    }

    /// What an upstream should run at, when the user says so.
    #[must_use]
    pub fn of(&self, cmts: &str, upstream: &str) -> Option<Modulation> {
        self.all.or_else(|| self.lines.of(cmts, upstream).copied())
    }
}

fn with_bits(text: &str, modulation: Modulation) -> Result<Modulation, String> {
    match modulation.bits() {
        Some(_) => Ok(modulation),
        None => Err(format!("{text:?} cannot be expected; write QPSK, QAM8 … QAM256")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_matches_counts() {
        let file = "cmts;upstream;modulation\r\nCCAP001;1/scq/3;QAM16\r\nCCAP0*;*;64QAM\r\nCCAP002;1/scq/1;QPSK\r\nCCAP101;1/*;QPSK\r\n";
        let expected = Expected::read(file).expect("a table");
        assert_eq!(expected.of("ccap001", "1/scq/3"), Some(Modulation::Qam16));
        assert_eq!(expected.of("CCAP001", "1/scq/4"), Some(Modulation::Qam64));
        assert_eq!(expected.of("CCAP002", "1/scq/1"), Some(Modulation::Qam64));
        assert_eq!(expected.of("ccap101", "1/scq/1"), Some(Modulation::Qpsk));
        assert_eq!(expected.of("CCAP101", "2/scq/1"), None);
    }

    #[test]
    fn a_line_that_is_wrong_is_named() {
        for (wrong, word) in [
            ("A,B\n", "expected cmts,upstream,modulation"),
            ("A,B,QAM63\n", "QAM63"),
            ("A,B,OFDMA\n", "QAM256"),
            ("A,,QPSK\n", "upstream: the cell is empty"),
            ("A,[,QPSK\n", "invalid pattern"),
        ] {
            let problem = Expected::read(wrong).expect_err(wrong);
            assert!(problem.line == 1 && problem.reason.contains(word), "{problem:?}");
        }
    }
}
