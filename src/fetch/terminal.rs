//! The command line of one device, over its SSH shell: exchanges are carried out within the budgets, and
//! everything that passes goes into the transcript.

use std::time::{Duration, Instant};

use super::{
    exchange::{Exchange, Step},
    transcript::{Transcript, Way},
};
use crate::{
    platform::{self, Dialogue, Platform},
    record::{CommandOutput, Status},
    settings::Secret,
    ssh::{Budget, Failure, Shell},
    text,
};

/// How long a device may take to close the session after it was told to.
const FAREWELL: Duration = Duration::from_secs(2);

/// A shell with a prompt that was learned.
pub struct Terminal<'a> {
    shell: Shell<'a>,
    budget: &'a mut Budget,
    transcript: &'a mut Transcript,
    idle: Duration,
    most: u64,
    received: u64,
    /// Bytes of the cleaned answers so far: what a device sends may stand for more than its own length.
    cleaned: u64,
    prompt: String,
}

impl<'a> Terminal<'a> {
    /// Waits for the first prompt, within the phase of the login.
    ///
    /// # Errors
    /// The budget's, `disconnected`, `output_too_large`.
    pub fn login(
        shell: Shell<'a>,
        budget: &'a mut Budget,
        transcript: &'a mut Transcript,
        idle: Duration,
        most: u64,
    ) -> Result<Self, Failure> {
        let mut terminal = Terminal {
            shell,
            budget,
            transcript,
            idle,
            most,
            received: 0,
            cleaned: 0,
            prompt: String::new(),
        };
        let mut exchange = Exchange::login();
        terminal.carry_out(&mut exchange, false)?;
        terminal.prompt = exchange.prompt().to_owned();
        terminal.transcript.note(&format!("the prompt is {:?}", terminal.prompt));
        Ok(terminal)
    }

    /// Asks one command; the answer is handed over in any case, incomplete when it failed.
    pub fn ask(&mut self, command: &str) -> (CommandOutput, Result<(), Failure>) {
        let began = Instant::now();
        let mut exchange = Exchange::command(command, &self.prompt);
        let mut result = self.converse(command, &mut exchange);
        if result.is_ok() {
            self.prompt = exchange.prompt().to_owned();
        }
        let mut answer = exchange.output();
        result = result.and(self.count_cleaned(&mut answer));
        let output = CommandOutput {
            command: command.to_owned(),
            output: answer,
            elapsed_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            complete: result.is_ok(),
            age_s: None,
        };
        (output, result)
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

    fn converse(&mut self, command: &str, exchange: &mut Exchange) -> Result<(), Failure> {
        let words =
            format!("silent for {} s in the answer to {command:?} (--idle-timeout)", self.idle.as_secs_f64());
        self.budget.phase(self.idle, Failure::new(Status::ReadTimeout, words));
        self.say(format!("{command}\n").as_bytes())?;
        self.carry_out(exchange, true)
    }

    fn say(&mut self, text: &[u8]) -> Result<(), Failure> {
        self.transcript.write(Way::Out, text);
        self.shell.write(text, self.budget)
    }

    /// Reads and types until the exchange is over. `each_byte_counts`: what comes extends the phase.
    fn carry_out(&mut self, exchange: &mut Exchange, each_byte_counts: bool) -> Result<(), Failure> {
        let mut buffer = [0; 16 << 10];
        let mut since = Instant::now();
        loop {
            match exchange.step(since.elapsed()) {
                Step::Done => return Ok(()),
                Step::Type(keys) => {
                    self.say(keys)?;
                    since = Instant::now();
                }
                Step::Wait(patience) => {
                    let length = self.shell.read(&mut buffer, patience, self.budget)?;
                    if length == 0 {
                        continue;
                    }
                    let bytes = &buffer[..length];
                    self.transcript.write(Way::In, bytes);
                    exchange.received(bytes);
                    since = Instant::now();
                    if each_byte_counts {
                        self.budget.extend(self.idle);
                    }
                    self.received += length as u64;
                    if self.received > self.most {
                        return Err(self.too_large());
                    }
                }
            }
        }
    }

    /// Leaves user mode.
    ///
    /// # Errors
    /// `auth_failed` when the device refuses; those of an exchange.
    pub fn enable(&mut self, password: Option<&Secret>) -> Result<(), Failure> {
        let Some(host) = self.prompt.strip_suffix('>') else { return Ok(()) };
        let privileged = format!("{host}#");
        let mut exchange = Exchange::question("enable", &privileged);
        self.converse("enable", &mut exchange)?;
        if exchange.asked_password() {
            let password = password.ok_or_else(|| {
                Failure::new(Status::AuthFailed, "enable asks for a password: set CCAP_ENABLE_PASSWORD")
            })?;
            let mut exchange = Exchange::question("", &privileged);
            self.transcript.write(Way::Out, b"(secret)\n");
            self.shell.write(format!("{}\n", password.reveal()).as_bytes(), self.budget)?;
            self.carry_out(&mut exchange, true)?;
            if exchange.asked_password() || exchange.prompt() != privileged {
                return Err(Failure::new(Status::AuthFailed, "enable was refused"));
            }
        } else if exchange.prompt() != privileged {
            return Err(Failure::new(Status::AuthFailed, "enable was refused"));
        }
        self.prompt = privileged;
        Ok(())
    }

    /// Switches off paging and wrapping; a device that knows none of the words pages on, and is answered.
    ///
    /// # Errors
    /// Those of an exchange.
    pub fn set_up(&mut self, dialogue: &Dialogue) -> Result<(), Failure> {
        for spellings in dialogue.setup {
            for command in *spellings {
                let (answer, result) = self.ask(command);
                result?;
                if platform::error_text(&answer.output).is_none() {
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
            let (command, words) = platform::family(platform).dialogue().detect;
            let (answer, result) = self.ask(command);
            result?;
            let said = answer.output.to_ascii_lowercase();
            if platform::error_text(&answer.output).is_none() && words.iter().any(|word| said.contains(word))
            {
                return Ok(platform);
            }
        }
        Err(Failure::new(Status::CommandFailed, "no known platform answers here: name one with --platform"))
    }

    /// Logs out: VTY lines are few. `broken_off`: in the middle of an answer, which is interrupted first.
    pub fn leave(mut self, logout: &str, broken_off: bool) {
        let patience = if broken_off { FAREWELL / 4 } else { FAREWELL };
        self.budget.phase(patience, Failure::new(Status::ReadTimeout, "no good-bye"));
        let interrupt = if broken_off { "\u{3}" } else { "" };
        let mut said = self.say(format!("{interrupt}{logout}\n").as_bytes());
        let mut buffer = [0; 4096];
        while said.is_ok() {
            said = match self.shell.read(&mut buffer, patience, self.budget) {
                Ok(length) => {
                    self.transcript.write(Way::In, &buffer[..length]);
                    Ok(())
                }
                Err(end) => Err(end),
            };
        }
    }
}
