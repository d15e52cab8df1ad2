//! `--nodes FILE`: which fibre node an upstream serves. A table of `cmts,upstream,node` and, where they are known,
//! `hub`, `area` and `homes`; CMTS and upstream are names or patterns such as `CCAP0*`, and the first line that
//! matches counts. Without a header line the columns stand in this order.

use std::path::Path;

use super::by_name::ByName;
use crate::{
    error::Result,
    tables::{self, Problem},
};

/// A node, and where it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub node: String,
    /// The hub that it hangs on.
    pub hub: Option<String>,
    /// The area that it lies in.
    pub area: Option<String>,
    /// The homes that it passes.
    pub homes: Option<u64>,
}

/// The nodes of all upstreams.
#[derive(Debug, Default)]
pub struct Nodes {
    lines: ByName<usize>,
    /// Each node once.
    nodes: Vec<Node>,
}

impl Nodes {
    /// Reads a file.
    ///
    /// # Errors
    /// [`crate::error::Error::Read`]; [`crate::error::Error::Usage`], naming `flag`, file and line.
    pub fn read(flag: &str, path: &Path) -> Result<Self> {
        tables::read(flag, path, Self::parse)
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        let mut found = Nodes::default();
        let mut known = std::collections::HashMap::new();
        for row in tables::columns(text, ["cmts", "upstream", "node", "hub", "area", "homes"], 3) {
            let (line, [cmts, upstream, node, hub, area, homes]) = row?;
            let problem = |reason: String| Problem { line, reason };
            let text = |cell: String| Some(cell).filter(|cell| !cell.is_empty());
            let number = |cell: String| {
                cell.parse::<u64>().map_err(|_| problem(format!("invalid number of homes {cell:?}")))
            };
            let homes = text(homes).map(number).transpose()?;
            let node = Node { node, hub: text(hub), area: text(area), homes };
            let at = *known.entry(format!("{node:?}")).or_insert_with(|| {
                found.nodes.push(node);
                found.nodes.len() - 1
            });
            found.lines.push(&cmts, &upstream, at).map_err(|error| problem(error.to_string()))?;
        }
        Ok(found)
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The number of an upstream's node.
    #[must_use]
    pub fn number_of(&self, cmts: &str, upstream: &str) -> Option<usize> {
        self.lines.of(cmts, upstream).copied()
    }

    /// The node of a number.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<&Node> {
        self.nodes.get(number)
    }

    /// The node of an upstream.
    #[must_use]
    pub fn of(&self, cmts: &str, upstream: &str) -> Option<&Node> {
        self.get(self.number_of(cmts, upstream)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_matches_names_the_node() {
        let text = "node;Upstream;CMTS;homes\r\nN1;1/scq/1;CCAP001;512\r\nN2;1/scq/*;ccap001;\r\nN3;*;CCAP0*;\r\nN4;1/scq/1;CCAP001;\r\n";
        let nodes = Nodes::parse(text).expect("a table");
        let node = |cmts, upstream| nodes.of(cmts, upstream).map(|node| node.node.as_str());
        assert_eq!(nodes.of("CCAP001", "1/SCQ/1").and_then(|node| node.homes), Some(512));
        assert_eq!(node("CCAP001", "1/scq/2"), Some("N2"));
        assert_eq!(node("CCAP001", "2/scq/2"), Some("N3"));
        assert_eq!(node("CCAP101", "2/scq/2"), None);
        let plain =
            Nodes::parse("CCAP001,1/*,N1,Hoorn,North\nCCAP001,2/*,N1,Hoorn,North\n").expect("a table");
        assert_eq!(plain.of("CCAP001", "2/0").and_then(|node| node.area.as_deref()), Some("North"));
        assert_eq!(plain.number_of("CCAP001", "1/0"), plain.number_of("CCAP001", "2/0"));
    }

    #[test]
    fn a_line_that_is_wrong_is_named() {
        for (text, line, word) in [
            ("A,B,N,H,A,many\n", 1, "homes"),
            ("A,B,N\nA,B\n", 2, "expected cmts,upstream,node[,hub][,area][,homes]"),
            ("cmts,upstream,node\nA,B,\n", 2, "node: the cell is empty"),
            ("[,B,N\n", 1, "pattern"),
        ] {
            let problem = Nodes::parse(text).expect_err(text);
            assert!(problem.line == line && problem.reason.contains(word), "{problem:?}");
        }
    }
}
