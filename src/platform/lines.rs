//! What lines and words of any device's output look like: ports, frequencies, and everything that may
//! stand between the rows of a table without being one of them.

mod memo;
mod words;

use std::borrow::Cow;

pub(super) use memo::Memo;
use words::is_blank;
pub(super) use words::{Words, WordsAt};

/// Why a line needs not be understood: blank, a rule, a total, the time, a log message; `percent` says whether it
/// holds a `%`. Every line of every answer comes by here, so its first bytes decide what it is compared with.
pub(super) fn noise(line: &str, percent: bool) -> Option<&'static str> {
    let text = line.trim_ascii();
    let Some(first) = text.bytes().next() else { return Some("blank") };
    let known = match first {
        b'0'..=b'9' => (goes_on_as_moment(text) && is_moment(text)).then_some(MOMENT),
        b'[' | b'(' => is_moment(text).then_some(MOMENT),
        b'-' | b'=' | b'+' | b'*' | b'_' | b'|' | b'#' | b'~' | b'.' => match is_rule(text) {
            true => Some("a rule"),
            false => is_moment(text).then_some(MOMENT),
        },
        b'a'..=b'z' | b'A'..=b'Z' => sentence(text),
        _ => None,
    };
    known.or_else(|| is_syslog(text, percent).then_some("a log message"))
}

const MOMENT: &str = "the time or a log message";

fn is_rule(text: &str) -> bool {
    text.bytes()
        .all(|b| matches!(b, b'-' | b'=' | b'+' | b'*' | b'_' | b'|' | b'#' | b'~' | b'.' | b' ' | b'\t'))
}

fn sentence(text: &str) -> Option<&'static str> {
    let begins = |heads: &[&str]| heads.iter().any(|head| starts_with(text, head));
    match &text.as_bytes().first_chunk()?.map(|b| b.to_ascii_lowercase()) {
        b"loa" | b"tim" | b"no " => {
            begins(&["load for ", "time source is", "no time source"]).then_some("the time")
        }
        b"tot" | b"num" => {
            let counted = text.bytes().any(|b| b.is_ascii_digit());
            (counted && begins(&["total", "number of "])).then_some("a total")
        }
        b"mon" | b"tue" | b"wed" | b"thu" | b"fri" | b"sat" | b"sun" | b"jan" | b"feb" | b"mar" | b"apr"
        | b"may" | b"jun" | b"jul" | b"aug" | b"sep" | b"oct" | b"nov" | b"dec" => {
            is_moment(text).then_some(MOMENT)
        }
        _ => None,
    }
}

/// The lines of a text, as [`str::lines`] gives them, in less time.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (line, next) = line_at(text, at)?;
        at = next;
        Some(line)
    })
}

/// The line that begins at a byte of a text, and where the next one does; none behind the last.
pub(super) fn line_at(text: &str, at: usize) -> Option<(&str, usize)> {
    let rest = &text[at..];
    match memchr::memchr(b'\n', rest.as_bytes()) {
        Some(end) => Some((rest[..end].strip_suffix('\r').unwrap_or(&rest[..end]), at + end + 1)),
        None if rest.is_empty() => None,
        None => Some((rest, text.len())),
    }
}

/// The words of a line: what stands between blanks, tabs and other control characters.
pub(super) fn words(line: &str) -> Words<'_> {
    Words::new(line)
}

/// The first word of a line, empty when there is none.
pub(super) fn first_word(line: &str) -> &str {
    let start = line.bytes().position(|b| !is_blank(&b)).unwrap_or(line.len());
    let rest = &line[start..];
    &rest[..rest.bytes().position(|b| is_blank(&b)).unwrap_or(rest.len())]
}

/// What stands before and behind the first such ASCII character: [`str::split_once`], in less time on what is as
/// short as a word.
pub(super) fn cut(word: &str, at: u8) -> Option<(&str, &str)> {
    debug_assert!(at.is_ascii());
    let place = word.bytes().position(|b| b == at)?;
    Some((&word[..place], &word[place + 1..]))
}

/// What stands before and behind the first white space: `split_once(char::is_whitespace)`, in less time on text that
/// begins with plain words.
pub(super) fn cut_blank(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().position(|b| matches!(b, b'\t'..=b'\r' | b' ' | 0x80..))?;
    match text.as_bytes()[end].is_ascii() {
        true => Some((&text[..end], &text[end + 1..])),
        false => text.split_once(char::is_whitespace),
    }
}

/// Whether a typed command asks what `full` asks: operators abbreviate its words, and add others behind.
pub(super) fn asks(typed: &str, full: &str) -> bool {
    let mut words = typed.split_ascii_whitespace();
    full.split_ascii_whitespace().all(|word| {
        words.next().is_some_and(|typed| {
            typed.len() >= 2.min(word.len()) && typed.len() <= word.len() && starts_with(word, typed)
        })
    })
}

/// [`str::trim`], in less time on ASCII.
pub(super) fn trim(text: &str) -> &str {
    text.trim_ascii().trim()
}

/// Whether a command shows a configuration, in which any table of profiles may stand in its other form.
pub(super) fn asks_configuration(typed: &str) -> bool {
    asks(typed, "show running-config")
        || asks(typed, "show startup-config")
        || asks(typed, "show configuration")
}

/// Whether a text begins so, in any case.
pub(super) fn starts_with(text: &str, beginning: &str) -> bool {
    text.get(..beginning.len()).is_some_and(|head| head.eq_ignore_ascii_case(beginning))
}

/// The first so many bytes of a text, or a few fewer where they would cut a character.
fn head(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    &text[..end.unwrap_or_default()]
}

/// `%SYS-5-CONFIG_I: …` anywhere in the line, or a syslog priority `<189>` before it.
fn is_syslog(text: &str, percent: bool) -> bool {
    let tag = |rest: &str| {
        let Some((tag, _)) = rest.split_once(':') else { return false };
        let mut parts = tag.rsplitn(3, '-');
        let (Some(word), Some(level), Some(facility)) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        let named = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
        };
        named(facility) && named(word) && matches!(level.as_bytes(), [b'0'..=b'7'])
    };
    let priority = text.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    priority.is_some_and(|(number, _)| is_number(number))
        || percent && memchr::memchr_iter(b'%', text.as_bytes()).any(|at| tag(head(&text[at + 1..], 80)))
}

/// Whether a text that begins with a digit goes on as a date or a time does. Most ports do not.
fn goes_on_as_moment(text: &str) -> bool {
    let bytes = text.as_bytes();
    let behind_digits = |from: usize| from + bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let end = behind_digits(0);
    match bytes.get(end) {
        Some(b':') => true,
        Some(b'-' | b'/') => matches!(bytes.get(behind_digits(end + 1)), Some(b'-' | b'/')),
        _ => false,
    }
}

/// Whether a line begins with a date or a time: device clocks before an output, and log messages.
fn is_moment(text: &str) -> bool {
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let first = first_word(text);
    let second = || words(text).nth(1).unwrap_or_default();
    let bare = first.trim_start_matches(['*', '.', '[', '(']).trim_end_matches([',', ':', ']', ')']);
    let is_one = |word: &str, names: &[&str]| {
        word.starts_with(|c: char| c.is_ascii_alphabetic())
            && names
                .iter()
                .any(|name| word.eq_ignore_ascii_case(name) || word.len() == 3 && starts_with(name, word))
    };
    let counted = |word: &str| word.bytes().any(|b| b.is_ascii_digit());
    let moment = match bare.starts_with(|c: char| c.is_ascii_alphabetic()) {
        true => {
            is_one(bare, &DAYS) && (counted(second()) || is_one(second(), &MONTHS))
                || is_one(bare, &MONTHS) && counted(second())
        }
        false => is_time(bare) || is_date(bare) && (bare.len() == text.len() || is_time(second())),
    };
    moment || first.starts_with('[') && counted(bare) && bare.contains(':')
}

/// `12:34`, `12:34:56`, `12:34:56.789`.
fn is_time(word: &str) -> bool {
    if cut(word, b':').is_none() {
        return false;
    }
    let mut parts = word.trim_end_matches([',', ':']).split(':');
    let hour = parts.next().is_some_and(|hour| hour.len() <= 2 && is_number(hour));
    let mut rest = parts.map(|part| is_number(part.split(['.', ',']).next().unwrap_or_default()));
    hour && rest.next() == Some(true) && rest.all(|number| number)
}

/// `2026-11-24`, `2026/11/24`, `11/24/2026`, also with a time behind a `T`.
fn is_date(word: &str) -> bool {
    let date = cut(word, b'T').map_or(word, |(date, _)| date);
    let mut parts = date.as_bytes().split(|b| matches!(b, b'-' | b'/'));
    let (Some(a), Some(b), Some(c), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    [a, b, c].into_iter().all(are_digits) && (a.len() == 4 || c.len() == 4)
}

/// A word in lower case, as it stands where it is so already.
pub(super) fn lower_case(word: &str) -> Cow<'_, str> {
    if word.bytes().any(|b| b.is_ascii_uppercase()) { word.to_ascii_lowercase().into() } else { word.into() }
}

/// How many numbers a word such as `1/0/0` consists of; 0 when it is another word.
pub(super) fn numbers(word: &str) -> usize {
    let (mut count, mut is_open) = (0, false);
    for byte in word.bytes() {
        match byte {
            b'0'..=b'9' => count += usize::from(!std::mem::replace(&mut is_open, true)),
            b'/' if is_open => is_open = false,
            _ => return 0,
        }
    }
    if is_open { count } else { 0 }
}

/// Digits and nothing else.
pub(super) fn is_number(text: &str) -> bool {
    are_digits(text.as_bytes())
}

fn are_digits(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit)
}

/// Whether a word names an upstream port of any shape: a slot, then one or more parts behind slashes,
/// `1/5/25`, `1/0/0.0`, `2/scq/310`, `11/0`.
pub(super) fn is_port(word: &str) -> bool {
    let (mut slashes, mut is_open) = (0, false);
    for byte in word.bytes() {
        is_open = match byte {
            b'0'..=b'9' => true,
            b'/' if is_open => {
                slashes += 1;
                false
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'.' if slashes > 0 => true,
            _ => return false,
        }
    }
    is_open && slashes > 0
}

/// Hz of a number in MHz, exactly: `58.800` is 58 800 000. Decimal places beyond whole Hz are cut off.
pub(super) fn mhz(text: &str) -> Option<u64> {
    const HZ: [u64; 7] = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];
    let digit = |b: &u8| b.wrapping_sub(b'0') < 10;
    let bytes = text.as_bytes();
    let (whole, behind) = bytes.split_at(bytes.iter().take_while(|b| digit(b)).count());
    let places = match behind {
        [] => behind,
        [b'.', places @ ..] if !places.is_empty() && places.iter().all(digit) => {
            &places[..places.len().min(6)]
        }
        _ => return None,
    };
    // 100 THz is beyond any cable, and keeps the arithmetic in range.
    let is_number = (1..=8).contains(&whole.len());
    let number = || whole.iter().chain(places).fold(0, |hz, b| hz * 10 + u64::from(b - b'0'));
    is_number.then(|| number() * HZ[places.len()])
}

/// Hz of a frequency without a unit: a number too large for MHz is Hz.
pub(super) fn frequency(text: &str) -> Option<u64> {
    match text.parse::<u64>() {
        Ok(hz) if hz >= 100_000 => Some(hz),
        _ => mhz(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_rows_is_known_and_rows_are_not_taken_for_it() {
        for (line, why) in [
            ("", Some("blank")),
            ("  ------ =====", Some("a rule")),
            ("Load for five secs: 14%/1%; one minute: 13%", Some("the time")),
            ("Time source is NTP, 13:11:32.445 EDT Fri Aug 7 2020", Some("the time")),
            ("No time source, *06:34:25.527 UTC Fri Dec 3 2021", Some("the time")),
            ("Total   12  9", Some("a total")),
            ("Tue Nov 24 23:52:13 2026", Some("the time or a log message")),
            ("Tue, 24 Nov 2026", Some("the time or a log message")),
            ("*Mar  1 00:00:12.123: %LINK-3-UPDOWN: x", Some("the time or a log message")),
            ("2026-11-24 12:00:00 CCAP: cm online", Some("the time or a log message")),
            ("11/24/2026 12:00:00", Some("the time or a log message")),
            ("[05/11-13:09:25.22-12:SYSLOG]- text", Some("the time or a log message")),
            ("000012: %CBR-SUP-5-CONFIG_I: by console", Some("a log message")),
            ("<189>Nov 24: x", Some("a log message")),
            ("2/scq/0     127     -    IS atdma", None),
            ("11/24/20 127 - IS", None),
            ("Monitored 3", None),
            ("Maybe 1/0 at 20% util-3-x", None),
        ] {
            assert_eq!(noise(line, line.contains('%')), why, "{line}");
        }
    }

    #[test]
    fn an_abbreviated_command_asks_the_same() {
        assert!(asks("show interface cable-upstream", "show interface cable-upstream"));
        assert!(asks("sh int cable-up", "show interface cable-upstream"));
        assert!(asks("show spectrum hop-history upstream 1/1.1/0", "show spectrum hop-history"));
        for other in
            ["", "show interface", "show interface cable-mac", "show interface cable-upstreams", "s i c"]
        {
            assert!(!asks(other, "show interface cable-upstream"), "{other}");
        }
        assert!(asks_configuration("sh run | include x") && !asks_configuration("show cable modem"));
    }

    #[test]
    fn ports_of_all_shapes_are_known() {
        for port in ["1/5/25", "1/0/0.0", "2/scq/310", "2/ofd/50", "11/0"] {
            assert!(is_port(port), "{port}");
        }
        for word in ["12", "scq/1", "1/", "/1", "a/1/2", "55.600-62.000", "1//2", "1/é"] {
            assert!(!is_port(word), "{word}");
        }
        for (word, count) in
            [("1/0/15", 3), ("12", 1), ("", 0), ("1/", 0), ("/1", 0), ("1//2", 0), ("1/a", 0)]
        {
            assert_eq!(numbers(word), count, "{word}");
        }
    }

    #[test]
    fn megahertz_become_hertz_without_a_rounding_error() {
        assert_eq!(mhz("58.800"), Some(58_800_000));
        assert_eq!(mhz("19.0251234"), Some(19_025_123));
        assert_eq!(mhz("6"), Some(6_000_000));
        for bad in ["", ".", "-6.0", "5.", ".5", "1.2.3", "999999999", "١٢"] {
            assert_eq!(mhz(bad), None, "{bad}");
        }
        assert_eq!(frequency("58800000"), Some(58_800_000));
        assert_eq!(frequency("58.8"), Some(58_800_000));
    }
}
