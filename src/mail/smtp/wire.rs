//! The connection: bytes over TCP or TLS, answers out of them. Every read and write ends at a moment on the
//! clock, however the peer drips; and what the peer said before it was asked is never taken for an answer.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{ClientConfig, ClientConnection, StreamOwned, pki_types::ServerName};

use super::reply::{self, LONGEST_LINE, MOST_LINES, Reply};

/// A mail is written in parts of this size, each within one time-out.
const PART: usize = 16 << 10;

/// A socket whose reads and writes end at a moment on the clock.
struct Timed {
    socket: TcpStream,
    until: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Option<Duration>> {
        match self.until.checked_duration_since(Instant::now()) {
            Some(left) if !left.is_zero() => Ok(Some(left)),
            _ => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(self.left()?)?;
        self.socket.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

enum Stream {
    Plain(Timed),
    Encrypted(Box<StreamOwned<ClientConnection, Timed>>),
}

impl Stream {
    fn timed(&mut self) -> &mut Timed {
        match self {
            Stream::Plain(timed) => timed,
            Stream::Encrypted(stream) => &mut stream.sock,
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(timed) => timed.read(buffer),
            Stream::Encrypted(stream) => stream.read(buffer),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Stream::Plain(timed) => timed.write_all(bytes),
            Stream::Encrypted(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }
}

/// Why no answer could be read.
#[derive(Debug)]
pub(super) enum Unread {
    /// The connection failed, was closed, or the time is up.
    Io(io::Error),
    /// Something came, but it is not an answer.
    Garbled(String),
}

/// A connection to a server.
pub(super) struct Wire {
    stream: Stream,
    /// What came and was not used yet.
    buffer: Vec<u8>,
    /// Whether the last answer was cut off, so that what follows cannot be trusted.
    spent: bool,
}

impl Wire {
    /// Connects to the first of `addresses` that answers.
    pub fn connect(addresses: &[SocketAddr], timeout: Duration) -> io::Result<Self> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in addresses {
            match TcpStream::connect_timeout(address, timeout) {
                Ok(socket) => {
                    // Without it each small command would wait for the acknowledgement of the one before.
                    socket.set_nodelay(true)?;
                    let stream = Stream::Plain(Timed { socket, until: Instant::now() + timeout });
                    return Ok(Wire { stream, buffer: Vec::new(), spent: false });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// The address of our end.
    pub fn local_address(&mut self) -> io::Result<SocketAddr> {
        self.stream.timed().socket.local_addr()
    }

    pub fn is_encrypted(&self) -> bool {
        matches!(self.stream, Stream::Encrypted(_))
    }

    /// Whether bytes are left that belong to no answer.
    pub fn has_rest(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Begins TLS. Nothing that was said before it may be left: [`Wire::has_rest`].
    pub fn encrypt(mut self, config: Arc<ClientConfig>, host: &str, timeout: Duration) -> io::Result<Self> {
        let bad_name = |_| io::Error::new(io::ErrorKind::InvalidInput, "a certificate cannot hold this name");
        let name = ServerName::try_from(host.to_owned()).map_err(bad_name)?;
        let connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
        self.stream = match self.stream {
            Stream::Plain(timed) => Stream::Encrypted(Box::new(StreamOwned::new(connection, timed))),
            encrypted @ Stream::Encrypted(_) => encrypted,
        };
        self.stream.timed().until = Instant::now() + timeout;
        if let Stream::Encrypted(stream) = &mut self.stream {
            while stream.conn.is_handshaking() {
                stream.conn.complete_io(&mut stream.sock)?;
            }
        }
        Ok(self)
    }

    /// What the server said without being asked, if anything: an answer to come would not be the one to our
    /// next command. Blank lines are nothing.
    pub fn unasked(&mut self) -> Option<String> {
        let socket = &self.stream.timed().socket;
        if self.buffer.len() < LONGEST_LINE && socket.set_nonblocking(true).is_ok() {
            self.stream.timed().until = Instant::now() + Duration::from_secs(1);
            let mut bytes = [0; 1024];
            // Nothing to read, and a connection that is closed, are found out by the next command.
            let count = self.stream.read(&mut bytes).unwrap_or(0);
            self.buffer.extend_from_slice(&bytes[..count]);
            // A socket that cannot go back to blocking answers the next read with an error.
            let _ = self.stream.timed().socket.set_nonblocking(false);
        }
        if self.spent {
            return Some("an answer without end".to_owned());
        }
        let begin = self.buffer.iter().position(|b| !matches!(b, b'\r' | b'\n'))?;
        let said: Vec<u8> =
            self.buffer[begin..].iter().copied().take(80).take_while(|&b| b != b'\n').collect();
        Some(format!("{:?} without being asked", String::from_utf8_lossy(&said).trim_end()))
    }

    /// Writes bytes: each part within `timeout`, all of them before `end`.
    pub fn write(&mut self, bytes: &[u8], timeout: Duration, end: Instant) -> io::Result<()> {
        for part in bytes.chunks(PART) {
            self.stream.timed().until = end.min(Instant::now() + timeout);
            self.stream.write_all(part)?;
        }
        Ok(())
    }

    /// Reads one answer, whole, before `until`.
    pub fn reply(&mut self, until: Instant) -> Result<Reply, Unread> {
        self.stream.timed().until = until;
        let mut reply: Option<Reply> = None;
        for _ in 0..2 * MOST_LINES {
            let line = self.next_line().map_err(Unread::Io)?;
            if line.is_empty() {
                continue;
            }
            let Some(line) = reply::line(&line) else {
                let shown: String = String::from_utf8_lossy(&line).chars().take(80).collect();
                return Err(Unread::Garbled(format!("{shown:?} is not an SMTP answer")));
            };
            let so_far = reply.get_or_insert_with(|| Reply { code: line.code, lines: Vec::new() });
            if so_far.code != line.code {
                let codes = format!("one answer with two codes, {} and {}", so_far.code, line.code);
                return Err(Unread::Garbled(codes));
            }
            if so_far.lines.len() >= MOST_LINES {
                break;
            }
            so_far.lines.push(line.text);
            if !line.continues {
                return reply.ok_or_else(|| Unread::Garbled("an empty answer".to_owned()));
            }
        }
        self.spent = true;
        Err(Unread::Garbled(format!("an answer of more than {MOST_LINES} lines")))
    }

    /// The next line without its end. A line that the end of the connection, of our patience or of what a line
    /// may hold cuts off counts when its code is whole.
    fn next_line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|&b| b == b'\n') {
                let mut line: Vec<u8> = self.buffer.drain(..=end).collect();
                while line.last().is_some_and(|b| matches!(b, b'\r' | b'\n')) {
                    line.pop();
                }
                return Ok(line);
            }
            if self.buffer.len() >= LONGEST_LINE {
                return self.cut_off(io::Error::other(format!("a line of more than {LONGEST_LINE} bytes")));
            }
            let mut bytes = [0; 1024];
            match self.stream.read(&mut bytes) {
                Ok(0) => return self.cut_off(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.buffer.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return self.cut_off(error),
            }
        }
    }

    /// What is left of a line, if its code is whole and nothing more can follow.
    fn cut_off(&mut self, error: io::Error) -> io::Result<Vec<u8>> {
        self.spent = true;
        let is_closed = error.kind() == io::ErrorKind::UnexpectedEof;
        let is_last = self.buffer.get(3).map_or(is_closed, |&b| b == b' ');
        if is_last && reply::line(&self.buffer).is_some() {
            return Ok(std::mem::take(&mut self.buffer));
        }
        Err(error)
    }
}
