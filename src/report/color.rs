//! Colours of a terminal (ECMA-48, SGR): never the only bearer of what is said.

/// How a text is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Color {
    Plain,
    Bold,
    Dim,
    Red,
    Yellow,
    Magenta,
}

impl Color {
    fn code(self) -> Option<u8> {
        match self {
            Color::Plain => None,
            Color::Bold => Some(1),
            Color::Dim => Some(2),
            Color::Red => Some(31),
            Color::Yellow => Some(33),
            Color::Magenta => Some(35),
        }
    }
}

/// A text in a colour, where colours may be.
#[must_use]
pub fn paint(text: &str, color: Color, may: bool) -> String {
    match color.code() {
        Some(code) if may && !text.is_empty() => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        _ => text.to_owned(),
    }
}

/// A text whose characters each have a colour.
#[must_use]
pub fn paint_each(text: &str, color: impl Fn(char) -> Color, may: bool) -> String {
    let mut painted = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let color_of_run = color(first);
        let end = rest.find(|c| color(c) != color_of_run).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        painted += &paint(run, color_of_run, may);
        rest = after;
    }
    painted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_one_colour_are_painted_once_and_only_where_they_may() {
        let color = |c| if c == '2' { Color::Red } else { Color::Plain };
        assert_eq!(paint_each("6622-6", color, true), "66\u{1b}[31m22\u{1b}[0m-6");
        assert_eq!(paint_each("6622-6", color, false), "6622-6");
        assert_eq!(paint("", Color::Bold, true), "");
    }
}
