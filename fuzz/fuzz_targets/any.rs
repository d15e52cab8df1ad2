//! One program for all targets, so that it is built once. FUZZ_TARGET names the one that a run is about.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use modtools::{
    database::fuzz::database_answers,
    fetch::fuzz::{exchange, inventory},
    fuzz::Property,
    mail::fuzz::mail_answers,
    measure::fuzz::{day, table},
    parse::fuzz::{pasted, stream},
    record::fuzz::records,
    report::fuzz::report,
    settings::fuzz::env_file,
    snmp::fuzz::snmp_replies,
    ssh::fuzz::{known_hosts, server},
    text::fuzz::cleaner,
};

const TARGETS: [(&str, Property); 15] = [
    ("cleaner", cleaner),
    ("database_answers", database_answers),
    ("day", day),
    ("env_file", env_file),
    ("exchange", exchange),
    ("inventory", inventory),
    ("known_hosts", known_hosts),
    ("mail_answers", mail_answers),
    ("pasted", pasted),
    ("records", records),
    ("report", report),
    ("server", server),
    ("snmp_replies", snmp_replies),
    ("stream", stream),
    ("table", table),
];

static TARGET: LazyLock<Property> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|(target, _)| *target == name);
    found.unwrap_or_else(|| panic!("FUZZ_TARGET={name:?} is none of {:?}", TARGETS.map(|(name, _)| name))).1
});

fuzz_target!(|bytes: &[u8]| TARGET(bytes));
