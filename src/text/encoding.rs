//! Text that people write (settings, secrets, inventories, tables) is UTF-8 or it is refused: what another
//! encoding makes of a name or a password is never guessed.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use crate::error::{Error, Result};

/// UTF-8 files of editors on Windows begin with it.
pub const BYTE_ORDER_MARK: char = '\u{feff}';

/// Files that people write are smaller; anything larger is the wrong file.
const LARGEST: u64 = 64 << 20;

/// Why bytes are not text, and on which line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct NotText {
    /// Number of the line, from 1.
    pub line: u64,
    /// What stands there.
    pub kind: Encoding,
}

/// What bytes are instead of UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Encoding {
    /// Two bytes per character, as PowerShell's `>` and "Unicode text" of spreadsheets write.
    #[error("this is UTF-16; save it as UTF-8 (iconv -f UTF-16 -t UTF-8)")]
    Utf16,
    /// A byte that no UTF-8 has in its place.
    #[error(
        "byte 0x{0:02x} is not UTF-8, perhaps Latin-1; save it as UTF-8 (iconv -f WINDOWS-1252 -t UTF-8)"
    )]
    Byte(u8),
    /// A NUL byte.
    #[error("a NUL byte: this is not a text file")]
    Nul,
}

/// Whether bytes begin as UTF-16 text does: with its byte-order mark, or with a NUL in every other byte.
#[must_use]
pub fn is_utf16(bytes: &[u8]) -> bool {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        [a, 0, b, 0, ..] | [0, a, 0, b, ..] => *a != 0 && *b != 0,
        _ => false,
    }
}

/// The text of `bytes`, without a byte-order mark.
///
/// # Errors
/// [`NotText`] with the line: UTF-16, a byte that is not UTF-8, or NUL.
pub fn utf8(bytes: &[u8]) -> Result<&str, NotText> {
    let line = |at: usize| bytes[..at].iter().fold(1, |lines, &byte| lines + u64::from(byte == b'\n'));
    if is_utf16(bytes) {
        return Err(NotText { line: 1, kind: Encoding::Utf16 });
    }
    if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
        return Err(NotText { line: line(at), kind: Encoding::Nul });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)),
        Err(error) => {
            let at = error.valid_up_to();
            Err(NotText { line: line(at), kind: Encoding::Byte(bytes.get(at).copied().unwrap_or(0)) })
        }
    }
}

/// The text of a file that a person wrote. It may be a pipe.
///
/// # Errors
/// [`Error::Read`]; [`Error::Usage`] with file and line when it is not UTF-8, or when it is too large.
pub fn read_file(path: &Path) -> Result<String> {
    let file = fs::File::open(path).map_err(Error::read(path))?;
    read(file, &path.display().to_string(), Error::read(path))
}

/// The text of a stream that a person wrote; `place` names it in messages.
///
/// # Errors
/// `failed` of what the system says; [`Error::Usage`] as [`read_file`].
pub fn read(input: impl Read, place: &str, failed: impl FnOnce(io::Error) -> Error) -> Result<String> {
    let mut bytes = Vec::new();
    let length = input.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if length as u64 > LARGEST {
        return Err(Error::usage(format!(
            "{place}: larger than {} MiB: this is the wrong file",
            LARGEST >> 20
        )));
    }
    match utf8(&bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(problem) => Err(Error::usage(format!("{place} {problem}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_taken_off_and_other_encodings_are_named_with_their_line() {
        assert_eq!(utf8("\u{feff}CCAP001\r\nü".as_bytes()), Ok("CCAP001\r\nü"));
        let utf16: Vec<u8> = "a\nb".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked = [&[0xff, 0xfe], &utf16[..]].concat();
        let big: Vec<u8> = "a\nb".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [utf16, marked, big] {
            assert_eq!(utf8(&bytes), Err(NotText { line: 1, kind: Encoding::Utf16 }), "{bytes:?}");
        }
        let latin = utf8(b"a\nZ\xfcrich\n").expect_err("Latin-1");
        assert_eq!(latin, NotText { line: 2, kind: Encoding::Byte(0xfc) });
        assert!(latin.to_string().contains("line 2") && latin.to_string().contains("UTF-8"), "{latin}");
        assert_eq!(utf8(b"abcd\ne\0"), Err(NotText { line: 2, kind: Encoding::Nul }));
        assert_eq!(utf8(b""), Ok(""));
    }
}
