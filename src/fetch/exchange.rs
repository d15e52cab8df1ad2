//! One exchange with a command line, without its input and output: it is fed with what the device says
//! and with how long it has been silent, and tells what to do next. All knowledge of prompts, pagers and
//! echoes is here.
//!
//! ```text
//!            bytes, silence                     ┌─▶ Wait(how much more silence would tell)
//!   device ─────────────────▶ Exchange::step ───┼─▶ Type(answer to a pager, or an empty line to see a prompt again)
//!                                               └─▶ Done: Exchange::finish gives output and prompt
//! ```
//!
//! A prompt is the last line, unterminated. At login any line that looks like one is a candidate, proven by
//! an empty line that brings it again, because banners end in `#` and `>` too. From then on only the prompt
//! that was learned ends an answer; another line that looks like one must be proven in the same way.

use std::time::Duration;

use crate::text::clean;

/// Silence after a known prompt that makes it the end.
const SETTLED: Duration = Duration::from_millis(60);
/// Silence after a line that only looks like a prompt, before it is put to the proof.
const LOOKS: Duration = Duration::from_millis(150);
/// The same in the middle of an answer, where such a line is more likely to be output.
const DOUBT: Duration = Duration::from_millis(1500);
/// Silence at login before an empty line is typed ("press RETURN to get started").
const UNASKED: Duration = Duration::from_secs(3);
/// Silence for the prompt of an empty line that was typed in vain.
const OWED: Duration = Duration::from_millis(700);
/// Silence after a lone `:`, which is a pager but might be a line's beginning.
const COLON: Duration = Duration::from_millis(200);
/// No prompt is longer.
const LONGEST_PROMPT: usize = 128;

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Wait for more, or for this much silence.
    Wait(Duration),
    /// Type this.
    Type(&'static [u8]),
    /// The exchange is over.
    Done,
}

/// What ends an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Until {
    /// Any prompt, once it is proven.
    Login,
    /// This prompt, or another one that is proven.
    Prompt(String),
    /// A question for a password, or this prompt.
    Question(String),
}

/// A line that looks like a prompt and is being put to the proof.
#[derive(Clone, Debug)]
struct Proof {
    candidate: String,
    /// Where the answer to the empty line begins.
    from: usize,
}

/// One exchange: from the text that is typed to the prompt.
#[derive(Clone, Debug)]
pub struct Exchange {
    command: String,
    until: Until,
    raw: Vec<u8>,
    proof: Option<Proof>,
    /// Empty lines that were typed and turned out to be in the middle of output: each brings a prompt.
    owed: bool,
    nudged: bool,
}

impl Exchange {
    /// From the opening of the shell to the first prompt.
    #[must_use]
    pub fn login() -> Self {
        Self::new("", Until::Login)
    }

    /// From a command to the prompt.
    #[must_use]
    pub fn command(command: &str, prompt: &str) -> Self {
        Self::new(command, Until::Prompt(prompt.to_owned()))
    }

    /// From a command to the question for a password that may follow it, else to the prompt.
    #[must_use]
    pub fn question(command: &str, prompt: &str) -> Self {
        Self::new(command, Until::Question(prompt.to_owned()))
    }

    fn new(command: &str, until: Until) -> Self {
        let command = command.to_owned();
        Exchange { command, until, raw: Vec::new(), proof: None, owed: false, nudged: false }
    }

    /// Takes what the device said.
    pub fn received(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
    }

    /// What to do after `quiet` of silence.
    pub fn step(&mut self, quiet: Duration) -> Step {
        if let Some(step) = self.pager(quiet) {
            return step;
        }
        let line = last_line(&self.raw);
        if let Some(proof) = self.proof.clone() {
            return self.prove(&proof, &line, quiet);
        }
        match &self.until {
            Until::Prompt(prompt) | Until::Question(prompt) if line == *prompt => {
                after(if self.owed { OWED } else { SETTLED }, quiet, Step::Done)
            }
            Until::Question(_) if asks_password(&line) => after(SETTLED, quiet, Step::Done),
            _ => self.suspect(line, quiet),
        }
    }

    /// A pager that ignores that it was switched off: its line goes, and it gets its key.
    fn pager(&mut self, quiet: Duration) -> Option<Step> {
        let start = start_of_last_line(&self.raw);
        let lower = visible(&self.raw[start..]).to_ascii_lowercase();
        let lower = lower.trim();
        let more = lower
            .strip_prefix(['-', '<'])
            .is_some_and(|rest| rest.contains("more") && lower.ends_with(['-', '>']));
        let (needs, key): (Duration, &[u8]) = match lower {
            ":" => (COLON, b" "),
            "(end)" => (COLON, b"q"),
            _ if more && lower.len() < 40 => (Duration::ZERO, b" "),
            _ if lower.contains("press any key") => (COLON, b" "),
            _ => return None,
        };
        if quiet < needs {
            return Some(Step::Wait(needs - quiet));
        }
        self.raw.truncate(start);
        Some(Step::Type(key))
    }

    /// A last line that only looks like a prompt is put to the proof after a while of silence.
    fn suspect(&mut self, line: String, quiet: Duration) -> Step {
        let login = self.until == Until::Login;
        if looks_like_prompt(&line) {
            let needed = if login { LOOKS } else { DOUBT };
            if quiet < needed {
                return Step::Wait(needed - quiet);
            }
            self.proof = Some(Proof { candidate: line, from: self.raw.len() });
            return Step::Type(b"\n");
        }
        if login && !self.nudged {
            if quiet < UNASKED {
                return Step::Wait(UNASKED - quiet);
            }
            self.nudged = true;
            return Step::Type(b"\n");
        }
        Step::Wait(UNASKED)
    }

    /// The empty line must bring the same line again and nothing else.
    fn prove(&mut self, proof: &Proof, line: &str, quiet: Duration) -> Step {
        let answer = clean(&self.raw[proof.from..]);
        let answer = answer.trim();
        if answer.is_empty() {
            return Step::Wait(UNASKED);
        }
        if line == proof.candidate
            && answer.lines().all(|line| line.trim_end() == proof.candidate || line.trim().is_empty())
        {
            if quiet < LOOKS {
                return Step::Wait(LOOKS - quiet);
            }
            self.raw.truncate(proof.from);
            self.until = Until::Prompt(proof.candidate.clone());
            self.proof = None;
            return Step::Done;
        }
        if proof.candidate.starts_with(answer) {
            // The beginning of the prompt: the rest is on its way, however long that takes.
            return Step::Wait(UNASKED);
        }
        // More output: it was none, and the empty line will bring a prompt of its own.
        self.owed = self.until != Until::Login;
        self.proof = None;
        self.step(quiet)
    }

    /// Whether the exchange ended at a question for a password.
    #[must_use]
    pub fn asked_password(&self) -> bool {
        asks_password(&last_line(&self.raw))
    }

    /// The prompt that ended the exchange; at login, the one that was learned.
    #[must_use]
    pub fn prompt(&self) -> &str {
        match &self.until {
            Until::Login => "",
            Until::Prompt(prompt) | Until::Question(prompt) => prompt,
        }
    }

    /// What the device answered: cleaned, without echo, and without the prompt when it was seen.
    #[must_use]
    pub fn output(&self) -> String {
        let text = clean(&self.raw);
        let mut output = without_echo(&text, &self.command, self.prompt());
        while let Some(rest) = without_last_line(output, self.prompt()) {
            output = rest;
        }
        output.to_owned()
    }
}

fn after(needed: Duration, quiet: Duration, then: Step) -> Step {
    if quiet < needed { Step::Wait(needed - quiet) } else { then }
}

/// Looked for at the end only: output without line ends must not cost more with every read.
fn start_of_last_line(raw: &[u8]) -> usize {
    let tail = raw.len().saturating_sub(64 << 10);
    raw[tail..].iter().rposition(|&b| b == b'\n').map_or(tail, |at| tail + at + 1)
}

/// A short line without control characters and sequences; [`clean`] would take a pager out of it.
fn visible(line: &[u8]) -> String {
    if line.len() > 8 * LONGEST_PROMPT {
        return String::new();
    }
    let mut text = String::new();
    let mut in_sequence = false;
    for c in String::from_utf8_lossy(line).chars() {
        match c {
            '\u{1b}' => in_sequence = true,
            c if in_sequence => in_sequence = !c.is_alphabetic(),
            c if c.is_control() => {}
            c => text.push(c),
        }
    }
    text
}

/// The unterminated line at the end, cleaned, without blanks at its end.
fn last_line(raw: &[u8]) -> String {
    let line = &raw[start_of_last_line(raw)..];
    if line.len() > 8 * LONGEST_PROMPT {
        return String::new();
    }
    clean(line).rsplit('\n').find(|line| !line.is_empty()).unwrap_or_default().trim_end().to_owned()
}

/// Host names hold `. - _ ( ) /`, some devices add `@`, `:` or `~`; never a blank.
fn looks_like_prompt(line: &str) -> bool {
    let Some(name) = line.strip_suffix(['#', '>']) else { return false };
    let name = name.trim();
    name.len() < LONGEST_PROMPT
        && name.chars().any(char::is_alphanumeric)
        && name.chars().all(|c| c.is_alphanumeric() || ".-_()/@:~[]".contains(c))
}

fn asks_password(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    lower.len() < LONGEST_PROMPT
        && lower.ends_with(':')
        && (lower.contains("password") || lower.contains("passcode"))
}

/// The text after the echo of the command: wherever the device wrapped it, with or without a prompt before
/// it. An echo that is not there is not missed.
fn without_echo<'a>(text: &'a str, command: &str, prompt: &str) -> &'a str {
    let start = text.trim_start();
    let behind_prompt = start.strip_prefix(prompt).filter(|_| !prompt.is_empty());
    for text in behind_prompt.into_iter().chain([start]) {
        if let Some(rest) = behind_echo(text, command) {
            return rest;
        }
    }
    text.strip_prefix('\n').unwrap_or(text)
}

fn behind_echo<'a>(text: &'a str, command: &str) -> Option<&'a str> {
    let mut typed = command.chars().filter(|c| !c.is_whitespace());
    let mut wanted = typed.next()?;
    for (at, c) in text.char_indices() {
        if c.is_whitespace() {
            continue;
        }
        if c != wanted {
            return None;
        }
        match typed.next() {
            Some(next) => wanted = next,
            None => {
                let rest = &text[at + c.len_utf8()..];
                let (tail, rest) = rest.split_once('\n').unwrap_or((rest, ""));
                return tail.trim().is_empty().then_some(rest);
            }
        }
    }
    None
}

fn without_last_line<'a>(text: &'a str, line: &str) -> Option<&'a str> {
    if line.is_empty() {
        return None;
    }
    let start = text.trim_end().rfind('\n').map_or(0, |at| at + 1);
    (text[start..].trim_end() == line).then_some(&text[..start])
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(10);

    /// Feeds what a device sends, bit by bit, to an exchange that is asked after each bit; typed keys are
    /// answered by `keys`.
    fn play(mut exchange: Exchange, says: &[&str], answers: &[&str]) -> (Exchange, Vec<Vec<u8>>) {
        let (mut typed, mut answers) = (Vec::new(), answers.iter());
        let mut says = says.iter().copied().collect::<std::collections::VecDeque<_>>();
        while let Some(bit) = says.pop_front() {
            exchange.received(bit.as_bytes());
            while let Step::Type(keys) =
                exchange.step(if says.is_empty() { LONG } else { Duration::from_millis(1) })
            {
                typed.push(keys.to_vec());
                exchange.received(answers.next().copied().unwrap_or_default().as_bytes());
            }
        }
        (exchange, typed)
    }

    #[track_caller]
    fn done(exchange: &mut Exchange) {
        assert_eq!(exchange.step(LONG), Step::Done, "{:?}", String::from_utf8_lossy(&exchange.raw));
    }

    #[test]
    fn the_prompt_is_learned_behind_a_banner_full_of_prompt_characters() {
        let banner = "### welcome > to #\r\n# access > only #\r\n>>>\r\n\r\nCMTS-1.lab(a/b)#";
        let (mut exchange, typed) = play(Exchange::login(), &["##", banner, " "], &["\r\nCMTS-1.lab(a/b)# "]);
        assert_eq!(typed, [b"\n"]);
        assert_eq!(exchange.prompt(), "CMTS-1.lab(a/b)#");
        exchange.received(b"");
        assert_eq!(exchange.step(Duration::ZERO), Step::Wait(SETTLED));
    }

    #[test]
    fn a_banner_line_that_looks_like_a_prompt_is_not_one() {
        // The proof brings the rest of the banner, not the same line again.
        let (exchange, typed) = play(
            Exchange::login(),
            &["authorised-users-only#"],
            &["\r\nmore of the banner\r\nHOST>", "\r\nHOST>"],
        );
        assert_eq!(typed.len(), 2);
        assert_eq!(exchange.prompt(), "HOST>");
    }

    #[test]
    fn a_prompt_that_comes_in_pieces_is_waited_for() {
        let mut exchange = Exchange::login();
        exchange.received(b"HOST#");
        assert_eq!(exchange.step(LONG), Step::Type(b"\n"));
        for piece in ["\r\n", "HO", "ST"] {
            exchange.received(piece.as_bytes());
            assert!(matches!(exchange.step(LONG), Step::Wait(_)), "{piece}");
        }
        exchange.received(b"#");
        done(&mut exchange);
        assert_eq!(exchange.prompt(), "HOST#");
    }

    #[test]
    fn an_answer_ends_at_the_known_prompt_however_it_is_cut() {
        let mut exchange = Exchange::command("show x", "HOST#");
        for bit in ["show x\r\n", "a HOST# b\r\nHO", "ST", "#"] {
            assert_ne!(exchange.step(LONG), Step::Done);
            exchange.received(bit.as_bytes());
        }
        assert!(matches!(exchange.step(Duration::ZERO), Step::Wait(_)));
        done(&mut exchange);
        assert_eq!(exchange.output(), "a HOST# b\n");
    }

    #[test]
    fn echoes_wrapped_repeated_or_missing_are_tolerated() {
        for (says, output) in [
            ("show  spectrum hop-hi\r\nstory\r\n1/1.1/0\r\nC#", "1/1.1/0\n"),
            ("C#show spectrum hop-history\r\n1/1.1/0\r\nC#", "1/1.1/0\n"),
            ("\r\n1/1.1/0\r\nC#", "1/1.1/0\n"),
            ("show spectrum hop-history\r\r\n1/1.1/0\r\r\nC# ", "1/1.1/0\n"),
            ("show spectrum hop-history\r\nC#", ""),
            ("show spectrum hop-history\r\n\u{1b}[1mC#\u{1b}[0m", ""),
        ] {
            let (mut exchange, _) = play(Exchange::command("show spectrum hop-history", "C#"), &[says], &[]);
            done(&mut exchange);
            assert_eq!(exchange.output(), output, "{says:?}");
        }
    }

    #[test]
    fn pagers_are_answered_and_leave_no_trace() {
        let erased = "\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}         \u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}";
        let (mut exchange, typed) = play(
            Exchange::command("show x", "HOST#"),
            &["show x\r\na\r\n --More-- "],
            &[&format!("{erased}b\r\n:"), "\r \rc\r\n<--- More --->", "\r              \rd\r\nHOST#"],
        );
        assert_eq!(typed, [b" ", b" ", b" "]);
        done(&mut exchange);
        assert_eq!(exchange.output(), "a\nb\nc\nd\n");
    }

    #[test]
    fn a_prompt_that_changes_is_proven_and_a_stalled_line_is_not_taken_for_one() {
        let (exchange, typed) =
            play(Exchange::command("show x", "HOST#"), &["show x\r\na\r\nHOST2#"], &["\r\nHOST2#"]);
        assert_eq!((exchange.prompt(), exchange.output().as_str(), typed.len()), ("HOST2#", "a\n", 1));
        // The device had only paused in the middle of a line; the empty line brings a second prompt.
        let (mut exchange, typed) = play(
            Exchange::command("show x", "HOST#"),
            &["show x\r\nport#"],
            &["7 up\r\nb\r\nHOST#\r\nHOST#"],
        );
        assert_eq!(typed.len(), 1);
        assert_eq!(exchange.step(SETTLED), Step::Wait(OWED - SETTLED));
        done(&mut exchange);
        assert_eq!(exchange.output(), "port#7 up\nb\n");
    }

    #[test]
    fn a_question_for_a_password_ends_enable() {
        let (mut exchange, _) = play(Exchange::question("enable", "H>"), &["enable\r\nPassword: "], &[]);
        done(&mut exchange);
        assert!(exchange.asked_password());
    }

    #[test]
    fn silence_alone_never_ends_an_answer() {
        for says in ["show x\r\nrow 1\r\nrow", "show x\r\n", "HOST", "row HOST#"] {
            let (mut exchange, _) = play(Exchange::command("show x", "HOST#"), &[says], &["", "", "", ""]);
            assert_ne!(exchange.step(LONG), Step::Done, "{says}");
        }
    }
}
