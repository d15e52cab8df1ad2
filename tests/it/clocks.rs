//! The wall clock jumps by an hour and by a year, forward and back, under programs that run (faketime): what was
//! acknowledged is stored once, nothing is given up, and no device that is dead is taken for well.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use modtools::{clock::Clock, record::Timestamp};
use tempfile::TempDir;

use crate::{
    store::{END, sample, scan},
    support::{DEADLINE, Tool, tool, wait},
};

const HOUR_S: i64 = 3600;
pub const YEAR_S: i64 = 366 * 24 * HOUR_S;
/// How far the clock is ahead, one after the other.
const JUMPS: [i64; 9] = [0, HOUR_S, 0, -HOUR_S, 0, YEAR_S, 0, -YEAR_S, 0];
/// Long before any of these clocks.
const PAST: i64 = 1_577_836_800;

/// A clock that is as far ahead of the system's as was said last, also for programs that run already.
pub struct Jumping {
    dir: TempDir,
    library: String,
}

impl Jumping {
    pub fn new() -> Self {
        let preload = Command::new("faketime").args(["-m", "-f", "+0", "printenv", "LD_PRELOAD"]).output();
        let library = String::from_utf8(preload.expect("faketime is installed").stdout).unwrap();
        let clock = Jumping { dir: TempDir::new().unwrap(), library: library.trim().to_owned() };
        clock.set(0);
        clock
    }

    pub fn set(&self, ahead_s: i64) {
        let new = self.dir.path().join("new");
        fs::write(&new, format!("{ahead_s:+}\n")).unwrap();
        fs::rename(new, self.dir.path().join("clock")).unwrap();
    }

    /// Gives a tool this clock; what measures durations is not touched.
    pub fn on(&self, tool: Tool) -> Tool {
        tool.env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", self.dir.path().join("clock"))
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("DONT_FAKE_MONOTONIC", "1")
    }
}

fn now() -> i64 {
    Clock::System.now().0
}

fn ts(time: i64) -> String {
    Timestamp(time).to_string()
}

/// A group of one sample and its scan.
fn group(time: i64, cmts: &str) -> String {
    sample(&ts(time), cmts, "u", "QAM64", "") + &scan(&ts(time), cmts, "ok", 1)
}

/// A mod-store that runs while its clock jumps; gives what it said of each group, and its exit code and stderr.
fn under_jumps(
    tool: Tool,
    clock: &Jumping,
    group_at: impl Fn(usize, i64) -> String,
) -> (Vec<serde_json::Value>, Option<i32>, String) {
    let dir = TempDir::new().unwrap();
    let mut command = clock.on(tool.args(["--tee"])).command(dir.path());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let stderr = crate::support::drain(child.stderr.take().unwrap());
    let mut lines = BufReader::new(stdout).lines().map(|line| {
        let line = line.unwrap();
        serde_json::from_str::<serde_json::Value>(&line).unwrap()
    });
    let mut receipts = Vec::new();
    for (n, ahead) in JUMPS.into_iter().enumerate() {
        clock.set(ahead);
        stdin.write_all(group_at(n, ahead).as_bytes()).unwrap();
        stdin.flush().unwrap();
        // The group is acknowledged before the clock jumps again.
        receipts.push(lines.by_ref().find(|record| record["type"] == "stored").expect("a receipt"));
    }
    stdin.write_all(END.as_bytes()).unwrap();
    drop(stdin);
    assert!(lines.all(|record| record["type"] != "stored"));
    let code = wait(&mut child, DEADLINE).code();
    (receipts, code, stderr.join().unwrap())
}

/// The devices of the samples that a file holds, in order.
fn stored(db: &Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(db).unwrap();
    let mut select = connection.prepare("SELECT cmts FROM modulation_new ORDER BY cmts").unwrap();
    select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("CCAP00{n}")).collect()
}

#[test]
fn a_store_that_runs_keeps_what_it_acknowledges_however_its_clock_jumps() {
    let (dir, clock) = (TempDir::new().unwrap(), Jumping::new());
    let url = format!("sqlite:{}", dir.path().join("m.db").display());
    let store = || tool("mod-store").args(["--db", &url, "--init"]);
    // As a collector on the same host stamps them.
    let (receipts, code, stderr) =
        under_jumps(store(), &clock, |n, ahead| group(now() + ahead, &names(9)[n]));
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(receipts.iter().all(|receipt| receipt["stored"] == 1), "{receipts:?}");
    assert_eq!(stored(&dir.path().join("m.db")), names(9));
    // Stamped by a clock that did not jump: ahead of one that is a year behind, and that is said.
    let (receipts, code, stderr) = under_jumps(store(), &clock, |n, _| group(now() - 60, &names(9)[n]));
    let rejected = |receipt: &serde_json::Value| receipt["rejected"] == 1;
    assert_eq!((code, receipts.iter().filter(|receipt| rejected(receipt)).count()), (Some(3), 1));
    assert!(rejected(&receipts[7]) && stderr.contains("more than a day in the future"), "{stderr}");
    assert_eq!(stored(&dir.path().join("m.db")).len(), 9 + 8);
}

#[test]
fn a_spool_gives_nothing_up_however_its_clock_jumps() {
    let (dir, clock) = (TempDir::new().unwrap(), Jumping::new());
    let spool = dir.path().join("spool");
    let away = || {
        let away = tool("mod-store").args(["--db", "mysql://u@127.0.0.1:1/x"]).env("ACCESS_PASSWORD", "x");
        away.arg("--spool", &spool)
    };
    let (receipts, code, stderr) = under_jumps(away(), &clock, |n, _| group(PAST + n as i64, &names(9)[n]));
    assert!(receipts.iter().all(|receipt| receipt["spooled"] == 1), "{receipts:?}");
    assert!(code == Some(3) && !stderr.contains("given up"), "{stderr}");
    // The same by runs of their own, as cron starts them.
    for (n, ahead) in JUMPS.into_iter().enumerate() {
        clock.set(ahead);
        let run = clock.on(away()).stdin(group(PAST + 100 + n as i64, &names(9)[n]) + END).run();
        assert!(run.code == Some(3) && !run.stderr.contains("given up"), "{ahead}: {}", run.stderr);
    }
    // The database is there again while the clock is wrong.
    clock.set(YEAR_S);
    let url = format!("sqlite:{}", dir.path().join("m.db").display());
    let back = tool("mod-store").args(["--db", &url, "--init"]).arg("--spool", &spool).stdin(END);
    clock.on(back).run().clean(0);
    assert_eq!(stored(&dir.path().join("m.db")).len(), 2 * JUMPS.len());
    assert_eq!(
        fs::read_dir(&spool).unwrap().filter(|f| f.as_ref().unwrap().file_name() != "lock").count(),
        0
    );
}

#[test]
fn no_dead_device_is_fresh_because_a_clock_was_ahead() {
    let (dir, clock) = (TempDir::new().unwrap(), Jumping::new());
    let url = format!("sqlite:{}", dir.path().join("m.db").display());
    let store = |ahead: i64, input: String| {
        clock.set(ahead);
        let store = tool("mod-store").args(["--db", &url, "--init"]).stdin(input + END);
        clock.on(store).run()
    };
    let fresh = |ahead: i64| {
        clock.set(ahead);
        let run = clock.on(tool("mod-report").args(["--db", &url, "--fresh", "--format", "ndjson"])).run();
        let records = run.records().into_iter();
        records.map(|r| (r["cmts"].as_str().unwrap().to_owned(), r["fresh"] == true)).collect::<Vec<_>>()
    };
    let both = |one: bool, other: bool| {
        let mut both = vec![("DIES".to_owned(), one), ("LIVES".to_owned(), other)];
        both.sort();
        both
    };
    let sorted = |mut answer: Vec<(String, bool)>| {
        answer.sort();
        answer
    };
    // Both are read well, by a clock that is right and by one that is a year ahead.
    store(0, group(now(), "DIES") + &group(now(), "LIVES")).clean(0);
    assert_eq!(sorted(fresh(0)), both(true, true));
    assert_eq!(fresh(YEAR_S), Vec::new(), "nobody has tried them for a year");
    assert_eq!(sorted(fresh(2 * HOUR_S)), both(false, false));
    assert_eq!(sorted(fresh(-HOUR_S)), both(false, false));
    for ahead in [HOUR_S, YEAR_S] {
        store(ahead, group(now() + ahead, "DIES") + &group(now() + ahead, "LIVES")).clean(0);
        assert_eq!(sorted(fresh(ahead)), both(true, true));
        // The clock is right again. Until the next scan nothing is known of either, and then of the one that answers.
        assert_eq!(sorted(fresh(0)), both(false, false));
        let later = now();
        let failed = scan(&ts(later), "DIES", "connect_timeout", 0);
        store(0, group(later, "LIVES") + &failed).says(3, &["DIES connect_timeout"]);
        assert_eq!(sorted(fresh(0)), both(false, true));
    }
}
