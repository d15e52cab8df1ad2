//! Host keys: one of a device's own, the same for the same seed.

use std::sync::OnceLock;

use modtools::platform::Platform;
use russh::{
    Preferred, SshId, cipher, compression, kex,
    keys::{
        Algorithm, PrivateKey,
        key::safe_rng,
        ssh_key::{
            Error,
            private::{Ed25519Keypair, KeypairData, RsaKeypair},
        },
    },
    mac,
};
use sha2::{Digest, Sha256};

use crate::{fault::Kind, fleet::Device, personality};

/// The host key of a device.
pub fn host_key(device: &Device) -> Result<PrivateKey, Error> {
    if device.has(Kind::LegacyOnly) { rsa() } else { ed25519(device, "host key") }
}

/// What `known_hosts` says of it: type and key.
pub fn announced(device: &Device) -> Result<String, Error> {
    let key =
        if device.has(Kind::WrongHostKey) { ed25519(device, "another key")? } else { host_key(device)? };
    key.public_key().to_openssh()
}

fn ed25519(device: &Device, purpose: &str) -> Result<PrivateKey, Error> {
    let mut digest = Sha256::new();
    digest.update(format!("ccap-sim {purpose} {}", device.address));
    digest.update(device.seed.to_le_bytes());
    PrivateKey::new(KeypairData::from(Ed25519Keypair::from_seed(&digest.finalize().into())), "")
}

/// One RSA key for all old devices of a run: making one takes the time of a thousand others.
fn rsa() -> Result<PrivateKey, Error> {
    static KEY: OnceLock<Result<PrivateKey, Error>> = OnceLock::new();
    let make = || PrivateKey::new(KeypairData::from(RsaKeypair::random(&mut safe_rng(), 2048)?), "");
    KEY.get_or_init(make).clone()
}

/// The algorithms that a device offers.
pub fn algorithms(device: &Device) -> Preferred {
    let Some(fault) = device.fault(Kind::LegacyOnly) else {
        return Preferred::default();
    };
    const ALL: (&[kex::Name], &[cipher::Name]) =
        (&[kex::DH_G14_SHA1, kex::DH_G1_SHA1], &[cipher::AES_128_CBC, cipher::TRIPLE_DES_CBC]);
    const OLDEST: (&[kex::Name], &[cipher::Name]) = (&[kex::DH_G1_SHA1], &[cipher::TRIPLE_DES_CBC]);
    let (kex, cipher) = if fault.argument.as_deref() == Some("group1") { OLDEST } else { ALL };
    Preferred {
        kex: kex.into(),
        key: vec![Algorithm::Rsa { hash: None }].into(),
        host_key_certificates: Vec::new().into(),
        cipher: cipher.into(),
        mac: (&[mac::HMAC_SHA1] as &[mac::Name]).into(),
        compression: (&[compression::NONE] as &[compression::Name]).into(),
    }
}

/// What the SSH server of a family calls itself.
pub fn software(platform: Platform) -> SshId {
    SshId::Standard(personality::of(platform).software().into())
}
