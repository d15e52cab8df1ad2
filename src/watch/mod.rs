//! mod-watch: keeps a pipeline alive and says how it is. Not a stage of the pipe, but its keeper.
//!
//! ```text
//!                   ┌─ machine: what to do (pure) ─┐
//!  notify, stderr,  │                              │  pipeline: start, TERM, KILL
//!  ends, signals ──▶│  supervisor: one poll(2)     │──▶ status, journal, hook
//!                   └──────────────────────────────┘
//!  start, check ──▶ launch ──▶ lock (handed down) ──▶ run
//!  status, stop, reset ──▶ observe
//! ```
//!
//! Start with [`machine`], then [`supervisor`]; [`lock`] says how there is only ever one.

pub mod control;
pub mod health;
pub mod hook;
pub mod journal;
pub mod launch;
pub mod lock;
pub mod log;
pub mod machine;
pub mod notify;
pub mod observe;
pub mod pipeline;
pub mod place;
pub mod proc;
pub mod status;
pub mod supervisor;

use std::io::{BufRead, Write};

use crate::{
    cli::watch::{Options, Verb, Watch},
    error::Result,
    exit::Exit,
    stage::Context,
};
use journal::Journal;
use lock::{Attempt, Lock};
use machine::Verdict;
use place::{Place, Recipe};
use supervisor::Supervisor;

/// Does what the verb says.
///
/// # Errors
/// [`crate::error::Error::Locked`] when `run` or `start` find it running; `Write` and `Read` for its files.
pub fn run(
    args: &Watch,
    context: &Context,
    _input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<Exit> {
    let place = match args.verb {
        Verb::Status { .. } => Place::find(&args.options)?,
        _ => Place::make(&args.options)?,
    };
    let control = control::Control { place: &place, options: &args.options, clock: context.clock };
    match &args.verb {
        Verb::Run { command, detached } => supervise(&args.options, command, *detached, &place, context),
        Verb::Start { command } => control.start(command, output),
        Verb::Check { command } => control.check(command),
        Verb::Status { json } => control.status(*json, output),
        Verb::Stop => control.stop(output),
        Verb::Reset => control.reset(output),
    }
}

fn supervise(
    options: &Options,
    command: &[String],
    detached: bool,
    place: &Place,
    context: &Context,
) -> Result<Exit> {
    let mut lock = if detached { launch::detach(place)? } else { take_for_foreground(place)? };
    let journal = Journal::of(place, context.clock);
    // A full disk keeps neither from being supervised.
    for kept in [lock.sign(), Recipe::of(options, command, place).and_then(|recipe| place.keep(&recipe))] {
        if let Err(error) = kept {
            journal.warn(&format!("{error}; supervision goes on without"));
        }
    }
    let signals = context.signals.clone();
    let (mut supervisor, first) = Supervisor::new(options, command, place, signals, context.clock)?;
    let early = supervisor.begin(first);
    if detached && early.is_none() {
        launch::let_go_of_streams()?;
    }
    let verdict = early.unwrap_or_else(|| supervisor.watch());
    drop(supervisor);
    lock.release();
    Ok(match verdict {
        Verdict::Stopped => Exit::Done,
        Verdict::Failed(_) => Exit::Failed,
    })
}

fn take_for_foreground(place: &Place) -> Result<Lock> {
    match Lock::take(&place.pid())? {
        Attempt::Taken(lock) => place.clear_down().map(|()| lock),
        Attempt::Held(holder) => Err(launch::running(place, holder)),
    }
}
