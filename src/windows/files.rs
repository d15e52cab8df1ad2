//! Files and directories of ours: on Windows, access lists say who may read and write them, and are not looked at.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read},
    os::windows::fs::FileExt,
    path::Path,
};

/// How a file of ours is opened for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading and writing, its content untouched.
    Update,
    /// Writing at its end.
    Append,
}

/// Opens a file of ours for writing, and makes it when it is missing. The mode means nothing here.
pub fn open_own(path: &Path, access: Access, _mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    match access {
        Access::Update => options.read(true).write(true),
        Access::Append => options.append(true),
    };
    options.create(true).truncate(false).open(path)
}

/// Opens a regular file for reading. None when it is missing.
pub fn open_trusted(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}

/// The content of a file; none when it is missing.
///
/// # Errors
/// What the system says; when it holds more than `limit` bytes.
pub fn read_trusted(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let Some(file) = open_trusted(path)? else { return Ok(None) };
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it is larger than {limit} bytes")));
    }
    Ok(Some(bytes))
}

/// Makes a directory, and those above it.
pub fn create_public_dir(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() { Ok(()) } else { fs::create_dir_all(path) }
}

/// Makes a directory, and those above it.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    create_public_dir(path)
}

/// Does nothing: access lists come from the directory.
pub fn set_mode(_file: &File, _mode: u32) -> io::Result<()> {
    Ok(())
}

/// Makes a file.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`]; else what the system says.
pub fn create_private(path: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).open(path)
}

/// Opens a file for reading and writing, and makes it when it is missing.
pub fn open_no_link(path: &Path) -> io::Result<File> {
    open_own(path, Access::Update, 0)
}

/// Reads at a place of a file, which several threads may do.
///
/// # Errors
/// What the system says; [`io::ErrorKind::UnexpectedEof`].
pub fn read_exact_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    let mut done = 0;
    while done < bytes.len() {
        match file.seek_read(&mut bytes[done..], at + done as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => done += length,
        }
    }
    Ok(())
}

/// Copies a file of `directory` instead: links are for administrators.
pub fn symlink(directory: &Path, target: &str, link: &Path) -> io::Result<()> {
    fs::copy(directory.join(target), link).map(drop)
}

/// Whether something may be what [`symlink`] makes.
#[must_use]
pub fn is_symlink(metadata: &Metadata) -> bool {
    metadata.is_file()
}

/// What stands for a directory when it is locked: a file in it, since a directory cannot be.
pub fn open_directory(directory: &Path) -> io::Result<File> {
    File::options().create(true).truncate(false).write(true).open(directory.join(".lock"))
}

/// Files have access lists instead.
#[must_use]
pub fn mode(_path: &Path) -> Option<u32> {
    None
}

/// Not asked for.
#[must_use]
pub fn free_bytes(_directory: &Path) -> Option<u64> {
    None
}
