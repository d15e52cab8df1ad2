//! Commands run on another machine, over a session that has logged in, and what a request means that did not
//! come to its end. `sftp.rs` shares the latter.

use std::{
    io::{self, Read as _},
    time::Duration,
};

use ssh2::ErrorCode;

use super::{
    Budget, Failure,
    session::{Broken, Session, code, number},
};
use crate::record::Status;

/// What a command prints beyond this is dropped, bytes.
const ANSWER_LIMIT: usize = 65_536;
/// A command that prints more is not waited for, bytes.
const ANSWER_MOST: usize = 4 << 20;
/// libssh2's codes, of include/libssh2.h: the SFTP server refused; the server refused a request on a channel.
const SFTP_PROTOCOL: i32 = -31;
const REQUEST_DENIED: i32 = -22;

/// What a command printed and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Standard output and standard error as they came.
    pub text: String,
    /// Its exit status; 0 also where the server sent none.
    pub status: i32,
    /// The signal that ended it, such as `KILL`.
    pub signal: Option<String>,
}

impl Session {
    /// Runs one command and waits for its end. A channel that only closes looks like success: a command that
    /// matters prints a last word. `silence` is how long the server may say nothing.
    ///
    /// # Errors
    /// The budget's; `command_failed` where the server runs no command; `disconnected`. A command that fails
    /// is an [`Answer`].
    pub fn run(&self, command: &str, silence: Duration, budget: &mut Budget) -> Result<Answer, Failure> {
        let lost = |broken| self.lost("no command", broken);
        budget.phase(silence, silent(silence));
        let mut channel = self.drive(budget, || self.ssh.channel_session()).map_err(lost)?;
        self.drive(budget, || channel.handle_extended_data(ssh2::ExtendedData::Merge)).map_err(lost)?;
        match self.drive(budget, || channel.exec(command)) {
            Err(Broken::Ssh(e)) if number(&e) == REQUEST_DENIED => {
                return Err(Failure::new(Status::CommandFailed, "the account may run no command there"));
            }
            started => started.map_err(lost)?,
        }
        self.drive(budget, || channel.send_eof()).map_err(lost)?;
        let (mut text, mut buffer, mut length) = (Vec::new(), [0; 4096], 0);
        loop {
            match self.pass("no answer", budget, || channel.read(&mut buffer))? {
                0 => break,
                more => {
                    length += more;
                    text.extend_from_slice(&buffer[..more.min(ANSWER_LIMIT.saturating_sub(text.len()))]);
                    budget.extend(silence);
                }
            }
            if length > ANSWER_MOST {
                self.cut();
                let error = format!("the command there printed more than {} MiB", ANSWER_MOST >> 20);
                return Err(Failure::new(Status::CommandFailed, error));
            }
        }
        self.drive(budget, || channel.close()).map_err(lost)?;
        self.drive(budget, || channel.wait_close()).map_err(lost)?;
        let status = channel.exit_status().map_err(|e| lost(Broken::Ssh(e)))?;
        let signal = channel.exit_signal().ok().and_then(|signal| signal.exit_signal);
        Ok(Answer { text: String::from_utf8_lossy(&text).into_owned(), status, signal })
    }

    /// As `drive`, for what is read and written.
    pub(super) fn pass(
        &self,
        what: &str,
        budget: &Budget,
        mut step: impl FnMut() -> io::Result<usize>,
    ) -> Result<usize, Failure> {
        loop {
            let fault = match step() {
                Ok(length) => {
                    self.relay.credit(length);
                    return Ok(length);
                }
                Err(fault) => fault,
            };
            if fault.kind() == io::ErrorKind::WouldBlock {
                self.turn(budget).map_err(|over| self.lost(what, Broken::Budget(over)))?;
                continue;
            }
            // The code is in the session only; of a refusal the server's words are in the fault.
            return Err(match ssh2::Error::last_session_error(&self.ssh) {
                Some(last) if number(&last) != SFTP_PROTOCOL => self.lost(what, Broken::Ssh(last)),
                _ => Failure::new(Status::CommandFailed, format!("{what}: {fault}")),
            });
        }
    }

    /// What a request that did not come to its end means. The connection is of no more use unless the server
    /// itself refused: it is cut, because libssh2 blocks when it drops what is open.
    pub(super) fn lost(&self, what: &str, broken: Broken) -> Failure {
        match broken {
            Broken::Ssh(e) if matches!(e.code(), ErrorCode::SFTP(_)) => {
                Failure::new(Status::CommandFailed, format!("{what}: {}", e.message()))
            }
            Broken::Ssh(e) if code::CONNECTION.contains(&number(&e)) => {
                self.cut();
                Failure::transient(Status::Disconnected, format!("the connection broke: {}", e.message()))
            }
            Broken::Ssh(e) => {
                self.cut();
                Failure::new(Status::CommandFailed, format!("{what}: {}", e.message()))
            }
            Broken::Budget(failure) => {
                self.cut();
                failure
            }
        }
    }
}

pub(super) fn silent(silence: Duration) -> Failure {
    Failure::transient(Status::ReadTimeout, format!("silent for {} s", silence.as_secs_f64()))
}
