//! What a deployment brings: files and links within the directory of the web server, in the order in which they
//! change.

use std::{
    fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use chrono::NaiveDate;

use crate::{
    error::{Error, Result},
    report::{
        save,
        web::{self, Site},
    },
};

/// One file or link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its place within the directory, such as `data/2026-05-01.json`.
    pub path: String,
    /// What stands there then.
    pub content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A copy of a local file.
    File {
        /// Where it is here.
        from: PathBuf,
        /// Bytes.
        size: u64,
        /// When it was written, seconds since 1970.
        modified: u64,
    },
    /// A file of its own.
    Bytes(Vec<u8>),
    /// A link to a file beside it.
    Link {
        /// The name of the file.
        to: String,
        /// Whether a file that has its name is replaced; anything else but a link stays.
        replaces_files: bool,
    },
}

/// The files of a site.
pub fn of_site(site: &Site) -> Result<Vec<Item>> {
    site.parts()?.into_iter().map(|path| item(site.directory(), path)).collect()
}

fn item(directory: &Path, path: String) -> Result<Item> {
    let from = directory.join(&path);
    let found = from.symlink_metadata().map_err(Error::read(&from))?;
    let content = if found.is_symlink() {
        let to = fs::read_link(&from).map_err(Error::read(&from))?;
        Content::Link { to: to.to_string_lossy().into_owned(), replaces_files: false }
    } else {
        let modified = found.modified().map_err(Error::read(&from))?;
        let modified = modified.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Content::File { from, size: found.len(), modified }
    };
    Ok(Item { path, content })
}

/// The JSON of the seed layout under both names that its readers know, and the link by which they find the newest.
#[must_use]
pub fn of_seed(date: NaiveDate, json: Vec<u8>) -> [Item; 3] {
    let path = save::web_name(&date.to_string());
    let link = Content::Link { to: path.clone(), replaces_files: true };
    [
        Item { path: save::copy_name(date), content: Content::Bytes(json.clone()) },
        Item { path, content: Content::Bytes(json) },
        Item { path: save::web_name("latest"), content: link },
    ]
}

/// The date in the path of a file that we may have written.
#[must_use]
pub fn date_of(path: &str) -> Option<NaiveDate> {
    match path.split_once('/') {
        Some(("data", name)) => web::date_of(name),
        Some(_) => None,
        None => save::date_of_web(path).or_else(|| save::date_of_copy(path)),
    }
}

/// Whether the begin of a file that has a date in its path says that it is ours.
#[must_use]
pub fn is_ours(path: &str, begin: &[u8]) -> bool {
    match date_of(path) {
        None => false,
        Some(_) if path.contains('/') => web::begins_as_ours(begin),
        Some(date) => save::begins_as_ours(date, begin),
    }
}
