//! Files that appear whole or not at all: written under a temporary name in the same directory, flushed to
//! the disk, then renamed.

use std::{
    fs,
    io::{BufWriter, Write},
    path::Path,
    time::{Duration, SystemTime},
};

use tempfile::NamedTempFile;

use crate::{
    error::{Error, Result},
    files,
};

/// Writes a file through `fill` so that a reader sees the old one or the new one, never a part.
///
/// # Errors
/// [`Error::Write`] when the directory is missing or the disk is full (the old file then stands
/// untouched), or what `fill` says.
pub fn write_file<T>(path: &Path, mode: u32, fill: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
    // A pipe or a device (/dev/stdout, /dev/null) is written into: as root, a rename would take its place.
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        let file = fs::OpenOptions::new().write(true).open(path).map_err(Error::write(path))?;
        let mut buffer = BufWriter::new(file);
        let filled = fill(&mut buffer)?;
        return buffer.flush().map_err(Error::write(path)).map(|()| filled);
    }
    replace_file(path, mode, fill)
}

/// As [`write_file`], for files of our own where others may write, too: whatever is there, a link or a pipe, is
/// neither followed nor opened but replaced.
pub fn replace_file<T>(path: &Path, mode: u32, fill: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let file = NamedTempFile::new_in(directory).map_err(Error::write(path))?;
    files::set_mode(file.as_file(), mode).map_err(Error::write(path))?;
    let mut buffer = BufWriter::new(file);
    let filled = fill(&mut buffer)?;
    let file = buffer.into_inner().map_err(|e| Error::write(path)(e.into_error()))?;
    file.as_file().sync_all().map_err(Error::write(path))?;
    file.persist(path).map_err(|e| Error::write(path)(e.error))?;
    Ok(filled)
}

/// No run of ours takes so long.
const LEFT_OVER: Duration = Duration::from_secs(86_400);

/// Whether a file has the name that [`write_file`] gives it until it is whole.
#[must_use]
pub fn is_temporary(name: &str) -> bool {
    let random = name.strip_prefix(".tmp");
    random.is_some_and(|random| random.len() == 6 && random.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Removes the temporary files that runs which were killed left in a directory: older than a day.
pub fn remove_left_over(directory: &Path) -> Result<()> {
    let is_over = |modified: SystemTime| modified.elapsed().is_ok_and(|age| age > LEFT_OVER);
    for entry in fs::read_dir(directory).map_err(Error::write(directory))? {
        let entry = entry.map_err(Error::write(directory))?;
        let found = entry.metadata().map_err(Error::write(directory))?;
        if entry.file_name().to_str().is_some_and(is_temporary)
            && found.is_file()
            && found.modified().is_ok_and(is_over)
        {
            let path = entry.path();
            fs::remove_file(&path).map_err(Error::write(&path))?;
            log::info!("removed {}, which a run that was killed had left", path.display());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{io::Read, os::unix::fs::FileTypeExt, thread};

    use super::*;

    #[test]
    fn a_pipe_is_written_into_and_a_file_is_replaced() -> std::io::Result<()> {
        let dir = tempfile::tempdir()?;
        let fill = |text: &'static str| {
            move |out: &mut dyn Write| out.write_all(text.as_bytes()).map_err(Error::Output)
        };
        let file = dir.path().join("file");
        for text in ["old", "new"] {
            write_file(&file, 0o644, fill(text)).map_err(std::io::Error::other)?;
            assert_eq!(fs::read_to_string(&file)?, text);
        }
        let pipe = dir.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0)?;
        let mut said = String::new();
        thread::scope(|scope| {
            scope.spawn(|| write_file(&pipe, 0o644, fill("through")));
            fs::File::open(&pipe)?.read_to_string(&mut said)
        })?;
        assert_eq!((said.as_str(), fs::metadata(&pipe)?.file_type().is_fifo()), ("through", true));
        // Nobody reads from it any more: writing into it would wait.
        replace_file(&pipe, 0o600, fill("instead")).map_err(std::io::Error::other)?;
        assert_eq!(fs::read_to_string(&pipe)?, "instead");
        assert_eq!(fs::read_dir(dir.path())?.count(), 2, "nothing is left behind");
        Ok(())
    }
}
