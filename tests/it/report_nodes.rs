//! `--nodes`: which node an upstream serves, in rows and incidents, as a filter, and as what groups go by.

use std::{fmt::Write as _, fs};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    report::at,
    support::{records, tool},
};

const DAY: i64 = 1_746_057_600; // 2025-05-01

/// A day of three CMTSs. CCAP001: node A (6 upstreams), node B (6), one upstream without a node; CCAP002 and
/// CCAP101 with four each. At 06:00 all of A and two of B fall; at 12:00 all of B and of CCAP002.
pub fn fleet() -> String {
    let mut lines = String::new();
    let mut sample = |step: i64, cmts: &str, upstream: &str, low: bool| {
        let description = if upstream.starts_with("1/") { json!("north") } else { Value::Null };
        let mut line = json!({
            "type": "sample", "ts": modtools::record::Timestamp(DAY + step * 600), "cmts": cmts,
            "upstream": upstream, "modulation": if low { "QAM16" } else { "QAM64" }, "width_hz": 6_400_000,
            "center_hz": 30_000_000 + 6_400_000 * (upstream.len() as u64 % 3), "modems": 10,
        });
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
