//! What mod-report answers besides the rows of a day: why, compared with what, in maintenance, who as a whole,
//! what changed when, how it stood at a moment, and whether anybody still reads it.

use std::fs;

use clap::Parser as _;
use modtools::{
    cli,
    clock::Clock,
    exit::Exit,
    record::Timestamp,
    settings::Settings,
    stage::{Context, Terminals},
};
use serde_json::{Value, json};

use crate::{
    report::at,
    support::{in_package, records, tool},
};

const NOON: &str = "2025-05-02T12:00:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn fixture() -> Vec<u8> {
    fs::read(in_package("tests/fixtures/report/scans.ndjson")).expect("the fixture")
}

/// Samples of one CMTS every ten minutes: a letter each, `6` QAM64, `4` QAM16, `2` QPSK, `-` none.
fn course(from: &str, upstream: &str, letters: &str) -> String {
    let line = |(step, letter): (i64, char)| {
        let modulation = match letter {
            '6' => "QAM64",
            '4' => "QAM16",
            '2' => "QPSK",
            _ => return String::new(),
        };
        let ts = time(from) + step * 600;
        format!(
            "{}\n",
            json!({"type": "sample", "ts": ts, "cmts": "A", "upstream": upstream, "modulation": modulation})
        )
    };
    (0..).zip(letters.chars()).map(line).collect()
}

fn scan(ts: &str, cmts: &str, status: &str) -> String {
    format!(
        "{}\n",
        json!({"type": "scan", "ts": ts, "cmts": cmts, "platform": "casa", "status": status, "error": "no answer\u{1b}[2J"})
    )
}

/// Asks about a stream that came to its end.
fn ask(now: &str, columns: Option<u16>, args: &[&str], input: &str) -> (Exit, String) {
    let end = json!({"type": "end", "ts": now, "stage": "ccap-fetch", "ok": 1, "failed": 0});
    let input = format!("{input}{end}\n");
    at(time(now), columns, &[&["--input", "-", "--tz", "UTC"], args].concat(), input.as_bytes())
}

#[test]
fn delta_is_this_day_less_the_one_before() {
    let input = [
        course("2025-05-01T00:00:00Z", "1", &"6".repeat(144)),
        course("2025-05-02T00:00:00Z", "1", &("6".repeat(36) + &"4".repeat(36))),
        course("2025-05-02T00:00:00Z", "new", "66"),
    ]
    .concat();
    let rows = records(&ask(NOON, None, &["--date", "today"], &input).1);
    assert_eq!(rows[1]["delta"], json!({"hops": 1, "lost_pct": rows[1]["lost_pct"]}));
    assert_eq!((&rows[1]["why"], rows[2].get("delta")), (&json!(["stepped_down"]), None));
    let table = ask(NOON, Some(160), &["--date", "today"], &input).1;
    assert!(table.contains("+16.7") && table.contains("Delta: points of LOST%"), "{table}");
    // Several days have no day before.
    let rows = records(&ask(NOON, None, &["--from", "2025-05-01", "--to", "2025-05-03"], &input).1);
    assert_eq!(rows[1].get("delta"), None);
}

#[test]
fn maintenance_stands_apart_and_costs_nothing() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("works.csv");
    fs::write(&file, "cmts,from,to\nCCAP0*,2025-05-01 12:00,2025-05-01 14:00\n").expect("written");
    let works = file.to_str().expect("utf-8");
    let asked = |args: &[&str]| {
        let args = [&["--input", "-", "--date", "yesterday"], args].concat();
        at(time("2025-05-02T05:00:00Z"), None, &args, &fixture()).1
    };
    let (plain, worked) = (records(&asked(&[])), records(&asked(&["--maintenance", works])));
    assert!(plain[0]["lost_mbps"].as_f64() > Some(1.0) && plain[0].get("maintenance").is_none());
    assert_eq!((&worked[0]["lost_mbps"], &worked[0]["hops"]), (&Value::Null, &plain[0]["hops"]));
    assert_eq!(
        worked[0]["maintenance"],
        json!([{"cmts": "CCAP0*", "from": "2025-05-01T10:00:00Z", "to": "2025-05-01T12:00:00Z"}])
    );
    assert_eq!(worked[0]["incidents"][0]["maintenance"], true);
    let of = |rows: &[Value], field: &str| {
        rows[1..].iter().find(|row| row["upstream"] == "1/scq/1").map(|row| row[field].clone())
    };
    assert_eq!(of(&worked, "maintenance_s"), of(&plain, "observed_s"));
    assert_eq!((of(&worked, "degraded_s"), of(&worked, "lost_pct")), (Some(json!(0)), Some(Value::Null)));
    assert_eq!(of(&plain, "why"), Some(json!(["stepped_down", "incident", "gap"])));
    assert_eq!(of(&worked, "why"), Some(json!(["stepped_down", "gap"])));
    let table = asked(&["--maintenance", works, "--format", "table"]);
    assert!(table.contains("Maintenance: CCAP0*, 2025-05-01 12:00 to 2025-05-01 14:00"), "{table}");
    assert!(table.contains("at once, in maintenance"), "{table}");

    fs::write(&file, "CCAP0*,noon,2025-05-02\n").expect("written");
    let run = tool("mod-report").args(["--input", "-", "--maintenance", works]).run();
    run.says(2, &["--maintenance", "works.csv line 1", "noon"]);
}

#[test]
fn a_maintained_day_out_of_a_database_is_the_day_of_its_samples() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join("works.csv"), "*,2025-05-01 12:30,2025-05-01 12:45\n").expect("written");
    let store = tool("mod-store").args(["--db", "sqlite:m.db", "--init"]).stdin(fixture()).dir(dir.path());
    store.run().says(3, &["CCAP101"]);
    let day = ["--date", "2025-05-01", "--tz", "Europe/Amsterdam", "--maintenance", "works.csv"];
    let report = |args: &[&str]| {
        let run = tool("mod-report").args(day).args(args).stdin(fixture()).dir(dir.path()).run().clean(0);
        let mut records = run.records();
        for record in &mut records {
            (record["ts"], record["generated_at"]) = (Value::Null, Value::Null);
        }
        records
    };
    let (kept, read) = (report(&["--db", "sqlite:m.db"]), report(&["--input", "-"]));
    assert_eq!(kept, read);
    assert!(kept[1..].iter().any(|row| row["maintenance_s"] == 900), "{kept:?}");
}

#[test]
fn groups_add_up_to_the_header() {
    let grouped = |args: &[&str]| {
        let args = [&["--input", "-", "--date", "yesterday"], args].concat();
        at(time("2025-05-02T05:00:00Z"), None, &args, &fixture()).1
    };
    let mut groups = records(&grouped(&["--by", "cmts", "--sort", "lost"]));
    let header = groups.remove(0);
    assert_eq!(groups.iter().map(|g| &g["cmts"]).collect::<Vec<_>>(), ["CCAP001", "CCAP201"]);
    for field in ["upstreams", "hops", "lost_mbps", "lost_gb"] {
        let sum: f64 = groups.iter().filter_map(|group| group[field].as_f64()).sum();
        assert!((sum - header[field].as_f64().expect("a number")).abs() < 0.002, "{field}: {sum}");
    }
    assert_eq!((&groups[0]["type"], &groups[0]["degraded"]), (&json!("group"), &json!(5)));
    assert_eq!(groups[0]["why"], json!({"gap": 5, "incident": 5, "stepped_down": 5}));
    let described = records(&grouped(&["--by", "description"]));
    let with = |is_described: bool| {
        let groups = described[1..].iter().filter(|group| group.get("description").is_some() == is_described);
        groups.map(|group| group["upstreams"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((with(true), with(false)), (vec![json!(1)], vec![json!(6)]));
    let csv = grouped(&["--by", "description", "--format", "csv"]);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let read: Vec<_> = reader.records().map(|row| row.expect("RFC 4180")).collect();
    assert!(read.iter().any(|row| row[0].starts_with("'=HYPERLINK")), "{csv}");
    assert!(!csv.replace("\r\n", "").contains(char::is_control), "{csv:?}");
    let table = grouped(&["--by", "cmts", "--format", "table", "--top", "1"]);
    assert!(table.contains("UPSTREAMS") && table.contains("1 more are not shown"), "{table}");
    let json: Value = serde_json::from_str(&grouped(&["--by", "cmts", "--format", "json"])).expect("json");
    assert_eq!(json["groups"].as_array().map(Vec::len), Some(2));
}

#[test]
fn changes_tell_the_life_of_an_upstream_and_what_explains_its_gaps() {
    let input = [
        course("2025-05-01T23:30:00Z", "1", "444"),
        course("2025-05-02T00:00:00Z", "1", "666-----2266"),
        course("2025-05-02T00:00:00Z", "2", "66"),
        scan("2025-05-02T00:30:00Z", "A", "auth_failed"),
        scan("2025-05-02T00:40:00Z", "A", "read_timeout"),
        scan("2025-05-02T00:40:00Z", "B", "refused"),
    ]
    .concat();
    let day = ["--date", "today", "--format", "changes"];
    let (exit, lines) = ask("2025-05-02T01:55:00Z", None, &day, &input);
    assert_eq!(exit, Exit::Done);
    let mut lines = records(&lines);
    for line in &mut lines {
        line.as_object_mut().expect("an object").retain(|key, _| !["v", "cmts"].contains(&key.as_str()));
    }
    assert_eq!(
        lines,
        [
            json!({"type": "change", "ts": "2025-05-02T00:00:00Z", "upstream": "1", "from": "QAM16", "to": "QAM64",
                   "held_s": 1800}),
            json!({"type": "gap", "ts": "2025-05-02T00:20:00Z", "upstream": "1", "until": "2025-05-02T01:20:00Z",
                   "gap_s": 3600, "status": "auth_failed", "error": "no answer\u{1b}[2J"}),
            json!({"type": "change", "ts": "2025-05-02T01:20:00Z", "upstream": "1", "from": "QAM64", "to": "QPSK",
                   "held_s": 4800}),
            json!({"type": "change", "ts": "2025-05-02T01:40:00Z", "upstream": "1", "from": "QPSK", "to": "QAM64",
                   "held_s": 1200}),
            json!({"type": "gap", "ts": "2025-05-02T00:10:00Z", "upstream": "2", "gap_s": 6300,
                   "status": "auth_failed", "error": "no answer\u{1b}[2J"}),
        ]
    );
    let words = ask("2025-05-02T01:55:00Z", Some(100), &[&day[..], &["--upstream", "1"]].concat(), &input).1;
    assert_eq!(
        words,
        "2025-05-02 00:00:00  A 1  QAM16 → QAM64 after 30m\n\
         2025-05-02 00:20:00  A 1  no sample for 1h 0m: auth_failed: no answer\\u{1b}[2J\n\
         2025-05-02 01:20:00  A 1  QAM64 → QPSK after 1h 20m\n\
         2025-05-02 01:40:00  A 1  QPSK → QAM64 after 20m\n"
    );
    assert_eq!(
        ask(NOON, None, &["--date", "2024-01-01", "--format", "changes"], &input),
        (Exit::Partial, String::new())
    );
}

#[test]
fn changes_out_of_a_database_know_profile_and_snr() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let now = chrono::Utc::now().timestamp() / 600 * 600;
    let sample = |age: i64, modulation: &str, profile: u32| {
        let ts = Timestamp(now - age);
        format!(
            "{}\n",
            json!({"type": "sample", "ts": ts, "cmts": "A", "upstream": "1", "modulation": modulation,
                               "profile": profile, "snr_db": 31.5, "source": "state"})
        )
    };
    let input = sample(1200, "QAM64", 202) + &sample(600, "QAM16", 204);
    tool("mod-store").args(["--db", "sqlite:m.db", "--init"]).stdin(input).dir(dir.path()).run().clean(0);
    let from = Timestamp(now - 3600).to_string();
    let args = ["--db", "sqlite:m.db", "--from", &from, "--format", "changes"];
    let lines = tool("mod-report").args(args).dir(dir.path()).run().clean(0).records();
    assert_eq!(
        (&lines[0]["to"], &lines[0]["profile"], &lines[0]["snr_db"]),
        (&json!("QAM16"), &json!(204), &json!(31.5))
    );
}

#[test]
fn two_moments_are_compared_by_diff() {
    let input = [
        course("2025-05-02T00:00:00Z", "1/scq/10", "666644"),
        course("2025-05-02T00:00:00Z", "1/scq/9", "666666"),
        course("2025-05-02T00:00:00Z", "1/scq/11", "2"),
    ]
    .concat();
    let state = |at: &str| ask(NOON, Some(80), &["--at", at], &input).1;
    assert_eq!(state("2025-05-02 00:20"), "A\t1/scq/9\tQAM64\nA\t1/scq/10\tQAM64\nA\t1/scq/11\tQPSK\n");
    assert_eq!(
        state("2025-05-02T00:45:00Z"),
        "A\t1/scq/9\tQAM64\nA\t1/scq/10\tQAM16\nA\t1/scq/11\tQPSK\t?\n"
    );
    let states = records(&ask(NOON, None, &["--at", "2025-05-02 00:45", "--format", "ndjson"], &input).1);
    assert_eq!(
        states[1],
        json!({"v": 1, "type": "state", "ts": "2025-05-02T00:45:00Z", "cmts": "A", "upstream": "1/scq/10",
               "modulation": "QAM16", "since": "2025-05-02T00:40:00Z", "holds": true})
    );
    assert_eq!(ask(NOON, None, &["--at", "2025-05-01 00:00"], &input), (Exit::Partial, String::new()));
}

#[test]
fn fresh_tells_who_is_no_longer_read() {
    let scans = [
        scan("2025-05-02T11:50:00Z", "CCAP2", "ok"),
        scan("2025-05-02T11:40:00Z", "CCAP10", "partial"),
        scan("2025-05-02T11:50:00Z", "CCAP10", "read_timeout"),
    ];
    let (exit, lines) = ask(NOON, None, &["--fresh"], &scans.concat());
    assert_eq!(exit, Exit::Done);
    assert_eq!(
        records(&lines)[0],
        json!({"v": 1, "type": "fresh", "ts": NOON, "cmts": "CCAP10", "fresh": true, "age_s": 1200,
               "last_good": "2025-05-02T11:40:00Z", "status": "read_timeout"})
    );
    let later = "2025-05-02T12:10:00Z";
    let (exit, table) = ask(later, Some(80), &["--fresh"], &scans.concat());
    assert_eq!(exit, Exit::Partial);
    assert_eq!(
        table,
        "CMTS       LAST GOOD  STATUS\nCCAP10           30m  read_timeout (stale)\nCCAP2            20m  ok\n"
    );
    assert_eq!(ask(later, None, &["--fresh", "--interval", "15m"], &scans.concat()).0, Exit::Done);
    assert_eq!(ask(later, None, &["--fresh", "--cmts", "CCAP2"], &scans.concat()).0, Exit::Done);
    let never = scan("2025-05-02T11:50:00Z", "B", "refused");
    let (exit, line) = ask(NOON, None, &["--fresh"], &never);
    assert_eq!((exit, records(&line)[0].get("age_s")), (Exit::Partial, None));
    assert_eq!(ask(NOON, None, &["--fresh"], ""), (Exit::Partial, String::new()));

    let dir = tempfile::tempdir().expect("a temporary directory");
    let store =
        tool("mod-store").args(["--db", "sqlite:m.db", "--init"]).stdin(scans.concat()).dir(dir.path());
    store.run().says(3, &["CCAP10"]);
    let run = tool("mod-report").args(["--db", "sqlite:m.db", "--fresh"]).dir(dir.path()).run();
    assert_eq!(run.says(3, &["nobody has tried any of 2 CMTSs for a day"]).stdout, "");
}

#[test]
fn colours_are_for_terminals_that_may() {
    let shown = |settings: &[(&str, &str)], args: &[&str]| {
        let args = [&["mod-report", "--input", "-", "--date", "yesterday", "--tz", "Europe/Amsterdam"], args]
            .concat();
        let args = cli::Report::try_parse_from(args).expect("flags");
        let context = Context {
            tool: "mod-report",
            settings: Settings::of(settings.iter().copied()),
            clock: Clock::Fixed(time("2025-05-02T05:00:00Z")),
            terminals: Terminals { stdout: true, columns: Some(120), ..Terminals::default() },
            ..Context::default()
        };
        let mut output = Vec::new();
        modtools::report::run(&args, &context, &mut fixture().as_slice(), &mut output).expect("a report");
        String::from_utf8(output).expect("utf-8")
    };
    let colored = shown(&[("TERM", "xterm")], &[]);
    assert!(
        colored.contains("\u{1b}[31m40.0\u{1b}[0m") && colored.contains("\u{1b}[31m22\u{1b}[0m"),
        "{colored}"
    );
    let plain = shown(&[("NO_COLOR", "1")], &[]);
    assert!(!plain.contains('\u{1b}') && plain.contains("Hours:"), "{plain}");
    let mut without = colored;
    for code in [0, 1, 2, 31, 33, 35] {
        without = without.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(without, plain);
    for (settings, args) in
        [(&[("TERM", "dumb")][..], &[][..]), (&[], &["--format", "csv"]), (&[], &["--format", "ndjson"])]
    {
        let shown = shown(settings, args);
        assert!(!shown.contains("\u{1b}[31m") && !shown.contains("\u{1b}[0m"), "{settings:?} {args:?}");
    }
}

#[test]
fn flags_that_mean_nothing_for_a_question_are_told() {
    for (args, words) in [
        (&["--at", "noon"][..], &["--at", "noon"][..]),
        (&["--at", "now", "--date", "today"], &["--at"]),
        (&["--at", "now", "--fresh"], &["--fresh"]),
        (&["--at", "now", "--format", "csv"], &["--at", "--format table"]),
        (&["--fresh", "--save"], &["--save", "--fresh"]),
        (&["--format", "changes", "--top", "3"], &["--top", "changes"]),
        (&["--by", "cmts", "--layout", "seed"], &["--by", "--layout seed"]),
        (&["--by", "cmts", "--format", "changes"], &["--by", "changes"]),
    ] {
        tool("mod-report").args(["--input", "-"]).args(args).run().says(2, words);
    }
}
