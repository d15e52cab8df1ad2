//! Why a session or a mail failed, and what that means for the mail: final for its recipient, worth another
//! try, or not known. Most refusals are about us or about the server, and must not cost anybody their mail.

use std::{io, time::Duration};

use super::reply::Reply;

/// What becomes of a mail that a server did not confirm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The recipient or the message was refused for good.
    Refused,
    /// Anything else before the end of the mail: the same mail may be taken later.
    Temporary,
    /// The whole mail was given, and no usable answer came: it may have been taken.
    Unconfirmed,
}

/// Why a session or a mail failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// What becomes of the mail.
    pub fault: Fault,
    /// In words, on one line.
    pub reason: String,
}

/// What a refused command was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Greeting, EHLO, STARTTLS, AUTH, MAIL, DATA, RSET: about us, unless it is the size of the message.
    Session,
    /// RCPT: about the recipient, unless the words say that it is about us.
    Recipient,
    /// The answer to the whole message.
    Message,
}

impl Failure {
    pub(super) fn temporary(reason: impl Into<String>) -> Self {
        Failure { fault: Fault::Temporary, reason: reason.into() }
    }

    pub(super) fn refused(reason: impl Into<String>) -> Self {
        Failure { fault: Fault::Refused, reason: reason.into() }
    }

    pub(super) fn unconfirmed(reason: impl Into<String>) -> Self {
        Failure { fault: Fault::Unconfirmed, reason: reason.into() }
    }

    /// A reply that was not the one that was needed.
    pub(super) fn of_reply(reply: &Reply, step: Step) -> Self {
        let fault = if is_final(reply, step) { Fault::Refused } else { Fault::Temporary };
        Failure { fault, reason: reply.to_string() }
    }

    /// A fault of the connection, with the remedy where there is one.
    pub(super) fn of_io(error: &io::Error, patience: Duration) -> Self {
        let text = error.to_string();
        Failure::temporary(match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                format!("no answer within {patience:?} (--timeout)")
            }
            io::ErrorKind::UnexpectedEof => "the server closed the connection".to_owned(),
            io::ErrorKind::InvalidData if text.contains("certificate") => {
                format!("{text}; SMTP_CA_FILE names the CA to trust")
            }
            io::ErrorKind::InvalidData => format!("{text}; is SMTP_TLS right for this port?"),
            _ => text,
        })
    }
}

/// Codes by which a server refuses a recipient (RFC 5321, RFC 7504).
const RECIPIENT_CODES: [u16; 7] = [501, 521, 550, 551, 552, 553, 556];
/// Words of refusals that are about the sending host or its account, from servers that send no enhanced status.
const ABOUT_US: [&str; 14] = [
    "relay",
    "helo",
    "ehlo",
    "authentic",
    "log in",
    "login",
    "spam",
    "policy",
    "blacklist",
    "blocklist",
    "blocked",
    "reputation",
    "reverse",
    "sender",
];

/// Whether a reply is the last word on this mail for this recipient.
fn is_final(reply: &Reply, step: Step) -> bool {
    if reply.code < 500 {
        return false;
    }
    let enhanced = reply.enhanced();
    match step {
        Step::Message => true,
        // RFC 1870: the message exceeds the size that the server takes.
        Step::Session => reply.code == 552 || enhanced == Some((3, 4)),
        Step::Recipient => match enhanced {
            // 5.1.7 and 5.1.8 are about the sender's address.
            Some((1, detail)) => !matches!(detail, 7 | 8),
            Some((2 | 4, _)) | Some((3, 4)) => true,
            // 5.3 the server, 5.5 the dialogue, 5.7 policy: about us or the server.
            Some(_) => false,
            None => {
                let text = reply.to_string().to_ascii_lowercase();
                RECIPIENT_CODES.contains(&reply.code) && !ABOUT_US.iter().any(|word| text.contains(word))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_refusals_of_the_recipient_and_of_the_message_are_final() {
        let at = |step: Step, lines: &[&str], is_final: bool| {
            let lines = lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>();
            let code = lines[0].get(..3).and_then(|code| code.parse().ok()).unwrap_or_default();
            let lines = lines.iter().map(|line| line.get(4..).unwrap_or_default().to_owned()).collect();
            let fault = Failure::of_reply(&Reply { code, lines }, step).fault;
            assert_eq!(fault == Fault::Refused, is_final, "{step:?} {code}");
        };
        at(Step::Recipient, &["550 5.1.1 no such user"], true);
        at(Step::Recipient, &["550 5.4.1 Recipient address rejected: Access denied"], true);
        at(Step::Recipient, &["550 Empf\u{fffd}nger unbekannt"], true);
        at(Step::Recipient, &["550"], true);
        at(Step::Recipient, &["552 5.2.2 mailbox full"], true);
        at(Step::Recipient, &["450 4.2.0 greylisted"], false);
        at(Step::Recipient, &["504 5.5.2 <box7>: Helo command rejected"], false);
        at(Step::Recipient, &["554 5.7.1 Relay access denied"], false);
        at(Step::Recipient, &["550 relay not permitted"], false);
        at(Step::Recipient, &["550 5.1.8 Sender address rejected: Domain not found"], false);
        at(Step::Recipient, &["530 5.7.0 Authentication required"], false);
        at(Step::Session, &["535 5.7.139 the password has expired"], false);
        at(Step::Session, &["554 5.3.2 go away"], false);
        at(Step::Session, &["552 5.3.4 message too big"], true);
        at(Step::Message, &["550 5.7.1 looks like spam"], true);
        at(Step::Message, &["452 4.3.1 full"], false);
    }
}
