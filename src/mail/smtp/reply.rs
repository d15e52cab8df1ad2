//! A server's answer (RFC 5321, 4.2): three digits count, the rest is text of any encoding. What has no end is
//! cut off: a server cannot fill our memory with one line, or with a million of them.

use std::fmt;

/// No line of an answer is longer than this, in bytes; RFC 5321 allows 512.
pub(super) const LONGEST_LINE: usize = 4096;
/// No answer has more lines than this.
pub(super) const MOST_LINES: usize = 256;
/// No reason that is shown or kept is longer than this, in characters.
const LONGEST_REASON: usize = 400;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub code: u16,
    /// The text of each line, without the code.
    pub lines: Vec<String>,
}

impl Reply {
    /// The enhanced status (RFC 3463) without its class: `(1, 1)` of `550 5.1.1 no such user`.
    pub fn enhanced(&self) -> Option<(u16, u16)> {
        let word = self.lines.first()?.split_whitespace().next()?;
        let mut numbers = word.split('.').map(|number| number.parse::<u16>().ok());
        let (class, subject, detail) = (numbers.next()??, numbers.next()??, numbers.next()??);
        (class == self.code / 100 && numbers.next().is_none()).then_some((subject, detail))
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.lines.join(" ");
        let text: String = text.trim().chars().take(LONGEST_REASON).collect();
        write!(f, "{} {text}", self.code)
    }
}

/// One line of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub code: u16,
    /// Whether more lines follow.
    pub continues: bool,
    pub text: String,
}

/// Reads a line without its end. None when it does not begin with a code.
pub(super) fn line(bytes: &[u8]) -> Option<Line> {
    let digits = bytes.get(..3)?;
    if !digits.iter().all(u8::is_ascii_digit) || bytes.get(3).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    let text = String::from_utf8_lossy(bytes.get(4..).unwrap_or_default()).into_owned();
    (200..600).contains(&code).then(|| Line { code, continues: bytes.get(3) == Some(&b'-'), text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_count_and_the_rest_is_text() {
        let seen = |bytes: &[u8]| line(bytes).map(|line| (line.code, line.continues, line.text));
        assert_eq!(seen(b"250"), Some((250, false, String::new())));
        assert_eq!(seen(b"250-SIZE 10"), Some((250, true, "SIZE 10".to_owned())));
        assert_eq!(seen(b"250 accept\xe9e"), Some((250, false, "accept\u{fffd}e".to_owned())));
        for bad in [&b""[..], b"25", b"hello", b"2200000 x", b"999 x", b"100 x", b"\xff50 x"] {
            assert_eq!(seen(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn an_enhanced_status_has_the_class_of_its_code() {
        let enhanced = |code, text: &str| Reply { code, lines: vec![text.to_owned()] }.enhanced();
        assert_eq!(enhanced(550, "5.1.1 <a>: no such user"), Some((1, 1)));
        assert_eq!(enhanced(550, "4.1.1 odd"), None);
        assert_eq!(enhanced(550, "no such user"), None);
        assert_eq!(enhanced(250, ""), None);
    }
}
