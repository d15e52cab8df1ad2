//! Samples of a table like ours, gathered by the server into one row for each device and moment: a tenth of the packets,
//! and less than half of the work on this side. Signal-to-noise ratios come along on a second connection, in the same
//! order; to look each of them up costs the server three times as much.

use std::collections::HashMap;

use ::mysql::{Binary, Conn, Error as Fault, QueryResult, Row, Value, prelude::Queryable};
use chrono::NaiveDateTime;
use memchr::{memchr, memchr_iter};

use super::{
    faults::{Class, class_of_code},
    read::{moment, number},
    zone::{Zone, utc},
};
use crate::{
    database::{SampleTable, Stored},
    measure::Window,
    modulation::Modulation,
    record::Timestamp,
};

/// The server cuts what it gathers at this, and at the largest packet. Where it cannot be set, more is read row by row.
const ROOM: &str = "SET SESSION group_concat_max_len = 1073741824";

/// How far the reading came.
pub(super) enum Outcome {
    Whole,
    /// From this device and moment on the rows have to be read one by one: one of its names cannot be told apart in a
    /// text, or the text was cut.
    From(Timestamp, String),
}

/// The text of a device and moment: a line for each upstream.
struct Text {
    at: NaiveDateTime,
    cmts: String,
    lines: Vec<u8>,
    /// There is a line for each row, and nothing in it that could be taken for the end of a name or a value.
    is_whole: bool,
}

/// Texts as they come.
struct Texts<'c> {
    rows: QueryResult<'c, 'c, 'c, Binary>,
    /// The next one, when it belongs to a later moment.
    ahead: Option<Text>,
}

/// Calls `each` until it says false. `second`: another connection, for the ratios.
pub(super) fn samples(
    connection: &mut Conn,
    second: Option<&mut Conn>,
    table: SampleTable,
    window: Window,
    each: &mut dyn FnMut(Stored<'_>) -> bool,
) -> ::mysql::Result<Outcome> {
    let mut texts = Texts::ask(connection, window, "modulation", &format!("{table} WHERE"))?;
    // Asked for later, they are there for every sample that is.
    let mut ratios = match second {
        None => None,
        Some(second) => {
            let wanted = "modulation_detail WHERE snr_db IS NOT NULL AND";
            Some(Texts::ask(second, window, "snr_db", wanted)?)
        }
    };
    let mut of_moment = (NaiveDateTime::MIN, HashMap::new());
    while let Some(text) = texts.next()? {
        let ts = Zone::Utc.of_column(text.at);
        if let Some(ratios) = &mut ratios
            && of_moment.0 < text.at
        {
            of_moment = (text.at, ratios.of(text.at)?);
        }
        let found = of_moment.1.get(&text.cmts).map_or(Some(Vec::new()), Text::lines);
        let Some((lines, found)) = text.lines().zip(found) else { return Ok(Outcome::From(ts, text.cmts)) };
        let mut found = found.into_iter().peekable();
        for (upstream, word) in lines {
            while found.next_if(|(name, _)| *name < upstream).is_some() {}
            let snr_db =
                found.next_if(|(name, _)| *name == upstream).and_then(|(_, ratio)| ratio.parse().ok());
            let modulation = Modulation::from_word(word).unwrap_or(Modulation::Unknown);
            let (profile, source, explained_by) = Default::default();
            let cmts = &text.cmts;
            if !each(Stored { ts, cmts, upstream, modulation, profile, source, snr_db, explained_by }) {
                return Ok(Outcome::Whole);
            }
        }
    }
    Ok(Outcome::Whole)
}

impl<'c> Texts<'c> {
    fn ask(connection: &'c mut Conn, window: Window, value: &str, table: &str) -> ::mysql::Result<Self> {
        match connection.query_drop(ROOM) {
            Err(Fault::MySqlError(error)) if class_of_code(error.code) == Class::Refused => {}
            other => other?,
        }
        let sql = format!(
            "SELECT timestamp, cmts, COUNT(*), GROUP_CONCAT({value}, '\\t', upstream, '\\n' SEPARATOR '') \
             FROM {table} timestamp >= ? AND timestamp < ? GROUP BY timestamp, cmts ORDER BY timestamp, cmts"
        );
        Ok(Texts { rows: connection.exec_iter(sql, (utc(window.from), utc(window.to)))?, ahead: None })
    }

    fn next(&mut self) -> ::mysql::Result<Option<Text>> {
        for row in self.rows.by_ref() {
            if let Some(next) = text(row?) {
                return Ok(Some(next));
            }
        }
        Ok(None)
    }

    /// The texts of a moment, by device; those of earlier ones are passed by.
    fn of(&mut self, at: NaiveDateTime) -> ::mysql::Result<HashMap<String, Text>> {
        let mut texts = HashMap::new();
        loop {
            let next = match self.ahead.take() {
                Some(ahead) => ahead,
                None => match self.next()? {
                    Some(next) => next,
                    None => return Ok(texts),
                },
            };
            if next.at > at {
                self.ahead = Some(next);
                return Ok(texts);
            }
            if next.at == at {
                texts.insert(next.cmts.clone(), next);
            }
        }
    }
}

fn text(mut row: Row) -> Option<Text> {
    let (at, count) = (moment(&row, 0)?, number(&row, 2)?);
    let mut bytes = |column| match row.take(column) {
        Some(Value::Bytes(bytes)) => bytes,
        // None of its rows has a value.
        _ => Vec::new(),
    };
    let (cmts, lines) = (String::from_utf8(bytes(1)).ok()?, bytes(3));
    let counts = |mark| memchr_iter(mark, &lines).count() as u64 == count;
    let is_whole = counts(b'\n') && counts(b'\t') && lines.last() == Some(&b'\n');
    Some(Text { at, cmts, lines, is_whole })
}

impl Text {
    /// The name of each upstream with its value, in the order of names; none when they cannot be told.
    fn lines(&self) -> Option<Vec<(&str, &str)>> {
        let mut rest = std::str::from_utf8(&self.lines).ok().filter(|_| self.is_whole)?;
        let mut lines = Vec::with_capacity(rest.len() / 16);
        while let Some(end) = memchr(b'\n', rest.as_bytes()) {
            let (value, upstream) = rest[..end].split_once('\t')?;
            lines.push((upstream, value));
            rest = &rest[end + 1..];
        }
        if !lines.is_sorted() {
            lines.sort_unstable();
        }
        Some(lines)
    }
}
