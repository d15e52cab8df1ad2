//! Tables of text: each column as wide as its widest cell, and at least as wide as asked.

use unicode_width::UnicodeWidthStr as _;

/// Where the cells of a column stand, and how wide it is at least.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum Column {
    Left(usize),
    Right(usize),
}

/// The lines of a table without blanks at their ends. `gap` blanks stand between two columns.
#[must_use]
pub fn lines(columns: &[Column], rows: &[Vec<String>], gap: usize) -> Vec<String> {
    let width = |(at, column): (usize, &Column)| {
        let (Column::Left(least) | Column::Right(least)) = *column;
        rows.iter().map(|cells| cells[at].width()).max().unwrap_or(0).max(least)
    };
    let widths: Vec<_> = columns.iter().enumerate().map(width).collect();
    let line = |cells: &Vec<String>| {
        let mut line = String::new();
        for ((cell, column), width) in cells.iter().zip(columns).zip(&widths) {
            let blanks = " ".repeat(width - cell.width());
            match column {
                Column::Left(_) => line.extend([cell.as_str(), &blanks]),
                Column::Right(_) => line.extend([blanks.as_str(), cell]),
            }
            line += &" ".repeat(gap);
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
