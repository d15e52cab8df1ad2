//! The page out of finished days: what is kept of a day draws the same page as its samples, the last days are in a
//! file of their own, and the page says of earlier days, too, what rests on the built-in profile table.

use std::{fs, path::Path};

use serde_json::Value;
use tempfile::TempDir;

use super::report_days::{Store, samples};

const DAY_S: i64 = 86_400;

/// Eleven days of samples up to noon of the sixth of May.
fn store() -> Store {
    let mut store = Store::new("2026-05-06T12:00:00Z");
    let from = store.now.0 - 11 * DAY_S;
    store.insert(&samples(from, 600, 11, 3, 7));
    store
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The data of a date, without the time that it was made; and the reasons of its rows.
fn page(store: &Store, site: &Path, date: &str) -> Value {
    store.report(&["--date", date, "--web", site.to_str().unwrap()]);
    let mut day = json(&site.join(format!("data/{date}.json")));
    for key in ["ts", "generated_at"] {
        day["report"][key].take();
    }
    day
}

#[test]
fn a_finished_day_is_drawn_from_what_was_kept_of_it() {
    let store = store();
    let [first, second, reference] = [(); 3].map(|()| TempDir::new().unwrap());
    let reckoned = page(&store, first.path(), "2026-05-04");
    assert!(reckoned["steps"]["words"].as_array().unwrap().len() > 3, "{reckoned}");
    assert!(reckoned["shares"].as_array().unwrap().len() > 3);
    // The same as of its samples alone.
    store.reference(&["--date", "2026-05-04", "--web", reference.path().to_str().unwrap()]);
    let samples = json(&reference.path().join("data/2026-05-04.json"));
    for key in ["steps", "tops", "shares", "rows"] {
        assert_eq!(reckoned[key], samples[key], "{key}");
    }
    // And when they are gone.
    store.execute("DELETE FROM modulation_new WHERE timestamp < 1777932000");
    assert_eq!(page(&store, second.path(), "2026-05-04"), reckoned);
}

#[test]
fn the_last_days_stand_in_one_file_that_follows_what_comes_late() {
    let mut store = store();
    let site = TempDir::new().unwrap();
    page(&store, site.path(), "2026-05-05");
    let history = || json(&site.path().join("data/history.json"));
    let days = |history: &Value| -> Vec<String> {
        history["days"]
            .as_array()
            .unwrap()
            .iter()
            .map(|day| day["date"].as_str().unwrap().to_owned())
            .collect()
    };
    let before = history();
    assert_eq!(days(&before).last().map(String::as_str), Some("2026-05-05"), "{before}");
    assert!(days(&before).len() >= 10, "{before}");
    let strip = |history: &Value| history["rows"][0][2][0].as_str().unwrap().to_owned();
    assert_eq!(before["rows"][0][0], "CCAP001");
    // A day without anything, until its samples come late.
    assert!(json(&site.path().join("data/index.json"))["history"] == true);
    let written = fs::read(site.path().join("data/history.json")).unwrap();
    page(&store, site.path(), "2026-05-05");
    assert_eq!(fs::read(site.path().join("data/history.json")).unwrap(), written, "nothing has changed");
    // Late samples of the second of May: QPSK in between all others, for more than a tenth of the day.
    store.execute("DELETE FROM modulation_new WHERE upstream = '1/0/0/0' AND timestamp BETWEEN 1777672800 AND 1777759199");
    let late: Vec<_> = (0..144)
        .map(|step| (1_777_672_800 + step * 600, "CCAP001".to_owned(), "1/0/0/0".to_owned(), "QAM256"))
        .collect();
    store.insert(&late);
    page(&store, site.path(), "2026-05-05");
    assert_ne!(strip(&history()), strip(&before));
    assert!(strip(&history()).contains('g'), "{}", strip(&history()));
}

#[test]
fn what_rests_on_the_built_in_table_is_said_of_old_days_too() {
    let store = store();
    // The last scans of the fifth of May, of one upstream and of another that its device explains.
    for (upstream, by) in [("1/0/0/1", "built_in"), ("1/0/0/2", "device")] {
        store.execute(&format!(
            "INSERT INTO modulation_detail SELECT timestamp, cmts, upstream, 7, 'state', NULL, '{by}' \
             FROM modulation_new WHERE upstream = '{upstream}' AND timestamp BETWEEN 1778000000 AND 1778018399"
        ));
    }
    store.execute(
        "INSERT INTO modulation_scan SELECT DISTINCT timestamp, cmts, 'casa', 'ok', NULL, 1, 1, 7, 0, 1 \
         FROM modulation_new WHERE cmts = 'CCAP001' AND timestamp BETWEEN 1778000000 AND 1778018399",
    );
    let unconfirmed = |report: &str| -> Vec<String> {
        let rows = report.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        rows.filter(|row| row["why"].to_string().contains("unconfirmed_profile"))
            .map(|row| row["upstream"].as_str().unwrap().to_owned())
            .collect()
    };
    let report = store.report(&["--date", "2026-05-05"]);
    assert_eq!(unconfirmed(&report), ["1/0/0/1"]);
    assert!(report.lines().next().unwrap().contains("\"built_in\":1"), "{report}");
    let table = store.report(&["--date", "2026-05-05", "--format", "table"]);
    assert!(
        table.contains("On the built-in profile table, which no device has confirmed, rest 1 upstream"),
        "{table}"
    );
    // Two days later the detail is gone, and the day says what it said.
    store.execute("DELETE FROM modulation_detail");
    assert_eq!(rows(&store.report(&["--date", "2026-05-05"])), rows(&report));
    let site = TempDir::new().unwrap();
    assert_eq!(page(&store, site.path(), "2026-05-05")["report"]["built_in"], 1);
}

fn rows(report: &str) -> Vec<&str> {
    report.lines().skip(1).collect()
}
