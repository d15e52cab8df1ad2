//! Renames that replace what is there, in one step, by the extension posix-rename@openssh.com of SFTP, which the
//! ssh2 crate does not reach. Its channel is opened first of all also to see whether SFTP works there.

use std::{
    io::{Read as _, Write as _},
    time::Duration,
};

use super::{Budget, Failure, exec::silent, session::Session};
use crate::record::Status;

/// Packet types and the one status of draft-ietf-secsh-filexfer-02, sections 3, 4 and 7.
const INIT: u8 = 1;
const VERSION: u8 = 2;
const STATUS: u8 = 101;
const EXTENDED: u8 = 200;
const OK: u32 = 0;
/// The version of the protocol that OpenSSH speaks, and everybody with it.
const PROTOCOL: u32 = 3;
const EXTENSION: &[u8] = b"posix-rename@openssh.com";
/// No answer to what is asked here is longer, bytes.
const LONGEST_PACKET: usize = 256 << 10;
/// How long a text is waited for that stands where SFTP should begin.
const NOISE: Duration = Duration::from_secs(1);

/// A channel of its own to the SFTP server.
pub struct Renamer<'s> {
    session: &'s Session,
    channel: ssh2::Channel,
    silence: Duration,
    can_replace: bool,
    requests: u32,
}

impl Session {
    /// Opens the channel.
    ///
    /// # Errors
    /// The budget's; `command_failed` where the server offers no SFTP, or prints something instead of it;
    /// `disconnected`.
    pub fn renamer(&self, silence: Duration, budget: &mut Budget) -> Result<Renamer<'_>, Failure> {
        let lost = |broken| self.lost("no SFTP", broken);
        budget.phase(silence, silent(silence));
        let mut channel = self.drive(budget, || self.ssh.channel_session()).map_err(lost)?;
        self.drive(budget, || channel.subsystem("sftp")).map_err(lost)?;
        let mut renamer = Renamer { session: self, channel, silence, can_replace: false, requests: 0 };
        renamer.send(&[&[INIT][..], &PROTOCOL.to_be_bytes()], budget)?;
        let answer = renamer.receive(budget)?;
        if answer.first() != Some(&VERSION) {
            return Err(broken_protocol());
        }
        // The version, then pairs of a name and its data.
        let mut rest = answer.get(5..).unwrap_or_default();
        while let Some((name, after)) = string(rest) {
            renamer.can_replace |= name == EXTENSION;
            rest = string(after).map_or(&[], |(_, after)| after);
        }
        Ok(renamer)
    }
}

impl Renamer<'_> {
    /// Whether the server has the extension.
    #[must_use]
    pub fn can_replace(&self) -> bool {
        self.can_replace
    }

    /// Gives a file the name of another one, and takes the place of what had it.
    ///
    /// # Errors
    /// The budget's; `command_failed` with what the server says; `disconnected`.
    pub fn replace(&mut self, from: &str, to: &str, budget: &mut Budget) -> Result<(), Failure> {
        budget.extend(self.silence);
        self.requests += 1;
        let number = self.requests.to_be_bytes();
        let mut request = vec![EXTENDED];
        request.extend(number);
        for text in [EXTENSION, from.as_bytes(), to.as_bytes()] {
            request.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
            request.extend(text);
        }
        self.send(&[&request], budget)?;
        let answer = self.receive(budget)?;
        let (Some((&STATUS, rest)), Some(code)) = (answer.split_first(), answer.get(5..9)) else {
            return Err(broken_protocol());
        };
        if !rest.starts_with(&number) {
            return Err(broken_protocol());
        }
        if code == OK.to_be_bytes() {
            return Ok(());
        }
        let said = string(&answer[9..]).map_or(&b""[..], |(said, _)| said);
        let said = String::from_utf8_lossy(&said[..said.len().min(200)]).into_owned();
        Err(Failure::new(Status::CommandFailed, format!("cannot rename {from} to {to}: {said}")))
    }

    /// Closes the channel: some servers allow one at a time.
    pub fn close(mut self, budget: &mut Budget) -> Result<(), Failure> {
        budget.extend(self.silence);
        self.session
            .drive(budget, || self.channel.close())
            .map_err(|broken| self.session.lost("no SFTP", broken))
    }

    fn send(&mut self, parts: &[&[u8]], budget: &Budget) -> Result<(), Failure> {
        let content = parts.concat();
        let mut packet = u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes().to_vec();
        packet.extend(content);
        let mut rest = &packet[..];
        while !rest.is_empty() {
            let length = self.session.pass("no SFTP", budget, || self.channel.write(rest))?;
            rest = &rest[length..];
        }
        Ok(())
    }

    fn receive(&mut self, budget: &mut Budget) -> Result<Vec<u8>, Failure> {
        let mut length = [0; 4];
        self.fill(&mut length, budget)?;
        // What is printed is taken for a length, and any letter makes a large one.
        let announced = u32::from_be_bytes(length) as usize;
        if announced > LONGEST_PACKET {
            return Err(self.noise(length, budget));
        }
        let mut packet = vec![0; announced];
        self.fill(&mut packet, budget)?;
        Ok(packet)
    }

    fn fill(&mut self, bytes: &mut [u8], budget: &Budget) -> Result<(), Failure> {
        let mut filled = 0;
        while filled < bytes.len() {
            match self.session.pass("no SFTP", budget, || self.channel.read(&mut bytes[filled..]))? {
                0 => {
                    let error = "no SFTP: the server closed the channel at once";
                    return Err(Failure::new(Status::CommandFailed, error));
                }
                more => filled += more,
            }
        }
        Ok(())
    }

    /// The failure of a server that prints something where SFTP should begin.
    fn noise(&mut self, begin: [u8; 4], budget: &mut Budget) -> Failure {
        budget.phase(NOISE, silent(NOISE));
        let mut text = begin.to_vec();
        let mut byte = [0];
        while text.len() < 200 && !text.ends_with(b"\n") && self.fill(&mut byte, budget).is_ok() {
            text.push(byte[0]);
        }
        let text = String::from_utf8_lossy(&text);
        Failure::new(
            Status::CommandFailed,
            format!(
                "no SFTP: the server prints {:?} where it should begin; a login file of the account (such as .bashrc) \
                 may print in interactive shells only",
                text.trim()
            ),
        )
    }
}

fn broken_protocol() -> Failure {
    Failure::new(Status::CommandFailed, "no SFTP: the server answers something else")
}

/// A text with its length before it, and what follows.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}
