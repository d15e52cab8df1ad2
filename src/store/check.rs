//! `--check`: what there is, as a table for people, and what is missing, with its remedy.

use std::io::Write;

use super::spool::Spool;
use crate::{
    database::Database,
    error::{Error, Result},
    exit::Exit,
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
