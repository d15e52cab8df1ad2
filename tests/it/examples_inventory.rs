//! examples/inventory.sh: a list from an interface, taken only when it is whole.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::{Arc, Mutex},
    thread,
};

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Run, records, script};

/// base64 of `netops:secret`.
const LOGIN: &str = "authorization: basic bmv0b3bzonnly3jlda==";

/// An interface that wants a login, and what it answers.
struct Interface {
    dir: TempDir,
    url: String,
    body: Arc<Mutex<String>>,
}

impl Interface {
    fn new() -> Interface {
        let dir = TempDir::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/ccaps", listener.local_addr().unwrap());
        let body = Arc::new(Mutex::new(String::new()));
        let answer = Arc::clone(&body);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                let known = head.iter().any(|line| line.to_lowercase() == LOGIN);
                let status = if known { "200 OK" } else { "401 Unauthorized" };
                let body = if known { answer.lock().unwrap().clone() } else { String::new() };
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        let interface = Interface { dir, url, body };
        interface.login("secret");
        interface
    }

    fn login(&self, password: &str) {
        let netrc = self.dir.path().join(".netrc");
        fs::write(&netrc, format!("machine 127.0.0.1 login netops password {password}\n")).unwrap();
        fs::set_permissions(&netrc, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("inventory.ndjson")
    }

    fn names(&self) -> Vec<String> {
        let text = fs::read_to_string(self.file()).unwrap();
        records(&text).iter().map(|device| device["cmts"].as_str().unwrap().to_owned()).collect()
    }

    fn fetch(&self, flags: &[&str], answer: &str) -> Run {
        answer.clone_into(&mut self.body.lock().unwrap());
        let file = self.file();
        script("inventory.sh")
            .args(flags)
            .args([self.url.as_ref(), file.as_os_str()])
            .dir(self.dir.path())
            .run()
    }
}

fn devices(count: usize) -> serde_json::Value {
    (1..=count).map(|i| json!({"cmts": format!("CCAP{i:03}"), "host": format!("10.0.0.{i}")})).collect()
}

#[test]
fn a_list_becomes_an_inventory() {
    let interface = Interface::new();
    interface.fetch(&[], &devices(3).to_string()).clean(0);
    assert_eq!(interface.names(), ["CCAP001", "CCAP002", "CCAP003"]);
    // Of another shape, and grown.
    interface.fetch(&[], &json!({"count": 5, "results": devices(5)}).to_string()).clean(0);
    assert_eq!(interface.names().len(), 5);
    assert_eq!(fs::metadata(interface.file()).unwrap().permissions().mode() & 0o777, 0o644);
}

#[test]
fn what_is_broken_empty_or_much_smaller_leaves_the_old_one() {
    let interface = Interface::new();
    interface.fetch(&[], &devices(10).to_string()).clean(0);
    for (answer, says) in [
        ("[]", "the list is empty"),
        ("{\"results\": null}", "not fetched, or not as expected"),
        ("<html>maintenance</html>", "not fetched, or not as expected"),
        ("", "the list is empty"),
        (r#"[{"name": "CCAP001"}]"#, "the list is empty"),
        (&devices(7).to_string(), "only 7 devices after 10"),
    ] {
        interface.fetch(&[], answer).says(1, &[says]);
        assert_eq!(interface.names().len(), 10, "{answer}");
    }
    interface.login("wrong");
    interface.fetch(&[], &devices(10).to_string()).says(1, &["401", "the old inventory stays"]);
    interface.login("secret");
    interface.fetch(&[], &devices(8).to_string()).clean(0);
    interface.fetch(&["--force"], &devices(2).to_string()).clean(0);
    assert_eq!(interface.names(), ["CCAP001", "CCAP002"]);
    let files = fs::read_dir(interface.dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = files.filter(|name| name.to_string_lossy().starts_with(".inventory")).collect();
    assert!(left.is_empty(), "{left:?}");
}
