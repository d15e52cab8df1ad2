//! Settings: every name that is read stands in the registry and in the manual, and files that people or neighbours
//! write are refused where they cannot be believed.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
};

use modtools::settings::names::{self, Kind};
use tempfile::TempDir;

use crate::support::{in_package, tool};

/// The source without its unit tests, file by file.
fn sources() -> Vec<(PathBuf, String)> {
    let (mut sources, mut folders): (Vec<(PathBuf, String)>, _) = (Vec::new(), vec![in_package("src")]);
    let mut tests = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs")
                && !path.ends_with("settings/names.rs")
            {
                let text = fs::read_to_string(&path).unwrap();
                let mut code = String::new();
                for (n, part) in text.split("#[cfg(test)]\nmod ").enumerate() {
                    match part.split_once(";\n").filter(|(name, _)| n > 0 && !name.contains(' ')) {
                        // Tests in a file of their own.
                        Some((name, rest)) => {
                            tests.insert(format!("{name}.rs"));
                            code.push_str(rest);
                        }
                        None if n == 0 => code.push_str(part),
                        None => break,
                    }
                }
                sources.push((path, code));
            }
        }
    }
    sources
        .retain(|(path, _)| !path.file_name().is_some_and(|name| tests.contains(&*name.to_string_lossy())));
    sources
}

/// Words of string literals that look like a setting: they begin as one of the registry does, or stand alone in a
/// call that reads one.
fn names_in(code: &str) -> BTreeSet<String> {
    let first = |name: &str| name.split('_').next().unwrap_or_default().to_owned();
    let named = |kinds: &[Kind]| -> BTreeSet<String> {
        let all = names::ALL.iter().filter(|(name, kind)| kinds.contains(kind) && name.contains('_'));
        all.map(|(name, _)| first(name)).collect()
    };
    let beginnings = named(&[Kind::Value, Kind::Secret]);
    let mut found = BTreeSet::new();
    for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
        let parts: Vec<&str> = line.split('"').collect();
        for (before, literal) in parts.iter().zip(&parts[1..]).step_by(2) {
            let reads = ["get(", "secret(", "switch(", "parse(", "place(", "var(", "var_os(", "or_setting("];
            let read = reads.iter().any(|call| before.ends_with(call));
            for word in literal.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')) {
                let shaped = word.len() > 1 && word.starts_with(|c: char| c.is_ascii_uppercase());
                let ours = word.contains('_') && !word.ends_with('_') && beginnings.contains(&first(word));
                let whole = word == *literal;
                let ours = ours && (whole || !IN_SQL.contains(&first(word).as_str()));
                // A name that is put together at run time.
                let begun = literal.contains(&format!("{word}{{"));
                if shaped && !begun && (ours || (read && whole)) {
                    found.insert(word.to_owned());
                }
            }
        }
    }
    found
}

/// Words of SQL begin so too: there only a literal of one word is a name.
const IN_SQL: [&str; 4] = ["DATA", "FROM", "ID", "TO"];

#[test]
fn every_setting_that_is_read_is_in_the_registry() {
    let mut read = 0;
    for (path, code) in sources() {
        for name in names_in(&code) {
            assert!(
                names::kind(&name).is_some(),
                "{} reads {name}, which src/settings/names.rs does not have",
                path.display()
            );
            read += 1;
        }
    }
    assert!(read > 60, "{read} names were found: the search does not work any more");
    let found = names_in("x.get(\"NEW_THING\"); y(\"set MODTOOLS_NEW or\"); z.get(\"id\");\n// \"SMTP_OLD\"");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["MODTOOLS_NEW", "NEW_THING"]);
}

#[test]
fn every_setting_that_is_read_is_in_the_sample_and_in_the_manual() {
    let sample = fs::read_to_string(in_package("examples/modtools.env")).unwrap();
    let manual = fs::read_to_string(in_package("man/modtools.5")).unwrap();
    let read: BTreeSet<String> = sources().iter().flat_map(|(_, code)| names_in(code)).collect();
    for (name, kind) in names::ALL {
        let listed = read.contains(*name) && matches!(kind, Kind::Value | Kind::Secret);
        if listed || *kind == Kind::Retired {
            assert!(manual.contains(name), "modtools(5) does not name {name}");
        }
        let shown = [format!("\n{name}="), format!("\n#{name}=")].iter().any(|line| sample.contains(line));
        assert!(shown || !listed, "examples/modtools.env does not have {name}");
    }
    for line in sample.lines().map(|line| line.trim_start_matches('#')) {
        let Some((name, _)) = line.split_once('=').filter(|(name, _)| !name.contains(' ')) else { continue };
        assert!(names::kind(name).is_some(), "examples/modtools.env has {name}, which no tool knows");
    }
}

fn mail(dir: &Path) -> crate::support::Tool {
    tool("mod-mail").args(["--check", "--timeout", "2s"]).dir(dir).env("SMTP_PORT", "1")
}

/// A file of this mode.
fn file(dir: &Path, name: &str, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

fn utf16(text: &str) -> Vec<u8> {
    [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

#[test]
fn settings_that_are_not_utf8_are_refused_by_file_and_line() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    for (name, content, words) in [
        ("u.env", utf16("SMTP_HOST=mx\r\n"), ["u.env line 1", "UTF-16"]),
        ("l.env", b"SMTP_HOST=mx\nSMTP_PASSWORD=gehe\xefm\n".to_vec(), ["l.env line 2", "Latin-1"]),
        ("n.env", b"SMTP_HOST=mx\0\n".to_vec(), ["n.env line 1", "NUL"]),
    ] {
        file(dir, name, content, 0o600);
        mail(dir).arg("--env-file", name).run().says(2, &words);
    }
    file(dir, "b.env", "\u{feff}SMTP_HOST=127.0.0.1\r\nFROM_EMAIL=a@example.net\r\n", 0o600);
    mail(dir).arg("--env-file", "b.env").run().says(1, &["127.0.0.1"]);
    let value = std::os::unix::ffi::OsStringExt::from_vec(b"gehe\xefm".to_vec());
    let value: std::ffi::OsString = value;
    mail(dir).env("SMTP_PASSWORD", value).run().says(2, &["SMTP_PASSWORD in the environment is not UTF-8"]);
}

#[test]
fn a_secret_file_is_one_line_of_utf8_from_a_file_or_a_pipe_or_is_refused_by_name() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    let secret = |content: &[u8]| {
        file(dir, "p", content, 0o600);
        mail(dir).env("SMTP_USER", "u").env("SMTP_HOST", "127.0.0.1").env("SMTP_PASSWORD_FILE", "p")
    };
    for good in [&b"\xef\xbb\xbfsecret\r\n"[..], b"secret\n\n", b"secret"] {
        let run = secret(good).env("FROM_EMAIL", "a@example.net").run();
        assert!(!run.stderr.contains("SMTP_PASSWORD"), "{}", run.stderr);
    }
    let long = vec![b'x'; 1 << 20];
    for (bad, word) in [
        (&b"gehe\xefm\n"[..], "line 1: byte 0xef is not UTF-8"),
        (&utf16("secret")[..], "UTF-16"),
        (b"\r\n", "empty"),
        (b"a\nb\n", "more than one line"),
        (&long, "wrong file"),
    ] {
        secret(bad).run().says(2, &["SMTP_PASSWORD_FILE: p: ", word]);
    }
    secret(b"x").env("SMTP_PASSWORD_FILE", "/dev/zero").run().says(2, &["SMTP_PASSWORD_FILE", "/dev/zero"]);
    secret(b"x").env("SMTP_PASSWORD_FILE", "gone").run().says(2, &["SMTP_PASSWORD_FILE: gone: no such file"]);
    let fifo = dir.join("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
    secret(b"x").env("SMTP_PASSWORD_FILE", "fifo").run().says(2, &["fifo", "nobody wrote to this pipe"]);
    let writer = std::thread::spawn(move || fs::write(fifo, "secret\n"));
    let run = secret(b"x").env("SMTP_PASSWORD_FILE", "fifo").env("FROM_EMAIL", "a@example.net").run();
    assert!(!run.stderr.contains("SMTP_PASSWORD"), "{}", run.stderr);
    writer.join().unwrap().unwrap();
}

#[test]
fn a_credentials_directory_that_cannot_be_read_is_a_fault() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    file(dir, "plain", "", 0o600);
    for (place, word) in [("gone", "cannot read gone"), ("plain", "cannot read plain")] {
        let run =
            mail(dir).env("SMTP_USER", "u").env("SMTP_PASSWORD", "never").env("CREDENTIALS_DIRECTORY", place);
        let run = run.run().says(2, &[word]);
        assert!(!run.stderr.contains("never"));
    }
}

#[test]
fn an_env_file_of_somebody_else_is_not_read_and_secrets_that_others_can_read_are_named() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    file(dir, ".env", "SMTP_HOST=127.0.0.1\nFROM_EMAIL=a@example.net\nSMTP_PASSWORD='hush'\n", 0o644);
    let run = mail(dir).run().says(1, &[".env: others can read SMTP_PASSWORD in it; chmod 600 .env"]);
    assert!(!run.stderr.contains("hush"), "{}", run.stderr);
    file(dir, ".env", "SMTP_HOST=127.0.0.1\nFROM_EMAIL=a@example.net\nSMTP_PASSWORD=gAAAAABx\n", 0o644);
    assert!(!mail(dir).run().stderr.contains("others can read"));
    file(dir, ".env", "SMTP_HOST=127.0.0.1\nFROM_EMAIL=a@example.net\nSMTP_PASSWORD=hush\n", 0o600);
    assert!(!mail(dir).run().stderr.contains("others can read"));
    if chown(dir.join(".env"), Some(65_534), None).is_err() {
        eprintln!("not root: an env file of somebody else was not tried");
        return;
    }
    mail(dir).run().says(2, &[".env belongs to another user (uid 65534)", "--env-file .env"]);
    mail(dir).arg("--env-file", ".env").run().says(1, &["127.0.0.1"]);
}

#[test]
fn an_env_file_that_grows_beyond_bounds_is_refused_soon() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    let doubling: String = (1..64).fold("A0=xxxxxxxx\n".to_owned(), |text, n| {
        let before = n - 1;
        text + &format!("A{n}=${{A{before}}}${{A{before}}}\n")
    });
    let many = format!("A={}\n", "x".repeat(60 << 10)) + &"B=${A}\n".repeat(100);
    let large = "#\n".repeat(600 << 10);
    for (name, text, word) in [
        ("bomb", doubling, "the value of A14 is too long"),
        ("many", many, "too long"),
        ("large", large, "larger"),
    ] {
        let path = file(dir, name, text, 0o600);
        mail(dir).arg("--env-file", &path).run().says(2, &[name, word]);
    }
    let lines = "'\n".repeat(250 << 10);
    file(dir, "lines", format!("{lines}SMTP_HOST=127.0.0.1\nFROM_EMAIL=a@example.net\n"), 0o600);
    let run = mail(dir).args(["-q", "--env-file", "lines"]).under(&["prlimit", "--cpu=20"]).run();
    assert_eq!(run.signal, None, "{}", run.stderr);
}
