//! The AUTO_INCREMENT column of an older table of samples: how far it is, and how fast it goes.

use ::mysql::{Conn, Row, prelude::Queryable};

use super::{
    read::{moment, number, text},
    tables::quoted,
    zone::Zone,
};
use crate::database::{IdState, SampleTable};

/// Rows that tell how many ids a row takes at present.
const LATEST: u64 = 10_000;
const DAY_S: f64 = 86_400.0;
/// Rows of a shorter time, an hour, tell nothing of what a day takes.
const LEAST_DAYS: f64 = 1.0 / 24.0;

/// None when the key counts nothing.
pub(super) fn state(
    connection: &mut Conn,
    table: SampleTable,
    id: String,
    zone: Zone,
) -> ::mysql::Result<Option<IdState>> {
    let kind: Option<String> = connection.exec_first(
        "SELECT column_type FROM information_schema.columns WHERE table_schema = DATABASE() \
         AND table_name = ? AND column_name = ? AND extra LIKE '%auto_increment%'",
        (table.name(), &id),
    )?;
    let Some(kind) = kind else { return Ok(None) };
    let next = next(connection, table)?;
    let column = quoted(&id);
    let end = |order: &str, skip: u64| {
        format!("SELECT {column}, timestamp FROM {table} ORDER BY {column} {order} LIMIT 1 OFFSET {skip}")
    };
    let first: Option<Row> = connection.exec_first(end("", 0), ())?;
    let last: Option<Row> = connection.exec_first(end("DESC", 0), ())?;
    let earlier: Option<Row> = connection.exec_first(end("DESC", LATEST - 1), ())?;
    let increment: Option<u64> = connection.query_first("SELECT @@auto_increment_increment")?;
    let id_of = |row: &Option<Row>| row.as_ref().and_then(|row| number(row, 0));
    let at = |row: &Option<Row>| row.as_ref().and_then(|row| moment(row, 1)).map(|at| zone.of_column(at));
    let max = id_of(&last);
    let per_row = max.zip(id_of(&earlier)).map(|(max, id)| (max - id + 1) as f64 / LATEST as f64);
    let per_day =
        max.zip(id_of(&first)).zip(at(&last).zip(at(&first))).and_then(|((max, min), (to, from))| {
            let days = to.since(from) as f64 / DAY_S;
            (days >= LEAST_DAYS).then(|| (max - min) as f64 / days)
        });
    Ok(Some(IdState {
        reset: reset_statement(table, max),
        limit: limit(&kind),
        column: id,
        kind,
        next,
        max,
        increment: increment.unwrap_or(1),
        per_row,
        per_day,
    }))
}

/// MySQL 8 keeps this for a day unless it is asked not to; MariaDB does not know the question.
fn next(connection: &mut Conn, table: SampleTable) -> ::mysql::Result<u64> {
    let _ = connection.query_drop("SET SESSION information_schema_stats_expiry = 0");
    let row: Option<Row> = connection.query_first(format!(
        "SELECT auto_increment FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_name = '{}'",
        table.name()
    ))?;
    // Of a query without parameters everything comes as text.
    let next = row.as_ref().and_then(|row| text(row, 0)).and_then(|text| text.parse().ok());
    Ok(next.unwrap_or(1))
}

/// The highest value of an integer type.
fn limit(kind: &str) -> u64 {
    let kind = kind.to_ascii_lowercase();
    let bits = match kind.split(['(', ' ']).next().unwrap_or_default() {
        "tinyint" => 8,
        "smallint" => 16,
        "mediumint" => 24,
        "bigint" => 64,
        _ => 32,
    };
    let unsigned = u64::MAX >> (64 - bits);
    if kind.contains("unsigned") { unsigned } else { unsigned >> 1 }
}

/// `ALTER TABLE …`: InnoDB itself does not count below the highest id that is there.
fn reset_statement(table: SampleTable, max: Option<u64>) -> String {
    format!("ALTER TABLE {table} AUTO_INCREMENT = {}", max.unwrap_or_default().saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_ends_where_its_bits_do() {
        for (kind, end) in [
            ("int(11)", 2_147_483_647),
            ("int(10) unsigned", 4_294_967_295),
            ("INT UNSIGNED", 4_294_967_295),
            ("bigint(20)", i64::MAX as u64),
            ("bigint unsigned", u64::MAX),
            ("mediumint(8) unsigned", 16_777_215),
        ] {
            assert_eq!(limit(kind), end, "{kind}");
        }
    }
}
