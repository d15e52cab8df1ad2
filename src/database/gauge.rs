//! The server's own tally of the rows in each partition. It is an estimate, but every row that comes or goes moves it, so
//! that a partition of which it stands still has not changed. A server that starts anew begins with another estimate.

use serde::{Deserialize, Serialize};

use crate::{measure::Window, record::Timestamp};

/// Two readings of a start that are this close are of one: the server gives its age in whole seconds.
const SAME_START_S: u64 = 2;

/// The tally of a table, read at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gauge {
    /// When the server started.
    pub started: Timestamp,
    /// The end of each partition, none for the last one of some tables, and its tally; in their order.
    pub partitions: Vec<(Option<Timestamp>, u64)>,
}

/// What the gauge showed of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When the server started, UNIX seconds.
    started: i64,
    /// The tally of all partitions that rows of the window may be in.
    rows: u64,
}

impl Gauge {
    /// What it shows of a window.
    #[must_use]
    pub fn mark(&self, window: Window) -> Mark {
        let mut begin = None;
        let mut rows = 0;
        for &(end, tally) in &self.partitions {
            if end.is_none_or(|end| end > window.from) && begin.is_none_or(|begin| begin < window.to) {
                rows += tally;
            }
            begin = end;
        }
        Mark { started: self.started.0, rows }
    }
}

impl Mark {
    /// Whether no row has come between the two.
    #[must_use]
    pub fn is_same(self, other: Mark) -> bool {
        self.rows == other.rows && self.started.abs_diff(other.started) <= SAME_START_S
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_covers_the_partitions_of_its_window_and_no_others() {
        let ends = [Some(Timestamp(100)), Some(Timestamp(200)), None];
        let gauge = |rows: [u64; 3]| Gauge {
            started: Timestamp(7),
            partitions: ends.into_iter().zip(rows).collect(),
        };
        let mark = |rows, from, to| gauge(rows).mark(Window { from: Timestamp(from), to: Timestamp(to) });
        for (from, to, rows) in
            [(0, 100, 1), (0, 101, 3), (100, 200, 2), (99, 200, 3), (150, 300, 6), (200, 300, 4)]
        {
            assert_eq!(mark([1, 2, 4], from, to), Mark { started: 7, rows }, "{from} {to}");
        }
        let then = mark([1, 2, 4], 100, 200);
        assert!(then.is_same(mark([9, 2, 9], 100, 200)) && !then.is_same(mark([1, 3, 4], 100, 200)));
        assert!(then.is_same(Mark { started: 8, ..then }) && !then.is_same(Mark { started: 60, ..then }));
    }
}
