//! Samples and scans into the database.

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    modtools::stage::main_with_threads(modtools::store::run)
}

#[cfg(windows)]
fn main() -> ExitCode {
    modtools::stage::needs_linux("mod-store")
}
