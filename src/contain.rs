//! A client library that panics over what a broken or hostile server sends ends a connection, not a run. Only panics
//! that begin outside this crate are contained: a fault of our own is still one.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind},
};

thread_local! {
    /// Whether a client library is at work on this thread.
    static AT_WORK: Cell<bool> = const { Cell::new(false) };
    /// Whether the last panic began in our own code.
    static OURS: Cell<bool> = const { Cell::new(false) };
}

/// For the panic hook: whether a panic is contained, so that nobody need report it.
#[must_use]
pub fn is_contained(location: Option<&Location<'_>>) -> bool {
    if !AT_WORK.get() {
        return false;
    }
    OURS.set(location.is_some_and(|location| location.file().starts_with("src/")));
    !OURS.get()
}

/// Runs work of a client library; none when it panicked.
#[cfg_attr(windows, allow(dead_code))]
pub(super) fn catch<T>(work: impl FnOnce() -> T) -> Option<T> {
    let before = AT_WORK.replace(true);
    OURS.set(false);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    AT_WORK.set(before);
    match outcome {
        Ok(value) => Some(value),
        Err(fault) if OURS.get() => resume_unwind(fault),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::catch;

    #[test]
    fn a_panic_of_a_library_is_no_result() {
        assert_eq!(catch(|| 1), Some(1));
        // The capacity is checked by the standard library, not by us.
        assert_eq!(catch(|| Vec::<u64>::with_capacity(usize::MAX).len()), None);
    }
}
