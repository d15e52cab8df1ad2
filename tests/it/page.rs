//! The page as its readers use it, in a real browser: what it shows, finds, keeps, and does not fall for.

use std::{cmp::Reverse, fs};

use modtools::record::Row;
use serde_json::json;
use tempfile::TempDir;

use super::{
    browser::{Browser, only_file},
    fleet::{Fleet, fleet},
    served::serve,
};

const UPSTREAMS: usize = 480;
/// True in the page once everything is drawn.
pub const READY: &str = "document.documentElement.dataset.drawn";

/// A site of three days in a browser that has opened it.
pub struct Page {
    pub browser: Browser,
    pub site: TempDir,
    pub url: String,
    pub newest: Fleet,
}

impl Page {
    pub fn new() -> Self {
        let site = TempDir::new().unwrap();
        for (date, made) in [("2026-04-29", "2026-04-30T01:00:00Z"), ("2026-04-30", "2026-05-01T01:00:00Z")] {
            fleet(48, date, made).write(site.path());
        }
        let newest = fleet(UPSTREAMS, "2026-05-01", "2026-05-02T01:00:00Z");
        newest.write(site.path());
        let url = serve(site.path());
        let browser = Browser::new(1440, 900);
        let page = Page { browser, site, url, newest };
        page.open("");
        page
    }

    pub fn open(&self, hash: &str) {
        self.browser.open("about:blank");
        self.browser.open(&format!("{}{hash}", self.url));
        self.browser.wait(READY);
    }

    /// The names in the table, `CMTS upstream`, in their order.
    pub fn shown(&self) -> Vec<String> {
        let keys =
            self.browser.run("return [...document.querySelectorAll('.opener')].map((o) => o.dataset.key)");
        serde_json::from_value(keys).unwrap()
    }

    /// How many upstreams the view has, of all its pages.
    pub fn found(&self) -> usize {
        let count = self.browser.text("return document.getElementById('count').textContent");
        count.split(' ').next().unwrap().replace(',', "").parse().unwrap()
    }

    fn count(&self, is_in: impl Fn(&Row) -> bool) -> usize {
        let found = self.newest.rows.iter().filter(|row| is_in(row)).count();
        assert!(0 < found && found < UPSTREAMS, "a filter that tells nothing apart: {found}");
        found
    }

    fn clear(&self) {
        self.browser.click("#clear");
        assert_eq!(self.found(), UPSTREAMS);
    }

    pub fn text(&self, id: &str) -> String {
        self.browser.text(&format!("return document.getElementById({}).innerText", json!(id)))
    }

    pub fn hash(&self) -> String {
        self.browser.text("return location.hash")
    }
}

pub fn key(row: &Row) -> String {
    format!("{} {}", row.cmts, row.upstream)
}

#[test]
fn it_opens_on_the_newest_day_and_says_what_matters_first() {
    let page = Page::new();
    assert!(
        page.text("made").contains("Friday, 1 May 2026 (UTC), made 2 May, 01:00"),
        "{}",
        page.text("made")
    );
    let totals = page.text("totals");
    for label in ["Upstreams\n480\non 10 CMTSs", "Hops", "Measurements", "Coverage", "QAM64 ", "Mbit/s"] {
        assert!(totals.contains(label), "{label:?} is not in {totals}");
    }
    let banners = page.text("banners");
    for word in ["1 CMTS is silent", "CCAP099 since 30 Apr, 22:00: the login was rejected", "Stale"] {
        assert!(banners.contains(word), "{word:?} is not in {banners}");
    }
    let families = page.text("sums");
    for family in ["e6000", "casa", "cbr8"] {
        assert!(families.contains(family), "{families}");
    }
    // Each of them qualifies by its own scan: none is chained to another.
    let incidents = page.text("incidents");
    for line in [
        "04:10 24 upstreams down on CCAP000",
        "04:20 24 upstreams down on CCAP100",
        "16:40 24 upstreams down on CCAP200",
    ] {
        assert!(incidents.contains(line), "{incidents}");
    }
    let mut losers: Vec<_> = page.newest.rows.iter().filter(|row| row.lost_mbps.is_some()).collect();
    losers.sort_by(|a, b| b.lost_mbps.partial_cmp(&a.lost_mbps).unwrap());
    let ten = page.text("ten");
    assert!(ten.contains(&key(losers[0])) && ten.contains(&losers[0].says), "{ten}");
    // From there it opens in the table, with the focus on it.
    page.browser.click("#ten li:first-child button");
    page.browser.wait("document.querySelector('#table tr.detail .track')");
    let focus = page.browser.text("return document.activeElement.dataset.key");
    assert!(ten.contains(&focus) && page.text("body").contains("Measurements"), "{focus}");
    assert!(page.browser.run("return document.querySelectorAll('#heat tbody tr').length") == 10);
    assert!(page.browser.run("return document.querySelectorAll('#shares path').length").as_u64() >= Some(4));
    assert_eq!(page.browser.complaints(), [""; 0]);
}

#[test]
fn search_finds_in_all_three_names_as_one_types() {
    let page = Page::new();
    page.browser.type_into("#q", "ccap202");
    assert_eq!(page.found(), page.count(|row| row.cmts == "CCAP202").min(48));
    page.browser.type_into("#q", " 1/0/2");
    assert_eq!(page.found(), page.count(|row| row.cmts == "CCAP202" && row.upstream.contains("1/0/2")));
    page.clear();
    page.browser.type_into("#q", "MAASTRICHT");
    let of = |row: &Row, town: &str| row.description.as_ref().is_some_and(|text| text.contains(town));
    assert_eq!(page.found(), page.count(|row| of(row, "Maastricht")));
    page.browser.type_into("#q", " nowhere");
    assert_eq!(page.found(), 0);
    assert!(page.text("body").contains("Clear"));
    page.clear();
    // The key leads to the field and is not typed into it.
    page.browser.run("document.activeElement.blur()");
    page.browser.press("/x");
    assert_eq!(
        page.browser.text("return document.activeElement.id + document.getElementById('q').value"),
        "qx"
    );
}

#[test]
fn every_filter_tells_apart_and_they_add_up() {
    let page = Page::new();
    let check = |select: &str, value: &str, is_in: &dyn Fn(&Row) -> bool| {
        page.browser.choose(select, value);
        assert_eq!(page.found(), page.count(is_in), "{select} {value}");
        page.clear();
    };
    check("#family", "casa", &|row| row.platform.as_deref() == Some("casa"));
    check("#hops", "high", &|row| row.hops > 50);
    check("#hops", "medium", &|row| (10..=50).contains(&row.hops));
    check("#hops", "low", &|row| row.hops < 10);
    check("#mod", "QAM32", &|row| row.counts.keys().any(|m| m.word() == "QAM32"));
    check("#mod", "OFDMA", &|row| row.counts.keys().any(|m| m.word() == "OFDMA"));
    check("#why", "flapping", &|row| row.flapping);
    check("#why", "stuck_low", &|row| json!(row.why).as_array().unwrap().contains(&json!("stuck_low")));
    check("#cov", "gaps", &|row| row.coverage_pct < 99.0);
    check("#cov", "whole", &|row| row.coverage_pct >= 99.0);
    page.browser.choose("#family", "e6000");
    page.browser.choose("#mod", "QPSK");
    page.browser.type_into("#q", "node");
    let qpsk = |row: &Row| row.counts.keys().any(|m| m.word() == "QPSK");
    assert_eq!(page.found(), page.count(|row| row.platform.as_deref() == Some("e6000") && qpsk(row)));
}

#[test]
fn every_column_sorts_both_ways() {
    let page = Page::new();
    let columns = page
        .browser
        .run("return [...document.querySelectorAll('#head [data-sort]')].map((b) => b.dataset.sort)");
    let columns: Vec<String> = serde_json::from_value(columns).unwrap();
    for column in &columns {
        let header = format!("#head [data-sort={column}]");
        let order = || {
            page.browser.click(&header);
            let sorted = format!("return document.querySelector({}).closest('th').ariaSort", json!(header));
            (page.browser.text(&sorted), page.shown())
        };
        let ((first, rows), (second, others)) = (order(), order());
        assert_ne!(first, second, "{column}");
        assert!(
            [&first, &second].iter().all(|order| order.ends_with("ending")),
            "{column}: {first}, {second}"
        );
        assert_ne!(rows, others, "{column}");
    }
    let top = |column: &str, best: &dyn Fn(&Row) -> i64| {
        page.browser.choose("#sort", &format!("-{column}"));
        let most = page.newest.rows.iter().map(best).max().unwrap();
        let first = page.shown().remove(0);
        assert_eq!(page.newest.rows.iter().find(|row| key(row) == first).map(best), Some(most), "{column}");
    };
    // The list is for phones, where the table has no head.
    page.browser.screen(390, 844, true);
    top("hops", &|row| row.hops as i64);
    top("degraded", &|row| row.degraded_s as i64);
    top("lost", &|row| row.lost_pct.map_or(-1, |pct| (pct * 1000.0) as i64));
    top("delta", &|row| {
        row.delta.and_then(|delta| delta.lost_pct).map_or(-100_000, |pct| (pct * 1000.0) as i64)
    });
    page.browser.choose("#sort", "upstream");
    let shown = page.shown();
    let place = |name: &str| shown.iter().position(|key| key.ends_with(name));
    assert!(place(" 1/0.1/0") < place(" 1/0.3/0"), "{shown:?}");
}

#[test]
fn pages_have_the_size_that_was_asked_for() {
    let page = Page::new();
    let mut rows: Vec<_> = page.newest.rows.iter().collect();
    rows.sort_by_key(|row| Reverse(row.hops));
    page.browser.click("#head [data-sort=hops]");
    assert_eq!(page.shown().len(), 50);
    assert!(
        page.text("caption").contains("Upstreams 1 to 50 of 480, by Hops, descending"),
        "{}",
        page.text("caption")
    );
    page.browser.click("#forth");
    assert_eq!(page.shown().len(), 50);
    assert!(page.text("caption").contains("51 to 100"));
    page.browser.click("#last");
    assert_eq!(page.shown().len(), 30);
    assert!(page.browser.run("return document.getElementById('forth').disabled") == true);
    page.browser.choose("#size", "250");
    assert_eq!(page.shown().len(), 250);
    page.browser.click("#last");
    assert_eq!(page.shown().len(), 230);
    page.browser.run("const page = document.getElementById('page'); page.value = 1; page.dispatchEvent(new Event('change'))");
    let first = page.shown().remove(0);
    assert!(rows.iter().any(|row| key(row) == first && row.hops == rows[0].hops));
}

#[test]
fn another_day_is_a_click_away_and_the_way_back_too() {
    let page = Page::new();
    let days = page.browser.run("return [...document.getElementById('date').options].map((o) => o.value)");
    assert_eq!(days, json!(["2026-05-01", "2026-04-30", "2026-04-29"]));
    assert!(page.browser.run("return document.getElementById('next').disabled") == true);
    page.browser.type_into("#q", "CCAP000");
    page.browser.click("#previous");
    page.browser.wait("document.getElementById('made').textContent.includes('30 April')");
    assert_eq!(page.found(), 48, "the search goes along");
    assert!(page.hash().contains("date=2026-04-30") && page.hash().contains("q=CCAP000"), "{}", page.hash());
    page.browser.choose("#date", "2026-04-29");
    page.browser.wait("document.getElementById('made').textContent.includes('29 April')");
    assert!(page.browser.run("return document.getElementById('previous').disabled") == true);
    page.browser.run("history.back()");
    page.browser.wait("document.getElementById('made').textContent.includes('30 April')");
    page.browser.click("#next");
    page.browser.wait("document.getElementById('made').textContent.includes('1 May')");
}

#[test]
fn a_view_can_be_mailed() {
    let page = Page::new();
    page.browser.type_into("#q", "node");
    page.browser.choose("#family", "cbr8");
    page.browser.choose("#cov", "whole");
    page.browser.click("#head [data-sort=hops]");
    page.browser.choose("#size", "25");
    page.browser.click("#forth");
    page.browser.click("#body tr:nth-child(2) .opener");
    let (hash, shown, detail) = (page.hash(), page.shown(), page.text("body"));
    page.open(&hash);
    assert_eq!(page.shown(), shown);
    assert_eq!(page.text("body"), detail);
    assert_eq!(page.browser.text("return document.getElementById('family').value"), "cbr8");
    assert_eq!(page.browser.text("return document.getElementById('q').value"), "node");
    // An address that somebody made up opens something, whatever it says.
    page.open("#sort=__proto__&page=-3&size=7&hops=constructor&family=%3Cimg%3E&q=&open=%22");
    assert_eq!(page.found(), 0);
    page.clear();
    assert_eq!(page.browser.complaints(), [""; 0]);
}

#[test]
fn a_refresh_keeps_filter_page_focus_and_place() {
    let page = Page::new();
    page.browser.choose("#size", "25");
    page.browser.choose("#family", "cbr8");
    page.browser.click("#forth");
    page.browser.click("#body tr:nth-child(5) .opener");
    page.browser.run("document.querySelector('#body tr:nth-child(5)').scrollIntoView({block: 'center', behavior: 'instant'})");
    let place = "return [Math.round(document.querySelector('#body tr:nth-child(5)').getBoundingClientRect().top), \
                 document.activeElement.dataset.key, document.getElementById('page').value, location.hash]";
    let (before, shown) = (page.browser.run(place), page.shown());
    // The same day again, made an hour later, with a banner less and an incident more above the table.
    let mut later = fleet(UPSTREAMS, "2026-05-01", "2026-05-02T02:00:00Z");
    later.report.silent.clear();
    let more = later.report.incidents[2].clone();
    later.report.incidents.extend((1..9).map(|n| {
        let mut incident = more.clone();
        incident.ts = incident.ts + n * 1800;
        incident
    }));
    later.write(page.site.path());
    // As the timer does: five minutes are over, and the page is in sight.
    page.browser.run("const now = Date.now; Date.now = () => now() + 301_000; document.dispatchEvent(new Event('visibilitychange'))");
    page.browser.wait("document.getElementById('made').textContent.includes('02:00')");
    assert!(!page.text("banners").contains("silent"));
    let after = page.browser.run(place);
    // A screen moves by whole pixels.
    assert!((after[0].as_i64().unwrap() - before[0].as_i64().unwrap()).abs() <= 1, "{after} {before}");
    assert_eq!(after.as_array().unwrap()[1..], before.as_array().unwrap()[1..]);
    assert_eq!(page.shown(), shown);
    // Half a word in the search field, and the caret in it, stay too.
    page.browser.type_into("#q", "CCAP");
    page.browser.run(
        "document.getElementById('q').setSelectionRange(1, 3); document.getElementById('refresh').click()",
    );
    page.browser.wait("document.documentElement.dataset.reads === '3'");
    let field = page
        .browser
        .run("const q = document.activeElement; return [q.id, q.value, q.selectionStart, q.selectionEnd]");
    assert_eq!(field, json!(["q", "CCAP", 1, 3]));
}

#[test]
fn a_refresh_that_fails_is_told_and_takes_nothing_away() {
    let page = Page::new();
    fs::rename(page.site.path().join("data"), page.site.path().join("away")).unwrap();
    page.browser.click("#refresh");
    page.browser.wait("document.getElementById('banners').textContent.includes('could not be read')");
    assert_eq!(page.found(), UPSTREAMS);
    fs::rename(page.site.path().join("away"), page.site.path().join("data")).unwrap();
    page.browser.click("#refresh");
    page.browser.wait("!document.getElementById('banners').textContent.includes('could not be read')");
}

#[test]
fn a_filtered_view_is_what_the_csv_has() {
    let page = Page::new();
    page.browser.choose("#family", "casa");
    page.browser.choose("#hops", "medium");
    page.browser.click("#csv");
    let bytes = fs::read(only_file(&page.browser.downloads())).unwrap();
    let rows = csv::Reader::from_reader(&bytes[..]).into_records().count();
    assert_eq!(
        rows,
        page.count(|row| row.platform.as_deref() == Some("casa") && (10..=50).contains(&row.hops))
    );
}

#[test]
fn it_is_used_by_keyboard_and_read_aloud() {
    let page = Page::new();
    let is = |what: &str| assert!(page.browser.run(&format!("return Boolean({what})")) == true, "{what}");
    is(
        "document.getElementById(document.getElementById('table').getAttribute('aria-labelledby')).textContent.includes('Upstreams 1 to 50')",
    );
    is(
        "[...document.querySelectorAll('#table thead th')].every((th) => th.scope === 'col' && th.textContent)",
    );
    is("document.querySelectorAll('#table [aria-sort=descending]').length === 1");
    is("document.getElementById('count').getAttribute('aria-live') === 'polite'");
    is(
        "[...document.querySelectorAll('button, select, input')].every((c) => c.getAttribute('aria-label') || c.textContent.trim() || c.labels?.length)",
    );
    is(
        "[...document.querySelectorAll('.strip')].every((strip) => strip.role === 'img' && /QAM|QPSK|OFDMA|nothing/.test(strip.ariaLabel))",
    );
    is(
        "document.documentElement.lang === 'en' && document.querySelectorAll('h1').length === 1 && document.querySelector('main')",
    );
    // A column is sorted and a row is opened without a mouse, and the focus stays where it was.
    page.browser.run("document.querySelector('[data-sort=hops]').focus()");
    page.browser.press("\u{E007}");
    is(
        "document.activeElement.dataset.sort === 'hops' && document.activeElement.closest('th').ariaSort === 'descending'",
    );
    page.browser.run("document.querySelector('.opener').focus()");
    page.browser.press(" ");
    is(
        "document.activeElement.ariaExpanded === 'true' && document.activeElement.closest('tr').nextSibling.className === 'detail'",
    );
    page.browser.press(" ");
    is("document.activeElement.ariaExpanded === 'false' && !document.querySelector('tr.detail')");
    // The way past everything above the table.
    page.browser.run("document.activeElement.blur(); document.getElementById('skip').focus()");
    page.browser.press("\u{E007}");
    is("document.activeElement.id === 'upstreams'");
}

#[test]
fn it_fits_a_phone_and_a_sheet_of_paper() {
    let page = Page::new();
    page.browser.screen(390, 844, true);
    page.browser.click("#body .opener");
    let width = page.browser.run("return document.documentElement.scrollWidth");
    assert!(width.as_u64() <= Some(390), "{width}");
    let seen = |selector: &str| {
        page.browser.run(&format!("return document.querySelector({}).checkVisibility()", json!(selector)))
            == true
    };
    assert!(seen("#sort") && seen("#body tr.detail .track") && seen("#q"));
    assert_eq!(
        page.browser
            .text("return getComputedStyle(document.querySelector('#body td.hops'), '::before').content"),
        "\"Hops\""
    );
    page.browser.devtools("Emulation.clearDeviceMetricsOverride", json!({}));
    page.browser.devtools("Emulation.setEmulatedMedia", json!({"media": "print"}));
    assert!(!seen("#filters") && !seen("#refresh") && seen("#table") && seen("#ten"));
    page.browser.devtools("Emulation.setEmulatedMedia", json!({"media": ""}));
    assert!(page.browser.print().starts_with(b"%PDF"));
}

#[test]
fn light_and_dark_follow_the_system_unless_told() {
    let page = Page::new();
    let scheme = |scheme: &str| {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        page.browser.devtools("Emulation.setEmulatedMedia", features);
        page.browser.text("return getComputedStyle(document.body).backgroundColor")
    };
    let (light, dark) = (scheme("light"), scheme("dark"));
    assert_ne!(light, dark);
    page.browser.click("#theme");
    assert_eq!(page.text("theme"), "Theme: light");
    assert_eq!(scheme("dark"), light);
    // It is remembered.
    page.open("");
    assert_eq!(page.text("theme"), "Theme: light");
}
