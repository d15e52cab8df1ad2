//! docs/snmp.md against net-snmp's own agent and tools: its commands run as they stand, its view is enough and not more,
//! and the walks that the tools print in all their forms mean the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use modtools::platform::snmp::columns::Column;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    snmpd::{COMMUNITY, Snmpd},
    support::{Run, built, in_package, records, tool},
};

fn page() -> String {
    fs::read_to_string(in_package("docs/snmp.md")).unwrap()
}

/// The blocks of a page that a language, or nothing, stands over.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let parts = page.split("```").skip(1).step_by(2);
    let named = parts.filter_map(|part| part.split_once('\n')).filter(|(name, _)| *name == language);
    named.map(|(_, block)| block.to_owned()).collect()
}

/// A device, from its recording, as the table of an agent.
fn table() -> String {
    let recording = fs::read_to_string(in_package("tests/fixtures/snmp/arris_recording.txt")).unwrap();
    let rows = recording.lines().map(|line| {
        let [oid, tag, value] = line.splitn(3, '|').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x} ")).collect::<String>();
        let (kind, value) = match tag {
            "2" => ("integer", value.to_owned()),
            "66" => ("gauge", value.to_owned()),
            "6" => ("objectid", value.to_owned()),
            "4" => ("octet", hex(value.as_bytes())),
            "4x" => (
                "octet",
                value
                    .as_bytes()
                    .chunks(2)
                    .map(|pair| format!("{} ", std::str::from_utf8(pair).unwrap()))
                    .collect(),
            ),
            other => panic!("{other}"),
        };
        format!("{oid}\t{kind}\t{}\n", value.trim_end())
    });
    // What only ccap-fetch asks for.
    rows.collect::<String>() + "1.3.6.1.2.1.31.1.5.0\ttimeticks\t4200\n"
}

/// An agent that serves the device to whom `access` allows it.
fn agent(access: &str) -> Snmpd {
    let roots = ["1.3.6.1.2.1.1", "1.3.6.1.2.1.2", "1.3.6.1.2.1.10", "1.3.6.1.2.1.31", "1.3.6.1.4.1.4491"];
    Snmpd::serve("127.0.0.1", &table(), &roots, access, &["-I", "pass,pass_persist,vacm_conf,vacm_context"])
}

/// The samples that the device has.
fn truth() -> Vec<Value> {
    let expected = fs::read_to_string(in_package("tests/fixtures/snmp/arris_recording.ndjson")).unwrap();
    let samples = records(&expected).into_iter().filter(|record| record["type"] == "sample");
    let mut samples: Vec<Value> = samples.collect();
    samples.iter_mut().for_each(|sample| sample["cmts"] = json!("cmts1"));
    samples
}

fn samples(stdout: &str) -> Vec<Value> {
    let mut samples = records(stdout);
    samples.retain(|record| record["type"] == "sample");
    for sample in &mut samples {
        sample.as_object_mut().unwrap().remove("ts");
    }
    samples
}

fn parse(text: Vec<u8>) -> Run {
    tool("mod-parse").args(["--raw", "--platform", "snmp", "--cmts", "cmts1"]).stdin(text).run()
}

/// A shell in a folder, with our tools, the client's files of net-snmp there and nowhere else.
fn shell(dir: &Path, script: &str) -> std::process::Output {
    let ours = built("mod-parse");
    let path = format!("{}:{}", ours.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.args(["-euc", script]).current_dir(dir).env("PATH", path).env("HOME", dir).env("MIBS", "");
    command.env("SNMPCONFPATH", dir).env("SNMP_PERSISTENT_DIR", dir.join("state"));
    command.output().unwrap()
}

#[test]
fn the_walk_and_the_view_of_the_documentation_are_enough() {
    let page = page();
    let view = blocks(&page, "").into_iter().find(|block| block.starts_with("view ")).unwrap();
    let agent = agent(&view.replace("THE-COMMUNITY", COMMUNITY));
    let dir = TempDir::new().unwrap();
    let v2c = page.split("With SNMP v3").next().unwrap();
    let lines = v2c.lines().filter_map(|line| line.strip_prefix("    def"));
    let config: String = lines.map(|line| format!("def{line}\n")).collect();
    assert!(config.contains("defVersion 2c"), "{config}");
    fs::write(dir.path().join("snmp.conf"), config.replace("THE-COMMUNITY", COMMUNITY)).unwrap();
    let walk = blocks(&page, "sh").into_iter().find(|block| block.contains("snmpbulkwalk")).unwrap();
    let output = shell(dir.path(), &walk.replace(" cmts1 .", &format!(" {} .", agent.peer())));
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(samples(&stdout), truth(), "{stderr}");
    let scan = records(&stdout).pop().unwrap();
    assert_eq!((&scan["status"], &scan["unparsed"]), (&json!("ok"), &json!(0)), "{stderr}");
    let changed = shell(dir.path(), &format!("snmpget -On {} .1.3.6.1.2.1.31.1.5.0", agent.peer()));
    assert!(String::from_utf8_lossy(&changed.stdout).contains("Timeticks: (4200)"), "ifTableLastChange");
    // What the view leaves out is not seen: it is the least.
    let hidden = shell(dir.path(), &format!("snmpbulkwalk -On {} .1.3.6.1.2.1.31.1.2", agent.peer()));
    let said = String::from_utf8_lossy(&hidden.stdout).into_owned();
    assert!(said.contains("No Such") || said.contains("No more variables"), "{said}");
}

#[test]
fn the_documentation_names_every_column_that_is_read() {
    let page = page();
    let walk = blocks(&page, "sh").into_iter().find(|block| block.contains("snmpbulkwalk")).unwrap();
    let walked: BTreeSet<&str> =
        walk.split_ascii_whitespace().map(|word| word.trim_end_matches(';')).collect();
    for column in Column::ALL.into_iter().filter(|&column| column != Column::SysUpTime) {
        let oid = column.oid();
        let tail = oid.strip_prefix("1.3.6.1.2.1.").or_else(|| oid.strip_prefix("1.3.6.1.4.1.")).unwrap();
        assert!(walked.contains(tail), "the walk leaves {oid} out");
        let (head, last) = oid.rsplit_once('.').unwrap();
        let row = page.lines().find(|line| {
            line.starts_with("| ")
                && line.contains(head)
                && (line.contains(oid) || line.contains(&format!(", .{last} ")))
        });
        assert!(row.is_some(), "the table leaves {} ({oid}) out", column.name());
    }
}

#[test]
fn a_day_of_both_ways_is_compared_as_the_documentation_says() {
    let page = page();
    let script = blocks(&page, "sh").into_iter().find(|block| block.contains("by-ssh.ndjson")).unwrap();
    let dir = TempDir::new().unwrap();
    let line = |modulation: &str, source: &str| {
        format!(
            "{{\"v\":1,\"type\":\"sample\",\"ts\":\"2026-11-24T12:00:00Z\",\"cmts\":\"A\",\"upstream\":\"1/scq/0\",\"modulation\":\"{modulation}\",\"source\":\"{source}\"}}\n{{\"v\":1,\"type\":\"scan\",\"ts\":\"2026-11-24T12:00:00Z\",\"cmts\":\"A\",\"status\":\"ok\",\"samples\":1}}\n{{\"v\":1,\"type\":\"end\",\"ts\":\"2026-11-24T12:00:01Z\",\"stage\":\"ccap-fetch\",\"ok\":1,\"failed\":0}}\n"
        )
    };
    fs::write(dir.path().join("by-ssh.ndjson"), line("QAM16", "state")).unwrap();
    for (by_snmp, code) in [("QAM16", 0), ("QAM64", 1)] {
        fs::write(dir.path().join("by-snmp.ndjson"), line(by_snmp, "snmp")).unwrap();
        let output = shell(dir.path(), &script);
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert_eq!(said.contains("> 2026-11-24T12:00:00Z\t1/scq/0\tQAM64"), code == 1, "{said}");
    }
}

#[test]
fn whatever_net_snmp_prints_of_a_device_means_the_same() {
    let agent = agent(&format!("rocommunity {COMMUNITY} 127.0.0.1\n"));
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("snmp.conf"), format!("defVersion 2c\ndefCommunity {COMMUNITY}\n")).unwrap();
    let mibs = in_package("tests/mibs");
    let none = Path::new("/nonexistent");
    let sets = [(none, ""), (mibs.as_path(), "SNMPv2-SMI:SNMPv2-MIB:IF-MIB"), (mibs.as_path(), "ALL")];
    let options = [
        "", "-Oa", "-Ob", "-Oe", "-OE", "-Of", "-On", "-Oq", "-OQ", "-Os", "-OS", "-Ot", "-OT", "-Ou", "-OU",
        "-Ox", "-OX", "-Oqs", "-OQX", "-OfX", "-OneU", "-Onx",
    ];
    let subtrees = [
        "1.3.6.1.2.1.1",
        "1.3.6.1.2.1.2.2.1",
        "1.3.6.1.2.1.10.127.1",
        "1.3.6.1.2.1.31.1.1.1",
        "1.3.6.1.4.1.4491.2.1.28",
        "1.3.6.1.4.1.9.9.114.1.3.1.1.15",
        "1.3.6.1.4.1.9.9.116.1.4.1.1.5",
    ];
    let mut seen: BTreeMap<Vec<u8>, String> = BTreeMap::new();
    for (folder, names) in sets {
        for option in options {
            let mut text = Vec::new();
            for oid in subtrees {
                let mut walk = Command::new("snmpbulkwalk");
                walk.args(option.split_ascii_whitespace()).arg(agent.peer()).arg(format!(".{oid}"));
                walk.env("SNMPCONFPATH", dir.path()).env("SNMP_PERSISTENT_DIR", dir.path().join("state"));
                text.extend(walk.env("MIBDIRS", folder).env("MIBS", names).output().unwrap().stdout);
            }
            let run = parse(text.clone());
            let form = format!("{option} with {names:?}");
            let mut expected = truth();
            if option == "-Oa" && names.is_empty() {
                // Letters that are not ASCII are dots there.
                let text = expected.iter_mut().find(|sample| sample["description"] == "Überlingen").unwrap();
                text["description"] = json!("..berlingen");
            }
            assert_eq!(
                samples(&run.stdout),
                expected,
                "{form}: {}{}",
                run.stderr,
                String::from_utf8_lossy(&text)
            );
            let scan = run.records().pop().unwrap();
            assert_eq!((&scan["status"], &scan["unparsed"]), (&json!("ok"), &json!(0)), "{form}");
            seen.insert(text, form);
        }
    }
    assert!(seen.len() >= 27, "only {} different forms", seen.len());
}
