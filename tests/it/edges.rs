//! The edges of every tool: help into a closed or full output, terminals, endless lines, and what a process
//! inherits.

use std::{
    fs::File,
    io::{Read, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
};

use modtools::ndjson;
use tempfile::TempDir;

use crate::support::{DEADLINE, built, drain, tool, wait};

const TOOLS: [&str; 7] =
    ["ccap-fetch", "mod-mail", "mod-parse", "mod-prune", "mod-report", "mod-store", "mod-watch"];

/// Exit code and stderr of a line of bash in which PROGRAM stands for a tool.
fn shell(name: &str, line: &str) -> (Option<i32>, String) {
    let dir = TempDir::new().unwrap();
    let line = line.replace("PROGRAM", &built(name).display().to_string());
    let mut command = Command::new("bash");
    command.args(["-c", &line]).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let output = command.current_dir(dir.path()).stdin(Stdio::null()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn help_into_a_closed_pipe_is_0_and_into_a_full_disk_1() {
    for name in TOOLS {
        let closed = shell(name, "PROGRAM --help | head -0; exit ${PIPESTATUS[0]}");
        assert_eq!(closed, (Some(0), String::new()), "{name}");
        for flag in ["--help", "-h", "--version"] {
            let (code, said) = shell(name, &format!("PROGRAM {flag} >/dev/full"));
            assert_eq!(code, Some(1), "{name} {flag}: {said}");
            assert!(said.contains(&format!("{name}: cannot write standard output: No space")), "{said}");
        }
        let gone = shell(name, "PROGRAM --help >&-; PROGRAM -h <&- >/dev/null 2>&-");
        assert_eq!(gone, (Some(0), String::new()), "{name}");
    }
}

#[test]
fn help_is_short_or_long_and_wrapped_once_at_the_width_of_the_terminal() {
    for name in TOOLS {
        let at =
            |flag: &str, columns: &str| tool(name).args([flag]).env("COLUMNS", columns).run().clean(0).stdout;
        let (short, long) = (at("-h", "100"), at("--help", "100"));
        assert!(short.contains(&format!("{name} --help shows examples and exit codes")), "{short}");
        let status = |text: &str| text.to_lowercase().contains("exit status:");
        assert!(!status(&short) && status(&long), "{name}");
        assert!(long.lines().count() > short.lines().count(), "{name}");
        for (text, most) in [(&long, 100), (&at("--help", "72"), 72)] {
            // Examples are commands: they are wrapped by nobody who may paste them.
            let wide = text.lines().find(|line| line.chars().count() > most && !line.starts_with("  "));
            assert_eq!(wide, None, "{name} at {most} columns");
        }
    }
    assert!(tool("mod-parse").args(["-h"]).run().clean(0).stdout.contains("--raw --cmts NAME"));
}

/// A tool whose standard input is a terminal, by util-linux' `script`.
fn at_a_terminal(line: &str) -> (Option<i32>, String) {
    let dir = TempDir::new().unwrap();
    let mut command = Command::new("script");
    command.args(["-qec", line, "/dev/null"]).env_clear().current_dir(dir.path());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", dir.path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("script of util-linux");
    let held = child.stdin.take();
    let said = drain(child.stdout.take().unwrap());
    let status = wait(&mut child, DEADLINE);
    drop(held);
    (status.code(), said.join().unwrap())
}

#[test]
fn a_filter_at_a_terminal_says_what_it_waits_for() {
    for (name, word) in [("mod-parse", "--raw"), ("mod-store", "mod-parse"), ("mod-mail", "mod-report")] {
        let (code, said) = at_a_terminal(&built(name).display().to_string());
        assert_eq!(code, Some(2), "{name}: {said}");
        assert!(said.contains("standard input is a terminal") && said.contains(word), "{said}");
    }
    let line = format!("{} --init --db sqlite:x.db", built("mod-store").display());
    assert_eq!(at_a_terminal(&line).0, Some(0));
}

#[test]
fn a_line_of_gigabytes_is_an_error_and_takes_little_memory() {
    let end =
        "{\"v\":1,\"type\":\"end\",\"ts\":\"2026-05-01T12:00:00Z\",\"stage\":\"x\",\"ok\":0,\"failed\":0}\n";
    let dir = TempDir::new().unwrap();
    for (name, args) in [
        ("mod-parse", vec!["-j", "2"]),
        ("mod-store", vec!["--db", "sqlite:x.db", "--init"]),
        ("mod-report", vec!["--input", "-", "--tz", "UTC"]),
        ("mod-mail", vec!["--from", "a@example.net", "--to", "b@example.net", "--dry-run"]),
    ] {
        // This address space holds a line of 64 MiB, what is made of it, and threads; it does not hold the whole line.
        let line = format!("ulimit -v 1000000; exec {} {}", built(name).display(), args.join(" "));
        let mut command = Command::new("bash");
        command.args(["-c", &line]).env_clear().current_dir(dir.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let feed = std::thread::spawn(move || {
            std::io::copy(&mut std::io::repeat(b'x').take(1_100_000_000), &mut input)?;
            input.write_all(b"\n")?;
            input.write_all(end.as_bytes())
        });
        let (out, said) = (drain(child.stdout.take().unwrap()), drain(child.stderr.take().unwrap()));
        let status = wait(&mut child, DEADLINE);
        let fed = feed.join().unwrap();
        let (out, said) = (out.join().unwrap(), said.join().unwrap());
        assert!(
            said.contains(&format!("line 1: longer than {} MiB", ndjson::LONGEST >> 20)),
            "{name}: {said}"
        );
        assert!(fed.is_ok() && matches!(status.code(), Some(1 | 3)), "{name}: {status} {out} {said}");
    }
}

#[test]
fn records_with_a_byte_order_mark_are_read_and_other_encodings_are_named() {
    let scan = "{\"v\":1,\"type\":\"heartbeat\",\"ts\":\"2026-05-01T12:00:00Z\",\"devices\":1,\"due\":0,\"running\":0}\r\n";
    let run = tool("mod-parse").stdin(format!("\u{feff}{scan}{scan}")).run().clean(0);
    assert_eq!(run.records().len(), 2);
    let utf16: Vec<u8> = format!("\u{feff}{scan}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    tool("mod-parse").stdin(utf16).run().says(2, &["line 1", "UTF-16"]);
    let latin =
        [scan.as_bytes(), b"{\"v\":1,\"type\":\"x\",\"cmts\":\"Z\xfcrich\"}\n", scan.as_bytes()].concat();
    let run = tool("mod-parse").stdin(latin).run().says(3, &["line 2: byte 0xfc is not UTF-8"]);
    assert_eq!(run.records().len(), 3);
}

/// Starts a tool with signals blocked or ignored, as some service managers hand them down.
fn start(how: &str, name: &str, args: &[&str], dir: &Path) -> std::process::Child {
    let mut command = Command::new("bash");
    let program = built(name).display().to_string();
    // bash cannot block a signal, and env of coreutils can.
    let line = match how {
        "blocked" => "exec env --block-signal=TERM --block-signal=INT \"$@\"",
        "ignored" => "trap '' TERM CHLD; exec \"$@\"",
        _ => "exec \"$@\"",
    };
    command.args(["-c", line, "bash", &program]).args(args).env_clear().current_dir(dir);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", dir);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
    command.spawn().unwrap()
}

/// The signals that a process has blocked, ignored and caught.
fn masks(pid: u32) -> [u64; 3] {
    let mut status = String::new();
    File::open(format!("/proc/{pid}/status")).unwrap().read_to_string(&mut status).unwrap();
    let mask = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    };
    [mask("SigBlk:"), mask("SigIgn:"), mask("SigCgt:")]
}

#[test]
fn a_tool_hears_signals_that_its_parent_blocked_or_ignored() {
    let dir = TempDir::new().unwrap();
    for how in ["as usual", "blocked", "ignored"] {
        let mut child = start(how, "mod-parse", &["-j", "1"], dir.path());
        let bit = |signal: i32| 1u64 << (signal - 1);
        crate::support::until("the handlers", || {
            let [blocked, ignored, caught] = masks(child.id());
            let heard = bit(15) | bit(2);
            program(child.id()) == "mod-parse"
                && caught & heard == heard
                && blocked & heard == 0
                && ignored & (heard | bit(17)) == 0
        });
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        // A filter goes on to the end of its input, and it ends when the input does.
        drop(child.stdin.take());
        let status = wait(&mut child, DEADLINE);
        assert!(status.success(), "{how}: {status}");
    }
}

fn program(pid: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned()
}
