//! The commands of the documentation, run as they stand, in a house where they would be run: a fleet, its database, a
//! mail server. What needs another machine is in a list, with the test that holds it.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use chrono::{Days, Local};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    mailbox::{Mailbox, python_with},
    mariadb::{MariaDb, variable},
    support::{built, in_package, records, tool},
    support_sim::{Fleet, PASSWORD, USER},
};

/// Pages whose commands run here.
const PAGES: [&str; 12] = [
    "README.md",
    "docs/automation.md",
    "docs/database.md",
    "docs/devices.md",
    "docs/mail.md",
    "docs/monitoring.md",
    "docs/numbers.md",
    "docs/page.md",
    "docs/recipes.md",
    "docs/report.md",
    "docs/snmp.md",
    "docs/troubleshooting.md",
];

/// Commands that need what is not here, and who holds them.
const ELSEWHERE: [(&str, &str); 3] = [
    ("--deploy", "deploy.rs, against a real sshd"),
    ("--via \"$1\"", "snmp_truth.rs, as the function that it is in"),
    ("mod-watch start", "watch.rs"),
];

/// What else stands indented: its page, words of the line, and the file that reads it there and runs it, or why none does.
const HELD: [(&str, &str, &str); 48] = [
    ("README.md", "make demo", "tests/it/docs_run.rs"),
    ("README.md", "make test", "it runs this"),
    ("README.md", "sudo make install", "the same line is in docs/install.md"),
    ("README.md", "export CCAP_USER", "the env file of these tests has both"),
    ("CONTRIBUTING.md", "make demo", "tests/it/docs_run.rs"),
    ("CONTRIBUTING.md", "make test", "it runs this"),
    ("CONTRIBUTING.md", "make check", "it runs this"),
    ("CONTRIBUTING.md", "make bench", "takes minutes, with release builds"),
    ("docs/automation.md", "examples/cron.d/modtools", "tests/guide.sh"),
    ("docs/automation.md", "INVENTORY_JQ=", "a setting; of the same form in docs/migrating.md"),
    ("docs/devices.md", "{\"cmts\":", "lines of an inventory"),
    ("docs/install.md", "sudo make install", "tests/guide.sh"),
    ("docs/install.md", "sudo make uninstall", "tests/guide.sh"),
    ("docs/install.md", "make deb", "make test-deb calls it, for the development build"),
    ("docs/install.md", "apt-get install", "packaging/deb-test.sh"),
    ("docs/install.md", "make dist", "make test-dist calls it, for the development build"),
    ("docs/install.md", "podman build", "packaging/container-test.sh"),
    ("docs/install.md", "podman run", "packaging/container-test.sh"),
    ("docs/migrating.md", "sudo ", "tests/guide.sh"),
    ("docs/migrating.md", "CCAP_USER=operator", "tests/guide.sh"),
    ("docs/migrating.md", "CCAP_KNOWN_HOSTS=", "tests/guide.sh"),
    ("docs/migrating.md", "cd /var/lib/modtools", "tests/guide.sh"),
    ("docs/migrating.md", "| {cmts:", "tests/guide.sh"),
    ("docs/migrating.md", "RENAME TABLE", "tests/guide.sh"),
    ("docs/migrating.md", "SELECT ", "tests/guide.sh"),
    ("docs/migrating.md", "INSERT INTO", "tests/guide.sh"),
    ("docs/migrating.md", "WHERE timestamp", "tests/guide.sh"),
    ("docs/monitoring.md", "events.sh", "tests/it/hooks.rs"),
    ("docs/performance.md", "make bench", "takes minutes to an hour, with release builds"),
    ("docs/performance.md", "cargo bench", "takes minutes, with a release build"),
    ("docs/recipes.md", "INVENTORY_JQ=", "a setting; of the same form in docs/migrating.md"),
    ("docs/report.md", "cmts,from,to", "a file"),
    ("docs/report.md", "CCAP001,2026", "a file"),
    ("docs/report.md", "2026-11-12 02:00 to", "an answer"),
    ("docs/report.md", "LOST%", "an answer"),
    ("docs/report.md", "before  ", "an answer"),
    ("docs/report.md", "after  ", "an answer"),
    ("docs/snmp.md", "def", "tests/it/snmp_docs.rs"),
    ("docs/snmp.md", "10.127", "tests/it/snmp_docs.rs"),
    ("docs/snmp.md", "snmpbulkwalk", "tests/it/snmp_docs.rs"),
    ("docs/windows.md", "rustup target add", "Makefile"),
    ("docs/windows.md", "cargo build", "Makefile"),
    ("docs/windows.md", "mod-report.exe", "packaging/windows-test.sh"),
    ("docs/windows.md", "wsl --install", "needs Windows"),
    ("docs/windows.md", "-u root -- sh -c", "packaging/deb-test.sh"),
    ("docs/windows.md", "wsl --terminate", "needs Windows"),
    ("docs/windows.md", "schtasks", "needs Windows; the files are held to their schema below"),
    ("docs/windows.md", "-- COMMAND", "packaging/deb-test.sh"),
];

/// Words of the documentation, and what stands for them here.
fn stand_ins(db: &MariaDb) -> Vec<(String, String)> {
    let day = |ago: u64| Local::now().date_naive().checked_sub_days(Days::new(ago)).unwrap();
    vec![
        ("mysql://access@db1,db2/access".into(), db.url()),
        ("mysql://access@db2,db1/access".into(), db.url()),
        ("mysql://access@db1/access".into(), db.url()),
        ("2026-11-23".into(), day(1).to_string()),
        ("2026-W47".into(), day(1).format("%G-W%V").to_string()),
        ("/var/lib/prometheus/".into(), String::new()),
        ("python3 ".into(), format!("{} ", python_with("jsonschema"))),
        ("--every 10m".into(), "--every 10m --tick 1s".into()),
        ("--profiles FILE".into(), "--profiles profiles.csv".into()),
        ("--cmts NAME".into(), "--cmts CCAP001".into()),
        (" NAME".into(), " -i inventory.ndjson CCAP001".into()),
    ]
}

/// How a command of ours begins.
const OURS: [&str; 4] = ["ccap-fetch ", "mod-", "diff <(", "duckdb "];

/// Whether a quotation is open at the end of a command.
fn is_quoted(command: &str) -> bool {
    command.matches('\'').count() % 2 == 1
}

/// The commands of a page, its indented lines that begin with a program of ours, as whole pipelines; and what else is
/// indented.
fn commands_and_others(text: &str) -> (Vec<String>, Vec<String>) {
    let mut commands: Vec<String> = Vec::new();
    let mut others: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let bare = line.trim();
        // A comment begins behind two blanks.
        let bare = bare.split_once("  #").map_or(bare, |(command, _)| command).trim();
        let bare = without_time(bare);
        let begins = OURS.iter().any(|first| bare.starts_with(first));
        if open {
            let last = commands.last_mut().expect("invariant: an open command is there");
            // Within quotes a line is what it is; else what follows `|` or a backslash goes on.
            *last = match is_quoted(last) {
                true => format!("{last}\n{}", line.get(4..).unwrap_or_default()),
                false => format!("{} {bare}", last.trim_end_matches('\\').trim_end()),
            };
        } else if line.starts_with("    ") && begins {
            commands.push(bare.to_owned());
        } else {
            if line.starts_with("    ") && !bare.is_empty() {
                others.push(bare.to_owned());
            }
            continue;
        }
        open = bare.ends_with(['|', '\\']) || commands.last().is_some_and(|command| is_quoted(command));
    }
    (commands, others)
}

/// The commands in the last column of a page's tables, of programs of ours.
fn advised(text: &str) -> Vec<String> {
    let last_cell =
        |row: &str| row.replace("\\|", "\0").trim_end_matches(" |").rsplit(" | ").next().map(str::to_owned);
    let cells = text.lines().filter(|line| line.starts_with("| ")).filter_map(last_cell);
    let code = cells.flat_map(|cell| {
        cell.split('`').skip(1).step_by(2).map(|code| code.replace('\0', "|")).collect::<Vec<_>>()
    });
    code.filter(|code| code.contains(' ') && OURS.iter().any(|first| code.starts_with(first))).collect()
}

/// The command of a line of a cron table, or the line.
fn without_time(line: &str) -> &str {
    let is_time = |field: &str| field.chars().all(|c| c.is_ascii_digit() || "*/,-".contains(c));
    let (time, command) = line.split_once("  ").unwrap_or_default();
    if time.split(' ').count() == 5 && time.split(' ').all(is_time) { command } else { line }
}

/// Why a command of DuckDB cannot be run here, if so: it is installed by pip or not at all, and fetches its extensions.
fn not_for_duckdb(command: &str, house: &House) -> Option<&'static str> {
    let runs = |command| house.run(command).0 == 0;
    if !command.starts_with("duckdb ") {
        None
    } else if !runs("duckdb --version") {
        Some("duckdb (PyPI: duckdb-cli) is not installed")
    } else if command.contains("INSTALL") && !runs("duckdb -c 'INSTALL sqlite; LOAD sqlite'") {
        Some("duckdb cannot fetch its extension for SQLite")
    } else {
        None
    }
}

/// A directory with everything that the pages speak of.
struct House {
    dir: TempDir,
    fleet: Fleet,
    mailbox: Mailbox,
    db: MariaDb,
}

impl House {
    fn new() -> House {
        let fleet = Fleet::start(&["--devices", "e6000=1,casa=1,cbr8=1", "--upstreams", "4"]);
        let house = House {
            dir: TempDir::new().unwrap(),
            fleet,
            mailbox: Mailbox::start(&json!({})),
            db: MariaDb::initialised(),
        };
        fs::copy(house.fleet.inventory(), house.path("inventory.ndjson")).unwrap();
        let devices = records(&fs::read_to_string(house.fleet.inventory()).unwrap());
        let field =
            |device: &serde_json::Value, name: &str| device[name].to_string().trim_matches('"').to_owned();
        let lines = devices
            .iter()
            .map(|device| ["cmts", "host", "port", "platform"].map(|name| field(device, name)).join(","));
        // The extensions that the user of this machine has fetched.
        if let Some(home) = std::env::var_os("HOME") {
            let _ = std::os::unix::fs::symlink(Path::new(&home).join(".duckdb"), house.path(".duckdb"));
        }
        house.write(
            "inventory.csv",
            &format!("cmts,host,port,platform\n{}\n", lines.collect::<Vec<_>>().join("\n")),
        );
        let netbox = devices.iter().map(|device| {
            json!({"name": device["cmts"], "primary_ip": {"address": format!("{}/32", field(device, "host"))}})
        });
        house.write("netbox.json", &json!({"count": 3, "results": netbox.collect::<Vec<_>>()}).to_string());
        house.write("expected.csv", "cmts,upstream,modulation\nCCAP*,*,QAM64\n");
        house.write("nodes.csv", "cmts,upstream,node,hub\nCCAP0*,*,HRN12,Hoorn\n");
        fs::create_dir(house.path("node-exporter")).unwrap();
        house.write("profiles.csv", "e6000,202,QAM64\n");
        house.write("works.csv", "cmts,from,to\nCCAP0*,2026-05-01 02:00,2026-05-01 04:00\n");
        fs::copy(in_package("tests/fixtures/cbr8/no_blocks.txt"), house.path("pasted.txt")).unwrap();
        let settings = [
            format!(
                "CCAP_USER={USER}\nCCAP_PASSWORD={PASSWORD}\nCCAP_KNOWN_HOSTS=known_hosts\nSNMP_COMMUNITY={PASSWORD}"
            ),
            format!(
                "MODTOOLS_DB=sqlite:modulation.db\nACCESS_PASSWORD={}",
                variable("MODTOOLS_TEST_MYSQL_PASSWORD")
            ),
            format!("SMTP_HOST=127.0.0.1\nSMTP_PORT={}\nFROM_EMAIL=noc@example.net\n", house.mailbox.port),
        ];
        house.write(".env", &settings.join("\n"));
        fs::set_permissions(house.path(".env"), fs::Permissions::from_mode(0o600)).unwrap();
        let past = tool("examples/ccap-sim").args([
            "--history",
            "3d",
            "--devices",
            "e6000=1,casa=1,cbr8=1",
            "--upstreams",
            "4",
        ]);
        house.write("past.ndjson", &past.run().clean(0).stdout);
        let code = house.run("mod-store --init < past.ndjson");
        assert!(matches!(code, (0 | 3, _)), "{code:?}");
        let fetched = house.run("ccap-fetch -i inventory.ndjson --host-keys accept-new > captures.ndjson");
        assert_eq!(fetched, (0, String::new()));
        house
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The exit code of a command, and what it said on stderr.
    fn run(&self, command: &str) -> (i32, String) {
        let run = self.output(command);
        (run.status.code().unwrap_or(-1), String::from_utf8_lossy(&run.stderr).into_owned())
    }

    /// What a command does here. One that runs until it is stopped is stopped after 10 s.
    fn output(&self, command: &str) -> Output {
        let command =
            if command.contains("--every") { format!("timeout 10 {command}") } else { command.to_owned() };
        let tools = built("mod-parse").parent().map(Path::to_owned).unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        Command::new("timeout")
            .args(["300", "bash", "-o", "pipefail", "-c", &command])
            .env_clear()
            .env("PATH", format!("{}:{path}", tools.display()))
            .env("HOME", self.dir.path())
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }
}

#[test]
fn every_command_of_the_pages_runs() {
    let house = House::new();
    let stand_ins = stand_ins(&house.db);
    let (mut wrong, mut ran) = (Vec::new(), 0);
    for page in PAGES {
        let text = fs::read_to_string(in_package(page)).unwrap();
        let advised = if page == "docs/troubleshooting.md" { advised(&text) } else { Vec::new() };
        for command in commands_and_others(&text).0.into_iter().chain(advised) {
            if ELSEWHERE.iter().any(|(word, _)| command.contains(word)) {
                continue;
            }
            if let Some(why) = not_for_duckdb(&command, &house) {
                eprintln!("SKIPPED: {page}: {command}: {why}");
                continue;
            }
            let here = stand_ins.iter().fold(command.clone(), |text, (word, here)| text.replace(word, here));
            let (code, stderr) = house.run(&here);
            ran += 1;
            // 3: a device of the past is silent, a day is missing. 1: diff found a difference. 124: stopped.
            let differs = here.starts_with("diff ") && code == 1 && stderr.is_empty();
            // Nothing is supervised here.
            let down = here == "mod-watch status" && code == 1;
            if !(matches!(code, 0 | 3 | 124) || differs || down) {
                wrong.push(format!("{page}: {command}\n  exit {code}: {stderr}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ran > 60, "only {ran} commands were found");
}

#[test]
fn what_does_not_run_here_says_who_runs_it() {
    let mut met = BTreeSet::new();
    let pages = fs::read_dir(in_package("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages = pages.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}"));
    for page in pages.chain(["README.md", "CONTRIBUTING.md"].map(str::to_owned)) {
        let (commands, others) = commands_and_others(&fs::read_to_string(in_package(&page)).unwrap());
        let run_here = PAGES.contains(&page.as_str());
        for line in others.iter().chain(commands.iter().filter(|_| !run_here)) {
            let held = HELD.iter().position(|(of, words, _)| *of == page && line.contains(words));
            met.insert(
                held.unwrap_or_else(|| panic!("{page}: no test runs this, and no reason is given: {line}")),
            );
        }
    }
    for (index, (page, words, by)) in HELD.iter().enumerate() {
        assert!(met.contains(&index), "{page} has no {words} any more");
        if *by == "Makefile"
            || by.starts_with("tests/") && *by != "tests/it/docs_run.rs"
            || by.starts_with("packaging/")
        {
            let script = fs::read_to_string(in_package(by)).unwrap();
            let name = page.trim_start_matches("docs/");
            assert!(script.contains(name) || script.contains(words), "{by} does not read {page}");
        }
    }
}

#[test]
fn the_demo_ends_with_a_page_and_the_commands_to_go_on_with() {
    let kept = ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "CARGO_TARGET_DIR"];
    let demo = Command::new("make")
        .args(["--silent", "demo"])
        .env_clear()
        .envs(kept.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .current_dir(in_package(""))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&demo.stdout);
    assert!(demo.status.success(), "{said}{}", String::from_utf8_lossy(&demo.stderr));
    let page = said.split("file://").nth(1).and_then(|rest| rest.split(['\u{1b}', '\n']).next());
    assert!(fs::read_to_string(page.unwrap()).unwrap().contains("<html"), "{said}");
    // What it advises to go on with, for a fleet that is there.
    let house = House::new();
    house.run("rm modulation.db");
    let advice: Vec<_> =
        said.lines().map(str::trim).filter(|line| OURS.iter().any(|first| line.starts_with(first))).collect();
    assert_eq!(advice.len(), 3, "{said}");
    let path = said.lines().map(str::trim).find(|line| line.starts_with("export PATH=")).unwrap();
    assert_eq!(
        house.run(&format!("PATH=/usr/bin:/bin; {path}; mod-parse --version >/dev/null")).0,
        0,
        "{path}"
    );
    for command in advice {
        let here = command.replace("devices.txt", "inventory.ndjson").replace("NAME", USER);
        assert_eq!(house.run(&here), (0, String::new()), "{command}");
    }
}

#[test]
fn the_doctor_shows_every_check_and_no_secret() {
    let house = House::new();
    let secret = "pa$s/w.*rd&\\1";
    house.write("secret", secret);
    fs::set_permissions(house.path("secret"), fs::Permissions::from_mode(0o600)).unwrap();
    let settings = fs::read_to_string(house.path(".env")).unwrap();
    house.write(
        ".env",
        &format!(
            "{settings}CCAP_ENABLE_PASSWORD_FILE=secret\nSNMP_COMMUNITY='{secret}'\nTO_EMAILS=a@example.net\n"
        ),
    );
    let run = house.output(&format!("{} .", in_package("examples/doctor.sh").display()));
    let page = String::from_utf8(run.stdout).unwrap();
    let titles: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let expected = "programs, host, settings, inventory, a device, database, retention, freshness, scanner, mail, result";
    assert_eq!(titles.join(", "), expected, "{page}");
    // Nothing supervises here, and the devices of the past are not read any more.
    assert_eq!(run.status.code(), Some(3), "{page}");
    assert!(page.contains("failed: scanner (1)"), "{page}");
    for check in ["inventory", "a device", "database", "retention", "mail"] {
        assert!(!page.contains(&format!("failed: {check} (")), "{check}: {page}");
    }
    assert!(page.contains("SNMP_COMMUNITY=[secret]"), "{page}");
    for secret in [secret, PASSWORD, &variable("MODTOOLS_TEST_MYSQL_PASSWORD")] {
        assert!(!page.contains(secret), "{page}");
    }
    assert_eq!(String::from_utf8_lossy(&run.stderr), "");
}

#[test]
fn every_page_is_in_the_index() {
    let index = fs::read_to_string(in_package("docs/README.md")).unwrap();
    let readme = fs::read_to_string(in_package("README.md")).unwrap();
    assert!(readme.lines().count() <= 150, "README has {} lines", readme.lines().count());
    for entry in fs::read_dir(in_package("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") && name != "README.md" {
            assert!(index.contains(&format!("({name})")), "{name} is not in docs/README.md");
            assert!(readme.contains(&format!("(docs/{name})")), "{name} is not in README.md");
        }
    }
}

#[test]
fn the_tasks_of_windows_are_as_its_scheduler_reads_them() {
    for task in fs::read_dir(in_package("examples/windows")).unwrap() {
        let task = task.unwrap().path();
        let check = Command::new("xmllint")
            .args(["--noout", "--schema"])
            .args([in_package("tests/fixtures/windows/task.xsd"), task.clone()])
            .output()
            .unwrap();
        assert!(check.status.success(), "{}: {}", task.display(), String::from_utf8_lossy(&check.stderr));
        // schtasks takes a file for what its declaration says; without an encoding it is plain text.
        assert!(fs::read_to_string(&task).unwrap().is_ascii());
    }
}
