//! What a table says of upstreams by the names of CMTS and upstream, or by patterns such as `CCAP0*`. The first
//! line that matches counts.

use std::collections::HashMap;

use globset::GlobMatcher;

use crate::{error::Result, glob::glob};

/// A line with a pattern: its place in the table, and what its upstreams and CMTSs are called.
#[derive(Debug)]
struct Pattern {
    place: usize,
    upstream: GlobMatcher,
    /// None: the CMTS that it is filed under.
    cmts: Option<GlobMatcher>,
}

/// The lines of a table, so ordered that a line for each of many upstreams costs nothing.
#[derive(Debug)]
pub struct ByName<T> {
    values: Vec<T>,
    /// By CMTS and upstream in lower case the place of the first line.
    exact: HashMap<String, HashMap<String, usize>>,
    /// By CMTS in lower case its lines with patterns of upstreams.
    of_cmts: HashMap<String, Vec<Pattern>>,
    patterns: Vec<Pattern>,
}

impl<T> Default for ByName<T> {
    fn default() -> Self {
        let (values, patterns) = (Vec::new(), Vec::new());
        ByName { values, exact: HashMap::new(), of_cmts: HashMap::new(), patterns }
    }
}

fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '[', '{'])
}

impl<T> ByName<T> {
    /// Takes the next line.
    ///
    /// # Errors
    /// A pattern that cannot be used, by its column.
    pub fn push(&mut self, cmts: &str, upstream: &str, value: T) -> Result<()> {
        let place = self.values.len();
        match (is_pattern(cmts), is_pattern(upstream)) {
            (false, false) => {
                let of_cmts = self.exact.entry(cmts.to_lowercase()).or_default();
                of_cmts.entry(upstream.to_lowercase()).or_insert(place);
            }
            (false, true) => {
                let pattern = Pattern { place, upstream: glob("upstream", upstream)?, cmts: None };
                self.of_cmts.entry(cmts.to_lowercase()).or_default().push(pattern);
            }
            (true, _) => {
                let (cmts, upstream) = (Some(glob("cmts", cmts)?), glob("upstream", upstream)?);
                self.patterns.push(Pattern { place, upstream, cmts });
            }
        }
        self.values.push(value);
        Ok(())
    }

    /// Whether there is no line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The place of the first line that matches, from 0.
    #[must_use]
    pub fn place(&self, cmts: &str, upstream: &str) -> Option<usize> {
        if self.is_empty() {
            return None;
        }
        let lower = cmts.to_lowercase();
        let exact = self.exact.get(&lower).and_then(|of| of.get(&upstream.to_lowercase())).copied();
        let matches = |pattern: &&Pattern| {
            pattern.cmts.as_ref().is_none_or(|of| of.is_match(cmts)) && pattern.upstream.is_match(upstream)
        };
        let first = |patterns: &[Pattern]| patterns.iter().find(matches).map(|pattern| pattern.place);
        let of_cmts = self.of_cmts.get(&lower).and_then(|patterns| first(patterns));
        [exact, of_cmts, first(&self.patterns)].into_iter().flatten().min()
    }

    /// What the first line that matches says.
    #[must_use]
    pub fn of(&self, cmts: &str, upstream: &str) -> Option<&T> {
        self.at(self.place(cmts, upstream)?)
    }

    /// What the line at a place says.
    #[must_use]
    pub fn at(&self, place: usize) -> Option<&T> {
        self.values.get(place)
    }
}
