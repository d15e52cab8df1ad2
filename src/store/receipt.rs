//! The `stored` record, which follows each group with `--tee`.

use serde::Serialize;

use crate::{
    database::{Counts, Group},
    record::{Body, Timestamp},
};

/// `stored`: what became of a group, `sent = stored + duplicate + rejected + left_out + spooled`.
#[derive(Serialize)]
pub(super) struct Receipt<'a> {
    ts: Timestamp,
    cmts: &'a str,
    sent: u64,
    stored: u64,
    duplicate: u64,
    rejected: u64,
    #[serde(skip_serializing_if = "is_zero")]
    left_out: u64,
    #[serde(skip_serializing_if = "is_zero")]
    spooled: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
}

impl Body for Receipt<'_> {
    const TYPE: &'static str = "stored";
}

impl<'a> Receipt<'a> {
    pub fn new(group: &'a Group, counts: Counts, dry_run: bool) -> Self {
        let Counts { sent, stored, duplicate, rejected, left_out, spooled } = counts;
        let Group { cmts, ts, .. } = group;
        Receipt { ts: *ts, cmts, sent, stored, duplicate, rejected, left_out, spooled, dry_run }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
