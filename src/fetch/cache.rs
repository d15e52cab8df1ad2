//! Complete answers about profiles and configuration, kept between sessions: in memory, and with
//! `--cache` in a file per device for the next run.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

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

/// The file of one device.
#[derive(Serialize, Deserialize)]
struct File {
    cmts: String,
    answers: Vec<Kept>,
}

impl Cache {
    /// Keeps in memory and, where there is a directory, in files; it is made when it is missing.
    pub fn new(directory: Option<&Path>) -> Result<Self> {
        if let Some(directory) = directory {
            fs::create_dir_all(directory).map_err(Error::write(directory))?;
        }
        Ok(Cache { directory: directory.map(Path::to_owned), kept: HashMap::new() })
    }

    /// What is kept of a device. A file that cannot be read, or that is about another device, counts as none.
    pub fn get(&mut self, cmts: &str) -> Vec<Kept> {
        if let Some(kept) = self.kept.get(cmts) {
            return kept.clone();
        }
        let read = |path: PathBuf| serde_json::from_slice(&fs::read(path).ok()?).ok();
        let file: Option<File> = self.path(cmts).and_then(read);
        let kept = file.filter(|file| file.cmts == cmts).map_or(Vec::new(), |file| file.answers);
        self.kept.insert(cmts.to_owned(), kept.clone());
        kept
    }

    /// Keeps what a session brought.
    pub fn put(&mut self, cmts: &str, kept: Vec<Kept>) {
        if kept.is_empty() || self.kept.get(cmts) == Some(&kept) {
            return;
        }
        if let Some(path) = self.path(cmts) {
            let file = File { cmts: cmts.to_owned(), answers: kept.clone() };
            let written = output::write_file(&path, 0o600, |out| {
                serde_json::to_writer(out, &file).map_err(|e| Error::write(&path)(e.into()))
            });
            if let Err(e) = written {
                log::warn!("--cache: {e}");
            }
        }
        self.kept.insert(cmts.to_owned(), kept);
    }

    fn path(&self, cmts: &str) -> Option<PathBuf> {
        Some(self.directory.as_ref()?.join(format!("{}.json", text::distinct_file_name(cmts))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Timestamp;

    #[test]
    fn names_that_differ_in_one_character_have_caches_of_their_own() {
        let dir = tempfile::TempDir::new().unwrap();
        let kept = |output: &str| {
            vec![Kept { command: "show x".into(), output: output.into(), ts: Timestamp(1_777_636_800) }]
        };
        let mut cache = Cache::new(Some(dir.path())).unwrap();
        for name in ["CCAP001/a", "CCAP001_a", "CCAP001:a"] {
            cache.put(name, kept(name));
        }
        let mut cache = Cache::new(Some(dir.path())).unwrap();
        for name in ["CCAP001/a", "CCAP001_a", "CCAP001:a"] {
            assert_eq!(cache.get(name), kept(name));
        }
        // A file that was renamed, or copied from another device.
        fs::copy(dir.path().join("CCAP001_a.json"), dir.path().join("CCAP002.json")).unwrap();
        assert_eq!(cache.get("CCAP002"), []);
    }
}
