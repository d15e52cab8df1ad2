//! The supervised command as processes: started in a session of its own, signalled as a whole, and gone only when
//! the last of them is.

use std::{
    io::{self, PipeReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, pidfd_send_signal, waitid,
};

use super::machine::Ended;
use crate::procfs;

/// All processes of the command. Before the first start it stands for those that an earlier
/// supervisor left behind.
#[derive(Debug)]
pub struct Pipeline {
    socket: PathBuf,
    leader: Option<Leader>,
}

/// The process that was started, and whose number names the group.
#[derive(Debug)]
struct Leader {
    child: Child,
    pid: Pid,
    ended: bool,
}

impl Pipeline {
    /// Nothing is started yet. The processes of the command are known by this socket in their environment.
    #[must_use]
    pub fn new(socket: PathBuf) -> Self {
        Pipeline { socket, leader: None }
    }

    /// Starts the command; gives the reading end of its stderr. Its environment is ours, for it needs
    /// the settings and the secrets, with the socket and the time-out as systemd hands them down.
    ///
    /// # Errors
    /// What the system says: no such program, mostly.
    #[allow(unsafe_code)]
    pub fn start(&mut self, command: &[String], max_heartbeat_age: Duration) -> io::Result<PipeReader> {
        let (program, args) = command.split_first().ok_or_else(|| io::Error::other("there is no command"))?;
        let (reader, writer) = io::pipe()?;
        rustix::io::ioctl_fionbio(&reader, true)?;
        let mut prepared = Command::new(program);
        prepared
            .args(args)
            .env("NOTIFY_SOCKET", &self.socket)
            .env("WATCHDOG_USEC", max_heartbeat_age.as_micros().to_string())
            .env_remove("WATCHDOG_PID")
            .stdin(Stdio::null())
            .stdout(Stdio::inherit())
            .stderr(writer);
        // A session, and with it a group, of its own: without a terminal nothing in it can wait for a
        // password that nobody will type.
        // SAFETY: between fork and exec there is one system call, and no memory is touched.
        unsafe { prepared.pre_exec(|| Ok(rustix::process::setsid().map(drop)?)) };
        let child = prepared.spawn().map_err(|e| io::Error::new(e.kind(), format!("{program}: {e}")))?;
        let pid = Pid::from_child(&child);
        self.leader = Some(Leader { child, pid, ended: false });
        Ok(reader)
    }

    /// Number of the process that was started; none when there is none.
    #[must_use]
    pub fn pid(&self) -> Option<Pid> {
        self.leader.as_ref().map(|leader| leader.pid)
    }

    /// How the first process ended; returned once.
    pub fn ended(&mut self) -> Option<Ended> {
        let leader = self.leader.as_mut().filter(|leader| !leader.ended)?;
        // Only looked at: as long as it is not waited for, its number, and with it that of the
        // group, is nobody else's.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(leader.pid), options).ok().flatten()?;
        leader.ended = true;
        Some(match status.terminating_signal() {
            Some(signal) => Ended::Signal(signal),
            None => Ended::Exit(status.exit_status().unwrap_or_default()),
        })
    }

    /// Whether no process of the command lives; the number of the group is given back then.
    pub fn is_gone(&mut self) -> bool {
        if !self.processes().is_empty() {
            return false;
        }
        match self.leader.as_mut() {
            Some(leader) if leader.ended => {
                // It has ended, so this does not wait.
                let _ = leader.child.wait();
                self.leader = None;
                true
            }
            Some(_) => false,
            None => true,
        }
    }

    fn processes(&self) -> Vec<Pid> {
        procfs::command(self.pid(), &self.socket)
    }

    /// Asks all processes to end; those that were stopped are continued, or they would not hear it.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
        self.signal(Signal::CONT);
    }

    /// Ends all processes.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        let group = self.pid();
        if let Some(group) = group {
            // The leader is not waited for yet, so the group is ours; it may be empty but for it.
            let _ = kill_process_group(group, signal);
        }
        for pid in procfs::command(None, &self.socket) {
            if !group.is_some_and(|group| procfs::in_group(pid, group)) {
                signal_one(pid, &self.socket, signal);
            }
        }
    }
}

/// Signals a process that went to another group, unless the number is another's by now.
fn signal_one(pid: Pid, socket: &Path, signal: Signal) {
    // The descriptor pins the process: what is found to be the right one afterwards stays it.
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    if procfs::belongs(pid, None, socket) {
        // It may have ended meanwhile, which is what was wanted.
        let _ = pidfd_send_signal(&process, signal);
    }
}
