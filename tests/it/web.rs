//! `mod-report --web` and `--html`: the files that they write, replace, keep and remove, and what they refuse.

use std::{
    fs,
    io::Read,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    thread,
};

use flate2::read::GzDecoder;
use serde_json::Value;
use tempfile::TempDir;

use super::support::{Run, Tool, built, in_package, tool};

/// Two upstreams on one day, one of them with a hop.
fn samples(date: &str) -> String {
    let sample = |time: &str, upstream: &str, modulation: &str| {
        format!(
            "{{\"v\":1,\"type\":\"sample\",\"ts\":\"{date}T{time}Z\",\"cmts\":\"CCAP001\",\"upstream\":\"{upstream}\",\
             \"modulation\":\"{modulation}\",\"source\":\"state\",\"width_hz\":6400000}}\n"
        )
    };
    [
        sample("10:00:00", "1/scq/1", "QAM64"),
        sample("10:00:00", "1/scq/2", "QAM64"),
        sample("10:10:00", "1/scq/1", "QPSK"),
        sample("10:10:00", "1/scq/2", "QAM64"),
    ]
    .concat()
}

fn report(site: &Path, date: &str) -> Tool {
    tool("mod-report")
        .arg("--input", "-")
        .arg("--tz", "UTC")
        .arg("--web", site)
        .arg("--date", date)
        .args(["-o", "report.ndjson"])
        .stdin(samples(date))
}

fn write(site: &Path, date: &str) -> Run {
    report(site, date).run().clean(0)
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn json(path: PathBuf) -> Value {
    serde_json::from_slice(&fs::read(&path).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The days before now: the tool itself asks the clock.
fn days_ago(days: u64) -> String {
    let date = chrono::Utc::now().date_naive().checked_sub_days(chrono::Days::new(days)).unwrap();
    date.to_string()
}

#[test]
fn a_web_server_can_read_what_is_written_under_a_narrow_umask() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::TempDir::new().unwrap();
    let samples = in_package("tests/fixtures/report/samples.ndjson");
    let mut command = std::process::Command::new("sh");
    command.args([
        "-c",
        r#"umask 077; exec "$0" --input "$1" --tz UTC --date 2025-05-01 --format ndjson --web a/web --save -o rows"#,
    ]);
    command.arg(built("mod-report")).arg(samples).current_dir(dir.path());
    command.env_clear().env("REPORT_OUTPUT_DIR", "b/reports").env("PATH", "/usr/bin:/bin");
    assert!(command.status().unwrap().code().is_some_and(|code| [0, 3].contains(&code)));
    let mode = |path: &str| std::fs::metadata(dir.path().join(path)).unwrap().permissions().mode() & 0o777;
    for directory in ["a", "a/web", "a/web/data", "b", "b/reports"] {
        assert_eq!(mode(directory), 0o755, "{directory}");
    }
    for file in ["a/web/index.html", "a/web/data/2025-05-01.json"] {
        assert_eq!(mode(file), 0o644, "{file}");
    }
}

#[test]
fn a_site_is_a_page_and_a_file_per_date() {
    let site = TempDir::new().unwrap();
    write(site.path(), "2026-05-01");
    write(site.path(), "2026-05-02");
    assert_eq!(names(site.path()), ["app.js", "data", "index.html", "style.css"]);
    let data = site.path().join("data");
    // The first one is long ago, and gone with the second.
    assert_eq!(
        names(&data),
        ["2026-05-02.json", "2026-05-02.json.gz", "index.json", "latest.json", "latest.json.gz"]
    );
    assert_eq!(json(data.join("index.json"))["dates"], serde_json::json!(["2026-05-02"]));
    let day = json(data.join("2026-05-02.json"));
    assert_eq!(day["rows"], 2);
    assert_eq!(day["report"]["hops"], 1);
    assert_eq!(day["columns"]["upstream"]["words"], serde_json::json!(["1/scq/1", "1/scq/2"]));
    // Sampled at 10:00 and 10:10, held until 10:35: the middles of steps 60 to 62, and nothing else.
    assert_eq!(day["steps"]["words"], serde_json::json!(["-60e".to_owned() + "a2-81", "-60e3-81"]));
    assert_eq!(day["shares"][0]["counts"][61], 1);
    let mut unpacked = Vec::new();
    let packed = fs::File::open(data.join("2026-05-02.json.gz")).unwrap();
    GzDecoder::new(packed).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, fs::read(data.join("2026-05-02.json")).unwrap());
}

#[test]
fn the_latest_day_never_goes_back_in_time() {
    let site = TempDir::new().unwrap();
    let (newer, older) = (days_ago(2), days_ago(3));
    let latest = site.path().join("data/latest.json");
    let target = || fs::read_link(&latest).unwrap().into_os_string().into_string().unwrap();
    write(site.path(), &older);
    assert_eq!(target(), format!("{older}.json"));
    write(site.path(), &newer);
    assert_eq!(target(), format!("{newer}.json"));
    write(site.path(), &older);
    assert_eq!(target(), format!("{newer}.json"));
    assert_eq!(
        fs::read_link(site.path().join("data/latest.json.gz")).unwrap().to_str().unwrap(),
        format!("{newer}.json.gz")
    );
    // What it pointed to is gone: then there is a newest one again.
    fs::remove_file(site.path().join(format!("data/{newer}.json"))).unwrap();
    write(site.path(), &older);
    assert_eq!(target(), format!("{older}.json"));
}

#[test]
fn only_old_files_of_our_own_are_removed() {
    let site = TempDir::new().unwrap();
    let data = site.path().join("data");
    let (gone, kept, now) = (days_ago(12), days_ago(9), days_ago(1));
    for date in [&gone, &kept] {
        write(site.path(), date);
    }
    let foreign =
        ["1999-01-01.json", "1999-01-02.json.gz", "1999-01-03.json.bak", "notes.txt", "1999-01-04.csv"];
    for name in foreign {
        fs::write(data.join(name), "mine").unwrap();
    }
    fs::create_dir(data.join("1999-01-05.json")).unwrap();
    symlink("notes.txt", data.join("1999-01-06.json")).unwrap();
    report(site.path(), &now).arg("--keep-files", "10").run().clean(0);
    let left = names(&data);
    for name in foreign.into_iter().chain(["1999-01-05.json", "1999-01-06.json"]) {
        assert!(left.contains(&name.to_owned()), "{name} is gone: {left:?}");
    }
    assert!(left.contains(&format!("{kept}.json")) && left.contains(&format!("{now}.json.gz")), "{left:?}");
    assert!(!left.iter().any(|name| name.starts_with(&gone)), "{left:?}");
    assert_eq!(json(data.join("index.json"))["dates"], serde_json::json!([kept, now]));
    // The setting says the same as the flag, and an old date that is asked for is written all the same.
    report(site.path(), &gone).env("HOUSEKEEPING_DAYS", "5").run().clean(0);
    assert_eq!(json(data.join("index.json"))["dates"], serde_json::json!([gone, now]));
}

#[test]
fn a_day_whose_samples_are_gone_keeps_its_page() {
    let site = TempDir::new().unwrap();
    let date = days_ago(3);
    write(site.path(), &date);
    let before = fs::read(site.path().join(format!("data/{date}.json"))).unwrap();
    report(site.path(), &date).stdin("").run().says(3, &["no sample"]);
    assert_eq!(fs::read(site.path().join(format!("data/{date}.json"))).unwrap(), before);
    // A day that never had any is told of: that is news too.
    let empty = days_ago(2);
    report(site.path(), &empty).stdin("").run().says(3, &["no sample"]);
    assert_eq!(json(site.path().join(format!("data/{empty}.json")))["rows"], 0);
}

#[test]
fn runs_that_meet_take_turns() {
    let site = TempDir::new().unwrap();
    let dates: Vec<_> = (1..=6).map(days_ago).collect();
    thread::scope(|scope| {
        for date in &dates {
            scope.spawn(|| write(site.path(), date));
        }
    });
    let mut dates = dates;
    dates.sort();
    assert_eq!(json(site.path().join("data/index.json"))["dates"], serde_json::json!(dates));
    let latest = fs::read_link(site.path().join("data/latest.json")).unwrap();
    assert_eq!(latest.to_str().unwrap(), format!("{}.json", dates[5]));
    assert!(
        names(&site.path().join("data")).iter().all(|name| !name.starts_with('.')),
        "nothing is left over"
    );
}

#[test]
fn what_makes_no_page_is_refused_before_anything_is_read() {
    let site = TempDir::new().unwrap();
    let refused = |args: &[&str], words: &[&str]| {
        let run = tool("mod-report").arg("--input", "/nowhere").arg("--tz", "UTC").args(args).run();
        run.says(2, words);
    };
    let dir = site.path().to_str().unwrap();
    refused(&["--web", dir], &["--web", "--date"]);
    refused(&["--web", dir, "--date", "2026-05-01", "--cmts", "CCAP0*"], &["--cmts", "--html"]);
    refused(&["--brand", "b.json"], &["--brand", "--web"]);
    refused(&["--keep-files", "3"], &["--keep-files", "--web"]);
    refused(&["--web", dir, "--keep-files", "0"], &["--keep-files"]);
    refused(&["--web", dir, "--date", "2026-05-01", "--brand", "/nowhere.json"], &["/nowhere.json"]);
    refused(&["--web", dir, "--format", "samples", "--date", "2026-05-01"], &["--web", "samples"]);
    for (brand, word) in [
        ("{\"colors\":{\"primary\":\"red;}\"}}", "#0f172a"),
        ("{\"colour\":1}", "colour"),
        ("{\"logo\":\"logo.gif\"}", "SVG"),
        ("nonsense", "brand.json"),
    ] {
        let path = site.path().join("brand.json");
        fs::write(&path, brand).unwrap();
        fs::write(site.path().join("logo.gif"), "GIF89a").unwrap();
        refused(
            &["--web", dir, "--date", "2026-05-01", "--brand", path.to_str().unwrap()],
            &["--brand", word],
        );
    }
    assert!(!site.path().join("index.html").exists());
}

#[test]
fn a_site_that_cannot_be_written_is_a_failure_that_names_it() {
    report(Path::new("/dev/null/site"), "2026-05-01").run().says(1, &["/dev/null/site/data"]);
}

#[test]
fn a_brand_is_in_the_page_and_its_words_are_only_words() {
    let site = TempDir::new().unwrap();
    let brand = in_package("examples/brands/vodafoneziggo.json");
    report(site.path(), "2026-05-01").arg("--brand", brand).run().clean(0);
    let index = fs::read_to_string(site.path().join("index.html")).unwrap();
    assert!(index.contains("<title>VodafoneZiggo · Upstream modulation</title>"));
    assert!(index.contains("src=\"data:image/svg+xml;base64,"));
    assert!(fs::read_to_string(site.path().join("style.css")).unwrap().contains("--brand-primary: #b00000;"));
    let own = site.path().join("own.json");
    fs::write(&own, r#"{"name":"<script>alert(1)</script>","footer":"\"&{{script}}"}"#).unwrap();
    report(site.path(), "2026-05-01").arg("--brand", own).run().clean(0);
    let index = fs::read_to_string(site.path().join("index.html")).unwrap();
    assert!(index.contains("<h1>&lt;script&gt;alert(1)&lt;/script&gt;</h1>"));
    assert!(index.contains("<p>&quot;&amp;{{script}}</p>"));
}

#[test]
fn the_page_may_load_nothing_from_elsewhere() {
    let site = TempDir::new().unwrap();
    let html = site.path().join("report.html");
    report(site.path(), "2026-05-01").arg("--html", &html).run().clean(0);
    for file in [site.path().join("index.html"), html] {
        let page = fs::read_to_string(&file).unwrap();
        assert!(page.contains("default-src 'none'"), "{}", file.display());
        assert!(!page.contains("unsafe-inline") && !page.contains("unsafe-eval"), "{}", file.display());
        // The name space of SVG is a name, not an address.
        let page = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!page.contains("http://") && !page.contains("https://"), "{}", file.display());
    }
}

#[test]
fn the_brand_stays_until_another_is_named() {
    let site = TempDir::new().unwrap();
    let index = || fs::read_to_string(site.path().join("index.html")).unwrap();
    let style = || fs::read_to_string(site.path().join("style.css")).unwrap();
    let brand = in_package("examples/brands/vodafoneziggo.json");
    report(site.path(), &days_ago(3)).arg("--brand", brand).run().clean(0);
    let logo = index().split("src=\"data:image/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    write(site.path(), &days_ago(2));
    assert!(index().contains("VodafoneZiggo") && index().contains(&logo), "{}", index());
    assert!(style().contains("--brand-primary: #b00000;"));
    // A file that somebody changed to harm gives no brand, and says so.
    let kept = site.path().join("data/brand.json");
    fs::write(&kept, r#"{"colors":{"primary":"red;}"}}"#).unwrap();
    report(site.path(), &days_ago(1)).run().says(0, &["brand.json", "--brand"]);
    assert!(!index().contains("VodafoneZiggo") && style().contains("--brand-primary: #0f172a;"));
    report(site.path(), &days_ago(1)).arg("--brand", "none").run().clean(0);
    write(site.path(), &days_ago(1));
}
