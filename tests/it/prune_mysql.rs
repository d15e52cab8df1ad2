//! mod-prune on MariaDB: partitions, chunks, an older table with its id, and the lock.

use modtools::{clock::Clock, record::Timestamp};
use mysql::prelude::Queryable;

use crate::{
    mariadb::{MariaDb, OLD, variable},
    report_days::rows,
    store::{END, sample, scan},
    support::{Run, Tool, tool, until},
};

const DAY_S: i64 = 86_400;

/// Samples of the past days, one scan each six hours, and what else the tables have.
fn fill(db: &MariaDb, days: i64) {
    let now = Clock::System.now();
    let mut input = String::new();
    for at in 0..days * 4 {
        let ts = (now + (-days * DAY_S + 60 + at * DAY_S / 4)).to_string();
        for upstream in ["1/1.0/0", "1/1.1/0"] {
            let modulation = if at % 5 == 0 { "QPSK" } else { "QAM64" };
            input += &sample(&ts, "CCAP101", upstream, modulation, r#","profile":364,"snr_db":30.5"#);
        }
        input += &scan(&ts, "CCAP101", "ok", 2);
    }
    input += END;
    db.store(&["--init"], input).clean(0);
}

fn prune_tool(db: &MariaDb) -> Tool {
    tool("mod-prune")
        .args(["--db", &db.url()])
        .env("ACCESS_PASSWORD", variable("MODTOOLS_TEST_MYSQL_PASSWORD"))
        .env("MODTOOLS_TZ", "Europe/Amsterdam")
}

fn prune(db: &MariaDb, flags: &[&str]) -> Run {
    prune_tool(db).args(flags).run()
}

fn report(db: &MariaDb, days_ago: i64) -> Vec<String> {
    let date = Clock::System.now() + -days_ago * DAY_S;
    let flags = ["--db", &db.url(), "--date", &date.to_string()[..10], "--format", "ndjson"];
    let report = tool("mod-report").args(flags).env("MODTOOLS_TZ", "Europe/Amsterdam");
    let report = report.env("ACCESS_PASSWORD", variable("MODTOOLS_TEST_MYSQL_PASSWORD")).run().clean(0);
    rows(&report.stdout)
}

#[track_caller]
fn record<'a>(records: &'a [serde_json::Value], table: &str) -> &'a serde_json::Value {
    records.iter().find(|record| record["table"] == table).unwrap()
}

impl MariaDb {
    fn partitions(&mut self, table: &str) -> Vec<String> {
        self.texts(&format!(
            "SELECT partition_name FROM information_schema.partitions WHERE table_schema = DATABASE() \
             AND table_name = '{table}' AND partition_name IS NOT NULL ORDER BY partition_ordinal_position"
        ))
    }

    fn oldest(&mut self) -> Timestamp {
        Timestamp(self.number("SELECT CAST(UNIX_TIMESTAMP(MIN(timestamp)) AS SIGNED) FROM modulation_new"))
    }
}

#[test]
fn whole_partitions_go_and_none_with_a_row_that_is_kept() {
    let mut db = MariaDb::initialised();
    fill(&db, 12);
    let before = report(&db, 10);
    db.run("DELETE FROM modulation_day");
    let (all, partitions) = (db.samples(), db.partitions("modulation_new"));
    let keep = Clock::System.now() + -4 * DAY_S;
    let kept =
        format!("SELECT COUNT(*) FROM modulation_new WHERE timestamp >= '{}'", keep.utc().format("%F %T"));
    let kept = db.number(&kept);

    let shown = prune(&db, &["--keep-days", "4", "--dry-run"]).clean(0).records();
    let statement = record(&shown, "modulation_new")["statement"].as_str().unwrap().to_owned();
    assert!(statement.starts_with("ALTER TABLE modulation_new DROP PARTITION `p"), "{statement}");
    assert_eq!((db.samples(), db.partitions("modulation_new")), (all, partitions.clone()));

    let records = prune(&db, &["--keep-days", "4"]).clean(0).records();
    let samples = record(&records, "modulation_new");
    assert_eq!((samples["by"].as_str(), samples["stopped"].as_str()), (Some("partitions"), Some("done")));
    let left = db.partitions("modulation_new");
    let gone: Vec<_> = partitions.iter().filter(|name| !left.contains(name)).cloned().collect();
    assert!(!gone.is_empty() && samples["partitions"] == serde_json::json!(gone), "{samples}");
    // The partition in which the limit lies stays whole.
    assert!(db.oldest().0 <= keep.0 + DAY_S / 4 && db.oldest().0 > keep.0 - DAY_S);
    assert!(db.samples() >= kept);
    let detail =
        "SELECT COUNT(*) FROM modulation_detail WHERE timestamp < NOW() - INTERVAL 3 DAY - INTERVAL 1 HOUR";
    assert_eq!(db.number(detail), 0);
    assert_eq!(db.number("SELECT COUNT(*) FROM modulation_scan WHERE ts < NOW() - INTERVAL 4 DAY"), 0);
    assert_eq!(report(&db, 10), before, "the day is kept though its samples are gone");
}

#[test]
fn a_table_that_is_old_altogether_loses_all_but_what_comes() {
    let mut db = MariaDb::initialised();
    fill(&db, 3);
    // As if nothing had been stored for weeks: every partition there is, is old.
    for table in ["modulation_new", "modulation_detail"] {
        let old = Clock::System.now() + -10 * DAY_S;
        let midnight = old.0.div_euclid(DAY_S) * DAY_S;
        db.run(&format!("DELETE FROM {table}"));
        db.run(&format!("ALTER TABLE {table} REMOVE PARTITIONING"));
        db.run(&format!(
            "ALTER TABLE {table} PARTITION BY RANGE (UNIX_TIMESTAMP(timestamp)) \
             (PARTITION a VALUES LESS THAN ({}), PARTITION b VALUES LESS THAN ({midnight}))",
            midnight - DAY_S
        ));
    }
    db.run(&format!(
        "INSERT INTO modulation_new VALUES (FROM_UNIXTIME({}), 'A', 'u', 'QPSK')",
        Clock::System.now().0 - 20 * DAY_S
    ));
    prune(&db, &["--force"]).clean(0);
    assert_eq!(db.samples(), 0);
    assert!(db.partitions("modulation_new").iter().all(|name| name.starts_with('p')));
    fill(&db, 1);
    assert_eq!(db.samples(), 8);
}

#[test]
fn without_partitions_it_goes_chunk_by_chunk() {
    let mut db = MariaDb::initialised();
    db.run("ALTER TABLE modulation_new REMOVE PARTITIONING");
    // Partitions that are not ours to understand are none.
    db.run("ALTER TABLE modulation_detail REMOVE PARTITIONING");
    db.run(
        "ALTER TABLE modulation_detail PARTITION BY RANGE (FLOOR(UNIX_TIMESTAMP(timestamp))) \
         (PARTITION x VALUES LESS THAN (MAXVALUE))",
    );
    fill(&db, 12);
    let records = prune(&db, &["--batch", "10"]).clean(0).records();
    for (table, rows) in
        [("modulation_new", 4 * 4 * 2), ("modulation_scan", 4 * 4), ("modulation_detail", 10 * 4 * 2)]
    {
        let pruned = record(&records, table);
        assert_eq!(
            (pruned["by"].as_str(), pruned["rows"].as_u64()),
            (Some("chunks"), Some(rows)),
            "{pruned}"
        );
    }
    assert_eq!(db.samples(), 8 * 4 * 2);
    assert_eq!(db.number("SELECT COUNT(*) FROM modulation_detail"), 2 * 4 * 2);
}

#[test]
fn an_older_table_is_pruned_as_it_stands() {
    for (create, local) in [
        (OLD.to_owned(), false),
        (OLD.replace("timestamp TIMESTAMP NULL", "timestamp TIMESTAMP NULL, KEY (timestamp)"), false),
        (OLD.replace("TIMESTAMP NULL", "DATETIME"), true),
    ] {
        let mut db = MariaDb::old(&create);
        let before =
            db.texts("SELECT column_type FROM information_schema.columns WHERE table_schema = DATABASE()");
        for day in [12, 9, 7, 10, 1, 9, 30] {
            // The ids are not in the order of time: the last ones are the oldest.
            let at = if local { "NOW()" } else { "UTC_TIMESTAMP()" };
            db.run(&format!(
                "INSERT INTO modulation_new (cmts, upstream, modulation, timestamp) VALUES \
                 ('A', 'u1', 'QAM64', {at} - INTERVAL {day} DAY), ('A', 'u2', 'QPSK', {at} - INTERVAL {day} DAY)"
            ));
        }
        let run = prune_tool(&db).args(["--batch", "3"]).env("MODTOOLS_TZ", "UTC").run().clean(0);
        let samples = record(&run.records(), "modulation_new").clone();
        assert_eq!(
            (samples["rows"].as_u64(), samples["stopped"].as_str()),
            (Some(10), Some("done")),
            "{samples}"
        );
        assert_eq!(db.samples(), 4);
        let after =
            db.texts("SELECT column_type FROM information_schema.columns WHERE table_schema = DATABASE()");
        assert_eq!(after, before, "no schema is changed");
    }
}

#[test]
fn the_status_of_an_older_table_names_its_index_and_its_id() {
    let mut db = MariaDb::old(OLD);
    db.run("ALTER TABLE modulation_new AUTO_INCREMENT = 4200000000");
    for day in [5, 1] {
        db.run(&format!(
            "INSERT INTO modulation_new (cmts, upstream, modulation, timestamp) \
             VALUES ('A', 'u', 'QPSK', UTC_TIMESTAMP() - INTERVAL {day} DAY)"
        ));
    }
    let run = prune(&db, &["--status"]).clean(3);
    let records = run.records();
    let status = record(&records, "modulation_new");
    assert_eq!((status["type"].as_str(), status["health"].as_str()), (Some("status"), Some("CRITICAL")));
    assert_eq!(status["estimated"], true);
    let reasons = status["reasons"].to_string();
    for word in ["CREATE INDEX", "BIGINT UNSIGNED", "--migrate", "% of 4294967295"] {
        assert!(reasons.contains(word), "{word}: {reasons}");
    }
    let id = &status["id"];
    assert_eq!((id["limit"].as_u64(), id["next"].as_u64()), (Some(4_294_967_295), Some(4_200_000_002)));
    assert_eq!((id["per_day"].as_f64(), id["increment"].as_u64()), (Some(0.25), Some(1)));
}

#[test]
fn an_id_is_reset_only_when_that_gains_something() {
    let mut db = MariaDb::old(OLD);
    let insert = "INSERT INTO modulation_new (cmts, upstream, modulation, timestamp) \
                  VALUES ('A', 'u', 'QPSK', UTC_TIMESTAMP())";
    db.run(insert);
    prune(&db, &["--reset-id"]).says(3, &["0 ids", "not worth it", "BIGINT UNSIGNED", "--migrate"]);
    db.run("ALTER TABLE modulation_new AUTO_INCREMENT = 1000000001");
    // Up to 100 it is a percentage, and 80 of them are the default: nothing is reset at 23 %.
    for run in [prune_tool(&db).args(["-v"]).run(), prune_tool(&db).env("ID_RESET_THRESHOLD", "80").run()] {
        assert!(run.code == Some(0) && !run.stderr.contains("reset"), "{}", run.stderr);
    }
    let shown = prune_tool(&db).env("ID_RESET_THRESHOLD", "20").args(["--dry-run"]).run().clean(0);
    assert!(shown.stdout.contains("ALTER TABLE modulation_new AUTO_INCREMENT = 2"), "{}", shown.stdout);
    let off = prune_tool(&db)
        .env("ID_RESET_THRESHOLD", "20")
        .env("ENABLE_ID_RESET", "false")
        .args(["--dry-run"])
        .run();
    assert!(!off.clean(0).stdout.contains("ALTER TABLE modulation_new AUTO_INCREMENT"));
    let threshold = |from: &str| {
        prune_tool(&db).env("ENABLE_ID_RESET", "true").env("ID_RESET_THRESHOLD", from).args(["-v"]).run()
    };
    let run = threshold("2000000000");
    assert!(run.code == Some(0) && !run.stderr.contains("reset"), "{}", run.stderr);
    threshold("1000000000").says(0, &["gained 999999999 ids"]);
    db.run(insert);
    assert_eq!(db.number("SELECT CAST(MAX(id) AS SIGNED) FROM modulation_new"), 2);
    // A table of ours has no id.
    prune(&MariaDb::initialised(), &["--reset-id"]).clean(0);
}

#[test]
fn an_account_that_may_only_read_gets_its_report_and_keeps_no_day() {
    let mut db = MariaDb::initialised();
    fill(&db, 3);
    let url = db.account("SELECT");
    let report = |url: &str| {
        let tool = tool("mod-report").args(["--db", url, "--format", "ndjson"]).env("MODTOOLS_TZ", "UTC");
        let tool = tool.env("ACCESS_PASSWORD", variable("MODTOOLS_TEST_MYSQL_PASSWORD"));
        rows(&tool.run().clean(0).stdout)
    };
    let before = report(&url);
    assert_eq!((before.len(), db.number("SELECT COUNT(*) FROM modulation_day")), (2, 0));
    assert_eq!(report(&db.url()), before);
    assert!(db.number("SELECT COUNT(*) FROM modulation_day WHERE cmts <> ''") > 0);
    assert_eq!(report(&url), before);
    let pruning = tool("mod-prune").args(["--db", &url, "--keep-days", "1"]);
    let run = pruning.env("ACCESS_PASSWORD", variable("MODTOOLS_TEST_MYSQL_PASSWORD")).run();
    assert!(run.stderr.contains("denied"), "{}", run.stderr);
    assert_eq!(db.samples(), 24);
}

#[test]
fn only_one_prunes_a_database_at_a_time() {
    let (mut db, other) = (MariaDb::initialised(), MariaDb::initialised());
    db.run("DO GET_LOCK(CONCAT('modtools-prune:', SHA1(DATABASE())), 0)");
    let mine: u64 = db.connection.query_first("SELECT CONNECTION_ID()").unwrap().unwrap();
    prune(&db, &[]).says(4, &["locked", &format!("connection {mine}"), "nothing was done"]);
    prune(&other, &[]).clean(0);
}

#[test]
fn a_row_that_another_holds_is_waited_for() {
    let mut db = MariaDb::initialised();
    db.run("ALTER TABLE modulation_new REMOVE PARTITIONING");
    fill(&db, 12);
    db.run("BEGIN");
    db.run("UPDATE modulation_new SET modulation = 'QAM16' ORDER BY timestamp, cmts, upstream LIMIT 1");
    let pruning = prune_tool(&db);
    let run = std::thread::spawn(|| pruning.run());
    let waiting = "SELECT COUNT(*) FROM information_schema.processlist \
                   WHERE db = DATABASE() AND id <> CONNECTION_ID() AND info LIKE 'DELETE FROM modulation_new%'";
    until("the waiting statement", || db.number(waiting) == 1);
    db.run("COMMIT");
    run.join().unwrap().clean(0);
    assert_eq!(db.samples(), 8 * 4 * 2);
}

#[test]
fn a_large_day_is_not_counted_again_until_a_row_comes() {
    let mut db = MariaDb::initialised();
    let begin = (Clock::System.now().0 / DAY_S - 2) * DAY_S;
    let date = Timestamp(begin).to_string()[..10].to_owned();
    // A server that has its estimates made anew moves them all, and the rows are counted once more.
    db.run("ALTER TABLE modulation_new STATS_AUTO_RECALC = 0");
    let row =
        |at: &str, upstream: &str| format!("FROM_UNIXTIME({begin} + {at}), 'CCAP101', {upstream}, 'QAM64'");
    let many = row("s.seq * 600", "CONCAT('1/', u.seq, '.0/0')");
    db.run(&format!("INSERT INTO modulation_new SELECT {many} FROM seq_0_to_143 s, seq_1_to_1400 u"));
    let kept = |db: &mut MariaDb| {
        prune(db, &["--tz", "UTC"]).clean(0);
        db.number(&format!("SELECT samples FROM modulation_day WHERE day = '{date}' AND cmts = ''"))
    };
    assert_eq!(kept(&mut db), 201_600);
    db.run(&format!("UPDATE modulation_day SET samples = 201000 WHERE day = '{date}' AND cmts = ''"));
    assert_eq!(kept(&mut db), 201_000, "its rows were counted");
    db.run(&format!("INSERT INTO modulation_new SELECT {}", row("1", "'2/0.0/0'")));
    assert_eq!(kept(&mut db), 201_601, "a late row was not seen");
}
