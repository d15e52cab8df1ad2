//! What the user's OpenSSH configuration says of a host: asked of `ssh -G`, so that `Host` blocks,
//! `Match` and `Include` mean what they mean there.

use std::{
    io::Read,
    os::{fd::AsFd, unix::process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags},
    process::{Pid, Signal},
};

use super::dial::poll_for;
use crate::settings::without_secrets;

const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that a configuration may have.
const MOST: usize = 1 << 20;

/// Where a host name leads, and as whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alias {
    /// `HostName`.
    pub host: Option<String>,
    /// `Port`.
    pub port: Option<u16>,
    /// `User`.
    pub user: Option<String>,
    /// The first `IdentityFile` that exists.
    pub identity: Option<PathBuf>,
}

/// What `ssh -G` says; nothing when there is no `ssh`, it fails, or it takes longer than ten seconds, as a `Match exec`
/// or a name server may.
#[must_use]
pub fn alias(host: &str) -> Alias {
    let mut command = Command::new("ssh");
    command.args(["-G", "--", host]);
    match output(&mut command, PATIENCE) {
        Ok(Some(text)) => parse(&text),
        Ok(None) => Alias::default(),
        Err(TooLate) => {
            let seconds = PATIENCE.as_secs();
            log::warn!("{host}: no answer of ssh -G within {seconds} s; its configuration is not used");
            Alias::default()
        }
    }
}

struct TooLate;

/// What a command prints, at most [`MOST`] bytes; none when it fails.
fn output(command: &mut Command, patience: Duration) -> Result<Option<String>, TooLate> {
    let end = Instant::now() + patience;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    // A group of its own, so that what it started ends with it.
    let Ok(mut child) = without_secrets(command).process_group(0).spawn() else { return Ok(None) };
    let text = child.stdout.take().map_or(Ok(None), |mut stdout| read_until(&mut stdout, end));
    if let (Some(group), Err(TooLate) | Ok(None)) = (Pid::from_raw(child.id().cast_signed()), &text) {
        // It may have ended by itself.
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
    let is_well = child.wait().is_ok_and(|status| status.success());
    Ok(text?.filter(|_| is_well).map(|text| String::from_utf8_lossy(&text).into_owned()))
}

/// Everything up to the end; none when it cannot be read or is too much.
fn read_until(from: &mut (impl Read + AsFd), end: Instant) -> Result<Option<Vec<u8>>, TooLate> {
    let (mut text, mut chunk) = (Vec::new(), [0; 16 << 10]);
    while text.len() <= MOST {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(TooLate);
        }
        if poll_for(&mut [PollFd::new(from, PollFlags::IN)], left) {
            match from.read(&mut chunk) {
                Ok(0) => return Ok(Some(text)),
                Ok(read) => text.extend_from_slice(&chunk[..read]),
                Err(_) => return Ok(None),
            }
        }
    }
    Ok(None)
}

fn parse(text: &str) -> Alias {
    let mut alias = Alias::default();
    for (key, value) in text.lines().filter_map(|line| line.split_once(' ')) {
        match key {
            "hostname" => alias.host = Some(value.to_owned()),
            "port" => alias.port = value.parse().ok(),
            "user" => alias.user = Some(value.to_owned()),
            "identityfile" if alias.identity.is_none() => alias.identity = existing(value),
            _ => {}
        }
    }
    alias
}

fn existing(file: &str) -> Option<PathBuf> {
    let path = match file.strip_prefix("~/") {
        Some(rest) => Path::new(&std::env::var_os("HOME")?).join(rest),
        None => PathBuf::from(file),
    };
    path.is_file().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_does_not_end_or_says_too_much_is_given_up() {
        let run = |script: &str| {
            let began = Instant::now();
            let outcome = output(Command::new("sh").args(["-c", script]), Duration::from_millis(500));
            assert!(began.elapsed() < Duration::from_secs(20), "{script}");
            outcome.map_err(|TooLate| "too late")
        };
        assert_eq!(run("echo x"), Ok(Some("x\n".into())));
        assert_eq!(run("echo x; exit 1"), Ok(None));
        // What it started keeps the pipe open.
        assert_eq!(run("sleep 60 & echo x"), Err("too late"));
        assert_eq!(run("while :; do echo x; sleep 0.01; done"), Err("too late"));
        assert_eq!(run("head -c 2000000 /dev/zero; sleep 60"), Ok(None));
    }

    #[test]
    fn the_lines_of_ssh_g_are_read() {
        let alias = parse("host c1\nuser ops\nhostname 10.0.0.1\nport 2022\nidentityfile ~/.ssh/none-such\n");
        assert_eq!(
            alias,
            Alias {
                host: Some("10.0.0.1".into()),
                port: Some(2022),
                user: Some("ops".into()),
                identity: None
            }
        );
    }
}
