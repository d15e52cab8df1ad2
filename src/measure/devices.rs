//! Which devices were silent: what their scans tell of a window.

use std::collections::{BTreeMap, BTreeSet};

use super::{Window, natural};
use crate::record::{Silent, Status, Timestamp};

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

#[derive(Debug, Default)]
struct Seen {
    good: bool,
    last_good: Option<Timestamp>,
    last: Option<(Timestamp, Status)>,
}

/// All devices that are known, by name.
#[derive(Debug, Default)]
pub struct Devices(BTreeMap<String, Seen>);

impl Devices {
    /// Takes a scan; no window: all time is in it. Scans may come in any order.
    pub fn scan(&mut self, window: Option<Window>, cmts: &str, ts: Timestamp, status: Status) {
        if window.is_some_and(|window| ts >= window.to) {
            return;
        }
        if !self.0.contains_key(cmts) {
            self.0.insert(cmts.to_owned(), Seen::default());
        }
        let Some(seen) = self.0.get_mut(cmts) else { return };
        let before = window.is_some_and(|window| ts < window.from);
        if status.is_good() {
            seen.good |= !before;
            seen.last_good = seen.last_good.max(before.then_some(ts));
        }
        if seen.last.is_none_or(|(last, _)| ts > last) {
            seen.last = Some((ts, status));
        }
    }

    /// Whether scans from before the window may tell more of a device than those in it, and what the database
    /// says of it: it is not good in the window, but was tried or good after it.
    #[must_use]
    pub fn is_open(&self, window: Window, device: &Device) -> bool {
        let after = |ts: Timestamp| ts >= window.to;
        match self.0.get(&device.cmts) {
            Some(seen) => !seen.good && device.last_good.is_some_and(after),
            None => after(device.last_try),
        }
    }

    /// Takes what a database says of a device, after its scans.
    pub fn known(&mut self, window: Window, device: Device) {
        let seen = self.0.entry(device.cmts).or_default();
        seen.last_good = seen.last_good.max(device.last_good.filter(|&ts| ts < window.from));
        seen.good |= device.last_good.is_some_and(|ts| window.from <= ts && ts < window.to);
        seen.last.get_or_insert((device.last_try, device.last_status));
    }

    /// The devices without a good scan in the window. Samples come of good scans only: `heard`, those that
    /// have some, are not silent, whether or not their scans are known.
    #[must_use]
    pub fn silent(self, heard: &BTreeSet<&str>) -> Vec<Silent> {
        let mut silent: Vec<_> = self
            .0
            .into_iter()
            .filter(|(cmts, seen)| !seen.good && !heard.contains(cmts.as_str()))
            .filter_map(|(cmts, seen)| {
                let (_, status) = seen.last?;
                Some(Silent { cmts, since: seen.last_good, status })
            })
            .collect();
        silent.sort_by(|a, b| natural::compare(&a.cmts, &b.cmts));
        silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silent_is_who_was_never_good_in_the_window() {
        let window = Window { from: Timestamp(100), to: Timestamp(200) };
        let mut devices = Devices::default();
        for (cmts, ts, status) in [
            ("good", 150, Status::Partial),
            ("lost", 99, Status::Ok),
            ("lost", 150, Status::AuthFailed),
            ("lost", 140, Status::Refused),
            ("later", 120, Status::ReadTimeout),
            ("later", 200, Status::Ok),
            ("heard", 150, Status::Disconnected),
        ] {
            devices.scan(Some(window), cmts, Timestamp(ts), status);
        }
        let device = |cmts: &str, last_good: Option<i64>| Device {
            cmts: cmts.to_owned(),
            platform: None,
            last_try: Timestamp(500),
            last_good: last_good.map(Timestamp),
            last_status: Status::Refused,
        };
        devices.known(window, device("gone10", Some(50)));
        devices.known(window, device("gone9", None));
        devices.known(window, device("later", Some(200)));
        let silent = devices.silent(&BTreeSet::from(["heard"]));
        let said: Vec<_> =
            silent.iter().map(|s| (s.cmts.as_str(), s.since.map(|t| t.0), s.status.word())).collect();
        assert_eq!(
            said,
            [
                ("gone9", None, "refused"),
                ("gone10", Some(50), "refused"),
                ("later", None, "read_timeout"),
                ("lost", Some(99), "auth_failed"),
            ]
        );
    }
}
