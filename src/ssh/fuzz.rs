//! Properties of what is read before a login, for any bytes.

use std::path::Path;

use super::{
    kexinit,
    known_hosts::{KnownHosts, key_type},
};

/// The begin of any server is an offer, or no SSH, and more bytes are asked for within bounds only.
pub fn server(bytes: &[u8]) {
    let whole = kexinit::opening(bytes);
    assert!(whole != kexinit::Opening::More || bytes.len() < 128 << 10);
    if let kexinit::Opening::Offer(lists) = &whole {
        assert!(lists.iter().map(String::len).sum::<usize>() <= 3 * bytes.len());
    }
    // More bytes take nothing back.
    let half = kexinit::opening(&bytes[..bytes.len() / 2]);
    assert!(matches!(half, kexinit::Opening::More) || half == whole, "{half:?} became {whole:?}");
}

/// Any file of host keys is looked through in time.
pub fn known_hosts(bytes: &[u8]) {
    let mut hosts = KnownHosts::default();
    hosts.add(Path::new("known_hosts"), bytes);
    for name in ["ccap001", "[10.0.0.1]:2222", "a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"] {
        for kind in hosts.key_types(name) {
            assert!(!kind.is_empty() && kind.len() <= bytes.len());
        }
    }
    // A key that the network sends.
    let _ = key_type(bytes);
}

crate::fuzz::held! { server: any_server_begins_within_bounds, known_hosts: any_known_hosts_are_read }
