//! What the page must not get wrong: it shows what mod-report said, a link shows its own day and row, and time that
//! was not measured, or is still to come, is not drawn as if it were.

use std::fs;

use modtools::language::Language;
use serde_json::json;
use tempfile::TempDir;

use super::{
    browser::{Browser, only_file},
    fleet::fleet,
    page::{Page, READY, key},
    served::serve,
    support::tool,
};

/// A sample of an upstream, as a record.
fn sample(ts: &str, upstream: &str, modulation: &str, more: serde_json::Value) -> String {
    let mut sample = json!({"v": 1, "type": "sample", "ts": ts, "cmts": "CCAP001", "upstream": upstream,
        "modulation": modulation, "source": "state", "width_hz": 6_400_000, "center_hz": 29_200_000});
    sample.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    format!("{sample}\n")
}

fn has(browser: &Browser, what: &str) -> bool {
    browser.run(&format!("return Boolean({what})")) == true
}

#[test]
fn the_sentence_is_the_one_of_the_report_and_no_gap_is_bridged() {
    let site = TempDir::new().unwrap();
    // Ten minutes of QPSK, then nothing for six hours, then QAM32 until the end.
    let mut input = sample("2026-05-01T00:00:00Z", "1/scq/1", "QAM64", json!({}));
    input += &sample("2026-05-01T04:00:00Z", "1/scq/1", "QPSK", json!({}));
    for step in 60..144 {
        let ts = format!("2026-05-01T{:02}:{:02}:00Z", step / 6, step % 6 * 10);
        input += &sample(&ts, "1/scq/1", "QAM32", json!({}));
    }
    let report = |form: &str| {
        tool("mod-report").args(["--input", "-", "--tz", "UTC", "--date", "2026-05-01", "--format", form])
    };
    let run = report("ndjson").arg("--web", site.path()).stdin(input.clone()).run().clean(0);
    let row: serde_json::Value = serde_json::from_str(run.stdout.lines().nth(1).unwrap()).unwrap();
    let says = row["says"].as_str().unwrap();
    assert!(says.starts_with("QAM32 instead of QAM64 for 14h"), "{says}");
    let browser = Browser::new(1440, 900);
    browser.open(&serve(site.path()));
    browser.wait(READY);
    assert!(browser.text("return document.querySelector('.pick .what').textContent") == says);
    browser.click("#ten li:first-child button");
    let opened = browser.text("return document.querySelector('.opened').innerText");
    assert!(opened.starts_with(says), "{opened}");
    let track = browser.text("return document.querySelector('.track').ariaLabel");
    assert_eq!(track, "below expectation: 04:00 – 04:20 QPSK; 10:00 – 24:00 QAM32");
    assert!(has(&browser, "document.querySelector('.track path.none')"));
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_mailed_link_shows_its_own_day_and_row_or_says_so() {
    let page = Page::new();
    assert_eq!(page.hash(), "#date=2026-05-01", "the newest day too");
    // A row that no filter of the address shows, on whatever page.
    let mut rows: Vec<_> = page.newest.rows.iter().collect();
    rows.sort_by(|a, b| a.lost_mbps.partial_cmp(&b.lost_mbps).unwrap());
    let last = key(rows.iter().find(|row| row.lost_mbps == Some(0.0)).unwrap());
    let encoded = last.replace(' ', "%20").replace('/', "%2F");
    page.open(&format!("#date=2026-05-01&q=nowhere&open={encoded}"));
    page.browser.wait("document.querySelector('tr.detail')");
    let focused = format!("document.querySelector('tr.open .opener').dataset.key === {}", json!(last));
    assert!(has(&page.browser, &focused));
    page.browser.wait(
        "(() => { const at = document.querySelector('tr.open').getBoundingClientRect(); return at.top > 0 && at.bottom < innerHeight })()",
    );
    assert!(!page.hash().contains("nowhere"), "{}", page.hash());
    assert_ne!(page.browser.text("return document.getElementById('page').value"), "1");
    for (hash, words) in [
        ("#date=2026-05-01&open=CCAP001%209%2Fscq%2F9", "CCAP001 9/scq/9"),
        ("#date=2026-05-01&open=CCAP777%201", "CMTS CCAP777 has no measurement"),
        (
            "#date=1999-01-01",
            "There is no page of 1999-01-01. The days that are here: 2026-04-29 to 2026-05-01.",
        ),
        ("#date=2999-01-01", "No data yet: 2999-01-01 has not begun."),
    ] {
        page.open(hash);
        let banners = page.text("banners");
        assert!(banners.contains(words), "{words:?} is not in {banners}");
    }
    // Nothing of another day is shown until it is asked for.
    assert!(has(&page.browser, "document.getElementById('content').hidden"));
    page.browser.click("#newest");
    page.browser.wait("document.getElementById('made').textContent.includes('1 May')");
    assert!(page.hash().contains("date=2026-05-01"), "{}", page.hash());
    assert_eq!(page.browser.complaints(), [""; 0]);
}

#[test]
fn the_page_downloads_the_csv_of_mod_report_to_the_byte() {
    let mut input = String::new();
    for (upstream, modulation, description) in [
        ("1/5/25", "QAM64", "=cmd() \"x\", y"),
        ("1/scq/2", "QPSK", "Zürich; node 7"),
        ("-3", "UNKNOWN", "@SUM(1)\nand a line"),
    ] {
        for time in ["10:00", "10:10", "10:20"] {
            let later = if time == "10:20" { "QAM16" } else { modulation };
            let more = json!({"description": description, "modems": 12, "snr_db": 33.4});
            input += &sample(&format!("2026-05-01T{time}:00Z"), upstream, later, more);
        }
    }
    for (language, form, button) in
        [("en", "csv", "#csv"), ("nl", "csv-excel", "#csv-excel"), ("en", "csv-excel", "#csv-excel")]
    {
        let site = TempDir::new().unwrap();
        let run = tool("mod-report")
            .args(["--input", "-", "--tz", "UTC", "--date", "2026-05-01", "--lang", language])
            .args(["--page-url", "https://web1/modulation/", "--format", form])
            .arg("--web", site.path())
            .stdin(input.clone())
            .run();
        assert!([0, 3].contains(&run.code.unwrap()), "{}", run.stderr);
        let browser = Browser::new(1440, 900);
        browser.open(&serve(site.path()));
        browser.wait(READY);
        browser.click(button);
        let downloaded = fs::read_to_string(only_file(&browser.downloads())).unwrap();
        assert_eq!(downloaded, run.stdout, "{language} {form}");
    }
}

#[test]
fn search_knows_accents_patterns_nodes_and_hubs() {
    let page = Page::new();
    let count = |text: &str| {
        page.browser.click("#clear");
        page.browser.type_into("#q", text);
        page.found()
    };
    let rows = |is_in: &dyn Fn(&modtools::record::Row) -> bool| {
        let found = page.newest.rows.iter().filter(|row| is_in(row)).count();
        assert!(found > 0);
        found
    };
    let zurich = rows(&|row| row.description.as_ref().is_some_and(|text| text.starts_with("Zürich")));
    assert_eq!((count("zurich"), count("ZÜRICH"), count("zur*")), (zurich, zurich, zurich));
    assert_eq!(count("CCAP10*"), rows(&|row| row.cmts.starts_with("CCAP10")));
    assert_eq!(count("ccap?01"), rows(&|row| row.cmts.ends_with("01") && row.cmts.len() == 7));
    assert_eq!(count("CCAP1*9*9*9*9*"), 0);
    let node = page.newest.rows.iter().find_map(|row| row.node.clone()).unwrap();
    let of_node = rows(&|row| row.node.as_ref() == Some(&node));
    assert_eq!(count(&node), of_node);
    page.browser.click("#clear");
    page.browser.type_into("#node", &node.to_lowercase());
    assert_eq!(page.found(), of_node);
    page.browser.click("#clear");
    let hub = page.newest.rows.iter().find_map(|row| row.hub.clone()).unwrap();
    page.browser.choose("#hub", &hub);
    assert_eq!(page.found(), rows(&|row| row.hub.as_ref() == Some(&hub)));
    // What has none is a group of its own, and the groups add up.
    page.browser.choose("#hub", "-");
    let without = page.found();
    assert_eq!(without, rows(&|row| row.hub.is_none()));
    page.browser.choose("#sums-by", "hub");
    let sums = "return [...document.querySelectorAll('#sums tbody tr')].reduce((sum, tr) => sum + Number(tr.cells[2].textContent), 0)";
    assert_eq!(page.browser.run(sums), 480);
    assert!(page.text("sums").contains("(none)"));
}

#[test]
fn what_is_chronic_has_a_view_and_a_strip_of_thirty_days() {
    let page = Page::new();
    page.browser.wait("document.documentElement.dataset.history");
    let chronic = page.newest.rows.iter().filter(|row| row.chronic_days >= 7).count();
    assert!(chronic > 2);
    assert_eq!(page.text("view-chronic"), format!("Chronic ({chronic})"));
    page.browser.click("#view-chronic");
    assert_eq!(page.found(), chronic);
    assert!(page.hash().contains("view=chronic"), "{}", page.hash());
    page.browser.click("#body .opener");
    let spoken = page.browser.text("return document.querySelector('.opened .strip.month').ariaLabel");
    assert!(spoken.contains("unknown") && spoken.contains("QAM64") && spoken.ends_with("QAM16"), "{spoken}");
    for what in ["#body td.days .strip.month path.none", "#ten .strip.month path.QAM64"] {
        assert!(has(&page.browser, &format!("document.querySelector('{what}')")), "{what}");
    }
    let opened = page.browser.text("return document.querySelector('.opened').innerText");
    for words in
        ["of the last 14 finished days", "QAM64 last seen on 20 Apr", "centre ", "registered; a bonded modem"]
    {
        assert!(opened.contains(words), "{words:?} is not in {opened}");
    }
    // The day before yesterday's page has its own thirty days of the same file.
    page.open("#date=2026-04-29&view=chronic");
    assert_eq!(page.browser.complaints(), [""; 0]);
}

#[test]
fn hours_to_come_are_not_hours_unmeasured_and_flapping_is_not_stuck() {
    let site = TempDir::new().unwrap();
    let now = chrono::Utc::now();
    let date = now.date_naive().to_string();
    // Of today as far as it has passed at noon, whatever the time is.
    let noon = format!("{date}T12:00:00Z");
    let mut today = fleet(96, &date, &noon);
    today.cut(&noon);
    today.write(site.path());
    let browser = Browser::new(1440, 900);
    browser.open(&serve(site.path()));
    browser.wait(READY);
    assert_eq!(
        browser.run("return document.querySelectorAll('#heat tbody tr:first-child td.future').length"),
        12
    );
    assert!(!has(&browser, "document.querySelector('#heat td.nothing')"));
    assert!(browser.text("return document.querySelector('.strip').ariaLabel").ends_with("12:00 to come"));
    let row = |why: &str| {
        browser.choose("#why", why);
        let pale =
            browser.run("return document.querySelectorAll('#body tr:first-child td.hours path.pale').length");
        browser.click("#clear");
        pale.as_u64().unwrap()
    };
    assert_eq!(row("stuck_low"), 0);
    assert!(row("flapping") > 0);
}

#[test]
fn today_says_who_has_stopped_answering() {
    let site = TempDir::new().unwrap();
    let now = chrono::Utc::now();
    let ts =
        |minutes: i64| (now - chrono::TimeDelta::minutes(minutes)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    // Around midnight the day is too young for a device to have stopped in it.
    let zone = if now.format("%H").to_string().as_str() < "02" { "Asia/Tokyo" } else { "UTC" };
    let stopped = sample(&ts(70), "1/scq/1", "QAM64", json!({}));
    let answers = sample(&ts(5), "1/scq/1", "QAM64", json!({"cmts": "CCAP002"}));
    let run = tool("mod-report")
        .args(["--input", "-", "--tz", zone, "--date", "today", "-o", "rows"])
        .arg("--web", site.path())
        .stdin(stopped + &answers)
        .run();
    assert!([0, 3].contains(&run.code.unwrap()), "{}", run.stderr);
    let browser = Browser::new(1440, 900);
    browser.open(&serve(site.path()));
    browser.wait(READY);
    let banners = browser.text("return document.getElementById('banners').innerText");
    assert!(banners.contains("1 CMTS has stopped answering:"), "{banners}");
    assert!(banners.contains("CCAP001 last measured") && !banners.contains("CCAP002"), "{banners}");
}

#[test]
fn a_row_is_copied_for_a_ticket() {
    let page = Page::new();
    page.browser.run(
        "Object.defineProperty(navigator, 'clipboard', {value: {writeText: async (text) => { window.copied = text; }}})",
    );
    page.browser.click("#ten li:first-child button");
    page.browser.click(".ticket");
    page.browser.wait("window.copied");
    let text = page.browser.text("return window.copied");
    let open = page.browser.text("return document.querySelector('.opener[aria-expanded=true]').dataset.key");
    let row = page.newest.rows.iter().find(|row| key(row) == open).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with(&open) && lines[0].ends_with("(2026-05-01, UTC)"), "{text}");
    assert_eq!(lines[1], row.says);
    assert!(text.contains("Mbit/s") && text.contains("Coverage: "), "{text}");
    let link = lines.last().unwrap();
    assert!(link.starts_with(&page.url) && link.contains("#date=2026-05-01&open="), "{link}");
    // The link leads back to the row.
    page.browser.open("about:blank");
    page.browser.open(link);
    page.browser.wait("document.querySelector('tr.detail')");
    assert_eq!(page.browser.text("return document.querySelector('.verdict').textContent"), row.says);
}

#[test]
fn columns_are_chosen_and_shares_are_there_where_there_is_room() {
    let page = Page::new();
    let columns = || {
        let ids = page
            .browser
            .run("return [...document.querySelectorAll('#head [data-sort]')].map((b) => b.dataset.sort)");
        serde_json::from_value::<Vec<String>>(ids).unwrap()
    };
    let wide = columns();
    assert!(
        wide.contains(&"share_QAM64".to_owned()) && wide.contains(&"measurements".to_owned()),
        "{wide:?}"
    );
    page.browser.screen(1100, 900, false);
    page.browser.wait("!document.querySelector('#head [data-sort=measurements]')");
    page.browser.screen(1440, 900, false);
    page.browser.wait("document.querySelector('#head [data-sort=measurements]')");
    page.browser.click("#choose summary");
    for id in ["node", "snr", "modems", "link"] {
        page.browser.click(&format!("#choices input[value={id}]"));
    }
    let chosen = columns();
    assert!(chosen.contains(&"snr".to_owned()) && chosen.contains(&"node".to_owned()), "{chosen:?}");
    let hash = page.hash();
    page.open(&hash);
    assert_eq!(columns(), chosen, "{hash}");
    // The map of the spectrum: by node, and by CMTS where that is chosen.
    let cells = "return [...document.querySelectorAll('#spectrum thead th')].map((th) => th.textContent)";
    assert_eq!(
        page.browser.run(cells),
        json!(["Node", "16.4", "22.8", "29.2", "35.6", "42", "48.4", "Mbit/s lost"])
    );
    page.browser.choose("#spectrum-by", "cmts");
    assert!(page.text("spectrum").contains("CCAP000"));
    assert_eq!(page.browser.complaints(), [""; 0]);
}

#[test]
fn the_page_speaks_dutch() {
    let site = TempDir::new().unwrap();
    let mut fleet = fleet(480, "2026-05-01", "2026-05-02T01:00:00Z");
    fleet.language = Language::Nl;
    fleet.write(site.path());
    let browser = Browser::new(1440, 900);
    browser.open(&serve(site.path()));
    browser.wait(READY);
    browser.click("#body .opener");
    let page = browser.text("return document.body.innerText");
    for words in [
        "Gegevens van vrijdag 1 mei 2026 (UTC)",
        "de aanmelding werd geweigerd",
        "Kijk hier het eerst naar",
        "480 upstreams · ",
        "blijft laag",
        "Kopiëren voor een ticket",
        "Onder verwachting",
    ] {
        assert!(page.contains(words), "{words:?} is not in {page}");
    }
    for words in ["descending", "Lost", "stuck low", "Coverage", "expected"] {
        assert!(!page.contains(words), "{words:?} is in {page}");
    }
    assert_eq!(browser.text("return document.documentElement.lang"), "nl");
    assert_eq!(browser.complaints(), [""; 0]);
}
