//! What the documentation says is so: the flags that it names exist, and no status lacks its advice.

use std::{fs, path::PathBuf};

use clap::Command;
use modtools::record::Status;

use crate::{man::tools, support::in_package};

/// Every text in which commands stand.
fn texts() -> Vec<PathBuf> {
    let in_folder = |folder: &str, extension: &str| -> Vec<PathBuf> {
        let files = fs::read_dir(in_package(folder)).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.is_file() && path.extension().unwrap_or_default() == extension).collect()
    };
    let mut texts =
        [in_folder("docs", "md"), in_folder("examples", "sh"), in_folder("examples/systemd", "service")];
    texts[0].extend(["README.md", "examples/cron.d/modtools"].map(in_package));
    texts.concat()
}

/// The flags of each command of a line, up to its pipe or the end of its quotation.
fn flags_of_line<'a>(line: &'a str, tools: &'a [Command]) -> Vec<(&'a Command, String)> {
    let mut flags = Vec::new();
    let mut tool = None;
    for word in line.split_whitespace() {
        let bare = word.trim_start_matches(['`', '(', '\'', '"', '$']);
        let name = bare.trim_end_matches(['`', ')', ',', ';', ':', '.', '\'', '"']);
        if let Some(named) = tools.iter().find(|tool| tool.get_name() == name) {
            tool = Some(named);
        } else if let (Some(tool), Some(flag)) = (tool, bare.strip_prefix("--")) {
            let flag: String = flag.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
            flags.push((tool, flag));
        }
        // A pipe, the end of inline code, or `--`, behind which another command stands.
        if ["|", "--", "#", "&&"].contains(&word)
            || word.trim_end_matches([',', ';', ':', '.', ')']).ends_with('`')
        {
            tool = None;
        }
    }
    flags
}

#[test]
fn every_flag_that_the_documentation_names_exists() {
    let tools: Vec<Command> = tools()
        .into_iter()
        .map(|mut tool| {
            tool.build();
            tool
        })
        .collect();
    let mut seen = 0;
    for path in texts() {
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            for (tool, flag) in flags_of_line(line, &tools) {
                let known = std::iter::once(tool).chain(tool.get_subcommands()).any(|command| {
                    command.get_arguments().any(|argument| argument.get_long() == Some(flag.as_str()))
                });
                assert!(
                    flag.is_empty() || known,
                    "{}: {} has no --{flag}: {line}",
                    path.display(),
                    tool.get_name()
                );
                seen += usize::from(!flag.is_empty());
            }
        }
    }
    assert!(seen > 50, "only {seen} flags were found");
}

#[test]
fn every_status_and_exit_code_has_its_advice() {
    let advice = fs::read_to_string(in_package("docs/troubleshooting.md")).unwrap();
    for status in Status::ALL {
        assert!(advice.contains(&format!("\n| `{status}` | ")), "no advice for {status}");
    }
    for code in 0..=4 {
        assert!(advice.contains(&format!("\n| {code} | ")), "no advice for exit code {code}");
    }
}

#[test]
fn every_link_between_the_pages_leads_somewhere() {
    for page in texts().into_iter().filter(|path| path.extension().is_some_and(|e| e == "md")) {
        let text = fs::read_to_string(&page).unwrap();
        for target in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap_or_default()) {
            let file = target.split('#').next().unwrap();
            if target.contains("://") || file.is_empty() {
                continue;
            }
            let beside = page.parent().unwrap().join(file);
            assert!(beside.exists(), "{} links to {target}", page.display());
        }
    }
}
