//! Escapes text from devices and users, which is hostile, for terminals, CSV cells, HTML and file names. (mod-mail
//! escapes its headers itself.)

mod clean;
pub mod encoding;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod table;

use std::borrow::Cow;

use sha2::{Digest, Sha256};

pub use clean::clean;

/// For terminals and logs: every control character, and those that turn the direction of text,
/// as `\u{…}`; line feeds too, so that one message stays one line.
#[must_use]
pub fn terminal(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe(c) { safe.extend(c.escape_default()) } else { safe.push(c) }
    }
    Cow::Owned(safe)
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// For CSV cells that spreadsheets open and terminals show: what begins like a formula gets a leading `'`, also behind
/// a `;` or `,` at which a spreadsheet of another locale cuts the cell; control characters are written as
/// [`terminal`] writes them, so that a line feed begins no line.
#[must_use]
pub fn csv_cell(text: &str) -> Cow<'_, str> {
    let text = terminal(text);
    let mut at_begin = true;
    let signs: Vec<usize> = text
        .char_indices()
        .filter(|&(_, c)| {
            let is_sign = at_begin && matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
            at_begin = matches!(c, ';' | ',') || at_begin && matches!(c, ' ' | '"');
            is_sign
        })
        .map(|(at, _)| at)
        .collect();
    if signs.is_empty() {
        return text;
    }
    let mut safe = text.into_owned();
    signs.into_iter().rev().for_each(|at| safe.insert(at, '\''));
    Cow::Owned(safe)
}

/// For HTML, in text and in attribute values with quotes.
#[must_use]
pub fn html(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// For file names: letters, digits, `.`, `_` and `-` stay, everything else becomes `_`; never empty,
/// never hidden, at most 100 characters.
#[must_use]
pub fn file_name(text: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '_' };
    let name: String = text.chars().take(100).map(keep).collect();
    match name.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None if name.is_empty() => "_".to_owned(),
        None => name,
    }
}

/// The longest beginning of a text that has at most so many bytes.
#[must_use]
pub fn beginning(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    &text[..end.unwrap_or(0)]
}

/// As [`file_name`], but different texts have different names: where characters were replaced, a hash follows.
#[must_use]
pub fn distinct_file_name(text: &str) -> String {
    let name = file_name(text);
    if name == text {
        return name;
    }
    let hash: String = Sha256::digest(text).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("{name}-{hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_loses_its_teeth_and_harmless_text_stays() {
        assert_eq!(terminal("CCAP001: ü ok"), "CCAP001: ü ok");
        assert_eq!(terminal("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\nc");
        assert_eq!(terminal("\u{202e}evil"), "\\u{202e}evil");
        assert_eq!(csv_cell("=cmd()"), "'=cmd()");
        assert_eq!(csv_cell("1/0/0/3"), "1/0/0/3");
        assert_eq!(csv_cell(" =1"), " '=1");
        assert_eq!(csv_cell("Süd; West,\"=1+1\""), "Süd; West,\"'=1+1\"");
        assert_eq!(csv_cell("a;=b;+c;d-e; f"), "a;'=b;'+c;d-e; f");
        assert_eq!(csv_cell("＠x"), "'＠x");
        assert_eq!(csv_cell("a\r\n=b\u{1b}[2J"), "a\\r\\n=b\\u{1b}[2J");
        assert_eq!(file_name("../../etc/passwd"), "_._.._etc_passwd");
        assert_eq!(file_name(""), "_");
        assert_eq!(
            (beginning("aü", 2), beginning("aü", 3), beginning("aü", 9), beginning("", 0)),
            ("a", "aü", "aü", "")
        );
        assert_eq!(distinct_file_name("CCAP001_a"), "CCAP001_a");
        assert_ne!(distinct_file_name("CCAP001/a"), distinct_file_name("CCAP001:a"));
        assert!(distinct_file_name("CCAP001/a").starts_with("CCAP001_a-"));
    }
}
