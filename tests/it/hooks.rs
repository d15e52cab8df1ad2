//! Events in the monitoring that is there: examples/events.sh and each of examples/hooks against a real receiver, and
//! what Grafana and the recipes ask for.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, UdpSocket},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, SystemTime},
};

use modtools::record::Timestamp;
use mysql::prelude::Queryable as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    mailbox::Mailbox,
    mariadb::MariaDb,
    report::at,
    report_events::{BURST, end, fleet, fleet_since},
    report_monitoring::parse,
    support::{in_package, script, tool, until},
};

/// A web server that keeps what is posted to it, by its path; a path with `fail` in it is refused.
struct Web {
    port: u16,
    posted: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Web {
    fn start() -> Web {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let posted = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&posted);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
                let mut length = 0;
                loop {
                    line.clear();
                    stream.read_line(&mut line).unwrap();
                    let header = line.trim().to_ascii_lowercase();
                    if let Some(value) = header.strip_prefix("content-length: ") {
                        length = value.parse().unwrap();
                    }
                    if header.is_empty() {
                        break;
                    }
                }
                let mut body = vec![0; length];
                stream.read_exact(&mut body).unwrap();
                let is_refused = path.contains("fail");
                if !is_refused {
                    kept.lock().unwrap().push((path, serde_json::from_slice(&body).unwrap()));
                }
                let status = if is_refused { "500 No" } else { "200 OK" };
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                let _ = stream.get_mut().write_all(answer.as_bytes());
            }
        });
        Web { port, posted }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn of(&self, path: &str) -> Vec<Value> {
        let posted = self.posted.lock().unwrap();
        posted.iter().filter(|(to, _)| to == path).map(|(_, body)| body.clone()).collect()
    }
}

/// snmptrapd, which ends with this value.
struct Traps(Child);

impl Drop for Traps {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Traps {
    fn start(dir: &Path, port: u16) -> Option<Traps> {
        fs::write(dir.join("trapd.conf"), "authCommunity log s3cret\n").unwrap();
        let log = dir.join("trap.log");
        let program =
            ["/usr/sbin/snmptrapd", "/usr/bin/snmptrapd"].into_iter().find(|path| Path::new(path).exists());
        let Some(program) = program else {
            eprintln!("SKIPPED: snmptrapd (Debian: snmptrapd) is not installed");
            return None;
        };
        let child = Command::new(program)
            .args(["-f", "-m", "", "-Lf"])
            .arg(&log)
            .args(["-On", "-C", "-c"])
            .arg(dir.join("trapd.conf"))
            .arg(format!("udp:127.0.0.1:{port}"))
            .env("SNMP_PERSISTENT_DIR", dir)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        until("snmptrapd", || fs::read_to_string(&log).unwrap_or_default().contains("NET-SNMP version"));
        Some(Traps(child))
    }
}

#[test]
fn a_burst_is_told_once_by_each_hook_when_it_opens_grows_and_closes() {
    let home = TempDir::new().unwrap();
    let dir = home.path();
    let (web, mail) = (Web::start(), Mailbox::start(&json!({})));
    let syslog = UdpSocket::bind("127.0.0.1:0").unwrap();
    syslog.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let syslog_port = syslog.local_addr().unwrap().port();
    let trap_port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let traps = Traps::start(dir, trap_port);
    fs::write(dir.join("url"), web.url("/chat/s3cret")).unwrap();
    fs::write(dir.join("community"), "s3cret").unwrap();
    // The burst is on one node; another one stays as it is.
    let nodes = "cmts,upstream,node\nCCAP001,1/*,N12\nCCAP001,2/*,N12\nCCAP001,3/*,N13\n";
    fs::write(dir.join("nodes.csv"), nodes).unwrap();
    let mut hooks = vec![
        format!("hooks/syslog.sh --server 127.0.0.1 --udp --port {syslog_port}"),
        "hooks/webhook.sh slack".to_owned(),
        "hooks/webhook.sh teams".to_owned(),
        format!("hooks/alertmanager.sh {}", web.url("")),
        "hooks/ticket.sh tickets@example.net".to_owned(),
    ];
    if traps.is_some() {
        hooks.push(format!("hooks/snmptrap.sh 127.0.0.1:{trap_port}"));
    }
    let run = || {
        script("events.sh")
            .args(&hooks)
            .env("MODTOOLS_HOME", dir)
            .env("MODTOOLS_DB", "sqlite:m.db")
            .env("MODTOOLS_EXPECTED", "QAM64")
            .env("MODTOOLS_NODES", dir.join("nodes.csv"))
            .env("WEBHOOK_URL_FILE", dir.join("url"))
            .env("SNMP_COMMUNITY_FILE", dir.join("community"))
            .env("SMTP_HOST", "127.0.0.1")
            .env("SMTP_PORT", mail.port.to_string())
            .env("FROM_EMAIL", "modtools@example.net")
            .dir(dir)
            .run()
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let begin = Timestamp(i64::try_from(now).unwrap() - 14 * 600);
    for scans in [0..6, 6..8, 8..14] {
        let lines = fleet_since(begin, &BURST, scans) + &end();
        tool("mod-store").args(["--init", "--db", "sqlite:m.db"]).dir(dir).stdin(lines).run().clean(0);
        run().clean(0);
        // Nothing is new.
        run().clean(0);
    }
    let words = ["opened", "grew", "closed"];
    let mut lines = Vec::new();
    let mut buffer = [0; 2048];
    while let Some(length) = (lines.len() < 3).then(|| syslog.recv(&mut buffer).unwrap()) {
        lines.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
    }
    syslog.set_nonblocking(true).unwrap();
    assert!(syslog.recv(&mut buffer).is_err(), "three lines and no more");
    assert!(lines.iter().zip(words).all(|(line, word)| line.contains(&format!("{word} "))), "{lines:?}");
    let chat = web.of("/chat/s3cret");
    let texts: Vec<_> = chat.iter().filter_map(|body| body["text"].as_str()).collect();
    assert_eq!((texts.len(), chat.len()), (3, 6), "{chat:?}");
    assert!(
        texts[0].starts_with("OPENED: 6 upstreams of N12 on CCAP001 fell from QAM64 to QAM16"),
        "{texts:?}"
    );
    assert!(texts[2].starts_with("CLOSED: 12 upstreams of N12 on CCAP001: over"), "{texts:?}");
    assert!(chat.iter().any(|body| body["attachments"][0]["content"]["body"][0]["text"] == texts[1]));
    let alerts = web.of("/api/v2/alerts");
    assert_eq!(alerts.len(), 3);
    assert!(alerts.iter().all(|alert| alert[0]["labels"] == alerts[0][0]["labels"]), "one alert: {alerts:?}");
    assert!(alerts[0][0]["endsAt"].as_str() > alerts[2][0]["endsAt"].as_str(), "the last one ends it");
    let subjects: Vec<_> = mail.mails().iter().map(|mail| mail.headers["subject"].clone()).collect();
    assert_eq!(subjects.len(), 3);
    for word in words {
        assert!(
            subjects.iter().any(|subject| subject.starts_with(&format!("Modulation event {word}"))),
            "{subjects:?}"
        );
    }
    if traps.is_some() {
        let log = fs::read_to_string(dir.join("trap.log")).unwrap();
        for word in words {
            assert_eq!(log.matches(&format!("STRING: \"{word}\"")).count(), 1, "{log}");
        }
    }
}

#[test]
fn what_a_hook_could_not_pass_on_is_tried_again() {
    let home = TempDir::new().unwrap();
    let dir = home.path();
    let web = Web::start();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let begin = Timestamp(i64::try_from(now).unwrap() - 6 * 600);
    let lines = fleet_since(begin, &BURST, 0..6) + &end();
    tool("mod-store").args(["--init", "--db", "sqlite:m.db"]).dir(dir).stdin(lines).run().clean(0);
    let run = |path: &str| {
        script("events.sh")
            .args(["hooks/webhook.sh mattermost"])
            .env("MODTOOLS_HOME", dir)
            .env("MODTOOLS_DB", "sqlite:m.db")
            .env("MODTOOLS_EXPECTED", "QAM64")
            .env("WEBHOOK_URL", web.url(path))
            .dir(dir)
            .run()
    };
    run("/fail").says(1, &["500", "hooks/webhook.sh mattermost: it failed; tried again in the next run"]);
    run("/fail").says(1, &["tried again"]);
    assert_eq!(web.of("/chat").len(), 0);
    run("/chat").clean(0);
    run("/chat").clean(0);
    assert_eq!(web.of("/chat").len(), 1);
    script("events.sh").run().says(2, &["events.sh HOOK..."]);
    script("hooks/webhook.sh").args(["irc"]).run().says(2, &["expected one of slack, mattermost, teams"]);
}

/// The queries of a dashboard, by a field of its targets.
fn queries(file: &str, field: &str) -> Vec<String> {
    let text = fs::read_to_string(in_package("examples/grafana").join(file)).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    targets.map(|target| target[field].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_dashboards_ask_for_what_there_is() {
    let input = fleet(&BURST, 0..6);
    let now = "2025-05-02T07:00:00Z".parse().unwrap();
    let args = ["--input", "-", "--from", "2025-05-02T06:00:00Z", "--format", "prom", "--top", "5"];
    let series = parse(&at(now, None, &args, input.as_bytes()).1);
    let names: BTreeSet<_> = series.keys().map(|(name, _)| name.as_str()).collect();
    let asked = queries("prometheus.json", "expr");
    assert!(asked.len() > 5);
    for query in asked {
        let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let metrics: Vec<_> = words.filter(|word| word.starts_with("modtools_")).collect();
        assert!(!metrics.is_empty() && metrics.iter().all(|metric| names.contains(metric)), "{query}");
    }
    let mut db = MariaDb::new();
    let past =
        tool("examples/ccap-sim").args(["--history", "1d", "--upstreams", "8", "--devices", "e6000=2"]);
    let past = past.run().clean(0).stdout;
    let stored = db.store(&["--init"], past);
    assert!(matches!(stored.code, Some(0 | 3)), "{stored:?}");
    for query in queries("mysql.json", "rawSql") {
        // What Grafana makes of its macros.
        let mut sql = query.clone();
        for column in ["timestamp", "ts", "s.timestamp"] {
            sql = sql
                .replace(&format!("$__timeFilter({column})"), &format!("{column} > '2000-01-01'"))
                .replace(
                    &format!("$__timeGroupAlias({column}, '10m')"),
                    &format!("UNIX_TIMESTAMP({column}) DIV 600 * 600 AS \"time\""),
                );
        }
        assert!(!sql.contains("$__"), "{sql}");
        let rows: Vec<mysql::Row> = db.connection.query(&sql).unwrap_or_else(|e| panic!("{e}: {sql}"));
        assert!(!rows.is_empty(), "{sql}");
    }
}

#[test]
fn the_recipe_for_line_protocol_escapes_names() {
    let recipes = fs::read_to_string(in_package("docs/recipes.md")).unwrap();
    let (_, filter) = recipes.split_once("--format samples | jq -r '").unwrap();
    let (filter, _) = filter.split_once('\'').unwrap();
    let sample = json!({"type": "sample", "ts": "2025-05-02T06:00:00Z", "cmts": "A B,c=d", "upstream": "1/1", "modulation": "QAM64"});
    let mut jq =
        Command::new("jq").args(["-r", filter]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    jq.stdin.take().unwrap().write_all(sample.to_string().as_bytes()).unwrap();
    let printed = jq.wait_with_output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&printed.stdout),
        "modulation,cmts=A\\ B\\,c\\=d,upstream=1/1 value=\"QAM64\" 1746165600000000000\n"
    );
}
