//! The lines of a stream through the parser and the sink: one by one, or on several threads with the
//! output still in the order of the input. Memory is bounded by what is on the way, and nothing that is
//! done waits for the next line to come.

use std::{
    io::{BufRead, Write},
    ops::Range,
    sync::{
        Mutex,
        mpsc::{Receiver, Sender, SyncSender, TryRecvError, channel, sync_channel},
    },
    thread,
};

use super::{
    Method,
    sink::{ParsedLine, Sink, parse_line},
};
use crate::{
    error::{Error, Result},
    exit::Exit,
    ndjson::Lines,
    record::{BadLine, Outputs},
    sync::unpoisoned,
};

/// Lines travel in batches: a short line costs less to parse than to hand to another thread. A batch ends at
/// these bytes, these lines, or where the next line would have to be waited for.
const BATCH_BYTES: usize = 128 << 10;
const BATCH_LINES: usize = 1024;

/// Line after line. The harness flushes before it waits for input.
pub(super) fn one_by_one(
    mut lines: Lines<&mut dyn BufRead>,
    method: &Method,
    mut sink: Sink,
    output: &mut dyn Write,
) -> Result<Exit> {
    let (mut outputs, mut records) = (Outputs::default(), Vec::new());
    while let Some((number, line)) = lines.next_numbered()? {
        clear(&mut records);
        let (text, parsed) = match line {
            Ok(line) => (line, parse_line(line, method, &mut outputs, &mut records)),
            Err(bad) => ("", Err(bad)),
        };
        if !sink.line(number, text, parsed, &records, output)? {
            return Ok(sink.exit());
        }
    }
    Ok(sink.end())
}

/// Lines that were read together, and what became of them. Its memory is used again.
#[derive(Default)]
struct Batch {
    text: String,
    /// Number of each line, and where it is in the text, or why it could not be read.
    lines: Vec<(u64, Result<Range<usize>, BadLine>)>,
    parsed: Vec<ParsedLine>,
    /// The records of all its captures.
    records: Vec<u8>,
}

impl Batch {
    fn line(&self, range: &Range<usize>) -> &str {
        &self.text[range.clone()]
    }

    fn parse(&mut self, method: &Method, outputs: &mut Outputs) {
        let mut records = std::mem::take(&mut self.records);
        for (_, line) in &self.lines {
            let parsed = match line {
                Ok(range) => parse_line(self.line(range), method, outputs, &mut records),
                Err(bad) => Err(bad.clone()),
            };
            self.parsed.push(parsed);
        }
        self.records = records;
    }

    fn clear(mut self) -> Self {
        self.text.clear();
        self.text.shrink_to(KEPT);
        self.lines.clear();
        self.parsed.clear();
        clear(&mut self.records);
        self
    }
}

/// Bytes of memory that a buffer keeps for what comes next.
const KEPT: usize = 1 << 20;

fn clear(records: &mut Vec<u8>) {
    records.clear();
    records.shrink_to(KEPT);
}

struct Job {
    batch: Batch,
    done: SyncSender<Batch>,
}

/// This thread reads, `jobs` threads parse, one writes.
pub(super) fn in_parallel(
    jobs: usize,
    mut lines: Lines<&mut dyn BufRead>,
    method: &Method,
    sink: Sink,
    output: &mut (dyn Write + Send),
) -> Result<Exit> {
    let (work, todo) = sync_channel::<Job>(jobs);
    let (order, pending) = sync_channel::<Receiver<Batch>>(2 * jobs);
    let (empty, spare) = channel::<Batch>();
    let todo = Mutex::new(todo);
    let next = || unpoisoned(todo.lock()).recv();
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                let mut outputs = Outputs::default();
                while let Ok(Job { mut batch, done }) = next() {
                    batch.parse(method, &mut outputs);
                    // The sink went away with a fault of the output: nothing is left to be done.
                    let _ = done.send(batch);
                }
            });
        }
        let draining = scope.spawn(|| drain(pending, empty, sink, output));
        let fed = feed(&mut lines, spare, work, order);
        let drained = draining.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        fed.and(drained)
    })
}

/// Reads until the input or the sink ends.
fn feed(
    lines: &mut Lines<&mut dyn BufRead>,
    spare: Receiver<Batch>,
    work: SyncSender<Job>,
    order: SyncSender<Receiver<Batch>>,
) -> Result<()> {
    let mut fault = Ok(());
    while fault.is_ok() {
        let mut batch = spare.try_recv().unwrap_or_default();
        fault = read_batch(lines, &mut batch);
        if batch.lines.is_empty() {
            break;
        }
        let (done, arrives) = sync_channel(1);
        if order.send(arrives).is_err() || work.send(Job { batch, done }).is_err() {
            break;
        }
    }
    fault
}

/// Reads the next lines, none at the end of the input. What came before a fault is used.
fn read_batch(lines: &mut Lines<&mut dyn BufRead>, batch: &mut Batch) -> Result<()> {
    while let Some((number, line)) = lines.next_numbered()? {
        let start = batch.text.len();
        let place = line.map(|line| {
            batch.text.push_str(line);
            start..batch.text.len()
        });
        batch.lines.push((number, place));
        let is_full = batch.text.len() >= BATCH_BYTES || batch.lines.len() >= BATCH_LINES;
        if is_full || !lines.has_buffered_line()? {
            break;
        }
    }
    Ok(())
}

fn drain(
    pending: Receiver<Receiver<Batch>>,
    empty: Sender<Batch>,
    mut sink: Sink,
    output: &mut dyn Write,
) -> Result<Exit> {
    while let Some(arrives) = or_flush(&pending, output)? {
        // A thread that panicked has said so itself, and ends the run when the scope does.
        let Some(mut batch) = or_flush(&arrives, output)? else { break };
        for ((number, line), parsed) in batch.lines.iter().zip(std::mem::take(&mut batch.parsed)) {
            let text = line.as_ref().map_or("", |range| batch.line(range));
            if !sink.line(*number, text, parsed, &batch.records, output)? {
                return Ok(sink.exit());
            }
        }
        // At the end of the input nobody wants it.
        let _ = empty.send(batch.clear());
    }
    Ok(sink.end())
}

/// The next item; before it has to be waited for, what was written so far goes out.
fn or_flush<T>(from: &Receiver<T>, output: &mut dyn Write) -> Result<Option<T>> {
    match from.try_recv() {
        Ok(item) => Ok(Some(item)),
        Err(TryRecvError::Disconnected) => Ok(None),
        Err(TryRecvError::Empty) => {
            output.flush().map_err(Error::output)?;
            Ok(from.recv().ok())
        }
    }
}
