//! The rows as CSV (RFC 4180: CRLF, quotes where they are needed), with the names of the record's fields as
//! the header. Text cells that a spreadsheet would take for a formula are made harmless.

use std::{
    borrow::Borrow,
    io::{self, Write},
};

pub use crate::record::Cell;
use crate::record::Row;

/// All columns, in every report the same.
pub fn write<R: Borrow<Row>>(rows: impl IntoIterator<Item = R>, output: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new(&Row::names(), output)?;
    rows.into_iter().try_for_each(|row| table.line(row.borrow().cells()))?;
    table.finish()
}

/// A CSV file of any columns.
pub struct Table<W: Write>(csv::Writer<W>);

impl<W: Write> Table<W> {
    /// Begins with the names of the columns.
    pub fn new(names: &[String], output: W) -> io::Result<Self> {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(output);
        writer.write_record(names)?;
        Ok(Table(writer))
    }

    /// Writes a line.
    pub fn line<'c>(&mut self, cells: impl IntoIterator<Item = Cell<'c>>) -> io::Result<()> {
        for cell in cells {
            self.0.write_field(cell.to_csv().as_bytes())?;
        }
        self.0.write_record(None::<&[u8]>)?;
        Ok(())
    }

    /// Writes what is left.
    pub fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The names of all columns.
pub fn names() -> impl Iterator<Item = String> {
    Row::names().into_iter()
}

/// The cells of a row.
pub fn cells(row: &Row) -> impl Iterator<Item = Cell<'_>> {
    row.cells().into_iter()
}
