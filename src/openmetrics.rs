//! Gauges as both Prometheus' text format and OpenMetrics read them: without a time of their own, and `# EOF` at the
//! end, for the textfile collector of node_exporter.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

/// The text of one gauge.
#[derive(Debug)]
pub struct Metric {
    text: String,
    name: &'static str,
}

impl Metric {
    /// One without a value yet; `help` says what it counts, and in what.
    #[must_use]
    pub fn new(name: &'static str, help: &str) -> Self {
        Metric { text: format!("# HELP {name} {help}\n# TYPE {name} gauge\n"), name }
    }

    /// Adds a value, a finite number, of these labels.
    pub fn value(&mut self, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<_> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        // Into a string nothing fails.
        let _ = match labels.is_empty() {
            true => writeln!(self.text, "{} {value}", self.name),
            false => writeln!(self.text, "{}{{{}}} {value}", self.name, labels.join(",")),
        };
    }
}

/// Writes them all, and the end.
pub fn write(metrics: &[Metric], output: &mut dyn Write) -> io::Result<()> {
    metrics.iter().try_for_each(|metric| output.write_all(metric.text.as_bytes()))?;
    output.write_all(b"# EOF\n")
}

/// A label's value: backslash, quote and line feed are escaped, other control characters are not let through.
fn escaped(value: &str) -> String {
    let mut text = String::new();
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            c if c.is_control() => text.push('\u{fffd}'),
            c => text.push(c),
        }
    }
    text
}
