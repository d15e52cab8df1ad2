//! The report for people: what matters in a few lines, then one line per upstream. On a terminal it fits the
//! width and says what it left out for that; text from devices is escaped.

mod groups;
mod head;

use std::{
    borrow::Cow,
    io::{self, Write},
    time::Duration,
};

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use self::head::wrapped;
use super::Format;
use crate::{
    modulation::Modulation,
    record::Row,
    report::{
        color::{Color, paint, paint_each},
        findings::Findings,
        request::View,
    },
    text, units,
};

/// Words in less than this say nothing.
const CUT_MIN: usize = 10;
/// So much of a description is shown before another column goes.
const NODE: usize = 16;

/// A column: how a row fills it, and how soon a narrow terminal goes without it.
struct Column {
    title: &'static str,
    right: bool,
    /// 0: never left out; the highest goes first.
    rank: u8,
    cell: fn(&Row) -> String,
    paint: Paint,
}

/// How a cell is coloured.
#[derive(Clone, Copy)]
enum Paint {
    No,
    Whole(fn(&Row) -> Color),
    Hours,
}

const fn left(title: &'static str, rank: u8, cell: fn(&Row) -> String) -> Column {
    Column { title, right: false, rank, cell, paint: Paint::No }
}

const fn right(title: &'static str, rank: u8, cell: fn(&Row) -> String) -> Column {
    Column { title, right: true, rank, cell, paint: Paint::No }
}

const COLUMNS: [Column; 16] = [
    left("CMTS", 0, |row| text::terminal(&row.cmts).into_owned()),
    left("UPSTREAM", 0, |row| text::terminal(&row.upstream).into_owned()),
    right("HOPS", 0, |row| row.hops.to_string()),
    right("DOWN", 12, |row| row.hops_down.to_string()),
    right("UP", 13, |row| row.hops_up.to_string()),
    Column { paint: Paint::Whole(of_loss), ..right("LOST%", 3, |row| decimal(row.lost_pct)) },
    right("DELTA", 8, |row| signed(row.delta.and_then(|delta| delta.lost_pct))),
    right("MBIT/S", 6, |row| decimal(row.lost_mbps)),
    right("DEGRADED", 7, |row| duration(row.degraded_s)),
    right("COVER%", 9, |row| decimal(Some(row.coverage_pct))),
    left("EXPECTED", 11, |row| word(row.expected)),
    left("WORST", 2, |row| word(row.worst)),
    left("LAST", 10, |row| row.last.to_string()),
    Column { paint: Paint::Hours, ..left("HOURS", 4, |row| row.hours.clone().unwrap_or_default()) },
    Column { paint: Paint::Whole(|_| Color::Yellow), ..left(WHY, 5, reasons) },
    left(DESCRIPTION, 1, description),
];

const WHY: &str = "WHY";
const DESCRIPTION: &str = "DESCRIPTION";

/// One decimal, or nothing.
fn decimal(number: Option<f64>) -> String {
    number.map(|number| format!("{number:.1}")).unwrap_or_default()
}

/// Points more or less than the day before.
fn signed(points: Option<f64>) -> String {
    points
        .map(|points| format!("{points:+.1}"))
        .filter(|text| text != "+0.0" && text != "-0.0")
        .unwrap_or_default()
}

fn reasons(row: &Row) -> String {
    row.why.iter().map(|why| why.word()).collect::<Vec<_>>().join(" ")
}

fn of_loss(row: &Row) -> Color {
    match row.lost_pct.unwrap_or(0.0) {
        lost if lost >= 20.0 => Color::Red,
        lost if lost >= 5.0 => Color::Yellow,
        _ => Color::Plain,
    }
}

fn of_hour(letter: char) -> Color {
    match letter {
        '2' | '3' => Color::Red,
        '4' | '5' => Color::Yellow,
        '?' => Color::Magenta,
        '-' => Color::Dim,
        _ => Color::Plain,
    }
}

fn word(modulation: Option<Modulation>) -> String {
    modulation.map(|modulation| modulation.to_string()).unwrap_or_default()
}

fn description(row: &Row) -> String {
    row.description.as_deref().map(text::terminal).unwrap_or_default().into_owned()
}

fn duration(seconds: u64) -> String {
    if seconds == 0 { String::new() } else { units::human(Duration::from_secs(seconds)) }
}

/// Header and table.
#[derive(Debug)]
pub struct Table;

impl Format for Table {
    fn write(&self, view: &View, findings: &Findings<'_>, output: &mut dyn Write) -> io::Result<()> {
        write(view, findings, output)
    }
}

fn write(view: &View, findings: &Findings<'_>, output: &mut dyn Write) -> io::Result<()> {
    head::write(view, findings, output)?;
    if findings.is_empty() {
        return Ok(());
    }
    let layout = Fit::new(view, findings);
    layout.line(output, |column| column.title.to_owned(), |_, cell| paint(cell, Color::Bold, view.color))?;
    for row in findings.rows(view) {
        let painted = |column: &Column, cell: &str| match column.paint {
            Paint::Whole(color) => paint(cell, color(&row), view.color),
            Paint::Hours => paint_each(cell, of_hour, view.color),
            Paint::No => cell.to_owned(),
        };
        layout.line(output, |column| (column.cell)(&row), painted)?;
        if view.says {
            writeln!(output, "    {}", text::terminal(&row.says))?;
        }
    }
    footer(view, findings, &layout).iter().try_for_each(|line| wrapped(output, line, view.columns))
}

fn footer(view: &View, findings: &Findings<'_>, layout: &Fit) -> Vec<String> {
    let mut lines = Vec::new();
    match findings.left_out(view) {
        0 => {}
        1 => lines.push("1 more upstream is not shown (--top N shows more)".into()),
        more => lines.push(format!("{more} more upstreams are not shown (--top N shows more)")),
    }
    if !layout.dropped.is_empty() {
        let dropped = layout.dropped.join(", ");
        lines.push(format!("Left out to fit the width: {dropped}"));
    }
    if let Some((_, width)) = layout.columns.iter().find(|(column, _)| column.title == WHY)
        && *width < layout.wanted(WHY)
    {
        lines.push("WHY is cut to fit the width".into());
    }
    let has = |title: &str| layout.columns.iter().any(|(column, _)| column.title == title);
    if has("DELTA") {
        lines.push("Delta: points of LOST% more (+) or less (-) than the day before".into());
    }
    if has("HOURS") {
        lines.push("Hours: the lowest held as bits (6 QAM64 … 2 QPSK), O OFDMA, ? unknown, - nothing".into());
    }
    if !lines.is_empty() {
        lines.insert(0, String::new());
    }
    lines
}

/// The columns that there is something in and room for, with their widths.
struct Fit {
    columns: Vec<(&'static Column, usize)>,
    dropped: Vec<&'static str>,
    /// How wide each column would be.
    wanted: [usize; COLUMNS.len()],
}

impl Fit {
    fn new(view: &View, findings: &Findings<'_>) -> Self {
        let mut widths = [0; COLUMNS.len()];
        for row in findings.rows(view) {
            for (width, column) in widths.iter_mut().zip(&COLUMNS) {
                *width = (*width).max((column.cell)(&row).width());
            }
        }
        let filled = COLUMNS.iter().zip(widths).filter(|&(_, width)| width > 0);
        let columns = filled.map(|(column, width)| (column, width.max(column.title.width()))).collect();
        let mut fit = Fit { columns, dropped: Vec::new(), wanted: widths };
        if let Some(available) = view.columns {
            fit.narrow(available);
        }
        fit
    }

    fn wanted(&self, title: &str) -> usize {
        COLUMNS
            .iter()
            .zip(self.wanted)
            .find(|(column, _)| column.title == title)
            .map_or(0, |(_, width)| width)
    }

    fn width(&self) -> usize {
        self.columns.iter().map(|(_, width)| width + 1).sum::<usize>().saturating_sub(1)
    }

    fn narrow(&mut self, available: usize) {
        // A name of a node is worth more than any number, its last words are not.
        let excess = self.width().saturating_sub(available);
        if let Some((_, width)) = self.columns.iter_mut().find(|(column, _)| column.title == DESCRIPTION) {
            *width -= width.saturating_sub(NODE).min(excess);
        }
        while self.width() > available {
            let excess = self.width() - available;
            let Some(last) = (0..self.columns.len()).max_by_key(|&at| self.columns[at].0.rank) else {
                return;
            };
            let (column, width) = &mut self.columns[last];
            if column.rank == 0 {
                return;
            }
            if [DESCRIPTION, WHY].contains(&column.title) && *width >= CUT_MIN + excess {
                *width -= excess;
            } else {
                self.dropped.push(column.title);
                self.columns.remove(last);
            }
        }
    }

    fn line(
        &self,
        output: &mut dyn Write,
        cell: impl Fn(&Column) -> String,
        paint: impl Fn(&Column, &str) -> String,
    ) -> io::Result<()> {
        let mut line = String::new();
        for (column, width) in &self.columns {
            let cell = cell(column);
            let cell = cut(&cell, *width);
            let blanks = " ".repeat(width.saturating_sub(cell.width()));
            let (before, after) = if column.right { (blanks.as_str(), "") } else { ("", blanks.as_str()) };
            line.extend([before, &paint(column, &cell), after, " "]);
        }
        writeln!(output, "{}", line.trim_end())
    }
}

/// At most so many columns of a terminal; what is cut off leaves an ellipsis.
fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if text.width() <= columns {
        return Cow::Borrowed(text);
    }
    let mut room = columns.saturating_sub(1);
    let kept: String = text
        .chars()
        .take_while(|c| {
            let width = c.width().unwrap_or(0);
            let fits = width <= room;
            room = room.saturating_sub(width);
            fits
        })
        .collect();
    Cow::Owned(kept + "…")
}
