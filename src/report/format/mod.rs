//! The forms of a report: one file each.

pub mod groups;
pub mod json;
pub mod ndjson;
pub mod seed;
pub mod table;
