//! What a stretch of time came to, whatever is expected: what an upstream's samples are accumulated into, what
//! `modulation_day` keeps of a finished day, and what windows of several days are put together from.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de::Visitor};

use super::{CARRY_S, FLAPPING_CHANGES, FLAPPING_WINDOW, MODULATIONS, PerIndex, WITH_BITS, change};
use crate::{measure::snr::DaySnr, modulation::Modulation, record::is_zero};

/// A sample's time (UNIX) and modulation.
pub type Sampled = (i64, Modulation);

/// The day. Arrays of [`WITH_BITS`] are by threshold: what is below each modulation with bits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Day {
    /// The first sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<Sampled>,
    /// The last sample.
    #[serde(with = "last", skip_serializing_if = "Option::is_none")]
    pub last: Option<Sampled>,
    /// Samples by [`Modulation::index`].
    #[serde(with = "named", skip_serializing_if = "is_zero")]
    pub counts: PerIndex,
    /// Seconds held by [`Modulation::index`]; a column of its own.
    #[serde(skip)]
    pub time: PerIndex,
    /// Of that while its CMTS was worked on; never kept.
    #[serde(skip)]
    pub maintained: PerIndex,
    /// Changes.
    #[serde(skip_serializing_if = "is_zero")]
    pub hops: u32,
    /// Changes to fewer bits.
    #[serde(skip_serializing_if = "is_zero")]
    pub hops_down: u32,
    /// Changes to more bits.
    #[serde(skip_serializing_if = "is_zero")]
    pub hops_up: u32,
    /// What the replaced program called hops.
    #[serde(skip_serializing_if = "is_zero")]
    pub hops_seed: u32,
    /// The first and the last sample that the replaced program knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<(Modulation, Modulation)>,
    /// Whether of the first samples each was a change, the first lowest.
    #[serde(skip_serializing_if = "is_zero")]
    pub head: u32,
    /// Whether of the last samples each was a change, the last lowest.
    #[serde(skip_serializing_if = "is_zero")]
    pub tail: u32,
    /// At least `FLAPPING_CHANGES` in `FLAPPING_WINDOW` samples.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub flapping: bool,
    /// The longest stretch below each threshold, s.
    #[serde(with = "suffix", skip_serializing_if = "is_zero")]
    pub longest_below_s: [u32; WITH_BITS],
    /// The stretch that begins when the time does, s.
    #[serde(with = "suffix", skip_serializing_if = "is_zero")]
    pub lead_s: [u32; WITH_BITS],
    /// The stretch that ends when the time does, s.
    #[serde(with = "suffix", skip_serializing_if = "is_zero")]
    pub trail_s: [u32; WITH_BITS],
    /// How often it rose from below, without unobserved time between.
    #[serde(with = "suffix", skip_serializing_if = "is_zero")]
    pub recovered: [u32; WITH_BITS],
    /// When the stretch of samples below began that the last one belongs to (UNIX); 0: it is not below.
    #[serde(with = "suffix", skip_serializing_if = "is_zero")]
    pub below_from: [i64; WITH_BITS],
    /// The signal-to-noise ratio, when enough samples tell it; never of several days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snr: Option<DaySnr>,
    /// Per hour the index of the lowest modulation held in it, if any.
    #[serde(with = "hours", skip_serializing_if = "<[u8]>::is_empty")]
    pub hours: Box<[u8]>,
}

impl Day {
    /// Samples.
    #[must_use]
    pub fn measurements(&self) -> u64 {
        self.counts.iter().map(|&n| u64::from(n)).sum()
    }

    /// Time for which a sample held, s.
    #[must_use]
    pub fn observed_s(&self) -> u64 {
        self.time.iter().map(|&s| u64::from(s)).sum()
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_none() && self.time.iter().all(|&s| s == 0)
    }

    /// Takes the time that follows: `from`, `span_s` long. It comes to what both would have come to as one.
    pub fn append(&mut self, mut next: Day, from: i64, span_s: i64) {
        self.snr = match (self.first, next.first) {
            (None, _) => next.snr.take(),
            (_, None) => self.snr.take(),
            _ => None,
        };
        match (self.last, next.first) {
            (Some(last), Some(_)) => self.join_samples(last, &mut next, from),
            (None, Some(_)) => (self.head, self.tail) = (next.head, next.tail),
            _ => {}
        }
        let span = u32::try_from(span_s).unwrap_or(u32::MAX);
        for at in 0..WITH_BITS {
            let joined = match (self.trail_s[at], next.lead_s[at]) {
                (0, _) | (_, 0) => 0,
                (trail, lead) => trail + lead,
            };
            self.longest_below_s[at] = self.longest_below_s[at].max(next.longest_below_s[at]).max(joined);
            self.trail_s[at] = if joined > 0 && next.lead_s[at] == span { joined } else { next.trail_s[at] };
            self.recovered[at] += next.recovered[at];
        }
        super::add(&mut self.counts, &next.counts);
        super::add(&mut self.time, &next.time);
        super::add(&mut self.maintained, &next.maintained);
        self.hops += next.hops;
        self.hops_down += next.hops_down;
        self.hops_up += next.hops_up;
        self.hops_seed += next.hops_seed;
        self.flapping |= next.flapping;
        self.first = self.first.or(next.first);
        self.last = next.last.or(self.last);
        self.seed = match (self.seed, next.seed) {
            (Some((first, _)), Some((_, last))) => Some((first, last)),
            (ours, theirs) => ours.or(theirs),
        };
        // Hours are told of one day only.
        self.hours = Box::default();
    }

    /// Compares the first sample with one that lies further back than what was carried in.
    pub fn compare_first(&mut self, before: Modulation) {
        let Some((_, now)) = self.first else { return };
        let Some(before) = change(Some(before), now) else { return };
        self.hops += 1;
        if let Some((before, now)) = before.bits().zip(now.bits()) {
            self.hops_down += u32::from(now < before);
            self.hops_up += u32::from(now > before);
        }
        self.head |= 1;
        let samples = self.measurements();
        if samples <= u64::from(FLAPPING_WINDOW) {
            self.tail |= 1 << (samples - 1);
        }
    }

    /// What the first sample of the time that follows is after the last of this: a change that was not seen, when
    /// it lies further back than what is carried in, and changes that are close to each other.
    fn join_samples(&mut self, last: Sampled, next: &mut Day, from: i64) {
        if last.0 < from - CARRY_S {
            next.compare_first(last.1);
        }
        if let (Some((_, before)), Some((now, _))) = (self.seed, next.seed)
            && before == now
        {
            next.hops_seed -= 1;
        }
        const MASK: u32 = (1 << FLAPPING_WINDOW) - 1;
        let (ours, theirs) = (self.measurements(), next.measurements());
        let mut register = self.tail;
        for at in 0..theirs.min(u64::from(FLAPPING_WINDOW)) {
            register = (register << 1 | (next.head >> at & 1)) & MASK;
            self.flapping |= register.count_ones() >= FLAPPING_CHANGES;
        }
        if theirs < u64::from(FLAPPING_WINDOW) {
            next.tail = register;
        }
        self.tail = next.tail;
        if ours < u64::from(FLAPPING_WINDOW) {
            self.head = (self.head | next.head << ours) & MASK;
        }
    }
}

/// Numbers by the words of the modulations.
pub mod named {
    use std::fmt;

    use serde::{
        Deserializer, Serializer,
        de::{MapAccess, Visitor},
    };

    use super::{MODULATIONS, Modulation, PerIndex};

    /// Those that are not 0.
    pub fn serialize<S: Serializer>(numbers: &PerIndex, serializer: S) -> Result<S::Ok, S::Error> {
        let seen = Modulation::ALL.into_iter().map(|m| (m, numbers[m.index()])).filter(|&(_, n)| n > 0);
        serializer.collect_map(seen)
    }

    /// The others are 0.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PerIndex, D::Error> {
        deserializer.deserialize_map(Named)
    }

    struct Named;

    impl<'de> Visitor<'de> for Named {
        type Value = PerIndex;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("numbers by the words of modulations")
        }

        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<PerIndex, M::Error> {
            let mut numbers = [0; MODULATIONS];
            while let Some((modulation, number)) = map.next_entry::<Modulation, u32>()? {
                numbers[modulation.index()] = number;
            }
            Ok(numbers)
        }
    }
}

/// What is below a modulation is below every better one: arrays by threshold begin with zeros, which are left out.
pub mod suffix {
    use std::{fmt, marker::PhantomData};

    use serde::{
        Deserialize, Deserializer, Serialize, Serializer,
        de::{Error as _, SeqAccess, Visitor},
    };

    use super::WITH_BITS;

    /// From the first number that is not 0.
    pub fn serialize<T, S>(numbers: &[T; WITH_BITS], serializer: S) -> Result<S::Ok, S::Error>
    where
        T: Serialize + Default + PartialEq,
        S: Serializer,
    {
        let from = numbers.iter().position(|number| *number != T::default()).unwrap_or(WITH_BITS);
        numbers[from..].serialize(serializer)
    }

    /// What is missing at the begin is 0.
    ///
    /// # Errors
    /// Errors of the deserializer; there are too many.
    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<[T; WITH_BITS], D::Error>
    where
        T: Deserialize<'de> + Default + Copy,
        D: Deserializer<'de>,
    {
        deserializer.deserialize_seq(Suffix(PhantomData))
    }

    struct Suffix<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de> + Default + Copy> Visitor<'de> for Suffix<T> {
        type Value = [T; WITH_BITS];

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("at most one number per modulation")
        }

        fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Self::Value, S::Error> {
            let mut numbers = [T::default(); WITH_BITS];
            let mut length = 0;
            while let Some(number) = seq.next_element()? {
                length += 1;
                *numbers.get_mut(length - 1).ok_or_else(|| S::Error::invalid_length(length, &self))? = number;
            }
            numbers.rotate_right(WITH_BITS - length);
            Ok(numbers)
        }
    }
}

/// The last sample; days of older versions have its modulation alone.
mod last {
    use std::fmt;

    use serde::{
        Deserialize as _, Deserializer, Serialize as _, Serializer,
        de::{Error, IntoDeserializer as _, SeqAccess, Visitor, value::SeqAccessDeserializer},
    };

    use super::{Modulation, Sampled};

    pub fn serialize<S: Serializer>(last: &Option<Sampled>, serializer: S) -> Result<S::Ok, S::Error> {
        last.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Sampled>, D::Error> {
        deserializer.deserialize_any(Last)
    }

    struct Last;

    impl<'de> Visitor<'de> for Last {
        type Value = Option<Sampled>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a time and a modulation, or the modulation alone")
        }

        fn visit_seq<S: SeqAccess<'de>>(self, seq: S) -> Result<Self::Value, S::Error> {
            Sampled::deserialize(SeqAccessDeserializer::new(seq)).map(Some)
        }

        fn visit_str<E: Error>(self, word: &str) -> Result<Self::Value, E> {
            Modulation::deserialize(word.into_deserializer()).map(|modulation| Some((0, modulation)))
        }
    }
}

/// What a text stands for, without a copy of the text.
pub fn of_text<'de, T, D: Deserializer<'de>>(deserializer: D, read: fn(&str) -> T) -> Result<T, D::Error> {
    struct Text<T>(fn(&str) -> T);

    impl<T> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }

        fn visit_str<E>(self, text: &str) -> Result<T, E> {
            Ok((self.0)(text))
        }
    }

    deserializer.deserialize_str(Text(read))
}

/// Hours as the strip that a row shows.
mod hours {
    use serde::{Deserializer, Serializer};

    use super::{
        super::{hours_of, strip},
        of_text,
    };

    pub fn serialize<S: Serializer>(hours: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&strip(hours))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<[u8]>, D::Error> {
        of_text(deserializer, hours_of)
    }
}
