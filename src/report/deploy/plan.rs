//! What has to be done at a web server, reckoned from what is brought and what is there: what is uploaded under
//! which temporary name, and the commands that put it in its place. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::payload::{Piece, What, date_of};
use crate::ssh::{Entry, Kind};

/// A file that is younger than this may change again within the second that its time tells, s.
const SETTLED_S: u64 = 3600;
/// Temporary names older than this are left over from a connection that broke, s.
const LEFT_OVER_S: u64 = 86_400;
/// So much of one command line passes through every SSH server and client, bytes.
const LINE: usize = 12_000;
const TEMPORARY: &str = ".modtools-";

/// What is in the directory, by path within it.
#[derive(Debug, Default)]
pub struct There {
    /// Files, links and the rest.
    pub entries: BTreeMap<String, Entry>,
    /// Where links that may change point to.
    pub links: BTreeMap<String, String>,
}

/// How things are done there.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct Manner {
    /// The directory.
    pub directory: String,
    pub owner: Option<String>,
    pub sudo: bool,
    /// The time, seconds since 1970.
    pub now: u64,
    /// What tells our temporary names from those of another run.
    pub token: u32,
    /// Dates before this one are past keeping.
    pub oldest: Option<NaiveDate>,
}

/// What has to be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan<'a> {
    /// What is uploaded, and under which name.
    pub uploads: Vec<(String, &'a Piece)>,
    /// Files that are removed if they turn out to be ours.
    pub old: Vec<String>,
    /// Links that stay, because they are not ours.
    pub foreign: Vec<String>,
    moves: Vec<Move>,
    left_over: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
struct Move {
    temporary: String,
    path: String,
    /// A link is made there, not uploaded.
    link_to: Option<String>,
}

impl<'a> Plan<'a> {
    /// Reckons it.
    #[must_use]
    pub fn new(pieces: &'a [Piece], there: &There, manner: &Manner) -> Self {
        let mut plan = Plan::default();
        let mut staying: BTreeSet<&str> = pieces.iter().map(|piece| piece.path.as_str()).collect();
        let brought: BTreeSet<&str> = staying.clone();
        for (number, piece) in pieces.iter().enumerate() {
            let temporary = temporary(&piece.path, manner, number);
            let link_to = match &piece.what {
                What::Link { to, replaces_files } => {
                    let at = there.entries.get(&piece.path).map(|entry| entry.kind);
                    if at.is_some_and(|kind| kind != Kind::Link && !(kind == Kind::File && *replaces_files)) {
                        plan.foreign.push(piece.path.clone());
                        continue;
                    }
                    if keeps_its_link(piece, to, there, &brought) {
                        continue;
                    }
                    Some(to.clone())
                }
                _ if is_there(piece, there, manner.now) => continue,
                _ => {
                    plan.uploads.push((temporary.clone(), piece));
                    None
                }
            };
            plan.moves.push(Move { temporary, path: piece.path.clone(), link_to });
        }
        let linked: Vec<String> = there.links.iter().map(|(path, to)| beside(path, to)).collect();
        staying.extend(linked.iter().map(String::as_str));
        for (path, entry) in &there.entries {
            if is_left_over(path, manner.now) {
                plan.left_over.push(path.clone());
            }
            let is_old = date_of(path).zip(manner.oldest).is_some_and(|(date, oldest)| date < oldest);
            if is_old && entry.kind == Kind::File && !staying.contains(path.as_str()) {
                plan.old.push(path.clone());
            }
        }
        plan
    }

    /// The command lines that do the rest, each whole in itself; `old` are those that are ours.
    #[must_use]
    pub fn commands(&self, manner: &Manner, old: &[String]) -> Vec<String> {
        let sudo = if manner.sudo { "sudo -n " } else { "" };
        let mut lines = Lines { begin: format!("cd -- {}", quoted(&manner.directory)), lines: Vec::new() };
        for Move { temporary, path, link_to } in &self.moves {
            let (temporary, path) = (quoted(temporary), quoted(path));
            let link = link_to.as_ref().map(|to| format!(" && {sudo}ln -s -- {} {temporary}", quoted(to)));
            let owner = manner.owner.as_ref();
            let owner = owner.map(|owner| format!(" && {sudo}chown -h -- {} {temporary}", quoted(owner)));
            let (link, owner) = (link.unwrap_or_default(), owner.unwrap_or_default());
            lines.add(&format!("{link}{owner} && {sudo}mv -fT -- {temporary} {path}"));
        }
        for path in self.left_over.iter().chain(old) {
            lines.add(&format!(" && {sudo}rm -f -- {}", quoted(path)));
        }
        lines.lines.iter().map(|line| format!("sh -c {}", quoted(line))).collect()
    }
}

/// Command lines that begin in the same way, none too long.
struct Lines {
    begin: String,
    lines: Vec<String>,
}

impl Lines {
    fn add(&mut self, step: &str) {
        match self.lines.last_mut() {
            Some(line) if line.len() + step.len() <= LINE => line.push_str(step),
            _ => self.lines.push(format!("{}{step}", self.begin)),
        }
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
fn temporary(path: &str, manner: &Manner, number: usize) -> String {
    beside(path, &format!("{TEMPORARY}{}-{:08x}-{number}", manner.now, manner.token))
}

fn beside(path: &str, name: &str) -> String {
    match path.rsplit_once('/') {
        Some((directory, _)) => format!("{directory}/{name}"),
        None => name.to_owned(),
    }
}

fn is_left_over(path: &str, now: u64) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some(name) = name.strip_prefix(TEMPORARY) else { return false };
    let parts: Vec<_> = name.split('-').collect();
    let [made, token, number] = parts[..] else { return false };
    let is_ours = token.len() == 8
        && token.bytes().all(|b| b.is_ascii_hexdigit())
        && number.bytes().all(|b| b.is_ascii_digit());
    is_ours && made.parse().is_ok_and(|made: u64| now > made.saturating_add(LEFT_OVER_S))
}

/// Whether a file is there as it is here: uploads take their time along.
fn is_there(piece: &Piece, there: &There, now: u64) -> bool {
    match (&piece.what, there.entries.get(&piece.path)) {
        (&What::File { size, modified, .. }, Some(entry)) => {
            entry.kind == Kind::File
                && (entry.size, entry.modified) == (size, modified)
                && now > modified.saturating_add(SETTLED_S)
        }
        _ => false,
    }
}

/// Whether a link is right already, or points to a later date that is there: it never goes back in time.
fn keeps_its_link(piece: &Piece, to: &str, there: &There, brought: &BTreeSet<&str>) -> bool {
    let Some(before) = there.links.get(&piece.path) else { return false };
    if before == to {
        return true;
    }
    let (before, to) = (beside(&piece.path, before), beside(&piece.path, to));
    let exists = there.entries.contains_key(&before) || brought.contains(before.as_str());
    exists && date_of(&before).zip(date_of(&to)).is_some_and(|(before, to)| before > to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, size: u64, modified: u64) -> Piece {
        Piece { path: path.into(), what: What::File { from: path.into(), size, modified } }
    }

    fn link(path: &str, to: &str, replaces_files: bool) -> Piece {
        Piece { path: path.into(), what: What::Link { to: to.into(), replaces_files } }
    }

    fn there(entries: &[(&str, Kind, u64, u64)], links: &[(&str, &str)]) -> There {
        let entry = |&(path, kind, size, modified): &(&str, Kind, u64, u64)| {
            (path.to_owned(), Entry { name: path.to_owned(), kind, size, modified })
        };
        There {
            entries: entries.iter().map(entry).collect(),
            links: links.iter().map(|&(path, to)| (path.to_owned(), to.to_owned())).collect(),
        }
    }

    const NOW: u64 = 1_777_636_800;

    fn manner() -> Manner {
        Manner {
            directory: "/srv/it's here".into(),
            now: NOW,
            token: 0xabc,
            oldest: NaiveDate::from_ymd_opt(2026, 4, 1),
            ..Manner::default()
        }
    }

    #[test]
    fn only_what_differs_is_uploaded() {
        let old = NOW - 2 * SETTLED_S;
        let pieces = [
            file("data/same.json", 5, old),
            file("data/size.json", 5, old),
            file("data/time.json", 5, old),
            file("data/young.json", 5, NOW - 1),
            file("index.html", 5, old),
        ];
        let there = there(
            &[
                ("data/same.json", Kind::File, 5, old),
                ("data/size.json", Kind::File, 6, old),
                ("data/time.json", Kind::File, 5, old - 1),
                ("data/young.json", Kind::File, 5, NOW - 1),
                ("index.html", Kind::Link, 5, old),
            ],
            &[],
        );
        let plan = Plan::new(&pieces, &there, &manner());
        let uploaded: Vec<_> = plan.uploads.iter().map(|(_, piece)| piece.path.as_str()).collect();
        assert_eq!(uploaded, ["data/size.json", "data/time.json", "data/young.json", "index.html"]);
        assert_eq!(plan.uploads[0].0, "data/.modtools-1777636800-00000abc-1");
    }

    #[test]
    fn everything_is_one_quoted_command() {
        let pieces = [link("data/latest.json", "2026-05-01.json", false), file("index.html", 1, 0)];
        let manner = Manner { owner: Some("www-data:www-data".into()), sudo: true, ..manner() };
        let plan = Plan::new(&pieces, &There::default(), &manner);
        assert_eq!(
            plan.commands(&manner, &["data/2026-03-01.json".into()]),
            [r"sh -c 'cd -- '\''/srv/it'\''\'\'''\''s here'\''".to_owned()
                + " && sudo -n ln -s -- 2026-05-01.json data/.modtools-1777636800-00000abc-0"
                + " && sudo -n chown -h -- www-data:www-data data/.modtools-1777636800-00000abc-0"
                + " && sudo -n mv -fT -- data/.modtools-1777636800-00000abc-0 data/latest.json"
                + " && sudo -n chown -h -- www-data:www-data .modtools-1777636800-00000abc-1"
                + " && sudo -n mv -fT -- .modtools-1777636800-00000abc-1 index.html"
                + " && sudo -n rm -f -- data/2026-03-01.json'"]
        );
    }

    #[test]
    fn long_commands_are_cut_between_steps() {
        let pieces: Vec<_> = (0..400).map(|n| file(&format!("data/{n}.json"), 1, 0)).collect();
        let plan = Plan::new(&pieces, &There::default(), &manner());
        let commands = plan.commands(&manner(), &[]);
        assert!(commands.len() > 1 && commands.iter().all(|line| line.len() < LINE + 200));
        let moves: usize = commands.iter().map(|line| line.matches(" && mv ").count()).sum();
        assert_eq!(moves, 400);
        assert!(commands.iter().all(|line| line.starts_with("sh -c 'cd -- ")));
    }

    #[test]
    fn latest_never_goes_back_and_takes_no_foreign_place() {
        let pieces = [
            link("data/latest.json", "2026-05-01.json", false),
            link("modulation_report_latest_web.json", "modulation_report_2026-05-01_web.json", true),
        ];
        let changed = |entries: &[(&str, Kind, u64, u64)], links: &[(&str, &str)]| {
            let plan = Plan::new(&pieces, &there(entries, links), &manner());
            (plan.moves.into_iter().map(|step| step.path).collect::<Vec<_>>(), plan.foreign)
        };
        let both = vec![pieces[0].path.clone(), pieces[1].path.clone()];
        let latest = ("data/latest.json", Kind::Link, 1, 1);
        let later = ("data/2026-05-02.json", Kind::File, 1, 1);
        let points = |to: &'static str| [("data/latest.json", to)];
        assert_eq!(changed(&[], &[]), (both.clone(), vec![]));
        assert_eq!(changed(&[latest], &points("2026-05-01.json")).0, both[1..]);
        assert_eq!(changed(&[latest], &points("2026-04-30.json")).0, both);
        assert_eq!(changed(&[latest, later], &points("2026-05-02.json")).0, both[1..]);
        // A later one that is gone, or that has no date, is no reason.
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
        ];
        let pieces = [self::file("data/2026-03-29.json", 1, 1)];
        let links = [("data/latest.json", "2026-03-28.json")];
        let plan = Plan::new(&pieces, &there(&entries, &links), &manner());
        assert_eq!(
            plan.old,
            ["data/2026-03-30.json.gz", "data/2026-03-31.json", "modulation_report_2026-03-01_web.json"]
        );
        assert_eq!(plan.left_over, [".modtools-1777000000-0000abcd-3"]);
    }

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for text in ["", "plain", "it's", "a b", "$HOME `id` \\ \"x\" *", "é;|&", "-rf"] {
            let script = format!("printf %s. {}", quoted(text));
            let said = std::process::Command::new("sh").arg("-c").arg(script).output().expect("a shell");
            assert_eq!(String::from_utf8_lossy(&said.stdout), format!("{text}."));
        }
    }
}
