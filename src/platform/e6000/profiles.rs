//! Modulation profiles in the running configuration, in either form: `configure cable modulation-profile
//! 202 iuc 10 mod qam64 …` on each line, or a block `cable modulation-profile 202` with lines `iuc 10 mod …`.

use super::Taken;
use crate::{
    modulation::Modulation,
    platform::{Iuc, ProfileTable},
};

/// The profile whose block we are in.
#[derive(Default)]
pub(super) struct Profiles {
    open: Option<u32>,
}

impl Profiles {
    /// What a line was taken for; none when it has to do with no profile.
    pub fn line(&mut self, text: &str, table: &mut ProfileTable) -> Option<Taken> {
        let mut words = text.split_ascii_whitespace();
        match words.next()? {
            "configure" if text.contains("modulation-profile") => match words.next() {
                Some("cable") => self.profile(words, table),
                _ => Some(Taken::Ignored("configuration of an interface")),
            },
            "cable" if text.contains("modulation-profile") => self.profile(words, table),
            "ofdm" => Some(Taken::Ignored("OFDMA configuration")),
            "iuc" => Some(match self.open {
                Some(profile) => burst(profile, words, table),
                None => Taken::Unparsed("an iuc of no profile"),
            }),
            "exit" | "end" | "!" => {
                self.open = None;
                Some(Taken::Ignored("the end of a block"))
            }
            _ => None,
        }
    }

    fn profile<'a>(
        &mut self,
        mut words: impl Iterator<Item = &'a str>,
        table: &mut ProfileTable,
    ) -> Option<Taken> {
        if words.next() != Some("modulation-profile") {
            return Some(Taken::Ignored("configuration"));
        }
        let Some(profile) = words.next().and_then(|number| number.parse().ok()) else {
            return Some(Taken::Unparsed("a profile without a number"));
        };
        if words.next() == Some("iuc") {
            return Some(burst(profile, words, table));
        }
        self.open = Some(profile);
        Some(Taken::Header("a modulation profile"))
    }
}

/// One burst type: only the modulation of data grants matters.
fn burst<'a>(profile: u32, mut words: impl Iterator<Item = &'a str>, table: &mut ProfileTable) -> Taken {
    let Some(iuc) = words.next().and_then(Iuc::from_token) else {
        return Taken::Ignored("a burst that carries no data");
    };
    // The second line of an IUC holds pre-type and interleaver, and no modulation.
    if !words.any(|word| matches!(word, "mod" | "modulation")) {
        return Taken::Ignored("more of the same burst");
    }
    match words.next().and_then(Modulation::from_spelling) {
        Some(modulation) => {
            table.add(profile, iuc, modulation);
            Taken::Profile
        }
        None => Taken::Unparsed("a modulation that is not known"),
    }
}
