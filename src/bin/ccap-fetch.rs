//! What each CCAP says of its upstreams, over SSH or by SNMP.

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    modtools::stage::main(modtools::fetch::run)
}

#[cfg(windows)]
fn main() -> ExitCode {
    modtools::stage::needs_linux("ccap-fetch")
}
