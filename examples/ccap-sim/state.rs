//! What an upstream is at in a given slot: its habit, and what befalls its device. Nothing is kept;
//! any slot can be asked for.

use modtools::{
    modulation::Modulation,
    record::{ExplainedBy, Source},
};

use crate::{
    chance::hash,
    fleet::{Class, Device, Habit, Upstream},
    time::{DAY, Slot},
};

/// How far back a device remembers hops.
pub const MEMORY: Slot = 2 * DAY;

/// What a device's text tells of one upstream: a sample without time and device.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    pub upstream: &'a str,
    pub modulation: Modulation,
    pub profile: Option<u32>,
    pub source: Source,
    /// What says so to a collector that has no file of its own; nothing where nothing explains it.
    pub explained_by: Option<ExplainedBy>,
    pub channel_type: Option<&'static str>,
    pub center_hz: Option<u64>,
    pub width_hz: Option<u64>,
    pub description: Option<&'a str>,
    /// Tenths of a dB.
    pub snr_tenths: Option<u32>,
    /// Registered modems, where the device is asked for them.
    pub modems: Option<u64>,
}

/// A stretch of slots of one day in which something befalls one device of the fleet.
struct Spell {
    first: Slot,
    last: Slot,
}

impl Device {
    fn spell(&self, what: u64, day: Slot, most: u64) -> Option<Spell> {
        let (seed, count) = self.fleet;
        let chance = hash(&[seed, what, day as u64]);
        if chance % count as u64 != self.index as u64 {
            return None;
        }
        let length = most / 3 + (chance >> 16) % (most - most / 3);
        let first = day * DAY + ((chance >> 32) % (DAY as u64 - length)) as Slot;
        Some(Spell { first, last: first + length as Slot })
    }

    /// Ingress on the whole device: every upstream is one step lower. One device of the fleet each day.
    fn incident(&self, day: Slot) -> Option<Spell> {
        self.spell(0x1c, day, 9)
    }

    /// Whether the device cannot be reached (only in the past that `--history` tells).
    pub fn is_silent(&self, slot: Slot) -> bool {
        let day = slot.div_euclid(DAY);
        self.fleet.1 > 1 && self.spell(0x51, day, 60).is_some_and(|s| (s.first..=s.last).contains(&slot))
    }

    /// The part of the state that all its upstreams have in common.
    pub fn weather(&self, slot: Slot) -> Weather {
        let today = slot.div_euclid(DAY);
        let during = |day| self.incident(day).is_some_and(|s| (s.first..=s.last).contains(&slot));
        let since = |day| self.incident(day).is_some_and(|s| s.first <= slot && s.first > slot - MEMORY);
        Weather { ingress: during(today), remembered: (today - 2..=today).any(since) }
    }

    /// The modulation of an upstream's data grants, as it is on the wire.
    pub fn modulation(&self, upstream: &Upstream, slot: Slot) -> Modulation {
        self.modulation_in(upstream, slot, self.weather(slot))
    }

    /// The same, for callers that ask about many upstreams of one slot.
    pub fn modulation_in(&self, upstream: &Upstream, slot: Slot, weather: Weather) -> Modulation {
        match upstream.class {
            Class::Ofdma => Modulation::Ofdma,
            Class::Tdma => Modulation::Qam16,
            Class::Atdma | Class::Scdma => self.ladder[level(upstream, slot, weather)],
        }
    }

    /// The profile that goes with a modulation on this upstream.
    pub fn profile(&self, upstream: &Upstream, modulation: Modulation) -> u32 {
        match (upstream.unknown, upstream.class) {
            (Some(number), _) => number,
            (None, Class::Ofdma) => self.profiles.ofdma,
            (None, Class::Tdma) => self.profiles.tdma,
            (None, _) => self.profiles.number(modulation),
        }
    }
}

/// What befalls a whole device in a slot.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Every upstream is one step lower.
    pub ingress: bool,
    /// That was so within the device's memory.
    pub remembered: bool,
}

impl Upstream {
    /// Whether its modulation can change at all.
    pub fn can_hop(&self) -> bool {
        self.unknown.is_none() && matches!(self.class, Class::Atdma | Class::Scdma) && self.top > 0
    }

    /// Whether its device remembers a modulation hop of it.
    pub fn has_hopped(&self, weather: Weather) -> bool {
        self.can_hop() && (self.habit != Habit::Steady || weather.remembered)
    }

    /// Modems on it; all but one of them are registered.
    pub fn modems(&self) -> u64 {
        hash(&[self.seed, 0xc3]) % 90 + 10
    }

    /// Signal to noise in tenths of a dB, in keeping with the modulation.
    pub fn snr_tenths(&self, slot: Slot, modulation: Modulation) -> u32 {
        let bits = u32::from(modulation.bits().unwrap_or(5));
        160 + 32 * bits + hash(&[self.seed, 0x5a, slot as u64]) as u32 % 24
    }
}

fn level(upstream: &Upstream, slot: Slot, weather: Weather) -> usize {
    let top = upstream.top;
    let chance = |of: Slot| hash(&[upstream.seed, 0x1e, of as u64]);
    let down = match upstream.habit {
        Habit::Steady => 0,
        Habit::StuckLow => top - (chance(0) % 2).min(top as u64 - 1) as usize,
        Habit::Flapping => (chance(slot) % 3) as usize,
        Habit::Evening => match slot.rem_euclid(DAY) / 6 {
            18..23 => 1 + usize::from(chance(slot / 3) % 4 == 0),
            _ => 0,
        },
        Habit::Drifting => usize::from(chance(slot / 12) % 4 == 0),
    };
    top.saturating_sub(down + usize::from(weather.ingress && upstream.unknown.is_none()))
}
