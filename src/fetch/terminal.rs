//! The command line of one device, over its SSH shell: exchanges are carried out within the budgets, and
//! everything that passes goes into the transcript.

use std::time::{Duration, Instant};

use super::{
    exchange::{Exchange, Step, Stuck},
    transcript::{Transcript, Way},
};
use crate::{
    platform::{self, Dialogue, Platform},
    record::{CommandOutput, Status},
    settings::Secret,
    ssh::{Budget, Failure, Shell},
    text,
};

/// How long a device may be silent after it was told to close the session.
const FAREWELL: Duration = Duration::from_secs(4);
/// How long it may go on sending before it closes the session.
const LONGEST_FAREWELL: Duration = Duration::from_secs(30);

/// A shell at a prompt.
pub struct Terminal<'a> {
    shell: Shell<'a>,
    budget: &'a mut Budget,
    transcript: &'a mut Transcript,
    idle: Duration,
    most: u64,
    received: u64,
    /// Bytes of the cleaned answers so far: what a device sends may stand for more than its own length.
    cleaned: u64,
    exchange: Exchange,
}

/// What became of a command.
#[derive(Debug)]
pub struct Asked {
    /// The answer; not complete when the command failed.
    pub output: CommandOutput,
    /// What came before the echo, the end of the answer to the command before; none when that cannot be told.
    pub late: Option<String>,
    /// Whether the session can go on.
    pub result: Result<(), Failure>,
}

impl<'a> Terminal<'a> {
    /// Waits for the first prompt, within the phase of the login.
    ///
    /// # Errors
    /// The budget's, `auth_failed` when the shell asks for a login or a new password, `disconnected`,
    /// `output_too_large`.
    pub fn login(
        shell: Shell<'a>,
        budget: &'a mut Budget,
        transcript: &'a mut Transcript,
        idle: Duration,
        most: u64,
    ) -> Result<Self, Failure> {
        let exchange = Exchange::login(idle);
        let mut terminal =
            Terminal { shell, budget, transcript, idle, most, received: 0, cleaned: 0, exchange };
        terminal.carry_out(false)?;
        let prompt = terminal.exchange.prompt();
        terminal.transcript.note(&format!("the prompt is {prompt:?}"));
        Ok(terminal)
    }

    pub fn ask(&mut self, command: &str) -> Asked {
        self.exchange = std::mem::take(&mut self.exchange).command(command);
        self.ask_by(command, &format!("{command}\n"))
    }

    /// Carries out the exchange for a command, which begins by typing these lines.
    fn ask_by(&mut self, command: &str, lines: &str) -> Asked {
        let began = Instant::now();
        let mut result = self.converse(command, lines);
        let (mut answer, mut late) = (self.exchange.answer(), self.exchange.late());
        for text in [Some(&mut answer), late.as_mut()].into_iter().flatten() {
            result = result.and(self.count_cleaned(text));
        }
        let output = CommandOutput {
            command: command.to_owned(),
            output: answer,
            elapsed_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            complete: result.is_ok(),
            echo: (result.is_ok() && !self.exchange.echoed()).then_some(false),
            age_s: None,
        };
        Asked { output, late, result }
    }

    /// `--max-output` holds for the cleaned text too; what is beyond it is cut off.
    fn count_cleaned(&mut self, answer: &mut String) -> Result<(), Failure> {
        let left = self.most - self.cleaned;
        if answer.len() as u64 <= left {
            self.cleaned += answer.len() as u64;
            return Ok(());
        }
        answer.truncate(text::beginning(answer, usize::try_from(left).unwrap_or(usize::MAX)).len());
        self.cleaned = self.most;
        Err(self.too_large())
    }

    fn too_large(&self) -> Failure {
        Failure::new(Status::OutputTooLarge, format!("more than {} bytes (--max-output)", self.most))
    }

    fn converse(&mut self, command: &str, lines: &str) -> Result<(), Failure> {
        let words =
            format!("silent for {} s in the answer to {command:?} (--idle-timeout)", self.idle.as_secs_f64());
        self.budget.phase(self.idle, Failure::new(Status::ReadTimeout, words));
        self.write(lines.as_bytes())?;
        self.carry_out(true)
    }

    fn write(&mut self, text: &[u8]) -> Result<(), Failure> {
        self.transcript.write(Way::Out, text);
        self.shell.write(text, self.budget)
    }

    /// Reads and types until the exchange is over. `extends`: what comes extends the phase.
    fn carry_out(&mut self, extends: bool) -> Result<(), Failure> {
        let mut since = Instant::now();
        loop {
            match self.exchange.step(since.elapsed()) {
                Step::Done => return Ok(()),
                Step::Stuck(stuck) => return Err(self.explain(stuck)),
                Step::Type(keys) => {
                    self.write(keys)?;
                    since = Instant::now();
                }
                Step::Wait(patience) => {
                    let quiet = || since.elapsed();
                    if self.read(patience, quiet, extends).map_err(|failure| self.quote(failure))? {
                        since = Instant::now();
                    }
                }
            }
        }
    }

    /// Reads what is there into the exchange; false when nothing came.
    fn read(
        &mut self,
        patience: Duration,
        quiet: impl FnOnce() -> Duration,
        extends: bool,
    ) -> Result<bool, Failure> {
        let mut buffer = [0; 16 << 10];
        let length = self.shell.read(&mut buffer, patience, self.budget)?;
        let bytes = &buffer[..length];
        if bytes.is_empty() {
            return Ok(false);
        }
        self.transcript.write(Way::In, bytes);
        self.exchange.received(bytes, quiet());
        if extends {
            self.budget.extend(self.idle);
        }
        self.received += length as u64;
        if self.received > self.most {
            return Err(self.too_large());
        }
        Ok(true)
    }

    /// A time-out names the line that the device was waiting with.
    fn quote(&self, failure: Failure) -> Failure {
        let is_timeout = matches!(failure.status, Status::LoginTimeout | Status::ReadTimeout);
        match self.exchange.last_words().filter(|_| is_timeout) {
            Some(line) => Failure { error: format!("{}; last line: {line:?}", failure.error), ..failure },
            None => failure,
        }
    }

    fn explain(&self, stuck: Stuck) -> Failure {
        let line = self.exchange.last_words().unwrap_or_default();
        match stuck {
            Stuck::SecondLogin => Failure::new(
                Status::AuthFailed,
                format!("the shell asks for a second login, which is not supported; last line: {line:?}"),
            ),
            Stuck::PasswordExpired => Failure::new(
                Status::AuthFailed,
                format!("the password has expired: log in by hand and change it; last line: {line:?}"),
            ),
            Stuck::NoEcho => Failure::transient(
                Status::ReadTimeout,
                format!("the device did not echo the command, so its answer is unknown; last line: {line:?}"),
            ),
        }
    }

    /// Leaves user mode.
    ///
    /// # Errors
    /// `auth_failed` when the device refuses; those of an exchange.
    pub fn enable(&mut self, password: Option<&Secret>) -> Result<(), Failure> {
        let prompt = self.exchange.prompt();
        let Some(host) = prompt.strip_suffix('>') else { return Ok(()) };
        let privileged = format!("{host}#");
        self.exchange = std::mem::take(&mut self.exchange).enable(&privileged);
        self.converse("enable", "enable\n")?;
        if self.exchange.asked_password() {
            let password = password.ok_or_else(|| {
                Failure::new(Status::AuthFailed, "enable asks for a password: set CCAP_ENABLE_PASSWORD")
            })?;
            self.exchange = std::mem::take(&mut self.exchange).password();
            self.transcript.write(Way::Out, b"(secret)\n");
            self.shell.write(format!("{}\n", password.reveal()).as_bytes(), self.budget)?;
            self.carry_out(true)?;
        }
        if self.exchange.prompt() != privileged {
            return Err(Failure::new(Status::AuthFailed, "enable was refused"));
        }
        Ok(())
    }

    /// Switches off paging and wrapping. Where a device knows none of the spellings, its pages are answered.
    /// Two commands are typed at once, or the only one twice, which shows when the device echoes.
    pub fn set_up(&mut self, dialogue: &Dialogue) -> Result<(), Failure> {
        let mut first = dialogue.setup.iter().filter_map(|spellings| spellings.first());
        let Some(ahead) = first.next() else { return Ok(()) };
        let command = first.next().unwrap_or(ahead);
        self.exchange = std::mem::take(&mut self.exchange).pair(ahead, command);
        let Asked { output, late, result } = self.ask_by(command, &format!("{ahead}\n{command}\n"));
        result?;
        let is_good = |answer: &str| platform::error_text(answer).is_none();
        if dialogue.setup.len() <= 2 && late.is_some_and(|late| is_good(&late) && is_good(&output.output)) {
            return Ok(());
        }
        for spellings in dialogue.setup {
            for command in *spellings {
                let Asked { output, result, .. } = self.ask(command);
                result?;
                if platform::error_text(&output.output).is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Finds out the platform by asking.
    ///
    /// # Errors
    /// `command_failed` when no platform's answer comes; those of an exchange.
    pub fn detect(&mut self) -> Result<Platform, Failure> {
        for platform in Platform::ALL {
            let Some(dialogue) = platform::family(platform).dialogue() else { continue };
            let (command, words) = dialogue.detect;
            let Asked { output, result, .. } = self.ask(command);
            result?;
            let text = output.output.to_ascii_lowercase();
            if platform::error_text(&output.output).is_none() && words.iter().any(|word| text.contains(word))
            {
                return Ok(platform);
            }
        }
        Err(Failure::new(Status::CommandFailed, "the platform is not recognised; name it with --platform"))
    }

    /// Logs out, because VTY lines are few. `interrupt`: in the middle of an answer, which is interrupted first.
    /// Returns the end of the last answer, as in [`Asked::late`].
    pub fn leave(mut self, logout: &str, interrupt: bool) -> Option<String> {
        self.idle = if interrupt { FAREWELL / 8 } else { FAREWELL.min(self.idle) };
        self.budget
            .phase(self.idle, Failure::new(Status::ReadTimeout, "the device did not close the session"));
        self.exchange = std::mem::take(&mut self.exchange).command(logout);
        let control_c = if interrupt { "\u{3}" } else { "" };
        let mut result = self.write(format!("{control_c}{logout}\n").as_bytes());
        let (idle, began) = (self.idle, Instant::now());
        while result.is_ok() && began.elapsed() < LONGEST_FAREWELL {
            result = self.read(idle, Duration::default, !interrupt).map(drop);
        }
        self.exchange.late()
    }
}
