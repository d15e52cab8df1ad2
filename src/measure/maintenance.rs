//! `--maintenance FILE` and `--works FILE`: when what is worked on. A table of `cmts,from,to` and, where that is
//! known, `upstream`, `node` and `ticket`: patterns such as `CCAP0*`, and two moments as `--from` takes them. Without
//! a header line the columns stand in this order. A line with an upstream or a node is of what matches all of it,
//! else it is of the whole CMTS.

use std::{path::Path, rc::Rc};

use chrono_tz::Tz;
use globset::GlobMatcher;

use super::{Window, nodes::Nodes};
use crate::{
    error::{Error, Result},
    glob::glob,
    moment,
    record::{Maintenance, Timestamp},
    tables::{self, Problem},
};

/// The windows in which something is worked on.
#[derive(Debug, Default)]
pub struct Maintained {
    lines: Vec<Line>,
    nodes: Rc<Nodes>,
}

/// A line of the table: works on some upstreams from one moment to another.
#[derive(Debug)]
pub struct Line {
    written: Maintenance,
    cmts: GlobMatcher,
    upstream: Option<GlobMatcher>,
    node: Option<GlobMatcher>,
}

impl Line {
    fn new(cells: [String; 6], tz: Tz, now: Timestamp, nodes: &Nodes) -> Result<Self> {
        let [cmts, from, to, upstream, node, ticket] = cells;
        let text = |cell: String| Some(cell).filter(|cell| !cell.is_empty());
        let moment = |column, text: &str| moment::moment(column, text, tz, now);
        let (from, to) = (moment("from", &from)?, moment("to", &to)?);
        let (upstream, node, ticket) = (text(upstream), text(node), text(ticket));
        let pattern =
            |column, text: &Option<String>| text.as_deref().map(|text| glob(column, text)).transpose();
        let line = Line {
            cmts: glob("cmts", &cmts)?,
            upstream: pattern("upstream", &upstream)?,
            node: pattern("node", &node)?,
            written: Maintenance { cmts, from, to, upstream, node, ticket },
        };
        if from >= to {
            return Err(Error::usage("it must begin before it ends"));
        }
        if line.node.is_some() && nodes.is_empty() {
            return Err(Error::usage("node: it needs --nodes FILE or MODTOOLS_NODES"));
        }
        Ok(line)
    }

    /// As it was written.
    #[must_use]
    pub fn written(&self) -> &Maintenance {
        &self.written
    }

    /// From when to when.
    #[must_use]
    pub fn window(&self) -> Window {
        Window { from: self.written.from, to: self.written.to }
    }

    fn is_of(&self, cmts: &str, upstream: &str, nodes: &Nodes) -> bool {
        self.cmts.is_match(cmts)
            && self.upstream.as_ref().is_none_or(|glob| glob.is_match(upstream))
            && self
                .node
                .as_ref()
                .is_none_or(|glob| nodes.of(cmts, upstream).is_some_and(|node| glob.is_match(&node.node)))
    }
}

impl Maintained {
    /// Reads the file of a flag; `nodes` are those that its lines may name.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Usage`], naming flag, file and line.
    pub fn read(flag: &str, path: &Path, tz: Tz, now: Timestamp, nodes: &Rc<Nodes>) -> Result<Self> {
        tables::read(flag, path, |text| Self::parse(text, tz, now, nodes))
    }

    fn parse(text: &str, tz: Tz, now: Timestamp, nodes: &Rc<Nodes>) -> Result<Self, Problem> {
        let mut lines = Vec::new();
        for row in tables::columns(text, ["cmts", "from", "to", "upstream", "node", "ticket"], 3) {
            let (line, cells) = row?;
            let new = Line::new(cells, tz, now, nodes)
                .map_err(|error| Problem { line, reason: error.to_string() })?;
            lines.push(new);
        }
        lines.sort_by_key(|line| (line.written.from, line.written.to));
        Ok(Maintained { lines, nodes: Rc::clone(nodes) })
    }

    /// The lines, in the order of time.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The numbers of the lines that are of an upstream, in the order of time.
    pub fn numbers_of(&self, cmts: &str, upstream: &str) -> impl Iterator<Item = usize> {
        let is_of = move |line: &Line| line.is_of(cmts, upstream, &self.nodes);
        (0..).zip(&self.lines).filter(move |(_, line)| is_of(line)).map(|(number, _)| number)
    }

    /// The windows of one upstream, in the order of time, joined where they overlap.
    #[must_use]
    pub fn of(&self, cmts: &str, upstream: &str) -> Rc<[Window]> {
        let mut windows: Vec<Window> = Vec::new();
        for window in self.numbers_of(cmts, upstream).map(|number| self.lines[number].window()) {
            match windows.last_mut() {
                Some(last) if window.from <= last.to => last.to = last.to.max(window.to),
                _ => windows.push(window),
            }
        }
        windows.into()
    }

    /// Whether an upstream is worked on at a moment.
    #[must_use]
    pub fn is_at(&self, cmts: &str, upstream: &str, ts: Timestamp) -> bool {
        let at = |line: &Line| line.written.from <= ts && ts < line.written.to;
        self.lines.iter().any(|line| at(line) && line.is_of(cmts, upstream, &self.nodes))
    }

    /// Those that have a part in a window, as they were written.
    pub fn within(&self, window: Window) -> impl Iterator<Item = Maintenance> {
        let meets = move |line: &&Line| line.written.from < window.to && window.from < line.written.to;
        self.lines.iter().filter(meets).map(|line| line.written.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Maintained, Problem> {
        Maintained::parse(text, Tz::UTC, Timestamp(0), &Rc::default())
    }

    #[test]
    fn lines_are_patterns_and_moments() {
        let text = "cmts,from,to\n# works\n\nCCAP0*, 2026-05-01 02:00 , 2026-05-01T04:00:00Z\n\
                    ccap001,2026-05-01 03:00,2026-05-01 05:00\nCCAP001,2026-05-02,2026-05-03\n";
        let maintained = parse(text).expect("a file");
        let told = |cmts: &str| {
            let windows = maintained.of(cmts, "1/scq/1");
            windows.iter().map(|w| format!("{} {}", w.from, w.to)).collect::<Vec<_>>()
        };
        assert_eq!(
            told("CCAP001"),
            ["2026-05-01T02:00:00Z 2026-05-01T05:00:00Z", "2026-05-02T00:00:00Z 2026-05-03T00:00:00Z"]
        );
        assert_eq!(told("CCAP002"), ["2026-05-01T02:00:00Z 2026-05-01T04:00:00Z"]);
        assert!(told("CCAP101").is_empty());
        let ts = |text: &str| text.parse().expect("a time");
        assert!(maintained.is_at("CCAP002", "1/scq/1", ts("2026-05-01T03:59:59Z")));
        assert!(!maintained.is_at("CCAP002", "1/scq/1", ts("2026-05-01T04:00:00Z")));
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
            ("cmts,from,to,node\nA,2026-05-01,2026-05-02,\nB,2026-05-01,2026-05-02,N1\n", 3, "--nodes"),
            ("A,2026-05-01,2026-05-02,[\n", 1, "upstream: invalid pattern"),
        ] {
            let problem = parse(text).expect_err(text);
            assert!(problem.line == line && problem.reason.contains(word), "{problem:?}");
        }
        let windows = "to;Cmts;from\r\n2026-05-02;CCAP001;2026-05-01\r\n";
        assert_eq!(parse(windows).expect("a file").of("CCAP001", "1/scq/1").len(), 1);
    }

    #[test]
    fn a_line_may_be_of_some_upstreams_alone() {
        let text = "cmts,from,to,upstream,ticket\n*,2026-05-01,2026-05-02,1/*,CHG-7\nCCAP001,2026-05-01,2026-05-03,,\n";
        let maintained = parse(text).expect("a file");
        let days = |cmts: &str, upstream: &str| {
            let windows = maintained.of(cmts, upstream);
            windows.iter().map(|window| window.to.since(window.from) / 86_400).collect::<Vec<_>>()
        };
        assert_eq!((days("CCAP001", "1/0"), days("CCAP001", "2/0")), (vec![2], vec![2]));
        assert_eq!((days("CCAP002", "1/0"), days("CCAP002", "2/0")), (vec![1], vec![]));
        assert_eq!(maintained.lines()[0].written().ticket.as_deref(), Some("CHG-7"));
    }
}
