//! Messages: requests out, replies in. The only file that knows the snmp2 crate, which decodes, signs and encrypts.
//!
//! Its sessions are not used: they take the first datagram that comes for the answer, cannot be interrupted, and do
//! not tell why a user was rejected. Its `Security` holds passwords that its `Debug` shows, so it never leaves this
//! file, and [`Codec`] has a `Debug` of its own.

use std::fmt;

use snmp2::{AsnReader, MessageType, Pdu, Value as Raw, asn1, v3};

use super::{
    Access, Oid, Value,
    access::{AuthProtocol, PrivProtocol, User},
    ber,
};

/// The largest datagram that we take.
pub(super) const LARGEST: usize = 65_507;
/// What stands for the identity of an agent while a request is put together.
const NOBODY: &[u8] = b"nobody";
const REPORTABLE: u8 = 4;
const SIGNED: u8 = 1;
const USM: i32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// The objects themselves.
    Get,
    /// So many objects behind the one that is named.
    Bulk(u32),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Response {
    /// `error-status`, 0 when all is well.
    pub error_status: u32,
    /// Objects and their values, as far as they can be decoded.
    pub bindings: Vec<(Oid, Value)>,
}

/// What a datagram turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// The answer to this request.
    Answer(Response),
    /// The agent told its identity or its clock: the request has to be sent again.
    Again,
    /// The agent rejects the user, and why.
    Rejected(&'static str),
    /// Not an answer to this request, and why not: the wait goes on.
    Other(String),
}

/// Puts requests into messages, and takes answers out of them.
pub(super) enum Codec {
    Community(Vec<u8>),
    User(Box<v3::Security>),
}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Codec::Community(_) => "v2c",
            Codec::User(_) => "v3",
        })
    }
}

impl Codec {
    pub fn new(access: &Access) -> Self {
        match access {
            Access::Community(community) => Codec::Community(community.reveal().as_bytes().to_vec()),
            Access::User(user) => Codec::User(Box::new(security(user))),
        }
    }

    /// Whether the agent has yet to tell who it is.
    pub fn needs_discovery(&self) -> bool {
        matches!(self, Codec::User(security) if security.engine_id().is_empty())
    }

    /// The message of a request; before the agent has told who it is, the one that asks for that.
    ///
    /// # Errors
    /// What the crate says when it cannot sign or encrypt.
    pub fn request(&self, id: i32, ask: Ask, objects: &[&Oid]) -> Result<Vec<u8>, String> {
        let pdu = match ask {
            Ask::Get => ber::request(ber::GET, id, [0, 0], objects),
            Ask::Bulk(repetitions) => {
                let repetitions = i32::try_from(repetitions).unwrap_or(i32::MAX);
                ber::request(ber::GET_BULK, id, [0, repetitions], objects)
            }
        };
        match self {
            Codec::Community(community) => Ok(ber::sequence(&[ber::integer(1), ber::octets(community), pdu])),
            Codec::User(_) if self.needs_discovery() => {
                Ok(unsigned(id, &[], ber::request(ber::GET, id, [0, 0], &[])))
            }
            Codec::User(security) => {
                // The crate makes a message of its own `Pdu` alone, and that comes of decoding only.
                let (message, mut nobody) = (unsigned(id, NOBODY, pdu), nobody()?);
                let pdu = Pdu::from_bytes_with_security(&message, Some(&mut nobody));
                pdu.and_then(|pdu| pdu.to_bytes_with_security(Some(security))).map_err(|e| e.to_string())
            }
        }
    }

    /// Reads a datagram that came while the answer to request `id` was waited for.
    pub fn read(&mut self, id: i32, datagram: &[u8]) -> Reply {
        match self {
            Codec::Community(community) => read_community(community, id, datagram),
            Codec::User(security) => read_user(security, id, datagram),
        }
    }
}

fn read_community(community: &[u8], id: i32, datagram: &[u8]) -> Reply {
    match Pdu::from_bytes(datagram) {
        Err(e) => Reply::Other(format!("a reply cannot be decoded: {e}")),
        Ok(pdu) if pdu.message_type != MessageType::Response => {
            Reply::Other("a message that is not a response".to_owned())
        }
        Ok(pdu) if pdu.req_id != id => Reply::Other("a reply to another request".to_owned()),
        Ok(pdu) if pdu.community != community => Reply::Other("a reply with another community".to_owned()),
        Ok(pdu) => Reply::Answer(response(&pdu)),
    }
}

fn read_user(security: &mut v3::Security, id: i32, datagram: &[u8]) -> Reply {
    let Some(header) = Header::read(datagram) else {
        return Reply::Other("a reply cannot be decoded as SNMP v3".to_owned());
    };
    if header.id != i64::from(id) {
        return Reply::Other("a reply to another request".to_owned());
    }
    if header.size > LARGEST as i64 {
        let size = header.size;
        return Reply::Other(format!(
            "the agent announces messages of {size} bytes, and at most {LARGEST} are supported"
        ));
    }
    let discovering = security.engine_id().is_empty();
    if !discovering
        && !header.is_signed
        && let Some(report) = Report::read(datagram)
    {
        return Reply::Rejected(report.reason());
    }
    // The crate believes the clock of a message before it has checked the signature: what is not good is not kept.
    let mut tried = security.clone();
    let reply = match Pdu::from_bytes_with_security(datagram, Some(&mut tried)) {
        Ok(pdu) if pdu.message_type == MessageType::Response => Reply::Answer(response(&pdu)),
        // Signed reports are about the clock.
        Ok(pdu) if pdu.message_type == MessageType::Report => Reply::Again,
        Ok(_) => return Reply::Other("a message that is not a response".to_owned()),
        Err(snmp2::Error::AuthUpdated) if discovering || header.is_signed => Reply::Again,
        Err(snmp2::Error::AuthFailure(v3::AuthErrorKind::EngineTimeMismatch)) => Reply::Again,
        Err(e) => return Reply::Other(format!("a reply is not accepted: {e}")),
    };
    *security = tried;
    reply
}

/// What the header of an SNMP v3 message says (RFC 3412, section 6).
struct Header {
    id: i64,
    size: i64,
    is_signed: bool,
}

impl Header {
    fn read(datagram: &[u8]) -> Option<Self> {
        let mut message =
            AsnReader::from_bytes(AsnReader::from_bytes(datagram).read_raw(asn1::TYPE_SEQUENCE).ok()?);
        if message.read_asn_integer().ok()? != 3 {
            return None;
        }
        let mut header = AsnReader::from_bytes(message.read_raw(asn1::TYPE_SEQUENCE).ok()?);
        let (id, size) = (header.read_asn_integer().ok()?, header.read_asn_integer().ok()?);
        let flags = *header.read_asn_octetstring().ok()?.first()?;
        Some(Header { id, size, is_signed: flags & SIGNED != 0 })
    }
}

/// A report in clear, by the last number of its object in usmStats (RFC 3414, section 5).
struct Report(u32);

impl Report {
    fn read(datagram: &[u8]) -> Option<Self> {
        let mut message =
            AsnReader::from_bytes(AsnReader::from_bytes(datagram).read_raw(asn1::TYPE_SEQUENCE).ok()?);
        message.read_asn_integer().ok()?;
        message.read_raw(asn1::TYPE_SEQUENCE).ok()?;
        message.read_asn_octetstring().ok()?;
        let mut scoped = AsnReader::from_bytes(message.read_raw(asn1::TYPE_SEQUENCE).ok()?);
        scoped.read_asn_octetstring().ok()?;
        scoped.read_asn_octetstring().ok()?;
        let mut pdu = AsnReader::from_bytes(scoped.read_raw(snmp2::snmp::MSG_REPORT).ok()?);
        for _ in 0..3 {
            pdu.read_asn_integer().ok()?;
        }
        let (oid, _) = snmp2::Varbinds::from_bytes(pdu.read_raw(asn1::TYPE_SEQUENCE).ok()?).next()?;
        let oid = Oid::from_ber(oid.as_bytes())?;
        (1..=6).find(|number| oid.is_within(&stats(*number))).or(Some(0)).map(Report)
    }

    fn reason(&self) -> &'static str {
        match self.0 {
            1 => "the agent does not allow this user to sign or encrypt in this way (SNMP_AUTH, SNMP_PRIV)",
            2 => "the agent finds the request too old or too new, and does not sign its clock",
            3 => "the agent does not know this user (SNMP_USER)",
            4 => "the agent has another engine ID than it announced",
            5 => "the password or the protocol of the signature is wrong (SNMP_AUTH_PASSWORD, SNMP_AUTH)",
            6 => "the agent cannot decrypt the request (SNMP_PRIV_PASSWORD, SNMP_PRIV)",
            _ => "the agent answers with a report of an unknown kind",
        }
    }
}

/// `usmStats` number so.
fn stats(number: u32) -> Oid {
    format!("1.3.6.1.6.3.15.1.1.{number}").parse().expect("invariant: an object identifier")
}

/// An SNMP v3 message in clear. One without the identity of an agent asks for it (RFC 3414, section 4).
fn unsigned(id: i32, engine: &[u8], pdu: Vec<u8>) -> Vec<u8> {
    let (zero, empty) = (ber::integer(0), ber::octets(&[]));
    let header =
        [ber::integer(id), ber::integer(LARGEST as i32), ber::octets(&[REPORTABLE]), ber::integer(USM)];
    let user = [ber::octets(engine), zero.clone(), zero, empty.clone(), empty.clone(), empty.clone()];
    ber::sequence(&[
        ber::integer(3),
        ber::sequence(&header),
        ber::octets(&ber::sequence(&user)),
        ber::sequence(&[ber::octets(engine), empty, pdu]),
    ])
}

/// The user of a message in clear.
fn nobody() -> Result<v3::Security, String> {
    let nobody = v3::Security::new(b"", b"").with_auth(v3::Auth::NoAuthNoPriv);
    nobody.with_engine_id(NOBODY).map_err(|e| e.to_string())
}

fn security(user: &User) -> v3::Security {
    let password = user.auth.as_ref().map_or("", |(_, password)| password.reveal());
    let mut security = v3::Security::new(user.name.as_bytes(), password.as_bytes());
    let auth = match (&user.auth, &user.privacy) {
        (None, _) => v3::Auth::NoAuthNoPriv,
        (Some(_), None) => v3::Auth::AuthNoPriv,
        (Some(_), Some((protocol, password))) => {
            let (cipher, extension) = cipher(*protocol);
            security = security.with_key_extension_method(extension);
            v3::Auth::AuthPriv { cipher, privacy_password: password.reveal().as_bytes().to_vec() }
        }
    };
    if let Some((protocol, _)) = user.auth {
        security = security.with_auth_protocol(match protocol {
            AuthProtocol::Md5 => v3::AuthProtocol::Md5,
            AuthProtocol::Sha1 => v3::AuthProtocol::Sha1,
            AuthProtocol::Sha224 => v3::AuthProtocol::Sha224,
            AuthProtocol::Sha256 => v3::AuthProtocol::Sha256,
            AuthProtocol::Sha384 => v3::AuthProtocol::Sha384,
            AuthProtocol::Sha512 => v3::AuthProtocol::Sha512,
        });
    }
    security.with_auth(auth)
}

fn cipher(protocol: PrivProtocol) -> (v3::Cipher, v3::KeyExtension) {
    use v3::{Cipher, KeyExtension};
    match protocol {
        PrivProtocol::Des => (Cipher::Des, KeyExtension::Blumenthal),
        PrivProtocol::Aes128 => (Cipher::Aes128, KeyExtension::Blumenthal),
        PrivProtocol::Aes192 => (Cipher::Aes192, KeyExtension::Blumenthal),
        PrivProtocol::Aes256 => (Cipher::Aes256, KeyExtension::Blumenthal),
        PrivProtocol::Aes192C => (Cipher::Aes192, KeyExtension::Reeder),
        PrivProtocol::Aes256C => (Cipher::Aes256, KeyExtension::Reeder),
    }
}

/// The crate ends at the first binding that it cannot decode. A walk goes on behind the last one that it got, and
/// fails when a reply has none, so nothing is left out unseen.
fn response(pdu: &Pdu<'_>) -> Response {
    let bindings = pdu
        .varbinds
        .clone()
        .map_while(|(oid, value)| Some((Oid::from_ber(oid.as_bytes())?, decoded(value)?)));
    Response { error_status: pdu.error_status, bindings: bindings.collect() }
}

fn decoded(raw: Raw<'_>) -> Option<Value> {
    Some(match raw {
        Raw::Integer(number) => Value::Integer(number),
        Raw::OctetString(bytes) => Value::Octets(bytes.to_vec()),
        Raw::Null => Value::Null,
        Raw::ObjectIdentifier(oid) => Value::Object(Oid::from_ber(oid.as_bytes())?),
        Raw::IpAddress(address) => Value::Address(address),
        Raw::Counter32(number) => Value::Counter32(number),
        Raw::Unsigned32(number) => Value::Gauge32(number),
        Raw::Timeticks(ticks) => Value::Timeticks(ticks),
        Raw::Opaque(bytes) => Value::Opaque(bytes.to_vec()),
        Raw::Counter64(number) => Value::Counter64(number),
        Raw::NoSuchObject => Value::NoSuchObject,
        Raw::NoSuchInstance => Value::NoSuchInstance,
        Raw::EndOfMibView => Value::EndOfMibView,
        _ => return None,
    })
}
