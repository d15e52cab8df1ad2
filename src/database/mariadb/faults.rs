//! What each fault of a server means for us: one table by code, for MariaDB, MySQL, Galera, Group Replication, ProxySQL
//! and TiDB. The tests hold each entry with a fake server that answers it at connect, in a statement and at commit.

use std::io::{self, ErrorKind};

use ::mysql::{DriverError, Error as Fault};

/// What is to be done about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Run the whole transaction again on the same connection.
    Again,
    /// Connect to the next host and run the transaction there: this one is read-only, not ready or going down.
    Elsewhere,
    /// Wait: the database cannot be used for now. Samples go to the spool.
    Away,
    /// The server refuses this group; others may pass.
    Refused,
    /// The account or the settings are wrong.
    Wrong,
}

/// The parameters of many rows in one request are not taken, because the server logs statements, not rows.
pub(super) const NO_BULK: u16 = 4033;

use Class::{Again, Away, Elsewhere, Refused, Wrong};

/// Every code that is met in practice. A code that is not listed is [`Class::Refused`].
pub const FAULTS: &[(u16, Class, &str)] = &[
    (1020, Again, "record changed since it was read (innodb_snapshot_isolation)"),
    (1205, Again, "lock wait timeout"),
    (1213, Again, "deadlock, or a certification conflict in Galera"),
    (1317, Again, "statement interrupted"),
    (1614, Again, "XA transaction rolled back by a deadlock"),
    (3101, Again, "Group Replication rolled the transaction back"),
    (3572, Again, "lock not free (NOWAIT)"),
    (NO_BULK, Again, "MariaDB: a log of statements does not take many rows in one request"),
    (8002, Again, "TiDB: write conflict of SELECT FOR UPDATE"),
    (8005, Again, "TiDB: write conflict, stale transaction"),
    (8022, Again, "TiDB: commit failed and rolled back"),
    (8028, Again, "TiDB: the schema changed"),
    (9007, Again, "TiDB: write conflict"),
    (1047, Elsewhere, "Galera: not ready"),
    (1053, Elsewhere, "shutdown in progress"),
    (1077, Elsewhere, "normal shutdown"),
    (1078, Elsewhere, "got a signal"),
    (1079, Elsewhere, "shutdown complete"),
    (1080, Elsewhere, "closing the connection"),
    (1152, Elsewhere, "connection aborted"),
    (1158, Elsewhere, "network: read"),
    (1159, Elsewhere, "network: read timeout"),
    (1160, Elsewhere, "network: write"),
    (1161, Elsewhere, "network: write timeout"),
    (1184, Elsewhere, "connection aborted"),
    (1290, Elsewhere, "read-only by an option"),
    (1792, Elsewhere, "read-only transaction"),
    (1836, Elsewhere, "read-only mode"),
    (1927, Elsewhere, "connection killed"),
    (2002, Elsewhere, "proxy: no connection"),
    (2003, Elsewhere, "proxy: no connection"),
    (2006, Elsewhere, "server gone"),
    (2013, Elsewhere, "connection lost"),
    (3032, Elsewhere, "offline mode"),
    (3098, Elsewhere, "Group Replication: the table does not comply"),
    (3100, Elsewhere, "Group Replication: the member is in error or has no majority"),
    (3168, Elsewhere, "server not available"),
    (3169, Elsewhere, "session killed"),
    (4031, Elsewhere, "disconnected because of inactivity"),
    (1021, Away, "disk full"),
    (1026, Away, "error writing a file"),
    (1037, Away, "out of memory"),
    (1038, Away, "out of sort memory"),
    (1040, Away, "too many connections"),
    (1041, Away, "out of resources"),
    (1042, Away, "the server cannot resolve our host name"),
    (1043, Away, "bad handshake"),
    (1114, Away, "table full"),
    (1129, Away, "our host is blocked because of connection errors"),
    (1135, Away, "no new thread"),
    (1203, Away, "too many connections of this account"),
    (1206, Away, "too many locks"),
    (1226, Away, "a limit of this account is reached"),
    (1637, Away, "too many transactions"),
    (1969, Away, "MariaDB: max_statement_time reached"),
    (3024, Away, "MySQL: max_execution_time reached"),
    (9001, Away, "ProxySQL: no server answered in time; TiDB: PD timeout"),
    (9002, Away, "TiKV timeout"),
    (9003, Away, "TiKV busy"),
    (9004, Away, "TiKV: lock not resolved"),
    (9005, Away, "TiKV: region unavailable"),
    (167, Refused, "out of range"),
    (1048, Refused, "a column cannot be NULL"),
    (1062, Refused, "duplicate entry"),
    (1153, Refused, "packet too large"),
    (1264, Refused, "out of range"),
    (1292, Refused, "wrong value"),
    (1366, Refused, "wrong value for the character set"),
    (1406, Refused, "too long"),
    (1452, Refused, "a foreign key"),
    (1467, Refused, "no next id"),
    (1526, Refused, "no partition"),
    (1644, Refused, "refused by a trigger"),
    (3819, Refused, "a check constraint"),
    (4025, Refused, "a check constraint"),
    (1044, Wrong, "no right on the database"),
    (1045, Wrong, "wrong account or password"),
    (1049, Wrong, "unknown database"),
    (1054, Wrong, "unknown column"),
    (1064, Wrong, "syntax"),
    (1130, Wrong, "our host may not connect"),
    (1142, Wrong, "no right on the table"),
    (1143, Wrong, "no right on the column"),
    (1146, Wrong, "no such table"),
    (1227, Wrong, "a special right is missing"),
    (1251, Wrong, "the account needs another way to log in"),
    (1524, Wrong, "the account's plugin is not loaded"),
    (1698, Wrong, "wrong account or password"),
    (1820, Wrong, "the password must be changed first"),
    (1862, Wrong, "the password has expired"),
    (3118, Wrong, "account locked"),
    (3159, Wrong, "only encrypted connections"),
    (4151, Wrong, "account locked"),
];

/// What a code of the server means.
#[must_use]
pub fn class_of_code(code: u16) -> Class {
    FAULTS.iter().find(|(listed, ..)| *listed == code).map_or(Refused, |&(_, class, _)| class)
}

/// What a fault of the server, the network or the driver means.
pub(super) fn class(fault: &Fault) -> Class {
    match fault {
        Fault::MySqlError(error) if full_disk(&error.message) => Away,
        Fault::MySqlError(error) => class_of_code(error.code),
        Fault::DriverError(DriverError::PacketTooLarge) => Refused,
        // An answer that the driver does not understand.
        Fault::DriverError(_) | Fault::FromValueError(_) | Fault::FromRowError(_) => Away,
        Fault::UrlError(_) => Wrong,
        Fault::IoError(_) => Elsewhere,
        Fault::CodecError(_) if io_fault(fault).is_some() => Elsewhere,
        Fault::CodecError(error) if is_too_large(error) => Refused,
        Fault::CodecError(_) => Away,
    }
}

fn is_too_large(error: &(impl std::error::Error + ?Sized)) -> bool {
    error.to_string().to_ascii_lowercase().contains("too large")
}

/// Whether the database cannot be used for now, rather than refuses what we ask.
pub(super) fn is_away(fault: &Fault) -> bool {
    matches!(class(fault), Again | Elsewhere | Away)
}

/// The storage engine passes on the fault of the operating system (1030 and others).
fn full_disk(message: &str) -> bool {
    ["No space left on device", "Disk full", "error 28 "].iter().any(|words| message.contains(words))
}

/// What helps against the faults that are met in practice.
pub(super) fn hint(code: u16) -> Option<&'static str> {
    Some(match code {
        1062 => "the table has been migrated, or its id column is at its end",
        167 | 1467 => "the id column is at its end; make it BIGINT UNSIGNED",
        1021 => "the disk is full",
        1045 | 1698 => "check ACCESS_USER and ACCESS_PASSWORD",
        1049 => "make it with CREATE DATABASE",
        1129 => "FLUSH HOSTS, or mariadb-admin flush-hosts, lets us in again",
        1205 => "another connection holds the lock",
        1226 | 1203 => "the account's limit; ALTER USER changes it",
        1290 | 1792 | 1836 => "the server is read-only",
        1526 => "a partition is missing; mod-store --init makes it",
        3159 => "set ssl=required in the URL",
        _ => return None,
    })
}

/// The fault of the connection itself, which the driver wraps in two ways.
pub(super) fn io_fault(fault: &Fault) -> Option<&io::Error> {
    match fault {
        Fault::IoError(error) => Some(error),
        Fault::CodecError(error) => std::error::Error::source(error)?.downcast_ref(),
        _ => None,
    }
}

/// Whether the server was silent for too long.
pub(super) fn is_timeout(fault: &Fault) -> bool {
    io_fault(fault).is_some_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_is_listed_twice() {
        let mut codes: Vec<u16> = FAULTS.iter().map(|&(code, ..)| code).collect();
        codes.sort_unstable();
        let listed = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), listed);
    }
}
