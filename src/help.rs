//! The help of every tool: `-h` is the list of options, `--help` adds description, examples and exit codes.
//! Text is wrapped once, by clap, at the width of the terminal.

use clap::Command;

use crate::cli::Tool;

/// Columns of the widest help text.
const WIDEST: usize = 100;

/// The command line of a tool, with its help laid out.
pub fn command<A: Tool>() -> Command {
    let command = A::command().max_term_width(WIDEST);
    let Some(text) = command.get_after_help().map(ToString::to_string) else { return command };
    let hint = if A::HINT.is_empty() { String::new() } else { format!("{}\n", A::HINT) };
    let short = format!("{hint}{} --help shows examples and exit codes.", A::NAME);
    command.after_long_help(reflowed(&text)).after_help(short)
}

/// The lines of a paragraph, and those of an item of a list, joined: the source breaks them for its own width.
fn reflowed(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let continues = lines.last().is_some_and(|last| {
            let running = !last.is_empty() && !last.starts_with(' ') && indent == 0;
            running || (last.starts_with("  ") && indent > 4)
        });
        match lines.last_mut().filter(|_| continues && !line.is_empty()) {
            Some(last) => *last += &format!(" {}", line.trim_start()),
            None => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_and_items_become_one_line_and_examples_stay() {
        let text = "One\ntwo.\n\nExamples:\n  a | b\n  c\n\nStatus:\n  0  it is\n     well\n  1  not";
        assert_eq!(
            reflowed(text),
            "One two.\n\nExamples:\n  a | b\n  c\n\nStatus:\n  0  it is well\n  1  not"
        );
    }
}
