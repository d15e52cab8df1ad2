//! The only place that speaks SMTP (RFC 5321): one session, one transaction per mail. What a server says is
//! hostile text.

mod failure;
mod server;

use std::{
    fmt::Display,
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use lettre::transport::smtp::{
    authentication::{Credentials, Mechanism},
    client::{SmtpConnection, TlsParameters},
    commands::{Auth, Data, Ehlo, Mail, Rcpt, Rset},
    extension::{ClientId, Extension, MailParameter},
    response::Response,
};

use self::server::MASK;
pub use self::{
    failure::Failure,
    server::{Login, Server, Tls, Trust},
};
use super::address::Address;

/// RFC 5321, 4.5.3.2.6: a server may take its time between the end of a mail and its word on it.
const LAST_ANSWER: u32 = 10;
/// However slowly a server drips, a session begins within this many time-outs, and a mail takes at most
/// [`MAIL_BUDGET`] of them.
const OPEN_BUDGET: u32 = 6;
const MAIL_BUDGET: u32 = 30;
/// The code of a server that is about to close the connection.
const CLOSING: u16 = 421;

/// Whether a password may be sent: encrypted, or not over any network, or because the user said so. (What
/// [`Tls::Opportunistic`] takes for encrypted depends on a password being at stake; see [`Session::connect`].)
fn may_log_in(tls: Tls, encrypted: bool, local: bool) -> bool {
    encrypted || local || tls == Tls::None
}

/// Runs `work` on a thread of its own, and waits for at most `budget`. What takes longer is left to itself
/// until the process ends: a name lookup or a server that drips has no other end.
fn within<T: Send + 'static>(
    budget: Duration,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let (done, result) = mpsc::sync_channel(1);
    let started = thread::Builder::new().name("smtp".into()).spawn(move || {
        // Nobody waits any more when this fails.
        let _ = done.send(work());
    });
    if let Err(error) = started {
        return Err(Failure::new(format!("cannot start a thread: {error}")));
    }
    match result.recv_timeout(budget) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(Failure::new(format!("not done within {budget:?}"))),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(Failure::new("an internal fault")),
    }
}

/// A session: connected, encrypted as told, logged in.
pub struct Session {
    server: Server,
    connection: SmtpConnection,
    size_limit: Option<usize>,
}

impl Session {
    /// Connects, begins TLS, and logs in.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn open(server: &Server, trust: &Trust) -> Result<Session, Failure> {
        let (server, trust) = (server.clone(), trust.clone());
        within(server.timeout * OPEN_BUDGET, move || {
            let addresses: Vec<SocketAddr> = (server.host.as_str(), server.port)
                .to_socket_addrs()
                .map_err(|e| Failure::new(format!("cannot resolve {} (SMTP_HOST): {e}", server.host)))?
                .collect();
            let local = addresses.iter().all(|address| address.ip().is_loopback());
            let mut session = Session::connect(server, &trust, &addresses, local)?;
            session.greet()?;
            session.log_in(local)?;
            Ok(session)
        })
    }

    fn connect(
        server: Server,
        trust: &Trust,
        addresses: &[SocketAddr],
        local: bool,
    ) -> Result<Self, Failure> {
        let dial = |tls: Option<&TlsParameters>| {
            server.say('*', &format!("connecting to {}", server.place()));
            SmtpConnection::connect(addresses, Some(server.timeout), &ClientId::default(), tls, None)
                .map_err(|e| Failure::of(&e, server.timeout))
        };
        let connection = match server.tls {
            Tls::None => dial(None)?,
            Tls::Wrapper => dial(Some(&trust.verified))?,
            Tls::Required => {
                let mut connection = dial(None)?;
                if !connection.can_starttls() {
                    return Err(Failure::new("the server offers no STARTTLS, and SMTP_TLS=required"));
                }
                server.say('>', "STARTTLS");
                let begun = connection.starttls(&trust.verified, &ClientId::default());
                begun.map_err(|e| Failure::of(&e, server.timeout))?;
                connection
            }
            Tls::Opportunistic => {
                // Where a password is at stake, an unknown certificate is no better than none.
                let trusted = server.login.is_some() && !local;
                let parameters = if trusted { &trust.verified } else { &trust.any };
                let mut connection = dial(None)?;
                if connection.can_starttls() {
                    server.say('>', "STARTTLS");
                    let begun = connection.starttls(parameters, &ClientId::default());
                    match begun.map_err(|e| Failure::of(&e, server.timeout)) {
                        Ok(()) => {}
                        Err(failure) if trusted => return Err(failure),
                        Err(failure) => {
                            log::info!("{}: no TLS, on without it: {}", server.place(), failure.reason);
                            connection = dial(None)?;
                        }
                    }
                }
                connection
            }
        };
        Ok(Session { server, connection, size_limit: None })
    }

    /// Greets once more: the only way to see the whole answer, with the size that the server allows.
    fn greet(&mut self) -> Result<(), Failure> {
        let hello = Ehlo::new(ClientId::default());
        let answer = self.command(hello.to_string().trim_end(), &hello)?;
        let mut limits = answer.message().filter_map(|line| {
            let (word, size) = line.split_once(' ')?;
            word.eq_ignore_ascii_case("SIZE").then(|| size.trim().parse().ok()).flatten()
        });
        self.size_limit = limits.find(|&limit: &usize| limit > 0);
        Ok(())
    }

    fn log_in(&mut self, local: bool) -> Result<(), Failure> {
        let Some(Login { user, password }) = self.server.login.clone() else { return Ok(()) };
        if !may_log_in(self.server.tls, self.connection.is_encrypted(), local) {
            return Err(Failure::new(
                "the server offers no TLS, and the password is not sent without; SMTP_TLS=none would send it",
            ));
        }
        let offered = self.connection.server_info();
        let Some(mechanism) = offered.get_auth_mechanism(&[Mechanism::Plain, Mechanism::Login]) else {
            return Err(Failure::new("the server offers no login by PLAIN or LOGIN, but SMTP_USER is set"));
        };
        let credentials = Credentials::new(user.clone(), password.reveal().to_owned());
        let timeout = self.server.timeout;
        let failed = |e| Failure::of(&e, timeout);
        let begin = Auth::new(mechanism, credentials.clone(), None).map_err(failed)?;
        let mut answer = self.command(&format!("AUTH {mechanism} {MASK}"), &begin);
        // LOGIN asks twice; a server that asks for ever is not followed.
        for _ in 0..3 {
            match &answer {
                Ok(challenge) if challenge.has_code(334) => {
                    let reply = Auth::new_from_response(mechanism, credentials.clone(), challenge);
                    answer = self.command(MASK, &reply.map_err(failed)?);
                }
                _ => break,
            }
        }
        let failed = |why: &str| Failure::new(format!("login as {user} failed: {why}"));
        match answer {
            Ok(answer) if answer.has_code(235) => Ok(()),
            Ok(answer) => Err(failed(&format!("{} is no answer to it", answer.code()))),
            Err(failure) => Err(Failure { code: failure.code, ..failed(&failure.reason) }),
        }
    }

    /// What was agreed on, in words.
    #[must_use]
    pub fn describe(&self) -> String {
        let name = self.connection.server_info().name();
        let tls = if self.connection.is_encrypted() { "TLS" } else { "no TLS" };
        let login = self.server.login.as_ref().map(|login| format!(", logged in as {}", login.user));
        format!("{} ({name}): {tls}{}", self.server.place(), login.unwrap_or_default())
    }

    /// Mails `message` to one recipient, and says what the server answered. The session comes back when it
    /// can be used for another mail.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn deliver(
        mut self,
        from: Address,
        to: Address,
        message: Arc<Vec<u8>>,
    ) -> (Option<Session>, Result<String, Failure>) {
        let outcome = within(self.server.timeout * MAIL_BUDGET, move || {
            let result = self.transaction(from, to, &message);
            let alive = match &result {
                Ok(_) => true,
                Err(failure) => failure.code.is_some_and(|code| code != CLOSING) && self.reset(),
            };
            Ok((alive.then_some(self), result))
        });
        outcome.unwrap_or_else(|failure| (None, Err(failure)))
    }

    fn transaction(&mut self, from: Address, to: Address, message: &[u8]) -> Result<String, Failure> {
        let mut parameters = Vec::new();
        if let Some(limit) = self.size_limit {
            if message.len() > limit {
                let size = message.len();
                return Err(Failure::refused(
                    552,
                    &format!("the mail has {size} bytes, the server takes {limit}"),
                ));
            }
            parameters.push(MailParameter::Size(message.len()));
        }
        let international = [&from, &to].into_iter().any(|address| !AsRef::<str>::as_ref(address).is_ascii());
        if international {
            if !self.connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(Failure::refused(
                    553,
                    "the address is not ASCII, and the server offers no SMTPUTF8",
                ));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        for command in [Mail::new(Some(from), parameters).to_string(), Rcpt::new(to, Vec::new()).to_string()]
        {
            self.command(command.trim_end(), &command)?;
        }
        self.command("DATA", Data)?;
        self.server.say('>', &format!("({} bytes of mail)", message.len()));
        let patience = self.server.timeout * LAST_ANSWER;
        let failed = |e: io::Error| Failure::new(e.to_string());
        self.connection.set_timeout(Some(patience)).map_err(failed)?;
        let answer = self.connection.message(message).map_err(|e| self.failed(&e, patience))?;
        self.connection.set_timeout(Some(self.server.timeout)).map_err(failed)?;
        Ok(self.heard(&answer))
    }

    fn reset(&mut self) -> bool {
        self.command("RSET", Rset).is_ok()
    }

    /// Leaves in order; the mails are through, whatever the server says to that.
    pub fn close(mut self) {
        self.server.say('>', "QUIT");
        if let Ok(answer) = self.connection.quit() {
            self.heard(&answer);
        }
    }

    fn command(&mut self, shown: &str, command: impl Display) -> Result<Response, Failure> {
        self.server.say('>', shown);
        let timeout = self.server.timeout;
        match self.connection.command(command) {
            Ok(answer) => {
                self.heard(&answer);
                Ok(answer)
            }
            Err(error) => Err(self.failed(&error, timeout)),
        }
    }

    fn heard(&self, answer: &Response) -> String {
        for line in answer.message() {
            self.server.say('<', &format!("{} {line}", answer.code()));
        }
        format!("{} {}", answer.code(), answer.first_line().unwrap_or_default())
    }

    fn failed(&self, error: &lettre::transport::smtp::Error, timeout: Duration) -> Failure {
        let Failure { code, reason } = Failure::of(error, timeout);
        let reason = self.server.masked(&reason);
        self.server.say('<', &reason);
        Failure { code, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_crosses_no_network_in_the_clear_unless_told() {
        for (tls, encrypted, local, may) in [
            (Tls::Opportunistic, false, false, false),
            (Tls::Opportunistic, false, true, true),
            (Tls::Opportunistic, true, false, true),
            (Tls::None, false, false, true),
        ] {
            assert_eq!(may_log_in(tls, encrypted, local), may, "{tls:?} {encrypted} {local}");
        }
    }

    #[test]
    fn what_takes_too_long_is_left() {
        let failure = within(Duration::from_millis(20), || {
            thread::sleep(Duration::from_secs(5));
            Ok(())
        });
        assert_eq!(failure, Err(Failure::new("not done within 20ms")));
    }
}
