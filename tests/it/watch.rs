//! mod-watch as operators and cron meet it: verbs, files, exit codes. What goes wrong around it is in
//! `watch_faults`, and that there is only ever one in `watch_once`.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{self, DEADLINE, Tool, tool, until};

/// A stage that passes lines on. It notes its number, and on demand it hangs and is deaf to TERM.
const PASS: &str = r#"
echo $$ >>pids.$1
while read -r line; do
    if [ -e hang.$1 ]; then
        rm hang.$1
        trap '' TERM
        while :; do sleep 1; done
    fi
    echo "$line" || exit
done
"#;

/// The last stage: each line that reaches it is a heartbeat; `say` goes along with it.
const BEAT: &str = r#"
import os, signal, socket, sys, time
with open("pids.d", "a") as pids:
    print(os.getpid(), file=pids)
out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for line in sys.stdin:
    if os.path.exists("hang.d"):
        os.remove("hang.d")
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(1000)
    say = open("say").read() if os.path.exists("say") else ""
    try:
        out.sendto(("READY=1\nWATCHDOG=1\n" + say).encode(), os.environ["NOTIFY_SOCKET"])
    except OSError:
        pass  # as mod-store: it goes on when a supervisor cannot be reached
"#;

/// Four stages; the first says something every 50 ms.
const PIPE: &str =
    "while echo tick; do sleep 0.05; done | sh pass.sh a | sh pass.sh b | sh pass.sh c | python3 beat.py";

/// A directory with one supervised command in it; whatever runs there ends with it.
pub struct Scene {
    pub dir: TempDir,
}

impl Scene {
    pub fn new() -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        fs::write(dir.path().join("pass.sh"), PASS).expect("written");
        fs::write(dir.path().join("beat.py"), BEAT).expect("written");
        Scene { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// `mod-watch VERB`, its files named `x`, in this directory.
    pub fn watch(&self, words: &[&str]) -> Tool {
        let (verb, rest) = words.split_first().expect("a verb");
        tool("mod-watch").args([*verb, "--name", "x", "--dir", "."]).args(rest).dir(self.dir.path())
    }

    /// Starts a command in the background, with short times.
    pub fn start(&self, options: &[&str], command: &str) {
        let words = [&["start"], options, &["--", "sh", "-c", command]].concat();
        let run = self.watch(&words).run().clean(0);
        assert!(run.stdout.starts_with("x: started (pid "), "{}", run.stdout);
    }

    /// Starts the four stages and waits for their heart to beat.
    pub fn start_pipe(&self, options: &[&str]) {
        self.start(options, PIPE);
        self.until_status("running");
    }

    /// `run` as a child of the test.
    pub fn run(&self, options: &[&str], command: &str) -> Foreground {
        let words = [&["run"], options, &["--", "sh", "-c", command]].concat();
        // Whoever runs the tests may have started them by `nohup`, or in the background of a script.
        let mut command = self.watch(&words).under(&["env", "--default-signal"]).command(self.dir.path());
        Foreground::spawn(&mut command)
    }

    pub fn status(&self) -> Value {
        serde_json::from_str(&self.text("x.status")).unwrap_or_default()
    }

    #[track_caller]
    pub fn until_status(&self, word: &str) {
        let begin = Instant::now();
        while self.status()["status"] != word {
            assert!(
                begin.elapsed() < DEADLINE,
                "never {word}: {}\n{}\n{}",
                self.status(),
                self.text("watchdog.log"),
                self.text("x.log")
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The supervisor that holds the lock.
    pub fn supervisor(&self) -> Option<Pid> {
        self.text("x.pid").lines().next().and_then(|line| line.parse().ok()).and_then(Pid::from_raw)
    }

    /// The numbers that a stage has had, the present one last.
    pub fn pids(&self, stage: &str) -> Vec<Pid> {
        self.text(&format!("pids.{stage}"))
            .lines()
            .filter_map(|line| line.parse().ok().and_then(Pid::from_raw))
            .collect()
    }

    pub fn journal(&self) -> String {
        self.text("watchdog.log")
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(pid) = self.supervisor().filter(|pid| is_mod_watch(*pid)) {
            let _ = kill_process(pid, Signal::KILL);
        }
        let _ = self.watch(&["stop", "--stop-timeout", "0s"]).run();
    }
}

fn is_mod_watch(pid: Pid) -> bool {
    fs::read_to_string(format!("/proc/{}/comm", pid.as_raw_nonzero()))
        .is_ok_and(|name| name.trim() == "mod-watch")
}

/// A supervisor in the foreground.
pub struct Foreground {
    pub child: Child,
    stderr: Option<JoinHandle<String>>,
}

impl Foreground {
    pub fn spawn(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().expect("it starts");
        let stderr = support::drain(child.stderr.take().expect("piped"));
        Foreground { child, stderr: Some(stderr) }
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }

    /// Its exit code and its stderr.
    #[track_caller]
    pub fn end(mut self) -> (Option<i32>, String) {
        let status = support::wait(&mut self.child, DEADLINE);
        let stderr = self.stderr.take().expect("once").join().expect("read");
        (status.code(), stderr)
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a process is there and not just waiting to be buried.
pub fn lives(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    test_kill_process(pid).is_ok() && !stat.contains(") Z")
}

#[track_caller]
fn until_exists(path: &Path) {
    until(&path.display().to_string(), || path.exists());
}

#[test]
fn its_life_from_start_to_stop() {
    let scene = Scene::new();
    scene.start_pipe(&[]);
    let status = scene.status();
    let pid = scene.supervisor().expect("signed");
    assert_eq!(scene.text("x.pid"), format!("{}\n", pid.as_raw_nonzero()), "`kill $(cat x.pid)` works");
    assert_eq!(status["pid"], pid.as_raw_nonzero().get());
    assert_eq!((&status["is_healthy"], &status["last_successful_scan"]), (&Value::Bool(true), &Value::Null));
    assert_eq!(
        status["lock_file"],
        scene.dir.path().canonicalize().unwrap().join("x.pid").display().to_string()
    );
    assert!(status["last_heartbeat"].is_f64());
    scene.watch(&["check"]).run().clean(0);

    let line = scene.watch(&["status"]).run().clean(0).stdout;
    assert!(line.starts_with(&format!("x: running (pid {}) for ", pid.as_raw_nonzero())), "{line}");
    assert_eq!(line.lines().count(), 1);
    let record = &scene.watch(&["status", "--json"]).run().clean(0).records()[0];
    assert_eq!(
        (&record["type"], &record["name"], &record["status"]),
        (&"status".into(), &"x".into(), &"running".into())
    );

    let stages = ["a", "b", "c", "d"].map(|stage| scene.pids(stage)[0]);
    let run = scene.watch(&["stop"]).run().clean(0);
    assert_eq!(run.stdout, "x: stopped; `mod-watch check` leaves it so\n");
    assert!(!lives(pid) && !stages.iter().any(|&stage| lives(stage)));
    assert_eq!((scene.status()["status"].as_str(), &scene.status()["pid"]), (Some("stopped"), &Value::Null));
    assert_eq!(scene.text("x.pid"), "", "emptied, not removed");
    assert!(scene.path("x.pid").exists() && !scene.path("x.sock").exists());
}

#[test]
fn stop_lasts_until_start() {
    let scene = Scene::new();
    scene.start(&[], "echo >>starts; exec sleep 1000");
    scene.watch(&["stop"]).run().clean(0);
    scene.watch(&["check"]).run().clean(1);
    scene.watch(&["check", "--", "sh", "-c", "echo >>starts"]).run().clean(1);
    assert!(scene.path("x.down").exists());
    scene.watch(&["stop"]).run().clean(0);
    assert_eq!(scene.text("starts").lines().count(), 1);
    scene.start(&[], "echo >>starts; exec sleep 1000");
    assert!(!scene.path("x.down").exists());
    until("the second start", || scene.text("starts").lines().count() == 2);
    scene.watch(&["check"]).run().clean(0);
}

#[test]
fn a_check_knows_how_it_was_started_when_cron_does_not() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    fs::create_dir(scene.path("bin")).unwrap();
    fs::write(scene.path("bin/scanner"), "#!/bin/sh\npwd >>where\nexec sleep 1000\n").unwrap();
    fs::set_permissions(scene.path("bin/scanner"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", scene.path("bin").display());
    scene.watch(&["start", "--", "scanner"]).env("PATH", path).run().clean(0);
    let mode = fs::metadata(scene.path("x.cmd")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    kill_process(scene.supervisor().expect("signed"), Signal::KILL).expect("it runs");
    until("the end of the supervisor", || scene.watch(&["status"]).run().code == Some(1));
    // Another directory and a short search path, as cron has them.
    let dir = scene.dir.path().to_str().unwrap().to_owned();
    tool("mod-watch")
        .args(["check", "--name", "x", "--dir", &dir])
        .env("PATH", "/usr/bin:/bin")
        .run()
        .clean(0);
    until("the second start", || scene.text("where").lines().count() == 2);
    let lines: Vec<String> = scene.text("where").lines().map(str::to_owned).collect();
    assert_eq!(lines[0], lines[1]);
    assert!(scene.journal().contains("check: it was not running and is started"), "{}", scene.journal());
}

#[test]
fn start_without_a_command_takes_the_one_that_ran_last_with_its_options() {
    let scene = Scene::new();
    scene.start(&["--restart-delay", "7s"], "echo >>starts; exec sleep 1000");
    let argv = || serde_json::from_str::<Value>(&scene.text("x.cmd")).unwrap()["argv"].clone();
    let before = argv();
    scene.watch(&["stop"]).run().clean(0);
    scene.watch(&["start"]).run().clean(0);
    until("the second start", || scene.text("starts").lines().count() == 2);
    assert_eq!(argv(), before);
    scene.watch(&["start"]).run().says(4, &["is locked by the supervisor"]);
    scene.watch(&["stop"]).run().clean(0);
    scene.watch(&["start", "--restart-delay", "9s"]).run().clean(0);
    until("the third start", || scene.text("starts").lines().count() == 3);
    let words = argv().to_string();
    assert!(words.contains("--restart-delay=9000ms") && !words.contains("7000ms"), "{words}");
}

#[test]
fn a_removed_lock_file_is_made_again_and_there_is_one_supervisor() {
    let scene = Scene::new();
    scene.start_pipe(&[]);
    let pid = scene.supervisor().expect("signed");
    for name in ["x.pid", "x.status", "x.sock", "x.cmd"] {
        fs::remove_file(scene.path(name)).expect("there");
    }
    until("the lock file", || scene.supervisor() == Some(pid));
    for name in ["x.status", "x.sock", "x.cmd"] {
        until_exists(&scene.path(name));
    }
    let beat = || scene.status()["last_heartbeat"].as_f64().unwrap_or_default();
    let before = beat();
    until("later heartbeats", || beat() >= before + 2.0);
    scene.watch(&["check"]).run().clean(0);
    assert_eq!(scene.pids("a").len(), 1, "the same pipeline");
    scene.watch(&["stop"]).run().clean(0);
    assert!(!lives(pid));
}

#[test]
fn the_status_of_monitoring_has_performance_data_and_the_codes_of_plugins() {
    let scene = Scene::new();
    let line = |code| scene.watch(&["status", "--nagios"]).run().clean(code).stdout;
    assert!(line(3).starts_with("UNKNOWN: x stopped: it was never started here"), "{}", line(3));
    scene.start_pipe(&[]);
    let ok = line(0);
    assert!(ok.starts_with("OK: x running: ") && ok.contains(" | uptime="), "{ok}");
    for label in ["heartbeat_age=", "scans=0c", "failed_scans=0c", "devices=0c", "records=0c"] {
        assert!(ok.contains(label), "{ok}");
    }
    assert_eq!((ok.lines().count(), ok.matches('|').count()), (1, 1));
    scene.watch(&["stop"]).run().clean(0);
    assert!(line(2).starts_with("CRITICAL: x stopped: "), "{}", line(2));
    fs::write(scene.path("x.status"), "not JSON").expect("written");
    assert!(line(3).starts_with("UNKNOWN: x: cannot read "), "{}", line(3));
}

#[test]
fn the_uptime_is_that_of_now() {
    let scene = Scene::new();
    scene.start(&[], "exec sleep 1000");
    // As if it had been written a while ago, which it may have been.
    kill_process(scene.supervisor().expect("signed"), Signal::STOP).expect("it runs");
    let old = std::time::SystemTime::now() - Duration::from_secs(50);
    fs::File::options().append(true).open(scene.path("x.status")).and_then(|f| f.set_modified(old)).unwrap();
    let record = &scene.watch(&["status", "--json"]).run().clean(0).records()[0];
    assert!(record["uptime_seconds"].as_u64().unwrap() >= 50, "{record}");
    assert_eq!(record["uptime_seconds"], record["statistics"]["uptime_seconds"]);
    kill_process(scene.supervisor().expect("signed"), Signal::CONT).expect("it runs");
}

#[test]
fn the_directory_is_a_setting() {
    let scene = Scene::new();
    let watch =
        |verb: &str| tool("mod-watch").args([verb, "--name", "x"]).env("MODTOOLS_RUN_DIR", scene.dir.path());
    scene.start(&[], "exec sleep 1000");
    let line = watch("status").run().clean(0).stdout;
    assert!(line.starts_with("x: starting (pid "), "{line}");
    watch("stop").run().clean(0);
}

#[test]
fn signals_end_the_pipeline_in_order_and_the_lock_goes() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let scene = Scene::new();
        let command =
            "trap 'sleep 0.3; echo in order >ended; exit' TERM; echo >up; while :; do sleep 0.05; done";
        let run = scene.run(&[], command);
        until_exists(&scene.path("up"));
        run.signal(signal);
        assert_eq!(run.end(), (Some(0), String::new()));
        assert_eq!(scene.text("ended"), "in order\n");
        assert_eq!(scene.status()["status"], "stopped");
        assert!(!scene.path("x.down").exists(), "only `stop` is for good");
        scene.watch(&["status"]).run().clean(1);
    }
}

#[test]
fn nohup_is_respected() {
    let scene = Scene::new();
    let mut command = Command::new("nohup");
    command
        .arg(support::built("mod-watch"))
        .args(["run", "--name", "x", "--dir", ".", "--", "sh", "-c", PIPE]);
    let run = Foreground::spawn(command.current_dir(scene.dir.path()));
    scene.until_status("running");
    run.signal(Signal::HUP);
    let beat = || scene.status()["last_heartbeat"].as_f64().unwrap_or_default();
    let before = beat();
    until("later heartbeats", || beat() >= before + 2.0);
    run.signal(Signal::TERM);
    assert_eq!(run.end().0, Some(0));
}

#[test]
fn a_second_signal_ends_at_once() {
    let scene = Scene::new();
    let run = scene.run(&["--stop-timeout", "1h"], "trap '' TERM; echo >up; while :; do sleep 0.05; done");
    until_exists(&scene.path("up"));
    run.signal(Signal::TERM);
    scene.until_status("shutting_down");
    run.signal(Signal::TERM);
    let (code, stderr) = run.end();
    assert_eq!(
        (code, stderr.as_str()),
        (Some(0), "mod-watch: x: the command did not end in time: it is killed\n")
    );
}

#[test]
fn what_the_command_reports_is_in_the_status() {
    let scene = Scene::new();
    let stats = r#"{"total_scans":7,"successful_scans":5,"failed_scans":2,"total_devices_processed":84,
        "total_records_stored":4032,"average_scan_time":12.5,"last_scan_time":11.0,"running":3}"#;
    fs::write(scene.path("say"), format!("STATUS=spool 0\nX_MODTOOLS_STATS={}\n", stats.replace('\n', " ")))
        .unwrap();
    scene.start(&["--interval", "1h"], PIPE);
    scene.until_status("scanning");
    let status = scene.status();
    assert_eq!(status["message"], "spool 0");
    assert!(status["last_successful_scan"].is_string());
    let statistics = &status["statistics"];
    for (key, value) in [
        ("total_scans", 7),
        ("failed_scans", 2),
        ("total_devices_processed", 84),
        ("total_records_stored", 4032),
    ] {
        assert_eq!(statistics[key], value, "{key}");
    }
    assert_eq!(
        (statistics["average_scan_time"].as_f64(), statistics["last_scan_time"].as_f64()),
        (Some(12.5), Some(11.0))
    );
    let line = scene.watch(&["status"]).run().clean(0).stdout;
    assert!(line.contains("7 scans (2 failed), 4032 records"), "{line}");
}

#[test]
fn a_pipe_that_moves_and_stores_nothing_is_degraded() {
    let scene = Scene::new();
    fs::write(scene.path("say"), "X_MODTOOLS_STATS={\"total_scans\":1,\"failed_scans\":1}").unwrap();
    scene.start(&["--interval", "100ms"], PIPE);
    scene.until_status("degraded");
    scene.watch(&["check"]).run().says(3, &["mod-watch: x: degraded: nothing was stored for "]);
    scene.watch(&["status"]).run().clean(3);
    fs::write(scene.path("more"), "X_MODTOOLS_STATS={\"total_scans\":2,\"total_records_stored\":9}").unwrap();
    fs::rename(scene.path("more"), scene.path("say")).unwrap();
    until("the records", || scene.status()["statistics"]["total_records_stored"] == 9);
}

#[test]
fn its_stderr_is_kept_stamped_and_bounded() {
    let scene = Scene::new();
    let command = "echo one >&2; yes 0123456789012345678901234567890123456789 | head -50000 >&2; echo >done; sleep 1000";
    scene.start(&["--max-log", "100k"], command);
    until_exists(&scene.path("done"));
    scene.watch(&["stop"]).run().clean(0);
    let logs: Vec<u64> = ["x.log", "x.log.1", "x.log.2", "x.log.3"]
        .map(|name| fs::metadata(scene.path(name)).expect("rotated").len())
        .into();
    assert!(logs.iter().all(|&size| size <= 100 << 10), "{logs:?}");
    assert!(!scene.path("x.log.4").exists());
    let line = scene.text("x.log.1").lines().next().expect("a line").to_owned();
    let (stamp, text) = line.split_once(' ').expect("stamped");
    assert!(chrono::NaiveDateTime::parse_from_str(stamp, "%Y-%m-%dT%H:%M:%S").is_ok(), "{stamp}");
    assert_eq!(text.len(), 40);
}

#[test]
fn wrong_usage_is_said_before_anything_is_done() {
    let scene = Scene::new();
    scene.watch(&["run"]).run().says(2, &["COMMAND"]);
    scene.watch(&["check"]).run().says(1, &["x: not running, and never started here", "x.cmd"]);
    scene
        .watch(&["start"])
        .run()
        .says(2, &["x was never started here", "x.cmd", "mod-watch start -- COMMAND"]);
    let line = scene.watch(&["status"]).run().clean(1).stdout;
    let place = scene.dir.path().canonicalize().unwrap().join("x.status").display().to_string();
    assert_eq!(line, format!("x: stopped: it was never started here; no {place}\n"));
    tool("mod-watch").args(["status", "--dir", "not/there"]).dir(scene.dir.path()).run().clean(1);
    assert!(!scene.path("not").exists(), "looking makes nothing");
    tool("mod-watch").args(["status", "--name", "../x"]).run().says(2, &["--name", "../x"]);
    scene.watch(&["start", "--", "/no/such/program"]).run().says(3, &["/no/such/program", "restart 1 of 3"]);
    scene.watch(&["stop"]).run().clean(0);
    let never = ["start", "--max-restart-attempts", "0", "--", "/no/such/program"];
    scene.watch(&never).run().says(1, &["cannot start the supervisor", "/no/such/program"]);
    scene.watch(&["run", "--detached", "--", "true"]).run().says(2, &["--detached"]);
}

#[test]
fn the_example_units_are_sound() {
    let analyze = |unit: &str| {
        let unit = support::in_package("examples/systemd").join(unit);
        Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(unit).output()
    };
    for unit in ["modtools.service", "mod-watch@.service"] {
        // Where there is no systemd, nobody uses them.
        let Ok(output) = analyze(unit) else { return };
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !stderr.contains(unit), "{stderr}");
    }
}
