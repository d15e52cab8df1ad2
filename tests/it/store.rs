//! mod-store on SQLite: groups, counts, rejections, --tee, --check, and how it fails.

use std::{
    fs::OpenOptions,
    path::Path,
    process::{Command, Stdio},
};

use modtools::{
    cli,
    database::{self, Access, Detail},
    measure::Window,
    record::{Sample, Scan},
    stage::Context,
};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::{DEADLINE, Run, drain, tool, wait};

/// One sample record; `more` is further fields, each with its comma in front.
pub fn sample(ts: &str, cmts: &str, upstream: &str, modulation: &str, more: &str) -> String {
    let names = format!(r#""cmts":{},"upstream":{}"#, quoted(cmts), quoted(upstream));
    format!(r#"{{"v":1,"type":"sample","ts":"{ts}",{names},"modulation":"{modulation}"{more}}}"#) + "\n"
}

pub fn scan(ts: &str, cmts: &str, status: &str, samples: u64) -> String {
    let cmts = quoted(cmts);
    format!(
        r#"{{"v":1,"type":"scan","ts":"{ts}","cmts":{cmts},"platform":"casa","status":"{status}","samples":{samples}}}"#
    ) + "\n"
}

pub const END: &str = "{\"v\":1,\"type\":\"end\",\"ts\":\"2026-05-01T13:00:00Z\",\"stage\":\"ccap-fetch\",\"ok\":1,\"failed\":0}\n";
pub const NOON: &str = "2026-05-01T12:00:00Z";
pub const LATER: &str = "2026-05-01T12:10:00Z";
/// NOON as UNIX time.
pub const NOON_S: i64 = 1_777_636_800;

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A stream of two devices at two moments, whole, with everything that a sample can say.
pub fn two_scans() -> String {
    let more = r#","profile":364,"source":"hop-history","platform":"casa","channel_type":"atdma","center_hz":30000000,"width_hz":6400000,"description":"node 7","snr_db":36.5"#;
    [
        sample(NOON, "CCAP101", "1/1.1/0", "QAM64", more),
        sample(NOON, "CCAP101", "1/1.0/0", "QAM16", more),
        scan(NOON, "CCAP101", "ok", 2),
        sample(LATER, "CCAP101", "1/1.0/0", "QAM64", more),
        sample(LATER, "CCAP101", "1/1.1/0", "OFDMA", ""),
        scan(LATER, "CCAP101", "partial", 2),
        END.into(),
    ]
    .concat()
}

/// The sums of all `stored` records: sent, stored, duplicate, rejected.
#[track_caller]
pub fn counts(run: &Run) -> [u64; 4] {
    let stored: Vec<_> = run.records().into_iter().filter(|record| record["type"] == "stored").collect();
    ["sent", "stored", "duplicate", "rejected"]
        .map(|field| stored.iter().map(|record| record[field].as_u64().unwrap()).sum())
}

/// All that a database holds, read as mod-report reads it.
pub fn contents(url: &str, context: &Context) -> (Vec<String>, Vec<Scan>, usize) {
    let flags = cli::Database { db: Some(url.to_owned()) };
    let mut database = database::open(&flags, context, Access::Read).unwrap();
    let from = "1990-01-01T00:00:00Z".parse().unwrap();
    let window = Window { from, to: "2037-01-01T00:00:00Z".parse().unwrap() };
    let mut samples = Vec::new();
    let mut one = |s: database::Stored<'_>| {
        let word = s.source.map(|source| source.word());
        let (profile, snr) = (s.profile, s.snr_db);
        samples.push(format!(
            "{} {} {} {} {profile:?} {word:?} {snr:?}",
            s.ts, s.cmts, s.upstream, s.modulation
        ));
        Ok(())
    };
    database.samples(window, Detail::Whole, &mut one).unwrap();
    let mut scans = Vec::new();
    let mut keep = |scan| {
        scans.push(scan);
        Ok(())
    };
    database.scans(window, &mut keep).unwrap();
    let mut channels = 0;
    database.channels(&mut |_| channels += 1).unwrap();
    (samples, scans, channels)
}

/// A directory with a database in it, and a mod-store for it.
struct Sqlite(TempDir);

impl Sqlite {
    fn new() -> Self {
        Sqlite(TempDir::new().unwrap())
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.0.path().join("m.db").display())
    }

    fn store(&self, flags: &[&str], input: impl Into<Vec<u8>>) -> Run {
        tool("mod-store").args(["--db", &self.url()]).args(flags).stdin(input).run()
    }

    fn open(&self) -> Connection {
        Connection::open(self.0.path().join("m.db")).unwrap()
    }

    fn count(&self, table: &str) -> i64 {
        self.open().query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }
}

#[test]
fn init_makes_the_tables_and_the_default_file() {
    let dir = TempDir::new().unwrap();
    tool("mod-store").args(["--init", "--history-index"]).dir(dir.path()).run().clean(0);
    let made = dir.path().join("modulation.db");
    let connection = Connection::open(&made).unwrap();
    let mut tables =
        connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1").unwrap();
    let names: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(
        names,
        [
            "lastupdatemodulation",
            "modulation_channel",
            "modulation_day",
            "modulation_detail",
            "modulation_device",
            "modulation_new",
            "modulation_scan"
        ]
    );
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    // Now that it is there, it is found without being named.
    tool("mod-store").dir(dir.path()).stdin(two_scans()).run().clean(0);
    tool("mod-store").args(["--init"]).dir(dir.path()).run().clean(0);
    let rows: i64 =
        connection.query_row("SELECT count(*) FROM modulation_new", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 4);
}

#[test]
fn what_is_stored_reads_back_whole_and_a_replay_changes_nothing() {
    let db = Sqlite::new();
    let first = db.store(&["--tee"], two_scans()).clean(0);
    assert_eq!(counts(&first), [4, 4, 0, 0]);
    let context = Context::default();
    let before = contents(&db.url(), &context);
    assert_eq!(
        before.0,
        [
            "2026-05-01T12:00:00Z CCAP101 1/1.0/0 QAM16 Some(364) Some(\"hop-history\") Some(36.5)",
            "2026-05-01T12:00:00Z CCAP101 1/1.1/0 QAM64 Some(364) Some(\"hop-history\") Some(36.5)",
            "2026-05-01T12:10:00Z CCAP101 1/1.0/0 QAM64 Some(364) Some(\"hop-history\") Some(36.5)",
            "2026-05-01T12:10:00Z CCAP101 1/1.1/0 OFDMA None None None",
        ]
    );
    assert_eq!(before.1.iter().map(|scan| scan.status.word()).collect::<Vec<_>>(), ["ok", "partial"]);
    let replay = db.store(&["--tee", "--batch", "1"], two_scans()).clean(0);
    assert_eq!(counts(&replay), [4, 0, 4, 0]);
    assert_eq!(contents(&db.url(), &context), before);
}

#[test]
fn a_group_ends_at_its_scan_when_the_pair_changes_and_at_the_end() {
    let db = Sqlite::new();
    let input = [
        sample(NOON, "A", "u1", "QPSK", ""),
        sample(LATER, "A", "u1", "QPSK", ""),
        sample(LATER, "B", "u1", "QPSK", ""),
        sample(LATER, "B", "u2", "QPSK", ""),
        scan(LATER, "B", "ok", 2),
        sample(LATER, "B", "u3", "QPSK", ""),
        END.into(),
    ];
    let run = db.store(&["--tee"], input.concat()).clean(0);
    let stored: Vec<_> = run.records().into_iter().filter(|record| record["type"] == "stored").collect();
    let groups: Vec<_> = stored
        .iter()
        .map(|r| format!("{} {} {}", r["cmts"], r["ts"], r["stored"]).replace('"', ""))
        .collect();
    assert_eq!(
        groups,
        [format!("A {NOON} 1"), format!("A {LATER} 1"), format!("B {LATER} 2"), format!("B {LATER} 1")]
    );
    assert_eq!((db.count("modulation_new"), db.count("modulation_scan")), (5, 1));
}

#[test]
fn every_line_goes_on_in_its_order_and_only_after_its_group_is_stored() {
    let db = Sqlite::new();
    let lines = [
        "{\"v\":1,\"type\":\"heartbeat\",\"ts\":\"2026-05-01T12:00:00Z\",\"devices\":1,\"due\":1,\"running\":0}\n"
            .into(),
        sample(NOON, "A", "u1", "QAM64", r#","extra":"kept""#),
        "{\"type\":\"weather\",  \"rain\":true}\n".into(),
        sample(NOON, "A", "u2", "QAM64", ""),
        scan(NOON, "A", "ok", 2),
        "{\"v\":9,\"type\":\"sample\",\"new\":1}\n".into(),
        END.into(),
    ];
    let run = db.store(&["--tee"], lines.concat()).says(0, &["version 9"]);
    let (passed, own): (Vec<_>, Vec<_>) =
        run.stdout.split_inclusive('\n').partition(|line| !line.contains("\"type\":\"stored\""));
    assert_eq!(passed.concat(), lines.concat());
    assert_eq!(own.len(), 1);
    let place = run.stdout.lines().position(|line| line.contains("\"stored\"")).unwrap();
    assert_eq!(place, 5, "the receipt follows the scan");
}

#[test]
fn without_tee_stdout_is_empty() {
    let run = Sqlite::new().store(&[], two_scans()).clean(0);
    assert_eq!(run.stdout, "");
}

#[test]
fn what_does_not_fit_is_named_counted_and_not_passed_on() {
    let db = Sqlite::new();
    let long = "x".repeat(65);
    let bad = [
        sample(NOON, "A", &long, "QAM64", ""),
        sample(NOON, "A", "", "QAM64", ""),
        sample(NOON, "A", "u9", "QAM512", ""),
        sample("1989-12-31T23:59:59Z", "A", "u1", "QAM64", ""),
        sample("2199-01-01T00:00:00Z", "A", "u1", "QAM64", ""),
        sample(NOON, "", "u1", "QAM64", ""),
        sample(NOON, &long, "u1", "QAM64", ""),
    ];
    let input = [&sample(NOON, "A", "u1", "QAM64", ""), &*bad.concat(), END].concat();
    let words = [
        "line 2: ",
        "65 characters",
        "line 3: A : upstream is empty",
        "line 4: A u9: unknown modulation \"QAM512\"",
        "before 1990",
        "in the future",
        "line 7: ",
        "line 8: ",
    ];
    let run = db.store(&["--tee"], input).says(3, &words);
    assert_eq!(counts(&run), [8, 1, 0, 7]);
    let records = run.records();
    assert_eq!(records.iter().filter(|record| record["type"] == "sample").count(), 1);
    let lines: Vec<_> = records.iter().filter(|r| r["type"] == "error").map(|r| r["line"].as_u64()).collect();
    assert_eq!(lines, (2..=8).map(Some).collect::<Vec<_>>());
    assert_eq!((db.count("modulation_new"), run.stderr.lines().count()), (1, 7));
}

#[test]
fn hostile_names_are_only_names() {
    let db = Sqlite::new();
    let names = ["'); DROP TABLE modulation_new;--", "\" OR 1=1;", "a\\'b", "üñ\u{1f600}", "a\nb"];
    let input: String = names.iter().map(|name| sample(NOON, name, name, "QAM64", "")).collect();
    db.store(&[], input).clean(0);
    let connection = db.open();
    let mut statement = connection.prepare("SELECT cmts FROM modulation_new").unwrap();
    let mut stored: Vec<String> =
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut expected = names.map(str::to_owned);
    stored.sort();
    expected.sort();
    assert_eq!(stored, expected);
}

#[test]
fn a_bad_line_is_named_and_the_rest_is_stored() {
    let db = Sqlite::new();
    let input = ["nonsense\n", &two_scans()].concat();
    let run = db.store(&["--tee"], input).says(3, &["mod-store: line 1: not JSON"]);
    assert_eq!(run.records()[0]["type"], "error");
    assert_eq!(counts(&run), [4, 4, 0, 0]);
}

#[test]
fn a_stream_that_broke_off_is_stored_and_said() {
    let db = Sqlite::new();
    let whole = two_scans();
    db.store(&[], whole.strip_suffix(END).unwrap()).says(3, &["without its `end`"]);
    assert_eq!(db.count("modulation_new"), 4);
    // Hand-made samples have no scans, and need no end.
    db.store(&[], sample(NOON, "B", "u", "QPSK", "")).clean(0);
}

#[test]
fn a_scan_that_failed_is_stored_named_and_makes_the_result_partial() {
    let db = Sqlite::new();
    let input = [two_scans(), scan("2026-05-01T12:20:00Z", "CCAP101", "auth_failed", 0), END.into()].concat();
    db.store(&[], input).says(3, &["1 of 3 scans failed: CCAP101 auth_failed"]);
    // One that fails again and again takes no other one's place.
    let again = |at: u32| scan(&format!("2026-05-01T13:{at}:00Z"), "CCAP101", "auth_failed", 0);
    let other = scan("2026-05-01T13:40:00Z", "CCAP102", "refused", 0);
    let input = [again(10), again(20), again(30), other, END.into()].concat();
    Sqlite::new()
        .store(&[], input)
        .says(3, &["4 of 4 scans failed: CCAP101 auth_failed (3 times), CCAP102 refused"]);
    let one = [again(10), END.into()].concat();
    Sqlite::new().store(&[], one).says(3, &["1 of 1 scan failed: CCAP101 auth_failed"]);
    let device = |db: &Sqlite| -> (i64, i64, String) {
        let sql = "SELECT last_try, last_good, last_status FROM modulation_device WHERE cmts = 'CCAP101'";
        db.open().query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap()
    };
    let latest = (NOON_S + 1200, NOON_S + 600, "auth_failed".to_owned());
    assert_eq!(device(&db), latest);
    // A replay of the past does not turn the clock back.
    db.store(&[], two_scans()).clean(0);
    assert_eq!(device(&db), latest);
}

#[test]
fn the_last_update_is_told_only_when_samples_came() {
    let db = Sqlite::new();
    db.store(&[], [scan(NOON, "A", "ok", 0).as_str(), END].concat()).clean(0);
    assert_eq!(db.count("lastupdatemodulation"), 0);
    db.store(&[], two_scans()).clean(0);
    db.store(&[], two_scans()).clean(0);
    assert_eq!(db.count("lastupdatemodulation"), 1);
}

#[test]
fn a_dry_run_judges_everything_and_writes_nothing() {
    let db = Sqlite::new();
    let run = db.store(&["--dry-run", "--tee"], two_scans()).clean(0);
    assert_eq!(counts(&run), [4, 0, 0, 0]);
    assert!(!db.0.path().join("m.db").exists());
    db.store(&["--dry-run"], sample(NOON, "", "u", "QPSK", "")).says(3, &["cmts is empty"]);
}

#[test]
fn check_says_what_there_is_and_what_is_missing() {
    let db = Sqlite::new();
    let run = db.store(&["--check"], "").clean(3);
    assert!(run.stdout.contains("missing") && run.stdout.contains("mod-store --init"), "{}", run.stdout);
    assert!(!db.0.path().join("m.db").exists(), "it writes nothing");
    db.store(&[], two_scans()).clean(0);
    let run = db.store(&["--check"], "").clean(0);
    for word in ["SQLite 3", "modulation_new", "there", "keyed", LATER] {
        assert!(run.stdout.contains(word), "{word}: {}", run.stdout);
    }
}

#[test]
fn a_wrong_or_missing_database_is_refused_before_anything() {
    let password = |tool: crate::support::Tool| tool.env("ACCESS_PASSWORD", "x");
    tool("mod-store").run().says(2, &["--db", "MODTOOLS_DB", "ACCESS_HOST", "modulation.db"]);
    for (url, word) in [
        ("postgres://u@h/d", "postgres"),
        ("mysql://u:hunter2@h/d", "ACCESS_PASSWORD"),
        ("sqlite:/no/such/directory/m.db", "/no/such/directory"),
    ] {
        let run = password(tool("mod-store").args(["--db", url])).run().says(2, &["mod-store: ", word]);
        assert!(!run.stderr.contains("hunter2") && run.stderr.lines().count() == 1, "{}", run.stderr);
    }
    tool("mod-store").args(["--db", "mysql://u@127.0.0.1:1/d"]).run().says(2, &["ACCESS_PASSWORD"]);
    tool("mod-store").env("MODTOOLS_DB", "nonsense").run().says(2, &["MODTOOLS_DB"]);
}

#[test]
fn a_file_that_is_something_else_is_left_alone() {
    let db = Sqlite::new();
    let path = db.0.path().join("m.db");
    std::fs::write(&path, "just a text that is long enough to be no database header at all ".repeat(20))
        .unwrap();
    db.store(&[], two_scans()).says(1, &["not a SQLite database"]);
    std::fs::remove_file(&path).unwrap();
    db.open().execute_batch("CREATE TABLE songs (title)").unwrap();
    db.store(&["--init"], two_scans()).says(1, &["another program"]);
    db.open().execute_batch("DROP TABLE songs").unwrap();
    db.store(&["--init"], "").clean(0);
    db.open().execute_batch("PRAGMA user_version = 99").unwrap();
    db.store(&[], two_scans()).says(1, &["99", "newer"]);
    assert_eq!(db.count("modulation_new"), 0);
}

#[test]
fn a_full_disk_behind_stdout_is_a_failure_but_what_is_stored_stays() {
    let db = Sqlite::new();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = tool("mod-store").args(["--db", &db.url(), "--tee"]).command(db.0.path());
    let (code, stderr) = feed(&mut command, full.into(), &two_scans());
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("No space left"), "{stderr}");
    assert_eq!(db.count("modulation_new"), 4);
}

#[test]
fn a_reader_that_goes_away_does_not_stop_the_storing() {
    let db = Sqlite::new();
    let input: String = (0..4_000).map(|n| sample(NOON, &format!("C{n}"), "u", "QAM64", "")).collect();
    let mut head =
        Command::new("head").arg("-1").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut command = tool("mod-store").args(["--db", &db.url(), "--tee"]).command(db.0.path());
    let (code, stderr) = feed(&mut command, head.stdin.take().unwrap().into(), &input);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(drain(head.stdout.take().unwrap()).join().unwrap(), sample(NOON, "C0", "u", "QAM64", ""));
    wait(&mut head, DEADLINE);
    assert_eq!(db.count("modulation_new"), 4_000);
}

/// Runs a command whose stdout goes elsewhere; gives its exit code and stderr.
fn feed(command: &mut Command, stdout: Stdio, input: &str) -> (Option<i32>, String) {
    use std::io::Write;
    let mut child = command.stdin(Stdio::piped()).stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
    // The test's own copy of the pipe's end must not keep it open.
    command.stdout(Stdio::null());
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let feeder = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let stderr = drain(child.stderr.take().unwrap());
    let status = wait(&mut child, DEADLINE);
    feeder.join().unwrap();
    (status.code(), stderr.join().unwrap())
}

#[test]
fn two_at_once_store_everything_once() {
    let db = Sqlite::new();
    let input: String = (0..300)
        .map(|n| sample(NOON, &format!("C{n}"), "u1", "QAM64", "") + &scan(NOON, &format!("C{n}"), "ok", 1))
        .chain([END.to_owned()])
        .collect();
    let runs = std::thread::scope(|scope| {
        let both = [(); 2].map(|()| scope.spawn(|| db.store(&["--tee"], input.as_str()).clean(0)));
        both.map(|run| counts(&run.join().unwrap()))
    });
    let sum = |field: usize| runs[0][field] + runs[1][field];
    assert_eq!((sum(0), sum(1), sum(2)), (600, 300, 300));
    assert_eq!(db.count("modulation_new"), 300);
}

#[test]
fn a_channel_keeps_what_a_later_sample_does_not_say() {
    let db = Sqlite::new();
    db.store(&[], two_scans()).clean(0);
    let sql = "SELECT platform, type, center_hz, width_hz, description, first_seen, last_seen \
               FROM modulation_channel WHERE upstream = '1/1.1/0'";
    let row: (String, String, i64, i64, String, i64, i64) = db
        .open()
        .query_row(sql, [], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?, r.get(6)?))
        })
        .unwrap();
    let expected = ("casa", "atdma", 30_000_000, 6_400_000, "node 7", NOON_S, NOON_S);
    let (platform, kind, center, width, description, first, last) = row;
    assert_eq!((&*platform, &*kind, center, width, &*description, first, last), expected);
}

#[test]
fn a_database_without_samples_is_no_database_to_report_from() {
    let flags = cli::Database { db: Some("sqlite:/no/such/file.db".into()) };
    let Err(error) = database::open(&flags, &Context::default(), Access::Read) else { panic!("refused") };
    assert!(error.to_string().contains("no such file"), "{error}");
    assert!(!Path::new("/no/such/file.db").exists());
}

#[test]
fn the_samples_of_the_tests_are_samples() {
    let record = modtools::record::decode(two_scans().lines().next().unwrap()).unwrap();
    let modtools::record::Record::Sample(Sample { cmts, width_hz, .. }) = record else { panic!("a sample") };
    assert_eq!((cmts.as_str(), width_hz), ("CCAP101", Some(6_400_000)));
}
