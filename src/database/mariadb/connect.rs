//! A connection to the first server that answers, with a time-out on everything, and what the
//! server's faults are in our words.

use std::{
    io::{self, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use ::mysql::{Conn, DriverError, Error as Fault, Opts, OptsBuilder, SslOpts};

use crate::{
    database::{Host, Server, Tls},
    error::{Error, Result},
    settings::Secret,
};

const CONNECT: Duration = Duration::from_secs(10);
/// Longer than the server may wait for a lock, so that it is the server that tells us.
const ANSWER: Duration = Duration::from_secs(30);
/// A report over millions of rows may be sorted before its first row comes.
const REPORT: Duration = Duration::from_secs(300);
/// Times that a transaction is run again after a deadlock.
pub(super) const RERUNS: u32 = 6;
/// Times that a lost connection is made again for one transaction.
const RECONNECTS: u32 = 2;
/// Every statement for storing stays prepared: one per power of two and table.
const STATEMENTS: usize = 64;

/// Strict, in UTC, not waiting for ever; idle between two scans without being thrown out.
const SESSION: &str = "SET SESSION time_zone = '+00:00', \
     sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
     wait_timeout = 86400, net_write_timeout = 600, innodb_lock_wait_timeout = 10, lock_wait_timeout = 10";

/// A node of a cluster that is not ready lets us in, and answers this by 1047.
const READY: &str = "SELECT 1";

/// Where and as whom to connect, again and again.
pub(super) struct Connector {
    pub server: Server,
    pub user: String,
    pub password: Secret,
    /// For reports, which wait longer.
    pub patient: bool,
    /// Its name for messages.
    pub place: String,
    /// The host that is tried first.
    pub first: AtomicUsize,
}

impl Connector {
    /// Connects to the first host that lets us in, beginning with the one that did so last.
    ///
    /// # Errors
    /// What each host said: [`Error::Away`], unless every one of them turned us away for good.
    pub fn connect(&self) -> Result<Conn> {
        let hosts = &self.server.hosts;
        let first = self.first.load(Ordering::Relaxed);
        let (mut faults, mut away) = (Vec::new(), false);
        for at in (0..hosts.len()).map(|n| (first + n) % hosts.len()) {
            match self.try_host(&hosts[at]) {
                Ok(connection) => {
                    self.first.store(at, Ordering::Relaxed);
                    return Ok(connection);
                }
                Err(refusal) => {
                    away |= refusal.away;
                    faults.push(format!("{}: {}", hosts[at], refusal.reason));
                }
            }
        }
        let (place, reason) = (self.place.clone(), format!("no connection: {}", faults.join("; ")));
        Err(if away { Error::Away { place, reason } } else { Error::Database { place, reason } })
    }

    /// As [`Connector::connect`], but the present host comes last: it is not ready, silent or gone.
    pub fn connect_elsewhere(&self) -> Result<Conn> {
        let next = (self.first.load(Ordering::Relaxed) + 1) % self.server.hosts.len();
        self.first.store(next, Ordering::Relaxed);
        self.connect()
    }

    /// Gets ready to run a transaction again after a fault, or gives up with it.
    pub fn recover(&self, connection: &mut Conn, fault: &Fault, tries: u32) -> Result<()> {
        match Again::after(fault, self.server.hosts.len()) {
            Again::Rerun if tries <= RERUNS => {
                log::debug!("run again: {fault}");
                thread::sleep(Duration::from_millis(fastrand::u64(1..=20 << tries)));
                Ok(())
            }
            Again::Reconnect if tries <= RECONNECTS => {
                log::info!("connecting again: {fault}");
                thread::sleep(Duration::from_millis(fastrand::u64(1..=200)));
                *connection = self.connect_elsewhere()?;
                Ok(())
            }
            _ => Err(self.fault(fault)),
        }
    }

    /// The driver gives up at the first address of a name that does not answer, but tries them all
    /// within a family that it is bound to.
    fn try_host(&self, host: &Host) -> Result<Conn, Refusal> {
        let refusal = |reason: String| Refusal { reason, away: true };
        let addresses: Vec<_> = (host.name.as_str(), host.port)
            .to_socket_addrs()
            .map_err(|e| refusal(format!("the name cannot be resolved: {e}")))?
            .collect();
        let mut last = refusal("the name has no address".to_owned());
        for family in [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)] {
            if addresses.iter().any(|address| address.is_ipv4() == family.is_ipv4()) {
                match Conn::new(self.options(host, family)) {
                    Ok(connection) => return Ok(connection),
                    Err(fault) => last = Refusal { reason: self.reason(&fault), away: is_away(&fault) },
                }
            }
        }
        Err(last)
    }

    fn options(&self, host: &Host, family: IpAddr) -> Opts {
        let tls = match &self.server.tls {
            Tls::Off => None,
            Tls::Required(ca) => Some(SslOpts::default().with_root_cert_path(ca.clone())),
        };
        let answer = if self.patient { REPORT } else { ANSWER };
        OptsBuilder::new()
            .ip_or_hostname(Some(&host.name))
            .tcp_port(host.port)
            .bind_address(Some(SocketAddr::new(family, 0)))
            .user(Some(&self.user))
            .pass(Some(self.password.reveal()))
            .db_name(Some(&self.server.database))
            .prefer_socket(false)
            .tcp_connect_timeout(Some(CONNECT))
            .read_timeout(Some(answer))
            .write_timeout(Some(answer))
            .tcp_keepalive_time_ms(Some(60_000))
            .ssl_opts(tls)
            .stmt_cache_size(STATEMENTS)
            .init(vec![SESSION, READY])
            .into()
    }

    /// A fault of the server, the network or the driver, on one line.
    pub fn reason(&self, fault: &Fault) -> String {
        if is_timeout(fault) {
            return format!("no answer within {} s", if self.patient { REPORT } else { ANSWER }.as_secs());
        }
        match fault {
            Fault::MySqlError(error) => {
                let hint = hint(error.code).map(|hint| format!(": {hint}")).unwrap_or_default();
                format!("{} ({}){hint}", error.message, error.code)
            }
            Fault::DriverError(DriverError::ConnectTimeout) => {
                format!("no connection within {} s", CONNECT.as_secs())
            }
            Fault::DriverError(DriverError::CouldNotConnect(Some((_, error, _)))) => error.clone(),
            Fault::DriverError(DriverError::TlsNotSupported) => "the server does not offer TLS".into(),
            Fault::DriverError(error) => error.to_string(),
            other => {
                let words = io_fault(other).map_or_else(|| other.to_string(), ToString::to_string);
                let untrusted = self.server.tls == Tls::Required(None) && words.contains("certificate");
                let remedy = if untrusted { "; one that is not public needs ca=FILE in the URL" } else { "" };
                words + remedy
            }
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

/// Whether the fault is one of the server or the network as it is now, rather than of what we asked.
pub(super) fn is_away(fault: &Fault) -> bool {
    match fault {
        Fault::IoError(error) if error.kind() == ErrorKind::InvalidData => false,
        Fault::MySqlError(error) => {
            matches!(
                error.code,
                // Disk full, log full, table full.
                1021 | 1026 | 1114
                // Too many connections, out of memory.
                | 1037 | 1038 | 1040 | 1041 | 1203
                // Galera not ready, shutdown, killed, network.
                | 1047 | 1053 | 1077..=1080 | 1158..=1161 | 1184 | 1927
                // Busy: lock wait, deadlock, interrupted statement.
                | 1205 | 1213 | 1317 | 1969
                // Read-only.
                | 1290 | 1792 | 1836 | 4031
                // Gone, lost.
                | 2002 | 2003 | 2006 | 2013
            ) || full_disk(&error.message)
        }
        Fault::DriverError(error) => !matches!(error, DriverError::TlsNotSupported),
        Fault::IoError(_) | Fault::CodecError(_) => true,
        _ => false,
    }
}

/// The storage engine hands on the system's own fault (1030 and others).
fn full_disk(message: &str) -> bool {
    ["No space left on device", "Disk full", "error 28 "].iter().any(|words| message.contains(words))
}

/// What helps against the faults that are met in practice.
fn hint(code: u16) -> Option<&'static str> {
    Some(match code {
        1062 => "the table has been migrated, or its id column is at its end",
        167 | 1467 => "the id column is at its end; make it BIGINT UNSIGNED",
        1045 => "is ACCESS_PASSWORD right?",
        1049 => "make it with CREATE DATABASE",
        1205 => "another connection holds the lock",
        1290 | 1836 => "the server is read-only",
        1526 => "a partition is missing; mod-store --init makes it",
        _ => return None,
    })
}

/// The fault of the connection itself, which the driver wraps in two ways.
fn io_fault(fault: &Fault) -> Option<&io::Error> {
    match fault {
        Fault::IoError(error) => Some(error),
        Fault::CodecError(error) => std::error::Error::source(error)?.downcast_ref(),
        _ => None,
    }
}

/// Whether the server was silent for too long.
fn is_timeout(fault: &Fault) -> bool {
    io_fault(fault).is_some_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
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

impl Again {
    /// A server that is silent, rather than gone, is not asked again where there is no other one.
    pub fn after(fault: &Fault, hosts: usize) -> Self {
        match fault {
            _ if is_timeout(fault) => {
                if hosts > 1 {
                    Again::Reconnect
                } else {
                    Again::No
                }
            }
            Fault::MySqlError(error) => match error.code {
                1205 | 1213 => Again::Rerun,
                // Galera not ready, shutdown, killed, gone, lost.
                1047 | 1053 | 1927 | 2006 | 2013 => Again::Reconnect,
                _ => Again::No,
            },
            // What was said is wrong: a certificate, a count.
            Fault::IoError(error) if error.kind() == ErrorKind::InvalidData => Again::No,
            Fault::IoError(_) | Fault::CodecError(_) => Again::Reconnect,
            _ => Again::No,
        }
    }
}
