//! mod-store: samples and scans into the database, one transaction per device and scan.

mod database;

pub use database::{Channel, Counts, Database, Device, Group, Stored, Window};
