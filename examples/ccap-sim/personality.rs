//! The command line of a family, as an author who has only seen its output would write it: what is
//! typed goes in, text with LF comes out. Nothing here knows how the collector reads it.

use modtools::{modulation::Modulation, platform::Platform};

use crate::{
    casa, cbr8,
    chance::pick,
    e6000,
    fault::Kind,
    fleet::{Class, Device},
    state::Shown,
    time::{Moment, Slot},
};

/// What a device does with a line that was typed.
#[derive(Debug)]
pub enum Reply {
    /// Prints a text; whether a scan can do without it.
    Table(String, Need),
    /// Prints a text of no importance.
    Text(String),
    /// No more pages; prints nothing.
    PagingOff,
    /// Leaves user mode.
    Enable,
    /// Ends the session.
    Logout,
}

/// What a table is to a collector; faults strike the one or the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// There are no samples without it.
    Needed,
    /// The last of the needed ones: what strikes it comes when the rest is already whole.
    Last,
    /// Samples can do without.
    Optional,
}

/// The answer of a device to a command, faults included.
pub fn reply(device: &Device, moment: Moment, privileged: bool, command: &str) -> Reply {
    let words: Vec<&str> = command.split_whitespace().collect();
    let line = words.join(" ");
    let lower = line.to_ascii_lowercase();
    let reply = match device.platform {
        Platform::E6000 => e6000::reply(device, moment, &lower),
        Platform::Casa => casa::reply(device, moment, &lower),
        Platform::Cbr8 => cbr8::reply(device, moment, privileged, &line),
    };
    let error = || Reply::Text(error(device, command));
    match reply {
        None => error(),
        Some(Reply::Table(_, Need::Optional)) if device.has(Kind::OptionalRefused) => error(),
        Some(Reply::Table(_, Need::Needed | Need::Last)) if device.has(Kind::ErrorForTable) => error(),
        Some(reply) => reply,
    }
}

/// How a family says that it does not understand.
pub fn error(device: &Device, command: &str) -> String {
    match device.platform {
        Platform::E6000 => format!("Error: unknown command: {}\n", command.trim()),
        // The caret stands under the first word that is not known, below the echo of the command.
        Platform::Casa | Platform::Cbr8 => {
            let column = prompt(device).len() + command.find(' ').map_or(0, |space| space + 1);
            format!("{:column$}^\n% Invalid input detected at '^' marker.\n\n", "")
        }
    }
}

/// The prompt in privileged mode, without what faults make of it.
pub fn prompt(device: &Device) -> String {
    match device.platform {
        _ if device.has(Kind::EchoWrap80) => {
            format!("{}.rack-17.headend-north.core.access-network.example.net#", device.name)
        }
        Platform::E6000 | Platform::Cbr8 => format!("{}#", device.name),
        Platform::Casa => format!("{}-C100G#", device.name),
    }
}

/// What a family prints where a page is full.
pub fn pager(device: &Device) -> &'static str {
    match device.platform {
        Platform::E6000 => "--More--",
        Platform::Casa => ":",
        Platform::Cbr8 => " --More-- ",
    }
}

/// What is printed after login, before the first prompt.
pub fn greeting(device: &Device) -> String {
    match device.platform {
        Platform::E6000 => format!("\nWelcome to {}\n\n", device.name),
        Platform::Casa => "\nCASA-C100G\n\nLast login: from 127.0.0.1 on ssh\n".to_owned(),
        Platform::Cbr8 => "\n".to_owned(),
    }
}

/// Everything that the device's text tells of its upstreams: the truth that a collector has to find.
pub fn shown(device: &Device, slot: Slot) -> impl Iterator<Item = Shown<'_>> {
    let weather = device.weather(slot);
    let all_refused = device.has(Kind::OptionalRefused);
    device.upstreams.iter().filter_map(move |upstream| {
        let modulation = device.modulation_in(upstream, slot, weather);
        let mut shown = match device.platform {
            Platform::E6000 => e6000::shown(device, upstream, modulation),
            Platform::Casa if all_refused => casa::shown_by_history(device, upstream, modulation, weather)?,
            Platform::Casa => casa::shown(device, upstream, modulation, weather),
            Platform::Cbr8 => cbr8::shown(device, upstream, modulation, slot),
        };
        if upstream.unknown.is_some() && !cbr8::prints_modulation(device) {
            shown.modulation = Modulation::Unknown;
        }
        Some(shown)
    })
}

/// How the k-th channel of a device is modulated.
pub fn class(platform: Platform, seed: u64, k: usize, plain: bool) -> Class {
    match (platform, seed % 40) {
        (Platform::E6000 | Platform::Cbr8, _) if k % 12 == 11 => Class::Ofdma,
        (_, 0) if !plain => Class::Tdma,
        (Platform::E6000, 1) if !plain => Class::Scdma,
        _ => Class::Atdma,
    }
}

/// The place of the k-th channel in the channel plan, and whether it is half as wide as planned.
pub fn carrier(platform: Platform, k: usize) -> (usize, bool) {
    if platform == Platform::Casa { casa::carrier(k) } else { (k, false) }
}

/// The whole name of the k-th of so many channels.
pub fn upstream_name(device: &Device, k: usize, of: usize, class: Class) -> String {
    match device.platform {
        Platform::E6000 => e6000::upstream_name(device.variant, k, class),
        Platform::Casa => casa::upstream_name(k),
        Platform::Cbr8 => cbr8::Place::of(device.variant, k, of).upstream_name(),
    }
}

/// What operators write beside an upstream: free text, some of it harmful to the careless.
pub fn description(hash: u64) -> Option<&'static str> {
    const TEXTS: [&str; 16] = [
        "MND-WCGT02-1A 060.001",
        "NODE-12 Kerkstraat / show street",
        "NODE-13 Hoofdweg",
        "NODE-14 a|b, north",
        "AMS-N07 <b>bold</b> & more",
        "AMS-N08 \"quoted\" node",
        "=HYPERLINK(\"http://example.net\")",
        "-spare-",
        "moved from C1/0/0/U3",
        "see C2/0/1/UB first",
        "Zürich Süd",
        "100% loaded, split planned",
        "RTM-7; drop table nodes",
        "Error: none so far",
        "ends like a prompt CCAP201#",
        "M 364 316",
    ];
    (!hash.is_multiple_of(5)).then(|| pick(&TEXTS, hash >> 8))
}
