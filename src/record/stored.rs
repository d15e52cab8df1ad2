//! `stored`: what `mod-store --tee` says of each group.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Timestamp, is_zero};

/// `stored`: what became of the samples of one device and scan,
/// `sent = stored + duplicate + rejected + left_out + spooled`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Stored<'a> {
    /// That of its samples.
    pub ts: Timestamp,
    /// Name of the device.
    pub cmts: &'a str,
    /// Samples that came.
    pub sent: u64,
    /// Samples that are in the database since.
    pub stored: u64,
    /// Samples that were there already.
    pub duplicate: u64,
    /// Samples that do not fit in the table.
    pub rejected: u64,
    /// Samples that an older table does not take, because its other readers do not know their modulation.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out: u64,
    /// Samples that wait in the spool.
    #[serde(skip_serializing_if = "is_zero")]
    pub spooled: u64,
    /// Nothing was written.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}
