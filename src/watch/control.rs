//! What operators and cron ask of a supervisor from outside: start, check, status, stop, reset.

use std::{
    io::Write,
    thread,
    time::{Duration, Instant},
};

use clap::Parser;

use super::{
    health::{Document, StatusWord},
    launch::{self, Launched},
    lock::{self, Attempt, Lock, Look},
    paths::{Paths, Recipe},
    pipeline::Pipeline,
    report::{StatusRecord, observe},
    status,
    watchdog_log::WatchdogLog,
};
use crate::{
    cli::watch::{Options, Watch},
    clock::Clock,
    error::{Error, Result},
    exit::Exit,
    record,
};

/// Beyond the supervisor's own time-out, for it to write its last status.
const GRACE: Duration = Duration::from_secs(5);
/// Between two looks at something that is waited for.
const LOOK: Duration = Duration::from_millis(50);

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
    /// `start`: 0 it is up, 3 it is up and not well, 4 it was running.
    ///
    /// # Errors
    /// [`Error::Locked`]; those of [`launch::background`].
    pub fn start(&self, command: &[String], output: &mut dyn Write) -> Result<Exit> {
        let lock = match Lock::take(&self.paths.pid())? {
            Attempt::Taken(lock) => lock,
            Attempt::Held(holder) => return Err(launch::running(self.paths, holder)),
        };
        let recipe = Recipe::of(self.options, command, self.paths)?;
        self.paths.clear_down()?;
        let launched = launch::background(&recipe, lock)?;
        let name = self.paths.name();
        let exit = self.settled(&launched)?;
        writeln!(output, "{name}: started (pid {})", launched.pid).map_err(Error::output)?;
        Ok(exit)
    }

    /// Passes on what a fresh supervisor had to say, and how it is.
    fn settled(&self, launched: &Launched) -> Result<Exit> {
        for line in &launched.said {
            log::warn!("{line}");
        }
        Ok(observe(self.paths, self.clock.now())?.exit())
    }

    /// `check`: starts it again when it does not run and should.
    ///
    /// # Errors
    /// Those of [`launch::background`]; [`Error::Read`] when NAME.cmd cannot be believed.
    pub fn check(&self, command: &[String]) -> Result<Exit> {
        match Lock::take(&self.paths.pid())? {
            Attempt::Taken(lock) => self.revive(lock, command),
            Attempt::Held(_) => {
                let seen = observe(self.paths, self.clock.now())?;
                // It may have ended just now; the next check will find that.
                let exit = if seen.is_running { seen.exit() } else { Exit::Done };
                if exit != Exit::Done {
                    log::warn!("{}: {}: {}", self.paths.name(), seen.document.status, seen.document.message);
                }
                Ok(exit)
            }
        }
    }

    /// Decides under the lock, so that neither `stop` nor another `check` comes in between.
    fn revive(&self, lock: Lock, command: &[String]) -> Result<Exit> {
        let name = self.paths.name();
        if self.paths.is_down() {
            log::info!("{name}: stopped by `mod-watch stop`, and left so");
            return Ok(Exit::Failed);
        }
        if let Some((Document { status: StatusWord::Failed, message, .. }, _)) =
            status_file::read(self.paths)?
        {
            log::warn!("{name}: failed: {message}; `mod-watch start` or `mod-watch reset` tries again");
            return Ok(Exit::Failed);
        }
        let kept = if command.is_empty() {
            self.paths.recipe()?
        } else {
            Some(Recipe::of(self.options, command, self.paths)?)
        };
        let Some(recipe) = kept else {
            let path = self.paths.cmd();
            log::warn!("{name}: not running, and never started here ({} is missing)", path.display());
            return Ok(Exit::Failed);
        };
        let launched = launch::background(&recipe, lock)?;
        WatchdogLog::of(self.paths, self.clock)
            .info(&format!("check: it was not running and is started (pid {})", launched.pid));
        self.settled(&launched)
    }

    /// `status`: one line, or one record.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Output`].
    pub fn status(&self, json: bool, output: &mut dyn Write) -> Result<Exit> {
        let now = self.clock.now();
        let seen = observe(self.paths, now)?;
        let name = self.paths.name();
        if json {
            let record = StatusRecord { ts: now, name, document: &seen.document };
            record::write(output, &record).map_err(Error::output)?;
        } else {
            writeln!(output, "{}", seen.line(name, now)).map_err(Error::output)?;
        }
        Ok(seen.exit())
    }

    /// `stop`: comes back when nothing of it runs any more.
    ///
    /// # Errors
    /// [`Error::System`] when the supervisor may not be signalled, or does not end.
    pub fn stop(&self, output: &mut dyn Write) -> Result<Exit> {
        // First, so that no `check` starts it again behind our back.
        let noted = self.paths.set_down();
        let until = Instant::now() + self.stop_timeout() + GRACE;
        let mut told = None;
        while let Look::Held(holder) = lock::look(&self.paths.pid())? {
            if let Some(holder) = holder.filter(|holder| told.as_ref() != Some(holder)) {
                let what = format!("cannot stop the supervisor (pid {})", holder.pid.as_raw_nonzero());
                holder.terminate().map_err(Error::system(what))?;
                told = Some(holder);
            }
            if Instant::now() > until {
                return Err(Error::system("the supervisor does not end")(
                    std::io::ErrorKind::TimedOut.into(),
                ));
            }
            thread::sleep(LOOK);
        }
        self.clear_leftovers()?;
        noted?;
        let word = if told.is_some() { "stopped" } else { "was not running" };
        writeln!(output, "{}: {word}; `mod-watch check` leaves it so", self.paths.name())
            .map_err(Error::output)?;
        Ok(Exit::Done)
    }

    /// The time-out that the supervisor was given, or ours if it is longer.
    fn stop_timeout(&self) -> Duration {
        let recipe = self.paths.recipe().ok().flatten();
        let argv = recipe.map(|recipe| recipe.argv).unwrap_or_default();
        let theirs = Watch::try_parse_from(std::iter::once("mod-watch".to_owned()).chain(argv));
        theirs.map_or(Duration::ZERO, |theirs| theirs.options.stop_timeout).max(self.options.stop_timeout)
    }

    /// Ends what a supervisor that was killed has left behind.
    fn clear_leftovers(&self) -> Result<()> {
        let mut leftovers = Pipeline::new(self.paths.socket());
        if leftovers.is_gone() {
            return Ok(());
        }
        let Attempt::Taken(lock) = Lock::take(&self.paths.pid())? else { return Ok(()) };
        WatchdogLog::of(self.paths, self.clock)
            .info("stop: processes of a supervisor that is gone are ended");
        leftovers.terminate();
        let kill_at = Instant::now() + self.options.stop_timeout;
        while !leftovers.is_gone() {
            if Instant::now() > kill_at {
                leftovers.kill();
            }
            thread::sleep(LOOK);
        }
        lock.release();
        Ok(())
    }

    /// `reset`: what has failed may be started again by `check`.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Write`], [`Error::Output`].
    pub fn reset(&self, output: &mut dyn Write) -> Result<Exit> {
        let word = match Lock::take(&self.paths.pid())? {
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
