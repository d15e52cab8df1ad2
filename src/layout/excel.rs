//! `--format csv-excel`: the rows as a spreadsheet opens them by a double click. Semicolons, a byte-order mark, the
//! decimal sign of the language, and names that look like dates or numbers kept as text.

use std::{
    borrow::Borrow,
    io::{self, Write},
};

use super::full;
use crate::{language::Language, record::Row};

/// The columns that hold text, whatever it looks like.
const TEXT: [&str; 11] =
    ["cmts", "upstream", "platform", "description", "node", "hub", "area", "hours", "url", "says", "why"];

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
    let names: Vec<String> = full::names().collect();
    let is_text: Vec<bool> = names.iter().map(|name| TEXT.contains(&name.as_str())).collect();
    writer.write_record(&names)?;
    for row in rows {
        let cells = full::cells(row.borrow()).zip(&is_text);
        writer.write_record(cells.map(|(cell, &is_text)| match is_text {
            true => as_text(cell),
            false => as_number(cell, language),
        }))?;
    }
    writer.flush()
}

/// A spreadsheet takes 1/5/25 for a day of May and 6666 for a number; a formula that gives a text does not change.
fn as_text(cell: String) -> String {
    let looks_like_a_number = cell.starts_with(|c: char| c.is_ascii_digit())
        && cell.chars().all(|c| c.is_ascii_digit() || "/.-:, eE+%".contains(c));
    if looks_like_a_number { format!("=\"{cell}\"") } else { cell }
}

fn as_number(cell: String, language: Language) -> String {
    match language {
        Language::Nl if cell.parse::<f64>().is_ok() => cell.replace('.', ","),
        _ => cell,
    }
}
