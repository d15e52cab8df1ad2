//! mod-mail and what servers say at each step of the dialogue: odd, hostile, without end, in any encoding.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    mail::report,
    support::{DEADLINE, Run, Tool, built, tool, wait},
};

/// What a server does instead of its usual answer.
#[derive(Clone, Copy)]
enum Answer {
    Bytes(&'static [u8]),
    /// Closes the connection.
    Close,
    /// Says nothing more.
    Silence,
    /// The first bytes, and then the others over and over.
    Endless(&'static [u8], &'static [u8]),
    /// A byte, every 50 ms.
    Drip(&'static [u8]),
}
use Answer::{Bytes, Close, Drip, Endless, Silence};

/// A server that answers each command as told, else as servers do. It ends with the test's process.
struct Server {
    port: u16,
    /// The commands and mails of all sessions, in their order.
    heard: Arc<Mutex<Vec<String>>>,
}

/// The names of the steps: `greeting`, the verbs, `.` for the end of a mail, and `step` for each line after AUTH.
fn serve(answers: &'static [(&'static str, Answer)]) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heard);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let log = Arc::clone(&log);
            // A client that went away ends its session.
            thread::spawn(move || session(stream, answers, &log));
        }
    });
    Server { port, heard }
}

fn session(
    mut stream: TcpStream,
    answers: &[(&str, Answer)],
    log: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut input = BufReader::new(stream.try_clone()?);
    let mut is_mail = false;
    let mut step = "greeting".to_owned();
    loop {
        let usual: &[u8] = match step.as_str() {
            "greeting" => b"220 mx.example.net\r\n",
            "EHLO" => b"250-mx.example.net\r\n250 SIZE 10000000\r\n",
            "DATA" => b"354 go on\r\n",
            "QUIT" => b"221 bye\r\n",
            "mail" => b"",
            _ => b"250 2.0.0 ok\r\n",
        };
        match answers.iter().find(|(name, _)| *name == step).map_or(Bytes(usual), |(_, answer)| *answer) {
            Bytes(bytes) => stream.write_all(bytes)?,
            Close => return Ok(()),
            Silence => thread::sleep(DEADLINE),
            Endless(first, then) => {
                stream.write_all(first)?;
                let then = then.repeat(4096);
                loop {
                    stream.write_all(&then)?;
                }
            }
            Drip(bytes) => loop {
                stream.write_all(bytes)?;
                thread::sleep(Duration::from_millis(50));
            },
        }
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        step = match (is_mail, line) {
            (true, ".") => ".".to_owned(),
            (true, _) => "mail".to_owned(),
            (false, line) => {
                let verb = line.split([' ', ':']).next().unwrap_or_default();
                let is_verb = verb.len() >= 4 && verb.bytes().all(|b| b.is_ascii_uppercase());
                if is_verb { verb.to_owned() } else { "step".to_owned() }
            }
        };
        if step != "mail" {
            log.lock().unwrap().push(line.to_owned());
        }
        is_mail = step == "mail" || step == "DATA";
    }
}

impl Server {
    fn mail(&self, spool: &Path) -> Tool {
        tool("mod-mail")
            .args(["--to", "a@example.net", "--timeout", "1s"])
            .arg("--spool", spool)
            .env("SMTP_HOST", "127.0.0.1")
            .env("SMTP_PORT", self.port.to_string())
            .env("FROM_EMAIL", "NOC <noc@example.net>")
            .stdin(report())
    }

    /// How many mails came whole.
    fn mails(&self) -> usize {
        self.heard.lock().unwrap().iter().filter(|line| *line == ".").count()
    }

    fn heard(&self, verb: &str) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|line| line.starts_with(verb)).cloned().collect()
    }
}

fn waiting(spool: &Path) -> usize {
    let names = fs::read_dir(spool).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().ends_with(".mail")).count()
}

fn notes(spool: &Path) -> usize {
    fs::read_to_string(spool.join("sent.ndjson")).unwrap_or_default().lines().count()
}

#[test]
fn of_an_answer_only_the_code_counts() {
    const TAKEN: &[&[(&str, Answer)]] = &[
        &[("greeting", Bytes(b"220 mail Gr\xfc\xdf Gott\r\n")), ("EHLO", Bytes(b"250-\xff\r\n250 \xfe\r\n"))],
        &[(".", Bytes(b"250 2.0.0 Message accept\xe9e\r\n"))],
        &[(".", Bytes(b"\r\n\r\n250 2.0.0 taken\r\n"))],
        &[(".", Bytes(b"250\r\n"))],
        &[(".", Bytes(b"250-one\n250-two\n250 three\n"))],
        &[("greeting", Bytes(b"220\r\n")), ("EHLO", Bytes(b"250\r\n")), ("MAIL", Bytes(b"\r\n250\r\n"))],
        &[("DATA", Bytes(b"354\r\n")), ("QUIT", Silence)],
        &[("EHLO", Bytes(b"502 never heard of it\r\n")), ("HELO", Bytes(b"250 hello\r\n"))],
        &[(".", Endless(b"250 taken ", b"x")), ("QUIT", Close)],
    ];
    for answers in TAKEN {
        let server = serve(answers);
        let spool = TempDir::new().unwrap();
        for _ in 0..2 {
            server.mail(spool.path()).run().clean(0);
        }
        assert_eq!((server.mails(), notes(spool.path()), waiting(spool.path())), (1, 1, 0));
    }
}

#[test]
fn without_an_answer_to_the_whole_mail_it_is_perhaps_taken_and_not_sent_again() {
    const UNKNOWN: &[&[(&str, Answer)]] = &[
        &[(".", Close)],
        &[(".", Drip(b"25"))],
        &[(".", Bytes(b"hello\r\n"))],
        &[(".", Bytes(b"250-taken\r\n554 or not\r\n"))],
        &[(".", Bytes(b"354 go on\r\n"))],
        &[(".", Endless(b"", b"x"))],
        &[(".", Endless(b"", b"250-x\r\n"))],
        &[(".", Endless(b"", b"\r\n"))],
    ];
    for answers in UNKNOWN {
        let server = serve(answers);
        let spool = TempDir::new().unwrap();
        let run = server.mail(spool.path()).run();
        let run = run.says(3, &["a@example.net: perhaps taken", "not sent again without --again"]);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
        let note = fs::read_to_string(spool.path().join("sent.ndjson")).unwrap();
        assert!(note.contains("\"unconfirmed\":true"), "{note}");
        server.mail(spool.path()).run().clean(0);
        assert_eq!((server.mails(), waiting(spool.path())), (1, 0));
        server.mail(spool.path()).args(["--again"]).run().says(3, &["perhaps taken"]);
        assert_eq!(server.mails(), 2);
    }
}

/// A run with an account, which servers that offer AUTH are sent.
fn with_login(server: &Server, spool: &Path) -> Tool {
    server.mail(spool).env("SMTP_USER", "ops").env("SMTP_PASSWORD", "s3cret-word")
}

#[test]
fn a_refusal_that_is_about_us_costs_nobody_their_mail() {
    const ABOUT_US: &[&[(&str, Answer)]] = &[
        &[("greeting", Bytes(b"554 5.7.1 no service for you\r\n"))],
        &[("EHLO", Bytes(b"550 5.7.1 Helo command rejected\r\n"))],
        &[("AUTH", Bytes(b"535 5.7.139 the password has expired\r\n"))],
        &[("AUTH", Bytes(b"504 5.5.4 unknown mechanism\r\n"))],
        &[("MAIL", Bytes(b"550 5.7.1 sender not allowed\r\n"))],
        &[("MAIL", Bytes(b"530 5.7.0 Authentication required\r\n"))],
        &[("RCPT", Bytes(b"504 5.5.2 <box7>: Helo command rejected: need fully-qualified hostname\r\n"))],
        &[("RCPT", Bytes(b"554 5.7.1 Relay access denied\r\n"))],
        &[("RCPT", Bytes(b"550 relay not permitted\r\n"))],
        &[("RCPT", Bytes(b"550 5.1.8 Sender address rejected\r\n"))],
        &[("DATA", Bytes(b"554 5.5.1 no valid recipients\r\n"))],
        &[(".", Bytes(b"451 4.3.0 try later\r\n"))],
        &[("RCPT", Bytes(b"299 what\r\n"))],
        &[("DATA", Bytes(b"250 ok\r\n"))],
    ];
    for answers in ABOUT_US {
        let is_auth = answers[0].0 == "AUTH";
        let server = if is_auth { serve(leak(answers[0])) } else { serve(answers) };
        let spool = TempDir::new().unwrap();
        let mail = if is_auth { with_login(&server, spool.path()) } else { server.mail(spool.path()) };
        mail.run().says(3, &["a@example.net: not mailed yet", "waits in the spool"]);
        assert_eq!((waiting(spool.path()), notes(spool.path())), (1, 0));
    }
}

/// The same with an EHLO that offers AUTH.
fn leak(answer: (&'static str, Answer)) -> &'static [(&'static str, Answer)] {
    Box::leak(Box::new([("EHLO", Bytes(b"250-mx\r\n250 AUTH PLAIN\r\n")), answer]))
}

#[test]
fn a_refusal_of_the_recipient_or_of_the_message_is_final() {
    const FINAL: &[&[(&str, Answer)]] = &[
        &[("RCPT", Bytes(b"550 5.1.1 no such user\r\n"))],
        &[("RCPT", Bytes(b"550 5.1.1 Empf\xe4nger unbekannt\r\n"))],
        &[("RCPT", Bytes(b"550\r\n"))],
        &[(".", Bytes(b"554 5.7.1 looks like spam\r\n"))],
        &[("MAIL", Bytes(b"552 5.3.4 too big\r\n"))],
    ];
    for answers in FINAL {
        let server = serve(answers);
        let spool = TempDir::new().unwrap();
        server.mail(spool.path()).run().says(1, &["a@example.net: not mailed by"]);
        assert_eq!((waiting(spool.path()), notes(spool.path())), (0, 0));
    }
}

/// A run that may have 512 MiB of address space and must end in time.
fn bounded(server: &Server, spool: &Path) -> Run {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("report");
    fs::write(&path, report()).unwrap();
    let mail = server.mail(spool).command(dir.path());
    let line = format!("ulimit -v 524288; exec {} \"$@\" <{}", built("mod-mail").display(), path.display());
    let mut bash = std::process::Command::new("bash");
    bash.args(["-c", &line, "mod-mail"]).args(mail.get_args()).current_dir(dir.path()).env_clear();
    bash.envs(mail.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = bash.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let stderr = crate::support::drain(child.stderr.take().unwrap());
    let code = wait(&mut child, DEADLINE).code();
    Run { code, signal: None, stdout: String::new(), stderr: stderr.join().unwrap() }
}

#[test]
fn what_has_no_end_takes_neither_memory_nor_time_and_the_mail_waits() {
    const ENDLESS: &[&[(&str, Answer)]] = &[
        &[("greeting", Endless(b"", b"2"))],
        &[("greeting", Endless(b"220 ", b"x"))],
        &[("greeting", Endless(b"", b"220-x\r\n"))],
        &[("greeting", Endless(b"", b"\r\n"))],
        &[("greeting", Drip(b"220-x\r\n"))],
        &[("greeting", Silence)],
        &[("EHLO", Endless(b"", b"250-X\r\n"))],
        &[("EHLO", Drip(b"2"))],
        &[("MAIL", Endless(b"250 ", b"x"))],
        &[("RCPT", Endless(b"", b"250-x\r\n"))],
        &[("RCPT", Silence)],
        &[("DATA", Endless(b"354 ", b"x"))],
        &[("DATA", Drip(b"3"))],
        // Answers in advance belong to no command.
        &[(
            "greeting",
            Bytes(b"220 x\r\n250 x\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken, honest\r\n221 bye\r\n"),
        )],
        &[("DATA", Bytes(b"354 go\r\n250 taken already\r\n"))],
    ];
    for answers in ENDLESS {
        let server = serve(answers);
        let spool = TempDir::new().unwrap();
        let begun = Instant::now();
        let run = bounded(&server, spool.path()).says(3, &["waits in the spool"]);
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", run.stderr);
        assert_eq!((waiting(spool.path()), notes(spool.path())), (1, 0), "{}", run.stderr);
    }
}

#[test]
fn what_is_said_in_clear_behind_starttls_is_not_believed() {
    const INJECTED: &[(&str, Answer)] = &[
        ("EHLO", Bytes(b"250-mx\r\n250 STARTTLS\r\n")),
        (
            "STARTTLS",
            Bytes(b"220 go\r\n250-injected\r\n250 AUTH PLAIN\r\n235 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"),
        ),
    ];
    const BLANK: &[(&str, Answer)] =
        &[("EHLO", Bytes(b"250-mx\r\n250 STARTTLS\r\n")), ("STARTTLS", Bytes(b"220 go\r\n\r\n"))];
    for answers in [INJECTED, BLANK] {
        for tls in ["required", "opportunistic"] {
            let server = serve(answers);
            let spool = TempDir::new().unwrap();
            let run = server.mail(spool.path()).env("SMTP_TLS", tls).run();
            run.says(3, &["sent in clear behind the answer to STARTTLS", "waits in the spool"]);
            assert_eq!((server.heard("STARTTLS").len(), server.heard("MAIL").len()), (1, 0), "{tls}");
            assert_eq!(notes(spool.path()), 0);
        }
    }
}

#[test]
fn a_login_answers_prompts_of_any_words_and_gives_the_password_once() {
    const PROMPTS: [&[(&str, Answer)]; 3] = [
        &[("step", Bytes(b"334 R2VicnVpa2Vyc25hYW06\r\n"))],
        &[("step", Bytes(b"334\r\n"))],
        &[("step", Bytes(b"334 not base64 at all\r\n"))],
    ];
    for prompts in PROMPTS {
        let Bytes(prompt) = prompts[0].1 else { unreachable!() };
        let all = [("EHLO", Bytes(b"250-mx\r\n250 AUTH LOGIN\r\n")), ("AUTH", Bytes(prompt)), prompts[0]];
        let server = serve(Box::leak(Box::new(all)));
        let spool = TempDir::new().unwrap();
        // It asks once more than there is to say.
        let run = with_login(&server, spool.path()).run().says(3, &["waits in the spool"]);
        assert!(!run.stderr.contains("s3cret") && !run.stderr.contains("czNjcmV0"), "{}", run.stderr);
        assert_eq!(server.heard("b3Bz").len(), 1);
        assert_eq!(server.heard("czNjcmV0LXdvcmQ=").len(), 1);
        assert_eq!(server.heard("*").len(), 1);
    }
}

#[test]
fn the_name_in_ehlo_has_a_dot_unless_the_user_says_otherwise() {
    let server = serve(&[]);
    let spool = TempDir::new().unwrap();
    server.mail(spool.path()).env("SMTP_HELO", "reports.example.org").run().clean(0);
    server.mail(spool.path()).args(["--again"]).run().clean(0);
    let without_a_sender = tool("mod-mail").args(["--check"]).env("SMTP_HOST", "127.0.0.1");
    without_a_sender.env("SMTP_PORT", server.port.to_string()).run().clean(0);
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let host = Some(host.trim()).filter(|host| host.contains('.'));
    let expected = ["reports.example.org", host.unwrap_or("example.net"), host.unwrap_or("[127.0.0.1]")];
    assert_eq!(server.heard("EHLO"), expected.map(|name| format!("EHLO {name}")));
    let run = server.mail(spool.path()).env("SMTP_HELO", "a b").run();
    run.says(2, &["SMTP_HELO", "invalid name", "reports.example.net"]);
}
