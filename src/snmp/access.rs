//! How a device is asked: by a community (v2c) or as a user (v3), as the settings say. Nothing here can be shown.

use crate::{
    closed_set::{closed_set, listed},
    error::{Error, Result},
    settings::{Secret, Settings},
};

/// The shortest password of a user (RFC 3414, section 11.2).
const SHORTEST: usize = 8;

closed_set! {
    /// How requests of a user are signed: HMAC (RFC 3414, RFC 7860).
    #[allow(missing_docs)]
    pub enum AuthProtocol {
        Md5 = "MD5",
        Sha1 = "SHA",
        Sha224 = "SHA-224",
        Sha256 = "SHA-256",
        Sha384 = "SHA-384",
        Sha512 = "SHA-512",
    }
}

closed_set! {
    /// How requests of a user are encrypted.
    pub enum PrivProtocol {
        /// CBC-DES (RFC 3414).
        Des = "DES",
        /// CFB-AES-128 (RFC 3826).
        Aes128 = "AES",
        /// CFB-AES-192, its key extended as in draft-blumenthal-aes-usm-04.
        Aes192 = "AES-192",
        /// CFB-AES-256, its key extended as in draft-blumenthal-aes-usm-04.
        Aes256 = "AES-256",
        /// CFB-AES-192, its key extended as Cisco does.
        Aes192C = "AES-192-C",
        /// CFB-AES-256, its key extended as Cisco does.
        Aes256C = "AES-256-C",
    }
}

/// What a device is asked with.
#[derive(Clone, Debug)]
pub enum Access {
    /// SNMP v2c.
    Community(Secret),
    /// SNMP v3.
    User(User),
}

/// A user of SNMP v3.
#[derive(Clone, Debug)]
pub struct User {
    /// Its name.
    pub name: String,
    /// What messages call it: an account of the same name over SSH is another one.
    pub account: String,
    /// How its requests are signed, and its password; none: they are not.
    pub auth: Option<(AuthProtocol, Secret)>,
    /// How they are encrypted, and the password for it; none: they are not.
    pub privacy: Option<(PrivProtocol, Secret)>,
}

impl Access {
    /// What the settings say: a user where there is one, else a community.
    ///
    /// # Errors
    /// [`Error::Usage`] that names the setting which is missing or wrong; the errors of secrets.
    pub fn of_settings(settings: &Settings) -> Result<Option<Self>> {
        if let Some(name) = settings.get("SNMP_USER")? {
            return user(settings, name).map(|user| Some(Access::User(user)));
        }
        Ok(settings.secret("SNMP_COMMUNITY")?.map(Access::Community))
    }

    /// Whose rejections count together; a community is never rejected, only not answered.
    #[must_use]
    pub fn account(&self) -> &str {
        match self {
            Access::Community(_) => "(SNMP community)",
            Access::User(user) => &user.account,
        }
    }

    /// What no transcript may hold.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        match self {
            Access::Community(community) => vec![community.clone()],
            Access::User(User { auth, privacy, .. }) => {
                let auth = auth.iter().map(|(_, password)| password.clone());
                auth.chain(privacy.iter().map(|(_, password)| password.clone())).collect()
            }
        }
    }
}

fn user(settings: &Settings, name: String) -> Result<User> {
    let auth = match protocol(
        settings,
        "SNMP_AUTH",
        AuthProtocol::Sha1,
        &AuthProtocol::ALL,
        AuthProtocol::word,
    )? {
        Protocol::None => None,
        Protocol::Given(protocol) | Protocol::Default(protocol) => {
            let password = password(settings, "SNMP_AUTH_PASSWORD")?.ok_or_else(|| {
                let place = settings.place("SNMP_AUTH_PASSWORD");
                Error::usage(format!(
                    "SNMP user {name} has no password: set {place}, or SNMP_AUTH=none where the devices want none"
                ))
            })?;
            Some((protocol, password))
        }
    };
    let privacy = match protocol(
        settings,
        "SNMP_PRIV",
        PrivProtocol::Aes128,
        &PrivProtocol::ALL,
        PrivProtocol::word,
    )? {
        Protocol::None => None,
        Protocol::Given(protocol) => {
            let place = settings.place("SNMP_PRIV_PASSWORD");
            let missing = || Error::usage(format!("SNMP_PRIV is set and its password is not: set {place}"));
            Some((protocol, password(settings, "SNMP_PRIV_PASSWORD")?.ok_or_else(missing)?))
        }
        Protocol::Default(protocol) => {
            password(settings, "SNMP_PRIV_PASSWORD")?.map(|password| (protocol, password))
        }
    };
    if auth.is_none() && privacy.is_some() {
        return Err(Error::usage(
            "SNMP_AUTH=none: SNMP v3 encrypts only what it signs; set SNMP_PRIV=none too",
        ));
    }
    let account = format!("{name} (SNMP)");
    Ok(User { name, account, auth, privacy })
}

fn password(settings: &Settings, name: &str) -> Result<Option<Secret>> {
    match settings.secret(name)? {
        Some(password) if password.reveal().len() < SHORTEST => Err(Error::usage(format!(
            "{name} is shorter than {SHORTEST} characters, which SNMP v3 does not allow"
        ))),
        password => Ok(password),
    }
}

enum Protocol<T> {
    None,
    Given(T),
    Default(T),
}

/// A protocol by its name, with or without dashes: `SHA-256`, `sha256`, `AES`, `aes-128`, `none`.
fn protocol<T: Copy>(
    settings: &Settings,
    setting: &str,
    default: T,
    all: &[T],
    word: fn(T) -> &'static str,
) -> Result<Protocol<T>> {
    let Some(given) = settings.get(setting)? else { return Ok(Protocol::Default(default)) };
    let plain = |text: &str| text.trim().replace(['-', '_'], "").to_ascii_uppercase();
    let wanted = match plain(&given).as_str() {
        "NONE" => return Ok(Protocol::None),
        "SHA1" => "SHA".to_owned(),
        "AES128" => "AES".to_owned(),
        other => other.to_owned(),
    };
    all.iter().find(|&&known| plain(word(known)) == wanted).map(|&known| Protocol::Given(known)).ok_or_else(
        || {
            let words = listed(all.iter().map(|&known| word(known)));
            Error::usage(format!("{setting}={given:?} is not known; expected one of {words}, none"))
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(pairs: &[(&str, &str)]) -> Result<Option<Access>> {
        Access::of_settings(&Settings::of(pairs.iter().copied()))
    }

    #[test]
    fn a_user_comes_before_a_community_and_nothing_is_shown() {
        assert!(matches!(access(&[]), Ok(None)));
        let community = access(&[("SNMP_COMMUNITY", "s3cret-community")]);
        assert!(matches!(community, Ok(Some(Access::Community(_)))));
        let all = [
            ("SNMP_COMMUNITY", "s3cret-community"),
            ("SNMP_USER", "ops"),
            ("SNMP_AUTH", "sha256"),
            ("SNMP_AUTH_PASSWORD", "s3cret-auth"),
            ("SNMP_PRIV", "AES-256-C"),
            ("SNMP_PRIV_PASSWORD", "s3cret-priv"),
        ];
        let Ok(Some(Access::User(user))) = access(&all) else { panic!("a user") };
        assert_eq!(user.auth.as_ref().map(|auth| auth.0), Some(AuthProtocol::Sha256));
        assert_eq!(user.privacy.as_ref().map(|privacy| privacy.0), Some(PrivProtocol::Aes256C));
        assert!(!format!("{community:?} {user:?}").contains("s3cret"));
        let Ok(Some(Access::User(user))) = access(&[("SNMP_USER", "ops"), ("SNMP_AUTH", "none")]) else {
            panic!("a user")
        };
        assert!(user.auth.is_none() && user.privacy.is_none());
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let (user, password) = (("SNMP_USER", "ops"), ("SNMP_AUTH_PASSWORD", "long enough"));
        for (pairs, word) in [
            (&[user][..], "SNMP_AUTH_PASSWORD"),
            (&[user, ("SNMP_AUTH_PASSWORD", "short")], "8 characters"),
            (&[user, password, ("SNMP_AUTH", "sha3")], "SHA-512, none"),
            (&[user, password, ("SNMP_PRIV", "AES")], "SNMP_PRIV_PASSWORD"),
            (&[user, password, ("SNMP_PRIV", "3DES")], "AES-256-C"),
            (&[user, ("SNMP_AUTH", "none"), ("SNMP_PRIV_PASSWORD", "long enough")], "SNMP_PRIV=none"),
        ] {
            let error = access(pairs).expect_err(word).to_string();
            assert!(error.contains(word) && !error.contains("long enough"), "{error}");
        }
    }
}
