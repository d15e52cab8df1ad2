//! Lists of mail addresses as people write them: commas or semicolons between, names in quotes or not.

pub use lettre::{Address, message::Mailbox};

/// A parsed list: the addresses that can be used, each once, and those that cannot, with the reason.
#[derive(Debug, Default)]
pub struct Addresses {
    /// In the order of the list.
    pub good: Vec<Mailbox>,
    /// The text of each, and the reason.
    pub bad: Vec<(String, String)>,
}

/// Reads a list. Blanks around addresses and empty places do not count.
#[must_use]
pub fn list(text: &str) -> Addresses {
    let mut found = Addresses::default();
    for item in split(text).into_iter().map(str::trim).filter(|item| !item.is_empty()) {
        match one(item) {
            Ok(mailbox) if found.good.iter().any(|known| same(&known.email, &mailbox.email)) => {}
            Ok(mailbox) => found.good.push(mailbox),
            Err(reason) => found.bad.push((item.to_owned(), reason)),
        }
    }
    found
}

/// Reads one address: `noc@example.net`, `NOC <noc@example.net>`, `"Ops, night" <noc@example.net>`. A domain
/// in letters of another alphabet becomes its A-label (RFC 5890), which every server takes.
pub fn one(text: &str) -> Result<Mailbox, String> {
    // A line feed in a name would begin a header of its own.
    if text.chars().any(char::is_control) {
        return Err("not a mail address: control characters in it".to_owned());
    }
    let text = text.trim();
    let (name, address) = match text.split_once('<') {
        Some((name, _)) if name.contains('>') => return Err("not one mail address but two".to_owned()),
        Some((name, rest)) => (unquoted(name.trim()), rest.strip_suffix('>').unwrap_or(rest)),
        None => (String::new(), text),
    };
    let invalid = |e: &dyn std::fmt::Display| format!("not a mail address: {e}").to_lowercase();
    let address: Address = address.trim().parse().map_err(|e| invalid(&e))?;
    let address = match address.domain() {
        domain if domain.is_ascii() => address,
        domain => {
            let domain = idna::domain_to_ascii(domain).map_err(|e| invalid(&e))?;
            Address::new(address.user(), domain).map_err(|e| invalid(&e))?
        }
    };
    Ok(Mailbox::new((!name.is_empty()).then_some(name), address))
}

/// The same mailbox, as far as anybody but its own server can tell.
fn same(a: &Address, b: &Address) -> bool {
    a.user() == b.user() && a.domain().eq_ignore_ascii_case(b.domain())
}

fn unquoted(name: &str) -> String {
    match name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) => inside.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => name.to_owned(),
    }
}

/// The items between commas and semicolons that are not in quotes.
fn split(text: &str) -> Vec<&str> {
    let (mut quoted, mut hidden) = (false, false);
    text.split(|c: char| {
        let separates = !quoted && matches!(c, ',' | ';');
        quoted ^= c == '"' && !hidden;
        hidden = quoted && c == '\\' && !hidden;
        separates
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_people_write_them() {
        let found = list(r#" a@example.net , ,"Ops, night" <b@example.net>; a@EXAMPLE.net,root@localhost "#);
        let shown: Vec<_> = found.good.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["a@example.net", "\"Ops, night\" <b@example.net>", "root@localhost"]);
        assert!(found.bad.is_empty());
        assert!(list("").good.is_empty());
    }

    #[test]
    fn a_domain_of_another_alphabet_becomes_its_a_label() {
        let shown = |text: &str| one(text).map(|mailbox| mailbox.to_string());
        assert_eq!(shown("Zoë <zoe@Z\u{fc}rich.example>").as_deref(), Ok("Zoë <zoe@xn--zrich-kva.example>"));
        assert_eq!(list("a@b\u{fc}cher.example, a@xn--bcher-kva.example").good.len(), 1);
    }

    #[test]
    fn an_invalid_address_is_named_and_costs_nobody_else() {
        let found = list("a@example.net, ops, b@ex ample.net c@example.net, d@@example.net, e@example.net");
        assert_eq!(found.good.len(), 2);
        let bad: Vec<_> = found.bad.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(bad, ["ops", "b@ex ample.net c@example.net", "d@@example.net"]);
    }

    #[test]
    fn an_address_makes_no_header() {
        for text in [
            "a@example.net\r\nBcc: spy@example.org",
            "\"A\r\nBcc: spy@example.org\" <a@example.net>",
            "A\u{0} <a@example.net>",
            "a@example.net> NOTIFY=NEVER <b@example.net",
        ] {
            assert!(one(text).is_err(), "{text:?}");
        }
    }
}
