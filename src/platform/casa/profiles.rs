//! The modulation profiles: `modulation-profile N`, then a line per burst type: IUC, channel type, modulation.

use foldhash::HashMap;

use super::Taken;
use crate::{
    modulation::Modulation,
    platform::{Iuc, ProfileTable, lines::Words},
};

/// The profile whose block we are in, and the channel type of each profile's data grants.
#[derive(Default)]
pub(super) struct Profiles<'a> {
    open: Option<u32>,
    types: HashMap<u32, &'a str>,
}

impl<'a> Profiles<'a> {
    /// The channel type that a profile is for: `atdma`, `tdma`, `scdma`.
    pub fn channel_type(&self, profile: u32) -> Option<&'a str> {
        self.types.get(&profile).copied()
    }

    /// Whether the next line may belong to a profile.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Ends the block: the next line does not belong to the profile.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// Returns what a line was taken for, or none when it has nothing to do with profiles.
    pub fn line(&mut self, mut words: Words<'a>, table: &mut ProfileTable) -> Option<Taken> {
        let first = words.next().unwrap_or_default();
        if first.eq_ignore_ascii_case("modulation-profile") {
            let Some(profile) = words.next().and_then(|number| number.parse().ok()) else {
                return Some(Taken::Unparsed("a profile without a number"));
            };
            self.open = Some(profile);
            return Some(match words.next() {
                Some(iuc) => self.burst(iuc, words, table),
                None => Taken::Header("a modulation profile"),
            });
        }
        let data = first.starts_with(|c: char| c.is_ascii_alphabetic()) && Iuc::from_token(first).is_some();
        if data || self.open.is_some() && is_burst(first) {
            return Some(self.burst(first, words, table));
        }
        if self.open.is_some() && matches!(first, "exit" | "end" | "!") {
            self.close();
            return Some(Taken::Ignored("the end of a block"));
        }
        None
    }

    fn burst(&mut self, iuc: &str, words: impl Iterator<Item = &'a str>, table: &mut ProfileTable) -> Taken {
        let Some(iuc) = Iuc::from_token(iuc) else {
            return Taken::Ignored("a burst that carries no data");
        };
        let Some(profile) = self.open else {
            return Taken::Unparsed("a burst outside of a profile");
        };
        // Behind the IUC stands the channel type, which some releases leave out.
        for word in words.take(2) {
            if let Some(modulation) = Modulation::from_spelling(word) {
                table.add(profile, iuc, modulation);
                return Taken::Profile;
            }
            if word.ends_with("dma") {
                self.types.insert(profile, word);
            }
        }
        Taken::Unparsed("an unknown modulation")
    }
}

/// The other burst types, by name.
fn is_burst(word: &str) -> bool {
    ["request", "req", "reqdata", "initial", "station", "ugs", "a-ugs"]
        .iter()
        .any(|name| word.eq_ignore_ascii_case(name))
}
