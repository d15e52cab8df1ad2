//! The lines of a stream through `look` and the settler: one by one, or on several threads with the
//! output still in the order of the input. Memory is bounded by what is on the way, and nothing that is
//! done waits for the next line to come.

use std::{
    io::{BufRead, Write},
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TryRecvError, sync_channel},
    },
    thread,
};

use super::{
    Method,
    settle::{Looked, Settler, look},
};
use crate::{
    error::{Error, Result},
    exit::Exit,
    ndjson::Lines,
};

/// Line after line. The harness flushes before it waits for input.
pub(super) fn one_by_one(
    mut lines: Lines<&mut dyn BufRead>,
    method: &Method,
    mut settler: Settler,
    output: &mut dyn Write,
) -> Result<Exit> {
    while let Some(line) = lines.next_line()? {
        let line = line.into_owned();
        if !settler.line(lines.number(), &line, look(&line, method), output)? {
            return Ok(settler.exit());
        }
    }
    Ok(settler.end())
}

struct Job {
    line: String,
    done: SyncSender<(String, Looked)>,
}

/// A line on its way: its number, and where it arrives when it was looked at.
type Pending = (u64, Receiver<(String, Looked)>);

/// This thread reads, `jobs` threads look, one settles.
pub(super) fn in_parallel(
    jobs: usize,
    mut lines: Lines<&mut dyn BufRead>,
    method: &Method,
    settler: Settler,
    output: &mut (dyn Write + Send),
) -> Result<Exit> {
    let (work, todo) = sync_channel::<Job>(jobs);
    let (order, pending) = sync_channel::<Pending>(2 * jobs);
    let todo = Mutex::new(todo);
    let next = || todo.lock().unwrap_or_else(PoisonError::into_inner).recv();
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Ok(Job { line, done }) = next() {
                    let looked = look(&line, method);
                    // The settler went away with a fault of the output: nothing is left to be done.
                    let _ = done.send((line, looked));
                }
            });
        }
        let settling = scope.spawn(|| settle(pending, settler, output));
        let fed = feed(&mut lines, work, order);
        let settled = settling.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        fed.and(settled)
    })
}

/// Reads until the input ends, or nobody settles any more.
fn feed(
    lines: &mut Lines<&mut dyn BufRead>,
    work: SyncSender<Job>,
    order: SyncSender<Pending>,
) -> Result<()> {
    while let Some(line) = lines.next_line()? {
        let line = line.into_owned();
        let (done, arrives) = sync_channel(1);
        let number = lines.number();
        if order.send((number, arrives)).is_err() || work.send(Job { line, done }).is_err() {
            break;
        }
    }
    Ok(())
}

fn settle(pending: Receiver<Pending>, mut settler: Settler, output: &mut dyn Write) -> Result<Exit> {
    while let Some((number, arrives)) = or_flush(&pending, output)? {
        // A thread that panicked has said so itself, and ends the run when the scope does.
        let Some((line, looked)) = or_flush(&arrives, output)? else { break };
        if !settler.line(number, &line, looked, output)? {
            return Ok(settler.exit());
        }
    }
    Ok(settler.end())
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
