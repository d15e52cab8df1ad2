//! Files that hold one secret, UTF-8 and one line: on Windows their access lists are not looked at.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use crate::{
    error::{Error, Result},
    text::encoding,
};

/// Bytes of the longest secret.
const LONGEST: u64 = 64 << 10;

/// Who may read a file of secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readers {
    /// Its owner alone.
    Owner,
    /// Whoever gave it to us has seen to that.
    Any,
}

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
    if bytes.len() as u64 > LONGEST {
        return Err(refuse(format!("more than {} KiB: this is the wrong file", LONGEST >> 10)));
    }
    let text = encoding::utf8(&bytes).map_err(|problem| refuse(problem.to_string()))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    match secret {
        "" if readers == Readers::Any => Ok(None),
        "" => Err(refuse("it is empty".to_owned())),
        _ if secret.contains(['\r', '\n']) => Err(refuse("it holds more than one line".to_owned())),
        _ => Ok(Some(secret.to_owned())),
    }
}

/// Whose a file is, is not looked at.
///
/// # Errors
/// None on Windows.
pub(super) fn refuse_foreign(_path: &Path) -> Result<()> {
    Ok(())
}

/// Who can read a file is not looked at.
pub(super) fn is_readable_by_others(_path: &Path) -> bool {
    false
}
