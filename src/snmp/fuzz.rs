//! Properties of what agents send, for any bytes.

use super::{
    Access, AuthProtocol, Oid, PrivProtocol, User,
    message::{Codec, Reply},
    walk::Walk,
};
use crate::{fuzz::bounded, settings::Secret};

/// What a walk may hold here: more than any input accounts for.
const MOST: u64 = 1 << 30;

/// An agent that sends these datagrams, each behind its length of two bytes, ends or goes on a walk, and no more is
/// printed than they account for. The first byte says how it is asked, the next four are the number of the request.
pub fn snmp_replies(bytes: &[u8]) {
    let Some((&[way, id @ ..], mut rest)) = bytes.split_first_chunk::<5>() else { return };
    let root: Oid = "1.3.6.1.2.1.1".parse().expect("an object");
    let (mut codec, mut walk) = (Codec::new(&access(way)), Walk::new(&root, MOST, usize::MAX));
    while let Some((&length, more)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(length)).min(more.len());
        let (datagram, more) = more.split_at(length);
        if let Reply::Answer(response) = codec.read(i32::from_be_bytes(id), datagram)
            && walk.take(&response).is_err()
        {
            break;
        }
        rest = more;
    }
    bounded("what is printed of a walk", walk.text.len(), 40, bytes);
}

fn access(way: u8) -> Access {
    let password = || Secret::new("s3cret-password");
    let user = |auth, privacy| {
        Access::User(User { name: "ops".to_owned(), account: "ops".to_owned(), auth, privacy })
    };
    match way {
        b'u' => user(None, None),
        b'p' => user(Some((AuthProtocol::Sha1, password())), Some((PrivProtocol::Aes128, password()))),
        _ => Access::Community(Secret::new("public")),
    }
}

#[cfg(test)]
#[test]
fn any_agent_is_answered_within_bounds() {
    crate::fuzz::hold("snmp_replies", snmp_replies);
}
