//! `--status --prom`: how the tables are, as gauges. What is not known is left out.

use crate::{
    openmetrics::Metric,
    record::{Health, TableStatus, Timestamp},
};

pub(super) fn of(statuses: &[TableStatus]) -> Vec<Metric> {
    let age = |status: &TableStatus, then: Option<Timestamp>| {
        then.map(|then| status.ts.since(then).max(0).to_string())
    };
    let gauge = |name: &'static str, help: &str, value: &dyn Fn(&TableStatus) -> Option<String>| {
        let mut metric = Metric::new(name, help);
        for status in statuses {
            value(status).iter().for_each(|value| metric.value(&[("table", status.table)], value));
        }
        metric
    };
    vec![
        gauge("modtools_table_rows", "Rows of a table.", &|status| Some(status.rows.to_string())),
        gauge(
            "modtools_table_rows_estimated",
            "Whether they are the server's estimate, 0 or 1.",
            &|status| Some(u8::from(status.estimated).to_string()),
        ),
        gauge("modtools_table_bytes", "Size of a table with its indexes.", &|status| {
            Some(status.bytes.to_string())
        }),
        gauge("modtools_table_oldest_age_seconds", "Since its oldest row.", &|status| {
            age(status, status.oldest)
        }),
        gauge("modtools_table_newest_age_seconds", "Since its newest row.", &|status| {
            age(status, status.newest)
        }),
        gauge(
            "modtools_table_id_used_ratio",
            "Part of the range of its id that is used, 0 to 1.",
            &|status| status.id.as_ref().map(|id| format!("{:.5}", id.used_pct / 100.0)),
        ),
        gauge("modtools_table_health", "0 healthy, 1 warning, 2 critical.", &|status| {
            let grade = match status.health {
                Health::Healthy => 0,
                Health::Warning => 1,
                Health::Critical => 2,
            };
            Some(grade.to_string())
        }),
    ]
}
