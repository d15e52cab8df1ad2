//! The layout of the source: a tool stands on the ground and never on another tool.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

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
            if let Some(list) = rest.strip_prefix('{').and_then(|rest| rest.strip_suffix("};")) {
                named.extend(listed(list));
                continue;
            }
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

/// The first words of a list `a::{b, c}, d`, one deep.
fn listed(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0_usize, 0, Vec::new());
    for (at, c) in list.char_indices().chain([(list.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let part = list[start..at].trim();
                let end = part.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(part.len());
                parts.push(&part[..end]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts
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

/// The modules of the crate that are ground, each with those that it imports outside of its tests.
fn ground() -> BTreeMap<String, BTreeSet<String>> {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut files);
    let mut ground: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in files {
        let own = path.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        let alone = ["tests.rs", "property.rs", "fuzz.rs"].iter().any(|name| path.ends_with(name));
        if TOOLS.contains(&&own[..]) || ["bin", "lib"].contains(&&own[..]) || alone {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap();
        let imports = names(code).into_iter().filter(|name| *name != own).map(str::to_owned);
        ground.entry(own.clone()).or_default().extend(imports);
    }
    ground
}

/// What can be reached from a module; with itself among it, it stands in a circle.
fn reached(ground: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(module) = open.pop() {
        for next in ground.get(module).into_iter().flatten() {
            if found.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    found
}

#[test]
fn no_module_of_the_ground_stands_in_a_circle() {
    let ground = ground();
    assert!(ground["database"].contains("measure") && ground.len() > 25, "{ground:?}");
    let circles: Vec<_> = ground.keys().filter(|module| reached(&ground, module).contains(*module)).collect();
    assert!(circles.is_empty(), "each of these can be reached from itself: {circles:?}");
}
