//! mod-store --init --migrate: the older table becomes the keyed one, and nothing is lost on the way.

use std::process::Stdio;

use tempfile::TempDir;

use crate::{
    mariadb::{MariaDb, OLD},
    store::{END, NOON, counts, sample, two_scans},
    support::{DEADLINE, until, wait},
};

/// Rows of upstreams u0…, ten minutes apart, and whatever else is asked for.
fn filled(rows: u64, create: &str) -> MariaDb {
    let mut db = MariaDb::old(create);
    db.run(&format!(
        "INSERT INTO modulation_new (cmts, upstream, modulation, timestamp) \
         SELECT CONCAT('CCAP', LPAD(seq % 7, 3, '0')), CONCAT('u', seq % 100), \
           ELT(1 + seq % 3, 'QPSK', 'QAM16', 'QAM64'), \
           FROM_UNIXTIME(1777636800 + 600 * (seq DIV 700)) FROM seq_0_to_{}",
        rows - 1
    ));
    db
}

fn migrate(db: &MariaDb, flags: &[&str]) -> crate::support::Run {
    db.store(&[&["--init", "--migrate"], flags].concat(), "")
}

/// All that a table says, as one number.
fn digest(db: &mut MariaDb, table: &str) -> String {
    let sql = format!(
        "SELECT CONCAT(COUNT(*), ' ', COALESCE(SUM(CRC32(CONCAT_WS('|', timestamp, cmts, upstream, modulation))), 0)) \
         FROM {table}"
    );
    db.texts(&sql).remove(0)
}

#[test]
fn the_older_table_becomes_the_keyed_one_and_stays_beside_it() {
    let mut db = filled(25_000, OLD);
    let before = digest(&mut db, "modulation_new");
    let run = migrate(&db, &["-v"]).says(0, &["25000 rows moved", "0 were there twice"]);
    assert_eq!(run.stdout, "");
    assert_eq!(
        (digest(&mut db, "modulation_new"), digest(&mut db, "modulation_old")),
        (before.clone(), before)
    );
    let check = db.store(&["--check"], "").clean(0);
    assert!(check.stdout.contains("keyed") && check.stdout.contains("partitioned"), "{}", check.stdout);
    assert_eq!(db.texts("SHOW TABLES LIKE 'modulation_migration'"), [""; 0]);
    // It goes on as ever, and once more there is nothing to do.
    assert_eq!(counts(&db.store(&["--tee", "--init", "--migrate"], two_scans()).clean(0)), [4, 4, 0, 0]);
    assert_eq!(db.samples(), 25_004);
}

#[test]
fn a_dry_run_shows_the_way_and_changes_nothing() {
    let mut db = filled(1_000, OLD);
    let tables = db.texts("SHOW TABLES");
    let run = migrate(&db, &["--dry-run"]).clean(0);
    for word in [
        "-- modulation_new: about",
        "`id` up to 1000",
        "CREATE TABLE",
        "10000 in a transaction",
        "RENAME TABLE",
    ] {
        assert!(run.stdout.contains(word), "{word}: {}", run.stdout);
    }
    assert_eq!((db.texts("SHOW TABLES"), db.samples()), (tables, 1_000));
    let keyed = MariaDb::initialised();
    assert!(migrate(&keyed, &["--dry-run"]).clean(0).stdout.contains("nothing to migrate"));
}

#[test]
fn rows_that_are_there_twice_or_do_not_fit_are_counted_and_kept_in_the_old_table() {
    let mut db = filled(700, OLD);
    db.run("INSERT INTO modulation_new (cmts, upstream, modulation, timestamp) SELECT cmts, upstream, 'QPSK', timestamp FROM modulation_new LIMIT 5");
    for (cmts, upstream, modulation, time) in [
        ("NULL", "'u'", "'QPSK'", "'2026-05-01'"),
        ("'C'", "'u'", "NULL", "'2026-05-01'"),
        ("'C'", "'u'", "'QPSK'", "NULL"),
        ("'C'", "' u'", "'QPSK'", "'2026-05-01'"),
        ("'C'", "'u'", "'QPSK'", "'2036-05-01'"),
        ("'C'", "'u'", "'of old'", "'2026-05-01'"),
    ] {
        db.run(&format!(
            "INSERT INTO modulation_new (cmts, upstream, modulation, timestamp) VALUES ({cmts}, {upstream}, {modulation}, {time})"
        ));
    }
    let run = migrate(&db, &["-v"]).says(3, &["701 rows moved", "5 were there twice", "5 rows do not fit"]);
    assert!(run.stderr.contains("modulation_old"), "{}", run.stderr);
    assert_eq!((db.samples(), db.number("SELECT COUNT(*) FROM modulation_old")), (701, 711));
}

#[test]
fn local_times_become_instants() {
    let mut db = MariaDb::old(&OLD.replace("TIMESTAMP NULL", "DATETIME"));
    db.run("INSERT INTO modulation_new (cmts, upstream, modulation, timestamp) VALUES ('C', 'u', 'QPSK', '2026-05-01 14:00:00')");
    let run = db.tool(&db.url()).args(["--init", "--migrate"]).env("MODTOOLS_TZ", "Europe/Amsterdam").run();
    run.clean(0);
    assert_eq!(db.texts("SELECT CAST(timestamp AS CHAR) FROM modulation_new"), ["2026-05-01 12:00:00"]);
}

#[test]
fn one_that_was_killed_is_taken_up_again_while_others_read_and_write() {
    let mut db = filled(120_000, OLD);
    let dir = TempDir::new().unwrap();
    for _ in 0..2 {
        let mut command = db.tool(&db.url()).args(["--init", "--migrate"]).command(dir.path());
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = db.texts("SHOW TABLES LIKE 'modulation_migration'").len();
        until("some progress", || {
            let progress = "SELECT COUNT(*) FROM information_schema.tables \
                            WHERE table_schema = DATABASE() AND table_name = 'modulation_new_keyed'";
            begun > 0 || db.number(progress) == 1 || child.try_wait().unwrap().is_some()
        });
        child.kill().unwrap();
        wait(&mut child, DEADLINE);
        // The table that everybody knows is whole all the while, and takes more.
        let rows = db.number("SELECT COUNT(*) FROM modulation_new");
        assert!(rows >= 120_000, "{rows}");
        db.run("INSERT INTO modulation_new (cmts, upstream, modulation, timestamp) VALUES ('late', UUID(), 'QPSK', '2026-05-01')");
        // The server may not have noticed yet that the other end is gone.
        until("the end of the killed one's transaction", || {
            db.number("SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()") == 0
        });
    }
    migrate(&db, &[]).clean(0);
    assert_eq!(db.samples(), 120_002);
}

#[test]
fn two_at_once_are_one() {
    let mut db = filled(60_000, OLD);
    let codes = std::thread::scope(|scope| {
        let both = [(); 2].map(|()| scope.spawn(|| migrate(&db, &[])));
        both.map(|run| run.join().unwrap()).map(|run| (run.code, run.stderr))
    });
    // One of them may come so late that it finds nothing to do.
    assert!(codes.iter().any(|(code, _)| *code == Some(0)), "{codes:?}");
    for (code, stderr) in &codes {
        let locked = *code == Some(4) && stderr.contains("another mod-store --migrate");
        assert!(locked || *code == Some(0), "{codes:?}");
    }
    assert_eq!(db.samples(), 60_000);
}

#[test]
fn a_mod_store_that_runs_meanwhile_loses_nothing() {
    let mut db = filled(1_000, OLD);
    db.store(&["--init"], "").clean(0);
    let spool = TempDir::new().unwrap();
    let mut command = db.tool(&db.url()).args(["--tee"]).arg("--spool", spool.path()).command(spool.path());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut write = |text: &str| std::io::Write::write_all(&mut stdin, text.as_bytes()).unwrap();
    let group = |n: u32| sample(NOON, &format!("M{n}"), "u", "QPSK", "") + "{\"type\":\"mark\"}\n";
    write(&(group(1) + &group(2)));
    until("the first group", || db.number("SELECT COUNT(*) FROM modulation_new WHERE cmts = 'M1'") == 1);
    migrate(&db, &[]).clean(0);
    // In the new shape this is a row that is there: an older insert cannot say so.
    db.run("INSERT INTO modulation_new VALUES ('2026-05-01 12:00:00', 'M3', 'u', 'QPSK')");
    write(&(group(3) + &group(4) + END));
    drop(stdin);
    wait(&mut child, DEADLINE);
    db.tool(&db.url()).arg("--spool", spool.path()).run().clean(0);
    assert_eq!(db.number("SELECT COUNT(*) FROM modulation_new WHERE cmts LIKE 'M%'"), 4);
}

#[test]
fn what_is_in_the_way_is_left_alone() {
    let mut db = filled(10, OLD);
    db.run("CREATE TABLE modulation_old (mine INT)");
    migrate(&db, &[]).says(1, &["modulation_old is in the way"]);
    let db = MariaDb::old(
        "CREATE TABLE modulation_new (cmts VARCHAR(64), upstream VARCHAR(64), modulation VARCHAR(16), timestamp TIMESTAMP NULL)",
    );
    migrate(&db, &[]).says(1, &["no id"]);
    migrate(&MariaDb::new(), &[]).clean(0);
}
