//! mod-parse on walks: every form in which net-snmp prints one, in any order, cut anywhere, and what a hostile
//! device can put into them.

use std::{collections::BTreeMap, fs};

use modtools::platform::{
    Answer, Parsed, Platform, ProfileBook, Reading, Upstream, family, snmp::columns::MOST_ROWS,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Run, in_package, tool, worked};

fn raw(text: impl Into<Vec<u8>>, more: &[&str]) -> Run {
    tool("mod-parse").args(["--raw", "--platform", "snmp", "--cmts", "LAB"]).args(more).stdin(text).run()
}

/// One answer after the other, as commands of a capture.
fn parse<'a>(answers: &[Answer<'a>]) -> Parsed<'a> {
    let mut reading = Reading { cmts: "LAB", book: &ProfileBook::default(), explain: None };
    family(Platform::Snmp).parse(answers, &mut reading)
}

fn pasted(text: &str) -> Parsed<'_> {
    parse(&[Answer { command: "", output: text, complete: true }])
}

fn fixture(name: &str) -> String {
    fs::read_to_string(in_package("tests/fixtures/snmp").join(name)).unwrap()
}

/// A sample in the columns of the tables that say what a capture means; missing ones at the end are left out.
fn in_columns(sample: &Value) -> String {
    let columns = [
        "upstream",
        "modulation",
        "profile",
        "channel_type",
        "center_hz",
        "width_hz",
        "snr_db",
        "description",
    ];
    let cells = columns.map(|column| match &sample[column] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        number => number.to_string(),
    });
    cells.join("\t").trim_end().to_owned()
}

fn expected(table: &str) -> Vec<String> {
    table.lines().filter(|line| !line.starts_with('#')).map(|line| line.trim_end().to_owned()).collect()
}

fn samples(run: &Run) -> Vec<String> {
    let all = run.records();
    all.iter().filter(|record| record["type"] == "sample").map(in_columns).collect()
}

/// The folder of captures, where it is there.
fn captures() -> Option<std::path::PathBuf> {
    let folder = in_package("../shared/captures/snmp");
    if !folder.is_dir() {
        eprintln!("not run: there is no {}", folder.display());
        return None;
    }
    Some(folder)
}

#[test]
fn every_recorded_form_of_one_device_means_the_same() {
    let Some(folder) = captures() else { return };
    let meant = expected(&fs::read_to_string(folder.join("formats/expect.tsv")).unwrap());
    let mut forms = 0;
    for entry in fs::read_dir(folder.join("formats")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.contains("mib_") && !name.starts_with("partial_") && !name.ends_with(".snmprec") {
            continue;
        }
        let run = raw(fs::read(&path).unwrap(), &[]).clean(0);
        assert_eq!(samples(&run), meant, "{name}");
        let scan = run.records().pop().unwrap();
        assert_eq!((&scan["status"], &scan["unparsed"]), (&json!("ok"), &json!(0)), "{name}");
        forms += 1;
    }
    assert!(forms >= 12, "only {forms} forms");
}

#[test]
fn recordings_of_whole_devices_mean_what_is_written_beside_them() {
    let Some(folder) = captures() else { return };
    for device in ["e6000", "casa"] {
        let read = |extension: &str| fs::read(folder.join(format!("composed/{device}.{extension}"))).unwrap();
        let run = raw(read("snmprec"), &[]);
        assert_eq!(run.code, Some(0), "{device}: {}", run.stderr);
        assert_eq!(samples(&run), expected(&String::from_utf8(read("expect.tsv")).unwrap()), "{device}");
    }
    for other in
        ["modem-not-a-cmts_motorola-cm.snmprec", "arris-c4c_8.2_if-sigq.snmprec", "net-snmp_lines.txt"]
    {
        let run = raw(fs::read(folder.join(other)).unwrap(), &[]);
        assert!(run.says(3, &["parse_failed", "not a CMTS"]).stdout.contains("parse_failed"), "{other}");
    }
}

/// The walks of a text: runs of lines of one column, each with all lines of its strings.
fn walks(text: &str) -> Vec<String> {
    let column = |line: &str| -> Option<String> {
        let left = line.split(' ').next().unwrap_or_default();
        let name = left.trim_start_matches('.').split(['.', '[']).collect::<Vec<_>>();
        let named = left.contains("::") && !left.contains("enterprises");
        // An OID ends in one index, that of a profile in two.
        let indexes = if left.contains("127.1.3.5.1.") { 2 } else { 1 };
        let begins = left.starts_with(".1.3.6") || left.contains("::");
        begins.then(|| if named { name[0].to_owned() } else { name[..name.len() - indexes].join(".") })
    };
    let mut walks: Vec<(String, String)> = Vec::new();
    let mut in_description = 0;
    for line in text.lines() {
        // The description of the device is known to have three lines, and the third looks like a row.
        let of_description = in_description > 0;
        in_description = if line.contains("sysDescr.0") || line.contains(".1.3.6.1.2.1.1.1.0 ") {
            2
        } else {
            usize::saturating_sub(in_description, 1)
        };
        match (column(line).filter(|_| !of_description), walks.last_mut()) {
            (Some(name), Some((last, walk))) if name == *last => walk.extend([line, "\n"]),
            (Some(name), _) => walks.push((name, format!("{line}\n"))),
            (None, Some((_, walk))) => walk.extend([line, "\n"]),
            (None, None) => unreachable!("a text begins with a row"),
        }
    }
    walks.into_iter().map(|(_, walk)| walk).collect()
}

const FORMS: [&str; 3] = ["arris_numbers.txt", "arris_names.txt", "arris_quick_in_another_order.txt"];

/// Other objects of the system group, walked one by one, as a form of [`FORMS`] prints them.
fn more_scalars(form: usize) -> Vec<String> {
    let rows = [
        (3, "sysUpTime", "Timeticks: (4200) 0:00:42.00"),
        (4, "sysContact", "STRING: a desk"),
        (6, "sysLocation", "STRING: a room"),
    ];
    let row = |(n, name, value): (u32, &str, &str)| match form {
        0 => format!(
            ".1.3.6.1.2.1.1.{n}.0 = {}\n",
            value.replace("STRING: ", "STRING: \"") + if n > 3 { "\"" } else { "" }
        ),
        1 => format!("SNMPv2-MIB::{name}.0 = {value}\n"),
        _ => format!(
            "SNMPv2-MIB::{name}.0 {}\n",
            value.replace("STRING: ", "").replace("Timeticks: (4200) ", "")
        ),
    };
    rows.map(row).to_vec()
}

#[test]
fn a_channel_between_scalars_keeps_its_frequencies() {
    for (form, name) in FORMS.into_iter().enumerate() {
        let text = fixture(name);
        let (some, rest): (Vec<String>, Vec<String>) = walks(&text).into_iter().partition(|walk| {
            let left = walk.split(' ').next().unwrap();
            ["sysDescr", "sysObjectID", ".1.3.6.1.2.1.1.", ".4491."].iter().any(|part| left.contains(part))
        });
        let edge = |edge: &str| {
            some.iter().find(|walk| walk.contains(&format!(".4491.2.1.28.1.23.1.{edge}."))).unwrap()
        };
        let scalar = |n: u32, name: &str| {
            let of =
                |walk: &&String| walk.contains(name) || walk.starts_with(&format!(".1.3.6.1.2.1.1.{n}.0 "));
            some.iter().find(of).unwrap().as_str()
        };
        let (descr, product) = (scalar(1, "sysDescr.0"), scalar(2, "sysObjectID.0"));
        let more = more_scalars(form);
        for scalars in [product.to_owned(), more.concat() + product, more[1].clone() + &more[2] + product] {
            for (first, second) in [("4", "5"), ("5", "4")] {
                let (first, second) = (edge(first), edge(second));
                for middle in [format!("{first}{second}{scalars}"), format!("{first}{scalars}{second}")] {
                    let before = format!("{}{descr}{middle}", rest.concat());
                    assert_eq!(pasted(&before), pasted(&text), "{before}");
                    let behind = format!("{descr}{middle}{}", rest.concat());
                    assert_eq!(pasted(&behind), pasted(&text), "{behind}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_the_walks_changes_nothing(form in 0..FORMS.len(), seed in proptest::collection::vec(any::<u32>(), 24)) {
        let text = fixture(FORMS[form]);
        let mut walks: Vec<(u32, String)> = walks(&text).into_iter().chain(more_scalars(form)).zip(seed).map(|(walk, n)| (n, walk)).collect();
        prop_assert!(walks.len() >= 18, "{} walks", walks.len());
        walks.sort();
        let shuffled: String = walks.iter().map(|(_, walk)| walk.as_str()).collect();
        prop_assert_eq!(&pasted(&shuffled), &pasted(&text), "{}", shuffled);
        // The same walks as the answers of a capture.
        let answers: Vec<Answer<'_>> =
            walks.iter().map(|(_, walk)| Answer { command: "", output: walk, complete: true }).collect();
        prop_assert_eq!(parse(&answers).upstreams, pasted(&text).upstreams);
    }

    #[test]
    fn a_text_that_is_cut_anywhere_makes_nothing_up(form in 0..FORMS.len(), at in any::<prop::sample::Index>(), told in any::<bool>()) {
        let text = fixture(FORMS[form]);
        let lines: Vec<&str> = text.lines().collect();
        let mut cut: String = lines[..at.index(lines.len())].iter().flat_map(|line| [*line, "\n"]).collect();
        if told {
            cut.push_str("Timeout: No Response from 192.0.2.1\n");
        }
        let whole = pasted(&text);
        let whole: BTreeMap<&str, &Upstream<'_>> = whole.upstreams.iter().map(|u| (&*u.name, u)).collect();
        let parsed = pasted(&cut);
        let ok = parsed.fault.is_none() && parsed.partial.is_none();
        prop_assert!(!told || !ok);
        for upstream in &parsed.upstreams {
            let true_one = whole.get(&*upstream.name);
            // A row that the cut-off columns would have taken out of service may still be there: it is not new.
            let Some(true_one) = true_one else { continue };
            let same = upstream.modulation == true_one.modulation || !ok && upstream.modulation.bits().is_none();
            prop_assert!(same, "{}: {} is {}", upstream.name, upstream.modulation, true_one.modulation);
        }
    }

    #[test]
    fn no_text_is_too_odd(
        lines in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), "\\PC{0,12}"), 0..80),
    ) {
        let pool: Vec<String> = FORMS.iter().flat_map(|form| fixture(form).lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        let mut text = String::new();
        for (line, at, noise) in lines {
            let line = line.get(&pool);
            let cut = (0..=at.index(line.len() + 1)).rev().find(|&at| line.is_char_boundary(at)).unwrap_or(0);
            text.extend([&line[..cut], &noise, if noise.len() % 3 == 0 { "\n" } else { &line[cut..] }]);
        }
        let parsed = pasted(&text);
        prop_assert!(parsed.upstreams.len() <= text.lines().count());
        let longest = parsed.upstreams.iter().map(|u| u.name.len() + u.description.as_deref().unwrap_or("").len()).max();
        prop_assert!(longest.unwrap_or(0) <= 2 * text.len().min(8192));
    }
}

#[test]
fn a_line_inside_a_string_is_not_a_row() {
    let names = fixture("arris_names.txt");
    let inside = "IF-MIB::ifAlias.7102 = STRING: a\nb\nDOCS-IF-MIB::docsIfUpChannelModulationProfile.7101 = Gauge32: 502\n";
    let text = names.replace("IF-MIB::ifAlias.7102 = STRING: Überlingen\n", inside);
    assert_ne!(text, names);
    let (parsed, before) = (pasted(&text), pasted(&names));
    assert_eq!(parsed.upstreams[0], before.upstreams[0]);
    let modulations = |parsed: &Parsed<'_>| parsed.upstreams.iter().map(|u| u.modulation).collect::<Vec<_>>();
    assert_eq!(modulations(&parsed), modulations(&before));
    // In quotation marks, whatever stands there is text.
    let numbers = fixture("arris_numbers.txt");
    let inside = "\"a\n.1.3.6.1.2.1.10.127.1.3.5.1.4.503.10 = INTEGER: 6\n.1.3.6.1.2.1.31.1.1.1.18.7199 = STRING: \\\"b\\\"\"\n";
    let text = numbers.replace("\"second logical channel\"\n", inside);
    assert_ne!(text, numbers);
    assert_eq!(modulations(&pasted(&text)), modulations(&pasted(&numbers)));
    let description = ".1.3.6.1.2.1.10.127.1.3.5.1.4.503.10 = INTEGER: 6";
    assert!(pasted(&text).upstreams[3].description.as_deref().unwrap().contains(description));
}

#[test]
fn a_capture_of_walks_counts_what_each_walked() {
    let walk = |oid: &str, output: &str, complete: bool| json!({"command": format!("walk {oid}"), "output": output, "complete": complete});
    let text = fixture("arris_numbers.txt");
    let mut commands: Vec<Value> = Vec::new();
    for rows in walks(&text) {
        let left = rows.split(' ').next().unwrap();
        let indexes = if left.contains("127.1.3.5.1.") { 2 } else { 1 };
        let parts: Vec<&str> = left.trim_start_matches('.').split('.').collect();
        commands.push(walk(&parts[..parts.len() - indexes].join("."), &rows, true));
    }
    let capture = |commands: &[Value]| {
        let record = json!({"v": 1, "type": "capture", "ts": "2026-11-24T12:00:00Z", "cmts": "LAB", "platform": "snmp",
            "host": "192.0.2.1", "port": 161, "status": "ok", "commands": commands});
        tool("mod-parse").stdin(format!("{record}\n{{\"v\":1,\"type\":\"end\",\"ts\":\"2026-11-24T12:00:00Z\",\"stage\":\"x\",\"ok\":1,\"failed\":0}}\n")).run()
    };
    let whole = capture(&commands);
    assert_eq!(samples(&whole), samples(&raw(text, &[])));
    assert_eq!(whole.records().iter().find(|record| record["type"] == "scan").unwrap()["status"], "ok");
    commands.reverse();
    assert_eq!(capture(&commands).stdout, whole.stdout, "the order of the commands");
    // A row that stands under another command does not count.
    let mut strange = commands.clone();
    let alias =
        strange.iter_mut().find(|command| command["command"] == "walk 1.3.6.1.2.1.31.1.1.1.18").unwrap();
    let output = alias["output"].as_str().unwrap();
    alias["output"] = json!(format!("{output}.1.3.6.1.2.1.10.127.1.3.5.1.4.503.10 = INTEGER: 6\n"));
    assert_eq!(samples(&capture(&strange)), samples(&whole));
    // A needed walk that is not whole fails the scan.
    let profile = "walk 1.3.6.1.2.1.10.127.1.1.2.1.4";
    for broken in commands.iter_mut().filter(|command| command["command"] == profile) {
        broken["complete"] = json!(false);
    }
    let run = capture(&commands).says(3, &["read_timeout", profile]);
    assert!(samples(&run).is_empty());
}

#[test]
fn an_explanation_says_what_each_line_of_a_walk_was_taken_for() {
    let text = fixture("arris_names.txt");
    let run = raw(text.clone(), &["--explain"]);
    let told: Vec<&str> = run.stderr.lines().filter(|line| line.contains(": line ")).collect();
    assert_eq!(told.len(), text.lines().count());
    for (number, taken) in
        [(1, "ignored, not a column"), (2, "ignored, more of a string"), (3, "ignored, more of a string")]
    {
        assert!(
            told[number - 1].starts_with(&format!("mod-parse: LAB: pasted text: line {number}: {taken}")),
            "{}",
            told[number - 1]
        );
    }
    for words in [
        "docsIfUpChannelFrequency: DOCS-IF",
        "data grants of a profile: DOCS-IF-MIB::docsIfCmtsModType.501.advPhyLongData",
    ] {
        assert!(told.iter().any(|line| line.contains(words)), "{words}");
    }
}

#[test]
fn more_than_a_hundred_thousand_rows_in_a_column_are_refused_and_a_long_walk_is_read_in_linear_time() {
    let rows = |count: u32| {
        let mut text = fixture("arris_numbers.txt");
        for n in 0..count {
            text.push_str(&format!(".1.3.6.1.2.1.2.2.1.2.{} = STRING: \"modem {n}\"\n", 20_000 + n));
        }
        text
    };
    // The device of the fixture has rows of its own.
    let most =
        MOST_ROWS as u32 - fixture("arris_numbers.txt").matches(".1.3.6.1.2.1.2.2.1.2.").count() as u32;
    let run = raw(rows(most + 1), &[]).says(3, &["parse_failed: ifDescr: more than 100000 rows"]);
    assert!(samples(&run).is_empty());
    assert_eq!(pasted(&rows(most)).upstreams.len(), 5);
    let hostile: [String; 6] = [
        "IF-MIB::ifDescr.5 = STRING: a\n".repeat(60_000),
        ".1.3.6.1.2.1.2.2.1.2.5 = STRING: \"a\n".repeat(60_000),
        format!(".1.3.6.1.2.1.2.2.1.2.5 = STRING: \"{}", "\\\n".repeat(900_000)),
        "IF-MIB::ifAlias.5 = STRING: a\nx\n\n\n".repeat(60_000),
        format!(".1.3.6.1.2.1.31.1.1.1.18.5 = Hex-STRING: 41\n{}", "41 42 \n".repeat(250_000)),
        "\n".repeat(2_000_000),
    ];
    for text in hostile {
        let began = worked();
        assert!(pasted(&text).upstreams.is_empty());
        // Linear work takes a second or two here without optimisation; quadratic work minutes.
        assert!(worked() - began < 20, "{}", &text[..20]);
    }
}
