//! What a process inherits from whoever starts it, put right before anything else. (Standard streams that are
//! closed are opened on /dev/null by the Rust runtime.)

use std::{fs::File, io, os::fd::AsFd};

/// Standard input, unbuffered.
pub fn stdin() -> io::Result<File> {
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

/// Standard output, unbuffered.
pub fn stdout() -> io::Result<File> {
    io::stdout().as_fd().try_clone_to_owned().map(File::from)
}

/// Width of the terminal on standard output, in columns.
#[must_use]
pub fn terminal_columns() -> Option<u16> {
    rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| size.ws_col).filter(|&columns| columns > 0)
}

/// Handles SIGCHLD by default, so that children can be waited for, and unblocks the signals that end a tool or
/// tell it something.
#[allow(unsafe_code)]
pub fn reset_inherited() {
    let mut heard = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the set is made by sigemptyset before it is read, and SIG_DFL runs no code of ours. The process
    // has one thread here; those that it starts inherit the mask.
    unsafe {
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        libc::sigemptyset(heard.as_mut_ptr());
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGCHLD] {
            libc::sigaddset(heard.as_mut_ptr(), signal);
        }
        libc::pthread_sigmask(libc::SIG_UNBLOCK, heard.as_ptr(), std::ptr::null_mut());
    }
}
