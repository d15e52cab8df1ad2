//! What each CCAP says of its upstreams, over SSH.

use std::process::ExitCode;

fn main() -> ExitCode {
    modtools::stage::main(modtools::fetch::run)
}
