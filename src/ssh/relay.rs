//! The wire between a peer and libssh2. libssh2 never sees the connection itself: it has one end of a socket
//! pair, and gets no more than one chunk at a time, so that each call into it ends, whatever the peer sends.
//! Between two calls the budget is looked at, and what came without being waited for is counted.

use std::{
    cell::RefCell,
    io,
    net::Shutdown,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags},
    io::Errno,
};

use super::{
    Failure,
    dial::{Stream, poll_for},
    kexinit::{self, Preamble},
};
use crate::record::Status;

/// Bytes that libssh2 gets at once: it goes through all of its queue for each packet among them.
const CHUNK: usize = 32 << 10;
/// A peer may send so much that nothing waits for: notices, keep-alives, key exchanges, overhead of small packets.
const MOST_UNASKED: u64 = 8 << 20;

/// Both ends of the wire.
pub(super) struct Relay {
    peer: Stream,
    /// Our end of the socket pair.
    pair: UnixStream,
    /// libssh2's end, to see whether it has read everything.
    library: OwnedFd,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    to_library: Queue,
    to_peer: Queue,
    /// What came before the version line, until that is there.
    preamble: Option<Vec<u8>>,
    peer_ended: bool,
    library_ended: bool,
    /// Bytes of the peer that brought no step to its end.
    unasked: u64,
}

/// Bytes on their way.
#[derive(Default)]
struct Queue {
    bytes: Vec<u8>,
    sent: usize,
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    fn set(&mut self, bytes: Vec<u8>) {
        *self = Queue { bytes, sent: 0 };
    }

    /// Sends what can be sent now; whether anything was.
    fn send(&mut self, to: impl AsFd) -> rustix::io::Result<bool> {
        let mut moved = false;
        while !self.is_empty() {
            match rustix::net::send(&to, &self.bytes[self.sent..], rustix::net::SendFlags::NOSIGNAL) {
                Ok(length) => {
                    self.sent += length;
                    moved = true;
                }
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(moved)
    }
}

impl Relay {
    /// A relay to a peer, and the end of it that libssh2 takes.
    pub fn new(peer: Stream) -> io::Result<(Self, UnixStream)> {
        let (pair, library) = UnixStream::pair()?;
        pair.set_nonblocking(true)?;
        let state = State { preamble: Some(Vec::new()), ..State::default() };
        let relay = Relay { peer, pair, library: library.as_fd().try_clone_to_owned()?, state: state.into() };
        Ok((relay, library))
    }

    /// Moves bytes in both directions. When there are none it waits for some, at most for `patience`; `wanted`
    /// is what libssh2 waits for.
    ///
    /// # Errors
    /// `kex_failed` for a peer that does not begin as SSH does; `output_too_large` for one that talks on
    /// without being asked.
    pub fn turn(&self, wanted: PollFlags, patience: Duration) -> Result<(), Failure> {
        let mut state = self.state.borrow_mut();
        if state.shuttle(self)? {
            return Ok(());
        }
        let interest = |when: [(PollFlags, bool); 2]| {
            when.into_iter()
                .filter(|&(_, wanted)| wanted)
                .fold(PollFlags::empty(), |all, (flag, _)| all | flag)
        };
        let accepts = state.to_library.is_empty() && !state.peer_ended && is_drained(self);
        let of_peer = interest([(PollFlags::IN, accepts), (PollFlags::OUT, !state.to_peer.is_empty())]);
        let drained = state.to_peer.is_empty() && !state.library_ended;
        let of_pair = interest([(PollFlags::IN, drained), (PollFlags::OUT, !state.to_library.is_empty())]);
        let all =
            [(self.peer.as_fd(), of_peer), (self.pair.as_fd(), of_pair), (self.library.as_fd(), wanted)];
        // A descriptor of which nothing is wanted would still report that it was hung up, again and again.
        let mut fds: Vec<_> = all
            .into_iter()
            .filter(|(_, events)| !events.is_empty())
            .map(|(fd, events)| PollFd::from_borrowed_fd(fd, events))
            .collect();
        poll_for(&mut fds, patience);
        state.shuttle(self)?;
        Ok(())
    }

    /// A step came to its end with `bytes` of use: so much of what the peer sent was waited for. Packets carry
    /// more than their content.
    pub fn credit(&self, bytes: usize) {
        let mut state = self.state.borrow_mut();
        state.unasked = state.unasked.saturating_sub(4 * bytes as u64 + 512);
    }

    /// Sends what libssh2 has left, as far as the peer takes it at once.
    pub fn flush(&self) {
        // Nothing follows that could fail for lack of it.
        let _ = self.state.borrow_mut().outward(self);
    }

    /// Ends the connection at once: every call into libssh2 fails from here on, in blocking mode too.
    pub fn cut(&self) {
        let _ = self.pair.shutdown(Shutdown::Both);
    }
}

impl State {
    /// Moves what can be moved without waiting; whether anything was.
    fn shuttle(&mut self, relay: &Relay) -> Result<bool, Failure> {
        let outward = self.outward(relay);
        Ok(self.inward(relay)? | outward)
    }

    fn outward(&mut self, relay: &Relay) -> bool {
        let mut moved = false;
        if self.to_peer.is_empty() && !self.library_ended {
            match read(&relay.pair) {
                Ok(None) => {}
                Ok(Some(bytes)) if !bytes.is_empty() => {
                    self.to_peer.set(bytes);
                    moved = true;
                }
                Ok(Some(_)) | Err(_) => self.library_ended = true,
            }
        }
        // A peer that takes nothing more may still have something to say: reading finds out that it ended.
        moved
            | self.to_peer.send(&relay.peer).unwrap_or_else(|_| {
                self.to_peer.set(Vec::new());
                false
            })
    }

    fn inward(&mut self, relay: &Relay) -> Result<bool, Failure> {
        let mut moved = false;
        if self.to_library.is_empty() && !self.peer_ended && is_drained(relay) {
            match read(&relay.peer) {
                Ok(None) => {}
                Ok(Some(bytes)) if !bytes.is_empty() => {
                    self.received(bytes)?;
                    moved = true;
                }
                Ok(Some(_)) | Err(_) => {
                    self.peer_ended = true;
                    moved = true;
                }
            }
        }
        // libssh2's end is closed only when the session is over.
        moved |= self.to_library.send(&relay.pair).unwrap_or(false);
        if self.peer_ended && self.to_library.is_empty() {
            let _ = relay.pair.shutdown(Shutdown::Write);
        }
        Ok(moved)
    }

    fn received(&mut self, bytes: Vec<u8>) -> Result<(), Failure> {
        self.unasked += bytes.len() as u64;
        if self.unasked > MOST_UNASKED {
            let error = format!("it sent {} MiB that nobody had asked for", MOST_UNASKED >> 20);
            return Err(Failure::new(Status::OutputTooLarge, error));
        }
        let Some(before) = &mut self.preamble else {
            self.to_library.set(bytes);
            return Ok(());
        };
        before.extend_from_slice(&bytes);
        match kexinit::preamble(before) {
            Preamble::More => {}
            Preamble::Not(why) => {
                return Err(Failure::new(Status::KexFailed, format!("not an SSH server: {why}")));
            }
            Preamble::Version(at) => {
                let rest = before.split_off(at);
                self.to_library.set(rest);
                self.preamble = None;
            }
        }
        Ok(())
    }
}

/// Whether libssh2 has read all that it got.
fn is_drained(relay: &Relay) -> bool {
    rustix::io::ioctl_fionread(&relay.library).is_ok_and(|left| left == 0)
}

/// What is there, at most a chunk; none when nothing is there yet, nothing when it ended.
fn read(from: impl AsFd) -> rustix::io::Result<Option<Vec<u8>>> {
    let mut bytes = vec![0; CHUNK];
    loop {
        match rustix::io::read(&from, &mut bytes[..]) {
            Ok(length) => {
                bytes.truncate(length);
                return Ok(Some(bytes));
            }
            Err(Errno::AGAIN) => return Ok(None),
            Err(Errno::INTR) => {}
            Err(e) => return Err(e),
        }
    }
}
