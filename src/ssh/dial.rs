//! The connection under a session: name resolution and TCP, or `ssh -W` through a jump host, each
//! within the budget, because the system's own time-outs are minutes.

use std::{
    io::{self, Read},
    net::{SocketAddr, ToSocketAddrs},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, Protocol, Socket, Type};

use super::{Budget, Failure, kexinit};
use crate::{record::Status, settings::without_secrets, sync::unpoisoned};

/// A connection to a device's SSH port.
#[derive(Debug)]
pub struct Stream {
    fd: OwnedFd,
    jump: Option<Jump>,
}

/// The `ssh -W` that carries a connection; it ends with it.
#[derive(Debug)]
struct Jump {
    host: String,
    child: Child,
    stderr: Arc<Mutex<String>>,
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Jump {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Connects to a host, directly or through a jump host.
///
/// # Errors
/// `resolve_failed`, `refused`, `unreachable`, `connect_timeout`, `cancelled`.
pub fn dial(host: &str, port: u16, jump: Option<&str>, budget: &Budget) -> Result<Stream, Failure> {
    if let Some(jump) = jump {
        return through(jump, host, port);
    }
    let addresses = resolve(host, port, budget)?;
    let mut last = Failure::new(Status::ResolveFailed, format!("{host} has no address"));
    for address in addresses {
        match connect(address, budget) {
            Ok(fd) => return Ok(Stream { fd, jump: None }),
            Err(failure) if failure.status == Status::Cancelled => return Err(failure),
            Err(failure) => last = failure,
        }
    }
    Err(last)
}

/// The system's resolver cannot be interrupted: it runs on a thread that is left behind when it takes too long.
pub(crate) fn resolve(host: &str, port: u16, budget: &Budget) -> Result<Vec<SocketAddr>, Failure> {
    if let Ok(address) = host.parse() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (answer, answered) = mpsc::channel();
    let name = host.to_owned();
    thread::Builder::new()
        .name("resolve".into())
        .stack_size(256 << 10)
        .spawn(move || {
            let found = (name.as_str(), port).to_socket_addrs().map(Vec::from_iter);
            // Nobody waits any more when it took too long.
            let _ = answer.send(found);
        })
        .map_err(|e| Failure::transient(Status::Internal, format!("no thread for name resolution: {e}")))?;
    loop {
        let patience = budget.wait().map_err(|over| match over.status {
            Status::Cancelled => over,
            _ => Failure::transient(Status::ResolveFailed, format!("no answer to the name {host}")),
        })?;
        match answered.recv_timeout(patience) {
            Ok(Ok(addresses)) => return Ok(addresses),
            Ok(Err(e)) => return Err(Failure::new(Status::ResolveFailed, format!("{host}: {e}"))),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::new(Status::Internal, "name resolution ended without an answer"));
            }
        }
    }
}

fn connect(address: SocketAddr, budget: &Budget) -> Result<OwnedFd, Failure> {
    let failed = |e: io::Error| refusal(&format!("{address}: {e}"), e.kind());
    let socket =
        Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP)).map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    socket.set_tcp_nodelay(true).map_err(failed)?;
    match socket.connect(&address.into()) {
        Ok(()) => return Ok(socket.into()),
        Err(e) if e.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {}
        Err(e) => return Err(failed(e)),
    }
    loop {
        if wait_for(socket.as_fd(), PollFlags::OUT, budget.wait()?) {
            return match socket.take_error() {
                Ok(None) => Ok(socket.into()),
                Ok(Some(e)) | Err(e) => Err(failed(e)),
            };
        }
    }
}

/// What a connection that did not come about means, by the system's kind of fault.
pub(crate) fn refusal(error: &str, kind: io::ErrorKind) -> Failure {
    let status = match kind {
        io::ErrorKind::ConnectionRefused => Status::Refused,
        io::ErrorKind::TimedOut => Status::ConnectTimeout,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Status::Disconnected,
        _ => Status::Unreachable,
    };
    Failure::transient(status, error)
}

/// Waits until the descriptor is ready, or for `patience`.
fn wait_for(fd: BorrowedFd<'_>, events: PollFlags, patience: Duration) -> bool {
    poll_for(&mut [PollFd::from_borrowed_fd(fd, events)], patience)
}

/// The same for several descriptors.
pub(super) fn poll_for(fds: &mut [PollFd<'_>], patience: Duration) -> bool {
    let patience =
        Timespec { tv_sec: patience.as_secs().cast_signed(), tv_nsec: i64::from(patience.subsec_nanos()) };
    // A signal that interrupts the wait is seen by the caller, like a time-out.
    poll(fds, Some(&patience)).is_ok_and(|ready| ready > 0)
}

/// `ssh -W` on a socket pair: the user's own OpenSSH configuration decides how the jump host is reached.
fn through(jump: &str, host: &str, port: u16) -> Result<Stream, Failure> {
    let start = || -> io::Result<Stream> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let mut command = Command::new("ssh");
        command.arg("-W").arg(format!("{}:{port}", bracketed(host))).arg("--").arg(jump);
        command.stdin(Stdio::from(OwnedFd::from(theirs.try_clone()?)));
        command.stdout(Stdio::from(OwnedFd::from(theirs))).stderr(Stdio::piped());
        let mut child = without_secrets(&mut command).spawn()?;
        let collected = Arc::new(Mutex::new(String::new()));
        if let Some(stderr) = child.stderr.take() {
            collect(stderr, &collected)?;
        }
        let jump = Jump { host: jump.to_owned(), child, stderr: collected };
        Ok(Stream { fd: ours.into(), jump: Some(jump) })
    };
    start()
        .map_err(|e| Failure::new(Status::Internal, format!("cannot start ssh -W for jump host {jump}: {e}")))
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

fn collect(mut stderr: impl Read + Send + 'static, collected: &Arc<Mutex<String>>) -> io::Result<()> {
    let collected = Arc::clone(collected);
    let mut chunk = [0; 1024];
    thread::Builder::new().name("jump".into()).stack_size(128 << 10).spawn(move || {
        while let Ok(length @ 1..) = stderr.read(&mut chunk) {
            let mut text = unpoisoned(collected.lock());
            if text.len() < 4096 {
                text.push_str(&String::from_utf8_lossy(&chunk[..length]));
            }
        }
    })?;
    Ok(())
}

/// What the jump host's ssh printed, for a connection that broke.
#[derive(Clone, Debug)]
pub(super) struct JumpMessages {
    host: String,
    stderr: Arc<Mutex<String>>,
}

impl Stream {
    pub(super) fn jump_messages(&self) -> Option<JumpMessages> {
        let jump = self.jump.as_ref()?;
        Some(JumpMessages { host: jump.host.clone(), stderr: Arc::clone(&jump.stderr) })
    }
}

impl JumpMessages {
    /// The failure with the last line of the jump host's ssh, when it printed any.
    pub(super) fn explain(&self, failure: Failure) -> Failure {
        // The line may still be on its way when the pair is already closed.
        thread::sleep(Duration::from_millis(50));
        let printed = unpoisoned(self.stderr.lock());
        let Some(line) = printed.lines().map(str::trim).rfind(|line| !line.is_empty()) else {
            return failure;
        };
        let all = printed.to_ascii_lowercase();
        let status = [
            ("connection refused", Status::Refused),
            ("could not resolve", Status::ResolveFailed),
            ("name or service not known", Status::ResolveFailed),
            ("no route to host", Status::Unreachable),
            ("network is unreachable", Status::Unreachable),
            ("timed out", Status::ConnectTimeout),
            ("host key verification failed", Status::HostKeyUnknown),
            ("permission denied", Status::AuthFailed),
        ];
        let status =
            status.iter().find(|(text, _)| all.contains(text)).map_or(failure.status, |found| found.1);
        Failure { status, error: format!("jump host {}: {line}", self.host), ..failure }
    }
}

/// Connects once more only to read what the server offers, for an operator who has to know why the key
/// exchange failed. None when it offers something in common or sends nothing.
pub fn explain_key_exchange(
    host: &str,
    port: u16,
    jump: Option<&str>,
    with_legacy: bool,
    budget: &Budget,
) -> Option<Failure> {
    let stream = dial(host, port, jump, budget).ok()?;
    rustix::io::write(&stream, b"SSH-2.0-modtools\r\n").ok()?;
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        match kexinit::opening(&bytes) {
            kexinit::Opening::Offer(offered) => {
                let error = kexinit::explain(&offered, with_legacy)?;
                return Some(Failure { no_common_algorithm: true, ..Failure::new(Status::KexFailed, error) });
            }
            kexinit::Opening::Not(why) => {
                return Some(Failure::new(Status::KexFailed, format!("not an SSH server: {why}")));
            }
            kexinit::Opening::More => {}
        }
        if wait_for(stream.as_fd(), PollFlags::IN, budget.wait().ok()?) {
            match rustix::io::read(&stream, &mut chunk) {
                Ok(0) => return None,
                Ok(length) => bytes.extend_from_slice(&chunk[..length]),
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                Err(_) => return None,
            }
        }
    }
}
