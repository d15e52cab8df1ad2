//! Patterns of names, such as `CCAP0*`.

use globset::{GlobBuilder, GlobMatcher};

use crate::error::{Error, Result};

/// `*` does not stop at a slash: upstreams are full of them.
///
/// # Errors
/// [`Error::Usage`], naming the flag or file.
pub fn glob(place: &str, text: &str) -> Result<GlobMatcher> {
    let glob = GlobBuilder::new(text).case_insensitive(true).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|e| {
        Error::usage(format!("{place}: invalid pattern {text:?}; example: CCAP0* ({})", e.kind()))
    })
}
