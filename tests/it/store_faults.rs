//! Every fault of the table, answered by a fake server at connect, in a statement, in prepare and at commit.

use std::thread;

use modtools::{
    cli,
    database::{self, Access, Class, Database, FAULTS, Group, Options},
    error::{Error, Result},
    record::{self, Record},
    settings::Settings,
    stage::Context,
};

use crate::{
    fake_mysql::{self, Answers, EOF, FakeServer, Moment, Trouble, column},
    store::{END, NOON, sample, scan},
    support::tool,
};

const MOMENTS: [Moment; 4] = [Moment::Statement, Moment::Prepare, Moment::Execute, Moment::Commit];

fn open(servers: &[&FakeServer]) -> Result<Box<dyn Database>> {
    let hosts: Vec<_> = servers.iter().map(|server| format!("127.0.0.1:{}", server.port)).collect();
    let flags = cli::Database { db: Some(format!("mysql://u@{}/access", hosts.join(","))) };
    let context = Context { settings: Settings::of([("ACCESS_PASSWORD", "x")]), ..Context::default() };
    let options = Options { init: false, history_index: false, batch: 1000, store_all: false };
    database::open(&flags, &context, Access::Write(options))
}

fn group() -> Group {
    let line = r#"{"v":1,"type":"sample","ts":"2026-05-01T12:00:00Z","cmts":"C","upstream":"u","modulation":"QPSK"}"#;
    let Ok(Record::Sample(sample)) = record::decode(line) else { unreachable!("a sample") };
    Group { cmts: "C".into(), ts: sample.ts, samples: vec![sample], scan: None }
}

/// What became of one group.
fn store(servers: &[&FakeServer]) -> Result<u64> {
    let counts = open(servers)?.store(&[group()], false)?;
    Ok(counts.iter().map(|counts| counts.stored).sum())
}

fn at_connect(code: u16, class: Class) {
    let always = Some(Trouble { at: Moment::Connect, code, times: usize::MAX });
    let (bad, good) = (FakeServer::new(always), FakeServer::new(None));
    let outcome = store(&[&bad]);
    match class {
        Class::Again | Class::Elsewhere | Class::Away => {
            assert!(matches!(outcome, Err(Error::Away { .. })), "{code} at connect: {outcome:?}");
        }
        Class::Refused | Class::Wrong => {
            assert!(matches!(outcome, Err(Error::Database { .. })), "{code} at connect: {outcome:?}");
        }
    }
    // The next host serves whatever this one says.
    assert_eq!(store(&[&bad, &good]).unwrap(), 1, "{code} at connect, of two");
}

fn in_transaction(code: u16, class: Class, at: Moment) {
    let once = FakeServer::new(Some(Trouble { at, code, times: 1 }));
    let outcome = store(&[&once]);
    match class {
        Class::Again | Class::Elsewhere => {
            assert_eq!(outcome.unwrap(), 1, "{code} at {at:?}");
            assert_eq!(once.committed(), 1, "{code} at {at:?}: committed once");
        }
        Class::Away => assert!(matches!(outcome, Err(Error::Away { .. })), "{code} at {at:?}: {outcome:?}"),
        Class::Refused | Class::Wrong => {
            assert!(matches!(outcome, Err(Error::Database { .. })), "{code} at {at:?}: {outcome:?}");
        }
    }
    if class == Class::Elsewhere {
        let bad = FakeServer::new(Some(Trouble { at, code, times: usize::MAX }));
        let good = FakeServer::new(None);
        assert_eq!(store(&[&bad, &good]).unwrap(), 1, "{code} at {at:?}, of two");
        assert_eq!((bad.committed(), good.committed()), (0, 1), "{code} at {at:?}, of two");
    }
}

#[test]
fn every_fault_is_answered_as_the_table_says() {
    for faults in FAULTS.chunks(16) {
        thread::scope(|scope| {
            for &(code, class, _) in faults {
                scope.spawn(move || {
                    at_connect(code, class);
                    MOMENTS.into_iter().for_each(|at| in_transaction(code, class, at));
                });
            }
        });
    }
}

#[test]
fn a_read_only_host_is_passed_by_and_stays_passed_by() {
    let replica = FakeServer::with(None, true, |_, _| None);
    let primary = FakeServer::new(None);
    for round in 1..=3 {
        assert_eq!(store(&[&replica, &primary]).unwrap(), 1);
        assert_eq!((replica.committed(), primary.committed()), (0, round));
    }
    // Alone it is used: the account may have the right to write.
    assert_eq!(store(&[&replica]).unwrap(), 1);
}

/// A limit of the account: the samples wait in the spool, and the run says so.
#[test]
fn a_limit_of_the_account_fills_the_spool() {
    let trouble = Trouble { at: Moment::Connect, code: 1226, times: usize::MAX };
    let server = FakeServer::new(Some(trouble));
    let input = sample(NOON, "CCAP001", "u", "QAM64", "") + &scan(NOON, "CCAP001", "ok", 1) + END;
    let dir = tempfile::tempdir().unwrap();
    let run = |spool: bool| {
        let url = format!("mysql://u@127.0.0.1:{}/access", server.port);
        let tool = tool("mod-store").args(["--db", &url]).env("ACCESS_PASSWORD", "x").stdin(input.clone());
        if spool { tool.arg("--spool", dir.path()).run() } else { tool.run() }
    };
    run(true).says(3, &["1226", "go to the spool", "wait in the spool"]);
    run(false).says(1, &["1226"]);
}

fn many_columns(_: u8, text: &str) -> Option<Vec<Vec<u8>>> {
    let answer = [&[0xfe][..], &(1_u64 << 33).to_le_bytes()].concat();
    (text == "START TRANSACTION").then_some(vec![answer])
}

fn columns_without_number(_: u8, text: &str) -> Option<Vec<Vec<u8>>> {
    let answer = [&[0xfe][..], &(1_u64 << 62).to_le_bytes()].concat();
    text.contains("@@max_allowed_packet").then_some(vec![answer])
}

/// Rows of another shape than was asked for.
fn other_shape(_: u8, text: &str) -> Option<Vec<Vec<u8>>> {
    let row = vec![fake_mysql::text("x")];
    text.contains("information_schema.columns")
        .then(|| [vec![vec![1], column(), EOF.to_vec()], row, vec![EOF.to_vec()]].concat())
}

fn empty_packet(_: u8, text: &str) -> Option<Vec<Vec<u8>>> {
    (text == "START TRANSACTION").then(|| vec![Vec::new()])
}

fn rows_without_end(_: u8, text: &str) -> Option<Vec<Vec<u8>>> {
    let rows = std::iter::repeat_n(fake_mysql::text(&"x".repeat(250)), 10_000);
    (text == "SELECT 1").then(|| vec![vec![1], column(), EOF.to_vec()].into_iter().chain(rows).collect())
}

#[test]
fn a_hostile_server_is_away() {
    let input = sample(NOON, "CCAP001", "u", "QAM64", "") + &scan(NOON, "CCAP001", "ok", 1) + END;
    let cases: [(&str, Answers); 5] = [
        ("2^33 columns", many_columns),
        ("2^62 columns", columns_without_number),
        ("rows of another shape", other_shape),
        ("an empty packet", empty_packet),
        ("rows without end", rows_without_end),
    ];
    for (name, answers) in cases {
        let server = FakeServer::with(None, false, answers);
        let dir = tempfile::tempdir().unwrap();
        let url = format!("mysql://u@127.0.0.1:{}/access", server.port);
        let tool = || tool("mod-store").args(["--db", &url]).env("ACCESS_PASSWORD", "x").stdin(input.clone());
        let with = tool().arg("--spool", dir.path()).run();
        assert_eq!((with.code, with.signal), (Some(3), None), "{name}: {}", with.stderr);
        assert!(with.stderr.contains("wait in the spool"), "{name}: {}", with.stderr);
        let without = tool().run();
        assert_eq!((without.code, without.signal), (Some(1), None), "{name}: {}", without.stderr);
        assert!(!(with.stderr + &without.stderr).contains("internal fault"), "{name}");
    }
}

#[test]
fn a_spool_of_somebody_else_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let spool = dir.path().join("spool");
    std::fs::create_dir(&spool).unwrap();
    std::fs::set_permissions(&spool, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let tool = tool("mod-store").args(["--db", "sqlite:m.db", "--init"]).dir(dir.path());
    tool.arg("--spool", &spool).run().says(2, &["others may write", "chmod"]);
}
