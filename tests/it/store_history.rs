//! Two collectors with spools store into one table while its server is killed and stopped and they are killed
//! themselves, and somebody reads all the time. What each was told and when, and what was read and when, is held as one
//! history. MODTOOLS_HISTORY_ROUNDS says how often something ends, MODTOOLS_HISTORY_SEED repeats the order.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use mysql::prelude::Queryable;
use tempfile::TempDir;

use crate::{
    mariadb::OLD,
    server::Server,
    store::{END, NOON_S, sample, scan},
    support::{DEADLINE, until, wait},
};

const UPSTREAMS: usize = 4;
const DATABASE: &str = "history";
/// From one group to the next.
const PACE: Duration = Duration::from_millis(30);

/// What became of a group as its receipt says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Stored,
    Spooled,
}

/// A group that was acknowledged.
struct Receipt {
    group: usize,
    kept: Kept,
    at: Instant,
    /// Which process said so.
    process: usize,
}

/// A collector, which starts again whenever its mod-store is killed.
struct Collector {
    name: &'static str,
    spool: TempDir,
    /// When each group was sent.
    sent: Mutex<Vec<Instant>>,
    receipts: Mutex<Vec<Receipt>>,
    child: Mutex<Option<Child>>,
    is_over: AtomicBool,
}

impl Collector {
    fn new(name: &'static str) -> Self {
        Collector {
            name,
            spool: TempDir::new().unwrap(),
            sent: Mutex::default(),
            receipts: Mutex::default(),
            child: Mutex::default(),
            is_over: AtomicBool::new(false),
        }
    }

    /// One process after another, until it is over.
    fn live(&self, server: &Server) {
        for process in 0.. {
            let dir = TempDir::new().unwrap();
            let tool = server.store(DATABASE).args(["--tee", "-q"]).arg("--spool", self.spool.path());
            let mut command = tool.command(dir.path());
            let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            let mut child = command.spawn().unwrap();
            let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
            *self.child.lock().unwrap() = Some(child);
            thread::scope(|scope| {
                scope.spawn(|| self.listen(stdout, process));
                self.feed(stdin);
            });
            wait(&mut self.child.lock().unwrap().take().unwrap(), DEADLINE);
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    fn feed(&self, mut stdin: ChildStdin) {
        while !self.is_over.load(Ordering::Relaxed) {
            let group = {
                let mut sent = self.sent.lock().unwrap();
                sent.push(Instant::now());
                sent.len() - 1
            };
            if stdin.write_all(self.text(group).as_bytes()).and_then(|()| stdin.flush()).is_err() {
                return;
            }
            thread::sleep(PACE);
        }
        // Nobody listens when the process was killed just now.
        let _ = stdin.write_all(END.as_bytes());
    }

    fn text(&self, group: usize) -> String {
        let ts = modtools::record::Timestamp(NOON_S + group as i64).to_string();
        let samples = (0..UPSTREAMS).map(|n| sample(&ts, self.name, &format!("u{n}"), "QAM64", ""));
        samples.collect::<String>() + &scan(&ts, self.name, "ok", UPSTREAMS as u64)
    }

    fn listen(&self, stdout: ChildStdout, process: usize) {
        for line in BufReader::new(stdout).lines() {
            let at = Instant::now();
            // The last line of a process that was killed may be cut.
            let Ok(record) = serde_json::from_str::<serde_json::Value>(&line.unwrap()) else { continue };
            if record["type"] != "stored" {
                continue;
            }
            let time: modtools::record::Timestamp = record["ts"].as_str().unwrap().parse().unwrap();
            let count = |field: &str| record[field].as_u64().unwrap_or_default();
            let kept = match (count("stored"), count("spooled")) {
                (4, 0) => Kept::Stored,
                (0, 4) => Kept::Spooled,
                _ => panic!("a group is kept whole or not at all: {record}"),
            };
            let group = usize::try_from(time.0 - NOON_S).unwrap();
            self.receipts.lock().unwrap().push(Receipt { group, kept, at, process });
        }
    }

    /// kill -9, of whatever process it has now.
    fn kill(&self) {
        if let Some(child) = self.child.lock().unwrap().as_mut() {
            child.kill().unwrap();
        }
    }

    /// How many groups it was told to be in the database or in the spool.
    fn told(&self, kept: Kept) -> usize {
        self.receipts.lock().unwrap().iter().filter(|receipt| receipt.kept == kept).count()
    }
}

/// What one look at the table showed: how many samples of each group of each collector.
struct Look {
    began: Instant,
    ended: Instant,
    groups: BTreeMap<(String, usize), u64>,
}

fn look(connection: &mut mysql::Conn) -> mysql::Result<Look> {
    let began = Instant::now();
    let sql = format!(
        "SELECT cmts, UNIX_TIMESTAMP(timestamp), COUNT(*) FROM {DATABASE}.modulation_new GROUP BY 1, 2"
    );
    let rows: Vec<(String, i64, u64)> = connection.query(sql)?;
    let key = |(cmts, time, count)| ((cmts, usize::try_from(time - NOON_S).unwrap()), count);
    Ok(Look { began, ended: Instant::now(), groups: rows.into_iter().map(key).collect() })
}

/// Looks again and again, whenever the server is there.
fn read(server: &Server, is_over: &AtomicBool) -> Vec<Look> {
    let mut looks = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        if let Ok(mut connection) = server.try_connect() {
            while !is_over.load(Ordering::Relaxed)
                && let Ok(seen) = look(&mut connection)
            {
                looks.push(seen);
                thread::sleep(Duration::from_millis(250));
            }
        }
        thread::sleep(Duration::from_millis(20));
    }
    looks
}

/// Ends something in each round, and waits until both collectors store again.
fn disturb(server: &Server, collectors: &[Collector], random: &mut fastrand::Rng, rounds: u64) {
    let told = |kept| collectors.iter().map(|collector| collector.told(kept)).collect::<Vec<_>>();
    let more = |what: &str, kept| {
        let before = told(kept);
        until(what, || told(kept).iter().zip(&before).all(|(now, before)| *now > before + 5));
    };
    more("groups in the database", Kept::Stored);
    for round in 0..rounds {
        match round % 4 {
            0 | 2 => {
                if round % 4 == 0 {
                    server.kill()
                } else {
                    server.stop()
                }
                more("groups in the spool", Kept::Spooled);
                if random.bool() {
                    // One that ends with a spool behind it.
                    collectors[random.usize(..2)].kill();
                    more("more groups in the spool", Kept::Spooled);
                }
                server.start();
            }
            _ => collectors[random.usize(..2)].kill(),
        }
        thread::sleep(Duration::from_millis(random.u64(..200)));
        more("groups in the database again", Kept::Stored);
    }
}

#[test]
fn what_two_collectors_were_told_and_what_was_read_is_one_history() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seed = number("MODTOOLS_HISTORY_SEED").unwrap_or_else(|| fastrand::u64(..));
    let rounds = number("MODTOOLS_HISTORY_ROUNDS").unwrap_or(4);
    let server = Server::new();
    server.run(&format!("CREATE DATABASE {DATABASE}"));
    // The older table, which has an id and takes a sample twice when it is sent twice.
    server.run(&OLD.replace("modulation_new", &format!("{DATABASE}.modulation_new")));
    server.store(DATABASE).args(["--init"]).run().clean(0);
    let collectors = [Collector::new("A"), Collector::new("B")];
    let is_over = AtomicBool::new(false);
    let mut looks = thread::scope(|scope| {
        let reader = scope.spawn(|| read(&server, &is_over));
        for collector in &collectors {
            scope.spawn(|| collector.live(&server));
        }
        disturb(&server, &collectors, &mut fastrand::Rng::with_seed(seed), rounds);
        for collector in &collectors {
            collector.is_over.store(true, Ordering::Relaxed);
        }
        until("the end of both", || collectors.iter().all(|c| c.child.lock().unwrap().is_none()));
        is_over.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    for collector in &collectors {
        server.store(DATABASE).arg("--spool", collector.spool.path()).run().clean(0);
    }
    looks.push(look(&mut server.connect()).unwrap());
    eprintln!("seed {seed}, {} looks", looks.len());
    for collector in &collectors {
        judge(collector, &looks);
        ids_rise(collector, &server);
    }
    nothing_goes_and_nothing_is_made_up(&collectors, &looks);
}

/// Each acknowledged group is there once in the end, and one that is in the database is seen from then on; of what one
/// process stored, the first groups are there before the later ones.
fn judge(collector: &Collector, looks: &[Look]) {
    let (name, sent) = (collector.name, collector.sent.lock().unwrap());
    let receipts = collector.receipts.lock().unwrap();
    let last = looks.last().unwrap();
    for pair in receipts.windows(2) {
        let in_order = pair[0].group < pair[1].group && pair[0].at <= pair[1].at;
        assert!(in_order, "{name}: {} is acknowledged before {}", pair[0].group, pair[1].group);
    }
    for receipt in receipts.iter() {
        let group = (name.to_owned(), receipt.group);
        assert!(sent[receipt.group] <= receipt.at, "{group:?} is acknowledged before it was sent");
        assert_eq!(last.groups.get(&group), Some(&(UPSTREAMS as u64)), "{group:?}, {:?}", receipt.kept);
    }
    let stored: Vec<&Receipt> = receipts.iter().filter(|receipt| receipt.kept == Kept::Stored).collect();
    assert!(stored.len() > 10 && stored.len() < receipts.len(), "{name}: {} of them", stored.len());
    for look in looks {
        let is_seen = |receipt: &&&Receipt| look.groups.contains_key(&(name.to_owned(), receipt.group));
        let late = stored.iter().find(|receipt| receipt.at < look.began && !is_seen(receipt));
        assert!(late.is_none(), "{name}: {} was stored and is not seen", late.unwrap().group);
        for of_one in stored.chunk_by(|a, b| a.process == b.process) {
            let seen = of_one.iter().take_while(is_seen).count();
            let hole = of_one[seen..].iter().find(is_seen);
            assert!(hole.is_none(), "{name}: {} is seen before an earlier one", hole.unwrap().group);
        }
    }
}

/// What one process stored at once has ids in the order in which it was sent.
fn ids_rise(collector: &Collector, server: &Server) {
    let name = collector.name;
    let sql = format!(
        "SELECT UNIX_TIMESTAMP(timestamp), MIN(id), MAX(id) FROM {DATABASE}.modulation_new \
         WHERE cmts = '{name}' GROUP BY 1"
    );
    let rows: Vec<(i64, u64, u64)> = server.connect().query(sql).unwrap();
    let ids: BTreeMap<usize, (u64, u64)> = rows
        .into_iter()
        .map(|(time, first, last)| (usize::try_from(time - NOON_S).unwrap(), (first, last)))
        .collect();
    let receipts = collector.receipts.lock().unwrap();
    let stored: Vec<_> = receipts.iter().filter(|receipt| receipt.kept == Kept::Stored).collect();
    for of_one in stored.chunk_by(|a, b| a.process == b.process) {
        for pair in of_one.windows(2) {
            let (earlier, later) = (ids[&pair[0].group], ids[&pair[1].group]);
            assert!(earlier.1 < later.0, "{name}: ids {earlier:?} before {later:?}");
        }
    }
}

/// Groups are seen whole, were sent before, and stay.
fn nothing_goes_and_nothing_is_made_up(collectors: &[Collector], looks: &[Look]) {
    let sent: BTreeMap<&str, Vec<Instant>> =
        collectors.iter().map(|collector| (collector.name, collector.sent.lock().unwrap().clone())).collect();
    for look in looks {
        for ((name, group), &samples) in &look.groups {
            assert_eq!(samples, UPSTREAMS as u64, "{name} {group} in part, or twice");
            let when = sent.get(name.as_str()).and_then(|sent| sent.get(*group));
            assert!(when.is_some_and(|when| *when < look.ended), "{name} {group} was never sent");
        }
    }
    for pair in looks.windows(2) {
        let gone = pair[0].groups.keys().find(|group| !pair[1].groups.contains_key(*group));
        assert!(gone.is_none(), "{gone:?} was there and is gone");
    }
}
