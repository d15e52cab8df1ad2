//! `--status`: how each table is, as a table for people and as records for programs.

use std::io::Write;

use super::{AHEAD_S, gauges, id, request::Request};
use crate::{
    database::{Database, TableState},
    error::{Error, Result},
    exit::Exit,
    openmetrics,
    record::{self, Health, Retained, TableStatus, Timestamp},
    stage::Context,
    text::table::{self, Column},
};

const DAY_S: f64 = 86_400.0;
/// Days beyond those to keep until it is said that nobody prunes: a partition goes as a whole, once a day.
const GRACE_DAYS: f64 = 2.0;

/// Looks at all tables and shows them.
pub fn run(
    request: &Request,
    context: &Context,
    database: &mut dyn Database,
    output: &mut dyn Write,
) -> Result<Exit> {
    let statuses = statuses(request, database)?;
    if request.prom {
        openmetrics::write(&gauges::of(&statuses), output).map_err(Error::output)?;
    } else if context.terminals.stdout {
        show(&statuses, database.place(), output).map_err(Error::output)?;
    } else {
        statuses.iter().try_for_each(|status| record::write(output, status)).map_err(Error::output)?;
    }
    let well = statuses.iter().all(|status| status.health == Health::Healthy);
    Ok(if well { Exit::Done } else { Exit::Partial })
}

pub fn statuses(request: &Request, database: &mut dyn Database) -> Result<Vec<TableStatus>> {
    let tables = database.tables()?;
    tables.into_iter().map(|table| judge(request, database, table)).collect()
}

fn judge(request: &Request, database: &mut dyn Database, table: TableState) -> Result<TableStatus> {
    let days = |from: Timestamp, to: Timestamp| to.since(from) as f64 / DAY_S;
    let span = table.oldest.zip(table.newest).map(|(from, to)| (days(from, to) * 10.0).round() / 10.0);
    let mut status = TableStatus {
        ts: request.now,
        table: table.table,
        rows: table.rows,
        estimated: table.estimated,
        bytes: table.bytes,
        oldest: table.oldest,
        newest: table.newest,
        days: span,
        partitions: table.partitions,
        future: None,
        id: None,
        retention: None,
        health: Health::Healthy,
        reasons: Vec::new(),
    };
    if table.table == database.sample_table().name() {
        judge_samples(request, database, &mut status)?;
    }
    if let Some(statement) = table.lacking_index {
        status.blame(
            Health::Warning,
            format!("reports and pruning read the whole table, for want of an index: {statement}"),
        );
    }
    Ok(status)
}

fn judge_samples(request: &Request, database: &mut dyn Database, status: &mut TableStatus) -> Result<()> {
    let age = status.oldest.map(|oldest| request.now.since(oldest) as f64 / DAY_S);
    if let Some(age) = age.filter(|&age| age > f64::from(request.keep_days) + GRACE_DAYS) {
        status.blame(
            Health::Warning,
            format!(
                "the oldest row is {age:.0} days old, {} are to be kept: does mod-prune run?",
                request.keep_days
            ),
        );
    }
    status.retention = Some(request.retained(database.last_prune()?));
    let future = database.samples_after(request.now + AHEAD_S)?;
    if future > 0 {
        status.future = Some(future);
        status.blame(
            Health::Warning,
            format!("{future} rows are dated more than a day ahead: a clock was wrong"),
        );
    }
    if let Some(id) = database.id()? {
        let (id, health, reason) = id::judge(&id);
        status.id = Some(id);
        reason.into_iter().for_each(|reason| status.blame(health, reason));
    }
    Ok(())
}

impl TableStatus {
    fn blame(&mut self, health: Health, reason: String) {
        self.health = self.health.max(health);
        self.reasons.push(reason);
    }
}

fn show(statuses: &[TableStatus], place: &str, output: &mut dyn Write) -> std::io::Result<()> {
    writeln!(output, "{place}")?;
    let titles = ["TABLE", "ROWS", "SIZE", "OLDEST", "NEWEST", "DAYS", "PARTS", " HEALTH"];
    let mut rows = vec![titles.map(str::to_owned).to_vec()];
    let word = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    for status in statuses {
        rows.push(vec![
            status.table.to_owned(),
            format!("{}{}", if status.estimated { "~" } else { "" }, status.rows),
            size(status.bytes),
            word(status.oldest.map(|ts| ts.to_string())),
            word(status.newest.map(|ts| ts.to_string())),
            word(status.days.map(|days| format!("{days:.1}"))),
            word(status.partitions.map(|count| count.to_string())),
            format!(" {}", status.health),
        ]);
    }
    let widths = [14, 10, 20, 20, 6, 5].map(Column::Right);
    let columns = [&[Column::Left(22)][..], &widths, &[Column::Left(0)]].concat();
    for line in table::lines(&columns, &rows, 1) {
        writeln!(output, "{line}")?;
    }
    for status in statuses {
        if let Some(retention) = &status.retention {
            show_retention(retention, output)?;
        }
        if let Some(id) = &status.id {
            writeln!(
                output,
                "id: {} {}, next {} of {} ({} %), step {}, {} per row, {} a day, {} days left",
                id.column,
                id.kind,
                id.next,
                id.limit,
                id.used_pct,
                id.increment,
                word(id.per_row.map(|rate| rate.to_string())),
                word(id.per_day.map(|rate| format!("{rate:.0}"))),
                word(id.days_left.map(|days| format!("{days:.0}"))),
            )?;
        }
        for reason in &status.reasons {
            writeln!(output, "{} {}: {reason}", status.health.word(), status.table)?;
        }
    }
    if statuses.iter().any(|status| status.estimated) {
        writeln!(output, "~ the server's estimate")?;
    }
    Ok(())
}

fn show_retention(retention: &Retained, output: &mut dyn Write) -> std::io::Result<()> {
    let Retained { keep_days, detail_hours, rollup_days, off, last_run } = retention;
    writeln!(
        output,
        "kept: samples {keep_days} days, detail {detail_hours} hours, finished days {rollup_days} days"
    )?;
    if !off.is_empty() {
        writeln!(output, "switched off: {}", off.join(", "))?;
    }
    match last_run {
        Some(ts) => writeln!(output, "mod-prune ran last: {ts}"),
        None => writeln!(output, "mod-prune ran last: not known"),
    }
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < units.len() {
        size /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{size:.1} {}", units[unit]) }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_short() {
        assert_eq!((size(0), size(1023), size(1536)), ("0 B".into(), "1023 B".into(), "1.5 KiB".into()));
        assert_eq!(size(5 << 30), "5.0 GiB");
    }
}
