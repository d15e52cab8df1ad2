//! The modulations of a DOCSIS upstream, how devices spell them, and what a modulation profile
//! number stands for: the user's file first, then the device's own table, then the built-in one.

use std::{collections::BTreeMap, fmt, path::Path, str::FromStr};

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    platform::Platform,
};

/// Modulation of an upstream channel's data grants (DOCSIS 3.1 PHY, section 7; OFDMA as a whole,
/// since there it differs per minislot). `Unknown`: a profile number that nothing explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum Modulation {
    Qpsk,
    Qam8,
    Qam16,
    Qam32,
    Qam64,
    Qam128,
    Qam256,
    Ofdma,
    Unknown,
}

impl Modulation {
    /// All of them, lowest first, in the order of every table that lists them.
    pub const ALL: [Modulation; 9] = [
        Modulation::Qpsk,
        Modulation::Qam8,
        Modulation::Qam16,
        Modulation::Qam32,
        Modulation::Qam64,
        Modulation::Qam128,
        Modulation::Qam256,
        Modulation::Ofdma,
        Modulation::Unknown,
    ];

    /// Bits per symbol, 2 to 8; OFDMA and UNKNOWN have none.
    #[must_use]
    pub fn bits(self) -> Option<u8> {
        match self {
            Modulation::Qpsk => Some(2),
            Modulation::Qam8 => Some(3),
            Modulation::Qam16 => Some(4),
            Modulation::Qam32 => Some(5),
            Modulation::Qam64 => Some(6),
            Modulation::Qam128 => Some(7),
            Modulation::Qam256 => Some(8),
            Modulation::Ofdma | Modulation::Unknown => None,
        }
    }

    /// The word in records and tables: `QAM64`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Modulation::Qpsk => "QPSK",
            Modulation::Qam8 => "QAM8",
            Modulation::Qam16 => "QAM16",
            Modulation::Qam32 => "QAM32",
            Modulation::Qam64 => "QAM64",
            Modulation::Qam128 => "QAM128",
            Modulation::Qam256 => "QAM256",
            Modulation::Ofdma => "OFDMA",
            Modulation::Unknown => "UNKNOWN",
        }
    }

    /// The modulation of a record's or a table's word, exactly as [`Modulation::word`] writes it.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.word() == word)
    }

    /// Place in [`Modulation::ALL`], for arrays with one cell per modulation.
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }

    /// The modulation that a device spells `64qam`, `qam64`, `q64`, `64-QAM`, `qam-64`, `QAM64`
    /// or `qpsk`, in any case. Orders that no upstream uses (512 and up) are not understood.
    #[must_use]
    pub fn from_spelling(spelling: &str) -> Option<Self> {
        let bare: String =
            spelling.chars().filter(|c| !matches!(c, '-' | '_')).collect::<String>().to_ascii_lowercase();
        if bare == "qpsk" {
            return Some(Modulation::Qpsk);
        }
        if bare == "ofdma" {
            return Some(Modulation::Ofdma);
        }
        let order = bare
            .strip_suffix("qam")
            .or_else(|| bare.strip_prefix("qam"))
            .or_else(|| bare.strip_prefix('q'))?;
        match order {
            "8" => Some(Modulation::Qam8),
            "16" => Some(Modulation::Qam16),
            "32" => Some(Modulation::Qam32),
            "64" => Some(Modulation::Qam64),
            "128" => Some(Modulation::Qam128),
            "256" => Some(Modulation::Qam256),
            _ => None,
        }
    }
}

impl fmt::Display for Modulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Modulation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::from_word(text).or_else(|| Self::from_spelling(text)).ok_or_else(|| {
            let words: Vec<_> = Self::ALL.iter().map(|m| m.word()).collect();
            format!("{text:?} is no modulation; known are {}", words.join(" "))
        })
    }
}

/// Interval usage code (burst type) of one line of a profile, as far as it matters here:
/// only data grants say what the channel runs at; the others stay QPSK by design.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Iuc {
    /// IUC 5, `short`: the last resort.
    Short,
    /// IUC 6, `long`.
    Long,
    /// IUC 9, `a-short`.
    AShort,
    /// IUC 10, `a-long`: believed first.
    ALong,
}

impl Iuc {
    /// The data-grant IUC of a device's word or number: `a-long`, `10`; anything else is none.
    #[must_use]
    pub fn from_token(token: &str) -> Option<Self> {
        match token.to_ascii_lowercase().as_str() {
            "5" | "short" => Some(Iuc::Short),
            "6" | "long" => Some(Iuc::Long),
            "9" | "a-short" | "ashort" => Some(Iuc::AShort),
            "10" | "a-long" | "along" => Some(Iuc::ALong),
            _ => None,
        }
    }
}

/// A device's own modulation profile table: for each profile number the modulation of its best
/// data-grant line. A profile without one explains nothing.
#[derive(Clone, Debug, Default)]
pub struct ProfileTable(BTreeMap<u32, (Iuc, Modulation)>);

impl ProfileTable {
    /// Takes one line of a profile. A line of a better IUC replaces an earlier one.
    pub fn add(&mut self, profile: u32, iuc: Iuc, modulation: Modulation) {
        let entry = self.0.entry(profile).or_insert((iuc, modulation));
        if iuc > entry.0 {
            *entry = (iuc, modulation);
        }
    }

    /// The modulation of the profile's data grants.
    #[must_use]
    pub fn get(&self, profile: u32) -> Option<Modulation> {
        self.0.get(&profile).map(|&(_, modulation)| modulation)
    }

    /// Whether the device told of no usable profile at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The table that the system which this one replaces had built in, per platform.
const BUILT_IN: [(Platform, u32, Modulation); 12] = [
    (Platform::E6000, 202, Modulation::Qam64),
    (Platform::E6000, 204, Modulation::Qam16),
    (Platform::E6000, 222, Modulation::Qpsk),
    (Platform::Cbr8, 224, Modulation::Qam64),
    (Platform::Cbr8, 228, Modulation::Qam64),
    (Platform::Cbr8, 227, Modulation::Qam16),
    (Platform::Cbr8, 226, Modulation::Qpsk),
    (Platform::Cbr8, 220, Modulation::Qpsk),
    (Platform::Cbr8, 222, Modulation::Qpsk),
    (Platform::Casa, 364, Modulation::Qam64),
    (Platform::Casa, 316, Modulation::Qam16),
    (Platform::Casa, 300, Modulation::Qpsk),
];

/// The built-in meaning of a number: the platform's own first, then any platform's.
fn built_in(platform: Platform, profile: u32) -> Option<Modulation> {
    let of = |own: bool| {
        BUILT_IN
            .iter()
            .find(|&&(p, n, _)| n == profile && (p == platform) == own)
            .map(|&(_, _, modulation)| modulation)
    };
    of(true).or_else(|| of(false))
}

/// What the user says about profile numbers (`--profiles FILE`): believed before any device.
#[derive(Clone, Debug, Default)]
pub struct ProfileBook {
    devices: Vec<(GlobMatcher, u32, Modulation)>,
    platforms: Vec<(Platform, u32, Modulation)>,
}

impl ProfileBook {
    /// Reads a CSV file of `platform or device glob, number, modulation`; `#` begins a comment.
    ///
    /// # Errors
    /// [`Error::Read`], or [`Error::Usage`] with file and line for a line that cannot be understood.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::read(path))?;
        Self::parse(&text).map_err(|reason| Error::usage(format!("--profiles {}: {reason}", path.display())))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut book = Self::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            let fields: Vec<_> = line.split([',', ';', '\t']).map(str::trim).collect();
            let at = |reason: String| format!("line {}: {reason}", number + 1);
            match fields[..] {
                [""] => {}
                // A header line, in any words: the number column does not hold a number.
                [_, profile, _] if number == 0 && profile.parse::<u32>().is_err() => {}
                [scope, profile, modulation] => {
                    let profile =
                        profile.parse().map_err(|_| at(format!("{profile:?} is no profile number")))?;
                    let modulation = modulation.parse().map_err(at)?;
                    if let Ok(platform) = scope.parse() {
                        book.platforms.push((platform, profile, modulation));
                    } else {
                        let glob = GlobBuilder::new(scope).case_insensitive(true).build();
                        let glob = glob.map_err(|e| at(e.to_string()))?;
                        book.devices.push((glob.compile_matcher(), profile, modulation));
                    }
                }
                _ => return Err(at(format!("{line:?} is not `platform-or-device,number,modulation`"))),
            }
        }
        Ok(book)
    }

    /// What a profile number stands for on this device, in the order of belief: the user's word for the
    /// device, for the platform, the device's own table, the built-in table; else `Unknown`.
    #[must_use]
    pub fn modulation(&self, platform: Platform, cmts: &str, own: &ProfileTable, profile: u32) -> Modulation {
        let by_device =
            self.devices.iter().find(|(glob, n, _)| *n == profile && glob.is_match(cmts)).map(|t| t.2);
        let by_platform = || self.platforms.iter().find(|t| t.0 == platform && t.1 == profile).map(|t| t.2);
        by_device
            .or_else(by_platform)
            .or_else(|| own.get(profile))
            .or_else(|| built_in(platform, profile))
            .unwrap_or(Modulation::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_device_is_understood_and_nothing_else() {
        for spelling in ["64qam", "qam64", "q64", "64-QAM", "qam-64", "QAM64", "64QAM"] {
            assert_eq!(Modulation::from_spelling(spelling), Some(Modulation::Qam64), "{spelling}");
        }
        assert_eq!(Modulation::from_spelling("QPSK"), Some(Modulation::Qpsk));
        for junk in ["", "64", "qam", "q", "qpsk1", "512qam", "atdma"] {
            assert_eq!(Modulation::from_spelling(junk), None, "{junk}");
        }
    }

    #[test]
    fn belief_goes_from_the_user_to_the_device_to_the_built_in_table() -> Result<(), String> {
        let mut own = ProfileTable::default();
        own.add(202, Iuc::Long, Modulation::Qpsk);
        own.add(202, Iuc::ALong, Modulation::Qam32);
        own.add(202, Iuc::AShort, Modulation::Qam8);
        let book = ProfileBook::parse("scope,number,modulation\ncasa,316,qam128\nCCAP0*,7,64qam # ours\n")?;
        let says = |platform, cmts, n| book.modulation(platform, cmts, &own, n);
        assert_eq!(says(Platform::E6000, "CCAP001", 202), Modulation::Qam32);
        assert_eq!(says(Platform::E6000, "CCAP001", 204), Modulation::Qam16);
        assert_eq!(says(Platform::E6000, "ccap001", 7), Modulation::Qam64);
        assert_eq!(says(Platform::E6000, "CCAP201", 7), Modulation::Unknown);
        assert_eq!(says(Platform::Casa, "CCAP101", 316), Modulation::Qam128);
        // 222 is QPSK on both, 364 is known of casa only and believed elsewhere as the last resort.
        assert_eq!(says(Platform::Cbr8, "CCAP201", 364), Modulation::Qam64);
        assert!(ProfileBook::parse("x,1,2\nnonsense").is_err());
        Ok(())
    }
}
