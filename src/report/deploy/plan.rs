//! What has to be done at a web server, computed from what is brought and what is there: what is uploaded under
//! which temporary name, and the commands that put it in its place. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::payload::{Content, Item, date_of};
use crate::{
    output,
    ssh::{Entry, Kind},
};

/// A file that is younger than this may change again within the same second, s.
const SETTLED_S: u64 = 3600;
/// Temporary files older than this are left over from a run that was cut off, s.
const LEFT_OVER_S: u64 = 86_400;
/// So much of one command line passes through every SSH server and client, bytes.
const LINE: usize = 12_000;
const TEMPORARY: &str = ".modtools-";

/// What is in the directory now, by path within it.
#[derive(Debug, Default)]
pub struct Present {
    /// Files, links and the rest.
    pub entries: BTreeMap<String, Entry>,
    /// Where links that may change point to.
    pub links: BTreeMap<String, String>,
}

/// How files get to their places there.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct Method {
    pub directory: String,
    pub owner: Option<String>,
    pub sudo: bool,
    /// The time, seconds since 1970.
    pub now: u64,
    /// Tells our temporary names from those of another run, and our last word from other output.
    pub token: u32,
    /// Files of earlier dates are removed.
    pub oldest: Option<NaiveDate>,
}

/// What has to be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan<'a> {
    /// What is uploaded, and under which name.
    pub uploads: Vec<(String, &'a Item)>,
    /// Files that are removed if they turn out to be ours.
    pub old: Vec<String>,
    /// Links that stay, because they are not ours.
    pub foreign: Vec<String>,
    /// What takes its place once everything is uploaded, in this order.
    pub moves: Vec<Move>,
    /// Temporary files of runs that were cut off.
    pub left_over: Vec<String>,
}

/// A file or link that takes its place.
#[derive(Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Move {
    pub temporary: String,
    pub path: String,
    /// A link is made there, not uploaded.
    pub link_to: Option<String>,
}

/// Command lines in their order, each whole in itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Commands {
    /// Make everything ready under its temporary name.
    pub prepare: Vec<String>,
    /// Put it in its place, and remove what is old.
    pub place: Vec<String>,
}

impl<'a> Plan<'a> {
    /// Computes it.
    #[must_use]
    pub fn new(items: &'a [Item], present: &Present, method: &Method) -> Self {
        let mut plan = Plan::default();
        let mut staying: BTreeSet<&str> = items.iter().map(|item| item.path.as_str()).collect();
        let brought: BTreeSet<&str> = staying.clone();
        for (number, item) in items.iter().enumerate() {
            let temporary = temporary(&item.path, method, number);
            let link_to = match &item.content {
                Content::Link { to, replaces_files } => {
                    let at = present.entries.get(&item.path).map(|entry| entry.kind);
                    if at.is_some_and(|kind| kind != Kind::Link && !(kind == Kind::File && *replaces_files)) {
                        plan.foreign.push(item.path.clone());
                        continue;
                    }
                    if keeps_its_link(item, to, present, &brought) {
                        continue;
                    }
                    Some(to.clone())
                }
                _ if is_present(item, present, method.now) => continue,
                _ => {
                    plan.uploads.push((temporary.clone(), item));
                    None
                }
            };
            plan.moves.push(Move { temporary, path: item.path.clone(), link_to });
        }
        let linked: Vec<String> = present.links.iter().map(|(path, to)| beside(path, to)).collect();
        staying.extend(linked.iter().map(String::as_str));
        for (path, entry) in &present.entries {
            if entry.kind == Kind::File && is_left_over(path, entry.modified, method.now) {
                plan.left_over.push(path.clone());
            }
            let is_old = date_of(path).zip(method.oldest).is_some_and(|(date, oldest)| date < oldest);
            if is_old && entry.kind == Kind::File && !staying.contains(path.as_str()) {
                plan.old.push(path.clone());
            }
        }
        plan
    }

    /// The commands after the upload. `staging` is the directory that holds the uploads, each under the last part
    /// of its temporary name; none when they are under it already. `old` are the files that turned out to be ours.
    #[must_use]
    pub fn commands(&self, method: &Method, staging: Option<&str>, old: &[String]) -> Commands {
        let sudo = method.sudo_prefix();
        let (mut prepare, mut place) = (Lines::new(method), Lines::new(method));
        for Move { temporary, path, link_to } in &self.moves {
            let at = quoted(temporary);
            match (link_to, staging) {
                (Some(to), _) => prepare.add(&format!("{sudo}ln -s -- {} {at}", quoted(to))),
                (None, Some(staging)) => {
                    let uploaded = format!("{staging}/{}", name_of(temporary));
                    prepare.add(&format!("{sudo}mv -fT -- {} {at}", quoted(&uploaded)));
                }
                (None, None) => {}
            }
            if let Some(owner) = &method.owner {
                prepare.add(&format!("{sudo}chown -h -- {} {at}", quoted(owner)));
            }
            place.add(&format!("{sudo}mv -fT -- {at} {}", quoted(path)));
        }
        for path in self.left_over.iter().chain(old) {
            place.add(&format!("{sudo}rm -f -- {}", quoted(path)));
        }
        Commands { prepare: prepare.finish(), place: place.finish() }
    }

    /// The commands that remove what did not come to its place.
    #[must_use]
    pub fn clean_up(&self, method: &Method) -> Vec<String> {
        let sudo = method.sudo_prefix();
        let mut lines = Lines::new(method);
        for Move { temporary, .. } in &self.moves {
            lines.add(&format!("{sudo}rm -f -- {}", quoted(temporary)));
        }
        lines.finish()
    }
}

impl Method {
    fn sudo_prefix(&self) -> &'static str {
        if self.sudo { "sudo -n " } else { "" }
    }

    /// What every command of ours prints last: without it, it did not come to its end.
    #[must_use]
    pub fn last_word(&self) -> String {
        format!("modtools-{:08x}-done", self.token)
    }

    /// A script as one command that every login shell passes on unread.
    #[must_use]
    pub fn command(&self, script: &str) -> String {
        format!("sh -c {}", quoted(&format!("{script} && echo {}", self.last_word())))
    }

    /// Makes directories that are missing, for everybody to enter.
    #[must_use]
    pub fn make_directories(&self, within: &[&str]) -> String {
        let sudo = self.sudo_prefix();
        let owner = self.owner.as_ref().map(|owner| format!(" && {sudo}chown -- {} \"$d\"", quoted(owner)));
        let paths: Vec<String> = within.iter().map(|path| quoted(&self.path(path))).collect();
        self.command(&format!(
            "umask 022; for d in {}; do test -d \"$d\" || {{ {sudo}mkdir -p -m 755 -- \"$d\"{}; }} || exit 1; done",
            paths.join(" "),
            owner.unwrap_or_default(),
        ))
    }

    /// Makes a directory of the login's own and prints its path in a line; removes those of runs that were cut off.
    #[must_use]
    pub fn make_staging(&self) -> String {
        self.command(
            "t=${TMPDIR:-/tmp}; find \"$t\" -maxdepth 1 -type d -name \"modtools-deploy.*\" -user \"$(id -un)\" \
             -mtime +0 -exec rm -rf -- {} + 2>/dev/null; mktemp -d \"$t/modtools-deploy.XXXXXXXXXX\"",
        )
    }

    /// A path within the directory.
    #[must_use]
    pub fn path(&self, within: &str) -> String {
        if within.is_empty() { self.directory.clone() } else { format!("{}/{within}", self.directory) }
    }
}

/// Steps in command lines, none of them too long.
struct Lines<'a> {
    method: &'a Method,
    scripts: Vec<String>,
}

impl<'a> Lines<'a> {
    fn new(method: &'a Method) -> Self {
        Lines { method, scripts: Vec::new() }
    }

    fn add(&mut self, step: &str) {
        match self.scripts.last_mut() {
            Some(script) if script.len() + step.len() <= LINE => {
                script.push_str(" && ");
                script.push_str(step);
            }
            _ => self.scripts.push(format!("cd -- {} && {step}", quoted(&self.method.directory))),
        }
    }

    fn finish(self) -> Vec<String> {
        self.scripts.iter().map(|script| self.method.command(script)).collect()
    }
}

/// A text as one word of a shell.
#[must_use]
pub fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':');
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// `.modtools-TIME-TOKEN-NUMBER` beside the place that it is for: a rename stays within a file system.
fn temporary(path: &str, method: &Method, number: usize) -> String {
    beside(path, &format!("{TEMPORARY}{}-{:08x}-{number}", method.now, method.token))
}

fn beside(path: &str, name: &str) -> String {
    match path.rsplit_once('/') {
        Some((directory, _)) => format!("{directory}/{name}"),
        None => name.to_owned(),
    }
}

/// The last part of a path.
#[must_use]
pub fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a file has a temporary name of ours and is older than any run.
fn is_left_over(path: &str, modified: u64, now: u64) -> bool {
    let name = name_of(path);
    let is_over = |made: u64| now > made.saturating_add(LEFT_OVER_S);
    if output::is_temporary(name) {
        return is_over(modified);
    }
    let Some(name) = name.strip_prefix(TEMPORARY) else { return false };
    let parts: Vec<_> = name.split('-').collect();
    let [made, token, number] = parts[..] else { return false };
    let is_ours = token.len() == 8
        && token.bytes().all(|b| b.is_ascii_hexdigit())
        && number.bytes().all(|b| b.is_ascii_digit());
    is_ours && made.parse().is_ok_and(is_over)
}

/// Whether a file is there as it is here: uploads keep their time.
fn is_present(item: &Item, present: &Present, now: u64) -> bool {
    match (&item.content, present.entries.get(&item.path)) {
        (&Content::File { size, modified, .. }, Some(entry)) => {
            entry.kind == Kind::File
                && (entry.size, entry.modified) == (size, modified)
                && now > modified.saturating_add(SETTLED_S)
        }
        _ => false,
    }
}

/// Whether a link is right already, or points to a later date that is there: it never goes back in time.
fn keeps_its_link(item: &Item, to: &str, present: &Present, brought: &BTreeSet<&str>) -> bool {
    let Some(before) = present.links.get(&item.path) else { return false };
    if before == to {
        return true;
    }
    let (before, to) = (beside(&item.path, before), beside(&item.path, to));
    let exists = present.entries.contains_key(&before) || brought.contains(before.as_str());
    exists && date_of(&before).zip(date_of(&to)).is_some_and(|(before, to)| before > to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, size: u64, modified: u64) -> Item {
        Item { path: path.into(), content: Content::File { from: path.into(), size, modified } }
    }

    fn link(path: &str, to: &str, replaces_files: bool) -> Item {
        Item { path: path.into(), content: Content::Link { to: to.into(), replaces_files } }
    }

    fn present(entries: &[(&str, Kind, u64, u64)], links: &[(&str, &str)]) -> Present {
        let entry = |&(path, kind, size, modified): &(&str, Kind, u64, u64)| {
            (path.to_owned(), Entry { name: path.to_owned(), kind, size, modified })
        };
        Present {
            entries: entries.iter().map(entry).collect(),
            links: links.iter().map(|&(path, to)| (path.to_owned(), to.to_owned())).collect(),
        }
    }

    const NOW: u64 = 1_777_636_800;

    fn method() -> Method {
        Method {
            directory: "/srv/it's here".into(),
            now: NOW,
            token: 0xabc,
            oldest: NaiveDate::from_ymd_opt(2026, 4, 1),
            ..Method::default()
        }
    }

    #[test]
    fn only_what_differs_is_uploaded() {
        let old = NOW - 2 * SETTLED_S;
        let items = [
            file("data/same.json", 5, old),
            file("data/size.json", 5, old),
            file("data/time.json", 5, old),
            file("data/young.json", 5, NOW - 1),
            file("index.html", 5, old),
        ];
        let present = present(
            &[
                ("data/same.json", Kind::File, 5, old),
                ("data/size.json", Kind::File, 6, old),
                ("data/time.json", Kind::File, 5, old - 1),
                ("data/young.json", Kind::File, 5, NOW - 1),
                ("index.html", Kind::Link, 5, old),
            ],
            &[],
        );
        let plan = Plan::new(&items, &present, &method());
        let uploaded: Vec<_> = plan.uploads.iter().map(|(_, item)| item.path.as_str()).collect();
        assert_eq!(uploaded, ["data/size.json", "data/time.json", "data/young.json", "index.html"]);
        assert_eq!(plan.uploads[0].0, "data/.modtools-1777636800-00000abc-1");
    }

    #[test]
    fn everything_is_one_quoted_command() {
        let items = [link("data/latest.json", "2026-05-01.json", false), file("index.html", 1, 0)];
        let method = Method { owner: Some("www-data:www-data".into()), sudo: true, ..method() };
        let plan = Plan::new(&items, &Present::default(), &method);
        let commands = plan.commands(&method, Some("/tmp/x y"), &["data/2026-03-01.json".into()]);
        let line = |steps: &str| {
            let script =
                format!("cd -- {} && {steps} && echo modtools-00000abc-done", quoted("/srv/it's here"));
            format!("sh -c {}", quoted(&script))
        };
        let (link, file) = ("data/.modtools-1777636800-00000abc-0", ".modtools-1777636800-00000abc-1");
        assert_eq!(
            commands.prepare,
            [line(
                &[
                    format!("sudo -n ln -s -- 2026-05-01.json {link}"),
                    format!("sudo -n chown -h -- www-data:www-data {link}"),
                    format!("sudo -n mv -fT -- {} {file}", quoted(&format!("/tmp/x y/{file}"))),
                    format!("sudo -n chown -h -- www-data:www-data {file}"),
                ]
                .join(" && ")
            )]
        );
        assert_eq!(
            commands.place,
            [line(
                &[
                    format!("sudo -n mv -fT -- {link} data/latest.json"),
                    format!("sudo -n mv -fT -- {file} index.html"),
                    "sudo -n rm -f -- data/2026-03-01.json".to_owned(),
                ]
                .join(" && ")
            )]
        );
        assert_eq!(
            plan.clean_up(&method),
            [line(&format!("sudo -n rm -f -- {link} && sudo -n rm -f -- {file}"))]
        );
    }

    #[test]
    fn long_commands_are_cut_between_steps() {
        let items: Vec<_> = (0..400).map(|n| file(&format!("data/{n}.json"), 1, 0)).collect();
        let plan = Plan::new(&items, &Present::default(), &method());
        let Commands { prepare, place } = plan.commands(&method(), None, &[]);
        assert!(prepare.is_empty(), "everything is under its temporary name already");
        assert!(place.len() > 1 && place.iter().all(|line| line.len() < LINE + 300));
        let moves: usize = place.iter().map(|line| line.matches(" && mv ").count()).sum();
        assert_eq!(moves, 400);
        assert!(place.iter().all(|line| line.starts_with("sh -c 'cd -- ") && line.ends_with("-done'")));
    }

    #[test]
    fn latest_never_goes_back_and_takes_no_foreign_place() {
        let items = [
            link("data/latest.json", "2026-05-01.json", false),
            link("modulation_report_latest_web.json", "modulation_report_2026-05-01_web.json", true),
        ];
        let changed = |entries: &[(&str, Kind, u64, u64)], links: &[(&str, &str)]| {
            let plan = Plan::new(&items, &present(entries, links), &method());
            (plan.moves.into_iter().map(|step| step.path).collect::<Vec<_>>(), plan.foreign)
        };
        let both = vec![items[0].path.clone(), items[1].path.clone()];
        let latest = ("data/latest.json", Kind::Link, 1, 1);
        let later = ("data/2026-05-02.json", Kind::File, 1, 1);
        let points = |to: &'static str| [("data/latest.json", to)];
        assert_eq!(changed(&[], &[]), (both.clone(), vec![]));
        assert_eq!(changed(&[latest], &points("2026-05-01.json")).0, both[1..]);
        assert_eq!(changed(&[latest], &points("2026-04-30.json")).0, both);
        assert_eq!(changed(&[latest, later], &points("2026-05-02.json")).0, both[1..]);
        // A later one that is gone, or that has no date, does not count.
        assert_eq!(changed(&[latest], &points("2026-05-02.json")).0, both);
        assert_eq!(changed(&[latest], &points("../x.json")).0, both);
        let files =
            [("data/latest.json", Kind::File, 1, 1), ("modulation_report_latest_web.json", Kind::File, 1, 1)];
        assert_eq!(changed(&files, &[]), (both[1..].to_vec(), both[..1].to_vec()));
    }

    #[test]
    fn only_old_files_by_our_names_may_go() {
        let file = |path| (path, Kind::File, 1, 1);
        let entries = [
            file("data/2026-03-31.json"),
            file("data/2026-03-30.json.gz"),
            file("data/2026-03-29.json"),
            file("data/2026-03-28.json"),
            file("data/2026-04-01.json"),
            file("data/2026-3-1.json"),
            file("data/notes.txt"),
            file("2026-03-01.json"),
            file("modulation_report_2026-03-01_web.json"),
            file("modulation_report_2026-03-01.csv"),
            ("data/2026-03-01.json", Kind::Directory, 1, 1),
            file(".modtools-1777000000-0000abcd-3"),
            file(".modtools-1777636000-0000abcd-3"),
            file(".modtools-notes"),
            file(".tmpAb3dE9"),
            (".tmpAb3dE8", Kind::File, 1, NOW - 60),
            file(".tmp-notes"),
            (".tmpAb3dE7", Kind::Directory, 1, 1),
        ];
        let items = [self::file("data/2026-03-29.json", 1, 1)];
        let links = [("data/latest.json", "2026-03-28.json")];
        let plan = Plan::new(&items, &present(&entries, &links), &method());
        assert_eq!(
            plan.old,
            ["data/2026-03-30.json.gz", "data/2026-03-31.json", "modulation_report_2026-03-01_web.json"]
        );
        assert_eq!(plan.left_over, [".modtools-1777000000-0000abcd-3", ".tmpAb3dE9"]);
    }

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for text in ["", "plain", "it's", "a b", "$HOME `id` \\ \"x\" *", "é;|&", "-rf"] {
            let script = format!("printf %s. {}", quoted(text));
            let output = std::process::Command::new("sh").arg("-c").arg(script).output().expect("a shell");
            assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{text}."));
        }
    }
}
