//! Storing one group on MySQL or MariaDB: one transaction, few statements, always parameters.

use std::collections::HashSet;

use ::mysql::{Conn, Error as Fault, Transaction, TxOpts, Value, prelude::Queryable};

use super::{
    shape::Shape,
    tables::Tables,
    zone::{utc, value},
};
use crate::{
    record::{Sample, Scan, Source, Timestamp},
    store::{
        Counts, Group,
        admit::{ERROR_CHARS, WORD_CHARS, clip},
        channels::Change,
    },
};

/// A statement that inserts many rows.
struct Insert {
    /// Up to VALUES.
    head: &'static str,
    /// The parameters of a row.
    row: &'static str,
    /// What a row that is there already means.
    tail: &'static str,
}

/// A row that is there stays as it is and counts as not affected; any other fault is one. (IGNORE
/// would make silence of an exhausted id or a missing partition.)
const KEYED: Insert = Insert {
    head: "INSERT INTO modulation_new (timestamp, cmts, upstream, modulation) VALUES ",
    row: "(?,?,?,?)",
    tail: " ON DUPLICATE KEY UPDATE modulation = modulation",
};
const OLDER: Insert = Insert { tail: "", ..KEYED };
const DETAIL: Insert = Insert {
    head: "INSERT INTO modulation_detail (timestamp, cmts, upstream, profile, source, snr_db) VALUES ",
    row: "(?,?,?,?,?,?)",
    tail: " ON DUPLICATE KEY UPDATE source = source",
};
const CHANNEL: Insert = Insert {
    head: "INSERT INTO modulation_channel \
           (cmts, upstream, platform, type, center_hz, width_hz, description, first_seen, last_seen) VALUES ",
    row: "(?,?,?,?,?,?,?,?,?)",
    tail: " ON DUPLICATE KEY UPDATE platform = VALUES(platform), type = VALUES(type), \
           center_hz = VALUES(center_hz), width_hz = VALUES(width_hz), description = VALUES(description), \
           first_seen = LEAST(first_seen, VALUES(first_seen)), last_seen = GREATEST(last_seen, VALUES(last_seen))",
};

impl Insert {
    /// Inserts all rows, `batch` at a time and the rest in powers of two, so that few statements
    /// are ever prepared. Gives the rows affected.
    fn run<T>(
        &self,
        transaction: &mut Transaction<'_>,
        rows: &[T],
        batch: usize,
        parameters: impl Fn(&T, &mut Vec<Value>),
    ) -> ::mysql::Result<u64> {
        let mut affected = 0;
        let mut rest = rows;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(chunk(rest.len(), batch));
            let mut values = Vec::with_capacity(now.len() * self.row.len() / 2);
            now.iter().for_each(|row| parameters(row, &mut values));
            transaction.exec_drop(self.sql(now.len()), values)?;
            affected += transaction.affected_rows();
            rest = later;
        }
        Ok(affected)
    }

    fn sql(&self, rows: usize) -> String {
        let places = vec![self.row; rows].join(",");
        [self.head, &places, self.tail].concat()
    }
}

/// Rows of the next statement.
fn chunk(left: usize, batch: usize) -> usize {
    if left >= batch { batch } else { 1 << left.ilog2() }
}

/// How a group is stored here.
pub(super) struct Plan<'a> {
    pub shape: &'a Shape,
    pub tables: &'a Tables,
    pub batch: usize,
}

/// What an older table knows of a group.
enum Replay {
    /// Nothing.
    New,
    /// All of it.
    Whole,
    /// These upstreams.
    Partly(HashSet<String>),
}

impl Plan<'_> {
    /// One transaction; after a fault it is rolled back.
    pub fn run(&self, connection: &mut Conn, group: &Group, changes: &[Change]) -> ::mysql::Result<Counts> {
        let mut transaction = connection.start_transaction(TxOpts::default())?;
        let stored = self.samples(&mut transaction, group)?;
        CHANNEL.run(&mut transaction, changes, self.batch.min(1000), channel_row)?;
        if let Some(scan) = &group.scan {
            if self.tables.has("modulation_scan") {
                scan_row(&mut transaction, scan)?;
            }
            if self.tables.has("modulation_device") {
                device(&mut transaction, scan)?;
            }
        }
        transaction.commit()?;
        let sent = group.samples.len() as u64;
        Ok(Counts { sent, stored, duplicate: sent - stored, ..Counts::default() })
    }

    fn samples(&self, transaction: &mut Transaction<'_>, group: &Group) -> ::mysql::Result<u64> {
        if group.samples.is_empty() {
            return Ok(0);
        }
        // In the order of the key, so that two writers lock in the same order.
        let mut rows: Vec<&Sample> = group.samples.iter().collect();
        rows.sort_by(|a, b| a.upstream.cmp(&b.upstream));
        rows.dedup_by(|b, a| a.upstream == b.upstream);
        let detail: Vec<&Sample> = rows.iter().copied().filter(|sample| has_detail(sample)).collect();
        let stored = if self.shape.keyed {
            KEYED.run(transaction, &rows, self.batch, |sample, values| self.sample_row(sample, values))?
        } else {
            self.older_samples(transaction, group, rows)?
        };
        if self.tables.has("modulation_detail") {
            DETAIL.run(transaction, &detail, self.batch, detail_row)?;
        }
        Ok(stored)
    }

    fn sample_row(&self, sample: &Sample, values: &mut Vec<Value>) {
        values.push(value(self.shape.zone.to_column(sample.ts)));
        values.push((&sample.cmts).into());
        values.push((&sample.upstream).into());
        values.push(sample.modulation.word().into());
    }

    /// The older table would take a replay as new rows: `modulation_scan` knows it.
    fn older_samples(
        &self,
        transaction: &mut Transaction<'_>,
        group: &Group,
        mut rows: Vec<&Sample>,
    ) -> ::mysql::Result<u64> {
        let replay =
            if self.tables.has("modulation_scan") { self.replay(transaction, group)? } else { Replay::New };
        match replay {
            Replay::New => {}
            Replay::Whole => return Ok(0),
            Replay::Partly(there) => rows.retain(|sample| !there.contains(&sample.upstream)),
        }
        let stored =
            OLDER.run(transaction, &rows, self.batch, |sample, values| self.sample_row(sample, values))?;
        if stored == rows.len() as u64 {
            Ok(stored)
        } else {
            let what = format!("the server took {stored} of {} rows without a fault", rows.len());
            Err(Fault::IoError(std::io::Error::new(std::io::ErrorKind::InvalidData, what)))
        }
    }

    fn replay(&self, transaction: &mut Transaction<'_>, group: &Group) -> ::mysql::Result<Replay> {
        let samples = group.samples.len() as u64;
        transaction.exec_drop(
            "INSERT INTO modulation_scan (ts, cmts, attempts, elapsed_ms, samples, unparsed) \
             VALUES (?, ?, 0, 0, ?, 0) ON DUPLICATE KEY UPDATE cmts = cmts",
            (utc(group.ts), &group.cmts, samples),
        )?;
        if transaction.affected_rows() > 0 {
            return Ok(Replay::New);
        }
        let known: Option<(bool, u64)> = transaction.exec_first(
            "SELECT status IS NOT NULL, samples FROM modulation_scan WHERE ts = ? AND cmts = ? FOR UPDATE",
            (utc(group.ts), &group.cmts),
        )?;
        if known.is_some_and(|(scanned, known)| scanned && known >= samples) {
            return Ok(Replay::Whole);
        }
        // The group came in parts, or its scan counts fewer: what is there decides, slow as it may be.
        let there: Vec<String> = transaction.exec(
            "SELECT upstream FROM modulation_new WHERE cmts = ? AND timestamp = ?",
            (&group.cmts, value(self.shape.zone.to_column(group.ts))),
        )?;
        Ok(Replay::Partly(there.into_iter().collect()))
    }
}

/// Whether a sample says more than its modulation.
fn has_detail(sample: &Sample) -> bool {
    sample.profile.is_some() || sample.snr_db.is_some() || sample.source != Source::State
}

fn detail_row(sample: &&Sample, values: &mut Vec<Value>) {
    values.push(utc(sample.ts));
    values.push((&sample.cmts).into());
    values.push((&sample.upstream).into());
    values.push(sample.profile.into());
    values.push(sample.source.word().into());
    values.push(sample.snr_db.into());
}

fn channel_row(change: &Change, values: &mut Vec<Value>) {
    let Change { channel, seen } = change;
    values.push((&channel.cmts).into());
    values.push((&channel.upstream).into());
    values.push((&channel.platform).into());
    values.push((&channel.channel_type).into());
    values.push(channel.center_hz.into());
    values.push(channel.width_hz.into());
    values.push((&channel.description).into());
    values.push(utc(*seen));
    values.push(utc(*seen));
}

/// A scan that is parsed again corrects what stands there.
fn scan_row(transaction: &mut Transaction<'_>, scan: &Scan) -> ::mysql::Result<()> {
    transaction.exec_drop(
        "INSERT INTO modulation_scan \
           (ts, cmts, platform, status, error, attempts, elapsed_ms, samples, unparsed) \
         VALUES (?, ?, NULLIF(?, ''), ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE \
           platform = VALUES(platform), status = VALUES(status), error = VALUES(error), \
           attempts = VALUES(attempts), elapsed_ms = VALUES(elapsed_ms), samples = VALUES(samples), \
           unparsed = VALUES(unparsed)",
        (
            utc(scan.ts),
            &scan.cmts,
            clip(&scan.platform, WORD_CHARS),
            scan.status.word(),
            scan.error.as_deref().map(|error| clip(error, ERROR_CHARS)),
            scan.attempts,
            scan.elapsed_ms,
            scan.samples,
            scan.unparsed,
        ),
    )
}

/// A replay of the past does not turn the clock back. The assignments are made from left to right.
fn device(transaction: &mut Transaction<'_>, scan: &Scan) -> ::mysql::Result<()> {
    let good = scan.status.is_good().then(|| utc(scan.ts));
    transaction.exec_drop(
        "INSERT INTO modulation_device (cmts, platform, last_try, last_good, last_status) \
         VALUES (?, NULLIF(?, ''), ?, ?, ?) ON DUPLICATE KEY UPDATE \
           platform = IF(VALUES(last_try) < last_try, platform, COALESCE(VALUES(platform), platform)), \
           last_status = IF(VALUES(last_try) < last_try, last_status, VALUES(last_status)), \
           last_good = GREATEST(COALESCE(last_good, VALUES(last_good)), COALESCE(VALUES(last_good), last_good)), \
           last_try = GREATEST(last_try, VALUES(last_try))",
        (&scan.cmts, clip(&scan.platform, WORD_CHARS), utc(scan.ts), good, scan.status.word()),
    )
}

/// An older table may hold several rows: the newest is the one that is read.
pub(super) fn touch(connection: &mut Conn, now: Timestamp) -> ::mysql::Result<()> {
    connection
        .exec_drop("UPDATE lastupdatemodulation SET stamp = ? ORDER BY stamp DESC LIMIT 1", (now.0,))?;
    if connection.affected_rows() > 0 {
        return Ok(());
    }
    // Either no row is there, or it says so already.
    let rows: Option<u64> = connection.query_first("SELECT COUNT(*) FROM lastupdatemodulation")?;
    if rows == Some(0) {
        connection.exec_drop(
            "INSERT INTO lastupdatemodulation (stamp) VALUES (?) ON DUPLICATE KEY UPDATE stamp = stamp",
            (now.0,),
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_goes_in_full_batches_and_then_powers_of_two() {
        let sizes = |mut left: usize, batch| {
            let mut sizes = Vec::new();
            while left > 0 {
                sizes.push(chunk(left, batch));
                left -= sizes[sizes.len() - 1];
            }
            sizes
        };
        assert_eq!(sizes(2048, 1000), [1000, 1000, 32, 16]);
        assert_eq!(sizes(48, 1000), [32, 16]);
        assert_eq!(sizes(3, 1), [1, 1, 1]);
        assert!(
            KEYED
                .sql(2)
                .ends_with("VALUES (?,?,?,?),(?,?,?,?) ON DUPLICATE KEY UPDATE modulation = modulation")
        );
    }
}
