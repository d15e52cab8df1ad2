//! When each device is due. Pure: names, times and durations in, names out.
//!
//! In the first round the devices are spread over the interval, longest first as far as that is known, instead
//! of all starting at once; from then on each keeps its own place.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

/// The times of all devices in `--every` mode.
#[derive(Debug)]
pub struct Schedule {
    every: Duration,
    entries: HashMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    due: Instant,
    running: bool,
    took: Duration,
}

/// What a tick found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tick {
    /// Devices to begin now, those that take longest first.
    pub due: Vec<String>,
    /// Devices that were due and are still running: their turn is left out.
    pub skipped: Vec<String>,
}

impl Schedule {
    /// For one scan of each device per `every`.
    #[must_use]
    pub fn new(every: Duration) -> Self {
        Schedule { every, entries: HashMap::new() }
    }

    /// Takes over the inventory as it is now: new devices are spread over one interval, those that are
    /// gone are forgotten, the others keep their place.
    pub fn set<'a>(&mut self, names: impl Iterator<Item = &'a str>, now: Instant) {
        let names: Vec<&str> = names.collect();
        let wanted: HashSet<&str> = names.iter().copied().collect();
        self.entries.retain(|name, entry| entry.running || wanted.contains(name.as_str()));
        let new: Vec<&str> = names.into_iter().filter(|name| !self.entries.contains_key(*name)).collect();
        let step = self.every / u32::try_from(new.len()).unwrap_or(u32::MAX).max(1);
        for (place, name) in (0..).zip(new) {
            let entry = Entry { due: now + step * place, running: false, took: Duration::ZERO };
            self.entries.insert(name.to_owned(), entry);
        }
    }

    /// Which devices are to begin now; their next turn is set.
    pub fn tick(&mut self, now: Instant) -> Tick {
        let mut tick = Tick::default();
        for (name, entry) in &mut self.entries {
            if entry.due > now {
                continue;
            }
            // Turns that were missed as a whole (a suspended machine) are not made up for.
            while entry.due <= now {
                entry.due += self.every;
            }
            if entry.running {
                tick.skipped.push(name.clone());
            } else {
                entry.running = true;
                tick.due.push(name.clone());
            }
        }
        tick.due.sort_by(|a, b| self.entries[b].took.cmp(&self.entries[a].took).then_with(|| a.cmp(b)));
        tick.skipped.sort();
        tick
    }

    /// A device is done, after this long.
    pub fn done(&mut self, name: &str, took: Duration) {
        if let Some(entry) = self.entries.get_mut(name) {
            (entry.running, entry.took) = (false, took);
        }
    }

    /// When the next device is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        self.entries.values().map(|entry| entry.due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn devices_are_spread_and_each_comes_once_per_interval() {
        let start = Instant::now();
        let mut schedule = Schedule::new(S(600));
        let names: Vec<String> = (0..60).map(|n| format!("C{n}")).collect();
        schedule.set(names.iter().map(String::as_str), start);
        let mut begun: HashMap<String, Vec<u64>> = HashMap::new();
        for at in (0..1800).step_by(30) {
            let tick = schedule.tick(start + S(at));
            assert!(tick.due.len() <= 4 && tick.skipped.is_empty(), "{at}: {tick:?}");
            for name in tick.due {
                schedule.done(&name, S(5));
                begun.entry(name).or_default().push(at);
            }
        }
        assert_eq!(begun.len(), 60);
        // The last ones of the first round come at its very end, so their third turn is after ours.
        assert!(begun.values().all(|at| at.len() >= 2 && at[1] - at[0] == 600), "{begun:?}");
    }

    #[test]
    fn a_device_that_still_runs_is_skipped_and_keeps_its_place() {
        let start = Instant::now();
        let mut schedule = Schedule::new(S(60));
        schedule.set(["A", "B"].into_iter(), start);
        assert_eq!(schedule.tick(start + S(30)).due, ["A", "B"]);
        schedule.done("B", S(9));
        let tick = schedule.tick(start + S(90));
        assert_eq!((tick.due, tick.skipped), (vec!["B".to_owned()], vec!["A".to_owned()]));
        schedule.done("A", S(70));
        schedule.done("B", S(9));
        assert_eq!(schedule.tick(start + S(150)).due, ["A", "B"], "the longest first");
    }

    #[test]
    fn a_changed_inventory_adds_and_forgets() {
        let start = Instant::now();
        let mut schedule = Schedule::new(S(60));
        schedule.set(["A", "B"].into_iter(), start);
        assert_eq!(schedule.tick(start + S(30)).due.len(), 2);
        schedule.done("A", S(1));
        schedule.set(["B", "C"].into_iter(), start + S(31));
        assert_eq!(schedule.tick(start + S(31)).due, ["C"]);
        assert_eq!(schedule.next_due(), Some(start + S(90)));
        assert_eq!(schedule.tick(start + S(90)).skipped, ["B"], "it runs on");
    }
}
