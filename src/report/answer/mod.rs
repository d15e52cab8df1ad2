//! What mod-report answers besides its report: one file per question.

pub mod at;
pub mod changes;
pub mod check;
pub mod days;
pub mod events;
pub mod fresh;
pub mod samples;
mod stream;
pub mod works;
