//! What ccap-fetch and mod-parse make of the simulated fleet by SNMP: the truth, the same as over SSH, and the same once
//! more when net-snmp's snmpd serves what the simulator did.

use std::{collections::BTreeMap, fmt::Write, fs, process::Command};

use serde_json::Value;

use crate::{
    fetch_snmp::fetch,
    snmpd::{COMMUNITY, Snmpd, TREES},
    support::{built, in_package, records, tool},
    support_sim::{Fleet, PASSWORD, USER},
};

fn samples(stream: &str) -> Vec<Value> {
    let parsed = tool("mod-parse").stdin(stream).run();
    assert_eq!(parsed.stderr, "");
    parsed.records().into_iter().filter(|record| record["type"] == "sample").collect()
}

/// Samples without their time, sorted by their text.
fn timeless(samples: Vec<Value>) -> Vec<String> {
    let without = |mut sample: Value| {
        sample.as_object_mut().unwrap().remove("ts");
        sample.to_string()
    };
    let mut lines: Vec<String> = samples.into_iter().map(without).collect();
    lines.sort();
    lines
}

/// The modulation and the platform of each upstream.
fn held(samples: &[Value]) -> BTreeMap<(String, String), (String, String)> {
    let text = |sample: &Value, key: &str| sample[key].as_str().unwrap().to_owned();
    let of = |sample: &Value| {
        let upstream = (text(sample, "cmts"), text(sample, "upstream"));
        (upstream, (text(sample, "modulation"), text(sample, "platform")))
    };
    samples.iter().map(of).collect()
}

#[test]
fn three_families_by_snmp_show_the_truth_and_what_their_command_lines_show() {
    let fleet = Fleet::start(&["--devices", "e6000=4,casa=4,cbr8=4", "--upstreams", "40", "--seed", "3"]);
    let by_snmp = samples(&fetch(&fleet).run().clean(0).stdout);
    assert_eq!(timeless(by_snmp.clone()), timeless(fleet.snmp_truth()));
    let ssh = tool("ccap-fetch").args(["--user", USER, "--login-rate", "1000/s", "-j", "12"]);
    let ssh = ssh.arg("-i", fleet.inventory()).arg("--known-hosts", fleet.known_hosts());
    let by_ssh = samples(&ssh.env("CCAP_PASSWORD", PASSWORD).run().clean(0).stdout);
    assert_eq!(held(&by_snmp), held(&by_ssh));
    assert!(by_snmp.iter().all(|sample| sample["source"] == "snmp"));
    assert!(by_snmp.iter().filter(|sample| sample["modulation"] == "OFDMA").count() > 10);
}

#[test]
fn faults_of_the_line_and_of_the_tables_spoil_no_sample() {
    let faults =
        ["lost", "doubled", "foreign", "too-big:2", "gen-err:snr", "renumber", "line-breaks", "loop", "cut"];
    let faults: Vec<String> =
        faults.iter().zip(1..).map(|(fault, n)| format!("CCAP00{n}=snmp-{fault}")).collect();
    let mut flags = vec!["--devices", "e6000=9,cbr8=1", "--upstreams", "30"];
    flags.extend(faults.iter().flat_map(|fault| ["--fault", fault.as_str()]));
    let fleet = Fleet::start(&flags);
    let run = fetch(&fleet).run();
    assert_eq!(timeless(samples(&run.stdout)), timeless(fleet.snmp_truth()), "{}", run.stderr);
}

#[test]
fn both_ways_can_be_compared_as_the_manual_shows() {
    let manual = fs::read_to_string(in_package("docs/devices.md")).unwrap();
    let recipe = manual.split("```sh\n").find(|block| block.contains("diff <(way ssh) <(way snmp)")).unwrap();
    let recipe = recipe.split("```").next().unwrap();
    let fleet = Fleet::start(&["--devices", "e6000=1,casa=1,cbr8=1"]);
    let tools = built("mod-parse").parent().unwrap().display().to_string();
    let path = format!("{tools}:{}", std::env::var("PATH").unwrap());
    let run = || {
        let mut command = Command::new("bash");
        command.args(["-c", recipe]).current_dir(fleet.dir()).env_clear().env("PATH", &path);
        command.env("CCAP_USER", USER).env("CCAP_PASSWORD", PASSWORD).env("SNMP_COMMUNITY", PASSWORD);
        command.env("CCAP_KNOWN_HOSTS", fleet.known_hosts()).env("HOME", fleet.dir());
        command.output().unwrap()
    };
    let same = run();
    assert!(same.status.success() && same.stdout.is_empty() && same.stderr.is_empty(), "{same:?}");
    // Nothing listens there: all upstreams are missing on one side.
    let entries = records(&fs::read_to_string(fleet.inventory()).unwrap());
    let moved = entries.into_iter().map(|mut entry| {
        entry["snmp_port"] = 9.into();
        format!("{entry}\n")
    });
    fs::write(fleet.inventory(), moved.collect::<String>()).unwrap();
    assert!(!run().status.success());
}

/// The lines of a walk as pass_persist takes them.
fn table(capture: &Value) -> String {
    let mut table = String::new();
    for command in capture["commands"].as_array().unwrap() {
        for line in command["output"].as_str().unwrap().lines() {
            let Some((oid, value)) = line.split_once(" = ") else { continue };
            let is_served = TREES.iter().any(|tree| oid[1..].starts_with(tree));
            let (kind, value) = match value.split_once(": ") {
                Some(("INTEGER", number)) => ("integer", number.to_owned()),
                Some(("Gauge32", number)) => ("gauge", number.to_owned()),
                Some(("STRING", text)) => {
                    let text = text[1..text.len() - 1].replace("\\\"", "\"");
                    ("octet", text.bytes().map(|byte| format!("{byte:02x} ")).collect())
                }
                Some(("Hex-STRING", bytes)) => ("octet", bytes.to_owned()),
                _ => continue,
            };
            if is_served {
                let _ = writeln!(table, "{oid}\t{kind}\t{}", value.trim_end());
            }
        }
    }
    table
}

#[test]
fn an_agent_of_net_snmp_serves_the_same_device() {
    let fleet = Fleet::start(&["--devices", "e6000=1", "--upstreams", "60"]);
    let simulated = fetch(&fleet).run().clean(0);
    let snmpd = Snmpd::start("127.0.0.1", &table(&simulated.records()[0]));
    let inventory = format!("{{\"cmts\":\"CCAP001\",\"host\":\"127.0.0.1\",\"snmp_port\":{}}}\n", snmpd.port);
    let tool = tool("ccap-fetch").args(["-i", "-", "--via", "snmp"]).stdin(inventory);
    let run = tool.env("SNMP_COMMUNITY", COMMUNITY).run().clean(0);
    assert_eq!(timeless(samples(&run.stdout)), timeless(fleet.snmp_truth()));
}
