//! The account that a process runs as, from the system's user database and not from its environment.

use std::{
    ffi::{CStr, OsStr},
    mem::MaybeUninit,
    os::unix::ffi::OsStrExt,
    path::PathBuf,
    ptr,
};

/// The home directory of the account; none when the system knows none for this user.
#[must_use]
#[allow(unsafe_code)]
pub fn home() -> Option<PathBuf> {
    let uid = rustix::process::geteuid().as_raw();
    let mut entry = MaybeUninit::<libc::passwd>::uninit();
    let mut buffer = vec![0; 16 * 1024];
    let mut found = ptr::null_mut();
    // SAFETY: the pointers are to memory of ours that outlives the call, and the length is that of the buffer.
    let error =
        unsafe { libc::getpwuid_r(uid, entry.as_mut_ptr(), buffer.as_mut_ptr(), buffer.len(), &mut found) };
    if error != 0 || found.is_null() {
        return None;
    }
    // SAFETY: `found` is set, so the entry is filled in, and its texts end with 0 within the buffer.
    let home = unsafe { CStr::from_ptr((*found).pw_dir) };
    let home = PathBuf::from(OsStr::from_bytes(home.to_bytes()));
    home.is_absolute().then_some(home)
}

#[cfg(test)]
mod tests {
    #[test]
    fn home_is_absolute_or_unknown() {
        assert!(super::home().is_none_or(|home| home.is_absolute()));
    }
}
