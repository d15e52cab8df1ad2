//! There is only ever one supervisor, one command, and nobody else is signalled for it.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    process::{Child, Command, Stdio},
    thread,
};

use fs2::FileExt;
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    support::until,
    watch::{Scene, lives},
};

/// Notes each start, then runs until it is ended.
const SCANNER: &str = "echo $$ >>starts; exec sleep 1000";

fn starts(scene: &Scene) -> Vec<Pid> {
    scene.text("starts").lines().filter_map(|line| line.parse().ok().and_then(Pid::from_raw)).collect()
}

/// Runs the same thing many times at once; exit codes and stderr.
fn at_once(scene: &Scene, times: usize, words: &[&str]) -> Vec<(Option<i32>, String)> {
    thread::scope(|scope| {
        let runs: Vec<_> = (0..times).map(|_| scope.spawn(|| scene.watch(words).run())).collect();
        runs.into_iter().map(|run| run.join().expect("run")).map(|run| (run.code, run.stderr)).collect()
    })
}

#[test]
fn fifty_checks_at_once_start_one_scanner() {
    let scene = Scene::new();
    let checks = at_once(&scene, 50, &["check", "--", "sh", "-c", SCANNER]);
    assert!(checks.iter().all(|check| *check == (Some(0), String::new())), "{checks:?}");
    until("the start", || !starts(&scene).is_empty());
    assert_eq!(starts(&scene).len(), 1);

    // Its supervisor is killed: what it leaves behind is ended before the one new scanner starts.
    kill_process(scene.supervisor().expect("signed"), Signal::KILL).expect("it runs");
    until("its end", || scene.watch(&["status"]).run().code == Some(1));
    assert!(lives(starts(&scene)[0]), "an orphan");
    let checks = at_once(&scene, 50, &["check"]);
    assert!(checks.iter().all(|check| *check == (Some(0), String::new())), "{checks:?}");
    until("the second start", || starts(&scene).len() == 2);
    assert!(!lives(starts(&scene)[0]) && lives(starts(&scene)[1]));
    assert_eq!(scene.journal().matches("check: it was not running").count(), 2, "{}", scene.journal());
}

#[test]
fn of_many_starts_one_is_it_and_the_others_say_so() {
    let scene = Scene::new();
    let runs = at_once(&scene, 12, &["start", "--", "sh", "-c", SCANNER]);
    assert_eq!(runs.iter().filter(|run| **run == (Some(0), String::new())).count(), 1, "{runs:?}");
    assert_eq!(
        runs.iter().filter(|(code, text)| *code == Some(4) && text.contains("is locked by")).count(),
        11
    );
    until("the start", || !starts(&scene).is_empty());
    assert_eq!(starts(&scene).len(), 1);
    let holder = format!("the supervisor (pid {})", scene.supervisor().expect("signed").as_raw_nonzero());
    scene.watch(&["run", "--", "true"]).run().says(4, &[&holder, "nothing was done"]);
}

#[test]
fn it_keeps_nothing_of_its_starter_open() {
    let scene = Scene::new();
    // A script that holds a lock while it runs, as cron jobs do.
    let script = "exec 9>lock; flock 9; exec \"$0\" start --name x --dir . -- sleep 1000 >out 2>&1";
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(crate::support::built("mod-watch")).current_dir(scene.dir.path());
    assert!(command.status().expect("it runs").success(), "{}", scene.text("out"));
    let lock = fs::File::open(scene.path("lock")).expect("there");
    FileExt::try_lock_exclusive(&lock).expect("the lock went with the script");
    scene.watch(&["check"]).run().clean(0);
}

#[test]
fn the_command_has_a_session_of_its_own() {
    let scene = Scene::new();
    let run = scene.run(&[], "cut -d' ' -f5,6 /proc/$$/stat >ids; echo $$ >pid; exec sleep 1000");
    until("its number", || scene.text("pid").ends_with('\n'));
    let pid = scene.text("pid").trim().to_owned();
    assert_eq!(scene.text("ids").trim(), format!("{pid} {pid}"), "group and session");
    run.signal(Signal::TERM);
    assert_eq!(run.end(), (Some(0), String::new()));
}

/// A process that has nothing to do with any of this.
struct Innocent(Child);

impl Innocent {
    fn new() -> Self {
        Innocent(Command::new("sleep").arg("1000").stdin(Stdio::null()).spawn().expect("it starts"))
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    /// Start time, field 22 of its stat.
    fn start(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).expect("it runs");
        stat.split_ascii_whitespace().nth(21).and_then(|field| field.parse().ok()).expect("a number")
    }
}

impl Drop for Innocent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_reused_number_is_nobody() {
    let innocent = Innocent::new();
    let (pid, start) = (innocent.0.id(), innocent.start());
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("mounted");
    for left in [
        format!("{pid}\n"),
        format!("{pid}\n{}\n{boot}", start + 1),
        format!("{pid}\n{start}\n00000000-0000-0000-0000-000000000000\n"),
        // Even one that fits to the letter holds no lock.
        format!("{pid}\n{start}\n{boot}"),
    ] {
        let scene = Scene::new();
        fs::write(scene.path("x.pid"), &left).expect("written");
        scene.watch(&["status"]).run().clean(1);
        scene.watch(&["stop"]).run().clean(0);
        scene.start(&[], SCANNER);
        until("the start", || !starts(&scene).is_empty());
        scene.watch(&["stop"]).run().clean(0);
        assert!(lives(innocent.pid()), "{left:?}");
    }
}

#[test]
fn a_lock_whose_holder_is_not_known_signals_nobody() {
    let innocent = Innocent::new();
    let scene = Scene::new();
    fs::write(scene.path("x.pid"), format!("{}\n1\nanother-boot\n", innocent.0.id())).expect("written");
    let held = fs::File::open(scene.path("x.pid")).expect("there");
    FileExt::lock_exclusive(&held).expect("free");
    scene.watch(&["start", "--", "true"]).run().says(4, &["is locked by"]);
    scene.watch(&["check"]).run().clean(0);
    scene.watch(&["stop", "--stop-timeout", "0s"]).run().says(1, &["the supervisor does not end"]);
    assert!(lives(innocent.pid()));
}

#[test]
fn files_that_others_can_write_are_not_believed() {
    let scene = Scene::new();
    let trap = r#"{"argv":["run","--name=x","--dir=.","--","sh","-c","echo >trapped"],"cwd":"/tmp"}"#;
    fs::write(scene.path("x.cmd"), trap).expect("written");
    fs::set_permissions(scene.path("x.cmd"), fs::Permissions::from_mode(0o666)).expect("ours");
    scene.watch(&["check"]).run().says(2, &["x.cmd", "others can write it"]);
    fs::remove_file(scene.path("x.cmd")).expect("ours");
    fs::write(scene.path("elsewhere"), trap).expect("written");
    std::os::unix::fs::symlink("elsewhere", scene.path("x.cmd")).expect("linked");
    scene.watch(&["check"]).run().says(2, &["x.cmd"]);
    assert!(!scene.path("trapped").exists());
}

#[test]
fn another_users_lock_is_named_as_such() {
    if !rustix::process::geteuid().is_root() {
        // Nobody else can give a file away.
        return;
    }
    let scene = Scene::new();
    fs::write(scene.path("x.pid"), "").expect("written");
    chown(scene.path("x.pid"), Some(12_345), None).expect("root");
    scene.watch(&["start", "--", "true"]).run().says(1, &["x.pid", "another user (uid 12345)", "--dir"]);
    fs::remove_file(scene.path("x.pid")).expect("root");
}

#[test]
fn a_check_of_monitoring_leaves_alone_what_was_stopped_and_starts_what_should_run() {
    let scene = Scene::new();
    let check = |command: &[&str]| scene.watch(&[&["check", "--nagios"], command].concat()).run();
    scene.watch(&["start", "--", "sh", "-c", SCANNER]).run();
    scene.watch(&["stop"]).run().clean(0);
    assert!(check(&[]).clean(2).stdout.starts_with("CRITICAL: x stopped: "));
    fs::remove_file(scene.path("x.down")).expect("it was stopped");
    let started = check(&["--", "sh", "-c", "exec sleep 1000"]).clean(0).stdout;
    assert!(started.starts_with("OK: x ") && started.contains(" | uptime="), "{started}");
    scene.watch(&["stop"]).run().clean(0);
}
