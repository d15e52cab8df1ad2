//! The process itself, on Windows.

use std::{fs::File, io, os::windows::io::AsHandle};

/// Standard input, unbuffered.
pub fn stdin() -> io::Result<File> {
    io::stdin().as_handle().try_clone_to_owned().map(File::from)
}

/// Standard output, unbuffered.
pub fn stdout() -> io::Result<File> {
    io::stdout().as_handle().try_clone_to_owned().map(File::from)
}

/// Not asked for: a table is as wide as it is in a pipe.
#[must_use]
pub fn terminal_columns() -> Option<u16> {
    None
}

/// Does nothing: nothing is inherited that has to be put right.
pub fn reset_inherited() {}
