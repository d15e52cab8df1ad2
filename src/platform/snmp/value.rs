//! The right side of a line of a walk: a number with its enumeration, unit or display hint, or a string in quotes,
//! bare, or in hexadecimal digits.

use std::borrow::Cow;

use super::columns::Column;

/// What a value is read as.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// A number, in the unit of the column.
    Number(i64),
    /// A text, without control characters.
    Text(Cow<'a, str>),
}

/// The types that net-snmp prints in front of a value.
const TYPES: [&str; 18] = [
    "STRING:",
    "INTEGER:",
    "Gauge32:",
    "Unsigned32:",
    "UInteger32:",
    "Integer32:",
    "Counter32:",
    "Counter64:",
    "Timeticks:",
    "Hex-STRING:",
    "OID:",
    "IpAddress:",
    "Network Address:",
    "BITS:",
    "Opaque:",
    "Float:",
    "Double:",
    "NULL",
];

/// A right side without its type, and whether hexadecimal digits follow.
#[must_use]
pub fn without_type(text: &str) -> (&str, bool) {
    let mut rest = text.trim_start();
    if let Some(wrong) = rest.strip_prefix("Wrong Type (should be ") {
        rest = wrong.split_once("):").map_or(rest, |(_, value)| value.trim_start());
    }
    let mut hex = false;
    // `Opaque: Float: 36.1` has two.
    for _ in 0..2 {
        let Some(kind) = TYPES.iter().find(|kind| rest.starts_with(**kind)) else { break };
        hex |= *kind == "Hex-STRING:";
        rest = rest[kind.len()..].trim_start();
        if !matches!(*kind, "Opaque:") {
            break;
        }
    }
    (rest, hex)
}

/// Whether a right side says that there is no value.
#[must_use]
pub fn is_nothing(text: &str) -> bool {
    ["No Such Object", "No Such Instance", "No more variables left in this MIB View"]
        .iter()
        .any(|words| text.trim_start().starts_with(words))
}

/// The number of a right side that has no type any more, in the unit of the column.
#[must_use]
pub fn number(column: Column, text: &str) -> Option<i64> {
    let text = text.trim().trim_matches('"').trim();
    if let Some((_, behind)) = text.rsplit_once('(')
        && let Some(number) = behind.strip_suffix(')')
    {
        return number.parse().ok();
    }
    let word = text.split_ascii_whitespace().next()?;
    if let Some((whole, tenths)) = word.split_once('.') {
        return if column == Column::Snr { tenths_of(whole, tenths) } else { None };
    }
    word.parse().ok().or_else(|| named(column, word))
}

/// A decimal number of dB, as the display hint of TenthdB prints it (`36.1`, `.0`, `-.5`), in tenths.
fn tenths_of(whole: &str, tenths: &str) -> Option<i64> {
    let (sign, whole) = whole.strip_prefix('-').map_or((1, whole), |whole| (-1, whole));
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let digit = tenths.chars().next()?.to_digit(10)?;
    let rest = tenths.bytes().all(|b| b.is_ascii_digit());
    rest.then(|| whole.checked_mul(10))?.map(|whole| sign * (whole + i64::from(digit)))
}

/// The number of an enumeration's word, which `-OQ` and `-Oq` print alone.
fn named(column: Column, word: &str) -> Option<i64> {
    const STATES: &[(&str, i64)] = &[
        ("up", 1),
        ("down", 2),
        ("testing", 3),
        ("unknown", 4),
        ("dormant", 5),
        ("notPresent", 6),
        ("lowerLayerDown", 7),
    ];
    const ROWS: &[(&str, i64)] = &[
        ("active", 1),
        ("notInService", 2),
        ("notReady", 3),
        ("createAndGo", 4),
        ("createAndWait", 5),
        ("destroy", 6),
    ];
    const CHANNELS: &[(&str, i64)] =
        &[("unknown", 0), ("tdma", 1), ("atdma", 2), ("scdma", 3), ("tdmaAndAtdma", 4)];
    const MODULATIONS: &[(&str, i64)] = &[
        ("other", 1),
        ("qpsk", 2),
        ("qam16", 3),
        ("qam8", 4),
        ("qam32", 5),
        ("qam64", 6),
        ("qam128", 7),
        ("qam256", 8),
    ];
    const KINDS: &[(&str, i64)] = &[
        ("docsCableMaclayer", 127),
        ("docsCableDownstream", 128),
        ("docsCableUpstream", 129),
        ("docsCableUpstreamChannel", 205),
        ("docsOfdmDownstream", 277),
        ("docsOfdmaUpstream", 278),
    ];
    let words = match column {
        Column::IfOperStatus => STATES,
        Column::Status | Column::ModControl => ROWS,
        Column::ChannelType => CHANNELS,
        Column::ModType => MODULATIONS,
        // Any other kind is none of an upstream's.
        Column::IfType => return Some(KINDS.iter().find(|(name, _)| *name == word).map_or(1, |&(_, n)| n)),
        _ => return None,
    };
    words.iter().find(|(name, _)| *name == word).map(|&(_, number)| number)
}

/// Where a string that begins with a quotation mark ends: at the next one that no backslash stands before. That
/// one must end its line, and `text` is all that follows the first mark.
#[must_use]
pub fn quoted(text: &str, most: usize) -> Option<&str> {
    let bytes = &text.as_bytes()[..text.len().min(most)];
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => {
                let behind = text[at + 1..].split('\n').next().unwrap_or_default();
                return behind.trim().is_empty().then(|| &text[..at]);
            }
            _ => at += 1,
        }
    }
    None
}

/// What stands between quotation marks, without its backslashes; the hexadecimal digits that quick output prints
/// there are read as such.
#[must_use]
pub fn unquote(inside: &str) -> Cow<'_, str> {
    if let Some(text) = quick_hex(inside) {
        return Cow::Owned(text);
    }
    if !inside.contains('\\') {
        return Cow::Borrowed(inside);
    }
    let (mut text, mut chars) = (String::with_capacity(inside.len()), inside.chars());
    while let Some(c) = chars.next() {
        text.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    Cow::Owned(text)
}

/// The text of `"4E 4F "`: pairs of digits, each with a blank behind it.
fn quick_hex(inside: &str) -> Option<String> {
    let shaped = inside.ends_with(' ')
        && inside.split([' ', '\n']).all(|pair| pair.is_empty() || is_pair(pair))
        && inside.bytes().all(|b| !b.is_ascii_lowercase());
    shaped.then(|| {
        let mut bytes = Vec::new();
        for line in inside.lines() {
            hex(line, &mut bytes);
        }
        text_of(&bytes)
    })
}

fn is_pair(pair: &str) -> bool {
    pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Adds the bytes of a line of hexadecimal digits; what `-OT` prints behind them is left out. False, and nothing
/// added, when the line is none.
pub fn hex(line: &str, bytes: &mut Vec<u8>) -> bool {
    let digits = line.split_once("  [").map_or(line, |(digits, _)| digits);
    let pairs = || digits.split_ascii_whitespace();
    if pairs().next().is_none() || !pairs().all(is_pair) {
        return false;
    }
    bytes.extend(pairs().filter_map(|pair| u8::from_str_radix(pair, 16).ok()));
    true
}

/// The text of bytes: UTF-8, or what can be read of it.
#[must_use]
pub fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
}

/// The bytes of `4e4f`, as recordings have them.
#[must_use]
pub fn packed_hex(digits: &str) -> Option<Vec<u8>> {
    let pairs =
        digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok().filter(|pair| is_pair(pair)));
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

/// A text on one line: line breaks and other control characters are blanks.
#[must_use]
pub fn one_line(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        };
    }
    let words: Vec<&str> = text.split(|c: char| c.is_control()).filter(|part| !part.is_empty()).collect();
    Cow::Owned(words.join(" ").trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_with_types_units_hints_and_names() {
        for (column, text, expected) in [
            (Column::Profile, "Gauge32: 202", Some(202)),
            (Column::Profile, "Wrong Type (should be Gauge32 or Unsigned32): INTEGER: 202", Some(202)),
            (Column::Profile, "Counter64: 202", Some(202)),
            (Column::Profile, "STRING: \"202\"", Some(202)),
            (Column::Profile, "two", None),
            (Column::Profile, "20.5", None),
            (Column::Frequency, "INTEGER: 20000000 hertz", Some(20_000_000)),
            (Column::ChannelType, "INTEGER: atdma(2)", Some(2)),
            (Column::ChannelType, "tdmaAndAtdma", Some(4)),
            (Column::ModType, "qam8", Some(4)),
            (Column::ModType, "qam16(3)", Some(3)),
            (Column::ModType, "qam4096", None),
            (Column::ModControl, "active", Some(1)),
            (Column::IfOperStatus, "lowerLayerDown", Some(7)),
            (Column::IfType, "softwareLoopback", Some(1)),
            (Column::Snr, "INTEGER: 361", Some(361)),
            (Column::Snr, "INTEGER: 36.1 TenthdB", Some(361)),
            (Column::Snr, "INTEGER: .0 TenthdB", Some(0)),
            (Column::Snr, "-.5", Some(-5)),
            (Column::Snr, "Opaque: Float: 36.100000", Some(361)),
            (Column::Snr, "99999999999999999999.1", None),
            (Column::Snr, "9223372036854775807.9", None),
        ] {
            assert_eq!(number(column, without_type(text).0), expected, "{text}");
        }
    }

    #[test]
    fn strings_come_in_quotes_and_digits() {
        assert_eq!(quoted("a \\\"b\\\" c\"\nnext", 99), Some("a \\\"b\\\" c"));
        assert_eq!(quoted("a\nb\"  \nnext", 99), Some("a\nb"));
        assert_eq!(quoted("a\" b\"", 99), None);
        assert_eq!(quoted("never ends", 99), None);
        assert_eq!(quoted("too long\"", 4), None);
        assert_eq!(unquote("NODE \\\"1\\\" \\\\"), "NODE \"1\" \\");
        assert_eq!(unquote("4E 4F 44 45 20 C3 A9 "), "NODE é");
        assert_eq!(unquote("4E 4F 44"), "4E 4F 44");
        let mut bytes = Vec::new();
        assert!(hex("63 61 66 C3 A9 00   [caf...]", &mut bytes) && !hex("63 61 6", &mut bytes));
        assert_eq!(text_of(&bytes), "café");
        assert_eq!(packed_hex("636166").as_deref(), Some(&b"caf"[..]));
        assert_eq!((packed_hex("6"), packed_hex("6é")), (None, None));
        assert_eq!(one_line("two\r\nlines ".into()), "two lines");
    }
}
