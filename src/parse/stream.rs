//! The lines of a stream through the parser and the sink: one by one, or on several threads with the
//! output still in the order of the input. Memory is bounded by what is on the way, and nothing that is
//! done waits for the next line to come.

use std::{
    io::{BufRead, Write},
    ops::Range,
    sync::{
        Mutex,
        mpsc::{Receiver, SyncSender, TryRecvError, sync_channel},
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
    record::BadLine,
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
    while let Some((number, line)) = lines.next_numbered()? {
        let (text, parsed) = match line {
            Ok(line) => (line, parse_line(line, method)),
            Err(bad) => ("", Err(bad)),
        };
        if !sink.line(number, text, parsed, output)? {
            return Ok(sink.exit());
        }
    }
    Ok(sink.end())
}

/// Lines that were read together.
#[derive(Default)]
struct Batch {
    text: String,
    /// Number of each line, and where it is in the text, or why it could not be read.
    lines: Vec<(u64, Result<Range<usize>, BadLine>)>,
}

impl Batch {
    fn line(&self, range: &Range<usize>) -> &str {
        &self.text[range.clone()]
    }

    fn parsed(&self, method: &Method) -> Vec<ParsedLine> {
        let lines = self.lines.iter().map(|(_, line)| match line {
            Ok(range) => parse_line(self.line(range), method),
            Err(bad) => Err(bad.clone()),
        });
        lines.collect()
    }
}

/// A batch, and what became of each of its lines.
type Done = (Batch, Vec<ParsedLine>);

struct Job {
    batch: Batch,
    done: SyncSender<Done>,
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
    let (order, pending) = sync_channel::<Receiver<Done>>(2 * jobs);
    let todo = Mutex::new(todo);
    let next = || unpoisoned(todo.lock()).recv();
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Ok(Job { batch, done }) = next() {
                    let parsed = batch.parsed(method);
                    // The sink went away with a fault of the output: nothing is left to be done.
                    let _ = done.send((batch, parsed));
                }
            });
        }
        let draining = scope.spawn(|| drain(pending, sink, output));
        let fed = feed(&mut lines, work, order);
        let drained = draining.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        fed.and(drained)
    })
}

/// Reads until the input or the sink ends.
fn feed(
    lines: &mut Lines<&mut dyn BufRead>,
    work: SyncSender<Job>,
    order: SyncSender<Receiver<Done>>,
) -> Result<()> {
    let mut fault = Ok(());
    while fault.is_ok() {
        let batch;
        (batch, fault) = read_batch(lines);
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

/// The next lines, none at the end of the input. What came before a fault is used.
fn read_batch(lines: &mut Lines<&mut dyn BufRead>) -> (Batch, Result<()>) {
    let mut batch = Batch::default();
    loop {
        match lines.next_numbered() {
            Ok(Some((number, line))) => {
                let start = batch.text.len();
                let place = line.map(|line| {
                    batch.text.push_str(line);
                    start..batch.text.len()
                });
                batch.lines.push((number, place));
            }
            Ok(None) => return (batch, Ok(())),
            Err(error) => return (batch, Err(error)),
        }
        if batch.text.len() >= BATCH_BYTES || batch.lines.len() >= BATCH_LINES {
            return (batch, Ok(()));
        }
        match lines.has_buffered_line() {
            Ok(true) => {}
            ended => return (batch, ended.map(|_| ())),
        }
    }
}

fn drain(pending: Receiver<Receiver<Done>>, mut sink: Sink, output: &mut dyn Write) -> Result<Exit> {
    while let Some(arrives) = or_flush(&pending, output)? {
        // A thread that panicked has said so itself, and ends the run when the scope does.
        let Some((batch, parsed)) = or_flush(&arrives, output)? else { break };
        for ((number, line), parsed) in batch.lines.iter().zip(parsed) {
            let text = line.as_ref().map_or("", |range| batch.line(range));
            if !sink.line(*number, text, parsed, output)? {
                return Ok(sink.exit());
            }
        }
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
