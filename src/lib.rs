//! Seven small programs, one record stream: at which modulation each upstream channel of each CCAP
//! runs, every ten minutes, and in the morning which ones suffer, why, and what it costs.
//!
//! ```text
//! inventory ─▶ ccap-fetch ─▶ mod-parse ─▶ mod-store ─▶ database ─▶ mod-report ─▶ mod-mail
//!               capture       sample        │                       report/row     (SMTP)
//!                             scan          └▶ spool                web page
//! mod-prune: retention of the database        mod-watch: keeps a pipeline alive and says how it is
//! ```
//!
//! Where to start reading: [`record`] is the contract between the tools; [`stage`] is the harness
//! around each of them; [`platform`] is what we know about devices, [`database`] where samples are kept, [`measure`]
//! what the numbers mean; then one module per tool. A tool imports these and never another tool.

#[cfg(unix)]
pub mod account;
#[cfg(unix)]
pub mod backoff;
pub mod cli;
pub mod clock;
mod closed_set;
pub mod contain;
pub mod database;
pub mod error;
pub mod exit;
#[cfg(unix)]
pub mod fetch;
#[cfg_attr(windows, path = "windows/files.rs")]
pub mod files;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod glob;
pub mod help;
#[cfg_attr(windows, path = "windows/interrupt.rs")]
pub mod interrupt;
pub mod language;
pub mod layout;
pub mod lock;
#[cfg(unix)]
pub mod mail;
pub mod measure;
pub mod modulation;
pub mod moment;
pub mod ndjson;
pub mod openmetrics;
pub mod output;
pub mod parse;
pub mod platform;
#[cfg_attr(windows, path = "windows/process.rs")]
pub mod process;
#[cfg(unix)]
pub mod procfs;
#[cfg(unix)]
pub mod prune;
pub mod record;
mod relay;
pub mod report;
pub mod settings;
#[cfg_attr(windows, path = "windows/signals.rs")]
pub mod signals;
#[cfg(unix)]
pub mod snmp;
#[cfg(unix)]
pub mod ssh;
pub mod stage;
#[cfg(unix)]
pub mod store;
pub mod sync;
pub mod tables;
pub mod text;
#[cfg(unix)]
pub mod tls;
pub mod units;
#[cfg(unix)]
pub mod watch;
