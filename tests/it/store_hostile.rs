//! mod-store against servers that are not what they should be, and the ways to prove who one is.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    hostile_ssh::LIMIT,
    mariadb::{MariaDb, variable},
    store::two_scans,
    support::tool,
};

const SECRET: &str = "nobody's business";

/// One packet of the MySQL protocol: a length of three bytes, a number, the payload.
fn send(stream: &mut TcpStream, number: u8, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
    let packet = [&length[..3], &[number], payload].concat();
    // The client may be gone by now.
    let _ = stream.write_all(&packet);
}

fn receive(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).ok()?;
    let mut payload = vec![0; u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize];
    stream.read_exact(&mut payload).ok()?;
    Some((head[3], payload))
}

/// The greeting of a server that offers this way to log in.
fn greeting(plugin: &str) -> Vec<u8> {
    // Every capability but TLS and compression.
    let capabilities: u32 = 0x00ff_f7ff & !0x0820 & !0x0100_0000;
    let [low, lower, high, higher] = capabilities.to_le_bytes();
    let mut greeting = vec![10];
    greeting.extend(b"8.0.99-hostile\0");
    greeting.extend([1, 0, 0, 0]);
    greeting.extend(b"abcdefgh\0");
    greeting.extend([low, lower, 45, 2, 0, high, higher, 21]);
    greeting.extend([0; 10]);
    greeting.extend(b"ijklmnopqrst\0");
    greeting.extend(plugin.as_bytes());
    greeting.push(0);
    greeting
}

const OK: [u8; 7] = [0, 0, 0, 2, 0, 0, 0];

/// Lets the client in, answers its first question with `answer`, and gives all that it says afterwards.
fn converse(listener: &TcpListener, plugin: &str, login: &[u8], answer: &[u8]) -> Vec<u8> {
    let (mut stream, _) = listener.accept().unwrap();
    send(&mut stream, 0, &greeting(plugin));
    let mut said = Vec::new();
    let mut answers = [login, answer].into_iter();
    while let Some((number, payload)) = receive(&mut stream) {
        said.extend(payload);
        match answers.next() {
            Some(answer) => send(&mut stream, number + 1, answer),
            None => send(&mut stream, number + 1, &OK),
        }
        if said.len() > 1 << 20 {
            break;
        }
    }
    said
}

/// What mod-store tells such a server, and what it says of it.
fn meet(plugin: &'static str, login: Vec<u8>, answer: Vec<u8>) -> (Vec<u8>, crate::support::Run) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mysql://u@{}/d", listener.local_addr().unwrap());
    let server = thread::spawn(move || converse(&listener, plugin, &login, &answer));
    let run = tool("mod-store").args(["--db", &url]).env("ACCESS_PASSWORD", SECRET).stdin(two_scans()).run();
    (server.join().unwrap(), run)
}

fn contains(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|window| window == words.as_bytes())
}

#[test]
fn a_server_that_asks_for_a_file_gets_nothing() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("private");
    fs::write(&file, "for my eyes only").unwrap();
    let request = [b"\xfb", file.to_str().unwrap().as_bytes()].concat();
    let (said, run) = meet("mysql_native_password", OK.into(), request);
    assert!(contains(&said, "SELECT @@"), "the conversation came so far");
    assert!(!contains(&said, "for my eyes only"));
    run.says(1, &["mod-store: database mysql://u@127.0.0.1"]);
}

#[test]
fn a_server_that_asks_for_the_password_itself_does_not_get_it() {
    // AuthSwitchRequest to the method that sends it as it is.
    let switch = b"\xfemysql_clear_password\0".to_vec();
    let (said, run) = meet("mysql_native_password", switch, OK.into());
    assert!(!said.is_empty() && !contains(&said, SECRET));
    run.says(1, &["mod-store: database", "no connection"]);
}

#[test]
fn a_password_for_full_authentication_is_not_sent_in_the_clear() {
    // "Perform full authentication": over plain TCP only encrypted to a key of the server, which it refuses to show.
    let refusal = b"\xff\x15\x04#28000no key".to_vec();
    let (said, run) = meet("caching_sha2_password", vec![1, 4], refusal);
    assert!(!contains(&said, SECRET));
    run.says(1, &["mod-store: database", "no connection", "no key"]);
}

/// The key to encrypt the password with is none: nothing is sent, and nothing panics.
#[test]
fn a_key_that_is_none_ends_the_login() {
    let key: &[u8] = b"\x01-----BEGIN PUBLIC KEY-----\nnone\n-----END PUBLIC KEY-----\n";
    for key in [&b"\x01"[..], b"\x01no key at all", key, &[0x01, 0xff, 0xfe, 0x00]] {
        let (said, run) = meet("caching_sha2_password", vec![1, 4], key.into());
        assert!(!contains(&said, SECRET));
        let run = run.says(1, &["mod-store: database", "no connection"]);
        assert!(!run.stderr.contains("internal fault"), "{}", run.stderr);
    }
}

#[test]
fn a_server_that_talks_nonsense_is_a_clear_failure() {
    for nonsense in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"\0\0\0\0", b"SSH-2.0-x\r\n"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("mysql://u@{}/d", listener.local_addr().unwrap());
        let server = thread::spawn(move || listener.accept().unwrap().0.write_all(nonsense).unwrap());
        let run = tool("mod-store").args(["--db", &url]).env("ACCESS_PASSWORD", "x").stdin(two_scans()).run();
        server.join().unwrap();
        let run = run.says(1, &["mod-store: database mysql://u@127.0.0.1", "no connection"]);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    }
}

/// Says the same again and again until nobody listens.
fn repeat(stream: &mut TcpStream, bytes: &[u8], pause: Duration) {
    while stream.write_all(bytes).is_ok() {
        thread::sleep(pause);
    }
}

fn greet(stream: &mut TcpStream) {
    send(stream, 0, &greeting("caching_sha2_password"));
    receive(stream);
}

/// What a server says to whoever connects.
type Talk = fn(&mut TcpStream);

/// At each step up to the login, in little memory; what comes after it is in `store_faults`.
#[test]
fn a_server_that_never_stops_talking_ends_within_the_time_of_a_login() {
    const AT_ONCE: Duration = Duration::ZERO;
    let steps: [(&str, Talk); 6] = [
        ("silence", |stream| while stream.read(&mut [0]).is_ok_and(|bytes| bytes > 0) {}),
        ("a greeting byte by byte", |stream| repeat(stream, b"\n", Duration::from_millis(100))),
        ("a greeting without end", |stream| {
            let _ = stream.write_all(&[0xff, 0xff, 0xff, 0, 10]);
            repeat(stream, &[b'8'; 60_000], AT_ONCE);
        }),
        ("an answer to the login without end", |stream| {
            greet(stream);
            let _ = stream.write_all(&[0xff, 0xff, 0xff, 2]);
            repeat(stream, &[0; 60_000], AT_ONCE);
        }),
        ("answers to the login without end", |stream| {
            greet(stream);
            repeat(stream, &[2, 0, 0, 2, 1, 3].repeat(1000), AT_ONCE);
        }),
        ("an answer to the login byte by byte", |stream| {
            greet(stream);
            repeat(stream, &[200], Duration::from_millis(100));
        }),
    ];
    thread::scope(|scope| {
        for (what, talk) in steps {
            scope.spawn(move || {
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let url = format!("mysql://u@{}/d", listener.local_addr().unwrap());
                thread::spawn(move || listener.incoming().for_each(|stream| talk(&mut stream.unwrap())));
                let spool = TempDir::new().unwrap();
                let tool = tool("mod-store").args(["--db", &url]).arg("--spool", spool.path()).under(&LIMIT);
                let began = Instant::now();
                let run = tool.env("ACCESS_PASSWORD", SECRET).stdin(two_scans()).run();
                // It is tried at the beginning and at the end.
                assert!(began.elapsed() < Duration::from_secs(2 * 30 + 60), "{what}: {:?}", began.elapsed());
                assert_eq!((run.code, run.signal), (Some(3), None), "{what}: {}", run.stderr);
                assert!(run.stderr.contains("wait in the spool"), "{what}: {}", run.stderr);
                assert!(!run.stderr.contains("internal fault"), "{what}: {}", run.stderr);
            });
        }
    });
}

#[test]
fn the_ways_to_log_in_that_the_server_has_are_spoken() {
    let mut db = MariaDb::initialised();
    let password = variable("MODTOOLS_TEST_MYSQL_PASSWORD");
    // Another test may do the same at this moment; the plugin is there for good then.
    db.run("INSTALL PLUGIN IF NOT EXISTS ed25519 SONAME 'auth_ed25519'");
    for (n, way) in [
        format!("mysql_native_password USING PASSWORD('{password}')"),
        format!("ed25519 USING PASSWORD('{password}')"),
    ]
    .iter()
    .enumerate()
    {
        let user = format!("{}_{n}", db.name);
        db.run(&format!("CREATE USER '{user}'@'%' IDENTIFIED VIA {way}"));
        db.run(&format!("GRANT ALL ON `{}`.* TO '{user}'@'%'", db.name));
        let url = format!("mysql://{user}@{}/{}", variable("MODTOOLS_TEST_MYSQL"), db.name);
        let run = db.tool(&url).args(["--check"]).run();
        db.run(&format!("DROP USER '{user}'@'%'"));
        let run = run.clean(0);
        assert!(run.stdout.contains(&user), "{}", run.stdout);
    }
}
