//! AUTH (RFC 4954) by PLAIN or LOGIN. The password goes out once, encrypted or not over any network, and a
//! refusal is about the account: the mail waits.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{Failure, Login, Session, Tls, failure::Step, reply::Reply, server::MASK};

/// Whether a password may be sent. (What [`Tls::Opportunistic`] takes for encrypted depends on a password
/// being at stake; see [`Session::connect`].)
fn may_log_in(tls: Tls, is_encrypted: bool, is_local: bool) -> bool {
    is_encrypted || is_local || tls == Tls::None
}

impl Session {
    /// Logs in, if there is an account.
    pub(super) fn log_in(&mut self, is_local: bool) -> Result<(), Failure> {
        let Some(Login { user, password }) = self.server.login.clone() else { return Ok(()) };
        if !may_log_in(self.server.tls, self.wire.is_encrypted(), is_local) {
            return Err(Failure::temporary(
                "the server offers no TLS, and the password is not sent without; SMTP_TLS=none would send it",
            ));
        }
        let offers = |name: &str| self.extensions.mechanisms.iter().any(|offered| offered == name);
        let encode = |text: &str| BASE64_STANDARD.encode(text);
        let reply = if offers("PLAIN") {
            // RFC 4954: its only step goes along with the command; some servers ask for it all the same.
            let step = encode(&format!("\0{user}\0{}", password.reveal()));
            self.authenticate("PLAIN", &format!("AUTH PLAIN {step}"), &[step])?
        } else if offers("LOGIN") {
            // Whatever the words of the two prompts: first the name, then the password.
            self.authenticate("LOGIN", "AUTH LOGIN", &[encode(&user), encode(password.reveal())])?
        } else {
            return Err(Failure::temporary(
                "the server offers no login by PLAIN or LOGIN, but SMTP_USER is set",
            ));
        };
        if reply.code == 235 {
            return Ok(());
        }
        let Failure { fault, reason } = Failure::of_reply(&reply, Step::Session);
        Err(Failure { fault, reason: format!("login as {user} failed: {reason}") })
    }

    /// Sends `command`, then one step for each question.
    fn authenticate(&mut self, mechanism: &str, command: &str, steps: &[String]) -> Result<Reply, Failure> {
        let mut reply = self.secret_command(command, &format!("AUTH {mechanism} {MASK}"))?;
        for step in steps {
            if reply.code != 334 {
                return Ok(reply);
            }
            reply = self.secret_command(step, MASK)?;
        }
        if reply.code == 334 {
            // It asks for more than there is: RFC 4954 cancels with an asterisk.
            reply = self.command("*")?;
        }
        Ok(reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_crosses_no_network_in_the_clear_unless_told() {
        for (tls, is_encrypted, is_local, may) in [
            (Tls::Opportunistic, false, false, false),
            (Tls::Opportunistic, false, true, true),
            (Tls::Opportunistic, true, false, true),
            (Tls::None, false, false, true),
        ] {
            assert_eq!(may_log_in(tls, is_encrypted, is_local), may, "{tls:?} {is_encrypted} {is_local}");
        }
    }
}
