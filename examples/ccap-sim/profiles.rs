//! The modulation profiles of one device: as in the field, every operator numbers them in a way of
//! their own, and the same number means one thing here and another there.

use modtools::{modulation::Modulation, platform::Platform};

use crate::{
    chance::{hash, pick},
    personality,
};

/// The modulations that have an A-TDMA profile, lowest first.
pub const ORDER: [Modulation; 7] = [
    Modulation::Qpsk,
    Modulation::Qam8,
    Modulation::Qam16,
    Modulation::Qam32,
    Modulation::Qam64,
    Modulation::Qam128,
    Modulation::Qam256,
];

/// Numbers of the profiles.
#[derive(Clone, Debug)]
pub struct Profiles {
    numbers: [u32; 7],
    /// A profile for TDMA channels, whose data grants are long and short, at 16QAM.
    pub tdma: u32,
    /// The profile of OFDMA channels, in a numbering of its own.
    pub ofdma: u32,
}

impl Profiles {
    /// Numbers as some operator might have chosen them.
    pub fn invented(seed: u64) -> Self {
        let base = pick(&[1, 20, 64, 200, 221, 300, 361], hash(&[seed, 1]));
        let step = pick(&[1, 2, 3, 11], hash(&[seed, 2]));
        let turn = hash(&[seed, 3]) as u32 % 7;
        let number = |i: u32| base + (i + turn) % 7 * step;
        Profiles {
            numbers: [0, 1, 2, 3, 4, 5, 6].map(number),
            tdma: base + 7 * step,
            ofdma: 1 + hash(&[seed, 4]) as u32 % 9 + 420 * (hash(&[seed, 5]) as u32 % 2),
        }
    }

    /// The numbers that every collector knows without being told, for devices that do not tell. Only
    /// QPSK, 16QAM and 64QAM have one.
    pub fn well_known(platform: Platform) -> Self {
        let [qpsk, qam16, qam64] = personality::of(platform).well_known();
        Profiles { numbers: [qpsk, 0, qam16, 0, qam64, 0, 0], tdma: qam16, ofdma: 4 }
    }

    /// The number for a modulation of [`ORDER`].
    pub fn number(&self, modulation: Modulation) -> u32 {
        ORDER.iter().position(|&m| m == modulation).map_or(0, |at| self.numbers[at])
    }

    /// The A-TDMA profiles by number.
    pub fn sorted(&self) -> Vec<(u32, Modulation)> {
        let mut all: Vec<_> = ORDER.iter().map(|&m| (self.number(m), m)).collect();
        all.retain(|&(number, _)| number != 0);
        all.sort_unstable();
        all
    }
}

/// The data grants of a profile in short bursts, which run lower than the long ones.
pub fn a_short(long: Modulation) -> Modulation {
    match long {
        Modulation::Qpsk | Modulation::Qam8 => Modulation::Qpsk,
        _ => Modulation::Qam16,
    }
}
