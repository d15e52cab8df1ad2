//! `mod-report --events`: what opened, grew and closed, each told once, from a database and from a stream; its state.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::Stdio,
};

use modtools::{clock::Clock, exit::Exit, record::Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    report::{at, at_with},
    support::{DEADLINE, records, tool, wait},
};

const BEGIN: &str = "2025-05-02T06:00:00Z";

fn begin() -> Timestamp {
    BEGIN.parse().expect("a time")
}

/// The records of a node's burst: scans of CCAP001 every ten minutes, a digit of bits for each of its upstreams; the
/// first four digits of a strip are from before the watch.
pub fn fleet(strips: &[(&str, usize, &str)], scans: std::ops::Range<usize>) -> String {
    fleet_since(begin(), strips, scans)
}

/// The same with the time of the first scan.
pub fn fleet_since(
    begin: Timestamp,
    strips: &[(&str, usize, &str)],
    scans: std::ops::Range<usize>,
) -> String {
    let mut lines = String::new();
    for scan in scans {
        let ts = begin + 600 * scan as i64;
        let mut samples = 0;
        for (slot, count, strip) in strips {
            let Some(digit) = strip.chars().nth(scan).filter(|digit| *digit != '-') else { continue };
            let modulation = match digit {
                '2' => "QPSK",
                '4' => "QAM16",
                _ => "QAM64",
            };
            for port in 0..*count {
                samples += 1;
                let sample = json!({
                    "v": 1, "type": "sample", "ts": ts, "cmts": "CCAP001", "upstream": format!("{slot}/scq/{port}"),
                    "modulation": modulation, "source": "state", "width_hz": 6_400_000, "modems": 40,
                });
                lines += &format!("{sample}\n");
            }
        }
        let scan = json!({
            "v": 1, "type": "scan", "ts": ts, "cmts": "CCAP001", "platform": "e6000", "status": "ok",
            "attempts": 1, "elapsed_ms": 1000, "samples": samples, "unparsed": 0,
        });
        lines += &format!("{scan}\n");
    }
    lines
}

/// The last record of a source.
pub fn end() -> String {
    format!("{}\n", json!({"v": 1, "type": "end", "ts": begin(), "stage": "test", "ok": 1, "failed": 0}))
}

/// Six upstreams fall, six more join them, all come back; forty others stay as they are.
pub const BURST: [(&str, usize, &str); 3] =
    [("1", 6, "66664444444666"), ("2", 6, "66666644444666"), ("3", 40, "66666666666666")];

/// A database, and runs over it.
struct Runs {
    dir: TempDir,
}

impl Runs {
    fn new() -> Self {
        let runs = Runs { dir: TempDir::new().expect("a temporary directory") };
        tool("mod-store").args(["--init", "--db", &runs.url()]).run().clean(0);
        runs
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.dir.path().join("m.db").display())
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().expect("utf-8").to_owned()
    }

    fn store(&self, lines: &str) {
        tool("mod-store").args(["--db", &self.url()]).stdin(format!("{lines}{}", end())).run().clean(0);
    }

    /// A run one minute after a scan.
    fn after(&self, scan: i64, more: &[&str]) -> (Exit, Vec<Value>) {
        let (url, state) = (self.url(), self.path("events.state"));
        let now = begin() + 600 * scan + 60;
        let args = [&["--events", "--state", &state, "--db", &url, "--format", "ndjson"], more].concat();
        let (exit, output) = at(now, None, &args, b"");
        (exit, records(&output))
    }
}

fn whats(events: &[Value]) -> Vec<String> {
    let word = |event: &Value| format!("{}({})", event["what"].as_str().expect("a word"), event["upstreams"]);
    events.iter().map(word).collect()
}

#[test]
fn a_burst_is_opened_grown_and_closed_once_by_runs_after_each_scan() {
    let runs = Runs::new();
    let mut told = Vec::new();
    for scan in 0..14 {
        runs.store(&fleet(&BURST, scan..scan + 1));
        let (exit, events) = runs.after(scan as i64, &["--expected", "QAM64"]);
        let opened = events.iter().any(|event| event["what"] == "opened");
        assert_eq!(exit, if opened { Exit::Partial } else { Exit::Done }, "scan {scan}");
        told.extend(events);
        assert_eq!(runs.after(scan as i64, &["--expected", "QAM64"]), (Exit::Done, vec![]), "told once");
    }
    assert_eq!(whats(&told), ["opened(6)", "grew(12)", "closed(12)"]);
    assert!(told.iter().all(|event| event["id"] == told[0]["id"]), "{told:?}");
    let opened = &told[0];
    assert_eq!(
        (&opened["cmts"], &opened["from"], &opened["to"], &opened["since"], &opened["ts"]),
        (
            &json!("CCAP001"),
            &json!("QAM64"),
            &json!("QAM16"),
            &json!("2025-05-02T06:40:00Z"),
            &json!("2025-05-02T06:50:00Z")
        )
    );
    // Two of six bits of 6.4 MHz are 10.24 Mbit/s.
    assert_eq!((&opened["lost_mbps"], &opened["modems"]), (&json!(61.44), &json!(240)));
    assert_eq!(
        opened["says"],
        "6 upstreams of CCAP001 fell from QAM64 to QAM16 at 2025-05-02 08:40, 61.4 Mbit/s lost, 240 modems."
    );
    assert_eq!((&told[2]["ts"], told[2].get("lost_mbps")), (&json!("2025-05-02T08:10:00Z"), None));
    // One run over everything tells the same.
    let whole = Runs::new();
    whole.store(&fleet(&BURST, 0..14));
    let (_, events) = whole.after(13, &["--expected", "QAM64"]);
    assert_eq!(events, told);
    // A node has its own events, and its own tenth: here of twelve, not of fifty-two.
    let nodes = whole.path("nodes.csv");
    fs::write(&nodes, "cmts,upstream,node\nCCAP0*,1/*,N1\nCCAP0*,2/*,N2\n").expect("written");
    let whole_state = whole.path("nodes.state");
    let url = whole.url();
    let args = ["--expected", "QAM64", "--nodes", &nodes, "--db", &url, "--state", &whole_state];
    let now = begin() + 600 * 13 + 60;
    let all = [&["--events", "--format", "ndjson"], &args[..]].concat();
    let by_node = records(&at(now, None, &all, b"").1);
    assert_eq!(whats(&by_node), ["opened(6)", "opened(6)", "closed(6)", "closed(6)"]);
    assert_eq!((&by_node[0]["node"], &by_node[1]["node"]), (&json!("N1"), &json!("N2")));
    assert!(by_node[0]["says"].as_str().expect("words").starts_with("6 upstreams of N1 on CCAP001 fell"));
    // In works nothing is told.
    let works = whole.path("works.csv");
    fs::write(&works, "cmts,from,to\nCCAP0*,2025-05-02T06:30:00Z,2025-05-02T09:00:00Z\n").expect("written");
    let args = ["--expected", "QAM64", "--maintenance", &works, "--state"];
    let other = whole.path("other.state");
    let all = [&["--events", "--db", &url, "--format", "ndjson"], &args[..], &[&other]].concat();
    assert_eq!(at(now, None, &all, b""), (Exit::Done, String::new()));
}

#[test]
fn a_finished_day_says_what_to_expect_and_what_was_below_before_is_not_news() {
    let runs = Runs::new();
    // Half of the day before at QAM64.
    let day: String = "66".repeat(36) + &"44".repeat(36);
    let yesterday = fleet(&[("1", 6, &day), ("2", 1, &day)], 0..day.len());
    runs.store(&yesterday);
    let next = day.len();
    let url = runs.url();
    let morning = begin() + 600 * (next as i64 + 200);
    let made = at(morning, None, &["--date", "2025-05-02", "--db", &url, "--format", "ndjson"], b"");
    assert!(made.1.contains("\"expected\":\"QAM64\""), "{}", made.1);
    // All are at QAM16 since yesterday; now one of them falls to QPSK.
    let low = " ".repeat(next + 150);
    let (same, falls) = (format!("{low}4444444444"), format!("{low}4444442222"));
    runs.store(&fleet(&[("1", 6, &same), ("2", 1, &falls)], next + 150..next + 160));
    let (exit, events) = runs.after(next as i64 + 159, &[]);
    assert_eq!((exit, whats(&events)), (Exit::Partial, vec!["opened(1)".to_owned()]));
    assert_eq!((&events[0]["upstream"], &events[0]["from"]), (&json!("2/scq/0"), &json!("QAM16")));
    // Four of six bits are lost: they are counted from what is expected.
    assert_eq!(events[0]["lost_mbps"], json!(20.48));
}

#[test]
fn a_filter_tells_at_each_heartbeat_and_what_nobody_read_is_told_again() {
    let dir = TempDir::new().expect("a temporary directory");
    let flags = ["--events", "--state", "s", "--input", "-", "--expected", "QAM64", "--tz", "UTC"];
    let filter = || tool("mod-report").args(flags).dir(dir.path());
    let beat = |scan: i64| {
        let ts = begin() + 600 * scan;
        format!("{}\n", json!({"v": 1, "type": "heartbeat", "ts": ts, "devices": 1, "due": 0, "running": 0}))
    };
    let mut child =
        filter().command(dir.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started");
    let mut input = child.stdin.take().expect("piped");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    input.write_all((fleet(&BURST, 0..6) + &beat(5)).as_bytes()).expect("written");
    let mut line = String::new();
    output.read_line(&mut line).expect("read");
    assert!(line.contains("\"what\":\"opened\""), "{line}");
    // Another one at the same time has nothing to do.
    filter().run().says(4, &["another mod-report --events"]);
    input.write_all((fleet(&BURST, 6..8) + &beat(7)).as_bytes()).expect("written");
    line.clear();
    output.read_line(&mut line).expect("read");
    assert!(line.contains("\"what\":\"grew\""), "{line}");
    drop(input);
    assert_eq!(wait(&mut child, DEADLINE).code(), Some(3), "something opened; no end record came");
    // The output does not arrive: the state stands as it was, and the next run tells it.
    let before = fs::read(dir.path().join("s")).expect("a state");
    let rest = fleet(&BURST, 0..14) + &end();
    let full = filter().under(&["sh", "-c", "exec \"$@\" >/dev/full", "sh"]).stdin(rest.clone()).run();
    full.says(1, &["No space left"]);
    assert_eq!(fs::read(dir.path().join("s")).expect("a state"), before);
    let run = filter().stdin(rest.clone()).run().clean(0);
    assert_eq!(whats(&run.records()), ["closed(12)"]);
    assert_eq!(filter().stdin(rest).run().clean(0).stdout, "");
}

#[test]
fn an_output_file_is_in_its_place_before_the_state_is() {
    let runs = Runs::new();
    runs.store(&fleet(&BURST, 0..6));
    let missing = runs.path("missing/events.ndjson");
    let state = runs.path("events.state");
    let run = |file: &str| {
        let (url, now) = (runs.url(), begin() + 3060);
        let args = ["--events", "--state", &state, "--db", &url, "--expected", "QAM64", "-o", file];
        at_with(Clock::Fixed(now), None, &args, b"")
    };
    assert!(run(&missing).is_err() && !Path::new(&state).exists());
    let file = runs.path("events.ndjson");
    let (exit, _) = run(&file).expect("written");
    assert_eq!(
        (exit, whats(&records(&fs::read_to_string(&file).expect("a file"))).len()),
        (Exit::Partial, 1)
    );
    run(&file).expect("written");
    assert_eq!(fs::read_to_string(&file).expect("a file"), "", "nothing is new");
}

#[test]
fn a_state_that_is_not_one_is_named_and_left_alone() {
    let dir = TempDir::new().expect("a temporary directory");
    let path = dir.path().join("s");
    let run = || {
        let flags = ["--events", "--state", "s", "--input", "-", "--expected", "QAM64"];
        tool("mod-report").args(flags).dir(dir.path()).stdin(fleet(&BURST, 0..6)).run()
    };
    for (content, words) in [
        ("not JSON", "not a state of mod-report --events"),
        ("{\"v\":1,\"kind\":\"another\"}", "not a state of mod-report --events"),
        ("{\"v\":2,\"kind\":\"modtools-events\"}", "a newer mod-report wrote"),
        ("{\"v\":1,\"kind\":\"modtools-events\",\"memory\":{\"devices\":[]}}", "remove it to begin anew"),
        ("", "not a state of mod-report --events"),
    ] {
        fs::write(&path, content).expect("written");
        let run = run().says(2, &[words, "s: "]);
        assert_eq!((run.stdout.as_str(), fs::read_to_string(&path).expect("read").as_str()), ("", content));
    }
    fs::remove_file(&path).expect("removed");
    assert_eq!(whats(&run().says(3, &[]).records()), ["opened(6)"]);
    for (args, words) in [
        (&["--events"][..], "--state"),
        (&["--state", "s"], "--events"),
        (&["--events", "--state", "s", "--date", "today"], "cannot be used with"),
        (&["--events", "--state", "s", "--format", "csv"], "--events: only"),
        (&["--events", "--state", "s", "--save"], "--save: it has no meaning for --events"),
        (&["--events", "--state", "s", "--top", "3"], "--top"),
    ] {
        tool("mod-report").args(args).dir(dir.path()).run().says(2, &[words]);
    }
}

#[test]
fn scans_that_are_still_to_come_and_gaps_tell_nothing() {
    let runs = Runs::new();
    let gap = [("1", 6, "666644----44666"), ("3", 40, "666666----66666")];
    runs.store(&fleet(&gap, 0..15));
    // Twenty minutes are within a hold of the clock, more are not.
    let (_, events) = runs.after(2, &["--expected", "QAM64"]);
    assert_eq!(events, Vec::<Value>::new());
    let (_, events) = runs.after(9, &["--expected", "QAM64"]);
    assert_eq!(whats(&events), ["opened(6)"]);
    let (_, events) = runs.after(14, &["--expected", "QAM64"]);
    assert_eq!(whats(&events), ["closed(6)"]);
    // Our clock went back by a day: what comes then is taken again, after a word.
    let (exit, events) = runs.after(14 - 144, &["--expected", "QAM64"]);
    assert_eq!((exit, events), (Exit::Done, vec![]));
}
