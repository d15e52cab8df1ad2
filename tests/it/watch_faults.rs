//! The supervised pipeline is killed, stopped, hung, crashed, and its disk filled; each time the end
//! state and the log are right.

use std::{fs, path::PathBuf, process::Command, thread};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    support::{built, until},
    watch::{Foreground, Scene, lives},
};

const STAGES: [&str; 4] = ["a", "b", "c", "d"];

/// Options under which restarts come quickly and never run out.
const QUICK: [&str; 4] = ["--restart-delay", "20ms", "--max-restart-attempts", "1000"];

/// Four scenes side by side, each with the whole pipe running, and each with trouble in another stage.
fn in_each_stage(options: &[&str], trouble: impl Fn(&Scene, &str, Pid) + Sync) {
    thread::scope(|scope| {
        for stage in STAGES {
            let trouble = &trouble;
            scope.spawn(move || {
                let scene = Scene::new();
                scene.start_pipe(&[&QUICK, options].concat());
                let before = STAGES.map(|stage| *scene.pids(stage).last().expect("it runs"));
                let victim = before[STAGES.iter().position(|name| *name == stage).expect("one of them")];
                trouble(&scene, stage, victim);
                until("a new pipe", || {
                    STAGES.iter().zip(before).all(|(stage, before)| scene.pids(stage).last() != Some(&before))
                });
                scene.until_status("running");
                assert!(
                    !before.iter().any(|&pid| lives(pid)),
                    "stage {stage}: nothing of the old pipe is left"
                );
                assert_eq!(scene.status()["is_healthy"], true);
                let all: Vec<Pid> = STAGES.iter().flat_map(|stage| scene.pids(stage)).collect();
                scene.watch(&["stop"]).run().clean(0);
                assert!(!all.iter().any(|&pid| lives(pid)), "stage {stage}: no orphans");
            });
        }
    });
}

#[test]
fn a_killed_stage_takes_the_pipe_with_it_and_a_new_one_comes() {
    in_each_stage(&[], |scene, stage, victim| {
        kill_process(victim, Signal::KILL).expect("it runs");
        until("the word", || scene.journal().contains("the command ended by itself with "));
        assert!(scene.journal().contains("restart 1 of 1000 in 0s"), "{stage}: {}", scene.journal());
    });
}

#[test]
fn a_stopped_stage_stops_the_heart_and_the_pipe_is_renewed() {
    in_each_stage(&["--max-heartbeat-age", "4s"], |scene, stage, victim| {
        kill_process(victim, Signal::STOP).expect("it runs");
        until("the word", || {
            scene.journal().contains("the command hangs: no heartbeat for 4 s; it is being ended")
        });
        assert!(!scene.journal().contains("killed"), "{stage}: it was continued, and heard TERM");
    });
}

#[test]
fn a_hung_stage_that_is_deaf_is_killed_after_the_stop_time_out() {
    in_each_stage(&["--max-heartbeat-age", "4s", "--stop-timeout", "500ms"], |scene, stage, _| {
        fs::write(scene.path(&format!("hang.{stage}")), "").expect("written");
        until("the word", || scene.journal().contains("the command did not end in time: it is killed"));
        assert!(scene.journal().contains("the command hangs: no heartbeat for 4 s"), "{}", scene.journal());
    });
}

#[test]
fn a_process_that_leaves_the_group_does_not_get_away() {
    let scene = Scene::new();
    scene.start(&[], "setsid sh -c 'echo $$ >>pids.away; exec sleep 1000' & exec sleep 1000");
    until("the stray", || !scene.pids("away").is_empty());
    scene.watch(&["stop"]).run().clean(0);
    assert!(!lives(scene.pids("away")[0]));
}

#[test]
fn a_dead_shell_is_not_a_dead_group() {
    let scene = Scene::new();
    // The shell ends at once; what it started takes its time and does not hear TERM.
    let command = "echo >>starts; (trap '' TERM; echo >up; while :; do sleep 0.05; done) & \
        until [ -e up ]; do sleep 0.05; done; rm up; exec sh -c 'echo $PPID >/dev/null; exit 3'";
    let run = scene
        .run(&["--stop-timeout", "300ms", "--restart-delay", "10ms", "--max-restart-attempts", "1"], command);
    let (code, stderr) = run.end();
    assert_eq!(code, Some(1));
    assert_eq!(stderr.matches("it is killed").count(), 2, "{stderr}");
    assert!(
        stderr.contains("failed after 1 restarts in a row: the command ended by itself with exit code 3"),
        "{stderr}"
    );
    assert_eq!(scene.text("starts").lines().count(), 2);
}

#[test]
fn what_fails_again_and_again_has_failed_and_that_is_said_once() {
    let scene = Scene::new();
    let command = "echo >>starts; for i in $(seq 30); do echo \"word $i\" >&2; done; exit 7";
    let hook = "cat >>told; env >environment; echo >>hooks";
    let options = ["--restart-delay", "10ms", "--max-restart-attempts", "2", "--on-failure", hook];
    let words = [&["run"], &options[..], &["--", "sh", "-c", command]].concat();
    let run = scene.watch(&words).env("CCAP_PASSWORD", "hunter2").run();
    let reason = "failed after 2 restarts in a row: the command ended by itself with exit code 7";
    let run =
        run.says(1, &[reason, "restart 1 of 2", "restart 2 of 2", "mod-watch: x: | word 11\n", "| word 30"]);
    assert!(!run.stderr.contains("| word 10\n"), "only the last 20: {}", run.stderr);

    assert_eq!(scene.text("starts").lines().count(), 3);
    assert_eq!(scene.text("hooks").lines().count(), 1);
    let told = scene.text("told");
    assert!(
        told.starts_with(&format!("x: {reason}\n| word 11\n")) && told.ends_with("| word 30\n"),
        "{told}"
    );
    assert!(scene.text("environment").contains("MODTOOLS_NAME=x\n"));
    assert!(!scene.text("environment").contains("hunter2"), "no secrets for the hook");
    assert_eq!(scene.status()["status"], "failed");
    assert_eq!(scene.text("x.pid"), "");

    // It stays failed, whoever checks, until `reset`.
    scene.watch(&["check"]).run().says(1, &["x: failed: the command ended by itself with exit code 7"]);
    scene.watch(&["status"]).run().clean(1);
    assert_eq!(scene.text("starts").lines().count(), 3);
    scene.watch(&["reset"]).run().clean(0);
    scene.watch(&["check"]).run();
    until("the next start", || scene.text("starts").lines().count() > 3);
}

#[test]
fn start_tries_again_what_has_failed() {
    let scene = Scene::new();
    let words = ["run", "--max-restart-attempts", "0", "--", "sh", "-c", "kill -9 $$"];
    scene.watch(&words).run().says(1, &["the command ended by itself with signal 9 (SIGKILL)"]);
    scene.start(&[], "exec sleep 1000");
    scene.watch(&["check"]).run().clean(0);
}

#[test]
fn one_that_never_beats_hangs() {
    let scene = Scene::new();
    let words = ["run", "--max-heartbeat-age", "300ms", "--max-restart-attempts", "0", "--", "sleep", "1000"];
    scene.watch(&words).run().says(1, &["the command hangs: no heartbeat for 0 s"]);
}

#[test]
fn stop_also_ends_what_a_killed_supervisor_left_behind() {
    let scene = Scene::new();
    scene.start_pipe(&[]);
    let stages = STAGES.map(|stage| scene.pids(stage)[0]);
    kill_process(scene.supervisor().expect("signed"), Signal::KILL).expect("it runs");
    until("its end", || scene.watch(&["status"]).run().code == Some(1));
    scene.watch(&["status"]).run().clean(1).stdout.find("is gone and has not said why").expect("said");
    scene.watch(&["stop"]).run().clean(0);
    assert!(!stages.iter().any(|&pid| lives(pid)));
}

#[test]
fn a_supervisor_that_hangs_itself_is_noticed() {
    let scene = Scene::new();
    scene.start(&[], "exec sleep 1000");
    let supervisor = scene.supervisor().expect("signed");
    kill_process(supervisor, Signal::STOP).expect("it runs");
    // As if it had not written for long.
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(120);
    fs::File::options()
        .append(true)
        .open(scene.path("x.status"))
        .and_then(|f| f.set_modified(old))
        .expect("ours");
    scene.watch(&["check"]).run().says(3, &["x: error: the supervisor has not written its status for 2m"]);
    kill_process(supervisor, Signal::CONT).expect("it runs");
    until("health", || scene.watch(&["check"]).run().code == Some(0));
}

#[test]
fn a_full_disk_is_said_once_and_stops_nothing() {
    // In a mount namespace of its own, so that nothing has to be cleaned up.
    let namespace = ["--mount", "--map-root-user"];
    if !Command::new("unshare").args(namespace).arg("true").status().is_ok_and(|status| status.success()) {
        eprintln!("no mount namespaces here: not tested");
        return;
    }
    let scene = Scene::new();
    fs::create_dir(scene.path("small")).expect("made");
    let script = "mount -t tmpfs -o size=128k tmpfs small && exec \"$0\" run --name y --dir small \
        --restart-delay 20ms --stop-timeout 2s -- sh -c \"$1\" 2>stderr";
    let pipe = "echo $$ >>pids.lead; while echo noise >&2; do echo tick; sleep 0.02; done | python3 beat.py";
    let mut command = Command::new("unshare");
    command.args(namespace).args(["sh", "-c", script]).arg(built("mod-watch")).arg(pipe);
    command.current_dir(scene.dir.path());
    let run = Foreground::spawn(&mut command);
    // Its view of the directory, from outside.
    let small = scene.path("small");
    let root = PathBuf::from(format!("/proc/{}/root", run.child.id()));
    let inside = |name: &str| root.join(small.strip_prefix("/").expect("absolute")).join(name);
    until("the first beat", || {
        fs::read_to_string(inside("y.status")).is_ok_and(|status| status.contains("\"running\""))
    });
    fs::write(inside("filler"), vec![0; 1 << 20]).expect_err("full");
    for word in ["y.status: No space left", "the log takes no more"] {
        until(word, || scene.text("stderr").contains(word));
    }

    // It goes on: what is killed is started again.
    let first = scene.pids("lead")[0];
    kill_process(first, Signal::KILL).expect("it runs");
    until("the restart", || scene.pids("lead").len() == 2 && !lives(first));
    fs::remove_file(inside("filler")).expect("there");
    for word in ["the status is written again", "the log is written again; about "] {
        until(word, || scene.text("stderr").contains(word));
    }
    run.signal(Signal::TERM);
    assert_eq!(run.end().0, Some(0));
    let stderr = scene.text("stderr");
    assert_eq!(stderr.matches("No space left").count(), 2, "each said once: {stderr}");
}

/// In namespaces of its own, so that nothing has to be cleaned up; false where there are none.
fn has_namespaces(namespaces: &[&str]) -> bool {
    let tried = Command::new("unshare").args(namespaces).arg("true").status();
    let has = tried.is_ok_and(|status| status.success());
    if !has {
        eprintln!("no namespaces here: not tested");
    }
    has
}

#[test]
fn one_that_starts_on_a_full_disk_can_be_stopped_and_signs_when_there_is_room() {
    let namespaces = ["--mount", "--map-root-user"];
    if !has_namespaces(&namespaces) {
        return;
    }
    let scene = Scene::new();
    fs::create_dir(scene.path("small")).expect("made");
    let script = r#"
        mount -t tmpfs -o size=64k tmpfs small || exit 9
        fill() { head -c 1M /dev/zero >small/filler 2>/dev/null; }
        until_line() { for _ in $(seq 1000); do [ -s "$1" ] && return; sleep 0.01; done; }
        fill
        "$0" start --name y --dir small -- sleep 1000; echo "start $?"
        "$0" status --name y --dir small; echo "status $?"
        wc -c <small/y.pid
        "$0" stop --name y --dir small; echo "stop $?"
        "$0" start --name y --dir small -- sleep 1000; echo "start $?"
        rm small/filler
        until_line small/y.pid; until_line small/y.cmd
        "$0" status --name y --dir small | grep -o "pid $(cat small/y.pid)" | sed 's/[0-9]*$/N/'
        "$0" stop --name y --dir small; echo "stop $?"
    "#;
    let mut command = Command::new("unshare");
    command.args(namespaces).args(["sh", "-c", script]).arg(built("mod-watch")).current_dir(scene.dir.path());
    let output = command.output().expect("it runs");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<&str> = stdout.lines().collect();
    for line in ["start 0", "pid N", "stop 0", "0"] {
        assert!(lines.contains(&line), "{line}: {output:?}");
    }
    for line in ["start 0", "stop 0"] {
        assert_eq!(stdout.matches(line).count(), 2, "the first one is gone: {output:?}");
    }
}

#[test]
fn the_first_process_of_a_container_waits_for_orphans() {
    let namespaces = ["--pid", "--fork", "--mount-proc", "--map-root-user"];
    if !has_namespaces(&namespaces) {
        return;
    }
    let scene = Scene::new();
    // Each turn a process whose parent has ended already.
    let orphans = "for _ in $(seq 20); do (sh -c 'sleep 0.05; echo >>ended' &); done; sleep 0.5; \
        while :; do grep -l '^State:.Z' /proc/[0-9]*/status >zombies; echo >>looked; sleep 0.3; done";
    let mut command = Command::new("unshare");
    command.args(namespaces).arg("--kill-child").arg(built("mod-watch"));
    command.args(["run", "--name", "x", "--dir", ".", "--", "sh", "-c", orphans]);
    let _run = Foreground::spawn(command.current_dir(scene.dir.path()));
    until("the orphans", || scene.text("ended").lines().count() == 20);
    let looked = scene.text("looked").lines().count();
    until("another look", || scene.text("looked").lines().count() > looked + 2);
    until("no zombie", || scene.path("zombies").exists() && scene.text("zombies").is_empty());
}

#[test]
fn nothing_that_is_inherited_keeps_it_from_working() {
    // SIGCHLD ignored, SIGTERM and SIGCHLD blocked, no standard streams: as some starters leave them.
    let start = r#"
import os, signal, sys
how, program = sys.argv[1], sys.argv[2:]
if how == "ignored": signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if how == "blocked": signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD})
if how == "closed": os.closerange(0, 3)
os.execvp(program[0], program)
"#;
    for how in ["nothing", "closed"] {
        let scene = Scene::new();
        let mut command = Command::new("python3");
        command.args(["-c", start, how]).arg(built("mod-watch"));
        command.args(["run", "--name", "x", "--dir", ".", "--restart-delay", "20ms"]);
        command.args([
            "--",
            "sh",
            "-c",
            "echo >>starts; [ -e again ] && exec sleep 1000; echo >again; exit 7",
        ]);
        let run = Foreground::spawn(command.current_dir(scene.dir.path()));
        until(how, || scene.text("starts").lines().count() == 2);
        assert!(scene.journal().contains("ended by itself with exit code 7"), "{how}: {}", scene.journal());
        run.signal(Signal::TERM);
        assert_eq!(run.end().0, Some(0), "{how}");
        assert_eq!(scene.status()["status"], "stopped", "{how}");
    }
}
