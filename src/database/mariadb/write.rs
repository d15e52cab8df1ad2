//! Storing groups on MySQL or MariaDB: one transaction, few statements, always parameters.

use std::collections::HashSet;

use ::mysql::{Conn, Error as Fault, Transaction, TxOpts, Value, prelude::Queryable};
use chrono::NaiveDate;

use super::{
    days::date,
    insert::{CHANNEL, DETAIL, DEVICE, MARK, Room, SCAN, keyed, older},
    shape::Shape,
    tables::Tables,
    zone::{utc, value},
};
use crate::{
    database::{
        Counts, Group, SampleTable,
        admit::{ERROR_CHARS, WORD_CHARS, clip},
        channels::Change,
        days,
        provenance::has_detail,
    },
    record::{ExplainedBy, Sample, Scan, Timestamp},
};

/// How groups are stored here.
#[derive(Clone, Copy)]
pub(super) struct Plan<'a> {
    pub shape: &'a Shape,
    pub tables: &'a Tables,
    pub room: Room,
    /// A scan ahead of time is of now.
    pub now: Timestamp,
    /// Days that may be kept without these groups.
    pub late: &'a [NaiveDate],
    /// They may be there already, without a mark that says so.
    pub again: bool,
}

/// A group with its rows in the order of the key, each upstream once.
struct Rows<'a> {
    group: &'a Group,
    /// Its time as the column holds it.
    at: Value,
    samples: Vec<&'a Sample>,
}

/// What an older table knows of a group.
enum Replay {
    /// Nothing.
    New,
    Whole,
    /// These upstreams.
    Partly(HashSet<String>),
}

impl Plan<'_> {
    /// One transaction; after a fault it is rolled back. The groups come in the order of their keys,
    /// and each is counted.
    pub fn run(
        &self,
        connection: &mut Conn,
        groups: &[&Group],
        changes: &[Change],
    ) -> ::mysql::Result<Vec<Counts>> {
        let rows: Vec<Rows<'_>> = groups.iter().map(|group| self.rows(group)).collect();
        let mut transaction = connection.start_transaction(TxOpts::default())?;
        let stored = self.samples(&mut transaction, &rows)?;
        self.around(&mut transaction, &rows, changes)?;
        if stored.iter().any(|&stored| stored > 0) {
            mark_days(&mut transaction, self.tables.samples, self.late)?;
        }
        transaction.commit()?;
        let count = |(group, stored): (&&Group, u64)| {
            let sent = group.samples.len() as u64;
            Counts { sent, stored, duplicate: sent - stored, ..Counts::default() }
        };
        Ok(groups.iter().zip(stored).map(count).collect())
    }

    /// The new rows of each group. All groups go in the same statements, whose counts are those of
    /// all together; only when some of the rows were there already, they go one by one.
    fn samples(&self, transaction: &mut Transaction<'_>, groups: &[Rows<'_>]) -> ::mysql::Result<Vec<u64>> {
        if let [group] = groups {
            return Ok(vec![self.alone(transaction, group)?]);
        }
        transaction.query_drop("SAVEPOINT together")?;
        if let Some(stored) = self.together(transaction, groups)? {
            return Ok(stored);
        }
        transaction.query_drop("ROLLBACK TO SAVEPOINT together")?;
        groups.iter().map(|group| self.alone(transaction, group)).collect()
    }

    fn together(
        &self,
        transaction: &mut Transaction<'_>,
        groups: &[Rows<'_>],
    ) -> ::mysql::Result<Option<Vec<u64>>> {
        let samples: Vec<_> = groups.iter().flat_map(Rows::each).collect();
        let sent = samples.len() as u64;
        if self.shape.keyed {
            let affected = keyed(self.tables.samples).run(transaction, &samples, self.room, sample_row)?;
            return Ok(match affected {
                all if all == sent => Some(groups.iter().map(Rows::count).collect()),
                0 => Some(vec![0; groups.len()]),
                _ => None,
            });
        }
        if self.again || !self.tables.has("modulation_scan") {
            return Ok(None);
        }
        let marked: Vec<&Rows<'_>> = groups.iter().filter(|group| group.count() > 0).collect();
        if MARK.run(transaction, &marked, self.room, mark)? != marked.len() as u64 {
            return Ok(None);
        }
        self.insert(transaction, &samples)?;
        Ok(Some(groups.iter().map(Rows::count).collect()))
    }

    fn alone(&self, transaction: &mut Transaction<'_>, group: &Rows<'_>) -> ::mysql::Result<u64> {
        if self.shape.keyed {
            let samples: Vec<_> = group.each().collect();
            return keyed(self.tables.samples).run(transaction, &samples, self.room, sample_row);
        }
        let mut samples: Vec<_> = group.each().collect();
        match self.replay(transaction, group)? {
            Replay::New => {}
            Replay::Whole => return Ok(0),
            Replay::Partly(there) => samples.retain(|(_, sample)| !there.contains(&sample.upstream)),
        }
        self.insert(transaction, &samples)
    }

    fn rows<'a>(&self, group: &'a Group) -> Rows<'a> {
        let mut samples: Vec<&Sample> = group.samples.iter().collect();
        samples.sort_by(|a, b| a.upstream.cmp(&b.upstream));
        samples.dedup_by(|b, a| a.upstream == b.upstream);
        Rows { group, at: value(self.shape.zone.to_column(group.ts)), samples }
    }

    /// New rows of an older table, which takes whatever comes.
    fn insert(&self, transaction: &mut Transaction<'_>, rows: &[(&Value, &Sample)]) -> ::mysql::Result<u64> {
        let stored = older(self.tables.samples).run(transaction, rows, self.room, sample_row)?;
        if stored == rows.len() as u64 {
            return Ok(stored);
        }
        let what = format!("the server took {stored} of {} rows without a fault", rows.len());
        Err(Fault::IoError(std::io::Error::new(std::io::ErrorKind::InvalidData, what)))
    }

    /// The older table would take a replay as new rows: `modulation_scan` knows it, or else the rows.
    fn replay(&self, transaction: &mut Transaction<'_>, rows: &Rows<'_>) -> ::mysql::Result<Replay> {
        let Rows { group, .. } = rows;
        if rows.count() == 0 {
            return Ok(Replay::Whole);
        }
        if self.tables.has("modulation_scan") {
            if MARK.run(transaction, &[rows], self.room, mark)? > 0 {
                return Ok(Replay::New);
            }
            let known: Option<(bool, u64)> = transaction.exec_first(
                "SELECT status IS NOT NULL, samples FROM modulation_scan WHERE ts = ? AND cmts = ? FOR UPDATE",
                (utc(group.ts), &group.cmts),
            )?;
            let samples = group.samples.len() as u64;
            if known.is_some_and(|(scanned, known)| scanned && known >= samples) {
                return Ok(Replay::Whole);
            }
        } else if !self.again {
            return Ok(Replay::New);
        }
        // The group came in parts, or its scan counts fewer: what is there decides, slow as it may be.
        let there: Vec<String> = transaction.exec(
            format!("SELECT upstream FROM {} WHERE cmts = ? AND timestamp = ?", self.tables.samples),
            (&group.cmts, &rows.at),
        )?;
        Ok(Replay::Partly(there.into_iter().collect()))
    }

    /// Everything but the samples themselves.
    fn around(
        &self,
        transaction: &mut Transaction<'_>,
        groups: &[Rows<'_>],
        changes: &[Change],
    ) -> ::mysql::Result<()> {
        let provenance = self.tables.provenance;
        if self.tables.has("modulation_detail") {
            let samples = groups.iter().flat_map(|group| &group.samples).copied();
            let detail: Vec<&Sample> = samples.filter(|sample| has_detail(sample)).collect();
            DETAIL.with_later(provenance.detail).run(transaction, &detail, self.room, detail_row)?;
        }
        let room = Room { rows: self.room.rows.min(1000), ..self.room };
        CHANNEL.with_later(provenance.channel).run(transaction, changes, room, channel_row)?;
        let scans: Vec<&Scan> = groups.iter().filter_map(|group| group.group.scan.as_ref()).collect();
        if self.tables.has("modulation_scan") {
            SCAN.with_later(provenance.scan).run(transaction, &scans, self.room, scan_row)?;
        }
        if self.tables.has("modulation_device") {
            DEVICE.run(transaction, &scans, self.room, |scan, values| device_row(scan, self.now, values))?;
        }
        Ok(())
    }
}

/// Marks the kept days that late samples belong to: they are reckoned again. One whose samples have been pruned stands.
fn mark_days(
    transaction: &mut Transaction<'_>,
    table: SampleTable,
    late: &[NaiveDate],
) -> ::mysql::Result<()> {
    let mark = days::marked(table);
    for &day in late {
        transaction.exec_drop(
            "UPDATE modulation_day SET finished = ? \
             WHERE day = ? AND cmts = '' AND upstream = '' AND finished NOT LIKE '%\"sealed\":true%'",
            (&mark, date(day)),
        )?;
    }
    Ok(())
}

impl Rows<'_> {
    fn count(&self) -> u64 {
        self.samples.len() as u64
    }

    fn each(&self) -> impl Iterator<Item = (&Value, &Sample)> {
        self.samples.iter().map(|&sample| (&self.at, sample))
    }
}

fn sample_row((at, sample): &(&Value, &Sample), values: &mut Vec<Value>) {
    values.push((*at).clone());
    values.push((&sample.cmts).into());
    values.push((&sample.upstream).into());
    values.push(sample.modulation.word().into());
}

fn mark(rows: &&Rows<'_>, values: &mut Vec<Value>) {
    values.push(utc(rows.group.ts));
    values.push((&rows.group.cmts).into());
    values.push((rows.group.samples.len() as u64).into());
}

fn detail_row(sample: &&Sample, values: &mut Vec<Value>) {
    values.push(utc(sample.ts));
    values.push((&sample.cmts).into());
    values.push((&sample.upstream).into());
    values.push(sample.profile.into());
    values.push(sample.source.word().into());
    values.push(sample.snr_db.into());
    values.push(sample.explained_by.map(ExplainedBy::word).into());
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
    values.push(channel.modems.into());
    values.push(channel.snr_db.into());
}

fn scan_row(scan: &&Scan, values: &mut Vec<Value>) {
    values.push(utc(scan.ts));
    values.push((&scan.cmts).into());
    values.push(clip(&scan.platform, WORD_CHARS).into());
    values.push(scan.status.word().into());
    values.push(scan.error.as_deref().map(|error| clip(error, ERROR_CHARS)).into());
    values.push(scan.attempts.into());
    values.push(scan.elapsed_ms.into());
    values.push(scan.samples.into());
    values.push(scan.unparsed.into());
    values.push(scan.built_in.into());
}

fn device_row(scan: &Scan, now: Timestamp, values: &mut Vec<Value>) {
    let ts = scan.ts.min(now);
    values.push((&scan.cmts).into());
    values.push(clip(&scan.platform, WORD_CHARS).into());
    values.push(utc(ts));
    values.push(scan.status.is_good().then(|| utc(ts)).into());
    values.push(scan.status.word().into());
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
