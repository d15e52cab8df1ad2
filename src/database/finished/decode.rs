//! The rows of a kept day on the way to their lines: while those that were read are decoded, the next ones are read.

use std::{iter, mem};

use crate::{database::DayRow, error::Result, measure::rollup::Line, relay};

/// Rows that go over at once.
const ROWS: usize = 512;

/// Rows, one text behind the other.
#[derive(Default)]
struct Batch {
    text: String,
    /// Of each row where its cmts, its upstream and its two columns end.
    ends: Vec<[usize; 4]>,
}

impl Batch {
    fn push(&mut self, row: DayRow<'_>) {
        let ends = [row.cmts, row.upstream, row.time_s, row.finished].map(|text| {
            self.text.push_str(text);
            self.text.len()
        });
        self.ends.push(ends);
    }

    fn rows(&self) -> impl Iterator<Item = [&str; 4]> {
        let begins = iter::once(0).chain(self.ends.iter().map(|ends| ends[3]));
        begins.zip(&self.ends).map(|(begin, &[cmts, upstream, time_s, finished])| {
            let texts = [begin..cmts, cmts..upstream, upstream..time_s, time_s..finished];
            texts.map(|place| &self.text[place])
        })
    }
}

/// What makes a line of the columns `time_s` and `finished`.
pub type Decode = fn(&str, &str) -> serde_json::Result<Line>;

/// Hands out the cmts, the upstream and the line of each row that `read` gives, in their order.
///
/// # Errors
/// Those of `read` and of `each`; nothing is handed out after one.
pub fn lines(
    decode: Decode,
    read: impl FnOnce(&mut dyn FnMut(DayRow<'_>) -> Result<()>) -> Result<()>,
    mut each: impl FnMut(&str, &str, serde_json::Result<Line>) -> Result<()>,
) -> Result<()> {
    relay::through(
        |to| {
            let mut batch = Batch::default();
            read(&mut |row| {
                batch.push(row);
                if batch.ends.len() < ROWS { Ok(()) } else { to(mem::take(&mut batch)) }
            })?;
            to(batch)
        },
        |batch: Batch| {
            let lines: Vec<_> =
                batch.rows().map(|[_, _, time_s, finished]| decode(time_s, finished)).collect();
            (batch, lines)
        },
        |(batch, lines)| {
            batch.rows().zip(lines).try_for_each(|([cmts, upstream, ..], line)| each(cmts, upstream, line))
        },
    )
}
