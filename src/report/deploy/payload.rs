//! What is brought to a web server: files and links within its directory, in the order in which they change.

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
pub struct Piece {
    /// Its place within the directory, such as `data/2026-05-01.json`.
    pub path: String,
    /// What comes there.
    pub what: What,
}

/// What a piece is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
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
    /// A link to a file beside it. Where there is something else than a link it takes its place only if it may.
    Link {
        /// The name of the file.
        to: String,
        /// Whether a file of that name is replaced.
        replaces_files: bool,
    },
}

/// The files of a site.
///
/// # Errors
/// [`Error::Read`].
pub fn of_site(site: &Site) -> Result<Vec<Piece>> {
    site.parts()?.into_iter().map(|path| piece(site.directory(), path)).collect()
}

fn piece(directory: &Path, path: String) -> Result<Piece> {
    let from = directory.join(&path);
    let found = from.symlink_metadata().map_err(Error::read(&from))?;
    let what = if found.is_symlink() {
        let to = fs::read_link(&from).map_err(Error::read(&from))?;
        What::Link { to: to.to_string_lossy().into_owned(), replaces_files: false }
    } else {
        let modified = found.modified().map_err(Error::read(&from))?;
        let modified = modified.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        What::File { from, size: found.len(), modified }
    };
    Ok(Piece { path, what })
}

/// The JSON of the seed layout, and the link by which its readers find the newest.
#[must_use]
pub fn of_seed(date: NaiveDate, json: Vec<u8>) -> [Piece; 2] {
    let path = save::web_name(&date.to_string());
    let link = What::Link { to: path.clone(), replaces_files: true };
    [Piece { path, what: What::Bytes(json) }, Piece { path: save::web_name("latest"), what: link }]
}

/// The date in the path of a file that we may have written.
#[must_use]
pub fn date_of(path: &str) -> Option<NaiveDate> {
    match path.split_once('/') {
        Some(("data", name)) => web::date_of(name),
        Some(_) => None,
        None => save::date_of_web(path),
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
