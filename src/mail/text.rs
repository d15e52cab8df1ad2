//! A page as plain text: for readers that show no HTML, and for grep.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::page::{Block, Entry, Page};

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
            Block::Table { columns, rows } => table(&mut text, columns, rows),
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

fn table(text: &mut String, columns: &[(String, bool)], rows: &[Vec<String>]) {
    let titles: Vec<_> = columns.iter().map(|(title, _)| title.clone()).collect();
    let titles = titles.iter().any(|title| !title.is_empty()).then_some(&titles);
    let lines: Vec<_> = titles.into_iter().chain(rows).collect();
    let widths: Vec<_> = (0..columns.len())
        .map(|column| lines.iter().map(|line| line[column].width()).max().unwrap_or_default())
        .collect();
    for line in lines {
        let mut shown = String::new();
        for ((cell, width), (_, number)) in line.iter().zip(&widths).zip(columns) {
            let pad = " ".repeat(width - cell.width());
            shown += &if *number { format!("{pad}{cell}  ") } else { format!("{cell}{pad}  ") };
        }
        let _ = writeln!(text, "{}", shown.trim_end());
    }
}
