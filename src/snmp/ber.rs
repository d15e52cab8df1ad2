//! The few BER encodings of a request (X.690, with the definite lengths that SNMP asks for).

use super::Oid;

/// `GetRequest-PDU`.
pub(super) const GET: u8 = 0xa0;
/// `GetBulkRequest-PDU`.
pub(super) const GET_BULK: u8 = 0xa5;

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const NULL: [u8; 2] = [0x05, 0];
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// A tag, a length, and the content.
pub(super) fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length) if length < 0x80 => bytes.push(length),
        _ => {
            let length = content.len().to_be_bytes();
            let significant = &length[length.iter().position(|&byte| byte != 0).unwrap_or(0)..];
            bytes.push(0x80 | significant.len() as u8);
            bytes.extend_from_slice(significant);
        }
    }
    bytes.extend_from_slice(content);
    bytes
}

pub(super) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tagged(SEQUENCE, &parts.concat())
}

pub(super) fn integer(number: i32) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let sign = if number < 0 { 0xff } else { 0 };
    // A leading byte goes while it only repeats the sign.
    let superfluous = |at: &usize| bytes[*at] == sign && (bytes[at + 1] ^ sign) < 0x80;
    let from = (0..3).take_while(superfluous).count();
    tagged(INTEGER, &bytes[from..])
}

pub(super) fn octets(bytes: &[u8]) -> Vec<u8> {
    tagged(OCTETS, bytes)
}

/// A request for these objects. For GETBULK the two numbers are non-repeaters and repetitions.
pub(super) fn request(tag: u8, id: i32, numbers: [i32; 2], objects: &[&Oid]) -> Vec<u8> {
    let bindings: Vec<Vec<u8>> =
        objects.iter().map(|oid| sequence(&[tagged(OBJECT, &oid.to_ber()), NULL.to_vec()])).collect();
    let [first, second] = numbers.map(integer);
    tagged(tag, &[integer(id), first, second, sequence(&bindings)].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lengths_are_as_short_as_they_can_be() {
        for (number, bytes) in [
            (0, &[0][..]),
            (127, &[127]),
            (128, &[0, 128]),
            (-1, &[0xff]),
            (-129, &[0xff, 0x7f]),
            (65_507, &[0, 0xff, 0xe3]),
            (i32::MAX, &[0x7f, 0xff, 0xff, 0xff]),
            (i32::MIN, &[0x80, 0, 0, 0]),
        ] {
            assert_eq!(integer(number)[2..], *bytes, "{number}");
        }
        assert_eq!(octets(&[0; 127])[..2], [OCTETS, 127]);
        assert_eq!(octets(&[0; 128])[..3], [OCTETS, 0x81, 128]);
        assert_eq!(octets(&[0; 300])[..4], [OCTETS, 0x82, 1, 44]);
    }
}
