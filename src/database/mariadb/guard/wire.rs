//! The connection to the server: TCP, TLS over it, or a Unix socket.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, TcpStream, ToSocketAddrs},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::net::sockopt;
use rustls::{ClientConfig, ClientConnection, pki_types::ServerName};

use crate::database::Host;

const KEEPALIVE: Duration = Duration::from_secs(60);
/// A server that takes nothing for longer than this is gone.
const WRITE: Duration = Duration::from_secs(300);
const CHUNK: usize = 256 * 1024;

pub(super) enum Wire {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<ClientConnection>, TcpStream),
}

impl Wire {
    /// Connects to a Unix socket, or to the first address of a host that answers within `patience`.
    ///
    /// # Errors
    /// A fault of the network, that of the last address.
    pub fn connect(host: &Host, patience: Duration) -> io::Result<Self> {
        if host.is_socket() {
            let stream = UnixStream::connect(&host.name)?;
            stream.set_write_timeout(Some(WRITE))?;
            return Ok(Wire::Unix(stream));
        }
        let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
        for address in (host.name.as_str(), host.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, patience) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    stream.set_write_timeout(Some(WRITE))?;
                    sockopt::set_socket_keepalive(&stream, true)?;
                    sockopt::set_tcp_keepidle(&stream, KEEPALIVE)?;
                    return Ok(Wire::Tcp(stream));
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Puts what one call to the system brings, perhaps nothing, at the beginning of a chunk, which grows as it must.
    /// How many bytes came, and false at the end.
    pub fn receive(&mut self, chunk: &mut Vec<u8>) -> io::Result<(usize, bool)> {
        let read =
            |stream: &mut dyn Read, chunk: &mut [u8]| stream.read(chunk).map(|bytes| (bytes, bytes > 0));
        match self {
            Wire::Tcp(stream) => read(stream, grown(chunk, CHUNK)),
            Wire::Unix(stream) => read(stream, grown(chunk, CHUNK)),
            Wire::Tls(session, stream) => {
                let there = session.read_tls(stream)? > 0;
                let state = session.process_new_packets().map_err(io::Error::other)?;
                let bytes = state.plaintext_bytes_to_read();
                session.reader().read_exact(&mut grown(chunk, bytes)[..bytes])?;
                Ok((bytes, there && !state.peer_has_closed()))
            }
        }
    }

    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Wire::Tcp(stream) => stream.write_all(bytes),
            Wire::Unix(stream) => stream.write_all(bytes),
            Wire::Tls(session, stream) => {
                session.writer().write_all(bytes)?;
                while session.wants_write() {
                    session.write_tls(stream)?;
                }
                Ok(())
            }
        }
    }

    /// A packet with its header, read before `end` and not a byte more.
    pub fn packet(&mut self, most: usize, end: Instant) -> io::Result<Vec<u8>> {
        let mut packet = vec![0; 4];
        self.read_exact(&mut packet, end)?;
        let length = super::packets::length([packet[0], packet[1], packet[2], packet[3]]);
        if length > most {
            return Err(io::Error::other(format!("it begins with a packet of {length} bytes")));
        }
        packet.resize(4 + length, 0);
        self.read_exact(&mut packet[4..], end)?;
        Ok(packet)
    }

    fn read_exact(&mut self, mut rest: &mut [u8], end: Instant) -> io::Result<()> {
        while !rest.is_empty() {
            let patience = Some(left(end)?);
            let read = match self {
                Wire::Tcp(stream) => {
                    stream.set_read_timeout(patience)?;
                    stream.read(rest)?
                }
                Wire::Unix(stream) => {
                    stream.set_read_timeout(patience)?;
                    stream.read(rest)?
                }
                Wire::Tls(..) => unreachable!("invariant: packets are read one by one only before TLS"),
            };
            if read == 0 {
                return Err(io::Error::new(ErrorKind::UnexpectedEof, "the server closed the connection"));
            }
            rest = &mut rest[read..];
        }
        Ok(())
    }

    /// Whether bytes are there that nobody has read.
    pub fn has_more(&self) -> bool {
        rustix::io::ioctl_fionread(self.as_fd()).is_ok_and(|bytes| bytes > 0)
    }

    /// Goes on inside TLS; nothing for a Unix socket. `end` is when the handshake must be over.
    ///
    /// # Errors
    /// A certificate that is not accepted has the kind `InvalidData`.
    pub fn secure(&mut self, host: &Host, config: Arc<ClientConfig>, end: Instant) -> io::Result<()> {
        let Wire::Tcp(stream) = self else { return Ok(()) };
        let mut stream = stream.try_clone()?;
        let name = ServerName::try_from(host.name.clone()).map_err(io::Error::other)?;
        let mut session = Box::new(ClientConnection::new(config, name).map_err(io::Error::other)?);
        session.set_buffer_limit(None);
        while session.is_handshaking() {
            while session.wants_write() {
                session.write_tls(&mut stream)?;
            }
            if !session.is_handshaking() {
                break;
            }
            stream.set_read_timeout(Some(left(end)?))?;
            if session.read_tls(&mut stream)? == 0 {
                return Err(io::Error::new(ErrorKind::UnexpectedEof, "the server ended the TLS handshake"));
            }
            if let Err(error) = session.process_new_packets() {
                // Tells the server why, if it still listens.
                let _ = session.write_tls(&mut stream);
                return Err(match error {
                    rustls::Error::InvalidCertificate(_) => io::Error::new(ErrorKind::InvalidData, error),
                    other => io::Error::other(format!("TLS: {other}")),
                });
            }
        }
        stream.set_read_timeout(None)?;
        *self = Wire::Tls(session, stream);
        Ok(())
    }

    pub fn close(&mut self) {
        // Either side may be gone already.
        let _ = match self {
            Wire::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Wire::Unix(stream) => stream.shutdown(Shutdown::Both),
            Wire::Tls(session, stream) => {
                session.send_close_notify();
                let _ = session.write_tls(stream);
                stream.shutdown(Shutdown::Both)
            }
        };
    }
}

/// A chunk of at least so many bytes.
fn grown(chunk: &mut Vec<u8>, bytes: usize) -> &mut [u8] {
    if chunk.len() < bytes {
        chunk.resize(bytes, 0);
    }
    chunk
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Wire::Tcp(stream) | Wire::Tls(_, stream) => stream.as_fd(),
            Wire::Unix(stream) => stream.as_fd(),
        }
    }
}

/// The time until `end`.
fn left(end: Instant) -> io::Result<Duration> {
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}
