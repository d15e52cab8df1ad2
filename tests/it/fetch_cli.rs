//! ccap-fetch before its first connection: inventories, flags and what is refused.

use std::{fs, process::Stdio};

use tempfile::TempDir;

use crate::support::{Tool, records, tool};

fn fetch<const N: usize>(args: [&str; N]) -> Tool {
    tool("ccap-fetch").args(args)
}

#[test]
fn what_cannot_be_used_is_refused_with_the_flag_and_the_remedy() {
    for (args, stdin, words) in [
        (
            vec!["--platform", "nokia"],
            "CCAP001\n",
            vec!["--platform", "expected one of e6000, casa, cbr8, snmp"],
        ),
        (vec![], "", vec!["the inventory is empty", "-i FILE"]),
        (vec!["-i", "no/such/file"], "", vec!["cannot read no/such/file"]),
        (vec!["--user", "u"], "CCAP001\n", vec!["no password", "CCAP_PASSWORD_FILE", "--identity"]),
        (vec!["--identity", "no-key"], "CCAP001\n", vec!["cannot read no-key"]),
        (vec!["--only", "X*"], "CCAP001\n", vec!["--only X* matches no device"]),
        (vec!["--connect-timeout", "soon"], "CCAP001\n", vec!["--connect-timeout", "invalid duration"]),
        (vec!["--shard", "3/2"], "CCAP001\n", vec!["--shard", "invalid part"]),
        (vec!["--jobs", "0"], "CCAP001\n", vec!["--jobs"]),
        (vec![], "router1\n", vec!["inventory line 1: router1", "--detect"]),
    ] {
        let run = fetch([]).args(&args).stdin(stdin).run().says(2, &words);
        assert!(run.signal.is_none(), "{args:?}");
    }
    fetch([]).env("CCAP_PASSWORD", "x").stdin("CCAP001\n").run().says(2, &["no user", "--user", "CCAP_USER"]);
}

#[test]
fn devices_that_cannot_be_fetched_are_said_and_recorded_and_the_others_go_on() {
    let inventory = "{\"cmts\":\"CCAP001\",\"host\":\"127.0.0.1\",\"port\":1}\nrouter7\n{\"cmts\":\"CCAP002\",\"platform\":\"x\"}\n";
    let run =
        fetch(["--user", "u", "--retries", "0"]).env("CCAP_PASSWORD", "secret-word").stdin(inventory).run();
    let run = run.says(3, &["inventory line 2: router7", "inventory line 3: CCAP002", "CCAP001: refused: "]);
    assert!(!run.stderr.contains("secret-word") && !run.stdout.contains("secret-word"));
    let kinds: Vec<_> = run.records().iter().map(|r| r["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["error", "error", "capture", "end"]);
    assert_eq!(run.records()[3]["failed"], 3);
}

#[test]
fn a_dry_run_shows_the_plan_and_needs_no_password() {
    let run = fetch(["--dry-run", "--user", "ops", "--jump", "gate", "--upper", "ccap001", "CCAP201"])
        .run()
        .clean(0);
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(lines[0], "CCAP001 e6000 ops@ccap001:22 via gate");
    assert_eq!(lines[1], "CCAP201 cbr8 ops@CCAP201:22 via gate");
    assert!(lines[2].starts_with("e6000: show interface cable-upstream"), "{lines:?}");
}

#[test]
fn two_shards_cover_an_inventory_once() {
    let inventory: String = (0..100).map(|n| format!("CCAP0{n:02}\n")).collect();
    let part = |shard: &str| {
        let run =
            fetch(["--dry-run", "--user", "u", "--shard", shard]).stdin(inventory.clone()).run().clean(0);
        run.stdout.lines().filter(|l| l.contains('@')).map(|l| l[..7].to_owned()).collect::<Vec<_>>()
    };
    let mut both = [part("1/2"), part("2/2")].concat();
    both.sort();
    let all: Vec<_> = inventory.lines().collect();
    assert_eq!(both, all);
}

#[test]
fn algorithms_are_listed_and_help_has_examples() {
    let listed = fetch(["--list-algorithms"]).run().clean(0).stdout;
    for name in ["curve25519-sha256", "diffie-hellman-group1-sha1", "ssh-rsa", "3des-cbc", "hmac-sha1"] {
        assert!(listed.contains(name), "{name} is not in: {listed}");
    }
    let help = fetch(["--help"]).run().clean(0).stdout;
    assert!(help.contains("Examples:") && help.contains("Exit status:"), "{help}");
}

/// 127.0.0.1 port 1 refuses at once: captures without a device.
fn refused(count: usize) -> String {
    (0..count).map(|n| format!("{{\"cmts\":\"CCAP0{n:02}\",\"host\":\"127.0.0.1\",\"port\":1}}\n")).collect()
}

#[test]
fn a_reader_that_went_away_is_no_fault_and_a_full_disk_is_one() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("inventory"), refused(80)).unwrap();
    let shell = |line: &str| {
        let program = crate::support::built("ccap-fetch");
        let line =
            line.replace("FETCH", &format!("{} -q --retries 0 --user u -i inventory", program.display()));
        let output = std::process::Command::new("bash")
            .args(["-c", &line])
            .env("CCAP_PASSWORD", "x")
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (stdout, stderr) = shell("FETCH --login-rate 1000/s | head -1; echo ${PIPESTATUS[0]}");
    let lines: Vec<_> = stdout.lines().collect();
    assert_eq!(
        (records(lines[0])[0]["type"].as_str(), lines[1], stderr.as_str()),
        (Some("capture"), "0", "")
    );
    let (stdout, stderr) = shell("FETCH --login-rate 1000/s >/dev/full; echo $?");
    assert_eq!(stdout.trim(), "1");
    assert!(stderr.contains("cannot write standard output: No space left on device"), "{stderr}");
}
