//! The modulations of a DOCSIS upstream, and how devices spell them. What a modulation profile number
//! stands for is in [`crate::platform`].

use std::str::FromStr;

use crate::closed_set::{closed_set, listed};

closed_set! {
    /// Modulation of an upstream channel's data grants (DOCSIS 3.1 PHY, section 7), lowest first. OFDMA is one
    /// of them as a whole, since there the modulation differs per minislot. `Unknown`: nothing explains the
    /// profile number.
    #[allow(missing_docs)]
    pub enum Modulation {
        Qpsk = "QPSK",
        Qam8 = "QAM8",
        Qam16 = "QAM16",
        Qam32 = "QAM32",
        Qam64 = "QAM64",
        Qam128 = "QAM128",
        Qam256 = "QAM256",
        Ofdma = "OFDMA",
        Unknown = "UNKNOWN",
    }
}

impl Modulation {
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

    /// Index in [`Modulation::ALL`], for arrays with one cell per modulation.
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }

    /// The modulation that a device spells `64qam`, `qam64`, `q64`, `64-QAM`, `qam-64`, `QAM64`
    /// or `qpsk`, in any case. Orders that no SC-QAM upstream uses (512 and up) are not accepted.
    #[must_use]
    pub fn from_spelling(spelling: &str) -> Option<Self> {
        let mut bare = [0_u8; 8];
        let mut length = 0;
        for byte in spelling.bytes().filter(|byte| !matches!(byte, b'-' | b'_')) {
            *bare.get_mut(length)? = byte.to_ascii_lowercase();
            length += 1;
        }
        Some(match &bare[..length] {
            b"qpsk" => Modulation::Qpsk,
            b"q8" | b"qam8" | b"8qam" => Modulation::Qam8,
            b"q16" | b"qam16" | b"16qam" => Modulation::Qam16,
            b"q32" | b"qam32" | b"32qam" => Modulation::Qam32,
            b"q64" | b"qam64" | b"64qam" => Modulation::Qam64,
            b"q128" | b"qam128" | b"128qam" => Modulation::Qam128,
            b"q256" | b"qam256" | b"256qam" => Modulation::Qam256,
            b"ofdma" => Modulation::Ofdma,
            _ => return None,
        })
    }
}

impl FromStr for Modulation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::from_word(text).or_else(|| Self::from_spelling(text)).ok_or_else(|| {
            format!("unknown modulation {text:?}; expected one of {}", listed(Self::ALL.map(Self::word)))
        })
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
        for junk in ["", "64", "qam", "q", "qpsk1", "512qam", "atdma", "qam64 and a long text"] {
            assert_eq!(Modulation::from_spelling(junk), None, "{junk}");
        }
    }
}
