//! Where groups are kept: in the database, or in the spool as long as the database is away.

use std::time::{Duration, Instant};

use super::{replay::Replay, spool::Spool};
use crate::{
    clock::Clock,
    database::{Counts, Database, Group, Limits, Verdict},
    error::{Error, Result},
    record::Timestamp,
};

/// `lastupdatemodulation` is set at most this often, seconds.
const TOUCH_EVERY_S: i64 = 30;
/// How long a database that is away is left alone: at first, and at most.
const PATIENCE: Duration = Duration::from_secs(1);
const MOST_PATIENCE: Duration = Duration::from_secs(60);
/// At the end of the input it is tried once more, unless that was just done.
const LAST_TRY: Duration = Duration::from_secs(2);
/// The same fault is said again after this.
const SAY_AGAIN: Duration = Duration::from_secs(3600);

/// Opens the database again.
pub(super) type Opener = Box<dyn Fn() -> Result<Box<dyn Database>> + Send>;

enum State {
    Here(Box<dyn Database>),
    Away(Absence),
}

struct Absence {
    reason: String,
    tries: u32,
    tried: Instant,
    again: Instant,
}

/// The database and the spool behind it.
pub(super) struct Keeper {
    open: Opener,
    state: State,
    spool: Option<Spool>,
    replay: Replay,
    limits: Limits,
    /// The limits have changed since the stage began to judge by them.
    judge_again: bool,
    /// Samples of the spool that are in the database now.
    replayed: u64,
    clock: Clock,
    /// When `lastupdatemodulation` is due again.
    touch_from: Timestamp,
    warned_touch: bool,
    /// Absences since the last group that was stored: each waits longer.
    absences: u32,
    /// Samples of the spool that were given up.
    given_up: u64,
    said: Option<(String, Instant)>,
}

impl Keeper {
    /// Opens the database. With a spool it need not be there.
    ///
    /// # Errors
    /// [`Error::Usage`], [`Error::Database`], and without a spool [`Error::Away`].
    pub fn open(open: Opener, spool: Option<Spool>, clock: Clock) -> Result<Self> {
        let mut keeper = Keeper {
            open,
            state: State::Away(Absence::begin(String::new(), 0)),
            spool,
            replay: Replay::default(),
            limits: Limits::default(),
            judge_again: false,
            replayed: 0,
            clock,
            touch_from: Timestamp(i64::MIN),
            warned_touch: false,
            absences: 0,
            given_up: 0,
            said: None,
        };
        match (keeper.open)() {
            Ok(database) => {
                keeper.limits = database.limits().clone();
                keeper.state = State::Here(database);
            }
            Err(error @ Error::Away { .. }) if keeper.spool.is_some() => keeper.leave(&error),
            Err(error) => return Err(error),
        }
        Ok(keeper)
    }

    /// What samples are judged by before they come here.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether the database lacks tables.
    pub fn lacks_tables(&self) -> bool {
        matches!(&self.state, State::Here(database) if database.lacks_tables())
    }

    /// The status text: how much waits in the spool.
    pub fn status(&self) -> String {
        let waiting = match &self.spool {
            Some(spool) if !spool.is_empty() => format!("{} wait in the spool", spool.depth()),
            _ => "nothing waits in the spool".into(),
        };
        match &self.state {
            State::Here(database) => format!("stores into {}; {waiting}", database.place()),
            State::Away(absence) => format!("{waiting}; {}", absence.reason),
        }
    }

    /// Samples of the spool that were given up in this run.
    pub fn given_up(&self) -> u64 {
        self.given_up
    }

    /// Samples of the spool that are in the database since this was asked last.
    pub fn take_replayed(&mut self) -> u64 {
        std::mem::take(&mut self.replayed)
    }

    /// Keeps groups. Gives the counts of those that are safe, the first ones, and why it ended there.
    pub fn store(&mut self, groups: &[Group]) -> (Vec<Counts>, Result<()>) {
        if groups.is_empty() {
            return (Vec::new(), Ok(()));
        }
        if !self.judge_again {
            return self.keep(groups);
        }
        let (fitting, lost): (Vec<_>, Vec<_>) =
            groups.iter().map(|group| fit(group, &self.limits, self.clock.now())).unzip();
        let (mut counts, outcome) = self.keep(&fitting);
        counts.iter_mut().zip(lost).for_each(|(counts, lost)| *counts += lost);
        (counts, outcome)
    }

    fn keep(&mut self, groups: &[Group]) -> (Vec<Counts>, Result<()>) {
        let State::Here(database) = &mut self.state else { return self.put(groups) };
        match database.store(groups, false) {
            Ok(counts) => {
                self.absences = 0;
                if counts.iter().any(|counts| counts.stored > 0) {
                    self.touch();
                }
                (counts, Ok(()))
            }
            Err(error @ Error::Away { .. }) if self.spool.is_some() => {
                self.leave(&error);
                self.put(groups)
            }
            Err(error @ Error::Away { .. }) => (Vec::new(), Err(error)),
            Err(error) if groups.len() == 1 => self.refused(groups, error),
            Err(_) => self.one_by_one(groups),
        }
    }

    /// One of the groups is refused: the others are not to suffer.
    fn one_by_one(&mut self, groups: &[Group]) -> (Vec<Counts>, Result<()>) {
        let mut counts = Vec::with_capacity(groups.len());
        for group in groups {
            let (one, outcome) = self.keep(std::slice::from_ref(group));
            counts.extend(one);
            if outcome.is_err() {
                return (counts, outcome);
            }
        }
        (counts, Ok(()))
    }

    /// The database is there and takes this group for wrong, or has no place for it.
    fn refused(&mut self, groups: &[Group], error: Error) -> (Vec<Counts>, Result<()>) {
        if self.spool.is_none() {
            return (Vec::new(), Err(error));
        }
        self.say_refused(&error);
        self.replay.later();
        self.put(groups)
    }

    fn put(&mut self, groups: &[Group]) -> (Vec<Counts>, Result<()>) {
        let Some(spool) = &mut self.spool else { return (Vec::new(), Ok(())) };
        let outcome = spool.put(groups, self.clock.now());
        if let Err(error) = outcome.and_then(|()| self.give_up()) {
            return (Vec::new(), Err(error));
        }
        let spooled = |group: &Group| {
            let sent = group.samples.len() as u64;
            Counts { sent, spooled: sent, ..Counts::default() }
        };
        (groups.iter().map(spooled).collect(), Ok(()))
    }

    /// What has waited for too long goes, loudly.
    fn give_up(&mut self) -> Result<()> {
        let now = self.clock.now();
        let Some(spool) = self.spool.as_mut().filter(|spool| spool.has_expired(now)) else { return Ok(()) };
        if let Some(lock) = spool.lock()? {
            spool.refresh()?;
            let gone = spool.expire(&lock, now)?;
            if gone.groups > 0 {
                self.given_up += gone.samples;
                log::warn!(
                    "given up, after more than {} in the spool {}: {gone}",
                    spool.age(),
                    spool.place()
                );
            }
        }
        Ok(())
    }

    fn leave(&mut self, error: &Error) {
        self.state = State::Away(Absence::begin(error.to_string(), self.absences));
        self.absences += 1;
        self.replay.stop();
        self.say_away(error);
    }

    fn say_away(&mut self, error: &Error) {
        let place = self.spool.as_ref().map(Spool::place).unwrap_or_default();
        self.say(format!("{error}; samples go to the spool {place}"));
    }

    fn say_refused(&mut self, error: &Error) {
        let place = self.spool.as_ref().map(Spool::place).unwrap_or_default();
        self.say(format!("{error}; what is refused waits in the spool {place}"));
    }

    fn say(&mut self, words: String) {
        match &self.said {
            Some((said, when)) if *said == words && when.elapsed() < SAY_AGAIN => {}
            _ => {
                log::warn!("{words}");
                self.said = Some((words, Instant::now()));
            }
        }
    }

    /// When there is something to do besides what comes; none: nothing.
    pub fn due(&self) -> Option<Instant> {
        match &self.state {
            State::Away(absence) => Some(absence.again),
            State::Here(_) => self.replay.due(self.spool.as_ref()?),
        }
    }

    /// Does a piece of what is due: connects again, or replays some of the spool.
    ///
    /// # Errors
    /// A fault of the spool; a database that stays away is none.
    pub fn work(&mut self) -> Result<()> {
        match &self.state {
            State::Away(_) => self.come_back(),
            State::Here(_) => self.replay_some()?,
        }
        Ok(())
    }

    fn come_back(&mut self) {
        match (self.open)() {
            Ok(database) => {
                log::info!("{} is back", database.place());
                self.judge_again |= *database.limits() != self.limits;
                self.limits = database.limits().clone();
                self.state = State::Here(database);
                self.replay.now();
            }
            Err(error) => {
                if let State::Away(absence) = &mut self.state {
                    absence.go_on(error.to_string());
                }
                self.say_away(&error);
            }
        }
    }

    /// What is too old is given up only after it was offered to the database once more.
    fn replay_some(&mut self) -> Result<()> {
        let (State::Here(database), Some(spool)) = (&mut self.state, &mut self.spool) else { return Ok(()) };
        let judge = |group: &Group| fit(group, &self.limits, self.clock.now());
        match self.replay.step(&mut **database, spool, judge) {
            Ok(piece) => {
                self.replayed += piece.stored;
                if piece.stored > 0 {
                    self.touch();
                }
                if piece.stored > 0 {
                    self.absences = 0;
                }
                if let Some(error) = piece.refused.last() {
                    self.say_refused(error);
                }
                if self.replay.is_between_passes() { self.give_up() } else { Ok(()) }
            }
            Err(error @ Error::Away { .. }) => {
                self.leave(&error);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// At the end of the input: replays what can be replayed while `patient`. Gives what still waits, and why.
    pub fn finish(&mut self, patient: impl Fn() -> bool) -> Result<Option<String>> {
        if self.spool.is_none() {
            return Ok(None);
        }
        if let State::Away(absence) = &self.state
            && absence.tried.elapsed() > LAST_TRY
            && patient()
        {
            self.come_back();
        }
        while matches!(self.state, State::Here(_))
            && self.due().is_some_and(|due| due <= Instant::now())
            && patient()
        {
            self.work()?;
        }
        let Some(spool) = self.spool.as_mut() else { return Ok(None) };
        spool.refresh()?;
        let place = spool.place();
        Ok((!spool.is_empty()).then(|| format!("{} wait in the spool {place}", spool.depth())))
    }

    /// The samples are safe by now; that other programs do not hear of them is said once.
    fn touch(&mut self) {
        let now = self.clock.now();
        let State::Here(database) = &mut self.state else { return };
        if now < self.touch_from {
            return;
        }
        self.touch_from = now + TOUCH_EVERY_S;
        if let Err(error) = database.touch(now)
            && !std::mem::replace(&mut self.warned_touch, true)
        {
            log::warn!("lastupdatemodulation is not kept: {error}");
        }
    }
}

impl Absence {
    /// `before`: absences just before this one, without a group stored in between.
    fn begin(reason: String, before: u32) -> Self {
        let tried = Instant::now();
        Absence { reason, tries: before, tried, again: tried + Self::patience(before) }
    }

    fn patience(tries: u32) -> Duration {
        PATIENCE.saturating_mul(1 << tries.min(6)).min(MOST_PATIENCE)
    }

    /// Each time twice as long, and never exactly: many collectors wait for the same database.
    fn go_on(&mut self, reason: String) {
        self.reason = reason;
        self.tries += 1;
        self.tried = Instant::now();
        self.again = self.tried + Self::patience(self.tries).mul_f64(0.5 + fastrand::f64() / 2.0);
    }
}

/// A group without what does not fit, which was judged by limits that the database does not have.
fn fit(group: &Group, limits: &Limits, now: Timestamp) -> (Group, Counts) {
    let mut lost = Counts::default();
    let mut fitting = Group { samples: Vec::with_capacity(group.samples.len()), ..group.clone() };
    for sample in &group.samples {
        match limits.judge(sample, now) {
            Verdict::Store => fitting.samples.push(sample.clone()),
            Verdict::LeaveOut => lost.left_out += 1,
            Verdict::Reject(reason) => {
                lost.rejected += 1;
                log::warn!("{} {} {}: {reason}", sample.cmts, sample.upstream, sample.ts);
            }
        }
    }
    lost.sent = lost.left_out + lost.rejected;
    if fitting.scan.as_ref().is_some_and(|scan| limits.scan_fault(scan, now).is_some()) {
        fitting.scan = None;
    }
    (fitting, lost)
}
