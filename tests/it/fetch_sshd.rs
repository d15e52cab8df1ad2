//! ccap-fetch against OpenSSH: a second, independent server, whose forced command plays a device.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::Stdio,
    time::Instant,
};

use crate::{
    sshd::{Login, Sshd, me},
    support::{Tool, in_package, tool},
};

fn device() -> (Sshd, PathBuf) {
    let script = in_package("tests/it/devices/e6000.sh");
    let sshd = Sshd::start(Login::Forced(&script.display().to_string()));
    let known_hosts = sshd.known_hosts();
    (sshd, known_hosts)
}

fn fetch(sshd: &Sshd, inventory: &str) -> Tool {
    tool("ccap-fetch").args(["--user", &me(), "--identity"]).args([sshd.key()]).stdin(inventory)
}

fn line(sshd: &Sshd, rest: &str) -> String {
    format!("{{\"cmts\":\"CCAP001\",\"host\":\"127.0.0.1\",\"port\":{}{rest}}}\n", sshd.port)
}

#[test]
fn the_chain_works_with_openssh() {
    let (sshd, known_hosts) = device();
    let run = fetch(&sshd, &line(&sshd, "")).args(["--known-hosts"]).args([known_hosts]).run().clean(0);
    let records = run.records();
    assert_eq!(records.len(), 2, "{}", run.stdout);
    let capture = &records[0];
    assert_eq!((capture["status"].as_str(), capture["attempts"].as_u64()), (Some("ok"), Some(1)));
    assert!(capture["host_key_sha256"].as_str().is_some_and(|key| key.starts_with("SHA256:")));
    assert_eq!(capture["algorithms"]["hostkey"], "ssh-ed25519");
    assert!(capture["commands"][0]["output"].as_str().is_some_and(|o| !o.contains("LAB-CCAP001")));
    assert_eq!((&records[1]["type"], &records[1]["ok"]), (&"end".into(), &1.into()));

    let parsed = tool("mod-parse").stdin(run.stdout).run().clean(0).records();
    let samples: Vec<_> =
        parsed.iter().filter(|r| r["type"] == "sample").map(|r| (&r["upstream"], &r["modulation"])).collect();
    assert_eq!(samples, [(&"2/scq/0".into(), &"QAM64".into()), (&"2/scq/13".into(), &"QAM16".into())]);
}

#[test]
fn an_unknown_host_key_is_refused_until_it_is_learned() {
    let (sshd, known_hosts) = device();
    let own = sshd.dir().join("learned/known_hosts");
    let with = |policy: &str| {
        fetch(&sshd, &line(&sshd, ""))
            .args(["--known-hosts"])
            .args([&own])
            .args(["--host-keys", policy])
            .run()
    };
    let refused = with("strict").says(3, &["CCAP001: host_key_unknown: ", "accept-new"]);
    assert_eq!(refused.records()[0]["status"], "host_key_unknown");
    with("accept-new").clean(0);
    with("strict").clean(0);
    let right = std::fs::read_to_string(&known_hosts).expect("readable");
    let learned = std::fs::read_to_string(&own).expect("readable");
    assert_eq!(
        learned.split_whitespace().take(3).collect::<Vec<_>>(),
        right.split_whitespace().take(3).collect::<Vec<_>>()
    );

    // Another key than the known one is refused in every mode, before anything is sent.
    let other = sshd.dir().join("other");
    crate::sshd::keygen(&other);
    let key = std::fs::read_to_string(other.with_extension("pub")).expect("a key");
    std::fs::write(&own, format!("[127.0.0.1]:{} {key}", sshd.port)).expect("written");
    for policy in ["strict", "accept-new"] {
        with(policy).says(3, &["CCAP001: host_key_changed: ", "line 1"]);
    }
}

#[test]
fn commands_of_the_users_own_and_an_error_text() {
    let (sshd, known_hosts) = device();
    let with = |command: &str| {
        fetch(&sshd, &line(&sshd, ""))
            .args(["--command", command, "--known-hosts"])
            .args([&known_hosts])
            .run()
    };
    let table = with("show interface cable-upstream").clean(0).records();
    assert_eq!(table[0]["commands"].as_array().map(Vec::len), Some(1));
    let refused =
        with("show nonsense").says(3, &["CCAP001: command_failed: show nonsense: Error: unknown command"]);
    assert_eq!(refused.records()[0]["status"], "command_failed");
}

#[test]
fn the_platform_is_found_out_and_silence_has_its_budget() {
    let (sshd, known_hosts) = device();
    let inventory = line(&sshd, "").replace("CCAP001", "lab");
    let detected = fetch(&sshd, &inventory).args(["--detect", "--known-hosts"]).args([&known_hosts]).run();
    // The script knows no `show chassistype`, so nothing tells what it is.
    let detected = detected.says(3, &["lab: command_failed: the platform is not recognised"]);
    assert_eq!(detected.records()[0]["platform"], "unknown");
    let hanging = fetch(&sshd, &line(&sshd, ""))
        .args(["--command", "hang", "--idle-timeout", "1s", "--known-hosts"])
        .args([&known_hosts])
        .run()
        .says(3, &["CCAP001: read_timeout: silent for 1 s"]);
    assert_eq!(hanging.records()[0]["commands"][0]["complete"], false);
}

/// A key that was added while a collector ran was not seen until its restart.
#[test]
fn a_host_key_that_is_added_holds_from_the_next_scan_on() {
    let (sshd, right) = device();
    let dir = tempfile::TempDir::new().unwrap();
    let known_hosts = dir.path().join("known_hosts");
    let inventory = dir.path().join("inventory");
    std::fs::write(&inventory, line(&sshd, "")).unwrap();
    let tool = fetch(&sshd, "").arg("-i", &inventory).arg("--known-hosts", &known_hosts);
    let mut command = tool.args(["--every", "1s", "--tick", "1s", "--retries", "0"]).command(dir.path());
    let log = std::fs::File::create(dir.path().join("log")).unwrap();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let began = Instant::now();
    let mut statuses: Vec<String> = Vec::new();
    for line in lines {
        assert!(began.elapsed() < crate::support::DEADLINE, "{statuses:?}");
        let record: serde_json::Value = serde_json::from_str(&line).unwrap();
        if record["type"] != "capture" {
            continue;
        }
        let status = record["status"].as_str().unwrap().to_owned();
        if status == "host_key_unknown" && statuses.is_empty() {
            std::fs::copy(&right, &known_hosts).unwrap();
        }
        let is_good = status == "ok";
        statuses.push(status);
        if is_good {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(statuses.first().map(String::as_str), Some("host_key_unknown"), "{statuses:?}");
    assert_eq!(statuses.last().map(String::as_str), Some("ok"), "{statuses:?}");
}
