//! A connection to the first server that answers, with a time-out on everything, and what the
//! server's faults are in our words.

use std::{
    io::{self, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    time::Duration,
};

use ::mysql::{Conn, DriverError, Error as Fault, Opts, OptsBuilder, SslOpts};

use crate::{
    error::{Error, Result},
    settings::Secret,
    store::{Host, Server, Tls},
};

const CONNECT: Duration = Duration::from_secs(10);
/// Longer than the server may wait for a lock, so that it is the server that tells us.
const ANSWER: Duration = Duration::from_secs(30);
/// A report over millions of rows may be sorted before its first row comes.
const REPORT: Duration = Duration::from_secs(300);
/// Every statement for storing stays prepared: one per power of two and table.
const STATEMENTS: usize = 64;

/// Strict, in UTC, not waiting for ever; idle between two scans without being thrown out.
const SESSION: &str = "SET SESSION time_zone = '+00:00', \
     sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
     wait_timeout = 86400, net_write_timeout = 600, innodb_lock_wait_timeout = 10, lock_wait_timeout = 10";

/// Where and as whom to connect, again and again.
pub(super) struct Connector {
    pub server: Server,
    pub user: String,
    pub password: Secret,
    /// For reports, which wait longer.
    pub patient: bool,
    /// Its name for messages.
    pub place: String,
}

impl Connector {
    /// Connects to the first host that lets us in.
    ///
    /// # Errors
    /// [`Error::Database`] with what each host said.
    pub fn connect(&self) -> Result<Conn> {
        let mut faults = Vec::new();
        for host in &self.server.hosts {
            match self.try_host(host) {
                Ok(connection) => return Ok(connection),
                Err(reason) => faults.push(format!("{host}: {reason}")),
            }
        }
        Err(Error::Database {
            place: self.place.clone(),
            reason: format!("no connection: {}", faults.join("; ")),
        })
    }

    /// The driver gives up at the first address of a name that does not answer, but tries them all
    /// within a family that it is bound to.
    fn try_host(&self, host: &Host) -> Result<Conn, String> {
        let addresses: Vec<_> = (host.name.as_str(), host.port)
            .to_socket_addrs()
            .map_err(|e| format!("the name cannot be resolved: {e}"))?
            .collect();
        let mut last = "the name has no address".to_owned();
        for family in [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)] {
            if addresses.iter().any(|address| address.is_ipv4() == family.is_ipv4()) {
                match Conn::new(self.options(host, family)) {
                    Ok(connection) => return Ok(connection),
                    Err(fault) => last = self.reason(&fault),
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
            .init(vec![SESSION])
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
        Error::Database { place: self.place.clone(), reason: self.reason(fault) }
    }
}

/// What helps against the faults that are met in practice.
fn hint(code: u16) -> Option<&'static str> {
    Some(match code {
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
    /// A server that is silent, rather than gone, is not asked again.
    pub fn after(fault: &Fault) -> Self {
        match fault {
            _ if is_timeout(fault) => Again::No,
            Fault::MySqlError(error) => match error.code {
                1205 | 1213 => Again::Rerun,
                // Galera not ready, shutdown, killed, gone, lost.
                1047 | 1053 | 1927 | 2006 | 2013 => Again::Reconnect,
                _ => Again::No,
            },
            Fault::IoError(_) | Fault::CodecError(_) => Again::Reconnect,
            _ => Again::No,
        }
    }
}
