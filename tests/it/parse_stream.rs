//! mod-parse in a pipe: what passes, what is told apart, what it ends with.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    process::Stdio,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{DEADLINE, Run, drain, tool, wait};

const TABLE: &str = "\
US          Cable     Oper  Chan   Freq Low-High   Center  Channel   Mini Mod  Pwr(dBmV/  LBal
S/CG/CH     Mac  Conn State Type    (MHz.KHz)      Freq(MHz) Width   Slot Prof  1.6 MHz)  Group
2/scq/0     127     -    IS atdma  55.600-62.000    58.800   6.400     2  202    -6.0     1
2/scq/1     127     -    IS atdma  55.600-62.000    58.800   6.400     2  999    -6.0     1
";
const UPSTREAMS: &str = "show interface cable-upstream";
const PROFILES: &str = "show running-config verbose | include modulation-profile";
const END: &str =
    r#"{"v":1,"type":"end","ts":"2026-05-01T12:00:09Z","stage":"ccap-fetch","ok":1,"failed":0}"#;

fn answer(command: &str, output: &str, complete: bool) -> Value {
    json!({"command": command, "output": output, "elapsed_ms": 5, "complete": complete})
}

fn capture(cmts: &str, status: &str, commands: Vec<Value>) -> Value {
    json!({"v": 1, "type": "capture", "ts": "2026-05-01T12:00:00Z", "cmts": cmts, "platform": "e6000",
        "host": "127.0.0.1", "port": 22, "status": status, "attempts": 2, "elapsed_ms": 77, "phases": {}, "commands": commands})
}

fn good(cmts: &str) -> Value {
    capture(cmts, "ok", vec![answer(UPSTREAMS, TABLE, true), answer(PROFILES, "", true)])
}

/// Lines through the tool, with a clean end.
fn parse(lines: &[Value], more: &[&str]) -> Run {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    tool("mod-parse").args(more).stdin(format!("{text}{END}\n")).run()
}

#[test]
fn what_is_no_capture_passes_through_whole() {
    let lines = [
        r#"{ "type": "sample",  "ts": "2026-05-01T12:00:00Z", "cmts": "A", "upstream": "1/0", "modulation": "QAM64", "extra": [1, {"a": null}] }"#,
        r#"{"v":1,"type":"scan","ts":"2026-05-01T12:00:00Z","cmts":"A","status":"ok"}"#,
        r#"{"v":1,"type":"heartbeat","ts":"2026-05-01T12:00:00Z","devices":1,"due":0,"running":0}"#,
        r#"{"v":1,"type":"weather","rain":true}"#,
        END,
    ];
    let text = format!("{}\n", lines.join("\n"));
    let run = tool("mod-parse").stdin(text.clone()).run().clean(0);
    assert_eq!(run.stdout, text);
    // A newer version passes too, with one warning for all of them.
    let newer = "{\"v\":9,\"type\":\"capture\",\"x\":1}\n".repeat(3);
    let run = tool("mod-parse").stdin(newer.clone()).run().says(0, &["version 9"]);
    assert_eq!((run.stdout.as_str(), run.stderr.lines().count()), (newer.as_str(), 1));
}

#[test]
fn a_capture_becomes_its_samples_and_then_its_scan() {
    let run = parse(&[good("CCAP001")], &[]).says(0, &["CCAP001: profile 999"]);
    let records = run.records();
    let types: Vec<_> = records.iter().map(|record| record["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["sample", "sample", "scan", "end"]);
    assert_eq!(
        records[0],
        json!({"v": 1, "type": "sample", "ts": "2026-05-01T12:00:00Z", "cmts": "CCAP001", "upstream": "2/scq/0",
            "modulation": "QAM64", "profile": 202, "source": "state", "explained_by": "built_in", "platform": "e6000",
            "channel_type": "atdma",
            "center_hz": 58_800_000, "width_hz": 6_400_000})
    );
    assert_eq!(
        records[2],
        json!({"v": 1, "type": "scan", "ts": "2026-05-01T12:00:00Z", "cmts": "CCAP001", "platform": "e6000",
            "status": "ok", "attempts": 2, "elapsed_ms": 77, "samples": 2, "unparsed": 0, "built_in": 1})
    );
}

#[test]
fn only_a_whole_answer_yields_samples() {
    let mut strange = good("A");
    strange["platform"] = json!("zhone");
    let mut failed = capture("A", "auth_failed", vec![]);
    failed["error"] = json!("password rejected");
    let refused = "Error: not in this mode";
    let profiles = "configure cable modulation-profile 202 iuc 10 mod qam16";
    // Capture, status of its scan, samples, exit code, what stands on stderr.
    let cases = [
        (capture("A", "ok", vec![answer(UPSTREAMS, TABLE, false)]), "read_timeout", 0, 3, "not complete"),
        (capture("A", "ok", vec![answer(UPSTREAMS, refused, true)]), "command_failed", 0, 3, refused),
        (capture("A", "ok", vec![]), "command_failed", 0, 3, UPSTREAMS),
        (capture("A", "ok", vec![answer(PROFILES, profiles, true)]), "command_failed", 0, 3, UPSTREAMS),
        (capture("A", "ok", vec![answer(UPSTREAMS, "", true)]), "parse_failed", 0, 3, "header"),
        (capture("A", "ok", vec![answer("show interface cable-mac", TABLE, true)]), "ok", 2, 0, ""),
        (strange, "parse_failed", 0, 3, "zhone"),
        (capture("A", "read_timeout", vec![answer(UPSTREAMS, TABLE, true)]), "read_timeout", 0, 0, ""),
        (failed, "auth_failed", 0, 0, ""),
        (
            capture("A", "partial", vec![answer(UPSTREAMS, TABLE, true), answer(PROFILES, profiles, false)]),
            "partial",
            2,
            0,
            "",
        ),
        (
            capture("A", "ok", vec![answer(UPSTREAMS, TABLE, true), answer(PROFILES, profiles, true)]),
            "ok",
            2,
            0,
            "",
        ),
    ];
    for (index, (capture, status, samples, code, words)) in cases.into_iter().enumerate() {
        let run = parse(std::slice::from_ref(&capture), &[]).says(code, &[words]);
        let records = run.records();
        let scan = &records[records.len() - 2];
        assert_eq!(
            (scan["status"].as_str(), scan["samples"].as_u64()),
            (Some(status), Some(samples)),
            "case {index}: {capture}"
        );
        assert_eq!(records.len() as u64, samples + 2, "case {index}");
        // An incomplete profile table is not believed, a complete one is.
        if samples > 0 {
            let expected = if index == 10 { "QAM16" } else { "QAM64" };
            assert_eq!(records[0]["modulation"], expected, "case {index}");
        }
    }
    // The reason goes along.
    let run = parse(&[capture("A", "disconnected", vec![])], &[]).clean(0);
    assert_eq!(run.records()[0].get("error"), None);
}

#[test]
fn an_unexplained_profile_is_named_once_and_a_file_explains_it() {
    let run = parse(&[good("A"), good("A"), good("B")], &[]);
    assert_eq!((run.code, run.stderr.lines().count()), (Some(0), 2), "{}", run.stderr);
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("profiles.csv");
    fs::write(&file, "e6000,999,qam16\nB,202,qpsk\n").unwrap();
    let file = file.to_str().unwrap();
    let run = parse(&[good("A"), good("B")], &["--profiles", file]).clean(0);
    let modulations: Vec<_> =
        run.records().iter().filter_map(|r| r["modulation"].as_str().map(str::to_owned)).collect();
    assert_eq!(modulations, ["QAM64", "QAM16", "QPSK", "QAM16"]);
    tool("mod-parse").args(["--profiles", "/nowhere"]).run().says(2, &["/nowhere"]);
}

#[test]
fn a_profile_answer_without_a_profile_is_said_once_and_counted() {
    let strange = answer(PROFILES, "profile table version 3\n202 | data | sixty-four\n", true);
    let plain = TABLE.replace("999", "204");
    let device = |cmts: &str, profiles: &Value| {
        capture(cmts, "ok", vec![answer(UPSTREAMS, &plain, true), profiles.clone()])
    };
    let run = parse(&[device("A", &strange), device("A", &strange), device("B", &strange)], &[]);
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!((run.code, lines.len()), (Some(0), 2), "{}", run.stderr);
    for (line, cmts) in lines.iter().zip(["A", "B"]) {
        assert!(line.starts_with(&format!("mod-parse: {cmts}: {PROFILES}: ")), "{line}");
        assert!(line.contains("2 upstreams rest on the built-in table"), "{line}");
    }
    let scan = &run.records()[2];
    assert_eq!((&scan["unparsed"], &scan["built_in"]), (&json!(1), &json!(2)));
    // Without text, or with a profile that explains nothing, there is nothing to say.
    for quiet in ["", "\n\n", "configure cable modulation-profile 7 iuc 1 mod qpsk pre-len 64\n"] {
        let run = parse(&[device("A", &answer(PROFILES, quiet, true))], &[]).clean(0);
        assert_eq!((&run.records()[2]["unparsed"], &run.records()[2]["built_in"]), (&json!(0), &json!(2)));
    }
}

#[test]
fn a_sample_says_what_its_modulation_rests_on() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("profiles.csv");
    fs::write(&file, "e6000,204,qam32\n").unwrap();
    let profiles = "configure cable modulation-profile 202 iuc 10 mod qam16";
    let table = format!(
        "{TABLE}2/scq/2 1 - IS atdma 5.000-11.400 8.200 6.400 2 204 0.0\n2/scq/3 1 - IS atdma 5.000-11.400 8.200 6.400 2 222 0.0\n2/scq/4 1 - IS atdma 5.000-11.400 8.200 6.400 2 364 0.0\n"
    );
    let line = capture("A", "ok", vec![answer(UPSTREAMS, &table, true), answer(PROFILES, profiles, true)]);
    let run = parse(&[line], &["--profiles", file.to_str().unwrap()]);
    let all = run.records();
    let said: Vec<_> =
        all.iter().take(5).map(|r| (r["modulation"].as_str().unwrap(), r["explained_by"].as_str())).collect();
    // The number of another family's table explains nothing.
    let expected = [
        ("QAM16", Some("device")),
        ("UNKNOWN", None),
        ("QAM32", Some("user")),
        ("QPSK", Some("built_in")),
        ("UNKNOWN", None),
    ];
    assert_eq!(said, expected);
    assert_eq!(all[5]["built_in"], 1);
}

#[test]
fn a_bad_line_becomes_an_error_record_and_the_rest_goes_on() {
    let text = format!("{}\n\nnonsense\n{}\n{END}\n", good("A"), good("B"));
    for jobs in ["1", "3"] {
        let run = tool("mod-parse")
            .args(["-j", jobs])
            .stdin(text.clone())
            .run()
            .says(3, &["mod-parse: line 3: not JSON"]);
        let records = run.records();
        let types: Vec<_> = records.iter().map(|record| record["type"].as_str().unwrap()).collect();
        assert_eq!(types, ["sample", "sample", "scan", "error", "sample", "sample", "scan", "end"]);
        assert_eq!((&records[3]["stage"], &records[3]["line"]), (&json!("mod-parse"), &json!(3)));
    }
    let run = tool("mod-parse").args(["--strict"]).stdin(text).run().says(1, &["line 3"]);
    assert_eq!(run.records().last().unwrap()["type"], "error");
}

#[test]
fn an_input_that_breaks_off_is_used_and_said() {
    let run = tool("mod-parse").stdin(format!("{}\n", good("A"))).run().says(3, &["end record"]);
    assert_eq!(run.records().len(), 3);
    // The last line may lack its line feed, and an input may be empty.
    tool("mod-parse").stdin(END).run().clean(0);
    assert_eq!(tool("mod-parse").run().clean(0).stdout, "");
}

#[test]
fn threads_do_not_change_the_order() {
    let mut lines = Vec::new();
    for number in 0..300 {
        // Of very different size, so that the later ones would be done first.
        let rows = if number % 7 == 0 { 400 } else { 1 };
        let table: String = (0..rows)
            .map(|n| format!("3/scq/{n} 1 - IS atdma 5.000-11.400 8.200 6.400 2 202 0.0\n"))
            .collect();
        lines.push(capture(
            &format!("N{number}"),
            "ok",
            vec![answer(UPSTREAMS, &format!("{TABLE}{table}"), true)],
        ));
        lines.push(json!({"v": 1, "type": "note", "n": number}));
    }
    let one = parse(&lines, &["-j", "1"]);
    assert_eq!(parse(&lines, &["-j", "8"]).stdout, one.stdout);
    assert_eq!(parse(&lines, &[]).stdout, one.stdout);
}

#[test]
fn a_result_does_not_wait_for_the_next_line() {
    for jobs in ["1", "4"] {
        let dir = TempDir::new().unwrap();
        let mut command = tool("mod-parse").args(["-j", jobs]).command(dir.path());
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let err = drain(child.stderr.take().unwrap());
        let mut out = BufReader::new(child.stdout.take().unwrap());
        for name in ["A", "B"] {
            writeln!(stdin, "{}", good(name)).unwrap();
            // A tool that held results back would hang here until the harness ends the test.
            for kind in ["sample", "sample", "scan"] {
                let mut line = String::new();
                out.read_line(&mut line).unwrap();
                let record: Value = serde_json::from_str(&line).unwrap();
                assert_eq!((record["type"].as_str(), record["cmts"].as_str()), (Some(kind), Some(name)));
            }
        }
        writeln!(stdin, "{END}").unwrap();
        drop(stdin);
        assert_eq!(wait(&mut child, DEADLINE).code(), Some(0));
        assert_eq!(err.join().unwrap().lines().count(), 2);
    }
}

#[test]
fn a_reader_that_went_away_is_no_fault_and_a_full_disk_is() {
    let dir = TempDir::new().unwrap();
    let input = dir.path().join("captures");
    let text: String = (0..2000).map(|n| format!("{}\n", good(&format!("N{n}")))).collect();
    fs::write(&input, format!("{text}{END}\n")).unwrap();
    for jobs in ["1", "4"] {
        let start = |stdout: Stdio| {
            let mut command = tool("mod-parse").args(["-q", "-j", jobs]).command(dir.path());
            command.stdin(File::open(&input).unwrap()).stdout(stdout).stderr(Stdio::piped()).spawn().unwrap()
        };
        let mut child = start(Stdio::piped());
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let err = drain(child.stderr.take().unwrap());
        assert_eq!((wait(&mut child, DEADLINE).code(), err.join().unwrap().as_str()), (Some(0), ""));
        let mut child = start(File::options().write(true).open("/dev/full").unwrap().into());
        let err = drain(child.stderr.take().unwrap());
        assert_eq!(wait(&mut child, DEADLINE).code(), Some(1));
        assert!(err.join().unwrap().contains("standard output"));
    }
}

#[test]
fn remarkable_captures_are_kept_within_bounds_and_nothing_else_is_touched() {
    let dir = TempDir::new().unwrap();
    let keep = dir.path().join("kept");
    fs::create_dir(&keep).unwrap();
    fs::write(keep.join("notes.txt"), "mine").unwrap();
    let mut lines: Vec<Value> = (0..205).map(|n| capture(&format!("N{n:03}"), "refused", vec![])).collect();
    for (number, line) in lines.iter_mut().enumerate() {
        line["ts"] = json!(format!("2026-05-01T12:{:02}:{:02}Z", number / 60, number % 60));
    }
    lines.push(capture("../../out/\u{1b}[2J", "refused", vec![]));
    lines.last_mut().unwrap()["ts"] = json!("2026-05-02T00:00:00Z");
    let plain = TABLE.replace("999", "204");
    lines.push(capture("PLAIN", "ok", vec![answer(UPSTREAMS, &plain, true)]));
    lines.push(good("UNKNOWN"));
    let keep = keep.to_str().unwrap();
    let run = parse(&lines, &["--keep", keep]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let mut names: Vec<String> =
        fs::read_dir(keep).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names.len(), 201, "200 captures and the notes");
    assert!(names.contains(&"notes.txt".to_owned()));
    // What is oldest by its own time goes, be it the one that came last.
    assert!(!names.iter().any(|name| name.contains("N000") || name.contains("PLAIN")), "{names:?}");
    assert!(names.iter().any(|name| name.contains("_out___2J")), "{names:?}");
    let newest = fs::metadata(format!("{keep}/{}", names[199])).unwrap();
    assert_eq!(newest.permissions().mode() & 0o777, 0o600);
    // What is kept can be parsed again.
    let again = tool("mod-parse").stdin(fs::read(format!("{keep}/{}", names[198])).unwrap()).run();
    assert_eq!(again.records()[0]["status"], "refused");
    // The directory is made, and one that cannot be is said before anything is read.
    parse(&[good("A")], &["--keep", dir.path().join("a/b").to_str().unwrap()]);
    assert_eq!(fs::read_dir(dir.path().join("a/b")).unwrap().count(), 1);
    tool("mod-parse").args(["--keep", "/dev/null/x"]).run().says(1, &["/dev/null/x"]);
}

#[test]
fn the_debug_switch_of_a_family_shows_what_was_not_understood() {
    let damaged = format!("{TABLE}3/scq/1 what is this\n");
    let line = capture("A", "ok", vec![answer(UPSTREAMS, &damaged.replace("999", "204"), true)]);
    let with = |name: &str| tool("mod-parse").env(name, "true").stdin(format!("{line}\n{END}\n")).run();
    with("DEBUG_CCAP0").says(0, &["A: show interface cable-upstream: line 5: unparsed", "what is this"]);
    let run = with("DEBUG_CCAP1").clean(0);
    assert_eq!(run.records()[2]["unparsed"], 1);
}
