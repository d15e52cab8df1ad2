//! In which order the hosts of a cluster are tried. A host that turned out bad (read-only, not ready, silent) is passed
//! by for a while, and longer each time; this memory belongs to the process, so it outlives a connection.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

use crate::{backoff, database::Host, sync::unpoisoned};

/// How long a bad host is passed by: at first, and at most.
const PATIENCE: Duration = Duration::from_secs(30);
const MOST_PATIENCE: Duration = Duration::from_secs(600);
/// A host that was well for this long begins anew.
const FORGIVEN: Duration = Duration::from_secs(3600);

/// A host that turned out bad.
#[derive(Clone, Copy)]
struct Bad {
    times: u32,
    until: Instant,
}

static BAD: Mutex<Option<HashMap<String, Bad>>> = Mutex::new(None);

fn memory() -> MutexGuard<'static, Option<HashMap<String, Bad>>> {
    unpoisoned(BAD.lock())
}

/// Remembers that a host turned out bad.
pub(super) fn blame(host: &Host) {
    let now = Instant::now();
    let mut memory = memory();
    let bad = memory.get_or_insert_default().entry(host.to_string()).or_insert(Bad { times: 0, until: now });
    if bad.until + FORGIVEN < now {
        bad.times = 0;
    }
    bad.until = now + backoff::delay(PATIENCE, bad.times, MOST_PATIENCE, &mut fastrand::Rng::new());
    bad.times += 1;
}

/// The positions of the hosts in the order in which to try them: beginning with `first`, bad ones last.
pub(super) fn order(hosts: &[Host], first: usize) -> Vec<usize> {
    let now = Instant::now();
    let memory = memory();
    let until = |at: usize| {
        let bad = memory.as_ref()?.get(&hosts[at].to_string())?;
        Some(bad.until).filter(|&until| until > now)
    };
    let mut order: Vec<usize> = (0..hosts.len()).map(|n| (first + n) % hosts.len()).collect();
    // None is less than any time, and the sort is stable.
    order.sort_by_key(|&at| until(at));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_host_comes_last() {
        let host = |name: &str| Host { name: format!("order-{name}.invalid"), port: 1 };
        let hosts = [host("a"), host("b"), host("c")];
        assert_eq!(order(&hosts, 1), [1, 2, 0]);
        blame(&hosts[1]);
        assert_eq!(order(&hosts, 1), [2, 0, 1]);
        blame(&hosts[2]);
        blame(&hosts[2]);
        assert_eq!(order(&hosts, 1), [0, 1, 2]);
        assert_eq!(order(&hosts[1..2], 0), [0]);
    }
}
