//! Who gets what now: first the mails that wait from earlier runs, then the new ones. Each recipient is a
//! result of its own; a server that cannot be reached is asked once, not once for each of them.

use std::{collections::HashSet, path::PathBuf, sync::Arc};

use super::{
    address::{Address, Mailbox},
    message::Letter,
    smtp::{Failure, Server, Session, Trust},
    spool::{Spool, Waiting},
};
use crate::{
    error::{Error, Result},
    exit::Exit,
    record::Timestamp,
};

/// A mail is tried for this long, as mail servers do, s.
const GIVE_UP_S: i64 = 5 * 86_400;

/// What came of the recipients.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// They have it, now or from before.
    pub mailed: usize,
    /// It waits for them in the spool.
    pub waiting: usize,
    /// They do not get it.
    pub failed: usize,
}

impl Tally {
    /// The exit code that this comes to.
    #[must_use]
    pub fn exit(self) -> Exit {
        match self {
            Tally { waiting: 0, failed: 0, .. } => Exit::Done,
            Tally { mailed: 0, waiting: 0, .. } => Exit::Failed,
            _ => Exit::Partial,
        }
    }
}

/// A run's dealings with the server and the spool.
pub struct Delivery<'a> {
    server: &'a Server,
    trust: Trust,
    session: Option<Session>,
    /// Why there can be no session in this run.
    unreachable: Option<Failure>,
    spool: Option<Spool>,
    /// Whether the spool is one to keep mails in, not only notes.
    keeps: bool,
    now: Timestamp,
    /// Message-IDs that this run has tried: no mail is tried twice in one.
    tried: HashSet<String>,
    /// What came of it so far.
    pub tally: Tally,
}

impl<'a> Delivery<'a> {
    /// Begins with nothing sent and no connection. `keeps`: the user named the spool for what waits.
    ///
    /// # Errors
    /// Those of [`Server::trust`].
    pub fn new(server: &'a Server, spool: Option<Spool>, keeps: bool, now: Timestamp) -> Result<Self> {
        let trust = server.trust()?;
        Ok(Delivery {
            server,
            trust,
            session: None,
            unreachable: None,
            spool,
            keeps,
            now,
            tried: HashSet::new(),
            tally: Tally::default(),
        })
    }

    /// Tries what waits.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Write`] for the spool.
    pub fn retry(&mut self) -> Result<()> {
        let Some(spool) = self.spool.as_ref().filter(|_| self.keeps) else { return Ok(()) };
        for (path, envelope) in spool.waiting()? {
            self.retry_one(path, envelope)?;
        }
        Ok(())
    }

    fn retry_one(&mut self, path: PathBuf, envelope: Waiting) -> Result<()> {
        let place = self.server.place();
        let Some(spool) = &self.spool else { return Ok(()) };
        if spool.was_sent(&envelope.message_id, &place) {
            return spool.forget(&path);
        }
        if self.now.since(envelope.since) > GIVE_UP_S {
            let Waiting { to, attempts, reason, .. } = &envelope;
            log::warn!("{to}: given up after {} days and {attempts} tries: {reason}", GIVE_UP_S / 86_400);
            self.tally.failed += 1;
            self.tried.insert(envelope.message_id);
            return spool.forget(&path);
        }
        let message = spool.message(&path)?;
        if self.attempt(envelope, message) {
            // It no longer waits, for better or worse.
            if let Some(spool) = &self.spool {
                spool.forget(&path)?;
            }
        }
        Ok(())
    }

    /// Mails a letter to one recipient, unless it was before; `again`: even then.
    ///
    /// # Errors
    /// Those of [`Letter::to`].
    pub fn deliver(&mut self, letter: &Letter, to: &Mailbox, again: bool) -> Result<()> {
        let message_id = letter.message_id(to);
        if self.tried.contains(&message_id) {
            return Ok(());
        }
        let place = self.server.place();
        if !again && self.spool.as_ref().is_some_and(|spool| spool.was_sent(&message_id, &place)) {
            log::info!("{}: has it already; --again mails it once more", to.email);
            self.tally.mailed += 1;
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
        self.attempt(envelope, letter.to(to)?);
        Ok(())
    }

    /// One try, its outcome noted, counted and said. True unless the mail waits from now on.
    fn attempt(&mut self, envelope: Waiting, message: Vec<u8>) -> bool {
        self.tried.insert(envelope.message_id.clone());
        let message = Arc::new(message);
        match self.send(&envelope, Arc::clone(&message)) {
            Ok(answer) => {
                log::info!("{}: mailed: {answer}", envelope.to);
                self.note(&envelope);
                self.tally.mailed += 1;
                true
            }
            Err(failure) if failure.may_pass() => !self.postpone(envelope, &message, &failure),
            Err(failure) => {
                log::warn!("{}: not mailed by {}: {}", envelope.to, self.server.place(), failure.reason);
                self.tally.failed += 1;
                true
            }
        }
    }

    fn note(&mut self, envelope: &Waiting) {
        let place = self.server.place();
        let Some(spool) = &mut self.spool else { return };
        if let Err(error) = spool.note_sent(self.now, &envelope.message_id, &envelope.to, &place) {
            log::warn!("{}: mailed, but that could not be noted, and may be again: {error}", envelope.to);
        }
    }

    /// Puts a mail aside for the next run, if there is a place for it.
    fn postpone(&mut self, envelope: Waiting, message: &[u8], failure: &Failure) -> bool {
        let (to, place, reason) = (envelope.to.clone(), self.server.place(), failure.reason.clone());
        let envelope = Waiting { attempts: envelope.attempts + 1, reason: reason.clone(), ..envelope };
        let kept = match self.spool.as_ref().filter(|_| self.keeps) {
            None => Err("--spool DIR would have kept it for the next run".to_owned()),
            Some(spool) => spool.keep(&envelope, message).map_err(|error| error.to_string()),
        };
        match &kept {
            Ok(()) => {
                self.tally.waiting += 1;
                log::warn!("{to}: not mailed yet by {place}, waits in the spool: {reason}");
            }
            Err(why) => {
                self.tally.failed += 1;
                log::warn!("{to}: not mailed by {place}: {reason}; {why}");
            }
        }
        kept.is_ok()
    }

    fn send(&mut self, envelope: &Waiting, message: Arc<Vec<u8>>) -> Result<String, Failure> {
        let address = |text: &str| {
            text.parse::<Address>().map_err(|e| Failure { code: None, reason: format!("{text}: {e}") })
        };
        let (from, to) = (address(&envelope.from)?, address(&envelope.to)?);
        let session = match (self.session.take(), &self.unreachable) {
            (Some(session), _) => session,
            (None, Some(failure)) => return Err(failure.clone()),
            (None, None) => Session::open(self.server, &self.trust).inspect_err(|failure| {
                self.unreachable = Some(failure.clone());
            })?,
        };
        let (session, result) = session.deliver(from, to, message);
        self.session = session;
        result
    }

    /// Takes leave of the server.
    pub fn close(&mut self) {
        if let Some(session) = self.session.take() {
            session.close();
        }
    }
}

/// Connects, begins TLS, logs in, leaves, and says what was agreed on.
///
/// # Errors
/// [`Error::System`], naming the server.
pub fn check(server: &Server) -> Result<String> {
    let trust = server.trust()?;
    let session = Session::open(server, &trust).map_err(|failure| {
        Error::system(format!("SMTP server {}", server.place()))(std::io::Error::other(failure.reason))
    })?;
    let description = session.describe();
    session.close();
    Ok(description)
}
