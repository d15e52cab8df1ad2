//! `--on-failure`: a command of the operator's, run once when supervision has failed.

use std::{
    io::{Seek, SeekFrom, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use super::watchdog_log::WatchdogLog;
use crate::{
    error::{Error, Result},
    settings,
    signals::Signals,
};

/// A hook that needs longer is ended.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Runs the hook to its end. Reason and last lines come on its standard input, name and reason in
/// MODTOOLS_NAME and MODTOOLS_REASON; it gets no secrets. Its own failure is logged, no more.
pub fn run(
    hook: &str,
    name: &str,
    reason: &str,
    last: &[String],
    watchdog_log: &WatchdogLog,
    signals: &Signals,
) {
    let ended = start(hook, name, reason, last).map(|child| wait(child, signals));
    match ended {
        Ok(None) => watchdog_log.info("ran --on-failure"),
        Ok(Some(reason)) => watchdog_log.warn(&format!("--on-failure: {reason}")),
        Err(error) => watchdog_log.warn(&format!("--on-failure: {error}")),
    }
}

fn start(hook: &str, name: &str, reason: &str, last: &[String]) -> Result<Child> {
    let wrong = || Error::system("its standard input");
    // A file, not a pipe: a hook that reads nothing must not hold us up.
    let mut input = tempfile::tempfile().map_err(wrong())?;
    let text =
        format!("{name}: {reason}\n{}", last.iter().map(|line| format!("| {line}\n")).collect::<String>());
    input.write_all(text.as_bytes()).and_then(|()| input.seek(SeekFrom::Start(0))).map_err(wrong())?;
    let mut command = Command::new("sh");
    command.args(["-c", hook]).env("MODTOOLS_NAME", name).env("MODTOOLS_REASON", reason);
    // It does not belong to the supervised command.
    command.env_remove("NOTIFY_SOCKET").stdin(input).stdout(Stdio::null()).process_group(0);
    settings::without_secrets(&mut command).spawn().map_err(Error::system("sh"))
}

/// What went wrong with it, if anything.
fn wait(mut child: Child, signals: &Signals) -> Option<String> {
    let until = Instant::now() + TIMEOUT;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return (!status.success()).then(|| status.to_string()),
            Ok(None) if Instant::now() < until && !signals.stopping() => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Ok(None) => {
                let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
                let _ = child.wait();
                return Some("it took too long and was ended".to_owned());
            }
            Err(error) => return Some(error.to_string()),
        }
    }
}
