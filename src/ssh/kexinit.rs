//! What a server offers in its key exchange (SSH_MSG_KEXINIT, RFC 4253, section 7.1), and in which class
//! nothing is common. libssh2 says only that it failed; an operator needs to know which algorithm.

use super::{
    algorithms::{CLASSES, offer},
    shortened,
};

/// Position of the name-list of each of [`CLASSES`] in the packet (client-to-server ones).
const LISTS: [usize; 4] = [0, 1, 2, 4];
const SSH_MSG_KEXINIT: u8 = 20;

/// The first bytes of a server, before it has sent all: what is still needed, or its offer.
#[derive(Debug, PartialEq)]
pub(super) enum Opening {
    /// More bytes are needed.
    More,
    /// Not SSH, or broken.
    Not(String),
    /// The name-lists in the order of the packet.
    Offer(Vec<String>),
}

/// What stands before a server's first packet: other lines may precede the version line (RFC 4253, section 4.2).
#[derive(Debug, PartialEq)]
pub(super) enum Preamble {
    /// More bytes are needed.
    More,
    /// No SSH server begins like this.
    Not(String),
    /// Where the version line begins.
    Version(usize),
}

/// As many lines as OpenSSH's client accepts before the version line.
const MOST_LINES: usize = 1024;
/// As long as such a line, and the version line, may be there, bytes.
const LONGEST_LINE: usize = 8192;
/// And all of them together, bytes.
const LONGEST_PREAMBLE: usize = 64 << 10;

/// Looks for the version line.
pub(super) fn preamble(bytes: &[u8]) -> Preamble {
    let mut at = 0;
    for (number, line) in bytes.split_inclusive(|&b| b == b'\n').enumerate() {
        if line.starts_with(b"SSH-") && line.ends_with(b"\n") && line.len() <= LONGEST_LINE {
            return Preamble::Version(at);
        }
        if line.len() > LONGEST_LINE || number >= MOST_LINES || at > LONGEST_PREAMBLE {
            return Preamble::Not(format!("no version line in the first {} bytes", at + line.len()));
        }
        at += line.len();
    }
    Preamble::More
}

/// Reads a server's preamble and its KEXINIT.
pub(super) fn opening(bytes: &[u8]) -> Opening {
    let rest = match preamble(bytes) {
        Preamble::More => return Opening::More,
        Preamble::Not(why) => return Opening::Not(why),
        Preamble::Version(at) => {
            let line = bytes[at..].iter().position(|&b| b == b'\n').map_or(0, |end| end + 1);
            &bytes[at + line..]
        }
    };
    let Some((length, packet)) = u32_at(rest) else { return Opening::More };
    if length > 35_000 {
        return Opening::Not("its first packet is not a key exchange".into());
    }
    if packet.len() < length as usize {
        return Opening::More;
    }
    match lists(&packet[..length as usize]) {
        Some(lists) => Opening::Offer(lists),
        None => Opening::Not("its first packet is not a key exchange".into()),
    }
}

fn u32_at(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*head), rest))
}

/// Padding length, message number and cookie, then ten name-lists.
fn lists(packet: &[u8]) -> Option<Vec<String>> {
    if packet.get(1) != Some(&SSH_MSG_KEXINIT) {
        return None;
    }
    let mut rest = packet.get(18..)?;
    (0..10)
        .map(|_| {
            let (length, after) = u32_at(rest)?;
            let list = after.get(..length as usize)?;
            rest = &after[length as usize..];
            Some(String::from_utf8_lossy(list).into_owned())
        })
        .collect()
}

/// Which classes have nothing in common with what we offered, in words, with the flag that helps.
pub(super) fn explain(offered: &[String], with_legacy: bool) -> Option<String> {
    let mut words = Vec::new();
    let mut legacy_helps = true;
    for (&(class, _, modern, legacy), list) in CLASSES.iter().zip(LISTS) {
        let theirs = offered.get(list)?;
        let has = |ours: &str| theirs.split(',').any(|name| ours.split(',').any(|own| own == name));
        if !has(&offer(modern, legacy, with_legacy)) {
            legacy_helps &= !with_legacy && has(legacy);
            words.push(format!("no common {class} algorithm (the device offers {})", shortened(theirs)));
        }
    }
    if words.is_empty() {
        return None;
    }
    let words = words.join("; ");
    Some(if legacy_helps { format!("{words}; --algorithms legacy has one") } else { words })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(lists: [&str; 10]) -> Vec<u8> {
        let mut packet = vec![0, SSH_MSG_KEXINIT];
        packet.extend([7; 16]);
        for list in lists {
            packet.extend((list.len() as u32).to_be_bytes());
            packet.extend(list.as_bytes());
        }
        packet.extend([0; 5]);
        let mut bytes = b"welcome\r\nSSH-2.0-old\r\n".to_vec();
        bytes.extend((packet.len() as u32).to_be_bytes());
        bytes.extend(packet);
        bytes
    }

    #[test]
    fn the_class_without_a_common_algorithm_is_named_with_the_flag_that_helps() {
        let old = server([
            "diffie-hellman-group1-sha1",
            "ssh-rsa",
            "aes128-ctr",
            "aes128-ctr",
            "hmac-sha2-256",
            "hmac-sha2-256",
            "none",
            "none",
            "",
            "",
        ]);
        for end in 0..old.len() {
            assert_eq!(opening(&old[..end]), Opening::More, "{end}");
        }
        let Opening::Offer(lists) = opening(&old) else { panic!("no offer") };
        let words = explain(&lists, false).expect("nothing in common");
        assert!(
            words.contains("no common key exchange algorithm (the device offers diffie-hellman-group1-sha1)"),
            "{words}"
        );
        assert!(words.contains("no common host key algorithm (the device offers ssh-rsa)"), "{words}");
        assert!(words.ends_with("--algorithms legacy has one") && !words.contains("cipher"), "{words}");
        assert_eq!(explain(&lists, true), None);
    }

    #[test]
    fn what_is_not_ssh_is_said() {
        assert!(matches!(opening(b"SSH-2.0-x\r\n\xff\xff\xff\xff"), Opening::Not(_)));
        assert_eq!(opening(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Opening::More);
        assert!(matches!(opening(&[b'x'; 9000]), Opening::Not(_)));
        assert!(matches!(opening(&b"hello\r\n".repeat(1025)), Opening::Not(_)));
        assert_eq!(opening(&b"hello\r\n".repeat(1024)), Opening::More);
        assert_eq!(preamble(b"hello\r\nSSH-2.0-x\r\nrest"), Preamble::Version(7));
        assert_eq!(preamble(b"hello\r\nSSH-2.0-x"), Preamble::More);
    }
}
