//! The `stored` record, which follows each group with `--tee`.

use crate::{
    database::{Counts, Group},
    record::Stored,
};

/// What became of a group.
pub(super) fn receipt(group: &Group, counts: Counts, dry_run: bool) -> Stored<'_> {
    let Counts { sent, stored, duplicate, rejected, left_out, spooled } = counts;
    Stored { ts: group.ts, cmts: &group.cmts, sent, stored, duplicate, rejected, left_out, spooled, dry_run }
}
