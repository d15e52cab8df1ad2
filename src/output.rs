//! Files that appear whole or not at all: written beside their place under a temporary name,
//! flushed to the disk, then renamed.

use std::{
    io::{BufWriter, Write},
    path::Path,
};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// Writes a file through `fill` so that a reader sees the old one or the new one, never a part.
///
/// # Errors
/// [`Error::Write`] when the directory is missing or the disk is full (the old file then stands
/// untouched), or what `fill` says.
pub fn write_file(path: &Path, mode: u32, fill: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let file = NamedTempFile::new_in(directory).map_err(Error::write(path))?;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(mode)).map_err(Error::write(path))?;
    let mut buffer = BufWriter::new(file);
    fill(&mut buffer)?;
    let file = buffer.into_inner().map_err(|e| Error::write(path)(e.into_error()))?;
    file.as_file().sync_all().map_err(Error::write(path))?;
    file.persist(path).map_err(|e| Error::write(path)(e.error))?;
    Ok(())
}
