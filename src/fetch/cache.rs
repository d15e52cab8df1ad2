//! Complete answers about profiles and configuration, kept between sessions: in memory, and with
//! `--cache` in a file per device for the next run.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use super::script::Kept;
use crate::{
    error::{Error, Result},
    output, text,
};

/// What is kept of every device.
#[derive(Debug, Default)]
pub struct Cache {
    directory: Option<PathBuf>,
    kept: HashMap<String, Vec<Kept>>,
}

impl Cache {
    /// Keeps in memory and, where there is a directory, in files; it is made when it is missing.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn new(directory: Option<&Path>) -> Result<Self> {
        if let Some(directory) = directory {
            fs::create_dir_all(directory).map_err(Error::write(directory))?;
        }
        Ok(Cache { directory: directory.map(Path::to_owned), kept: HashMap::new() })
    }

    /// What is kept of a device. A file that cannot be read is as good as none: the device is asked.
    pub fn get(&mut self, cmts: &str) -> Vec<Kept> {
        if let Some(kept) = self.kept.get(cmts) {
            return kept.clone();
        }
        let read = |path: PathBuf| serde_json::from_slice(&fs::read(path).ok()?).ok();
        let kept: Vec<Kept> = self.file(cmts).and_then(read).unwrap_or_default();
        self.kept.insert(cmts.to_owned(), kept.clone());
        kept
    }

    /// Keeps what a session brought.
    pub fn put(&mut self, cmts: &str, kept: Vec<Kept>) {
        if kept.is_empty() || self.kept.get(cmts) == Some(&kept) {
            return;
        }
        if let Some(path) = self.file(cmts) {
            let written = output::write_file(&path, 0o600, |out| {
                serde_json::to_writer(out, &kept).map_err(|e| Error::write(&path)(e.into()))
            });
            if let Err(e) = written {
                log::warn!("--cache: {e}");
            }
        }
        self.kept.insert(cmts.to_owned(), kept);
    }

    fn file(&self, cmts: &str) -> Option<PathBuf> {
        Some(self.directory.as_ref()?.join(format!("{}.json", text::file_name(cmts))))
    }
}
