//! A supervisor in the background: mod-watch starts itself anew as `run`, in a session of its own, with
//! the lock already taken on its standard input, so that of many that try only one ever starts.

use std::{
    io::{self, PipeReader, Read, Write},
    os::fd::{AsFd, BorrowedFd},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{
    lock::{Attempt, Holder, Lock},
    paths::{Paths, Recipe},
};
use crate::{
    cli::watch::Options,
    error::{Error, Result},
    procfs,
};

/// A supervisor must be up within.
const START_TIMEOUT: Duration = Duration::from_secs(15);

/// A supervisor that is up writes this byte to its stderr and closes it; no message holds it.
const UP: u8 = 0;

/// What came of starting a supervisor.
#[derive(Debug)]
pub struct Launched {
    /// Its number.
    pub pid: u32,
    /// Its messages until it was up.
    pub messages: Vec<String>,
}

impl Recipe {
    /// How this command is started again with these options, from here.
    ///
    /// # Errors
    /// [`Error::Usage`] when the current directory has no name that can be kept.
    pub fn of(options: &Options, command: &[String], paths: &Paths) -> Result<Self> {
        let cwd = std::env::current_dir().map_err(Error::system("current directory"))?;
        let cwd = cwd.into_os_string().into_string();
        Ok(Recipe {
            argv: options.run_argv(paths.dir(), command),
            cwd: cwd.map_err(|_| Error::usage("the name of the current directory is not UTF-8"))?,
            path: std::env::var("PATH").ok(),
            supervisor: None,
        })
    }
}

/// Starts a supervisor and hands down the lock. Comes back when it is up: when its first status is
/// written and the command was started, or tried to.
///
/// # Errors
/// [`Error::System`] with its own last words when it is not.
pub fn background(recipe: &Recipe, lock: Lock) -> Result<Launched> {
    let Some((verb, argv)) = recipe.argv.split_first().filter(|(verb, _)| *verb == "run") else {
        return Err(Error::usage("NAME.cmd does not say how to run it; `mod-watch start` writes it anew"));
    };
    let wrong = |what: &str| Error::system(format!("cannot start the supervisor: {what}"));
    let program = std::env::current_exe().map_err(wrong("own path"))?;
    let (reader, writer) = io::pipe().map_err(wrong("pipe"))?;
    let mut command = Command::new(program);
    command.arg(verb).arg("--detached").args(argv).current_dir(&recipe.cwd);
    // Nobody else's socket, nor that of the command when this is called from within it.
    let Some(lock) = lock.into_file() else { return Err(wrong("no lock")(io::ErrorKind::NotFound.into())) };
    command.env_remove("NOTIFY_SOCKET").stdin(lock).stdout(Stdio::null()).stderr(writer);
    if let Some(path) = &recipe.path {
        command.env("PATH", path);
    }
    keep_descriptors_from_children();
    let mut child = command.spawn().map_err(wrong(&recipe.cwd))?;
    // Our copies of the lock and of the pipe go with it.
    drop(command);
    let (messages, up) = first_messages(reader).map_err(wrong("no sign of life"))?;
    if up {
        return Ok(Launched { pid: child.id(), messages });
    }
    let status = child.wait().map_err(wrong("wait"))?;
    let reason = if messages.is_empty() { status.to_string() } else { messages.join("; ") };
    Err(wrong("it ended at once")(io::Error::other(reason)))
}

/// What our own starter left open, the lock of a script for instance, must not stay open in a
/// supervisor that outlives it.
#[allow(unsafe_code)]
fn keep_descriptors_from_children() {
    for descriptor in procfs::descriptors().into_iter().filter(|&descriptor| descriptor > 2) {
        // SAFETY: borrowed for this one call, which only sets a flag that all of our own have anyway;
        // one that was closed meanwhile is refused by the system.
        let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
        let _ = rustix::io::fcntl_setfd(borrowed, rustix::io::FdFlags::CLOEXEC);
    }
}

/// Its messages until it closes its stderr, and whether it did so because it is up.
fn first_messages(mut reader: PipeReader) -> io::Result<(Vec<String>, bool)> {
    let until = Instant::now() + START_TIMEOUT;
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        let mut input = [PollFd::from_borrowed_fd(reader.as_fd(), PollFlags::IN)];
        match poll(&mut input, Some(&left)) {
            Ok(0) => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, format!("within {START_TIMEOUT:?}")));
            }
            Err(rustix::io::Errno::INTR) => continue,
            polled => polled?,
        };
        match reader.read(&mut buffer)? {
            0 => break,
            length => bytes.extend_from_slice(&buffer[..length]),
        }
    }
    let up = bytes.pop_if(|last| *last == UP).is_some();
    let text = String::from_utf8_lossy(&bytes);
    let messages = text.lines().map(|line| line.strip_prefix("mod-watch: ").unwrap_or(line).to_owned());
    Ok((messages.collect(), up))
}

/// For the supervisor in the background: leaves the session of its starter and picks up the lock.
///
/// # Errors
/// [`Error::Usage`] when there is no lock on standard input.
pub fn detach(paths: &Paths) -> Result<Lock> {
    let lock = match Lock::inherited(paths)? {
        Attempt::Taken(lock) => lock,
        Attempt::Held(holder) => return Err(running(paths, holder.as_ref())),
    };
    // Fails only for the leader of a session, which needs no new one.
    let _ = rustix::process::setsid();
    Ok(lock)
}

/// For the supervisor in the background, once it is up: standard streams to /dev/null. That its stderr
/// closes is what its starter waits for.
///
/// # Errors
/// [`Error::System`] when there is no /dev/null.
pub fn close_streams() -> Result<()> {
    let wrong = || Error::system("/dev/null");
    // A starter that did not wait is not a reason to end.
    let _ = io::stderr().write_all(&[UP]);
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null").map_err(wrong())?;
    rustix::stdio::dup2_stdin(&null).map_err(io::Error::from).map_err(wrong())?;
    rustix::stdio::dup2_stderr(&null).map_err(io::Error::from).map_err(wrong())
}

/// The error that it runs already.
#[must_use]
pub fn running(paths: &Paths, holder: Option<&Holder>) -> Error {
    let holder = holder.and_then(Holder::pid).map_or_else(
        || "a supervisor that is just starting".to_owned(),
        |pid| format!("the supervisor (pid {})", pid.as_raw_nonzero()),
    );
    Error::Locked { path: paths.pid(), holder }
}
