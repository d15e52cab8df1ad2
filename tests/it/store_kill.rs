//! kill -9, of mod-store and of the database, at random moments: what was acknowledged is stored, once, by a server and in
//! a file. MODTOOLS_KILL_ROUNDS says how often (`make test-kill`), MODTOOLS_KILL_SEED repeats a run.

use std::{
    collections::{HashMap, HashSet},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
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
    support::{DEADLINE, Tool, tool, until, wait},
};

const GROUPS: usize = 24;
const UPSTREAMS: usize = 12;

/// Device, upstream and UNIX time: what a sample is known by.
type Key = (String, String, i64);

/// Where a table is.
#[derive(Clone)]
enum Place<'a> {
    /// In this database of a server.
    Server(&'a Server, &'static str),
    File(PathBuf),
}

impl Place<'_> {
    fn store(&self) -> Tool {
        match self {
            Place::Server(server, database) => server.store(database),
            Place::File(path) => tool("mod-store").args(["--db", &format!("sqlite:{}", path.display())]),
        }
    }

    fn rows(&self) -> Vec<Key> {
        const COLUMNS: &str = "SELECT cmts, upstream, ";
        match self {
            Place::Server(server, database) => {
                let sql = format!("{COLUMNS}UNIX_TIMESTAMP(timestamp) FROM {database}.modulation_new");
                server.connect().query(sql).unwrap()
            }
            Place::File(path) => {
                let connection = rusqlite::Connection::open(path).unwrap();
                let mut select =
                    connection.prepare(&format!("{COLUMNS}timestamp FROM modulation_new")).unwrap();
                let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
                select.query_map([], row).unwrap().map(Result::unwrap).collect()
            }
        }
    }
}

/// A table that rounds store into, and what they were told.
struct Table<'a> {
    place: Place<'a>,
    spool: TempDir,
    sent: HashSet<Key>,
    acknowledged: HashSet<Key>,
    last_input: Vec<String>,
}

impl<'a> Table<'a> {
    fn of_server(server: &'a Server, database: &'static str, create: Option<&str>) -> Self {
        server.run(&format!("CREATE DATABASE {database}"));
        if let Some(create) = create {
            let mut connection = server.connect();
            connection.query_drop(format!("USE {database}")).unwrap();
            connection.query_drop(create).unwrap();
        }
        Table::new(Place::Server(server, database))
    }

    fn new(place: Place<'a>) -> Self {
        place.store().args(["--init"]).run().clean(0);
        let spool = TempDir::new().unwrap();
        Table { place, spool, sent: HashSet::new(), acknowledged: HashSet::new(), last_input: Vec::new() }
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
    fn judge(&self, seed: u64) {
        self.place.store().arg("--spool", self.spool.path()).run().clean(0);
        let mut times: HashMap<Key, usize> = HashMap::new();
        for row in self.place.rows() {
            *times.entry(row).or_default() += 1;
        }
        let lost = self.acknowledged.iter().filter(|key| !times.contains_key(*key)).count();
        let doubled = times.values().filter(|&&times| times > 1).count();
        let foreign = times.keys().filter(|key| !self.sent.contains(*key)).count();
        assert_eq!((lost, doubled, foreign), (0, 0, 0), "lost, doubled, foreign, seed {seed}");
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

fn start(table: &Table<'_>, dir: &Path) -> Child {
    let tool = table.place.store().args(["--tee", "-q"]).arg("--spool", table.spool.path());
    tool.command(dir).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// One run of mod-store, in which something is killed. Gives what was acknowledged.
fn round(table: &Table<'_>, input: &[String], rng: &mut Rng) -> Vec<String> {
    let dir = TempDir::new().unwrap();
    let mut child = start(table, dir.path());
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
        match &table.place {
            Place::Server(server, _) if of_database => {
                server.kill();
                thread::sleep(pause);
                server.start();
            }
            _ => child.kill().unwrap(),
        }
        wait(&mut child, DEADLINE);
        listener.join().unwrap()
    })
}

/// So many rounds, of one table after the other.
fn kill_and_judge(tables: &mut [Table<'_>]) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let rounds = number("MODTOOLS_KILL_ROUNDS").unwrap_or(10);
    let seed = number("MODTOOLS_KILL_SEED").unwrap_or_else(|| fastrand::u64(..));
    let mut rng = Rng::with_seed(seed);
    for n in 0..usize::try_from(rounds).unwrap() {
        let of_round = n % tables.len();
        let table = &mut tables[of_round];
        let input = table.input(n, &mut rng);
        let lines = round(table, &input, &mut rng);
        table.acknowledge(&lines);
    }
    for table in tables {
        table.judge(seed);
        eprintln!("seed {seed}: {} of {} samples acknowledged", table.acknowledged.len(), table.sent.len());
    }
}

#[test]
fn what_was_acknowledged_survives_every_kill_and_is_stored_once() {
    let server = Server::new();
    kill_and_judge(&mut [
        Table::of_server(&server, "keyed", None),
        Table::of_server(&server, "older", Some(OLD)),
    ]);
}

#[test]
fn what_was_acknowledged_is_in_the_file_once_after_every_kill() {
    let dir = TempDir::new().unwrap();
    kill_and_judge(&mut [Table::new(Place::File(dir.path().join("m.db")))]);
}
