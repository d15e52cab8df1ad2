//! One exchange with a command line, without its input and output: it takes what the device sends and how long
//! it has been silent, and says what to do next. Everything about prompts, pagers and echoes is here.
//!
//! ```text
//!            bytes, silence                     ┌─▶ Wait(how much more silence would decide)
//!   device ─────────────────▶ Exchange::step ───┼─▶ Type(a key for a pager, or an empty line)
//!                                               ├─▶ Done: answer() and, once the next echo has come, late()
//!                                               └─▶ Stuck: the device wants something that we do not give
//! ```
//!
//! An answer stands between two echoes: the echo of its own command and the echo of the next one. A prompt only
//! says that the next command can be typed. If the device had not finished, because the prompt was drawn again
//! by a log message, the rest arrives before the next echo, and [`Exchange::late`] hands it to its own command.
//!
//! The prompt is what stands before the echo and again behind the answer; any other line that looks like one is
//! proven by an empty line that must bring the same line again.
//!
//! An echo proves this only if it comes in its turn, when the device has ended the command before. Two commands that
//! are typed at once tell: a terminal that echoes what it has not read yet shows both echoes together, without a
//! prompt between them. Such a device, and one that does not echo, is asked by an empty line after every command, and
//! must then be silent for longer than any pause in an answer.

mod echo;
mod line;
mod pager;
#[cfg(test)]
mod property;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::{
    echo::{Echo, WRAPPED},
    line::{
        WIDEST, asks_new_password, asks_password, asks_user, is_question, is_repeated, looks_like_prompt,
        shown, squeezed, without_prompts,
    },
};
use crate::text::clean;

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Silence after a known prompt: twice the widest gap within an answer so far, between these limits.
const SETTLE: (Duration, Duration) = (ms(2), ms(60));
/// Silence at login after a line that looks like a prompt.
const LOGIN: Duration = ms(30);
/// Silence after a pager whose wording is new; `:` may be a line's beginning and always waits a little.
const PAGER: (Duration, Duration) = (ms(150), ms(30));
/// Silence after a prompt without an echo before it.
const UNECHOED: Duration = ms(1000);
/// Silence after a line that looks like another prompt than the one that is known.
const DOUBT: Duration = ms(1500);
/// Silence before an empty line is typed where no prompt stands: at login, and behind a log message.
const NUDGE: Duration = ms(3000);
/// Longer than a device pauses while it works: afterwards no prompt is on its way any more.
const IDLE: Duration = ms(3500);
/// Empty lines of one exchange, and keys for its pagers.
const MOST_LINES: u32 = 4;
const MOST_KEYS: usize = 10_000;

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Wait for more, or for this much silence.
    Wait(Duration),
    Type(&'static [u8]),
    /// The exchange is over.
    Done,
    /// The exchange cannot go on.
    Stuck(Stuck),
}

/// Why an exchange cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// The shell asks for a user or a password, although the login has succeeded.
    SecondLogin,
    /// The shell asks for a new password.
    PasswordExpired,
    /// The device is idle, and did not echo this command although it echoes others.
    NoEcho,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Purpose {
    /// To see a first prompt.
    #[default]
    Login,
    /// To have a command answered.
    Command,
    /// The same with another command typed ahead, to see when the device echoes.
    Pair,
    /// To leave user mode: a question for a password ends it too, and so does this prompt.
    Enable(String),
    /// To answer that question; this is never echoed.
    Password,
}

/// What a session has learned of its device.
#[derive(Clone, Debug, Default)]
struct Learned {
    prompt: String,
    echoes: bool,
    /// Its echo may come before the command's turn, and proves nothing.
    at_once: bool,
    /// The wording of its pager.
    pager: String,
    /// The longest silence within an answer.
    gap: Duration,
    /// An empty line was typed at login, so one prompt more may come.
    nudged: bool,
}

/// An empty line was typed at a line that looks like a prompt.
#[derive(Clone, Debug)]
struct Proof {
    line: String,
    /// Where the device's reaction begins.
    from: usize,
}

#[derive(Clone, Debug, Default)]
pub struct Exchange {
    purpose: Purpose,
    typed: String,
    /// `typed` as echoes are compared.
    command: String,
    /// The same of the command that was typed ahead, until its echo has come.
    ahead: Option<String>,
    /// Where the answer to the command before begins or goes on.
    before: usize,
    learned: Learned,
    /// No silence that decides something is longer.
    longest: Duration,
    /// The line that the device was waiting with, and all that it sent since.
    raw: Vec<u8>,
    /// Where that line ends.
    begin: usize,
    last_line: usize,
    /// The last lines before the echo: where they begin, and their squeezed text.
    recent: Vec<(usize, String)>,
    echo: Option<Echo>,
    proof: Option<Proof>,
    empty_lines: u32,
    keys: usize,
    lines: usize,
}

impl Exchange {
    /// From the opening of the shell to the first line that looks like a prompt. `idle` is the longest silence
    /// that the user allows within an answer.
    #[must_use]
    pub fn login(idle: Duration) -> Self {
        Exchange { longest: idle / 2, ..Exchange::default() }
    }

    /// The exchange for a command, on the prompt that ended this one.
    #[must_use]
    pub fn command(self, command: &str) -> Self {
        self.next(Purpose::Command, command)
    }

    /// The exchange for a command that is typed together with one `ahead` of it, whose answer is [`Exchange::late`].
    /// What it teaches of the device's echo holds for the exchanges after it.
    #[must_use]
    pub fn pair(self, ahead: &str, command: &str) -> Self {
        let mut pair = self.next(Purpose::Pair, command);
        pair.ahead = Some(squeezed(ahead));
        pair.learned.at_once = true;
        pair
    }

    /// The exchange for `enable`, which leads to the `privileged` prompt or to a question for a password.
    #[must_use]
    pub fn enable(self, privileged: &str) -> Self {
        self.next(Purpose::Enable(privileged.to_owned()), "enable")
    }

    /// The exchange for the password that `enable` asked for.
    #[must_use]
    pub fn password(self) -> Self {
        self.next(Purpose::Password, "")
    }

    fn next(self, purpose: Purpose, typed: &str) -> Self {
        let nudged = self.purpose == Purpose::Login && self.empty_lines > 0;
        let raw = self.line().into_bytes();
        Exchange {
            purpose,
            typed: typed.to_owned(),
            command: squeezed(typed),
            learned: Learned { nudged, ..self.learned },
            longest: self.longest,
            begin: raw.len(),
            raw,
            ..Exchange::default()
        }
    }

    /// Takes what the device sent after `quiet` of silence.
    pub fn received(&mut self, bytes: &[u8], quiet: Duration) {
        if self.echo.as_ref().is_some_and(|echo| self.raw.len() > echo.end) {
            self.learned.gap = self.learned.gap.max(quiet);
        }
        let mut from = self.raw.len();
        self.raw.extend_from_slice(bytes);
        while let Some(length) = memchr::memchr(b'\n', &self.raw[from..]) {
            from += length + 1;
            let start = std::mem::replace(&mut self.last_line, from);
            self.lines += 1;
            self.look_for_echo(start, from);
        }
    }

    /// Looks at a line that is complete. A command that is echoed again behind a prompt is the one that counts:
    /// what was seen before came while the device was still busy.
    fn look_for_echo(&mut self, start: usize, end: usize) {
        let line = &self.raw[start..end];
        let short = line.len() <= WIDEST;
        let may_be_echo = || short && line.trim_ascii_end().ends_with(echo::tail(&self.typed));
        if self.command.is_empty() || self.echo.is_some() && !may_be_echo() {
            return;
        }
        let keep = if self.echo.is_some() { 0 } else { WRAPPED - 1 };
        self.recent.drain(..self.recent.len().saturating_sub(keep));
        self.recent.push((start, if short { echo::shown(line) } else { String::new() }));
        let command = self.ahead.as_ref().unwrap_or(&self.command);
        let known = squeezed(&self.learned.prompt);
        let Some(echo) = echo::ending(&self.recent, end, command, &known) else { return };
        if self.ahead.take().is_some() {
            self.recent.clear();
            self.before = end;
        } else if self.echo.is_none() || echo.prompt.as_ref().is_some_and(|prompt| self.is_prompt(prompt)) {
            self.learned.echoes |= echo.prompt.is_some();
            self.learned.at_once &= self.purpose != Purpose::Pair || echo.prompt.is_none();
            self.echo = Some(echo);
        }
    }

    /// What to do after `quiet` of silence.
    pub fn step(&mut self, quiet: Duration) -> Step {
        if let Some(step) = self.pager(quiet) {
            return step;
        }
        if let Some(step) = self.prove(quiet) {
            return step;
        }
        let line = self.line();
        match (&self.purpose, &self.echo) {
            (Purpose::Login, _) => self.log_in(&line, quiet),
            (Purpose::Enable(_) | Purpose::Password, _) if asks_password(&line) => {
                self.after(LOGIN, quiet, Step::Done)
            }
            (Purpose::Password, _) if looks_like_prompt(&line) => self.after(LOGIN, quiet, Step::Done),
            (Purpose::Password, _) => Step::Wait(IDLE),
            (_, Some(echo)) if !self.learned.at_once => {
                let settle = if echo.prompt.is_none() || self.empty_lines > 0 || self.learned.nudged {
                    IDLE
                } else {
                    (2 * self.learned.gap).clamp(SETTLE.0, SETTLE.1)
                };
                if self.is_prompt(&line) {
                    self.accept(line, settle, quiet, Step::Done)
                } else {
                    self.doubt(line, quiet)
                }
            }
            _ => self.unproven(line, quiet),
        }
    }

    /// At login a first prompt is believed until a command is echoed behind it.
    fn log_in(&mut self, line: &str, quiet: Duration) -> Step {
        if looks_like_prompt(line) {
            return self.after(LOGIN, quiet, Step::Done);
        }
        if let Some(stuck) = self.asks_login(line) {
            return self.after(IDLE, quiet, Step::Stuck(stuck));
        }
        if is_question(line) || self.empty_lines > 0 {
            return Step::Wait(IDLE);
        }
        self.type_empty_line(NUDGE, quiet, None)
    }

    fn asks_login(&self, line: &str) -> Option<Stuck> {
        let text = || clean(&self.raw[self.raw.len().saturating_sub(WIDEST)..]);
        if asks_password(line) && asks_new_password(line, &text()) {
            Some(Stuck::PasswordExpired)
        } else {
            (asks_password(line) || asks_user(line)).then_some(Stuck::SecondLogin)
        }
    }

    /// Without an echo that proves something: the prompt was drawn again while the command is on its way, or the
    /// device does not echo, or at once.
    fn unproven(&mut self, line: String, quiet: Duration) -> Step {
        if self.raw.len() == self.begin {
            return Step::Wait(IDLE);
        }
        if let Some(stuck) = self.asks_login(&line).filter(|_| self.learned.prompt.is_empty()) {
            return self.after(IDLE, quiet, Step::Stuck(stuck));
        }
        if self.is_prompt(&line) {
            self.type_empty_line(UNECHOED, quiet, Some(line))
        } else {
            self.doubt(line, quiet)
        }
    }

    /// A last line that is not the known prompt: another prompt, a log message behind it, or output.
    fn doubt(&mut self, line: String, quiet: Duration) -> Step {
        if looks_like_prompt(&line) {
            let begins = self.learned.prompt.starts_with(&line);
            return self.type_empty_line(if begins { IDLE } else { DOUBT }, quiet, Some(line));
        }
        if is_question(&line) || quiet >= self.limited(NUDGE) && !self.has_passed_prompt() {
            return Step::Wait(IDLE);
        }
        self.type_empty_line(NUDGE, quiet, None)
    }

    fn type_empty_line(&mut self, needed: Duration, quiet: Duration, line: Option<String>) -> Step {
        if self.empty_lines >= MOST_LINES {
            return Step::Wait(IDLE);
        }
        let step = self.after(needed, quiet, Step::Type(b"\n"));
        if matches!(step, Step::Type(_)) {
            self.empty_lines += 1;
            self.proof = line.map(|line| Proof { line, from: self.raw.len() });
        }
        step
    }

    /// The empty line must bring the same line again and nothing else.
    fn prove(&mut self, quiet: Duration) -> Option<Step> {
        let proof = self.proof.as_ref()?;
        let line = self.line();
        let reaction = &self.raw[proof.from..];
        let text = if reaction.len() > WIDEST { None } else { Some(clean(reaction)) };
        let text = text.as_deref().map(str::trim);
        let is_part = |text: &str| proof.line.starts_with(text) && text != proof.line;
        if text == Some("") || text.is_some_and(is_part) && quiet < self.limited(IDLE) {
            return Some(self.after(IDLE, quiet, Step::Wait(IDLE)));
        }
        // Where line ends are not echoed, prompts stand behind each other.
        let alone = |text: &str| text.lines().all(|other| other.trim() == line || other.trim().is_empty());
        if !looks_like_prompt(&line) || !proof.line.ends_with(&line) || !text.is_some_and(alone) {
            self.proof = None;
            return None;
        }
        let is_pair = self.purpose == Purpose::Pair;
        let is_broken = self.has_broken_echo(&line);
        let unknown = self.echo.is_none() && !is_pair && (self.learned.echoes || is_broken);
        let step =
            self.accept(line, IDLE, quiet, if unknown { Step::Stuck(Stuck::NoEcho) } else { Step::Done });
        if step == Step::Done && is_pair && self.before > 0 && self.echo.is_none() && !is_broken {
            // It read the first of two commands and dropped the other: it echoes what it reads.
            self.learned.at_once = false;
        }
        Some(step)
    }

    /// A pager that ignores that it was switched off: its line goes, and it gets its key.
    fn pager(&mut self, quiet: Duration) -> Option<Step> {
        let start = self.line_start();
        let line = &self.raw[start..];
        let pager = if line.len() > WIDEST { None } else { pager::read(&line::visible(line)) }?;
        if self.keys >= MOST_KEYS.min(16 + self.lines) {
            return Some(Step::Wait(IDLE));
        }
        let needed = match (self.learned.pager == pager.wording, pager.wording.as_str()) {
            (false, _) => PAGER.0,
            (true, ":") => PAGER.1,
            (true, _) => Duration::ZERO,
        };
        let step = self.after(needed, quiet, Step::Type(pager.key));
        if matches!(step, Step::Type(_)) {
            self.keys += 1;
            self.learned.pager = pager.wording;
            self.raw.truncate(start);
        }
        Some(step)
    }

    fn accept(&mut self, prompt: String, needed: Duration, quiet: Duration, then: Step) -> Step {
        let step = self.after(needed, quiet, then);
        if step == Step::Done {
            self.learned.prompt = prompt;
        }
        step
    }

    fn limited(&self, needed: Duration) -> Duration {
        needed.min(self.longest)
    }

    fn after(&self, needed: Duration, quiet: Duration, then: Step) -> Step {
        let needed = self.limited(needed);
        if quiet < needed { Step::Wait(needed - quiet) } else { then }
    }

    /// The prompt that was learned, the one before the echo, or the one that `enable` leads to.
    fn is_prompt(&self, line: &str) -> bool {
        let before_echo = self.echo.as_ref().and_then(|echo| echo.prompt.as_deref());
        let same = |prompt: &str| !prompt.is_empty() && prompt == squeezed(line);
        same(&squeezed(&self.learned.prompt))
            || before_echo.is_some_and(same)
            || matches!(&self.purpose, Purpose::Enable(privileged) if line == privileged)
    }

    /// Where the line begins that the device waits with.
    fn line_start(&self) -> usize {
        self.last_line.max(self.begin).max(self.proof.as_ref().map_or(0, |proof| proof.from))
    }

    fn line(&self) -> String {
        let line = shown(&self.raw[self.line_start()..]);
        if is_repeated(&line, &self.learned.prompt) { self.learned.prompt.clone() } else { line }
    }

    /// Whether a prompt stands at the beginning of one of the last lines: then a log message followed it.
    fn has_passed_prompt(&self) -> bool {
        let from = self.echo.as_ref().map_or(self.begin, |echo| echo.end);
        let from = from.max(self.raw.len().saturating_sub(4 * WIDEST));
        let prompt = match &self.echo {
            Some(Echo { prompt: Some(prompt), .. }) => prompt.clone(),
            _ => squeezed(&self.learned.prompt),
        };
        !prompt.is_empty() && clean(&self.raw[from..]).lines().any(|line| squeezed(line).starts_with(&prompt))
    }

    /// Whether the exchange ended at a question for a password.
    #[must_use]
    pub fn asked_password(&self) -> bool {
        asks_password(&self.line())
    }

    /// The line that the device waits with: after an exchange that is done, its prompt.
    #[must_use]
    pub fn prompt(&self) -> String {
        self.line()
    }

    /// Whether the command's echo was seen, and proves where the answer before it ends.
    #[must_use]
    pub fn echoed(&self) -> bool {
        self.echo.is_some() && !self.learned.at_once
    }

    /// The last line that the device sent, to be quoted in an error.
    #[must_use]
    pub fn last_words(&self) -> Option<String> {
        line::quoted(&self.raw[self.begin..]).filter(|_| self.purpose != Purpose::Password)
    }

    /// What the device answered so far: cleaned, without echo and prompts.
    #[must_use]
    pub fn answer(&self) -> String {
        let from = self.echo.as_ref().map_or(self.begin, |echo| echo.end);
        let end = self.proof.as_ref().map_or(self.raw.len(), |proof| proof.from);
        without_prompts(&clean(&self.raw[from..end.max(from)]), &self.learned.prompt)
    }

    /// What came before the echo and belongs to the answer to the command before: log messages behind its prompt,
    /// or the rest of its output. None when that cannot be told, because this command was not echoed.
    #[must_use]
    pub fn late(&self) -> Option<String> {
        let end = self.echo.as_ref().map_or(self.raw.len(), |echo| echo.start);
        let text = without_prompts(&clean(&self.raw[self.before.min(end)..end]), &self.learned.prompt);
        let late: String = text.split_inclusive('\n').filter(|line| !line.trim().is_empty()).collect();
        match &self.echo {
            Some(_) => Some(late),
            // The echo of the command that was typed ahead: this device echoes.
            None if self.before > 0 => None,
            None => (late.is_empty() || !self.learned.echoes).then(String::new),
        }
    }

    /// Whether the device echoes, and something came in between.
    fn has_broken_echo(&self, prompt: &str) -> bool {
        let from = self.begin.max(self.before);
        let text = clean(&self.raw[from..self.raw.len().min(from + WIDEST)]);
        echo::is_broken(&self.command, &text, &squeezed(prompt))
    }
}
