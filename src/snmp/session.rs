//! One device's questions and answers over UDP: each request waits within the budget for its own answer, is sent
//! again from a new socket, and is the only one under way.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use super::{
    Access, Oid, Value,
    message::{Ask, Codec, LARGEST, Reply, Response},
    walk::{Broken, Next, Repetitions, Walk},
};
use crate::{
    record::Status,
    ssh::{Budget, Failure, refusal},
};

/// How often an agent may ask for a request again, because of its clock.
const AGAIN: u32 = 3;
const TOO_BIG: u32 = 1;
const GEN_ERR: u32 = 5;
const AUTHORIZATION_ERROR: u32 = 16;

/// What one device may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Wait for the answer to a request.
    pub answer: Duration,
    /// How often a request is sent again.
    pub retries: u32,
    /// Bytes of all walks together.
    pub output: u64,
    /// Rows of one walk.
    pub rows: usize,
}

/// What passes, in words, for a transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// A request.
    Sent,
    /// An answer.
    Received,
    /// Something else that came, or a step of ours.
    Note,
}

/// Hears of all that passes.
pub type Listener<'a> = &'a mut dyn FnMut(Passed, &str);

/// How a walk came out.
#[derive(Debug)]
pub struct Walked {
    /// What `snmpbulkwalk -On` prints, as far as it came.
    pub output: String,
    /// How it ended.
    pub end: End,
}

/// How a walk ended.
#[derive(Debug)]
pub enum End {
    /// At the end of what is below its root.
    Whole,
    /// Before, because of what the agent answered: other walks may go well.
    Broken(String),
    /// With the session.
    Failed(Failure),
}

/// A device that answers.
pub struct Session<'a> {
    codec: Codec,
    address: SocketAddr,
    socket: UdpSocket,
    limits: Limits,
    budget: Budget,
    listener: Option<Listener<'a>>,
    buffer: Vec<u8>,
    repetitions: Repetitions,
    last_id: i32,
    printed: u64,
    /// A request of ours has been answered.
    answered: bool,
    /// The last thing that came and was no answer.
    other: Option<String>,
}

impl<'a> Session<'a> {
    /// Gets a first answer from an address, which holds the values of `objects`, as [`Session::get`] gives them.
    ///
    /// # Errors
    /// `refused`, `unreachable`; `connect_timeout` when nothing answers, `login_timeout` when an agent tells its
    /// engine ID and no more; `auth_failed`; `cancelled`; the end of the budget.
    pub fn open(
        access: &Access,
        address: SocketAddr,
        limits: Limits,
        budget: &Budget,
        listener: Option<Listener<'a>>,
        objects: &[&Oid],
    ) -> Result<(Self, Vec<Option<Value>>), Failure> {
        let socket = connect(address).map_err(|e| unreachable(address, &e))?;
        let mut session = Session {
            codec: Codec::new(access),
            address,
            socket,
            limits,
            budget: budget.clone(),
            listener,
            buffer: vec![0; LARGEST],
            repetitions: Repetitions::new(),
            last_id: fastrand::i32(1..i32::MAX / 2),
            printed: 0,
            answered: false,
            other: None,
        };
        let response = session.exchange(Ask::Get, objects)?;
        if response.error_status == AUTHORIZATION_ERROR {
            let error =
                format!("{address}: the agent lets this user or community see nothing (authorizationError)");
            return Err(Failure::new(Status::AuthFailed, error));
        }
        let values = values(&response, objects);
        Ok((session, values))
    }

    /// The values of objects, in their order. None stands for an object that is not there.
    ///
    /// # Errors
    /// `read_timeout`, `disconnected`, `cancelled`; the end of the budget.
    pub fn get(&mut self, objects: &[&Oid]) -> Result<Vec<Option<Value>>, Failure> {
        let response = self.exchange(Ask::Get, objects)?;
        Ok(values(&response, objects))
    }

    /// Walks through everything below `root`.
    pub fn walk(&mut self, root: &Oid) -> Walked {
        let mut walk = Walk::new(root, self.limits.output.saturating_sub(self.printed), self.limits.rows);
        let end = match self.walk_on(root, &mut walk) {
            Ok(None) => End::Whole,
            Ok(Some(error)) => End::Broken(error),
            Err(failure) => End::Failed(failure),
        };
        self.printed += walk.text.len() as u64;
        Walked { output: walk.text, end }
    }

    fn walk_on(&mut self, root: &Oid, walk: &mut Walk<'_>) -> Result<Option<String>, Failure> {
        loop {
            let last = walk.last.clone();
            let mut response = self.exchange(Ask::Bulk(self.repetitions.0), &[&last])?;
            if response.error_status == TOO_BIG && self.repetitions.halve() {
                let rows = self.repetitions.0;
                self.note(&format!("the agent answers tooBig: {rows} rows at a time from now on"));
                continue;
            }
            if response.error_status == GEN_ERR && self.repetitions.0 > 1 {
                // The row that the agent cannot read may be one behind the end of this walk.
                response = self.exchange(Ask::Bulk(1), &[&last])?;
            }
            let next = match walk.take(&response) {
                Ok(Next::Behind) => continue,
                Ok(next) => next,
                Err(broken) => return self.broken(root, broken).map(Some),
            };
            if next == Next::Root {
                let response = self.exchange(Ask::Get, &[root])?;
                if let Err(broken) = walk.take_root(&response) {
                    return self.broken(root, broken).map(Some);
                }
            }
            return Ok(None);
        }
    }

    fn broken(&self, root: &Oid, broken: Broken) -> Result<String, Failure> {
        let too_large = |error| Err(Failure::new(Status::OutputTooLarge, error));
        match broken {
            Broken::Answer(error) => Ok(error),
            Broken::TooMuchText => {
                too_large(format!("more than {} bytes (--max-output)", self.limits.output))
            }
            Broken::TooManyRows => too_large(format!("more than {} rows below {root}", self.limits.rows)),
        }
    }

    /// Sends a request until it is answered.
    fn exchange(&mut self, ask: Ask, objects: &[&Oid]) -> Result<Response, Failure> {
        self.other = None;
        for attempt in 0..=self.limits.retries {
            if attempt > 0 {
                // Answers to what was asked before have nobody to come to any more.
                self.socket = connect(self.address).map_err(|e| unreachable(self.address, &e))?;
            }
            if let Some(response) = self.send_and_wait(ask, objects)? {
                self.answered = true;
                return Ok(response);
            }
        }
        Err(self.silence(objects))
    }

    fn send_and_wait(&mut self, ask: Ask, objects: &[&Oid]) -> Result<Option<Response>, Failure> {
        let mut again = 0;
        while again <= AGAIN {
            let id = self.send(ask, objects)?;
            match self.wait_for(id)? {
                Some(Reply::Answer(response)) => {
                    self.tell(Passed::Received, || printed(&response));
                    return Ok(Some(response));
                }
                Some(Reply::Again) => {
                    self.note("the agent tells its engine ID or its clock: asked again");
                    again += 1;
                }
                Some(Reply::Rejected(reason)) => {
                    let address = self.address;
                    return Err(Failure::new(Status::AuthFailed, format!("{address}: {reason}")));
                }
                Some(Reply::Other(_)) | None => return Ok(None),
            }
        }
        self.other = Some("the agent's clock cannot be followed".to_owned());
        Ok(None)
    }

    fn send(&mut self, ask: Ask, objects: &[&Oid]) -> Result<i32, Failure> {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        let id = self.last_id;
        let message = self.codec.request(id, ask, objects);
        let message = message
            .map_err(|e| Failure::new(Status::Internal, format!("cannot put a request together: {e}")))?;
        self.tell(Passed::Sent, || {
            let objects = objects.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            match ask {
                Ask::Get => format!("get {objects}"),
                Ask::Bulk(rows) => format!("getbulk {rows} {objects}"),
            }
        });
        match self.socket.send(&message) {
            Ok(_) => Ok(id),
            Err(e) => Err(self.lost(&e)),
        }
    }

    /// The reply to a request within its time; none when there is none. What else comes does not extend the wait.
    fn wait_for(&mut self, id: i32) -> Result<Option<Reply>, Failure> {
        let until = Instant::now() + self.limits.answer;
        loop {
            let patience = self.budget.wait()?.min(until.saturating_duration_since(Instant::now()));
            if patience.is_zero() {
                return Ok(None);
            }
            let received = self
                .socket
                .set_read_timeout(Some(patience))
                .and_then(|()| self.socket.recv(&mut self.buffer));
            let length = match received {
                Ok(length) => length,
                Err(e) if is_time_out(&e) => continue,
                Err(e) => return Err(self.lost(&e)),
            };
            match self.codec.read(id, &self.buffer[..length]) {
                Reply::Other(reason) => {
                    self.note(&format!("passed over: {reason}"));
                    self.other = Some(reason);
                }
                reply => return Ok(Some(reply)),
            }
        }
    }

    fn lost(&self, error: &io::Error) -> Failure {
        let failure = unreachable(self.address, error);
        match failure.status {
            Status::Refused if self.answered => Failure { status: Status::Disconnected, ..failure },
            _ => failure,
        }
    }

    /// Why a request may have been left without an answer. It was repeated, so the session is not.
    fn silence(&self, objects: &[&Oid]) -> Failure {
        let (wait, times) = (self.limits.answer.as_secs_f64(), self.limits.retries + 1);
        let asked = format!("no answer from {} within {wait} s, {times} times", self.address);
        let (status, causes) = match &self.codec {
            _ if self.answered => {
                let object = objects.first().map_or(String::new(), ToString::to_string);
                (Status::ReadTimeout, format!(" to a request behind {object}"))
            }
            Codec::Community(_) => (
                Status::ConnectTimeout,
                ": the device is down or has another address, a firewall or an access list drops SNMP, or the \
                 community is wrong (SNMP v2c does not tell which)"
                    .to_owned(),
            ),
            codec if codec.needs_discovery() => (
                Status::ConnectTimeout,
                ": the device is down or has another address, a firewall or an access list drops SNMP, or SNMP v3 \
                 is off"
                    .to_owned(),
            ),
            _ => (
                Status::LoginTimeout,
                " to the request of the user, though the agent told its engine ID: check SNMP_PRIV and \
                 SNMP_PRIV_PASSWORD, and what the user may see"
                    .to_owned(),
            ),
        };
        let other = self.other.as_ref().map_or(String::new(), |other| format!("; what came: {other}"));
        Failure::new(status, format!("{asked}{causes}{other}"))
    }

    fn tell(&mut self, passed: Passed, words: impl FnOnce() -> String) {
        if let Some(listener) = &mut self.listener {
            listener(passed, &words());
        }
    }

    fn note(&mut self, words: &str) {
        self.tell(Passed::Note, || words.to_owned());
    }
}

fn values(response: &Response, objects: &[&Oid]) -> Vec<Option<Value>> {
    let value = |oid: &&Oid| {
        let (_, value) = response.bindings.iter().find(|(name, _)| name == *oid)?;
        (!value.is_exception()).then(|| value.clone())
    };
    objects.iter().map(value).collect()
}

fn printed(response: &Response) -> String {
    let mut text = match response.error_status {
        0 => String::new(),
        status => format!("error-status {status}\n"),
    };
    for (oid, value) in &response.bindings {
        text.push_str(&format!("{oid} = "));
        value.print(&mut text);
        text.push('\n');
    }
    text
}

/// A socket that takes datagrams from this address alone.
fn connect(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?,
        SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?,
    };
    socket.connect(address)?;
    Ok(socket)
}

fn unreachable(address: SocketAddr, error: &io::Error) -> Failure {
    refusal(&format!("{address}: {error}"), error.kind())
}

fn is_time_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}
