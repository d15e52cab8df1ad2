//! Runs of ccap-fetch as a whole, against the simulated fleet: accounts, caches, transcripts, signals and the
//! continuous mode.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead, BufReader},
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    path::Path,
    process::{Child, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
};

use modtools::record::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    report::at,
    support::{DEADLINE, Tool, drain, records, tool, wait},
    support_sim::{Fleet, PASSWORD, USER},
};

fn fetch(fleet: &Fleet) -> Tool {
    tool("ccap-fetch")
        .args(["--user", USER, "--login-rate", "1000/s"])
        .arg("-i", fleet.inventory())
        .arg("--known-hosts", fleet.known_hosts())
        .env("CCAP_PASSWORD", PASSWORD)
}

fn captures(stream: &str) -> Vec<Value> {
    records(stream).into_iter().filter(|record| record["type"] == "capture").collect()
}

/// Events of the fleet's journal of one kind.
fn events(fleet: &Fleet, kind: &str) -> Vec<Value> {
    fleet.logins().into_iter().filter(|event| event["event"] == kind).collect()
}

#[test]
fn sixty_devices_give_what_they_show() {
    let fleet = Fleet::start(&["--devices", "e6000=20,casa=20,cbr8=20", "--upstreams", "12"]);
    let run = fetch(&fleet).args(["-j", "16"]).run().clean(0);
    let parsed = tool("mod-parse").stdin(run.stdout).run().clean(0);
    let samples = parsed.stdout.lines().filter(|line| line.contains("\"type\":\"sample\""));
    // Line for line, but for the time.
    let mut lines: Vec<String> = samples
        .map(|line| {
            let (head, rest) = line.split_once("\"ts\":").expect("a time");
            format!("{head}{}", rest.split_once(',').expect("more").1)
        })
        .collect();
    lines.sort_unstable();
    assert_eq!(lines, fleet.truth());
    assert_eq!(events(&fleet, "logout").len(), 60, "every session is logged out");
}

#[test]
fn customers_and_descriptions_of_every_family_come_into_the_report() {
    let fleet = Fleet::start(&["--devices", "e6000=1,casa=1,cbr8=1", "--upstreams", "12"]);
    let parsed = tool("mod-parse").stdin(fetch(&fleet).run().clean(0).stdout).run().clean(0);
    let dir = TempDir::new().unwrap();
    let db = format!("sqlite:{}", dir.path().join("m.db").display());
    tool("mod-store").args(["--init", "--db", &db]).stdin(parsed.stdout.clone()).run().clean(0);
    // Ten minutes later, each is below what is expected since its one sample.
    let ts: Timestamp = records(&parsed.stdout)[0]["ts"].as_str().unwrap().parse().unwrap();
    let window = ["--db", &db, "--from", &ts.to_string(), "--expected", "QAM256", "--sort", "customers"];
    let rows = records(&at(ts + 600, None, &[&window[..], &["--format", "ndjson"]].concat(), b"").1);
    let (rows, truth) = (&rows[1..], records(&fleet.truth().join("\n")));
    assert_eq!((rows.len(), truth.len()), (36, 36));
    let mut before = f64::INFINITY;
    for row in rows {
        let shown = |sample: &&Value| ["cmts", "upstream"].iter().all(|name| sample[name] == row[name]);
        let shown = truth.iter().find(shown).unwrap();
        assert_eq!((&row["modems"], &row["description"]), (&shown["modems"], &shown["description"]));
        let modems = row["modems"].as_f64().unwrap_or_else(|| panic!("{row}"));
        let hours = row["customer_hours"].as_f64().unwrap_or_default();
        let degraded_s = row["degraded_s"].as_f64().unwrap_or_default();
        assert!((hours - degraded_s * modems / 3600.0).abs() < 0.001 && hours <= before, "{row}");
        before = hours;
    }
    for family in ["e6000", "casa", "cbr8"] {
        let of = |row: &&Value| row["platform"] == family && row["customer_hours"].as_f64() > Some(0.0);
        assert!(rows.iter().filter(of).any(|row| !row["description"].is_null()), "{family}");
    }
}

#[test]
fn an_account_that_is_rejected_is_not_tried_until_it_is_locked() {
    let fleet = Fleet::start(&["--devices", "e6000=12", "--fault", "*=reject-password"]);
    let run = fetch(&fleet).args(["-j", "12"]).run().says(3, &["--auth-breaker", "CCAP001: auth_failed: "]);
    let captures = captures(&run.stdout);
    assert!(captures.iter().all(|c| c["status"] == "auth_failed"), "{}", run.stderr);
    let not_tried = captures.iter().filter(|c| c["error"].as_str().unwrap().starts_with("not tried")).count();
    assert_eq!((captures.len(), not_tried), (12, 9));
    let sent: Vec<_> = events(&fleet, "auth").into_iter().filter(|e| e["method"] != "none").collect();
    assert_eq!(sent.len(), 3, "{sent:?}");
}

#[test]
fn a_password_is_sent_once_to_each_device_and_a_second_account_only_when_given() {
    let fleet = Fleet::start(&["--devices", "casa=3"]);
    let wrong = || fetch(&fleet).args(["--auth-breaker", "0"]).env("CCAP_PASSWORD", "wrong");
    wrong().run().says(3, &["CCAP101: auth_failed: rejected for user \"operator\": tried password"]);
    let sent = |method: &str| events(&fleet, "auth").into_iter().filter(|e| e["method"] == method).count();
    assert_eq!((sent("password"), sent("keyboard-interactive")), (3, 0));
    let run = wrong().args(["--local-user", USER]).env("CCAP_LOCAL_PASSWORD", PASSWORD).run().clean(0);
    assert!(captures(&run.stdout).iter().all(|c| c["attempts"] == 2 && c["status"] == "ok"));
}

#[test]
fn the_platform_is_found_out_at_login() {
    let fleet = Fleet::start(&["--devices", "e6000=1,casa=1,cbr8=1"]);
    let mut inventory = String::new();
    for (name, cmts) in [("one", "CCAP001"), ("two", "CCAP101"), ("three", "CCAP201")] {
        let (host, port) = fleet.address(cmts);
        inventory += &format!("{{\"cmts\":\"{name}\",\"host\":\"{host}\",\"port\":{port}}}\n");
    }
    let run = tool("ccap-fetch")
        .args(["--detect", "--user", USER])
        .arg("--known-hosts", fleet.known_hosts())
        .env("CCAP_PASSWORD", PASSWORD)
        .stdin(inventory)
        .run()
        .clean(0);
    let found: BTreeMap<_, _> = captures(&run.stdout)
        .iter()
        .map(|c| (c["cmts"].as_str().unwrap().to_owned(), c["platform"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [("one", "e6000"), ("two", "casa"), ("three", "cbr8")].map(|(n, p)| (n.into(), p.into()));
    assert_eq!(found, BTreeMap::from(expected));
}

#[test]
fn profiles_are_kept_between_runs() {
    let fleet = Fleet::start(&["--devices", "e6000=2,casa=2,cbr8=2"]);
    let dir = TempDir::new().unwrap();
    let run = || fetch(&fleet).arg("--cache", dir.path()).run().clean(0);
    let ages = |stream: &str| {
        let all = captures(stream);
        let commands = all.iter().flat_map(|c| c["commands"].as_array().unwrap().clone());
        commands.filter(|command| command["age_s"].is_u64()).count()
    };
    let (first, asked) = (run(), events(&fleet, "command").len());
    let (second, asked_both) = (run(), events(&fleet, "command").len());
    // One command of the cBR-8 is kept, and two of the E6000 and the Casa.
    assert_eq!((ages(&first.stdout), ages(&second.stdout)), (0, 10));
    assert_eq!(asked_both, 2 * asked - 10);
    let parse = |stream: &str| {
        let parsed = tool("mod-parse").stdin(stream).run().clean(0);
        parsed.records().iter().filter(|r| r["type"] == "sample").count()
    };
    assert_eq!(parse(&first.stdout), parse(&second.stdout));
    let fresh = fetch(&fleet).arg("--cache", dir.path()).args(["--refresh", "0s"]).run().clean(0);
    assert_eq!(ages(&fresh.stdout), 0);
}

#[test]
fn no_secret_reaches_arguments_children_logs_or_transcripts() {
    let fleet = Fleet::start(&["--devices", "cbr8=1", "--fault", "*=user-mode:ask"]);
    let dir = TempDir::new().unwrap();
    let (host, port) = fleet.address("CCAP201");
    // The jump host's ssh is a script that tells what it was given, and then carries the connection.
    fs::create_dir(dir.path().join("bin")).unwrap();
    let script = format!(
        "#!/bin/sh\n{{ env; tr '\\0' ' ' </proc/$PPID/cmdline; echo \"$@\"; }} >{dir}/told\n\
         exec python3 {dir}/carry.py {host} {port}\n",
        dir = dir.path().display()
    );
    fs::write(dir.path().join("bin/ssh"), script).unwrap();
    fs::set_permissions(dir.path().join("bin/ssh"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(dir.path().join("carry.py"), CARRY).unwrap();
    let run = fetch(&fleet)
        .args(["-vv", "--enable", "--jump", "gate"])
        .arg("--transcript", dir.path().join("transcripts"))
        .env("FERNET_KEY", "not-for-children")
        .env("PATH", format!("{}:{}", dir.path().join("bin").display(), std::env::var("PATH").unwrap()))
        .dir(dir.path())
        .run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let told = fs::read_to_string(dir.path().join("told")).unwrap();
    assert!(told.contains("-W") && told.contains("gate"), "{told}");
    let transcript = fs::read_to_string(dir.path().join("transcripts/CCAP201.jsonl")).unwrap();
    let lines = records(&transcript);
    assert!(lines.iter().any(|line| line["way"] == "out" && line["text"] == "show cable modem summary\n"));
    assert!(lines.iter().any(|line| line["way"] == "in" && line["bytes"].as_u64() > Some(0)));
    assert!(transcript.contains("(secret)"), "{transcript}");
    for (place, text) in
        [("children", &told), ("transcript", &transcript), ("log", &run.stderr), ("output", &run.stdout)]
    {
        assert!(!text.contains(PASSWORD) && !text.contains("not-for-children"), "{place}: {text}");
    }
}

/// Carries standard input and output (one socket) to a TCP connection.
const CARRY: &str = "\
import select, socket, sys
far = socket.create_connection((sys.argv[1], int(sys.argv[2])))
near = socket.socket(fileno=0)
while True:
    for ready in select.select([far, near], [], [])[0]:
        data = ready.recv(65536)
        if not data:
            sys.exit()
        (near if ready is far else far).sendall(data)
";

/// A tool that runs on, and its records as they come.
struct Running {
    child: Child,
    lines: Receiver<Value>,
    stderr: Option<thread::JoinHandle<String>>,
}

impl Running {
    fn start(tool: &Tool, dir: &Path) -> Self {
        let mut command = tool.command(dir);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            for line in stdout.lines() {
                let record = serde_json::from_str(&line.unwrap()).unwrap();
                if sender.send(record).is_err() {
                    return;
                }
            }
        });
        let stderr = Some(drain(child.stderr.take().unwrap()));
        Running { child, lines, stderr }
    }

    /// The next record; the test fails when none comes.
    #[track_caller]
    fn next(&self) -> Value {
        self.lines.recv_timeout(DEADLINE).expect("a record")
    }

    fn tell(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }

    /// The records up to its end, the signal that ended it, and what it said.
    fn end(mut self) -> (Vec<Value>, Option<i32>, String) {
        let status = wait(&mut self.child, DEADLINE);
        let rest = self.lines.iter().collect();
        (rest, status.signal(), self.stderr.take().unwrap().join().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_continuous_mode_goes_round_and_follows_the_inventory() {
    let fleet = Fleet::start(&["--devices", "e6000=3", "--fault", "CCAP003=refused", "--upstreams", "4"]);
    let dir = TempDir::new().unwrap();
    let running = Running::start(
        &fetch(&fleet).args(["--every", "2s", "--tick", "100ms", "--retries", "0"]),
        dir.path(),
    );
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut beats = 0;
    while seen.len() < 3 || seen.values().any(|&n| n < 2) {
        let record = running.next();
        match record["type"].as_str().unwrap() {
            "capture" => *seen.entry(record["cmts"].as_str().unwrap().to_owned()).or_default() += 1,
            "heartbeat" => {
                beats += 1;
                assert_eq!(record["devices"], 3);
                assert!(record["next_due"].is_string(), "{record}");
            }
            other => panic!("{other}"),
        }
    }
    assert!(beats > 5, "{beats} heartbeats");
    // A device goes, and one comes that is nowhere: the others go on.
    let inventory = fs::read_to_string(fleet.inventory()).unwrap();
    let changed = inventory.lines().filter(|line| !line.contains("CCAP002")).collect::<Vec<_>>().join("\n");
    fs::write(fleet.inventory(), changed + "\nrouter7\n").unwrap();
    while running.next()["devices"] != 2 {}
    running.tell(Signal::HUP);
    let mut since: BTreeSet<String> = BTreeSet::new();
    while since.len() < 2 {
        let record = running.next();
        if record["type"] == "capture" {
            since.insert(record["cmts"].as_str().unwrap().to_owned());
        }
    }
    running.tell(Signal::TERM);
    let (rest, signal, stderr) = running.end();
    assert_eq!(signal, Some(Signal::TERM.as_raw()), "{stderr}");
    assert_eq!(rest.last().unwrap()["type"], "end");
    let failing = stderr.lines().filter(|line| line.contains("CCAP003: refused")).count();
    assert_eq!(failing, 1, "a failing device is named when its state changes: {stderr}");
    assert!(stderr.contains("router7"), "{stderr}");
}

#[test]
fn a_signal_in_the_middle_of_a_pipe_gives_a_capture_for_every_device_and_all_are_stored() {
    let fleet = Fleet::start(&["--devices", "e6000=10", "--latency", "100ms", "--upstreams", "4"]);
    let dir = TempDir::new().unwrap();
    let url = format!("sqlite:{}", dir.path().join("m.db").display());
    let piped = |tool: &Tool, stdin: Stdio| {
        let mut command = tool.command(dir.path());
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut source = piped(&fetch(&fleet).args(["-j", "2"]), Stdio::null());
    let mut parse = piped(&tool("mod-parse"), source.stdout.take().unwrap().into());
    let store = tool("mod-store").args(["--init", "--db", &url, "--tee"]);
    let mut store = piped(&store, parse.stdout.take().unwrap().into());
    let mut lines = BufReader::new(store.stdout.take().unwrap()).lines();
    let mut stored = Vec::new();
    // The first device is through the whole pipe when the signal comes.
    while !stored.iter().any(|line: &String| line.contains("\"type\":\"scan\"")) {
        stored.push(lines.next().expect("a scan").unwrap());
    }
    kill_process(Pid::from_child(&source), Signal::INT).unwrap();
    stored.extend(lines.map(Result::unwrap));
    assert_eq!(wait(&mut source, DEADLINE).signal(), Some(Signal::INT.as_raw()));
    assert_eq!(wait(&mut parse, DEADLINE).code(), Some(0));
    assert_eq!(wait(&mut store, DEADLINE).code(), Some(3), "scans that failed were stored");
    let records = records(&stored.join("\n"));
    let scans: Vec<_> = records.iter().filter(|record| record["type"] == "scan").collect();
    let names: BTreeSet<_> = scans.iter().map(|scan| scan["cmts"].as_str().unwrap()).collect();
    let count = |status: &str| scans.iter().filter(|scan| scan["status"] == status).count();
    assert_eq!((scans.len(), names.len(), count("ok") + count("cancelled")), (10, 10, 10));
    assert!(count("cancelled") >= 4, "{} were cancelled", count("cancelled"));
    assert_eq!(records.last().unwrap()["type"], "end");
}

#[test]
fn a_second_signal_ends_at_once() {
    let fleet = Fleet::start(&["--devices", "casa=1", "--fault", "*=hang-mid-output"]);
    let dir = TempDir::new().unwrap();
    let running = Running::start(&fetch(&fleet), dir.path());
    crate::support::until("the session", || !events(&fleet, "command").is_empty());
    running.tell(Signal::TERM);
    // Two of the same kind may become one before they are delivered.
    running.tell(Signal::INT);
    let (rest, signal, _) = running.end();
    assert!(signal == Some(Signal::TERM.as_raw()) || signal == Some(Signal::INT.as_raw()), "{signal:?}");
    assert_eq!(rest.len(), 0);
}
