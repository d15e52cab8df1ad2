//! Properties of the tables that people write and of the days that a database keeps, for any bytes.

use super::{expected::Expected, rollup::Line};
use crate::tables::Table;

/// Any table has rows whose lines go up, or a problem that names one.
pub fn table(bytes: &[u8]) {
    let Ok(text) = crate::text::encoding::utf8(bytes) else { return };
    let mut last = 0;
    for row in Table::new(text).with_comments_behind() {
        let line = match &row {
            Ok(row) => row.line,
            Err(problem) => problem.line,
        };
        assert!(line > last, "line {line} behind {last}");
        last = line;
    }
    // A file that says what is expected is such a table.
    let _ = Expected::parse("--expected", text);
}

/// A day that can be read is written as it was, and the days after it can follow.
pub fn day(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (time_s, finished) = text.split_once('\n').unwrap_or((text, "{}"));
    let Ok(line) = Line::of_columns(time_s, finished) else { return };
    let (time_s, finished) = line.to_columns();
    let read = Line::of_columns(&time_s, &finished).expect("its own");
    assert_eq!(read.to_columns(), (time_s, finished));
    let mut memory = line.memory.clone();
    memory.follow(&line.day, 1500);
    memory.close(20_000, &line.day.time);
    memory.note(20_001, &line.day.time);
    let _ = (memory.is_alive(20_002), memory.best_held(20_002, 90), line.samples());
}

crate::fuzz::held! { table: any_table_is_read_or_refused, day: any_day_is_read_or_refused }
