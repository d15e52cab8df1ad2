//! A server, and how to reach it: encryption, certificates, the account. Secrets are masked here, in everything
//! that is logged of a dialogue.

use std::{path::PathBuf, str::FromStr, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::settings::Secret;

/// How a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Tls {
    None,
    Opportunistic,
    Required,
    Wrapper,
}

impl Tls {
    pub const WORDS: &'static str = "none, opportunistic, required or wrapper";
}

impl FromStr for Tls {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word.to_ascii_lowercase().as_str() {
            "none" => Ok(Tls::None),
            "opportunistic" => Ok(Tls::Opportunistic),
            "required" => Ok(Tls::Required),
            "wrapper" => Ok(Tls::Wrapper),
            _ => Err(()),
        }
    }
}

/// An account at the server.
#[derive(Clone, Debug)]
pub struct Login {
    /// Its name.
    pub user: String,
    pub password: Secret,
}

/// A server, and how to reach it.
#[derive(Clone, Debug)]
pub struct Server {
    /// Name or address; with TLS, the name that its certificate must have.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Encryption.
    pub tls: Tls,
    /// Certificates of CAs (PEM) to trust instead of the usual ones.
    pub ca_file: Option<PathBuf>,
    /// The account, if it wants one.
    pub login: Option<Login>,
    /// What we call ourselves in EHLO (RFC 5321, 4.1.4); none: an address literal.
    pub helo: Option<String>,
    /// For a connection attempt and each answer.
    pub timeout: Duration,
    /// Whether to show the dialogue even without `-vv`.
    pub debug: bool,
}

impl Server {
    /// `host:port`.
    #[must_use]
    pub fn location(&self) -> String {
        let Server { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// Shows a line of the dialogue.
    pub(super) fn log(&self, direction: char, text: &str) {
        let text = self.masked(text);
        // --debug asks for the dialogue by itself, whatever the log level.
        if self.debug { log::warn!("{direction} {text}") } else { log::debug!("{direction} {text}") }
    }

    /// `text` without the password: a server may repeat what it was sent.
    pub(super) fn masked(&self, text: &str) -> String {
        let Some(Login { user, password }) = &self.login else { return text.to_owned() };
        let password = password.reveal();
        let plain = format!("\0{user}\0{password}");
        let forms = [BASE64_STANDARD.encode(plain), BASE64_STANDARD.encode(password), password.to_owned()];
        forms
            .iter()
            .filter(|form| !form.is_empty())
            .fold(text.to_owned(), |text, form| text.replace(form, MASK))
    }
}

/// What stands where a secret stood.
pub(super) const MASK: &str = "********";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_in_every_form_that_a_server_may_repeat() {
        let server = Server {
            host: "::1".into(),
            port: 25,
            tls: Tls::None,
            ca_file: None,
            login: Some(Login { user: "ops".into(), password: Secret::new("pass-word") }),
            helo: None,
            timeout: Duration::from_secs(1),
            debug: false,
        };
        let said = format!("535 pass-word {} no", BASE64_STANDARD.encode("\0ops\0pass-word"));
        assert_eq!(server.masked(&said), "535 ******** ******** no");
        assert_eq!(server.location(), "[::1]:25");
        assert!(!format!("{server:?}").contains("pass-word"));
    }
}
