//! Sums of upstreams as a small table, as wide as it is, cut where the terminal ends.

use std::io::{self, Write};

use super::{Table, cut, decimal, head};
use crate::{
    cli::report::By,
    record::{Group, KeyValue},
    report::{
        color::{Color, paint},
        format::GroupFormat,
        groups::{Groups, whys},
        request::View,
    },
    text::{
        self,
        table::{self, Column},
    },
};

impl GroupFormat for Table {
    fn write_groups(&self, groups: &Groups<'_, '_>, output: &mut dyn Write) -> io::Result<()> {
        head::write(groups.view, groups.findings, output)?;
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
        plain(groups.view, &columns, groups.shown(), output)?;
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
    let align =
        |(_, right, _): &(&str, bool, Fill<T>)| if *right { Column::Right(0) } else { Column::Left(0) };
    let aligned: Vec<_> = columns.iter().map(align).collect();
    for (number, line) in table::lines(&aligned, &lines, 1).iter().enumerate() {
        let line = cut(line, view.columns.unwrap_or(usize::MAX));
        let color = if number == 0 { Color::Bold } else { Color::Plain };
        writeln!(output, "{}", paint(&line, color, view.color))?;
    }
    Ok(())
}
