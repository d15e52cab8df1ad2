//! The files of one supervised command, by name, and where they are. The directory may be everybody's, so
//! nothing in it is believed that others can have written.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::lock::{self, Holder, Probe};
use crate::{
    account,
    cli::watch::Options,
    error::{Error, Result},
    files, output,
    settings::Settings,
    text,
};

/// NAME.cmd and NAME.status are small; a larger one is not ours.
pub const LARGEST: u64 = 1 << 20;

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
    /// Search path it was started with; cron's is a short one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The supervisor that wrote this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supervisor: Option<Holder>,
}

impl Paths {
    /// The files that the flags and settings name, whether they are there or not. Without `--dir`, a
    /// supervisor that an older version keeps in another directory is found there.
    ///
    /// # Errors
    /// [`Error::Usage`] for a name that is not a file name, or a directory that cannot be named.
    pub fn find(options: &Options, settings: &Settings) -> Result<Self> {
        let paths = Self::chosen(options, settings)?;
        if options.dir.is_some() || paths.is_locked() {
            return Ok(paths);
        }
        let older = older_directories().into_iter().filter_map(|dir| Self::at(&dir, &options.name).ok());
        let is_here = |older: &Paths| files::is_own(&older.pid()) && older.is_locked();
        Ok(older.into_iter().find(|older| older.dir != paths.dir && is_here(older)).unwrap_or(paths))
    }

    /// As [`Paths::find`], wherever an older version may run.
    pub fn chosen(options: &Options, settings: &Settings) -> Result<Self> {
        let dir = match &options.dir {
            Some(dir) => dir.clone(),
            None => settings.get("MODTOOLS_RUN_DIR")?.map_or_else(default_directory, PathBuf::from),
        };
        Self::at(&dir, &options.name)
    }

    /// The files of this name in this directory.
    pub fn at(dir: &Path, name: &str) -> Result<Self> {
        if text::file_name(name) != name {
            return Err(Error::usage(format!(
                "invalid --name {name:?}; only letters, digits, `.`, `_` and `-`"
            )));
        }
        // One name for one directory: orphans are known by it.
        let dir = dir.canonicalize().or_else(|_| std::path::absolute(dir)).map_err(Error::read(dir))?;
        if dir.to_str().is_none() {
            return Err(Error::usage(format!(
                "--dir {}: the name of the directory is not UTF-8",
                dir.display()
            )));
        }
        Ok(Paths { dir, name: name.to_owned() })
    }

    /// Makes the directory if it is missing; for one in which others can make files, the account's own, too.
    pub fn create(&self) -> Result<()> {
        if files::is_shared(&self.dir)
            && let Err(error) = files::create_public_dir(&default_directory())
        {
            log::info!("{}: {error}", default_directory().display());
        }
        files::create_public_dir(&self.dir).map_err(Error::write(&self.dir))
    }

    /// Whether a supervisor of this account holds the lock.
    fn is_locked(&self) -> bool {
        matches!(lock::probe(self), Ok(Probe::Held(Some(_))))
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

    /// A second lock where others cannot make files; only for a directory in which they can.
    #[must_use]
    pub fn guard(&self) -> Option<PathBuf> {
        files::is_shared(&self.dir).then(|| self.own_file("lock"))
    }

    /// A file that stands for one of this name where others cannot make files: in the account's own directory.
    fn own_file(&self, extension: &str) -> PathBuf {
        let digest = Sha256::digest(self.dir().as_bytes());
        let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        default_directory().join(format!("{}-{digest}.{extension}", self.name))
    }

    /// The status.
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

    /// The command's stderr.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.file("log")
    }

    /// Where the command reports progress.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        let is_elsewhere = files::is_shared(&self.dir) && files::is_own_dir(&default_directory());
        if is_elsewhere { self.own_file("sock") } else { self.file("sock") }
    }

    /// What mod-watch did and why; shared by all names of the directory.
    #[must_use]
    pub fn watchdog_log(&self) -> PathBuf {
        self.dir.join("watchdog.log")
    }

    /// Whether `stop` was the last word.
    #[must_use]
    pub fn is_down(&self) -> bool {
        files::is_trusted(&self.down())
    }

    /// Notes that it is to stay stopped.
    pub fn set_down(&self) -> Result<()> {
        output::replace_file(&self.down(), 0o644, |_| Ok(()))
    }

    /// Forgets that it was to stay stopped. A file that is not believed may stay.
    pub fn clear_down(&self) -> Result<()> {
        let down = self.down();
        match fs::remove_file(&down) {
            Err(error) if error.kind() != io::ErrorKind::NotFound && self.is_down() => {
                Err(Error::write(down)(error))
            }
            _ => Ok(()),
        }
    }

    /// Keeps how it is started again.
    pub fn keep(&self, recipe: &Recipe) -> Result<()> {
        output::replace_file(&self.cmd(), 0o600, |out| {
            serde_json::to_writer(&mut *out, recipe).map_err(|e| Error::write(self.cmd())(e.into()))?;
            out.write_all(b"\n").map_err(Error::write(self.cmd()))
        })
    }

    /// How it was started; none when it never was.
    ///
    /// # Errors
    /// [`Error::Read`] when others can have written it: what it says would be run.
    pub fn recipe(&self) -> Result<Option<Recipe>> {
        let path = self.cmd();
        let Some(json) = files::read_trusted(&path, LARGEST).map_err(Error::read(&path))? else {
            return Ok(None);
        };
        serde_json::from_slice(&json).map(Some).map_err(|e| Error::read(&path)(e.into()))
    }
}

/// /run/modtools as root; else in the home directory of the account, and for an account without one in
/// /var/tmp. Never from the environment, so that a terminal, cron and a logout agree.
fn default_directory() -> PathBuf {
    let user = rustix::process::geteuid();
    if user.is_root() {
        return PathBuf::from("/run/modtools");
    }
    let is_own = |home: &PathBuf| {
        use std::os::unix::fs::MetadataExt;
        home.metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == user.as_raw())
    };
    match account::home().filter(is_own) {
        Some(home) => home.join(".local/state/modtools/run"),
        None => PathBuf::from(format!("/var/tmp/modtools-{}", user.as_raw())),
    }
}

/// Where older versions kept their files without `--dir`.
fn older_directories() -> Vec<PathBuf> {
    let user = rustix::process::geteuid();
    if user.is_root() {
        return Vec::new();
    }
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|dir| dir.is_absolute());
    let mut directories: Vec<PathBuf> = runtime.into_iter().collect();
    directories.push(PathBuf::from(format!("/run/user/{}", user.as_raw())));
    directories.push(env::temp_dir());
    directories.push(PathBuf::from("/tmp"));
    directories
}
