//! What operators and cron ask of a supervisor from outside: start, check, status, stop, reset.

use std::{
    io::Write,
    thread,
    time::{Duration, Instant},
};

use clap::Parser;

use super::{
    gauges,
    launch::{self, Launched},
    lock::{self, Attempt, Lock, Probe},
    paths::{Paths, Recipe},
    pipeline::Pipeline,
    report::status_now,
    status_file,
    watchdog_log::WatchdogLog,
};
use crate::{
    cli::watch::{Format, Options, Verb, Watch},
    clock::Clock,
    error::{Error, Result},
    exit::Exit,
    openmetrics,
    record::{self, Document, StatusRecord, StatusWord},
};

/// Beyond the supervisor's own time-out, for it to write its last status.
const GRACE: Duration = Duration::from_secs(5);
/// Between two polls of something that is waited for.
const POLL: Duration = Duration::from_millis(50);

/// One name, from outside.
pub struct Control<'a> {
    /// Its files.
    pub paths: &'a Paths,
    /// The flags.
    pub options: &'a Options,
    /// What time it is.
    pub clock: Clock,
}

impl Control<'_> {
    /// `start`: 0 it is up, 3 it is up and unhealthy, 4 it was running. Without a command it starts the one
    /// that ran last.
    ///
    /// # Errors
    /// [`Error::Locked`]; [`Error::Usage`] when there is no command, or as [`launch::background`].
    pub fn start(&self, command: &[String], output: &mut dyn Write) -> Result<Exit> {
        let lock = match Lock::take(self.paths)? {
            Attempt::Taken(lock) => lock,
            Attempt::Held(holder) => return Err(launch::running(self.paths, holder.as_ref())),
        };
        let Some(recipe) = self.recipe(command)? else {
            lock.release();
            let (name, cmd) = (self.paths.name(), self.paths.cmd());
            return Err(Error::usage(format!(
                "{name} was never started here ({} is missing); give its command: mod-watch start -- COMMAND",
                cmd.display()
            )));
        };
        self.paths.clear_down()?;
        let launched = launch::background(&recipe, lock)?;
        let name = self.paths.name();
        let exit = self.report(&launched)?;
        writeln!(output, "{name}: started (pid {})", launched.pid).map_err(Error::output)?;
        Ok(exit)
    }

    /// How to start: the command that was given, else the one that ran last, with its own options unless
    /// others are given.
    fn recipe(&self, command: &[String]) -> Result<Option<Recipe>> {
        if !command.is_empty() {
            return Recipe::of(self.options, command, self.paths).map(Some);
        }
        let Some(kept) = self.paths.recipe()? else { return Ok(None) };
        if self.options.are_defaults() {
            return Ok(Some(kept));
        }
        let Some(Verb::Run { command, .. }) = parse(&kept).map(|watch| watch.verb) else {
            return Ok(Some(kept));
        };
        Ok(Some(Recipe { argv: self.options.run_argv(self.paths.dir(), &command), ..kept }))
    }

    /// Passes on what a new supervisor printed, and its state.
    fn report(&self, launched: &Launched) -> Result<Exit> {
        for line in &launched.messages {
            log::warn!("{line}");
        }
        Ok(status_now(self.paths, self.clock.now())?.exit())
    }

    /// `check`: starts it again when it does not run and should.
    ///
    /// # Errors
    /// As [`launch::background`]; [`Error::Read`] when NAME.cmd cannot be believed.
    pub fn check(&self, command: &[String]) -> Result<Exit> {
        match Lock::take(self.paths)? {
            Attempt::Taken(lock) => self.revive(lock, command),
            Attempt::Held(_) => {
                let report = status_now(self.paths, self.clock.now())?;
                // It may have ended just now; the next check will find that.
                let exit = if report.is_running { report.exit() } else { Exit::Done };
                if exit != Exit::Done {
                    let Document { status, message, .. } = &report.document;
                    log::warn!("{}: {status}: {message}", self.paths.name());
                }
                Ok(exit)
            }
        }
    }

    /// `check --nagios`: as `check`, and the line of a plugin says what became of it.
    pub fn check_as_plugin(&self, command: &[String], output: &mut dyn Write) -> Result<Exit> {
        if let Err(error) = self.check(command) {
            log::warn!("{}: {error}", self.paths.name());
        }
        self.status(Format::Nagios, output)
    }

    /// Decides under the lock, so that neither `stop` nor another `check` comes in between.
    fn revive(&self, lock: Lock, command: &[String]) -> Result<Exit> {
        let name = self.paths.name();
        let refused = if self.paths.is_down() {
            log::info!("{name}: `mod-watch stop` stopped it; `mod-watch start` starts it again");
            true
        } else if let Some((Document { status: StatusWord::Failed, message, .. }, _)) =
            status_file::read(self.paths)?
        {
            log::warn!("{name}: failed: {message}; `mod-watch start` or `mod-watch reset` tries again");
            true
        } else {
            false
        };
        if refused {
            lock.release();
            return Ok(Exit::Failed);
        }
        let recipe = if command.is_empty() {
            self.paths.recipe()?
        } else {
            Some(Recipe::of(self.options, command, self.paths)?)
        };
        let Some(recipe) = recipe else {
            lock.release();
            let path = self.paths.cmd();
            log::warn!("{name}: not running, and never started here ({} is missing)", path.display());
            return Ok(Exit::Failed);
        };
        let launched = launch::background(&recipe, lock)?;
        WatchdogLog::of(self.paths, self.clock)
            .info(&format!("check: it was not running and is started (pid {})", launched.pid));
        self.report(&launched)
    }

    /// `status`: one line, one record, or gauges.
    pub fn status(&self, format: Format, output: &mut dyn Write) -> Result<Exit> {
        let now = self.clock.now();
        let name = self.paths.name();
        if format == Format::Nagios {
            // A plugin has one line and one code, also when the status cannot be read.
            let (line, exit) = match status_now(self.paths, now) {
                Ok(report) => (report.plugin_line(name, now), report.plugin_exit()),
                Err(error) => (format!("UNKNOWN: {name}: {error}"), Exit::Partial),
            };
            writeln!(output, "{line}").map_err(Error::output)?;
            return Ok(exit);
        }
        let report = status_now(self.paths, now)?;
        match format {
            Format::Json => {
                let record = StatusRecord { ts: now, name, document: &report.document };
                record::write(output, &record)
            }
            Format::Prom => openmetrics::write(&gauges::of(&report, name, now), output),
            Format::Line | Format::Nagios => writeln!(output, "{}", report.line(name, now)),
        }
        .map_err(Error::output)?;
        Ok(report.exit())
    }

    /// `stop`: returns when nothing of it runs any more.
    ///
    /// # Errors
    /// [`Error::System`] when the supervisor may not be signalled, or does not end.
    pub fn stop(&self, output: &mut dyn Write) -> Result<Exit> {
        // First, so that no `check` starts it again behind our back.
        let noted = self.paths.set_down();
        let until = Instant::now() + self.stop_timeout() + GRACE;
        let mut signalled = None;
        loop {
            let holder = match lock::probe(self.paths)? {
                Probe::Free => break,
                Probe::Hidden => {
                    let denied = std::io::ErrorKind::PermissionDenied.into();
                    return Err(Error::system("another account's supervisor holds the lock")(denied));
                }
                Probe::Held(holder) => holder,
            };
            if let Some(holder) = holder.filter(|holder| signalled.as_ref() != Some(holder)) {
                let pid = holder.pid().map_or(0, |pid| pid.as_raw_nonzero().get());
                let what = format!("cannot stop the supervisor (pid {pid})");
                holder.terminate().map_err(Error::system(what))?;
                signalled = Some(holder);
            }
            if Instant::now() > until {
                let what = if signalled.is_some() {
                    "the supervisor does not end".to_owned()
                } else {
                    let path = self.paths.pid();
                    format!(
                        "the supervisor does not end: no mod-watch that holds {} was found",
                        path.display()
                    )
                };
                return Err(Error::system(what)(std::io::ErrorKind::TimedOut.into()));
            }
            thread::sleep(POLL);
        }
        self.clear_leftovers()?;
        noted?;
        let word = if signalled.is_some() { "stopped" } else { "was not running" };
        writeln!(output, "{}: {word}; `mod-watch check` leaves it so", self.paths.name())
            .map_err(Error::output)?;
        Ok(Exit::Done)
    }

    /// The time-out that the supervisor was given, or ours if it is longer.
    fn stop_timeout(&self) -> Duration {
        let kept = self.paths.recipe().ok().flatten();
        let theirs = kept.as_ref().and_then(parse).map(|theirs| theirs.options.stop_timeout);
        theirs.unwrap_or_default().max(self.options.stop_timeout)
    }

    /// Ends what a supervisor that was killed has left behind.
    fn clear_leftovers(&self) -> Result<()> {
        let mut leftovers = Pipeline::new(self.paths.socket());
        if leftovers.is_gone() {
            return Ok(());
        }
        let Attempt::Taken(lock) = Lock::take(self.paths)? else { return Ok(()) };
        WatchdogLog::of(self.paths, self.clock)
            .info("stop: processes of a supervisor that is gone are ended");
        leftovers.terminate();
        let kill_at = Instant::now() + self.options.stop_timeout;
        let give_up_at = kill_at + GRACE;
        while !leftovers.is_gone() {
            let now = Instant::now();
            if now > give_up_at {
                lock.release();
                let what = "processes of a supervisor that is gone do not end";
                return Err(Error::system(what)(std::io::ErrorKind::TimedOut.into()));
            }
            if now > kill_at {
                leftovers.kill();
            }
            thread::sleep(POLL);
        }
        lock.release();
        Ok(())
    }

    /// `reset`: after a failure, `check` starts it again.
    pub fn reset(&self, output: &mut dyn Write) -> Result<Exit> {
        let word = match Lock::take(self.paths)? {
            Attempt::Held(_) => "it runs, there is nothing to reset",
            Attempt::Taken(lock) => {
                let reset = self.forget_failure()?;
                lock.release();
                if reset {
                    "reset; `mod-watch check` starts it"
                } else {
                    "it has not failed, there is nothing to reset"
                }
            }
        };
        writeln!(output, "{}: {word}", self.paths.name()).map_err(Error::output)?;
        Ok(Exit::Done)
    }

    fn forget_failure(&self) -> Result<bool> {
        let Some((document, _)) = status_file::read(self.paths)? else { return Ok(false) };
        if document.status != StatusWord::Failed {
            return Ok(false);
        }
        let message = format!("reset after: {}", document.message);
        let document = Document { status: StatusWord::Stopped, message, ..document };
        status_file::write(&self.paths.status(), &document).map(|()| true)
    }
}

/// The arguments that are kept in NAME.cmd, as flags.
fn parse(recipe: &Recipe) -> Option<Watch> {
    Watch::try_parse_from(std::iter::once(&"mod-watch".to_owned()).chain(&recipe.argv)).ok()
}
