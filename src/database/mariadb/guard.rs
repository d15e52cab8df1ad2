//! Between the client library and a server that nothing vouches for (TCP without TLS): a relay on loopback that bounds
//! what the library would believe. It announces no more columns than a table can have, and no answer goes on without
//! end or for longer than a limit. What breaks a rule ends the connection.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream, ToSocketAddrs},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::net::sockopt;

/// Columns that a table can have on MySQL and MariaDB.
const COLUMNS: u64 = 4096;
const CHUNK: usize = 256 * 1024;
const COM_QUERY: u8 = 0x03;
const COM_STMT_EXECUTE: u8 = 0x17;
const KEEPALIVE: Duration = Duration::from_secs(60);

/// How large an answer may be, and how long it may come in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    pub bytes: u64,
    pub time: Duration,
}

/// While a session begins: a greeting, a login, a few settings.
const LOGIN: Budget = Budget { bytes: 1 << 20, time: Duration::from_secs(30) };

/// A relay to a server.
pub(super) struct Guard {
    /// Where the client library finds the server, on 127.0.0.1.
    pub port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    /// A command was sent whose answer may have columns, and nothing of the answer has been seen.
    asked: AtomicBool,
    answer: Mutex<Answer>,
}

/// The answer that is coming.
struct Answer {
    budget: Budget,
    begun: Instant,
    bytes: u64,
    broken: Option<String>,
}

impl Shared {
    fn answer(&self) -> MutexGuard<'_, Answer> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin_answer(&self) {
        let mut answer = self.answer();
        (answer.begun, answer.bytes) = (Instant::now(), 0);
    }

    /// Counts bytes that came; false when they are too many or too late.
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
    /// Connects to the first address of a host that answers within `patience`.
    ///
    /// # Errors
    /// Those of the network, of the last address.
    pub fn connect(host: &str, port: u16, patience: Duration) -> io::Result<Self> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in (host, port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, patience) {
                Ok(server) => return Self::before(server),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn before(server: TcpStream) -> io::Result<Self> {
        server.set_nodelay(true)?;
        sockopt::set_socket_keepalive(&server, true)?;
        sockopt::set_tcp_keepidle(&server, KEEPALIVE)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let answer = Answer { budget: LOGIN, begun: Instant::now(), bytes: 0, broken: None };
        let shared = Arc::new(Shared { asked: AtomicBool::new(false), answer: Mutex::new(answer) });
        let relayed = Arc::clone(&shared);
        thread::Builder::new()
            .name("database relay".into())
            .spawn(move || relay(&listener, server, relayed))?;
        Ok(Guard { port, shared })
    }

    /// The session has begun: from here on answers may be larger.
    pub fn allow(&self, budget: Budget) {
        self.shared.answer().budget = budget;
    }

    /// Which rule the server broke, if it did.
    pub fn broken(&self) -> Option<String> {
        self.shared.answer().broken.clone()
    }
}

fn relay(listener: &TcpListener, server: TcpStream, shared: Arc<Shared>) {
    // Without a client there is nothing to relay.
    let Ok((client, _)) = listener.accept() else { return };
    let up = || -> io::Result<()> {
        client.set_nodelay(true)?;
        let (mut from, mut to, shared) = (client.try_clone()?, server.try_clone()?, Arc::clone(&shared));
        thread::Builder::new().name("database relay".into()).spawn(move || {
            let ended = requests(&mut from, &mut to, &shared);
            log::trace!("database relay, to the server: {ended:?}");
            // Either side may be gone already.
            let _ = to.shutdown(Shutdown::Both);
        })?;
        Ok(())
    };
    let outcome = up().map_err(|e| e.to_string()).and_then(|()| answers(&mut &server, &mut &client, &shared));
    if let Err(reason) = outcome {
        log::info!("database relay: {reason}");
        shared.answer().broken = Some(reason);
    }
    for stream in [&server, &client] {
        // Either side may be gone already.
        let _ = stream.shutdown(Shutdown::Both);
    }
}

/// From the client to the server, packet by packet, so that the begin of each command is seen.
fn requests(from: &mut impl Read, to: &mut impl Write, shared: &Shared) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    // Bytes of the present packet that have not come yet; a header that is not whole yet.
    let (mut left, mut header) = (0, Vec::with_capacity(5));
    loop {
        let read = from.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        let mut rest = &chunk[..read];
        while !rest.is_empty() {
            if left > 0 {
                let now = left.min(rest.len());
                (rest, left) = (&rest[now..], left - now);
                continue;
            }
            header.push(rest[0]);
            rest = &rest[1..];
            let whole = header.len() >= 5 || (header.len() == 4 && header[..3] == [0; 3]);
            if whole {
                let length =
                    usize::from(header[0]) | usize::from(header[1]) << 8 | usize::from(header[2]) << 16;
                left = length.saturating_sub(1);
                if header[3] == 0 {
                    shared.begin_answer();
                    let has_columns = matches!(header.get(4), Some(&(COM_QUERY | COM_STMT_EXECUTE)));
                    shared.asked.store(has_columns, Ordering::Release);
                }
                header.clear();
            }
        }
        to.write_all(&chunk[..read])?;
    }
}

/// From the server to the client. An answer begins with a packet of its own, because no command is sent before the
/// answer to the last one has come.
fn answers(from: &mut impl Read, to: &mut impl Write, shared: &Shared) -> Result<(), String> {
    let words = |error: io::Error| error.to_string();
    let mut chunk = vec![0; CHUNK];
    loop {
        let mut read = match from.read(&mut chunk) {
            Ok(0) | Err(_) => return Ok(()),
            Ok(read) => read,
        };
        shared.count(read)?;
        if shared.asked.swap(false, Ordering::AcqRel) {
            // A header, and the longest number of columns.
            while read < head_bytes(&chunk[..read]) {
                match from.read(&mut chunk[read..]).map_err(words)? {
                    0 => return Ok(()),
                    more => read += more,
                }
            }
            if let Some(columns) = columns(&chunk[..read]).filter(|&columns| columns > COLUMNS) {
                return Err(format!("its answer announces {columns} columns"));
            }
        }
        to.write_all(&chunk[..read]).map_err(words)?;
    }
}

/// Bytes of an answer that must be there to know how many columns it has.
fn head_bytes(packet: &[u8]) -> usize {
    match packet {
        [a, b, c, ..] => 4 + (usize::from(*a) | usize::from(*b) << 8 | usize::from(*c) << 16).min(9),
        _ => 4,
    }
}

/// How many columns an answer announces; none: it has no rows.
fn columns(packet: &[u8]) -> Option<u64> {
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte));
    match packet.get(4..)? {
        [0xfc, rest @ ..] => Some(number(rest.get(..2)?)),
        [0xfd, rest @ ..] => Some(number(rest.get(..3)?)),
        [0xfe, rest @ ..] => Some(rest.get(..8).map_or(u64::MAX, number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_as_the_protocol_writes_them() {
        let packet = |payload: &[u8]| [&[payload.len() as u8, 0, 0, 1], payload].concat();
        for (payload, expected) in [
            (&[4][..], None),
            (&[0, 0, 0, 2, 0, 0, 0], None),
            (&[0xff, 1, 2], None),
            (&[0xfc, 0, 16], Some(4096)),
            (&[0xfd, 1, 0, 1], Some(65_537)),
            (&[0xfe, 0, 0, 0, 0, 2, 0, 0, 0], Some(1 << 33)),
        ] {
            assert_eq!(columns(&packet(payload)), expected, "{payload:?}");
            assert!(head_bytes(&packet(payload)) <= packet(payload).len());
        }
    }

    #[test]
    fn commands_are_seen_however_they_are_cut() {
        let sent = [3, 0, 0, 0, COM_QUERY, b'x', b'y'];
        for size in 1..=sent.len() {
            let answer = Answer { budget: LOGIN, begun: Instant::now(), bytes: 9, broken: None };
            let shared = Shared { asked: AtomicBool::new(false), answer: Mutex::new(answer) };
            let (mut parts, mut out) = (sent.chunks(size).map(<[u8]>::to_vec), Vec::new());
            let mut from = Parts { now: Vec::new(), next: &mut parts };
            requests(&mut from, &mut out, &shared).expect("relayed");
            assert!(shared.asked.load(Ordering::Relaxed), "{size}");
            assert_eq!((&out[..], shared.answer().bytes), (&sent[..], 0));
        }
    }

    /// Gives the parts one by one.
    struct Parts<'a> {
        now: Vec<u8>,
        next: &'a mut dyn Iterator<Item = Vec<u8>>,
    }

    impl Read for Parts<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.now.is_empty() {
                self.now = self.next.next().unwrap_or_default();
            }
            let size = self.now.len().min(buffer.len());
            buffer[..size].copy_from_slice(&self.now[..size]);
            self.now.drain(..size);
            Ok(size)
        }
    }
}
