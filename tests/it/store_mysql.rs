//! mod-store on MariaDB: the keyed table and its partitions, hosts, TLS, and faults that must be loud.

use std::{io::Write, net::TcpListener, process::Stdio};

use mysql::prelude::Queryable;
use tempfile::TempDir;

use crate::{
    mariadb::{MariaDb, OLD, variable},
    store::{END, LATER, NOON, contents, counts, sample, scan, two_scans},
    support::{DEADLINE, drain, tool, until, wait},
};

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
    until("the waiting statement", || db.number(waiting) == 1);
    db.run("COMMIT");
    assert_eq!(counts(&run.join().unwrap().clean(0)), [1, 0, 1, 0]);
}

#[test]
fn a_connection_that_was_lost_between_two_scans_is_made_again() {
    let mut db = MariaDb::initialised();
    let group = |ts: &str| sample(ts, "A", "u", "QPSK", "") + &scan(ts, "A", "ok", 1);
    let dir = TempDir::new().unwrap();
    let mut command = db.tool(&db.url()).args(["--tee"]).command(dir.path());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(group(NOON).as_bytes()).unwrap();
    until("the first group", || db.samples() == 1);
    let others = "SELECT CAST(id AS CHAR) FROM information_schema.processlist \
                  WHERE db = DATABASE() AND id <> CONNECTION_ID()";
    for id in db.texts(others) {
        db.run(&format!("KILL {id}"));
    }
    stdin.write_all((group(LATER) + END).as_bytes()).unwrap();
    drop(stdin);
    let (stdout, stderr) = (drain(child.stdout.take().unwrap()), drain(child.stderr.take().unwrap()));
    assert_eq!(wait(&mut child, DEADLINE).code(), Some(0));
    assert_eq!((stderr.join().unwrap().as_str(), stdout.join().unwrap().lines().count()), ("", 7));
    assert_eq!(db.samples(), 2);
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

#[test]
fn a_failure_ends_the_run_at_once_though_the_input_goes_on() {
    let mut db = MariaDb::initialised();
    db.run("ALTER TABLE modulation_new ADD CONSTRAINT no_b CHECK (cmts <> 'B')");
    let dir = TempDir::new().unwrap();
    let mut command = db.tool(&db.url()).command(dir.path());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all((sample(NOON, "B", "u", "QPSK", "") + &scan(NOON, "B", "ok", 1)).as_bytes()).unwrap();
    let stderr = drain(child.stderr.take().unwrap());
    assert_eq!(wait(&mut child, DEADLINE).code(), Some(1), "its input is open");
    assert!(stderr.join().unwrap().contains("no_b"));
    drop(stdin);
}

#[test]
fn what_piles_up_is_stored_whole_whatever_is_in_the_way() {
    let mut db = MariaDb::initialised();
    let input: String = (0..40)
        .map(|n| {
            let cmts = format!("C{n:02}");
            let samples: String =
                (0..250).map(|u| sample(NOON, &cmts, &format!("u{u}"), "QAM64", r#","profile":1"#)).collect();
            samples + &scan(NOON, &cmts, "ok", 250)
        })
        .collect::<String>()
        + END;
    // One connection or two: the same rows, and the same counts.
    let pool = |size: &str, expected: [u64; 4]| {
        let tool = db.tool(&db.url()).args(["--tee"]).env("ACCESS_POOL_SIZE", size);
        assert_eq!(counts(&tool.stdin(input.as_str()).run().clean(0)), expected);
    };
    pool("10", [10_000, 10_000, 0, 0]);
    pool("1", [10_000, 0, 10_000, 0]);
    // Some of the rows are there, some are not.
    db.run("DELETE FROM modulation_new WHERE upstream = 'u7' OR cmts = 'C05'");
    let run = db.store(&["--tee"], input.as_str()).clean(0);
    assert_eq!(counts(&run), [10_000, 289, 9_711, 0]);
    // One group is refused: the others are stored, and nothing but that one is missing.
    db.run("DELETE FROM modulation_new");
    db.run("ALTER TABLE modulation_new ADD CONSTRAINT no_c CHECK (cmts <> 'C20')");
    let dir = TempDir::new().unwrap();
    let tool = db.tool(&db.url()).args(["--tee"]).arg("--spool", dir.path());
    tool.stdin(input.as_str()).run().says(3, &["no_c", "1 groups with 250 samples"]);
    assert_eq!(db.samples(), 9_750);
}
