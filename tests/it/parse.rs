//! mod-parse: what it reads in devices' answers, by fixtures, real captures and random damage.

use std::{collections::HashSet, fs, path::Path};

use modtools::platform::{Answer, Platform, ProfileBook, Reading, family};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Run, in_package, records, tool, worked};

/// Pasted text through the tool.
fn raw(platform: &str, text: impl Into<Vec<u8>>, more: &[&str]) -> Run {
    tool("mod-parse")
        .args(["--raw", "--platform", platform, "--cmts", "FIXTURE"])
        .args(more)
        .stdin(text)
        .run()
}

/// Records without their times.
fn timeless(text: &str) -> Vec<Value> {
    let mut all = records(text);
    for record in &mut all {
        record.as_object_mut().unwrap().remove("ts");
    }
    all
}

fn fixtures() -> Vec<(String, std::path::PathBuf)> {
    let mut found = Vec::new();
    for platform in Platform::ALL {
        for entry in fs::read_dir(in_package("tests/fixtures").join(platform.word())).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "txt") {
                found.push((platform.word().to_owned(), path));
            }
        }
    }
    found
}

#[test]
fn every_fixture_reads_as_it_is_written_down() {
    let all = fixtures();
    assert!(all.len() >= 15, "only {} fixtures", all.len());
    for (platform, path) in all {
        let expected = timeless(&fs::read_to_string(path.with_extension("ndjson")).unwrap());
        let run = raw(&platform, fs::read(&path).unwrap(), &[]);
        assert_eq!(timeless(&run.stdout), expected, "{}: {}", path.display(), run.stderr);
        let good = matches!(expected.last().unwrap()["status"].as_str(), Some("ok" | "partial"));
        assert_eq!(run.code, Some(if good { 0 } else { 3 }), "{}: {}", path.display(), run.stderr);
        let silent = good && expected.iter().all(|record| record["modulation"] != "UNKNOWN");
        assert_eq!(run.stderr.is_empty(), silent, "{}: {}", path.display(), run.stderr);
    }
}

/// Answers, one after another, as a capture has them.
fn answers<'a>(of: &[(&'a str, &'a str)]) -> Vec<Answer<'a>> {
    of.iter().map(|&(command, output)| Answer { command, output, complete: true }).collect()
}

/// Upstreams, lines unparsed, and whether it is a fault.
fn parsed(platform: Platform, of: &[(&str, &str)]) -> (usize, u64, Option<String>) {
    let book = ProfileBook::default();
    let mut reading = Reading { cmts: "X", book: &book, explain: None };
    let parsed = family(platform).parse(&answers(of), &mut reading);
    (parsed.upstreams.len(), parsed.unparsed, parsed.fault)
}

#[test]
fn what_was_asked_and_cannot_be_judged_is_never_silently_nothing() {
    let e6000 = "US          Cable     Oper  Chan   Freq Low-High   Center  Channel   Mini Mod  Pwr(dBmV/  LBal\n\
        S/CG/CH     Mac  Conn State Type    (MHz.KHz)      Freq(MHz) Width   Slot Prof  1.6 MHz)  Group\n\
        2/scq/1       1     -    IS atdma  48.400-54.800    51.600   6.400     2   23     0.0     1073743872\n";
    let words = "The management card is busy\nplease come back\n";
    let table = ("show interface cable-upstream", e6000);
    let (upstreams, unparsed, fault) = parsed(Platform::E6000, &[table]);
    assert!(upstreams > 0 && fault.is_none());
    for command in
        ["show cable modem summary", "show running-config interface", "show cable modulation-profile"]
    {
        let with = parsed(Platform::E6000, &[table, (command, words)]);
        assert_eq!(with, (upstreams, unparsed + 1, None), "{command}");
        assert_eq!(
            parsed(Platform::E6000, &[table, (command, "\n")]),
            (upstreams, unparsed, None),
            "{command}"
        );
    }
    // A table under another command does not answer for this one.
    let (none, _, fault) = parsed(Platform::E6000, &[("show something", e6000), (table.0, words)]);
    assert!(none == 0 && fault.is_some_and(|fault| fault.starts_with("show interface cable-upstream")));

    let hops = ("show spectrum hop-history", "Upstream  Time  Type  Profile\n");
    let base = ("show interface upstream", "interface upstream 1/1.1\n logical-channel 0 profile 364\n");
    let (upstreams, unparsed, fault) = parsed(Platform::Casa, &[hops, base]);
    assert_eq!(fault, None);
    for command in ["show cable modem summary extra", "show modulation-profile"] {
        let with = parsed(Platform::Casa, &[hops, base, (command, words)]);
        assert_eq!(with, (upstreams, unparsed + 1, None), "{command}");
    }
    let (none, _, fault) = parsed(Platform::Casa, &[hops, (base.0, words)]);
    assert!(none == 0 && fault.is_some_and(|fault| fault.contains("show interface upstream")));
    let (none, _, fault) = parsed(Platform::Casa, &[(hops.0, words), base]);
    assert!(none == 0 && fault.is_some_and(|fault| fault.starts_with(hops.0)));
}

/// A real capture, where the folder of captures is there.
fn capture(name: &str) -> Option<String> {
    fs::read_to_string(in_package("../shared/captures").join(name)).ok()
}

/// Upstream, modulation and profile of each sample.
fn upstreams(run: &Run) -> Vec<(String, String, Option<u64>)> {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let all = run.records();
    let samples = all.iter().filter(|record| record["type"] == "sample");
    samples.map(|s| (word(&s["upstream"]), word(&s["modulation"]), s["profile"].as_u64())).collect()
}

fn row(upstream: &str, modulation: &str, profile: u64) -> (String, String, Option<u64>) {
    (upstream.to_owned(), modulation.to_owned(), Some(profile))
}

#[test]
fn real_captures_of_the_e6000_read_right() {
    let Some(table) = capture("e6000_show_interface_cable-mac_127.txt") else { return };
    // What 364 stands for on another family says nothing of this one.
    let run = raw("e6000", table.clone(), &[]).says(0, &["profile 364"]);
    let expected =
        [row("2/ofd/0", "OFDMA", 4), row("2/scq/0", "UNKNOWN", 364), row("2/scq/13", "UNKNOWN", 364)];
    assert_eq!(upstreams(&run), expected);
    let all = run.records();
    assert_eq!(all[0]["width_hz"], 15_600_000);
    assert_eq!((&all[1]["center_hz"], &all[1]["width_hz"]), (&json!(58_800_000), &json!(6_400_000)));
    assert_eq!(all[3]["unparsed"], 0);
    // The profiles of a real device have lines for IUC 1 only here: they explain nothing.
    let profiles = capture("cadant_running-config_modulation-profile_ANONYMISED.txt").unwrap();
    let row_of = |profile| {
        format!(
            "3/scq/0     127     -    IS atdma  55.600-62.000    58.800   6.400     2  {profile}    -6.0     1\n"
        )
    };
    let session = format!("{table}{}\n{profiles}", row_of("223"));
    let run = raw("e6000", session, &[]).says(0, &["profile 223"]);
    assert_eq!(upstreams(&run)[3], row("3/scq/0", "UNKNOWN", 223));
}

#[test]
fn real_captures_of_casa_read_right() {
    let Some(config) = capture("casa_interface_upstream_config_forum.txt") else { return };
    let profiles = capture("casa_CLI-INPUT_modulation-profile_lines.txt").unwrap();
    // The profile was entered twelve times over: the first line of its a-long stands.
    let text = format!("interface upstream 1/1.1\n{config}{}", profiles.replace("profile 6", "profile 10"));
    let run = raw("casa", text, &[]).says(0, &["profile 3:"]);
    assert_eq!(upstreams(&run), [row("1/1.1/0", "UNKNOWN", 3), row("1/1.1/1", "QPSK", 10)]);
    assert_eq!(run.records()[0]["center_hz"], 58_000_000);
    let modem = capture("casa_show_cable_modem_mac_online.txt").unwrap();
    raw("casa", modem, &[]).says(3, &["parse_failed"]);
}

#[test]
fn real_captures_of_ios_read_right() {
    let Some(refused) = capture("ios_cisco881_login_and_invalid_input.txt") else { return };
    let run = raw("cbr8", refused, &[]).says(3, &["command_failed", "% Invalid input detected"]);
    assert_eq!(run.records().last().unwrap()["status"], "command_failed");
    let other = capture("cbr8_prompt_timestamp_header_scm_alias.txt").unwrap();
    raw("cbr8", other, &[]).says(3, &["parse_failed"]);
}

#[test]
fn a_messy_terminal_session_reads_like_a_tidy_one() {
    let tidy = fs::read_to_string(in_package("tests/fixtures/cbr8/scan.txt")).unwrap();
    let mut messy = Vec::new();
    for (number, line) in tidy.lines().enumerate() {
        match number % 5 {
            0 => messy.extend_from_slice(b"\x1b[0m\x1b[?25h"),
            2 => messy.extend_from_slice(b" --More-- \x08\x08\x08\x08\x08\x08\x08\x08\x08\x08          \x08\x08\x08\x08\x08\x08\x08\x08\x08\x08"),
            3 => messy.extend_from_slice(b"--More--\r        \r"),
            _ => {}
        }
        messy.extend_from_slice(line.as_bytes());
        messy.extend_from_slice(if number % 2 == 0 { b"\r\r\n" } else { b"\r\n" });
    }
    let (tidy, messy) = (raw("cbr8", tidy, &[]), raw("cbr8", messy, &[]));
    assert_eq!(timeless(&messy.stdout), timeless(&tidy.stdout));
}

#[test]
fn pasted_text_needs_a_platform_from_somewhere() {
    let table = fs::read(in_package("tests/fixtures/e6000/empty_table.txt")).unwrap();
    let by_name = |name: &str| tool("mod-parse").args(["--raw", "--cmts", name]).stdin(table.clone()).run();
    assert_eq!(by_name("lab-ccap042").clean(0).records()[0]["platform"], "e6000");
    by_name("router1").says(2, &["--platform", "router1"]);
    tool("mod-parse").args(["--raw"]).run().says(2, &["--cmts"]);
    tool("mod-parse").args(["--platform", "casa"]).run().says(2, &["--raw"]);
    tool("mod-parse").args(["--raw", "--platform", "cisco", "--cmts", "x"]).run().says(2, &["cbr8"]);
}

#[test]
fn the_command_of_a_lone_output_can_be_told() {
    let run = raw("casa", "", &["--command", "show spectrum hop-history"]);
    assert!(run.says(3, &["show spectrum hop-history"]).stdout.contains("parse_failed"));
}

#[test]
fn an_explanation_names_every_line_once_and_nothing_reaches_the_terminal() {
    let header = "US Cable Oper Chan Freq Low-High Center Channel Mini Mod\nS/CG/CH Mac Conn State Type (MHz.KHz) Freq(MHz) Width Slot Prof\n";
    let rows = "2/scq/0 127 - IS atdma 55.600-62.000 58.800 6.400 2 202\n2/scq/1 \u{202e}evil\n";
    let run = raw("e6000", format!("{header}{rows}"), &["--explain"]);
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 4, "{}", run.stderr);
    for (index, taken) in ["header", "header", "sample", "unparsed"].into_iter().enumerate() {
        let start = format!("mod-parse: FIXTURE: pasted text: line {}: {taken}", index + 1);
        assert!(lines[index].starts_with(&start), "{}", lines[index]);
    }
    assert!(lines[3].contains("\\u{202e}evil"));
    let all = fixtures();
    for (platform, path) in all {
        let text = fs::read_to_string(&path).unwrap();
        let run = raw(&platform, text.clone(), &["--explain"]);
        let explained = run.stderr.lines().filter(|line| line.contains(": line ")).count();
        assert!(explained <= text.lines().count(), "{}: a line was told twice", path.display());
    }
}

/// Parses text as one answer, and checks what holds whatever it says.
fn sound(platform: Platform, text: &str) -> Result<(), TestCaseError> {
    let answers = [Answer { command: "", output: text, complete: true }];
    let mut reading = Reading { cmts: "X", book: &ProfileBook::default(), explain: None };
    let parsed = family(platform).parse(&answers, &mut reading);
    let names: HashSet<&str> = parsed.upstreams.iter().map(|upstream| &*upstream.name).collect();
    prop_assert_eq!(names.len(), parsed.upstreams.len());
    // By SNMP an upstream may have a name of any form.
    let is_name = |name: &str| name.contains('/') || platform == Platform::Snmp && !name.is_empty();
    prop_assert!(parsed.upstreams.iter().all(|upstream| is_name(&upstream.name)));
    prop_assert!(parsed.fault.is_none() || parsed.upstreams.is_empty());
    Ok(())
}

fn fixture_lines() -> Vec<String> {
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    fixtures()
        .iter()
        .flat_map(|(_, path)| read(path).lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

#[test]
fn the_time_of_a_parser_grows_with_its_text_and_not_faster() {
    let many = |line: &dyn Fn(usize) -> String, bytes: usize| {
        let mut text = String::new();
        for n in 0.. {
            if text.len() >= bytes {
                break;
            }
            text.push_str(&line(n));
            text.push('\n');
        }
        text
    };
    let lines: [(&str, &dyn Fn(usize) -> String); 9] = [
        ("interface upstream 1/1.1", &|n| format!(" logical-channel {n} profile 3")),
        ("", &|n| format!("interface upstream 1/{n}.1\n logical-channel 0 profile 3")),
        ("", &|n| format!("1/1.{n}/0 M Mon Nov 23 08:15:00 PM 2026 316 364")),
        ("", &|n| format!("C1/0/{n}/U0 1 2 3 4 5 Node {n}")),
        ("", &|n| {
            format!("Controller 1/0/0 upstream {n}  AdminState:UP OpState: UP\n Bind to Cable1/0/0 US{n}")
        }),
        ("", &|n| format!("2/scq/{n} 1 - IS atdma 5.000-11.400 8.200 6.400 2 202 0.0")),
        ("", &|n| format!("cable modulation-profile {n}\n iuc 10 mod qam64")),
        ("", &|_| "%".repeat(100_000)),
        ("", &|_| "mod prof state mac conn ".repeat(10_000)),
    ];
    for (head, line) in lines {
        let text = format!("{head}\n{}", many(line, 2_000_000));
        for platform in Platform::ALL {
            let began = worked();
            sound(platform, &text).unwrap();
            // Linear work takes a second or two here without optimisation; quadratic work minutes.
            assert!(worked() - began < 20, "{platform}: {head}{}", line(0));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_a_parser_panic_or_name_an_upstream_twice(
        picks in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..160, any::<bool>()), 0..60),
        noise in "\\PC{0,40}",
    ) {
        let lines = fixture_lines();
        let mut text = String::new();
        for (pick, cut, whole) in picks {
            let line = pick.get(&lines);
            let end = line.char_indices().map(|(at, _)| at).take(cut).last().unwrap_or(0);
            text.push_str(if whole { line } else { &line[..end] });
            text.push('\n');
        }
        text.push_str(&noise);
        for platform in Platform::ALL {
            sound(platform, &text)?;
        }
    }
}
