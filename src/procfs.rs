//! Everything that is read from /proc: what a process is beyond its number, which is reused, which locks it
//! holds, and which processes belong to a supervised command.

use std::{
    fs, io,
    os::{
        fd::RawFd,
        unix::{ffi::OsStrExt, fs::MetadataExt},
    },
    path::Path,
};

use rustix::process::Pid;

/// The boot that is running now; numbers and start times mean nothing across boots.
///
/// # Errors
/// When /proc is not mounted.
pub fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// Whether this process ignores a signal, as `nohup` hands it down.
#[must_use]
pub fn ignores(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// The descriptors that this process has open.
#[must_use]
pub fn descriptors() -> Vec<RawFd> {
    let entries = fs::read_dir("/proc/self/fd").into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// When a process began, in clock ticks since boot; none when the process does not exist, or only
/// what is left of it until its parent asks.
#[must_use]
pub fn start_time(pid: Pid) -> Option<u64> {
    read(pid.as_raw_nonzero().get()).filter(|stat| stat.alive).map(|stat| stat.start)
}

/// The living processes of a command: members of its process group, and all that carry its socket
/// in their environment, whatever group they went to. The caller itself never counts.
///
/// A process of another user hides its environment; it can only be found as a member of the group.
#[must_use]
pub fn command(group: Option<Pid>, socket: &Path) -> Vec<Pid> {
    all().filter(|&pid| belongs(pid, group, socket)).collect()
}

/// All processes that /proc shows.
pub fn all() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| Pid::from_raw(entry.ok()?.file_name().to_str()?.parse().ok()?))
}

/// The user that a process runs as; none when the process does not exist.
#[must_use]
pub fn owner(pid: Pid) -> Option<u32> {
    fs::metadata(format!("/proc/{}", pid.as_raw_nonzero())).ok().map(|metadata| metadata.uid())
}

/// The arguments that a process was started with, its name first.
#[must_use]
pub fn arguments(pid: Pid) -> Vec<String> {
    let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    line.split(|&byte| byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// Whether a process has this file open, by this name, with an exclusive flock on it. Only the system can
/// say so, so no content of a file can name a process that does not hold the lock.
///
/// What another user's process has open is hidden from all but root.
#[must_use]
pub fn holds_lock(pid: Pid, path: &Path, inode: u64) -> bool {
    let pid = pid.as_raw_nonzero();
    let name = path.file_name().unwrap_or_default().as_bytes();
    let inode = format!(":{inode}");
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    descriptors.flatten().any(|descriptor| {
        let Ok(target) = fs::read_link(descriptor.path()) else { return false };
        let target = target.as_os_str().as_bytes();
        let target = target.strip_suffix(b" (deleted)").unwrap_or(target);
        target.strip_suffix(name).is_some_and(|parent| parent.ends_with(b"/"))
            && descriptor.file_name().to_str().is_some_and(|number| {
                let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).unwrap_or_default();
                info.lines().any(|line| is_exclusive(line, &inode))
            })
    })
}

/// proc_pid_fdinfo(5): `lock: 1: FLOCK ADVISORY WRITE 21015 fe:00:10010664 0 EOF`.
fn is_exclusive(line: &str, inode: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    words.next() == Some("lock:")
        && words.nth(1) == Some("FLOCK")
        && words.nth(1) == Some("WRITE")
        && words.nth(1).is_some_and(|file| file.ends_with(inode))
}

/// Children of this process that have ended and were not waited for.
#[must_use]
pub fn ended_children() -> Vec<Pid> {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let is_ended =
        |pid: &Pid| read(pid.as_raw_nonzero().get()).is_some_and(|stat| !stat.alive && stat.parent == own);
    all().filter(is_ended).collect()
}

/// Whether a living process is one of the processes of [`command`].
#[must_use]
pub fn belongs(pid: Pid, group: Option<Pid>, socket: &Path) -> bool {
    let number = pid.as_raw_nonzero().get();
    if pid == rustix::process::getpid() {
        return false;
    }
    start_time(pid).is_some() && (group.is_some_and(|group| in_group(pid, group)) || carries(number, socket))
}

/// Whether a living process is a member of the group.
#[must_use]
pub fn in_group(pid: Pid, group: Pid) -> bool {
    read(pid.as_raw_nonzero().get())
        .is_some_and(|stat| stat.alive && stat.group == group.as_raw_nonzero().get())
}

fn carries(pid: i32, socket: &Path) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment
        .split(|&byte| byte == 0)
        .any(|entry| entry.strip_prefix(b"NOTIFY_SOCKET=") == Some(socket.as_os_str().as_bytes()))
}

#[derive(Debug, PartialEq)]
struct Stat {
    alive: bool,
    parent: i32,
    group: i32,
    start: u64,
}

fn read(pid: i32) -> Option<Stat> {
    parse(&String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/stat")).ok()?))
}

/// proc(5): `pid (comm) state ppid pgrp … starttime`; the name may hold spaces and parentheses.
fn parse(stat: &str) -> Option<Stat> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let alive = !matches!(fields.next()?, "Z" | "X" | "x");
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let start = fields.nth(16)?.parse().ok()?;
    Some(Stat { alive, parent, group, start })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_forge_the_fields_after_it() {
        let tail = "1 77 5 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 9 9";
        let stat = |alive| Some(Stat { alive, parent: 1, group: 77, start: 4242 });
        assert_eq!(parse(&format!("12 (sh) S {tail}")), stat(true));
        assert_eq!(parse(&format!("12 (a) Z 9 9 (b)) S {tail}")), stat(true));
        assert_eq!(parse(&format!("12 (sh) Z {tail}")), stat(false));
        assert_eq!(parse("12 (sh) S 1"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn a_lock_shows_who_holds_it() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("x.pid");
        let file = fs::File::create(&path).expect("made");
        let (own, inode) = (rustix::process::getpid(), file.metadata().expect("known").ino());
        assert!(!holds_lock(own, &path, inode), "open, not locked");
        assert!(crate::lock::try_exclusive(&file).expect("tried"));
        assert!(holds_lock(own, &path, inode));
        assert!(!holds_lock(own, &path, inode + 1) && !holds_lock(own, &dir.path().join("y.pid"), inode));
        fs::remove_file(&path).expect("ours");
        assert!(holds_lock(own, &path, inode), "a file that was removed is still locked");
        let line = |kind: &str| format!("lock:\t1: FLOCK  ADVISORY  {kind} 21015 fe:00:77 0 EOF");
        assert!(is_exclusive(&line("WRITE"), ":77"));
        assert!(!is_exclusive(&line("READ"), ":77") && !is_exclusive(&line("WRITE"), ":7"));
    }

    #[test]
    fn this_process_is_known_by_its_start_and_is_never_its_own_command() {
        let own = rustix::process::getpid();
        assert!(start_time(own).is_some_and(|start| start > 0));
        assert!(!belongs(own, Some(rustix::process::getpgrp()), Path::new("/nowhere")));
        // Rust's runtime sees to it.
        assert!(ignores(libc::SIGPIPE) && !ignores(libc::SIGTERM));
        assert!(boot_id().is_ok_and(|id| id.len() == 36));
    }
}
