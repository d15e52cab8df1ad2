//! `--format csv-excel`: the rows as a spreadsheet opens them by a double click. Semicolons, a byte-order mark, the
//! decimal sign of the language, and names that look like dates or numbers kept as text.

use std::{
    borrow::{Borrow, Cow},
    io::{self, Write},
};

use super::full::{self, Cell};
use crate::{language::Language, record::Row};

/// All columns of the full layout.
///
/// # Errors
/// Those of the writer.
pub fn write<R: Borrow<Row>>(
    rows: impl IntoIterator<Item = R>,
    language: Language,
    output: &mut dyn Write,
) -> io::Result<()> {
    output.write_all("\u{feff}".as_bytes())?;
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).delimiter(b';').from_writer(output);
    writer.write_record(full::names())?;
    for row in rows {
        for cell in full::cells(row.borrow()) {
            writer.write_field(in_excel(&cell, language).as_bytes())?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.flush()
}

fn in_excel<'a>(cell: &'a Cell<'_>, language: Language) -> Cow<'a, str> {
    let plain = cell.to_csv();
    match cell {
        Cell::Text(_) if looks_like_a_number(&plain) => Cow::Owned(format!("=\"{plain}\"")),
        Cell::Number(_) if language == Language::Nl => Cow::Owned(plain.replace('.', ",")),
        _ => plain,
    }
}

/// A spreadsheet takes 1/5/25 for a day of May and 6666 for a number; a formula that gives a text does not change.
fn looks_like_a_number(cell: &str) -> bool {
    cell.starts_with(|c: char| c.is_ascii_digit())
        && cell.chars().all(|c| c.is_ascii_digit() || "/.-:, eE+%".contains(c))
}
