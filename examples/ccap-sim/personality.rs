//! The command line of a family, as an author who has only seen its output would write it: what is
//! typed goes in, text with LF comes out. Nothing here knows how the collector reads it.

use modtools::{modulation::Modulation, platform::Platform};

use crate::{
    casa, cbr8,
    chance::pick,
    e6000,
    fault::Kind,
    fleet::{Class, Device, Upstream},
    state::{Shown, Weather},
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
    /// It adds to samples; without it nothing is missing.
    Extra,
}

/// The command line of one family, one file each. Adding a vendor adds a file and a line in [`of`].
pub trait Personality: Sync {
    /// Its place in device names: `0` for `CCAP0xx`.
    fn digit(&self) -> char;

    /// What its SSH server calls itself.
    fn software(&self) -> &'static str;

    /// The profile numbers of QPSK, 16QAM and 64QAM that every collector knows without being told.
    fn well_known(&self) -> [u32; 3];

    /// The answer to a command; none when the device does not know it.
    fn reply(&self, device: &Device, moment: Moment, privileged: bool, command: &str) -> Option<Reply>;

    /// What the device's text tells of an upstream, as far as it tells anything.
    fn shown<'a>(&self, device: &'a Device, upstream: &'a Upstream, now: Now) -> Option<Shown<'a>>;

    /// The whole name of the k-th of so many channels.
    fn upstream_name(&self, device: &Device, k: usize, of: usize, class: Class) -> String;

    /// How the k-th channel of a device is modulated.
    fn class(&self, seed: u64, k: usize, plain: bool) -> Class {
        let _ = k;
        if seed.is_multiple_of(40) && !plain { Class::Tdma } else { Class::Atdma }
    }

    /// The place of the k-th channel in the channel plan, and whether it is half as wide as planned.
    fn carrier(&self, k: usize) -> (usize, bool) {
        (k, false)
    }

    /// Whether the device prints the modulation itself, so that profile numbers need no explanation.
    fn prints_modulation(&self, device: &Device) -> bool {
        let _ = device;
        false
    }

    /// Whether the family has what this fault breaks.
    fn suits(&self, kind: Kind) -> bool {
        !matches!(kind, Kind::UserMode | Kind::NoHopHistory)
    }

    /// The prompt in privileged mode.
    fn prompt(&self, device: &Device) -> String {
        format!("{}#", device.name)
    }

    /// The prompt before `enable`, on a device that begins there.
    fn user_prompt(&self, device: &Device) -> Option<String> {
        let _ = device;
        None
    }

    /// What stands where a page is full.
    fn pager(&self) -> &'static str {
        "--More--"
    }

    /// What is printed after login, before the first prompt.
    fn greeting(&self, device: &Device) -> String {
        let _ = device;
        "\n".to_owned()
    }

    /// How the device says that it does not understand: a caret under the first word that is not known,
    /// below the echo of the command.
    fn error(&self, device: &Device, command: &str) -> String {
        let column = prompt(device).len() + command.find(' ').map_or(0, |space| space + 1);
        format!("{:column$}^\n% Invalid input detected at '^' marker.\n\n", "")
    }
}

/// The state of an upstream at a moment.
#[derive(Clone, Copy)]
pub struct Now {
    pub slot: Slot,
    pub weather: Weather,
    pub modulation: Modulation,
}

/// The personality of a family.
pub fn of(platform: Platform) -> &'static dyn Personality {
    match platform {
        Platform::E6000 => &e6000::E6000,
        Platform::Casa => &casa::Casa,
        Platform::Cbr8 => &cbr8::Cbr8,
        Platform::Snmp => unreachable!("invariant: a simulated device is of a family with a command line"),
    }
}

/// The answer of a device to a command, faults included.
pub fn reply(device: &Device, moment: Moment, privileged: bool, command: &str) -> Reply {
    let personality = of(device.platform);
    let words: Vec<&str> = command.split_whitespace().collect();
    let error = || Reply::Text(personality.error(device, command));
    match personality.reply(device, moment, privileged, &words.join(" ")) {
        None => error(),
        Some(Reply::Table(_, Need::Optional)) if device.has(Kind::OptionalRefused) => error(),
        Some(Reply::Table(_, Need::Extra)) if device.has(Kind::ExtraRefused) => error(),
        Some(Reply::Table(_, Need::Needed | Need::Last)) if device.has(Kind::ErrorForTable) => error(),
        Some(reply) => reply,
    }
}

/// The prompt in privileged mode, without what faults make of it.
pub fn prompt(device: &Device) -> String {
    if device.has(Kind::EchoWrap80) {
        return format!("{}.rack-17.headend-north.core.access-network.example.net#", device.name);
    }
    match device.fault(Kind::OddHostName) {
        Some(odd) => format!("{}#", odd.argument.as_deref().unwrap_or("5#-lab *1 north")),
        None => of(device.platform).prompt(device),
    }
}

/// Everything that the device's text tells of its upstreams: the truth that a collector has to find.
pub fn shown(device: &Device, slot: Slot) -> impl Iterator<Item = Shown<'_>> {
    let weather = device.weather(slot);
    let personality = of(device.platform);
    device.upstreams.iter().filter_map(move |upstream| {
        let modulation = device.modulation_in(upstream, slot, weather);
        let mut shown = personality.shown(device, upstream, Now { slot, weather, modulation })?;
        if upstream.unknown.is_some() && !personality.prints_modulation(device) {
            shown.modulation = Modulation::Unknown;
            shown.explained_by = None;
        }
        Some(shown)
    })
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
