//! Which upstreams rest on a built-in profile table at the end of a window: what their last samples say.

use std::collections::BTreeSet;

use super::{Database, Detail};
use crate::{
    error::Result,
    measure::{Window, roster::Roster},
    record::{ExplainedBy, Timestamp},
};

/// Takes what explains the samples of the last moments before `end`, of `hold` seconds, when any scan of these rests
/// on the built-in table. Otherwise, and where the detail has been pruned, nothing comes.
pub fn explained(
    database: &mut dyn Database,
    end: Timestamp,
    hold: i64,
    each: &mut dyn FnMut(&str, &str, Timestamp, ExplainedBy) -> Result<()>,
) -> Result<()> {
    let window = Window { from: end + -hold, to: end };
    let mut built_in = 0;
    database.scans(window, &mut |scan| {
        built_in += scan.built_in;
        Ok(())
    })?;
    if built_in == 0 {
        return Ok(());
    }
    database.samples(window, Detail::Whole, &mut |stored| match stored.explained_by {
        Some(by) => each(stored.cmts, stored.upstream, stored.ts, by),
        None => Ok(()),
    })
}

/// The upstreams of which the last sample before `end` rests on the built-in table, by their numbers in `roster`.
pub(super) fn unconfirmed(
    database: &mut dyn Database,
    end: Timestamp,
    hold: i64,
    roster: &Roster,
) -> Result<BTreeSet<u32>> {
    let mut built_in = BTreeSet::new();
    explained(database, end, hold, &mut |cmts, upstream, _, by| {
        if let Some(number) = roster.find(cmts, upstream) {
            // In the order of time: the last one counts.
            match by {
                ExplainedBy::BuiltIn => built_in.insert(number),
                _ => built_in.remove(&number),
            };
        }
        Ok(())
    })?;
    Ok(built_in)
}
