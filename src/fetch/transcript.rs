//! `--transcript`: what passed to and from a device, as JSON lines, without the secrets and of bounded size.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Instant,
};

use serde_json::json;

use crate::{record::Timestamp, settings::Secret, text};

/// Bytes of a file at which the next session begins a new one; the file before it is kept as `.1`.
const ROTATE: u64 = 8 << 20;
/// Bytes that one session may add.
const LONGEST: u64 = 64 << 20;

/// Which way something passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    left: u64,
    incoming: Redactor,
    outgoing: Redactor,
}

impl Transcript {
    /// Appends to `DIR/CMTS.jsonl`. A transcript that cannot be written is one warning, and never costs a scan.
    #[must_use]
    pub fn open(directory: Option<&Path>, cmts: &str, ts: Timestamp, secrets: Vec<Secret>) -> Self {
        let file = directory.and_then(|directory| {
            let path = directory.join(format!("{}.jsonl", text::distinct_file_name(cmts)));
            if fs::metadata(&path).is_ok_and(|metadata| metadata.len() >= ROTATE) {
                let rotated = fs::rename(&path, path.with_extension("jsonl.1"));
                rotated
                    .inspect_err(|e| log::warn!("--transcript: cannot rename {}: {e}", path.display()))
                    .ok()?;
            }
            let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
            file.inspect_err(|e| log::warn!("--transcript: cannot write {}: {e}", path.display())).ok()
        });
        let outgoing = Redactor { secrets, held: Vec::new() };
        let incoming = outgoing.clone();
        let mut transcript = Transcript { file, began: Instant::now(), left: LONGEST, incoming, outgoing };
        transcript.note(&format!("session of {cmts} at {ts}"));
        transcript
    }

    /// A step of ours.
    pub fn note(&mut self, words: &str) {
        self.write(Way::Note, words.as_bytes());
    }

    /// Writes what passed. Its end waits for more when it may be the beginning of a secret.
    pub fn write(&mut self, way: Way, bytes: &[u8]) {
        if self.file.is_none() {
            return;
        }
        let redacted = match way {
            Way::In => self.incoming.pass(bytes),
            Way::Out => self.outgoing.pass(bytes),
            Way::Note => Redactor { held: Vec::new(), ..self.incoming.clone() }.pass(bytes),
        };
        let word = match way {
            Way::In => "in",
            Way::Out => "out",
            Way::Note => "note",
        };
        let t_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let text = String::from_utf8_lossy(&redacted);
        let mut line = json!({ "t_ms": t_ms, "way": word, "bytes": bytes.len(), "text": text }).to_string();
        let is_full = line.len() as u64 > self.left;
        if is_full {
            let words = "the transcript of this session ends here, because it is too long";
            line = json!({ "t_ms": t_ms, "way": "note", "bytes": words.len(), "text": words }).to_string();
        }
        self.left = self.left.saturating_sub(line.len() as u64);
        let Some(file) = &mut self.file else { return };
        let written = writeln!(file, "{line}");
        if let Err(e) = &written {
            log::warn!("--transcript: {e}");
        }
        if is_full || written.is_err() {
            self.file = None;
        }
    }
}

/// Replaces secrets in a stream of packets.
#[derive(Clone, Debug)]
struct Redactor {
    secrets: Vec<Secret>,
    /// The end of what passed, which may be the beginning of a secret.
    held: Vec<u8>,
}

impl Redactor {
    /// What of the stream so far can be shown now.
    fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = std::mem::take(&mut self.held);
        stream.extend_from_slice(bytes);
        let secrets =
            || self.secrets.iter().map(|secret| secret.reveal().as_bytes()).filter(|s| !s.is_empty());
        let mut shown = Vec::with_capacity(stream.len());
        let mut rest = stream.as_slice();
        while !rest.is_empty() {
            if let Some(secret) = secrets().filter(|secret| rest.starts_with(secret)).max_by_key(|s| s.len())
            {
                shown.extend_from_slice(b"(secret)");
                rest = &rest[secret.len()..];
            } else if secrets().any(|secret| secret.starts_with(rest)) {
                break;
            } else {
                shown.push(rest[0]);
                rest = &rest[1..];
            }
        }
        self.held = rest.to_vec();
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(dir: &Path) -> Transcript {
        Transcript::open(Some(dir), "CCAP001", Timestamp(1_777_636_800), vec![Secret::new("s3cret-s3c")])
    }

    #[test]
    fn a_secret_is_left_out_however_it_is_cut() {
        for length in 1..12 {
            let dir = tempfile::TempDir::new().unwrap();
            let mut transcript = open(dir.path());
            for packet in b"Password: s3cret-s3cret-s3c\r\nsalt s3cret-s3c".chunks(length) {
                transcript.write(Way::In, packet);
                transcript.write(Way::Out, b"s3c");
            }
            drop(transcript);
            let text = fs::read_to_string(dir.path().join("CCAP001.jsonl")).unwrap();
            let records = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
            let incoming: String = records
                .filter(|r| r["way"] == "in")
                .map(|r| r["text"].as_str().unwrap().to_owned())
                .collect();
            assert_eq!(incoming, "Password: (secret)ret-s3c\r\nsalt (secret)", "{length}");
        }
    }

    #[test]
    fn a_transcript_has_a_limit() {
        let dir = tempfile::TempDir::new().unwrap();
        let packet = vec![b'x'; 1 << 20];
        for _ in 0..3 {
            let mut transcript = open(dir.path());
            for _ in 0..80 {
                transcript.write(Way::In, &packet);
            }
        }
        let length = |name| fs::metadata(dir.path().join(name)).unwrap().len();
        assert!(length("CCAP001.jsonl") <= LONGEST + 1024 && length("CCAP001.jsonl.1") <= LONGEST + 1024);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
        assert!(fs::read_to_string(dir.path().join("CCAP001.jsonl")).unwrap().contains("too long"));
    }
}
