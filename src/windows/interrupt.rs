//! A wait for input that a stage can end: on Windows it ends with the next line only.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::error::Result;

/// A flag that is looked at before each read. Clones share it; the default one is never set.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// One that can be set.
    pub fn new() -> Result<Self> {
        Ok(Interrupt::default())
    }

    /// Lets no further read begin.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether to read on.
    pub fn wait<I>(&self, _input: I) -> io::Result<bool> {
        Ok(!self.0.load(Ordering::SeqCst))
    }
}
