//! Why a session or a mail failed, told apart by the server's code: that decides whether to try again.

use std::{io, time::Duration};

/// Why a session or a mail failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The server's reply code, if it was a reply that said no.
    pub code: Option<u16>,
    /// In words, on one line.
    pub reason: String,
}

impl Failure {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Failure { code: None, reason: reason.into() }
    }

    pub(super) fn refused(code: u16, reason: &str) -> Self {
        Failure { code: Some(code), reason: format!("{code} {reason}") }
    }

    /// Whether the same mail may be taken later: everything but a 5xx reply.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        self.code.is_none_or(|code| code < 500)
    }

    /// What lettre says, in one line that names the remedy where there is one.
    pub(super) fn of(error: &lettre::transport::smtp::Error, timeout: Duration) -> Self {
        let causes = || std::iter::successors(std::error::Error::source(error), |cause| cause.source());
        if let Some(code) = error.status() {
            let text = causes().next().map(|text| text.to_string().replace(['\r', '\n'], " "));
            return Failure::refused(code.into(), text.unwrap_or_default().trim());
        }
        for io in causes().filter_map(|cause| cause.downcast_ref::<io::Error>()) {
            match io.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                    return Failure::new(format!("no answer within {timeout:?} (--timeout)"));
                }
                io::ErrorKind::InvalidData if io.to_string().contains("certificate") => {
                    return Failure::new(format!("{io}; SMTP_CA_FILE names the CA to trust"));
                }
                io::ErrorKind::InvalidData => {
                    return Failure::new(format!("{io}; is SMTP_TLS right for this port?"));
                }
                _ => {}
            }
        }
        match causes().last().map(ToString::to_string) {
            Some(cause) if cause == "incomplete response" => Failure::new("the server closed the connection"),
            Some(cause) => Failure::new(cause),
            None => Failure::new(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_of_5xx_is_final_and_nothing_else_is() {
        for (code, may_pass) in [(Some(421), true), (Some(450), true), (Some(550), false), (None, true)] {
            assert_eq!(Failure { code, reason: String::new() }.may_pass(), may_pass, "{code:?}");
        }
    }
}
