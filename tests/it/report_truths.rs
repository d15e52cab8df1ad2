//! What a report claims is so: nothing is left out of a sum, nobody is called silent who is not asked, and what
//! was said of a finished day stays what was said.

use modtools::{exit::Exit, record::Timestamp};
use serde_json::{Value, json};

use crate::{
    report::at,
    support::{records, tool},
};

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn sample(ts: Timestamp, cmts: &str, upstream: &str, modulation: &str, more: &Value) -> String {
    let mut sample = json!({
        "v": 1, "type": "sample", "ts": ts, "cmts": cmts, "upstream": upstream, "modulation": modulation,
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        sample[key] = value.clone();
    }
    format!("{sample}\n")
}

fn scan(ts: &str, cmts: &str, status: &str) -> String {
    format!(
        "{}\n",
        json!({"v": 1, "type": "scan", "ts": ts, "cmts": cmts, "platform": "casa", "status": status})
    )
}

/// Asks about records that came to their end.
fn ask(now: &str, args: &[&str], input: &str) -> (Exit, String) {
    let end = json!({"v": 1, "type": "end", "ts": now, "stage": "ccap-fetch", "ok": 1, "failed": 0});
    let args = [&["--input", "-", "--tz", "UTC"], args].concat();
    at(time(now), None, &args, format!("{input}{end}\n").as_bytes())
}

/// Every ten minutes of a day; `word` by step and upstream.
fn day(from: &str, upstreams: usize, word: impl Fn(i64, usize) -> &'static str) -> String {
    let mut input = String::new();
    for step in 0..144 {
        for upstream in 0..upstreams {
            let name = format!("1/scq/{upstream}");
            input += &sample(time(from) + step * 600, "A", &name, word(step, upstream), &Value::Null);
        }
    }
    input
}

#[test]
fn groups_add_up_to_the_total_whoever_has_no_description() {
    let ts = time("2026-05-01T10:00:00Z");
    let wide = json!({"width_hz": 3_200_000});
    let described = json!({"width_hz": 3_200_000, "description": "node 7"});
    let input = [
        sample(ts, "A", "1", "QAM64", &described),
        sample(ts + 600, "A", "1", "QAM16", &Value::Null),
        sample(ts, "A", "2", "QAM64", &wide),
        sample(ts + 600, "A", "2", "QPSK", &Value::Null),
        sample(ts, "B", "1", "QAM64", &wide),
    ]
    .concat();
    for by in ["cmts", "description"] {
        let mut groups = records(&ask("2026-05-02T05:00:00Z", &["--by", by], &input).1);
        let header = groups.remove(0);
        for field in ["upstreams", "hops", "lost_mbps", "lost_gb"] {
            let sum: f64 = groups.iter().filter_map(|group| group[field].as_f64()).sum();
            let total = header[field].as_f64().expect("a number");
            assert!((sum - total).abs() < 0.002, "--by {by}: {field} {sum}, not {total}");
        }
    }
    let groups = records(&ask("2026-05-02T05:00:00Z", &["--by", "description"], &input).1);
    let names: Vec<_> =
        groups[1..].iter().map(|group| (group.get("description"), &group["upstreams"])).collect();
    assert!(
        names.contains(&(Some(&json!("node 7")), &json!(1))) && names.contains(&(None, &json!(2))),
        "{names:?}"
    );
    let table = ask("2026-05-02T05:00:00Z", &["--by", "description", "--format", "table"], &input).1;
    assert!(table.contains("(none)"), "{table}");
}

#[test]
fn a_device_that_nobody_tries_is_gone_and_not_silent() {
    let input = [
        scan("2026-04-29T23:59:59Z", "RETIRED", "refused"),
        scan("2026-05-01T12:00:00Z", "BROKEN", "refused"),
        scan("2026-05-01T23:50:00Z", "A", "ok"),
        day("2026-05-01T00:00:00Z", 1, |_, _| "QAM64"),
    ]
    .concat();
    let (exit, report) = ask("2026-05-02T00:05:00Z", &["--date", "yesterday"], &input);
    let header = &records(&report)[0];
    assert_eq!(exit, Exit::Done);
    assert_eq!(header["silent"], json!([{"cmts": "BROKEN", "status": "refused"}]));
    assert_eq!(header["gone"], json!([{"cmts": "RETIRED", "since": "2026-04-29T23:59:59Z"}]));
    let (exit, fresh) = ask("2026-05-02T00:05:00Z", &["--fresh", "--cmts", "[AR]*"], &input);
    assert_eq!((exit, records(&fresh).len()), (Exit::Done, 1));
    // Whoever was not tried in the window is not silent in it.
    let morning = ["--from", "2026-05-01 00:00", "--to", "2026-05-01 06:00"];
    let header = &records(&ask("2026-05-02T00:05:00Z", &morning, &input).1)[0];
    assert_eq!(
        (&header["silent"], header.get("gone")),
        (&json!([]), Some(&json!([{"cmts": "RETIRED", "since": "2026-04-29T23:59:59Z"}])))
    );
}

#[test]
fn an_incident_is_at_least_five_and_a_tenth_of_those_in_service() {
    let incidents = |fallen: usize, of: usize| {
        let input = day("2026-05-01T00:00:00Z", of, |step, upstream| {
            let falls = (step == 60 && upstream < fallen) || (step == 90 && upstream < 7);
            if falls { "QAM16" } else { "QAM64" }
        });
        let report = ask("2026-05-02T05:00:00Z", &["--date", "2026-05-01"], &input).1;
        let rows = records(&report);
        let sizes: Vec<_> =
            rows[0]["incidents"].as_array().expect("a list").iter().map(|i| i["upstreams"].clone()).collect();
        let concerned = rows[1..].iter().filter(|row| row["why"].to_string().contains("incident")).count();
        (sizes, concerned)
    };
    assert_eq!(incidents(5, 50), (vec![json!(7), json!(5)], 7));
    assert_eq!(incidents(5, 51), (vec![json!(7)], 7));
    assert_eq!(incidents(4, 20), (vec![json!(7)], 7));
    assert_eq!(incidents(20, 200), (vec![json!(20)], 20));
}

#[test]
fn two_reports_of_a_finished_day_have_the_same_rows() {
    let input = day("2026-05-01T00:00:00Z", 3, |step, _| if step % 50 == 0 { "QAM16" } else { "QAM64" });
    for format in ["ndjson", "csv"] {
        let asked = |now: &str| {
            let report = ask(now, &["--date", "2026-05-01", "--format", format], &input).1;
            report.lines().filter(|line| !line.contains("\"report\"")).map(str::to_owned).collect::<Vec<_>>()
        };
        let (early, late) = (asked("2026-05-02T05:00:00Z"), asked("2026-05-09T05:00:00Z"));
        assert_eq!(early, late);
        assert!(early.len() >= 3 && !early.concat().contains("generated_at"), "{early:?}");
    }
}

#[test]
fn a_spreadsheet_gets_text_as_text_and_numbers_as_its_language_writes_them() {
    let ts = time("2026-05-01T10:00:00Z");
    let input = [
        sample(ts, "A", "1/5/25", "QAM64", &json!({"description": "Zürich; =1+1"})),
        sample(ts + 600, "A", "1/5/25", "QAM16", &Value::Null),
    ]
    .concat();
    let args = ["--date", "2026-05-01", "--format", "csv-excel", "--lang", "nl"];
    let csv = ask("2026-05-02T05:00:00Z", &args, &input).1;
    let text = csv.strip_prefix('\u{feff}').expect("a byte-order mark");
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(text.as_bytes());
    let names = reader.headers().expect("a header").clone();
    let row = reader.records().next().expect("a row").expect("RFC 4180");
    let cell = |name: &str| row.get(names.iter().position(|column| column == name).expect(name)).expect(name);
    assert_eq!((cell("upstream"), cell("description")), ("=\"1/5/25\"", "Zürich; '=1+1"));
    assert_eq!((cell("lost_pct"), cell("hops")), ("23,81", "1"));
    assert_eq!(
        cell("says"),
        "QAM16 in plaats van QAM64 gedurende 25m, eronder sinds 2026-05-01 10:10; gemeten gedurende 2,4 % van de tijd."
    );
}

#[test]
fn a_sentence_claims_held_time_only() {
    // Ten minutes of QPSK, hours of QAM32, a gap, and back.
    let input = day("2026-05-01T00:00:00Z", 1, |step, _| match step {
        0..=5 | 140.. => "QAM64",
        6 => "QPSK",
        _ => "QAM32",
    });
    let gap: String =
        input.lines().filter(|line| !line.contains("T12:")).map(|line| format!("{line}\n")).collect();
    let row = &records(&ask("2026-05-02T05:00:00Z", &["--date", "2026-05-01"], &gap).1)[1];
    assert_eq!(
        row["says"],
        "QAM32 instead of QAM64 for 21h 25m, lowest QPSK for 10m, 21h 35m below in all, recovered once; \
         observed for 96.8 % of the time."
    );
    assert_eq!(row["degraded_s"], 21 * 3600 + 35 * 60);
    let table = ask("2026-05-02T05:00:00Z", &["--date", "2026-05-01", "--format", "table", "-v"], &gap).1;
    assert!(table.contains("    QAM32 instead of QAM64 for 21h 25m"), "{table}");
}

#[test]
fn a_date_to_come_has_no_data_yet_and_is_not_silent() {
    let input = scan("2026-05-01T12:00:00Z", "BROKEN", "refused");
    let (exit, report) = ask("2026-05-02T05:00:00Z", &["--date", "2026-05-09"], &input);
    assert_eq!((exit, &records(&report)[0]["silent"]), (Exit::Partial, &json!([])));
    let run = tool("mod-report").args(["--input", "-", "--date", "2199-01-01"]).run();
    run.says(3, &["no data yet"]);
    for (flag, now) in
        [("--json-only", "--save"), ("--csv-only", "--layout seed"), ("--web-only", "--save-copy")]
    {
        tool("mod-report").args(["--input", "-", flag]).run().says(2, &[flag, now]);
    }
}
