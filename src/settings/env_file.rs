//! Reads an env file the way python-dotenv does, because the files that exist were written for it:
//! blanks around `=`, `export`, quotes with escapes, values over several lines, comments, and only
//! `${NAME}` and `${NAME:-default}` are expanded.

/// One `NAME=value` of the file, before expansion. A bare `NAME` has no value.
#[derive(Debug, PartialEq)]
pub struct Binding {
    pub name: String,
    /// The value, unquoted and unescaped, not yet expanded.
    pub value: Option<String>,
}

/// All bindings of a file, and the numbers of the lines that could not be read (from 1).
#[must_use]
pub fn parse(text: &str) -> (Vec<Binding>, Vec<usize>) {
    let (mut bindings, mut bad) = (Vec::new(), Vec::new());
    let mut rest = text;
    // Lines up to `counted`, so that a file of bad lines is counted once and not once per line.
    let (mut counted, mut line) = (0, 1);
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return (bindings, bad);
        }
        match binding(rest) {
            Some((found, after)) => {
                bindings.extend(found);
                rest = after;
            }
            None => {
                let at = text.len() - rest.len();
                line += text[counted..at].matches('\n').count();
                counted = at;
                bad.push(line);
                rest = rest.split_once('\n').map_or("", |(_, after)| after);
            }
        }
    }
}

fn blanks(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_whitespace() && c != '\n' && c != '\r')
}

/// One statement at the beginning of `text`: a comment (no binding) or a binding, and what follows it.
fn binding(text: &str) -> Option<(Option<Binding>, &str)> {
    if text.starts_with('#') {
        return Some((None, end_of_line(text)?));
    }
    let text = match text.strip_prefix("export") {
        Some(after) if blanks(after).len() < after.len() => blanks(after),
        _ => text,
    };
    let (name, rest) = match text.strip_prefix('\'') {
        Some(quoted) => quoted.split_once('\'').filter(|(name, _)| !name.is_empty())?,
        None => text
            .split_at(text.find(|c: char| c == '=' || c == '#' || c.is_whitespace()).unwrap_or(text.len())),
    };
    if name.is_empty() {
        return None;
    }
    let rest = blanks(rest);
    let (value, rest) = match rest.strip_prefix('=') {
        Some(after) => {
            let (value, rest) = value(blanks(after))?;
            (Some(value), rest)
        }
        None => (None, rest),
    };
    let rest = end_of_line(rest)?;
    Some((Some(Binding { name: name.to_owned(), value }), rest))
}

/// Passes over blanks, a comment and the line end; none when something else stands there.
fn end_of_line(text: &str) -> Option<&str> {
    let text = blanks(text);
    let text =
        if text.starts_with('#') { &text[text.find(['\r', '\n']).unwrap_or(text.len())..] } else { text };
    if text.is_empty() {
        return Some(text);
    }
    text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n')).or_else(|| text.strip_prefix('\r'))
}

fn value(text: &str) -> Option<(String, &str)> {
    match text.chars().next() {
        Some(quote @ ('\'' | '"')) => quoted(&text[1..], quote),
        _ => {
            let (line, rest) = text.split_at(text.find(['\r', '\n']).unwrap_or(text.len()));
            Some((uncommented(line).trim_end().to_owned(), rest))
        }
    }
}

/// A comment begins at a `#` with a blank before it.
fn uncommented(line: &str) -> &str {
    let mut blank = false;
    for (at, c) in line.char_indices() {
        if c == '#' && blank {
            return &line[..at];
        }
        blank = c.is_whitespace();
    }
    line
}

/// The text up to the closing quote, which a backslash hides, with its escapes undone.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return Some((value, &text[at + 1..]));
        }
        if c != '\\' {
            value.push(c);
            continue;
        }
        let next = chars.clone().next().map(|(_, c)| c);
        let plain = match next {
            Some(c @ ('\\' | '\'')) => Some(c),
            Some('"') if quote == '"' => Some('"'),
            Some('a') if quote == '"' => Some('\u{7}'),
            Some('b') if quote == '"' => Some('\u{8}'),
            Some('f') if quote == '"' => Some('\u{c}'),
            Some('n') if quote == '"' => Some('\n'),
            Some('r') if quote == '"' => Some('\r'),
            Some('t') if quote == '"' => Some('\t'),
            Some('v') if quote == '"' => Some('\u{b}'),
            _ => None,
        };
        match plain {
            Some(plain) => {
                value.push(plain);
                chars.next();
            }
            None => value.push('\\'),
        }
    }
    None
}

/// Bytes of the longest value, and of all values of a file together.
pub const LONGEST_VALUE: usize = 64 << 10;

/// Expands `${NAME}` and `${NAME:-default}`; an unknown name becomes empty, `$NAME` stays as it is. None when it
/// becomes longer than [`LONGEST_VALUE`].
pub fn expand<'a>(value: &str, lookup: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    if value.len() > LONGEST_VALUE {
        return None;
    }
    let mut expanded = String::new();
    let mut rest = value;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        expanded.push_str(before);
        let Some(end) = from.find('}') else {
            return Some(expanded + from);
        };
        let inside = &from[2..end];
        let (name, default) = match inside.split_once(':') {
            None => (inside, None),
            Some((name, tail)) if tail.starts_with('-') => (name, Some(&tail[1..])),
            Some(_) => {
                expanded.push_str("${");
                rest = &from[2..];
                continue;
            }
        };
        expanded.push_str(lookup(name).or(default).unwrap_or_default());
        if expanded.len() > LONGEST_VALUE {
            return None;
        }
        rest = &from[end + 1..];
    }
    Some(expanded + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each case was run through python-dotenv; the right column is what it made of it.
    #[test]
    fn the_cases_of_python_dotenv() {
        type Case = (&'static str, &'static [(&'static str, Option<&'static str>)]);
        let cases: &[Case] = &[
            ("A=b", &[("A", Some("b"))]),
            ("A = b c  # comment", &[("A", Some("b c"))]),
            ("A=b#c", &[("A", Some("b#c"))]),
            ("A=", &[("A", Some(""))]),
            ("A", &[("A", None)]),
            ("A= # c", &[("A", Some("# c"))]),
            ("export A=b", &[("A", Some("b"))]),
            ("  export   A = 'b # c' # d", &[("A", Some("b # c"))]),
            ("A='it\\'s'", &[("A", Some("it's"))]),
            ("A='a\\nb'", &[("A", Some("a\\nb"))]),
            ("A=\"a\\nb \\\"q\\\"\"", &[("A", Some("a\nb \"q\""))]),
            ("A=\"two\nlines\"\nB=1", &[("A", Some("two\nlines")), ("B", Some("1"))]),
            ("'A B'=c", &[("A B", Some("c"))]),
            ("# only a comment\n\nA=1\r\nB=2\r\n", &[("A", Some("1")), ("B", Some("2"))]),
            ("A=pa$word\nB=p@ss;w0rd=x", &[("A", Some("pa$word")), ("B", Some("p@ss;w0rd=x"))]),
            ("A='open\nB=2", &[("B", Some("2"))]),
            ("A='x' y\nB=2", &[("B", Some("2"))]),
            ("=x\nB=2", &[("B", Some("2"))]),
            ("A=\\$x", &[("A", Some("\\$x"))]),
        ];
        for (text, expected) in cases {
            let (found, _) = parse(text);
            let found: Vec<_> = found.iter().map(|b| (b.name.as_str(), b.value.as_deref())).collect();
            assert_eq!(found, *expected, "{text:?}");
        }
        assert_eq!(parse("A=1\n\n'\nB=2").1, [3]);
    }

    #[test]
    fn only_braces_expand() {
        let lookup = |name: &str| (name == "HOST").then_some("db1");
        for (value, expanded) in [
            ("${HOST}:3306", "db1:3306"),
            ("$HOST", "$HOST"),
            ("pa$word", "pa$word"),
            ("${NONE}x", "x"),
            ("${NONE:-y}x", "yx"),
            ("${HOST", "${HOST"),
            ("a${HOST}b${HOST}", "adb1bdb1"),
        ] {
            assert_eq!(expand(value, lookup).as_deref(), Some(expanded), "{value}");
        }
    }
}
