//! Properties of the lines of a stream, for any bytes.

use super::{Body, Record, append, decode};
use crate::{fuzz::bounded, ndjson};

/// A line that is a record means the same when it is written again.
pub fn records(bytes: &[u8]) {
    let mut lines = ndjson::Lines::new(bytes);
    while let Ok(Some(line)) = lines.next_line() {
        let Ok(line) = line else { continue };
        match decode(line) {
            Ok(Record::Capture(body)) => again(line, &*body),
            Ok(Record::Sample(body)) => again(line, &body),
            Ok(Record::Scan(body)) => again(line, &body),
            Ok(Record::Heartbeat(body)) => again(line, &body),
            Ok(Record::End(body)) => again(line, &body),
            Ok(Record::Other(_) | Record::Newer(_)) | Err(_) => {}
        }
    }
}

fn again<B: Body>(line: &str, body: &B) {
    let mut written = Vec::new();
    append(&mut written, body).expect("JSON");
    bounded("a record", written.len(), 8, line.as_bytes());
    let text = std::str::from_utf8(&written).expect("UTF-8");
    let read = decode(text.trim_end()).expect("its own");
    let mut twice = Vec::new();
    match read {
        Record::Capture(body) => append(&mut twice, &*body),
        Record::Sample(body) => append(&mut twice, &body),
        Record::Scan(body) => append(&mut twice, &body),
        Record::Heartbeat(body) => append(&mut twice, &body),
        Record::End(body) => append(&mut twice, &body),
        Record::Other(_) | Record::Newer(_) => unreachable!("a record of its type"),
    }
    .expect("JSON");
    assert_eq!(text, String::from_utf8_lossy(&twice));
}

crate::fuzz::held! { records: any_line_is_read_or_refused }
