//! A page as HTML that Outlook shows as it is meant: tables, inline styles, nothing loaded from anywhere.

use std::fmt::Write;

use super::page::{Block, Page};
use crate::text;

const FONT: &str = "font-family:Segoe UI,Arial,sans-serif;font-size:14px;color:#1b1b1b";
const CELL: &str = "padding:4px 10px;border-bottom:1px solid #dddddd;vertical-align:top";

/// Renders a page.
#[must_use]
pub fn render(page: &Page) -> String {
    let mut html = String::new();
    let title = text::html(&page.title);
    let _ = write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n</head>\n\
         <body style=\"margin:0;padding:16px;background-color:#ffffff;{FONT}\">\n\
         <h1 style=\"margin:0 0 12px 0;font-size:20px;font-weight:600\">{title}</h1>\n",
        page.language,
    );
    for block in &page.blocks {
        match block {
            Block::Heading(heading) => {
                let style = "margin:22px 0 6px 0;font-size:16px;font-weight:600";
                let _ = writeln!(html, "<h2 style=\"{style}\">{}</h2>", text::html(heading));
            }
            Block::Warning(sentence) => warning(&mut html, sentence),
            Block::Paragraph(sentence) => {
                let _ = writeln!(html, "<p style=\"margin:6px 0;{FONT}\">{}</p>", text::html(sentence));
            }
            Block::Table { columns, rows } => table(&mut html, columns, rows),
        }
    }
    html.push_str("</body>\n</html>\n");
    html
}

/// A coloured box is a table in Outlook.
fn warning(html: &mut String, sentence: &str) {
    let _ = writeln!(
        html,
        "<table role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" width=\"100%\" \
         style=\"margin:0 0 12px 0\"><tr><td bgcolor=\"#fff4ce\" style=\"padding:8px 12px;\
         background-color:#fff4ce;border-left:4px solid #b35900;{FONT}\"><strong>{}</strong></td></tr></table>",
        text::html(sentence),
    );
}

fn table(html: &mut String, columns: &[(String, bool)], rows: &[Vec<String>]) {
    let _ = writeln!(
        html,
        "<table cellpadding=\"0\" cellspacing=\"0\" border=\"0\" style=\"border-collapse:collapse;{FONT}\">",
    );
    let titled = columns.iter().any(|(title, _)| !title.is_empty());
    let align = |number: bool| if number { "right" } else { "left" };
    if titled {
        html.push_str("<tr>");
        for (title, number) in columns {
            let align = align(*number);
            let _ = write!(
                html,
                "<th scope=\"col\" align=\"{align}\" bgcolor=\"#f0f0f0\" \
                 style=\"{CELL};text-align:{align};background-color:#f0f0f0\">{}</th>",
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
                write!(html, "<th scope=\"row\" align=\"left\" style=\"{CELL};text-align:left\">{cell}</th>")
            } else {
                write!(html, "<td align=\"{align}\" style=\"{CELL};text-align:{align}\">{cell}</td>")
            };
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</table>\n");
}
