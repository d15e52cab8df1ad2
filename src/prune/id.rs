//! The id of an older `modulation_new`: when it ends, and what setting it back would gain.

use super::request::Request;
use crate::{
    database::{Database, IdState},
    error::Result,
    record::{Health, IdStatus, Pruned, Stopped, Way},
};

/// What must be gained at least, as a part of the limit.
const WORTH: u64 = 100;
const CURES: &str = "make it BIGINT UNSIGNED (ALTER TABLE … MODIFY), or do without an id: \
                     mod-store --init --migrate";

/// Does what `--reset-id` or ENABLE_ID_RESET asks for; false when that was refused.
pub fn reset(request: &Request, database: &mut dyn Database) -> Result<bool> {
    let Some(id) = due(request, database)? else { return Ok(true) };
    let gain = gain(&id);
    let pct = 100.0 * gain as f64 / id.limit as f64;
    let table = database.sample_table().name();
    if !is_worth_it(&id) {
        log::warn!(
            "{table}.{}: a reset would gain {gain} ids, {pct:.3} % of {}: it is not worth it; {CURES}",
            id.column,
            id.limit
        );
        return Ok(false);
    }
    database.reset_id(&id)?;
    log::info!("{table}.{}: reset, which gained {gain} ids, {pct:.1} % of {}", id.column, id.limit);
    Ok(true)
}

/// What a reset would do, for `--dry-run`; none: nothing.
pub fn show(request: &Request, database: &mut dyn Database) -> Result<Option<Pruned>> {
    let due = due(request, database)?.filter(is_worth_it);
    Ok(due.map(|id| Pruned {
        ts: request.now,
        table: database.sample_table().name(),
        before: request.now,
        by: Way::IdReset,
        rows: 0,
        estimated: false,
        partitions: Vec::new(),
        chunks: None,
        elapsed_ms: 0,
        stopped: Stopped::DryRun,
        dry_run: true,
        statement: Some(id.reset),
    }))
}

/// The id, when it is to be reset: on demand, or when an INT has come to the threshold.
fn due(request: &Request, database: &mut dyn Database) -> Result<Option<IdState>> {
    if !request.reset_id && request.guard.is_none() {
        return Ok(None);
    }
    let Some(id) = database.id()? else {
        if request.reset_id {
            log::info!("{} has no id that could be reset", database.sample_table().name());
        }
        return Ok(None);
    };
    let reached = request.guard.is_some_and(|threshold| threshold.is_reached(id.next, id.limit));
    Ok(Some(id).filter(|_| request.reset_id || reached))
}

fn is_worth_it(id: &IdState) -> bool {
    gain(id) >= id.limit / WORTH
}

/// Ids between the highest that is there and the next one.
fn gain(id: &IdState) -> u64 {
    id.next.saturating_sub(id.max.unwrap_or(0)).saturating_sub(1)
}

/// How an id is, and what is to be done about it.
#[must_use]
pub fn judge(id: &IdState) -> (IdStatus, Health, Option<String>) {
    let left = id.limit.saturating_sub(id.next.saturating_sub(1));
    let days_left =
        id.per_day.filter(|&rate| rate > 0.0).map(|rate| (left as f64 / rate * 10.0).round() / 10.0);
    let used_pct = 100.0 * id.next.saturating_sub(1) as f64 / id.limit as f64;
    let soon = |days: f64| days_left.is_some_and(|left| left < days);
    let health = if used_pct >= 95.0 || soon(30.0) {
        Health::Critical
    } else if used_pct >= 80.0 || soon(180.0) {
        Health::Warning
    } else {
        Health::Healthy
    };
    let reason = (health != Health::Healthy).then(|| {
        let lasts = days_left.map(|days| format!(", {days:.0} days left")).unwrap_or_default();
        format!("id {} ({}) is at {used_pct:.1} % of {}{lasts}: {CURES}", id.column, id.kind, id.limit)
    });
    let rounded = |number: f64| (number * 1000.0).round() / 1000.0;
    let status = IdStatus {
        column: id.column.clone(),
        kind: id.kind.clone(),
        limit: id.limit,
        next: id.next,
        used_pct: rounded(used_pct),
        increment: id.increment,
        per_row: id.per_row.map(rounded),
        per_day: id.per_day.map(rounded),
        days_left,
    };
    (status, health, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(next: u64, max: u64, per_day: f64) -> IdState {
        IdState {
            column: "id".into(),
            kind: "int(10) unsigned".into(),
            limit: u32::MAX.into(),
            reset: String::new(),
            next,
            max: Some(max),
            increment: 3,
            per_row: Some(3.0),
            per_day: Some(per_day),
        }
    }

    #[test]
    fn an_id_is_judged_by_what_is_left_and_how_long_that_lasts() {
        for (next, per_day, health) in [
            (1_000, 1_000.0, Health::Healthy),
            (3_500_000_000, 1_000.0, Health::Warning),
            (1_000_000_000, 20_000_000.0, Health::Warning),
            (1_000_000_000, 200_000_000.0, Health::Critical),
            (4_200_000_000, 1.0, Health::Critical),
        ] {
            let (status, found, reason) = judge(&id(next, next - 1, per_day));
            assert_eq!(found, health, "{next} {per_day}: {status:?}");
            assert_eq!(reason.is_some(), health != Health::Healthy);
        }
        let (status, ..) = judge(&id(u64::from(u32::MAX) - 999, 1, 100.0));
        assert_eq!(status.days_left, Some(10.0));
        assert_eq!((gain(&id(101, 100, 1.0)), gain(&id(201, 100, 1.0)), gain(&id(1, 0, 1.0))), (0, 100, 0));
    }
}
