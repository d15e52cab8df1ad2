//! The fault matrix: one test per kind of fault, on a device of each family, beside a healthy one. Each time
//! there is one capture per device, with the right status, and mod-parse makes of them what the devices show.

use crate::{
    support::{Run, records, tool},
    support_sim::{Fleet, PASSWORD, USER},
};

/// Budgets that a test can wait for.
const BUDGETS: [&str; 12] = [
    "--connect-timeout",
    "1s",
    "--auth-timeout",
    "3s",
    "--idle-timeout",
    "2s",
    "--device-timeout",
    "20s",
    "--max-output",
    "4MiB",
    "--retries",
    "1",
];

fn fetch(fleet: &Fleet, args: &[&str]) -> Run {
    tool("ccap-fetch")
        .args(["--user", USER, "--login-rate", "1000/s", "-j", "8"])
        .arg("-i", fleet.inventory())
        .arg("--known-hosts", fleet.known_hosts())
        .args(BUDGETS)
        .args(args)
        .env("CCAP_PASSWORD", PASSWORD)
        .run()
}

/// Samples without their time, one line each, sorted.
fn samples(stream: &str) -> Vec<String> {
    let parsed = tool("mod-parse").stdin(stream).run();
    assert_eq!(parsed.stderr, "");
    let mut lines: Vec<String> = parsed
        .records()
        .into_iter()
        .filter(|record| record["type"] == "sample")
        .map(|mut record| {
            record.as_object_mut().expect("an object").remove("ts");
            record.to_string()
        })
        .collect();
    lines.sort();
    lines
}

/// What the devices show, in the same form.
fn truth(fleet: &Fleet) -> Vec<String> {
    let mut lines: Vec<String> = records(&fleet.truth().join("\n")).iter().map(ToString::to_string).collect();
    lines.sort();
    lines
}

/// Runs a fleet of six with this fault on one device of each of these families.
#[track_caller]
fn matrix(kind: &str, families: &[&str], args: &[&str]) -> Run {
    matrix_of("12", kind, families, args)
}

/// The same with so many upstreams on each device.
#[track_caller]
fn matrix_of(upstreams: &str, kind: &str, families: &[&str], args: &[&str]) -> Run {
    let faults = families.iter().flat_map(|name| ["--fault".to_owned(), format!("{name}={kind}")]);
    let mut flags: Vec<String> =
        ["--devices", "e6000=2,casa=2,cbr8=2", "--upstreams", upstreams].map(String::from).into();
    flags.extend(faults);
    let fleet = Fleet::start(&flags.iter().map(String::as_str).collect::<Vec<_>>());
    let run = fetch(&fleet, args);
    let captures: Vec<_> = run.records().into_iter().filter(|record| record["type"] == "capture").collect();
    let mut statuses: Vec<_> =
        captures.iter().map(|c| (c["cmts"].to_string(), c["status"].to_string())).collect();
    statuses.sort();
    let mut expected: Vec<_> =
        fleet.expected().iter().map(|e| (e["cmts"].to_string(), e["status"].to_string())).collect();
    expected.sort();
    assert_eq!(statuses, expected, "{}", run.stderr);
    for capture in &captures {
        let good = ["ok", "partial"].contains(&capture["status"].as_str().expect("a status"));
        let said =
            run.stderr.contains(&format!("ccap-fetch: {}: ", capture["cmts"].as_str().expect("a name")));
        assert_eq!(said, !good, "{}", run.stderr);
    }
    assert_eq!(samples(&run.stdout), truth(&fleet), "{kind}");
    run
}

const ALL: [&str; 3] = ["CCAP001", "CCAP101", "CCAP201"];

macro_rules! faults {
    ($($test:ident: $kind:literal on $families:expr;)*) => {
        $(#[test] fn $test() { matrix($kind, &$families, &[]); })*
    };
}

faults! {
    refused: "refused" on ALL;
    black_hole: "black-hole" on ALL;
    silent: "silent" on ALL;
    auth_hang: "auth-hang" on ALL;
    two_questions_at_login: "kbd-interactive-2" on ALL;
    banner: "banner" on ALL;
    legacy_only: "legacy-only" on ALL;
    group1_only: "legacy-only:group1" on ALL;
    wrong_host_key: "wrong-host-key" on ALL;
    hang_mid_output: "hang-mid-output" on ALL;
    close_mid_output: "close-mid-output" on ALL;
    reset_mid_output: "reset-mid-output" on ALL;
    drip: "drip" on ALL;
    endless: "endless" on ALL;
    pager_ignores_off: "pager-ignores-off" on ALL;
    more_backspaces: "more-backspaces" on ALL;
    ansi: "ansi" on ALL;
    cr_cr_lf: "cr-cr-lf" on ALL;
    echo_wrap_80: "echo-wrap-80" on ALL;
    syslog_in_table: "syslog-in-table" on ALL;
    prompt_changes: "prompt-changes" on ALL;
    prompt_split: "prompt-split" on ALL;
    error_for_table: "error-for-table" on ALL;
    optional_refused: "optional-refused" on ALL;
    extra_refused: "extra-refused" on ["CCAP001", "CCAP101"];
    empty_table: "empty-table" on ALL;
    big: "big" on ALL;
    bad_host_name: "bad-host-name" on ALL;
    same_address: "same-address" on ALL;
    setup_refused: "setup-refused" on ["CCAP001", "CCAP101"];
    no_hop_history: "no-hop-history" on ["CCAP101"];
    surplus_prompt: "surplus-prompt" on ALL;
    redraw: "redraw" on ALL;
    log_behind_prompt: "log-behind-prompt" on ALL;
    slow_line: "slow-line" on ALL;
    odd_host_name: "odd-host-name" on ALL;
}

#[test]
fn a_device_whose_echo_proves_nothing_is_named_in_its_capture() {
    for kind in ["no-echo", "no-echo:line-end", "echo-at-once"] {
        let run = matrix(kind, &ALL, &[]);
        for capture in run.records().iter().filter(|record| record["type"] == "capture") {
            let echoes = !ALL.contains(&capture["cmts"].as_str().unwrap());
            let commands = capture["commands"].as_array().unwrap();
            assert!(commands.iter().all(|command| command["echo"].is_null() == echoes), "{capture}");
        }
    }
}

#[test]
fn pager_wordings() {
    matrix_of("60", "pager-wordings", &ALL, &[]);
}

/// Nothing is typed at such a question, and the error quotes it.
#[test]
fn a_shell_that_asks_for_a_login() {
    for (kind, question) in [("second-login", "User Name:"), ("expired-password", "UNIX password:")] {
        let run = matrix(kind, &ALL, &[]);
        assert_eq!(run.stderr.matches(question).count(), 3, "{}", run.stderr);
    }
}

#[test]
fn user_mode() {
    matrix("user-mode", &["CCAP201"], &["--enable"]);
}

/// The breaker is off here, so that the healthy devices after the rejections are tried.
#[test]
fn reject_password() {
    matrix("reject-password", &ALL, &["--auth-breaker", "0"]);
}
