//! Properties of cleaning and escaping, for any bytes.

use super::{clean, csv_cell, html, terminal};
use crate::fuzz::bounded;

/// Cleaned text is at most four times as long, and has no control characters but tabs and line feeds.
pub fn cleaner(bytes: &[u8]) {
    let text = clean(bytes);
    bounded("cleaned", text.len(), 4, bytes);
    let is_left = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    assert!(!text.contains(is_left), "{text:?}");
    for safe in [terminal(&text), csv_cell(&text)] {
        assert!(!safe.contains(char::is_control), "{safe:?}");
    }
    assert!(!csv_cell(&text).trim_start_matches([' ', '"']).starts_with(['=', '+', '-', '@']));
    assert!(!html(&text).contains(['<', '>', '"', '\'']));
}

crate::fuzz::held! { cleaner: any_bytes_are_cleaned }
