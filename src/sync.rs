//! Locks between threads. A thread that panicked while it held one is reported by the harness; the others go on.

use std::sync::{LockResult, PoisonError};

/// The guard of a lock, whether or not a thread panicked while it held it.
pub fn unpoisoned<G>(locked: LockResult<G>) -> G {
    locked.unwrap_or_else(PoisonError::into_inner)
}
