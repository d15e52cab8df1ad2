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
/// So many profiles are remembered; a device has a few.
const PROFILES: usize = 16;

fn text<S: AsRef<str>>(field: &Option<S>) -> Option<&str> {
    field.as_ref().map(S::as_ref)
}

impl<S: AsRef<str> + Serialize> Body for Sample<S> {
    const TYPE: &'static str = "sample";

    fn append_fields(&self, line: &mut Vec<u8>) -> io::Result<()> {
        self.append_scan(line)?;
        self.append_name(line)?;
        self.append_profile(line)?;
        self.append_rest(line)
    }
}

impl<S: AsRef<str> + Serialize> Sample<S> {
    /// Appends the samples of one scan, each as one line: what they all begin with is put together once, and what
    /// follows from a profile once for each of the first profiles.
    ///
    /// # Errors
    /// The errors of [`super::append`].
    pub fn append_all(lines: &mut Vec<u8>, samples: impl IntoIterator<Item = Self>) -> io::Result<()> {
        let mut samples = samples.into_iter().peekable();
        let Some(first) = samples.peek() else { return Ok(()) };
        let mut begin = Vec::new();
        append_type::<Self>(&mut begin);
        first.append_scan(&mut begin)?;
        let mut profiles: Vec<(Self, Vec<u8>)> = Vec::with_capacity(PROFILES);
        for sample in samples {
            lines.reserve(ROOM);
            lines.extend_from_slice(&begin);
            sample.append_name(lines)?;
            let known = profiles.iter().find(|(other, _)| sample.is_of_profile_of(other));
            let from = lines.len();
            match known {
                Some((_, fields)) => lines.extend_from_slice(fields),
                None => sample.append_profile(lines)?,
            }
            let new = known.is_none() && profiles.len() < PROFILES;
            let fields = new.then(|| lines[from..].to_owned());
            sample.append_rest(lines)?;
            lines.push(b'\n');
            profiles.extend(fields.map(|fields| (sample, fields)));
        }
        Ok(())
    }

    /// Whether all fields of [`Sample::append_profile`] are the same.
    fn is_of_profile_of(&self, other: &Self) -> bool {
        let all = |sample: &Self| (sample.profile, sample.modulation, sample.source, sample.explained_by);
        all(self) == all(other)
            && text(&self.channel_type) == text(&other.channel_type)
            && text(&self.platform) == text(&other.platform)
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

    fn append_name(&self, line: &mut Vec<u8>) -> io::Result<()> {
        Fields(line).text(key!("upstream"), Some(self.upstream.as_ref()))
    }

    /// What follows from the profile, and from how the device was asked.
    fn append_profile(&self, line: &mut Vec<u8>) -> io::Result<()> {
        let mut fields = Fields(line);
        fields.plain(key!("modulation"), self.modulation.word().as_bytes());
        fields.number(key!("profile"), self.profile.map(u64::from));
        fields.plain(key!("source"), self.source.word().as_bytes());
        if let Some(by) = self.explained_by {
            fields.plain(key!("explained_by"), by.word().as_bytes());
        }
        fields.text(key!("platform"), text(&self.platform))?;
        fields.text(key!("channel_type"), text(&self.channel_type))
    }

    /// The others, and the end of the object.
    fn append_rest(&self, line: &mut Vec<u8>) -> io::Result<()> {
        let mut fields = Fields(line);
        fields.number(key!("center_hz"), self.center_hz);
        fields.number(key!("width_hz"), self.width_hz);
        fields.text(key!("description"), text(&self.description))?;
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
        let Some(value) = value else { return };
        self.0.extend_from_slice(key.as_bytes());
        self.0.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
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
