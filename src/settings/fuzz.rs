//! Properties of env files, for any bytes.

use super::env_file::{LONGEST_VALUE, expand, parse};

/// Any env file has settings and lines that are none, and no value grows beyond its bound.
pub fn env_file(bytes: &[u8]) {
    let Ok(text) = crate::text::encoding::utf8(bytes) else { return };
    let (bindings, unread) = parse(text);
    assert!(bindings.len() + unread.len() <= text.len() + 1);
    for line in unread {
        assert!(line >= 1 && line <= text.lines().count() + 1);
    }
    let whole = expand(text, |name| (name.len() % 3 > 0).then_some("${A}x"));
    assert!(whole.is_none_or(|value| value.len() <= 2 * LONGEST_VALUE));
}

crate::fuzz::held! { env_file: any_env_file_is_read }
