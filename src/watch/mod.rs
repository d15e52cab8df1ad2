//! mod-watch: keeps a pipeline alive and reports its state. It is not a stage of the pipe.
//!
//! A *supervisor* (`mod-watch run`, in the background by `start` or `check`) starts the command in a session of
//! its own and reads two things of it: its stderr, and what it reports on a socket (`NOTIFY_SOCKET`, the protocol
//! of sd_notify(3)). A *heartbeat* there is proof of progress. Only the last stage sends one, once everything
//! before it is committed or spooled, so a stage that hangs anywhere stops the heartbeat.
//!
//! ```text
//!                      ┌─ machine: what to do (pure) ─┐
//!  notify, stderr,     │                              │  pipeline: start, TERM, KILL
//!  exits, signals ────▶│  supervisor: one poll(2)     │──▶ status_file, watchdog_log, hook
//!                      └──────────────────────────────┘
//!  start, check ──▶ launch ──▶ lock (handed down) ──▶ run
//!  status, stop, reset ──▶ report
//! ```
//!
//! # How faults are handled
//!
//! - The command ends, or sends no heartbeat for `--max-heartbeat-age`: all of its processes get TERM, after
//!   `--stop-timeout` KILL, and once the last one is gone it is started again. The delay doubles with each
//!   restart; after `--max-restart-attempts` in a row it has failed, and `--on-failure` runs once.
//! - The supervisor is killed: the next one ends the processes that were left behind before it starts its own.
//!   They are known by the socket in their environment.
//! - The disk is full: supervision goes on, each loss is logged once, and files are written again when there is room.
//! - A file is removed while the supervisor runs: it is made again. When another supervisor took the lock
//!   meanwhile, this one ends.
//! - Others can make files in the directory: what they made is named and ignored, and a second lock lies in the
//!   account's own directory. No file is opened through a link, and no pipe is waited for.
//! - Nobody is signalled because a file names them: who holds a lock is asked of the system.
//!
//! # On disk
//!
//! In `--dir`, else MODTOOLS_RUN_DIR, else /run/modtools (root) or `~/.local/state/modtools/run`:
//!
//! | file | content | mode |
//! |---|---|---|
//! | `NAME.pid` | the lock (flock), and the supervisor's process number; emptied at the end, never removed | 0600 |
//! | `NAME.status` | the status as JSON ([`crate::record::Document`]), replaced as a whole | 0644 |
//! | `NAME.cmd` | how it is started again, and which process wrote that ([`paths::Recipe`]) | 0600 |
//! | `NAME.down` | exists after `stop`, until `start` | 0644 |
//! | `NAME.log`, `.1` … | the command's stderr with time stamps | 0640 |
//! | `NAME.sock` | the socket; where others can make files, it lies in the account's own directory | 0600 |
//! | `watchdog.log` | what mod-watch did and why, for all names | 0640 |
//!
//! Start reading with [`machine`], then [`supervisor`]; [`lock`] is why there is only ever one.

pub mod control;
mod gauges;
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
    cli::watch::{Format, Options, Verb, Watch},
    error::Result,
    exit::Exit,
    stage::Context,
};
use lock::{Attempt, Lock};
use machine::Verdict;
use paths::Paths;
use supervisor::{Supervisor, Task};

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
    let paths = Paths::find(&args.options, &context.settings)?;
    if !matches!(args.verb, Verb::Status { .. }) {
        paths.create()?;
    }
    let control = control::Control { paths: &paths, options: &args.options, clock: context.clock };
    match &args.verb {
        Verb::Run { command, detached } => supervise(&args.options, command, *detached, &paths, context),
        Verb::Start { command } => control.start(command, output),
        Verb::Check { command, nagios: false } => control.check(command),
        Verb::Check { command, nagios: true } => control.check_as_plugin(command, output),
        Verb::Status { json: true, .. } => control.status(Format::Json, output),
        Verb::Status { nagios: true, .. } => control.status(Format::Nagios, output),
        Verb::Status { prom: true, .. } => control.status(Format::Prom, output),
        Verb::Status { .. } => control.status(Format::Line, output),
        Verb::Stop => {
            // What an older version ran elsewhere must not be started again here.
            let chosen = Paths::chosen(&args.options, &context.settings)?;
            if chosen.dir() != paths.dir() {
                chosen.create()?;
                chosen.set_down()?;
            }
            control.stop(output)
        }
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
    let lock = if detached { launch::detach(paths)? } else { take_for_foreground(paths)? };
    let (signals, clock) = (context.signals.clone(), context.clock);
    let (mut supervisor, first) = Supervisor::new(Task { options, command, paths, signals, clock }, lock)?;
    let early = supervisor.begin(first);
    if detached && early.is_none() {
        launch::close_streams()?;
    }
    let verdict = early.unwrap_or_else(|| supervisor.run());
    supervisor.release();
    Ok(match verdict {
        Verdict::Stopped => Exit::Done,
        Verdict::Failed(_) => Exit::Failed,
    })
}

fn take_for_foreground(paths: &Paths) -> Result<Lock> {
    match Lock::take(paths)? {
        Attempt::Taken(lock) => paths.clear_down().map(|()| lock),
        Attempt::Held(holder) => Err(launch::running(paths, holder.as_ref())),
    }
}
