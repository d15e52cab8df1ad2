//! A report into the mailboxes that wait for it, each exactly once.

use std::process::ExitCode;

fn main() -> ExitCode {
    modtools::stage::main(modtools::mail::run)
}
