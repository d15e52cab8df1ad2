//! ccap-fetch.
mod exchange;
pub use exchange::*;
