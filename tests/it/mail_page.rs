//! mod-mail: what a mail says: its subject, the upstreams that need a look, the rows that go along, and events.

use std::{fmt::Write, io::Read};

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::{
    mail::report,
    mailbox::{Mail, Mailbox},
    support::tool,
};

/// The report of `mail::report` with more fields in its header and its first row.
fn with(header: &Value, row: &Value) -> String {
    let merged = |line: &str, more: &Value| {
        let mut record: Value = serde_json::from_str(line).unwrap();
        for (name, value) in more.as_object().unwrap() {
            record[name] = value.clone();
        }
        record.to_string()
    };
    let report = report();
    let mut lines = report.lines();
    let first = merged(lines.next().unwrap(), header);
    let second = merged(lines.next().unwrap(), row);
    format!("{first}\n{second}\n{}\n", lines.next().unwrap())
}

/// The mail that a recipient gets.
fn mailed(input: String, args: &[&str]) -> Mail {
    let server = Mailbox::start(&json!({}));
    server.mail(["--to", "ops@example.net"]).args(args).stdin(input).run().clean(0);
    let mut mails = server.mails();
    assert_eq!(mails.len(), 1);
    mails.remove(0)
}

/// Text and HTML of a mail.
fn shown(mail: &Mail) -> [String; 2] {
    ["text/plain", "text/html"].map(|kind| mail.part(kind).text())
}

#[test]
fn the_subject_says_what_matters_behind_the_day_and_before_what_is_missing() {
    let incident =
        |cmts: &str, upstreams: u64, ts: &str| json!({ "cmts": cmts, "ts": ts, "upstreams": upstreams });
    let works =
        json!({ "cmts": "CCAP009", "ts": "2026-05-01T01:00:00Z", "upstreams": 99, "maintenance": true });
    let header = json!({
        "lost_mbps": 449.4,
        "incidents": [incident("CCAP001", 7, "2026-05-01T03:00:00Z"), incident("CCAP002", 39, "2026-05-01T07:00:00Z"), works],
        "silent": [{ "cmts": "CCAP003", "status": "auth_failed" }],
    });
    let subject = &mailed(with(&header, &json!({})), &[]).headers["subject"];
    assert_eq!(
        subject,
        "Modulation report 2026-05-01: 2 below expectation, 449 Mbit/s; CCAP002: 39 at 09:00 (partial: silent CMTSs: 1)"
    );
    // What the rows at hand do not give is not in it.
    let cut: String = with(&header, &json!({})).lines().take(2).map(|line| format!("{line}\n")).collect();
    let subject = mailed(cut, &[]).headers["subject"].clone();
    assert!(
        subject.starts_with("Modulation report 2026-05-01: 449 Mbit/s below expectation; CCAP002"),
        "{subject}"
    );
    let quiet = report().replace("\"degraded_s\":5400", "\"degraded_s\":0");
    assert_eq!(mailed(quiet, &[]).headers["subject"], "Modulation report 2026-05-01");
    let own = mailed(with(&header, &json!({})), &["--subject", "Nightly"]).headers["subject"].clone();
    assert_eq!(own, "Nightly (partial: silent CMTSs: 1)");
}

#[test]
fn a_window_of_several_days_is_called_by_its_window() {
    for (from, to, label, file) in [
        ("2026-05-03T22", "2026-05-10T22", "2026-W19 (2026-05-04 to 2026-05-10)", "2026-05-04_2026-05-10"),
        ("2026-04-30T22", "2026-05-31T22", "2026-05 (2026-05-01 to 2026-05-31)", "2026-05-01_2026-05-31"),
        ("2026-05-01T22", "2026-05-04T22", "2026-05-02 to 2026-05-04", "2026-05-02_2026-05-04"),
    ] {
        let window = json!({
            "from": format!("{from}:00:00Z"), "to": format!("{to}:00:00Z"), "date": null,
            "generated_at": "2026-06-02T04:00:00Z",
            "incidents": [{ "cmts": "CCAP002", "ts": format!("{from}:30:00Z"), "upstreams": 9 }],
        });
        let mail = mailed(with(&window, &json!({})), &[]);
        let subject = format!("Modulation report {label}: 2 below expectation; CCAP002: 9 at ");
        assert!(mail.headers["subject"].starts_with(&subject), "{}", mail.headers["subject"]);
        assert!(mail.headers["subject"].ends_with(" 00:30"), "{}", mail.headers["subject"]);
        assert_eq!(
            mail.part("text/csv").filename.as_deref(),
            Some(&*format!("modulation_report_{file}.csv"))
        );
    }
}

#[test]
fn what_is_gone_is_not_missing_and_days_without_data_are_named() {
    let gone = json!({ "gone": [{ "cmts": "CCAP077", "since": "2026-04-01T04:00:00Z" }] });
    let mail = mailed(with(&gone, &json!({})), &[]);
    assert!(!mail.headers["subject"].contains("partial"), "{}", mail.headers["subject"]);
    for form in shown(&mail) {
        assert!(
            form.contains("CCAP077")
                && form.contains("2026-04-01 06:00")
                && form.contains("no longer polled")
        );
        assert!(!form.contains("This report is"), "{form}");
    }
    let days: Vec<_> = (1..=5).map(|day| format!("2026-04-0{day}")).collect();
    let mail = mailed(with(&json!({ "missing_days": days }), &json!({})), &[]);
    let missing = "partial: days without data: 2026-04-01 2026-04-02 2026-04-03 +2";
    assert!(mail.headers["subject"].ends_with(&format!("({missing})")), "{}", mail.headers["subject"]);
    assert!(shown(&mail).iter().all(|form| form.contains(missing)));
}

#[test]
fn a_row_shows_what_its_record_says_and_nothing_that_a_browser_would_run() {
    let row = json!({
        "says": "QAM16 <i>instead</i> of QAM64 since 16 Nov", "node": "N12", "hub": "Hub & Spoke",
        "since": "2026-04-20T08:00:00Z", "center_hz": 36_200_000, "width_hz": 6_400_000,
        "snr_db": { "median": 27.25, "min": 21.0 }, "modems": 41, "chronic_days": 9, "lost_mbps": 8.25,
        "url": "https://noc.example.net/modulation/#day=2026-05-01&open=\"x",
    });
    let mail = mailed(with(&json!({}), &row), &[]);
    let [text, html] = shown(&mail);
    for said in [
        "N12",
        "2026-04-20 10:00",
        "36.2 MHz (6.4 MHz)",
        "27.2 dB, lowest 21.0 dB",
        "41",
        "9 of the last 14 days",
        "8.2 Mbit/s",
    ] {
        assert!(text.contains(said) && html.contains(said), "{said}: {text}");
    }
    assert!(text.contains("    QAM16 <i>instead</i> of QAM64 since 16 Nov\n"), "{text}");
    assert!(html.contains("QAM16 &lt;i&gt;instead") && html.contains("Hub &amp; Spoke"), "{html}");
    assert!(
        html.contains("<a href=\"https://noc.example.net/modulation/#day=2026-05-01&amp;open=&quot;x\""),
        "{html}"
    );
    let script = with(&json!({}), &json!({ "url": "javascript:alert(1)" }));
    assert!(shown(&mailed(script, &[])).iter().all(|form| !form.contains("javascript")));
}

#[test]
fn the_html_fits_a_phone() {
    let mail = mailed(report(), &[]);
    let html = mail.part("text/html").text();
    assert!(html.contains("max-width:608px") && html.contains("width=device-width"), "{html}");
    // Tables of three columns at most: names, and what belongs to them.
    for row in html.split("<tr>").skip(1).map(|row| row.split("</tr>").next().unwrap()) {
        assert!(row.matches("<td").count() + row.matches("<th").count() <= 3, "{row}");
    }
}

/// The report of a large operator.
fn large(rows: usize) -> String {
    let report = report();
    let mut lines = report.lines();
    let header = lines.next().unwrap().replace("\"upstreams\":2", &format!("\"upstreams\":{rows}"));
    let row = lines.next().unwrap();
    let mut text = header + "\n";
    for n in 0..rows {
        let _ = writeln!(text, "{}", row.replace("1/scq/2", &format!("{}/scq/{}", n / 144, n % 144)));
    }
    text
}

#[test]
fn many_rows_are_compressed_and_everybody_gets_at_least_the_text() {
    const ROWS: usize = 60_000;
    let send = |server: &Mailbox, input: &str, args: &[&str]| -> Mail {
        server.mail(["--to", "ops@example.net"]).args(args).stdin(input).run().clean(0);
        server.mails().remove(0)
    };
    let input = large(ROWS);
    let server = Mailbox::start(&json!({ "size": 10 << 20 }));
    let mail = send(&server, &input, &[]);
    let file = mail.part("application/gzip");
    assert_eq!(file.filename.as_deref(), Some("modulation_report_2026-05-01.csv.gz"));
    let mut csv = String::new();
    GzDecoder::new(&file.bytes()[..]).read_to_string(&mut csv).unwrap();
    assert_eq!(csv.lines().count(), ROWS + 1);
    assert!(mail.part("text/plain").text().contains("modulation_report_2026-05-01.csv.gz"));
    assert!(mail.headers["subject"].contains("60000 below expectation"), "{}", mail.headers["subject"]);

    let input = large(100);
    let without_rows = |mail: &Mail, said: &str| {
        assert_eq!(mail.parts.len(), 2, "{:?}", mail.parts);
        assert!(shown(mail).iter().all(|form| form.contains(said)), "{}", shown(mail)[0]);
    };
    let server = Mailbox::start(&json!({}));
    without_rows(&send(&server, &input, &["--max-size", "1k"]), "more than the 0.0 MiB of --max-size");
    let server = Mailbox::start(&json!({ "size": 50_000 }));
    without_rows(&send(&server, &input, &[]), "more than the server takes");
}

fn event(id: &str, what: &str, more: &Value) -> String {
    let mut event = json!({
        "v": 1, "type": "event", "id": id, "what": what, "ts": "2026-05-01T07:00:00Z", "cmts": "CCAP001",
        "upstreams": 1, "from": "QAM64", "to": "QAM16", "since": "2026-05-01T07:00:00Z",
    });
    for (name, value) in more.as_object().unwrap() {
        event[name] = value.clone();
    }
    format!("{event}\n")
}

#[test]
fn events_are_one_short_mail_with_the_largest_in_its_subject_and_once_each() {
    let server = Mailbox::start(&json!({}));
    let dir = tempfile::TempDir::new().unwrap();
    let run = |input: &str| {
        let mail = server.mail(["--to", "tickets@example.net", "--events"]).dir(dir.path());
        mail.env("MODTOOLS_TZ", "Europe/Amsterdam").stdin(input).run().clean(0);
    };
    let small = event("a", "opened", &json!({ "upstream": "1/scq/2", "modems": 12 }));
    let big = event(
        "b",
        "grew",
        &json!({ "cmts": "CCAP002", "node": "N12", "upstreams": 39, "lost_mbps": 449.4, "modems": 1200,
                 "says": "39 upstreams of <N12> run at QAM16 since 09:00" }),
    );
    run(&format!("{small}{big}"));
    run(&format!("{big}{small}"));
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(
        mails[0].headers["subject"],
        "Modulation event grew: CCAP002 N12: 39 upstreams from QAM64 to QAM16, 449 Mbit/s (and 1 more)"
    );
    assert_eq!(mails[0].parts.len(), 2, "no rows go along");
    let [text, html] = shown(&mails[0]);
    assert!(text.contains("39 upstreams of <N12> run at QAM16 since 09:00"), "{text}");
    assert!(text.contains("CCAP001 1/scq/2") && text.contains("2026-05-01 09:00"), "{text}");
    assert!(text.find("CCAP002") < text.find("CCAP001"), "{text}");
    assert!(html.contains("39 upstreams of &lt;N12&gt; run"), "{html}");
    // Its end is news; nothing is none; a report is none either.
    run(&event("b", "closed", &json!({ "ts": "2026-05-01T08:00:00Z" })));
    run("");
    run(&report());
    assert_eq!(server.mails().len(), 2);
    let bad =
        server.mail(["--to", "tickets@example.net", "--events"]).stdin(event("c", "exploded", &json!({})));
    bad.run().says(3, &["line 1: event: unknown variant", "opened"]);
    tool("mod-mail").args(["--events", "--check"]).run().says(2, &["cannot be used with"]);
}
