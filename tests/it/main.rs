//! The integration tests, one binary so that they link once: the tools as processes, against real servers.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod support;
mod watch;
mod watch_faults;
mod watch_once;
