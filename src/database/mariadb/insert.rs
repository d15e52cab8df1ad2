//! The statements that insert rows, many at a time, and never larger than the server takes.

use ::mysql::{Transaction, Value, prelude::Queryable};

use crate::database::{
    SampleTable,
    admit::{DESCRIPTION_CHARS, ERROR_CHARS},
};

/// A statement that inserts many rows.
pub(super) struct Insert {
    pub table: &'static str,
    /// Its columns that get values.
    pub columns: &'static str,
    /// The parameters of a row.
    pub row: &'static str,
    /// What a row that is there already means: it stays as it is, or takes the new values.
    pub tail: &'static str,
    /// Columns that came later, behind the others in each row; and whether the table lacks them.
    pub later: &'static [&'static str],
    pub lacks_later: bool,
    /// Most bytes that the parameters of a row can take.
    pub bytes: usize,
}

/// How large one statement may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub rows: usize,
    /// max_allowed_packet of the server.
    pub bytes: usize,
    /// The server takes the parameters of many rows for the statement of one, which costs it less.
    pub bulk: bool,
}

/// Most bytes of a name, a word and a time, each with its length and type.
const NAME_BYTES: usize = 64 * 4 + 5;
const WORD_BYTES: usize = 16 * 4 + 5;
const TIME_BYTES: usize = 14;
/// A statement's header and its tail.
const FRAME_BYTES: usize = 700;

/// A row that is there stays as it is and counts as not affected; any other fault is one. (IGNORE
/// would make silence of an exhausted id or a missing partition.)
const KEYED: Insert = Insert {
    table: "",
    columns: "timestamp, cmts, upstream, modulation",
    row: "(?,?,?,?)",
    tail: " ON DUPLICATE KEY UPDATE modulation = modulation",
    later: &[],
    lacks_later: false,
    bytes: TIME_BYTES + 2 * NAME_BYTES + WORD_BYTES,
};
/// Into a table of samples; into an older one, which takes whatever comes.
pub(super) fn keyed(samples: SampleTable) -> Insert {
    Insert { table: samples.name(), ..KEYED }
}
pub(super) fn older(samples: SampleTable) -> Insert {
    Insert { tail: "", ..keyed(samples) }
}
pub(super) const DETAIL: Insert = Insert {
    table: "modulation_detail",
    columns: "timestamp, cmts, upstream, profile, source, snr_db",
    row: "(?,?,?,?,?,?)",
    tail: " ON DUPLICATE KEY UPDATE source = source",
    later: &["explained_by"],
    bytes: TIME_BYTES + 2 * NAME_BYTES + 2 * WORD_BYTES + 32,
    ..KEYED
};
pub(super) const CHANNEL: Insert = Insert {
    table: "modulation_channel",
    columns: "cmts, upstream, platform, type, center_hz, width_hz, description, first_seen, last_seen",
    row: "(?,?,?,?,?,?,?,?,?)",
    tail: " ON DUPLICATE KEY UPDATE platform = VALUES(platform), type = VALUES(type), \
           center_hz = VALUES(center_hz), width_hz = VALUES(width_hz), description = VALUES(description), \
           first_seen = LEAST(first_seen, VALUES(first_seen)), last_seen = GREATEST(last_seen, VALUES(last_seen))",
    later: &["modems", "snr_db"],
    bytes: 2 * NAME_BYTES + 2 * WORD_BYTES + DESCRIPTION_CHARS * 4 + 64,
    ..KEYED
};

/// The mark of a group in an older table, before its samples: whoever finds it there is a replay.
pub(super) const MARK: Insert = Insert {
    table: "modulation_scan",
    columns: "ts, cmts, attempts, elapsed_ms, samples, unparsed",
    row: "(?,?,0,0,?,0)",
    tail: " ON DUPLICATE KEY UPDATE cmts = cmts",
    bytes: TIME_BYTES + NAME_BYTES + 16,
    ..KEYED
};
/// A scan that is parsed again corrects what stands there.
pub(super) const SCAN: Insert = Insert {
    table: "modulation_scan",
    columns: "ts, cmts, platform, status, error, attempts, elapsed_ms, samples, unparsed",
    row: "(?,?,NULLIF(?,''),?,?,?,?,?,?)",
    tail: " ON DUPLICATE KEY UPDATE platform = VALUES(platform), status = VALUES(status), error = VALUES(error), \
           attempts = VALUES(attempts), elapsed_ms = VALUES(elapsed_ms), samples = VALUES(samples), \
           unparsed = VALUES(unparsed)",
    later: &["built_in"],
    bytes: TIME_BYTES + NAME_BYTES + 3 * WORD_BYTES + ERROR_CHARS * 4 + 64,
    ..KEYED
};
/// A replay of the past does not turn the clock back, unless that was ahead by more than clocks are apart. The
/// assignments are made from left to right.
pub(super) const DEVICE: Insert = Insert {
    table: "modulation_device",
    columns: "cmts, platform, last_try, last_good, last_status",
    row: "(?,NULLIF(?,''),?,?,?)",
    tail: " ON DUPLICATE KEY UPDATE \
           platform = IF(VALUES(last_try) < last_try, platform, COALESCE(VALUES(platform), platform)), \
           last_status = IF(VALUES(last_try) < last_try AND last_try <= NOW() + INTERVAL 10 MINUTE, last_status, \
                            VALUES(last_status)), \
           last_good = IF(last_good > NOW() + INTERVAL 10 MINUTE, VALUES(last_good), \
                          GREATEST(COALESCE(last_good, VALUES(last_good)), COALESCE(VALUES(last_good), last_good))), \
           last_try = IF(last_try > NOW() + INTERVAL 10 MINUTE, VALUES(last_try), \
                         GREATEST(last_try, VALUES(last_try)))",
    bytes: 2 * TIME_BYTES + NAME_BYTES + 3 * WORD_BYTES,
    ..KEYED
};

impl Insert {
    /// Into a table that has the later columns, or lacks them.
    pub fn with_later(self, has: bool) -> Self {
        Insert { lacks_later: !has, ..self }
    }

    fn later(&self) -> &'static [&'static str] {
        if self.lacks_later { &[] } else { self.later }
    }

    /// Inserts all rows, as many at a time as there is room for and the rest in powers of two, so that few
    /// statements are ever prepared. Returns the rows affected.
    pub fn run<T>(
        &self,
        transaction: &mut Transaction<'_>,
        rows: &[T],
        room: Room,
        parameters: impl Fn(&T, &mut Vec<Value>),
    ) -> ::mysql::Result<u64> {
        let mut affected = 0;
        let batch = self.batch(room);
        let left_out = self.later.len() - self.later().len();
        let add = |row: &T, values: &mut Vec<Value>| {
            parameters(row, values);
            values.truncate(values.len() - left_out);
        };
        if rows.is_empty() {
            return Ok(0);
        }
        if room.bulk {
            let statement = transaction.prep(self.sql(1))?;
            for now in rows.chunks(batch) {
                // They fit into one request: it is that one's count.
                transaction.exec_batch(
                    &statement,
                    now.iter().map(|row| {
                        let mut values = Vec::with_capacity(self.row.len() / 2);
                        add(row, &mut values);
                        values
                    }),
                )?;
                affected += transaction.affected_rows();
            }
            return Ok(affected);
        }
        let mut rest = rows;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(chunk(rest.len(), batch));
            let mut values = Vec::with_capacity(now.len() * self.row.len() / 2);
            now.iter().for_each(|row| add(row, &mut values));
            transaction.exec_drop(self.sql(now.len()), values)?;
            affected += transaction.affected_rows();
            rest = later;
        }
        Ok(affected)
    }

    /// Rows of a full statement: whatever they hold, it is not larger than the server takes.
    fn batch(&self, room: Room) -> usize {
        let fitting = room.bytes.saturating_sub(FRAME_BYTES)
            / (self.bytes + self.row.len() + 2 * self.later().len() + 1);
        room.rows.min(fitting).max(1)
    }

    /// The statement up to its values.
    pub fn head(&self) -> String {
        let columns = [&[self.columns][..], self.later()].concat().join(", ");
        format!("INSERT INTO `{}` ({columns}) VALUES ", self.table)
    }

    fn sql(&self, rows: usize) -> String {
        let row = [self.row.trim_end_matches(')'), &",?".repeat(self.later().len()), ")"].concat();
        let takes_values = self.tail.contains("VALUES(");
        let later = self.later().iter().filter(|_| takes_values);
        let later: String = later.map(|column| format!(", {column} = VALUES({column})")).collect();
        [&self.head(), &vec![row; rows].join(","), self.tail, &later].concat()
    }
}

/// Rows of the next statement.
fn chunk(left: usize, batch: usize) -> usize {
    if left >= batch { batch } else { 1 << left.ilog2() }
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
