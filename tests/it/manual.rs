//! A man page out of a tool's clap definition: OPTIONS as clap_mangen makes them, the help text's own EXAMPLES
//! and EXIT STATUS, and a hand-written rest.

use clap::{Arg, Command};
use clap_mangen::Man;
use roff::{Roff, bold, roman};

/// What the pages say of their age: mandoc wants a date, and a page must not change every day.
const DATE: &str = "2026-11-25";

/// The page of a tool; `rest` is roff, put in before SEE ALSO.
pub fn page(mut command: Command, rest: &str) -> String {
    command = command.disable_help_subcommand(true);
    command.build();
    let name = command.get_name().to_owned();
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let description = command.get_long_about().map(ToString::to_string).unwrap_or_default();
    let man = Man::new(command.clone())
        .title(name.to_uppercase())
        .date(DATE)
        .source(format!("modtools {}", env!("CARGO_PKG_VERSION")))
        .manual("modtools");

    let mut page = rendered(|out| man.render_title(out));
    let mut head = Roff::new();
    head.control("SH", ["NAME"]).text([roman(format!("{name} - {}", lower_first(&about)))]);
    page += &head.render();
    page += &section("SYNOPSIS", &synopsis(&mut command));
    page += &section("DESCRIPTION", &paragraphs(description.strip_prefix(&about).unwrap_or(&description)));
    page += &subcommands(&command);
    page += &options(&man);
    page += &sections_of_help(&help);
    page += rest;
    tidy(&page)
}

/// Whether a page has a section of this name.
pub fn has_section(page: &str, name: &str) -> bool {
    page.lines().any(|line| line.strip_prefix(".SH ").is_some_and(|it| it.trim_matches('"') == name))
}

fn rendered(render: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut bytes = Vec::new();
    render(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// As clap says it in one line.
fn synopsis(command: &mut Command) -> String {
    let usage = command.render_usage().to_string();
    let arguments = usage.trim().strip_prefix(&format!("Usage: {}", command.get_name())).unwrap_or(&usage);
    let mut out = Roff::new();
    out.text([bold(command.get_name()), roman(arguments)]);
    out.render()
}

fn options(man: &Man) -> String {
    rendered(|out| man.render_options_section(out))
}

fn section(name: &str, body: &str) -> String {
    let mut head = Roff::new();
    head.control("SH", [name]);
    if body.is_empty() { String::new() } else { head.render() + body }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// Verbs of a tool, each with the arguments that it alone has.
fn subcommands(command: &Command) -> String {
    let mut out = Roff::new();
    for verb in command.get_subcommands() {
        let own: Vec<&Arg> = verb
            .get_arguments()
            .filter(|arg| !arg.is_hide_set() && !arg.is_global_set())
            .filter(|arg| !["help", "version"].contains(&arg.get_id().as_str()))
            .collect();
        let mut usage = vec![bold(verb.get_name())];
        for arg in &own {
            usage.push(roman(match (arg.get_long(), arg.is_required_set()) {
                (Some(long), _) => format!(" [--{long}]"),
                (None, true) => " -- COMMAND...".to_owned(),
                (None, false) => " [-- COMMAND...]".to_owned(),
            }));
        }
        out.control("TP", []).text(usage);
        out.text([roman(format!("{}.", verb.get_about().map(ToString::to_string).unwrap_or_default()))]);
        for arg in own {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            let named = arg.get_long().map_or_else(|| "COMMAND".to_owned(), |long| format!("--{long}"));
            out.control("br", []).text([bold(named), roman(format!(": {}.", lower_first(&help)))]);
        }
    }
    if command.has_subcommands() { section("COMMANDS", &out.render()) } else { String::new() }
}

/// The blocks of a help text: those under `Examples:` and `Exit status:` become sections, the rest NOTES.
fn sections_of_help(help: &str) -> String {
    let (mut notes, mut examples, mut status) = (String::new(), String::new(), String::new());
    for block in help.split("\n\n") {
        match block.split_once('\n') {
            Some((head, body)) if head.eq_ignore_ascii_case("examples:") => examples += &paragraphs(body),
            Some((head, body)) if head.eq_ignore_ascii_case("exit status:") => status += &items(body),
            _ => notes += &paragraphs(block),
        }
    }
    section("EXAMPLES", &examples) + &section("EXIT STATUS", &status) + &section("NOTES", &notes)
}

/// Text in paragraphs: lines that begin with a blank stand as they are, the others are filled.
fn paragraphs(text: &str) -> String {
    let mut out = Roff::new();
    let mut literal = false;
    let mut begun = false;
    for line in text.lines() {
        let stands = line.starts_with(' ');
        if stands != literal {
            out.control(if stands { "PP" } else { "EE" }, []);
            if stands {
                out.control("EX", []);
            }
            literal = stands;
        } else if line.trim().is_empty() || !begun {
            out.control("PP", []);
        }
        begun = true;
        if !line.trim().is_empty() {
            out.text([roman(if literal { line } else { line.trim() })]);
        }
    }
    if literal {
        out.control("EE", []);
    }
    out.render()
}

/// A list of `  0  what it means`, with lines that go on deeper in.
fn items(text: &str) -> String {
    let mut out = Roff::new();
    for line in text.lines() {
        match line.trim_start().split_once("  ") {
            Some((code, meaning)) if code.chars().all(|c| c.is_ascii_digit()) => {
                out.control("TP", []).text([bold(code)]).text([roman(meaning.trim())]);
            }
            _ => {
                out.text([roman(line.trim())]);
            }
        }
    }
    out.render()
}

/// What mandoc finds superfluous goes: a paragraph right after a heading, a second break, the preamble that
/// every rendering repeats. Lines of running text become short.
fn tidy(page: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut literal = false;
    for line in page.lines().map(str::trim_end) {
        let last = lines.last().map_or("", String::as_str);
        let preamble = line.starts_with(".ie ") || line.starts_with(".el ");
        let again = line == ".br" && last == ".br";
        if (preamble && lines.len() > 2)
            || again
            || (line == ".PP" && last.starts_with(".SH"))
            || line.is_empty()
        {
            continue;
        }
        literal = line == ".EX" || literal && line != ".EE";
        // The line after .TP is the tag of the paragraph, and one line.
        if literal || line.starts_with('.') || last == ".TP" {
            lines.push(line.to_owned());
        } else {
            wrap(line, &mut lines);
        }
    }
    lines.join("\n") + "\n"
}

/// Breaks a line of running text at its blanks.
fn wrap(text: &str, lines: &mut Vec<String>) {
    let mut line = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() && line.len() + 1 + word.len() > 78 {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        } else if word.starts_with(['.', '\'']) {
            line.push_str("\\&");
        }
        line.push_str(word);
    }
    lines.push(line);
}
