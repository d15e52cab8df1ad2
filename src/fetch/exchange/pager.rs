//! The wordings with which devices stop after a page, although paging was switched off, and the key for each.

/// No pager is longer.
const LONGEST: usize = 100;

/// A line that waits for a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pager {
    /// Its text without numbers: the same for every page.
    pub wording: String,
    /// What brings the next page.
    pub key: &'static [u8],
}

/// Reads an unterminated line as a pager.
pub(super) fn read(line: &str) -> Option<Pager> {
    let line = line.trim();
    if line.is_empty() || line.len() > LONGEST {
        return None;
    }
    let lower = line.to_ascii_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let key: &[u8] = if lower.ends_with("(end)") {
        b"q"
    } else if lower == ":"
        || is_more(&lower)
        || lower.strip_prefix("lines ").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        || any(&["any key", "<space>", "press space"]) && any(&["press", "hit", "continue", "page"])
    {
        b" "
    } else if any(&["press enter", "press return", "press <enter>", "press <return>"]) {
        b"\n"
    } else {
        return None;
    };
    Some(Pager { wording: lower.split(|c: char| c.is_ascii_digit()).collect(), key })
}

/// `--More--`, `<--- More --->`, `--More--(35%)`, `--More-- or (q)uit`, `-- MORE --, next page: Space, …`,
/// `[more 12%] (…)`, `---(more)---`: the word is the first one, behind two marks or a bracket.
fn is_more(lower: &str) -> bool {
    let word = lower.trim_start_matches(['-', '<', '[', '(', ' ']);
    let marks = &lower[..lower.len() - word.len()];
    (marks.matches('-').count() >= 2 || marks.contains(['<', '[', '(']))
        && word.strip_prefix("more").is_some_and(|rest| {
            rest.trim_start().is_empty()
                || rest.trim_start().starts_with(['-', '>', ']', ')', '(', ',', '.'])
                || rest.trim_start().starts_with(|c: char| c.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wording_has_its_key() {
        for line in [
            " --More-- ",
            "<--- More --->",
            "--More-- or (q)uit",
            "--More--(35%)",
            "-- MORE --, next page: Space, next line: Enter, quit: Control-C",
            "[more 12%] (use <space> or q)",
            "<SPACE> for next page, <CR> for next line, Q to quit",
            "---(more 35%)---",
            "---- More ----",
            ":",
            "lines 1-23",
            "Press any key to continue (Q to quit)",
            "Press <SPACE> to continue or <Q> to quit",
        ] {
            assert_eq!(read(line).map(|pager| pager.key), Some(&b" "[..]), "{line}");
        }
        assert_eq!(read("lines 20-30 (END)").unwrap().key, b"q");
        assert_eq!(read("Press RETURN to get started.").unwrap().key, b"\n");
        assert_eq!(read("--More--(35%)").unwrap().wording, read("--More--(7%)").unwrap().wording);
    }

    #[test]
    fn rows_and_questions_are_no_pagers() {
        for line in [
            "- north-more-",
            "-more-",
            "- more than one -",
            "-- more modems than before",
            "(Press 'a' to accept):",
            "1/0: more",
            "12:",
            "Description --More",
            "",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
