//! Account safety: how fast logins begin, how many are under way, and when an account is given up.
//! Pure: it is told what happened and when, and says whether the next login may begin.
//!
//! An account that many devices reject at the same moment is locked before the first answer is read. So
//! until a device has accepted it, and again after a rejection, no more logins are under way than rejections
//! are left.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// A login that is undecided for this long hangs in something else than a rejection.
const UNDECIDED: Duration = Duration::from_secs(3);

/// Whether a login may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Now.
    Go,
    /// Ask again after this long, or when a login has ended.
    Wait(Duration),
    /// Never in this run: so many devices in a row rejected the account.
    Broken(u32),
}

/// The limits, and what is under way.
#[derive(Debug)]
pub struct Logins {
    gap: Duration,
    most: usize,
    breaker: u32,
    next: Option<Instant>,
    accounts: HashMap<String, Account>,
}

#[derive(Debug, Default)]
struct Account {
    under_way: Vec<Instant>,
    rejections: u32,
    proven: bool,
}

impl Logins {
    /// `rate` per second, `most` at the same time, `breaker` rejections in a row (0: any number).
    #[must_use]
    pub fn new(rate: f64, most: usize, breaker: u32) -> Self {
        let gap = Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX);
        Logins { gap, most, breaker, next: None, accounts: HashMap::new() }
    }

    /// Whether a login with this account may begin; if so, it has begun.
    pub fn begin(&mut self, user: &str, now: Instant) -> Answer {
        let under_way: usize = self.accounts.values().map(|account| account.under_way.len()).sum();
        let account = self.accounts.entry(user.to_owned()).or_default();
        if let Some(answer) = account.refuses(self.breaker, now) {
            return answer;
        }
        if under_way >= self.most {
            return Answer::Wait(UNDECIDED);
        }
        if let Some(next) = self.next.filter(|&next| next > now) {
            return Answer::Wait(next - now);
        }
        self.next = Some(now + self.gap);
        account.under_way.push(now);
        Answer::Go
    }

    /// A login was accepted or rejected; `None`: it ended before that was known.
    pub fn ended(&mut self, user: &str, accepted: Option<bool>) {
        let Some(account) = self.accounts.get_mut(user) else { return };
        // Which of them ended is not told apart: the oldest leaves.
        if !account.under_way.is_empty() {
            account.under_way.remove(0);
        }
        match accepted {
            Some(true) => (account.proven, account.rejections) = (true, 0),
            Some(false) => account.rejections += 1,
            None => {}
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn logins_begin_at_the_rate_and_within_the_number() {
        let start = Instant::now();
        let mut logins = Logins::new(10.0, 2, 0);
        assert_eq!(logins.begin("ops", start), Answer::Go);
        assert_eq!(logins.begin("ops", start + MS(30)), Answer::Wait(MS(70)));
        assert_eq!(logins.begin("ops", start + MS(100)), Answer::Go);
        assert!(matches!(logins.begin("ops", start + MS(900)), Answer::Wait(_)));
        logins.ended("ops", Some(true));
        assert_eq!(logins.begin("ops", start + MS(900)), Answer::Go);
    }

    #[test]
    fn an_account_meets_three_rejections_in_a_row_and_no_more() {
        let start = Instant::now();
        let mut logins = Logins::new(1e6, 100, 3);
        let mut begun = 0;
        for n in 0..10 {
            begun += u32::from(logins.begin("ops", start + MS(n)) == Answer::Go);
        }
        assert_eq!(begun, 3, "unproven: no more under way than rejections are allowed");
        for _ in 0..3 {
            logins.ended("ops", Some(false));
        }
        assert_eq!(logins.begin("ops", start + MS(20)), Answer::Broken(3));
        assert_eq!(logins.begin("local", start + MS(20)), Answer::Go);
    }

    #[test]
    fn an_accepted_account_runs_free_until_it_is_rejected() {
        let start = Instant::now();
        let mut logins = Logins::new(1e6, 100, 3);
        assert_eq!(logins.begin("ops", start), Answer::Go);
        logins.ended("ops", Some(true));
        assert!((1..=20).all(|n| logins.begin("ops", start + MS(n)) == Answer::Go));
        logins.ended("ops", Some(false));
        assert!(matches!(logins.begin("ops", start + MS(30)), Answer::Wait(_)));
        logins.ended("ops", Some(true));
        assert_eq!(logins.begin("ops", start + MS(40)), Answer::Go);
    }

    #[test]
    fn logins_that_hang_hold_the_others_up_for_a_moment_only() {
        let start = Instant::now();
        let mut logins = Logins::new(1e6, 100, 3);
        assert!((0..3).all(|n| logins.begin("ops", start + MS(n)) == Answer::Go));
        assert!(matches!(logins.begin("ops", start + MS(10)), Answer::Wait(_)));
        assert_eq!(logins.begin("ops", start + UNDECIDED + MS(3)), Answer::Go);
    }
}
