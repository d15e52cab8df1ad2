//! The packets of the MySQL protocol, as far as a relay must know them: where each begins, whose turn it is, and
//! whether an answer is one that the client library may be given. Pure.

/// Columns that a table can have on MySQL and MariaDB.
const COLUMNS: u64 = 4096;
/// A packet of this length goes on in the next one.
const LONGEST: usize = 0xff_ffff;
/// Bytes of a login up to what the library and a MariaDB server agree on, and the bit for many rows in one request.
const LOGIN: usize = 29;
const BULK: u8 = 0x04;
/// Bytes that judge an answer's packet: what it is, two counts, a status.
const HEAD: usize = 21;
const MORE_RESULTS: u16 = 8;

const COM_QUIT: u8 = 0x01;
const COM_QUERY: u8 = 0x03;
const COM_STMT_PREPARE: u8 = 0x16;
const COM_STMT_EXECUTE: u8 = 0x17;
const COM_STMT_SEND_LONG_DATA: u8 = 0x18;
const COM_STMT_CLOSE: u8 = 0x19;
const COM_STMT_BULK_EXECUTE: u8 = 0xfa;

/// A number of three bytes, as each packet begins with one.
pub(super) fn length([low, middle, high, _]: [u8; 4]) -> usize {
    usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16
}

/// Finds the packets in a stream of bytes, however it is cut.
struct Packets {
    /// Bytes of a packet's content to look at.
    wanted: usize,
    header: [u8; 4],
    headed: usize,
    left: usize,
    head: Vec<u8>,
    /// The last packet was as long as one can be, so that this one goes on with it.
    goes_on: bool,
}

/// The begin of a packet.
struct Packet<'a> {
    number: u8,
    length: usize,
    head: &'a [u8],
}

impl Packets {
    fn new(wanted: usize) -> Self {
        Packets { wanted, header: [0; 4], headed: 0, left: 0, head: Vec::new(), goes_on: false }
    }

    /// Whether no packet has begun that has not come whole.
    fn is_between(&self) -> bool {
        self.headed == 0 && !self.goes_on
    }

    /// Shows each packet once its head is there. `shift` is added to the number of each packet but number 0.
    fn take<E>(
        &mut self,
        bytes: &mut [u8],
        shift: u8,
        mut each: impl FnMut(Packet<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut at = 0;
        while at < bytes.len() {
            if self.headed < 4 {
                self.header[self.headed] = bytes[at];
                if self.headed == 3 && bytes[at] != 0 {
                    bytes[at] = bytes[at].wrapping_add(shift);
                }
                (self.headed, at) = (self.headed + 1, at + 1);
                if self.headed < 4 {
                    continue;
                }
                self.left = length(self.header);
                self.head.clear();
            }
            let here = self.left.min(bytes.len() - at);
            let content = &bytes[at..at + here];
            (self.left, at) = (self.left - here, at + here);
            let (whole, wanted) = (length(self.header), self.wanted.min(length(self.header)));
            let is_judged = self.head.len() == wanted && wanted > 0;
            let missing = (wanted - self.head.len()).min(content.len());
            self.head.extend_from_slice(&content[..missing]);
            let (number, goes_on) = (self.header[3], self.goes_on);
            if self.left == 0 {
                (self.headed, self.goes_on) = (0, whole == LONGEST);
            }
            if self.head.len() == wanted && !is_judged && !goes_on {
                each(Packet { number, length: whole, head: &self.head })?;
            }
        }
        Ok(())
    }
}

/// What may come of the server next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Greeting,
    /// Until the login is granted or refused.
    Login,
    /// Nothing: no command waits for its answer.
    Nothing,
    Outcome,
    /// An outcome, or the number of columns.
    Result,
    /// The number of parameters and columns.
    Prepared,
    /// So many definitions, a mark behind them, and then so many more, or rows.
    Definitions {
        left: u64,
        then: Then,
    },
    Mark(Then),
    /// Rows, until a mark ends them.
    Rows,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Columns(u64),
    Rows,
    Nothing,
}

/// Both directions of a session, with the rules that it must keep.
pub struct Session {
    requests: Packets,
    answers: Packets,
    expected: Expected,
    /// The server counts one packet more in the login than the client does.
    shifted: bool,
    /// What the login agreed on; none: it has not come.
    bulk: Option<bool>,
    /// The client has left.
    is_over: bool,
}

impl Session {
    /// A session whose greeting is to come.
    pub fn new() -> Self {
        Session {
            requests: Packets::new(LOGIN),
            answers: Packets::new(HEAD),
            expected: Expected::Greeting,
            shifted: false,
            bulk: None,
            is_over: false,
        }
    }

    /// A session whose greeting and login went by already; the request for TLS between them is known to the
    /// server only.
    pub fn within_tls(login: &[u8]) -> Self {
        Session { expected: Expected::Login, shifted: true, bulk: Some(agrees_on_bulk(login)), ..Self::new() }
    }

    /// Whether a statement may be run with the parameters of many rows in one request.
    pub fn is_bulk(&self) -> bool {
        self.bulk == Some(true)
    }

    /// Whether the client has said that it leaves: what a server says to that is nobody's.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// What the client sends; whether a command began.
    pub fn request(&mut self, bytes: &mut [u8]) -> Result<bool, String> {
        let (mut began, mut expected, shifted) = (false, self.expected, self.shifted);
        let is_between = self.answers.is_between();
        let Session { requests, bulk, is_over, .. } = self;
        requests.take(bytes, u8::from(shifted), |packet| {
            let command = packet.head.first();
            bulk.get_or_insert_with(|| agrees_on_bulk(packet.head));
            // Whoever leaves need not wait for an answer.
            *is_over |= packet.number == 0 && command == Some(&COM_QUIT);
            if packet.number != 0 || matches!(command, None | Some(&COM_QUIT)) {
                return Ok(());
            }
            if expected != Expected::Nothing || !is_between {
                return Err(String::from("its last answer has no end"));
            }
            began = true;
            expected = match command {
                Some(&(COM_QUERY | COM_STMT_EXECUTE | COM_STMT_BULK_EXECUTE)) => Expected::Result,
                Some(&COM_STMT_PREPARE) => Expected::Prepared,
                // These have no answer.
                Some(&(COM_STMT_CLOSE | COM_STMT_SEND_LONG_DATA)) => Expected::Nothing,
                _ => Expected::Outcome,
            };
            Ok(())
        })?;
        self.expected = expected;
        Ok(began)
    }

    /// What the server sends. Nothing of it may be passed on when a rule is broken; a packet that has come in part
    /// cannot be understood by anybody yet.
    pub fn answer(&mut self, bytes: &mut [u8]) -> Result<(), String> {
        let mut expected = self.expected;
        let shift = if self.shifted { u8::MAX } else { 0 };
        self.answers.take(bytes, shift, |packet| {
            expected = next(expected, &packet)?;
            Ok::<_, String>(())
        })?;
        self.expected = expected;
        self.shifted &= expected == Expected::Login;
        Ok(())
    }
}

/// What is expected after a packet of the server.
fn next(expected: Expected, packet: &Packet<'_>) -> Result<Expected, String> {
    let Packet { length, head, .. } = *packet;
    let Some(&kind) = head.first() else { return Err("it sends an empty packet".into()) };
    let is_fault = kind == 0xff;
    let is_mark = kind == 0xfe && length < 8;
    if is_fault && head.get(1..3) == Some(&[0xff, 0xff]) {
        // How far a statement is; the client library skips it.
        return Ok(expected);
    }
    Ok(match expected {
        Expected::Greeting => Expected::Login,
        Expected::Login if kind == 0 => outcome(head)?,
        Expected::Login if !is_fault => Expected::Login,
        // Also when nothing is expected: a server that goes down, or ends an idle connection, says so.
        _ if is_fault => Expected::Nothing,
        Expected::Nothing => return Err("it answers without a question".into()),
        Expected::Result if kind == 0xfb => return Err("it asks for a file of this machine".into()),
        Expected::Outcome | Expected::Result if kind == 0 => outcome(head)?,
        Expected::Login | Expected::Outcome => Expected::Nothing,
        Expected::Result => result(head)?,
        Expected::Prepared => prepared(head)?,
        Expected::Definitions { .. } if is_mark => return Err("it sends fewer columns than it said".into()),
        Expected::Definitions { left: 0 | 1, then } => Expected::Mark(then),
        Expected::Definitions { left, then } => Expected::Definitions { left: left - 1, then },
        Expected::Mark(_) if !is_mark => return Err("it sends more columns than it said".into()),
        Expected::Rows if !is_mark => Expected::Rows,
        Expected::Mark(then) => {
            alone(head.get(3..5))?;
            match then {
                Then::Columns(left) => Expected::Definitions { left, then: Then::Nothing },
                Then::Rows => Expected::Rows,
                Then::Nothing => Expected::Nothing,
            }
        }
        Expected::Rows => {
            alone(head.get(3..5))?;
            Expected::Nothing
        }
    })
}

/// A statement of ours has one result. Another one behind it would be read without having been looked at.
fn alone(status: Option<&[u8]>) -> Result<(), String> {
    let status = status.map_or(0, |bytes| number(bytes) as u16);
    if status & MORE_RESULTS == 0 { Ok(()) } else { Err("it answers more than was asked".into()) }
}

/// Whether the library sends the parameters of many rows in one request: it says so in its login.
fn agrees_on_bulk(login: &[u8]) -> bool {
    login.get(LOGIN - 1).is_some_and(|agreed| agreed & BULK != 0)
}

fn outcome(head: &[u8]) -> Result<Expected, String> {
    let status = || {
        let (_, rest) = count(&head[1..])?;
        let (_, rest) = count(rest)?;
        rest.get(..2)
    };
    alone(status())?;
    Ok(Expected::Nothing)
}

fn result(head: &[u8]) -> Result<Expected, String> {
    let (columns, rest) = count(head).ok_or("its answer cannot be understood")?;
    if columns > COLUMNS {
        return Err(format!("its answer announces {columns} columns"));
    }
    // MariaDB leaves out definitions that the client has seen, and says so by a byte.
    Ok(match rest.first() {
        Some(0) => Expected::Mark(Then::Rows),
        _ => Expected::Definitions { left: columns, then: Then::Rows },
    })
}

fn prepared(head: &[u8]) -> Result<Expected, String> {
    let counted = |at: usize| head.get(at..at + 2).map(number);
    let (Some(columns), Some(parameters)) = (counted(5), counted(7)) else {
        return Err("its answer cannot be understood".into());
    };
    Ok(match (parameters, columns) {
        (0, 0) => Expected::Nothing,
        (0, left) => Expected::Definitions { left, then: Then::Nothing },
        (left, 0) => Expected::Definitions { left, then: Then::Nothing },
        (left, more) => Expected::Definitions { left, then: Then::Columns(more) },
    })
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// A number as the protocol writes it, and what follows; none when it is not there whole.
fn count(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let size = match first {
        0xfc => 2,
        0xfd => 3,
        0xfe => 8,
        0xfb | 0xff => return None,
        small => return Some((u64::from(small), rest)),
    };
    let (bytes, rest) = rest.split_at_checked(size)?;
    Some((number(bytes), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(number: u8, content: &[u8]) -> Vec<u8> {
        [&(content.len() as u32).to_le_bytes()[..3], &[number], content].concat()
    }

    const GREETING: &[u8] = &[10, b'8', 0];
    const OK: &[u8] = &[0, 0, 0, 2, 0, 0, 0];
    const MARK: &[u8] = &[0xfe, 0, 0, 2, 0];
    const DEFINITION: &[u8] = &[3, b'd', b'e', b'f'];

    /// A session that is logged in, and was asked this.
    fn asked(command: u8) -> Session {
        let mut session = Session::new();
        session.answer(&mut packet(0, GREETING)).expect("a greeting");
        session.request(&mut packet(1, b"login")).expect("a login");
        session.answer(&mut packet(2, OK)).expect("logged in");
        assert_eq!(session.request(&mut packet(0, &[command, b'x'])), Ok(true));
        session
    }

    /// What comes of the answers, each of them one packet.
    fn answered(command: u8, answers: &[&[u8]]) -> Result<Session, String> {
        let mut session = asked(command);
        let mut all: Vec<u8> =
            answers.iter().zip(1..).flat_map(|(answer, number)| packet(number, answer)).collect();
        session.answer(&mut all)?;
        Ok(session)
    }

    #[test]
    fn what_servers_answer_is_passed_on_and_has_an_end() {
        let row: &[u8] = &[1, b'x'];
        let prepared: &[u8] = &[0, 1, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0];
        for (command, answers) in [
            (COM_QUERY, &[OK][..]),
            (COM_QUERY, &[&[0xff, 1, 2]]),
            (COM_QUERY, &[&[1], DEFINITION, MARK, MARK]),
            (COM_QUERY, &[&[2], DEFINITION, DEFINITION, MARK, row, row, MARK]),
            (COM_QUERY, &[&[1], DEFINITION, MARK, row, &[0xff, 1, 2]]),
            (COM_STMT_EXECUTE, &[&[1, 0], MARK, &[0, 0, 1, b'x'], MARK]),
            (COM_STMT_EXECUTE, &[&[1, 1], DEFINITION, MARK, &[0, 0, 1, b'x'], MARK]),
            (COM_STMT_PREPARE, &[&[0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]),
            (COM_STMT_PREPARE, &[prepared, DEFINITION, DEFINITION, MARK, DEFINITION, MARK]),
            (0x0e, &[OK]),
        ] {
            let mut session = answered(command, answers).expect("passed on");
            assert_eq!(session.request(&mut packet(0, &[COM_QUERY])), Ok(true), "{answers:?}");
        }
    }

    #[test]
    fn what_would_mislead_the_client_library_is_refused() {
        let more: &[u8] = &[0xfe, 0, 0, 10, 0];
        for (answers, word) in [
            (&[&[0xfe, 0, 0, 0, 0, 2, 0, 0, 0][..]][..], "8589934592 columns"),
            (&[&[0xfc, 1, 16]], "4097 columns"),
            (&[&[0xfe, 0, 0, 2, 0]], "cannot be understood"),
            (&[&[0xfb, b'/', b'x']], "asks for a file"),
            (&[&[0, 0, 0, 10, 0, 0, 0]], "more than was asked"),
            (&[&[1], DEFINITION, more], "more than was asked"),
            (&[&[1], DEFINITION, MARK, more], "more than was asked"),
            (&[&[1], MARK], "fewer columns"),
            (&[&[1], DEFINITION, DEFINITION], "more columns"),
            (&[OK, OK], "without a question"),
            (&[OK, &[0xfe, 0, 0, 0, 0, 2, 0, 0, 0]], "without a question"),
            (&[&[]], "empty packet"),
        ] {
            let refused = answered(COM_QUERY, answers).err();
            assert!(refused.as_ref().is_some_and(|reason| reason.contains(word)), "{answers:?}: {refused:?}");
        }
        // A question before the answer to the last one.
        let mut session = answered(COM_QUERY, &[&[1], DEFINITION]).expect("passed on");
        session.request(&mut packet(0, &[COM_QUERY])).expect_err("no end");
        assert!(!session.is_over());
        assert_eq!(session.request(&mut packet(0, &[COM_QUIT])), Ok(false));
        assert!(session.is_over());
    }

    #[test]
    fn numbers_are_shifted_during_a_login_inside_tls_only() {
        let mut session = Session::within_tls(&[0; LOGIN]);
        let mut switch = packet(3, &[0xfe, b'x', 0]);
        session.answer(&mut switch).expect("passed on");
        let mut login = packet(3, b"secret");
        session.request(&mut login).expect("passed on");
        let mut granted = packet(5, OK);
        session.answer(&mut granted).expect("passed on");
        assert_eq!((switch[3], login[3], granted[3]), (2, 4, 4));
        let mut command = packet(0, &[COM_QUERY]);
        session.request(&mut command).expect("passed on");
        let mut answer = packet(1, OK);
        session.answer(&mut answer).expect("passed on");
        assert_eq!((command[3], answer[3]), (0, 1));
    }

    #[test]
    fn many_rows_go_in_one_request_when_the_login_says_so() {
        let login = |agreed| [&[0; LOGIN - 1][..], &[agreed, 0, 0, 0, b'u']].concat();
        for (login, is_bulk) in
            [(login(0x04), true), (login(0x24), true), (login(0x20), false), (vec![0; LOGIN - 1], false)]
        {
            let mut session = Session::new();
            session.answer(&mut packet(0, GREETING)).expect("a greeting");
            session.request(&mut packet(1, &login)).expect("a login");
            // What the library says later in a login agrees on nothing.
            session.request(&mut packet(3, &[0xff; LOGIN])).expect("an answer to the server's question");
            assert_eq!(session.is_bulk(), is_bulk, "{login:?}");
            assert_eq!(Session::within_tls(&login).is_bulk(), is_bulk, "{login:?}");
        }
    }

    proptest! {
        /// However the bytes of an answer are cut, the session comes to the same verdict and the same state.
        #[test]
        fn cuts_change_nothing(
            packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..30), 1..6),
            cuts in prop::collection::vec(1_usize..40, 1..30),
        ) {
            let bytes: Vec<u8> = packets.iter().flat_map(|content| packet(1, content)).collect();
            let mut whole = asked(COM_QUERY);
            let verdict = whole.answer(&mut bytes.clone());
            let (mut cut, mut rest, mut outcome) = (asked(COM_QUERY), bytes.clone(), Ok(()));
            for size in cuts.into_iter().cycle() {
                let mut part: Vec<u8> = rest.drain(..size.min(rest.len())).collect();
                outcome = cut.answer(&mut part);
                if rest.is_empty() || outcome.is_err() {
                    break;
                }
            }
            prop_assert_eq!(&verdict, &outcome);
            if verdict.is_ok() {
                prop_assert_eq!(whole.expected, cut.expected);
            }
        }
    }
}
