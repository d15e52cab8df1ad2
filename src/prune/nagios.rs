//! `--status --nagios`: one line for a monitoring plugin, with perfdata; 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.

use std::io::Write;

use super::{request::Request, status};
use crate::{
    cli,
    database::{self, Access},
    error::{Error, Result},
    exit::Exit,
    record::Health,
    stage::Context,
    text,
};

/// Looks at all tables and says the gravest of what there is to say.
///
/// # Errors
/// A fault in the settings or of the output; a database that cannot be used is CRITICAL.
pub fn run(
    request: &Request,
    context: &Context,
    flags: &cli::Database,
    output: &mut dyn Write,
) -> Result<Exit> {
    let looked = database::open(flags, context, Access::Read)
        .and_then(|mut database| status::statuses(request, &mut *database));
    let (word, exit, line) = match looked {
        Err(error @ (Error::Database { .. } | Error::Away { .. })) => {
            ("CRITICAL", Exit::Usage, error.to_string())
        }
        Err(error) => ("UNKNOWN", Exit::Partial, error.to_string()),
        Ok(statuses) => {
            let health = statuses.iter().map(|status| status.health).max().unwrap_or_default();
            let reasons: Vec<_> = statuses.iter().flat_map(|status| status.reasons.iter().cloned()).collect();
            let said = if reasons.is_empty() { "all tables are well".to_owned() } else { reasons.join("; ") };
            let mut figures: Vec<String> = Vec::new();
            for status in &statuses {
                figures.push(format!("{}_rows={}", status.table, status.rows));
                figures.push(format!("{}_bytes={}B", status.table, status.bytes));
                if let Some(oldest) = status.oldest.filter(|_| status.retention.is_some()) {
                    figures.push(format!("oldest={}s", request.now.since(oldest)));
                }
                if let Some(id) = &status.id {
                    figures.push(format!("id_used={}%;80;95;0;100", id.used_pct));
                }
            }
            let (word, exit) = match health {
                Health::Healthy => ("OK", Exit::Done),
                Health::Warning => ("WARNING", Exit::Failed),
                Health::Critical => ("CRITICAL", Exit::Usage),
            };
            (word, exit, format!("{said} | {}", figures.join(" ")))
        }
    };
    writeln!(output, "MOD-PRUNE {word} - {}", text::terminal(&line)).map_err(Error::output)?;
    Ok(exit)
}
