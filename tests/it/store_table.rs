//! The table of samples under another name, and `modulation` where there is no `modulation_new`: every tool that
//! opens a database obeys, on MariaDB and on SQLite alike.

use serde_json::Value;

use crate::{
    mariadb::{MariaDb, OLD, variable},
    store::{END, NOON, sample, scan, two_scans},
    support::{Run, Tool, records, tool},
};

const ANNOUNCED: &str = "there is no table modulation_new: modulation is used";

/// A database of its own, and how a tool is told of it.
struct Place<'a> {
    url: String,
    dir: &'a std::path::Path,
}

impl Place<'_> {
    fn tool(&self, name: &str, table: &str, flags: &[&str]) -> Tool {
        let tool = tool(name).dir(self.dir).args(["--db", &self.url]).args(flags).env("MODTOOLS_TZ", "UTC");
        tool.env("ACCESS_PASSWORD", variable("MODTOOLS_TEST_MYSQL_PASSWORD")).env("MODTOOLS_TABLE", table)
    }

    fn store(&self, table: &str, flags: &[&str], input: &str) -> Run {
        self.tool("mod-store", table, flags).stdin(input).run()
    }

    fn lines(&self, table: &str) -> usize {
        let flags = ["--date", "2026-05-01", "--layout", "seed", "--format", "csv"];
        let run = self.tool("mod-report", table, &flags).run();
        let Some(0 | 3) = run.code else { panic!("{run:?}") };
        run.stdout.lines().count() - 1
    }

    /// Days whose end is long past are kept at once, so those of one table could be taken for those of another.
    fn obeys_everywhere(&self) {
        self.store("samples_2", &["--init"], &two_scans()).clean(0);
        assert_eq!(self.lines("samples_2"), 2);
        let one = sample(NOON, "CCAP001", "1/0", "QAM64", "") + &scan(NOON, "CCAP001", "ok", 1) + END;
        self.store("", &["--init"], &one).clean(0);
        // The finished days belong to the other table: they are neither used nor replaced.
        assert_eq!((self.lines(""), self.lines("samples_2"), self.lines("")), (1, 2, 1));
        let flags = ["--date", "2026-05-01"];
        self.tool("mod-report", "", &flags)
            .run()
            .says(0, &["the finished days in this database are those of samples_2"]);
        let seen = |table: &str| {
            let tables = self.tool("mod-prune", table, &["--status"]).run().records();
            tables.iter().map(|status| status["table"].as_str().unwrap().to_owned()).next().unwrap()
        };
        assert_eq!((seen(""), seen("samples_2")), ("modulation_new".into(), "samples_2".into()));
        self.tool("mod-prune", "samples_2", &["--force", "--keep-days", "1"]).run().clean(0);
        assert_eq!((self.lines(""), self.samples("samples_2"), self.samples("")), (1, 0, 1));
    }

    fn samples(&self, table: &str) -> usize {
        let flags = ["--date", "2026-05-01", "--format", "samples"];
        let run = self.tool("mod-report", table, &flags).run();
        run.records().iter().filter(|record| record["type"] == "sample").count()
    }

    fn refuses(&self) {
        for name in ["x; DROP TABLE y", "modulation_day", "1st", "a`b"] {
            self.store(name, &[], "").says(2, &["MODTOOLS_TABLE", name]);
        }
        let check = self.store("absent", &["--check"], "");
        assert!(check.code == Some(3) && check.stdout.contains("table absent"), "{check:?}");
        for name in ["mod-report", "mod-prune"] {
            self.tool(name, "absent", &[]).run().says(1, &["there is no table absent"]);
        }
    }
}

#[test]
fn a_table_by_another_name_is_obeyed_by_every_tool_on_mariadb() {
    let (db, dir) = (MariaDb::new(), tempfile::tempdir().unwrap());
    let place = Place { url: db.url(), dir: dir.path() };
    place.obeys_everywhere();
    place.refuses();
}

#[test]
fn a_table_by_another_name_is_obeyed_by_every_tool_on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place { url: "sqlite:m.db".into(), dir: dir.path() };
    place.obeys_everywhere();
    place.refuses();
}

/// What a tool wrote, without what depends on the second of its run.
fn without_times(run: &Run) -> Vec<Value> {
    let mut records = records(&run.stdout);
    for record in &mut records {
        let of_now = ["ts", "generated_at", "before", "statement", "elapsed_ms"];
        record.as_object_mut().unwrap().retain(|name, _| !of_now.contains(&name.as_str()));
    }
    records
}

#[test]
fn an_older_table_modulation_is_used_where_there_is_no_other_and_says_so() {
    let mut db = MariaDb::old(&OLD.replacen("modulation_new", "modulation", 1));
    let dir = tempfile::tempdir().unwrap();
    let place = Place { url: db.url(), dir: dir.path() };
    place.store("", &["--init"], &two_scans()).says(0, &[ANNOUNCED, "MODTOOLS_TABLE=modulation"]);
    assert_eq!(db.number("SELECT COUNT(*) FROM modulation"), 3);
    let tables = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() \
                  AND table_name = 'modulation_new'";
    assert_eq!(db.number(tables), 0, "nothing is made beside it");
    for (name, flags) in [
        ("mod-report", &["--date", "2026-05-01"][..]),
        ("mod-prune", &["--dry-run"]),
        ("mod-prune", &["--status"]),
    ] {
        let run = place.tool(name, "", flags).run();
        assert!(run.stderr.contains(ANNOUNCED), "{name}: {run:?}");
        let named = place.tool(name, "modulation", flags).run();
        assert!(!named.stderr.contains("there is no table"), "{name}: {named:?}");
        assert_eq!((run.code, without_times(&run)), (named.code, without_times(&named)));
    }
    // The present shape has one name.
    place.store("modulation", &["--init", "--migrate"], "").says(1, &["RENAME TABLE", "modulation_new"]);
    // After that its finished days are still its own.
    db.run("RENAME TABLE modulation TO modulation_new");
    let run = place.tool("mod-report", "", &["--date", "2026-05-01"]).run().clean(0);
    assert!(run.stdout.contains("CCAP101"), "{run:?}");
}

#[test]
fn a_table_modulation_of_something_else_is_let_alone() {
    let mut db = MariaDb::old("CREATE TABLE modulation (name VARCHAR(9), id INT)");
    db.store(&["--init"], two_scans()).clean(0);
    assert_eq!((db.samples(), db.number("SELECT COUNT(*) FROM modulation")), (4, 0));
}
