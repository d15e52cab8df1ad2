//! The signal-to-noise ratio of an upstream over a day: the middle and the lowest one, and apart from each other the
//! middle one of the samples below what is expected and of the others. What is expected is known only at the end, so
//! both are kept for every modulation that could be it.

use serde::{Deserialize, Serialize};

use crate::{modulation::Modulation, record::Snr};

/// The ratio is told when so much of the samples tell it, %; else it would be that of a part.
const KNOWN_PCT: usize = 95;
/// Tenths of a dB that are believed.
const BELIEVED: std::ops::RangeInclusive<f64> = -500.0..=2000.0;
/// A value and its modulation in two bytes: tenths of a dB from this on, times 16, and the index.
const LOWEST: i16 = -500;

/// Tenths of a dB; none for what no receiver measures.
#[must_use]
pub fn tenths(db: f64) -> Option<i16> {
    let tenths = (db * 10.0).round();
    BELIEVED.contains(&tenths).then_some(tenths as i16)
}

/// The ratios of a day while its samples come.
#[derive(Clone, Debug, Default)]
pub struct Snrs(Vec<u16>);

impl Snrs {
    /// Takes that of a sample.
    pub fn push(&mut self, modulation: Modulation, tenths: i16) {
        if self.0.len() == self.0.capacity() {
            // There are as many as upstreams: none of them may take twice what it needs.
            self.0.reserve_exact(24);
        }
        self.0.push((tenths - LOWEST) as u16 * 16 + modulation as u16);
    }

    /// What they come to, of so many samples.
    #[must_use]
    pub fn finish(mut self, samples: u32) -> Option<DaySnr> {
        if self.0.is_empty() || self.0.len() * 100 < samples as usize * KNOWN_PCT {
            return None;
        }
        self.0.sort_unstable();
        let all = &self.0;
        let tenths = |packed: u16| (packed / 16) as i16 + LOWEST;
        // The one in the middle; of two the lower.
        let median = |of: &[u16]| tenths(of[(of.len() - 1) / 2]);
        let mut seen: Vec<u8> = all.iter().map(|packed| (packed % 16) as u8).collect();
        seen.sort_unstable();
        seen.dedup();
        let part = |at: u8| -> (u8, i16, i16) {
            let (below, others): (Vec<u16>, Vec<u16>) =
                all.iter().partition(|&packed| ((packed % 16) as u8) < at);
            (at, median(&below), median(&others))
        };
        let splits = seen.iter().skip(1).map(|&at| part(at)).collect();
        Some(DaySnr(median(all), tenths(all[0]), splits))
    }
}

/// What the ratios of a day came to, tenths of a dB: the middle one, the lowest one, and for each modulation that was
/// seen above others the middle one of those below it and of the rest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DaySnr(i16, i16, Vec<(u8, i16, i16)>);

impl DaySnr {
    /// With what is expected; `lowest` is the lowest modulation that was sampled.
    #[must_use]
    pub fn of(&self, expected: Option<Modulation>, lowest: Modulation, highest: Modulation) -> Snr {
        let db = |tenths: i16| f64::from(tenths) / 10.0;
        let DaySnr(median, min, splits) = self;
        let expected = expected.map_or(0, Modulation::index);
        let (degraded, otherwise) = if expected <= lowest.index() {
            (None, Some(*median))
        } else if expected > highest.index() {
            (Some(*median), None)
        } else {
            let split = splits.iter().find(|(at, ..)| usize::from(*at) >= expected);
            (split.map(|split| split.1), split.map(|split| split.2))
        };
        Snr { median: db(*median), min: db(*min), degraded: degraded.map(db), otherwise: otherwise.map(db) }
    }
}

#[cfg(test)]
mod tests {
    use Modulation::{Qam16, Qam32, Qam64};

    use super::*;

    fn day(samples: &[(Modulation, f64)], all: u32) -> Option<DaySnr> {
        let mut snrs = Snrs::default();
        for &(modulation, db) in samples {
            snrs.push(modulation, tenths(db).expect("believed"));
        }
        snrs.finish(all)
    }

    #[test]
    fn the_middle_one_is_told_apart_below_what_is_expected() {
        let samples =
            [(Qam64, 36.0), (Qam16, 21.5), (Qam64, 35.0), (Qam16, -1.0), (Qam64, 34.9), (Qam32, 30.0)];
        let day = day(&samples, 6).expect("all of them tell it");
        let of = |expected| {
            let Snr { median, min, degraded, otherwise } = day.of(expected, Qam16, Qam64);
            assert_eq!((median, min), (30.0, -1.0));
            (degraded, otherwise)
        };
        assert_eq!(of(Some(Qam64)), (Some(21.5), Some(35.0)));
        assert_eq!(of(Some(Qam32)), (Some(-1.0), Some(34.9)));
        assert_eq!(of(Some(Qam16)), (None, Some(30.0)));
        assert_eq!(of(None), (None, Some(30.0)));
        assert_eq!(of(Some(Modulation::Qam256)), (Some(30.0), None));
        let written = serde_json::to_string(&day).expect("json");
        assert_eq!(serde_json::from_str::<DaySnr>(&written).expect("json"), day);
    }

    #[test]
    fn a_part_of_a_day_is_not_told() {
        let samples = [(Qam64, 36.0); 19];
        assert!(day(&samples, 20).is_some() && day(&samples, 21).is_none() && day(&[], 0).is_none());
        assert!(tenths(f64::NAN).is_none() && tenths(1e9).is_none());
    }
}
