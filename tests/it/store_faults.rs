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
    fake_mysql::{self, Answers, EOF, FakeServer, Manner, Moment, Trouble, Way, column},
    hostile_ssh::LIMIT,
    mailbox::certificates,
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

/// More columns, in a second answer that nobody asked for.
fn many_columns_later(_: u8, text: &str) -> Option<Vec<Vec<u8>>> {
    let first = vec![0, 0, 0, 10, 0, 0, 0];
    let second = [&[0xfe][..], &(1_u64 << 62).to_le_bytes()].concat();
    (text == "START TRANSACTION").then_some(vec![first, second])
}

/// However the server is reached: in clear, on a Unix socket, inside TLS.
#[test]
fn a_hostile_server_is_away() {
    let input = sample(NOON, "CCAP001", "u", "QAM64", "") + &scan(NOON, "CCAP001", "ok", 1) + END;
    let cases: [(&str, Answers); 6] = [
        ("2^33 columns", many_columns),
        ("2^62 columns", columns_without_number),
        ("2^62 columns later", many_columns_later),
        ("rows of another shape", other_shape),
        ("an empty packet", empty_packet),
        ("rows without end", rows_without_end),
    ];
    for way in ["clear", "socket", "tls"] {
        for (name, answers) in cases {
            let dir = tempfile::tempdir().unwrap();
            let at = Reached::by(way, dir.path(), b"");
            let server = FakeServer::of(&at.way, Manner { answers, ..Manner::default() });
            let name = format!("{name}, {way}");
            let tool = || {
                let url = at.url(&server);
                let tool = tool("mod-store").args(["--db", &url]).under(&LIMIT);
                tool.env("ACCESS_PASSWORD", "x").stdin(input.clone())
            };
            let with = tool().arg("--spool", dir.path().join("spool")).run();
            assert_eq!((with.code, with.signal), (Some(3), None), "{name}: {}", with.stderr);
            assert!(with.stderr.contains("wait in the spool"), "{name}: {}", with.stderr);
            let without = tool().run();
            assert_eq!((without.code, without.signal), (Some(1), None), "{name}: {}", without.stderr);
            assert!(!(with.stderr + &without.stderr).contains("internal fault"), "{name}");
        }
    }
}

/// How a fake server is reached, and what its URL says of that.
struct Reached {
    way: Way,
    dir: std::path::PathBuf,
}

impl Reached {
    fn by(way: &str, dir: &std::path::Path, in_clear: &'static [u8]) -> Self {
        let way = match way {
            "clear" => Way::Clear,
            "socket" => Way::Socket(dir.join("server.sock")),
            _ => {
                certificates(dir);
                Way::tls(dir, in_clear)
            }
        };
        Reached { way, dir: dir.to_owned() }
    }

    fn url(&self, server: &FakeServer) -> String {
        match &self.way {
            Way::Clear => format!("mysql://u@127.0.0.1:{}/access", server.port),
            Way::Socket(path) => {
                format!("mysql://u@{}/access", path.display().to_string().replace('/', "%2F"))
            }
            Way::Tls(..) => {
                let ca = self.dir.join("ca.pem");
                format!("mysql://u@127.0.0.1:{}/access?ssl=required&ca={}", server.port, ca.display())
            }
        }
    }
}

#[test]
fn a_server_stores_in_clear_on_a_socket_and_inside_tls() {
    let input = sample(NOON, "CCAP001", "u", "QAM64", "") + &scan(NOON, "CCAP001", "ok", 1) + END;
    for way in ["clear", "socket", "tls"] {
        let dir = tempfile::tempdir().unwrap();
        let at = Reached::by(way, dir.path(), b"");
        let server = FakeServer::of(&at.way, Manner::default());
        let tool = tool("mod-store").args(["--db", &at.url(&server)]).env("ACCESS_PASSWORD", "x");
        let run = tool.stdin(input.clone()).run();
        assert_eq!((run.code, server.committed()), (Some(0), 1), "{way}: {}", run.stderr);
    }
}

/// Whoever sits between us and the server may add answers in clear; inside TLS they would grant the login and take
/// the samples in the server's name.
#[test]
fn what_is_said_in_clear_before_tls_is_not_believed_inside() {
    // "Granted", as the answer to the login that follows inside TLS.
    const GRANTED: &[u8] = &[7, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0];
    let dir = tempfile::tempdir().unwrap();
    let at = Reached::by("tls", dir.path(), GRANTED);
    let refuses = Some(Trouble { at: Moment::Connect, code: 1045, times: usize::MAX });
    let server = FakeServer::of(&at.way, Manner { trouble: refuses, ..Manner::default() });
    let input = sample(NOON, "CCAP001", "u", "QAM64", "") + &scan(NOON, "CCAP001", "ok", 1) + END;
    let tool = tool("mod-store").args(["--db", &at.url(&server)]).env("ACCESS_PASSWORD", "x").stdin(input);
    tool.arg("--spool", dir.path().join("spool"))
        .run()
        .says(3, &["in clear behind its greeting", "wait in the spool"]);
}

/// A server whose disk is full: the samples wait in the spool, and are stored when there is room again.
#[test]
fn a_full_disk_of_the_server_fills_the_spool_until_there_is_room() {
    for code in [1021, 1026, 1114] {
        for at in [Moment::Execute, Moment::Commit] {
            let server = FakeServer::new(Some(Trouble { at, code, times: 1 }));
            let dir = tempfile::tempdir().unwrap();
            let run = |input: String| {
                let url = format!("mysql://u@127.0.0.1:{}/access", server.port);
                let tool = tool("mod-store").args(["--db", &url]).arg("--spool", dir.path());
                tool.env("ACCESS_PASSWORD", "x").stdin(input).run()
            };
            let input = sample(NOON, "CCAP001", "u", "QAM64", "") + &scan(NOON, "CCAP001", "ok", 1) + END;
            let full = run(input).says(3, &[&format!("({code})"), "go to the spool", "wait in the spool"]);
            assert_eq!(server.committed(), 0, "{code} at {at:?}: {}", full.stderr);
            let replayed = run(END.to_owned());
            assert_eq!((replayed.code, server.committed()), (Some(0), 1), "{code} at {at:?}");
        }
    }
}

/// What a server says of its longest packet is learned at connect, and no statement is longer.
#[test]
fn statements_fit_the_packets_of_the_server() {
    for max_packet in [4096, 65_536, 1 << 20] {
        let server = FakeServer::of(&Way::Clear, Manner { max_packet, ..Manner::default() });
        let samples: String =
            (0..3000).map(|n| sample(NOON, "CCAP001", &format!("1/scq/{n}"), "QAM64", "")).collect();
        let url = format!("mysql://u@127.0.0.1:{}/access", server.port);
        let tool = tool("mod-store").args(["--db", &url, "--batch", "10000"]).env("ACCESS_PASSWORD", "x");
        let run = tool.stdin(samples + &scan(NOON, "CCAP001", "ok", 3000) + END).run();
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let longest = server.longest();
        assert!(longest <= max_packet as u64, "{longest} of {max_packet}");
        assert!(longest * 40 > max_packet as u64, "{longest} of {max_packet}: rows share a statement");
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
