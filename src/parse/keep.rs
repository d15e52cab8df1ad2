//! `--keep DIR`: the captures worth a look, one file each, the oldest removed when
//! there are too many. Files that are not ours are never touched.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, Result},
    files, output,
    record::Capture,
    text,
};

/// How our files end.
const SUFFIX: &str = ".capture.ndjson";
const MOST_FILES: usize = 200;
const MOST_BYTES: u64 = 256 << 20;

/// A directory of captures. Names begin with the time, so their order is that of age.
pub(super) struct Keep {
    directory: PathBuf,
    files: BTreeMap<String, u64>,
    bytes: u64,
    complained: bool,
}

impl Keep {
    /// Opens the directory, making it when it is missing.
    pub fn open(directory: &Path) -> Result<Self> {
        files::create_private_dir(directory).map_err(Error::write(directory))?;
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(directory).map_err(Error::read(directory))? {
            let entry = entry.map_err(Error::read(directory))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(SUFFIX) {
                files.insert(name, entry.metadata().map_or(0, |meta| meta.len()));
            }
        }
        let bytes = files.values().sum();
        Ok(Keep { directory: directory.to_owned(), files, bytes, complained: false })
    }

    /// Saves the line of a capture; false when that is not possible, which is said once.
    pub fn save(&mut self, capture: &Capture, line: &str) -> bool {
        let time = capture.ts.utc().format("%Y%m%dT%H%M%SZ");
        let name = format!("{time}-{}-{}{SUFFIX}", text::file_name(&capture.cmts), capture.status);
        let saved = output::write_file(&self.directory.join(&name), 0o600, |file| {
            file.write_all(line.as_bytes()).and_then(|()| file.write_all(b"\n")).map_err(Error::write(&name))
        });
        if let Err(error) = &saved {
            if !std::mem::replace(&mut self.complained, true) {
                log::warn!("--keep: {error}; the samples are not affected");
            }
            return false;
        }
        let size = line.len() as u64 + 1;
        self.bytes += size;
        self.bytes -= self.files.insert(name, size).unwrap_or(0);
        self.bound();
        true
    }

    fn bound(&mut self) {
        while self.files.len() > MOST_FILES || self.bytes > MOST_BYTES {
            let Some((name, size)) = self.files.pop_first() else { break };
            self.bytes -= size;
            match fs::remove_file(self.directory.join(&name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    log::warn!("--keep: cannot remove {name}: {error}");
                }
                _ => {}
            }
        }
    }
}
