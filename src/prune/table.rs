//! One table: its old partitions at once, or its old rows chunk by chunk with pauses in between.

use std::time::{Duration, Instant};

use super::{request::Request, until::Until};
use crate::{
    database::{Aged, Database, Method, Plan, Progress},
    error::Result,
    record::{Pruned, Stopped, Timestamp, Way},
};

/// After a chunk, as long as it took is left to others, but no longer than this.
const PAUSE: Duration = Duration::from_secs(5);

/// A table that others use is tried again after this, so often: they go on meanwhile.
const BUSY_PAUSE: Duration = Duration::from_secs(3);
const BUSY_TRIES: u32 = 60;

/// Prunes a table; none where there is none.
pub fn prune(
    request: &Request,
    database: &mut dyn Database,
    aged: Aged,
    before: Timestamp,
    until: &Until,
) -> Result<Option<Pruned>> {
    let Some(plan) = database.plan(aged, before, false)? else { return Ok(None) };
    let begun = Instant::now();
    let mut pruned = record(request, aged.table(database.sample_table()), before, &plan);
    match plan.method {
        Method::Partitions(_) => {
            if let Some(stopped) = until.stop() {
                pruned = Pruned { rows: 0, partitions: Vec::new(), stopped, ..pruned };
            } else if let Some(stopped) = drop_partitions(database, aged, &plan, until)? {
                pruned = Pruned { rows: 0, partitions: Vec::new(), stopped, ..pruned };
            }
        }
        Method::Chunks => chunks(database, aged, request.batch, until, &mut pruned)?,
    }
    pruned.elapsed_ms = begun.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
    Ok(Some(pruned))
}

/// Tries until the table is free. Returns why it was given up, if it was.
fn drop_partitions(
    database: &mut dyn Database,
    aged: Aged,
    plan: &Plan,
    until: &Until,
) -> Result<Option<Stopped>> {
    for _ in 0..BUSY_TRIES {
        if database.drop_partitions(aged, plan)? {
            return Ok(None);
        }
        until.pause(BUSY_PAUSE);
        if let Some(stopped) = until.stop() {
            return Ok(Some(stopped));
        }
    }
    let table = aged.table(database.sample_table());
    log::warn!("{table}: others use the table all the time; the next run tries again");
    Ok(Some(Stopped::Busy))
}

fn chunks(
    database: &mut dyn Database,
    aged: Aged,
    batch: u64,
    until: &Until,
    pruned: &mut Pruned,
) -> Result<()> {
    let mut progress = Progress::default();
    let mut chunks = 0;
    loop {
        if let Some(stopped) = until.stop() {
            pruned.stopped = stopped;
            break;
        }
        let begun = Instant::now();
        let chunk = database.delete_chunk(aged, pruned.before, batch, &mut progress)?;
        pruned.rows += chunk.deleted;
        chunks += u64::from(chunk.deleted > 0);
        if !chunk.more {
            break;
        }
        if chunk.deleted > 0 {
            until.pause(begun.elapsed().min(PAUSE));
        }
    }
    pruned.chunks = Some(chunks);
    Ok(())
}

/// What pruning a table would do; none where there is none.
pub fn show(
    request: &Request,
    database: &mut dyn Database,
    aged: Aged,
    before: Timestamp,
) -> Result<Option<Pruned>> {
    let Some(plan) = database.plan(aged, before, true)? else { return Ok(None) };
    let pruned = record(request, aged.table(database.sample_table()), before, &plan);
    Ok(Some(Pruned { dry_run: true, stopped: Stopped::DryRun, statement: plan.statement, ..pruned }))
}

fn record(request: &Request, table: &'static str, before: Timestamp, plan: &Plan) -> Pruned {
    let (by, partitions) = match &plan.method {
        Method::Partitions(partitions) => (Way::Partitions, partitions.clone()),
        Method::Chunks => (Way::Chunks, Vec::new()),
    };
    Pruned {
        ts: request.now,
        table,
        before,
        by,
        rows: plan.rows,
        estimated: plan.estimated,
        partitions,
        chunks: None,
        elapsed_ms: 0,
        stopped: Stopped::Done,
        dry_run: false,
        statement: None,
    }
}
