//! Samples and scans into the database.

use std::process::ExitCode;

fn main() -> ExitCode {
    modtools::stage::main_with_threads(modtools::store::run)
}
