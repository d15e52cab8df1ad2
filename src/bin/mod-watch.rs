//! Keeps a pipeline alive and says how it is.

use std::process::ExitCode;

fn main() -> ExitCode {
    modtools::stage::main(modtools::watch::run)
}
