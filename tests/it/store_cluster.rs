//! Two collectors into a Galera cluster whose nodes are killed, stopped and come back: every
//! acknowledged sample is there once, on every node. Run by `make test-cluster` alone.

use std::{
    collections::{HashMap, HashSet},
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use mysql::{Conn, OptsBuilder, prelude::Queryable};
use tempfile::TempDir;

use crate::{
    mariadb::variable,
    store::{END, NOON_S, sample, scan},
    support::{DEADLINE, Tool, tool, until, wait},
};

const UPSTREAMS: usize = 8;
/// Groups that each collector must get through in each situation.
const PROGRESS: usize = 60;

/// Device, upstream and UNIX time.
type Key = (String, String, i64);

/// The nodes, in the order of their numbers from 1.
struct Cluster {
    hosts: Vec<String>,
    dir: String,
}

impl Cluster {
    fn new() -> Self {
        let hosts = variable("MODTOOLS_TEST_CLUSTER").split(',').map(str::to_owned).collect();
        Cluster { hosts, dir: variable("MODTOOLS_TEST_CLUSTER_DIR") }
    }

    /// mod-store, which tries this node first.
    fn store(&self, first: usize) -> Tool {
        let (user, mut hosts) = (variable("MODTOOLS_TEST_CLUSTER_USER"), self.hosts.clone());
        hosts.rotate_left(first - 1);
        let url = format!("mysql://{user}@{}/access", hosts.join(","));
        tool("mod-store")
            .args(["--db", &url])
            .env("ACCESS_PASSWORD", variable("MODTOOLS_TEST_CLUSTER_PASSWORD"))
    }

    fn connect(&self, node: usize) -> mysql::Result<Conn> {
        let port = self.hosts[node - 1].rsplit_once(':').unwrap().1.parse().unwrap();
        let options = OptsBuilder::new()
            .ip_or_hostname(Some("127.0.0.1"))
            .tcp_port(port)
            .user(Some(variable("MODTOOLS_TEST_CLUSTER_USER")))
            .pass(Some(variable("MODTOOLS_TEST_CLUSTER_PASSWORD")))
            .prefer_socket(false)
            .tcp_connect_timeout(Some(Duration::from_secs(5)))
            .read_timeout(Some(Duration::from_secs(10)));
        Conn::new(options)
    }

    fn signal(&self, node: usize, signal: &str) {
        let pid = std::fs::read_to_string(format!("{}/{node}.pid", self.dir)).unwrap();
        assert!(Command::new("kill").args([signal, pid.trim()]).status().unwrap().success());
    }

    fn start(&self, node: usize) {
        let status = Command::new(format!("{}/start", self.dir)).arg(node.to_string()).status();
        assert!(status.unwrap().success());
    }

    /// Whether a node is a synchronised member of three.
    fn is_whole(&self, node: usize) -> bool {
        let status = |connection: &mut Conn, name: &str| -> Option<String> {
            let sql = format!("SHOW STATUS LIKE '{name}'");
            connection.query_first::<(String, String), _>(sql).ok()?.map(|(_, value)| value)
        };
        self.connect(node).is_ok_and(|mut connection| {
            status(&mut connection, "wsrep_local_state_comment").as_deref() == Some("Synced")
                && status(&mut connection, "wsrep_cluster_size").as_deref() == Some("3")
        })
    }
}

/// One of several mod-stores, each with devices and a spool of its own.
struct Collector {
    name: &'static str,
    spool: TempDir,
    child: Mutex<Child>,
    /// Groups acknowledged so far.
    heard: AtomicUsize,
    acknowledged: Mutex<HashSet<Key>>,
}

impl Collector {
    fn new(cluster: &Cluster, name: &'static str, first: usize) -> Self {
        let spool = TempDir::new().unwrap();
        let tool = cluster.store(first).args(["--tee", "-q"]).arg("--spool", spool.path());
        let mut command = tool.command(spool.path());
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
        Collector {
            name,
            spool,
            child: Mutex::new(child.unwrap()),
            heard: AtomicUsize::new(0),
            acknowledged: Mutex::new(HashSet::new()),
        }
    }

    /// A scan of one of its devices every few milliseconds.
    fn feed(&self, over: &AtomicBool) {
        let mut stdin = self.child.lock().unwrap().stdin.take().unwrap();
        for n in 0.. {
            if over.load(Ordering::Relaxed) {
                break;
            }
            let ts = modtools::record::Timestamp(NOON_S + 600 * (n / 10)).to_string();
            let cmts = format!("{}{:03}", self.name, n % 10);
            let mut group: String =
                (0..UPSTREAMS).map(|u| sample(&ts, &cmts, &format!("u{u}"), "QAM64", "")).collect();
            group += &scan(&ts, &cmts, "ok", UPSTREAMS as u64);
            stdin.write_all(group.as_bytes()).unwrap();
            thread::sleep(Duration::from_millis(4));
        }
        stdin.write_all(END.as_bytes()).unwrap();
    }

    fn listen(&self) {
        let stdout = self.child.lock().unwrap().stdout.take().unwrap();
        for line in BufReader::new(stdout).lines() {
            let record: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
            let text = |field: &str| record[field].as_str().unwrap().to_owned();
            if record["type"] == "sample" {
                let time: modtools::record::Timestamp = text("ts").parse().unwrap();
                self.acknowledged.lock().unwrap().insert((text("cmts"), text("upstream"), time.0));
            } else if record["type"] == "stored" {
                self.heard.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Waits until every collector has got on.
fn progress(what: &str, collectors: &[Collector]) {
    let heard = |collector: &Collector| collector.heard.load(Ordering::Relaxed);
    let goals: Vec<_> = collectors.iter().map(|collector| heard(collector) + PROGRESS).collect();
    until(what, || collectors.iter().zip(&goals).all(|(collector, &goal)| heard(collector) >= goal));
}

fn disturb(cluster: &Cluster, collectors: &[Collector]) {
    progress("the beginning", collectors);
    cluster.signal(1, "-KILL");
    progress("progress without node 1", collectors);
    cluster.start(1);
    until("node 1 again", || cluster.is_whole(1));
    progress("progress with node 1", collectors);
    cluster.signal(2, "-STOP");
    progress("progress while node 2 is silent", collectors);
    cluster.signal(2, "-CONT");
    until("node 2 again", || cluster.is_whole(2));
    cluster.signal(3, "-KILL");
    progress("progress without node 3", collectors);
    cluster.start(3);
    until("node 3 again", || cluster.is_whole(3));
    progress("the end", collectors);
}

fn judge(cluster: &Cluster, collector: &Collector) {
    let spool: &Path = collector.spool.path();
    cluster.store(1).arg("--spool", spool).run().clean(0);
    for node in 1..=3 {
        // What the others have committed is applied here first, which may take its time.
        let ask = || -> mysql::Result<Vec<Key>> {
            let mut connection = cluster.connect(node)?;
            connection.query_drop("SET SESSION wsrep_sync_wait = 1")?;
            connection.query("SELECT cmts, upstream, UNIX_TIMESTAMP(timestamp) FROM access.modulation_new")
        };
        let mut answer = ask();
        until("a node's answer", || {
            if let Err(fault) = &answer {
                eprintln!("node {node}: {fault}");
                answer = ask();
            }
            answer.is_ok()
        });
        let mut times: HashMap<Key, usize> = HashMap::new();
        for key in answer.unwrap() {
            *times.entry(key).or_default() += 1;
        }
        let acknowledged = collector.acknowledged.lock().unwrap();
        let lost = acknowledged.iter().filter(|key| times.get(*key) != Some(&1)).count();
        assert_eq!(lost, 0, "of {} acknowledged by {} on node {node}", acknowledged.len(), collector.name);
    }
}

#[test]
#[ignore = "needs a cluster: make test-cluster"]
fn two_collectors_lose_nothing_while_nodes_die_stop_and_rejoin() {
    let cluster = Cluster::new();
    cluster.connect(1).unwrap().query_drop("CREATE DATABASE access").unwrap();
    cluster.store(1).args(["--init"]).run().clean(0);
    let collectors = [Collector::new(&cluster, "EAST", 1), Collector::new(&cluster, "WEST", 2)];
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for collector in &collectors {
            scope.spawn(|| collector.feed(&over));
            scope.spawn(|| collector.listen());
        }
        // The feeders end whatever happens here.
        let outcome =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| disturb(&cluster, &collectors)));
        over.store(true, Ordering::Relaxed);
        for collector in &collectors {
            wait(&mut collector.child.lock().unwrap(), DEADLINE);
        }
        outcome.unwrap_or_else(|fault| std::panic::resume_unwind(fault));
    });
    for collector in &collectors {
        judge(&cluster, collector);
    }
}
