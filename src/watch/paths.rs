//! The files of one supervised command, by name, and how they are opened: never through a symbolic
//! link, and never believed when they are another user's, for the directory may be everybody's.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    cli::watch::Options,
    error::{Error, Result},
    output, text,
};

/// Where the files of one supervised command are.
#[derive(Clone, Debug)]
pub struct Paths {
    dir: PathBuf,
    name: String,
}

/// How the supervisor is started again: `NAME.cmd`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Arguments of mod-watch: `run`, its options, `--`, the command.
    pub argv: Vec<String>,
    /// Directory it was started in.
    pub cwd: String,
    /// Search path it was started with; that of cron is a short one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl Paths {
    /// The place that the flags name; its directory is made if it is not there.
    ///
    /// # Errors
    /// [`Error::Write`] for the directory; those of [`Paths::find`].
    pub fn make(options: &Options) -> Result<Self> {
        let dir = directory(options);
        fs::DirBuilder::new().recursive(true).mode(0o755).create(&dir).map_err(Error::write(dir))?;
        Self::find(options)
    }

    /// The place that the flags name, whether it is there or not.
    ///
    /// # Errors
    /// [`Error::Usage`] for a name that is no file name, or a directory that cannot be named.
    pub fn find(options: &Options) -> Result<Self> {
        if text::file_name(&options.name) != options.name {
            let name = &options.name;
            return Err(Error::usage(format!("--name {name:?}: only letters, digits, `.`, `_` and `-`")));
        }
        let dir = directory(options);
        // One name for one directory: orphans are known by it.
        let dir = dir.canonicalize().or_else(|_| std::path::absolute(&dir)).map_err(Error::read(&dir))?;
        if dir.to_str().is_none() {
            return Err(Error::usage(format!(
                "--dir {}: the name of the directory is not UTF-8",
                dir.display()
            )));
        }
        Ok(Paths { dir, name: options.name.clone() })
    }

    /// Name of what is supervised.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The directory, as text.
    #[must_use]
    pub fn dir(&self) -> &str {
        self.dir.to_str().unwrap_or_default()
    }

    fn file(&self, extension: &str) -> PathBuf {
        self.dir.join(format!("{}.{extension}", self.name))
    }

    /// The lock.
    #[must_use]
    pub fn pid(&self) -> PathBuf {
        self.file("pid")
    }

    /// How it is.
    #[must_use]
    pub fn status(&self) -> PathBuf {
        self.file("status")
    }

    /// How it is started again.
    #[must_use]
    pub fn cmd(&self) -> PathBuf {
        self.file("cmd")
    }

    /// There after `stop`.
    #[must_use]
    pub fn down(&self) -> PathBuf {
        self.file("down")
    }

    /// What the command says on stderr.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.file("log")
    }

    /// Where the command reports progress.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.file("sock")
    }

    /// What was done about it; shared by all names of the directory.
    #[must_use]
    pub fn watchdog_log(&self) -> PathBuf {
        self.dir.join("watchdog.log")
    }

    /// Whether `stop` was the last word.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.down().symlink_metadata().is_ok()
    }

    /// Notes that it is to stay stopped.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn set_down(&self) -> Result<()> {
        output::write_file(&self.down(), 0o644, |_| Ok(()))
    }

    /// Forgets that it was to stay stopped.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn clear_down(&self) -> Result<()> {
        match fs::remove_file(self.down()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::write(self.down())(error)),
            _ => Ok(()),
        }
    }

    /// Keeps how it is started again.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn keep(&self, recipe: &Recipe) -> Result<()> {
        output::write_file(&self.cmd(), 0o600, |out| {
            serde_json::to_writer(&mut *out, recipe).map_err(|e| Error::write(self.cmd())(e.into()))?;
            out.write_all(b"\n").map_err(Error::write(self.cmd()))
        })
    }

    /// How it was started; none when it never was.
    ///
    /// # Errors
    /// [`Error::Read`] when it is not ours, or others can write it: what it says would be run.
    pub fn recipe(&self) -> Result<Option<Recipe>> {
        let path = self.cmd();
        let Some(mut file) = open_own(&path).map_err(Error::read(&path))? else { return Ok(None) };
        let mut json = String::new();
        file.read_to_string(&mut json).map_err(Error::read(&path))?;
        serde_json::from_str(&json).map(Some).map_err(|e| Error::read(&path)(e.into()))
    }
}

/// `--dir`; else /run/modtools as root, else `$XDG_RUNTIME_DIR`, else the temporary directory.
fn directory(options: &Options) -> PathBuf {
    if let Some(dir) = &options.dir {
        return dir.clone();
    }
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/run/modtools");
    }
    std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|dir| dir.is_absolute())
        .unwrap_or_else(std::env::temp_dir)
}

/// Opens a file that only we can have written; none when it is not there.
fn open_own(path: &Path) -> io::Result<Option<File>> {
    let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let metadata = file.metadata()?;
    if metadata.mode() & 0o022 != 0 {
        return Err(io::Error::other("others can write it"));
    }
    ours(&metadata).map(|()| Some(file))
}

/// That a file belongs to us.
///
/// # Errors
/// Whose it is.
pub fn ours(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.uid() == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    let message = format!("it belongs to another user (uid {}); choose --dir or --name", metadata.uid());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}
