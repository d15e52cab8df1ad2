//! A real browser for tests: Debian's chromium, driven through chromedriver over WebDriver (W3C), which is
//! JSON over plain HTTP and needs no library.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::{self, until};

/// The key under which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One window of one browser with an empty profile; it ends with the test.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    dir: TempDir,
}

impl Browser {
    /// Starts a browser with a window of this size.
    pub fn new(width: u32, height: u32) -> Self {
        let dir = TempDir::new().unwrap();
        let mut driver = Command::new("chromedriver")
            .args(["--port=0"])
            .env("HOME", dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed; tests/setup.sh test does it");
        let port = port_of(&mut driver);
        let mut browser = Browser { driver, port, session: String::new(), dir };
        let profile = browser.dir.path().join("profile");
        let downloads = browser.downloads();
        std::fs::create_dir(&downloads).unwrap();
        let arguments = [
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--disable-quic".to_owned(),
            format!("--user-data-dir={}", profile.display()),
            format!("--window-size={width},{height}"),
        ];
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {
                "args": arguments,
                "prefs": {"download.default_directory": downloads},
            },
        }}});
        let made = browser.call("POST", "/session", &capabilities);
        browser.session = format!("/session/{}", made["sessionId"].as_str().unwrap());
        browser
    }

    /// Where its downloads go.
    pub fn downloads(&self) -> PathBuf {
        self.dir.path().join("downloads")
    }

    /// Opens an address, as from the address field.
    pub fn open(&self, url: &str) {
        self.command("/url", json!({"url": url}));
    }

    /// Runs a function body in the page, and gives what it returns.
    pub fn run(&self, script: &str) -> Value {
        self.command("/execute/sync", json!({"script": script, "args": []}))
    }

    /// The same for a text.
    pub fn text(&self, script: &str) -> String {
        let value = self.run(script);
        value.as_str().unwrap_or_else(|| panic!("{script}: {value}")).to_owned()
    }

    /// Waits until an expression is true in the page.
    #[track_caller]
    pub fn wait(&self, condition: &str) {
        let script = format!("return Boolean({condition})");
        until(condition, || self.run(&script) == true);
    }

    /// Types into the element with this selector.
    pub fn type_into(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.command(&format!("/element/{element}/value"), json!({"text": text}));
    }

    /// Presses keys where the focus is.
    pub fn press(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key.to_string()})))
            .collect();
        self.command("/actions", json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}));
    }

    /// Clicks on the element with this selector, as a mouse does: in sight, and where nothing covers it.
    pub fn click(&self, selector: &str) {
        let found = format!("document.querySelector({})", json!(selector));
        self.run(&format!("{found}?.scrollIntoView({{block: 'center', behavior: 'instant'}})"));
        let element = self.element(selector);
        self.command(&format!("/element/{element}/click"), json!({}));
    }

    /// Chooses an option of a `<select>` as a person does.
    pub fn choose(&self, selector: &str, value: &str) {
        self.click(&format!("{selector} option[value={}]", json!(value)));
    }

    fn element(&self, selector: &str) -> String {
        let found = self.command("/element", json!({"using": "css selector", "value": selector}));
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    /// A command of the DevTools protocol.
    pub fn devtools(&self, command: &str, params: Value) -> Value {
        self.command("/goog/cdp/execute", json!({"cmd": command, "params": params}))
    }

    /// Makes the window a screen of this width.
    pub fn screen(&self, width: u32, height: u32, mobile: bool) {
        let params = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile});
        self.devtools("Emulation.setDeviceMetricsOverride", params);
    }

    /// The page on paper.
    pub fn print(&self) -> Vec<u8> {
        let pdf = self.command("/print", json!({"orientation": "landscape"}));
        STANDARD.decode(pdf.as_str().unwrap()).unwrap()
    }

    /// What the browser has complained of since it was last asked: scripts that failed, what its policy refused.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.command("/se/log", json!({"type": "browser"}));
        let entries = log.as_array().unwrap().iter();
        entries.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    #[track_caller]
    fn command(&self, path: &str, body: Value) -> Value {
        self.call("POST", &format!("{}{path}", self.session), &body)
    }

    #[track_caller]
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.exchange(method, path, &body.to_string()).expect("chromedriver answers");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        let value = answer["value"].clone();
        assert!(value["error"].is_null(), "{method} {path} {body}: {}: {}", value["error"], value["message"]);
        value
    }

    fn exchange(&self, method: &str, path: &str, body: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(support::DEADLINE))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.port,
            body.len()
        )?;
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().expect("a number");
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let _ = self.exchange("DELETE", &self.session, "");
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The port that the driver chose, as it says.
fn port_of(driver: &mut Child) -> u16 {
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let line = lines.find_map(|line| line.ok().filter(|line| line.contains("successfully on port"))).unwrap();
    // Whatever it says later must not block it.
    std::thread::spawn(move || lines.for_each(drop));
    line.trim_end_matches('.').rsplit(' ').next().unwrap().parse().unwrap()
}

/// The only file of a directory, once it is there whole.
pub fn only_file(directory: &Path) -> PathBuf {
    let files = || -> Vec<PathBuf> {
        let entries = std::fs::read_dir(directory).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let is_whole = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        !name.ends_with(".crdownload") && !name.starts_with('.')
    };
    until("a download", || matches!(files().as_slice(), [file] if is_whole(file)));
    files().remove(0)
}
