//! Which devices were silent in a window, and which ones nobody tries any more: what their scans tell.

use std::collections::{BTreeMap, BTreeSet};

use super::{Window, natural};
use crate::record::{Gone, Silent, Status, Timestamp};

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

/// A device that has not been tried for so long is gone, s.
const GONE_S: i64 = 86_400;

#[derive(Debug, Default)]
struct Seen {
    good: bool,
    /// It was tried in the window.
    tried: bool,
    last_good: Option<Timestamp>,
    /// As `last_good`, whenever that was.
    latest_good: Option<Timestamp>,
    last: Option<(Timestamp, Status)>,
    last_try: Option<Timestamp>,
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
        if status.is_good() {
            seen.latest_good = seen.latest_good.max(Some(ts));
        }
        let before = window.is_some_and(|window| ts < window.from);
        seen.tried |= !before;
        if status.is_good() {
            seen.good |= !before;
            seen.last_good = seen.last_good.max(before.then_some(ts));
        }
        if seen.last.is_none_or(|(last, _)| ts > last) {
            seen.last = Some((ts, status));
        }
    }

    /// Whether only scans from before the window tell since when a device is silent: it was not good in the
    /// window, and has been good after it.
    #[must_use]
    pub fn is_open(&self, window: Window, device: &Device) -> bool {
        let is_silent = |seen: &Seen| seen.tried && !seen.good;
        self.0.get(&device.cmts).is_some_and(is_silent) && device.last_good.is_some_and(|ts| ts >= window.to)
    }

    /// Takes what a database says of a device, after its scans.
    pub fn known(&mut self, window: Window, device: Device) {
        let seen = self.0.entry(device.cmts).or_default();
        seen.latest_good = seen.latest_good.max(device.last_good);
        seen.last_good = seen.last_good.max(device.last_good.filter(|&ts| ts < window.from));
        seen.good |= device.last_good.is_some_and(|ts| window.from <= ts && ts < window.to);
        seen.tried |= window.from <= device.last_try && device.last_try < window.to;
        seen.last_try = seen.last_try.max(Some(device.last_try));
        seen.last.get_or_insert((device.last_try, device.last_status));
    }

    /// When the last good scan of each device began, of those that were tried in the day before `now`.
    #[must_use]
    pub fn last_good(&self, now: Timestamp) -> BTreeMap<String, Timestamp> {
        let is_here = |seen: &Seen| {
            let last_try = seen.last.map(|(ts, _)| ts).max(seen.last_try);
            last_try.is_none_or(|last_try| !is_gone(last_try, now))
        };
        let here = self.0.iter().filter(|(_, seen)| is_here(seen));
        here.filter_map(|(cmts, seen)| Some((cmts.clone(), seen.latest_good?))).collect()
    }

    /// The devices that were tried in the window without a good scan, and those that nobody had tried for a day
    /// when it ended. Samples come of good scans only: `heard`, those that have some, are neither.
    #[must_use]
    pub fn without_good_scan(
        self,
        window: Window,
        end: Timestamp,
        heard: &BTreeSet<&str>,
    ) -> (Vec<Silent>, Vec<Gone>) {
        let (mut silent, mut gone) = (Vec::new(), Vec::new());
        for (cmts, seen) in self.0 {
            let (Some((last, status)), last_try) = (seen.last, seen.last_try) else { continue };
            let last_try = last_try.map_or(last, |known| known.max(last));
            if seen.good || heard.contains(cmts.as_str()) {
                continue;
            }
            if seen.tried {
                silent.push(Silent { cmts, since: seen.last_good, status });
            } else if is_gone(last_try, end.min(window.to)) {
                gone.push(Gone { cmts, since: last_try });
            }
        }
        silent.sort_by(|a, b| natural::compare(&a.cmts, &b.cmts));
        gone.sort_by(|a, b| natural::compare(&a.cmts, &b.cmts));
        (silent, gone)
    }
}

/// Whether a device that was tried last at one moment is gone at another.
#[must_use]
pub fn is_gone(last_try: Timestamp, now: Timestamp) -> bool {
    now.since(last_try) > GONE_S
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silent_was_tried_in_vain_and_gone_was_not_tried_for_a_day() {
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
        // Tried after the window only: nothing is known of them in it.
        devices.known(window, device("new", None));
        devices.known(window, device("later", Some(200)));
        let old = Device { last_try: Timestamp(200 - GONE_S - 1), ..device("old", Some(50)) };
        devices.known(window, old);
        let recent = Device { last_try: Timestamp(200 - GONE_S), ..device("recent", Some(50)) };
        devices.known(window, recent);
        let (silent, gone) = devices.without_good_scan(window, Timestamp(300), &BTreeSet::from(["heard"]));
        assert_eq!(gone.iter().map(|gone| gone.cmts.as_str()).collect::<Vec<_>>(), ["old"]);
        let said: Vec<_> =
            silent.iter().map(|s| (s.cmts.as_str(), s.since.map(|t| t.0), s.status.word())).collect();
        assert_eq!(said, [("later", None, "read_timeout"), ("lost", Some(99), "auth_failed"),]);
    }
}
