//! `--prom` of the scanner, the store and the tables: gauges that Prometheus reads, and that are true.

use tempfile::TempDir;

use crate::{
    report_monitoring::{Series, parse, promtool, value},
    store::two_scans,
    support::tool,
    watch::Scene,
};

fn read(text: &str) -> Series {
    promtool(text);
    parse(text)
}

#[test]
fn the_scanner_tells_prometheus_whether_it_runs() {
    let scene = Scene::new();
    let series = |code| read(&scene.watch(&["status", "--prom"]).run().clean(code).stdout);
    let of = |series: &Series, name| value(series, &format!("modtools_scanner_{name}"), &[("name", "x")]);
    let stopped = series(1);
    assert_eq!((of(&stopped, "running"), of(&stopped, "healthy")), (Some(0.0), Some(0.0)));
    assert_eq!((of(&stopped, "uptime_seconds"), of(&stopped, "heartbeat_age_seconds")), (None, None));
    scene.start_pipe(&[]);
    let running = series(0);
    assert_eq!((of(&running, "running"), of(&running, "healthy")), (Some(1.0), Some(1.0)));
    assert!(of(&running, "heartbeat_age_seconds").is_some_and(|age| age < 60.0), "{running:?}");
    let word = [("name", "x"), ("status", "running")];
    assert_eq!(value(&running, "modtools_scanner_status", &word), Some(1.0));
    scene.watch(&["stop"]).run().clean(0);
}

#[test]
fn the_store_tells_what_waits_and_the_tables_what_they_hold() {
    let dir = TempDir::new().unwrap();
    let run = |name: &str, args: &[&str], input: String| {
        tool(name).args(args).env("ACCESS_PASSWORD", "x").stdin(input).dir(dir.path()).run()
    };
    let nowhere = ["--db", "mysql://u@127.0.0.1:1/x", "--spool", "waiting"];
    let here = ["--db", "sqlite:m.db"];
    assert_eq!(run("mod-store", &nowhere, two_scans()).code, Some(3));
    let check = |flags: &[&str]| run("mod-store", &[flags, &["--check", "--prom"]].concat(), String::new());
    let away = check(&nowhere);
    assert_eq!(away.code, Some(1), "{}", away.stderr);
    let away = read(&away.stdout);
    let of = |series: &Series, name| value(series, &format!("modtools_{name}"), &[]);
    assert_eq!((of(&away, "database_up"), of(&away, "database_missing")), (Some(0.0), None));
    assert_eq!((of(&away, "spool_samples"), of(&away, "newest_sample_age_seconds")), (Some(4.0), None));
    let files = std::fs::read_dir(dir.path().join("waiting")).unwrap().map(|file| file.unwrap());
    let files: Vec<_> = files.filter(|file| file.file_name() != "lock").collect();
    let bytes: u64 = files.iter().map(|file| file.metadata().unwrap().len()).sum();
    assert_eq!(of(&away, "spool_files"), Some(files.len() as f64));
    assert_eq!(of(&away, "spool_bytes"), Some(bytes as f64));
    assert!(of(&away, "spool_oldest_age_seconds").is_some_and(|age| age < 600.0));
    run("mod-store", &[&here[..], &["--init"]].concat(), two_scans()).clean(0);
    let there = read(&check(&here).clean(0).stdout);
    assert_eq!((of(&there, "database_up"), of(&there, "database_missing")), (Some(1.0), Some(0.0)));
    assert_eq!(of(&there, "spool_files"), None, "no spool was named");
    let (newest, age) =
        (of(&there, "newest_sample_timestamp_seconds"), of(&there, "newest_sample_age_seconds"));
    assert!(newest.is_some_and(|newest| newest > 1.7e9) && age.is_some_and(|age| age >= 0.0), "{there:?}");
    let tables = run("mod-prune", &[&here[..], &["--status", "--prom"]].concat(), String::new());
    let tables = read(&tables.stdout);
    let of = |name, table| value(&tables, &format!("modtools_table_{name}"), &[("table", table)]);
    assert_eq!(of("rows", "modulation_new"), Some(4.0));
    assert_eq!(of("rows_estimated", "modulation_new"), Some(0.0));
    assert_eq!(of("id_used_ratio", "modulation_new"), None, "it has no id");
    assert!(of("bytes", "modulation_new").is_some() && of("oldest_age_seconds", "modulation_new").is_some());
}
