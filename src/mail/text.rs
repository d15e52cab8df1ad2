//! A page as plain text: for readers that show no HTML, and for grep.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::page::{Block, Entry, Page};
use crate::text::table::{self, Column};

/// Renders a page.
#[must_use]
pub fn render(page: &Page) -> String {
    let mut text = String::new();
    underlined(&mut text, &page.title, "=");
    for block in &page.blocks {
        text.push('\n');
        match block {
            Block::Heading(heading) => underlined(&mut text, heading, "-"),
            Block::Warning(sentence) => {
                let _ = writeln!(text, "!! {sentence}");
            }
            Block::Paragraph(sentence) => {
                let _ = writeln!(text, "{sentence}");
            }
            Block::Table { columns, rows } => append_table(&mut text, columns, rows),
            Block::Entries(entries) => {
                let shown: Vec<_> = entries.iter().map(entry).collect();
                text += &shown.join("\n");
            }
        }
    }
    text
}

fn entry(entry: &Entry) -> String {
    let labels = entry.labels.join(", ");
    let figures: Vec<_> = entry.figures.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let head = if labels.is_empty() { entry.name.clone() } else { format!("{}  ({labels})", entry.name) };
    let mut text = format!("{head}\n");
    let lines = [entry.says.clone(), Some(figures.join(" · ")), entry.url.clone()];
    for line in lines.into_iter().flatten().filter(|line| !line.is_empty()) {
        let _ = writeln!(text, "    {line}");
    }
    text
}

fn underlined(text: &mut String, title: &str, line: &str) {
    let _ = writeln!(text, "{title}\n{}", line.repeat(title.width()));
}

fn append_table(text: &mut String, columns: &[(String, bool)], rows: &[Vec<String>]) {
    let titles: Vec<_> = columns.iter().map(|(title, _)| title.clone()).collect();
    let titles = titles.iter().any(|title| !title.is_empty()).then_some(&titles);
    let rows: Vec<_> = titles.into_iter().chain(rows).cloned().collect();
    let columns: Vec<_> =
        columns.iter().map(|(_, number)| if *number { Column::Right(0) } else { Column::Left(0) }).collect();
    table::lines(&columns, &rows, 2).iter().for_each(|line| *text += &format!("{line}\n"));
}
