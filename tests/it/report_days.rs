//! Finished days in modulation_day: what a report says out of them is what the samples say, whatever came
//! late, twice or never, in every zone; and it does come out of them.

use clap::Parser;
use modtools::{cli, clock::Clock, record::Timestamp, report, settings::Settings, stage::Context};
use proptest::prelude::*;
use rusqlite::{Connection, params};
use tempfile::TempDir;

use crate::support::tool;

const WORDS: [&str; 5] = ["QPSK", "QAM16", "QAM64", "OFDMA", "UNKNOWN"];

/// The rows of a report without the time that it was made.
pub fn rows(report: &str) -> Vec<String> {
    report.lines().skip(1).map(|line| line.split_once("\"cmts\"").unwrap().1.to_owned()).collect()
}

/// A SQLite file, and the clock that reports go by.
pub struct Store {
    pub dir: TempDir,
    pub connection: Connection,
    pub now: Timestamp,
}

pub type Sample = (i64, String, String, &'static str);

impl Store {
    pub fn new(now: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("m.db");
        let url = format!("sqlite:{}", path.display());
        tool("mod-store").args(["--init", "--db", &url]).run().clean(0);
        let connection = Connection::open(&path).unwrap();
        // The disk is not what is tested here.
        connection.pragma_update(None, "synchronous", "OFF").unwrap();
        Store { dir, connection, now: now.parse().unwrap() }
    }

    pub fn insert<'a>(&mut self, samples: impl IntoIterator<Item = &'a Sample>) {
        let transaction = self.connection.transaction().unwrap();
        for (ts, cmts, upstream, modulation) in samples {
            let row = params![ts, cmts, upstream, modulation];
            transaction.execute("INSERT OR IGNORE INTO modulation_new VALUES (?1, ?2, ?3, ?4)", row).unwrap();
        }
        transaction.commit().unwrap();
    }

    pub fn execute(&self, sql: &str) -> usize {
        self.connection.execute(sql, []).unwrap()
    }

    fn number(&self, sql: &str) -> i64 {
        self.connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn args(&self, more: &[&str], input: bool) -> cli::Report {
        let url = format!("sqlite:{}", self.dir.path().join("m.db").display());
        let source = if input { ["--input", "-"] } else { ["--db", &url] };
        let format: &[&str] = if more.contains(&"--format") { &[] } else { &["--format", "ndjson"] };
        let all = ["mod-report"].iter().chain(format).chain(&source).chain(more);
        cli::Report::parse_from(all)
    }

    fn context(&self) -> Context {
        Context {
            tool: "mod-report",
            clock: Clock::Fixed(self.now),
            settings: Settings::of([("MODTOOLS_TZ", "Europe/Amsterdam")]),
            ..Context::default()
        }
    }

    /// What mod-report says out of the database.
    pub fn report(&self, more: &[&str]) -> String {
        let mut output = Vec::new();
        report::run(&self.args(more, false), &self.context(), &mut &b""[..], &mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    /// What it says of the same samples as records.
    pub fn reference(&self, more: &[&str]) -> String {
        let mut statement = self.connection.prepare("SELECT * FROM modulation_new").unwrap();
        let line = |row: &rusqlite::Row<'_>| {
            let ts = Timestamp(row.get(0)?);
            let (cmts, upstream): (String, String) = (row.get(1)?, row.get(2)?);
            let modulation: String = row.get(3)?;
            let sample = serde_json::json!({
                "v": 1, "type": "sample", "ts": ts.to_string(),
                "cmts": cmts, "upstream": upstream, "modulation": modulation,
            });
            Ok(sample.to_string() + "\n")
        };
        let input: String = statement.query_map([], line).unwrap().map(Result::unwrap).collect();
        let mut output = Vec::new();
        report::run(&self.args(more, true), &self.context(), &mut input.as_bytes(), &mut output).unwrap();
        String::from_utf8(output).unwrap()
    }
}

/// Samples of a week and a half, each upstream on its own grid of minutes, with what is missing left out.
pub fn samples(from: i64, step_s: i64, days: i64, missing_pct: u32, seed: u64) -> Vec<Sample> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut samples = Vec::new();
    for upstream in 0..7 {
        let cmts = if upstream < 6 { "CCAP001" } else { "CCAP101" };
        let mut modulation = 2;
        for at in 0..days * 86_400 / step_s {
            if random.u32(..100) < missing_pct {
                continue;
            }
            // Now and then all step down together: an incident.
            if at % 97 == 0 {
                modulation = 0;
            } else if random.u32(..10) == 0 {
                modulation = random.usize(..WORDS.len());
            }
            let ts = from + at * step_s;
            samples.push((ts, cmts.to_owned(), format!("1/0/0/{upstream}"), WORDS[modulation]));
        }
    }
    samples
}

const DAY_S: i64 = 86_400;

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]
    #[test]
    fn a_report_out_of_finished_days_is_the_report_of_their_samples(
        seed in any::<u64>(),
        zone in prop::sample::select(vec!["Europe/Amsterdam", "UTC", "America/St_Johns", "Pacific/Apia", "Asia/Beirut"]),
        // The clocks of the Netherlands and Lebanon change on the last Sunday of March, and in October.
        now in prop::sample::select(vec!["2026-03-30T09:00:00Z", "2026-10-26T00:20:00Z", "2026-06-01T23:40:00Z"]),
        step_s in prop::sample::select(vec![600_i64, 1740, 5400]),
        missing in 0_u32..60,
        interval in prop::sample::select(vec!["10m", "90m"]),
    ) {
        let mut store = Store::new(now);
        let from = store.now.0 - 11 * DAY_S;
        let all = samples(from, step_s, 11, missing, seed);
        let mut random = fastrand::Rng::with_seed(seed);
        let (first, late): (Vec<_>, Vec<_>) = all.into_iter().partition(|_| random.u32(..20) > 0);
        store.insert(&first);
        let before = (store.now + -3 * DAY_S).to_string()[..10].to_owned();
        let middle = (store.now + -90_000).to_string();
        let same = |store: &Store, what: &str, more: &[&str]| {
            let windows: [&[&str]; 6] = [
                &["--date", "today"],
                &["--date", "yesterday"],
                &["--date", &before],
                &["--days", "4"],
                &["--from", "-3d", "--to", "now"],
                &["--from", "-4d", "--to", &middle],
            ];
            for window in windows {
                let args = [window, &["--tz", zone, "--interval", interval], more].concat();
                assert_eq!(store.report(&args), store.reference(&args), "{what}: {args:?}");
            }
        };
        same(&store, "first", &[]);
        same(&store, "kept", &["--cmts", "*1", "--upstream", "*/[1-4]"]);
        store.insert(&late);
        same(&store, "late", &[]);
        store.insert(&first);
        same(&store, "replayed", &["--expected", "QAM16"]);
        // Not the oldest ones: whoever removes those prunes, and the day that they were in stands.
        let gap = from + DAY_S + random.i64(..9 * DAY_S);
        store.execute(&format!("DELETE FROM modulation_new WHERE timestamp BETWEEN {gap} AND {}", gap + 7200));
        same(&store, "deleted", &[]);
    }
}

#[test]
fn a_finished_day_is_kept_once_it_has_settled() {
    let mut store = Store::new("2026-05-03T22:29:59Z");
    store.insert(&samples("2026-05-01T22:00:00Z".parse::<Timestamp>().unwrap().0, 600, 2, 0, 7));
    let day = ["--date", "2026-05-03"];
    let kept = "SELECT count(*) FROM modulation_day WHERE day = '2026-05-03'";
    let before = store.report(&day);
    assert_eq!(store.number(kept), 0, "it ended half an hour ago, but for a second");
    store.now = store.now + 1;
    let after = store.report(&day);
    assert_eq!(store.number(kept), 8, "a row per upstream, and the head");
    assert_eq!(rows(&before), rows(&after));
    // It does come out of there: what is written there is what is read.
    store.execute("UPDATE modulation_day SET finished = replace(finished, '\"hops\":', '\"hops\":9') WHERE day = '2026-05-03'");
    assert_ne!(rows(&store.report(&day)), rows(&after));
    // And not when it was made for another zone or interval.
    for other in [["--interval", "5m"], ["--tz", "Europe/Berlin"]] {
        let args = [&day[..], &other].concat();
        assert_eq!(store.report(&args), store.reference(&args));
    }
    assert_eq!(store.number(kept), 8);
}

#[test]
fn a_day_whose_samples_are_gone_is_still_reported() {
    let mut store = Store::new("2026-05-04T12:00:00Z");
    store.insert(&samples(store.now.0 - 3 * DAY_S, 600, 3, 5, 7));
    let before = store.report(&["--date", "2026-05-02"]);
    assert!(store.execute("DELETE FROM modulation_new WHERE timestamp < 1777852800") > 0);
    assert_eq!(store.report(&["--date", "2026-05-02"]), before);
}

#[test]
fn who_may_only_read_gets_the_report_all_the_same() {
    let mut store = Store::new("2026-05-04T12:00:00Z");
    store.insert(&samples(store.now.0 - 3 * DAY_S, 600, 3, 5, 7));
    let day = ["--date", "2026-05-02"];
    store.execute("CREATE TRIGGER no BEFORE INSERT ON modulation_day BEGIN SELECT RAISE(ABORT, 'no'); END");
    assert_eq!(store.report(&day), store.reference(&day));
    assert_eq!(store.number("SELECT count(*) FROM modulation_day"), 0);
}

#[test]
fn a_row_that_cannot_be_read_is_named_with_its_remedy() {
    let mut store = Store::new("2026-05-04T12:00:00Z");
    store.insert(&samples(store.now.0 - 3 * DAY_S, 600, 3, 5, 7));
    store.report(&["--date", "2026-05-02"]);
    store.execute("UPDATE modulation_day SET finished = '{' WHERE cmts = 'CCAP101'");
    let args = store.args(&["--date", "2026-05-02"], false);
    let error = report::run(&args, &store.context(), &mut &b""[..], &mut Vec::new()).unwrap_err().to_string();
    assert!(error.contains("CCAP101") && error.contains("DELETE FROM modulation_day"), "{error}");
}

#[test]
fn a_late_sample_of_the_day_before_changes_what_is_carried_in() {
    let mut store = Store::new("2026-05-04T12:00:00Z");
    let at = |ts: &str, modulation| {
        (ts.parse::<Timestamp>().unwrap().0, "A".to_owned(), "1".to_owned(), modulation)
    };
    store.insert(&[at("2026-05-01T20:00:00Z", "QAM64"), at("2026-05-02T08:00:00Z", "QAM64")]);
    let day = ["--date", "2026-05-02"];
    assert!(store.report(&day).contains("\"hops\":0"));
    store.insert(&[at("2026-05-01T21:50:00Z", "QPSK")]);
    assert!(store.report(&day).lines().last().unwrap().contains("\"hops\":1"));
    assert_eq!(store.report(&day), store.reference(&day));
}

/// The row of the one upstream that a report has.
fn row(report: &str) -> serde_json::Value {
    serde_json::from_str(report.lines().nth(1).expect("a row")).expect("json")
}

#[test]
fn what_is_broken_longest_does_not_disappear() {
    // Fourteen days, QAM64 until the second morning, QAM16 ever since; samples are kept for eight days.
    let mut store = Store::new("2026-11-15T06:00:00Z");
    let begin = "2026-11-14T23:00:00Z".parse::<Timestamp>().unwrap();
    let fall = "2026-11-16T07:30:00Z".parse::<Timestamp>().unwrap();
    let sample = |ts: Timestamp, modulation| (ts.0, "CCAP001".to_owned(), "1/scq/3".to_owned(), modulation);
    let mut said = Vec::new();
    for day in 0..14 {
        let samples = (0..144).map(|step| begin + day * DAY_S + step * 600);
        let samples: Vec<_> =
            samples.map(|ts| sample(ts, if ts < fall { "QAM64" } else { "QAM16" })).collect();
        store.insert(&samples);
        store.now = begin + (day + 1) * DAY_S + 6 * 3600;
        store.execute(&format!("DELETE FROM modulation_new WHERE timestamp < {}", store.now.0 - 8 * DAY_S));
        said.push(row(&store.report(&["--date", "yesterday"])));
    }
    let tenth = &said[9];
    assert_eq!((&tenth["expected"], &tenth["lost_pct"]), (&"QAM64".into(), &33.333.into()));
    assert_eq!(
        (&tenth["since"], &tenth["best_seen"]),
        (&"2026-11-16T07:30:00Z".into(), &"2026-11-16".into())
    );
    assert!(tenth["why"].to_string().contains("chronic"), "{tenth}");
    assert_eq!(tenth["chronic_days"], 9);
    assert_eq!(
        tenth["says"],
        "QAM16 instead of QAM64 for 1d 0h 0m, below since 2026-11-16 08:30; observed for 100 % of the time."
    );
    assert_eq!((&said[0]["why"], said[0].get("since")), (&serde_json::Value::Null, None));
    assert_eq!((&said[13]["chronic_days"], &said[13]["expected"]), (&13.into(), &"QAM64".into()));
    let few = row(&store.report(&["--date", "yesterday", "--expected-days", "5"]));
    assert_eq!((&few["expected"], &few["lost_pct"]), (&"QAM16".into(), &0.0.into()));

    // A late sample of an old day corrects what later days carry.
    let late = "2026-11-24T11:05:00Z".parse::<Timestamp>().unwrap();
    store.insert(&[sample(late, "QAM64")]);
    let corrected = row(&store.report(&["--date", "yesterday"]));
    assert_eq!(corrected["since"], "2026-11-24T11:10:00Z");

    // A month out of finished days, and what is missing of it.
    let (_, text) = (0, store.report(&["--from", "2026-11-13", "--to", "2026-11-29"]));
    let header: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(header["missing_days"], serde_json::json!(["2026-11-13", "2026-11-14"]));
    assert_eq!(header["measurements"], 14 * 144 + 1);
    // Each of its days as a record.
    let days = store.report(&["--from", "2026-11-15", "--to", "2026-11-29", "--format", "days"]);
    let dates: Vec<_> =
        days.lines().filter_map(|line| line.split_once("\"date\":\"").map(|(_, rest)| &rest[..10])).collect();
    assert_eq!((dates.len(), dates[0], dates[13]), (14, "2026-11-15", "2026-11-28"));
    // Halves add up to the whole.
    let of = |from: &str, to: &str| row(&store.report(&["--from", from, "--to", to]));
    let [whole, first, second] =
        [of("2026-11-15", "2026-11-29"), of("2026-11-15", "2026-11-22"), of("2026-11-22", "2026-11-29")];
    for field in ["measurements", "hops", "hops_down", "hops_up", "observed_s"] {
        let [whole, first, second] = [&whole, &first, &second].map(|row| row[field].as_u64().unwrap());
        assert_eq!(first + second, whole, "{field}");
    }
}

#[test]
fn a_window_that_lacks_days_is_partial_and_names_them() {
    let mut store = Store::new("2025-05-05T12:00:00Z");
    store.insert(&samples("2025-05-03T00:00:00Z".parse::<Timestamp>().unwrap().0, 600, 2, 0, 7));
    let url = format!("sqlite:{}", store.dir.path().join("m.db").display());
    let from = |day: &str| {
        let window = ["--from", day, "--to", "2025-05-05", "--tz", "UTC", "--format", "ndjson"];
        tool("mod-report").args(["--db", &url]).args(window).run()
    };
    let part = from("2025-05-01").says(3, &["2025-05-01, 2025-05-02; the report is of the other days"]);
    assert_eq!(part.records()[0]["missing_days"], serde_json::json!(["2025-05-01", "2025-05-02"]));
    let whole = from("2025-05-03").clean(0);
    assert_eq!(whole.records()[0].get("missing_days"), None);
}

#[test]
fn names_of_one_zone_do_not_keep_a_day_twice() {
    let mut store = Store::new("2026-05-04T12:00:00Z");
    store.insert(&samples(store.now.0 - 3 * DAY_S, 600, 3, 5, 7));
    let of = |zone: &str| rows(&store.report(&["--date", "2026-05-02", "--tz", zone]));
    let first = of("UTC");
    store.execute("UPDATE modulation_day SET finished = replace(finished, '\"hops\":', '\"hops\":9')");
    let kept = of("UTC");
    assert_ne!(kept, first);
    assert_eq!(of("Etc/UTC"), kept);
}

#[test]
fn the_signal_to_noise_ratio_of_a_day_outlives_the_detail() {
    let day = "2026-11-27T23:00:00Z".parse::<Timestamp>().unwrap();
    let course = |upstream: &'static str| {
        (0..144).map(move |step| {
            let low = upstream == "1" && step >= 100;
            (day.0 + step * 600, "CCAP001", upstream, if low { "QAM16" } else { "QAM64" })
        })
    };
    let filled = || {
        let mut store = Store::new("2026-11-29T08:00:00Z");
        let samples: Vec<_> = course("1").chain(course("2")).collect();
        let samples: Vec<Sample> = samples
            .into_iter()
            .map(|(ts, cmts, upstream, m)| (ts, cmts.into(), upstream.into(), m))
            .collect();
        store.insert(&samples);
        // Upstream 2 tells it half of the time.
        store.execute(
            "INSERT INTO modulation_detail SELECT timestamp, cmts, upstream, NULL, 'state', \
               CASE WHEN modulation = 'QAM16' THEN 21.5 WHEN upstream = '2' AND timestamp % 1200 = 0 THEN NULL \
                    ELSE 35.0 + (timestamp / 600) % 3 END, NULL FROM modulation_new",
        );
        store
    };
    let snr = |store: &Store, args: &[&str]| {
        let text = store.report(args);
        let rows = text.lines().skip(1).map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let mut rows: Vec<_> = rows.map(|row| (row["upstream"].to_string(), row["snr_db"].clone())).collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        rows.into_iter().map(|(_, snr)| snr).collect::<Vec<_>>()
    };
    let known = serde_json::json!({"median": 35.0, "min": 21.5, "degraded": 21.5, "otherwise": 36.0});
    let args = ["--date", "2026-11-28"];
    let store = filled();
    assert_eq!(snr(&store, &args), [known.clone(), serde_json::Value::Null]);
    assert!(store.execute("DELETE FROM modulation_detail") > 0);
    assert_eq!(snr(&store, &args), [known, serde_json::Value::Null]);
    // A day that never had its detail does not know it.
    let late = filled();
    late.execute("DELETE FROM modulation_detail");
    assert!(snr(&late, &args).iter().all(serde_json::Value::is_null));
}
