//! The spool back into the database, a piece at a time, so that what comes meanwhile is not kept
//! waiting. What the database refuses stays and is tried again later; the rest passes it by.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::spool::{Entry, Lock, Spool};
use crate::{
    database::{Counts, Database, Group},
    error::{Error, Result},
};

/// Samples of one piece.
const SAMPLES: u64 = 20_000;
/// Files of one piece.
const FILES: usize = 200;
/// So many files refused: the reason is not in them.
const REFUSALS: usize = 3;
/// What was refused, and what somebody else replays, is looked at again after this.
const LATER: Duration = Duration::from_secs(60);

/// What became of a piece.
#[derive(Default)]
pub(super) struct Piece {
    /// Samples that are new in the database.
    pub stored: u64,
    /// What the database said of the groups that it does not take.
    pub refused: Vec<Error>,
}

/// How far the replay is.
#[derive(Default)]
pub(super) struct Replay {
    pass: Option<Pass>,
    /// Not before.
    from: Option<Instant>,
}

/// Once over everything that waits.
struct Pass {
    left: VecDeque<Entry>,
    refusals: usize,
    _lock: Lock,
}

impl Replay {
    /// When there is something to do.
    pub fn due(&self, spool: &Spool) -> Option<Instant> {
        let waits = self.pass.is_some() || !spool.is_empty();
        waits.then(|| self.from.unwrap_or_else(Instant::now))
    }

    /// Whether everything that waits has been tried.
    pub fn is_between_passes(&self) -> bool {
        self.pass.is_none()
    }

    /// The database is back.
    pub fn now(&mut self) {
        self.from = None;
    }

    /// What has just been refused is not tried again at once. A pass under way does not meet it.
    pub fn later(&mut self) {
        if self.pass.is_none() {
            self.from.get_or_insert_with(|| Instant::now() + LATER);
        }
    }

    /// The database is away.
    pub fn stop(&mut self) {
        self.pass = None;
        self.from = None;
    }

    /// Replays a piece.
    ///
    /// # Errors
    /// A fault of the spool, and [`Error::Away`].
    pub fn step(
        &mut self,
        database: &mut dyn Database,
        spool: &mut Spool,
        judge: impl Fn(&Group) -> (Group, Counts),
    ) -> Result<Piece> {
        self.from = None;
        let Some(pass) = self.pass(spool)? else { return Ok(Piece::default()) };
        let entries = pass.piece();
        let mut files = Vec::with_capacity(entries.len());
        for entry in entries {
            match spool.read(&entry) {
                Ok(Some(groups)) => {
                    files.push((entry, groups.iter().map(|group| judge(group).0).collect::<Vec<_>>()));
                }
                Ok(None) => spool.remove(&entry)?,
                Err(error) => {
                    let aside = spool.set_aside(&entry)?;
                    log::warn!("{error}; it is kept as {}", aside.display());
                }
            }
        }
        let piece = store(database, spool, &files)?;
        pass.refusals += piece.refused.len();
        if pass.left.is_empty() || pass.refusals >= REFUSALS {
            let refusals = pass.refusals;
            self.pass = None;
            if refusals > 0 {
                self.later();
            }
        }
        Ok(piece)
    }

    fn pass(&mut self, spool: &mut Spool) -> Result<Option<&mut Pass>> {
        if self.pass.is_none() {
            let Some(lock) = spool.lock()? else {
                self.later();
                return Ok(None);
            };
            spool.refresh()?;
            let left = spool.entries().cloned().collect();
            self.pass = Some(Pass { left, refusals: 0, _lock: lock });
        }
        Ok(self.pass.as_mut())
    }
}

impl Pass {
    /// The next files, oldest first.
    fn piece(&mut self) -> Vec<Entry> {
        let mut piece: Vec<Entry> = Vec::new();
        let mut samples = 0;
        while samples < SAMPLES && piece.len() < FILES {
            let Some(entry) = self.left.pop_front() else { break };
            samples += entry.samples;
            piece.push(entry);
        }
        piece
    }
}

/// Stores files all together, or one by one when one of them is refused.
fn store(database: &mut dyn Database, spool: &mut Spool, files: &[(Entry, Vec<Group>)]) -> Result<Piece> {
    let all: Vec<Group> = files.iter().flat_map(|(_, groups)| groups).cloned().collect();
    match database.store(&all, true) {
        Ok(counts) => {
            for (entry, _) in files {
                spool.remove(entry)?;
            }
            Ok(Piece { stored: sum(&counts), refused: Vec::new() })
        }
        Err(error @ Error::Away { .. }) => Err(error),
        Err(_) => one_by_one(database, spool, files),
    }
}

/// A file stays as long as one of its groups is refused; the others are known as duplicates then.
fn one_by_one(
    database: &mut dyn Database,
    spool: &mut Spool,
    files: &[(Entry, Vec<Group>)],
) -> Result<Piece> {
    let mut piece = Piece::default();
    for (entry, groups) in files {
        let before = piece.refused.len();
        for group in groups {
            match database.store(std::slice::from_ref(group), true) {
                Ok(counts) => piece.stored += sum(&counts),
                Err(error @ Error::Away { .. }) => return Err(error),
                Err(error) => piece.refused.push(error),
            }
        }
        if piece.refused.len() == before {
            spool.remove(entry)?;
        } else if piece.refused.len() >= REFUSALS {
            break;
        }
    }
    Ok(piece)
}

fn sum(counts: &[Counts]) -> u64 {
    counts.iter().map(|counts| counts.stored).sum()
}
