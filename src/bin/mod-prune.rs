//! Keeps the database from growing.

use std::process::ExitCode;

fn main() -> ExitCode {
    modtools::stage::main(modtools::prune::run)
}
