//! What an upstream is called: the name that the device's command line has for it, read out of its ifDescr or
//! ifName. A name is never computed from an interface index, which changes when the device starts again.

use std::{borrow::Cow, collections::HashMap};

/// What an interface's text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named<'a> {
    /// An upstream, by its name on the command line and by the one that it has where that is taken.
    Upstream(Cow<'a, str>, Option<Cow<'a, str>>),
    /// Any other interface: a MAC domain, a downstream, a connector.
    Another,
    /// A text of no known form.
    Unknown,
}

/// Reads the text of an interface.
#[must_use]
pub fn read(text: &str) -> Named<'_> {
    let text = text.trim();
    if let Some(port) = behind(text, &["cable-upstream ", "cable-us-ofdma "]).and_then(port) {
        return without_zero(port.into());
    }
    if let Some(port) =
        behind(strip(text, "RPHY "), &["Logical Upstream Channel ", "OFDMA Upstream "]).and_then(port)
    {
        return Named::Upstream(port.into(), None);
    }
    if let Some(name) = of_c4(text) {
        return without_zero(name.into());
    }
    if let Some(name) = of_cisco(text) {
        return Named::Upstream(name.into(), None);
    }
    let others = ["cable-mac ", "catv-mac ", "upstream physical interface "];
    let lower = text.to_ascii_lowercase();
    if others.iter().any(|other| lower.starts_with(other))
        || lower.contains("-downstream")
        || lower.contains(" us-conn ")
    {
        return Named::Another;
    }
    Named::Unknown
}

fn strip<'a>(text: &'a str, beginning: &str) -> &'a str {
    behind(text, &[beginning]).unwrap_or(text)
}

/// What stands behind one of these beginnings, in any case.
fn behind<'a>(text: &'a str, beginnings: &[&str]) -> Option<&'a str> {
    beginnings.iter().find_map(|beginning| {
        let head = text.get(..beginning.len())?;
        head.eq_ignore_ascii_case(beginning).then(|| text[beginning.len()..].trim())
    })
}

/// A word that a port can be: with a digit, and nothing that no port has.
fn port(text: &str) -> Option<&str> {
    let shaped = |b: u8| b.is_ascii_alphanumeric() || b"/.:-_".contains(&b);
    (text.bytes().all(shaped) && text.bytes().any(|b| b.is_ascii_digit())).then_some(text)
}

/// ARRIS names the logical channel, and its command line leaves the first one out: `1/scq/160.0` is `1/scq/160`.
fn without_zero(name: Cow<'_, str>) -> Named<'_> {
    match name.strip_suffix(".0").map(str::len) {
        Some(end) => {
            let short = match &name {
                Cow::Borrowed(name) => Cow::Borrowed(&name[..end]),
                Cow::Owned(name) => Cow::Owned(name[..end].to_owned()),
            };
            Named::Upstream(short, Some(name))
        }
        None => Named::Upstream(name, None),
    }
}

/// The ifName of a C4: `cable 10/- upstream  0.0`.
fn of_c4(text: &str) -> Option<String> {
    let (slot, channel) = behind(text, &["cable "])?.split_once("/- upstream ")?;
    let (slot, channel) = (port(slot)?, port(channel.trim())?);
    Some(format!("{slot}/{channel}"))
}

/// Cisco: `Cable1/0/0-upstream6`, `Ca3/0-upstream0`.
fn of_cisco(text: &str) -> Option<String> {
    let (domain, channel) = behind(text, &["Cable", "Ca"])?.split_once("-upstream")?;
    let numbers = |text: &str, of: &[u8]| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || of.contains(&b))
    };
    (numbers(domain, b"/") && numbers(channel, b"")).then(|| format!("{domain}/{channel}"))
}

/// What the interface of an upstream may be called, the best name first; none for an interface that is not one.
#[must_use]
pub fn candidates<'a>(description: Option<&'a str>, name: Option<&'a str>) -> Option<Vec<Cow<'a, str>>> {
    let texts = [description, name];
    let texts = || texts.iter().flatten().copied().filter(|text| !text.is_empty());
    for text in texts() {
        match read(text) {
            Named::Upstream(best, other) => return Some(std::iter::once(best).chain(other).collect()),
            Named::Another => return None,
            Named::Unknown => {}
        }
    }
    Some(texts().map(Cow::Borrowed).collect())
}

/// Gives each interface the first of its names that no other one has; the last, where others have them all.
#[must_use]
pub fn distinct<'a>(mut candidates: Vec<Vec<Cow<'a, str>>>) -> Vec<Option<Cow<'a, str>>> {
    loop {
        let mut count: HashMap<Cow<'a, str>, usize> = HashMap::new();
        for name in candidates.iter().filter_map(|names| names.first()) {
            *count.entry(name.clone()).or_default() += 1;
        }
        let mut moved = false;
        for names in &mut candidates {
            if names.len() > 1 && count[&names[0]] > 1 {
                names.remove(0);
                moved = true;
            }
        }
        if !moved {
            return candidates.into_iter().map(|names| names.into_iter().next()).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Option<String> {
        candidates(Some(text), None).map(|names| names[0].to_string())
    }

    #[test]
    fn a_name_is_that_of_the_command_line() {
        for (text, expected) in [
            ("cable-upstream 10/0", "10/0"),
            ("cable-upstream 10/0.0", "10/0"),
            ("cable-upstream 10/0.1", "10/0.1"),
            ("cable 10/- upstream  0", "10/0"),
            ("cable 10/- upstream  0.0", "10/0"),
            ("cable 10/- upstream  0.1", "10/0.1"),
            ("cable-upstream 1/scq/160.0", "1/scq/160"),
            ("cable-upstream 1/scq/20.0", "1/scq/20"),
            ("cable-us-ofdma 1/ofd/32.0", "1/ofd/32"),
            ("Logical Upstream Channel 3/0.1/0", "3/0.1/0"),
            ("Logical Upstream Channel 5/0/0", "5/0/0"),
            ("OFDMA Upstream 0/6.0", "0/6.0"),
            ("RPHY OFDMA Upstream 1:0/0.0/0", "1:0/0.0/0"),
            ("Cable6/0-upstream4", "6/0/4"),
            ("Ca3/0-upstream0", "3/0/0"),
            ("Cable1/0/0-upstream6", "1/0/0/6"),
            ("US Port 7.0", "US Port 7.0"),
            ("cable-upstream of Mr. Smith", "cable-upstream of Mr. Smith"),
            ("Cable1/0/0-upstream", "Cable1/0/0-upstream"),
        ] {
            assert_eq!(name(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "cable-mac 1",
            "CATV-MAC 1",
            "Upstream Physical Interface 0/6.0",
            "Cable5/1-downstream",
            "MNDXX0002RPS01-0 us-conn 0",
        ] {
            assert_eq!(name(text), None, "{text}");
        }
    }

    #[test]
    fn a_known_form_is_taken_from_either_column_and_a_name_is_given_once() {
        fn named<'a>(pairs: &[(&'a str, &'a str)]) -> Vec<Cow<'a, str>> {
            let all = pairs.iter().map(|(a, b)| candidates(Some(a), Some(b)).unwrap_or_default()).collect();
            distinct(all).into_iter().flatten().collect()
        }
        assert_eq!(named(&[("some port", "Ca3/0-upstream0")]), ["3/0/0"]);
        assert_eq!(
            named(&[("cable-upstream 1/scq/0", ""), ("cable-upstream 1/scq/0.0", "")]),
            ["1/scq/0", "1/scq/0.0"]
        );
        assert_eq!(named(&[("upstream", "us1"), ("upstream", "us2")]), ["us1", "us2"]);
        assert_eq!(named(&[("upstream", ""), ("upstream", "")]), ["upstream", "upstream"]);
    }
}
