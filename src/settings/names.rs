//! Every name that a setting can have, once: what is kept from children, what the manual lists, and what an env
//! file may hold are read off here. A test finds each name that the source reads, and holds it against this.

/// What a setting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Read as it stands.
    Value,
    /// A secret: NAME_FILE and a credential come first, and no child process gets it.
    Secret,
    /// Passed on by the scripts in examples/.
    Script,
    /// Set by the system or by another program, not by an env file.
    Environment,
    /// Of the program that this one replaces; known, and without effect.
    Retired,
}

use Kind::{Environment, Retired, Script, Secret, Value};

/// All names, by what they are about.
pub const ALL: &[(&str, Kind)] = &[
    // The devices
    ("CCAP_USER", Value),
    ("CCAP_PASSWORD", Secret),
    ("CCAP_IDENTITY", Value),
    ("CCAP_PASSPHRASE", Secret),
    ("CCAP_LOCAL_PASSWORD", Secret),
    ("CCAP_ENABLE_PASSWORD", Secret),
    ("CCAP_JUMP", Value),
    ("CCAP_KNOWN_HOSTS", Value),
    ("SNMP_COMMUNITY", Secret),
    ("SNMP_USER", Value),
    ("SNMP_AUTH", Value),
    ("SNMP_AUTH_PASSWORD", Secret),
    ("SNMP_PRIV", Value),
    ("SNMP_PRIV_PASSWORD", Secret),
    ("MODTOOLS_NAMES", Value),
    ("DEBUG_CCAP0", Value),
    ("DEBUG_CCAP1", Value),
    ("DEBUG_CCAP2", Value),
    ("DEBUG_SNMP", Value),
    // The database
    ("MODTOOLS_DB", Value),
    ("MODTOOLS_TABLE", Value),
    ("ACCESS_HOST", Value),
    ("ACCESS_PORT", Value),
    ("ACCESS_DATABASE", Value),
    ("ACCESS_USER", Value),
    ("ACCESS_PASSWORD", Secret),
    ("ACCESS_POOL_SIZE", Value),
    ("DATA_RETENTION_DAYS", Value),
    ("CLEANUP_BATCH_SIZE", Value),
    ("ENABLE_AUTO_CLEANUP", Value),
    ("ENABLE_ID_RESET", Value),
    ("ID_RESET_THRESHOLD", Value),
    // The report
    ("MODTOOLS_TZ", Value),
    ("MODTOOLS_EXPECTED", Value),
    ("MODTOOLS_EXPECTED_DAYS", Value),
    ("MODTOOLS_NODES", Value),
    ("MODTOOLS_PAGE_URL", Value),
    ("MODTOOLS_LANG", Value),
    ("REPORT_OUTPUT_DIR", Value),
    ("HOUSEKEEPING_DAYS", Value),
    ("WEB_SERVER", Value),
    ("WEB_PATH", Value),
    ("ENABLE_WEB_DEPLOYMENT", Value),
    // Mail
    ("FROM_EMAIL", Value),
    ("TO_EMAILS", Value),
    ("SMTP_HOST", Value),
    ("SMTP_PORT", Value),
    ("SMTP_TLS", Value),
    ("SMTP_CA_FILE", Value),
    ("SMTP_HELO", Value),
    ("SMTP_USER", Value),
    ("SMTP_PASSWORD", Secret),
    ("ENABLE_EMAIL_REPORTS", Value),
    // The supervisor
    ("MODTOOLS_RUN_DIR", Value),
    // All tools
    ("FERNET_KEY", Secret),
    // The scripts
    ("MODTOOLS_REPORT", Script),
    ("MODTOOLS_DEPLOY", Script),
    ("MODTOOLS_MAIL", Script),
    ("MODTOOLS_EVENTS", Script),
    ("MODTOOLS_GAUGES", Script),
    ("MODTOOLS_BRAND", Script),
    ("MODTOOLS_INVENTORY", Script),
    ("MODTOOLS_EVERY", Script),
    ("MODTOOLS_FETCH", Script),
    ("MODTOOLS_HOME", Script),
    ("MODTOOLS_LIB", Script),
    ("MODTOOLS_LOCK_WAIT", Script),
    ("MODTOOLS_LOG", Script),
    ("MODTOOLS_RUN", Script),
    ("MODTOOLS_WEB", Script),
    ("INVENTORY_CACERT", Script),
    ("INVENTORY_JQ", Script),
    ("INVENTORY_MIN_PCT", Script),
    // Given to the command of mod-watch --on-failure
    ("MODTOOLS_NAME", Environment),
    ("MODTOOLS_REASON", Environment),
    ("CREDENTIALS_DIRECTORY", Environment),
    ("HOME", Environment),
    ("NO_COLOR", Environment),
    ("NOTIFY_SOCKET", Environment),
    ("PATH", Environment),
    ("RUST_LOG", Environment),
    ("SSH_AUTH_SOCK", Environment),
    ("STATE_DIRECTORY", Environment),
    ("TERM", Environment),
    ("TZ", Environment),
    ("WATCHDOG_PID", Environment),
    ("WATCHDOG_USEC", Environment),
    ("XDG_RUNTIME_DIR", Environment),
    ("XDG_STATE_HOME", Environment),
    ("CACHE_DURATION_HOURS", Retired),
    ("CLEANUP_SCHEDULE_HOUR", Retired),
    ("ENABLE_REPORT_CACHE", Retired),
    ("REPORTING_HOST", Retired),
    ("REPORTING_PORT", Retired),
    ("REPORTING_DATABASE", Retired),
    ("REPORTING_USER", Retired),
    ("REPORTING_PASSWORD", Retired),
    ("REPORTING_POOL_SIZE", Retired),
];

/// What a name is; none for one that no tool knows. NAME_FILE of a secret is known with it.
#[must_use]
pub fn kind(name: &str) -> Option<Kind> {
    let find = |name: &str| ALL.iter().find(|(known, _)| *known == name).map(|&(_, kind)| kind);
    let of_file = || name.strip_suffix("_FILE").and_then(find).filter(|&kind| kind == Secret).map(|_| Value);
    find(name).or_else(of_file)
}

/// The names of secrets.
pub fn secrets() -> impl Iterator<Item = &'static str> {
    ALL.iter().filter(|(_, kind)| *kind == Secret).map(|&(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_once_and_a_secret_has_its_file() {
        for (at, (name, _)) in ALL.iter().enumerate() {
            assert!(ALL[..at].iter().all(|(other, _)| other != name), "{name} stands twice");
        }
        assert_eq!((kind("SMTP_PASSWORD_FILE"), kind("SMTP_HOST_FILE")), (Some(Value), None));
        assert!(
            secrets().all(|name| name == "FERNET_KEY" || name == "SNMP_COMMUNITY" || name.contains("_PASS"))
        );
    }
}
