//! `--nodes`: which node an upstream serves, in rows and incidents, as a filter, and as what groups go by.

use std::{fmt::Write as _, fs};

use clap::ValueEnum as _;
use modtools::cli::report::By;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    report::at,
    support::{records, tool},
};

const DAY: i64 = 1_746_057_600; // 2025-05-01

/// A day of three CMTSs. CCAP001: node A (6 upstreams), node B (6), one upstream without a node; CCAP002 and
/// CCAP101 with four each. One of another name: no family, one upstream that flaps. At 06:00 all of A and two of B fall; at 12:00 all of B and of CCAP002.
pub fn fleet() -> String {
    let mut lines = String::new();
    let mut sample = |step: i64, cmts: &str, upstream: &str, low: bool| {
        let description = if upstream.starts_with("1/") { json!("north") } else { Value::Null };
        let mut line = json!({
            "type": "sample", "ts": modtools::record::Timestamp(DAY + step * 600), "cmts": cmts,
            "upstream": upstream, "modulation": if low { "QAM16" } else { "QAM64" }, "width_hz": 6_400_000,
            "modems": 10,
        });
        if upstream != "9/scq/0" {
            line["center_hz"] = json!(30_000_000 + 6_400_000 * (upstream.len() as u64 % 3));
        }
        if !description.is_null() {
            line["description"] = description;
        }
        writeln!(lines, "{line}").expect("a string");
    };
    for step in 0..144 {
        for number in 0..6 {
            sample(step, "CCAP001", &format!("1/scq/{number}"), step >= 36);
            sample(step, "CCAP001", &format!("2/scq/{number}"), step >= if number < 2 { 36 } else { 72 });
        }
        sample(step, "CCAP001", "9/scq/0", false);
        sample(step, "test", "1/0", step % 7 == 0);
        for number in 0..4 {
            sample(step, "CCAP002", &format!("1/scq/{number}"), step >= 72);
            sample(step, "CCAP101", &format!("1/{number}.0/0"), false);
        }
    }
    writeln!(
        lines,
        "{}",
        json!({"type": "end", "ts": "2025-05-02T00:00:00Z", "stage": "x", "ok": 3, "failed": 0})
    )
    .expect("a string");
    lines
}

pub fn nodes() -> (TempDir, String) {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("nodes.csv");
    let table = "cmts;upstream;node;hub;area;homes\r\nCCAP001;1/*;A;Hoorn;North;500\r\nccap001;2/*;B;Hoorn;North;\r\n\
                 CCAP002;*;C;Edam;North;\r\n";
    fs::write(&path, table).expect("written");
    let name = path.to_str().expect("utf-8").to_owned();
    (folder, name)
}

fn ask(args: &[&str]) -> String {
    let now = "2025-05-02T06:00:00Z".parse().expect("a time");
    let args = [&["--input", "-", "--tz", "UTC", "--date", "2025-05-01"], args].concat();
    at(now, None, &args, fleet().as_bytes()).1
}

#[test]
fn rows_and_filters_know_nodes() {
    let (_folder, nodes) = nodes();
    let rows = records(&ask(&["--nodes", &nodes, "--sort", "cmts"]));
    let of = |cmts: &str, upstream: &str| {
        let row = rows.iter().find(|row| row["cmts"] == cmts && row["upstream"] == upstream);
        row.map(|row| [&row["node"], &row["hub"], &row["area"], &row["homes"]].map(Value::clone))
            .expect("a row")
    };
    assert_eq!(of("CCAP001", "1/scq/3"), [json!("A"), json!("Hoorn"), json!("North"), json!(500)]);
    assert_eq!(of("CCAP001", "2/scq/3")[0], "B");
    assert_eq!(of("CCAP001", "9/scq/0")[0], Value::Null);
    let csv = ask(&["--nodes", &nodes, "--format", "csv", "--sort", "cmts"]);
    assert!(csv.lines().next().is_some_and(|names| names.contains(",node,hub,area,homes,")), "{csv}");
    let chosen = records(&ask(&["--nodes", &nodes, "--node", "b"]));
    assert_eq!((chosen[0]["upstreams"].as_u64(), chosen.len()), (Some(6), 7));
    assert!(chosen[1..].iter().all(|row| row["node"] == "B"), "{chosen:?}");
}

#[test]
fn an_incident_is_of_a_node_and_what_is_beside_it_of_the_cmts() {
    let (_folder, nodes) = nodes();
    let incidents = |args: &[&str]| {
        let header = records(&ask(args)).remove(0);
        let incidents = header["incidents"].as_array().expect("a list").clone();
        let words = |i: &Value| {
            format!("{} {} {} {}", i["ts"], i["cmts"], i["node"], i["upstreams"]).replace('"', "")
        };
        incidents.iter().map(words).collect::<Vec<_>>()
    };
    assert_eq!(
        incidents(&[]),
        ["2025-05-01T06:00:00Z CCAP001 null 8"],
        "four of twelve at noon are too few of CCAP001, as are all four of CCAP002"
    );
    assert_eq!(incidents(&["--nodes", &nodes]), ["2025-05-01T06:00:00Z CCAP001 A 6"]);
    // No node of four reaches five: the line card that they are on fell all the same.
    fs::write(&nodes, "CCAP001,1/scq/[0-2],S\nCCAP001,1/scq/*,T\nCCAP001,2/*,B\n").expect("written");
    assert_eq!(incidents(&["--nodes", &nodes]), ["2025-05-01T06:00:00Z CCAP001 null 8"]);
}

#[test]
fn a_table_of_nodes_with_a_bad_line_is_refused_by_its_line() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("nodes.csv");
    fs::write(&path, "CCAP001,1/*,A\nCCAP001,2/*\n").expect("written");
    let file = path.to_str().expect("utf-8");
    let run = |args: &[&str]| tool("mod-report").args(["--input", "/dev/null"]).args(args);
    run(&["--nodes", file]).run().says(2, &["--nodes", "nodes.csv line 2", "upstream,node"]);
    let set = run(&[]).env("MODTOOLS_NODES", file).run();
    set.says(2, &["MODTOOLS_NODES", "nodes.csv line 2", "upstream,node"]);
    run(&["--node", "A*"]).run().says(2, &["--nodes FILE"]);
}

#[test]
fn groups_of_every_kind_add_up_to_the_report() {
    let (_folder, nodes) = nodes();
    let words: Vec<_> = By::value_variants().iter().filter_map(clap::ValueEnum::to_possible_value).collect();
    assert_eq!(words.len(), 7);
    for by in words {
        let by = by.get_name();
        let mut groups = records(&ask(&["--nodes", &nodes, "--by", by]));
        let rows = records(&ask(&["--nodes", &nodes])).split_off(1);
        let header = groups.remove(0);
        let key = if by == "frequency" { "center_hz" } else { by };
        let of = |records: &[Value], field: &str| {
            records.iter().filter_map(|record| record[field].as_f64()).sum::<f64>()
        };
        assert_eq!(Some(of(&groups, "upstreams")), header["upstreams"].as_f64(), "{by}");
        for field in
            ["hops", "hops_down", "hops_up", "degraded_s", "lost_mbps", "lost_gb", "modems", "customer_hours"]
        {
            let (groups, rows) = (of(&groups, field), of(&rows, field));
            assert!(rows > 0.0 && (groups - rows).abs() < 0.02, "{by} {field}: {groups} of {rows}");
        }
        let without = rows.iter().filter(|row| row.get(key).is_none()).count() as u64;
        let unnamed: Vec<_> = groups.iter().filter(|group| group.get(key).is_none()).collect();
        match without {
            0 => assert!(unnamed.is_empty() && by == "cmts", "{by}"),
            n => assert_eq!((unnamed.len(), unnamed[0]["upstreams"].as_u64()), (1, Some(n)), "{by}"),
        }
        let csv = ask(&["--nodes", &nodes, "--by", by, "--format", "csv"]);
        let mut csv = csv::Reader::from_reader(csv.as_bytes());
        let names = csv.headers().expect("a header").clone();
        let lines: Vec<_> = csv.records().map(|line| line.expect("a line")).collect();
        assert_eq!((names.get(0), lines.len()), (Some(key), groups.len()));
        for (line, group) in lines.iter().zip(&groups) {
            for (name, cell) in names.iter().zip(line).filter(|(name, _)| *name != "why") {
                let written =
                    group.get(name).map(|value| value.as_str().map_or(value.to_string(), str::to_owned));
                let written = written.map(|text| text.trim_end_matches(".0").to_owned());
                assert_eq!(cell, written.unwrap_or_default(), "{by} {name}");
            }
        }
    }
    let table = ask(&["--nodes", &nodes, "--by", "node", "--format", "table", "--sort", "customers"]);
    let names: Vec<_> =
        table.lines().filter_map(|line| line.split(' ').next()).filter(|word| word.len() == 1).collect();
    // 6 x 18 h x 10 modems; 4 x 12 h and 2 x 18 h; 4 x 12 h.
    assert_eq!(names, ["A", "B", "C"], "{table}");
    assert!(table.contains(" 1080 ") && table.contains(" 840 ") && table.contains(" 480 "), "{table}");
    let homes = records(&ask(&["--nodes", &nodes, "--by", "hub"]));
    let hoorn = homes.iter().find(|group| group["hub"] == "Hoorn").expect("a hub");
    assert_eq!((&hoorn["homes"], &hoorn["upstreams"]), (&json!(500), &json!(12)));
}
