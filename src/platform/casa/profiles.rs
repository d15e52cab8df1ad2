//! The modulation profiles: `modulation-profile N`, then a line per burst type: IUC, channel type, modulation.

use super::Taken;
use crate::modulation::{Iuc, Modulation, ProfileTable};

/// The profile whose block we are in.
#[derive(Default)]
pub(super) struct Profiles {
    open: Option<u32>,
}

impl Profiles {
    /// What is next is none of the profile's.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// What a line was taken for; none when it has to do with no profile.
    pub fn line(&mut self, text: &str, table: &mut ProfileTable) -> Option<Taken> {
        let mut words = text.split_ascii_whitespace();
        let first = words.next()?;
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
        let data = Iuc::from_token(first).is_some() && !first.as_bytes()[0].is_ascii_digit();
        if data || self.open.is_some() && is_burst(first) {
            return Some(self.burst(first, words, table));
        }
        if self.open.is_some() && matches!(first, "exit" | "end" | "!") {
            self.close();
            return Some(Taken::Ignored("the end of a block"));
        }
        None
    }

    fn burst<'a>(&self, iuc: &str, words: impl Iterator<Item = &'a str>, table: &mut ProfileTable) -> Taken {
        let Some(iuc) = Iuc::from_token(iuc) else {
            return Taken::Ignored("a burst that carries no data");
        };
        let Some(profile) = self.open else {
            return Taken::Unparsed("a burst of no profile");
        };
        // Behind the IUC stands the channel type, which some releases leave out.
        match words.take(2).find_map(Modulation::from_spelling) {
            Some(modulation) => {
                table.add(profile, iuc, modulation);
                Taken::Profile
            }
            None => Taken::Unparsed("a modulation that is not known"),
        }
    }
}

/// The other burst types, by name.
fn is_burst(word: &str) -> bool {
    ["request", "req", "reqdata", "initial", "station", "ugs", "a-ugs"]
        .iter()
        .any(|name| word.eq_ignore_ascii_case(name))
}
