//! What a modulation rests on, who is served and how well: stored and read back, on both databases, and in tables that
//! were made before these columns.

use crate::{
    mariadb::{MariaDb, variable},
    store::{END, NOON, sample},
    support::{Run, Tool, tool},
};

const SCAN: &str = "{\"v\":1,\"type\":\"scan\",\"ts\":\"2026-05-01T12:00:00Z\",\"cmts\":\"A\",\"platform\":\"casa\",\
    \"status\":\"ok\",\"samples\":2,\"built_in\":1}\n";

fn input() -> String {
    let more = r#","profile":7,"explained_by":"built_in","modems":120,"snr_db":36.5"#;
    sample(NOON, "A", "u1", "QAM64", more)
        + &sample(NOON, "A", "u2", "QAM64", r#","explained_by":"printed""#)
        + SCAN
        + END
}

fn read(tool: &dyn Fn(&str) -> Tool) -> Run {
    let from = ["--from", "2026-05-01T11:00:00Z", "--to", "2026-05-01T13:00:00Z"];
    tool("mod-report").args(["--format", "samples"]).args(from).run().clean(0)
}

/// Stores with and without the columns, and adds them in between.
fn both(tool: &dyn Fn(&str) -> Tool, without: &mut dyn FnMut(), numbers: &mut dyn FnMut(&str) -> i64) {
    tool("mod-store").args(["--init"]).stdin("").run().clean(0);
    without();
    tool("mod-store").stdin(input()).run().clean(0);
    let before = read(tool).records();
    assert_eq!((before.len(), &before[0]["explained_by"]), (2, &serde_json::Value::Null));
    tool("mod-store").args(["--init"]).stdin("").run().clean(0);
    let later = input().replace("T12:00:00Z", "T12:30:00Z").replace("120", "121");
    tool("mod-store").stdin(later.clone()).run().clean(0);
    let samples = read(tool).records();
    let (first, second) = (&samples[2], &samples[3]);
    assert_eq!((first["explained_by"].as_str(), first["profile"].as_u64()), (Some("built_in"), Some(7)));
    assert_eq!(
        second["explained_by"],
        serde_json::Value::Null,
        "a modulation that is printed needs no detail"
    );
    assert_eq!(numbers("SELECT built_in FROM modulation_scan ORDER BY ts DESC LIMIT 1"), 1);
    // The figures of a channel are written once an hour.
    tool("mod-store").stdin(later.replace("T12:30:00Z", "T12:59:00Z").replace("121", "122")).run().clean(0);
    let modems = "SELECT COALESCE(modems, 0) FROM modulation_channel WHERE upstream = 'u1'";
    assert_eq!(numbers(modems), 0);
    tool("mod-store").stdin(later.replace("T12:30:00Z", "T14:00:00Z").replace("121", "123")).run().clean(0);
    assert_eq!(numbers(modems), 123);
    assert_eq!(numbers("SELECT snr_db = 36.5 FROM modulation_channel WHERE upstream = 'u1'"), 1);
}

const DROP: [&str; 4] = [
    "ALTER TABLE modulation_detail DROP COLUMN explained_by",
    "ALTER TABLE modulation_channel DROP COLUMN modems",
    "ALTER TABLE modulation_channel DROP COLUMN snr_db",
    "ALTER TABLE modulation_scan DROP COLUMN built_in",
];

#[test]
fn sqlite_keeps_what_a_modulation_rests_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.db");
    let url = format!("sqlite:{}", path.display());
    let connection = || rusqlite::Connection::open(&path).unwrap();
    both(
        &|name| tool(name).args(["--db", &url]),
        &mut || DROP.iter().for_each(|sql| connection().execute_batch(sql).unwrap()),
        &mut |sql| connection().query_row(sql, [], |row| row.get(0)).unwrap(),
    );
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "the database is its owner's alone");
}

#[test]
fn mariadb_keeps_what_a_modulation_rests_on() {
    let db = MariaDb::new();
    let url = db.url();
    let db = std::cell::RefCell::new(db);
    both(
        &|name| {
            tool(name).args(["--db", &url]).env("ACCESS_PASSWORD", variable("MODTOOLS_TEST_MYSQL_PASSWORD"))
        },
        &mut || DROP.iter().for_each(|sql| db.borrow_mut().run(sql)),
        &mut |sql| db.borrow_mut().number(sql),
    );
}
