//! `--maintenance FILE`: when which CMTSs are worked on. A table of `cmts,from,to`: a pattern such as `CCAP0*` and
//! two moments as `--from` takes them. Without a header line the columns stand in this order.

use std::{path::Path, rc::Rc};

use chrono_tz::Tz;
use globset::GlobMatcher;

use super::Window;
use crate::{
    error::{Error, Result},
    glob::glob,
    moment,
    record::{Maintenance, Timestamp},
    tables::{self, Problem},
};

/// The windows in which CMTSs are worked on.
#[derive(Debug, Default)]
pub struct Maintained(Vec<Line>);

#[derive(Debug)]
struct Line {
    pattern: String,
    cmts: GlobMatcher,
    window: Window,
}

impl Line {
    fn new([pattern, from, to]: [&str; 3], tz: Tz, now: Timestamp) -> Result<Self> {
        let cmts = glob("cmts", pattern)?;
        let moment = |column, text| moment::moment(column, text, tz, now);
        let window = Window { from: moment("from", from)?, to: moment("to", to)? };
        if window.from >= window.to {
            return Err(Error::usage("it must begin before it ends"));
        }
        Ok(Line { pattern: pattern.to_owned(), cmts, window })
    }
}

impl Maintained {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Usage`], naming file and line.
    pub fn read(path: &Path, tz: Tz, now: Timestamp) -> Result<Self> {
        tables::read("--maintenance", path, |text| Self::parse(text, tz, now))
    }

    fn parse(text: &str, tz: Tz, now: Timestamp) -> Result<Self, Problem> {
        let mut lines = Vec::new();
        for row in tables::columns(text, ["cmts", "from", "to"], 3) {
            let (line, cells) = row?;
            let cells = cells.each_ref().map(String::as_str);
            let new =
                Line::new(cells, tz, now).map_err(|error| Problem { line, reason: error.to_string() })?;
            lines.push(new);
        }
        lines.sort_by_key(|line| (line.window.from, line.window.to));
        Ok(Maintained(lines))
    }

    /// The windows of one CMTS, in the order of time, joined where they overlap.
    #[must_use]
    pub fn of(&self, cmts: &str) -> Rc<[Window]> {
        let mut windows: Vec<Window> = Vec::new();
        for line in self.0.iter().filter(|line| line.cmts.is_match(cmts)) {
            match windows.last_mut() {
                Some(last) if line.window.from <= last.to => last.to = last.to.max(line.window.to),
                _ => windows.push(line.window),
            }
        }
        windows.into()
    }

    /// Whether a CMTS is worked on at a moment.
    #[must_use]
    pub fn is_at(&self, cmts: &str, ts: Timestamp) -> bool {
        let at = |line: &Line| line.window.from <= ts && ts < line.window.to;
        self.0.iter().any(|line| at(line) && line.cmts.is_match(cmts))
    }

    /// Those that have a part in a window, as they were written.
    pub fn within(&self, window: Window) -> impl Iterator<Item = Maintenance> {
        let meets = move |line: &&Line| line.window.from < window.to && window.from < line.window.to;
        self.0.iter().filter(meets).map(|line| Maintenance {
            cmts: line.pattern.clone(),
            from: line.window.from,
            to: line.window.to,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Maintained, Problem> {
        Maintained::parse(text, Tz::UTC, Timestamp(0))
    }

    #[test]
    fn lines_are_patterns_and_moments() {
        let text = "cmts,from,to\n# works\n\nCCAP0*, 2026-05-01 02:00 , 2026-05-01T04:00:00Z\n\
                    ccap001,2026-05-01 03:00,2026-05-01 05:00\nCCAP001,2026-05-02,2026-05-03\n";
        let maintained = parse(text).expect("a file");
        let told = |cmts: &str| {
            let windows = maintained.of(cmts);
            windows.iter().map(|w| format!("{} {}", w.from, w.to)).collect::<Vec<_>>()
        };
        assert_eq!(
            told("CCAP001"),
            ["2026-05-01T02:00:00Z 2026-05-01T05:00:00Z", "2026-05-02T00:00:00Z 2026-05-03T00:00:00Z"]
        );
        assert_eq!(told("CCAP002"), ["2026-05-01T02:00:00Z 2026-05-01T04:00:00Z"]);
        assert!(told("CCAP101").is_empty());
        let ts = |text: &str| text.parse().expect("a time");
        assert!(maintained.is_at("CCAP002", ts("2026-05-01T03:59:59Z")));
        assert!(!maintained.is_at("CCAP002", ts("2026-05-01T04:00:00Z")));
        let day = Window { from: ts("2026-05-02T00:00:00Z"), to: ts("2026-05-02T10:00:00Z") };
        assert_eq!(maintained.within(day).map(|m| m.cmts).collect::<Vec<_>>(), ["CCAP001"]);
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        for (text, line, word) in [
            ("CCAP001,2026-05-01\n", 1, "cmts,from,to"),
            ("A,2026-05-01,2026-05-02\nCCAP001,noon,2026-05-01\n", 2, "noon"),
            ("CCAP001,2026-05-02,2026-05-01\n", 1, "begin"),
            ("[,2026-05-01,2026-05-02\n", 1, "pattern"),
            ("cmts;from;to\nCCAP001;2026-05-01\n", 2, "to"),
        ] {
            let problem = parse(text).expect_err(text);
            assert!(problem.line == line && problem.reason.contains(word), "{problem:?}");
        }
        let windows = "to;Cmts;from\r\n2026-05-02;CCAP001;2026-05-01\r\n";
        assert_eq!(parse(windows).expect("a file").of("CCAP001").len(), 1);
    }
}
