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
    lock::{Holder, Lock},
    paths::{Paths, Recipe},
};
use crate::{
    cli::watch::Options,
    error::{Error, Result},
    proc,
};

/// A supervisor must be up within.
const PATIENCE: Duration = Duration::from_secs(15);

/// The last byte on the stderr of a supervisor that is up; no message holds it.
const UP: u8 = 0;

/// What came of starting a supervisor.
#[derive(Debug)]
pub struct Launched {
    /// Its number.
    pub pid: u32,
    /// What it had to say until it was up.
    pub said: Vec<String>,
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
    command.env_remove("NOTIFY_SOCKET").stdin(lock.into_file()).stdout(Stdio::null()).stderr(writer);
    if let Some(path) = &recipe.path {
        command.env("PATH", path);
    }
    keep_descriptors_from_children();
    let mut child = command.spawn().map_err(wrong(&recipe.cwd))?;
    // Our copies of the lock and of the pipe go with it.
    drop(command);
    let (said, up) = first_words(reader).map_err(wrong("no sign of life"))?;
    if up {
        return Ok(Launched { pid: child.id(), said });
    }
    let status = child.wait().map_err(wrong("wait"))?;
    let reason = if said.is_empty() { status.to_string() } else { said.join("; ") };
    Err(wrong("it ended at once")(io::Error::other(reason)))
}

/// What our own starter left open, the lock of a script for instance, must not stay open in a
/// supervisor that outlives it.
#[allow(unsafe_code)]
fn keep_descriptors_from_children() {
    for descriptor in proc::descriptors().into_iter().filter(|&descriptor| descriptor > 2) {
        // SAFETY: borrowed for this one call, which only sets a flag that all of our own have anyway;
        // one that was closed meanwhile is refused by the system.
        let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
        let _ = rustix::io::fcntl_setfd(borrowed, rustix::io::FdFlags::CLOEXEC);
    }
}

/// What it says until it lets go of its stderr, and whether that was because it is up.
fn first_words(mut reader: PipeReader) -> io::Result<(Vec<String>, bool)> {
    let until = Instant::now() + PATIENCE;
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        let mut input = [PollFd::from_borrowed_fd(reader.as_fd(), PollFlags::IN)];
        match poll(&mut input, Some(&left)) {
            Ok(0) => return Err(io::Error::new(io::ErrorKind::TimedOut, format!("within {PATIENCE:?}"))),
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
    let said = text.lines().map(|line| line.strip_prefix("mod-watch: ").unwrap_or(line).to_owned());
    Ok((said.collect(), up))
}

/// For the supervisor in the background: leaves the session of its starter and picks up the lock.
///
/// # Errors
/// [`Error::Usage`] when there is no lock on standard input.
pub fn detach(paths: &Paths) -> Result<Lock> {
    let lock = Lock::inherited(&paths.pid())?;
    // Fails only for the leader of a session, which needs no new one.
    let _ = rustix::process::setsid();
    Ok(lock)
}

/// For the supervisor in the background, once it is up: standard streams to /dev/null. That its stderr
/// closes is what its starter waits for.
///
/// # Errors
/// [`Error::System`] when there is no /dev/null.
pub fn let_go_of_streams() -> Result<()> {
    let wrong = || Error::system("/dev/null");
    // A starter that did not wait is no reason to end.
    let _ = io::stderr().write_all(&[UP]);
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null").map_err(wrong())?;
    rustix::stdio::dup2_stdin(&null).map_err(io::Error::from).map_err(wrong())?;
    rustix::stdio::dup2_stderr(&null).map_err(io::Error::from).map_err(wrong())
}

/// That it runs already.
#[must_use]
pub fn running(paths: &Paths, holder: Option<Holder>) -> Error {
    let holder = holder.map_or_else(
        || "a supervisor that is just starting".to_owned(),
        |holder| format!("the supervisor (pid {})", holder.pid.as_raw_nonzero()),
    );
    Error::Locked { path: paths.pid(), holder }
}
