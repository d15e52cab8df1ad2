//! Files that hold one secret, UTF-8 and one line: on Windows their access lists are not looked at.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use super::secret_text::{self, LONGEST, Readers};
use crate::error::{Error, Result};

/// The secret in a file; none where the file does not exist.
///
/// # Errors
/// [`Error::Usage`], naming the setting and the file; [`Error::Read`].
pub(super) fn read(name: &str, path: &Path, readers: Readers) -> Result<Option<String>> {
    let refuse = |reason: String| Error::usage(format!("{name}: {}: {reason}", path.display()));
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::read(path)(error)),
    };
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(Error::read(path))?;
    secret_text::judge(&bytes, readers).map_err(refuse)
}

/// Whose a file is, is not looked at.
pub(super) fn refuse_foreign(_path: &Path) -> Result<()> {
    Ok(())
}

/// Who can read a file is not looked at.
pub(super) fn is_readable_by_others(_path: &Path) -> bool {
    false
}
