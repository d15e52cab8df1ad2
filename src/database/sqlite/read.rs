//! Reading from SQLite. Everything comes in the order of a primary key, so nothing is sorted or collected.

use rusqlite::{Connection, Row};

use crate::{
    database::{
        Detail, SampleTable, Stored,
        channels::Change,
        provenance::{Provenance, or_null},
    },
    measure::{Channel, Device, Window},
    modulation::Modulation,
    record::{ExplainedBy, Scan, Source, Status, Timestamp},
};

/// Calls `each` until it says false.
pub(super) fn samples(
    connection: &Connection,
    table: SampleTable,
    provenance: Provenance,
    window: Window,
    detail: Detail,
    each: &mut dyn FnMut(Stored<'_>) -> bool,
) -> rusqlite::Result<()> {
    let sql = if detail != Detail::Without {
        let explained_by = or_null(provenance.detail, "explained_by");
        format!(
            "SELECT timestamp, cmts, upstream, modulation, profile, source, snr_db, {explained_by} \
             FROM {table} LEFT JOIN modulation_detail USING (timestamp, cmts, upstream) \
             WHERE timestamp >= ?1 AND timestamp < ?2 ORDER BY timestamp, cmts, upstream"
        )
    } else {
        format!(
            "SELECT timestamp, cmts, upstream, modulation, NULL, NULL, NULL, NULL \
             FROM {table} WHERE timestamp >= ?1 AND timestamp < ?2 ORDER BY timestamp, cmts, upstream"
        )
    };
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([window.from.0, window.to.0])?;
    while let Some(row) = rows.next()? {
        let source: Option<String> = row.get(5)?;
        let stored = Stored {
            ts: Timestamp(row.get(0)?),
            cmts: row.get_ref(1)?.as_str()?,
            upstream: row.get_ref(2)?.as_str()?,
            modulation: Modulation::from_word(row.get_ref(3)?.as_str()?).unwrap_or(Modulation::Unknown),
            profile: row.get(4)?,
            source: source.as_deref().and_then(Source::from_word),
            snr_db: row.get(6)?,
            explained_by: row.get::<_, Option<String>>(7)?.as_deref().and_then(ExplainedBy::from_word),
        };
        if !each(stored) {
            break;
        }
    }
    Ok(())
}

/// Calls `each` until it says false.
pub(super) fn scans(
    connection: &Connection,
    provenance: Provenance,
    window: Window,
    each: &mut dyn FnMut(Scan) -> bool,
) -> rusqlite::Result<()> {
    let built_in = or_null(provenance.scan, "built_in");
    let mut statement = connection.prepare_cached(&format!(
        "SELECT ts, cmts, platform, status, error, attempts, elapsed_ms, samples, unparsed, {built_in} \
         FROM modulation_scan WHERE ts >= ?1 AND ts < ?2 ORDER BY ts, cmts"
    ))?;
    let mut rows = statement.query([window.from.0, window.to.0])?;
    while let Some(row) = rows.next()? {
        let scan = Scan {
            ts: Timestamp(row.get(0)?),
            cmts: row.get(1)?,
            platform: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
            status: status(row, 3)?,
            error: row.get(4)?,
            attempts: row.get(5)?,
            elapsed_ms: unsigned(row, 6)?.unwrap_or_default(),
            samples: unsigned(row, 7)?.unwrap_or_default(),
            unparsed: unsigned(row, 8)?.unwrap_or_default(),
            built_in: unsigned(row, 9)?.unwrap_or_default(),
        };
        if !each(scan) {
            break;
        }
    }
    Ok(())
}

pub(super) fn channels(
    connection: &Connection,
    provenance: Provenance,
    each: &mut dyn FnMut(Change),
) -> rusqlite::Result<()> {
    let [modems, snr_db] = ["modems", "snr_db"].map(|column| or_null(provenance.channel, column));
    let mut statement = connection.prepare(&format!(
        "SELECT cmts, upstream, platform, type, center_hz, width_hz, description, last_seen, {modems}, {snr_db} \
         FROM modulation_channel ORDER BY cmts, upstream"
    ))?;
    let rows = statement.query_map([], |row| {
        let channel = Channel {
            cmts: row.get(0)?,
            upstream: row.get(1)?,
            platform: row.get(2)?,
            channel_type: row.get(3)?,
            center_hz: unsigned(row, 4)?,
            width_hz: unsigned(row, 5)?,
            description: row.get(6)?,
            modems: unsigned(row, 8)?,
            snr_db: row.get(9)?,
        };
        Ok(Change { channel, seen: Timestamp(row.get(7)?) })
    })?;
    for row in rows {
        each(row?);
    }
    Ok(())
}

pub(super) fn devices(connection: &Connection) -> rusqlite::Result<Vec<Device>> {
    let mut statement = connection.prepare(
        "SELECT cmts, platform, last_try, last_good, last_status FROM modulation_device ORDER BY cmts",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Device {
            cmts: row.get(0)?,
            platform: row.get(1)?,
            last_try: Timestamp(row.get(2)?),
            last_good: row.get::<_, Option<i64>>(3)?.map(Timestamp),
            last_status: status(row, 4)?,
        })
    })?;
    rows.collect()
}

pub(super) fn newest(connection: &Connection, table: SampleTable) -> rusqlite::Result<Option<Timestamp>> {
    let sql = format!("SELECT max(timestamp) FROM {table}");
    let newest: Option<i64> = connection.query_row(&sql, [], |row| row.get(0))?;
    Ok(newest.map(Timestamp))
}

/// A word that a newer modtools may have written is a fault as far as we can tell.
fn status(row: &Row<'_>, column: usize) -> rusqlite::Result<Status> {
    Ok(Status::from_word(row.get_ref(column)?.as_str()?).unwrap_or(Status::Internal))
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(column)?.and_then(|value| value.try_into().ok()))
}
