//! mod-parse: captures in, samples and scans out.

use std::process::ExitCode;

use modtools::{parse, stage};

fn main() -> ExitCode {
    stage::main_with_threads(parse::run)
}
