//! Keeps a pipeline alive and says how it is.

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    modtools::stage::main(modtools::watch::run)
}

#[cfg(windows)]
fn main() -> ExitCode {
    modtools::stage::needs_linux("mod-watch")
}
