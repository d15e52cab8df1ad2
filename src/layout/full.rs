//! The rows as CSV (RFC 4180: CRLF, quotes where they are needed), with the names of the record's fields as
//! the header. Text cells that a spreadsheet would take for a formula are made harmless.

use std::{
    borrow::Borrow,
    io::{self, Write},
};

pub use crate::record::Cell;
use crate::{record::Row, relay};

/// All columns, in every report the same. The text of rows is made while the next ones are.
pub fn write<R: Borrow<Row> + Send>(
    rows: impl IntoIterator<Item = R>,
    output: &mut dyn Write,
) -> io::Result<()> {
    Table::new(&Row::names(), &mut *output)?.finish()?;
    let text = |rows: Vec<R>| {
        let mut text = Vec::new();
        let mut table = Table::without_names(&mut text);
        rows.iter().try_for_each(|row| table.line(row.borrow().cells()))?;
        table.finish()?;
        Ok::<_, io::Error>(text)
    };
    relay::of_items(rows, text, |text| output.write_all(&text?))
}

/// A CSV file of any columns.
pub struct Table<W: Write> {
    writer: csv::Writer<W>,
    line: csv::ByteRecord,
}

impl<W: Write> Table<W> {
    /// Begins with the names of the columns.
    pub fn new(names: &[String], output: W) -> io::Result<Self> {
        let mut table = Table::without_names(output);
        table.writer.write_record(names)?;
        Ok(table)
    }

    fn without_names(output: W) -> Self {
        let writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(output);
        Table { writer, line: csv::ByteRecord::new() }
    }

    /// Writes a line.
    pub fn line<'c>(&mut self, cells: impl IntoIterator<Item = Cell<'c>>) -> io::Result<()> {
        self.line.clear();
        cells.into_iter().for_each(|cell| self.line.push_field(cell.to_csv().as_bytes()));
        Ok(self.writer.write_byte_record(&self.line)?)
    }

    /// Writes what is left.
    pub fn finish(mut self) -> io::Result<()> {
        self.writer.flush()
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
