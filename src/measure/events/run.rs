//! What a run tells: not more than thirty events, each once.

use std::{cmp::Ordering, collections::BTreeSet};

use super::{Happening, Memory};
use crate::record::{Event, What};

/// Events that a run tells one by one.
pub const MOST: usize = 30;

/// The events of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// In the order of time.
    pub told: Vec<Event>,
    /// How many more opened.
    pub more: u64,
}

/// The largest first: by what is lost, then by customers, then by upstreams.
#[must_use]
pub fn largest_first(a: &Event, b: &Event) -> Ordering {
    let size = |event: &Event| (event.lost_mbps.unwrap_or(0.0), event.modems, event.upstreams);
    size(b).partial_cmp(&size(a)).unwrap_or(Ordering::Equal)
}

impl Memory {
    /// Chooses what is told of everything that happened in a run, and notes it. What goes on or ends of an event that
    /// was told comes first, and waits for the next run when there is no room; then what opened, the largest first.
    /// The openings for which there is no room are counted and not told, nor is their end; one that grows later is
    /// told as opened then.
    pub fn tell(&mut self, happened: Vec<Happening>) -> Run {
        let mut taken = std::mem::take(&mut self.waiting);
        let waited: BTreeSet<_> = taken.iter().map(|event| event.id.clone()).collect();
        let mut new: Vec<Event> = Vec::new();
        for Happening { event, is_told, .. } in happened {
            if is_told || waited.contains(&event.id) { taken.push(event) } else { new.push(event) }
        }
        self.waiting = taken.split_off(taken.len().min(MOST));
        let (chosen, more) = choose(&new, MOST - taken.len());
        let mut opened = BTreeSet::new();
        let mut follow = Vec::new();
        for mut event in new.into_iter().filter(|event| chosen.contains(&event.id)) {
            if opened.insert(event.id.clone()) {
                event.what = What::Opened;
                taken.push(event);
            } else {
                follow.push(event);
            }
        }
        let overflow = follow.split_off(follow.len().min(MOST - taken.len()));
        taken.extend(follow);
        self.waiting.extend(overflow);
        for (id, open) in self.devices.values_mut().flat_map(|device| &mut device.open) {
            open.is_told |= chosen.contains(id);
        }
        taken.sort_by_key(|event| event.ts);
        if let Some(last) = taken.last_mut() {
            last.more = Some(more).filter(|&more| more > 0);
        }
        Run { told: taken, more }
    }
}

/// The ids of the largest events that are not told yet, and how many there are besides.
fn choose(new: &[Event], room: usize) -> (BTreeSet<String>, u64) {
    let mut first: Vec<&Event> = Vec::new();
    let mut known = BTreeSet::new();
    for event in new.iter().filter(|event| event.what != What::Closed) {
        if known.insert(&event.id) {
            first.push(event);
        }
    }
    first.sort_by(|a, b| largest_first(a, b));
    let more = first.len().saturating_sub(room) as u64;
    (first.into_iter().take(room).map(|event| event.id.clone()).collect(), more)
}
