//! The rows of a report as CSV: the columns of every layout, for whoever has rows as records.

pub mod excel;
pub mod full;
pub mod seed;

use std::io::{self, Write};

use crate::{cli::report::Layout, record::Row};

/// The rows of a report as the CSV of a layout, for stages that have them as records.
pub fn write_csv<'a>(
    layout: Layout,
    rows: impl IntoIterator<Item = &'a Row>,
    output: &mut dyn Write,
) -> io::Result<()> {
    match layout {
        Layout::Full => full::write(rows, output),
        Layout::Seed => seed::write(rows, output),
    }
}
