//! What the numbers of a report mean. Everything here is pure: samples, windows and names go in, numbers come
//! out; nothing reads a file, a database or the clock.
//!
//! - [`arithmetic`] takes the samples of one upstream in the order of time and gives its numbers.
//! - [`window`] knows local days: 23 or 25 hours long when the clocks change.
//! - [`tally`] does the same for all upstreams of a window, and finds what happened to several at once.
//! - [`plan`] goes through the days of a window; [`memory`] is what an upstream's past says of it.
//! - [`rollup`] is a finished day of one upstream, as the database keeps it.
//! - [`roster`] keeps the names of upstreams and what is known of them besides samples; [`devices`] finds the
//!   devices that were silent; [`nodes`] and [`expected`] are what people say of upstreams, [`by_name`] finds their
//!   lines; [`maintenance`] knows when a CMTS was worked on; [`why`] names what is wrong.
//! - [`works`] compares the hours before works with those after them.
//! - [`events`] finds what fell just now and what is back, from scan to scan.
//! - [`stretches`] writes modulations in the order of time as a short text.
//! - [`snr`] is the signal-to-noise ratio of a day.
//! - [`natural`] sorts `1/scq/2` before `1/scq/10`.

pub mod arithmetic;
pub mod by_name;
pub mod devices;
pub mod events;
pub mod expected;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod maintenance;
pub mod memory;
pub mod natural;
pub mod nodes;
pub mod plan;
pub mod rollup;
pub mod roster;
pub mod says;
pub mod snr;
pub mod stretches;
pub mod tally;
pub mod why;
pub mod window;
pub mod works;

pub use devices::Device;
pub use roster::Channel;
pub use window::Window;
