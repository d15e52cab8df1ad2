//! What a text costs: memory within so many times its length and a bit, under a limit of the system's, and time that
//! grows as the text does. What peers that never stop talking cost is in `hostile_ssh`, `hostile_snmp`, `mail_dialogue`,
//! `store_hostile` and `store_faults`.

use std::fs;

use crate::{
    store::{END, sample, scan},
    support::{Tool, in_package, tool},
};

/// A text, piece by piece.
type Text = Box<dyn Fn(usize) -> String>;
/// What is tried, the tool, and its input.
type Case = (&'static str, Box<dyn Fn() -> Tool>, Text);

/// Runs a command and prints the CPU time of it, seconds, and its most memory, KiB.
const MEASURE: &str = "
import resource, subprocess, sys
ended = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss, ended.returncode)
";

/// What a tool takes, empty.
const BASE_KIB: u64 = 48 << 10;
/// Bytes of memory for one of text, at most.
const TIMES: u64 = 24;
const SMALL: usize = 256 << 10;
const LARGE: usize = 4 * SMALL;

fn parse(platform: &str) -> Tool {
    tool("mod-parse").args(["--raw", "-j", "1", "--platform", platform, "--cmts", "CCAP001"])
}

/// CPU time and memory of a tool that is given so much text.
fn cost(what: &str, tool: Tool, text: &dyn Fn(usize) -> String, length: usize) -> (f64, u64) {
    let mut input = String::new();
    let mut n = 0;
    while input.len() < length {
        input += &text(n);
        n += 1;
    }
    let most = (BASE_KIB << 10) + TIMES * input.len() as u64;
    // Address space is reserved beyond what is used: by each thread, and by the program that measures.
    let limit = format!("--as={}", most + (512 << 20));
    let run = tool.under(&["prlimit", &limit, "python3", "-c", MEASURE]).stdin(input + END).run().clean(0);
    let numbers: Vec<&str> = run.stdout.split_whitespace().collect();
    let (time, peak_kib, code) = (numbers[0].parse().unwrap(), numbers[1].parse().unwrap(), numbers[2]);
    assert!(matches!(code, "0" | "3"), "{what}: ends with {code}");
    assert!(peak_kib <= most >> 10, "{what}: {peak_kib} KiB for {length} bytes");
    (time, peak_kib)
}

#[test]
fn text_costs_memory_and_time_in_proportion() {
    let fixture = |path: &str| fs::read_to_string(in_package(&format!("tests/fixtures/{path}"))).unwrap();
    let ts = |n: usize| modtools::record::Timestamp(1_577_836_800 + 600 * n as i64).to_string();
    let of_scan = move |n: usize| {
        let samples = (0..20).map(|u| sample(&ts(n), "CCAP001", &format!("1/scq/{u}"), "QAM64", ""));
        samples.collect::<String>() + &scan(&ts(n), "CCAP001", "ok", 20)
    };
    let text = |path: &str| -> Text {
        let text = fixture(path);
        Box::new(move |_| text.clone())
    };
    let line = |make: fn(usize) -> String| -> Text { Box::new(make) };
    let cases: Vec<Case> = vec![
        ("e6000", Box::new(|| parse("e6000")), text("e6000/state_and_profiles.txt")),
        ("casa", Box::new(|| parse("casa")), text("casa/hops_and_base.txt")),
        ("cbr8", Box::new(|| parse("cbr8")), text("cbr8/scan.txt")),
        ("snmp", Box::new(|| parse("snmp")), text("snmp/arris_numbers.txt")),
        ("blanks", Box::new(|| parse("e6000")), line(|_| " ".repeat(1000) + "\u{1b}[999C")),
        ("one line", Box::new(|| parse("casa")), line(|_| "1/0.0/0 ".to_owned())),
        ("records", Box::new(|| tool("mod-parse").args(["-j", "1"])), Box::new(of_scan)),
        (
            "samples",
            Box::new(|| tool("mod-store").args(["--db", "sqlite:m.db", "--dry-run", "--tee"])),
            Box::new(of_scan),
        ),
        (
            "a report",
            Box::new(|| tool("mod-report").args(["--input", "-", "--date", "2020-01-02", "--tz", "UTC"])),
            Box::new(of_scan),
        ),
        (
            "an inventory",
            Box::new(|| tool("ccap-fetch").args(["-i", "-", "--dry-run", "--user", "u"])),
            line(|n| format!("{{\"cmts\":\"CCAP{n:05}\",\"host\":\"10.0.0.1\"}}\n")),
        ),
    ];
    for (what, tool, text) in &cases {
        let (small, _) = cost(what, tool(), text, SMALL);
        let (large, _) = cost(what, tool(), text, LARGE);
        // Four times the text; its square would be sixteen times the time.
        assert!(large < 7.0 * small + 0.3, "{what}: {small} s and {large} s");
    }
}
