//! What a file of one secret may hold, on every system.

use crate::text::encoding;

/// Bytes of the longest secret.
pub(super) const LONGEST: u64 = 64 << 10;

/// Who may read a file of secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readers {
    /// Its owner alone.
    Owner,
    /// Whoever gave it to us has seen to that.
    Any,
}

/// The secret that these bytes are: UTF-8, one line; none where systemd left a credential empty.
pub(super) fn judge(bytes: &[u8], readers: Readers) -> Result<Option<String>, String> {
    if bytes.len() as u64 > LONGEST {
        return Err(format!("more than {} KiB: this is the wrong file", LONGEST >> 10));
    }
    let text = encoding::utf8(bytes).map_err(|problem| problem.to_string())?;
    let secret = text.trim_end_matches(['\r', '\n']);
    match secret {
        // A credential that systemd could not load is an empty line (SetCredential= has no less).
        "" if readers == Readers::Any => Ok(None),
        "" => Err("it is empty".to_owned()),
        _ if secret.contains(['\r', '\n']) => Err("it holds more than one line".to_owned()),
        _ => Ok(Some(secret.to_owned())),
    }
}
