//! ccap-fetch and what people write: inventories in every form, `--check`, and a `--dry-run` that keeps its word.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    support::{Tool, records, tool},
    support_sim::{Fleet, PASSWORD, USER},
};

fn dry_run(dir: &Path, file: &str, content: impl AsRef<[u8]>, more: &[&str]) -> crate::support::Run {
    fs::write(dir.join(file), content).unwrap();
    tool("ccap-fetch").args(["--dry-run", "--user", "u", "-i", file]).args(more).dir(dir).run()
}

/// `NAME HOST` of each device of a dry run.
fn devices(run: &crate::support::Run) -> Vec<String> {
    let lines = run.stdout.lines().filter_map(|line| {
        let (name, rest) = line.split_once(' ')?;
        let host = rest.split_once('@')?.1.rsplit_once(':')?.0;
        Some(format!("{name} {host}"))
    });
    lines.collect()
}

fn utf16(text: &str) -> Vec<u8> {
    [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

#[test]
fn a_list_out_of_a_spreadsheet_gives_its_devices_whatever_stands_in_a_description() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    let excel = "\u{feff}cmts;host;platform;description\r\nCCAP001;10.0.0.1;e6000;Amsterdam Oost\r\n\
                 CCAP002;10.0.0.2;e6000;Hub Noord, kast 3\r\nCCAP003;10.0.0.3;e6000;\"Hub \"\"West\"\"; kast 4\"\r\n\
                 CCAP004;10.0.0.4;e6000;Noord,3\r\n;;;\r\n";
    let run = dry_run(dir, "i.csv", excel, &[]).clean(0);
    assert_eq!(
        devices(&run),
        ["CCAP001 10.0.0.1", "CCAP002 10.0.0.2", "CCAP003 10.0.0.3", "CCAP004 10.0.0.4"]
    );
    let run = dry_run(dir, "j.csv", "cmts;host;\r\nCCAP001;10.0.0.1;\r\n", &[]).clean(0);
    assert_eq!(devices(&run), ["CCAP001 10.0.0.1"]);
    let run = dry_run(dir, "t.txt", "cmts\thost\tdescription\nCCAP001\t10.0.0.1\ta, b; c\n", &[]).clean(0);
    assert_eq!(devices(&run), ["CCAP001 10.0.0.1"]);
    for (content, words) in [
        (utf16("cmts\thost\r\nCCAP001\t10.0.0.1\r\n"), ["k.csv line 1", "UTF-16"]),
        (b"cmts;description\r\nCCAP001;Z\xfcrich\r\n".to_vec(), ["k.csv line 2", "Latin-1"]),
        (b"CCAP001;10.0.0.1\r\n".to_vec(), ["k.csv line 1", "header line"]),
    ] {
        let run = dry_run(dir, "k.csv", content, &[]).says(2, &words);
        assert_eq!(run.stdout, "");
    }
    let bad = "cmts,host,description\nCCAP001,10.0.0.1,Noord,3\nNoord;3,10.0.0.2,\n\"CCAP002,x,\nCCAP003,10.0.0.3,\n";
    let run = dry_run(dir, "l.csv", bad, &[]);
    let run = run.says(3, &["l.csv line 2: 4 cells", "l.csv line 3: ", "l.csv line 4: a quote is opened"]);
    assert_eq!(devices(&run), ["CCAP003 10.0.0.3"]);
}

#[test]
fn json_is_read_in_every_form_and_other_names_are_mapped() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    let two = ["CCAP001 10.0.0.1", "CCAP101 10.0.0.2"];
    let plain = json!([{"cmts": "CCAP001", "host": "10.0.0.1", "via": "ssh"}, {"cmts": "CCAP101", "ip": "10.0.0.2/24"}]);
    let lines: String = plain.as_array().unwrap().iter().map(|device| format!("{device}\n")).collect();
    let netbox = json!({"count": 2, "next": null, "results": [
        {"name": "CCAP001", "platform": {"slug": "e6000"}, "primary_ip": {"address": "10.0.0.1/32"}},
        {"name": "CCAP101", "platform": null, "primary_ip": {"address": "10.0.0.2/32"}},
    ]});
    let pretty = serde_json::to_string_pretty(&netbox).unwrap();
    let map = ["--map", "cmts=name,host=primary_ip.address"];
    for (content, more) in [
        (plain.to_string(), &[][..]),
        (serde_json::to_string_pretty(&plain).unwrap(), &[]),
        (format!("\u{feff}{lines}"), &[]),
        (netbox.to_string(), &map),
        (pretty.clone(), &map),
        ("name,primary_ip.address\nCCAP001,10.0.0.1/32\nCCAP101,10.0.0.2/32\n".to_owned(), &map),
    ] {
        assert_eq!(devices(&dry_run(dir, "i", content, more).clean(0)), two);
    }
    let short = pretty.replace("\"count\": 2", "\"count\": 500");
    dry_run(dir, "i", short, &map).says(3, &["holds 2 of 500 devices"]);
    for (content, more, word) in [
        (pretty.as_str(), &["--map", "cmts=name,platform=primary_ip"][..], "not a single value"),
        ("[{\"cmts\": \"CCAP001\"},\n]", &[], "i line 2: not JSON: trailing comma at column 1"),
        ("[{\"id\": 7}]", &[], "i item 1: has no cmts; --map cmts=FIELD names it (there is id)"),
        ("{\"cmts\":\"CCAP001\",\"via\":\"telnet\"}", &[], "expected one of ssh, snmp"),
        ("{\"cmts\":\"CCAP001\",\"host\":\"10.0.0.1:22\"}", &[], "a port has a field of its own"),
    ] {
        dry_run(dir, "i", content, more).says(2, &[word]);
    }
    tool("ccap-fetch").args(["--map", "x=y", "CCAP001"]).run().says(2, &["--map", "expected one of cmts"]);
}

#[test]
fn a_name_selects_from_the_inventory_and_one_that_is_not_there_is_an_error() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    let list = "cmts,host\nCCAP001,10.0.0.1\nCCAP101,10.0.0.2\nCCAP201,10.0.0.3\n";
    let run = dry_run(dir, "i.csv", list, &["CCAP201", "ccap001"]).clean(0);
    assert_eq!(devices(&run), ["CCAP001 10.0.0.1", "CCAP201 10.0.0.3"]);
    dry_run(dir, "i.csv", list, &["CCAP001", "CCAP009"]).says(2, &["CCAP009 is not in i.csv"]);
    dry_run(dir, "i.csv", list, &["CCAP0*"]).says(2, &["CCAP0* is not in i.csv; --only takes a pattern"]);
}

#[test]
fn durations_have_a_unit_and_what_would_never_rest_is_refused() {
    for (args, words) in [
        (&["--every", "10"][..], &["--every", "needs a unit", "10m"][..]),
        (&["--connect-timeout", "10x"], &["invalid duration", "examples: "]),
        (&["--every", "0s"], &["too short"]),
        (&["--every", "10m", "--tick", "0s"], &["--tick", "too short"]),
        (&["--idle-timeout", "0s"], &["too short"]),
        (&["--shard", "1/4294967295"], &["--shard", "at most 1000 parts"]),
    ] {
        tool("ccap-fetch").args(args).args(["CCAP001"]).run().says(2, words);
    }
}

fn fetch(fleet: &Fleet) -> Tool {
    let fetch = tool("ccap-fetch").args(["--user", USER, "--login-rate", "1000/s", "--retries", "0"]);
    fetch.arg("--known-hosts", fleet.known_hosts()).env("CCAP_PASSWORD", PASSWORD)
}

#[test]
fn a_check_says_who_each_device_is_or_what_to_do_and_stores_nothing() {
    let fleet = Fleet::start(&[
        "--devices",
        "e6000=3,casa=1,cbr8=1",
        "--fault",
        "CCAP001=reject-password",
        "--fault",
        "CCAP002=refused",
    ]);
    let run = fetch(&fleet).arg("-i", fleet.inventory()).args(["--check"]).run().clean(3);
    let mut lines: Vec<&str> = run.stdout.lines().collect();
    lines.sort_unstable();
    let begins = |line: &str, words: &str| assert!(line.starts_with(words), "{words}: {run:?}");
    assert_eq!(lines.len(), 5);
    begins(lines[0], "CCAP001: auth_failed: ");
    assert!(lines[0].ends_with("; check user and password"), "{lines:?}");
    begins(lines[1], "CCAP002: refused: ");
    begins(lines[2], "CCAP003: ok, e6000, release CER_V10.01.00.0013, ");
    begins(lines[3], "CCAP101: ok, casa, release 8.3.3, ");
    begins(lines[4], "CCAP201: ok, cbr8, release 17.06.01z, ");
    assert!(lines[2..].iter().all(|line| line.ends_with(" ms")), "{lines:?}");
    let show =
        |command: &Value| command.as_str().is_some_and(|c| c.starts_with("show ") && c != "show version");
    assert!(!fleet.logins().iter().any(|event| show(&event["command"])), "a check asks for no table");

    let inventory: String = records(&fs::read_to_string(fleet.inventory()).unwrap())
        .into_iter()
        .filter(|device| device["cmts"] == "CCAP101" || device["cmts"] == "CCAP201")
        .map(|mut device| {
            device["cmts"] =
                json!(device["cmts"].as_str().unwrap().replace("CCAP1", "hub").replace("CCAP2", "CCAP0"));
            device.as_object_mut().unwrap().remove("platform");
            format!("{device}\n")
        })
        .collect();
    let run = fetch(&fleet).stdin(inventory).args(["--check"]).run().clean(3);
    assert!(run.stdout.contains("hub01: ok, casa, release 8.3.3"), "{run:?}");
    assert!(run.stdout.contains("CCAP001: ") && run.stdout.contains("the device says cbr8"), "{run:?}");
}

/// What a dry run announces, as patterns: a word in capitals stands for what an answer gives.
fn announced(run: &crate::support::Run, platform: &str) -> Vec<String> {
    let prefix = [format!("{platform}: "), "(detect): ".to_owned()];
    let lines = run.stdout.lines();
    let commands =
        lines.filter_map(|line| prefix.iter().find_map(|prefix| line.strip_prefix(prefix.as_str())));
    commands.map(|line| line.split("  # ").next().unwrap_or_default().to_owned()).collect()
}

fn matches(pattern: &str, command: &str) -> bool {
    let part = ["MAC-DOMAIN", "UPSTREAM"].iter().find_map(|part| pattern.split_once(part));
    match part {
        Some((before, after)) => {
            let middle = command.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            middle.is_some_and(|middle| !middle.is_empty() && !middle.contains(' '))
        }
        None => pattern == command,
    }
}

/// Fetches, and holds every command that came to a device against what was announced. Returns the patterns of the
/// announcement that nothing came of.
#[track_caller]
fn unused(fleet: &Fleet, inventory: &str, flags: &[&str]) -> BTreeSet<String> {
    let before = fleet.logins().len();
    let run = |more: &[&str]| fetch(fleet).args(flags).args(more).stdin(inventory).run();
    let plan = run(&["--dry-run"]).clean(0);
    let fetched = run(&[]);
    assert!(matches!(fetched.code, Some(0 | 3)), "{fetched:?}");
    let mut unused = BTreeSet::new();
    let came: Vec<(String, String)> = fleet.logins()[before..]
        .iter()
        .filter(|event| event["event"] == "command" && event["command"] != "")
        .map(|event| {
            (event["cmts"].as_str().unwrap().to_owned(), event["command"].as_str().unwrap().to_owned())
        })
        .collect();
    assert!(!came.is_empty());
    for (family, platform) in [("CCAP0", "e6000"), ("CCAP1", "casa"), ("CCAP2", "cbr8")] {
        let patterns = announced(&plan, platform);
        let sent: Vec<&str> =
            came.iter().filter(|(cmts, _)| cmts.starts_with(family)).map(|(_, sent)| sent.as_str()).collect();
        for command in &sent {
            let known = patterns.iter().any(|pattern| matches(pattern, command));
            assert!(known, "{platform} was sent {command:?}, and --dry-run lists {patterns:#?}");
        }
        let idle = patterns.into_iter().filter(|pattern| !sent.iter().any(|sent| matches(pattern, sent)));
        unused.extend(idle.map(|pattern| format!("{platform}: {pattern}")));
    }
    unused
}

#[test]
fn a_dry_run_lists_every_command_that_comes_to_the_devices() {
    let every = "e6000=1,casa=1,cbr8=1";
    let sound = Fleet::start(&["--devices", every, "--upstreams", "8"]);
    let odd = Fleet::start(&[
        "--devices",
        every,
        "--upstreams",
        "8",
        "--fault",
        "CCAP0*=setup-refused",
        "--fault",
        "CCAP1*=no-hop-history",
        "--fault",
        "CCAP2*=user-mode",
    ]);
    let text = |fleet: &Fleet| fs::read_to_string(fleet.inventory()).unwrap();
    let idle = unused(&sound, &text(&sound), &[]);
    let odd_idle = unused(&odd, &text(&odd), &["--enable"]);
    // A list that is too long gives rights away: whatever it holds is sent by one of them. (A Casa that refuses its
    // first spelling was not among them.)
    let never: Vec<_> = idle.intersection(&odd_idle).filter(|line| !line.contains("page off")).collect();
    assert!(never.is_empty(), "{never:?}");
    // Devices that nothing is known of, in another order than the fleet's.
    let nameless: String = records(&text(&sound))
        .into_iter()
        .rev()
        .map(|mut device| {
            device["cmts"] = json!(device["cmts"].as_str().unwrap().replace("CCAP", "hub"));
            device.as_object_mut().unwrap().remove("platform");
            format!("{device}\n")
        })
        .collect();
    unused(&sound, &nameless, &["--detect"]);
    unused(&sound, &text(&sound), &["--command", "show clock"]);
}
