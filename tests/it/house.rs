//! The layout of the source: a tool stands on the ground and never on another tool.

use std::{fs, path::Path};

const TOOLS: [&str; 7] = ["fetch", "mail", "parse", "prune", "report", "store", "watch"];

/// Every source file below a folder: its path within it, and its text.
fn sources(folder: &Path, below: &str, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{below}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            sources(&path, &format!("{name}/"), found);
        } else if name.ends_with(".rs") {
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Which top-level modules of the crate a file names in its code, comments left out.
fn names(text: &str) -> Vec<&str> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut named = Vec::new();
    let mut open = false;
    for line in code {
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            named.push(&rest[..end]);
        }
        // The first words of the lines, one deep, of `use crate::{ … };` over several lines.
        if open && line.starts_with("    ") && !line.starts_with("     ") {
            let rest = line.trim_start();
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            named.push(&rest[..end]);
        }
        open = (open || line.ends_with("use crate::{")) && !line.starts_with("};");
    }
    named
}

#[test]
fn no_tool_imports_another_and_the_ground_imports_none() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut files);
    assert!(files.len() > 100, "{}", files.len());
    let mut wrong = Vec::new();
    for (path, text) in &files {
        let own = path.split('/').next().unwrap();
        let named = names(text);
        wrong.extend(
            named
                .iter()
                .filter(|name| TOOLS.contains(name) && **name != own)
                .map(|name| format!("{path}: {name}")),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
