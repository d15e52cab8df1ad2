//! What devices said is nearly all of the line of a capture. It is taken out of the line in one pass, into memory that
//! is used again for the next one; what is left is decoded as any other record.

use super::{BadLine, Capture, HEAD, Record, decode};

/// Bytes of memory that are kept for the next capture.
const KEPT: usize = 1 << 20;

/// The outputs of a capture's commands, in order.
#[derive(Default)]
pub struct Outputs {
    text: String,
    /// Where each of them ends in the text.
    ends: Vec<usize>,
}

impl Outputs {
    /// Decodes one line. The outputs of a capture are found here afterwards, and are empty in the record.
    ///
    /// # Errors
    /// The errors of [`decode()`].
    pub fn decode(&mut self, line: &str) -> Result<Record, BadLine> {
        self.clear();
        let lifted = self.lift(line).and_then(|rest| decode(&rest).ok());
        if let Some(record) = lifted {
            return Ok(record);
        }
        self.clear();
        let mut record = decode(line)?;
        if let Record::Capture(capture) = &mut record {
            self.take(capture);
        }
        Ok(record)
    }

    /// The outputs, one for each command.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.text[start..end])
    }

    /// Takes the outputs out of a capture.
    pub fn take(&mut self, capture: &mut Capture) {
        for command in &mut capture.commands {
            self.text.push_str(&std::mem::take(&mut command.output));
            self.ends.push(self.text.len());
        }
    }

    fn clear(&mut self) {
        self.text.clear();
        self.text.shrink_to(KEPT);
        self.ends.clear();
    }

    /// Takes the outputs out of the line of a capture, and gives what is left of it. None where the line is not put
    /// together exactly as our own tools do it, or an output holds what they do not write.
    fn lift(&mut self, line: &str) -> Option<String> {
        let is_capture = line.strip_prefix(HEAD)?.starts_with("capture\",");
        let is_plain = !line.bytes().fold(false, |any, b| any | (b < b' '));
        let (head, mut rest) = line.split_once(",\"commands\":[").filter(|_| is_capture && is_plain)?;
        self.text.reserve(rest.len());
        let mut left = [head, ",\"commands\":["].concat();
        loop {
            // A command and what stands behind its output hold no escape, so quotes and braces mean what they do.
            let command = rest.strip_prefix("{\"command\":\"")?;
            let (command, output) = command.split_at(memchr::memchr2(b'"', b'\\', command.as_bytes())?);
            let behind = self.unescape(output.strip_prefix("\",\"output\":\"")?)?;
            let (more, next) = behind.split_at(memchr::memchr(b'}', behind.as_bytes())?);
            if more.contains('\\') || more.contains("\"output\"") {
                return None;
            }
            for part in ["{\"command\":\"", command, "\"", more, "}"] {
                left.push_str(part);
            }
            match next {
                "}]}" => break,
                _ => rest = next.strip_prefix("},")?,
            }
            left.push(',');
        }
        left.push_str("]}");
        Some(left)
    }

    /// Adds the output whose JSON begins behind its opening quote, and gives what stands behind the closing one.
    fn unescape<'a>(&mut self, mut rest: &'a str) -> Option<&'a str> {
        loop {
            let (plain, special) = rest.split_at(memchr::memchr2(b'"', b'\\', rest.as_bytes())?);
            self.text.push_str(plain);
            let said = match special.as_bytes() {
                [b'"', ..] => {
                    self.ends.push(self.text.len());
                    return Some(&special[1..]);
                }
                [_, b'n', ..] => '\n',
                [_, b't', ..] => '\t',
                [_, b'r', ..] => '\r',
                [_, said @ (b'"' | b'\\' | b'/'), ..] => char::from(*said),
                _ => return None,
            };
            self.text.push(said);
            rest = &special[2..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMAND: &str = r#"{"command":"show x","output":"a\nb \"c\" \\","elapsed_ms":1,"complete":true}"#;

    fn line(commands: &str) -> String {
        format!(
            r#"{{"v":1,"type":"capture","ts":"2026-11-24T12:00:00Z","cmts":"CCAP001","platform":"e6000","host":"h","port":22,"status":"ok","commands":[{commands}]}}"#
        )
    }

    /// What both ways of decoding find in a line: the record, and its outputs.
    fn both(line: &str) -> [Result<(String, Vec<String>), BadLine>; 2] {
        let mut outputs = Outputs::default();
        let apart = outputs
            .decode(line)
            .map(|record| (format!("{record:?}"), outputs.iter().map(str::to_owned).collect()));
        let whole = decode(line).map(|mut record| {
            let mut outputs = Outputs::default();
            if let Record::Capture(capture) = &mut record {
                outputs.take(capture);
            }
            (format!("{record:?}"), outputs.iter().map(str::to_owned).collect())
        });
        [apart, whole]
    }

    #[test]
    fn outputs_that_are_taken_out_of_a_line_are_those_of_its_record() {
        let lift = |line: &str| Outputs::default().lift(line).is_some();
        assert!(lift(&line(COMMAND)) && lift(&line(&[COMMAND, COMMAND].join(","))));
        let other = [
            ("\\n", "\\u000a"),
            ("\\n", "\\x"),
            ("\\n", "\\ud800"),
            ("\\n", "\t"),
            ("show x", "show \\u0022"),
            ("show x", "show \\\"x"),
            ("\"elapsed_ms\":1", "\"output\":\"d\""),
            ("\"elapsed_ms\":1", "\"elapsed_ms\":\"}]}\""),
            ("\"elapsed_ms\":1", "\"more\":{\"output\":\"d\"}"),
            ("\"elapsed_ms\":1", "\"more\":[{\"command\":\"a\",\"output\":\"d\"}]"),
            ("\"complete\":true", "\"complete\":1"),
            ("\"status\"", "\"commands\":[],\"status\""),
            ("\"status\"", "\"more\":{\"a\":1,\"commands\":[]},\"status\""),
            ("]}", "]} "),
            ("]}", "],\"error\":\"e\"}"),
            ("]}", "]"),
            ("capture", "sample"),
        ];
        for (from, to) in
            other.into_iter().chain([("x", "x"), ("b", "\u{e9}"), ("{\"command\"", "{ \"command\"")])
        {
            for commands in [COMMAND.to_owned(), [COMMAND, COMMAND].join(",")] {
                let line = line(&commands).replacen(from, to, 1);
                let [apart, whole] = both(&line);
                assert_eq!(apart, whole, "{line}");
            }
        }
    }
}
