//! mod-watch: keeps a pipeline alive and says how it is. Not a stage of the pipe, but its keeper.
//!
//! ```text
//!                   ┌─ machine: what to do (pure) ─┐
//!  notify, stderr,  │                              │  pipeline: start, TERM, KILL
//!  ends, signals ──▶│  supervisor: one poll(2)     │──▶ status, watchdog_log, hook
//!                   └──────────────────────────────┘
//!  start, check ──▶ launch ──▶ lock (handed down) ──▶ run
//!  status, stop, reset ──▶ observe
//! ```
//!
//! Start with [`machine`], then [`supervisor`]; [`lock`] says how there is only ever one.

pub mod control;
pub mod health;
pub mod hook;
pub mod launch;
pub mod lock;
pub mod log;
pub mod machine;
pub mod notify;
pub mod paths;
pub mod pipeline;
pub mod report;
pub mod status_file;
pub mod supervisor;
pub mod watchdog_log;

use std::io::{BufRead, Write};

use crate::{
    cli::watch::{Options, Verb, Watch},
    error::Result,
    exit::Exit,
    stage::Context,
};
use lock::{Attempt, Lock};
use machine::Verdict;
use paths::{Paths, Recipe};
use supervisor::Supervisor;
use watchdog_log::WatchdogLog;

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
    let paths = match args.verb {
        Verb::Status { .. } => Paths::find(&args.options)?,
        _ => Paths::make(&args.options)?,
    };
    let control = control::Control { paths: &paths, options: &args.options, clock: context.clock };
    match &args.verb {
        Verb::Run { command, detached } => supervise(&args.options, command, *detached, &paths, context),
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
    paths: &Paths,
    context: &Context,
) -> Result<Exit> {
    let mut lock = if detached { launch::detach(paths)? } else { take_for_foreground(paths)? };
    let watchdog_log = WatchdogLog::of(paths, context.clock);
    // A full disk keeps neither from being supervised.
    for kept in [lock.sign(), Recipe::of(options, command, paths).and_then(|recipe| paths.keep(&recipe))] {
        if let Err(error) = kept {
            watchdog_log.warn(&format!("{error}; supervision goes on without"));
        }
    }
    let signals = context.signals.clone();
    let (mut supervisor, first) = Supervisor::new(options, command, paths, signals, context.clock)?;
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

fn take_for_foreground(paths: &Paths) -> Result<Lock> {
    match Lock::take(&paths.pid())? {
        Attempt::Taken(lock) => paths.clear_down().map(|()| lock),
        Attempt::Held(holder) => Err(launch::running(paths, holder)),
    }
}
