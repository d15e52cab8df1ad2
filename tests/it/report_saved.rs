//! `--input report.ndjson`: a report that was written as records is the same report in every other form.

use std::fs;

use modtools::exit::Exit;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    report::at,
    report_nodes::{fleet, nodes},
    support::{records, tool},
};

fn ask(args: &[&str], input: &str) -> (Exit, String) {
    let now = "2025-05-02T06:00:00Z".parse().expect("a time");
    at(now, None, &[&["--input", "-", "--tz", "UTC"], args].concat(), input.as_bytes())
}

#[test]
fn a_saved_report_is_rendered_in_any_form() {
    let (_folder, nodes) = nodes();
    let day = ["--date", "2025-05-01", "--nodes", &nodes];
    let (_, saved) = ask(&day, &fleet());
    for form in [
        &["--format", "table"][..],
        &["--format", "csv", "--sort", "customers"],
        &["--format", "csv-excel", "--sort", "cmts"],
        &["--format", "json", "--sort", "hops"],
        &["--format", "ndjson", "--top", "3"],
        &["--layout", "seed"],
        &["--layout", "seed", "--format", "json"],
        &["--format", "csv", "--page-url", "https://web1/m/"],
    ] {
        let (exit, direct) = ask(&[&day[..], form].concat(), &fleet());
        assert_eq!((ask(form, &saved), exit), ((Exit::Done, direct), Exit::Done), "{form:?}");
    }
    for by in ["cmts", "node", "frequency"] {
        let direct = records(&ask(&[&day[..], &["--by", by]].concat(), &fleet()).1);
        let again = records(&ask(&["--by", by], &saved).1);
        let key = |group: &Value| format!("{} {} {}", group["cmts"], group["node"], group["center_hz"]);
        assert_eq!(direct.iter().map(key).collect::<Vec<_>>(), again.iter().map(key).collect::<Vec<_>>());
        for (direct, again) in direct.iter().zip(&again) {
            for field in ["upstreams", "hops", "lost_pct", "lost_mbps", "customer_hours"] {
                let (direct, again) = (direct[field].as_f64(), again[field].as_f64());
                // Its rows are to three decimals.
                assert!(direct.zip(again).is_none_or(|(a, b)| (a - b).abs() < 0.02), "{by} {field}");
                assert_eq!(direct.is_some(), again.is_some(), "{by} {field}");
            }
        }
    }
}

#[test]
fn a_part_of_a_saved_report_has_the_header_of_that_part() {
    let (_folder, nodes) = nodes();
    let (_, saved) = ask(&["--date", "2025-05-01", "--nodes", &nodes], &fleet());
    for filter in [["--cmts", "CCAP001"], ["--upstream", "1/*"], ["--node", "B"]] {
        let direct = ask(&[&["--date", "2025-05-01", "--nodes", &nodes], &filter[..]].concat(), &fleet()).1;
        let (direct, again) = (records(&direct).remove(0), records(&ask(&filter, &saved).1).remove(0));
        for field in ["upstreams", "cmts", "hops", "measurements", "share_pct", "coverage_pct"] {
            assert_eq!(direct[field], again[field], "{filter:?} {field}");
        }
        let lost = |header: &Value| header["lost_mbps"].as_f64().expect("a number");
        assert!((lost(&direct) - lost(&again)).abs() < 0.02, "{filter:?}");
    }
    // Nodes that were not known then are known now.
    let (_, without) = ask(&["--date", "2025-05-01"], &fleet());
    let rows = records(&ask(&["--nodes", &nodes, "--node", "A"], &without).1);
    assert_eq!((rows.len(), &rows[1]["node"]), (7, &Value::from("A")));
}

#[test]
fn what_cannot_be_asked_of_a_saved_report_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let (_, saved) = ask(&["--date", "2025-05-01"], &fleet());
    let file = folder.path().join("report.ndjson");
    let run = |text: &str, args: &[&str]| {
        fs::write(&file, text).expect("written");
        tool("mod-report").args(["--input"]).args([&file]).args(args).run()
    };
    run(&saved, &["--date", "2025-05-02"]).says(2, &["a report of 2025-05-01 UTC"]);
    run(&saved, &["--tz", "Europe/Amsterdam"]).says(2, &["a report of 2025-05-01 UTC"]);
    run(&saved, &["--expected", "QAM64"]).says(2, &["--expected", "made already"]);
    run(&saved.repeat(2), &[]).says(2, &["several reports"]);
    run(&format!("{}{saved}", fleet()), &[]).says(2, &["samples and a report"]);
    let lines: Vec<_> = saved.lines().collect();
    let some = lines[..4].join("\n");
    run(&some, &["--format", "csv"]).clean(0);
    run(&some, &["--by", "cmts"]).says(3, &["3 of the 22 rows"]);
    run(&some, &["--html", "part.html"]).says(3, &["only some rows"]);
    let broken = saved.replacen("\"hops\":", "\"hops\":[],\"x\":", 2);
    run(&broken, &[]).says(3, &["line 1"]);
    let page = folder.path().join("page.html");
    let web = ["--html", page.to_str().expect("utf-8")];
    run(&saved, &web).clean(0);
    assert!(fs::read_to_string(&page).expect("a page").contains("9/scq/0"));
}
