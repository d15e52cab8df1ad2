//! Delivers what is due: first the mails that wait from earlier runs, then the new ones. Each recipient is a
//! result of its own; a server that cannot be reached is tried once, not once for each of them.

use std::{collections::HashSet, path::PathBuf};

use super::{
    address::{Address, Mailbox},
    message::Letter,
    smtp::{Failure, Fault, Server, Session, Trust},
    spool::{Spool, Waiting},
};
use crate::{
    error::{Error, Result},
    exit::Exit,
    record::Timestamp,
};

/// A mail is retried for this long, as mail servers do, s.
const RETRY_S: i64 = 5 * 86_400;
/// After so many mails in a row that cost the session, the rest of the run is not tried.
const LOST_SESSIONS: u32 = 3;

/// What became of the recipients.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// They have it, now or from before.
    pub mailed: usize,
    /// The server took the whole mail and did not say whether it keeps it.
    pub unconfirmed: usize,
    /// It waits for them in the spool.
    pub waiting: usize,
    /// They do not get it.
    pub failed: usize,
}

impl Counts {
    /// The exit code of a run with these.
    #[must_use]
    pub fn exit(self) -> Exit {
        match self {
            Counts { unconfirmed: 0, waiting: 0, failed: 0, .. } => Exit::Done,
            Counts { mailed: 0, unconfirmed: 0, waiting: 0, .. } => Exit::Failed,
            _ => Exit::Partial,
        }
    }
}

/// The deliveries of one run.
pub struct Delivery<'a> {
    server: &'a Server,
    trust: Trust,
    session: Option<Session>,
    /// Sessions lost in a row.
    lost: u32,
    /// Why there can be no session in this run.
    unreachable: Option<Failure>,
    spool: Option<Spool>,
    /// Whether mails may wait in the spool; else it holds the notes of what was sent, and nothing else.
    may_wait: bool,
    now: Timestamp,
    /// Message-IDs that this run has tried: no mail is tried twice in one.
    tried: HashSet<String>,
    /// What became of the recipients so far.
    pub counts: Counts,
}

impl<'a> Delivery<'a> {
    /// Begins with nothing sent and no connection. `may_wait`: the user named the spool for what waits.
    pub fn new(server: &'a Server, spool: Option<Spool>, may_wait: bool, now: Timestamp) -> Result<Self> {
        Ok(Delivery {
            server,
            trust: Trust::new(server)?,
            session: None,
            lost: 0,
            unreachable: None,
            spool,
            may_wait,
            now,
            tried: HashSet::new(),
            counts: Counts::default(),
        })
    }

    /// Retries what waits.
    pub fn retry(&mut self) -> Result<()> {
        let Some(spool) = self.spool.as_ref().filter(|_| self.may_wait) else { return Ok(()) };
        for (path, envelope) in spool.waiting()? {
            self.retry_one(path, envelope)?;
        }
        Ok(())
    }

    fn retry_one(&mut self, path: PathBuf, envelope: Waiting) -> Result<()> {
        let Some(spool) = &self.spool else { return Ok(()) };
        if spool.was_sent(&envelope.message_id, &self.server.location()) {
            return spool.remove(&path);
        }
        let message = spool.message(&path)?;
        if self.attempt(envelope, &message) {
            // It no longer waits, for better or worse.
            if let Some(spool) = &self.spool {
                spool.remove(&path)?;
            }
        }
        Ok(())
    }

    /// Mails a letter to one recipient, unless it was before; `again`: even then.
    pub fn deliver(&mut self, letter: &Letter, to: &Mailbox, again: bool) -> Result<()> {
        let message_id = letter.message_id(to);
        if self.tried.contains(&message_id) {
            return Ok(());
        }
        let location = self.server.location();
        if !again && self.spool.as_ref().is_some_and(|spool| spool.was_sent(&message_id, &location)) {
            log::info!("{}: already sent; use --again to resend", to.email);
            self.counts.mailed += 1;
            return Ok(());
        }
        let envelope = Waiting {
            message_id,
            from: letter.from.email.to_string(),
            to: to.email.to_string(),
            since: self.now,
            attempts: 0,
            reason: String::new(),
        };
        let mut message = letter.to(to)?;
        if let Some(short) = &letter.short {
            let limit = self.size_limit();
            if limit.is_some_and(|limit| limit < message.len()) {
                log::info!(
                    "{}: mailed without its rows: {} bytes are too many for the server",
                    to.email,
                    message.len()
                );
                message = short.to(to)?;
            }
        }
        self.attempt(envelope, &message);
        Ok(())
    }

    /// The session of before, else a new one.
    fn connect(&mut self) -> Result<Session, Failure> {
        match (self.session.take(), &self.unreachable) {
            (Some(session), _) => Ok(session),
            (None, Some(failure)) => Err(failure.clone()),
            (None, None) => Session::open(self.server, &self.trust)
                .inspect_err(|failure| self.unreachable = Some(failure.clone())),
        }
    }

    /// The largest mail that the server takes, if it says so.
    fn size_limit(&mut self) -> Option<usize> {
        self.session = self.connect().ok();
        self.session.as_ref().and_then(Session::size_limit)
    }

    /// One try, its outcome noted, counted and logged. True unless the mail waits from now on.
    fn attempt(&mut self, envelope: Waiting, message: &[u8]) -> bool {
        self.tried.insert(envelope.message_id.clone());
        let location = self.server.location();
        let failure = match self.send(&envelope, message) {
            Ok(answer) => {
                log::info!("{}: mailed: {answer}", envelope.to);
                self.note(&envelope, false);
                self.counts.mailed += 1;
                return true;
            }
            Err(failure) => failure,
        };
        let (to, reason) = (&envelope.to, &failure.reason);
        match failure.fault {
            Fault::Refused => {
                log::warn!("{to}: not mailed by {location}: {reason}");
                self.counts.failed += 1;
                true
            }
            Fault::Unconfirmed => {
                log::warn!("{to}: perhaps taken by {location}, and not sent again without --again: {reason}");
                self.note(&envelope, true);
                self.counts.unconfirmed += 1;
                true
            }
            Fault::Temporary if self.now.since(envelope.since) > RETRY_S => {
                let (days, attempts) = (RETRY_S / 86_400, envelope.attempts + 1);
                log::warn!("{to}: given up after {days} days and {attempts} attempts: {reason}");
                self.counts.failed += 1;
                true
            }
            Fault::Temporary => !self.postpone(envelope, message, &failure),
        }
    }

    fn note(&mut self, envelope: &Waiting, unconfirmed: bool) {
        let location = self.server.location();
        let Some(spool) = &mut self.spool else { return };
        if let Err(error) = spool.note_sent(self.now, envelope, &location, unconfirmed) {
            let to = &envelope.to;
            log::warn!("{to}: mailed, but that could not be noted, so the next run mails it again: {error}");
        }
    }

    /// Puts a mail into the spool for the next run, if there is one.
    fn postpone(&mut self, envelope: Waiting, message: &[u8], failure: &Failure) -> bool {
        let (to, location, reason) = (envelope.to.clone(), self.server.location(), failure.reason.clone());
        let envelope = Waiting { attempts: envelope.attempts + 1, reason: reason.clone(), ..envelope };
        let stored = match self.spool.as_ref().filter(|_| self.may_wait) {
            None => Err("--spool DIR would have kept it for the next run".to_owned()),
            Some(spool) => spool.store(&envelope, message).map_err(|error| error.to_string()),
        };
        match &stored {
            Ok(()) => {
                self.counts.waiting += 1;
                log::warn!("{to}: not mailed yet by {location}, waits in the spool: {reason}");
            }
            Err(why) => {
                self.counts.failed += 1;
                log::warn!("{to}: not mailed by {location}: {reason}; {why}");
            }
        }
        stored.is_ok()
    }

    fn send(&mut self, envelope: &Waiting, message: &[u8]) -> Result<String, Failure> {
        let address = |text: &str| {
            let refused = |e| Failure { fault: Fault::Refused, reason: format!("{text}: {e}") };
            text.parse::<Address>().map_err(refused)
        };
        let (from, to) = (address(&envelope.from)?, address(&envelope.to)?);
        let session = self.connect()?;
        let (session, result) = session.deliver(&from, &to, message);
        self.lost = if session.is_some() { 0 } else { self.lost + 1 };
        if let (Err(failure), true) = (&result, self.lost >= LOST_SESSIONS) {
            let reason = failure.reason.clone();
            self.unreachable = Some(Failure { fault: Fault::Temporary, reason });
        }
        self.session = session;
        result
    }

    /// Ends the session.
    pub fn close(&mut self) {
        if let Some(session) = self.session.take() {
            session.close();
        }
    }
}

/// Connects, begins TLS, logs in, leaves, and returns what was agreed on.
///
/// # Errors
/// [`Error::System`], naming the server.
pub fn check(server: &Server) -> Result<String> {
    let session = Session::open(server, &Trust::new(server)?).map_err(|failure| {
        Error::system(format!("SMTP server {}", server.location()))(std::io::Error::other(failure.reason))
    })?;
    let description = session.describe();
    session.close();
    Ok(description)
}
