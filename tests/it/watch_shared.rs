//! A directory in which others can make files, as /tmp is: nothing of theirs is believed, opened, waited for or
//! signalled, and none of it keeps the command from being supervised.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown, symlink},
        process::CommandExt,
    },
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use rustix::process::Pid;

use crate::{
    support::{built, until},
    watch::{Scene, lives},
};

/// A user that this machine does not know.
const STRANGER: u32 = 54_321;

/// A scene whose directory everybody may write, sticky, as /tmp; none without the right to be somebody else.
fn shared() -> Option<Scene> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not root, so nobody else can be acted: not tested");
        return None;
    }
    let scene = Scene::new();
    fs::set_permissions(scene.dir.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    Some(scene)
}

fn give_away(path: PathBuf) {
    chown(path, Some(STRANGER), Some(STRANGER)).unwrap();
}

fn pipe(scene: &Scene, name: &str) {
    let path = scene.path(name);
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o666.into(), 0).unwrap();
    give_away(path);
}

/// Starts, checks, looks at and stops a supervisor, whatever lies in its way.
#[track_caller]
fn works(scene: &Scene) {
    let code = scene.watch(&["start", "--", "sleep", "1000"]).run().code;
    assert_eq!(code, Some(0), "{}", scene.journal());
    assert_eq!(scene.watch(&["check"]).run().code, Some(0));
    scene.watch(&["start", "--", "true"]).run().says(4, &["is locked by the supervisor"]);
    let status = scene.watch(&["status"]).run();
    assert_eq!(status.code, Some(0), "{status:?}");
    let pid = status.stdout.split_once("(pid ").and_then(|(_, rest)| rest.split_once(')'));
    let pid = pid.and_then(|(pid, _)| pid.parse().ok().and_then(Pid::from_raw)).expect("a number");
    let stop = scene.watch(&["stop"]).run();
    assert_eq!((stop.code, stop.stdout.contains("x: stopped")), (Some(0), true), "{stop:?}");
    assert!(!lives(pid));
}

#[test]
fn without_a_trick_it_works_and_no_file_is_left_open_to_others() {
    let Some(scene) = shared() else { return };
    scene.start(&[], "echo said >&2; exec sleep 1000");
    until("the log", || !scene.text("x.log").is_empty());
    for (name, mode) in [("x.pid", 0o600), ("x.cmd", 0o600), ("x.log", 0o640), ("x.status", 0o644)] {
        assert_eq!(fs::metadata(scene.path(name)).unwrap().mode() & 0o777, mode, "{name}");
    }
    // Not even its lock can be taken by others.
    let mut lock = Command::new("flock");
    lock.args(["-n", "x.pid", "true"]).current_dir(scene.dir.path()).uid(STRANGER).gid(STRANGER);
    assert!(!lock.stderr(Stdio::null()).status().unwrap().success());
    scene.watch(&["stop"]).run().clean(0);
    works(&scene);
}

#[test]
fn pipes_and_links_in_the_way_hang_nothing_and_change_nothing() {
    for name in ["x.pid", "x.status", "x.cmd", "x.down", "x.log", "x.sock", "watchdog.log"] {
        let Some(scene) = shared() else { return };
        pipe(&scene, name);
        works(&scene);
        // Or the scene itself would read from it.
        let _ = fs::remove_file(scene.path(name));
        let Some(scene) = shared() else { return };
        fs::write(scene.path("precious"), "precious").unwrap();
        symlink(scene.path("precious"), scene.path(name)).unwrap();
        rustix::fs::chownat(
            rustix::fs::CWD,
            scene.path(name),
            Some(rustix::fs::Uid::from_raw(STRANGER)),
            None,
            rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
        )
        .unwrap();
        works(&scene);
        assert_eq!(scene.text("precious"), "precious", "{name}");
    }
}

/// A process of a stranger, or of ours, that has nothing to do with any of this.
struct Other(Child);

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_strangers_lock_file_names_nobody_and_keeps_nothing_from_starting() {
    let Some(scene) = shared() else { return };
    let innocent = Other(Command::new("sleep").arg("1000").spawn().unwrap());
    let pid = innocent.0.id();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let start = stat.split_ascii_whitespace().nth(21).unwrap();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    fs::write(scene.path("x.pid"), format!("{pid}\n{start}\n{boot}")).unwrap();
    give_away(scene.path("x.pid"));
    let mut holder = Command::new("flock");
    holder.args(["-x", "x.pid", "sh", "-c", "echo >held; exec sleep 1000"]);
    holder.current_dir(scene.dir.path()).uid(STRANGER).gid(STRANGER).process_group(0);
    let holder = Other(holder.spawn().unwrap());
    until("the stranger's lock", || scene.path("held").exists());
    let stop = scene.watch(&["stop"]).run().says(0, &["x.pid: it belongs to another user (uid 54321)"]);
    assert!(stop.stdout.contains("was not running"), "{stop:?}");
    works(&scene);
    assert!(lives(Pid::from_child(&innocent.0)), "nobody else is signalled");
    let group = Pid::from_child(&holder.0);
    rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap();
}

#[test]
fn a_strangers_files_are_not_believed() {
    let Some(scene) = shared() else { return };
    fs::write(scene.path("x.down"), "").unwrap();
    fs::write(scene.path("x.status"), r#"{"status":"failed","message":"nothing to see"}"#).unwrap();
    let trap = r#"{"argv":["run","--name=x","--dir=.","--","sh","-c","echo >trapped"],"cwd":"/tmp"}"#;
    fs::write(scene.path("x.cmd"), trap).unwrap();
    for name in ["x.down", "x.status", "x.cmd"] {
        give_away(scene.path(name));
    }
    scene.watch(&["check"]).run().says(2, &["x.cmd", "another user (uid 54321)"]);
    let run = scene.watch(&["check", "--", "sleep", "1000"]).run();
    assert_eq!(run.code, Some(0), "neither stopped nor failed: {run:?}");
    assert!(!scene.path("trapped").exists());
    assert_eq!(scene.watch(&["stop"]).run().code, Some(0));
    // A status that is larger than any of ours is not even read.
    fs::remove_file(scene.path("x.status")).unwrap();
    fs::File::create(scene.path("x.status")).and_then(|file| file.set_len(1 << 40)).unwrap();
    scene.watch(&["status"]).run().says(2, &["x.status", "larger than"]);
}

#[test]
fn one_that_an_older_version_runs_elsewhere_is_found() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    // As nobody, who has no home; its default directory is not where this one runs.
    let scene = Scene::new();
    chown(scene.dir.path(), Some(65_534), Some(65_534)).unwrap();
    let nobody = |words: &[&str]| {
        let mut command = Command::new(built("mod-watch"));
        let (verb, rest) = words.split_first().unwrap();
        command.args([*verb, "--name", "modtools-test-older"]).args(rest).env_clear();
        command.env("PATH", "/usr/bin:/bin").env("XDG_RUNTIME_DIR", scene.dir.path());
        command.current_dir("/").uid(65_534).gid(65_534).stdin(Stdio::null());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match command.output() {
            Ok(output) => (output.status.code(), text(&output.stdout) + &text(&output.stderr)),
            Err(error) => (None, error.to_string()),
        }
    };
    let dir = scene.dir.path().to_str().unwrap();
    // The program has to be within reach of nobody.
    if nobody(&["--version"]).0 != Some(0) {
        eprintln!("nobody cannot run the tools here: not tested");
        return;
    }
    let (code, text) = nobody(&["start", "--dir", dir, "--", "sleep", "1000"]);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(nobody(&["start", "--", "true"]).0, Some(4), "one supervisor");
    assert_eq!(nobody(&["check", "--", "true"]).0, Some(0));
    let (code, line) = nobody(&["status"]);
    assert_eq!((code, line.contains(": starting (pid ")), (Some(0), true), "{line}");
    assert_eq!(nobody(&["stop"]).0, Some(0));
    assert_eq!(nobody(&["check", "--", "true"]).0, Some(1), "stopped, wherever it is looked for");
    fs::remove_dir_all("/var/tmp/modtools-65534").unwrap();
}
