//! What the echo of a command looks like: on one line or wrapped, scrolled to the side, behind a prompt or alone.

use super::line::{looks_like_prompt, squeezed};
use crate::text::clean;

/// Lines over which a device may wrap an echo.
pub(super) const WRAPPED: usize = 5;
/// Characters of a command that a line scrolled to the side must show.
const SCROLLED: usize = 16;

/// Where the echo of the command stands.
#[derive(Clone, Debug)]
pub(super) struct Echo {
    pub start: usize,
    pub end: usize,
    /// What stood before it on its line, squeezed; none where a log message separated the two.
    pub prompt: Option<String>,
}

/// The end of a command, by which most lines are told from its echo in no time.
pub(super) fn tail(command: &str) -> &[u8] {
    let command = command.trim_end().as_bytes();
    &command[command.len().saturating_sub(4)..]
}

/// A line as echoes are compared: without blanks, and without the character that readline writes on both sides of
/// the CR with which it wraps a line.
pub(super) fn shown(line: &[u8]) -> String {
    let mut joined = String::new();
    for part in clean(line).split('\n') {
        let twice = joined.chars().next_back().is_some_and(|c| !c.is_whitespace() && part.starts_with(c));
        joined.extend(part.chars().skip(usize::from(twice)));
    }
    squeezed(&joined)
}

/// The echo of the command that ends with the last of these lines, at `end`. Each line stands with its beginning and as
/// [`shown`]; `known` is the prompt that is known, squeezed.
pub(super) fn ending(lines: &[(usize, String)], end: usize, command: &str, known: &str) -> Option<Echo> {
    let (_, last) = lines.last()?;
    // Most lines are output: they end neither with the command nor as it does, and are not scrolled to the side.
    if !last.ends_with(command) && !command.ends_with(last) && !last.contains('$') {
        return None;
    }
    let (mut joined, mut found) = (String::new(), None);
    for (start, text) in lines.iter().rev() {
        joined.insert_str(0, text);
        let Some(prompt) = prompt_before(command, &joined, text, known) else { continue };
        if prompt.is_some() || found.is_none() {
            found = Some(Echo { start: *start, end, prompt });
        }
    }
    found
}

/// Whether these lines are this command's echo, and behind which prompt. `first` is the first of them, `known` the
/// prompt that is known; all are squeezed.
fn prompt_before(command: &str, lines: &str, first: &str, known: &str) -> Option<Option<String>> {
    let Some(before) = lines.strip_suffix(command) else {
        let shown = lines.strip_prefix(known).filter(|_| !known.is_empty())?;
        return is_scrolled(command, shown).then(|| Some(known.to_owned()));
    };
    let is_prompt = before == known || before.len() < first.len() && looks_like_prompt(before);
    match before {
        "" => Some(None),
        _ => is_prompt.then(|| Some(before.to_owned())),
    }
}

/// Whether a line shows the end or the beginning of a command that is wider than the terminal: `$` stands for the rest.
fn is_scrolled(command: &str, shown: &str) -> bool {
    shown.len() > SCROLLED
        && (shown.strip_prefix('$').is_some_and(|end| command.ends_with(end))
            || shown.strip_suffix('$').is_some_and(|beginning| command.starts_with(beginning)))
}

/// Whether one of the first lines of this text is a part of the command.
pub(super) fn is_broken(command: &str, text: &str, prompt: &str) -> bool {
    let lines = text.lines().map(|line| squeezed(line).replace(prompt, ""));
    lines
        .filter(|line| !line.is_empty())
        .take(WRAPPED)
        .any(|line| command.starts_with(&line) || line.starts_with(command))
}
