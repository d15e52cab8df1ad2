//! Properties of mod-report, for any bytes.

use clap::Parser;

use crate::{cli, clock::Clock, fuzz::bounded, record::Timestamp, settings::Settings, stage::Context};

/// Records of any kind become a report of any form, without control characters where people read it.
pub fn report(bytes: &[u8]) {
    const FORMS: [&str; 7] = ["table", "ndjson", "json", "csv", "csv-excel", "changes", "samples"];
    let (&first, mut text) = bytes.split_first().unwrap_or((&0, &[]));
    let form = FORMS[usize::from(first) % FORMS.len()];
    let args = ["mod-report", "--input", "-", "--tz", "Europe/Amsterdam", "--format", form];
    let args = cli::Report::try_parse_from(args).expect("flags");
    let context = Context {
        tool: "mod-report",
        settings: Settings::of([("NO_COLOR", "1")]),
        clock: Clock::Fixed(Timestamp(1_746_162_000)),
        ..Context::default()
    };
    let mut output = Vec::new();
    // Input that cannot be used ends the run by an error.
    let _ = super::run(&args, &context, &mut text, &mut output);
    bounded(form, output.len(), 80, bytes);
    let output = String::from_utf8(output).expect("UTF-8");
    assert!(!output.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r')), "{form}: {output:?}");
}

crate::fuzz::held! { report: any_records_are_reported }
