//! mod-report as its users meet it: every format to the byte, the window, the input, and what goes wrong.

use std::{fs, path::PathBuf};

use clap::Parser;
use modtools::{
    cli,
    clock::Clock,
    exit::Exit,
    record::Timestamp,
    settings::Settings,
    stage::{Context, Terminals},
};
use serde_json::{Value, json};

use crate::support::{in_package, records, tool};

/// 2025-05-02T05:00:00Z: the morning after.
const MORNING: Timestamp = Timestamp(1_746_162_000);

fn fixture(name: &str) -> PathBuf {
    in_package("tests/fixtures/report").join(name)
}

/// Runs the stage in this process, at a moment that stands still.
pub fn at(now: Timestamp, columns: Option<u16>, args: &[&str], input: &[u8]) -> (Exit, String) {
    at_with(Clock::Fixed(now), columns, args, input).expect("a report")
}

pub fn at_with(
    clock: Clock,
    columns: Option<u16>,
    args: &[&str],
    input: &[u8],
) -> modtools::error::Result<(Exit, String)> {
    let args = cli::Report::try_parse_from([&["mod-report"], args].concat()).expect("flags");
    let context = Context {
        tool: "mod-report",
        settings: Settings::of([("MODTOOLS_TZ", "Europe/Amsterdam"), ("NO_COLOR", "1")]),
        clock,
        terminals: Terminals { stdout: columns.is_some(), columns, ..Terminals::default() },
        ..Context::default()
    };
    let mut output = Vec::new();
    let exit = modtools::report::run(&args, &context, &mut &*input, &mut output)?;
    Ok((exit, String::from_utf8(output).expect("utf-8")))
}

fn of_fixture(columns: Option<u16>, args: &[&str]) -> String {
    let input = fs::read(fixture("scans.ndjson")).expect("the fixture");
    let args = [&["--input", "-", "--date", "yesterday"], args].concat();
    let (exit, output) = at(MORNING, columns, &args, &input);
    assert_eq!(exit, Exit::Done);
    output
}

#[test]
fn every_format_is_what_it_was() {
    for (file, columns, args) in [
        ("wide.txt", None, &["--format", "table"][..]),
        ("narrow.txt", Some(72), &["--top", "5", "--sort", "lost"]),
        ("report.ndjson", None, &[]),
        ("report.json", None, &["--format", "json", "--sort", "degraded"]),
        ("report.csv", None, &["--format", "csv", "--sort", "cmts"]),
        ("seed.csv", None, &["--layout", "seed"]),
        ("seed.json", None, &["--layout", "seed", "--format", "json"]),
        ("samples.ndjson", None, &["--format", "samples", "--upstream", "1/0/*"]),
    ] {
        let output = of_fixture(columns, args);
        if std::env::var_os("MODTOOLS_BLESS").is_some() {
            fs::write(fixture(file), &output).expect("blessed");
        }
        let golden = fs::read_to_string(fixture(file)).expect(file);
        assert_eq!(output, golden, "{file}; MODTOOLS_BLESS=1 renews it");
        if let Some(columns) = columns {
            let widest = output.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(usize::from(columns)), "{output}");
        }
    }
}

#[test]
fn json_holds_what_the_records_hold_and_csv_reads_back() {
    let mut rows = records(&of_fixture(None, &[]));
    let mut header = rows.remove(0);
    let mut json: Value = serde_json::from_str(&of_fixture(None, &["--format", "json"])).expect("json");
    for row in &mut rows {
        let row = row.as_object_mut().expect("an object");
        row.remove("v");
        row.remove("type");
    }
    header["rows"] = Value::from(rows.clone());
    assert_eq!(json.as_object_mut(), header.as_object_mut());

    let csv = of_fixture(None, &["--format", "csv"]);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let names = reader.headers().expect("a header").clone();
    let read: Vec<_> = reader.records().map(|record| record.expect("RFC 4180")).collect();
    assert_eq!(read.len(), rows.len());
    for (cells, row) in read.iter().zip(&rows) {
        for (name, cell) in names.iter().zip(cells) {
            let value = match name.split_once('_') {
                Some((of @ ("counts" | "share" | "time"), m)) => {
                    let of = if of == "counts" { "counts".to_owned() } else { format!("{of}_pct") };
                    row[of].get(m.trim_start_matches("pct_")).cloned().unwrap_or(json!(0))
                }
                Some(("delta", of)) => row["delta"].get(of).cloned().unwrap_or(json!("")),
                Some(("snr", of)) => row["snr_db"].get(&of[3..]).cloned().unwrap_or(json!("")),
                _ if name == "why" => {
                    let why = row["why"].as_array().map(|why| why.iter().filter_map(Value::as_str).collect());
                    json!(why.unwrap_or_else(Vec::new).join(" "))
                }
                _ if name == "maintenance_s" => json!(0),
                _ => row.get(name).cloned().unwrap_or(json!("")),
            };
            match value {
                Value::String(text) => {
                    let shown = text.replace('\u{1b}', "\\u{1b}").replace('\u{202e}', "\\u{202e}");
                    let guard = if shown.starts_with(['=', '-']) { "'" } else { "" };
                    assert_eq!(cell, format!("{guard}{shown}"));
                }
                Value::Bool(flag) => assert_eq!(cell, flag.to_string()),
                number => assert_eq!(cell.parse::<f64>().ok(), number.as_f64(), "{name}"),
            }
        }
    }
}

#[test]
fn top_limits_the_rows_and_not_the_totals() {
    let all = records(&of_fixture(None, &[]));
    let top = records(&of_fixture(None, &["--top", "2"]));
    assert_eq!(top, all[..3]);
    assert!(of_fixture(None, &["--top", "2", "--format", "table"]).contains("5 more upstreams"));
    let seed: Value =
        serde_json::from_str(&of_fixture(None, &["--layout", "seed", "--format", "json", "--top", "1"]))
            .expect("json");
    assert_eq!((&seed["total_upstreams"], seed["full_data"].as_array().map(Vec::len)), (&json!(6), Some(1)));
}

#[test]
fn filters_choose_what_is_looked_at() {
    let named = |args: &[&str]| {
        let rows = records(&of_fixture(None, args));
        let names =
            rows[1..].iter().map(|row| format!("{} {}", row["cmts"], row["upstream"]).replace('"', ""));
        (names.collect::<Vec<_>>(), rows[0].clone())
    };
    let (rows, header) = named(&["--cmts", "ccap2*"]);
    assert_eq!(rows, ["CCAP201 1/0/0/3", "CCAP201 1/0/0/7"]);
    assert_eq!((&header["silent"], &header["incidents"]), (&json!([]), &json!([])));
    assert_eq!(named(&["--upstream", "*/scq/1*"]).0, ["CCAP001 1/scq/1", "CCAP001 1/scq/10"]);
}

#[test]
fn the_whole_input_is_the_window_unless_told() {
    let input = fs::read(fixture("scans.ndjson")).expect("the fixture");
    let header = |now: &str, args: &[&str]| {
        let now: Timestamp = now.parse().expect("a time");
        records(&at(now, None, &[&["--input", "-"], args].concat(), &input).1).remove(0)
    };
    let whole = header("2025-05-02T05:00:00Z", &[]);
    assert_eq!(
        (&whole["from"], &whole["to"]),
        (&json!("2025-05-01T10:00:00Z"), &json!("2025-05-01T11:00:00Z"))
    );
    assert_eq!((&whole["coverage_pct"], whole.get("date")), (&json!(100.0), None));
    // Now is the end of it, but samples that are later than our clock count all the same.
    assert_eq!(header("2025-05-01T10:53:00Z", &[])["to"], "2025-05-01T10:53:00Z");
    assert_eq!(header("2024-05-01T10:53:00Z", &[])["to"], "2025-05-01T11:00:00Z");
    let part =
        header("2025-05-02T05:00:00Z", &["--from", "2025-05-01 12:30", "--to", "2025-05-01T11:00:00Z"]);
    assert_eq!((&part["from"], &part["measurements"]), (&json!("2025-05-01T10:30:00Z"), &json!(21)));
    // A window in the middle knows what was before it.
    assert_eq!((&part["hops"], &part["incidents"][0]["upstreams"]), (&json!(7), &json!(6 - 1)));
    let noon = header("2025-05-01T10:25:00Z", &["--date", "today"]);
    assert_eq!((&noon["from"], &noon["date"]), (&json!("2025-04-30T22:00:00Z"), &json!("2025-05-01")));
}

#[test]
fn without_a_sample_there_is_a_header_of_zeros_and_exit_3() {
    let run = tool("mod-report").args(["--input", "-", "--date", "2025-05-01", "--tz", "UTC"]).run();
    let run = run.says(3, &["mod-report: no sample from 2025-05-01T00:00:00Z", "--date"]);
    let header = &run.records()[0];
    let zeros = ["upstreams", "cmts", "hops", "measurements"].map(|field| header[field].as_u64());
    assert_eq!((zeros, run.records().len()), ([Some(0); 4], 1));
    assert_eq!((&header["coverage_pct"], &header["share_pct"]), (&json!(0.0), &json!({})));
    assert_eq!(run.stderr.lines().count(), 1);
}

#[test]
fn a_bad_line_is_told_by_its_number_and_the_rest_is_reported() {
    let good = r#"{"v":1,"type":"sample","ts":"2025-05-01T10:00:00Z","cmts":"A","upstream":"1","modulation":"QPSK"}"#;
    let input = format!("{good}\nnonsense\n{}\n", good.replace("QPSK", "QAM63").replace("\"1\"", "\"2\""));
    let run = tool("mod-report").args(["--input", "-"]).stdin(input.clone()).run();
    let run = run.says(3, &["mod-report: line 2: not JSON", "mod-report: line 3: sample:"]);
    assert_eq!((run.stderr.lines().count(), run.records().len()), (2, 2));
    // As records, the bad ones stand in their place.
    let run = tool("mod-report").args(["--input", "-", "--format", "samples"]).stdin(input).run();
    let types: Vec<_> = run.records().iter().map(|r| r["type"].as_str().map(str::to_owned)).collect();
    assert_eq!(
        (run.code, types),
        (Some(3), ["sample", "error", "error"].map(|t| Some(t.to_owned())).to_vec())
    );
}

#[test]
fn a_stream_that_broke_off_is_partial_and_a_hand_made_one_is_not() {
    let text = fs::read_to_string(fixture("scans.ndjson")).expect("the fixture");
    let broken: String =
        text.lines().filter(|line| !line.contains("\"end\"")).map(|l| format!("{l}\n")).collect();
    let run = tool("mod-report").args(["--input", "-"]).stdin(broken.clone()).run();
    assert_eq!(run.says(3, &["`end`"]).records()[0]["measurements"], 42);
    let samples: String =
        broken.lines().filter(|l| l.contains("\"sample\"")).map(|l| format!("{l}\n")).collect();
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join("hand.ndjson"), samples).expect("written");
    let run = tool("mod-report").args(["--input", "hand.ndjson"]).dir(dir.path()).run();
    assert_eq!(run.clean(0).records()[0]["silent"], json!([]));
}

#[test]
fn wrong_usage_is_one_line_that_names_the_flag_before_anything_is_opened() {
    let db = ["--db", "mysql://nobody@127.0.0.1:1/none"];
    for (args, words) in [
        (&["--date", "tomorrow"][..], &["--date", "tomorrow", "YYYY-MM-DD"][..]),
        (&["--date", "2025-02-30"], &["--date", "YYYY-MM-DD"]),
        (&["--from", "noon"], &["--from", "noon"]),
        (&["--from", "2025-05-02", "--to", "2025-05-01"], &["--from", "before it ends"]),
        (&["--tz", "Europe/Atlantis"], &["--tz", "Europe/Atlantis", "Europe/Amsterdam"]),
        (&["--cmts", "["], &["--cmts", "pattern"]),
        (&["--expected", "OFDMA"], &["--expected", "QAM256"]),
        (&["--layout", "seed", "--format", "table"], &["--layout", "csv"]),
        (&["--layout", "seed", "--sort", "lost"], &["--sort", "leave"]),
        (&["--format", "samples", "--top", "3"], &["--top", "samples"]),
    ] {
        let run = tool("mod-report").args(db).args(args).env("ACCESS_PASSWORD", "x").run();
        let run = run.says(2, words);
        assert_eq!((run.stderr.lines().count(), run.stdout.as_str()), (1, ""), "{args:?}: {}", run.stderr);
    }
    tool("mod-report").env("MODTOOLS_TZ", "Nowhere").run().says(2, &["MODTOOLS_TZ", "Nowhere"]);
    tool("mod-report").env("MODTOOLS_EXPECTED", "much").run().says(2, &["MODTOOLS_EXPECTED"]);
    tool("mod-report").args(["--input", "missing.ndjson"]).run().says(2, &["missing.ndjson"]);
    for args in [&["--to", "now"][..], &["--date", "today", "--from", "now"], &["--interval", "0s"]] {
        tool("mod-report").args(args).run().says(2, &[args[0]]);
    }
}

#[test]
fn a_file_is_whole_or_not_there_and_a_full_disk_is_no_success() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = fixture("scans.ndjson");
    let report = || tool("mod-report").arg("--input", &path).dir(dir.path());
    assert_eq!(report().args(["-o", "out.ndjson"]).run().clean(0).stdout, "");
    let written = fs::read_to_string(dir.path().join("out.ndjson")).expect("written");
    assert_eq!(records(&written).len(), 8);
    report().args(["-o", "no/such/dir"]).run().says(1, &["cannot write no/such/dir"]);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let mut command = report().command(dir.path());
    let output = command.stdout(full).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn save_writes_the_two_files_of_the_seed_layout() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let args = ["--date", "2025-05-01", "--tz", "Europe/Amsterdam", "--save", "--top", "1"];
    let run = tool("mod-report").arg("--input", fixture("scans.ndjson")).args(args);
    let run = run.env("REPORT_OUTPUT_DIR", "kept/reports").dir(dir.path()).run().clean(0);
    assert_eq!(run.records().len(), 2);
    let read = |name: &str| fs::read_to_string(dir.path().join("kept/reports").join(name)).expect(name);
    assert_eq!(read("modulation_report_2025-05-01.csv"), of_fixture(None, &["--layout", "seed"]));
    let mut web: Value = serde_json::from_str(&read("modulation_report_2025-05-01_web.json")).expect("json");
    let golden = of_fixture(None, &["--layout", "seed", "--format", "json"]);
    let golden: Value = serde_json::from_str(&golden).expect("json");
    web["generated_at"] = golden["generated_at"].clone();
    assert_eq!(web, golden);
    assert_eq!(fs::read_dir(dir.path().join("kept/reports")).expect("a directory").count(), 2);
}

#[test]
fn save_copy_gives_the_json_its_other_name_too_and_both_end_together() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let report = |date: &str, more: &[&str]| {
        let run =
            tool("mod-report").arg("--input", fixture("scans.ndjson")).args(["--tz", "Europe/Amsterdam"]);
        run.args(["--date", date]).args(more).env("REPORT_OUTPUT_DIR", "r").dir(dir.path()).run()
    };
    report("2025-05-01", &["--save", "--save-copy", "--keep-files", "36500"]).clean(0);
    let read = |name: &str| fs::read(dir.path().join("r").join(name)).ok();
    let [copy, web, csv] =
        [".json", "_web.json", ".csv"].map(|end| format!("modulation_report_2025-05-01{end}"));
    assert!(read(&copy).is_some(), "it is there");
    assert_eq!(read(&copy), read(&web));
    // All three are past keeping when files of another date are written.
    for name in [&copy, &web, &csv] {
        let old = name.replace("05-01", "04-01");
        let bytes = String::from_utf8(read(name).expect("read")).expect("text");
        fs::write(dir.path().join("r").join(old), bytes.replace("2025-05-01", "2025-04-01"))
            .expect("written");
    }
    report("2025-05-01", &["--save", "--keep-files", "1"]).clean(0);
    let there = [&copy, &web, &csv].map(|name| read(&name.replace("05-01", "04-01")).is_some());
    assert_eq!((there, read(&web).is_some()), ([false; 3], true));
    report("2025-05-01", &["--save-copy"]).says(2, &["--save"]);
}

#[test]
fn a_database_reports_what_the_stream_does() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let input = fs::read(fixture("scans.ndjson")).expect("the fixture");
    let db = ["--db", "sqlite:m.db"];
    tool("mod-store")
        .args(db)
        .arg("--init", "--batch=2")
        .stdin(input)
        .dir(dir.path())
        .run()
        .says(3, &["CCAP101"]);
    let window = ["--date", "2025-05-01", "--tz", "Europe/Amsterdam"];
    let report =
        |args: &[&str]| tool("mod-report").args(db).args(window).args(args).dir(dir.path()).run().clean(0);
    let without_time = |mut records: Vec<Value>| {
        for record in records.iter_mut() {
            record["ts"] = Value::Null;
            record["generated_at"] = Value::Null;
        }
        records
    };
    assert_eq!(without_time(report(&[]).records()), without_time(records(&of_fixture(None, &[]))));
    let samples = report(&["--format", "samples", "--upstream", "1/0/*"]).records();
    assert_eq!(samples.len(), 12);
    assert_eq!((&samples[0]["modulation"], &samples[0]["platform"]), (&json!("QAM64"), &json!("cbr8")));
    tool("mod-report").args(["--db", "sqlite:none.db"]).dir(dir.path()).run().says(2, &["none.db"]);
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let line = |n: u32| {
        format!(
            "{{\"type\":\"sample\",\"ts\":\"2025-05-01T10:00:00Z\",\"cmts\":\"A\",\"upstream\":\"{n}\",\"modulation\":\"QPSK\"}}\n"
        )
    };
    let many: String = (0..5000).map(line).collect();
    fs::write(dir.path().join("many.ndjson"), many).expect("written");
    let mut command = tool("mod-report").args(["--input", "many.ndjson"]).command(dir.path());
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}
