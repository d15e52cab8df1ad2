//! Transactions, run again as long as that can help; and two of them side by side when much waits:
//! a server works on one connection with one processor.

use std::{panic, sync::atomic::Ordering, thread};

use ::mysql::Conn;

use super::{
    connect::{Again, Connector},
    shape::Shape,
    write::Plan,
};
use crate::{
    contain,
    database::{Counts, Group, channels::Change, contained::SENSELESS},
    error::{Error, Result},
};

/// From so many samples on the groups are shared between two connections.
const SHARED: usize = 4000;

/// What all transactions of a moment have in common.
pub(super) struct Writer<'a> {
    pub connector: &'a Connector,
    pub plan: Plan<'a>,
}

impl Writer<'_> {
    /// Stores groups and counts each, in their order. A second connection takes its share, if there is one.
    pub fn store(
        &self,
        first: &mut Conn,
        second: Option<&mut Conn>,
        groups: &[Group],
        changes: &[Change],
    ) -> Result<Vec<Counts>> {
        // All in the order of the keys, so that two writers lock in the same order.
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by_key(|&at| (groups[at].ts, &groups[at].cmts));
        let sorted: Vec<&Group> = order.iter().map(|&at| &groups[at]).collect();
        let counted = match second {
            Some(second) => self.both(first, second, &sorted, changes)?,
            None => self.one(first, &sorted, changes)?,
        };
        let mut counts = vec![Counts::default(); groups.len()];
        order.into_iter().zip(counted).for_each(|(at, counted)| counts[at] = counted);
        Ok(counts)
    }

    /// Two transactions at a time. When one fails, the other may be committed: storing all of it
    /// again, as the caller does, then counts its rows as duplicates.
    fn both(
        &self,
        first: &mut Conn,
        second: &mut Conn,
        groups: &[&Group],
        changes: &[Change],
    ) -> Result<Vec<Counts>> {
        let (lower, upper) = groups.split_at(middle(groups));
        thread::scope(|scope| {
            let other = scope.spawn(|| contain::catch(|| self.one(second, upper, &[])));
            let mut counts = self.one(first, lower, changes);
            let other = other.join().unwrap_or_else(|fault| panic::resume_unwind(fault));
            if let Ok(counts) = &mut counts {
                let senseless =
                    || Error::Away { place: self.connector.place.clone(), reason: SENSELESS.into() };
                counts.extend(other.ok_or_else(senseless)??);
            }
            counts
        })
    }

    /// One transaction, as often as it takes.
    fn one(&self, connection: &mut Conn, groups: &[&Group], changes: &[Change]) -> Result<Vec<Counts>> {
        let Writer { connector, mut plan } = *self;
        let mut tries = 0;
        loop {
            match plan.run(connection, groups, changes) {
                Ok(counts) => return Ok(counts),
                Err(fault) => {
                    tries += 1;
                    connector.recover(connection, &fault, tries)?;
                    // The connection may have broken off in the very commit.
                    plan.again |= connector.again(&fault) != Again::Rerun;
                    plan.room.bulk = connector.bulk.load(Ordering::Relaxed);
                }
            }
        }
    }
}

/// Whether a second connection is worth while. An older table is written by one: its ids are dealt
/// out one after the other, and its marks are what a replay is known by.
pub(super) fn is_much(shape: &Shape, groups: &[Group]) -> bool {
    shape.keyed && groups.len() > 1 && groups.iter().map(|group| group.samples.len()).sum::<usize>() >= SHARED
}

/// Where half of the samples are passed.
fn middle(groups: &[&Group]) -> usize {
    let half = groups.iter().map(|group| group.samples.len()).sum::<usize>() / 2;
    let mut passed = 0;
    let is_before = |group: &&&Group| {
        passed += group.samples.len();
        passed <= half
    };
    groups.iter().take_while(is_before).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{self, Record, Timestamp};

    fn group(samples: usize) -> Group {
        let line = r#"{"v":1,"type":"sample","ts":"2026-05-01T12:00:00Z","cmts":"C","upstream":"u","modulation":"QPSK"}"#;
        let Ok(Record::Sample(sample)) = record::decode(line) else { unreachable!("a sample") };
        Group { cmts: "C".into(), ts: Timestamp(0), samples: vec![sample; samples], scan: None }
    }

    #[test]
    fn the_samples_are_shared_evenly_and_no_share_is_empty_before_the_middle() {
        for (sizes, expected) in [(&[5, 5][..], 1), (&[9, 1, 1], 1), (&[1, 1, 9], 2), (&[2, 2, 2, 2], 2)] {
            let groups: Vec<Group> = sizes.iter().map(|&size| group(size)).collect();
            assert_eq!(middle(&groups.iter().collect::<Vec<_>>()), expected, "{sizes:?}");
        }
    }
}
