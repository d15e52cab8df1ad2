//! mod-prune on SQLite: what goes, what stays, and that nothing goes before its day is kept.

use std::process::{Command, Stdio};

use modtools::{clock::Clock, record::Timestamp};
use rusqlite::{Connection, params};
use tempfile::TempDir;

use crate::clocks::{Jumping, YEAR_S};
use crate::report_days::rows;
use crate::support::{DEADLINE, Run, Tool, tool, until, wait};

const HOUR_S: i64 = 3600;
const DAY_S: i64 = 24 * HOUR_S;

struct Store {
    dir: TempDir,
    connection: Connection,
    now: i64,
}

impl Store {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let url = format!("sqlite:{}", dir.path().join("m.db").display());
        tool("mod-store").args(["--init", "--db", &url]).run().clean(0);
        let connection = Connection::open(dir.path().join("m.db")).unwrap();
        connection.pragma_update(None, "synchronous", "OFF").unwrap();
        Store { dir, connection, now: Clock::System.now().0 }
    }

    /// Samples, details and scans of the past, one scan per step.
    fn fill(&mut self, from: i64, to: i64, step_s: i64, upstreams: u32) {
        let transaction = self.connection.transaction().unwrap();
        let mut ts = self.now + from;
        while ts < self.now + to {
            for upstream in 0..upstreams {
                let name = format!("u{upstream}");
                let sql = "INSERT INTO modulation_new VALUES (?1, 'A', ?2, iif(?1 % 7 < 3, 'QPSK', 'QAM64'))";
                transaction.execute(sql, params![ts, name]).unwrap();
                let sql = "INSERT INTO modulation_detail VALUES (?1, 'A', ?2, 7, 'state', 30.5, 'device')";
                transaction.execute(sql, params![ts, name]).unwrap();
            }
            let sql = "INSERT INTO modulation_scan VALUES (?1, 'A', 'casa', 'ok', NULL, 1, 5, ?2, 0, 0)";
            transaction.execute(sql, params![ts, upstreams]).unwrap();
            ts += step_s;
        }
        transaction.commit().unwrap();
    }

    fn tool(&self) -> Tool {
        let url = format!("sqlite:{}", self.dir.path().join("m.db").display());
        tool("mod-prune").args(["--db", &url]).env("MODTOOLS_TZ", "Europe/Amsterdam")
    }

    fn prune(&self, flags: &[&str]) -> Run {
        self.tool().args(flags).run()
    }

    fn number(&self, sql: &str) -> i64 {
        self.connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn oldest(&self, table: &str, time: &str) -> i64 {
        self.number(&format!("SELECT min({time}) FROM {table}"))
    }
}

#[track_caller]
fn record<'a>(records: &'a [serde_json::Value], table: &str) -> &'a serde_json::Value {
    records.iter().find(|record| record["table"] == table).unwrap()
}

#[test]
fn each_table_keeps_its_own_window() {
    let mut store = Store::new();
    store.fill(-12 * DAY_S + 60, 0, HOUR_S, 3);
    store
        .connection
        .execute("INSERT INTO modulation_day VALUES ('2001-01-01', '', '', 'UTC', 600, 0, '{}', '{}')", [])
        .unwrap();
    let run = store.prune(&["--batch", "100"]).clean(0);
    let records = run.records();
    assert_eq!(records.len(), 4);
    assert!(records.iter().all(|record| record["type"] == "pruned" && record["stopped"] == "done"));
    let samples = record(&records, "modulation_new");
    assert_eq!((samples["by"].as_str(), samples["rows"].as_u64()), (Some("chunks"), Some(4 * 24 * 3)));
    assert_eq!(samples["chunks"], 3, "288 rows in hundreds");
    let after = |table, time, limit: i64| {
        let oldest = store.oldest(table, time);
        assert!((limit..limit + 2 * HOUR_S).contains(&oldest), "{table}: {oldest} {limit}");
    };
    after("modulation_new", "timestamp", store.now - 8 * DAY_S);
    after("modulation_scan", "ts", store.now - 8 * DAY_S);
    after("modulation_detail", "timestamp", store.now - 2 * DAY_S);
    assert_eq!(store.number("SELECT count(*) FROM modulation_day WHERE day < '2002'"), 0);
    // A second run has nothing to do.
    let again = store.prune(&[]).clean(0).records();
    assert!(again.iter().all(|record| record["rows"] == 0), "{again:?}");
}

#[test]
fn settings_and_flags_say_how_long() {
    let mut store = Store::new();
    store.fill(-12 * DAY_S, 0, HOUR_S, 1);
    store.tool().env("DATA_RETENTION_DAYS", "5").env("CLEANUP_BATCH_SIZE", "7").run().clean(0);
    assert!(store.oldest("modulation_new", "timestamp") >= store.now - 5 * DAY_S);
    store.tool().args(["--keep-days", "2"]).env("DATA_RETENTION_DAYS", "5").run().clean(0);
    assert!(store.oldest("modulation_new", "timestamp") >= store.now - 2 * DAY_S);
    for (name, value) in
        [("DATA_RETENTION_DAYS", "0"), ("DATA_RETENTION_DAYS", "x"), ("CLEANUP_BATCH_SIZE", "-1")]
    {
        store.tool().env(name, value).run().says(2, &[name]);
    }
    for flags in [["--keep-days", "0"], ["--batch", "0"], ["--tz", "Mars/Base"], ["--deadline", "soon"]] {
        store.prune(&flags).says(2, &[flags[0]]);
    }
    let before = store.number("SELECT count(*) FROM modulation_new");
    let run = store.tool().args(["--keep-days", "1", "-v"]).env("ENABLE_AUTO_CLEANUP", "false").run();
    run.says(0, &["ENABLE_AUTO_CLEANUP"]);
    assert_eq!(store.number("SELECT count(*) FROM modulation_new"), before);
}

#[test]
fn what_the_days_came_to_is_kept_before_their_samples_go() {
    let mut store = Store::new();
    store.fill(-12 * DAY_S, 0, 600, 2);
    let report = |date: &str| {
        let url = format!("sqlite:{}", store.dir.path().join("m.db").display());
        let flags = ["--db", &url, "--date", date, "--tz", "Europe/Amsterdam", "--format", "ndjson"];
        rows(&tool("mod-report").args(flags).run().clean(0).stdout)
    };
    let date = |days: i64| (Timestamp(store.now - days * DAY_S)).to_string()[..10].to_owned();
    // Days that go whole, in part, and not at all.
    let days: Vec<_> = [10, 8, 7, 3].map(date).into();
    // The reports before: each keeps the days that it needs, so these are forgotten again.
    let before: Vec<_> = days.iter().map(|day| report(day)).collect();
    store.connection.execute("DELETE FROM modulation_day", []).unwrap();
    store.prune(&[]).clean(0);
    assert_eq!(days.iter().map(|day| report(day)).collect::<Vec<_>>(), before);
    let days = store.number("SELECT count(*) FROM modulation_day WHERE cmts = ''");
    assert!((11..=13).contains(&days), "{days}");
}

#[test]
fn a_day_that_cannot_be_kept_holds_its_samples_back() {
    let mut store = Store::new();
    store.fill(-12 * DAY_S, 0, HOUR_S, 1);
    let day = Timestamp(store.now - 10 * DAY_S).to_string()[..10].to_owned();
    let trigger = format!(
        "CREATE TRIGGER no BEFORE INSERT ON modulation_day WHEN new.day >= '{day}' \
         BEGIN SELECT RAISE(ABORT, 'no room'); END"
    );
    store.connection.execute(&trigger, []).unwrap();
    let run = store.prune(&[]).says(3, &["WARNING", &day, "no room"]);
    assert_eq!(record(&run.records(), "modulation_new")["stopped"], "held_back");
    let oldest = store.oldest("modulation_new", "timestamp");
    assert!((store.now - 11 * DAY_S..=store.now - 9 * DAY_S).contains(&oldest));
    store.connection.execute("DROP TRIGGER no", []).unwrap();
    store.prune(&[]).clean(0);
    assert!(store.oldest("modulation_new", "timestamp") >= store.now - 8 * DAY_S);
}

#[test]
fn a_deadline_stops_it_and_the_next_run_goes_on() {
    let mut store = Store::new();
    store.fill(-12 * DAY_S, 0, HOUR_S, 1);
    let all = store.number("SELECT count(*) FROM modulation_new");
    let run = store.prune(&["--deadline", "0s"]).clean(3);
    assert!(run.records().iter().all(|record| record["stopped"] == "deadline"), "{}", run.stdout);
    assert_eq!(store.number("SELECT count(*) FROM modulation_new"), all);
    store.prune(&["--deadline", "10m"]).clean(0);
    assert!(store.number("SELECT count(*) FROM modulation_new") < all);
}

/// The number of the process is written into the lock: what a link led to would be gone.
#[test]
fn a_link_in_the_place_of_the_lock_is_not_followed() {
    let mut store = Store::new();
    store.fill(-12 * DAY_S, 0, 3600, 1);
    let database = std::fs::read_dir(store.dir.path()).unwrap().map(|entry| entry.unwrap().path());
    let database = database.into_iter().find(|path| path.extension().is_some_and(|e| e == "db")).unwrap();
    let (lock, precious) = (format!("{}-prune-lock", database.display()), store.dir.path().join("precious"));
    std::fs::write(&precious, "precious").unwrap();
    std::os::unix::fs::symlink(&precious, &lock).unwrap();
    store.prune(&[]).says(1, &["-prune-lock"]);
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "precious");
}

#[test]
fn only_one_prunes_at_a_time() {
    let mut store = Store::new();
    store.fill(-12 * DAY_S, 0, 600, 3);
    // One row per transaction takes its time, and this one is held in the midst of it.
    let mut slow = store.tool().args(["--batch", "1"]).command(store.dir.path());
    let mut child = slow.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let all = store.number("SELECT count(*) FROM modulation_new");
    until("the first deletion", || store.number("SELECT count(*) FROM modulation_new") < all);
    let signal = |name: &str| Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    signal("-STOP");
    store.prune(&[]).says(4, &["locked", &child.id().to_string(), "nothing was done"]);
    // Looking is allowed.
    store.prune(&["--dry-run"]).clean(0);
    signal("-TERM");
    signal("-CONT");
    let status = wait(&mut child, DEADLINE);
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(status.signal(), Some(15));
    let mut said = String::new();
    std::io::Read::read_to_string(&mut child.stdout.take().unwrap(), &mut said).unwrap();
    assert!(said.contains("\"stopped\":\"signal\""), "{said}");
    store.prune(&[]).clean(0);
    assert!(store.oldest("modulation_new", "timestamp") >= store.now - 8 * DAY_S);
}

#[test]
fn a_dry_run_shows_statements_and_counts_and_changes_nothing() {
    let mut store = Store::new();
    store.fill(-12 * DAY_S + 60, 0, HOUR_S, 3);
    let before = store.number("SELECT sum(timestamp) FROM modulation_new");
    let records = store.prune(&["--dry-run"]).clean(0).records();
    let samples = record(&records, "modulation_new");
    assert_eq!((samples["dry_run"].as_bool(), samples["rows"].as_u64()), (Some(true), Some(4 * 24 * 3)));
    assert!(
        samples["statement"].as_str().unwrap().starts_with("DELETE FROM modulation_new WHERE timestamp <")
    );
    assert_eq!(store.number("SELECT sum(timestamp) FROM modulation_new"), before);
    assert_eq!(store.number("SELECT count(*) FROM modulation_day"), 0);
}

#[test]
fn free_pages_go_back_to_the_file_system() {
    let mut store = Store::new();
    store.fill(-40 * DAY_S, 0, 600, 10);
    store.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let size = || store.number("PRAGMA page_count");
    let before = size();
    store.prune(&[]).clean(0);
    // What is kept of each finished day, every step of it included, takes more than half of what went.
    assert!(size() < before * 2 / 3, "{} of {before}", size());
    assert_eq!(store.number("PRAGMA freelist_count"), 0);
}

#[test]
fn rows_of_the_future_are_told_and_kept() {
    let mut store = Store::new();
    store.fill(3 * DAY_S, 3 * DAY_S + 1, 1, 5);
    store.prune(&[]).says(3, &["5 rows", "ahead"]);
    assert_eq!(store.number("SELECT count(*) FROM modulation_new"), 5);
    let records = store.prune(&["--status"]).clean(3).records();
    let samples = record(&records, "modulation_new");
    assert_eq!((samples["health"].as_str(), samples["future"].as_u64()), (Some("WARNING"), Some(5)));
}

#[test]
fn the_status_tells_what_there_is() {
    let mut store = Store::new();
    store.fill(-7 * DAY_S, 0, HOUR_S, 3);
    let run = store.prune(&["--status"]).clean(0);
    let records = run.records();
    let samples = record(&records, "modulation_new");
    assert_eq!(samples["type"], "status");
    assert_eq!((samples["rows"].as_u64(), samples["estimated"].as_bool()), (Some(504), Some(false)));
    assert_eq!((samples["days"].as_f64(), samples["health"].as_str()), (Some(7.0), Some("HEALTHY")));
    assert!(samples["bytes"].as_u64().unwrap() > 0);
    assert_eq!(samples["oldest"], Timestamp(store.now - 7 * DAY_S).to_string());
    store.fill(-30 * DAY_S, -30 * DAY_S + 1, 1, 1);
    let run = store.prune(&["--status"]).clean(3);
    let records = run.records();
    let reasons = record(&records, "modulation_new")["reasons"].to_string();
    assert!(reasons.contains("30 days old") && reasons.contains("mod-prune"), "{reasons}");
}

#[test]
fn without_a_database_there_is_nothing_to_prune() {
    let dir = TempDir::new().unwrap();
    tool("mod-prune").dir(dir.path()).run().says(2, &["no database", "--db"]);
    tool("mod-prune").args(["--db", "sqlite:none.db"]).dir(dir.path()).run().says(2, &["none.db", "--init"]);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

/// A clock that is ahead: nothing goes that would not go by the samples' own time.
#[test]
fn a_wrong_clock_destroys_nothing() {
    let mut store = Store::new();
    store.fill(-40 * DAY_S, -20 * DAY_S, 6 * HOUR_S, 2);
    let before = store.number("SELECT count(*) FROM modulation_new");
    // The newest sample is older than all that is to be kept.
    store.prune(&[]).says(2, &["--force", "clock"]);
    assert_eq!(store.number("SELECT count(*) FROM modulation_new"), before);
    // Between: age is judged by the newest sample.
    store.prune(&["--keep-days", "22"]).clean(0);
    let newest = store.number("SELECT max(timestamp) FROM modulation_new");
    assert!(store.oldest("modulation_new", "timestamp") <= newest - 19 * DAY_S);
    store.prune(&["--force"]).clean(0);
    assert_eq!(store.number("SELECT count(*) FROM modulation_new"), 0);
}

/// An hour and a year, forward and back.
#[test]
fn a_clock_that_jumps_destroys_nothing() {
    let (mut store, clock) = (Store::new(), Jumping::new());
    store.fill(-12 * DAY_S, 0, HOUR_S, 2);
    let all = store.number("SELECT count(*) FROM modulation_new");
    let pruned_at = |ahead: i64, store: &Store| {
        clock.set(ahead);
        clock.on(store.tool()).run()
    };
    pruned_at(YEAR_S, &store).says(2, &["--force", "clock"]);
    pruned_at(-YEAR_S, &store).says(3, &["ahead"]);
    assert_eq!(store.number("SELECT count(*) FROM modulation_new"), all);
    store.fill(YEAR_S, YEAR_S + 1, 1, 2);
    // By an hour, the samples of an hour go sooner or later.
    for ahead in [-HOUR_S, HOUR_S] {
        pruned_at(ahead, &store).says(3, &["2 rows", "ahead"]);
        let oldest = store.oldest("modulation_new", "timestamp");
        let limit = store.now + ahead - 8 * DAY_S;
        assert!((limit..limit + 2 * HOUR_S).contains(&oldest), "{ahead}: {oldest}, {limit}");
    }
}

#[test]
fn the_status_tells_what_is_kept_and_when_it_ran() {
    let mut store = Store::new();
    store.fill(-2 * DAY_S, 0, HOUR_S, 1);
    let status = |env: &[(&str, &str)], flags: &[&str]| {
        let tool = store.tool().args(["--status", "--keep-days", "5"]).args(flags);
        env.iter().fold(tool, |tool, (name, value)| tool.env(name, value)).run()
    };
    let before = status(&[("ENABLE_AUTO_CLEANUP", "false")], &[]).clean(0);
    let records = before.records();
    let retention = &record(&records, "modulation_new")["retention"];
    assert_eq!(
        (retention["keep_days"].as_u64(), &retention["last_run"]),
        (Some(5), &serde_json::Value::Null)
    );
    assert_eq!(retention["off"][0], "ENABLE_AUTO_CLEANUP");
    store.prune(&[]).clean(0);
    let after = status(&[], &[]).clean(0);
    let records = after.records();
    let last = &record(&records, "modulation_new")["retention"]["last_run"];
    let last: Timestamp = last.as_str().unwrap().parse().unwrap();
    assert!((store.now..store.now + HOUR_S).contains(&last.0));
    let line = status(&[], &["--nagios"]).clean(0).stdout;
    assert!(
        line.starts_with("MOD-PRUNE OK - ") && line.contains(" | ") && line.lines().count() == 1,
        "{line}"
    );
    store.connection.execute("UPDATE modulation_new SET timestamp = timestamp - 3000000", []).unwrap();
    let line = status(&[], &["--nagios"]).clean(1).stdout;
    assert!(line.starts_with("MOD-PRUNE WARNING - "), "{line}");
    let away = tool("mod-prune").args(["--status", "--nagios", "--db", "mysql://u@127.0.0.1:1/x"]);
    let line = away.env("ACCESS_PASSWORD", "x").run().clean(2).stdout;
    assert!(line.starts_with("MOD-PRUNE CRITICAL - "), "{line}");
}

#[test]
fn devices_that_are_gone_are_forgotten() {
    let store = Store::new();
    for (cmts, age) in [("OLD1", 3 * DAY_S), ("OLD2", 2 * DAY_S), ("OLD3", HOUR_S), ("NEW", 9 * DAY_S)] {
        let device = "INSERT INTO modulation_device VALUES (?1, 'casa', ?2, ?2, 'ok')";
        store.connection.execute(device, params![cmts, store.now - age]).unwrap();
        let channel =
            "INSERT INTO modulation_channel (cmts, upstream, first_seen, last_seen) VALUES (?1, 'u', 1, 2)";
        store.connection.execute(channel, params![cmts]).unwrap();
    }
    let shown = store.prune(&["--forget", "old*", "--dry-run"]).says(3, &["OLD3", "not gone"]);
    assert!(shown.stdout.contains("'OLD1', 'OLD2'"), "{}", shown.stdout);
    assert_eq!(store.number("SELECT count(*) FROM modulation_device"), 4);
    let run = store.prune(&["--forget", "old*"]).says(3, &["OLD3"]);
    assert_eq!(
        (run.records()[0]["rows"].as_u64(), run.records()[0]["by"].as_str()),
        (Some(2), Some("forget"))
    );
    let left = "SELECT count(*) FROM modulation_device d JOIN modulation_channel c USING (cmts) \
                WHERE cmts IN ('OLD3', 'NEW')";
    assert_eq!((store.number(left), store.number("SELECT count(*) FROM modulation_device")), (2, 2));
}
