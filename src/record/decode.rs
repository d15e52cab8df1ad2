//! From a line of the stream to the record that it holds.

use std::borrow::Cow;

use serde::{Deserialize, de::IgnoredAny};

use super::{Capture, End, HEAD, Heartbeat, Sample, Scan, VERSION};

/// A line of the stream, as far as the collecting stages know its type.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum Record {
    Capture(Box<Capture>),
    Sample(Sample),
    Scan(Scan),
    Heartbeat(Heartbeat),
    End(End),
    /// A type that is not decoded here, by its word: pass the line through whole.
    Other(String),
    /// A record of a newer version: pass it through whole, and say so once.
    Newer(u64),
}

/// A line that is not a record.
#[derive(Clone, Debug, PartialEq)]
pub struct BadLine {
    /// Its `type`, when that much could be read.
    pub kind: Option<String>,
    /// What is wrong, without the line itself.
    pub message: String,
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(default)]
    v: Option<u64>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

/// Whether the text is a JSON object at all; tells a wrong record from a wrong line.
fn is_object(line: &str) -> bool {
    line.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(line).is_ok()
}

/// Decodes one line of a stream.
///
/// # Errors
/// [`BadLine`]: not JSON, no `type`, or a record of a known type that lacks what it must have.
pub fn decode(line: &str) -> Result<Record, BadLine> {
    // The lines of our own tools tell their type at once: one pass over them instead of two.
    let kind = line.strip_prefix(HEAD).and_then(|rest| rest.split_once("\",")).map(|(kind, _)| kind);
    if let Some(record) = kind.and_then(|kind| known(line, kind)) {
        return record;
    }
    let head: Head<'_> = serde_json::from_str(line).map_err(|e| {
        let what = if is_object(line) { "no record: " } else { "not JSON: " };
        BadLine { kind: None, message: format!("{what}{e}") }
    })?;
    if let Some(newer) = head.v.filter(|&v| v > VERSION) {
        return Ok(Record::Newer(newer));
    }
    known(line, &head.kind).unwrap_or_else(|| Ok(Record::Other(head.kind.into_owned())))
}

/// The record of a line whose type is one of those that the collecting stages know.
fn known(line: &str, kind: &str) -> Option<Result<Record, BadLine>> {
    Some(match kind {
        "capture" => body(line, kind).map(|capture| Record::Capture(Box::new(capture))),
        "sample" => body(line, kind).map(Record::Sample),
        "scan" => body(line, kind).map(Record::Scan),
        "heartbeat" => body(line, kind).map(Record::Heartbeat),
        "end" => body(line, kind).map(Record::End),
        _ => return None,
    })
}

fn body<'a, T: Deserialize<'a>>(line: &'a str, kind: &str) -> Result<T, BadLine> {
    serde_json::from_str(line)
        .map_err(|e| BadLine { kind: Some(kind.to_owned()), message: format!("{kind}: {e}") })
}
