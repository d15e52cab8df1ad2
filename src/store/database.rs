//! What a database must do for the tools, and the values that go in and out of it. SQLite and
//! MySQL/MariaDB each implement this in a place of their own; nobody else speaks SQL.

use crate::{
    error::Result,
    modulation::Modulation,
    record::{Sample, Scan, Source, Status, Timestamp},
};

/// A half-open span of time: `from` is in it, `to` is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Window {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// The consecutive samples of one (cmts, ts), and their scan when it came: one transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The device.
    pub cmts: String,
    /// When its scan began.
    pub ts: Timestamp,
    /// In the order of the stream.
    pub samples: Vec<Sample>,
    /// Missing for hand-made groups and for those that broke off.
    pub scan: Option<Scan>,
}

/// What became of the samples of one or more groups: `sent = stored + duplicate + rejected`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Samples that came.
    pub sent: u64,
    /// New rows.
    pub stored: u64,
    /// Rows that were there already (a replay).
    pub duplicate: u64,
    /// Samples that do not fit, each with an `error` record.
    pub rejected: u64,
}

/// A sample as it was stored.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Stored<'a> {
    pub ts: Timestamp,
    pub cmts: &'a str,
    pub upstream: &'a str,
    /// A word in the table that is no modulation reads as `Unknown`.
    pub modulation: Modulation,
    /// Profile, source and SNR: only of the last 48 hours, and only when they were asked for.
    pub profile: Option<u32>,
    pub source: Option<Source>,
    pub snr_db: Option<f64>,
}

/// `modulation_channel`: what is known of an upstream besides its modulation.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct Channel {
    pub cmts: String,
    pub upstream: String,
    pub platform: Option<String>,
    pub channel_type: Option<String>,
    pub center_hz: Option<u64>,
    pub width_hz: Option<u64>,
    pub description: Option<String>,
}

/// `modulation_device`: when a device was last tried and last good.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Device {
    pub cmts: String,
    pub platform: Option<String>,
    pub last_try: Timestamp,
    pub last_good: Option<Timestamp>,
    pub last_status: Status,
}

/// A database, connected.
pub trait Database {
    /// Its name for messages: no password in it.
    fn place(&self) -> &str;

    /// Stores one group in one transaction.
    ///
    /// # Errors
    /// [`crate::error::Error::Database`]; then nothing of the group is stored.
    fn store(&mut self, group: &Group) -> Result<Counts>;

    /// All samples of a window in the order of time, then cmts, then upstream. It streams: nothing is collected.
    ///
    /// # Errors
    /// Those of the database and those of `each`, which ends the reading.
    fn samples(
        &mut self,
        window: Window,
        detail: bool,
        each: &mut dyn FnMut(Stored<'_>) -> Result<()>,
    ) -> Result<()>;

    /// All scans of a window in the order of time, then cmts; none where the table is missing.
    ///
    /// # Errors
    /// Those of the database and those of `each`.
    fn scans(&mut self, window: Window, each: &mut dyn FnMut(Scan) -> Result<()>) -> Result<()>;

    /// Every upstream that is known; none where the table is missing.
    ///
    /// # Errors
    /// Those of the database.
    fn channels(&mut self) -> Result<Vec<Channel>>;

    /// Every device that was ever tried; none where the table is missing.
    ///
    /// # Errors
    /// Those of the database.
    fn devices(&mut self) -> Result<Vec<Device>>;

    /// Time of the newest sample.
    ///
    /// # Errors
    /// Those of the database.
    fn newest(&mut self) -> Result<Option<Timestamp>>;
}
