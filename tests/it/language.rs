//! Plain English: turns of phrase that a reader stumbles over do not come back into the files that are free of them.

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

/// Files and folders that are free of them. Whoever has gone through another one adds it here.
const FREE: &[&str] = &[
    "src/cli/fetch.rs",
    "src/database",
    "src/error.rs",
    "src/exit.rs",
    "src/fetch/check.rs",
    "src/fetch/inventory.rs",
    "src/fetch/mod.rs",
    "src/fetch/options.rs",
    "src/fetch/plan.rs",
    "src/fetch/written.rs",
    "src/glob.rs",
    "src/help.rs",
    "src/measure/maintenance.rs",
    "src/moment.rs",
    "src/ndjson.rs",
    "src/process.rs",
    "src/prune",
    "src/settings",
    "src/ssh/algorithms.rs",
    "src/ssh/known_hosts.rs",
    "src/stage.rs",
    "src/store",
    "src/tables.rs",
    "src/text/encoding.rs",
    "src/units.rs",
    "src/watch",
];

#[test]
fn files_that_speak_plain_english_go_on_doing_so() {
    let mut found = Vec::new();
    let mut paths: Vec<_> = FREE.iter().map(|path| in_package(path)).collect();
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            paths.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        for (number, line) in (1..).zip(text.lines()) {
            // `there is no file` is plain.
            let line = line.to_lowercase().replace("there is no ", "").replace("there are no ", "");
            let line = line.replace("for every", "");
            for (phrase, instead) in BANNED.iter().filter(|(phrase, _)| line.contains(phrase)) {
                found.push(format!("{}:{number}: {phrase:?}: write {instead}", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
