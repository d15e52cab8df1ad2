//! `mod-report --deploy` against a real sshd: what arrives, what stays, and a page that is whole at any moment.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use tempfile::TempDir;

use crate::{
    sshd::{Login, Sshd, keygen, me},
    support::{Run, in_package, tool},
};

const DAY: [&str; 4] = ["--date", "2025-05-01", "--tz", "Europe/Amsterdam"];

/// A web server and somebody who deploys to it.
struct Place {
    sshd: Sshd,
    dir: TempDir,
    root: PathBuf,
}

impl Place {
    fn new(login: Login<'_>, root: &str) -> Self {
        let sshd = Sshd::with(login, "Subsystem sftp internal-sftp");
        sshd.known_hosts();
        let dir = TempDir::new().expect("a temporary directory");
        let root = dir.path().join(root);
        fs::create_dir(&root).expect("made");
        Place { sshd, dir, root }
    }

    fn ordinary() -> Self {
        Self::new(Login::Free, "www")
    }

    fn target(&self) -> String {
        format!("{}@127.0.0.1:{}", me(), self.root.display())
    }

    /// The keys and the port, for a run of one's own.
    fn access(&self, port: u16) -> Vec<String> {
        let text = |path: PathBuf| path.display().to_string();
        let known_hosts = text(self.sshd.dir().join("known_hosts"));
        let port = port.to_string();
        let access =
            ["--deploy-port", &port, "--identity", &text(self.sshd.key()), "--known-hosts", &known_hosts];
        access.map(str::to_owned).to_vec()
    }

    fn deploy(&self, args: &[&str]) -> Run {
        self.deploy_through(self.sshd.port, args)
    }

    fn deploy_through(&self, port: u16, args: &[&str]) -> Run {
        report(self.dir.path(), &[args, &["--deploy", &self.target()]].concat(), &self.access(port))
    }

    /// Everything on the server, by path; links as `-> TARGET`.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        walk(&self.root, "", &mut files);
        files
    }

    /// The server's key is known on one more port.
    fn know(&self, port: u16) {
        let path = self.sshd.dir().join("known_hosts");
        let known = fs::read_to_string(&path).expect("readable");
        let key = known.lines().next().and_then(|line| line.split_once(' ')).expect("a key").1;
        fs::write(&path, format!("{known}\n[127.0.0.1]:{port} {key}\n")).expect("written");
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, text).expect("written");
    }
}

fn report(dir: &Path, args: &[&str], more: &[String]) -> Run {
    let input = in_package("tests/fixtures/report/scans.ndjson");
    tool("mod-report").arg("--input", input).args(DAY).args(args).args(more).dir(dir).run()
}

fn walk(root: &Path, within: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(root.join(within)).expect("readable") {
        let entry = entry.expect("readable");
        let name = entry.file_name().into_string().expect("utf-8");
        let path = if within.is_empty() { name } else { format!("{within}/{name}") };
        let kind = entry.file_type().expect("a type");
        if kind.is_dir() {
            walk(root, &path, files);
        } else if kind.is_symlink() {
            let to = fs::read_link(entry.path()).expect("a link");
            files.insert(path, format!("-> {}", to.display()).into_bytes());
        } else {
            files.insert(path, fs::read(entry.path()).expect("readable"));
        }
    }
}

/// How a connection ends early.
#[derive(Clone, Copy)]
enum End {
    Cut,
    /// Nothing passes any more, and nobody is told.
    Silence,
}

/// Passes `bytes` on to a port, and then no more.
fn ending(to: u16, bytes: usize, end: End) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        let (client, _) = listener.accept().expect("a client");
        let server = TcpStream::connect(("127.0.0.1", to)).expect("a server");
        let (client, server) = (Arc::new(client), Arc::new(server));
        let back = (Arc::clone(&server), Arc::clone(&client));
        let answers = thread::spawn(move || std::io::copy(&mut &*back.0, &mut &*back.1));
        let mut chunk = [0; 4096];
        let mut left = bytes;
        while left > 0 {
            let length = left.min(chunk.len());
            match (&*client).read(&mut chunk[..length]) {
                Ok(length @ 1..) if (&*server).write_all(&chunk[..length]).is_ok() => left -= length,
                _ => break,
            }
        }
        if matches!(end, End::Silence) {
            // What still comes goes nowhere, until the client has had enough.
            let _ = std::io::copy(&mut &*client, &mut std::io::sink());
        }
        for stream in [&client, &server] {
            // The other side may have ended it already.
            let _ = stream.shutdown(Shutdown::Both);
        }
        let _ = answers.join();
    });
    port
}

#[test]
fn the_page_arrives_whole_and_later_only_what_changed() {
    let place = Place::ordinary();
    place.put("notes.txt", "mine");
    place.deploy(&["--web", "page"]).clean(0);
    let (mut here, there) = (BTreeMap::new(), place.files());
    walk(&place.dir.path().join("page"), "", &mut here);
    assert!(here.contains_key("data/2025-05-01.json.gz") && here.contains_key("index.html"));
    here.insert("notes.txt".into(), b"mine".to_vec());
    assert_eq!(there.keys().collect::<Vec<_>>(), here.keys().collect::<Vec<_>>());
    assert!(there == here, "the same contents");
    assert_eq!(there["data/latest.json"], b"-> 2025-05-01.json");

    // What was written long ago and is there already stays as it is.
    let old = place.dir.path().join("page/app.js");
    let before = std::time::SystemTime::now() - std::time::Duration::from_secs(90_000);
    fs::File::options().write(true).open(&old).and_then(|f| f.set_modified(before)).expect("a time");
    let news = |run: Run| {
        let said = run.says(0, &["deployed"]).stderr;
        let line = said.lines().find(|line| line.contains("deployed")).expect("a line").to_owned();
        line.split("deployed, ").nth(1).expect("a count").to_owned()
    };
    assert_eq!(news(place.deploy(&["--web", "page", "-v"])), "6 of 8 files were new");
    assert_eq!(news(place.deploy(&["--web", "page", "-v"])), "5 of 8 files were new");
}

#[test]
fn the_seed_layout_goes_along_and_old_files_of_ours_go() {
    let place = Place::new(Login::Free, "it's \"a\" $HOME; `dir` é");
    let seed = |date: &str| format!("{{\n  \"generated_at\": \"x\",\n  \"report_date\": \"{date}\",\n");
    place.put("modulation_report_2025-01-01_web.json", &seed("2025-01-01"));
    place.put("modulation_report_2025-01-01.json", &seed("2025-01-01"));
    place.put("modulation_report_2025-01-02_web.json", "somebody else's");
    place.put("modulation_report_2025-01-03_web.json", &seed("2025-01-04"));
    place.put("modulation_report_2025-01-01.csv", "CMTS;upstream\n");
    place.put("modulation_report_latest_web.json", "a copy, as the old system made it");
    place.put("data/2025-01-01.json", "{\"v\":1,\"kind\":\"modtools-day\",…");
    place.put("data/2025-01-02.json", "{}");
    place.put(".modtools-1700000000-0123abcd-7", "left over");
    place.deploy(&["--web", "page", "--layout", "seed", "--keep-files", "1", "-o", "seed.csv"]).clean(0);
    let there = place.files();
    let names: Vec<_> =
        there.keys().filter(|name| !name.contains("2025-05-01")).map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "app.js",
            "data/2025-01-02.json",
            "data/index.json",
            "data/latest.json",
            "data/latest.json.gz",
            "index.html",
            "modulation_report_2025-01-01.csv",
            "modulation_report_2025-01-02_web.json",
            "modulation_report_2025-01-03_web.json",
            "modulation_report_latest_web.json",
            "style.css",
        ]
    );
    let name = "modulation_report_2025-05-01_web.json";
    assert_eq!(there["modulation_report_latest_web.json"], format!("-> {name}").into_bytes());
    let json: serde_json::Value = serde_json::from_slice(&there[name]).expect("json");
    assert_eq!(json["report_date"], "2025-05-01");
    assert_eq!(there["modulation_report_2025-05-01.json"], there[name]);
    // Everybody may read it, a web server too.
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(place.root.join(name)).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
}

#[test]
fn a_connection_that_is_cut_leaves_the_old_page() {
    let place = Place::ordinary();
    place.deploy(&["--web", "page"]).clean(0);
    place.put("index.html", "the old page");
    place.put("data/2025-05-01.json", "old data");
    let old = place.files();
    let size: usize = old.values().map(Vec::len).sum();
    assert!(size > 20_000, "{size}");
    let mut in_the_middle = 0;
    for (bytes, end) in [
        (500, End::Cut),
        (4000, End::Cut),
        (8000, End::Cut),
        (16_000, End::Cut),
        (20_000, End::Cut),
        (16_000, End::Silence),
    ] {
        let port = ending(place.sshd.port, bytes, end);
        place.know(port);
        let run = place.deploy_through(port, &["--web", "page", "--deploy-timeout", "4s"]);
        let run = run.says(3, &["mod-report: 127.0.0.1:", "www: ", "still there"]);
        if matches!(end, End::Silence) {
            assert!(run.stderr.contains("(--deploy-timeout)"), "{}", run.stderr);
        }
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
        assert_eq!(run.records()[0]["type"], "report");
        let mut now = place.files();
        now.retain(|name, _| !name.contains(".modtools-"));
        in_the_middle += usize::from(now.len() < place.files().len());
        assert!(now == old, "cut after {bytes} bytes");
    }
    assert!(in_the_middle >= 3, "{in_the_middle} of them were in the middle of the uploads");
    place.deploy(&["--web", "page"]).clean(0);
    assert_ne!(place.files()["index.html"], b"the old page");
}

#[test]
fn a_host_key_that_is_not_the_known_one_gets_nothing() {
    let place = Place::ordinary();
    let known_hosts = place.sshd.dir().join("known_hosts");
    fs::write(&known_hosts, "").expect("written");
    place.deploy(&["--web", "page"]).says(3, &["host_key_unknown", "accept-new"]);
    let other = place.sshd.dir().join("other");
    keygen(&other);
    let key = fs::read_to_string(other.with_extension("pub")).expect("a key");
    fs::write(&known_hosts, format!("[127.0.0.1]:{} {key}", place.sshd.port)).expect("written");
    for policy in ["strict", "accept-new"] {
        place.deploy(&["--web", "page", "--host-keys", policy]).says(3, &["host_key_changed", "line 1"]);
    }
    assert!(place.files().is_empty());
    fs::write(&known_hosts, "").expect("written");
    place.deploy(&["--web", "page", "--host-keys", "accept-new"]).clean(0);
    assert!(place.files().contains_key("index.html"));
}

#[test]
fn an_owner_that_does_not_exist_changes_nothing() {
    let place = Place::ordinary();
    let run = place.deploy(&["--web", "page", "--deploy-owner", "no-such-user-here"]);
    run.says(3, &["command_failed", "exit status 1", "no-such-user-here", "what was there is still there"]);
    assert!(place.files().is_empty(), "{:?}", place.files().keys());
}

#[test]
fn a_directory_that_is_missing_is_made_and_one_that_is_a_file_is_told() {
    let place = Place::ordinary();
    fs::remove_dir(&place.root).expect("removed");
    place.deploy(&["--web", "page", "--deploy-owner", &me()]).clean(0);
    assert!(place.files().contains_key("data/latest.json"));
    fs::remove_dir_all(&place.root).expect("removed");
    fs::write(&place.root, "a file").expect("written");
    place.deploy(&["--web", "page"]).says(3, &["command_failed", "www is not a directory"]);
    fs::remove_file(&place.root).expect("removed");
    fs::remove_dir_all(place.dir.path().join("page")).expect("removed");
}

#[test]
fn the_settings_name_the_server_and_may_forbid_it() {
    let place = Place::ordinary();
    let input = in_package("tests/fixtures/report/scans.ndjson");
    let run = |path: Option<&Path>, enabled: &str| {
        let report =
            tool("mod-report").arg("--input", &input).args(DAY).args(["--web", "page", "--deploy", "-v"]);
        let report = report.args(place.access(place.sshd.port)).dir(place.dir.path());
        let report = report.env("WEB_SERVER", format!("{}@127.0.0.1", me()));
        let report = report.env("ENABLE_WEB_DEPLOYMENT", enabled);
        match path {
            Some(path) => report.env("WEB_PATH", path).run(),
            None => report.run(),
        }
    };
    run(None, "true").says(2, &["WEB_PATH", "--deploy USER@HOST:DIR"]);
    run(None, "false").says(0, &["ENABLE_WEB_DEPLOYMENT", "nothing is deployed"]);
    assert!(place.files().is_empty());
    run(Some(&place.root), "true").says(0, &["deployed"]);
    assert!(place.files().contains_key("index.html"));
}

#[test]
fn a_deployment_that_makes_no_sense_is_told_before_anything_is_read() {
    for (args, words) in [
        (&["--deploy", "web1:/srv"][..], &["--deploy", "--web DIR", "--layout seed"][..]),
        (&["--deploy", "web1", "--web", "page"], &["--deploy", "no directory"]),
        (&["--deploy", "web1:/", "--web", "page"], &["--deploy", "root"]),
        (&["--deploy", "web1:/srv", "--layout", "seed", "--cmts", "A*"], &["--deploy", "leave out --cmts"]),
        (&["--deploy", "web1:/srv", "--web", "page", "--identity", "none"], &["none"]),
        (
            &["--deploy", "web1:/srv", "--web", "page", "--deploy-owner", "a:b:c"],
            &["--deploy-owner", "www-data"],
        ),
        (&["--deploy-sudo", "--web", "page"], &["--deploy"]),
    ] {
        let run = tool("mod-report").args(DAY).args(["--input", "missing.ndjson"]).args(args).run();
        let run = run.says(2, words);
        assert!(!run.stderr.contains("missing.ndjson"), "{}", run.stderr);
    }
}

/// A run that is killed leaves the file that it was writing.
#[test]
fn what_a_killed_run_left_is_removed_here_and_there() {
    let place = Place::ordinary();
    let page = place.dir.path().join("page");
    fs::create_dir_all(page.join("data")).expect("made");
    fs::create_dir(place.root.join("data")).expect("made");
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 86_400);
    for (name, is_old) in
        [(".tmpAb3dE9", true), ("data/.tmpZZZZZZ", true), (".tmpAb3dE8", false), (".tmp-notes", true)]
    {
        for root in [&page, &place.root] {
            let file = fs::File::create(root.join(name)).expect("made");
            if is_old {
                file.set_modified(long_ago).expect("a time");
            }
        }
    }
    place.deploy(&["--web", "page"]).clean(0);
    for root in [&page, &place.root] {
        let there = |name: &str| root.join(name).exists();
        assert!(!there(".tmpAb3dE9") && !there("data/.tmpZZZZZZ"), "{}", root.display());
        assert!(there(".tmpAb3dE8") && there(".tmp-notes"), "{}", root.display());
    }
}

#[test]
fn files_that_were_saved_go_when_they_are_old() {
    let dir = TempDir::new().expect("a temporary directory");
    let put = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("written");
    fs::create_dir(dir.path().join("reports")).expect("made");
    put("reports/modulation_report_2024-01-01.csv", "CMTS;upstream;hops;%QAM64;%QAM16;%QPSK;Metingen\n");
    put(
        "reports/modulation_report_2024-01-01_web.json",
        "{\"generated_at\":\"\",\"report_date\":\"2024-01-01\"",
    );
    put("reports/modulation_report_2024-01-02.csv", "a,b\n");
    put("reports/notes.csv", "CMTS;upstream;hops;%QAM64;%QAM16;%QPSK;Metingen\n");
    report(dir.path(), &["--save"], &[]).clean(0);
    let mut left: Vec<_> = fs::read_dir(dir.path().join("reports"))
        .expect("readable")
        .map(|entry| entry.expect("readable").file_name().into_string().expect("utf-8"))
        .collect();
    left.sort();
    assert_eq!(
        left,
        [
            "modulation_report_2024-01-02.csv",
            "modulation_report_2025-05-01.csv",
            "modulation_report_2025-05-01_web.json",
            "notes.csv",
        ]
    );
}
