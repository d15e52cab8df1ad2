//! How a sample is written. There is one for each upstream and scan, a thousand times as many as of anything else, so
//! its fields are put together by hand, in a quarter of the time that serde takes for them.

use std::io;

use serde::Serialize;

use super::{Body, Sample, append_type};

/// A key as it stands before its value.
macro_rules! key {
    ($name:literal) => {
        concat!("\"", $name, "\":")
    };
}

/// Most bytes that the fields take, besides their texts.
const ROOM: usize = 512;

impl<S: AsRef<str> + Serialize> Body for Sample<S> {
    const TYPE: &'static str = "sample";

    fn append_fields(&self, line: &mut Vec<u8>) -> io::Result<()> {
        self.append_scan(line)?;
        self.append_upstream(line)
    }
}

impl<S: AsRef<str> + Serialize> Sample<S> {
    /// Appends the samples of one scan, each as one line: what they all begin with is put together once.
    ///
    /// # Errors
    /// The errors of [`super::append`].
    pub fn append_all(lines: &mut Vec<u8>, samples: impl IntoIterator<Item = Self>) -> io::Result<()> {
        let mut samples = samples.into_iter().peekable();
        let Some(first) = samples.peek() else { return Ok(()) };
        let mut begin = Vec::new();
        append_type::<Self>(&mut begin);
        first.append_scan(&mut begin)?;
        for sample in samples {
            lines.extend_from_slice(&begin);
            sample.append_upstream(lines)?;
            lines.push(b'\n');
        }
        Ok(())
    }

    /// The fields that all samples of a scan have in common.
    fn append_scan(&self, line: &mut Vec<u8>) -> io::Result<()> {
        let mut fields = Fields(line);
        match self.ts.text() {
            Some(text) => fields.plain(key!("ts"), &text),
            None => fields.value(key!("ts"), Some(self.ts))?,
        }
        fields.text(key!("cmts"), Some(self.cmts.as_ref()))
    }

    /// The others, and the end of the object.
    fn append_upstream(&self, line: &mut Vec<u8>) -> io::Result<()> {
        line.reserve(ROOM);
        let mut fields = Fields(line);
        fields.text(key!("upstream"), Some(self.upstream.as_ref()))?;
        fields.plain(key!("modulation"), self.modulation.word().as_bytes());
        fields.number(key!("profile"), self.profile.map(u64::from));
        fields.plain(key!("source"), self.source.word().as_bytes());
        if let Some(by) = self.explained_by {
            fields.plain(key!("explained_by"), by.word().as_bytes());
        }
        fields.text(key!("platform"), self.platform.as_ref().map(S::as_ref))?;
        fields.text(key!("channel_type"), self.channel_type.as_ref().map(S::as_ref))?;
        fields.number(key!("center_hz"), self.center_hz);
        fields.number(key!("width_hz"), self.width_hz);
        fields.text(key!("description"), self.description.as_ref().map(S::as_ref))?;
        fields.value(key!("snr_db"), self.snr_db)?;
        fields.number(key!("modems"), self.modems);
        fields.end();
        Ok(())
    }
}

/// The fields of an object, appended one by one, each with the comma behind it.
struct Fields<'a>(&'a mut Vec<u8>);

impl Fields<'_> {
    /// Text of which no character needs an escape.
    #[inline]
    fn plain(&mut self, key: &str, value: &[u8]) {
        self.0.extend_from_slice(key.as_bytes());
        self.0.push(b'"');
        self.0.extend_from_slice(value);
        self.0.extend_from_slice(b"\",");
    }

    #[inline]
    fn text(&mut self, key: &str, value: Option<&str>) -> io::Result<()> {
        let Some(value) = value else { return Ok(()) };
        let needs_escape = |any, b: u8| any | (b < b' ') | (b == b'"') | (b == b'\\');
        if value.bytes().fold(false, needs_escape) {
            return self.value(key, Some(value));
        }
        self.plain(key, value.as_bytes());
        Ok(())
    }

    #[inline]
    fn number(&mut self, key: &str, value: Option<u64>) {
        let Some(mut value) = value else { return };
        self.0.extend_from_slice(key.as_bytes());
        let mut digits = [b'0'; 20];
        let mut from = digits.len();
        loop {
            from -= 1;
            digits[from] = b'0' + (value % 10) as u8;
            value /= 10;
            if value == 0 {
                break;
            }
        }
        self.0.extend_from_slice(&digits[from..]);
        self.0.push(b',');
    }

    /// Whatever is neither plain text nor a whole number.
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
