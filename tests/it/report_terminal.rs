//! The table on a terminal: how many rows, and which columns go first when it is narrow.

use std::fmt::Write as _;

use modtools::exit::Exit;
use serde_json::json;

use crate::report::at;

fn shown(columns: Option<u16>, args: &[&str]) -> String {
    let mut input = String::new();
    for (upstream, low) in (0..60).map(|number| (format!("1/scq/{number}"), number % 2 == 0)) {
        for step in 0..6 {
            let line = json!({
                "type": "sample", "ts": modtools::record::Timestamp(1_746_057_600 + step * 600), "cmts": "CCAP001",
                "upstream": upstream, "modulation": if low && step > 2 { "QAM16" } else { "QAM64" },
                "description": "Hoorn node 12 A", "width_hz": 6_400_000,
            });
            writeln!(input, "{line}").expect("a string");
        }
    }
    let now = "2025-05-01T01:00:00Z".parse().expect("a time");
    let args = [&["--input", "-", "--tz", "UTC"], args].concat();
    let (exit, output) = at(now, columns, &args, input.as_bytes());
    assert_eq!(exit, Exit::Done);
    output
}

#[test]
fn a_terminal_shows_the_forty_worst_and_says_how_to_get_the_rest() {
    let rows = |text: &str| text.lines().filter(|line| line.starts_with("CCAP001 ")).count();
    let table = shown(Some(120), &[]);
    assert_eq!(rows(&table), 40, "{table}");
    assert!(table.contains("20 more upstreams are not shown (--top N shows more)"), "{table}");
    let all = shown(Some(120), &["--top", "100"]);
    assert_eq!((rows(&all), all.contains("not shown")), (60, false));
    let piped = shown(None, &["--format", "table"]);
    assert_eq!((rows(&piped), piped.contains("not shown")), (60, false));
}

#[test]
fn the_description_is_the_last_column_to_go() {
    let mut widths_with_nothing_else = 0;
    for width in (20..200).rev() {
        let table = shown(Some(width), &["--top", "3"]);
        let title = table.lines().find(|line| line.starts_with("CMTS ")).expect("a title");
        let names: Vec<_> = title.split_whitespace().collect();
        let others = names
            .iter()
            .filter(|name| !["CMTS", "UPSTREAM", "HOPS", "DESCRIPTION", "DESCRIPTI…"].contains(name));
        match (names.last().is_some_and(|name| name.starts_with("DESCRI")), others.count()) {
            (true, 0) => widths_with_nothing_else += 1,
            (true, _) => {}
            (false, left) => assert_eq!(left, 0, "{width}: {title}"),
        }
    }
    assert!(widths_with_nothing_else > 0);
}
