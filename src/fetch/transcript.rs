//! `--transcript`: what passed to and from a device, as JSON lines, with the secrets left out.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Instant,
};

use serde_json::json;

use crate::{record::Timestamp, settings::Secret, text};

/// Which way something passed.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// From the device.
    In,
    /// To the device.
    Out,
    /// A step of ours, in words.
    Note,
}

/// The transcript of one device; without a directory it writes nothing.
#[derive(Debug)]
pub struct Transcript {
    file: Option<File>,
    began: Instant,
    secrets: Vec<Secret>,
}

impl Transcript {
    /// Appends to `DIR/CMTS.jsonl`. A transcript that cannot be written is said once, and never costs a scan.
    #[must_use]
    pub fn open(directory: Option<&Path>, cmts: &str, ts: Timestamp, secrets: Vec<Secret>) -> Self {
        let open = |directory: &Path| {
            let path = directory.join(format!("{}.jsonl", text::file_name(cmts)));
            let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
            file.inspect_err(|e| log::warn!("--transcript: cannot write {}: {e}", path.display())).ok()
        };
        let mut transcript = Transcript { file: directory.and_then(open), began: Instant::now(), secrets };
        transcript.note(&format!("session of {cmts} at {ts}"));
        transcript
    }

    /// A step of ours.
    pub fn note(&mut self, words: &str) {
        self.write(Way::Note, words.as_bytes());
    }

    /// Writes what passed.
    pub fn write(&mut self, way: Way, bytes: &[u8]) {
        let Some(file) = &mut self.file else { return };
        let mut said = String::from_utf8_lossy(bytes).into_owned();
        for secret in self.secrets.iter().filter(|secret| !secret.reveal().is_empty()) {
            said = said.replace(secret.reveal(), "(secret)");
        }
        let way = match way {
            Way::In => "in",
            Way::Out => "out",
            Way::Note => "note",
        };
        let t_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let line = json!({ "t_ms": t_ms, "way": way, "bytes": bytes.len(), "text": said });
        if let Err(e) = writeln!(file, "{line}") {
            log::warn!("--transcript: {e}");
            self.file = None;
        }
    }
}
