//! SNMP as ccap-fetch needs it: v2c and v3, walks of a few columns, every wait bounded by a budget of ours.
//!
//! Only `message.rs` knows the snmp2 crate; `session.rs` has the socket. `walk`, `value`, `oid` and `ber` are pure.

mod access;
mod ber;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod message;
mod oid;
mod session;
mod value;
mod walk;

pub use access::{Access, AuthProtocol, PrivProtocol, User};
pub use oid::Oid;
pub use session::{End, Limits, Listener, Passed, Session, Walked};
pub use value::Value;

/// The UDP port of agents.
pub const PORT: u16 = 161;
