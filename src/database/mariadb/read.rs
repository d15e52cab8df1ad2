//! Reading from MySQL or MariaDB: rows come one by one as the server sends them.

use ::mysql::{Conn, Row, Value, prelude::Queryable};

use super::{
    shape::Shape,
    zone::{Zone, time, utc, value},
};
use crate::{
    database::{
        Stored,
        channels::Change,
        provenance::{Provenance, or_null},
    },
    measure::{Channel, Device, Window},
    modulation::Modulation,
    record::{ExplainedBy, Scan, Source, Status, Timestamp},
};

/// A window on local time is read this much wider on both sides, and then cut in UTC.
const LOCAL_MARGIN_S: i64 = 2 * 3600;

/// Calls `each` until it says false.
pub(super) fn samples(
    connection: &mut Conn,
    shape: &Shape,
    window: Window,
    detail: Option<Provenance>,
    each: &mut dyn FnMut(Stored<'_>) -> bool,
) -> ::mysql::Result<()> {
    let (sql, from, to) = question(shape, window, detail);
    let mut rows = connection.exec_iter(sql, (from, to))?;
    for row in rows.by_ref() {
        let row = row?;
        let (Some(at), Some(cmts), Some(upstream)) = (moment(&row, 0), text(&row, 1), text(&row, 2)) else {
            continue;
        };
        let ts = shape.zone.of_column(at);
        if ts < window.from || ts >= window.to {
            continue;
        }
        let stored = Stored {
            ts,
            cmts,
            upstream,
            modulation: text(&row, 3).and_then(Modulation::from_word).unwrap_or(Modulation::Unknown),
            profile: number(&row, 4).and_then(|profile| profile.try_into().ok()),
            source: text(&row, 5).and_then(Source::from_word),
            snr_db: double(&row, 6),
            explained_by: text(&row, 7).and_then(ExplainedBy::from_word),
        };
        if !each(stored) {
            break;
        }
    }
    Ok(())
}

/// The query for samples and its two parameters.
fn question(shape: &Shape, window: Window, detail: Option<Provenance>) -> (String, Value, Value) {
    let (from, to) = match shape.zone {
        Zone::Utc => (utc(window.from), utc(window.to)),
        zone => (
            value(zone.to_column(window.from + -LOCAL_MARGIN_S)),
            value(zone.to_column(window.to + LOCAL_MARGIN_S)),
        ),
    };
    // Detail is kept in UTC, so it is matched to local times only where they are UTC too.
    let sql = match detail.filter(|_| shape.zone == Zone::Utc) {
        Some(provenance) => format!(
            "SELECT s.timestamp, s.cmts, s.upstream, s.modulation, d.profile, d.source, d.snr_db, {} \
             FROM {} s LEFT JOIN modulation_detail d USING (timestamp, cmts, upstream) \
             WHERE s.timestamp >= ? AND s.timestamp < ? ORDER BY s.timestamp, s.cmts, s.upstream",
            or_null(provenance.detail, "d.explained_by"),
            shape.table
        ),
        None => format!(
            "SELECT timestamp, cmts, upstream, modulation \
             FROM {} WHERE timestamp >= ? AND timestamp < ? ORDER BY timestamp, cmts, upstream",
            shape.table
        ),
    };
    (sql, from, to)
}

/// Calls `each` until it says false. Rows without a status only mark samples that came without a scan.
pub(super) fn scans(
    connection: &mut Conn,
    provenance: Provenance,
    window: Window,
    each: &mut dyn FnMut(Scan) -> bool,
) -> ::mysql::Result<()> {
    let built_in = or_null(provenance.scan, "built_in");
    let sql = format!(
        "SELECT ts, cmts, platform, status, error, attempts, elapsed_ms, samples, unparsed, {built_in} \
         FROM modulation_scan WHERE ts >= ? AND ts < ? AND status IS NOT NULL ORDER BY ts, cmts"
    );
    let mut rows = connection.exec_iter(sql, (utc(window.from), utc(window.to)))?;
    for row in rows.by_ref() {
        let row = row?;
        let scan = Scan {
            ts: instant(&row, 0).unwrap_or_default(),
            cmts: owned(&row, 1).unwrap_or_default(),
            platform: owned(&row, 2).unwrap_or_default(),
            status: status(&row, 3),
            error: owned(&row, 4),
            attempts: number(&row, 5).and_then(|attempts| attempts.try_into().ok()).unwrap_or_default(),
            elapsed_ms: number(&row, 6).unwrap_or_default(),
            samples: number(&row, 7).unwrap_or_default(),
            unparsed: number(&row, 8).unwrap_or_default(),
            built_in: number(&row, 9).unwrap_or_default(),
        };
        if !each(scan) {
            break;
        }
    }
    Ok(())
}

pub(super) fn channels(
    connection: &mut Conn,
    provenance: Provenance,
    each: &mut dyn FnMut(Change),
) -> ::mysql::Result<()> {
    let [modems, snr_db] = ["modems", "snr_db"].map(|column| or_null(provenance.channel, column));
    let sql = format!(
        "SELECT cmts, upstream, platform, type, center_hz, width_hz, description, last_seen, {modems}, {snr_db} \
         FROM modulation_channel ORDER BY cmts, upstream"
    );
    let change = |row: Row| Change {
        channel: Channel {
            cmts: owned(&row, 0).unwrap_or_default(),
            upstream: owned(&row, 1).unwrap_or_default(),
            platform: owned(&row, 2),
            channel_type: owned(&row, 3),
            center_hz: number(&row, 4),
            width_hz: number(&row, 5),
            description: owned(&row, 6),
            modems: number(&row, 8),
            snr_db: double(&row, 9),
        },
        seen: instant(&row, 7).unwrap_or_default(),
    };
    for row in connection.exec_iter(sql, ())? {
        each(change(row?));
    }
    Ok(())
}

pub(super) fn devices(connection: &mut Conn) -> ::mysql::Result<Vec<Device>> {
    let rows: Vec<Row> = connection.exec(
        "SELECT cmts, platform, last_try, last_good, last_status FROM modulation_device ORDER BY cmts",
        (),
    )?;
    let device = |row: Row| Device {
        cmts: owned(&row, 0).unwrap_or_default(),
        platform: owned(&row, 1),
        last_try: instant(&row, 2).unwrap_or_default(),
        last_good: instant(&row, 3),
        last_status: status(&row, 4),
    };
    Ok(rows.into_iter().map(device).collect())
}

/// An older table may have no index on its time: of such a one the latest 10,000 ids are looked at.
pub(super) fn newest(connection: &mut Conn, shape: &Shape) -> ::mysql::Result<Option<Timestamp>> {
    let table = shape.table;
    let sql = match &shape.id {
        None => format!("SELECT MAX(timestamp) FROM {table}"),
        Some(id) => format!(
            "SELECT MAX(timestamp) FROM \
             (SELECT timestamp FROM {table} ORDER BY `{}` DESC LIMIT 10000) latest",
            id.replace('`', "``")
        ),
    };
    let row: Option<Row> = connection.exec_first(sql, ())?;
    Ok(row.and_then(|row| moment(&row, 0)).map(|at| shape.zone.of_column(at)))
}

pub(super) fn text(row: &Row, column: usize) -> Option<&str> {
    match row.as_ref(column)? {
        Value::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

pub(super) fn owned(row: &Row, column: usize) -> Option<String> {
    text(row, column).map(str::to_owned)
}

pub(super) fn number(row: &Row, column: usize) -> Option<u64> {
    match *row.as_ref(column)? {
        Value::UInt(number) => Some(number),
        Value::Int(number) => number.try_into().ok(),
        _ => None,
    }
}

pub(super) fn moment(row: &Row, column: usize) -> Option<chrono::NaiveDateTime> {
    row.as_ref(column).and_then(time)
}

pub(super) fn instant(row: &Row, column: usize) -> Option<Timestamp> {
    moment(row, column).map(|at| Zone::Utc.of_column(at))
}

fn double(row: &Row, column: usize) -> Option<f64> {
    row.get::<Option<f64>, _>(column).flatten()
}

/// A word that a newer modtools may have written is a fault as far as we can tell.
fn status(row: &Row, column: usize) -> Status {
    text(row, column).and_then(Status::from_word).unwrap_or(Status::Internal)
}
