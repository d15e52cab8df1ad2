//! A connection to the first server that answers, with a time-out on everything and a session that inherits nothing
//! from the server's configuration. What its faults mean stands in [`super::faults`].

use std::{
    io::ErrorKind,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use ::mysql::{Conn, DriverError, Error as Fault, Opts, OptsBuilder, prelude::Queryable};
use rustls::ClientConfig;

use super::{
    faults::{self, Class, hint, io_fault, is_away, is_timeout},
    guard::{Budget, Guard},
    hosts,
};
use crate::{
    contain,
    database::{Host, Server, Tls, contained::SENSELESS},
    error::{Error, Result},
    settings::Secret,
    tls::{self, Proof},
};

const CONNECT: Duration = Duration::from_secs(10);
/// Longer than the server may wait for a lock, so that it is the server that tells us.
const ANSWER: Duration = Duration::from_secs(30);
/// A report over millions of rows may be sorted before its first row comes.
const REPORT: Duration = Duration::from_secs(300);
/// Times that a transaction is run again after a deadlock.
pub(super) const RERUNS: u32 = 6;
/// Times that a transaction is run again after it waited for a lock in vain, which takes seconds each time.
const LOCK_WAITS: u32 = 2;
/// Times that a lost connection is made again for one transaction.
const RECONNECTS: u32 = 2;
/// An answer to a statement that stores, and one to a report.
const SHORT_ANSWER: Budget = Budget { bytes: 512 << 20, time: Duration::from_secs(120) };
const LONG_ANSWER: Budget = Budget { bytes: u64::MAX, time: Duration::from_secs(1800) };
/// Every statement for storing stays prepared: one per power of two and table.
const STATEMENTS: usize = 64;

/// All that a session needs and a server may have set otherwise. Each statement is one that every server knows.
const SESSION: [&str; 3] = [
    "SET NAMES utf8mb4",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE",
    "SET SESSION autocommit = 1, time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
];
/// So that no statement waits without a limit, and no session ends between two scans. A server or proxy without one of these is used as it is.
const LIMITS: &str = "SET SESSION wait_timeout = 86400, net_write_timeout = 600, innodb_lock_wait_timeout = 10, \
     lock_wait_timeout = 5";
/// A node of a cluster that is not ready lets us in, and answers this by 1047.
const READY: &str = "SELECT 1";
const FACTS: &str = "SELECT @@max_allowed_packet, @@global.read_only";

/// A connection, and what the server said of itself.
pub(super) struct Connected {
    pub connection: Conn,
    /// Bytes that a statement may have.
    pub max_packet: usize,
    /// The server refuses to write, unless the account has a special right.
    read_only: bool,
}

/// Where and as whom to connect, again and again.
pub(super) struct Connector {
    pub server: Server,
    pub user: String,
    pub password: Secret,
    /// For reports, which wait longer.
    pub patient: bool,
    /// For writing: a read-only host is passed by.
    pub writes: bool,
    /// Its name for messages.
    pub place: String,
    /// The host that is tried first.
    pub first: AtomicUsize,
    /// Every connection so far takes the parameters of many rows in one request.
    pub bulk: AtomicBool,
}

impl Connector {
    /// Connects to the first host that serves us, beginning with the one that did so last. A read-only one is taken
    /// for writing only when there is no other: the account may have the right to write nevertheless.
    ///
    /// # Errors
    /// What each host said: [`Error::Away`], unless every one of them turned us away for good.
    pub fn connect(&self) -> Result<Connected> {
        let hosts = &self.server.hosts;
        let (mut faults, mut away, mut read_only) = (Vec::new(), false, None);
        for at in hosts::order(hosts, self.first.load(Ordering::Relaxed)) {
            match self.try_host(&hosts[at]) {
                Ok(connected) if connected.read_only && self.writes && hosts.len() > 1 => {
                    log::info!("{}: read-only, passed by", hosts[at]);
                    hosts::blame(&hosts[at]);
                    read_only.get_or_insert((at, connected));
                }
                Ok(connected) => {
                    self.first.store(at, Ordering::Relaxed);
                    return Ok(connected);
                }
                Err(refusal) => {
                    away |= refusal.away;
                    hosts::blame(&hosts[at]);
                    faults.push(format!("{}: {}", hosts[at], refusal.reason));
                }
            }
        }
        if let Some((at, connected)) = read_only {
            self.first.store(at, Ordering::Relaxed);
            return Ok(connected);
        }
        let (place, reason) = (self.place.clone(), format!("no connection: {}", faults.join("; ")));
        Err(if away { Error::Away { place, reason } } else { Error::Database { place, reason } })
    }

    /// As [`Connector::connect`], but the present host comes last: it is read-only, not ready, silent or gone.
    pub fn connect_elsewhere(&self) -> Result<Connected> {
        let present = self.first.load(Ordering::Relaxed);
        hosts::blame(&self.server.hosts[present]);
        self.first.store((present + 1) % self.server.hosts.len(), Ordering::Relaxed);
        self.connect()
    }

    /// Gets ready to run a transaction again after a fault, or gives up with it.
    pub fn recover(&self, connection: &mut Conn, fault: &Fault, tries: u32) -> Result<()> {
        if matches!(fault, Fault::MySqlError(error) if error.code == faults::NO_BULK) {
            self.bulk.store(false, Ordering::Relaxed);
        }
        match self.again(fault) {
            Again::Rerun if tries <= if is_lock_wait(fault) { LOCK_WAITS } else { RERUNS } => {
                log::debug!("run again: {fault}");
                pause(tries);
                Ok(())
            }
            Again::Reconnect if tries <= RECONNECTS => {
                log::info!("connecting again: {fault}");
                thread::sleep(Duration::from_millis(fastrand::u64(1..=200)));
                *connection = self.connect_elsewhere()?.connection;
                Ok(())
            }
            _ => Err(self.fault(fault)),
        }
    }

    /// A server that is silent, rather than gone, is not asked again where there is no other one.
    pub fn again(&self, fault: &Fault) -> Again {
        match faults::class(fault) {
            Class::Again => Again::Rerun,
            Class::Elsewhere if is_timeout(fault) && self.server.hosts.len() == 1 => Again::No,
            Class::Elsewhere => Again::Reconnect,
            Class::Away | Class::Refused | Class::Wrong => Again::No,
        }
    }

    /// Whoever the server is, and however it is reached: what it says is bounded.
    fn try_host(&self, host: &Host) -> Result<Connected, Refusal> {
        let tls = self.tls().map_err(|error| Refusal { reason: error.to_string(), away: false })?;
        let guard = Guard::connect(host, tls, CONNECT).map_err(|error| {
            let reason = match error.kind() {
                ErrorKind::TimedOut => format!("no connection within {} s", CONNECT.as_secs()),
                _ => error.to_string(),
            };
            Refusal { reason, away: true }
        })?;
        let options = guard.lead(self.options());
        match contain::catch(|| connect(options.into())) {
            Some(Ok(connected)) => {
                guard.allow(if self.patient { LONG_ANSWER } else { SHORT_ANSWER });
                self.bulk.fetch_and(guard.is_bulk(), Ordering::Relaxed);
                Ok(connected)
            }
            outcome => Err(match (guard.broken(), outcome) {
                (Some(broken), _) => {
                    let remedy = certificate_remedy(&broken.reason, &self.server.tls).unwrap_or_default();
                    Refusal { reason: broken.reason + remedy, away: broken.away }
                }
                (None, Some(Err(fault))) => Refusal { reason: self.reason(&fault), away: is_away(&fault) },
                (None, _) => Refusal { reason: SENSELESS.into(), away: true },
            }),
        }
    }

    fn tls(&self) -> Result<Option<Arc<ClientConfig>>> {
        let (proof, ca) = match &self.server.tls {
            Tls::Off => return Ok(None),
            Tls::Required(ca) => (Proof::Host, ca.as_deref()),
            Tls::VerifyCa(ca) => (Proof::Authority, Some(ca.as_path())),
        };
        tls::client(proof, ca, "ca").map(Some)
    }

    fn options(&self) -> OptsBuilder {
        let answer = self.answer();
        OptsBuilder::new()
            .user(Some(&self.user))
            .pass(Some(self.password.reveal()))
            .db_name(Some(&self.server.database))
            .prefer_socket(false)
            .tcp_connect_timeout(Some(CONNECT))
            .read_timeout(Some(answer))
            .write_timeout(Some(answer))
            .stmt_cache_size(STATEMENTS)
    }

    /// How long an answer is waited for.
    fn answer(&self) -> Duration {
        if self.patient { REPORT } else { ANSWER }
    }

    /// A fault of the server, the network or the driver, on one line.
    pub fn reason(&self, fault: &Fault) -> String {
        if is_timeout(fault) {
            return format!("no answer within {} s", self.answer().as_secs());
        }
        match fault {
            Fault::MySqlError(error) => {
                let hint = hint(error.code).map(|hint| format!(": {hint}")).unwrap_or_default();
                // MariaDB says no more than this when it wants encryption.
                let plain = error.code == 1045 && self.server.tls == Tls::Off;
                let hint =
                    if plain { hint + "; a server may also require ssl=required in the URL" } else { hint };
                format!("{} ({}){hint}", error.message, error.code)
            }
            Fault::DriverError(DriverError::ConnectTimeout) => {
                format!("no connection within {} s", CONNECT.as_secs())
            }
            Fault::DriverError(DriverError::CouldNotConnect(Some((_, error, _)))) => error.clone(),
            Fault::DriverError(error) => error.to_string(),
            other => io_fault(other).map_or_else(|| other.to_string(), ToString::to_string),
        }
    }

    /// For `map_err`.
    pub fn fault(&self, fault: &Fault) -> Error {
        let (place, reason) = (self.place.clone(), self.reason(fault));
        if is_away(fault) { Error::Away { place, reason } } else { Error::Database { place, reason } }
    }
}

/// Why a host did not let us in, and whether it may later.
struct Refusal {
    reason: String,
    away: bool,
}

/// Connects, and makes the session what we need whatever the server's defaults are.
fn connect(options: Opts) -> ::mysql::Result<Connected> {
    let mut connection = Conn::new(options)?;
    SESSION.iter().try_for_each(|statement| connection.query_drop(statement))?;
    match connection.query_drop(LIMITS) {
        Err(Fault::MySqlError(error)) if faults::class_of_code(error.code) == Class::Refused => {}
        other => other?,
    }
    connection.query_drop(READY)?;
    let facts: Option<(u64, u64)> = match connection.query_first(FACTS) {
        // A proxy may not know them.
        Err(Fault::MySqlError(error))
            if !matches!(faults::class_of_code(error.code), Class::Elsewhere | Class::Away) =>
        {
            None
        }
        other => other?,
    };
    let (max_packet, read_only) = facts.unwrap_or((1 << 20, 0));
    let max_packet = usize::try_from(max_packet).unwrap_or(usize::MAX).max(1024);
    Ok(Connected { connection, max_packet, read_only: read_only != 0 })
}

/// What helps when the server's certificate is not accepted.
fn certificate_remedy(words: &str, tls: &Tls) -> Option<&'static str> {
    let words = words.to_ascii_lowercase();
    if words.contains("notvalidforname") || words.contains("not valid for name") {
        Some(
            ": the certificate does not name this host, as one that MySQL makes for itself; \
             ssl=verify-ca&ca=FILE checks its authority only, or give the server a certificate with subjectAltName",
        )
    } else if words.contains("unsupportedcertversion") {
        Some(
            ": the server's certificate is X.509 version 1, which cannot be checked; \
             give the server one of version 3 (openssl x509 -req … -extfile FILE)",
        )
    } else if words.contains("certificate") && *tls == Tls::Required(None) {
        Some("; one that is not public needs ca=FILE in the URL")
    } else {
        None
    }
}

/// Runs a statement that alters a table. It waits for whoever reads the table, and everyone else waits behind it: so
/// it gives up soon, by 1205, and the caller tries again when the others have gone on.
pub(super) fn alter(connection: &mut Conn, statement: &str) -> ::mysql::Result<()> {
    connection.query_drop("SET SESSION lock_wait_timeout = 1")?;
    let outcome = connection.query_drop(statement);
    connection.query_drop("SET SESSION lock_wait_timeout = 5")?;
    outcome
}

/// Whether a statement gave up because others use the table.
pub(super) fn is_lock_wait(fault: &Fault) -> bool {
    matches!(fault, Fault::MySqlError(error) if error.code == 1205)
}

/// Waits before a transaction is run again, longer each time.
pub(super) fn pause(tries: u32) {
    thread::sleep(Duration::from_millis(fastrand::u64(1..=20 << tries)));
}

/// What may be done about a fault within a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// Nothing.
    No,
    /// The whole transaction, on the same connection: deadlock, lock wait.
    Rerun,
    /// The whole transaction, on a new connection.
    Reconnect,
}
