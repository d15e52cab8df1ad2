//! Columns that came after the first version of the tables: what a modulation rests on, and who is served by a channel.
//! `--init` adds them to tables that lack them; without them everything else works as before.

use crate::record::{ExplainedBy, Sample, Source};

/// A column: its table, its name, and its type on MySQL and in SQLite.
pub(super) struct Column {
    pub table: &'static str,
    pub name: &'static str,
    #[cfg_attr(windows, allow(dead_code))]
    pub mysql: &'static str,
    pub sqlite: &'static str,
}

pub(super) const COLUMNS: [Column; 4] = [
    Column { table: "modulation_detail", name: "explained_by", mysql: "VARCHAR(16)", sqlite: "TEXT" },
    Column { table: "modulation_channel", name: "modems", mysql: "BIGINT UNSIGNED", sqlite: "INTEGER" },
    Column { table: "modulation_channel", name: "snr_db", mysql: "DOUBLE", sqlite: "REAL" },
    Column { table: "modulation_scan", name: "built_in", mysql: "BIGINT UNSIGNED", sqlite: "INTEGER" },
];

/// Which tables have theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Provenance {
    pub detail: bool,
    pub channel: bool,
    pub scan: bool,
}

impl Provenance {
    /// What is there, by whether a table has a column.
    pub fn of(mut has: impl FnMut(&str, &str) -> bool) -> Self {
        let mut whole = |table: &str| {
            COLUMNS.iter().filter(|column| column.table == table).all(|column| has(table, column.name))
        };
        Provenance {
            detail: whole("modulation_detail"),
            channel: whole("modulation_channel"),
            scan: whole("modulation_scan"),
        }
    }
}

/// A column of a SELECT, or NULL where the table lacks it.
pub(super) fn or_null(present: bool, column: &'static str) -> &'static str {
    if present { column } else { "NULL" }
}

/// Whether a sample says more than its modulation.
pub(super) fn has_detail(sample: &Sample) -> bool {
    sample.profile.is_some()
        || sample.snr_db.is_some()
        || sample.source != Source::State
        || sample.explained_by.is_some_and(|by| by != ExplainedBy::Printed)
}
