//! kill -9, of mod-store and of the database, at random moments: what was acknowledged is stored,
//! once. MODTOOLS_KILL_ROUNDS says how often (`make test-kill`), MODTOOLS_KILL_SEED repeats a run.

use std::{
    collections::{HashMap, HashSet},
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use fastrand::Rng;
use mysql::prelude::Queryable;
use tempfile::TempDir;

use crate::{
    mariadb::OLD,
    server::Server,
    store::{END, NOON_S, sample, scan},
    support::{DEADLINE, until, wait},
};

const GROUPS: usize = 24;
const UPSTREAMS: usize = 12;

/// Device, upstream and UNIX time: what a sample is known by.
type Key = (String, String, i64);

/// A table that rounds store into, and what they were told.
struct Table {
    database: &'static str,
    spool: TempDir,
    sent: HashSet<Key>,
    acknowledged: HashSet<Key>,
    last_input: Vec<String>,
}

impl Table {
    fn new(server: &Server, database: &'static str, create: Option<&str>) -> Self {
        server.run(&format!("CREATE DATABASE {database}"));
        if let Some(create) = create {
            let mut connection = server.connect();
            connection.query_drop(format!("USE {database}")).unwrap();
            connection.query_drop(create).unwrap();
        }
        server.store(database).args(["--init"]).run().clean(0);
        let spool = TempDir::new().unwrap();
        Table { database, spool, sent: HashSet::new(), acknowledged: HashSet::new(), last_input: Vec::new() }
    }

    /// Groups of a round; some of the round before come once more.
    fn input(&mut self, round: usize, rng: &mut Rng) -> Vec<String> {
        let mut groups: Vec<String> = (0..GROUPS).map(|n| self.group(round, n)).collect();
        let again: Vec<String> = self.last_input.iter().filter(|_| rng.u8(..4) == 0).cloned().collect();
        self.last_input.clone_from(&groups);
        groups.extend(again);
        rng.shuffle(&mut groups);
        groups.push(END.to_owned());
        groups
    }

    fn group(&mut self, round: usize, n: usize) -> String {
        let (cmts, time) = (format!("CCAP{n:03}"), NOON_S + 600 * round as i64);
        let ts = modtools::record::Timestamp(time).to_string();
        let mut text = String::new();
        for upstream in (0..UPSTREAMS).map(|n| format!("1/scq/{n}")) {
            text += &sample(&ts, &cmts, &upstream, "QAM64", r#","profile":202"#);
            self.sent.insert((cmts.clone(), upstream, time));
        }
        text + &scan(&ts, &cmts, "ok", UPSTREAMS as u64)
    }

    fn acknowledge(&mut self, lines: &[String]) {
        for line in lines {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            if record["type"] == "sample" {
                let text = |field: &str| record[field].as_str().unwrap().to_owned();
                let time: modtools::record::Timestamp = text("ts").parse().unwrap();
                self.acknowledged.insert((text("cmts"), text("upstream"), time.0));
            }
        }
    }

    /// Everything that was acknowledged is there once, and nothing that was never sent.
    fn judge(&self, server: &Server, seed: u64) {
        server.store(self.database).arg("--spool", self.spool.path()).run().clean(0);
        let sql =
            format!("SELECT cmts, upstream, UNIX_TIMESTAMP(timestamp) FROM {}.modulation_new", self.database);
        let rows: Vec<Key> = server.connect().query(sql).unwrap();
        let mut times: HashMap<Key, usize> = HashMap::new();
        for row in rows {
            *times.entry(row).or_default() += 1;
        }
        let lost = self.acknowledged.iter().filter(|key| !times.contains_key(*key)).count();
        let doubled = times.values().filter(|&&times| times > 1).count();
        let foreign = times.keys().filter(|key| !self.sent.contains(*key)).count();
        let database = self.database;
        assert_eq!((lost, doubled, foreign), (0, 0, 0), "lost, doubled, foreign in {database}, seed {seed}");
        assert!(!self.acknowledged.is_empty());
    }
}

/// Feeds groups one by one, as a fleet does, and ends when the reader is gone.
fn feed(mut stdin: impl Write, input: &[String]) {
    for group in input {
        if stdin.write_all(group.as_bytes()).and_then(|()| stdin.flush()).is_err() {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// The whole lines that came, counted as they come.
fn listen(stdout: impl std::io::Read, heard: &AtomicUsize) -> Vec<String> {
    let mut stdout = BufReader::new(stdout);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        if !line.ends_with('\n') {
            return lines;
        }
        heard.fetch_add(1, Ordering::Relaxed);
        lines.push(line);
    }
}

fn start(server: &Server, table: &Table, dir: &Path) -> Child {
    let tool = server.store(table.database).args(["--tee", "-q"]).arg("--spool", table.spool.path());
    tool.command(dir).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// One run of mod-store, in which something is killed. Gives what was acknowledged.
fn round(server: &mut Server, table: &Table, input: &[String], rng: &mut Rng) -> Vec<String> {
    let dir = TempDir::new().unwrap();
    let mut child = start(server, table, dir.path());
    let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let heard = AtomicUsize::new(0);
    // A line of a random group, or the very beginning.
    let moment = rng.usize(..GROUPS) * (UPSTREAMS + 2);
    let more = Duration::from_micros(rng.u64(..8000));
    let (of_database, pause) = (rng.bool(), Duration::from_millis(rng.u64(..300)));
    thread::scope(|scope| {
        scope.spawn(|| feed(stdin, input));
        let listener = scope.spawn(|| listen(stdout, &heard));
        until("the moment", || {
            heard.load(Ordering::Relaxed) >= moment || child.try_wait().unwrap().is_some()
        });
        thread::sleep(more);
        if of_database {
            server.kill();
            thread::sleep(pause);
            server.start();
        } else {
            child.kill().unwrap();
        }
        wait(&mut child, DEADLINE);
        listener.join().unwrap()
    })
}

#[test]
fn what_was_acknowledged_survives_every_kill_and_is_stored_once() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let rounds = number("MODTOOLS_KILL_ROUNDS").unwrap_or(10);
    let seed = number("MODTOOLS_KILL_SEED").unwrap_or_else(|| fastrand::u64(..));
    let mut rng = Rng::with_seed(seed);
    let mut server = Server::new();
    let mut tables = [Table::new(&server, "keyed", None), Table::new(&server, "older", Some(OLD))];
    for n in 0..usize::try_from(rounds).unwrap() {
        let table = &mut tables[n % 2];
        let input = table.input(n, &mut rng);
        let lines = round(&mut server, table, &input, &mut rng);
        table.acknowledge(&lines);
    }
    for table in &tables {
        table.judge(&server, seed);
    }
}
