//! The file in which a run leaves what the next one has to know. It is replaced as a whole; a lock beside it lets one
//! run at a time.

use std::{
    borrow::Cow,
    fs::File,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    files::{self, Access},
    lock,
    measure::events::Memory,
    output,
};

/// The version of the file.
const VERSION: u64 = 1;
/// What makes a file ours.
const KIND: &str = "modtools-events";
/// No state is larger, bytes.
const LIMIT: u64 = 1 << 28;

#[derive(Serialize, Deserialize)]
struct Head<'a> {
    v: u64,
    kind: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
struct Content<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    memory: Cow<'a, Memory>,
}

/// The file, locked.
#[derive(Debug)]
pub struct State {
    path: PathBuf,
    _lock: File,
}

impl State {
    /// Takes the lock.
    ///
    /// # Errors
    /// [`Error::Locked`] and [`Error::Write`].
    pub fn open(path: &Path) -> Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let beside = PathBuf::from(name);
        let file = files::open_own(&beside, Access::Update, 0o600).map_err(Error::write(&beside))?;
        lock::exclusive(&file, &beside, Duration::ZERO, "another mod-report --events")?;
        Ok(State { path: path.to_owned(), _lock: file })
    }

    /// What the last run left; nothing before the first one.
    ///
    /// # Errors
    /// [`Error::Read`] for a file that is not a state, that is broken, or that a newer version wrote: it is left as it
    /// is.
    pub fn read(&self) -> Result<Memory> {
        let fault = |reason: String| Error::read(&self.path)(io::Error::other(reason));
        let Some(bytes) = files::read_trusted(&self.path, LIMIT).map_err(Error::read(&self.path))? else {
            return Ok(Memory::default());
        };
        let head: Head<'_> = serde_json::from_slice(&bytes)
            .ok()
            .filter(|head: &Head<'_>| head.kind == KIND)
            .ok_or_else(|| fault("it is not a state of mod-report --events; name another file".to_owned()))?;
        if head.v > VERSION {
            return Err(fault(format!("it is of version {}, which a newer mod-report wrote", head.v)));
        }
        let broken = |error| {
            let remedy = "remove it to begin anew: what is below then is taken as known";
            fault(format!("it is broken ({error}); {remedy}"))
        };
        serde_json::from_slice(&bytes).map(|content: Content<'_>| content.memory.into_owned()).map_err(broken)
    }

    /// Replaces it.
    ///
    /// # Errors
    /// [`Error::Write`]; the old one then stands.
    pub fn write(&self, memory: &Memory) -> Result<()> {
        let content = Content { head: Head { v: VERSION, kind: KIND.into() }, memory: Cow::Borrowed(memory) };
        output::replace_file(&self.path, 0o600, |file| {
            serde_json::to_writer(&mut *file, &content).map_err(|e| Error::write(&self.path)(e.into()))?;
            file.write_all(b"\n").map_err(Error::write(&self.path))
        })
    }
}
