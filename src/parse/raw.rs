//! `--raw`: what an operator pasted, one output or a whole terminal session, becomes a capture.

use std::io::BufRead;

use crate::{
    cli,
    error::{Error, Result},
    platform::{Dialogue, Names, Platform, family},
    record::{Capture, CommandOutput, Phases, Status, Timestamp},
    text,
};

/// Reads pasted text to its end.
pub(super) fn read(
    args: &cli::Parse,
    names: &Names,
    now: Timestamp,
    input: &mut dyn BufRead,
) -> Result<(Platform, Capture)> {
    let cmts = args.cmts.clone().unwrap_or_default();
    let platform = args.platform.or_else(|| names.platform(&cmts)).ok_or_else(|| {
        let words = Platform::words();
        Error::usage(format!("the name {cmts:?} does not tell its platform; give --platform, one of {words}"))
    })?;
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).map_err(Error::Input)?;
    let session = text::clean(&bytes);
    let command = args.command.as_deref().unwrap_or_default();
    let commands = match family(platform).dialogue() {
        Some(dialogue) => split(&session, command, dialogue),
        None => vec![answer(command, session)],
    };
    let capture = Capture {
        ts: now,
        cmts,
        platform: platform.word().to_owned(),
        family: None,
        host: String::new(),
        port: 0,
        status: Status::Ok,
        error: None,
        attempts: 0,
        elapsed_ms: 0,
        phases: Phases::default(),
        algorithms: None,
        host_key_sha256: None,
        commands,
    };
    Ok((platform, capture))
}

fn answer(command: &str, output: String) -> CommandOutput {
    CommandOutput { command: command.to_owned(), output, complete: true, ..CommandOutput::default() }
}

/// The commands of a session and what each was answered. Text before the first prompt, or all of it where
/// there is none, answers `command`. The handling of the session itself is left out.
fn split(session: &str, command: &str, dialogue: &Dialogue) -> Vec<CommandOutput> {
    let shows = |line| prompt(line).filter(|(_, typed)| is_show(typed)).map(|(host, _)| host);
    let host = session.lines().find_map(shows);
    let mut commands = Vec::new();
    let mut open = answer(command, String::new());
    for line in session.lines() {
        match prompt(line).filter(|(at, _)| host.is_some_and(|host| same_host(host, at))) {
            Some((_, typed)) => commands.push(std::mem::replace(&mut open, answer(typed, String::new()))),
            None => open.output.extend([line, "\n"]),
        }
    }
    commands.push(open);
    let head = host.is_none() || !commands[0].output.trim().is_empty();
    let rest = commands.split_off(1);
    commands.retain(|_| head);
    let handling = |typed: &str| {
        typed == dialogue.logout
            || typed.starts_with("enable")
            || dialogue.setup.iter().any(|spellings| spellings.contains(&typed))
    };
    commands
        .extend(rest.into_iter().filter(|answer| !answer.command.is_empty() && !handling(&answer.command)));
    commands
}

/// A line `HOST# typed` or `HOST> typed`, by its parts. A host name holds no blanks, so a row with a
/// description that holds `#` is none.
fn prompt(line: &str) -> Option<(&str, &str)> {
    let end = memchr::memchr2(b'#', b'>', line.as_bytes())?;
    let (host, typed) = line.split_at(end);
    let named = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._()/:@~".contains(&b));
    named.then(|| (host, typed[1..].trim()))
}

/// `CMTS`, `CMTS(config)` and `CMTS(config-if)` are one.
fn same_host(a: &str, b: &str) -> bool {
    let bare = |host: &str| host.split('(').next().map(str::len).unwrap_or_default();
    a[..bare(a)] == b[..bare(b)]
}

/// Operators abbreviate: `sh`, `sho`, `show`.
fn is_show(typed: &str) -> bool {
    typed.split_ascii_whitespace().next().is_some_and(|verb| verb.len() >= 2 && "show".starts_with(verb))
        && typed.contains(' ')
}
