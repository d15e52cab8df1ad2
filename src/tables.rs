//! Tables that people write: inventory, nodes, maintenance, profiles, expectations. One reader for all of them,
//! because they come out of the same spreadsheets and editors.
//!
//! The first line says how cells are separated (`;`, tab or `,`), and the whole file is read so: a comma in a
//! description of a file with semicolons is text. Cells may stand in quotes, in which a quote is doubled. Blank
//! lines, lines of empty cells, and lines that begin with `#` are passed over.

use std::path::Path;

use crate::{
    error::{Error, Result},
    text::encoding,
};

/// Separators of cells, the rarest in running text first.
const SEPARATORS: [char; 3] = ['\t', ';', ','];

/// A line of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Number of its first line, from 1.
    pub line: u64,
    /// Its cells, without blanks around them.
    pub cells: Vec<String>,
}

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong, with the remedy.
    pub reason: String,
}

/// The lines of a table, one after the other.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    rest: &'a str,
    next_line: u64,
    separator: Option<char>,
    comments_behind: bool,
}

impl<'a> Table<'a> {
    /// The table of a text (without a byte-order mark).
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        let mut table = Table { rest: text, next_line: 1, separator: None, comments_behind: false };
        table.skip_blank();
        let first = table.rest.lines().next().unwrap_or_default();
        if let Some(separator) = first.trim().strip_prefix("sep=") {
            // What Excel writes to itself.
            table.separator = separator.chars().next().filter(|c| SEPARATORS.contains(c));
            table.skip_line();
        } else {
            table.separator = separator_of(first);
        }
        table
    }

    /// A comment may stand behind the cells of a line too, after a blank and `#`.
    #[must_use]
    pub fn with_comments_behind(self) -> Self {
        Table { comments_behind: true, ..self }
    }

    /// What separates cells; none when the first line has one cell.
    #[must_use]
    pub fn separator(&self) -> Option<char> {
        self.separator
    }

    fn skip_line(&mut self) {
        self.next_line += 1;
        self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
    }

    fn skip_blank(&mut self) {
        while !self.rest.is_empty() {
            let line = self.rest.lines().next().unwrap_or_default().trim();
            if !line.is_empty() && !line.starts_with('#') {
                return;
            }
            self.skip_line();
        }
    }

    /// The cells at the beginning of `rest`, and how long they are.
    fn cells(&self) -> Result<(Vec<String>, usize), String> {
        let mut cells = Vec::new();
        let mut at = 0;
        loop {
            let rest = &self.rest[at..];
            let start = at + rest.len() - rest.trim_start_matches([' ', '\u{a0}']).len();
            let (cell, end) = match self.rest[start..].strip_prefix('"') {
                Some(quoted) => {
                    let (cell, length) = unquoted(quoted)?;
                    let end = start + 1 + length;
                    (cell, end + blank_length(&self.rest[end..]))
                }
                None => {
                    let length = self.plain_length(&self.rest[start..]);
                    (self.rest[start..start + length].trim().to_owned(), start + length)
                }
            };
            cells.push(cell);
            let behind = &self.rest[end..];
            match behind.chars().next() {
                None => return Ok((cells, self.rest.len())),
                Some('\n') => return Ok((cells, end + 1)),
                Some(c) if Some(c) == self.separator => at = end + c.len_utf8(),
                Some('#') if self.comments_behind => {
                    return Ok((cells, end + behind.find('\n').map_or(behind.len(), |at| at + 1)));
                }
                Some(_) => return Err("text behind a closing quote; a quote in a cell is doubled".to_owned()),
            }
        }
    }

    /// Length of a cell without quotes.
    fn plain_length(&self, text: &str) -> usize {
        let mut blank = false;
        for (at, c) in text.char_indices() {
            if c == '\n' || Some(c) == self.separator || (c == '#' && blank && self.comments_behind) {
                return at;
            }
            blank = c.is_whitespace();
        }
        text.len()
    }
}

impl Iterator for Table<'_> {
    type Item = Result<Row, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.skip_blank();
            if self.rest.is_empty() {
                return None;
            }
            let line = self.next_line;
            let (cells, length) = match self.cells() {
                Ok(found) => found,
                Err(reason) => {
                    self.skip_line();
                    return Some(Err(Problem { line, reason }));
                }
            };
            let (row, rest) = self.rest.split_at(length);
            self.next_line += row.matches('\n').count() as u64;
            self.rest = rest;
            if cells.iter().any(|cell| !cell.is_empty()) {
                return Some(Ok(Row { line, cells }));
            }
        }
    }
}

/// The separator that a line has most of, outside quotes.
fn separator_of(line: &str) -> Option<char> {
    let mut counts = [0; SEPARATORS.len()];
    let mut quoted = false;
    for c in line.chars() {
        quoted ^= c == '"';
        if let Some(at) = SEPARATORS.iter().position(|&separator| separator == c && !quoted) {
            counts[at] += 1;
        }
    }
    let most = counts.into_iter().max().filter(|&most| most > 0)?;
    counts.iter().position(|&count| count == most).map(|at| SEPARATORS[at])
}

fn blank_length(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\r']).len()
}

/// A cell in quotes, behind its opening one: its text, and the length up to behind the closing one.
fn unquoted(text: &str) -> Result<(String, usize), String> {
    let mut cell = String::new();
    let mut at = 0;
    while let Some(quote) = text[at..].find('"') {
        cell.push_str(&text[at..at + quote]);
        at += quote + 1;
        if !text[at..].starts_with('"') {
            return Ok((cell.trim().to_owned(), at));
        }
        cell.push('"');
        at += 1;
    }
    Err("a quote is opened and not closed".to_owned())
}

/// Where the columns of a table stand, by its first line; names are compared without regard to case.
#[derive(Clone, Debug)]
pub struct Header(Vec<String>);

impl Header {
    /// The columns that a row names.
    #[must_use]
    pub fn new(row: &Row) -> Self {
        Header(row.cells.iter().map(|name| name.to_ascii_lowercase()).collect())
    }

    /// Whether there is such a column.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|column| column.eq_ignore_ascii_case(name))
    }

    /// The cell of a row in a column; none when it is empty, or when the column is missing.
    #[must_use]
    pub fn cell<'r>(&self, row: &'r Row, name: &str) -> Option<&'r str> {
        let at = self.0.iter().position(|column| column.eq_ignore_ascii_case(name))?;
        row.cells.get(at).map(String::as_str).filter(|cell| !cell.is_empty())
    }

    /// Why a row does not belong to this header.
    ///
    /// # Errors
    /// More cells than columns: a separator in a cell that lacks its quotes.
    pub fn check(&self, row: &Row) -> Result<(), Problem> {
        let (cells, columns) = (row.cells.len(), self.0.len());
        let too_many = row.cells.iter().skip(columns).any(|cell| !cell.is_empty());
        if !too_many {
            return Ok(());
        }
        let reason = format!("{cells} cells under {columns} columns; quote a cell that holds the separator");
        Err(Problem { line: row.line, reason })
    }
}

/// The rows of a table whose columns have names: those of its header line, in any order and with others between
/// them, or without a header line the order of `names`. The first `required` of them are in every row.
///
/// Each row comes with the number of its line. A cell that is empty or missing is `""`.
pub fn columns<'a, const N: usize>(
    text: &'a str,
    names: [&'static str; N],
    required: usize,
) -> impl Iterator<Item = Result<(u64, [String; N]), Problem>> + 'a {
    let mut rows = Table::new(text).peekable();
    let mut header = None;
    if let Some(Ok(first)) = rows.peek() {
        let named = Header::new(first);
        if names[..required].iter().all(|column| named.has(column)) {
            header = Some(named);
            rows.next();
        }
    }
    rows.map(move |row| {
        let row = row?;
        let problem = |reason| Problem { line: row.line, reason };
        let cells = match &header {
            Some(header) => {
                header.check(&row)?;
                names.map(|column| header.cell(&row, column).unwrap_or_default().to_owned())
            }
            None if !(required..=N).contains(&row.cells.len()) => {
                let expected = names[..required].join(",");
                let optional: String = names[required..].iter().map(|name| format!("[,{name}]")).collect();
                return Err(problem(format!("{} cells; expected {expected}{optional}", row.cells.len())));
            }
            None => std::array::from_fn(|at| row.cells.get(at).cloned().unwrap_or_default()),
        };
        match names.iter().zip(&cells).take(required).find(|(_, cell)| cell.is_empty()) {
            Some((name, _)) => Err(problem(format!("{name}: the cell is empty"))),
            None => Ok((row.line, cells)),
        }
    })
}

/// Reads a table file whole; every line must be right.
///
/// # Errors
/// [`Error::Read`]; [`Error::Usage`], naming `flag`, file and line.
pub fn read<T>(flag: &str, path: &Path, parse: impl FnOnce(&str) -> Result<T, Problem>) -> Result<T> {
    let text = encoding::read_file(path).map_err(|error| match error {
        Error::Usage(reason) => Error::Usage(format!("{flag} {reason}")),
        other => other,
    })?;
    parse(&text).map_err(|Problem { line, reason }| {
        Error::usage(format!("{flag} {} line {line}: {reason}", path.display()))
    })
}

/// The name of a device or a host as it may stand in a table: no blank, no separator, no quote, and nothing that a
/// program could take for a flag.
///
/// # Errors
/// What the name holds, in words.
pub fn name<'a>(what: &str, text: &'a str) -> Result<&'a str, String> {
    let bad =
        |c: char| c.is_whitespace() || c.is_control() || SEPARATORS.contains(&c) || "\"'{}[]".contains(c);
    match text.chars().find(|&c| bad(c)) {
        Some(c) => Err(format!("invalid {what} {text:?}: it holds {c:?}")),
        None if text.starts_with('-') => Err(format!("invalid {what} {text:?}: it begins with -")),
        None if text.is_empty() => Err(format!("the {what} is empty")),
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Result<Vec<String>, u64>> {
        Table::new(text).map(|row| row.map(|row| row.cells).map_err(|problem| problem.line)).collect()
    }

    fn row(cells: &[&str]) -> Result<Vec<String>, u64> {
        Ok(cells.iter().map(|&cell| cell.to_owned()).collect())
    }

    #[test]
    fn the_first_line_says_how_the_whole_file_is_separated() {
        assert_eq!(rows("a;b\r\nx;y, z\r\n"), [row(&["a", "b"]), row(&["x", "y, z"])]);
        assert_eq!(rows("a\tb\nx\ty; z, u\n"), [row(&["a", "b"]), row(&["x", "y; z, u"])]);
        assert_eq!(
            rows("# works; 2026\n\n a , b\n\"x, \"\"y\"\"\" , z"),
            [row(&["a", "b"]), row(&["x, \"y\"", "z"])]
        );
        assert_eq!(rows("sep=;\na;b\n;;\n"), [row(&["a", "b"])]);
        assert_eq!(rows("\"a;b\",c\n"), [row(&["a;b", "c"])]);
        assert_eq!(rows("a\nb,c\n"), [row(&["a"]), row(&["b,c"])]);
        assert_eq!(
            rows("a,b\n\"two\nlines\",c\nd,e"),
            [row(&["a", "b"]), row(&["two\nlines", "c"]), row(&["d", "e"])]
        );
        assert!(rows("").is_empty() && rows("\n# x\n").is_empty());
    }

    #[test]
    fn a_line_with_a_broken_quote_is_named_and_the_next_one_is_read() {
        assert_eq!(rows("a,b\n\"x\" y,z\nc,\"d\n"), [row(&["a", "b"]), Err(2), Err(3)]);
        assert_eq!(rows("a,b\nc,\"d\ne,f\n"), [row(&["a", "b"]), Err(2), row(&["e", "f"])]);
        let lines: Vec<_> = Table::new("a,\"b\nc\"\nd,e").filter_map(|row| Some(row.ok()?.line)).collect();
        assert_eq!(lines, [1, 3]);
    }

    #[test]
    fn comments_may_stand_behind_cells_where_a_table_allows_it() {
        let text = "CCAP0*,7,64qam # a, b\nx,\"8\",q#1\n";
        let cells: Vec<_> =
            Table::new(text).with_comments_behind().filter_map(|row| Some(row.ok()?.cells)).collect();
        assert_eq!(cells, [vec!["CCAP0*", "7", "64qam"], vec!["x", "8", "q#1"]]);
    }

    #[test]
    fn cells_are_found_by_the_name_of_their_column() {
        let mut table = Table::new("CMTS;Host;\nx;10.0.0.1;\ny;1;2;3\n").map(|row| row.expect("readable"));
        let header = Header::new(&table.next().expect("a header"));
        let first = table.next().expect("a row");
        assert_eq!((header.cell(&first, "cmts"), header.cell(&first, "port")), (Some("x"), None));
        assert!(header.check(&first).is_ok() && header.has("host"));
        let problem = header.check(&table.next().expect("a row")).expect_err("too many");
        assert!(problem.line == 3 && problem.reason.contains("4 cells"), "{problem:?}");
    }

    #[test]
    fn a_name_holds_no_blank_and_no_separator() {
        assert_eq!(name("device name", "AMS-CCAP001.example.net"), Ok("AMS-CCAP001.example.net"));
        for bad in ["Noord,3", "a b", "a;b", "-oProxyCommand=x", "", "a\tb", "{\"x\"}"] {
            assert!(name("device name", bad).is_err(), "{bad}");
        }
    }
}
