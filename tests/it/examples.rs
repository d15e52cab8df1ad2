//! What runs by itself: the scripts and cron jobs of examples/, and the installation.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::json;
use tempfile::TempDir;

use crate::{
    mailbox::Mailbox,
    report_monitoring::{parse, promtool},
    support::{Run, Tool, built, in_package, script, tool, until},
    support_sim::{Fleet, PASSWORD, USER},
};

/// Where the tools work: the directory of the user modtools, with its settings.
struct Home {
    dir: TempDir,
}

impl Home {
    fn new(settings: &[&str]) -> Home {
        let dir = TempDir::new().unwrap();
        let own = ["MODTOOLS_DB=sqlite:modulation.db", "MODTOOLS_TZ=UTC"];
        let env = dir.path().join(".env");
        fs::write(&env, [&own, settings].concat().join("\n")).unwrap();
        // As the guide has it: others who can read a password in it are named.
        fs::set_permissions(&env, fs::Permissions::from_mode(0o600)).unwrap();
        Home { dir }
    }

    /// With two days of a small fleet in its database.
    fn with_history(settings: &[&str]) -> Home {
        let home = Home::new(settings);
        let past = tool("examples/ccap-sim").args(["--history", "2d", "--upstreams", "4"]);
        let past = past.args(["--devices", "e6000=1,casa=1"]).run().clean(0).stdout;
        let stored = tool("mod-store").args(["--init"]).dir(home.path()).stdin(past).run();
        // 3: a device was not reached for a while.
        assert!(matches!(stored.code, Some(0 | 3)), "{stored:?}");
        home
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap_or_default()
    }

    fn there(&self, name: &str) -> bool {
        self.path().join(name).exists()
    }

    fn script(&self, name: &str, args: &[&str]) -> Tool {
        let logs = self.path().join("log");
        script(name).args(args).env("MODTOOLS_HOME", self.path()).env("MODTOOLS_LOG", logs).dir(self.path())
    }

    /// Tools that note what they were asked for in `calls`, and end as the file NAME.exit says.
    fn stand_ins(&self) -> PathBuf {
        let bin = self.path().join("bin");
        fs::create_dir_all(&bin).unwrap();
        for name in ["mod-prune", "mod-report", "mod-store", "mod-watch"] {
            let home = self.path().display();
            let text = format!(
                "#!/bin/sh\necho \"{name} $*\" >>{home}/calls\necho \"{name} says\"\n\
                 [ ! -e {home}/{name}.exit ] || {{ echo \"{name}: reason\" >&2; exit \"$(cat {home}/{name}.exit)\"; }}\n"
            );
            fs::write(bin.join(name), text).unwrap();
            let made = Command::new("chmod").arg("+x").arg(bin.join(name)).status().unwrap();
            assert!(made.success());
        }
        bin
    }

    /// maintenance.sh with those tools.
    fn maintenance(&self, args: &[&str]) -> Run {
        self.maintenance_with(args, &[])
    }

    fn maintenance_with(&self, args: &[&str], environment: &[(&str, &str)]) -> Run {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let dirs = std::iter::once(self.stand_ins()).chain(std::env::split_paths(&path));
        let script = self.script("maintenance.sh", args).env("PATH", std::env::join_paths(dirs).unwrap());
        environment.iter().fold(script, |script, (name, value)| script.env(name, value)).run()
    }
}

fn day(offset: chrono::Duration) -> String {
    (chrono::Utc::now() - offset).format("%F").to_string()
}

#[test]
fn every_script_is_sound() {
    let scripts: Vec<_> =
        [".ci", "examples", "examples/hooks", "fuzz", "packaging", "packaging/debian", "tests"]
            .iter()
            .flat_map(|dir| fs::read_dir(in_package(dir)).unwrap())
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                fs::read(path).is_ok_and(|text| {
                    text.starts_with(b"#!/bin/sh") || text.starts_with(b"#!/usr/bin/env bash")
                })
            })
            .collect();
    assert!(scripts.len() >= 25, "{scripts:?}");
    for path in &scripts {
        let parsed = Command::new("bash").arg("-n").arg(path).output().unwrap();
        assert!(parsed.status.success(), "{}", String::from_utf8_lossy(&parsed.stderr));
    }
    let found = Command::new("shellcheck").args(["-S", "warning"]).args(&scripts).output().unwrap();
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stdout));
}

#[test]
fn a_day_is_reported_in_files_on_a_page_and_once_by_mail() {
    let mailbox = Mailbox::start(&json!({}));
    let home = Home::with_history(&[
        "SMTP_HOST=127.0.0.1",
        &format!("SMTP_PORT={}", mailbox.port),
        "FROM_EMAIL=noc@example.net",
        "TO_EMAILS=a@example.net, b@example.net",
        "ENABLE_WEB_DEPLOYMENT=false",
    ]);
    home.script("daily-report.sh", &[]).run().clean(0);
    let yesterday = day(chrono::Duration::days(1));
    for file in [
        format!("reports/modulation_report_{yesterday}.csv"),
        format!("reports/modulation_report_{yesterday}_web.json"),
        "web/index.html".to_owned(),
        format!("web/data/{yesterday}.json"),
    ] {
        assert!(home.there(&file), "{file} is missing");
    }
    home.script("daily-report.sh", &[]).run().clean(0);
    assert_eq!(mailbox.recipients(), ["a@example.net", "b@example.net"], "once each");
}

#[test]
fn a_day_without_samples_is_mailed_and_told() {
    let mailbox = Mailbox::start(&json!({}));
    let home = Home::with_history(&[
        "SMTP_HOST=127.0.0.1",
        &format!("SMTP_PORT={}", mailbox.port),
        "FROM_EMAIL=noc@example.net",
        "TO_EMAILS=a@example.net",
    ]);
    let run = home.script("daily-report.sh", &["--date", "2020-01-01", "report", "mail"]).run();
    run.says(3, &["mod-report: no sample"]);
    assert_eq!(mailbox.recipients(), ["a@example.net"]);
}

#[test]
fn a_web_server_that_is_away_costs_the_deployment_and_not_the_mail() {
    let mailbox = Mailbox::start(&json!({}));
    let home = Home::with_history(&[
        "WEB_SERVER=www@nowhere.invalid",
        "WEB_PATH=/srv/modulation",
        "SMTP_HOST=127.0.0.1",
        &format!("SMTP_PORT={}", mailbox.port),
        "FROM_EMAIL=noc@example.net",
        "TO_EMAILS=a@example.net",
    ]);
    let run = home.script("daily-report.sh", &[]).run();
    run.says(1, &["mod-report: ", "daily-report: deploy failed (exit 3)"]);
    assert!(home.there("web/index.html"));
    assert_eq!(mailbox.recipients(), ["a@example.net"]);
    home.script("daily-report.sh", &["paint"]).run().says(2, &["unknown part paint"]);
}

#[test]
fn what_the_parts_are_given_comes_from_the_env_file() {
    let mailbox = Mailbox::start(&json!({}));
    let brand = in_package("examples/brands/vodafoneziggo.json");
    let home = Home::with_history(&[
        "SMTP_HOST=127.0.0.1",
        &format!("SMTP_PORT={}", mailbox.port),
        "FROM_EMAIL=noc@example.net",
        "TO_EMAILS=a@example.net",
        "MODTOOLS_REPORT=--top 1",
        "export MODTOOLS_MAIL = '--layout seed --lang nl'  # as before",
        &format!("MODTOOLS_BRAND=\"{}\"", brand.display()),
    ]);
    home.script("daily-report.sh", &["report", "page", "mail"]).run().clean(0);
    let mail = &mailbox.mails()[0];
    let csv = mail.part("text/csv").text();
    assert!(csv.starts_with("CMTS;upstream;hops;"), "{csv}");
    assert_eq!(csv.lines().count(), 2, "one upstream: {csv}");
    assert!(home.text("web/index.html").contains("VodafoneZiggo"));
}

#[test]
fn an_env_file_of_windows_gives_each_setting_its_own_value() {
    let home = Home::new(&[]);
    let lines =
        "\u{feff}MODTOOLS_WEB = \"a b\"  # comment\r\nexport MODTOOLS_REPORT=--top 3\r\nTO_EMAILS=x@y\r\n";
    fs::write(home.path().join(".env"), lines).unwrap();
    let settings = in_package("examples/settings.sh");
    let value = |name: &str| {
        let mut shell = Command::new("bash");
        shell.args(["-c", ". \"$0\"; setting \"$1\" default"]).arg(&settings).arg(name);
        let output = shell.current_dir(home.path()).env_remove(name).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let values = ["MODTOOLS_WEB", "MODTOOLS_REPORT", "MODTOOLS_BRAND"].map(value);
    assert_eq!(values, ["a b\n", "--top 3\n", "default\n"]);
}

#[test]
fn two_parts_of_a_day_at_once_are_both_done() {
    let home = Home::with_history(&[]);
    let page = |date: &str| home.script("daily-report.sh", &["--date", date, "page"]).command(home.path());
    let mut both = ["today", "yesterday"].map(|date| page(date).stderr(Stdio::piped()).spawn().unwrap());
    for child in &mut both {
        let status = child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

#[test]
fn maintenance_does_every_part_whatever_became_of_the_others() {
    let home = Home::new(&[]);
    fs::create_dir(home.path().join("run")).unwrap();
    fs::write(home.path().join("run/modulation_scanner.cmd"), "").unwrap();
    home.maintenance(&[]).clean(0);
    let every = [
        "mod-prune --status",
        "mod-watch status --dir run",
        "mod-prune ",
        "mod-store --check",
        "mod-report --fresh",
        "mod-watch check --dir run",
        "mod-report --date today --format ndjson --top 0 --save",
    ];
    assert_eq!(home.text("calls").lines().collect::<Vec<_>>(), every);
    let log = home.text("log/maintenance.log");
    let today = chrono::Local::now().format("%F ").to_string();
    assert!(log.lines().count() >= 3 * every.len(), "{log}");
    assert!(log.lines().all(|line| line.starts_with(&today) && line.len() > 20), "{log}");

    fs::write(home.path().join("mod-store.exit"), "1").unwrap();
    fs::write(home.path().join("mod-prune.exit"), "3").unwrap();
    fs::remove_file(home.path().join("calls")).unwrap();
    let run = home.maintenance(&[]);
    run.says(1, &["maintenance: prune: exit 3: mod-prune: reason", "maintenance: database: exit 1: "]);
    assert_eq!(home.text("calls").lines().collect::<Vec<_>>(), every, "all of them all the same");
    assert!(home.text("log/maintenance.log").contains(" database: exit 1\n"));
    fs::remove_file(home.path().join("mod-store.exit")).unwrap();
    home.maintenance(&[]).says(3, &["maintenance: prune: exit 3"]);
}

#[test]
fn maintenance_does_only_what_its_flags_say() {
    for (flag, calls) in [
        ("--check-only", vec!["mod-prune --status", "mod-store --check", "mod-report --fresh"]),
        ("--reports-only", vec!["mod-report --date today --format ndjson --top 0 --save"]),
        ("--watchdog-only", vec!["mod-watch check --dir run"]),
        // Where systemd keeps the scanner, mod-watch is not asked.
        (
            "--force",
            vec![
                "mod-prune --status",
                "mod-prune ",
                "mod-store --check",
                "mod-report --fresh",
                "mod-report --date today --format ndjson --top 0 --save",
            ],
        ),
    ] {
        let home = Home::new(&[]);
        home.maintenance(&[flag]).clean(0);
        assert_eq!(home.text("calls").lines().collect::<Vec<_>>(), calls, "{flag}");
    }
    let home = Home::new(&[]);
    let run = home.maintenance(&["--dry-run"]).clean(0);
    assert_eq!(home.text("calls"), "mod-prune --dry-run\n");
    assert!(run.stdout.contains("files: mod-report --date today"), "{}", run.stdout);
    assert!(!home.there("log/maintenance.log"));
    home.maintenance(&["--all"]).says(2, &["--all is not an option", "--check-only"]);
}

#[test]
fn maintenance_prunes_looks_and_reports_for_real() {
    let home = Home::with_history(&["DATA_RETENTION_DAYS=1", "ENABLE_AUTO_CLEANUP=false"]);
    let stored = |date: &str| {
        let run = tool("mod-report").args(["--date", date, "--format", "samples"]).dir(home.path()).run();
        run.records().len()
    };
    let before = day(chrono::Duration::days(2));
    let today = day(chrono::Duration::zero());
    let old = stored(&before);
    assert!(old > 0);
    home.script("maintenance.sh", &["--reports-only"]).run().clean(0);
    assert!(home.there(&format!("reports/modulation_report_{today}.csv")));
    home.script("maintenance.sh", &[]).run();
    assert_eq!(stored(&before), old, "ENABLE_AUTO_CLEANUP is false");
    // Its exit code is 3 when the fleet's past ends with a device that was away.
    home.script("maintenance.sh", &["--force"]).run();
    assert_eq!(stored(&before), 0);
    let log = home.text("log/maintenance.log");
    for step in ["tables: exit 0", "prune: exit 0", "database: exit 0", "files: exit 0"] {
        assert!(log.contains(step), "{step}: {log}");
    }
}

#[test]
fn maintenance_is_done_once_at_a_time_and_forgets_old_logs() {
    let home = Home::new(&[]);
    let log = |name: &str| home.path().join("log").join(name);
    fs::create_dir(home.path().join("log")).unwrap();
    fs::write(log("maintenance.log"), "2026-01-02 03:04:05 files: exit 0\n").unwrap();
    fs::write(log("maintenance.log.2025-01-01"), "old\n").unwrap();
    let aged =
        Command::new("touch").args(["-d", "40 days ago"]).arg(log("maintenance.log.2025-01-01")).status();
    assert!(aged.unwrap().success());
    let held = fs::File::create(home.path().join("maintenance.lock")).unwrap();
    fs2::FileExt::lock_exclusive(&held).unwrap();
    let held_by_another = |args: &[&str]| home.maintenance_with(args, &[("MODTOOLS_LOCK_WAIT", "1")]);
    held_by_another(&[]).says(4, &["another one is at work"]);
    // The watchdog of the same minute waits for nobody.
    held_by_another(&["--watchdog-only"]).clean(0);
    // A full run waits for the other one, and then is done.
    let inode = format!(":{} ", held.metadata().unwrap().ino());
    let is_waited_for = || {
        let locks = fs::read_to_string("/proc/locks").unwrap();
        locks.lines().any(|lock| lock.contains("-> FLOCK") && lock.contains(&inode))
    };
    std::thread::scope(|scope| {
        scope.spawn(|| home.maintenance(&[]).clean(0));
        until("a run that waits", is_waited_for);
        drop(held);
    });
    assert!(!log("maintenance.log.2025-01-01").exists());
    assert!(home.text("log/maintenance.log.2026-01-02").starts_with("2026-01-02 03:04:05"));
    assert!(!home.text("log/maintenance.log").contains("2026-01-02"));
}

/// The jobs of the crontab, those that are commented out as well: user, and command as cron gives it to the shell.
fn jobs() -> Vec<(String, String)> {
    let table = fs::read_to_string(in_package("examples/cron.d/modtools")).unwrap();
    let begins_a_job = |line: &str| line.starts_with(|c: char| c.is_ascii_digit() || c == '*');
    let jobs = table.lines().map(|line| line.trim_start_matches('#')).filter(|line| begins_a_job(line));
    jobs.map(|line| {
        let mut fields = line.split_whitespace();
        for field in fields.by_ref().take(5) {
            assert!(field.chars().all(|c| c.is_ascii_digit() || "*/,-".contains(c)), "{line}");
        }
        let user = fields.next().unwrap().to_owned();
        let command = line.split_once(&format!(" {user} ")).unwrap().1.trim().to_owned();
        assert!(!command.contains('%'), "cron makes line ends of %: {line}");
        (user, command)
    })
    .collect()
}

#[test]
fn every_cron_job_does_what_it_says() {
    let fleet = Fleet::start(&["--devices", "e6000=1", "--upstreams", "4"]);
    let home = Home::new(&[&format!("CCAP_USER={USER}"), &format!("CCAP_PASSWORD={PASSWORD}")]);
    let _scanner = Scanner(home.path().join("run"));
    tool("mod-store").args(["--init"]).dir(home.path()).run().clean(0);
    let cron = |command: &str| {
        let fetch = format!("--known-hosts {}", fleet.known_hosts().display());
        let command = command.replace("-i inventory.ndjson", &format!("-i {}", fleet.inventory().display()));
        let command = command.replace("--cache cache", &format!("--cache cache {fetch}"));
        let command = command.replace("/var/lib/prometheus/", &format!("{}/", home.path().display()));
        let path = script("").command(home.path());
        let path = path.get_envs().find(|(name, _)| *name == "PATH").unwrap().1.unwrap().to_owned();
        let output = Command::new("/bin/bash")
            .args(["-c", &command])
            .env_clear()
            .env("PATH", path)
            .env("HOME", home.path())
            .env("MODTOOLS_LIB", in_package("examples"))
            .env("MODTOOLS_HOME", home.path())
            .env("MODTOOLS_INVENTORY", fleet.inventory())
            .env("MODTOOLS_EVERY", "1s")
            .env("MODTOOLS_FETCH", fetch)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.stderr.is_empty(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout.is_empty(), "{command}: {}", String::from_utf8_lossy(&output.stdout));
        assert!(output.status.success(), "{command}: {}", output.status);
    };
    let samples = || tool("mod-report").args(["--date", "today"]).dir(home.path()).run().records()[0].clone();
    let jobs = jobs();
    assert_eq!(jobs.len(), 10, "{jobs:?}");
    for (user, command) in &jobs {
        assert_eq!(user, "modtools");
        if let Some((_, rest)) = command.split_once("$MODTOOLS_LIB/") {
            let name = rest.split(['"', ' ']).next().unwrap();
            assert!(in_package(&format!("examples/{name}")).is_file(), "{name}");
        }
        if command.contains("mod-watch check") {
            cron(command);
            until("a sample", || samples()["measurements"].as_u64() > Some(0));
            // It runs, and is left alone.
            cron(command);
            tool("mod-watch").args(["stop", "--dir", "run"]).dir(home.path()).run().clean(0);
        } else if command.contains("flock") {
            let before = samples()["measurements"].as_u64();
            // A scan within the second of the one before it is the same sample.
            until("a sample of its own", || {
                cron(command);
                samples()["measurements"].as_u64() > before
            });
        } else if command.contains("--date today page") {
            cron(command);
            assert!(home.there("web/index.html"));
        } else if command.contains("gauges.sh") {
            fs::create_dir(home.path().join("node-exporter")).unwrap();
            cron(command);
            for file in ["modtools", "modtools-scanner", "modtools-database", "modtools-tables"] {
                let text = home.text(&format!("node-exporter/{file}.prom"));
                promtool(&text);
                assert!(!parse(&text).is_empty(), "{file}");
            }
        }
    }
}

#[test]
fn gauges_of_what_cannot_be_asked_are_taken_away() {
    let home = Home::new(&["MODTOOLS_DB=mysql://u@127.0.0.1:1/x", "ACCESS_PASSWORD=x"]);
    for file in ["modtools.prom", "modtools-database.prom", "of_another.prom"] {
        fs::write(home.path().join(file), "old 1\n").unwrap();
    }
    let run = home.script("gauges.sh", &[home.path().to_str().unwrap()]).run();
    let said = run.says(1, &["gauges: mod-report --from -1h --format prom: "]);
    assert!(!said.stderr.contains("mod-store"), "{}", said.stderr);
    assert!(!home.there("modtools.prom") && home.text("of_another.prom") == "old 1\n");
    let up = (("modtools_database_up".to_owned(), std::collections::BTreeMap::new()), 0.0);
    assert!(parse(&home.text("modtools-database.prom")).into_iter().any(|series| series == up));
    assert!(!home.there("modtools-scanner.prom"), "nothing supervises here");
    home.script("gauges.sh", &["--help"]).run().says(2, &["gauges.sh [DIR]"]);
    assert_eq!(home.script("gauges.sh", &["nowhere"]).run().code, Some(1));
}

/// Ends the scanner, whatever the test came to.
struct Scanner(PathBuf);

impl Drop for Scanner {
    fn drop(&mut self) {
        let stop = Command::new(built("mod-watch")).args(["stop", "-q", "--dir"]).arg(&self.0).output();
        assert!(stop.is_ok() || std::thread::panicking());
    }
}

#[test]
fn what_is_installed_is_whole_and_goes_away_again() {
    let dir = TempDir::new().unwrap();
    let make = |target: &str| {
        let tools = built("mod-parse");
        let run = Command::new("make")
            .args(["--silent", target, "PREFIX=/usr"])
            .arg(format!("DESTDIR={}", dir.path().display()))
            .arg(format!("BUILT={}", tools.parent().unwrap().display()))
            .current_dir(in_package(""))
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    };
    make("install");
    for entry in fs::read_dir(in_package("src/bin")).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        for file in [
            format!("bin/{name}"),
            format!("share/man/man1/{name}.1"),
            format!("share/bash-completion/completions/{name}"),
            format!("share/fish/vendor_completions.d/{name}.fish"),
            format!("share/zsh/site-functions/_{name}"),
        ] {
            assert!(dir.path().join("usr").join(&file).is_file(), "{file}");
        }
        let version = Command::new(dir.path().join("usr/bin").join(&name)).arg("--version").output().unwrap();
        assert!(String::from_utf8_lossy(&version.stdout).starts_with(&name));
    }
    for file in ["share/man/man5/modtools.5", "lib/modtools/maintenance.sh", "share/doc/modtools/README.md"] {
        assert!(dir.path().join("usr").join(file).is_file(), "{file}");
    }
    make("uninstall");
    let left = Command::new("find").arg(dir.path()).args(["-type", "f"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&left.stdout), "");
}
