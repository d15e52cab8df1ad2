//! The page's files as others meet them in a real browser: names that mean harm, the CSV, the single file
//! from a disk, and a fleet of sixty thousand upstreams.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;
use tempfile::TempDir;

use super::{
    browser::{Browser, only_file},
    fleet::fleet,
    page::READY,
    served::serve,
    support::tool,
};

/// Names that a device might bear to harm whoever reads them.
const HOSTILE: [(&str, &str, &str); 4] = [
    ("<img src=x onerror=window.hacked=1>", "1/scq/1", "\"><script>window.hacked=1</script>"),
    ("=cmd()|'/C calc'!A0", "1/scq/2", "@SUM(1+1), \"quoted\"\nand a second line"),
    ("+49 30", "-1/scq/3", "\u{202e}gnp.exe"),
    ("__proto__", "constructor", "</script><script>window.hacked=1</script><!--"),
];

/// A page of them, made by the tool itself; gives the site and the single file.
fn hostile(directory: &Path) -> PathBuf {
    let mut input = String::new();
    for (cmts, upstream, description) in HOSTILE {
        for (time, modulation) in [("10:00", "QAM64"), ("10:10", "QPSK")] {
            let sample = json!({"v": 1, "type": "sample", "ts": format!("2026-05-01T{time}:00Z"), "cmts": cmts,
                "upstream": upstream, "modulation": modulation, "source": "state", "description": description,
                "platform": "<b>e6000</b>", "width_hz": 6_400_000});
            input.push_str(&format!("{sample}\n"));
        }
    }
    let html = directory.join("report.html");
    let run =
        tool("mod-report").arg("--input", "-").arg("--tz", "UTC").arg("--date", "2026-05-01").stdin(input);
    run.arg("--web", directory).arg("--html", &html).args(["-o", "rows"]).run().clean(0);
    html
}

#[test]
fn hostile_names_are_only_names() {
    let site = TempDir::new().unwrap();
    let html = hostile(site.path());
    let browser = Browser::new(1440, 900);
    for url in [serve(site.path()), format!("file://{}", html.display())] {
        browser.open(&url);
        browser.wait(READY);
        browser.run("document.querySelectorAll('.pick').forEach((pick) => pick.click())");
        let body = browser.text("return document.getElementById('body').textContent");
        for (cmts, upstream, description) in HOSTILE {
            assert!(body.contains(cmts) && body.contains(upstream) && body.contains(description), "{body}");
        }
        assert!(browser.run("return window.hacked === undefined") == true, "{url}");
        let elements =
            browser.run("return document.querySelectorAll('main img, main b, main script').length");
        assert_eq!(elements, 0, "{url}");
        assert_eq!(browser.complaints(), [""; 0], "{url}");
    }
}

#[test]
fn the_csv_is_the_view_and_harmless() {
    let site = TempDir::new().unwrap();
    hostile(site.path());
    let browser = Browser::new(1440, 900);
    browser.open(&serve(site.path()));
    browser.wait(READY);
    browser.click("#head [data-sort=cmts]");
    browser.click("#csv");
    let file = only_file(&browser.downloads());
    let bytes = fs::read(&file).unwrap();
    assert!(file.ends_with("modulation_2026-05-01.csv") && bytes.starts_with(b"cmts,"));
    let mut reader = csv::Reader::from_reader(&bytes[..]);
    let head = reader.headers().unwrap().clone();
    let [cmts, description, hops] =
        ["cmts", "description", "hops"].map(|name| head.iter().position(|head| head == name).unwrap());
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), HOSTILE.len());
    for (name, _, text) in HOSTILE {
        let harmless = |text: &str| modtools::text::csv_cell(text).into_owned();
        let row =
            rows.iter().find(|row| row[cmts] == harmless(name)).unwrap_or_else(|| panic!("{name}: {rows:?}"));
        assert_eq!(row[description], harmless(text));
        assert_eq!(&row[hops], "1");
    }
}

#[test]
fn one_file_opens_from_a_disk_and_is_the_same_page() {
    let dir = TempDir::new().unwrap();
    let html = hostile(dir.path());
    let alone = TempDir::new().unwrap();
    let file = alone.path().join("report.html");
    fs::copy(html, &file).unwrap();
    let browser = Browser::new(1440, 900);
    browser.open(&format!("file://{}", file.display()));
    browser.wait(READY);
    assert_eq!(browser.run("return performance.getEntriesByType('resource').filter((r) => !r.name.startsWith('data:')).length"), 0);
    assert!(browser.run("return document.getElementById('days').hidden") == true);
    browser.type_into("#q", "__proto__");
    assert_eq!(browser.run("return document.querySelectorAll('.opener').length"), 1);
    browser.click(".opener");
    browser.wait("document.querySelector('tr.detail .track path')");
    browser.click("#csv");
    assert!(only_file(&browser.downloads()).ends_with("modulation_2026-05-01.csv"));
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_window_of_several_days_is_a_page_without_hours() {
    let dir = TempDir::new().unwrap();
    let input: String = (1..4)
        .map(|day| {
            let modulation = if day == 3 { "QPSK" } else { "QAM64" };
            format!(
                "{{\"v\":1,\"type\":\"sample\",\"ts\":\"2026-05-0{day}T10:00:00Z\",\"cmts\":\"CCAP001\",\
                 \"upstream\":\"1/scq/1\",\"modulation\":\"{modulation}\",\"source\":\"state\"}}\n"
            )
        })
        .collect();
    let html = dir.path().join("report.html");
    let run = tool("mod-report").arg("--input", "-").arg("--tz", "UTC").arg("--html", &html).stdin(input);
    run.run().clean(0);
    let browser = Browser::new(1440, 900);
    browser.open(&format!("file://{}", html.display()));
    browser.wait(READY);
    let page = browser.text("return document.body.innerText");
    for words in ["1 May, 10:00 to 3 May, 10:10", "CCAP001 1/scq/1", "not one day"] {
        assert!(page.contains(words), "{words:?} is not in {page}");
    }
    assert!(!page.contains("Hours of the day") && !page.contains("Stale"), "{page}");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn sixty_thousand_upstreams_fit_and_are_searched_as_one_types() {
    let site = TempDir::new().unwrap();
    fleet(60_000, "2026-05-01", "2026-05-02T01:00:00Z").write(site.path());
    let size = |name: &str| fs::metadata(site.path().join("data").join(name)).unwrap().len();
    let (plain, packed) = (size("2026-05-01.json"), size("2026-05-01.json.gz"));
    assert!(plain < 10_000_000 && packed < 1_600_000, "{plain} bytes, packed {packed}");
    let browser = Browser::new(1440, 900);
    browser.open(&serve(site.path()));
    browser.wait(READY);
    let count = "return document.getElementById('count').textContent";
    assert!(browser.text(count).starts_with("60,000 upstreams"), "{}", browser.text(count));
    let shown = browser.run("return performance.getEntriesByName('modtools:shown')[0].startTime");
    browser.run(
        "window.keys = []; new PerformanceObserver((list) => {
           for (const { name, duration } of list.getEntries()) if (name === 'keydown') window.keys.push(duration);
         }).observe({type: 'event', durationThreshold: 16})",
    );
    for key in "maastricht".chars() {
        browser.type_into("#q", &key.to_string());
        browser
            .wait("document.querySelectorAll('.opener').length === 50 || document.querySelector('.empty')");
    }
    let keys = browser.run(
        "const sorted = window.keys.sort((a, b) => a - b); return [sorted[sorted.length >> 1], sorted.at(-1)]",
    );
    // Figures for whoever runs it with --no-capture: how fast is a matter of the machine.
    eprintln!(
        "{plain} bytes, packed {packed}; first rows {shown} ms; from key to paint, median and most: {keys} ms"
    );
    browser.click("#clear");
    browser.type_into("#q", "ccap0416");
    assert!(browser.text(count).starts_with("48 of 60,000 upstreams"), "{}", browser.text(count));
    assert_eq!(browser.complaints(), [""; 0]);
}
