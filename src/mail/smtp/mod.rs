//! The only place that speaks SMTP (RFC 5321): one session, one transaction per mail. What a server says is
//! hostile text; what it says before it is asked, or in clear before TLS, is never an answer.

mod failure;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod login;
mod reply;
mod server;
mod tls;
mod wire;

use std::{
    net::{SocketAddr, ToSocketAddrs},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use rustls::ClientConfig;

use self::{
    failure::Step,
    reply::Reply,
    wire::{Unread, Wire},
};
pub use self::{
    failure::{Failure, Fault},
    server::{Login, Server, Tls},
    tls::Trust,
};
use super::address::Address;

/// RFC 5321, 4.5.3.2.6: a server may take its time between the end of a mail and its word on it.
const LAST_ANSWER: u32 = 10;
/// However slowly a server reads, a mail is written within this many time-outs.
const MAIL_BUDGET: u32 = 30;
/// Nobody waits for a server that does not say goodbye.
const GOODBYE: Duration = Duration::from_secs(5);
/// The code of a server that is about to close the connection.
const CLOSING: u16 = 421;

/// What a server can do, as it says in its answer to EHLO.
#[derive(Debug, Default)]
struct Extensions {
    /// What it calls itself.
    name: String,
    starttls: bool,
    utf8: bool,
    /// The largest mail that it takes, bytes.
    size: Option<usize>,
    /// Ways to log in, in upper case.
    mechanisms: Vec<String>,
}

impl Extensions {
    fn of(reply: &Reply) -> Self {
        let name = reply.lines.first().and_then(|line| line.split_whitespace().next()).unwrap_or("unnamed");
        let mut found = Extensions { name: name.to_owned(), ..Extensions::default() };
        for line in reply.lines.iter().skip(1) {
            // `AUTH=` is how it was written before RFC 4954.
            let line = line.to_ascii_uppercase().replacen("AUTH=", "AUTH ", 1);
            let mut words = line.split_whitespace();
            match words.next() {
                Some("STARTTLS") => found.starttls = true,
                Some("SMTPUTF8") => found.utf8 = true,
                Some("SIZE") => {
                    found.size = words.next().and_then(|size| size.parse().ok()).filter(|&size| size > 0)
                }
                Some("AUTH") => found.mechanisms.extend(words.map(str::to_owned)),
                _ => {}
            }
        }
        found
    }
}

/// A session: connected, encrypted as was asked for, logged in.
pub struct Session {
    server: Server,
    wire: Wire,
    extensions: Extensions,
}

impl Session {
    /// Connects, begins TLS, and logs in.
    pub fn open(server: &Server, trust: &Trust) -> Result<Session, Failure> {
        let addresses = resolve(server)?;
        let is_local = addresses.iter().all(|address| address.ip().is_loopback());
        let mut session = Session::connect(server, trust, &addresses, is_local)?;
        session.log_in(is_local)?;
        Ok(session)
    }

    fn connect(
        server: &Server,
        trust: &Trust,
        addresses: &[SocketAddr],
        is_local: bool,
    ) -> Result<Self, Failure> {
        // Where a password is at stake, an unknown certificate is as bad as none.
        let is_trusted = server.login.is_some() && !is_local;
        let mut session = Session::dial(server, addresses)?;
        if server.tls == Tls::Wrapper {
            session = session.encrypt(Arc::clone(&trust.verified))?;
        }
        session.greet()?;
        match server.tls {
            Tls::None | Tls::Wrapper => Ok(session),
            Tls::Required => session.start_tls(trust, true).map_err(|(failure, _)| failure),
            Tls::Opportunistic if !session.extensions.starttls => Ok(session),
            Tls::Opportunistic => match session.start_tls(trust, is_trusted) {
                Ok(session) => Ok(session),
                Err((failure, false)) if !is_trusted => {
                    log::info!("{}: no TLS, on without it: {}", server.location(), failure.reason);
                    let mut session = Session::dial(server, addresses)?;
                    session.greet()?;
                    Ok(session)
                }
                Err((failure, _)) => Err(failure),
            },
        }
    }

    fn dial(server: &Server, addresses: &[SocketAddr]) -> Result<Self, Failure> {
        server.log('*', &format!("connecting to {}", server.location()));
        let wire =
            Wire::connect(addresses, server.timeout).map_err(|e| Failure::of_io(&e, server.timeout))?;
        Ok(Session { server: server.clone(), wire, extensions: Extensions::default() })
    }

    fn encrypt(mut self, config: Arc<ClientConfig>) -> Result<Self, Failure> {
        let Server { host, timeout, .. } = &self.server;
        self.wire = self.wire.encrypt(config, host, *timeout).map_err(|e| Failure::of_io(&e, *timeout))?;
        Ok(self)
    }

    /// Reads the greeting and says EHLO.
    fn greet(&mut self) -> Result<(), Failure> {
        let greeting = self.answer(self.server.timeout)?;
        if greeting.code != 220 {
            return Err(Failure::of_reply(&greeting, Step::Session));
        }
        self.hello()
    }

    fn hello(&mut self) -> Result<(), Failure> {
        let name = match &self.server.helo {
            Some(name) => name.clone(),
            None => address_literal(self.wire.local_address().ok()),
        };
        let mut reply = self.command(&format!("EHLO {name}"))?;
        if matches!(reply.code, 500 | 502) {
            // It knows no extensions.
            reply = self.command(&format!("HELO {name}"))?;
        }
        if reply.code != 250 {
            return Err(Failure::of_reply(&reply, Step::Session));
        }
        self.extensions = Extensions::of(&reply);
        Ok(())
    }

    /// Begins TLS, and forgets everything that was said before it. On a failure: whether somebody has tampered
    /// with the connection, so that no other way may be tried.
    fn start_tls(mut self, trust: &Trust, verify: bool) -> Result<Self, (Failure, bool)> {
        if !self.extensions.starttls {
            let reason = "the server offers no STARTTLS, and SMTP_TLS=required";
            return Err((Failure::temporary(reason), false));
        }
        let reply = self.command("STARTTLS").map_err(|failure| (failure, false))?;
        if reply.code != 220 {
            return Err((Failure::of_reply(&reply, Step::Session), false));
        }
        if self.wire.has_rest() {
            let reason = "more was sent in clear behind the answer to STARTTLS; somebody may be in between";
            return Err((Failure::temporary(reason), true));
        }
        let config = if verify { &trust.verified } else { &trust.any };
        let mut session = self.encrypt(Arc::clone(config)).map_err(|failure| (failure, false))?;
        session.hello().map_err(|failure| (failure, false))?;
        Ok(session)
    }

    /// What was agreed on, in words.
    #[must_use]
    pub fn describe(&self) -> String {
        let tls = if self.wire.is_encrypted() { "TLS" } else { "no TLS" };
        let login = self.server.login.as_ref().map(|login| format!(", logged in as {}", login.user));
        format!("{} ({}): {tls}{}", self.server.location(), self.extensions.name, login.unwrap_or_default())
    }

    /// The largest mail that the server takes, bytes, if it says so.
    #[must_use]
    pub fn size_limit(&self) -> Option<usize> {
        self.extensions.size
    }

    /// Mails `message` to one recipient, and returns what the server answered. The session comes back when it
    /// can be used for another mail.
    pub fn deliver(
        mut self,
        from: &Address,
        to: &Address,
        message: &[u8],
    ) -> (Option<Session>, Result<String, Failure>) {
        match self.transaction(from, to, message) {
            Ok((reply, _)) if reply.code / 100 == 2 => (Some(self), Ok(reply.to_string())),
            Ok((reply, step)) => {
                let failure = Failure::of_reply(&reply, step);
                let usable =
                    reply.code != CLOSING && self.command("RSET").is_ok_and(|reply| reply.code == 250);
                (usable.then_some(self), Err(failure))
            }
            Err(failure) => (None, Err(failure)),
        }
    }

    /// The reply to the mail, or the first one that refuses it, and what that is about.
    fn transaction(
        &mut self,
        from: &Address,
        to: &Address,
        message: &[u8],
    ) -> Result<(Reply, Step), Failure> {
        let mut parameters = String::new();
        if let Some(limit) = self.extensions.size {
            let size = message.len();
            if size > limit {
                let reason = format!("552 the mail has {size} bytes, the server takes {limit}");
                return Err(Failure::refused(reason));
            }
            parameters += &format!(" SIZE={size}");
        }
        if [from, to].into_iter().any(|address| !AsRef::<str>::as_ref(address).is_ascii()) {
            if !self.extensions.utf8 {
                let reason = "553 the address is not ASCII, and the server offers no SMTPUTF8";
                return Err(Failure::refused(reason));
            }
            parameters += " SMTPUTF8";
        }
        for (command, step, good) in [
            (format!("MAIL FROM:<{from}>{parameters}"), Step::Session, 250..=259),
            (format!("RCPT TO:<{to}>"), Step::Recipient, 250..=259),
            ("DATA".to_owned(), Step::Session, 354..=354),
        ] {
            let reply = self.command(&command)?;
            if !good.contains(&reply.code) {
                return Ok((unexpected(reply)?, step));
            }
        }
        self.write_message(message)?;
        let reply = self.last_answer()?;
        match reply.code / 100 {
            2 | 4 | 5 => Ok((reply, Step::Message)),
            _ => Err(Failure::unconfirmed(format!("{reply} is not an answer to a mail"))),
        }
    }

    /// Writes the message and the dot behind it. Until that has gone out whole, nothing was taken.
    fn write_message(&mut self, message: &[u8]) -> Result<(), Failure> {
        let timeout = self.server.timeout;
        let end = Instant::now() + timeout * MAIL_BUDGET;
        self.server.log('>', &format!("({} bytes of mail)", message.len()));
        let (body, dot) = dotted(message);
        let written = self.wire.write(&body, timeout, end);
        // A server that has heard enough says so before it hangs up.
        if let Some(said) = self.wire.unasked() {
            return Err(match self.answer(GOODBYE) {
                Ok(reply) if reply.code >= 400 => Failure::of_reply(&reply, Step::Message),
                _ => Failure::temporary(format!("the server sent {said} in the middle of the mail")),
            });
        }
        let written = written.and_then(|()| self.wire.write(dot, timeout, end));
        written.map_err(|e| Failure::of_io(&e, timeout))
    }

    /// The answer to the whole message. Without a usable one it is not known whether the server took it.
    fn last_answer(&mut self) -> Result<Reply, Failure> {
        self.answer(self.server.timeout * LAST_ANSWER).map_err(|failure| {
            Failure::unconfirmed(format!("no usable answer to the whole mail: {}", failure.reason))
        })
    }

    /// Says goodbye; the mails are through, whatever the server says to that.
    pub fn close(mut self) {
        self.server.timeout = self.server.timeout.min(GOODBYE);
        let _ = self.command("QUIT");
    }

    /// Sends a command and reads its answer.
    fn command(&mut self, line: &str) -> Result<Reply, Failure> {
        self.secret_command(line, line)
    }

    /// The same for a line that is shown as `shown`.
    fn secret_command(&mut self, line: &str, shown: &str) -> Result<Reply, Failure> {
        let timeout = self.server.timeout;
        if let Some(said) = self.wire.unasked() {
            let reason = format!("the server sent {said}");
            self.server.log('<', &reason);
            return Err(Failure::temporary(self.server.masked(&reason)));
        }
        self.server.log('>', shown);
        let end = Instant::now() + timeout;
        let written = self.wire.write(format!("{line}\r\n").as_bytes(), timeout, end);
        written.map_err(|e| Failure::of_io(&e, timeout))?;
        self.answer(timeout)
    }

    fn answer(&mut self, patience: Duration) -> Result<Reply, Failure> {
        let failure = match self.wire.reply(Instant::now() + patience) {
            Ok(mut reply) => {
                for line in &mut reply.lines {
                    self.server.log('<', &format!("{} {line}", reply.code));
                    *line = self.server.masked(line);
                }
                return Ok(reply);
            }
            Err(Unread::Io(error)) => Failure::of_io(&error, patience),
            Err(Unread::Garbled(reason)) => Failure::temporary(self.server.masked(&reason)),
        };
        self.server.log('<', &failure.reason);
        Err(failure)
    }
}

/// A refusal; anything else means that server and client no longer understand each other.
fn unexpected(reply: Reply) -> Result<Reply, Failure> {
    if reply.code >= 400 {
        Ok(reply)
    } else {
        Err(Failure::temporary(format!("{reply} is not the answer expected")))
    }
}

/// The message with dots doubled at the start of its lines (RFC 5321, 4.5.2), and what ends it.
fn dotted(message: &[u8]) -> (Vec<u8>, &'static [u8]) {
    let mut body = Vec::with_capacity(message.len() + message.len() / 64 + 2);
    let mut begins_line = true;
    for &byte in message {
        if begins_line && byte == b'.' {
            body.push(b'.');
        }
        body.push(byte);
        begins_line = byte == b'\n';
    }
    (body, if message.ends_with(b"\r\n") { b".\r\n" } else { b"\r\n.\r\n" })
}

/// RFC 5321, 4.1.3: `[192.0.2.1]`, `[IPv6:2001:db8::1]`.
fn address_literal(address: Option<SocketAddr>) -> String {
    match address {
        Some(SocketAddr::V4(address)) => format!("[{}]", address.ip()),
        Some(SocketAddr::V6(address)) => format!("[IPv6:{}]", address.ip()),
        None => "[127.0.0.1]".to_owned(),
    }
}

/// The addresses of the server. The resolver of the system has time-outs of its own, if any: it is waited for
/// on a thread, which is left to itself when it takes too long.
fn resolve(server: &Server) -> Result<Vec<SocketAddr>, Failure> {
    let (done, result) = mpsc::sync_channel(1);
    let (host, port) = (server.host.clone(), server.port);
    let lookup = move || {
        let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
        // Nobody waits any more when this fails.
        let _ = done.send(found);
    };
    let failed =
        |reason: String| Failure::temporary(format!("cannot resolve {} (SMTP_HOST): {reason}", server.host));
    thread::Builder::new().name("resolve".into()).spawn(lookup).map_err(|e| failed(e.to_string()))?;
    match result.recv_timeout(server.timeout) {
        Ok(addresses) => addresses.map_err(|e| failed(e.to_string())),
        Err(_) => Err(failed(format!("no answer within {:?} (--timeout)", server.timeout))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_at_the_start_of_a_line_is_doubled_and_one_alone_ends_the_mail() {
        assert_eq!(dotted(b".\r\n..\r\na.b\r\n"), (b"..\r\n...\r\na.b\r\n".to_vec(), &b".\r\n"[..]));
        assert_eq!(dotted(b"a"), (b"a".to_vec(), &b"\r\n.\r\n"[..]));
        assert_eq!(dotted(b""), (Vec::new(), &b"\r\n.\r\n"[..]));
    }

    #[test]
    fn extensions_are_read_in_any_case_and_spelling() {
        let lines = ["mx.example.net hi", "size 10240000", "AUTH=LOGIN", "auth plain", "StartTLS", "SIZE x"];
        let reply = Reply { code: 250, lines: lines.iter().map(|&line| line.to_owned()).collect() };
        let found = Extensions::of(&reply);
        assert_eq!(
            (found.name.as_str(), found.starttls, found.utf8, found.size),
            ("mx.example.net", true, false, None)
        );
        assert_eq!(found.mechanisms, ["LOGIN", "PLAIN"]);
    }

    #[test]
    fn an_address_literal_has_brackets() {
        let literal = |text: &str| address_literal(text.parse().ok());
        assert_eq!(literal("192.0.2.1:25"), "[192.0.2.1]");
        assert_eq!(literal("[2001:db8::1]:25"), "[IPv6:2001:db8::1]");
    }
}
