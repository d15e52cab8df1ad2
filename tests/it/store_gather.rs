//! Samples that MariaDB gathers for a report are those of its rows, whatever their names are.

use modtools::{
    cli,
    database::{self, Access, Detail, Stored},
    measure::Window,
};

use crate::{
    mariadb::MariaDb,
    store::{END, LATER, NOON, sample, scan},
};

/// Every sample, as mod-report reads it with more or less detail.
fn samples(db: &MariaDb, detail: Detail, settings: &[(&str, &str)]) -> Vec<String> {
    let flags = cli::Database { db: Some(db.url()) };
    let mut database = database::open(&flags, &db.context(settings), Access::Read).unwrap();
    let window = Window { from: "1990-01-01T00:00:00Z".parse().unwrap(), to: LATER.parse().unwrap() };
    let window = Window { to: window.to + 600, ..window };
    let mut samples = Vec::new();
    let mut take = |Stored { ts, cmts, upstream, modulation, snr_db, .. }: Stored<'_>| {
        let snr = snr_db.filter(|_| detail != Detail::Without);
        samples.push(format!("{ts} {cmts:?} {upstream:?} {modulation} {snr:?}"));
        Ok(())
    };
    database.samples(window, detail, &mut take).unwrap();
    samples
}

fn without_ratios(samples: &[String]) -> Vec<String> {
    samples.iter().map(|sample| format!("{} None", sample.rsplit_once(' ').unwrap().0)).collect()
}

/// They are the same by rows and gathered, with one connection and with two.
#[track_caller]
fn agree(db: &MariaDb) -> Vec<String> {
    let by_rows = samples(db, Detail::Whole, &[]);
    for settings in [&[][..], &[("ACCESS_POOL_SIZE", "1")]] {
        assert_eq!(samples(db, Detail::Snr, settings), by_rows, "{settings:?}");
        assert_eq!(samples(db, Detail::Without, settings), without_ratios(&by_rows), "{settings:?}");
    }
    by_rows
}

#[test]
fn what_the_server_gathers_is_what_its_rows_say() {
    let mut db = MariaDb::initialised();
    let mut input = String::new();
    for (ts, cmts) in [(NOON, "CCAP101"), (NOON, "CCAP102"), (LATER, "CCAP100"), (LATER, "CCAP101")] {
        for n in 0..12 {
            let upstream = format!("1/{n}\u{2007}x");
            let ratio = [r#","snr_db":36.123456789"#, "", r#","snr_db":0.1"#][n % 3];
            input += &sample(ts, cmts, &upstream, ["QAM64", "QPSK"][n % 2], ratio);
        }
        input += &scan(ts, cmts, "ok", 12);
    }
    db.store(&[], input + END).clean(0);
    let usual = agree(&db);
    assert_eq!(usual.len(), 48);
    assert!(usual[0].ends_with("QAM64 Some(36.123456789)") && usual[1].ends_with("QAM64 None"), "{usual:?}");

    // Names and words that another program may have written, the worst for the server to gather at the end.
    for (at, cmts, upstream, word) in [
        ("12:00:00", "ccap101", "1/0", "QAM32"),
        ("12:10:00", "CCAP100", "2/0", "of its own"),
        ("12:10:00", "CCAP101", r"a\tb", "QAM16"),
        ("12:10:00", "CCAP100", "3/0", r"QAM\t64"),
        ("12:00:00", "CCAP102", r"a\nb", "QAM16"),
    ] {
        let key = format!("'2026-05-01 {at}', '{cmts}', '{upstream}'");
        db.run(&format!("INSERT INTO modulation_new VALUES ({key}, '{word}')"));
        db.run(&format!(
            "INSERT INTO modulation_detail (timestamp, cmts, upstream, source, snr_db) VALUES ({key}, 'state', 7.25)"
        ));
        agree(&db);
    }
    let strange = agree(&db);
    assert_eq!(strange.len(), 53);
    assert!(strange.iter().any(|sample| sample.contains(r"a\nb")), "{strange:?}");
}
