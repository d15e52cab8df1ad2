//! Who is in the fleet: names, addresses, faults, and the upstreams of each device with their habits.

use std::net::Ipv4Addr;

use modtools::{
    error::{Error, Result},
    modulation::Modulation,
    platform::Platform,
    record::Status,
};

use crate::{
    chance::{hash, pick},
    fault::{Fault, Kind, Rule},
    personality,
    profiles::Profiles,
};

/// The most devices that a fleet may have.
pub const MOST: usize = 500;
/// Sites that come before a name when a family has more than 99 devices.
const SITES: [&str; 5] = ["AMS", "RTM", "UTR", "EIN", "GRN"];

/// What a fleet is made of.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many of each family.
    pub devices: Vec<(Platform, usize)>,
    /// Upstreams in service of each device.
    pub upstreams: usize,
    /// What makes it differ from other fleets of the same size.
    pub seed: u64,
    /// Upstreams of each device whose profile number nothing explains.
    pub unknown: usize,
    /// What is wrong.
    pub faults: Vec<Rule>,
}

/// A simulated CCAP.
#[derive(Clone, Debug)]
pub struct Device {
    /// `CCAP001`.
    pub name: String,
    /// Its family.
    pub platform: Platform,
    /// Place in the fleet.
    pub index: usize,
    /// Where it listens.
    pub address: Ipv4Addr,
    /// Source of all its choices.
    pub seed: u64,
    /// How its text differs from that of others of its family: software release, options.
    pub variant: u64,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
    /// Its modulation profiles.
    pub profiles: Profiles,
    /// The modulations that its channels step through, lowest first.
    pub ladder: &'static [Modulation],
    /// Channels in service, in its own order.
    pub upstreams: Vec<Upstream>,
    /// Seed and size of the fleet, for what befalls one device of it at a time.
    pub fleet: (u64, usize),
}

/// How a channel is modulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Atdma,
    Scdma,
    Tdma,
    Ofdma,
}

impl Class {
    /// The word of samples and of most devices.
    pub fn word(self) -> &'static str {
        match self {
            Class::Atdma => "atdma",
            Class::Scdma => "scdma",
            Class::Tdma => "tdma",
            Class::Ofdma => "ofdma",
        }
    }
}

/// How a channel's modulation behaves over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// At its best, always.
    Steady,
    /// Low, always.
    StuckLow,
    /// Up and down every few minutes.
    Flapping,
    /// Lower in the evening, when the neighbours are at home.
    Evening,
    /// Lower for two hours now and then.
    Drifting,
}

/// An upstream channel in service.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Whole name, as its family writes it.
    pub name: String,
    /// Source of all its choices.
    pub seed: u64,
    /// How it is modulated.
    pub class: Class,
    /// How it behaves.
    pub habit: Habit,
    /// Its best modulation, as a place in the ladder of the device.
    pub top: usize,
    /// Centre frequency, kHz.
    pub center_khz: u64,
    /// Width, kHz.
    pub width_khz: u64,
    /// What the operator wrote.
    pub description: Option<&'static str>,
    /// A profile number that nothing explains, instead of its own.
    pub unknown: Option<u32>,
}

impl Device {
    /// The fault of this kind, if the device has it.
    pub fn fault(&self, kind: Kind) -> Option<&Fault> {
        self.faults.iter().find(|fault| fault.kind == kind)
    }

    /// Whether the device has a fault of this kind.
    pub fn has(&self, kind: Kind) -> bool {
        self.fault(kind).is_some()
    }

    /// The status that a collector has to give.
    pub fn expected(&self) -> Status {
        let mut all = self.faults.iter().map(Fault::expected);
        // What prevents samples comes before what merely spoils an optional answer.
        all.clone()
            .find(|status| !status.is_good())
            .or_else(|| all.find(|s| *s != Status::Ok))
            .unwrap_or(Status::Ok)
    }
}

impl Device {
    /// The status that a collector has to give by SNMP, v2c and v3.
    pub fn expected_by_snmp(&self) -> [Status; 2] {
        [0, 1].map(|version| {
            let all = self.faults.iter().map(|fault| fault.expected_by_snmp()[version]);
            let bad = all.clone().find(|status| !status.is_good());
            bad.or_else(|| all.max_by_key(|&status| status == Status::Partial)).unwrap_or(Status::Ok)
        })
    }

    /// Whether a fault of this kind is about the SNR alone.
    pub fn is_about_snr(&self, kind: Kind) -> bool {
        self.fault(kind).is_some_and(|fault| fault.argument.is_some())
    }
}

/// Makes the fleet.
///
/// # Errors
/// Too many devices, or a fault that fits nobody.
pub fn build(plan: &Plan) -> Result<Vec<Device>> {
    let count: usize = plan.devices.iter().map(|d| d.1).sum();
    if count == 0 || count > MOST {
        return Err(Error::usage(format!("--devices: {count} devices; a fleet has 1 to {MOST}")));
    }
    let names =
        plan.devices.iter().flat_map(|&(platform, n)| (0..n).map(move |i| (platform, name(platform, i))));
    let mut devices = Vec::with_capacity(count);
    for (index, (platform, name)) in names.enumerate() {
        let faults = plan.faults.iter().filter_map(|rule| rule.applied_to(&name, platform));
        let faults = faults.collect::<std::result::Result<Vec<_>, _>>().map_err(Error::usage)?;
        devices.push(device(plan, (index, count), name, platform, faults));
    }
    for rule in &plan.faults {
        if !devices.iter().any(|d| rule.applied_to(&d.name, d.platform).is_some()) {
            return Err(Error::usage(format!(
                "--fault {}: no device of this fleet has such a name",
                rule.text
            )));
        }
    }
    share_addresses(&mut devices)?;
    Ok(devices)
}

fn name(platform: Platform, i: usize) -> String {
    let bare = format!("CCAP{}{:02}", personality::of(platform).digit(), i % 99 + 1);
    match i / 99 {
        0 => bare,
        site => format!("{}-{bare}", SITES[site - 1]),
    }
}

fn device(
    plan: &Plan,
    (index, count): (usize, usize),
    name: String,
    platform: Platform,
    faults: Vec<Fault>,
) -> Device {
    let seed = hash(&[plan.seed, index as u64]);
    let has = |kind| faults.iter().find(|f: &&Fault| f.kind == kind);
    // Without its own profile table a device can only be understood if it uses what everybody uses.
    let plain = has(Kind::OptionalRefused).is_some();
    let mut device = Device {
        address: Ipv4Addr::new(127, 77, (index / 250) as u8, (index % 250 + 1) as u8),
        variant: hash(&[seed, 0x7e]),
        profiles: if plain { Profiles::well_known(platform) } else { Profiles::invented(seed) },
        ladder: if plain || hash(&[seed, 0x1add]).is_multiple_of(2) { &PLAIN } else { &FULL },
        upstreams: Vec::new(),
        fleet: (plan.seed, count),
        name,
        platform,
        index,
        seed,
        faults,
    };
    let upstreams = match (device.fault(Kind::Big), device.has(Kind::EmptyTable)) {
        (_, true) => 0,
        (Some(big), _) => big.number(5_000) as usize,
        (None, _) => plan.upstreams,
    };
    device.upstreams = (0..upstreams).map(|k| upstream(&device, k, upstreams, plain, plan.unknown)).collect();
    device
}

const PLAIN: [Modulation; 3] = [Modulation::Qpsk, Modulation::Qam16, Modulation::Qam64];
const FULL: [Modulation; 6] = [
    Modulation::Qpsk,
    Modulation::Qam16,
    Modulation::Qam32,
    Modulation::Qam64,
    Modulation::Qam128,
    Modulation::Qam256,
];

/// Centre and width of the channel plan, kHz.
const SC_QAM: [(u64, u64); 6] =
    [(25_800, 3_200), (31_600, 6_400), (38_400, 6_400), (45_200, 6_400), (52_000, 6_400), (58_800, 6_400)];
const OFDMA: [(u64, u64); 3] = [(26_825, 15_600), (65_500, 95_000), (74_800, 19_200)];

fn upstream(device: &Device, k: usize, of: usize, plain: bool, unknown: usize) -> Upstream {
    let seed = hash(&[device.seed, 0x05, k as u64]);
    let class = personality::of(device.platform).class(seed, k, plain);
    let unknown = (k < unknown && class != Class::Ofdma).then(|| 901 + k as u32);
    let steady = unknown.is_some() || matches!(class, Class::Ofdma | Class::Tdma);
    let habit = match hash(&[seed, 1]) % 100 {
        _ if steady => Habit::Steady,
        0..80 => Habit::Steady,
        80..84 => Habit::StuckLow,
        84..90 => Habit::Flapping,
        90..95 => Habit::Evening,
        _ => Habit::Drifting,
    };
    let qam64 = device.ladder.iter().position(|&m| m == Modulation::Qam64).unwrap_or(0);
    let top = match hash(&[seed, 2]) % 20 {
        0 => device.ladder.len() - 1,
        1 => qam64 - 1,
        _ => qam64,
    };
    let (center_khz, width_khz) = if class == Class::Ofdma {
        pick(&OFDMA, hash(&[seed, 3]))
    } else {
        let (carrier, narrow) = personality::of(device.platform).carrier(k);
        let (center, width) = SC_QAM[carrier % SC_QAM.len()];
        (center, if narrow { width / 2 } else { width })
    };
    Upstream {
        name: personality::of(device.platform).upstream_name(device, k, of, class),
        description: personality::description(hash(&[seed, 4])),
        seed,
        class,
        habit,
        top,
        center_khz,
        width_khz,
        unknown,
    }
}

/// A device that is reached at another's address answers as that one: its own text is never seen.
fn share_addresses(devices: &mut [Device]) -> Result<()> {
    for i in 0..devices.len() {
        let Some(argument) = devices[i].fault(Kind::SameAddress).map(|f| f.argument.clone()) else {
            continue;
        };
        let fits = |d: &Device| {
            d.platform == devices[i].platform
                && !d.has(Kind::SameAddress)
                && argument.as_ref().map_or(d.faults.is_empty(), |name| *name == d.name)
        };
        let Some(other) = devices.iter().find(|d| fits(d)) else {
            let name = &devices[i].name;
            return Err(Error::usage(format!(
                "--fault {name}=same-address: there is no such device of its family"
            )));
        };
        let (address, seed, variant) = (other.address, other.seed, other.variant);
        let (upstreams, profiles, ladder) = (other.upstreams.clone(), other.profiles.clone(), other.ladder);
        let (index, more) = (other.index, other.faults.clone());
        let own = &mut devices[i];
        (own.address, own.seed, own.variant, own.index) = (address, seed, variant, index);
        (own.upstreams, own.profiles, own.ladder) = (upstreams, profiles, ladder);
        own.faults.extend(more);
    }
    Ok(())
}
