//! The disk fails at the n-th write, flush or rename, for every n: what was acknowledged is there, what is replaced is
//! whole, and what failed is said. strace makes the system call fail.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::json;

use crate::{
    mailbox::Mailbox,
    store::{END, NOON, sample, scan},
    support::{Run, Tool, in_package, records, tool},
};

/// The system calls, and how they fail.
const FAULTS: [(&str, &str); 3] = [
    ("write,pwrite64,writev,pwritev", "ENOSPC"),
    ("fsync,fdatasync", "EIO"),
    ("rename,renameat,renameat2,linkat", "ENOSPC"),
];
/// No tool makes as many of them, in any of these tests.
const MOST: usize = 400;

/// Runs a tool once for each system call that can fail, until none is left. `judge` looks at each run.
fn for_every_fault(make: impl Fn(&Path) -> Tool, mut judge: impl FnMut(&Path, &Run, &str)) -> usize {
    let mut injected = 0;
    for (calls, error) in FAULTS {
        for n in 1.. {
            assert!(n < MOST, "{calls}: no end");
            let dir = tempfile::tempdir().unwrap();
            let log = dir.path().join("strace");
            let fault = format!("--inject={calls}:error={error}:when={n}");
            let log_name = log.to_str().unwrap().to_owned();
            let under = ["strace", "-f", "-qq", "-o", &log_name, "-e", &format!("trace={calls}"), &fault];
            let run = make(dir.path()).under(&under).dir(dir.path()).run();
            let seen = fs::read_to_string(&log).unwrap();
            let about = format!("{error} at {calls} {n}: {run:?}");
            assert_eq!(run.signal, None, "{about}");
            assert!(!run.stderr.contains("internal fault"), "{about}");
            judge(dir.path(), &run, &about);
            if !seen.contains("(INJECTED)") {
                break;
            }
            injected += 1;
        }
    }
    injected
}

/// The upstreams of the samples on stdout.
fn acknowledged(run: &Run) -> BTreeSet<String> {
    // A line that was cut off does not count as a receipt.
    let whole = run.stdout.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let lines = whole.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let samples = lines.filter(|record| record["type"] == "sample");
    samples.map(|record| format!("{} {}", record["ts"], record["upstream"])).collect()
}

/// What a database holds, each sample once.
fn stored(dir: &Path, db: &str) -> BTreeSet<String> {
    let report = ["--db", db, "--date", "2026-05-01", "--tz", "UTC", "--format", "samples"];
    let run = tool("mod-report").args(report).dir(dir).run();
    let mut all = BTreeSet::new();
    for record in records(&run.stdout).iter().filter(|record| record["type"] == "sample") {
        assert!(all.insert(format!("{} {}", record["ts"], record["upstream"])), "twice: {record}");
    }
    all
}

fn input() -> String {
    let group = |ts: &str| {
        let samples: String = (0..3).map(|n| sample(ts, "CCAP001", &format!("u{n}"), "QAM64", "")).collect();
        samples + &scan(ts, "CCAP001", "ok", 3)
    };
    group(NOON) + &group("2026-05-01T12:10:00Z") + END
}

#[test]
fn what_is_acknowledged_is_in_the_spool_whatever_write_fails() {
    let make = |_: &Path| {
        let away = ["--db", "mysql://u@127.0.0.1:1/x", "--tee", "--spool", "spool"];
        tool("mod-store").args(away).env("ACCESS_PASSWORD", "x").stdin(input())
    };
    let injected = for_every_fault(make, |dir, run, about| {
        let promised = acknowledged(run);
        assert!(run.code == Some(1) || run.code == Some(3) && promised.len() == 6, "{about}");
        let replay = tool("mod-store").args(["--db", "sqlite:m.db", "--init", "--spool", "spool"]);
        let replayed = replay.stdin(END).dir(dir).run();
        assert_eq!(replayed.code, Some(0), "{about}: {replayed:?}");
        let there = stored(dir, "sqlite:m.db");
        assert!(there.is_superset(&promised), "{about}: {promised:?} of {there:?}");
        let left: Vec<_> = fs::read_dir(dir.join("spool")).unwrap().map(|f| f.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| name == "lock"), "{about}: {left:?}");
    });
    assert!(injected > 5, "{injected}");
}

#[test]
fn what_is_acknowledged_is_in_the_database_whatever_write_fails() {
    let make = |dir: &Path| {
        tool("mod-store").args(["--db", "sqlite:m.db", "--init"]).dir(dir).run().clean(0);
        tool("mod-store").args(["--db", "sqlite:m.db", "--tee"]).stdin(input())
    };
    let injected = for_every_fault(make, |dir, run, about| {
        let (promised, there) = (acknowledged(run), stored(dir, "sqlite:m.db"));
        assert!(there.is_superset(&promised), "{about}: {promised:?} of {there:?}");
        assert!(run.code == Some(1) || run.code == Some(0) && promised.len() == 6, "{about}");
        tool("mod-store").args(["--db", "sqlite:m.db"]).stdin(input()).dir(dir).run().clean(0);
        assert_eq!(stored(dir, "sqlite:m.db").len(), 6, "{about}");
    });
    assert!(injected > 5, "{injected}");
}

#[test]
fn a_report_is_the_old_one_or_the_new_one_whatever_write_fails() {
    let fixture = fs::read(in_package("tests/fixtures/report/scans.ndjson")).unwrap();
    let flags = ["--input", "-", "--date", "2025-05-01", "--tz", "UTC", "--format", "csv", "-o", "r.csv"];
    let whole = tempfile::tempdir().unwrap();
    let run = |dir: &Path| {
        tool("mod-report").args(flags).args(["--html", "r.html"]).stdin(fixture.clone()).dir(dir)
    };
    assert_eq!(run(whole.path()).run().code, Some(0));
    let new = |name: &str| fs::read(whole.path().join(name)).unwrap();
    let make = |dir: &Path| {
        fs::write(dir.join("r.csv"), "old").unwrap();
        fs::write(dir.join("r.html"), "old").unwrap();
        run(dir)
    };
    let injected = for_every_fault(make, |dir, run, about| {
        let mut news = 0;
        for name in ["r.csv", "r.html"] {
            let is = fs::read(dir.join(name)).unwrap();
            let stamped =
                name == "r.html" && is.starts_with(b"<!") && is.len().abs_diff(new(name).len()) < 64;
            assert!(is == b"old" || is == new(name) || stamped, "{about}: {name} is neither");
            news += usize::from(is != b"old");
        }
        assert!(run.code == Some(0) && news == 2 || run.code == Some(1) && !run.stderr.is_empty(), "{about}");
        let left = fs::read_dir(dir)
            .unwrap()
            .filter(|f| f.as_ref().unwrap().file_name().to_str().unwrap().starts_with(".tmp"));
        assert_eq!(left.count(), 0, "{about}: a temporary file is left");
    });
    assert!(injected > 5, "{injected}");
}

#[test]
fn a_mail_is_taken_once_or_the_fault_is_said_whatever_write_fails() {
    let server = Mailbox::start(&json!({}));
    let fixture = fs::read(in_package("tests/fixtures/report/report.ndjson")).unwrap();
    let mail = |dir: &Path| {
        let flags = ["--to", "a@example.net", "--from", "b@example.net", "--spool", "spool"];
        let mail = tool("mod-mail").args(flags).dir(dir).stdin(fixture.clone());
        mail.env("SMTP_HOST", "127.0.0.1").env("SMTP_PORT", server.port.to_string()).env("SMTP_TLS", "none")
    };
    let mut before = 0;
    let mut taken = || {
        let all = server.mails().len();
        all - std::mem::replace(&mut before, all)
    };
    let sent = for_every_fault(mail, |dir, run, about| {
        let first = taken();
        assert!(
            run.code == Some(0) && first == 1 || run.code != Some(0) && !run.stderr.is_empty(),
            "{about}"
        );
        let again = mail(dir).run();
        let both = first + taken();
        assert!(both == 1 || both == 2 && run.stderr.contains("sent.ndjson"), "{about}, then {again:?}");
    });
    // A server that is away: the mail waits, or the run says that it does not.
    let away = |dir: &Path| mail(dir).env("SMTP_PORT", "1");
    let waited = for_every_fault(away, |dir, run, about| {
        // What fails may be the very line on stderr.
        assert!(matches!(run.code, Some(1 | 3)), "{about}");
        let again = mail(dir).run();
        assert_eq!((again.code, taken()), (Some(0), 1), "{about}, then {again:?}");
    });
    assert!(sent >= 2 && waited >= 4, "{sent} {waited}");
}

#[test]
fn a_supervisor_goes_on_and_its_status_is_whole_whatever_write_fails() {
    // Ends by itself at once, each start leaving a directory; no call that makes one fails here.
    let command = "mkdir one 2>&- || mkdir two";
    let options = ["--restart-delay", "10ms", "--max-restart-attempts", "1"];
    let make = |_: &Path| {
        let run = tool("mod-watch").args(["run", "--name", "x", "--dir", "."]).args(options);
        run.args(["--", "sh", "-c", command])
    };
    let injected = for_every_fault(make, |dir, run, about| {
        assert_eq!(run.code, Some(1), "{about}");
        let started = ["one", "two"].map(|name| dir.join(name).is_dir());
        // A lock that cannot be taken is the one thing without which nothing may be started.
        assert!(started == [true; 2] || started == [false; 2] && !run.stderr.is_empty(), "{about}");
        match fs::read(dir.join("x.status")) {
            // The one before the last, when the last could not be written, which is said.
            Ok(text) => {
                let status: serde_json::Value = serde_json::from_slice(&text).expect(about);
                let words =
                    format!("{}{}", run.stderr, fs::read_to_string(dir.join("watchdog.log")).unwrap());
                assert!(status["status"] == "failed" || words.contains("x.status"), "{about}: {status}");
            }
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{about}"),
        }
        let left = fs::read_dir(dir).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap());
        assert_eq!(
            left.filter(|name| name.starts_with(".tmp")).count(),
            0,
            "{about}: a temporary file is left"
        );
    });
    assert!(injected > 5, "{injected}");
}
