//! Sums of upstreams as a small table, as wide as it is, cut where the terminal ends.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr as _;

use super::{Table, cut, decimal, head};
use crate::{
    cli::report::By,
    record::{Group, KeyValue},
    report::{
        color::{Color, paint},
        findings::Findings,
        format::GroupFormat,
        groups::{Groups, whys},
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
            By::Platform => "PLATFORM",
            By::Node => "NODE",
            By::Hub => "HUB",
            By::Area => "AREA",
            By::Description => "DESCRIPTION",
            By::Frequency => "FREQUENCY",
        };
        let columns: [(&str, bool, Fill<Group>); 10] = [
            (what, false, |group| match &group.key.value {
                None => "(none)".to_owned(),
                Some(KeyValue::Text(text)) => text::terminal(text).into_owned(),
                Some(KeyValue::Number(hz)) => format!("{:.1} MHz", *hz as f64 / 1e6),
            }),
            ("UPSTREAMS", true, |group| group.upstreams.to_string()),
            ("DEGRADED", true, |group| group.degraded.to_string()),
            ("HOPS", true, |group| whole(group, "hops")),
            ("LOST%", true, |group| decimal(group.figures.get("lost_pct"))),
            ("MBIT/S", true, |group| decimal(group.figures.get("lost_mbps"))),
            ("GB", true, |group| decimal(group.figures.get("lost_gb"))),
            ("CUSTOMER-H", true, |group| whole(group, "customer_hours")),
            ("COVER%", true, |group| decimal(group.figures.get("coverage_pct"))),
            ("WHY", false, whys),
        ];
        plain(view, &columns, groups.shown(), output)?;
        match groups.left_out() {
            0 => Ok(()),
            more => writeln!(output, "\n{more} more are not shown (--top)"),
        }
    }
}

fn whole(group: &Group, name: &str) -> String {
    group.figures.get(name).map(|number| format!("{number:.0}")).unwrap_or_default()
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
