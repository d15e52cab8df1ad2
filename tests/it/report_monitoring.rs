//! `--format prom` and `--format check`: what monitoring reads.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use modtools::{exit::Exit, record::Timestamp};
use serde_json::json;

use crate::{report::at, report_events::fleet};

/// The series of a text: name and labels, and its value.
pub type Series = BTreeMap<(String, BTreeMap<String, String>), f64>;

/// Reads the text format, and panics at anything that is not allowed in it.
pub fn parse(text: &str) -> Series {
    let (mut series, mut typed, mut helped, mut done) =
        (Series::new(), BTreeSet::new(), BTreeSet::new(), false);
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let mut current = String::new();
    for line in text.lines() {
        assert!(!done, "nothing follows # EOF: {line}");
        if line == "# EOF" {
            done = true;
        } else if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').unwrap();
            assert!(helped.insert(name.to_owned()) && !words.is_empty() && is_name(name), "{line}");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(typed.insert(name.to_owned()) && helped.contains(name) && kind == "gauge", "{line}");
            name.clone_into(&mut current);
        } else {
            let (name, labels, value) = sample(line);
            assert!(name == current && is_name(&name) && labels.keys().all(|label| is_name(label)), "{line}");
            let value: f64 = value.parse().unwrap_or_else(|e| panic!("{e}: {line}"));
            assert!(value.is_finite(), "{line}");
            assert!(series.insert((name, labels), value).is_none(), "twice: {line}");
        }
    }
    assert!(done && text.ends_with('\n'));
    series
}

fn sample(line: &str) -> (String, BTreeMap<String, String>, &str) {
    let Some((name, rest)) = line.split_once('{') else {
        let (name, value) = line.split_once(' ').unwrap();
        return (name.to_owned(), BTreeMap::new(), value);
    };
    let mut labels = BTreeMap::new();
    let mut rest = rest;
    while let Some((label, after)) = rest.split_once("=\"") {
        let (mut value, mut end, mut chars) = (String::new(), None, after.char_indices());
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    end = Some(at);
                    break;
                }
                '\\' => match chars.next().unwrap().1 {
                    'n' => value.push('\n'),
                    c @ ('\\' | '"') => value.push(c),
                    c => panic!("an escape of {c}: {line}"),
                },
                c => value.push(c),
            }
        }
        assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
        rest = &after[end.unwrap() + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    (name.to_owned(), labels, rest.strip_prefix("} ").unwrap())
}

/// The value of a series, by its name and labels as they are written.
pub fn value(series: &Series, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    series.get(&(name.to_owned(), labels)).copied()
}

/// Has Prometheus itself look at it, where it is installed.
pub fn promtool(text: &str) {
    let tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut tool) = tool else {
        eprintln!("SKIPPED: promtool (Debian: prometheus) is not installed");
        return;
    };
    tool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let done = tool.wait_with_output().unwrap();
    assert!(done.status.success(), "{}\n{text}", String::from_utf8_lossy(&done.stderr));
}

fn now() -> Timestamp {
    "2025-05-02T07:00:00Z".parse().unwrap()
}

fn window() -> [&'static str; 6] {
    ["--input", "-", "--from", "2025-05-02T06:00:00Z", "--expected", "QAM64"]
}

#[test]
fn the_gauges_of_a_fleet_are_what_its_samples_say() {
    let dir = tempfile::tempdir().unwrap();
    let nodes = dir.path().join("nodes.csv");
    fs::write(&nodes, "cmts,upstream,node\nCCAP001,1/*,\"N\"\"1\\\"\nCCAP001,2/*,N2\n").unwrap();
    let input = fleet(&[("1", 6, "666644"), ("2", 2, "666666"), ("3", 1, "222222")], 0..6);
    let other = json!({"type": "sample", "ts": "2025-05-02T06:50:00Z", "cmts": "bad\"\\\u{1b}\nname", "upstream": "é{}", "modulation": "OFDMA"});
    let input = format!("{input}{other}\n");
    let run = |more: &[&str]| {
        let args = [&window()[..], &["--format", "prom", "--nodes", nodes.to_str().unwrap()], more].concat();
        at(now(), None, &args, input.as_bytes()).1
    };
    let text = run(&[]);
    promtool(&text);
    let series = parse(&text);
    let n1 = [("cmts", "CCAP001"), ("node", "N\"1\\")];
    let none = [("cmts", "CCAP001")];
    let of = |place: &[(&'static str, &'static str)], modulation| {
        value(&series, "modtools_upstreams", &[place, &[("modulation", modulation)]].concat())
    };
    assert_eq!((of(&n1, "QAM16"), of(&n1, "QAM64"), of(&none, "QPSK")), (Some(6.0), None, Some(1.0)));
    assert_eq!(value(&series, "modtools_upstreams_below_expectation", &n1), Some(6.0));
    assert_eq!(value(&series, "modtools_upstreams_below_expectation", &none), Some(1.0));
    // A third of the hour at two bits less of six, six times 6.4 MHz; and one at four bits less.
    assert_eq!(value(&series, "modtools_lost_mbps", &n1), Some(20.48));
    assert_eq!(value(&series, "modtools_lost_mbps", &none), Some(20.48));
    assert_eq!(value(&series, "modtools_modems", &n1), Some(240.0));
    assert_eq!(
        value(&series, "modtools_modems_below_expectation", &[("cmts", "CCAP001"), ("node", "N2")]),
        Some(0.0)
    );
    assert_eq!(value(&series, "modtools_incidents", &n1), Some(1.0));
    assert_eq!(value(&series, "modtools_last_good_scan_age_seconds", &none), Some(600.0));
    assert_eq!(value(&series, "modtools_report_window_seconds", &[]), Some(3600.0));
    let hostile = "bad\"\\\u{fffd}\nname";
    assert_eq!(of(&[("cmts", hostile)], "OFDMA"), Some(1.0));
    assert!(!text.contains("modtools_upstream_"));
    let top = run(&["--top", "2"]);
    promtool(&top);
    let hops = |series: &Series| series.keys().filter(|(name, _)| name == "modtools_upstream_hops").count();
    assert_eq!(hops(&parse(&top)), 2);
    // Nothing at all is still a whole file.
    let empty = at(now(), None, &[&window()[..], &["--format", "prom"]].concat(), b"");
    assert_eq!(empty.0, Exit::Partial);
    promtool(&empty.1);
    assert_eq!(parse(&empty.1).len(), 2);
}

#[test]
fn a_check_is_one_line_and_its_exit_code_is_a_plugins() {
    let input = fleet(&[("1", 6, "666644"), ("3", 34, "666666")], 0..6);
    let silent = json!({"type": "scan", "ts": "2025-05-02T06:50:00Z", "cmts": "CCAP|7", "platform": "casa", "status": "refused"});
    let run = |more: &[&str], input: &str| {
        at(now(), None, &[&window()[..], &["--format", "check"], more].concat(), input.as_bytes())
    };
    let line = |word: &str, limits: &str, silent: &str, count: u32| {
        format!(
            "MOD-REPORT {word} - 6 of 40 upstreams below expectation, 20.5 Mbit/s lost, 1 incidents{silent} \
             | below=6;{limits};0;40 upstreams=40 lost_mbps=20.48 incidents=1 silent={count}\n"
        )
    };
    assert_eq!(run(&[], &input), (Exit::Done, line("OK", ";", "", 0)));
    assert_eq!(run(&["--warning", "7"], &input), (Exit::Done, line("OK", "7;", "", 0)));
    assert_eq!(
        run(&["--warning", "6", "--critical", "50%"], &input),
        (Exit::Failed, line("WARNING", "6;20", "", 0))
    );
    assert_eq!(
        run(&["--warning", "2", "--critical", "15%"], &input),
        (Exit::Usage, line("CRITICAL", "2;6", "", 0))
    );
    let with_silent = format!("{input}{silent}\n");
    assert_eq!(run(&[], &with_silent), (Exit::Failed, line("WARNING", ";", ", silent: CCAP/7", 1)));
    let (exit, text) = run(&["--critical", "1"], "");
    assert_eq!(exit, Exit::Partial);
    assert!(text.starts_with("MOD-REPORT UNKNOWN - 0 of 0 upstreams"), "{text}");
    let broken = crate::support::tool("mod-report")
        .args(["--format", "check", "--db", "mysql://nobody@127.0.0.1:1/none"])
        .env("ACCESS_PASSWORD", "secret")
        .run();
    assert_eq!(
        (broken.code, broken.stdout.starts_with("MOD-REPORT CRITICAL - ")),
        (Some(2), true),
        "{broken:?}"
    );
    for (args, words) in [
        (&["--warning", "5"][..], "--warning: it needs --format check"),
        (&["--format", "check", "--warning", "many"], "invalid limit \"many\"; examples: 20, 2.5%"),
        (&["--format", "check", "--critical", "101%"], "invalid limit"),
        (&["--format", "check", "--by", "cmts"], "--by: it has no meaning for --format check"),
        (&["--format", "prom", "--by", "node"], "--by: it is not available as --format prom"),
    ] {
        crate::support::tool("mod-report").args(args).run().says(2, &[words]);
    }
}
