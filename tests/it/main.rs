//! The integration tests, one binary so that they link once: the tools as processes, against real servers.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod browser;
mod fetch_cli;
mod fetch_ssh;
mod fetch_sshd;
mod fleet;
mod page;
mod served;
mod sshd;
mod store;
mod store_mysql;
mod support;
mod web;
