//! `--check`: what there is, as a table for people, and what is missing, with its remedy.

use std::io::Write;

use super::spool::Spool;
use crate::{
    database::{Database, Inspection},
    error::{Error, Result},
    exit::Exit,
    openmetrics::{self, Metric},
    record::Timestamp,
    text::{
        self,
        table::{self, Column},
    },
};

/// Looks at a database, and at the spool before it, and shows what was found.
pub(super) fn run(
    database: &mut dyn Database,
    spool: Option<&Spool>,
    output: &mut dyn Write,
) -> Result<Exit> {
    let found = database.inspect()?;
    let place = database.place();
    let missing = found.missing.iter().map(|item| ("missing", item.as_str()));
    let facts = found.facts.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let waiting = spool.map(|spool| match spool.is_empty() {
        true => format!("{}: nothing waits", spool.place()),
        false => format!("{}: {} wait", spool.place(), spool.depth()),
    });
    let waiting = waiting.as_deref().map(|waiting| ("spool", waiting));
    let rows = std::iter::once(("database", place)).chain(facts).chain(waiting).chain(missing);
    let rows: Vec<_> =
        rows.map(|(name, value)| vec![name.to_owned(), text::terminal(value).into_owned()]).collect();
    for line in table::lines(&[Column::Left(0); 2], &rows, 2) {
        writeln!(output, "{line}").map_err(Error::output)?;
    }
    Ok(if found.missing.is_empty() { Exit::Done } else { Exit::Partial })
}

/// Gauges: of the spool in any case, of the database when it answers.
pub(super) fn prom(
    database: Result<Box<dyn Database>>,
    spool: Option<&Spool>,
    now: Timestamp,
    output: &mut dyn Write,
) -> Result<Exit> {
    let looked = database.and_then(|mut database| Ok((database.inspect()?, database.newest()?)));
    let mut metrics = Vec::new();
    let mut gauge = |name: &'static str, help: &str, value: Option<i64>| {
        let mut metric = Metric::new(name, help);
        value.iter().for_each(|value| metric.value(&[], value));
        metrics.push(metric);
    };
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    gauge("modtools_database_up", "Whether the database can be used, 0 or 1.", Some(looked.is_ok().into()));
    let found = looked.as_ref().ok();
    let missing = found.map(|(found, _)| count(found.missing.len() as u64));
    gauge("modtools_database_missing", "Tables, columns and rights that are missing.", missing);
    let newest = found.and_then(|(_, newest)| *newest);
    let age = newest.map(|newest| now.since(newest).max(0));
    gauge(
        "modtools_newest_sample_timestamp_seconds",
        "Time of the newest sample.",
        newest.map(|newest| newest.0),
    );
    gauge("modtools_newest_sample_age_seconds", "Since then.", age);
    if let Some(spool) = spool {
        let depth = spool.depth();
        let oldest = depth.oldest.map_or(0, |oldest| now.since(oldest).max(0));
        gauge(
            "modtools_spool_files",
            "Files that wait in the spool.",
            Some(count(spool.entries().count() as u64)),
        );
        gauge("modtools_spool_samples", "Samples in them.", Some(count(depth.samples)));
        gauge("modtools_spool_bytes", "Bytes of them.", Some(count(depth.bytes)));
        gauge(
            "modtools_spool_oldest_age_seconds",
            "Since the first of them was spooled; 0: nothing waits.",
            Some(oldest),
        );
    }
    openmetrics::write(&metrics, output).map_err(Error::output)?;
    looked.map(|(found, _)| if found.missing.is_empty() { Exit::Done } else { Exit::Partial })
}

/// One line for a monitoring plugin, with perfdata: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. A database that cannot be
/// used is CRITICAL.
pub(super) fn nagios(
    database: Result<Box<dyn Database>>,
    spool: Option<&Spool>,
    now: Timestamp,
    output: &mut dyn Write,
) -> Result<Exit> {
    let looked = database.and_then(|mut database| {
        let newest = database.newest().ok().flatten();
        Ok((database.inspect()?, newest))
    });
    let (word, exit, line) = match looked {
        Err(error @ (Error::Database { .. } | Error::Away { .. })) => {
            ("CRITICAL", Exit::Usage, error.to_string())
        }
        Err(error) => ("UNKNOWN", Exit::Partial, error.to_string()),
        Ok((Inspection { missing, .. }, newest)) => {
            let mut figures = vec![format!("missing={}", missing.len())];
            figures.extend(newest.map(|newest| format!("newest_sample={}s", now.since(newest).max(0))));
            if let Some(depth) = spool.map(Spool::depth) {
                figures.push(format!("spool_samples={}", depth.samples));
                figures.push(format!("spool_bytes={}B", depth.bytes));
            }
            let waits = spool.filter(|spool| !spool.is_empty());
            let waits = waits.map(|spool| format!("{} wait in the spool", spool.depth()));
            let said: Vec<_> = missing.iter().map(|item| format!("missing: {item}")).chain(waits).collect();
            let (word, exit) = if said.is_empty() { ("OK", Exit::Done) } else { ("WARNING", Exit::Failed) };
            let said = if said.is_empty() { "nothing is missing".to_owned() } else { said.join("; ") };
            (word, exit, format!("{said} | {}", figures.join(" ")))
        }
    };
    writeln!(output, "MOD-STORE {word} - {}", text::terminal(&line)).map_err(Error::output)?;
    Ok(exit)
}
