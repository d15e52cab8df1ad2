//! All that is read from /proc: who a process is beyond its number, which is reused, and which
//! processes belong to a supervised command.

use std::{fs, io, os::fd::RawFd, path::Path};

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

/// When a process began, in clock ticks since boot; none when there is no such process, or only
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
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| Pid::from_raw(entry.ok()?.file_name().to_str()?.parse().ok()?))
        .filter(|&pid| belongs(pid, group, socket))
        .collect()
}

/// Whether a living process is one of those of [`command`].
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
    use std::os::unix::ffi::OsStrExt;
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment
        .split(|&byte| byte == 0)
        .any(|entry| entry.strip_prefix(b"NOTIFY_SOCKET=") == Some(socket.as_os_str().as_bytes()))
}

#[derive(Debug, PartialEq)]
struct Stat {
    alive: bool,
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
    let group = fields.nth(1)?.parse().ok()?;
    let start = fields.nth(16)?.parse().ok()?;
    Some(Stat { alive, group, start })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_forge_the_fields_after_it() {
        let tail = "1 77 5 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 9 9";
        let stat = |alive| Some(Stat { alive, group: 77, start: 4242 });
        assert_eq!(parse(&format!("12 (sh) S {tail}")), stat(true));
        assert_eq!(parse(&format!("12 (a) Z 9 9 (b)) S {tail}")), stat(true));
        assert_eq!(parse(&format!("12 (sh) Z {tail}")), stat(false));
        assert_eq!(parse("12 (sh) S 1"), None);
        assert_eq!(parse(""), None);
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
