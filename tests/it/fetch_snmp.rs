//! ccap-fetch by SNMP on the simulated fleet: statuses of every fault, what is kept between scans, the inventory, and
//! secrets.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    support::{DEADLINE, Run, Tool, records, tool, wait},
    support_sim::{Fleet, PASSWORD, USER},
};

const FAULTS: [&str; 17] = [
    "CCAP001=snmp-silent",
    "CCAP002=snmp-community",
    "CCAP003=snmp-user",
    "CCAP004=snmp-lost",
    "CCAP005=snmp-doubled",
    "CCAP006=snmp-late:1300",
    "CCAP007=snmp-foreign",
    "CCAP008=snmp-too-big",
    "CCAP009=snmp-gen-err",
    "CCAP010=snmp-gen-err:snr",
    "CCAP011=snmp-loop",
    "CCAP012=snmp-endless",
    "CCAP013=snmp-cut",
    "CCAP014=snmp-hangs",
    "CCAP015=snmp-renumber",
    "CCAP016=snmp-line-breaks",
    "CCAP017=refused",
];

/// The fleet with a device for every fault, and two sound ones.
fn broken_fleet() -> Fleet {
    let mut flags = vec!["--devices", "e6000=18,cbr8=1", "--upstreams", "24"];
    flags.extend(FAULTS.iter().flat_map(|fault| ["--fault", fault]));
    Fleet::start(&flags)
}

pub fn fetch(fleet: &Fleet) -> Tool {
    tool("ccap-fetch")
        .args(["--via", "snmp", "-j", "32", "--request-timeout", "1s"])
        .arg("-i", fleet.inventory())
        .env("SNMP_COMMUNITY", PASSWORD)
}

/// As a user of SNMP v3.
fn as_user(tool: Tool) -> Tool {
    let tool = tool.env("SNMP_USER", USER).env("SNMP_AUTH", "SHA").env("SNMP_PRIV", "AES");
    tool.env("SNMP_AUTH_PASSWORD", PASSWORD).env("SNMP_PRIV_PASSWORD", PASSWORD)
}

fn captures(run: &Run) -> Vec<Value> {
    run.records().into_iter().filter(|record| record["type"] == "capture").collect()
}

/// One capture for each device with the status that the fault leads to, and one line for each that failed.
#[track_caller]
fn expect(fleet: &Fleet, run: &Run, version: &str) {
    let captures = captures(run);
    let statuses: BTreeMap<String, &Value> =
        captures.iter().map(|c| (c["cmts"].as_str().unwrap().to_owned(), &c["status"])).collect();
    let expected = fleet.expected_by_snmp();
    let wanted: BTreeMap<String, &Value> =
        expected.iter().map(|e| (e["cmts"].as_str().unwrap().to_owned(), &e[version])).collect();
    assert_eq!(statuses, wanted, "{}", run.stderr);
    assert_eq!((run.code, captures.len()), (Some(3), wanted.len()), "{}", run.stderr);
    for (cmts, status) in wanted {
        let lines = run.stderr.matches(&format!("ccap-fetch: {cmts}: ")).count();
        let good = ["ok", "partial"].contains(&status.as_str().unwrap());
        assert_eq!(lines, usize::from(!good), "{cmts}: {}", run.stderr);
    }
    assert!(!format!("{}{}", run.stdout, run.stderr).contains(PASSWORD));
}

#[test]
fn every_fault_has_its_status_by_community() {
    let fleet = broken_fleet();
    let run = fetch(&fleet).run();
    expect(&fleet, &run, "v2c");
    for (cmts, words) in [
        ("CCAP001", "the community is wrong"),
        ("CCAP009", "genErr (error-status 5)"),
        ("CCAP011", "OID not increasing"),
        ("CCAP012", "more than 100000 rows"),
        ("CCAP013", "cannot be decoded"),
        ("CCAP014", "no answer from"),
    ] {
        let line = run.stderr.lines().find(|line| line.contains(cmts)).unwrap_or_default();
        assert!(line.contains(words), "{words} is not in: {line}");
    }
    let captures = captures(&run);
    let of = |cmts: &str| captures.iter().find(|capture| capture["cmts"] == cmts).unwrap();
    // A walk that broke is not complete, and what an optional one lacks is named.
    let snr = of("CCAP010");
    assert!(
        snr["error"]
            .as_str()
            .unwrap()
            .starts_with("walk 1.3.6.1.2.1.10.127.1.1.4.1.5: the agent answers genErr")
    );
    for capture in &captures {
        let whole = capture["commands"].as_array().unwrap().iter().all(|command| command["complete"] == true);
        assert_eq!(whole, capture["status"] == "ok" || capture["commands"] == json!([]), "{capture}");
    }
    // What faults of the line do, costs nothing of the answers.
    let sound: Vec<&Value> =
        of("CCAP018")["commands"].as_array().unwrap().iter().map(|c| &c["command"]).collect();
    for cmts in ["CCAP004", "CCAP005", "CCAP006", "CCAP007", "CCAP008"] {
        let commands = of(cmts)["commands"].as_array().unwrap();
        assert_eq!(commands.iter().map(|c| &c["command"]).collect::<Vec<_>>(), sound);
        let lines = |oid: &str| {
            let walk = commands.iter().find(|c| c["command"] == format!("walk {oid}")).unwrap();
            let output = walk["output"].as_str().unwrap();
            assert!(!output.contains("INTEGER: 99"), "{cmts}: {output}");
            output.lines().filter(|line| line.starts_with(&format!(".{oid}."))).count()
        };
        // Upstreams, one that is out of service, and three other interfaces.
        assert_eq!(lines("1.3.6.1.2.1.2.2.1.8"), 28, "{cmts}");
    }
}

#[test]
fn every_fault_has_its_status_by_user() {
    let fleet = broken_fleet();
    let run = as_user(fetch(&fleet)).run();
    expect(&fleet, &run, "v3");
    assert!(run.stderr.contains("CCAP003: auth_failed: "), "{}", run.stderr);
}

/// The objects that were asked for below a subtree, by device.
fn asked(fleet: &Fleet, below: &str) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    for event in fleet.logins().iter().filter(|event| event["event"] == "asked") {
        if event["object"].as_str().unwrap().starts_with(below) {
            *asked.entry(event["cmts"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    asked
}

#[test]
fn names_and_profiles_are_kept_until_the_device_renumbers_its_interfaces() {
    let fleet = Fleet::start(&["--devices", "casa=2", "--fault", "CCAP102=snmp-renumber"]);
    let cache = TempDir::new().unwrap();
    let scan = || captures(&fetch(&fleet).arg("--cache", cache.path()).run().clean(0));
    let names = "1.3.6.1.2.1.2.2.1.2";
    let first = scan();
    let before = asked(&fleet, names);
    assert!(before["CCAP101"] > 0 && before["CCAP102"] > 0, "{before:?}");
    let second = scan();
    let after = asked(&fleet, names);
    assert_eq!(after["CCAP101"], before["CCAP101"], "kept");
    assert!(after["CCAP102"] > before["CCAP102"], "asked again");
    for (first, second) in first.iter().zip(&second) {
        let age = |capture: &Value| {
            let commands = capture["commands"].as_array().unwrap();
            commands.iter().find(|c| c["command"] == format!("walk {names}")).unwrap()["age_s"].clone()
        };
        let kept = second["cmts"] == "CCAP101";
        assert_eq!((age(first).is_null(), age(second).is_u64()), (true, kept), "{}", second["cmts"]);
    }
}

#[test]
fn repetitions_are_fifteen_and_halved_where_an_answer_is_too_big() {
    let fleet = Fleet::start(&["--devices", "e6000=2", "--fault", "CCAP001=snmp-too-big:4"]);
    fetch(&fleet).run().clean(0);
    let of = |cmts: &str| -> BTreeSet<u64> {
        let events = fleet.logins();
        let of_device = events.iter().filter(|event| event["event"] == "asked" && event["cmts"] == cmts);
        of_device.filter_map(|event| event["repetitions"].as_u64()).collect()
    };
    assert_eq!((of("CCAP001"), of("CCAP002")), ([3, 7, 15].into(), [15].into()));
}

#[test]
fn what_is_missing_or_cannot_be_is_refused_before_anything_is_sent() {
    let plain = || tool("ccap-fetch").args(["CCAP001", "--via", "snmp"]);
    plain().run().says(2, &["CCAP001 is asked by SNMP", "SNMP_COMMUNITY_FILE", "SNMP_USER"]);
    plain().env("SNMP_USER", "ops").run().says(2, &["SNMP_AUTH_PASSWORD", "SNMP_AUTH=none"]);
    let user = || plain().env("SNMP_USER", "ops").env("SNMP_AUTH_PASSWORD", "s3cret-signature");
    user().env("SNMP_AUTH", "SHA3").run().says(2, &["SNMP_AUTH", "SHA-512"]);
    user().env("SNMP_PRIV", "AES").run().says(2, &["SNMP_PRIV_PASSWORD"]);
    plain().env("SNMP_COMMUNITY", "x").args(["--command", "show version"]).run().says(2, &["walk OID"]);
    let file = TempDir::new().unwrap().keep().join("community");
    fs::write(&file, "x\n").unwrap();
    plain().env("SNMP_COMMUNITY_FILE", &file).run().says(2, &["chmod 600"]);
    fs::remove_dir_all(file.parent().unwrap()).unwrap();
    // Settings of SNMP that are wrong do not concern a fleet that is reached over SSH.
    let ssh = tool("ccap-fetch").args(["CCAP001", "--user", "u"]).env("SNMP_USER", "ops");
    ssh.run().says(2, &["no password", "CCAP_PASSWORD_FILE"]);
}

#[test]
fn an_inventory_says_the_way_and_the_port_of_each_device() {
    let inventory = r#"{"cmts":"CCAP001","port":2222}
{"cmts":"CCAP002","via":"snmp","port":1161}
{"cmts":"CCAP003","via":"snmp"}
{"cmts":"CCAP004","via":"ssh","port":2222,"snmp_port":1161}
{"cmts":"harmonic1","platform":"snmp","host":"2001:db8::1"}
{"cmts":"CCAP005","platform":"snmp","via":"ssh"}
{"cmts":"CCAP006","via":"telnet"}
"#;
    let lines = |args: &[&str]| -> Vec<String> {
        let run = tool("ccap-fetch")
            .args(["-i", "-", "--dry-run", "--user", "u"])
            .args(args)
            .stdin(inventory)
            .run();
        run.says(3, &["platform snmp cannot be asked via ssh", "expected one of ssh, snmp"])
            .stdout
            .lines()
            .filter(|line| line.contains(':') && !line.contains(": "))
            .map(str::to_owned)
            .collect()
    };
    let others = ["CCAP002 snmp CCAP002:1161", "CCAP003 snmp CCAP003:161", "CCAP004 e6000 u@CCAP004:2222"];
    let by_ssh = lines(&[]);
    assert_eq!(by_ssh[0], "CCAP001 e6000 u@CCAP001:2222");
    assert_eq!(by_ssh[1..4], others);
    let by_snmp = lines(&["--via", "snmp"]);
    assert_eq!(by_snmp[0], "CCAP001 snmp CCAP001:161", "the port of SSH is another one");
    assert_eq!(by_snmp[1..4], others);
    assert!(by_snmp[4].starts_with("harmonic1 snmp 2001:db8::1:161"), "{by_snmp:?}");
}

#[test]
fn check_says_who_answers_and_whether_its_channels_can_be_seen() {
    let fleet = Fleet::start(&[
        "--devices",
        "e6000=3",
        "--fault",
        "CCAP002=snmp-silent",
        "--fault",
        "CCAP003=empty-table",
    ]);
    let run = fetch(&fleet).arg("--retries", "0").args(["--check"]).run().says(3, &[]);
    let line =
        |cmts: &str| run.stdout.lines().find(|line| line.starts_with(cmts)).unwrap_or_default().to_owned();
    assert!(line("CCAP001").starts_with("CCAP001: ok, snmp, release"), "{}", run.stdout);
    assert!(
        line("CCAP002").contains("connect_timeout") && line("CCAP002").contains("community"),
        "{}",
        run.stdout
    );
    assert!(line("CCAP003").contains("shows no upstream channels"), "{}", run.stdout);
}

#[test]
fn a_transcript_holds_what_passed_and_no_secret() {
    let fleet = Fleet::start(&["--devices", "e6000=1"]);
    for user in [false, true] {
        let dir = TempDir::new().unwrap();
        let tool = fetch(&fleet).arg("--transcript", dir.path()).args(["-vv"]);
        let run = if user { as_user(tool) } else { tool }.run();
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let transcript = fs::read_to_string(dir.path().join("CCAP001.jsonl")).unwrap();
        let lines = records(&transcript);
        assert!(
            lines
                .iter()
                .any(|line| line["way"] == "out" && line["text"].as_str().unwrap().starts_with("getbulk 15"))
        );
        assert!(
            lines
                .iter()
                .any(|line| line["way"] == "in" && line["text"].as_str().unwrap().contains("cable-upstream"))
        );
        assert!(
            !transcript.contains(PASSWORD)
                && !run.stderr.contains(PASSWORD)
                && !run.stdout.contains(PASSWORD)
        );
    }
}

#[test]
fn a_signal_ends_a_wait_for_silent_devices() {
    let fleet = Fleet::start(&["--devices", "e6000=3", "--fault", "CCAP00?=snmp-silent"]);
    let dir = TempDir::new().unwrap();
    let tool = tool("ccap-fetch").args(["--via", "snmp", "--request-timeout", "60s", "-j", "2"]);
    let tool = tool.arg("-i", fleet.inventory()).env("SNMP_COMMUNITY", PASSWORD);
    let mut command = tool.command(dir.path());
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let stdout = crate::support::drain(child.stdout.take().unwrap());
    crate::support::until("two sessions", || {
        fs::read_dir(format!("/proc/{}/task", child.id())).unwrap().count() > 2
    });
    let began = Instant::now();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    wait(&mut child, DEADLINE);
    // Sooner than the first of the requests gives up.
    assert!(began.elapsed() < Duration::from_secs(50), "{:?}", began.elapsed());
    let records = records(&stdout.join().unwrap());
    assert_eq!(records.iter().filter(|record| record["status"] == "cancelled").count(), 3, "{records:?}");
    assert_eq!(records.last().unwrap()["type"], "end");
}
