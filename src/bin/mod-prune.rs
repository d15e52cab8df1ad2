//! Keeps the database from growing.

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    modtools::stage::main(modtools::prune::run)
}

#[cfg(windows)]
fn main() -> ExitCode {
    modtools::stage::needs_linux("mod-prune")
}
