//! `--format csv-excel`: the rows as a spreadsheet opens them by a double click. Semicolons, a byte-order mark, the
//! decimal sign of the language, and names that look like dates or numbers kept as text.

use std::{
    borrow::{Borrow, Cow},
    io::{self, Write},
};

use crate::{
    language::Language,
    record::{Cell, Row},
};

/// All columns of the full layout.
pub fn write<R: Borrow<Row>>(
    rows: impl IntoIterator<Item = R>,
    language: Language,
    output: &mut dyn Write,
) -> io::Result<()> {
    let mut sheet = Sheet::new(&Row::names(), language, output)?;
    rows.into_iter().try_for_each(|row| sheet.line(row.borrow().cells()))?;
    sheet.finish()
}

/// A sheet of any columns.
pub struct Sheet<W: Write> {
    writer: csv::Writer<W>,
    language: Language,
}

impl<W: Write> Sheet<W> {
    /// Begins with the names of the columns.
    pub fn new(names: &[String], language: Language, mut output: W) -> io::Result<Self> {
        output.write_all("\u{feff}".as_bytes())?;
        let mut writer =
            csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).delimiter(b';').from_writer(output);
        writer.write_record(names)?;
        Ok(Sheet { writer, language })
    }

    /// Writes a line.
    pub fn line<'c>(&mut self, cells: impl IntoIterator<Item = Cell<'c>>) -> io::Result<()> {
        for cell in cells {
            self.writer.write_field(in_excel(&cell, self.language).as_bytes())?;
        }
        self.writer.write_record(None::<&[u8]>)?;
        Ok(())
    }

    /// Writes what is left.
    pub fn finish(mut self) -> io::Result<()> {
        self.writer.flush()
    }
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
