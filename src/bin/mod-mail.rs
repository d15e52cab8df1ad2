//! A report into the mailboxes that wait for it, each exactly once.

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    modtools::stage::main(modtools::mail::run)
}

#[cfg(windows)]
fn main() -> ExitCode {
    modtools::stage::needs_linux("mod-mail")
}
