//! Cleans what a terminal session printed: control sequences are carried out, pagers removed. The fetcher
//! cleans what a device sends with it, the parser what an operator pasted.

use std::iter::Peekable;

/// The text that a session's bytes show: CR LF and CR CR LF end a line, backspaces and erasures are carried
/// out, other control characters and sequences (ECMA-48) are dropped, `--More--` and `:` pagers too, and
/// invalid UTF-8 becomes U+FFFD. A CR of its own ends a line too, because some devices end theirs so.
///
/// Time and memory are linear in the input: the text is at most four times as long, plus `SPARE_BLANKS`.
#[must_use]
pub fn clean(bytes: &[u8]) -> String {
    let mut screen = Screen {
        text: String::with_capacity(bytes.len()),
        blanks_left: bytes.len() + SPARE_BLANKS,
        ..Screen::default()
    };
    let mut rest = characters(bytes).peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' => screen.end_line(),
            '\r' => {
                while rest.next_if_eq(&'\r').is_some() {}
                if rest.peek() != Some(&'\n') {
                    screen.lone_return();
                }
            }
            '\u{8}' => screen.column = screen.column.saturating_sub(1),
            '\u{1b}' => escape(&mut rest, &mut screen),
            '\u{9b}' => control_sequence(&mut rest, &mut screen),
            '\t' => screen.put(c),
            c if c.is_control() => {}
            c => screen.put(c),
        }
    }
    screen.flush_line();
    screen.text
}

/// As `String::from_utf8_lossy`, without a copy.
fn characters(bytes: &[u8]) -> impl Iterator<Item = char> + '_ {
    bytes.utf8_chunks().flat_map(|chunk| {
        let invalid = (!chunk.invalid().is_empty()).then_some(char::REPLACEMENT_CHARACTER);
        chunk.valid().chars().chain(invalid)
    })
}

/// One movement to the right goes no further, columns.
const WIDEST_MOVE: usize = 1024;
/// Blanks that movements to the right may fill in beyond one for each byte of the input: enough for a prompt
/// drawn at the right edge of a short answer.
const SPARE_BLANKS: usize = 1024;
/// A longer line is written out in parts of this length, and nothing can overwrite a part once it is written.
const LONGEST_LINE: usize = 64 << 10;

#[derive(Default)]
struct Screen {
    text: String,
    line: Vec<char>,
    column: usize,
    /// Whether the line's beginning is written out already.
    continued: bool,
    blanks_left: usize,
}

impl Screen {
    fn put(&mut self, c: char) {
        match self.line.get_mut(self.column) {
            Some(cell) => *cell = c,
            None => {
                self.fill_in();
                self.line.push(c);
            }
        }
        self.column += 1;
        if self.column == self.line.len() && self.line.len() >= LONGEST_LINE {
            self.flush_line();
            self.continued = true;
        }
    }

    /// Blanks up to the cursor, as many as are left. One at least, so that what stood apart stays apart: the
    /// movement took more bytes than that.
    fn fill_in(&mut self) {
        let end = self.line.len();
        let gap = self.column - end;
        if gap > 0 {
            let blanks = gap.min(self.blanks_left.max(1));
            self.blanks_left = self.blanks_left.saturating_sub(blanks);
            self.column = end + blanks;
            self.line.resize(self.column, ' ');
        }
    }

    fn flush_line(&mut self) {
        // Blanks right of the cursor are what a pager was wiped out with.
        while self.line.len() > self.column && self.line.last() == Some(&' ') {
            self.line.pop();
        }
        let shown = match self.pager() {
            0 => 0,
            length => skip(&self.line, length, |c| c == ' '),
        };
        self.text.extend(&self.line[shown..]);
        self.begin_line();
    }

    fn begin_line(&mut self) {
        self.line.clear();
        self.column = 0;
        self.continued = false;
    }

    fn pager(&self) -> usize {
        if self.continued { 0 } else { pager(&self.line) }
    }

    fn end_line(&mut self) {
        if self.line.is_empty() {
            self.text.push('\n');
            return self.begin_line();
        }
        let length = self.pager();
        if length > 0 && skip(&self.line, length, |c| c == ' ') == self.line.len() {
            self.begin_line();
        } else {
            self.flush_line();
            self.text.push('\n');
        }
    }

    /// A pager is wiped out by blanks between two carriage returns; anything else stays as a line.
    fn lone_return(&mut self) {
        if !self.continued && self.line.iter().all(|c| *c == ' ') {
            self.begin_line();
        } else {
            self.end_line();
        }
    }

    fn sequence(&mut self, parameters: &str, last: char) {
        let count = parameters.split(';').next().and_then(|n| n.parse::<usize>().ok());
        match (last, count) {
            ('K', None | Some(0)) => self.line.truncate(self.column),
            ('K', Some(2)) => self.line.clear(),
            ('C', n) => {
                let moved = self.column + n.unwrap_or(1).clamp(1, WIDEST_MOVE);
                self.column = moved.min(WIDEST_MOVE.max(self.column));
            }
            ('D', n) => self.column = self.column.saturating_sub(n.unwrap_or(1).max(1)),
            _ => {}
        }
    }
}

fn escape(rest: &mut Peekable<impl Iterator<Item = char>>, screen: &mut Screen) {
    match rest.next() {
        Some('[') => control_sequence(rest, screen),
        // Strings (window titles and the like) end with BEL or ESC \.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(c) = rest.next() {
                if c == '\u{7}' || (c == '\u{1b}' && rest.next_if_eq(&'\\').is_some()) {
                    break;
                }
            }
        }
        Some(' '..='/') => while rest.next().is_some_and(|c| matches!(c, ' '..='/')) {},
        _ => {}
    }
}

fn control_sequence(rest: &mut Peekable<impl Iterator<Item = char>>, screen: &mut Screen) {
    let mut parameters = String::new();
    while let Some(c) = rest.next_if(|c| matches!(c, ' '..='?')) {
        if parameters.len() < 32 {
            parameters.push(c);
        }
    }
    if let Some(last) = rest.next_if(|c| matches!(c, '@'..='~')) {
        screen.sequence(&parameters, last);
    }
}

/// Where the characters of a class that begin at `from` end.
fn skip(line: &[char], from: usize, class: impl Fn(char) -> bool) -> usize {
    from + line[from..].iter().take_while(|c| class(**c)).count()
}

/// How many characters at the start of a line are a pager's: ` --More-- `, `<--- More --->`, `:`, `(END)`.
fn pager(line: &[char]) -> usize {
    let word = skip(line, 0, |c| c == ' ');
    match line[word..] {
        // An IPv6 address may begin with two colons, nothing begins with one.
        [':', ':', ..] => {}
        [':', ..] => return word + 1,
        ['(', 'E', 'N', 'D', ')'] => return line.len(),
        _ => {}
    }
    let dashes = skip(line, word, |c| c == '<' || c == '-');
    let more = skip(line, dashes, |c| c == ' ');
    let Some(name) = line.get(more..more + 4) else { return 0 };
    if dashes < word + 2 || !name.iter().collect::<String>().eq_ignore_ascii_case("more") {
        return 0;
    }
    let blanks = skip(line, more + 4, |c| c == ' ');
    let end = skip(line, blanks, |c| c == '-' || c == '>');
    if end < blanks + 2 { 0 } else { end }
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn a_session_reads_as_it_stood_on_the_screen() {
        for (sent, shown) in [
            ("a\r\nb\r\r\nc\n", "a\nb\nc\n"),
            ("a\rb\rc", "a\nb\nc"),
            (
                "row 1\r\n --More-- \u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}          \u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}row 2\r\n",
                "row 1\nrow 2\n",
            ),
            ("row 1\r\n--More--\r        \rrow 2\r\n", "row 1\nrow 2\n"),
            ("row 1\n --More-- \nrow 2\n", "row 1\nrow 2\n"),
            ("row 1\n --More-- row 2\n", "row 1\nrow 2\n"),
            ("row 1\r\n:\u{1b}[Krow", "row 1\nrow"),
            ("row 1\r\n:\r\u{1b}[Krow 2\r\n", "row 1\nrow 2\n"),
            ("\u{1b}[1;32mgreen\u{1b}[0m \u{1b}]0;title\u{7}x\u{1b}(By\0\u{7}\n", "green xy\n"),
            ("abd\u{8}c\n", "abc\n"),
            ("ab\u{1b}[2Cc\u{1b}[5D\u{1b}[KX", "X"),
            ("no more --\ta: b\n", "no more --\ta: b\n"),
            ("\n\r\n\u{1b}[5C\n\n", "\n\n\n\n"),
            ("", ""),
        ] {
            assert_eq!(clean(sent.as_bytes()), shown, "{sent:?}");
        }
        assert_eq!(clean(b"N\xf6rd\n"), "N\u{fffd}rd\n");
        // Hostile: a cursor far to the right, sequences that never end.
        assert!(clean(b"\x1b[999999999Cx\x1b[999999999Cy").len() < 4096);
        assert_eq!(clean(b"a\x1b]never ends"), "a");
        assert_eq!(clean(b"a\x1b"), "a");
    }
}
