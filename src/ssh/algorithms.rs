//! Which SSH algorithms are offered: a modern set, and one with what old CMTSs still need behind it.

use ssh2::MethodType;

/// Which sets a device may be offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Algorithms {
    /// Modern first; when the key exchange finds nothing in common, once more with the legacy ones
    #[default]
    Auto,
    /// Only modern ones
    Modern,
    /// Modern ones, and behind them SHA-1, CBC and 3DES for old devices
    Legacy,
}

/// The classes of a key exchange, in the order of RFC 4253, section 7.1: name, modern, legacy. libssh2 skips
/// names that it does not know.
pub(super) const CLASSES: [(&str, MethodType, &str, &str); 4] = [
    (
        "key exchange",
        MethodType::Kex,
        "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,\
         ecdh-sha2-nistp521,diffie-hellman-group18-sha512,diffie-hellman-group16-sha512,\
         diffie-hellman-group-exchange-sha256,diffie-hellman-group14-sha256",
        "diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1,diffie-hellman-group1-sha1",
    ),
    (
        "host key",
        MethodType::HostKey,
        "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256",
        "ssh-rsa,ssh-dss",
    ),
    (
        "cipher",
        MethodType::CryptCs,
        "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr,aes192-ctr,\
         aes128-ctr",
        "aes256-cbc,aes192-cbc,aes128-cbc,3des-cbc",
    ),
    (
        "MAC",
        MethodType::MacCs,
        "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512",
        "hmac-sha1-etm@openssh.com,hmac-sha1,hmac-sha1-96,hmac-md5",
    ),
];

/// The names to offer in a class, best first.
pub(super) fn offer(modern: &str, legacy: &str, with_legacy: bool) -> String {
    if with_legacy { format!("{modern},{legacy}") } else { modern.to_owned() }
}

/// The algorithms of one class that this build can use.
#[derive(Clone, Debug)]
pub struct Class {
    /// `key exchange`, `host key`, `cipher`, `MAC`.
    pub name: &'static str,
    /// Offered first.
    pub modern: Vec<&'static str>,
    /// Offered behind them, and only where that is allowed.
    pub legacy: Vec<&'static str>,
}

/// Every algorithm that this build can use.
pub fn supported() -> Result<Vec<Class>, ssh2::Error> {
    let session = ssh2::Session::new()?;
    CLASSES
        .iter()
        .map(|&(name, method, modern, legacy)| {
            let known = session.supported_algs(method)?;
            let usable = |names: &'static str| {
                names.split(',').filter(|name| known.contains(name)).collect::<Vec<_>>()
            };
            Ok(Class { name, modern: usable(modern), legacy: usable(legacy) })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// libssh2-sys 0.3.4 drops these silently unless its C build gets defines that nobody can pass
    /// reliably, and then every old CMTS answers "no common algorithm".
    #[test]
    fn what_old_cmts_need_is_in_the_linked_library() -> Result<(), ssh2::Error> {
        let all: Vec<&str> =
            supported()?.into_iter().flat_map(|class| [class.modern, class.legacy].concat()).collect();
        for name in [
            "diffie-hellman-group1-sha1",
            "diffie-hellman-group14-sha1",
            "diffie-hellman-group-exchange-sha1",
            "ssh-rsa",
            "aes128-cbc",
            "3des-cbc",
            "hmac-sha1",
            "curve25519-sha256",
            "ssh-ed25519",
            "rsa-sha2-512",
            "aes256-ctr",
            "hmac-sha2-256",
        ] {
            assert!(all.contains(&name), "{name} is missing: {all:?}");
        }
        Ok(())
    }
}
