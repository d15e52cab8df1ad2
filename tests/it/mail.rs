//! mod-mail: what a recipient sees, and what is refused before anything is sent.

use std::{fs, path::Path, process::Stdio};

use serde_json::json;
use tempfile::TempDir;

use crate::{
    mailbox::{Mail, Mailbox},
    support::{Run, Tool, built, tool},
};

/// A finished day of two upstreams, whole.
pub fn report() -> String {
    let row = |upstream: &str, extra: &str| {
        format!(
            r#"{{"v":1,"type":"row","ts":"2026-05-02T04:00:00Z","cmts":"CCAP001","upstream":"{upstream}","last":"QAM64","measurements":144,"counts":{{"QAM16":36,"QAM64":108}},"hops":7,"hops_down":4,"hops_up":3,"hops_seed":8,"observed_s":86400,"coverage_pct":100.0,"share_pct":{{"QAM16":25.0,"QAM64":75.0}},"time_pct":{{"QAM16":25.0,"QAM64":75.0}},"expected":"QAM64","degraded_s":5400,"longest_degraded_s":1200,"worst":"QAM16","lost_pct":8.333,"flapping":true{extra}}}"#
        )
    };
    let header = r#"{"v":1,"type":"report","ts":"2026-05-02T04:00:00Z","from":"2026-04-30T22:00:00Z","to":"2026-05-01T22:00:00Z","date":"2026-05-01","tz":"Europe/Amsterdam","interval_s":600,"generated_at":"2026-05-02T04:00:00Z","upstreams":2,"cmts":1,"hops":14,"measurements":288,"coverage_pct":100.0,"share_pct":{"QAM16":25.0,"QAM64":75.0},"incidents":[],"silent":[]}"#;
    let rows = [
        row(
            "1/scq/2",
            r#","why":["flapping"],"delta":{"hops":-3,"lost_pct":0.5},"description":"Dorp <Noord>""#,
        ),
        row("1/scq/10", ""),
    ];
    format!("{header}\n{}\n", rows.join("\n"))
}

fn dry<const N: usize>(args: [&str; N]) -> Tool {
    tool("mod-mail").args(["--dry-run", "--from", "noc@example.net", "--to", "ops@example.net"]).args(args)
}

/// The one mail of a run that has to be clean.
#[track_caller]
fn only(server: &Mailbox) -> Mail {
    let mut mails = server.mails();
    assert_eq!(mails.len(), 1);
    mails.remove(0)
}

#[test]
fn a_recipient_sees_text_html_and_the_rows_as_mod_report_writes_them() {
    let dir = TempDir::new().unwrap();
    let sample = |ts: &str, cmts: &str, upstream: &str, modulation: &str| {
        format!(
            r#"{{"v":1,"type":"sample","ts":"{ts}","cmts":"{cmts}","upstream":"{upstream}","modulation":"{modulation}","source":"state","platform":"casa","description":"=cmd() é"}}"#
        )
    };
    let samples = [
        sample("2026-05-01T10:00:00Z", "CCAP101", "1/1.1/0", "QAM64"),
        sample("2026-05-01T10:10:00Z", "CCAP101", "1/1.1/0", "QPSK"),
        sample("2026-05-01T10:20:00Z", "CCAP101", "1/1.1/0", "QAM64"),
        sample("2026-05-01T10:00:00Z", "CCAP101", "1/1.0/0", "QAM16"),
    ];
    fs::write(dir.path().join("samples"), samples.join("\n")).unwrap();
    let shown = |args: &[&str]| {
        let day = ["--input", "samples", "--date", "2026-05-01", "--tz", "Europe/Amsterdam"];
        tool("mod-report").args(day).args(args).dir(dir.path()).run().clean(0).stdout
    };
    let records = shown(&["--format", "ndjson"]);
    for layout in ["full", "seed"] {
        let server = Mailbox::start(&json!({}));
        server.mail(["--to", "ops@example.net", "--layout", layout]).stdin(records.clone()).run().clean(0);
        let mail = only(&server);
        let csv = mail.part("text/csv");
        assert_eq!(csv.filename.as_deref(), Some("modulation_report_2026-05-01.csv"));
        assert_eq!(csv.disposition.as_deref(), Some("attachment"));
        let printed = shown(&["--format", "csv", "--layout", layout]);
        // The moment of making is that of each run of mod-report.
        let without_moment = |csv: &str| {
            csv.lines()
                .map(|line| line.split(',').filter(|cell| !cell.ends_with('Z')).collect::<Vec<_>>().join(","))
                .collect::<Vec<_>>()
        };
        let attached = String::from_utf8(csv.bytes()).unwrap();
        assert_eq!(without_moment(&attached), without_moment(&printed));
        assert_eq!(attached.contains("\r\n"), layout == "full");
    }
}

#[test]
fn the_mail_says_the_same_in_text_and_html_and_the_subject_says_the_day() {
    let server = Mailbox::start(&json!({}));
    server.mail(["--to", "Ops Team <ops@example.net>"]).stdin(report()).run().clean(0);
    let mail = only(&server);
    let headers: Vec<_> =
        ["subject", "from", "to", "auto-submitted"].iter().map(|name| mail.headers[*name].as_str()).collect();
    assert_eq!(
        headers,
        [
            "Modulation report 2026-05-01: 2 below expectation",
            "NOC <noc@example.net>",
            "Ops Team <ops@example.net>",
            "auto-generated"
        ]
    );
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("noc@example.net", &["ops@example.net".into()][..])
    );
    assert!(mail.defects.is_empty(), "{:?}", mail.defects);
    assert!(mail.longest <= 998, "{}", mail.longest);
    let (text, html) = (mail.part("text/plain").text(), mail.part("text/html").text());
    for said in
        ["14", "2 (CMTSs: 1)", "100.0 %", "1/scq/10", "1h 30m", "8.3", "flapping", "-3", "QAM16 25.0 %"]
    {
        assert!(text.contains(said) && html.contains(said), "{said}: {text}");
    }
    assert!(text.contains("Dorp <Noord>") && html.contains("Dorp &lt;Noord&gt;"), "{html}");
    assert!(text.contains("flapping  at least six changes within twenty"), "{text}");
    assert!(text.contains("None: every CMTS answered"), "{text}");
    assert!(!text.contains("!!"), "{text}");
    assert!(!html.contains("<script") && !html.contains("http"), "{html}");
}

#[test]
fn a_mail_can_be_dutch_and_its_subject_stays() {
    for run in [dry(["--lang", "nl"]), dry([]).env("MODTOOLS_LANG", "nl_NL.UTF-8")] {
        let mail = run.stdin(report()).run().clean(0).stdout;
        assert!(mail.contains("Subject: Modulation report 2026-05-01: 2 below expectation\r\n"), "{mail}");
        assert!(mail.contains("Modulatierapport 2026-05-01") && mail.contains("8,3"), "{mail}");
        assert!(mail.contains("<html lang=3D\"nl\">"), "{mail}");
    }
    dry([]).env("MODTOOLS_LANG", "xx").stdin(report()).run().says(2, &["MODTOOLS_LANG", "en or nl"]);
}

#[test]
fn what_a_report_lacks_stands_in_its_subject_and_on_top() {
    let whole = report();
    let silent = r#""silent":[{"cmts":"CCAP9","status":"auth_failed"}]"#;
    let first_two: String = whole.lines().take(2).map(|line| format!("{line}\n")).collect();
    let empty = whole
        .lines()
        .next()
        .unwrap()
        .replace("\"upstreams\":2", "\"upstreams\":0")
        .replace("\"coverage_pct\":100.0", "\"coverage_pct\":0.0");
    for (input, subject, code) in [
        (empty, " (empty: no samples)", 0),
        (first_two, " (partial: 1 of 2 upstreams)", 0),
        (whole.replace("\"silent\":[]", silent), ": 2 below expectation (partial: silent CMTSs: 1)", 0),
        (
            whole.replacen("\"coverage_pct\":100.0", "\"coverage_pct\":61.25", 1),
            ": 2 below expectation (partial: coverage 61.2 %)",
            0,
        ),
        (
            whole.replacen("\"generated_at\":\"2026-05-02T04", "\"generated_at\":\"2026-05-01T12", 1),
            ": 2 below expectation (partial: until 2026-05-01 14:00)",
            0,
        ),
        (format!("{whole}nonsense\n"), ": 2 below expectation (partial: unreadable lines: 1)", 3),
    ] {
        let run = dry([]).stdin(input).run();
        assert_eq!(run.code, Some(code), "{}", run.stderr);
        let headers = run.stdout.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
        assert!(
            headers.contains(&format!("Subject: Modulation report 2026-05-01{subject}\r\n")),
            "{headers}"
        );
        assert!(run.stdout.contains("!! This report is"), "{}", run.stdout);
    }
    let nothing = dry([]).stdin(whole.lines().next().unwrap().replace("\"upstreams\":2", "\"upstreams\":0"));
    let nothing = nothing.run().clean(0).stdout;
    assert!(!nothing.contains("no upstream changed") && nothing.contains("every CMTS answered"), "{nothing}");
    let run = dry(["--subject", "Nightly"]).stdin(whole.replace("\"silent\":[]", silent)).run().clean(0);
    assert!(run.stdout.contains("Subject: Nightly (partial: silent CMTSs: 1)\r\n"), "{}", run.stdout);
}

#[test]
fn no_report_is_a_fault_and_nothing_is_made_up_for_it() {
    let server = Mailbox::start(&json!({}));
    for input in [
        "",
        "\n",
        "{\"v\":1,\"type\":\"end\",\"ts\":\"2026-05-01T00:00:00Z\",\"stage\":\"x\",\"ok\":0,\"failed\":0}\n",
    ] {
        let run = server.mail(["--to", "ops@example.net"]).stdin(input).run();
        run.says(1, &["there is no report record", "mod-report"]);
    }
    let run = server.mail(["--to", "ops@example.net"]).stdin(report().lines().nth(1).unwrap()).run();
    run.says(1, &["line 1: a row without a report record", "there is no report record"]);
    assert!(server.mails().is_empty());
}

#[test]
fn what_cannot_be_used_is_refused_with_the_flag_and_the_remedy() {
    let run = |args: &[&str], env: &[(&str, &str)]| -> Run {
        let tool = tool("mod-mail").args(args).stdin(report());
        env.iter().fold(tool, |tool, (name, value)| tool.env(name, value)).run()
    };
    let from = ("FROM_EMAIL", "noc@example.net");
    for (args, env, words) in [
        (&["--from", "noc@example.net"][..], &[][..], &["no recipient", "--to", "TO_EMAILS"][..]),
        (&["--to", "ops@example.net"], &[], &["no sender", "--from", "FROM_EMAIL"]),
        (&[], &[from, ("TO_EMAILS", " , ops ")], &["TO_EMAILS", "\"ops\" is not a mail address"]),
        (&["--to", "a@example.net\r\nBcc: spy@example.org"], &[from], &["--to", "control characters"]),
        (&["--from", "noc", "--to", "a@example.net"], &[], &["--from", "\"noc\" is not a mail address"]),
        (&["--to", "a@example.net", "--attach", "no/such"], &[from], &["cannot read no/such"]),
        (&["--to", "a@example.net"], &[from, ("SMTP_TLS", "yes")], &["SMTP_TLS", "opportunistic"]),
        (&["--to", "a@example.net"], &[from, ("SMTP_PORT", "smtp")], &["SMTP_PORT", "port"]),
        (&["--to", "a@example.net"], &[from, ("SMTP_USER", "ops")], &["SMTP_USER", "SMTP_PASSWORD_FILE"]),
        (&["--to", "a@example.net"], &[from, ("SMTP_CA_FILE", "/dev/null")], &["SMTP_CA_FILE", "/dev/null"]),
        (&["--flush"], &[], &["--spool"]),
    ] {
        run(args, env).says(2, words);
    }
    let help = tool("mod-mail").args(["--help"]).run().clean(0).stdout;
    assert!(help.contains("Examples:") && help.contains("Exit status:"), "{help}");
}

#[test]
fn hostile_names_reach_neither_headers_nor_markup() {
    let hostile = report()
        .replace("CCAP001", r#"<img src=x>\r\nBcc: spy@example.org\u001b[2J"#)
        .replace("Dorp <Noord>", r#"\"><script>alert(1)</script>"#);
    let server = Mailbox::start(&json!({}));
    let subject = "Report\r\nBcc: spy@example.org\u{202e}";
    let run = server.mail(["--to", "ops@example.net", "--subject", subject]).stdin(hostile).run();
    run.clean(0);
    let mail = only(&server);
    assert!(!mail.names.contains(&"bcc".to_owned()), "{:?}", mail.names);
    assert_eq!(mail.headers["subject"], "Report Bcc: spy@example.org");
    let html = mail.part("text/html").text();
    assert!(!html.contains("<img") && !html.contains("<script") && !html.contains('\u{1b}'), "{html}");
    assert!(!mail.part("text/plain").text().contains('\u{1b}'));
    assert!(mail.part("text/plain").text().contains("\\u{1b}[2J"));
}

#[test]
fn twenty_megabytes_arrive_byte_for_byte_beside_a_file_of_another_name() {
    let dir = TempDir::new().unwrap();
    let mut seed = 7_u32;
    let noise = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    });
    let big: Vec<u8> = noise.take(20 << 20).collect();
    fs::write(dir.path().join("big.pdf"), &big).unwrap();
    let lines = b".\r\n.\r\n..\nplain\n".to_vec();
    fs::write(dir.path().join("weekoverzicht é;\"1\".txt"), &lines).unwrap();
    let server = Mailbox::start(&json!({}));
    let files = ["--attach", "big.pdf", "--attach", "weekoverzicht é;\"1\".txt"];
    server.mail(["--to", "ops@example.net"]).args(files).dir(dir.path()).stdin(report()).run().clean(0);
    let mail = only(&server);
    let found = |name: &str| mail.parts.iter().find(|part| part.filename.as_deref() == Some(name)).unwrap();
    assert!(found("big.pdf").bytes() == big, "the big file was changed on its way");
    assert_eq!(found("weekoverzicht é;_1_.txt").bytes(), lines);
    assert_eq!(found("big.pdf").kind, "application/pdf");
    assert!(mail.longest <= 998);
}

#[test]
fn a_dry_run_sends_nothing_and_a_full_disk_is_a_fault() {
    let twice = dry([]).args(["--to", "noc@example.net"]).stdin(report()).run().clean(0).stdout;
    assert!(twice.contains("\r\nTo: ops@example.net\r\n") && twice.contains("\r\nTo: noc@example.net\r\n"));
    // Two mails are an mbox, one is a mail as it stands.
    let mbox = format!("\r\n{twice}");
    assert_eq!(mbox.matches("\r\n\r\nFrom noc@example.net ").count(), 1, "{twice}");
    assert!(twice.starts_with("From noc@example.net "), "{twice}");
    assert!(!dry([]).stdin(report()).run().clean(0).stdout.starts_with("From "));
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("report"), report()).unwrap();
    let code = shell(
        dir.path(),
        "@tool --dry-run --from a@example.net --to b@example.net <report >/dev/full; echo $?",
    );
    assert_eq!(code.trim(), "1");
}

#[test]
fn switched_off_it_reads_its_input_and_says_so_only_when_asked() {
    let server = Mailbox::start(&json!({}));
    let off =
        || server.mail(["--to", "ops@example.net"]).env("ENABLE_EMAIL_REPORTS", "false").stdin(report());
    off().run().clean(0);
    off().args(["-v"]).run().says(0, &["ENABLE_EMAIL_REPORTS"]);
    assert!(server.mails().is_empty());
    let dir = TempDir::new().unwrap();
    let line = "set -o pipefail; head -c 1000000 /dev/zero | ENABLE_EMAIL_REPORTS=off @tool; echo $?";
    assert_eq!(shell(dir.path(), line).trim(), "0");
}

/// What a line of bash prints, @tool being mod-mail.
fn shell(dir: &Path, line: &str) -> String {
    let line = line.replace("@tool", built("mod-mail").to_str().unwrap());
    let mut bash = std::process::Command::new("bash");
    let output = bash.args(["-c", &line]).current_dir(dir).stdin(Stdio::null()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn settings_come_from_an_env_file_with_its_blanks() {
    let server = Mailbox::start(&json!({}));
    let dir = TempDir::new().unwrap();
    let env = format!(
        "SMTP_HOST = 127.0.0.1\nSMTP_PORT={}\nFROM_EMAIL = noc@example.net # us\nTO_EMAILS = \" a@example.net , b@example.net \"\n",
        server.port
    );
    fs::write(dir.path().join(".env"), env).unwrap();
    tool("mod-mail").dir(dir.path()).stdin(report()).run().clean(0);
    assert_eq!(server.recipients(), ["a@example.net", "b@example.net"]);
}
