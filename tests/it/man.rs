//! The man pages and the completions are what clap knows and what man/parts adds, and mandoc likes them.
//! `make man` (UPDATE_MAN=1) writes them anew.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use clap::CommandFactory;
use clap_complete::Shell;
use modtools::cli;
use serde_json::Value;

use crate::{manual, support::in_package};

/// Every tool, as clap sees it.
pub fn tools() -> Vec<clap::Command> {
    vec![
        cli::Fetch::command(),
        cli::Mail::command(),
        cli::Parse::command(),
        cli::Prune::command(),
        cli::Report::command(),
        cli::Store::command(),
        cli::Watch::command(),
    ]
}

/// Holds a file against what it has to be, or makes it so.
#[track_caller]
fn hold(path: &Path, content: &str) {
    if std::env::var_os("UPDATE_MAN").is_some_and(|update| !update.is_empty()) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        return fs::write(path, content).unwrap();
    }
    let there = fs::read_to_string(path).unwrap_or_default();
    let differs = there.lines().zip(content.lines()).find(|(is, should)| is != should);
    assert!(there == content, "{} is not what the flags say; run `make man`: {differs:?}", path.display());
}

fn part(name: &str) -> String {
    let path = in_package(&format!("man/parts/{name}.roff"));
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn every_tool_has_the_page_that_its_flags_make() {
    for command in tools() {
        let name = command.get_name().to_owned();
        let page = manual::page(command, &part(&name));
        for section in ["NAME", "SYNOPSIS", "OPTIONS", "EXAMPLES", "EXIT STATUS", "ENVIRONMENT", "SEE ALSO"] {
            assert!(manual::has_section(&page, section), "{name}.1 has no section {section}");
        }
        hold(&in_package(&format!("man/{name}.1")), &page);
    }
}

#[test]
fn every_binary_is_one_of_the_tools() {
    let mut built: Vec<String> = fs::read_dir(in_package("src/bin"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    built.sort();
    let tools: Vec<String> = tools().iter().map(|command| command.get_name().to_owned()).collect();
    assert_eq!(built, tools, "a new tool wants its line in tools() here, and its page");
}

#[test]
fn every_tool_has_the_completions_that_its_flags_make() {
    for mut command in tools() {
        let name = command.get_name().to_owned();
        for (shell, file) in [
            (Shell::Bash, format!("bash/{name}")),
            (Shell::Fish, format!("fish/{name}.fish")),
            (Shell::Zsh, format!("zsh/_{name}")),
        ] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, &name, &mut script);
            hold(&in_package(&format!("completions/{file}")), &String::from_utf8(script).unwrap());
        }
    }
}

#[test]
fn mandoc_finds_nothing_to_say_of_any_page() {
    let mut pages: Vec<_> = fs::read_dir(in_package("man"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    pages.sort();
    assert!(pages.len() > tools().len(), "modtools(5) is missing: {pages:?}");
    let lint = Command::new("mandoc").args(["-T", "lint"]).args(&pages).stdin(Stdio::null()).output();
    let lint = lint.expect("mandoc; run tests/setup.sh test");
    assert!(lint.status.success(), "{}", String::from_utf8_lossy(&lint.stdout));
    assert_eq!(String::from_utf8_lossy(&lint.stdout), "");
}

/// The JSON that stands in modtools(5), unescaped.
pub fn records_shown() -> Vec<Value> {
    let page = fs::read_to_string(in_package("man/modtools.5")).unwrap();
    let mut records = Vec::new();
    let mut shown: Option<String> = None;
    for line in page.lines() {
        match (line, &mut shown) {
            (".EX", _) => shown = Some(String::new()),
            (".EE", Some(text)) if text.starts_with('{') => {
                let json = text.replace("\\-", "-").replace("\\e", "\\").replace("\\(dq", "\"");
                records.push(serde_json::from_str(&json).unwrap_or_else(|e| panic!("{e}: {json}")));
                shown = None;
            }
            (_, Some(text)) => text.push_str(line),
            _ => {}
        }
    }
    records
}

#[test]
fn the_records_that_modtools_5_shows_are_read_and_written_as_they_stand() {
    use modtools::record::{
        Body, Capture, Change, End, Event, Fault, Fresh, Gap, Heartbeat, Report, Row, Sample, Scan, State,
        Work,
    };
    fn again<B: Body + serde::de::DeserializeOwned>(shown: &Value) -> Value {
        let body: B = serde_json::from_value(shown.clone()).unwrap_or_else(|e| panic!("{e}: {shown}"));
        let mut line = Vec::new();
        modtools::record::write(&mut line, &body).unwrap();
        serde_json::from_slice(&line).unwrap()
    }
    let shown = records_shown();
    let mut kinds = Vec::new();
    for record in &shown {
        let kind = record["type"].as_str().unwrap_or_else(|| panic!("no type: {record}"));
        let written = match kind {
            "capture" => again::<Capture>(record),
            "sample" => again::<Sample>(record),
            "scan" => again::<Scan>(record),
            "heartbeat" => again::<Heartbeat>(record),
            "end" => again::<End>(record),
            "error" => again::<Fault>(record),
            "report" => again::<Report>(record),
            "row" => again::<Row>(record),
            "change" => again::<Change>(record),
            "gap" => again::<Gap>(record),
            "state" => again::<State>(record),
            "event" => again::<Event>(record),
            "fresh" => again::<Fresh>(record),
            "work" => again::<Work>(record),
            // Counts for people and scripts; no stage reads them.
            "group" | "stored" | "pruned" | "status" => record.clone(),
            other => panic!("unknown type of record: {other}"),
        };
        assert_eq!(&written, record, "modtools(5) shows a {kind} that would be written otherwise");
        kinds.push(kind);
    }
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(
        kinds,
        [
            "capture",
            "change",
            "end",
            "error",
            "event",
            "fresh",
            "gap",
            "group",
            "heartbeat",
            "pruned",
            "report",
            "row",
            "sample",
            "scan",
            "state",
            "status",
            "stored",
            "work"
        ]
    );
}

#[test]
fn modtools_5_names_every_field_of_every_record() {
    let page = fs::read_to_string(in_package("man/modtools.5")).unwrap();
    let words: Vec<&str> = page.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let bold = |name: &str| words.contains(&name) || words.contains(&format!("fB{name}").as_str());
    for file in ["mod.rs", "answers.rs", "event.rs", "report.rs", "prune.rs", "work.rs"] {
        let source = fs::read_to_string(in_package("src/record").join(file)).unwrap();
        let (mut written, mut renamed) = (false, false);
        for line in source.lines().map(str::trim) {
            let field = line.strip_prefix("pub ").and_then(|rest| rest.split_once(": "));
            if let Some((name, _)) = field.filter(|(name, _)| written && !renamed && !name.contains(' ')) {
                assert!(bold(name), "modtools(5) does not tell of {name} (src/record/{file})");
            }
            renamed = line.contains("rename = ") || line.contains("serde(flatten)");
            if line.starts_with("#[derive(") {
                written = line.contains("Serialize");
            }
        }
    }
}
