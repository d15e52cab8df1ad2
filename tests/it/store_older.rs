//! mod-store on a modulation_new that another program made: used as it stands.

use crate::{
    mariadb::{MariaDb, OLD},
    store::{END, LATER, NOON, contents, counts, sample, scan, two_scans},
};

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
    // The mark of the part without a scan does not count as a scan.
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
    let run = db.store(&["--init", "--tee", "--store-all"], input.concat()).says(3, &words);
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
    // --init was not done, and the exit code says so.
    for (flags, code) in [(&["--init"][..], 3), (&[], 0)] {
        let run = db
            .tool(&url)
            .args(flags)
            .stdin(two_scans())
            .run()
            .says(code, &["modulation_scan", "not kept", "replay"]);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    }
    // Nothing tells it that the second run was a replay: that is what was said.
    assert_eq!(db.samples(), 6);
    let run = db.tool(&url).args(["--check"]).run().clean(3);
    for word in [
        "right CREATE",
        "right UPDATE",
        "right ALTER",
        "right DELETE",
        "right DROP",
        "CREATE INDEX modulation_time",
        "older: a surrogate id",
        "missing",
    ] {
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
fn the_table_in_all_its_moods_is_filled_read_and_left_as_it_is() {
    let moods = [
        ("id INT NOT NULL AUTO_INCREMENT PRIMARY KEY", "VARCHAR(16)", "TIMESTAMP NULL", ""),
        (
            "id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY",
            "CHAR(8)",
            "DATETIME NOT NULL",
            ", KEY (timestamp)",
        ),
        ("id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY", "ENUM('QPSK','QAM16','QAM64')", "DATETIME(3)", ""),
        (
            "nr MEDIUMINT AUTO_INCREMENT PRIMARY KEY",
            "TINYTEXT",
            "TIMESTAMP(6) NULL",
            ", KEY (cmts, timestamp)",
        ),
        (
            "id INT, x INT NOT NULL AUTO_INCREMENT PRIMARY KEY",
            "VARCHAR(5)",
            "TIMESTAMP NULL",
            ", UNIQUE (cmts, upstream, timestamp)",
        ),
    ];
    for (id, modulation, time, keys) in moods {
        let mut db = MariaDb::old(&format!(
            "CREATE TABLE modulation_new ({id}, cmts VARCHAR(20), upstream VARCHAR(30), \
             modulation {modulation}, timestamp {time}{keys}) CHARACTER SET latin1"
        ));
        let before = db.texts(
            "SELECT GROUP_CONCAT(column_type) FROM information_schema.columns \
                               WHERE table_schema = DATABASE() AND table_name = 'modulation_new'",
        );
        let zone = [("MODTOOLS_TZ", "Europe/Amsterdam")];
        let store = || {
            let tool = db.tool(&db.url()).args(["--init", "--tee"]).env(zone[0].0, zone[0].1);
            tool.stdin(two_scans()).run().clean(0)
        };
        assert_eq!(counts(&store()), [4, 3, 0, 0], "{id}");
        assert_eq!(counts(&store()), [4, 0, 3, 0], "{id}");
        let read = contents(&db.url(), &db.context(&zone)).0;
        assert_eq!(read.len(), 3, "{id}");
        assert!(read[0].starts_with("2026-05-01T12:00:00Z CCAP101 1/1.0/0 QAM16"), "{id}: {read:?}");
        let check = db.tool(&db.url()).args(["--check"]).env(zone[0].0, zone[0].1).run();
        assert!(check.stdout.contains(LATER), "{id}: {}", check.stdout);
        let after = "SELECT GROUP_CONCAT(column_type) FROM information_schema.columns \
                     WHERE table_schema = DATABASE() AND table_name = 'modulation_new'";
        assert_eq!(db.texts(after), before, "{id}");
    }
}

#[test]
fn words_that_its_other_readers_do_not_know_stay_out() {
    let mut db = MariaDb::old(OLD);
    let words = ["QPSK", "QAM8", "QAM16", "QAM32", "QAM64", "QAM128", "QAM256", "OFDMA", "UNKNOWN"];
    let samples: String = words.iter().map(|word| sample(NOON, "A", &format!("u{word}"), word, "")).collect();
    let input = samples + &scan(NOON, "A", "ok", words.len() as u64) + END;
    db.store(&["--init"], input.clone()).clean(0);
    assert_eq!(
        db.texts("SELECT DISTINCT modulation FROM modulation_new ORDER BY 1"),
        ["QAM16", "QAM64", "QPSK"]
    );
    let mut all = MariaDb::old(OLD);
    all.store(&["--init", "--store-all"], input).clean(0);
    assert_eq!(all.samples(), words.len() as i64);
}
