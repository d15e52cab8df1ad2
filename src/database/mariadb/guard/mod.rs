//! Between the client library and a server: a relay that speaks TLS where that is wanted, and bounds what the library
//! would believe. What the server says before TLS counts for nothing inside it. It announces no more columns than a
//! table can have, answers no more than was asked, and no answer goes on without end or for longer than a limit. What
//! breaks a rule ends the connection.
//!
//! The library finds the relay on loopback where the server is reached in clear, and on a Unix socket in a private
//! directory where the way is safe: so it never sends a password that others could read.

mod packets;
mod wire;

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::{UnixListener, UnixStream},
    },
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use ::mysql::OptsBuilder;
use rustix::event::{PollFd, PollFlags, poll};
use rustls::ClientConfig;
use tempfile::TempDir;

pub use packets::Session;
use wire::Wire;

use crate::{database::Host, sync::unpoisoned};

const CHUNK: usize = 256 * 1024;
/// A greeting, and the answer to it.
const FIRST: usize = 64 * 1024;
/// Of the capabilities that a greeting and its answer name.
const CLIENT_SSL: u8 = 0x08;

/// How large an answer may be, and how long it may come in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    pub bytes: u64,
    pub time: Duration,
}

/// While a session begins: a greeting, a login, a few settings.
const LOGIN: Budget = Budget { bytes: 1 << 20, time: Duration::from_secs(30) };

/// Why the relay ended a connection.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    pub reason: String,
    /// Another time it may go well.
    pub away: bool,
}

impl From<String> for Broken {
    fn from(reason: String) -> Self {
        Broken { reason, away: true }
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        let reason = match error.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => {
                format!("no answer within {} s", LOGIN.time.as_secs())
            }
            _ => error.to_string(),
        };
        // A certificate that is not accepted now will not be accepted later.
        Broken { reason, away: error.kind() != ErrorKind::InvalidData }
    }
}

/// A relay to a server.
pub(super) struct Guard {
    entrance: Entrance,
    shared: Arc<Shared>,
}

/// Where the client library finds the server.
enum Entrance {
    Port(u16),
    /// `s` in this directory.
    Socket(TempDir),
}

struct Shared(Mutex<Answer>);

/// The answer that is coming.
struct Answer {
    budget: Budget,
    begun: Instant,
    bytes: u64,
    broken: Option<Broken>,
    /// The login agreed on requests that hold the parameters of many rows.
    is_bulk: bool,
}

impl Shared {
    fn answer(&self) -> MutexGuard<'_, Answer> {
        unpoisoned(self.0.lock())
    }

    fn begin_answer(&self, is_bulk: bool) {
        let mut answer = self.answer();
        (answer.begun, answer.bytes, answer.is_bulk) = (Instant::now(), 0, is_bulk);
    }

    /// Counts bytes that came.
    fn count(&self, bytes: usize) -> Result<(), String> {
        let mut answer = self.answer();
        answer.bytes += bytes as u64;
        if answer.bytes > answer.budget.bytes {
            Err(format!("its answer goes on after {} bytes", answer.budget.bytes))
        } else if answer.begun.elapsed() > answer.budget.time {
            Err(format!("its answer goes on after {} s", answer.budget.time.as_secs()))
        } else {
            Ok(())
        }
    }
}

impl Guard {
    /// Connects to a host within `patience`, and waits for the client library; inside TLS with `tls`.
    pub fn connect(host: &Host, tls: Option<Arc<ClientConfig>>, patience: Duration) -> io::Result<Self> {
        let server = Wire::connect(host, patience)?;
        let (entrance, listener) = Entrance::open(tls.is_some() || host.is_socket())?;
        let answer = Answer { budget: LOGIN, begun: Instant::now(), bytes: 0, broken: None, is_bulk: false };
        let shared = Arc::new(Shared(Mutex::new(answer)));
        let (relayed, host) = (Arc::clone(&shared), host.clone());
        let run = move || {
            // Without a client there is nothing to relay.
            let Ok(client) = listener.accept() else { return };
            let relay = Relay { client, server, session: Session::new(), shared: relayed };
            relay.run(tls.map(|tls| (host, tls)));
        };
        thread::Builder::new().name("database relay".into()).spawn(run)?;
        Ok(Guard { entrance, shared })
    }

    /// Leads the client library to the relay.
    pub fn lead(&self, options: OptsBuilder) -> OptsBuilder {
        match &self.entrance {
            Entrance::Port(port) => options.ip_or_hostname(Some("127.0.0.1")).tcp_port(*port),
            Entrance::Socket(dir) => {
                options.socket(Some(dir.path().join("s").to_string_lossy().into_owned()))
            }
        }
    }

    /// The session has begun: from here on answers may be larger.
    pub fn allow(&self, budget: Budget) {
        self.shared.answer().budget = budget;
    }

    /// Whether the session takes the parameters of many rows in one request.
    pub fn is_bulk(&self) -> bool {
        self.shared.answer().is_bulk
    }

    /// Why the relay ended the connection, if it did.
    pub fn broken(&self) -> Option<Broken> {
        self.shared.answer().broken.clone()
    }
}

impl Entrance {
    fn open(is_safe: bool) -> io::Result<(Self, Listener)> {
        if is_safe {
            let dir = tempfile::Builder::new().prefix("modtools-").tempdir()?;
            let listener = UnixListener::bind(dir.path().join("s"))?;
            return Ok((Entrance::Socket(dir), Listener::Unix(listener)));
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        Ok((Entrance::Port(listener.local_addr()?.port()), Listener::Tcp(listener)))
    }
}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

enum Client {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Listener {
    fn accept(&self) -> io::Result<Client> {
        match self {
            Listener::Tcp(listener) => {
                let client = listener.accept()?.0;
                client.set_nodelay(true)?;
                Ok(Client::Tcp(client))
            }
            Listener::Unix(listener) => Ok(Client::Unix(listener.accept()?.0)),
        }
    }
}

impl Client {
    /// The first packet, with its header.
    fn packet(&mut self) -> io::Result<Vec<u8>> {
        let mut header = [0; 4];
        self.read_exact(&mut header)?;
        let mut packet = header.to_vec();
        packet.resize(4 + packets::length(header), 0);
        self.read_exact(&mut packet[4..])?;
        Ok(packet)
    }

    fn read_exact(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        match self {
            Client::Tcp(stream) => stream.read_exact(bytes),
            Client::Unix(stream) => stream.read_exact(bytes),
        }
    }

    fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        match self {
            Client::Tcp(stream) => stream.read(chunk),
            Client::Unix(stream) => stream.read(chunk),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Client::Tcp(stream) => stream.write_all(bytes),
            Client::Unix(stream) => stream.write_all(bytes),
        }
    }

    fn close(&self) {
        // It may be gone already.
        let _ = match self {
            Client::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Client::Unix(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Client::Tcp(stream) => stream.as_fd(),
            Client::Unix(stream) => stream.as_fd(),
        }
    }
}

struct Relay {
    client: Client,
    server: Wire,
    session: Session,
    shared: Arc<Shared>,
}

impl Relay {
    fn run(mut self, tls: Option<(Host, Arc<ClientConfig>)>) {
        let begun = tls.map_or(Ok(()), |(host, tls)| self.secure(&host, tls));
        if let Err(broken) = begun.and_then(|()| self.pass()) {
            log::info!("database relay: {}", broken.reason);
            self.shared.answer().broken = Some(broken);
        }
        // Only now does the client learn of it: the reason is there.
        self.client.close();
        self.server.close();
    }

    /// Begins TLS: the greeting is the last that is believed of what came in clear, and the client's answer to it is
    /// asked of it as if there were no TLS.
    fn secure(&mut self, host: &Host, tls: Arc<ClientConfig>) -> Result<(), Broken> {
        let end = Instant::now() + LOGIN.time;
        let greeting = self.server.packet(FIRST, end)?;
        self.client.send(&greeting)?;
        // A fault: too many connections, a host that may not connect.
        if greeting.get(4) == Some(&0xff) {
            return Ok(());
        }
        if !offers_tls(&greeting) {
            return Err(Broken { reason: "the server does not offer TLS".into(), away: false });
        }
        let mut answer = self.client.packet()?;
        if answer.len() < 36 {
            return Err(String::from("the client library is not understood").into());
        }
        // Of its 32 bytes the request for TLS is made; both are known to the server by their numbers.
        answer[5] |= CLIENT_SSL;
        let request = [&[32, 0, 0, answer[3]], &answer[4..36]].concat();
        if self.server.has_more() {
            return Err(String::from("it sends something in clear behind its greeting").into());
        }
        self.server.send(&request)?;
        self.server.secure(host, tls, end)?;
        answer[3] = answer[3].wrapping_add(1);
        self.server.send(&answer)?;
        self.session = Session::within_tls(&answer[4..]);
        Ok(())
    }

    /// Passes on what comes from either side until one of them ends.
    fn pass(&mut self) -> Result<(), Broken> {
        let mut request = vec![0; CHUNK];
        let mut chunk = Vec::new();
        loop {
            let mut fds = [
                PollFd::new(&self.client, PollFlags::IN),
                PollFd::from_borrowed_fd(self.server.as_fd(), PollFlags::IN),
            ];
            match poll(&mut fds, None) {
                Err(rustix::io::Errno::INTR) => continue,
                other => other.map_err(io::Error::from)?,
            };
            let [client, server] = fds.map(|fd| !fd.revents().is_empty());
            if server {
                let (bytes, goes_on) = self.server.receive(&mut chunk).unwrap_or_default();
                let answer = &mut chunk[..bytes];
                self.shared.count(bytes)?;
                self.session.answer(answer)?;
                let is_taken = self.client.send(answer).is_ok();
                if !goes_on || !is_taken {
                    return Ok(());
                }
            }
            if client {
                let read = self.client.read(&mut request).unwrap_or(0);
                if self.session.request(&mut request[..read])? {
                    self.shared.begin_answer(self.session.is_bulk());
                }
                let is_sent = self.server.send(&request[..read]).is_ok();
                if read == 0 || !is_sent || self.session.is_over() {
                    return Ok(());
                }
            }
        }
    }
}

/// Whether a greeting, with its header, offers TLS.
fn offers_tls(greeting: &[u8]) -> bool {
    let version = greeting.get(5..).and_then(|rest| rest.iter().position(|&byte| byte == 0));
    // Behind the version: the connection's number, 8 bytes of a challenge, a zero, the capabilities.
    version
        .and_then(|end| greeting.get(5 + end + 1 + 4 + 8 + 1 + 1))
        .is_some_and(|high| high & CLIENT_SSL != 0)
}
