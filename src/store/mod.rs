//! mod-store: samples and scans into the database, one transaction per device and scan.

mod check;
mod intake;
mod keeper;
mod notify;
mod receipt;
mod replay;
mod run;
mod session;
mod spool;
mod tee;

pub use run::run;
