//! How a sample is written. There is one for each upstream and scan, a thousand times as many as of anything else, so
//! its fields are put together by hand, in a quarter of the time that serde takes for them.

use std::io;

use serde::Serialize;

use super::{Body, Sample};

/// A key as it stands before its value.
macro_rules! key {
    ($name:literal) => {
        concat!("\"", $name, "\":")
    };
}

impl<S: AsRef<str> + Serialize> Body for Sample<S> {
    const TYPE: &'static str = "sample";

    fn append_fields(&self, line: &mut Vec<u8>) -> io::Result<()> {
        let mut fields = Fields(line);
        match self.ts.text().as_ref().map(|text| str::from_utf8(text)) {
            Some(Ok(text)) => fields.text(key!("ts"), Some(text))?,
            _ => fields.value(key!("ts"), Some(self.ts))?,
        }
        fields.text(key!("cmts"), Some(self.cmts.as_ref()))?;
        fields.text(key!("upstream"), Some(self.upstream.as_ref()))?;
        fields.text(key!("modulation"), Some(self.modulation.word()))?;
        fields.value(key!("profile"), self.profile)?;
        fields.text(key!("source"), Some(self.source.word()))?;
        fields.text(key!("explained_by"), self.explained_by.map(|by| by.word()))?;
        fields.text(key!("platform"), self.platform.as_ref().map(S::as_ref))?;
        fields.text(key!("channel_type"), self.channel_type.as_ref().map(S::as_ref))?;
        fields.value(key!("center_hz"), self.center_hz)?;
        fields.value(key!("width_hz"), self.width_hz)?;
        fields.text(key!("description"), self.description.as_ref().map(S::as_ref))?;
        fields.value(key!("snr_db"), self.snr_db)?;
        fields.value(key!("modems"), self.modems)?;
        fields.end();
        Ok(())
    }
}

/// The fields of an object, appended one by one, each with the comma behind it.
struct Fields<'a>(&'a mut Vec<u8>);

impl Fields<'_> {
    fn text(&mut self, key: &str, value: Option<&str>) -> io::Result<()> {
        let Some(value) = value else { return Ok(()) };
        if value.bytes().any(|b| b < b' ' || b == b'"' || b == b'\\') {
            return self.value(key, Some(value));
        }
        self.0.extend_from_slice(key.as_bytes());
        self.0.push(b'"');
        self.0.extend_from_slice(value.as_bytes());
        self.0.extend_from_slice(b"\",");
        Ok(())
    }

    /// Whatever is not plain text.
    fn value(&mut self, key: &str, value: Option<impl Serialize>) -> io::Result<()> {
        let Some(value) = value else { return Ok(()) };
        self.0.extend_from_slice(key.as_bytes());
        serde_json::to_writer(&mut *self.0, &value)?;
        self.0.push(b',');
        Ok(())
    }

    /// The last comma gives way to the end of the object.
    fn end(self) {
        self.0.pop();
        self.0.push(b'}');
    }
}
