//! The exit codes of every tool, and how several results of one run become one.

/// What a run came to. The numbers are the contract: scripts and cron jobs test them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exit {
    /// 0: everything that was asked is done.
    #[default]
    Done,
    /// 1: failed; `mod-watch check` and `status`: not running.
    Failed,
    /// 2: wrong usage or configuration; nothing was begun.
    Usage,
    /// 3: the output is valid, some items failed; `mod-watch`: unhealthy or degraded.
    Partial,
    /// 4: another process holds the lock; nothing was done.
    Locked,
}

impl Exit {
    /// The number that the process ends with.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Partial => 3,
            Exit::Locked => 4,
        }
    }

    /// One result out of two parts of the same run: the graver one stands.
    #[must_use]
    pub fn merge(self, other: Exit) -> Exit {
        if other.gravity() > self.gravity() { other } else { self }
    }

    fn gravity(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Partial => 1,
            Exit::Locked => 2,
            Exit::Usage => 3,
            Exit::Failed => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_graver_result_stands_whatever_the_order() {
        for (a, b, both) in [
            (Exit::Done, Exit::Done, Exit::Done),
            (Exit::Done, Exit::Partial, Exit::Partial),
            (Exit::Partial, Exit::Failed, Exit::Failed),
            (Exit::Partial, Exit::Usage, Exit::Usage),
        ] {
            assert_eq!(a.merge(b), both);
            assert_eq!(b.merge(a), both);
        }
    }
}
