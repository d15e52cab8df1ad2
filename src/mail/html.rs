//! A page as HTML that Outlook and a phone show as it is meant: at most 640 pixels wide, inline styles, tables
//! of few columns, nothing loaded from anywhere.

use std::fmt::Write;

use super::page::{Block, Entry, Page};
use crate::text;

const FONT: &str = "font-family:Segoe UI,Arial,sans-serif;font-size:14px;line-height:20px;color:#1b1b1b";
const CELL: &str = "padding:5px 10px 5px 0;border-bottom:1px solid #dddddd;vertical-align:top";
/// A long name breaks rather than widen the page; a title does not.
const BREAKS: &str = "word-break:break-word;overflow-wrap:anywhere";
/// A value of at most so many characters stays on one line with its name.
const UNBROKEN: usize = 20;
const QUIET: &str = "color:#595959";

/// Renders a page.
#[must_use]
pub fn render(page: &Page) -> String {
    let mut html = String::new();
    let title = text::html(&page.title);
    // Outlook knows no max-width: it gets a table of that width.
    let _ = write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         </head>\n<body style=\"margin:0;padding:0;background-color:#ffffff\">\n\
         <!--[if mso]><table role=\"presentation\" width=\"640\" align=\"center\"><tr><td><![endif]-->\n\
         <div style=\"max-width:608px;margin:0 auto;padding:16px;{FONT}\">\n\
         <h1 style=\"margin:0 0 12px 0;font-size:20px;line-height:26px;font-weight:600\">{title}</h1>\n",
        page.language,
    );
    for block in &page.blocks {
        match block {
            Block::Heading(heading) => {
                let style = "margin:24px 0 6px 0;font-size:16px;line-height:22px;font-weight:600";
                let _ = writeln!(html, "<h2 style=\"{style}\">{}</h2>", text::html(heading));
            }
            Block::Warning(sentence) => warning(&mut html, sentence),
            Block::Paragraph(sentence) => {
                let _ = writeln!(html, "<p style=\"margin:6px 0;{FONT}\">{}</p>", text::html(sentence));
            }
            Block::Table { columns, rows } => table(&mut html, columns, rows),
            Block::Entries(entries) => {
                html += &table_begin("");
                entries.iter().for_each(|entry| self::entry(&mut html, entry));
                html.push_str("</table>\n");
            }
        }
    }
    html.push_str("</div>\n<!--[if mso]></td></tr></table><![endif]-->\n</body>\n</html>\n");
    html
}

/// A coloured box is a table in Outlook.
fn warning(html: &mut String, sentence: &str) {
    let _ = writeln!(
        html,
        "{}<tr><td bgcolor=\"#fff4ce\" style=\"padding:8px 12px;background-color:#fff4ce;\
         border-left:4px solid #b35900;{FONT}\"><strong>{}</strong></td></tr></table>",
        table_begin("margin:0 0 12px 0;"),
        text::html(sentence),
    );
}

fn table_begin(style: &str) -> String {
    format!(
        "<table cellpadding=\"0\" cellspacing=\"0\" border=\"0\" width=\"100%\" \
         style=\"{style}border-collapse:collapse;{FONT}\">\n"
    )
}

/// An upstream or an event: a name, a sentence, and its figures in a line that breaks where it must.
fn entry(html: &mut String, entry: &Entry) {
    let name = text::html(&entry.name);
    let name = match &entry.url {
        Some(url) => format!("<a href=\"{}\" style=\"color:#0b57d0\">{name}</a>", text::html(url)),
        None => name.into_owned(),
    };
    let _ = write!(html, "<tr><td style=\"{CELL};{BREAKS}\"><strong>{name}</strong>");
    if !entry.labels.is_empty() {
        let _ = write!(html, " <span style=\"{QUIET}\">{}</span>", text::html(&entry.labels.join(", ")));
    }
    if let Some(says) = &entry.says {
        let _ = write!(html, "<br>{}", text::html(says));
    }
    let figures = entry.figures.iter().map(|(name, value)| {
        let break_style = if value.chars().count() <= UNBROKEN { "white-space:nowrap" } else { "" };
        let (name, value) = (text::html(name), text::html(value));
        format!("<span style=\"{break_style}\"><span style=\"{QUIET}\">{name}</span> {value}</span>")
    });
    let figures = figures.collect::<Vec<_>>().join(" &middot; ");
    if !figures.is_empty() {
        let _ = write!(html, "<br>{figures}");
    }
    html.push_str("</td></tr>\n");
}

fn table(html: &mut String, columns: &[(String, bool)], rows: &[Vec<String>]) {
    html.push_str(&table_begin(""));
    let titled = columns.iter().any(|(title, _)| !title.is_empty());
    let align = |number: bool| if number { "right" } else { "left" };
    if titled {
        html.push_str("<tr>");
        for (title, number) in columns {
            let align = align(*number);
            let _ = write!(
                html,
                "<th scope=\"col\" align=\"{align}\" style=\"{CELL};text-align:{align};{QUIET}\">{}</th>",
                text::html(title),
            );
        }
        html.push_str("</tr>\n");
    }
    for row in rows {
        html.push_str("<tr>");
        for (n, (cell, (_, number))) in row.iter().zip(columns).enumerate() {
            let align = align(*number);
            let cell = text::html(cell);
            let _ = if n == 0 && !titled {
                let style = format!("{CELL};text-align:left;font-weight:normal;{QUIET}");
                write!(html, "<th scope=\"row\" align=\"left\" style=\"{style}\">{cell}</th>")
            } else {
                write!(html, "<td align=\"{align}\" style=\"{CELL};{BREAKS};text-align:{align}\">{cell}</td>")
            };
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</table>\n");
}
