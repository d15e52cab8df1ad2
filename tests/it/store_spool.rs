//! mod-store with a spool: what the database cannot take is kept, acknowledged, and stored once later.

use std::{fs, net::TcpListener, path::Path};

use tempfile::TempDir;

use crate::{
    mariadb::{MariaDb, OLD, variable},
    store::{END, LATER, NOON, counts, sample, scan, two_scans},
    support::{Run, tool},
};

/// A directory for a spool.
struct Spool(TempDir);

impl Spool {
    fn new() -> Self {
        Spool(TempDir::new().unwrap())
    }

    fn flags(&self) -> [&str; 2] {
        ["--spool", self.0.path().to_str().unwrap()]
    }

    fn files(&self) -> Vec<String> {
        let names =
            fs::read_dir(self.0.path()).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "lock").collect()
    }

    fn store(&self, db: &MariaDb, input: &str) -> Run {
        db.store(&[&self.flags()[..], &["--tee"]].concat(), input)
    }

    /// Runs with a database that is not there.
    fn store_away(&self, db: &MariaDb, flags: &[&str], input: &str) -> Run {
        db.tool(&away(db)).args(self.flags()).args(flags).stdin(input).run()
    }
}

/// The URL of the database on a port where nothing listens.
fn away(db: &MariaDb) -> String {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    format!("mysql://{}@{closed}/{}", variable("MODTOOLS_TEST_MYSQL_USER"), db.name)
}

/// The sum of what the receipts call spooled.
fn spooled(run: &Run) -> u64 {
    run.records().iter().filter_map(|record| record["spooled"].as_u64()).sum()
}

#[test]
fn what_an_absent_database_misses_is_acknowledged_and_stored_by_the_next_run() {
    for mut db in [MariaDb::initialised(), MariaDb::old(OLD)] {
        db.store(&["--init"], "").clean(0);
        let spool = Spool::new();
        let run = spool.store_away(&db, &["--tee"], &two_scans());
        let run =
            run.says(3, &["no connection", "go to the spool", "2 groups with 4 samples", "the next run"]);
        assert_eq!((counts(&run), spooled(&run)), ([4, 0, 0, 0], 4));
        let lines: Vec<_> = run.stdout.lines().filter(|line| !line.contains("\"stored\"")).collect();
        assert_eq!(lines.join("\n") + "\n", two_scans(), "what is spooled is acknowledged");
        assert_eq!(db.samples(), 0);
        // Nothing new has to come for it; and the OFDMA sample is left out only by the table that it is not for.
        spool.store(&db, "").clean(0);
        let expected = db.number(
            "SELECT COUNT(*) = 4 OR EXISTS (SELECT 1 FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name = 'modulation_new' AND column_name = 'id') \
             AND COUNT(*) = 3 FROM modulation_new",
        );
        assert_eq!((expected, spool.files()), (1, Vec::new()));
        assert_eq!(db.number("SELECT COUNT(*) FROM modulation_scan WHERE status IS NOT NULL"), 2);
        // It was a replay of nothing; now it is one of everything.
        let rows = db.samples();
        spool.store_away(&db, &[], &two_scans());
        spool.store(&db, &two_scans()).clean(0);
        assert_eq!(db.samples(), rows);
    }
}

#[test]
fn a_spooled_group_is_not_doubled_where_nothing_marks_a_replay() {
    // An account that may not create: no modulation_scan tells what is there.
    let mut db = MariaDb::old(OLD);
    let url = db.account("SELECT, INSERT");
    let spool = Spool::new();
    spool.store_away(&db, &[], &two_scans());
    let copy = TempDir::new().unwrap();
    for file in spool.files() {
        fs::copy(spool.0.path().join(&file), copy.path().join(&file)).unwrap();
    }
    let run = |dir: &Path| db.tool(&url).arg("--spool", dir).run();
    run(spool.0.path()).says(0, &["not kept"]);
    // As if it had been killed between the commit and the removal of the file.
    run(copy.path()).says(0, &["not kept"]);
    assert_eq!(db.samples(), 3);
}

#[test]
fn an_exhausted_id_loses_nothing_and_the_cure_stores_all() {
    let mut db = MariaDb::old(OLD);
    db.store(&["--init"], "").clean(0);
    db.run("ALTER TABLE modulation_new AUTO_INCREMENT = 4294967294");
    let input: String = (0..3)
        .map(|n| {
            sample(NOON, &format!("C{n}"), "u1", "QPSK", "")
                + &sample(NOON, &format!("C{n}"), "u2", "QPSK", "")
        })
        .collect();
    let input = input + END;
    let spool = Spool::new();
    let run = spool.store(&db, &input).says(3, &["BIGINT UNSIGNED", "wait in the spool"]);
    let [sent, stored, ..] = counts(&run);
    assert_eq!((sent, stored + spooled(&run)), (6, 6));
    assert_eq!(db.samples() as u64, stored, "what is called stored is stored");
    // As long as it is not cured it stays, and stays loud.
    spool.store(&db, "").says(3, &["BIGINT UNSIGNED"]);
    db.run("ALTER TABLE modulation_new MODIFY id BIGINT UNSIGNED AUTO_INCREMENT");
    spool.store(&db, "").clean(0);
    assert_eq!((db.samples(), spool.files().len()), (6, 0));
}

#[test]
fn a_missing_partition_loses_nothing_and_the_cure_stores_all() {
    let mut db = MariaDb::initialised();
    db.run("ALTER TABLE modulation_new REMOVE PARTITIONING");
    db.run(
        "ALTER TABLE modulation_new PARTITION BY RANGE (UNIX_TIMESTAMP(timestamp)) \
         (PARTITION p20000101 VALUES LESS THAN (946771200))",
    );
    let url = db.account("SELECT, INSERT, UPDATE");
    let spool = Spool::new();
    let input = sample("1999-05-01T00:00:00Z", "A", "u", "QPSK", "") + &two_scans();
    let run = db.tool(&url).args(spool.flags()).arg("--tee", "--quiet").stdin(input).run();
    assert_eq!((run.code, counts(&run), spooled(&run)), (Some(3), [5, 1, 0, 0], 4), "{}", run.stderr);
    // An account that may make partitions cures it.
    spool.store(&db, "").clean(0);
    assert_eq!((db.samples(), spool.files().len()), (5, 0));
}

#[test]
fn what_is_refused_does_not_hold_up_the_rest() {
    let mut db = MariaDb::initialised();
    db.run("ALTER TABLE modulation_new ADD CONSTRAINT no_b CHECK (cmts <> 'B')");
    let group = |cmts: &str| sample(NOON, cmts, "u", "QPSK", "") + &scan(NOON, cmts, "ok", 1);
    let spool = Spool::new();
    let input = group("A") + &group("B") + &group("C") + END;
    let run = spool.store(&db, &input).says(3, &["no_b", "refused", "1 groups with 1 samples"]);
    assert_eq!((counts(&run), spooled(&run), db.samples()), ([3, 2, 0, 0], 1, 2));
    // Nor in the spool itself.
    spool.store_away(&db, &[], &(group("D") + END));
    spool.store(&db, END).says(3, &["no_b"]);
    assert_eq!((db.samples(), spool.files().len()), (3, 1));
    db.run("ALTER TABLE modulation_new DROP CONSTRAINT no_b");
    spool.store(&db, "").clean(0);
    assert_eq!((db.samples(), spool.files().len()), (4, 0));
}

#[test]
fn a_full_spool_ends_the_run_and_keeps_what_it_acknowledged() {
    let mut db = MariaDb::initialised();
    let spool = Spool::new();
    let input: String =
        (0..5000).map(|n| sample(NOON, &format!("C{n:04}"), "u", "QPSK", "")).collect::<String>() + END;
    let run = spool.store_away(&db, &["--tee", "--spool-size", "200k"], &input);
    let run = run.says(1, &["the spool is full", "--spool-size"]);
    let acknowledged = run.records().iter().filter(|record| record["type"] == "stored").count();
    assert!((1..5000).contains(&acknowledged), "{acknowledged}");
    spool.store(&db, "").clean(0);
    assert_eq!(db.samples() as usize, acknowledged);
}

#[test]
fn what_waited_too_long_is_given_up_with_a_word() {
    let db = MariaDb::initialised();
    let spool = Spool::new();
    for day in 1..=5 {
        let known = spool.files();
        spool.store_away(&db, &[], &two_scans());
        for file in spool.files().iter().filter(|file| !known.contains(file)) {
            let older = format!("2020010{day}T000000Z{}", &file[16..]);
            fs::rename(spool.0.path().join(file), spool.0.path().join(older)).unwrap();
        }
    }
    // A step counts for a quarter of the age at most, so four of them are not enough.
    let more = sample(LATER, "A", "u", "QPSK", "");
    let run = spool.store_away(&db, &["--spool-age", "2d"], &more);
    run.says(3, &["given up", "2d", "4 samples", "since 2020-01-01", "9 groups with 17 samples"]);
}

#[test]
fn a_damaged_file_is_set_aside_and_the_rest_is_stored() {
    let mut db = MariaDb::initialised();
    let spool = Spool::new();
    spool.store_away(&db, &[], &two_scans());
    let damaged = format!("{}-000000-1-1g-1s", &spool.files()[0][..16]);
    fs::write(spool.0.path().join(format!("{damaged}.ndjson")), "{\"v\":1,\"type\":\"sam").unwrap();
    spool.store(&db, "").says(0, &["damaged", "line 1"]);
    assert_eq!((db.samples(), spool.files()), (4, vec![damaged + ".damaged"]));
}

#[test]
fn several_may_share_a_spool_and_everything_is_stored_once() {
    let mut db = MariaDb::old(OLD);
    db.store(&["--init"], "").clean(0);
    let spool = Spool::new();
    for n in 0..20 {
        spool.store_away(&db, &[], &sample(NOON, &format!("C{n}"), "u", "QPSK", ""));
    }
    std::thread::scope(|scope| {
        for run in [(); 3].map(|()| scope.spawn(|| spool.store(&db, ""))) {
            // One that finds another at it leaves it to that one.
            assert!(matches!(run.join().unwrap().code, Some(0 | 3)));
        }
    });
    assert_eq!((db.samples(), spool.files().len()), (20, 0));
}

#[test]
fn a_spool_serves_a_file_too_and_check_says_what_waits() {
    let spool = Spool::new();
    let db = MariaDb::new();
    spool.store_away(&db, &[], &two_scans());
    let dir = TempDir::new().unwrap();
    let sqlite = |flags: &[&str]| {
        tool("mod-store").args(["--db", "sqlite:m.db"]).args(spool.flags()).args(flags).dir(dir.path()).run()
    };
    let run = sqlite(&["--check"]);
    assert!(run.stdout.contains("2 groups with 4 samples"), "{}", run.stdout);
    sqlite(&["--init"]).clean(0);
    let run = sqlite(&["--check"]).clean(0);
    assert!(run.stdout.contains("nothing waits") && run.stdout.contains(LATER), "{}", run.stdout);
    // A wrong setting does not make a database unreachable.
    let wrong =
        db.tool(&db.url()).env("ACCESS_PASSWORD", "wrong").args(spool.flags()).stdin(two_scans()).run();
    wrong.says(1, &["Access denied"]);
    assert_eq!(spool.files().len(), 0);
}
