//! Storing one group in SQLite.

use chrono::NaiveDate;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::{Sqlite, read};
use crate::{
    database::{
        Counts, Group, SampleTable,
        admit::{ERROR_CHARS, WORD_CHARS, clip},
        channels::{Change, Channels},
        days::{Days, late, marked},
        provenance::{Provenance, has_detail},
    },
    record::{ExplainedBy, Sample, Scan, Timestamp},
};

impl Sqlite {
    pub(super) fn store_groups(&mut self, groups: &[Group]) -> rusqlite::Result<Vec<Counts>> {
        let changes = self.known_channels()?.changes(groups);
        let now = self.clock.now();
        let provenance = self.provenance;
        let late = if self.keeps_days() { late(groups, now) } else { Vec::new() };
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut counts = Vec::with_capacity(groups.len());
        for group in groups {
            counts.push(samples(&transaction, self.samples, provenance, group)?);
            if let Some(scan) = &group.scan {
                scan_row(&transaction, provenance, scan)?;
                device(&transaction, scan, now)?;
            }
        }
        channels(&transaction, provenance, &changes)?;
        if counts.iter().any(|counts| counts.stored > 0) {
            mark_days(&transaction, self.samples, &late)?;
        }
        transaction.commit()?;
        self.known_channels()?.learn(changes);
        Ok(counts)
    }

    fn known_channels(&mut self) -> rusqlite::Result<&mut Channels> {
        if self.channels.is_none() {
            let mut known = Channels::default();
            read::channels(&self.connection, self.provenance, &mut |row| known.learn([row]))?;
            self.channels = Some(known);
        }
        Ok(self.channels.get_or_insert_default())
    }
}

/// Marks the kept days that late samples belong to: they are reckoned again. One whose samples have been pruned stands.
fn mark_days(transaction: &Transaction<'_>, table: SampleTable, late: &[NaiveDate]) -> rusqlite::Result<()> {
    let text = marked(table);
    let mut mark = transaction.prepare_cached(
        "UPDATE modulation_day SET finished = ?2 \
         WHERE day = ?1 AND cmts = '' AND upstream = '' AND finished NOT LIKE '%\"sealed\":true%'",
    )?;
    late.iter().try_for_each(|day| mark.execute([day.to_string(), text.clone()]).map(drop))
}

fn samples(
    transaction: &Transaction<'_>,
    table: SampleTable,
    provenance: Provenance,
    group: &Group,
) -> rusqlite::Result<Counts> {
    // In the order of the key, so that the pages of the table are written once.
    let mut sorted: Vec<&Sample> = group.samples.iter().collect();
    sorted.sort_by(|a, b| a.upstream.cmp(&b.upstream));
    let mut new = transaction.prepare_cached(&format!(
        "INSERT INTO {table} (timestamp, cmts, upstream, modulation) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT DO NOTHING"
    ))?;
    let mut stored = 0;
    for sample in &sorted {
        let row = params![group.ts.0, group.cmts, sample.upstream, sample.modulation.word()];
        stored += new.execute(row)? as u64;
    }
    let mut detail = transaction.prepare_cached(if provenance.detail {
        "INSERT INTO modulation_detail (timestamp, cmts, upstream, profile, source, snr_db, explained_by) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING"
    } else {
        "INSERT INTO modulation_detail (timestamp, cmts, upstream, profile, source, snr_db) \
         SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE ?7 IS ?7 ON CONFLICT DO NOTHING"
    })?;
    for sample in sorted.into_iter().filter(|sample| has_detail(sample)) {
        let source = sample.source.word();
        detail.execute(params![
            group.ts.0,
            group.cmts,
            sample.upstream,
            sample.profile,
            source,
            sample.snr_db,
            sample.explained_by.map(ExplainedBy::word)
        ])?;
    }
    let sent = group.samples.len() as u64;
    Ok(Counts { sent, stored, duplicate: sent - stored, ..Counts::default() })
}

fn channels(
    transaction: &Transaction<'_>,
    provenance: Provenance,
    changes: &[Change],
) -> rusqlite::Result<()> {
    let mut upsert = transaction.prepare_cached(
        "INSERT INTO modulation_channel \
           (cmts, upstream, platform, type, center_hz, width_hz, description, first_seen, last_seen) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8) \
         ON CONFLICT (cmts, upstream) DO UPDATE SET platform = excluded.platform, type = excluded.type, \
           center_hz = excluded.center_hz, width_hz = excluded.width_hz, description = excluded.description, \
           first_seen = min(first_seen, excluded.first_seen), last_seen = max(last_seen, excluded.last_seen)",
    )?;
    let figures = "UPDATE modulation_channel SET modems = ?3, snr_db = ?4 WHERE cmts = ?1 AND upstream = ?2";
    let mut figures = if provenance.channel { Some(transaction.prepare_cached(figures)?) } else { None };
    for Change { channel, seen } in changes {
        upsert.execute(params![
            channel.cmts,
            channel.upstream,
            channel.platform,
            channel.channel_type,
            channel.center_hz.map(i64::try_from).and_then(Result::ok),
            channel.width_hz.map(i64::try_from).and_then(Result::ok),
            channel.description,
            seen.0,
        ])?;
        if let Some(figures) = &mut figures {
            let modems = channel.modems.map(whole);
            figures.execute(params![channel.cmts, channel.upstream, modems, channel.snr_db])?;
        }
    }
    Ok(())
}

/// A scan that is parsed again corrects what stands there.
fn scan_row(transaction: &Transaction<'_>, provenance: Provenance, scan: &Scan) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO modulation_scan \
               (ts, cmts, platform, status, error, attempts, elapsed_ms, samples, unparsed) \
             VALUES (?1, ?2, nullif(?3, ''), ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            scan.ts.0,
            scan.cmts,
            clip(&scan.platform, WORD_CHARS),
            scan.status.word(),
            scan.error.as_deref().map(|error| clip(error, ERROR_CHARS)),
            scan.attempts,
            whole(scan.elapsed_ms),
            whole(scan.samples),
            whole(scan.unparsed),
        ])?;
    if provenance.scan {
        transaction
            .prepare_cached("UPDATE modulation_scan SET built_in = ?3 WHERE ts = ?1 AND cmts = ?2")?
            .execute(params![scan.ts.0, scan.cmts, whole(scan.built_in)])?;
    }
    Ok(())
}

/// SQLite's integers end at half of ours; nobody counts so far.
fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// How far the clocks of two collectors may be apart, s.
const CLOCKS_APART_S: i64 = 600;

/// A replay of the past does not turn the clock back, and a scan ahead of time is of now: otherwise a device that dies
/// would be taken for well until then. What a clock said that was ahead by more than
/// `CLOCKS_APART_S` is not kept either.
fn device(transaction: &Transaction<'_>, scan: &Scan, now: Timestamp) -> rusqlite::Result<()> {
    let ts = scan.ts.min(now).0;
    let good = scan.status.is_good().then_some(ts);
    transaction
        .prepare_cached(
            "INSERT INTO modulation_device (cmts, platform, last_try, last_good, last_status) \
             VALUES (?1, nullif(?2, ''), ?3, ?4, ?5) \
             ON CONFLICT (cmts) DO UPDATE SET \
               platform = CASE WHEN excluded.last_try < last_try THEN platform \
                          ELSE coalesce(excluded.platform, platform) END, \
               last_status = CASE WHEN excluded.last_try < last_try AND last_try <= ?6 THEN last_status \
                             ELSE excluded.last_status END, \
               last_good = CASE WHEN last_good > ?6 THEN excluded.last_good ELSE \
                           max(coalesce(last_good, excluded.last_good), coalesce(excluded.last_good, last_good)) END, \
               last_try = CASE WHEN last_try > ?6 THEN excluded.last_try \
                          ELSE max(last_try, excluded.last_try) END",
        )?
        .execute(params![
            scan.cmts,
            clip(&scan.platform, WORD_CHARS),
            ts,
            good,
            scan.status.word(),
            (now + CLOCKS_APART_S).0
        ])?;
    Ok(())
}

pub(super) fn touch(connection: &mut Connection, now: Timestamp) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if transaction.execute("UPDATE lastupdatemodulation SET stamp = ?1", [now.0])? == 0 {
        transaction.execute("INSERT INTO lastupdatemodulation (stamp) VALUES (?1)", [now.0])?;
    }
    transaction.commit()
}
