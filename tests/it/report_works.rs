//! `--works`: the hours before works and after them, and works on some upstreams of a CMTS alone.

use std::{fmt::Write as _, fs, path::Path};

use clap::Parser as _;
use modtools::{cli, clock::Clock, record::Timestamp, stage::Context};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    report::at,
    report_nodes::{fleet, nodes},
    support::{Run, records, tool},
};

/// Works on 2025-05-08 from 02:00 to 04:00.
const WORKS: i64 = 1_746_669_600;
const DAY_S: i64 = 86_400;

/// Samples from 01:00 to 05:00 of these days, counted from that of the works; what they are by day and half hour.
fn samples(works: i64, days: impl Iterator<Item = i64>) -> String {
    let mut lines = String::new();
    for day in days {
        for step in 0..24 {
            let ts = Timestamp(works + day * DAY_S - 3600 + step * 600);
            let late = (12..18).contains(&step);
            for (cmts, upstream, is_low) in
                [("CCAP001", "1/0", day < 0), ("CCAP001", "2/0", late), ("CCAP002", "1/0", day > 0 && late)]
            {
                let modulation = if is_low { "QAM16" } else { "QAM64" };
                let line = json!({"type": "sample", "ts": ts, "cmts": cmts, "upstream": upstream,
                                  "modulation": modulation, "width_hz": 6_400_000});
                writeln!(lines, "{line}").expect("a string");
            }
        }
    }
    let end = json!({"type": "end", "ts": Timestamp(works + 8 * DAY_S), "stage": "x", "ok": 2, "failed": 0});
    writeln!(lines, "{end}").expect("a string");
    lines
}

const LINES: &str = "cmts;from;to;upstream;node;ticket\n\
    CCAP001;2025-05-08 02:00;2025-05-08 04:00;1/*;;CHG-1\n\
    CCAP001;2025-05-08 02:00;2025-05-08 04:00;;N2;\n\
    CCAP002;2025-05-08 02:00;2025-05-08 04:00;;;\n";

fn folder() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("works.csv"), LINES).expect("written");
    fs::write(folder.path().join("nodes.csv"), "CCAP001,2/*,N2\n").expect("written");
    folder
}

fn works(folder: &Path, args: &[&str], input: String) -> Run {
    let works = ["--works", "works.csv", "--nodes", "nodes.csv", "--tz", "UTC"];
    tool("mod-report").args(works).args(args).dir(folder).stdin(input).run()
}

fn verdicts(run: &Run) -> Vec<Value> {
    run.records().iter().map(|work| work["verdict"].clone()).collect()
}

#[test]
fn each_line_is_better_the_same_or_worse_with_its_figures() {
    let folder = folder();
    let run = works(folder.path(), &["--input", "-"], samples(WORKS, -7..=7)).clean(0);
    assert_eq!(verdicts(&run), ["better", "same", "worse"]);
    let side = |lost: f64, mbps: f64, hops: u64, degraded: u64| {
        json!({"days": 7, "upstreams": 1, "coverage_pct": 100.0, "lost_pct": lost, "lost_mbps": mbps, "hops": hops,
               "degraded_s": degraded})
    };
    let found = run.records();
    assert_eq!(
        (&found[0]["before"], &found[0]["after"]),
        (&side(33.333, 10.24, 0, 50_400), &side(0.0, 0.0, 0, 0))
    );
    // The second hour of each two.
    let half = side(16.667, 5.12, 7, 25_200);
    assert_eq!((&found[1]["before"], &found[1]["after"]), (&half, &half));
    assert_eq!((&found[2]["before"], &found[2]["after"]), (&side(0.0, 0.0, 0, 0), &half));
    let told = ["type", "cmts", "upstream", "ticket", "from", "to"].map(|field| found[0][field].clone());
    assert_eq!(
        told,
        ["work", "CCAP001", "1/*", "CHG-1", "2025-05-08T02:00:00Z", "2025-05-08T04:00:00Z"].map(Value::from)
    );
    assert_eq!((&found[1]["node"], &found[1]["upstream"]), (&json!("N2"), &Value::Null));

    let csv = works(folder.path(), &["--input", "-", "--format", "csv"], samples(WORKS, -7..=7)).clean(0);
    let mut csv = csv::Reader::from_reader(csv.stdout.as_bytes());
    let names = csv.headers().expect("a header").clone();
    let lines: Vec<_> = csv.records().map(|line| line.expect("a line")).collect();
    let cell = |line: usize, name: &str| {
        let at =
            names.iter().position(|column| column == name).unwrap_or_else(|| panic!("{name}: {names:?}"));
        lines[line][at].to_owned()
    };
    assert_eq!(
        ["verdict", "before_lost_pct", "before_coverage_pct", "after_hops"].map(|name| cell(0, name)),
        ["better", "33.333", "100", "0"]
    );
    assert_eq!(
        (cell(2, "cmts"), cell(2, "after_degraded_s"), lines.len()),
        ("CCAP002".into(), "25200".into(), 3)
    );
    let table =
        works(folder.path(), &["--input", "-", "--format", "table"], samples(WORKS, -7..=7)).clean(0).stdout;
    assert!(table.contains("2025-05-08 02:00 to 2025-05-08 04:00, CCAP001 1/* (CHG-1): better\n"), "{table}");
    let words: Vec<_> = table.lines().nth(2).expect("a line").split_whitespace().collect();
    assert_eq!(words, ["before", "33.3", "10.2", "0", "14h", "0m", "100.0", "7", "1"], "{table}");
}

#[test]
fn a_database_says_what_its_samples_say() {
    let folder = folder();
    let store = tool("mod-store").args(["--db", "sqlite:m.db", "--init"]).dir(folder.path());
    store.stdin(samples(WORKS, -7..=7)).run();
    let mut read = works(folder.path(), &["--input", "-"], samples(WORKS, -7..=7)).clean(0).records();
    let mut kept = works(folder.path(), &["--db", "sqlite:m.db"], String::new()).clean(0).records();
    read.iter_mut().chain(&mut kept).for_each(|work| work["ts"] = Value::Null);
    assert_eq!(kept, read);
    // An upstream that is not looked at is in no figure.
    let run = works(folder.path(), &["--db", "sqlite:m.db", "--cmts", "CCAP002"], String::new());
    run.says(3, &["CCAP001 1/*", "2025-05-01, 2025-05-02"]);
}

/// mod-prune of a moment.
fn prune(folder: &Path, now: &str, keep_days: &str) {
    let db = format!("sqlite:{}", folder.join("m.db").display());
    let args = ["mod-prune", "--db", &db, "--keep-days", keep_days, "--tz", "UTC", "--force"];
    let args = cli::Prune::try_parse_from(args).expect("flags");
    let now = now.parse().expect("a time");
    let context = Context { tool: "mod-prune", clock: Clock::Fixed(now), ..Context::default() };
    modtools::prune::run(&args, &context, &mut &b""[..], &mut Vec::new()).expect("pruned");
}

#[test]
fn days_whose_samples_are_pruned_count_as_their_finished_days_say() {
    let folder = folder();
    let run = |name: &str, args: &[&str], input: String| {
        tool(name).args(["--db", "sqlite:m.db"]).args(args).dir(folder.path()).stdin(input).run()
    };
    run("mod-store", &["--init"], samples(WORKS, -7..=7));
    let ask = |more: &[&str]| {
        works(folder.path(), &[&["--db", "sqlite:m.db", "--format", "ndjson"], more].concat(), String::new())
    };
    let whole = ask(&[]).clean(0).records();
    // Pruned at midnight, in the middle of the hours of a day, and as a whole. Of the day that the pruning reached into
    // nobody knows whether its samples are all there.
    for (now, keep, finished) in [
        ("2025-05-16T00:00:00Z", "4", [7, 4]),
        ("2025-05-16T03:00:00Z", "4", [7, 4]),
        ("2025-07-01T00:00:00Z", "1", [7, 7]),
    ] {
        prune(folder.path(), now, keep);
        let mut found = ask(&[]).records();
        for (work, whole) in found.iter_mut().zip(&whole) {
            for (side, days) in ["before", "after"].into_iter().zip(finished) {
                let told = work[side].as_object_mut().expect("a side").remove("finished_days");
                assert_eq!((told, &work[side]), (Some(json!(days)), &whole[side]), "{now} {side}");
            }
            assert_eq!(work["verdict"], whole["verdict"]);
        }
    }
    let text =
        works(folder.path(), &["--db", "sqlite:m.db", "--format", "table", "--lang", "nl"], String::new())
            .stdout;
    assert!(text.contains("2025-05-08 02:00 tot 2025-05-08 04:00, CCAP001 1/* (CHG-1): beter\n"), "{text}");
    assert!(text.contains("  ervoor      33,3 "), "{text}");
    assert!(text.contains(" 7 uit bewaarde dagen, op 10m na\n"), "{text}");
}

#[test]
fn what_a_finished_day_remembers_is_expected_of_works() {
    let folder = folder();
    // QAM16 in all hours that are compared; QAM64 for four hours of a day three weeks before.
    let low = samples(WORKS, -7..=7).replace("QAM64", "QAM16");
    let input =
        samples(WORKS, std::iter::once(-21)).replace("QAM16", "QAM64").replace("\"end\"", "\"x\"") + &low;
    let store = tool("mod-store").args(["--db", "sqlite:m.db", "--init"]).dir(folder.path());
    store.stdin(input).run();
    let lost = || {
        let run = works(folder.path(), &["--db", "sqlite:m.db"], String::new()).clean(0);
        assert_eq!(verdicts(&run), ["same", "same", "same"]);
        run.records()[0]["before"]["lost_pct"].clone()
    };
    assert_eq!(lost(), 0.0);
    let day = ["--db", "sqlite:m.db", "--tz", "UTC", "--date", "2025-05-15"];
    tool("mod-report").args(day).dir(folder.path()).run().clean(0);
    assert_eq!(lost(), 33.333);
}

#[test]
fn other_works_are_left_out_and_a_gap_is_not_covered() {
    let folder = folder();
    // The next night, one hour of them.
    let lines = "CCAP001,2025-05-08 02:00,2025-05-08 04:00,1/*\nCCAP001,2025-05-09 03:00,2025-05-09 04:00,\n";
    fs::write(folder.path().join("works.csv"), lines).expect("written");
    // In that hour it is down, and of the night after next an hour is not observed.
    let lower = |line: &str| line.contains("2025-05-09T03") && line.contains("1/0");
    let all = samples(WORKS, -7..=8);
    let input = all.lines().filter(|line| !line.contains("2025-05-10T03")).map(|line| {
        let line = if lower(line) { line.replace("QAM64", "QPSK") } else { line.to_owned() };
        line + "\n"
    });
    let run = works(folder.path(), &["--input", "-"], input.collect()).clean(0);
    let after = run.records().remove(0)["after"].clone();
    assert_eq!(
        ["lost_pct", "degraded_s", "hops", "days"].map(|name| after[name].clone()),
        [json!(0.0), json!(0), json!(0), json!(7)]
    );
    // 13 hours less one, of which the last sample before it held for 25 minutes instead of 10.
    let covered = 100.0 * (12.0 + 15.0 / 60.0) / 13.0;
    assert!((after["coverage_pct"].as_f64().expect("a number") - covered).abs() < 0.001, "{after}");
}

#[test]
fn what_is_gone_is_named_and_its_part_says_how_much_it_covers() {
    let folder = folder();
    // Two days are left before: their figures stand beside what they cover, and nothing is concluded.
    let run = works(folder.path(), &["--input", "-"], samples(WORKS, -2..=7));
    let work = run.records().remove(0);
    run.says(3, &["2025-05-01, 2025-05-02, 2025-05-03, 2025-05-04, 2025-05-05", "--rollup-days"]);
    let before = &work["before"];
    assert_eq!(
        (&before["days"], &before["coverage_pct"], &before["lost_pct"]),
        (&json!(2), &json!(28.571), &json!(33.333))
    );
    assert_eq!(before["missing_days"].as_array().map(Vec::len), Some(5));
    assert_eq!((work.get("verdict"), &work["after"]["coverage_pct"]), (None, &json!(100.0)));
    // Of nothing there is no figure.
    let run = works(folder.path(), &["--input", "-"], samples(WORKS, 0..=7));
    let before = run.records().remove(0)["before"].clone();
    let days = (1..=7).map(|day| json!(format!("2025-05-0{day}"))).collect::<Vec<_>>();
    assert_eq!(before, json!({"days": 0, "upstreams": 0, "coverage_pct": 0.0, "missing_days": days}));
    let table = works(folder.path(), &["--input", "-", "--format", "table"], samples(WORKS, 0..=7)).stdout;
    assert!(table.contains("(CHG-1): not known\n"), "{table}");
    assert!(table.contains("before  not known  nothing of 2025-05-01, 2025-05-02"), "{table}");
}

#[test]
fn it_is_too_early_until_three_days_have_passed() {
    let folder = folder();
    let ask = |now: &str, days: i64| {
        let file = folder.path().join("works.csv");
        let nodes = folder.path().join("nodes.csv");
        let args = [
            "--works",
            file.to_str().unwrap(),
            "--nodes",
            nodes.to_str().unwrap(),
            "--tz",
            "UTC",
            "--input",
            "-",
        ];
        let (exit, output) =
            at(now.parse().expect("a time"), None, &args, samples(WORKS, -7..=days).as_bytes());
        (exit as u8, records(&output).remove(0))
    };
    let (exit, work) = ask("2025-05-11T03:59:00Z", 3);
    assert_eq!((exit, &work["verdict"], &work["after"]["days"]), (0, &json!("too_early"), &json!(2)));
    let (exit, work) = ask("2025-05-11T04:00:00Z", 3);
    assert_eq!((exit, &work["verdict"], &work["after"]["days"]), (0, &json!("better"), &json!(3)));
    let (exit, work) = ask("2025-05-08T03:00:00Z", 0);
    assert_eq!((exit, &work["verdict"]), (0, &json!("too_early")));
    assert_eq!(work["after"], json!({"days": 0, "upstreams": 0}));

    // With our own clock: works of the day before yesterday.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let begin = i64::try_from(now.as_secs()).expect("a time") / 3600 * 3600 - 2 * DAY_S;
    let line = format!("CCAP001,{},{}\n", Timestamp(begin), Timestamp(begin + 7200));
    fs::write(folder.path().join("works.csv"), line).expect("written");
    let run = works(folder.path(), &["--input", "-"], samples(begin, -7..=1)).clean(0);
    assert_eq!(verdicts(&run), ["too_early"]);
}

#[test]
fn a_table_of_works_with_a_bad_line_is_refused_by_its_line() {
    let folder = folder();
    let write = |text: &str| fs::write(folder.path().join("works.csv"), text).expect("written");
    let run = |args: &[&str]| {
        let args = [&["--works", "works.csv", "--input", "/dev/null"], args].concat();
        tool("mod-report").args(args).dir(folder.path()).run()
    };
    run(&[]).says(2, &["--works works.csv line 3", "--nodes FILE"]);
    run(&["--nodes", "nodes.csv", "--sort", "hops"]).says(2, &["--sort", "--works"]);
    run(&["--nodes", "nodes.csv", "--format", "prom"]).says(2, &["--works", "csv"]);
    write("CCAP001,2025-05-08,2025-05-09\nCCAP001,2025-05-08,noon\n");
    run(&[]).says(2, &["--works works.csv line 2", "noon"]);
    write("CCAP001,2025-05-08,2025-05-09,[\n");
    run(&[]).says(2, &["--works works.csv line 1", "upstream: invalid pattern"]);
    write("cmts,from,to\n");
    run(&[]).says(3, &["no line"]);
}

#[test]
fn works_on_a_node_keep_only_its_upstreams_out_of_what_is_lost() {
    let (folder, nodes) = nodes();
    let file = folder.path().join("works.csv");
    let ask = |line: &str| {
        fs::write(&file, format!("cmts,from,to,node,upstream\n{line}\n")).expect("written");
        let args =
            ["--input", "-", "--tz", "UTC", "--date", "2025-05-01", "--nodes", &nodes, "--maintenance"];
        let args = [&args[..], &[file.to_str().expect("utf-8")]].concat();
        let now = "2025-05-02T06:00:00Z".parse().expect("a time");
        let rows = records(&at(now, None, &args, fleet().as_bytes()).1);
        let worked: Vec<_> = rows[1..]
            .iter()
            .filter(|row| row["maintenance_s"] == 3600)
            .map(|row| format!("{} {}", row["cmts"], row["upstream"]).replace('"', ""))
            .collect();
        let incidents: Vec<_> = rows[0]["incidents"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|incident| {
                (
                    incident["node"].clone(),
                    incident["upstreams"].as_u64(),
                    incident.get("maintenance").is_some(),
                )
            })
            .collect();
        (worked, incidents, rows[0]["maintenance"][0].clone())
    };
    let (mut worked, incidents, told) = ask("CCAP001,2025-05-01 05:30,2025-05-01 06:30,a,");
    worked.sort();
    assert_eq!(worked, (0..6).map(|n| format!("CCAP001 1/scq/{n}")).collect::<Vec<_>>());
    assert_eq!(incidents, [(json!("A"), Some(6), true)]);
    assert_eq!(
        told,
        json!({"cmts": "CCAP001", "from": "2025-05-01T05:30:00Z", "to": "2025-05-01T06:30:00Z", "node": "a"})
    );
    // Two of the other node fell too: works on them leave the incident of the first as it is.
    let (worked, incidents, _) = ask("CCAP001,2025-05-01 05:30,2025-05-01 06:30,,2/scq/[01]");
    assert_eq!((worked.len(), incidents), (2, vec![(json!("A"), Some(6), false)]));
}
