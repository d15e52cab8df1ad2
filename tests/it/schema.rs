//! `mod-parse --schema`: what the tools write is as it says, judged by another program's validator.

use std::{
    collections::BTreeSet,
    io::Write as _,
    process::{Command, Stdio},
    time::SystemTime,
};

use modtools::record::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    mailbox::python_with,
    man::records_shown,
    report_events::{end, fleet_since},
    support::{in_package, tool},
    support_sim::{Fleet, PASSWORD, USER},
};

/// Prints a line for each record that does not hold: its number, where, and what.
const VALIDATE: &str = "
import json, sys
from jsonschema import Draft202012Validator as Draft
schema = json.load(open(sys.argv[1]))
Draft.check_schema(schema)
draft = Draft(schema)
for number, line in enumerate(sys.stdin):
    for error in draft.iter_errors(json.loads(line)):
        print(number, error.json_path, error.message[:300])
";

fn schema() -> String {
    tool("mod-parse").args(["--schema"]).run().clean(0).stdout
}

/// What the validator has against these lines.
fn faults(lines: &str) -> Vec<String> {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("schema.json");
    std::fs::write(&file, schema()).unwrap();
    let mut python = Command::new(python_with("jsonschema"));
    python.args(["-c", VALIDATE]).arg(&file).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = python.spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "is python3-jsonschema installed?");
    String::from_utf8(done.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Lines of every tool, and of every way in which it answers.
fn written() -> String {
    let fleet = Fleet::start(&[
        "--devices",
        "e6000=2,casa=1,cbr8=1",
        "--fault",
        "CCAP002=refused",
        "--upstreams",
        "4",
    ]);
    let dir = TempDir::new().unwrap();
    let run = |name: &str, args: &[&str], input: &str| {
        let tool = tool(name).args(args).env("MODTOOLS_TZ", "UTC").stdin(input).dir(dir.path()).run();
        assert!(matches!(tool.code, Some(0 | 1 | 3)), "{name} {args:?}: {tool:?}");
        tool.stdout
    };
    let captured = tool("ccap-fetch")
        .args(["--user", USER, "--login-rate", "1000/s", "--retries", "0"])
        .arg("-i", fleet.inventory())
        .arg("--known-hosts", fleet.known_hosts())
        .env("CCAP_PASSWORD", PASSWORD)
        .run()
        .stdout;
    let beat = r#"{"v":1,"type":"heartbeat","ts":"2026-05-01T12:00:00Z","devices":1,"due":0,"running":0}"#;
    let parsed = run("mod-parse", &[], &format!("{captured}{beat}\nnonsense\n"));
    let db = ["--db", "sqlite:m.db"];
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    // The last scans are down, and there is a gap.
    let begin = Timestamp(i64::try_from(now).unwrap() - 9 * 600);
    let strips = [("1", 6, "666666644"), ("2", 2, "66---6662")];
    let scans = fleet_since(begin, &strips, 0..9);
    let told = run("mod-store", &[&db[..], &["--init", "--tee"]].concat(), &format!("{parsed}{scans}"));
    let mut lines = [captured, parsed, told].concat();
    let events = ["--events", "--state", "s", "--expected", "QAM64", "--input", "-"];
    lines += &run("mod-report", &events, &format!("{scans}{}", end()));
    let hours = ["--from", "-3h"];
    for more in [
        &["--format", "ndjson", "--expected", "QAM64"][..],
        &["--format", "changes"],
        &["--format", "samples"],
        &["--by", "cmts"],
        &["--by", "frequency"],
        &["--by", "description"],
    ] {
        lines += &run("mod-report", &[&db[..], &hours, more].concat(), "");
    }
    lines += &run("mod-report", &[&db[..], &["--at", "now", "--format", "ndjson"]].concat(), "");
    lines += &run("mod-report", &[&db[..], &["--fresh"]].concat(), "");
    let old = fleet_since(begin + -20 * 86_400, &strips, 0..4);
    run("mod-store", &db, &old);
    lines += &run("mod-report", &[&db[..], &["--days", "25", "--format", "days"]].concat(), "");
    let (from, to) = (begin + -20 * 86_400, begin + -20 * 86_400 + 1200);
    std::fs::write(dir.path().join("works.csv"), format!("cmts;from;to\nCCAP001;{from};{to}\n")).unwrap();
    lines += &run("mod-report", &[&db[..], &["--works", "works.csv"]].concat(), "");
    lines += &run("mod-prune", &[&db[..], &["--dry-run"]].concat(), "");
    lines += &run("mod-prune", &[&db[..], &["--force"]].concat(), "");
    lines += &run("mod-prune", &[&db[..], &["--status"]].concat(), "");
    lines += &run("mod-watch", &["status", "--json", "--dir", "."], "");
    lines
}

fn types(lines: &str) -> BTreeSet<String> {
    let word = |line: &str| {
        serde_json::from_str::<Value>(line).unwrap_or_else(|e| panic!("{e}: {line}"))["type"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    lines.lines().map(word).collect()
}

#[test]
fn every_record_that_the_tools_write_is_as_the_schema_says() {
    let lines = written();
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    let named = schema["properties"]["type"]["enum"].as_array().unwrap();
    let named: BTreeSet<String> = named.iter().map(|word| word.as_str().unwrap().to_owned()).collect();
    assert_eq!(types(&lines), named, "a record of each type was made, and of no other");
    let shown: String = records_shown().iter().map(|record| format!("{record}\n")).collect();
    assert_eq!(faults(&format!("{lines}{shown}")), Vec::<String>::new());
}

#[test]
fn a_record_that_is_wrong_fails_and_one_with_a_new_field_does_not() {
    let sample = json!({"v": 1, "type": "sample", "ts": "2026-05-01T12:00:00Z", "cmts": "C", "upstream": "1/0",
        "modulation": "QAM64", "source": "state"});
    let mut lines = String::new();
    let mut wrong = |field: &str, value: Option<Value>| {
        let mut record = sample.clone();
        match value {
            Some(value) => record[field] = value,
            None => drop(record.as_object_mut().unwrap().remove(field)),
        }
        lines += &format!("{record}\n");
    };
    wrong("weather", Some(json!({"sun": true})));
    let cases = [
        ("modulation", Some(json!("QAM65"))),
        ("modulation", None),
        ("profile", Some(json!(-1))),
        ("profile", Some(Value::Null)),
        ("snr_db", Some(json!("36.1"))),
        ("ts", Some(json!("2026-05-01 12:00"))),
        ("ts", None),
        ("type", Some(json!("samples"))),
        ("type", None),
        ("v", Some(json!(2))),
        ("source", Some(json!(""))),
    ];
    cases.iter().cloned().for_each(|(field, value)| wrong(field, value));
    lines += "{\"v\":1,\"type\":\"status\",\"ts\":\"2026-05-01T12:00:00Z\",\"table\":\"t\"}\n";
    let faults = faults(&lines);
    let found: BTreeSet<usize> =
        faults.iter().map(|fault| fault.split_once(' ').unwrap().0.parse().unwrap()).collect();
    assert_eq!(found, (1..=cases.len() + 1).collect(), "{faults:#?}");
}

#[test]
fn a_type_that_is_in_the_code_is_in_the_schema() {
    let schema = schema();
    let sources = Command::new("grep")
        .args(["-rhE", r#"const TYPE: &'static str = "[a-z]+"|^bodies!"#])
        .arg(in_package("src"))
        .output()
        .unwrap();
    let sources = String::from_utf8(sources.stdout).unwrap();
    let words: Vec<_> = sources.lines().flat_map(|line| line.split('"').skip(1).step_by(2)).collect();
    assert!(words.len() > 15, "{words:?}");
    for word in words {
        assert!(schema.contains(&format!("\"const\": \"{word}\"")), "{word} is not in the schema");
    }
    assert!(!schema.contains("[`"), "no link of the code's own documentation");
}
