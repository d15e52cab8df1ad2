//! Sums of upstreams as a small table, as wide as it is, cut where the terminal ends.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr as _;

use super::{Table, cut, decimal, head};
use crate::{
    cli::report::By,
    record::Group,
    report::{
        color::{Color, paint},
        findings::Findings,
        format::GroupFormat,
        groups::{Groups, name, whys},
        request::View,
    },
    text,
};

impl GroupFormat for Table {
    fn write_groups(
        &self,
        view: &View,
        findings: &Findings<'_>,
        groups: &Groups,
        output: &mut dyn Write,
    ) -> io::Result<()> {
        head::write(view, findings, output)?;
        let what = match groups.by {
            By::Cmts => "CMTS",
            By::Description => "DESCRIPTION",
        };
        let columns: [(&str, bool, Fill<Group>); 9] = [
            (what, false, |group| match name(group) {
                "" => "(none)".to_owned(),
                name => text::terminal(name).into_owned(),
            }),
            ("UPSTREAMS", true, |group| group.upstreams.to_string()),
            ("DEGRADED", true, |group| group.degraded.to_string()),
            ("HOPS", true, |group| group.hops.to_string()),
            ("LOST%", true, |group| decimal(group.lost_pct)),
            ("MBIT/S", true, |group| decimal(group.lost_mbps)),
            ("GB", true, |group| decimal(group.lost_gb)),
            ("COVER%", true, |group| decimal(Some(group.coverage_pct))),
            ("WHY", false, whys),
        ];
        plain(view, &columns, groups.shown(), output)?;
        match groups.left_out() {
            0 => Ok(()),
            more => writeln!(output, "\n{more} more are not shown (--top)"),
        }
    }
}

/// How an item fills a column.
type Fill<T> = fn(&T) -> String;

/// Writes a small table of anything, as wide as it is, cut where the terminal ends.
fn plain<T>(
    view: &View,
    columns: &[(&str, bool, Fill<T>)],
    items: &[T],
    output: &mut dyn Write,
) -> io::Result<()> {
    let titles = columns.iter().map(|(title, ..)| (*title).to_owned()).collect();
    let cells = items.iter().map(|item| columns.iter().map(|(_, _, fill)| fill(item)).collect());
    let lines: Vec<Vec<String>> = std::iter::once(titles).chain(cells).collect();
    let width = |at: usize| lines.iter().map(|cells| cells[at].width()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns.len()).map(width).collect();
    for (number, cells) in lines.iter().enumerate() {
        let mut line = String::new();
        for ((cell, (_, right, _)), width) in cells.iter().zip(columns).zip(&widths) {
            line += &padded(cell, *width, *right);
            line.push(' ');
        }
        let line = cut(line.trim_end(), view.columns.unwrap_or(usize::MAX));
        let color = if number == 0 { Color::Bold } else { Color::Plain };
        writeln!(output, "{}", paint(&line, color, view.color))?;
    }
    Ok(())
}

fn padded(cell: &str, width: usize, right: bool) -> String {
    let blanks = " ".repeat(width.saturating_sub(cell.width()));
    if right { blanks + cell } else { format!("{cell}{blanks}") }
}
