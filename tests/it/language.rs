//! Plain English: turns of phrase that a reader stumbles over do not come back.

use std::fs;

use crate::support::in_package;

/// Turns of phrase, in small letters, and what to write instead.
const BANNED: [(&str, &str); 12] = [
    (" is no ", "invalid …, unknown …, or: is not a …"),
    (" are no ", "are not …"),
    ("for ever", "without a limit, or: until it is stopped"),
    (" of old", "older, or: of the program that this one replaces"),
    ("is told by", "comes from, or: is in"),
    ("are told by", "come from, or: are in"),
    ("those of the ", "name the noun again"),
    ("those of [", "name the noun again"),
    ("removed are ", "the subject first: files whose … are removed"),
    ("what is away", "name what is not reachable"),
    (" tells no ", "does not have, or: is not known"),
    ("a name tells", "a name says, or: shows"),
];

/// What people read and write: everything but this file, what devices said, and what is built.
const TREE: [&str; 14] = [
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "DESIGN.md",
    "README.md",
    "SECURITY.md",
    "benches",
    "completions",
    "docs",
    "examples",
    "fuzz/fuzz_targets",
    "man",
    "packaging",
    "src",
    "tests",
];
const NOT_OURS: [&str; 2] = ["tests/fixtures", "tests/it/language.rs"];

/// Plain English that holds a banned turn of phrase.
const PLAIN: [&str; 6] =
    ["there is no ", "there are no ", "for every", " is no longer ", " are no longer ", " of older"];

#[test]
fn the_tree_speaks_plain_english() {
    let (mut found, mut read) = (Vec::new(), 0);
    let mut paths: Vec<_> = TREE.iter().map(|path| in_package(path)).collect();
    let not_ours = NOT_OURS.map(in_package);
    while let Some(path) = paths.pop() {
        if not_ours.contains(&path) {
            continue;
        }
        if path.is_dir() {
            paths.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        // Pictures and the like.
        let Ok(text) = fs::read_to_string(&path) else { continue };
        read += 1;
        for (number, line) in (1..).zip(text.lines()) {
            let line = PLAIN.iter().fold(line.to_lowercase(), |line, plain| line.replace(plain, ""));
            for (phrase, instead) in BANNED.iter().filter(|(phrase, _)| line.contains(phrase)) {
                found.push(format!("{}:{number}: {phrase:?}: write {instead}", path.display()));
            }
        }
    }
    assert!(read > 400, "{read} files");
    assert!(found.is_empty(), "{}", found.join("\n"));
}
