//! `--spool DIR`: groups that the database cannot take now, on the disk until it can. Each file is
//! written whole, flushed to the disk and then renamed, so one that is there is whole whatever
//! happens; it holds the records as they came and can be read by people and by mod-store itself.
//! A file goes when the database has committed it; replaying it twice stores it once.

mod entry;
mod file;

use std::{
    collections::VecDeque,
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    time::Duration,
};

pub(super) use self::entry::Entry;
use crate::{
    database::Group,
    error::{Error, Result},
    lock,
    record::Timestamp,
    units,
};

/// Held while files are replayed or given up: by one mod-store at a time.
const LOCK: &str = "lock";
/// Files that were being written when their mod-store was killed: nothing in them was acknowledged.
const UNFINISHED: &str = ".unfinished-";
/// Ending of a file that cannot be read.
const DAMAGED: &str = "damaged";
/// A file that is still being written after this, seconds, is nobody's any more.
const UNFINISHED_S: u64 = 3600;
/// What waits for too long has seen more than so many others come.
const STEPS: i64 = 4;
/// A step from one entry to the next counts for no longer than this, seconds: a collector comes by once a day at least.
const LONGEST_STEP_S: i64 = 86_400;

/// A directory of groups that wait.
pub(super) struct Spool {
    dir: PathBuf,
    size: u64,
    age: Duration,
    /// What waits, oldest first, as far as we know: others may share the directory.
    waiting: VecDeque<Entry>,
    number: u32,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Depth {
    pub groups: u64,
    pub samples: u64,
    pub bytes: u64,
    /// When the first of them was spooled.
    pub oldest: Option<Timestamp>,
}

impl Spool {
    /// Opens the directory, which is made when it is missing.
    pub fn open(dir: &Path, size: u64, age: Duration) -> Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(Error::write(dir))?;
        let made = fs::metadata(dir).map_err(Error::read(dir))?;
        let us = rustix::process::geteuid().as_raw();
        if made.uid() != us {
            return Err(Error::usage(format!(
                "the spool {} belongs to user {}, not to user {us}; name one of your own",
                dir.display(),
                made.uid()
            )));
        }
        if made.mode() & 0o022 != 0 {
            return Err(Error::usage(format!(
                "others may write to the spool {}; chmod go-w it",
                dir.display()
            )));
        }
        let mut spool = Spool { dir: dir.to_owned(), size, age, waiting: VecDeque::new(), number: 0 };
        spool.refresh()?;
        Ok(spool)
    }

    /// How long something may wait, for messages.
    pub fn age(&self) -> String {
        units::human(self.age)
    }

    /// Its name for messages.
    pub fn place(&self) -> String {
        self.dir.display().to_string()
    }

    /// Looks again at what waits.
    pub fn refresh(&mut self) -> Result<()> {
        let mut found = Vec::new();
        for file in fs::read_dir(&self.dir).map_err(Error::read(&self.dir))? {
            let file = file.map_err(Error::read(&self.dir))?;
            // One that is gone by now was replayed by somebody else.
            if let (Some(name), Ok(metadata)) = (file.file_name().to_str(), file.metadata()) {
                found.extend(Entry::of(name, metadata.len()));
            }
        }
        found.sort();
        self.waiting = found.into();
        Ok(())
    }

    /// How much waits.
    pub fn depth(&self) -> Depth {
        let mut depth = Depth { oldest: self.waiting.front().map(|entry| entry.at), ..Depth::default() };
        for entry in &self.waiting {
            depth.groups += entry.groups;
            depth.samples += entry.samples;
            depth.bytes += entry.bytes;
        }
        depth
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What waits, oldest first.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.waiting.iter()
    }

    /// Keeps groups; when this returns they are on the disk.
    ///
    /// # Errors
    /// [`Error::Write`], and [`Error::Away`] when the spool is full.
    pub fn put(&mut self, groups: &[Group], now: Timestamp) -> Result<()> {
        let text = file::text(groups).map_err(Error::write(&self.dir))?;
        let bytes = text.len() as u64;
        if self.depth().bytes + bytes > self.size {
            // Others may have replayed since.
            self.refresh()?;
        }
        let depth = self.depth();
        if depth.bytes + bytes > self.size {
            let reason = format!(
                "the spool is full: {depth} of the {} that --spool-size allows",
                bytes_in_words(self.size)
            );
            return Err(Error::Away { place: self.place(), reason });
        }
        let samples = groups.iter().map(|group| group.samples.len() as u64).sum();
        loop {
            self.number += 1;
            let entry = Entry::new(now, self.number, groups.len() as u64, samples, bytes);
            match file::write(&self.dir, UNFINISHED, &entry.name(), &text) {
                // Of a process that had our number, in a container that starts anew.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::write(&self.dir)(error)),
                Ok(()) => {
                    self.waiting.push_back(entry);
                    return Ok(());
                }
            }
        }
    }

    /// The groups of an entry; none when it is gone: replayed by somebody else.
    ///
    /// # Errors
    /// [`Error::Read`]: the disk has failed, or somebody has written into the file.
    pub fn read(&self, entry: &Entry) -> Result<Option<Vec<Group>>> {
        let path = self.dir.join(entry.name());
        match file::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::read(path)(error)),
            Ok(groups) => Ok(Some(groups)),
        }
    }

    /// Forgets an entry, which is in the database.
    pub fn remove(&mut self, entry: &Entry) -> Result<()> {
        let path = self.dir.join(entry.name());
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::write(path)(error)),
            _ => {}
        }
        self.forget(entry);
        Ok(())
    }

    /// Takes an entry that cannot be read out of the way, and says where it is then.
    pub fn set_aside(&mut self, entry: &Entry) -> Result<PathBuf> {
        let path = self.dir.join(entry.name());
        let aside = path.with_extension(DAMAGED);
        fs::rename(&path, &aside).map_err(Error::write(path))?;
        self.forget(entry);
        Ok(aside)
    }

    fn forget(&mut self, entry: &Entry) {
        if self.waiting.front() == Some(entry) {
            self.waiting.pop_front();
        } else {
            self.waiting.retain(|waiting| waiting != entry);
        }
    }

    /// The right to replay; none when another mod-store is at it. What was left unfinished is swept.
    pub fn lock(&self) -> Result<Option<Lock>> {
        let path = self.dir.join(LOCK);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(Error::write(&path))?;
        if !lock::try_exclusive(&file).map_err(Error::write(path))? {
            return Ok(None);
        }
        file::sweep(&self.dir, UNFINISHED, Duration::from_secs(UNFINISHED_S));
        Ok(Some(Lock { _file: file }))
    }

    /// Gives up what has waited for too long; how much that was. Only under the lock.
    pub fn expire(&mut self, _lock: &Lock, now: Timestamp) -> Result<Depth> {
        let mut gone = Depth::default();
        let expired: Vec<Entry> = self.waiting.iter().take(self.expired(now)).cloned().collect();
        for entry in expired {
            gone.groups += entry.groups;
            gone.samples += entry.samples;
            gone.bytes += entry.bytes;
            gone.oldest.get_or_insert(entry.at);
            self.remove(&entry)?;
        }
        Ok(gone)
    }

    /// Whether the first entry has waited for too long.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expired(now) > 0
    }

    /// How many of the first entries have waited for too long, by what was spooled after them. A clock that jumps
    /// shows as one long step between two entries, and one step alone gives nothing up.
    fn expired(&self, now: Timestamp) -> usize {
        let limit = i64::try_from(self.age.as_secs()).unwrap_or(i64::MAX);
        let longest_step = (limit / STEPS).min(LONGEST_STEP_S);
        let (mut waited, mut later) = (0, now);
        for (n, entry) in self.waiting.iter().enumerate().rev() {
            let at = entry.at.min(now);
            if n + 1 < self.waiting.len() {
                waited += later.since(at).clamp(0, longest_step);
            }
            if waited > limit {
                return n + 1;
            }
            later = at;
        }
        0
    }
}

/// Held while files are replayed or given up; released when it is dropped.
pub(super) struct Lock {
    _file: File,
}

impl std::fmt::Display for Depth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Depth { groups, samples, bytes, oldest } = self;
        write!(f, "{groups} groups with {samples} samples, {}", bytes_in_words(*bytes))?;
        oldest.map_or(Ok(()), |oldest| write!(f, ", the first since {oldest}"))
    }
}

fn bytes_in_words(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..0x10_0000 => format!("{} KiB", bytes / 1024),
        _ => format!("{:.1} MiB", bytes as f64 / f64::from(0x10_0000)),
    }
}

#[cfg(test)]
mod tests;
