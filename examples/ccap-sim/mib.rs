//! What a device shows by SNMP: the columns of RFC 4546 (DOCS-IF-MIB), RFC 2863 (IF-MIB) and DOCS-IF31-MIB, with the
//! names that its vendor gives to interfaces, and the traps that real tables hold.

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
};

use async_snmp::{Oid, Value};
use modtools::{modulation::Modulation, platform::Platform, record::ExplainedBy, record::Source};

use crate::{
    fault::Kind,
    fleet::{Class, Device, Upstream},
    profiles::a_short,
    state::Shown,
    time::Slot,
};

/// docsIfUpChannelModulationProfile: without it nothing is known, so faults strike here.
pub const PROFILES: [u32; 12] = [1, 3, 6, 1, 2, 1, 10, 127, 1, 1, 2, 1];
/// sysUpTime.0, whose value is that of the moment.
pub const UP_TIME: [u32; 9] = [1, 3, 6, 1, 2, 1, 1, 3, 0];

const SYSTEM: &[u32] = &[1, 3, 6, 1, 2, 1, 1];
const INTERFACES: &[u32] = &[1, 3, 6, 1, 2, 1, 2, 2, 1];
const MORE_OF_INTERFACES: &[u32] = &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1];
const LAST_CHANGE: &[u32] = &[1, 3, 6, 1, 2, 1, 31, 1, 5];
const CHANNELS: &[u32] = &PROFILES;
const SIGNAL: &[u32] = &[1, 3, 6, 1, 2, 1, 10, 127, 1, 1, 4, 1];
const MODULATION: &[u32] = &[1, 3, 6, 1, 2, 1, 10, 127, 1, 3, 5, 1];
const OFDMA: &[u32] = &[1, 3, 6, 1, 4, 1, 4491, 2, 1, 28, 1, 23, 1];
const CISCO: &[u32] = &[1, 3, 6, 1, 4, 1, 9, 9, 114, 1, 3, 1, 1];
const CISCO_MODEMS: &[u32] = &[1, 3, 6, 1, 4, 1, 9, 9, 116, 1, 4, 1, 1];

/// All objects of a device in the order of a walk.
#[derive(Clone, Debug, Default)]
pub struct Mib(BTreeMap<Oid, Value>);

impl Mib {
    /// The objects in a slot. Each generation numbers the interfaces in a way of its own.
    pub fn of(device: &Device, slot: Slot, generation: u32) -> Self {
        let mut mib = Mib::default();
        mib.system(device);
        mib.others(device);
        mib.profiles(device);
        let weather = device.weather(slot);
        for (k, upstream) in device.upstreams.iter().enumerate() {
            let index = index(device, k, generation);
            let modulation = device.modulation_in(upstream, slot, weather);
            mib.interface(device, index, upstream, 1);
            match upstream.class {
                Class::Ofdma => mib.ofdma(device, index, upstream),
                _ => mib.channel(device, index, upstream, modulation, slot),
            }
        }
        mib.traps(device, generation);
        mib
    }

    /// The value of an object.
    pub fn get(&self, oid: &Oid) -> Option<&Value> {
        self.0.get(oid)
    }

    /// The object behind another one.
    pub fn next(&self, oid: &Oid) -> Option<(&Oid, &Value)> {
        self.0.range((Excluded(oid), Unbounded)).next()
    }

    fn put(&mut self, table: &[u32], rest: &[u32], value: impl Into<Value>) {
        self.0.insert(Oid::new(table.iter().chain(rest).copied()), value.into());
    }

    fn number(&mut self, table: &[u32], rest: &[u32], number: u32) {
        self.put(table, rest, Value::Gauge32(number));
    }

    fn integer(&mut self, table: &[u32], rest: &[u32], number: i32) {
        self.put(table, rest, Value::Integer(number));
    }

    fn text(&mut self, table: &[u32], rest: &[u32], text: &str) {
        self.put(table, rest, Value::OctetString(text.as_bytes().to_vec().into()));
    }

    fn system(&mut self, device: &Device) {
        let (words, product): (&str, &[u32]) = match device.platform {
            Platform::E6000 => ("ARRIS E6000 CER_V10.01.00.0013", &[1, 3, 6, 1, 4, 1, 4998, 2, 3]),
            Platform::Casa => ("Casa Systems, Inc. C100G, Rel 8.3.3", &[1, 3, 6, 1, 4, 1, 20_858, 2, 600]),
            _ => (
                "Cisco IOS Software [Bengaluru], cBR Software, Version 17.6.1z\r\nCopyright (c) 1986-2022\r\n\
                 .1.3.6.1.2.1.2.2.1.8.1 = INTEGER: 1",
                &[1, 3, 6, 1, 4, 1, 9, 1, 2311],
            ),
        };
        self.text(SYSTEM, &[1, 0], words);
        self.put(SYSTEM, &[2, 0], Value::ObjectIdentifier(Oid::from_slice(product)));
        self.put(SYSTEM, &[3, 0], Value::TimeTicks(0));
        self.text(SYSTEM, &[5, 0], &device.name);
        self.put(LAST_CHANGE, &[0], Value::TimeTicks(0));
    }

    /// Interfaces of other kinds.
    fn others(&mut self, device: &Device) {
        let management = match device.has(Kind::SnmpLineBreaks) {
            true => "management\r\n.1.3.6.1.2.1.10.127.1.1.2.1.4.77 = Gauge32: 4\n\"\\ port",
            false => "management port",
        };
        for (index, words, kind) in
            [(1, management, 6), (2, "cable-mac 1", 127), (3, "cable-downstream 11/0", 128)]
        {
            self.text(INTERFACES, &[2, index], words);
            self.integer(INTERFACES, &[3, index], kind);
            self.integer(INTERFACES, &[8, index], 1);
            self.text(MORE_OF_INTERFACES, &[1, index], words);
            self.text(MORE_OF_INTERFACES, &[18, index], "");
        }
    }

    fn interface(&mut self, device: &Device, index: u32, upstream: &Upstream, status: i32) {
        let (words, name) = names(device.platform, upstream);
        let kind = match (upstream.class, device.platform) {
            (Class::Ofdma, _) => 278,
            (_, Platform::Cbr8) => 129,
            _ => 205,
        };
        self.text(INTERFACES, &[2, index], &words);
        self.integer(INTERFACES, &[3, index], kind);
        self.integer(INTERFACES, &[8, index], status);
        self.text(MORE_OF_INTERFACES, &[1, index], &name);
        self.text(MORE_OF_INTERFACES, &[18, index], upstream.description.unwrap_or_default());
    }

    fn channel(
        &mut self,
        device: &Device,
        index: u32,
        upstream: &Upstream,
        modulation: Modulation,
        slot: Slot,
    ) {
        let profile = device.profile(upstream, modulation);
        self.integer(CHANNELS, &[2, index], (upstream.center_khz * 1000) as i32);
        self.number(CHANNELS, &[3, index], (upstream.width_khz * 1000) as u32);
        if device.platform == Platform::Cbr8 {
            // What is configured; what spectrum management made of it stands in a column of the vendor's.
            self.number(CHANNELS, &[4, index], configured(device, upstream));
            self.number(CISCO, &[15, index], profile);
            self.integer(CISCO_MODEMS, &[5, index], upstream.modems() as i32 - 1);
        } else {
            self.number(CHANNELS, &[4, index], profile);
        }
        let kind = match upstream.class {
            Class::Tdma => 1,
            Class::Atdma => 2,
            Class::Scdma => 3,
            Class::Ofdma => 0,
        };
        self.integer(CHANNELS, &[15, index], kind);
        self.integer(CHANNELS, &[16, index], 0);
        self.integer(CHANNELS, &[18, index], 1);
        self.integer(SIGNAL, &[5, index], upstream.snr_tenths(slot, modulation) as i32);
    }

    /// Cisco serves no table of them.
    fn ofdma(&mut self, device: &Device, index: u32, upstream: &Upstream) {
        if device.platform == Platform::Cbr8 {
            return;
        }
        let half = upstream.width_khz / 2;
        self.number(OFDMA, &[4, index], ((upstream.center_khz - half) * 1000) as u32);
        self.number(OFDMA, &[5, index], ((upstream.center_khz + half) * 1000) as u32);
    }

    fn profiles(&mut self, device: &Device) {
        use Modulation::{Qam16, Qpsk};
        for (number, long) in device.profiles.sorted() {
            // Unsolicited grants are voice, and no data.
            for (iuc, modulation) in
                [(1, Qpsk), (3, Qpsk), (5, Qpsk), (6, Qam16), (9, a_short(long)), (10, long), (11, Qpsk)]
            {
                self.profile_line(number, iuc, modulation, 1);
            }
        }
        if !device.profiles.sorted().iter().any(|&(number, _)| number == device.profiles.tdma) {
            for (iuc, modulation) in [(1, Qpsk), (5, Qpsk), (6, Qam16)] {
                self.profile_line(device.profiles.tdma, iuc, modulation, 1);
            }
            // Not in service: says nothing.
            self.profile_line(device.profiles.tdma, 10, Modulation::Qam256, 2);
        }
    }

    fn profile_line(&mut self, number: u32, iuc: u32, modulation: Modulation, control: i32) {
        let kind = match modulation {
            Modulation::Qpsk => 2,
            Modulation::Qam16 => 3,
            Modulation::Qam8 => 4,
            Modulation::Qam32 => 5,
            Modulation::Qam64 => 6,
            Modulation::Qam128 => 7,
            _ => 8,
        };
        self.integer(MODULATION, &[3, number, iuc], control);
        self.integer(MODULATION, &[4, number, iuc], kind);
    }

    /// A channel that is out of service, and a temporary row by which somebody configures another.
    fn traps(&mut self, device: &Device, generation: u32) {
        let Some(first) = device.upstreams.iter().find(|upstream| upstream.class != Class::Ofdma) else {
            return;
        };
        let (down, clone) =
            (index(device, device.upstreams.len(), generation), index(device, 0, generation) + 3);
        let out_of_service = Upstream { name: out_of_service(device.platform), ..first.clone() };
        self.interface(device, down, &out_of_service, 2);
        self.channel(device, down, first, Modulation::Qpsk, 0);
        self.number(CHANNELS, &[4, clone], device.profiles.tdma);
        self.integer(CHANNELS, &[16, clone], index(device, 0, generation) as i32);
        self.integer(CHANNELS, &[18, clone], 1);
    }
}

/// The index of the k-th channel: like those of its vendor, and nothing to rely on.
fn index(device: &Device, k: usize, generation: u32) -> u32 {
    let (base, step) = match device.platform {
        Platform::E6000 => (843_087_001, 8),
        Platform::Casa => (50_002_000, 4),
        _ => (488_000, 4),
    };
    let count = device.upstreams.len() + 1;
    let place = (k + 5 * generation as usize) % count;
    base + step * (place as u32 + 100_000 * (generation % 50))
}

/// ifDescr and ifName.
fn names(platform: Platform, upstream: &Upstream) -> (String, String) {
    let name = &upstream.name;
    match (platform, upstream.class) {
        (Platform::E6000, Class::Ofdma) => {
            (format!("cable-us-ofdma {name}.0"), format!("cable-us-ofdma {name}.0"))
        }
        (Platform::E6000, _) => (format!("cable-upstream {name}.0"), format!("cable-upstream {name}.0")),
        (Platform::Casa, _) => (format!("Logical Upstream Channel {name}"), format!("LogicalUpstream{name}")),
        _ => {
            let (domain, number) = name.rsplit_once('/').unwrap_or((name, ""));
            (format!("Cable{domain}-upstream{number}"), format!("Ca{domain}-upstream{number}"))
        }
    }
}

fn out_of_service(platform: Platform) -> String {
    match platform {
        Platform::E6000 => "13/scq/0",
        Platform::Casa => "12/7.7/0",
        _ => "9/0/15/15",
    }
    .to_owned()
}

/// The profile that the operator wrote for a channel.
fn configured(device: &Device, upstream: &Upstream) -> u32 {
    match upstream.class {
        Class::Atdma | Class::Scdma => device.profile(upstream, device.ladder[upstream.top]),
        _ => device.profile(upstream, Modulation::Qam16),
    }
}

/// What these columns tell of the upstreams of a device.
pub fn shown(device: &Device, slot: Slot) -> impl Iterator<Item = Shown<'_>> {
    let weather = device.weather(slot);
    device.upstreams.iter().map(move |upstream| {
        let modulation = device.modulation_in(upstream, slot, weather);
        let ofdma = upstream.class == Class::Ofdma;
        let edges = !ofdma || device.platform != Platform::Cbr8;
        let unknown = upstream.unknown.is_some() && !ofdma;
        Shown {
            upstream: &upstream.name,
            modulation: if unknown { Modulation::Unknown } else { modulation },
            profile: (!ofdma).then(|| device.profile(upstream, modulation)),
            source: Source::Snmp,
            explained_by: match (unknown, ofdma) {
                (true, _) => None,
                (_, true) => Some(ExplainedBy::Printed),
                _ => Some(ExplainedBy::Device),
            },
            channel_type: Some(upstream.class.word()),
            center_hz: edges.then_some(upstream.center_khz * 1000),
            width_hz: edges.then_some(upstream.width_khz * 1000),
            description: upstream.description,
            snr_tenths: (!ofdma).then(|| upstream.snr_tenths(slot, modulation)),
            modems: (device.platform == Platform::Cbr8 && !ofdma).then(|| upstream.modems() - 1),
        }
    })
}
