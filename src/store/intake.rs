//! The reading half of mod-store: lines into records, on a thread of its own, handed over in
//! batches. A batch ends where the storing half may have something to do, so that nothing lingers.

use std::{io::BufRead, mem, sync::mpsc::SyncSender};

use crate::{
    error::Result,
    ndjson::Lines,
    record::{self, BadLine, Record, Timestamp},
};

/// Batches on their way at most: what a slow database makes us hold in memory.
pub(super) const QUEUE: usize = 256;
const BATCH: usize = 256;

/// One line, read.
pub(super) struct Item {
    /// Its number in the input.
    pub number: u64,
    /// Its text, when it may be passed on or has to be looked at again; else empty.
    pub line: String,
    pub record: Result<Record, BadLine>,
}

/// Reads to the end of the input, or until nobody listens any more.
pub(super) fn read(input: &mut dyn BufRead, keep_lines: bool, to: &SyncSender<Vec<Item>>) -> Result<()> {
    let mut lines = Lines::new(input);
    let mut batch = Vec::with_capacity(BATCH);
    let mut group = None;
    let ended = loop {
        let (line, record) = match lines.next_line() {
            Ok(Some(Ok(line))) => {
                let record = record::decode(line);
                let keep = keep_lines || record.is_err();
                (if keep { line.to_owned() } else { String::new() }, record)
            }
            Ok(Some(Err(bad))) => (String::new(), Err(bad)),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        };
        let waits = joins(&mut group, &record);
        batch.push(Item { number: lines.number(), line, record });
        if (!waits || batch.len() >= BATCH) && to.send(mem::take(&mut batch)).is_err() {
            return Ok(());
        }
    };
    // Nobody listens: whoever stopped has the reason.
    let _ = to.send(batch);
    ended
}

/// Whether a line is one more sample of the group that is being read: it causes nothing by itself.
fn joins(group: &mut Option<(String, Timestamp)>, record: &Result<Record, BadLine>) -> bool {
    let Ok(Record::Sample(sample)) = record else {
        *group = None;
        return false;
    };
    if group.as_ref().is_some_and(|(cmts, ts)| sample.ts == *ts && sample.cmts == *cmts) {
        return true;
    }
    group.replace((sample.cmts.clone(), sample.ts)).is_none()
}
