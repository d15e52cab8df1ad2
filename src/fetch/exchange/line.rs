//! What a single line of a session looks like: a prompt, a question, or neither. Used by the exchange on the
//! line that a device waits with.

use crate::text::{self, clean};

/// No prompt and no question is longer.
const LONGEST: usize = 128;
/// Bytes that are looked at to read a line, colours and erasures included.
pub(super) const WIDEST: usize = 8 * LONGEST;
/// Characters of a line that an error quotes.
const QUOTED: usize = 60;

/// The text of an unterminated line, trimmed; empty when it is too long to be of interest.
pub(super) fn shown(raw: &[u8]) -> String {
    if raw.len() > WIDEST {
        return String::new();
    }
    clean(raw).rsplit('\n').find(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned()
}

/// A line without control characters and sequences. Unlike [`clean`], it keeps a pager.
pub(super) fn visible(raw: &[u8]) -> String {
    let mut text = String::new();
    let mut in_sequence = false;
    for c in String::from_utf8_lossy(&raw[..raw.len().min(WIDEST)]).chars() {
        match c {
            '\u{1b}' => in_sequence = true,
            c if in_sequence => in_sequence = !c.is_alphabetic(),
            c if c.is_control() => {}
            c => text.push(c),
        }
    }
    text
}

/// A text without its blanks and line ends: an echo is compared in this form, because devices wrap it.
pub(super) fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Any short line that ends in `#` or `>`: host names hold blanks, `#` and `*` as well.
pub(super) fn looks_like_prompt(line: &str) -> bool {
    line.strip_suffix(['#', '>'])
        .is_some_and(|name| name.len() < LONGEST && name.chars().any(char::is_alphanumeric))
}

/// Whether a line is the prompt, perhaps several times: the line ends of empty lines are not always echoed.
pub(super) fn is_repeated(line: &str, prompt: &str) -> bool {
    let rest = behind_prompts(line, prompt);
    rest.len() < line.len() && rest.trim().is_empty()
}

/// A text without prompts: neither those alone on their line, nor those that were drawn in the middle of output.
pub(super) fn without_prompts(text: &str, prompt: &str) -> String {
    let lines = text.split_inclusive('\n').filter(|line| !is_repeated(line, prompt));
    lines.map(|line| behind_prompts(line, prompt)).collect()
}

/// What stands behind the prompts with which a line begins.
fn behind_prompts<'a>(mut line: &'a str, prompt: &str) -> &'a str {
    while let Some(rest) = line.trim_start().strip_prefix(prompt).filter(|_| !prompt.is_empty()) {
        line = rest;
    }
    line
}

/// A line that waits for an answer that only a person can give.
pub(super) fn is_question(line: &str) -> bool {
    line.ends_with([':', '?', ']', ')'])
}

pub(super) fn asks_password(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    lower.len() < LONGEST
        && lower.ends_with(':')
        && ["password", "passcode", "passphrase"].iter().any(|word| lower.contains(word))
}

/// `login:`, `HOST login:`, `User Name:`, `Username:`; not the beginning of `Last login: …`.
pub(super) fn asks_user(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    let Some(words) = lower.strip_suffix(':') else { return false };
    let last = words.split_whitespace().next_back().unwrap_or_default();
    words.split_whitespace().count() <= 3
        && !words.contains("last")
        && ["login", "username", "name", "user"].iter().any(|word| last.ends_with(word))
}

/// Whether a question for a password is about a new one.
pub(super) fn asks_new_password(line: &str, text: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    asks_password(line)
        && (["current", "new", "old"]
            .iter()
            .any(|word| lower.split(|c: char| !c.is_alphabetic()).any(|w| w == *word))
            || text.to_ascii_lowercase().contains("expired"))
}

/// The last line that is not blank, safe to print, and cut.
pub(super) fn quoted(raw: &[u8]) -> Option<String> {
    let tail = &raw[raw.len().saturating_sub(WIDEST)..];
    let shown =
        visible(&tail[tail.trim_ascii_end().iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1)..]);
    let line = text::terminal(shown.trim()).into_owned();
    let cut: String = line.chars().take(QUOTED).collect();
    match cut.is_empty() {
        true => None,
        false if cut.len() < line.len() => Some(format!("{cut}…")),
        false => Some(cut),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_of_all_kinds_are_candidates_and_rules_are_not() {
        for prompt in ["CMTS-1.lab(a/b)#", "H>", "5#-3F-B#", "SSH@#NAME#", "lab cmts 1*#", "é#"] {
            assert!(looks_like_prompt(prompt), "{prompt}");
        }
        for line in ["", "#", "####", "> #", "CCAP001", "Password:"] {
            assert!(!looks_like_prompt(line), "{line}");
        }
    }

    #[test]
    fn questions_for_a_login_are_told_apart() {
        for line in ["User Name:", "Username:", "login:", "ccap001 login:", "Login Name:"] {
            assert!(asks_user(line), "{line}");
        }
        for line in ["Last login:", "Interface:", "Name of the upstream that you want:", "login"] {
            assert!(!asks_user(line), "{line}");
        }
        assert!(asks_new_password("(current) UNIX password:", ""));
        assert!(asks_new_password("New password:", ""));
        assert!(asks_new_password("Password:", "Your password has expired.\n"));
        assert!(!asks_new_password("Password:", ""));
    }

    #[test]
    fn a_quoted_line_is_safe_and_short() {
        assert_eq!(quoted(b"row\r\n\x1b[1mUser Name:\x1b[0m ").as_deref(), Some("User Name:"));
        assert_eq!(quoted(b"row 1\r\nrow 2\r\n\r\n").as_deref(), Some("row 2"));
        assert_eq!(quoted("\u{202e}evil".as_bytes()).as_deref(), Some("\\u{202e}evil"));
        assert_eq!(quoted(b" \r\n"), None);
        assert_eq!(quoted(&[b'x'; 5000]).map(|line| line.chars().count()), Some(QUOTED + 1));
    }
}
