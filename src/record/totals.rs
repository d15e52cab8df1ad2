//! What a running pipeline reports of itself on the notify socket: `X_MODTOOLS_STATS={json}`, from
//! mod-store to mod-watch, which shows the same counts in `NAME.status`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Counts since the command began. A missing field reads as 0, an unknown one is ignored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Totals {
    /// Scans that ended, whatever came of them.
    pub total_scans: u64,
    /// Scans that succeeded.
    pub successful_scans: u64,
    /// Scans that failed.
    pub failed_scans: u64,
    /// Devices that were polled in all of them.
    pub total_devices_processed: u64,
    /// Samples stored.
    pub total_records_stored: u64,
    /// Mean duration of a scan, seconds.
    pub average_scan_time: f64,
    /// Duration of the last scan, seconds.
    pub last_scan_time: f64,
    /// Devices being polled now, when that is known: tells scanning from idle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<u64>,
}

impl Totals {
    /// The totals of one command and of the one that was started in its place.
    #[must_use]
    pub fn then(&self, later: &Totals) -> Totals {
        let scans = self.total_scans.saturating_add(later.total_scans);
        let time = self.average_scan_time * self.total_scans as f64
            + later.average_scan_time * later.total_scans as f64;
        Totals {
            total_scans: scans,
            successful_scans: self.successful_scans.saturating_add(later.successful_scans),
            failed_scans: self.failed_scans.saturating_add(later.failed_scans),
            total_devices_processed: self
                .total_devices_processed
                .saturating_add(later.total_devices_processed),
            total_records_stored: self.total_records_stored.saturating_add(later.total_records_stored),
            average_scan_time: if scans == 0 { 0.0 } else { time / scans as f64 },
            last_scan_time: if later.total_scans == 0 { self.last_scan_time } else { later.last_scan_time },
            running: later.running,
        }
    }
}
