//! `--check`: what there is, as a table for people, and what is missing, with its remedy.

use std::io::Write;

use super::spool::Spool;
use crate::{
    database::{Database, Inspection},
    error::{Error, Result},
    exit::Exit,
    record::Timestamp,
    text,
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
    let rows: Vec<_> =
        std::iter::once(("database", place)).chain(facts).chain(waiting).chain(missing).collect();
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    for (name, value) in rows {
        writeln!(output, "{name:width$}  {}", text::terminal(value)).map_err(Error::output)?;
    }
    Ok(if found.missing.is_empty() { Exit::Done } else { Exit::Partial })
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
