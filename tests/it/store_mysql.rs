//! mod-store on MariaDB: the keyed table and its partitions, older tables as they stand, rights,
//! hosts, TLS, and faults that must be loud.

use std::net::TcpListener;

use modtools::{settings::Settings, stage::Context};
use mysql::{Conn, OptsBuilder, prelude::Queryable};

use crate::{
    store::{END, LATER, NOON, contents, counts, sample, scan, two_scans},
    support::{Run, Tool, tool},
};

const OLD: &str = "CREATE TABLE modulation_new (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, \
     cmts VARCHAR(64), upstream VARCHAR(64), modulation VARCHAR(16), timestamp TIMESTAMP NULL)";

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `make test`"))
}

/// A database of its own, dropped at the end.
struct MariaDb {
    connection: Conn,
    name: String,
}

impl MariaDb {
    fn new() -> Self {
        let server = variable("MODTOOLS_TEST_MYSQL");
        let (host, port) = server.rsplit_once(':').unwrap();
        let options = OptsBuilder::new()
            .ip_or_hostname(Some(host))
            .tcp_port(port.parse().unwrap())
            .user(Some(variable("MODTOOLS_TEST_MYSQL_USER")))
            .pass(Some(variable("MODTOOLS_TEST_MYSQL_PASSWORD")))
            .prefer_socket(false)
            .init(vec!["SET time_zone = '+00:00'"]);
        let mut connection = Conn::new(options).unwrap();
        let name = format!("modtools_{:016x}", fastrand::u64(..));
        connection.query_drop(format!("CREATE DATABASE {name}")).unwrap();
        connection.query_drop(format!("USE {name}")).unwrap();
        MariaDb { connection, name }
    }

    fn old(create: &str) -> Self {
        let mut db = Self::new();
        db.run(create);
        db
    }

    fn run(&mut self, sql: &str) {
        self.connection.query_drop(sql).unwrap();
    }

    fn url(&self) -> String {
        let (user, server) = (variable("MODTOOLS_TEST_MYSQL_USER"), variable("MODTOOLS_TEST_MYSQL"));
        format!("mysql://{user}@{server}/{}", self.name)
    }

    fn tool(&self, url: &str) -> Tool {
        tool("mod-store").args(["--db", url]).env("ACCESS_PASSWORD", variable("MODTOOLS_TEST_MYSQL_PASSWORD"))
    }

    fn store(&self, flags: &[&str], input: impl Into<Vec<u8>>) -> Run {
        self.tool(&self.url()).args(flags).stdin(input).run()
    }

    fn initialised() -> Self {
        let db = Self::new();
        db.store(&["--init"], "").clean(0);
        db
    }

    /// The URL of an account that has only these rights on the database.
    fn account(&mut self, rights: &str) -> String {
        let (name, password) = (self.name.clone(), variable("MODTOOLS_TEST_MYSQL_PASSWORD"));
        self.run(&format!("CREATE USER '{name}'@'%' IDENTIFIED BY '{password}'"));
        self.run(&format!("GRANT {rights} ON `{name}`.* TO '{name}'@'%'"));
        format!("mysql://{name}@{}/{name}", variable("MODTOOLS_TEST_MYSQL"))
    }

    fn number(&mut self, sql: &str) -> i64 {
        self.connection.query_first(sql).unwrap().unwrap()
    }

    fn samples(&mut self) -> i64 {
        self.number("SELECT COUNT(*) FROM modulation_new")
    }

    fn texts(&mut self, sql: &str) -> Vec<String> {
        self.connection.query(sql).unwrap()
    }

    fn context(&self, more: &[(&str, &str)]) -> Context {
        let password = variable("MODTOOLS_TEST_MYSQL_PASSWORD");
        let settings = Settings::of([("ACCESS_PASSWORD", password.as_str())].iter().chain(more).copied());
        Context { settings, ..Context::default() }
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        let name = &self.name;
        let _ = self.connection.query_drop(format!("DROP DATABASE {name}"));
        let _ = self.connection.query_drop(format!("DROP USER IF EXISTS '{name}'@'%'"));
    }
}

fn now() -> String {
    modtools::clock::Clock::System.now().to_string()
}

#[test]
fn what_is_stored_reads_back_whole_and_a_replay_changes_nothing() {
    let mut db = MariaDb::initialised();
    assert_eq!(counts(&db.store(&["--tee"], two_scans()).clean(0)), [4, 4, 0, 0]);
    let before = contents(&db.url(), &db.context(&[]));
    assert_eq!(
        before.0,
        [
            "2026-05-01T12:00:00Z CCAP101 1/1.0/0 QAM16 Some(364) Some(\"hop-history\") Some(36.5)",
            "2026-05-01T12:00:00Z CCAP101 1/1.1/0 QAM64 Some(364) Some(\"hop-history\") Some(36.5)",
            "2026-05-01T12:10:00Z CCAP101 1/1.0/0 QAM64 Some(364) Some(\"hop-history\") Some(36.5)",
            "2026-05-01T12:10:00Z CCAP101 1/1.1/0 OFDMA None None None",
        ]
    );
    assert_eq!((before.1.len(), before.2), (2, 2));
    assert_eq!(counts(&db.store(&["--tee", "--batch", "1"], two_scans()).clean(0)), [4, 0, 4, 0]);
    assert_eq!(contents(&db.url(), &db.context(&[])), before);
    let stamps = "SELECT COUNT(*) FROM lastupdatemodulation WHERE stamp >= UNIX_TIMESTAMP() - 600";
    assert_eq!(db.number(stamps), 1);
    assert_eq!(db.number("SELECT COUNT(*) FROM modulation_device WHERE last_status = 'partial'"), 1);
}

#[test]
fn the_keyed_table_is_as_the_contract_says() {
    let mut db = MariaDb::initialised();
    db.store(&["--init", "--history-index"], "").clean(0);
    let (_, sql): (String, String) =
        db.connection.query_first("SHOW CREATE TABLE modulation_new").unwrap().unwrap();
    for word in [
        "PRIMARY KEY (`timestamp`,`cmts`,`upstream`)",
        "KEY `modulation_history` (`cmts`,`upstream`,`timestamp`)",
        "COLLATE=utf8mb4_bin",
        "PARTITION BY RANGE (unix_timestamp(`timestamp`))",
    ] {
        assert!(sql.contains(word), "{word}: {sql}");
    }
    assert!(!sql.contains("ON UPDATE") && !sql.contains("AUTO_INCREMENT"), "{sql}");
    let bounds = "SELECT CAST(partition_description AS SIGNED) FROM information_schema.partitions \
                  WHERE table_schema = DATABASE() AND table_name = 'modulation_new' ORDER BY 1";
    let bounds: Vec<i64> = db.connection.query(bounds).unwrap();
    assert!(bounds.windows(2).all(|pair| pair[1] - pair[0] == 86_400), "{bounds:?}");
    assert!(bounds.iter().all(|bound| bound % 86_400 == 0));
}

#[test]
fn a_big_group_is_counted_whole() {
    let mut db = MariaDb::initialised();
    let input: String = (0..2345).map(|n| sample(NOON, "A", &format!("u{n}"), "QAM64", "")).collect();
    let input = input + &sample(NOON, "A", "u7", "QPSK", "") + &scan(NOON, "A", "ok", 2346) + END;
    assert_eq!(counts(&db.store(&["--tee"], input).clean(0)), [2346, 2345, 1, 0]);
    assert_eq!(db.samples(), 2345);
}

#[test]
fn partitions_are_made_before_they_are_needed() {
    let mut db = MariaDb::initialised();
    let end = "SELECT CAST(MAX(CAST(partition_description AS SIGNED)) AS SIGNED) FROM information_schema.partitions \
               WHERE table_schema = DATABASE() AND table_name = 'modulation_new'";
    let full = db.number(end);
    // As if nothing had been stored for days: today has no partition any more.
    let names = "SELECT partition_name FROM information_schema.partitions WHERE table_schema = DATABASE() \
                 AND table_name = 'modulation_new' ORDER BY partition_ordinal_position DESC LIMIT 6";
    for name in db.texts(names) {
        db.run(&format!("ALTER TABLE modulation_new DROP PARTITION {name}"));
        db.run(&format!("ALTER TABLE modulation_detail DROP PARTITION {name}"));
    }
    let now = now();
    let input = sample(&now, "A", "u1", "QAM64", r#","profile":1"#) + &sample(NOON, "A", "u1", "QAM64", "");
    db.store(&[], input).clean(0);
    assert_eq!(db.samples(), 2);
    assert!(db.number(end) >= full);
}

#[test]
fn samples_older_than_every_partition_are_kept() {
    let mut db = MariaDb::initialised();
    let input = sample("1990-01-01T00:00:00Z", "A", "u", "QPSK", "") + &sample(NOON, "A", "u", "QPSK", "");
    db.store(&[], input).clean(0);
    assert_eq!(db.samples(), 2);
}

#[test]
fn without_the_right_to_make_partitions_a_lacking_one_is_loud() {
    let mut db = MariaDb::initialised();
    db.run("ALTER TABLE modulation_new REMOVE PARTITIONING");
    db.run(
        "ALTER TABLE modulation_new PARTITION BY RANGE (UNIX_TIMESTAMP(timestamp)) \
            (PARTITION p20000101 VALUES LESS THAN (946771200))",
    );
    let url = db.account("SELECT, INSERT, UPDATE");
    let input = sample("1999-05-01T00:00:00Z", "A", "u", "QPSK", "") + &sample(NOON, "A", "u", "QPSK", "");
    let run = db.tool(&url).args(["--tee"]).stdin(input).run();
    run.says(
        1,
        &["modulation_new", "no partition for 2026-05-01T12:00:00Z", "ALTER", "groups stored before this: 1"],
    );
    assert_eq!(db.samples(), 1);
}

#[test]
fn an_older_table_is_filled_as_it_stands_and_a_replay_is_known() {
    let mut db = MariaDb::old(OLD);
    let before =
        db.texts("SELECT column_type FROM information_schema.columns WHERE table_schema = DATABASE()");
    let run = db.store(&["--init", "--tee"], two_scans()).clean(0);
    assert_eq!(counts(&run), [4, 3, 0, 0]);
    let left_out: u64 = run.records().iter().filter_map(|record| record["left_out"].as_u64()).sum();
    assert_eq!(left_out, 1, "OFDMA is not for its other readers");
    assert_eq!(counts(&db.store(&["--tee"], two_scans()).clean(0)), [4, 0, 3, 0]);
    let rows = db.texts(
        "SELECT CONCAT_WS(' ', timestamp, cmts, upstream, modulation) FROM modulation_new ORDER BY id",
    );
    assert_eq!(
        rows,
        [
            "2026-05-01 12:00:00 CCAP101 1/1.0/0 QAM16",
            "2026-05-01 12:00:00 CCAP101 1/1.1/0 QAM64",
            "2026-05-01 12:10:00 CCAP101 1/1.0/0 QAM64",
        ]
    );
    let columns = "SELECT column_type FROM information_schema.columns \
                   WHERE table_schema = DATABASE() AND table_name = 'modulation_new'";
    assert_eq!(db.texts(columns), before, "its schema is not touched");
    assert_eq!(contents(&db.url(), &db.context(&[])).0.len(), 3);
}

#[test]
fn store_all_means_all() {
    let mut db = MariaDb::old(OLD);
    let run = db.store(&["--init", "--store-all", "--tee"], two_scans()).clean(0);
    assert_eq!((counts(&run), db.samples()), ([4, 4, 0, 0], 4));
}

#[test]
fn a_group_that_came_in_parts_is_completed_in_an_older_table() {
    let mut db = MariaDb::old(OLD);
    let part = sample(NOON, "A", "u1", "QPSK", "");
    db.store(&["--init"], part.as_str()).clean(0);
    let whole = part + &sample(NOON, "A", "u2", "QPSK", "") + &scan(NOON, "A", "ok", 2) + END;
    assert_eq!(counts(&db.store(&["--tee"], whole.as_str()).clean(0)), [2, 1, 1, 0]);
    assert_eq!(counts(&db.store(&["--tee"], whole).clean(0)), [2, 0, 2, 0]);
    assert_eq!(db.samples(), 2);
    // The mark of the part without a scan is no scan.
    assert_eq!(contents(&db.url(), &db.context(&[])).1.len(), 1);
}

#[test]
fn datetime_is_local_time_and_the_repeated_hour_is_said_once() {
    let mut db = MariaDb::old(&OLD.replace("TIMESTAMP NULL", "DATETIME"));
    let zone = [("MODTOOLS_TZ", "Europe/Amsterdam")];
    let store = |db: &MariaDb, input: String| {
        db.tool(&db.url()).args(["--init", "--tee"]).env(zone[0].0, zone[0].1).stdin(input).run()
    };
    store(&db, two_scans()).clean(0);
    let rows = db.texts("SELECT DISTINCT CAST(timestamp AS CHAR) FROM modulation_new ORDER BY 1");
    assert_eq!(rows, ["2026-05-01 14:00:00", "2026-05-01 14:10:00"]);
    let read = contents(&db.url(), &db.context(&zone)).0;
    assert!(read.iter().all(|row| row.starts_with(NOON) || row.starts_with(LATER)), "{read:?}");
    assert_eq!(counts(&store(&db, two_scans()).clean(0)), [4, 0, 3, 0]);
    let night = ["2024-10-27T00:30:00Z", "2024-10-27T01:30:00Z"].map(|ts| sample(ts, "A", "u", "QPSK", ""));
    let run = store(&db, night.concat()).says(0, &["the clocks repeat", "DATETIME"]);
    assert_eq!(run.stderr.lines().count(), 1);
    let run = db.tool(&db.url()).env("MODTOOLS_TZ", "Mars/Olympus").stdin(two_scans()).run();
    run.says(2, &["MODTOOLS_TZ", "Mars/Olympus"]);
}

#[test]
fn narrow_columns_reject_one_by_one_and_never_cut() {
    let mut db = MariaDb::old(
        "CREATE TABLE modulation_new (id BIGINT AUTO_INCREMENT PRIMARY KEY, cmts VARCHAR(7) CHARACTER SET latin1, \
         upstream VARCHAR(20), modulation ENUM('QPSK','QAM16','QAM64'), timestamp TIMESTAMP NULL)",
    );
    let input = [
        sample(NOON, "CCAP001", "u1", "QAM64", ""),
        sample(NOON, "CCAP0010", "u1", "QAM64", ""),
        sample(NOON, "CCAP001", "a name of 21 letters.", "QAM64", ""),
        sample(NOON, "CCAP001", "u2", "QAM32", ""),
        sample(NOON, "CCAPü", "u2", "QAM64", ""),
    ];
    let words = ["8 characters, 7 fit", "21 characters, 20 fit", "no room for QAM32", "character set"];
    let run = db.store(&["--init", "--tee"], input.concat()).says(3, &words);
    assert_eq!(counts(&run), [5, 1, 0, 4]);
    assert_eq!(run.records().iter().filter(|record| record["type"] == "error").count(), 4);
    assert_eq!(
        db.texts("SELECT CONCAT_WS(' ', cmts, upstream, modulation) FROM modulation_new"),
        ["CCAP001 u1 QAM64"]
    );
}

#[test]
fn without_the_right_to_create_the_older_table_is_still_filled() {
    let mut db = MariaDb::old(OLD);
    let url = db.account("SELECT, INSERT");
    for flags in [&["--init"][..], &[]] {
        let run = db
            .tool(&url)
            .args(flags)
            .stdin(two_scans())
            .run()
            .says(0, &["modulation_scan", "not kept", "replay"]);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    }
    // Nothing tells it that the second run was a replay: that is what was said.
    assert_eq!(db.samples(), 6);
    let run = db.tool(&url).args(["--check"]).run().clean(3);
    for word in ["right CREATE", "right UPDATE", "right ALTER", "older: a surrogate id", "missing"] {
        assert!(run.stdout.contains(word), "{word}: {}", run.stdout);
    }
}

#[test]
fn an_exhausted_id_is_loud_and_stores_nothing_of_its_group() {
    let mut db = MariaDb::old(OLD);
    db.store(&["--init"], "").clean(0);
    db.run("ALTER TABLE modulation_new AUTO_INCREMENT = 4294967294");
    let input: String = (0..3).map(|n| sample(NOON, "A", &format!("u{n}"), "QPSK", "")).collect();
    let run = db.store(&["--tee"], input).says(1, &["mod-store: database mysql://"]);
    assert_eq!((run.stdout.as_str(), db.samples()), ("", 0));
    assert_eq!(db.number("SELECT COUNT(*) FROM modulation_scan"), 0, "nor is it taken for a replay later");
}

#[test]
fn a_fault_in_the_middle_acknowledges_only_what_is_committed() {
    let mut db = MariaDb::initialised();
    db.run("ALTER TABLE modulation_new ADD CONSTRAINT CHECK (cmts <> 'B')");
    let group = |cmts: &str| sample(NOON, cmts, "u", "QPSK", "") + &scan(NOON, cmts, "ok", 1);
    let input = group("A") + &group("B") + &group("C") + END;
    let run = db.store(&["--tee"], input).says(1, &["groups stored before this: 1"]);
    assert_eq!(run.records().len(), 3);
    assert!(run.records().iter().all(|record| record["cmts"] == "A"), "{}", run.stdout);
    assert_eq!((db.samples(), db.number("SELECT COUNT(*) FROM modulation_scan")), (1, 1));
}

#[test]
fn two_at_once_store_everything_once_in_both_shapes() {
    let input: String = (0..100)
        .map(|n| sample(NOON, &format!("C{n}"), "u1", "QAM64", "") + &scan(NOON, &format!("C{n}"), "ok", 1))
        .chain([END.to_owned()])
        .collect();
    for mut db in [MariaDb::new(), MariaDb::old(OLD)] {
        let runs = std::thread::scope(|scope| {
            let both =
                [(); 2].map(|()| scope.spawn(|| db.store(&["--init", "--tee"], input.as_str()).clean(0)));
            both.map(|run| counts(&run.join().unwrap()))
        });
        let sum = |field: usize| runs[0][field] + runs[1][field];
        assert_eq!((sum(0), sum(1), sum(2)), (200, 100, 100));
        assert_eq!(db.samples(), 100);
    }
}

#[test]
fn a_lock_that_another_holds_is_waited_for() {
    let mut db = MariaDb::initialised();
    db.run("BEGIN");
    db.run(&format!("INSERT INTO modulation_new VALUES ('{}', 'A', 'u1', 'QPSK')", "2026-05-01 12:00:00"));
    let store = db.tool(&db.url()).args(["--tee"]).stdin(sample(NOON, "A", "u1", "QPSK", ""));
    let run = std::thread::spawn(|| store.run());
    let waiting = "SELECT COUNT(*) FROM information_schema.processlist \
                   WHERE db = DATABASE() AND id <> CONNECTION_ID() AND info LIKE '%INSERT%'";
    crate::support::until("the waiting statement", || db.number(waiting) == 1);
    db.run("COMMIT");
    assert_eq!(counts(&run.join().unwrap().clean(0)), [1, 0, 1, 0]);
}

#[test]
fn names_that_look_like_sql_are_only_names() {
    let mut db = MariaDb::initialised();
    let names = ["'); DROP TABLE modulation_new;--", "\" OR 1=1;", "a\\'b", "üñ\u{1f600}", "a\nb"];
    let input: String = names.iter().map(|name| sample(NOON, name, name, "QAM64", "")).collect();
    db.store(&[], input).clean(0);
    let mut stored = db.texts("SELECT cmts FROM modulation_new");
    let mut expected = names.map(str::to_owned);
    stored.sort();
    expected.sort();
    assert_eq!(stored, expected);
}

#[test]
fn hosts_are_tried_in_turn_and_a_server_that_is_away_is_named() {
    let db = MariaDb::initialised();
    let (user, server) = (variable("MODTOOLS_TEST_MYSQL_USER"), variable("MODTOOLS_TEST_MYSQL"));
    // A port that was free a moment ago: nothing listens there.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("mysql://{user}@{closed},{server}/{}", db.name);
    db.tool(&url).stdin(two_scans()).run().clean(0);
    let url = format!("mysql://{user}@{closed}/{}", db.name);
    db.tool(&url).stdin(two_scans()).run().says(1, &["no connection", &closed.to_string(), "refused"]);
}

#[test]
fn a_server_that_is_silent_is_given_up() {
    // It takes the connection, and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mysql://u@{}/d", silent.local_addr().unwrap());
    let run = tool("mod-store").args(["--db", &url]).env("ACCESS_PASSWORD", "x").stdin(two_scans()).run();
    run.says(1, &["no answer within"]);
}

#[test]
fn a_wrong_password_and_a_missing_database_are_named() {
    let db = MariaDb::new();
    let run = tool("mod-store").args(["--db", &db.url()]).env("ACCESS_PASSWORD", "wrong").run();
    assert!(!run.stderr.contains("wrong\""), "{}", run.stderr);
    run.says(1, &["Access denied", "ACCESS_PASSWORD"]);
    let url = db.url() + "_not";
    db.tool(&url).run().says(1, &["Unknown database", "CREATE DATABASE"]);
    db.store(&[], two_scans()).says(1, &["no table modulation_new", "--init"]);
}

#[test]
fn access_settings_name_the_database_too() {
    let mut db = MariaDb::initialised();
    let server = variable("MODTOOLS_TEST_MYSQL");
    let (host, port) = server.rsplit_once(':').unwrap();
    let run = tool("mod-store")
        .env("ACCESS_HOST", host)
        .env("ACCESS_PORT", port)
        .env("ACCESS_DATABASE", &db.name)
        .env("ACCESS_USER", variable("MODTOOLS_TEST_MYSQL_USER"))
        .env("ACCESS_PASSWORD", variable("MODTOOLS_TEST_MYSQL_PASSWORD"))
        .stdin(two_scans())
        .run();
    run.clean(0);
    assert_eq!(db.samples(), 4);
}

#[test]
fn tls_is_required_with_the_authority_or_refused() {
    let db = MariaDb::initialised();
    let ca = db.url() + "?ssl=required&ca=" + &variable("MODTOOLS_TEST_MYSQL_CA");
    let run = db.tool(&ca).args(["--check"]).run().clean(0);
    assert!(run.stdout.contains("TLS"), "{}", run.stdout);
    let public = db.url() + "?ssl=required";
    db.tool(&public).args(["--check"]).run().says(1, &["ca=FILE"]);
}

#[test]
fn check_says_what_is_missing_and_writes_nothing() {
    let mut db = MariaDb::new();
    let run = db.store(&["--check"], "").clean(3);
    assert!(run.stdout.contains("table modulation_new"), "{}", run.stdout);
    assert_eq!(db.texts("SHOW TABLES"), [""; 0]);
    db.store(&["--init"], two_scans()).clean(0);
    let run = db.store(&["--check"], "").clean(0);
    for word in
        ["MariaDB", "encryption", "none", "partitioned until", "column timestamp", "varchar(64)", LATER]
    {
        assert!(run.stdout.contains(word), "{word}: {}", run.stdout);
    }
}

#[test]
fn a_newer_schema_and_another_programs_table_are_refused() {
    let mut db = MariaDb::initialised();
    db.run("ALTER TABLE modulation_device COMMENT = 'modtools schema 99'");
    db.store(&["--init"], two_scans()).says(1, &["99", "newer"]);
    let db = MariaDb::old("CREATE TABLE modulation_new (id INT PRIMARY KEY, song TEXT)");
    db.store(&["--init"], two_scans()).says(1, &["modulation_new cannot be used", "column"]);
}

#[test]
fn a_dry_run_writes_nothing() {
    let mut db = MariaDb::old(OLD);
    let run = db.store(&["--dry-run", "--init", "--tee"], two_scans()).clean(0);
    assert_eq!(counts(&run), [4, 0, 0, 0]);
    assert_eq!((db.samples(), db.texts("SHOW TABLES").len()), (0, 1));
}
