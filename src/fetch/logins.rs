//! Account safety: how fast sessions begin, how many logins are under way, and when an account is given up.
//!
//! An account that many devices reject at the same moment is locked before the first answer is read. So
//! until a device has accepted it, and again after a rejection, no more logins are under way than rejections
//! are left. [`Accounts`] is pure: it is told what happened and when, and says whether the next login may begin;
//! [`Gate`] makes the sessions wait for it.

use std::{
    collections::HashMap,
    sync::{Condvar, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use crate::{
    record::Status,
    ssh::{Budget, Failure},
    sync::unpoisoned,
};

/// A login that is undecided for this long hangs in something else than a rejection.
const UNDECIDED: Duration = Duration::from_secs(3);

/// At most so many sessions begin in a time (`--login-rate`).
#[derive(Debug)]
pub struct Pace {
    gap: Duration,
    next: Option<Instant>,
}

impl Pace {
    /// `rate` per second.
    #[must_use]
    pub fn new(rate: f64) -> Self {
        Pace { gap: Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX), next: None }
    }

    /// Begins a session, or says when the next one may begin.
    ///
    /// # Errors
    /// The moment to ask again.
    pub fn begin(&mut self, now: Instant) -> Result<(), Instant> {
        match self.next.filter(|&next| next > now) {
            Some(next) => Err(next),
            None => {
                self.next = now.checked_add(self.gap);
                Ok(())
            }
        }
    }
}

/// Whether a login may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// Now.
    Go,
    /// Ask again after this long, or when a login has ended.
    Wait(Duration),
    /// Never in this run: so many devices in a row rejected the account.
    Broken(u32),
}

/// The limits, and what is under way.
#[derive(Debug)]
struct Accounts {
    most: usize,
    breaker: u32,
    accounts: HashMap<String, Account>,
}

#[derive(Debug, Default)]
struct Account {
    under_way: Vec<Instant>,
    rejections: u32,
    proven: bool,
}

impl Accounts {
    /// Whether a login with this account may begin; if so, it has begun.
    fn begin(&mut self, user: &str, now: Instant) -> Answer {
        let under_way: usize = self.accounts.values().map(|account| account.under_way.len()).sum();
        let account = self.accounts.entry(user.to_owned()).or_default();
        if let Some(answer) = account.refuses(self.breaker, now) {
            return answer;
        }
        if under_way >= self.most {
            return Answer::Wait(UNDECIDED);
        }
        account.under_way.push(now);
        Answer::Go
    }

    /// A login was accepted or rejected; `None`: it ended before that was known.
    fn ended(&mut self, user: &str, began: Instant, accepted: Option<bool>) {
        let Some(account) = self.accounts.get_mut(user) else { return };
        if let Some(at) = account.under_way.iter().position(|&login| login == began) {
            account.under_way.swap_remove(at);
        }
        match accepted {
            Some(true) => (account.proven, account.rejections) = (true, 0),
            Some(false) => account.rejections += 1,
            None => {}
        }
    }

    fn broken(&self, user: &str) -> Option<u32> {
        let rejections = self.accounts.get(user)?.rejections;
        (self.breaker > 0 && rejections >= self.breaker).then_some(rejections)
    }
}

impl Account {
    fn refuses(&self, breaker: u32, now: Instant) -> Option<Answer> {
        if breaker == 0 {
            return None;
        }
        if self.rejections >= breaker {
            return Some(Answer::Broken(self.rejections));
        }
        if self.proven && self.rejections == 0 {
            return None;
        }
        let undecided = self.under_way.iter().filter(|&&began| now - began < UNDECIDED);
        let oldest = undecided.clone().min()?;
        let left = (breaker - self.rejections) as usize;
        (undecided.count() >= left).then(|| Answer::Wait(UNDECIDED - (now - *oldest)))
    }
}

/// Where every session asks before it sends a credential.
#[derive(Debug)]
pub struct Gate {
    accounts: Mutex<Accounts>,
    changed: Condvar,
}

/// A login that may go on. Without a word of how it ended, it ended undecided.
#[derive(Debug)]
pub struct Permit<'a> {
    gate: &'a Gate,
    user: String,
    began: Instant,
    accepted: Option<bool>,
}

impl Gate {
    /// `most` logins at the same time, `breaker` rejections in a row (0: any number).
    #[must_use]
    pub fn new(most: usize, breaker: u32) -> Self {
        let accounts = Accounts { most, breaker, accounts: HashMap::new() };
        Gate { accounts: Mutex::new(accounts), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Accounts> {
        unpoisoned(self.accounts.lock())
    }

    /// Waits until a login with this account may begin.
    ///
    /// # Errors
    /// `auth_failed` when the account was given up; the budget's.
    pub fn pass(&self, user: &str, budget: &Budget) -> Result<Permit<'_>, Failure> {
        let mut accounts = self.lock();
        loop {
            let began = Instant::now();
            match accounts.begin(user, began) {
                Answer::Go => return Ok(Permit { gate: self, user: user.to_owned(), began, accepted: None }),
                Answer::Broken(rejections) => return Err(given_up(user, rejections)),
                Answer::Wait(patience) => {
                    let patience = budget.wait()?.min(patience);
                    let waited = self.changed.wait_timeout(accounts, patience);
                    accounts = unpoisoned(waited).0;
                }
            }
        }
    }

    /// Why an account is not tried any more.
    #[must_use]
    pub fn broken(&self, user: &str) -> Option<Failure> {
        self.lock().broken(user).map(|rejections| given_up(user, rejections))
    }
}

fn given_up(user: &str, rejections: u32) -> Failure {
    let words =
        format!("not tried: user {user:?} was rejected by {rejections} devices in a row (--auth-breaker)");
    Failure::new(Status::AuthFailed, words)
}

impl Permit<'_> {
    /// The device accepted the account, or rejected it.
    pub fn decided(mut self, accepted: bool) {
        self.accepted = Some(accepted);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.gate.lock().ended(&self.user, self.began, self.accepted);
        self.gate.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn accounts(most: usize, breaker: u32) -> Accounts {
        Accounts { most, breaker, accounts: HashMap::new() }
    }

    #[test]
    fn sessions_begin_at_the_rate_and_logins_within_the_number() {
        let start = Instant::now();
        let mut pace = Pace::new(10.0);
        assert_eq!(pace.begin(start), Ok(()));
        assert_eq!(pace.begin(start + MS(30)), Err(start + MS(100)));
        assert_eq!(pace.begin(start + MS(100)), Ok(()));
        let mut logins = accounts(2, 0);
        assert!((0..2).all(|n| logins.begin("ops", start + MS(n)) == Answer::Go));
        assert!(matches!(logins.begin("ops", start + MS(9)), Answer::Wait(_)));
        logins.ended("ops", start, Some(true));
        assert_eq!(logins.begin("ops", start + MS(9)), Answer::Go);
    }

    #[test]
    fn an_account_meets_three_rejections_in_a_row_and_no_more() {
        let start = Instant::now();
        let mut logins = accounts(100, 3);
        let begun = (0..10).filter(|&n| logins.begin("ops", start + MS(n)) == Answer::Go).count();
        assert_eq!(begun, 3, "unproven: no more under way than rejections are allowed");
        for n in 0..3 {
            assert_eq!(logins.broken("ops"), None);
            logins.ended("ops", start + MS(n), Some(false));
        }
        assert_eq!(logins.begin("ops", start + MS(20)), Answer::Broken(3));
        assert_eq!((logins.broken("ops"), logins.broken("local")), (Some(3), None));
        assert_eq!(logins.begin("local", start + MS(20)), Answer::Go);
    }

    #[test]
    fn an_accepted_account_runs_free_until_it_is_rejected() {
        let start = Instant::now();
        let mut logins = accounts(100, 3);
        assert_eq!(logins.begin("ops", start), Answer::Go);
        logins.ended("ops", start, Some(true));
        assert!((1..=20).all(|n| logins.begin("ops", start + MS(n)) == Answer::Go));
        logins.ended("ops", start + MS(1), Some(false));
        assert!(matches!(logins.begin("ops", start + MS(30)), Answer::Wait(_)));
        logins.ended("ops", start + MS(2), Some(true));
        assert_eq!(logins.begin("ops", start + MS(40)), Answer::Go);
    }

    #[test]
    fn logins_that_hang_hold_the_others_up_for_a_moment_only() {
        let start = Instant::now();
        let mut logins = accounts(100, 3);
        assert!((0..3).all(|n| logins.begin("ops", start + MS(n)) == Answer::Go));
        assert!(matches!(logins.begin("ops", start + MS(10)), Answer::Wait(_)));
        assert_eq!(logins.begin("ops", start + UNDECIDED + MS(3)), Answer::Go);
    }
}
