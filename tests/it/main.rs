//! The integration tests, one binary so that they link once: the tools as processes, against real servers.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod browser;
mod fetch_cli;
mod fetch_faults;
mod fetch_run;
mod fetch_ssh;
mod fetch_sshd;
mod fleet;
mod mail;
mod mail_delivery;
mod mailbox;
mod man;
mod manual;
mod mariadb;
mod page;
mod parse;
mod parse_stream;
mod report;
mod report_seed;
mod served;
mod sim;
mod sshd;
mod store;
mod store_mysql;
mod store_older;
mod support;
mod support_sim;
mod watch;
mod watch_faults;
mod watch_once;
mod web;
