//! One SSH session over libssh2, never blocking in it: each step is tried, and between tries the relay moves
//! bytes within a budget of ours. (libssh2's time-outs restart with every packet, and with keepalive set it
//! reports a false time-out at the keepalive's instant.)

use std::{
    io::{self, Read, Write},
    path::Path,
    time::{Duration, Instant},
};

use rustix::event::PollFlags;
use ssh2::{BlockDirections, ErrorCode, KeyboardInteractivePrompt, MethodType, Prompt};

use super::{
    Budget, Checking, Credentials, Failure,
    algorithms::{self, CLASSES},
    dial::{JumpMessages, Stream},
    known_hosts::fingerprint,
    relay::Relay,
    shortened,
};
use crate::record::{Algorithms, Status};

/// libssh2's codes, of include/libssh2.h.
pub(super) mod code {
    pub(in crate::ssh) const EAGAIN: i32 = -37;
    pub(super) const AUTHENTICATION_FAILED: i32 = -18;
    pub(super) const PUBLICKEY_UNVERIFIED: i32 = -19;
    /// Key exchange failures that a missing common algorithm causes.
    pub(super) const NO_COMMON: [i32; 4] = [-5, -8, -17, -33];
    /// The socket: send, disconnect, receive, and the banner that did not come.
    pub(in crate::ssh) const CONNECTION: [i32; 5] = [-7, -13, -43, -2, -3];
}

/// A session after its key exchange, before or after login.
pub struct Session {
    pub(super) ssh: ssh2::Session,
    pub(super) relay: Relay,
    jump: Option<JumpMessages>,
}

/// How a login succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// The device asked for nothing.
    None,
    /// A key, of a file or an agent.
    Key,
    /// The password, as such or in answer to its prompts.
    Password,
}

impl Session {
    /// Exchanges banners and keys.
    ///
    /// # Errors
    /// The budget's; `kex_failed`, `disconnected`.
    pub fn handshake(
        stream: Stream,
        known_key_types: &[String],
        with_legacy: bool,
        budget: &Budget,
    ) -> Result<Self, Failure> {
        let internal = |e: ssh2::Error| Failure::new(Status::Internal, format!("libssh2: {}", e.message()));
        let jump = stream.jump_messages();
        let (relay, library) = Relay::new(stream)
            .map_err(|e| Failure::transient(Status::Internal, format!("no descriptor: {e}")))?;
        let mut ssh = ssh2::Session::new().map_err(internal)?;
        ssh.set_blocking(false);
        for (_, method, modern, legacy) in CLASSES {
            let mut offer = algorithms::offer(modern, legacy, with_legacy);
            if matches!(method, MethodType::HostKey) {
                offer = known_first(&offer, known_key_types);
            }
            ssh.method_pref(method, &offer).map_err(internal)?;
            let other_way = match method {
                MethodType::CryptCs => MethodType::CryptSc,
                MethodType::MacCs => MethodType::MacSc,
                _ => continue,
            };
            ssh.method_pref(other_way, &offer).map_err(internal)?;
        }
        ssh.set_tcp_stream(library);
        let session = Session { ssh: ssh.clone(), relay, jump };
        session.drive(budget, || ssh.handshake()).map_err(|broken| session.handshake_failure(broken))?;
        Ok(session)
    }

    fn handshake_failure(&self, broken: Broken) -> Failure {
        match broken {
            Broken::Budget(failure) => match &self.jump {
                Some(jump) if failure.status != Status::Cancelled => jump.explain(failure),
                _ => failure,
            },
            Broken::Ssh(e) if code::NO_COMMON.contains(&number(&e)) => Failure {
                no_common_algorithm: true,
                ..Failure::new(Status::KexFailed, format!("key exchange failed: {}", e.message()))
            },
            Broken::Ssh(e) if code::CONNECTION.contains(&number(&e)) => {
                let error = format!("the connection broke in the key exchange: {}", e.message());
                let failure = Failure::transient(Status::Disconnected, error);
                self.jump.as_ref().map_or(failure.clone(), |jump| jump.explain(failure))
            }
            Broken::Ssh(e) => {
                Failure::new(Status::KexFailed, format!("key exchange failed: {}", e.message()))
            }
        }
    }

    /// Tries `step` until it is done, moving bytes in between.
    pub(super) fn drive<T>(
        &self,
        budget: &Budget,
        mut step: impl FnMut() -> Result<T, ssh2::Error>,
    ) -> Result<T, Broken> {
        loop {
            match step() {
                Err(e) if number(&e) == code::EAGAIN => self.turn(budget).map_err(Broken::Budget)?,
                result => {
                    self.relay.credit(1024);
                    return result.map_err(Broken::Ssh);
                }
            }
        }
    }

    /// Moves bytes, or waits for some, as long as the budget lasts.
    pub(super) fn turn(&self, budget: &Budget) -> Result<(), Failure> {
        self.relay.turn(self.wanted(), budget.wait()?)
    }

    /// What libssh2 waits for.
    fn wanted(&self) -> PollFlags {
        match self.ssh.block_directions() {
            BlockDirections::Outbound => PollFlags::OUT,
            BlockDirections::Both => PollFlags::IN | PollFlags::OUT,
            BlockDirections::Inbound | BlockDirections::None => PollFlags::IN,
        }
    }

    /// Checks the host key that the device presented.
    ///
    /// # Errors
    /// `host_key_unknown`, `host_key_changed`.
    pub fn check_host_key(&self, checking: &Checking, host: &str, port: u16) -> Result<(), Failure> {
        let Some((key, _)) = self.ssh.host_key() else {
            return Err(Failure::new(Status::KexFailed, "the device presented no host key"));
        };
        checking.check(host, port, key)
    }

    /// What the key exchange settled on.
    #[must_use]
    pub fn algorithms(&self) -> Algorithms {
        let of = |method| self.ssh.methods(method).unwrap_or("<implicit>").to_owned();
        Algorithms {
            kex: of(MethodType::Kex),
            hostkey: of(MethodType::HostKey),
            cipher: of(MethodType::CryptCs),
            mac: of(MethodType::MacCs),
        }
    }

    /// SHA-256 of the host key, as OpenSSH prints it.
    #[must_use]
    pub fn host_key_sha256(&self) -> Option<String> {
        self.ssh.host_key().map(|(key, _)| fingerprint(key))
    }

    /// Logs in. The password is sent once: as `password` where that is offered, else in answer to the first
    /// question of `keyboard-interactive`, because a device counts each rejection towards a lock-out.
    ///
    /// # Errors
    /// The budget's; `auth_failed` with what the device offers; `disconnected`, never as transient.
    pub fn authenticate(&self, credentials: &Credentials, budget: &Budget) -> Result<Accepted, Failure> {
        let user = &credentials.user;
        let offered = match self.drive(budget, || self.ssh.auth_methods(user).map(str::to_owned)) {
            Ok(offered) => offered,
            Err(_) if self.ssh.authenticated() => String::new(),
            Err(broken) => return Err(auth_failure(broken, "the first request")),
        };
        if self.ssh.authenticated() {
            return Ok(Accepted::None);
        }
        let offers = |method: &str| offered.split(',').any(|name| name == method);
        let mut tried: Vec<&str> = Vec::new();
        if let Some(identity) = credentials.identity.as_deref().filter(|_| offers("publickey")) {
            tried.push("key file");
            if self.by_key_file(credentials, identity, budget)? {
                return Ok(Accepted::Key);
            }
        }
        if credentials.agent && credentials.password.is_none() && offers("publickey") {
            tried.push("agent");
            if self.by_agent(user, budget)? {
                return Ok(Accepted::Key);
            }
        }
        if let Some(password) = &credentials.password {
            let password = password.reveal();
            let done = if offers("password") {
                tried.push("password");
                self.accepted(self.drive(budget, || self.ssh.userauth_password(user, password)), "password")?
            } else if offers("keyboard-interactive") {
                tried.push("keyboard-interactive");
                self.by_questions(user, password, budget)?
            } else {
                false
            };
            if done {
                return Ok(Accepted::Password);
            }
        }
        let tried = if tried.is_empty() { "nothing that we have".to_owned() } else { tried.join(", ") };
        Err(Failure::new(
            Status::AuthFailed,
            format!("rejected for user {user:?}: tried {tried}; the device offers {}", shortened(&offered)),
        ))
    }

    fn by_questions(&self, user: &str, password: &str, budget: &Budget) -> Result<bool, Failure> {
        let mut answers = Answers {
            session: self,
            user,
            password: Some(password),
            name_given: false,
            left_open: 0,
            refused: None,
        };
        let step = || self.ssh.userauth_keyboard_interactive(user, &mut answers);
        let result = self.drive(budget, step);
        match answers.refused {
            Some(question) => Err(Failure::new(
                Status::AuthFailed,
                format!(
                    "keyboard-interactive: the device asks once more, {question:?}; a password is sent once"
                ),
            )),
            None => self.accepted(result, "keyboard-interactive"),
        }
    }

    fn accepted(&self, result: Result<(), Broken>, method: &str) -> Result<bool, Failure> {
        match result {
            Ok(()) => Ok(self.ssh.authenticated()),
            Err(Broken::Ssh(e)) if is_rejection(&e) => Ok(false),
            Err(broken) => Err(auth_failure(broken, method)),
        }
    }

    fn by_key_file(
        &self,
        credentials: &Credentials,
        identity: &Path,
        budget: &Budget,
    ) -> Result<bool, Failure> {
        let passphrase = credentials.passphrase.as_ref().map(|p| p.reveal());
        let step = || self.ssh.userauth_pubkey_file(&credentials.user, None, identity, passphrase);
        match self.drive(budget, step) {
            Err(Broken::Ssh(e)) if !is_rejection(&e) && !code::CONNECTION.contains(&number(&e)) => {
                let identity = identity.display();
                Err(Failure::new(Status::AuthFailed, format!("key file {identity}: {}", e.message())))
            }
            result => self.accepted(result, "key file"),
        }
    }

    /// The agent's keys in its order; devices cut off after a few rejections, so only the first ones.
    fn by_agent(&self, user: &str, budget: &Budget) -> Result<bool, Failure> {
        let failed = |e: ssh2::Error| Failure::new(Status::AuthFailed, format!("agent: {}", e.message()));
        let mut agent = self.ssh.agent().map_err(failed)?;
        agent.connect().and_then(|()| agent.list_identities()).map_err(failed)?;
        for key in agent.identities().map_err(failed)?.iter().take(5) {
            if self.accepted(self.drive(budget, || agent.userauth(user, key)), "agent")? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Opens an interactive shell on a pty so wide that no device wraps its lines.
    ///
    /// # Errors
    /// The budget's; `disconnected`.
    pub fn shell(&self, budget: &Budget) -> Result<Shell<'_>, Failure> {
        let failed = |broken| match broken {
            Broken::Budget(failure) => failure,
            Broken::Ssh(e) => Failure::transient(Status::Disconnected, format!("no shell: {}", e.message())),
        };
        let mut channel = self.drive(budget, || self.ssh.channel_session()).map_err(failed)?;
        let size = Some((511, 1000, 0, 0));
        self.drive(budget, || channel.request_pty("vt100", None, size)).map_err(failed)?;
        self.drive(budget, || channel.handle_extended_data(ssh2::ExtendedData::Merge)).map_err(failed)?;
        self.drive(budget, || channel.shell()).map_err(failed)?;
        Ok(Shell { session: self, channel })
    }

    /// Ends the connection at once.
    pub(super) fn cut(&self) {
        self.relay.cut();
    }

    /// Ends the session in an orderly way, as far as that goes without waiting.
    pub fn disconnect(&self) {
        let _ = self.ssh.disconnect(None, "done", None);
        self.relay.flush();
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // What is still open would be closed by asking the peer, and stay in memory when it does not answer.
        self.cut();
    }
}

/// The shell of a session.
pub struct Shell<'s> {
    session: &'s Session,
    channel: ssh2::Channel,
}

impl Shell<'_> {
    /// Reads what is there, waiting at most `patience` for it: the bytes, or none when nothing came.
    ///
    /// # Errors
    /// The budget's; `disconnected` at the end of the stream; `output_too_large` for a device that goes on
    /// with packets that nobody asked for.
    pub fn read(&mut self, buffer: &mut [u8], patience: Duration, budget: &Budget) -> Result<usize, Failure> {
        let until = Instant::now() + patience;
        let mut waited = false;
        loop {
            match self.channel.read(buffer) {
                Ok(0) => {
                    return Err(Failure::transient(Status::Disconnected, "the device closed the session"));
                }
                Ok(length) => {
                    self.session.relay.credit(length);
                    return Ok(length);
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) => {
                    return Err(Failure::transient(
                        Status::Disconnected,
                        format!("the connection broke: {e}"),
                    ));
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if waited && left.is_zero() {
                return Ok(0);
            }
            self.session.relay.turn(self.session.wanted(), budget.wait()?.min(left))?;
            waited = true;
        }
    }

    /// Types a text.
    ///
    /// # Errors
    /// The budget's; `disconnected`.
    pub fn write(&mut self, mut text: &[u8], budget: &Budget) -> Result<(), Failure> {
        while !text.is_empty() {
            match self.channel.write(text) {
                Ok(length) => text = &text[length..],
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.session.turn(budget)?,
                Err(e) => {
                    return Err(Failure::transient(
                        Status::Disconnected,
                        format!("the connection broke: {e}"),
                    ));
                }
            }
        }
        Ok(())
    }
}

/// Questions that are answered by nothing in one login.
const LEFT_OPEN: u32 = 4;

/// Answers keyboard-interactive questions: the account's name where what is typed may be seen and a name
/// is asked for, nothing where something else may be seen, the password to the first other question. Nothing is sent in answer to one more: the session
/// is cut, because a device takes an empty answer for another wrong password.
struct Answers<'a> {
    session: &'a Session,
    user: &'a str,
    password: Option<&'a str>,
    name_given: bool,
    left_open: u32,
    refused: Option<String>,
}

impl KeyboardInteractivePrompt for Answers<'_> {
    fn prompt(&mut self, _user: &str, _instructions: &str, prompts: &[Prompt<'_>]) -> Vec<String> {
        let asks_name = |prompt: &Prompt<'_>| {
            let text = prompt.text.to_ascii_lowercase();
            prompt.echo && ["user", "login", "name"].iter().any(|word| text.contains(word))
        };
        // A question whose answer may be seen, such as a reason for access.
        let asks_something =
            |prompt: &Prompt<'_>| prompt.echo && !prompt.text.to_ascii_lowercase().contains("pass");
        let mut answer = |prompt: &Prompt<'_>| {
            let answer = if asks_name(prompt) {
                (!std::mem::replace(&mut self.name_given, true)).then_some(self.user)
            } else if asks_something(prompt) {
                self.left_open += 1;
                (self.left_open <= LEFT_OPEN).then_some("")
            } else {
                self.password.take()
            };
            if answer.is_none() && self.refused.is_none() {
                self.refused = Some(prompt.text.chars().take(100).collect());
                self.session.cut();
            }
            answer.unwrap_or_default().to_owned()
        };
        prompts.iter().map(&mut answer).collect()
    }
}

/// Why a step did not come to its end.
pub(super) enum Broken {
    Budget(Failure),
    Ssh(ssh2::Error),
}

pub(super) fn number(error: &ssh2::Error) -> i32 {
    match error.code() {
        ErrorCode::Session(number) | ErrorCode::SFTP(number) => number,
    }
}

fn is_rejection(error: &ssh2::Error) -> bool {
    matches!(number(error), code::AUTHENTICATION_FAILED | code::PUBLICKEY_UNVERIFIED)
}

/// A connection that breaks in the middle of a login is not tried again: it may have been a rejection.
fn auth_failure(broken: Broken, method: &str) -> Failure {
    match broken {
        Broken::Budget(failure) => failure,
        Broken::Ssh(e) if code::CONNECTION.contains(&number(&e)) => Failure::new(
            Status::Disconnected,
            format!("the connection broke during authentication ({method}): {}", e.message()),
        ),
        Broken::Ssh(e) => Failure::new(Status::AuthFailed, format!("{method}: {}", e.message())),
    }
}

/// The host key algorithms whose keys are known come first, so that the device presents one of those.
fn known_first(offer: &str, known: &[String]) -> String {
    let of_known = |name: &&str| match *name {
        "rsa-sha2-512" | "rsa-sha2-256" => known.iter().any(|k| k == "ssh-rsa"),
        name => known.iter().any(|k| k == name),
    };
    let (known, others): (Vec<&str>, Vec<&str>) = offer.split(',').partition(of_known);
    [known, others].concat().join(",")
}

#[cfg(test)]
mod tests {
    use super::known_first;

    #[test]
    fn known_key_types_are_asked_for_first() {
        let offer = "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256";
        assert_eq!(
            known_first(offer, &["ssh-rsa".into()]),
            "rsa-sha2-512,rsa-sha2-256,ssh-ed25519,ecdsa-sha2-nistp256"
        );
        assert_eq!(known_first(offer, &[]), offer);
    }
}
