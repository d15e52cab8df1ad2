//! What the samples of a window say of each upstream.

use std::process::ExitCode;

fn main() -> ExitCode {
    modtools::stage::main(modtools::report::run)
}
