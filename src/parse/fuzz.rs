//! Properties of mod-parse, for any bytes.

use clap::Parser;

use crate::{
    cli,
    fuzz::bounded,
    platform::Platform,
    record::{self, Record},
    stage::Context,
};

/// Pasted text of any platform becomes records, and no more samples than it has lines.
pub fn pasted(bytes: &[u8]) {
    let (&first, text) = bytes.split_first().unwrap_or((&0, &[]));
    let platform = Platform::ALL[usize::from(first) % Platform::ALL.len()].word();
    let output = run(&["--raw", "--platform", platform, "--cmts", "CCAP001"], text);
    let samples = output.lines().filter(|line| matches!(record::decode(line), Ok(Record::Sample(_)))).count();
    let lines = text.split(|byte| matches!(byte, b'\n' | b'\r')).count();
    assert!(samples <= 2 * lines + 16, "{samples} samples of {lines} lines");
}

/// A stream of any lines comes out as a stream of lines.
pub fn stream(bytes: &[u8]) {
    run(&["-j", "1"], bytes);
}

fn run(flags: &[&str], mut input: &[u8]) -> String {
    let args = cli::Parse::try_parse_from([&["mod-parse"], flags].concat()).expect("flags");
    let context = Context { tool: "mod-parse", ..Context::default() };
    let (mut output, bytes) = (Vec::new(), input);
    // Input that cannot be used ends the run by an error.
    let _ = super::run(&args, &context, &mut input, &mut output);
    bounded("the output", output.len(), 40, bytes);
    let output = String::from_utf8(output).expect("UTF-8");
    for line in output.lines().filter(|line| line.starts_with("{\"v\":1,\"type\":\"sample\"")) {
        record::decode(line).expect("a sample");
    }
    output
}

crate::fuzz::held! { pasted: any_text_is_parsed, stream: any_stream_is_parsed }
