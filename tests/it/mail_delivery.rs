//! mod-mail and its servers: refusals, the spool, exactly once, TLS, login, and servers that hang.

use std::{
    fs,
    io::Write,
    net::TcpListener,
    os::unix::fs::{PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::Duration,
};

use serde_json::json;
use tempfile::TempDir;

use crate::{
    mail::report,
    mailbox::{Mailbox, certificates},
    support::{DEADLINE, Run, Tool, drain, tool, wait},
};

const THREE: &str = "a@example.net,b@example.net,c@example.net";

/// A run to three recipients with a spool.
fn to_three(server: &Mailbox, spool: &Path) -> Tool {
    server.mail(["--to", THREE]).arg("--spool", spool).stdin(report())
}

fn waiting(spool: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(spool).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "mail")).collect()
}

#[test]
fn one_refused_address_costs_the_others_nothing_and_is_not_tried_again() {
    let spool = TempDir::new().unwrap();
    let server = Mailbox::start(&json!({ "rcpt": { "b@example.net": ["550 5.1.1 no such user"] } }));
    let run = to_three(&server, spool.path()).run();
    let run = run.says(3, &["b@example.net: not mailed", "550 5.1.1 no such user"]);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    assert_eq!(server.recipients(), ["a@example.net", "c@example.net"]);
    assert!(waiting(spool.path()).is_empty());
    server.mail(["--flush"]).arg("--spool", spool.path()).run().clean(0);
    assert_eq!(server.mails().len(), 2);
}

#[test]
fn refused_for_now_waits_in_the_spool_and_the_next_run_mails_it_once() {
    let spool = TempDir::new().unwrap();
    let answers = json!({ "rcpt": { "b@example.net": ["450 4.2.0 busy", "451 4.3.0 busy"] } });
    let server = Mailbox::start(&answers);
    to_three(&server, spool.path()).run().says(3, &["b@example.net", "waits in the spool", "450 4.2.0 busy"]);
    to_three(&server, spool.path()).run().says(3, &["b@example.net", "451 4.3.0 busy"]);
    assert_eq!(waiting(spool.path()).len(), 1);
    assert_eq!(server.recipients(), ["a@example.net", "c@example.net"]);
    to_three(&server, spool.path()).run().clean(0);
    to_three(&server, spool.path()).run().clean(0);
    assert_eq!(server.recipients(), ["a@example.net", "c@example.net", "b@example.net"]);
    assert!(waiting(spool.path()).is_empty());
    let ids: Vec<_> = server.mails().iter().map(|mail| mail.headers["message-id"].clone()).collect();
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
}

#[test]
fn a_mail_that_waited_and_is_then_refused_for_good_is_let_go() {
    let spool = TempDir::new().unwrap();
    let answers = json!({ "data": { "a@example.net": ["452 4.3.1 full", "552 5.2.2 too big"] } });
    let server = Mailbox::start(&answers);
    let one = || server.mail(["--to", "a@example.net"]).arg("--spool", spool.path());
    one().stdin(report()).run().says(3, &["452 4.3.1 full"]);
    let run = one().stdin(report()).run().says(1, &["552 5.2.2 too big"]);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    one().args(["--flush"]).run().clean(0);
    assert!(waiting(spool.path()).is_empty() && server.mails().is_empty());
}

#[test]
fn a_server_that_closes_in_the_middle_costs_one_mail_until_the_next_run() {
    let spool = TempDir::new().unwrap();
    let server = Mailbox::start(&json!({ "rcpt": { "b@example.net": ["421 4.3.2 shutting down"] } }));
    to_three(&server, spool.path()).run().says(3, &["b@example.net", "421 4.3.2 shutting down"]);
    assert_eq!(server.recipients(), ["a@example.net", "c@example.net"]);
    server.mail(["--flush"]).arg("--spool", spool.path()).run().clean(0);
    assert_eq!(server.recipients(), ["a@example.net", "c@example.net", "b@example.net"]);
}

#[test]
fn a_server_that_is_not_there_is_asked_once_and_everything_waits() {
    let spool = TempDir::new().unwrap();
    let later = Mailbox::start(&json!({}));
    let nobody = || to_three(&later, spool.path()).env("SMTP_PORT", "1");
    let run = nobody().run().says(3, &["Connection refused"]);
    assert_eq!(run.stderr.lines().count(), 3, "{}", run.stderr);
    assert_eq!(nobody().args(["--debug"]).run().stderr.matches("* connecting").count(), 1);
    let run =
        tool("mod-mail").args(["--from", "n@example.net", "--to", "a@example.net"]).env("SMTP_PORT", "1");
    run.stdin(report()).run().says(1, &["a@example.net: not mailed", "--spool"]);
    later.mail(["--flush"]).arg("--spool", spool.path()).run().clean(0);
    assert_eq!(later.recipients().len(), 3);
}

#[test]
fn what_has_waited_for_more_than_five_days_is_given_up() {
    let spool = TempDir::new().unwrap();
    let server = Mailbox::start(&json!({}));
    let one = server.mail(["--to", "a@example.net"]).arg("--spool", spool.path());
    one.env("SMTP_PORT", "1").stdin(report()).run().says(3, &["waits"]);
    let path = waiting(spool.path()).remove(0);
    let mail = String::from_utf8(fs::read(&path).unwrap()).unwrap();
    let (head, message) = mail.split_once('\n').unwrap();
    let mut envelope: serde_json::Value = serde_json::from_str(head).unwrap();
    envelope["since"] = json!("2020-01-01T00:00:00Z");
    fs::write(&path, format!("{envelope}\n{message}")).unwrap();
    // A clock that is ahead costs no mail that the server takes.
    let flush = || server.mail(["--flush"]).arg("--spool", spool.path());
    let copy = fs::read(&path).unwrap();
    flush().run().clean(0);
    assert_eq!((waiting(spool.path()).len(), server.mails().len()), (0, 1));
    fs::remove_file(spool.path().join("sent.ndjson")).unwrap();
    fs::write(&path, copy).unwrap();
    flush().env("SMTP_PORT", "1").run().says(1, &["a@example.net: given up after 5 days"]);
    assert_eq!((waiting(spool.path()).len(), server.mails().len()), (0, 1));
}

#[test]
fn the_same_report_is_mailed_once_unless_told_again() {
    let server = Mailbox::start(&json!({}));
    let home = TempDir::new().unwrap();
    let other_home = TempDir::new().unwrap();
    // With a spool and without: then the notes are in the user's own state directory.
    for place in [&["--spool", "spool"][..], &[]] {
        let before = server.mails().len();
        let run = |args: &[&str], input: String| -> Run {
            let dir = if place.is_empty() { &other_home } else { &home };
            server.mail(["--to", "a@example.net"]).args(place).args(args).dir(dir.path()).stdin(input).run()
        };
        run(&[], report()).clean(0);
        run(&[], report()).clean(0);
        // Made once more, it is still the report of that day.
        let remade = report().replace("2026-05-02T04:00:00Z", "2026-05-02T09:30:00Z");
        run(&["-v"], remade.clone()).says(0, &["a@example.net: already sent", "--again"]);
        assert_eq!(server.mails().len(), before + 1);
        run(&["--again"], remade).clean(0);
        assert_eq!(server.mails().len(), before + 2);
        // Another day, another part of the network, another moment of a day that is not over: another report.
        run(&[], report().replace("2026-05-01T22", "2026-05-02T22")).clean(0);
        run(&[], report().replace("CCAP001", "CCAP002")).clean(0);
        let today = |hour| {
            report()
                .replace("\"generated_at\":\"2026-05-02T04", &format!("\"generated_at\":\"2026-05-01T{hour}"))
        };
        for hour in ["10", "12", "12"] {
            run(&[], today(hour)).clean(0);
        }
        assert_eq!(server.mails().len(), before + 6);
    }
    let ids: Vec<_> = server.mails().iter().map(|mail| mail.headers["message-id"].clone()).collect();
    assert_eq!(ids[0], ids[1]);
    // A server that never saw it is another matter: the first may have been a trial.
    let second = Mailbox::start(&json!({}));
    second
        .mail(["--to", "a@example.net", "--spool", "spool"])
        .dir(home.path())
        .stdin(report())
        .run()
        .clean(0);
    assert_eq!(second.mails()[0].headers["message-id"], ids[0]);
}

#[test]
fn runs_at_the_same_time_mail_once() {
    let server = Mailbox::start(&json!({}));
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("report"), report()).unwrap();
    let start = || {
        let mut command = server.mail(["--to", THREE, "--spool", "spool"]).command(dir.path());
        let input = fs::File::open(dir.path().join("report")).unwrap();
        command.stdin(input).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut runs: Vec<_> = (0..6).map(|_| start()).collect();
    for run in &mut runs {
        let said = drain(run.stderr.take().unwrap());
        assert_eq!(wait(run, DEADLINE).code(), Some(0));
        assert_eq!(said.join().unwrap(), "");
    }
    assert_eq!(server.recipients(), THREE.split(',').collect::<Vec<_>>());
}

#[test]
fn tls_is_as_trusted_as_was_asked_for() {
    let dir = TempDir::new().unwrap();
    certificates(dir.path());
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (cert, key, ca) = (file("cert.pem"), file("key.pem"), file("ca.pem"));
    let plain = Mailbox::start(&json!({}));
    let starttls = Mailbox::start(&json!({ "cert": cert, "key": key }));
    // What it knows of TLS is too old for us.
    let old = Mailbox::start(&json!({ "cert": cert, "key": key, "ciphers": "ECDHE-ECDSA-AES128-SHA" }));
    let wrapper = Mailbox::start(&json!({ "cert": cert, "key": key, "wrapper": true }));
    let run = |server: &Mailbox, tls: &str, ca: &str| -> Run {
        let mail = server.mail(["--to", "a@example.net", "--again", "--timeout", "5s"]).stdin(report());
        mail.env("SMTP_TLS", tls).env("SMTP_CA_FILE", ca).run()
    };
    let (no_ca, ca) = ("", ca.as_str());
    for (server, tls, ca, encrypted) in [
        (&plain, "none", no_ca, false),
        (&plain, "opportunistic", no_ca, false),
        (&starttls, "none", no_ca, false),
        (&starttls, "opportunistic", no_ca, true),
        (&starttls, "Required", ca, true),
        (&old, "opportunistic", no_ca, false),
        (&wrapper, "wrapper", ca, true),
    ] {
        let before = server.mails().len();
        run(server, tls, ca).clean(0);
        let mails = server.mails();
        assert_eq!((mails.len(), mails[before].tls), (before + 1, encrypted), "{tls}");
    }
    let count = || [&plain, &starttls, &old, &wrapper].map(|server| server.mails().len());
    let before = count();
    run(&old, "required", ca).says(1, &["a@example.net: not mailed"]);
    run(&plain, "required", ca).says(1, &["offers no STARTTLS", "SMTP_TLS=required"]);
    run(&starttls, "required", no_ca).says(1, &["invalid peer certificate", "SMTP_CA_FILE"]);
    run(&wrapper, "wrapper", no_ca).says(1, &["invalid peer certificate", "SMTP_CA_FILE"]);
    run(&plain, "wrapper", ca).says(1, &["is SMTP_TLS right for this port?"]);
    assert_eq!(count(), before);
}

#[test]
fn it_logs_in_and_keeps_the_password_to_itself() {
    let dir = TempDir::new().unwrap();
    certificates(dir.path());
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let account = |login_only: bool| json!({ "cert": file("cert.pem"), "key": file("key.pem"), "user": "ops", "password": "s3cret-word", "login_only": login_only });
    for login_only in [false, true] {
        let server = Mailbox::start(&account(login_only));
        let run = |password: &str, args: &[&str]| {
            let mail = server.mail(["--to", "a@example.net"]).args(args).stdin(report());
            let mail = mail.env("SMTP_TLS", "required").env("SMTP_CA_FILE", file("ca.pem"));
            mail.env("SMTP_USER", "ops").env("SMTP_PASSWORD", password).run()
        };
        let good = run("s3cret-word", &["--debug"]);
        assert_eq!(good.code, Some(0), "{}", good.stderr);
        let mail = &server.mails()[0];
        assert_eq!((mail.tls, mail.user.as_deref()), (true, Some("ops")));
        for said in
            ["> STARTTLS", "> AUTH", "> MAIL FROM:<noc@example.net>", "< 250 2.0.0 kept as 1", "> QUIT"]
        {
            assert!(good.stderr.contains(said), "{said}: {}", good.stderr);
        }
        let checked = run("s3cret-word", &["--check"]).clean(0).stdout;
        assert!(checked.contains("(mx.example.net): TLS, logged in as ops"), "{checked}");
        // The server repeats what it was told.
        let bad = run("wrong-word", &["--debug"]).says(1, &["login as ops failed: 535 5.7.8 not ********"]);
        let check = run("wrong-word", &["--check"]).says(1, &["login as ops failed"]);
        for run in [&good, &bad, &check] {
            let said = format!("{}{}", run.stdout, run.stderr);
            for secret in ["s3cret-word", "wrong-word", "czNjcmV0LXdvcmQ", "d3Jvbmctd29yZA", "AG9wcwB"] {
                assert!(!said.contains(secret), "{secret}: {said}");
            }
        }
        assert_eq!(server.mails().len(), 1);
    }
}

#[test]
fn a_check_reads_no_report_and_sends_nothing() {
    let server = Mailbox::start(&json!({}));
    let checked = tool("mod-mail")
        .args(["--check"])
        .env("SMTP_HOST", "localhost")
        .env("SMTP_PORT", server.port.to_string());
    assert!(checked.run().clean(0).stdout.contains("(mx.example.net): no TLS"));
    assert!(server.mails().is_empty());
    tool("mod-mail")
        .args(["--check"])
        .env("SMTP_PORT", "1")
        .run()
        .says(1, &["SMTP server localhost:1", "refused"]);
}

#[test]
fn a_server_that_hangs_up_or_hangs_is_not_waited_for() {
    for (greeting, said) in [
        ("", "no answer within 1s"),
        ("421 4.7.0 too many", "421 4.7.0 too many"),
        ("554 5.3.2 go away", "554 5.3.2 go away"),
    ] {
        let server = Mailbox::start(&json!({ "greeting": greeting }));
        let run = server.mail(["--to", "a@example.net", "--timeout", "1s"]).stdin(report()).run();
        run.says(1, &["a@example.net: not mailed", said]);
    }
}

/// Each answer comes in time, but there is no end to it.
#[test]
fn a_server_that_drips_is_left() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let drip = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        while stream.write_all(b"220-one moment\r\n").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    let mail =
        tool("mod-mail").args(["--from", "n@example.net", "--to", "a@example.net", "--timeout", "300ms"]);
    mail.env("SMTP_PORT", port)
        .env("SMTP_HOST", "127.0.0.1")
        .stdin(report())
        .run()
        .says(1, &["no answer within 300ms"]);
    drip.join().unwrap();
}

#[test]
fn a_mail_that_is_too_big_for_the_server_is_not_even_sent() {
    let server = Mailbox::start(&json!({ "size": 4096 }));
    let spool = TempDir::new().unwrap();
    let run =
        server.mail(["--to", "a@example.net", "--debug"]).arg("--spool", spool.path()).stdin(report()).run();
    let run = run.says(1, &["552", "the server takes 4096"]);
    assert!(!run.stderr.contains("> DATA"), "{}", run.stderr);
}

#[test]
fn an_unusable_address_costs_the_others_nothing() {
    let server = Mailbox::start(&json!({}));
    let to = "a@example.net, ops, \"Ops, night\" <b@example.net>; A@example.net, a@EXAMPLE.NET";
    let run = server.mail(["--to", to]).stdin(report()).run().says(3, &["ops: not a mail address"]);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    assert_eq!(server.recipients(), ["a@example.net", "b@example.net", "A@example.net"]);
}

#[test]
fn many_recipients_share_a_session_and_every_one_has_a_mail_of_their_own() {
    let server = Mailbox::start(&json!({}));
    let to: Vec<_> = (0..40).map(|n| format!("r{n}@example.net")).collect();
    let run = server.mail(["--debug", "--to", &to.join(",")]).stdin(report()).run();
    assert_eq!((run.code, run.stderr.matches("* connecting").count()), (Some(0), 1), "{}", run.stderr);
    let mails = server.mails();
    assert!(mails.iter().zip(&to).all(|(mail, to)| mail.headers["to"] == *to && mail.to == [to.as_str()]));
    assert_eq!(mails.len(), 40);
}

#[test]
fn a_spool_that_others_can_write_into_is_refused_and_nothing_is_sent() {
    let server = Mailbox::start(&json!({}));
    let dir = TempDir::new().unwrap();
    let run = |name: &str| {
        server.mail(["--to", "a@example.net", "--spool", name]).dir(dir.path()).stdin(report()).run()
    };
    let path = |name: &str| dir.path().join(name);
    for name in ["open", "linked", "piped", "foreign"] {
        fs::create_dir(path(name)).unwrap();
    }
    fs::set_permissions(path("open"), fs::Permissions::from_mode(0o777)).unwrap();
    run("open").says(1, &["cannot write open", "everybody can write there"]);
    fs::write(path("elsewhere"), "").unwrap();
    symlink(path("elsewhere"), path("linked/sent.ndjson")).unwrap();
    run("linked").says(1, &["cannot write linked/sent.ndjson"]);
    let made = std::process::Command::new("mkfifo").arg(path("piped/lock")).status().unwrap();
    assert!(made.success());
    run("piped").says(1, &["cannot write piped/lock"]);
    // Only root can give a directory away.
    match chown(path("foreign"), Some(65_534), None) {
        Ok(()) => {
            run("foreign").says(1, &["cannot write foreign", "belongs to another user"]);
        }
        Err(error) => eprintln!("a spool of another user is not tried: {error}"),
    }
    assert!(server.mails().is_empty() && fs::read(path("elsewhere")).unwrap().is_empty());
}
