//! What a modulation profile number stands for: the user's file first, then the device's own table, then the
//! built-in table of its family.

use std::{collections::BTreeMap, path::Path};

use globset::{GlobBuilder, GlobMatcher};

use super::{Platform, family};
use crate::{
    error::Result,
    modulation::Modulation,
    record::ExplainedBy,
    tables::{self, Problem, Table},
};

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
    /// The data-grant IUC of a device's word or number, `a-long` or `10`. Any other token is none.
    #[must_use]
    pub fn from_token(token: &str) -> Option<Self> {
        let mut lower = [0_u8; 7];
        let lower = lower.get_mut(..token.len())?;
        lower.copy_from_slice(token.as_bytes());
        lower.make_ascii_lowercase();
        Some(match &*lower {
            b"5" | b"short" => Iuc::Short,
            b"6" | b"long" => Iuc::Long,
            b"9" | b"a-short" | b"ashort" => Iuc::AShort,
            b"10" | b"a-long" | b"along" => Iuc::ALong,
            _ => return None,
        })
    }

    /// Whether a word names a burst type, one that carries data or one that does not.
    #[must_use]
    pub fn is_name(word: &str) -> bool {
        const OTHERS: [&str; 9] =
            ["request", "req", "reqdata", "req/data", "initial", "station", "a-ugs", "ugs", "augs"];
        let data = word.starts_with(|c: char| c.is_ascii_alphabetic()) && Iuc::from_token(word).is_some();
        data || OTHERS.iter().any(|name| word.eq_ignore_ascii_case(name))
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

    /// Whether no profile could be read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The built-in meaning of a number: that of the device's own family and no other.
fn built_in(platform: Platform, profile: u32) -> Option<Modulation> {
    let table = family(platform).facts().built_in;
    table.iter().find(|&&(number, _)| number == profile).map(|&(_, modulation)| modulation)
}

/// What the user says about profile numbers (`--profiles FILE`): believed before any device.
#[derive(Clone, Debug, Default)]
pub struct ProfileBook {
    devices: Vec<(GlobMatcher, u32, Modulation)>,
    platforms: Vec<(Platform, u32, Modulation)>,
}

impl ProfileBook {
    /// Reads a table of `platform or device pattern, number, modulation`, with or without a header line.
    ///
    /// # Errors
    /// [`crate::error::Error::Read`], or [`crate::error::Error::Usage`] with file and line for a line that cannot
    /// be understood.
    pub fn read(path: &Path) -> Result<Self> {
        tables::read("--profiles", path, Self::parse)
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        let mut book = Self::default();
        for (number, row) in Table::new(text).with_comments_behind().enumerate() {
            let row = row?;
            let at = |reason: String| Problem { line: row.line, reason };
            let cells: Vec<&str> = row.cells.iter().map(String::as_str).collect();
            let [scope, profile, modulation] = cells[..] else {
                let found = cells.len();
                return Err(at(format!("{found} cells; expected platform or device, number, modulation")));
            };
            let (profile, modulation) = match (profile.parse::<u32>(), modulation.parse::<Modulation>()) {
                (Ok(profile), Ok(modulation)) => (profile, modulation),
                // The names of the columns, in any words.
                (Err(_), Err(_)) if number == 0 => continue,
                (Err(_), _) => return Err(at(format!("invalid profile number {profile:?}"))),
                (_, Err(reason)) => return Err(at(reason)),
            };
            if let Ok(platform) = scope.parse() {
                book.platforms.push((platform, profile, modulation));
            } else {
                let glob = GlobBuilder::new(scope).case_insensitive(true).build();
                let glob = glob.map_err(|e| at(e.to_string()))?;
                book.devices.push((glob.compile_matcher(), profile, modulation));
            }
        }
        Ok(book)
    }

    /// What a profile number stands for on this device and what says so, in the order of belief: the user's
    /// word for the device, for the platform, the device's own table, the built-in table.
    #[must_use]
    pub fn explain(
        &self,
        platform: Platform,
        cmts: &str,
        own: &ProfileTable,
        profile: u32,
    ) -> Option<(Modulation, ExplainedBy)> {
        let by_device =
            self.devices.iter().find(|(glob, n, _)| *n == profile && glob.is_match(cmts)).map(|t| t.2);
        let by_platform = || self.platforms.iter().find(|t| t.0 == platform && t.1 == profile).map(|t| t.2);
        let user = by_device.or_else(by_platform).map(|m| (m, ExplainedBy::User));
        user.or_else(|| own.get(profile).map(|m| (m, ExplainedBy::Device)))
            .or_else(|| built_in(platform, profile).map(|m| (m, ExplainedBy::BuiltIn)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn belief_goes_from_the_user_to_the_device_to_the_built_in_table() -> Result<(), String> {
        let mut own = ProfileTable::default();
        own.add(202, Iuc::Long, Modulation::Qpsk);
        own.add(202, Iuc::ALong, Modulation::Qam32);
        own.add(202, Iuc::AShort, Modulation::Qam8);
        let book = ProfileBook::parse("scope,number,modulation\ncasa,316,qam128\nCCAP0*,7,64qam # ours\n");
        let book = book.map_err(|problem| problem.reason)?;
        let says = |platform, cmts, n| book.explain(platform, cmts, &own, n);
        let device = |m| Some((m, ExplainedBy::Device));
        let (user, built_in) = (|m| Some((m, ExplainedBy::User)), |m| Some((m, ExplainedBy::BuiltIn)));
        assert_eq!(says(Platform::E6000, "CCAP001", 202), device(Modulation::Qam32));
        assert_eq!(says(Platform::E6000, "CCAP001", 204), built_in(Modulation::Qam16));
        assert_eq!(says(Platform::E6000, "ccap001", 7), user(Modulation::Qam64));
        assert_eq!(says(Platform::E6000, "CCAP201", 7), None);
        assert_eq!(says(Platform::Casa, "CCAP101", 316), user(Modulation::Qam128));
        // The number of another family says nothing.
        assert_eq!(says(Platform::Casa, "CCAP101", 364), built_in(Modulation::Qam64));
        assert_eq!(says(Platform::Cbr8, "CCAP201", 364), None);
        assert_eq!(ProfileBook::parse("x,1,2\nnonsense").map_err(|problem| problem.line).err(), Some(1));
        let windows = "e6000;999;QAM32\r\n\"CCAP{001,002}\";7;QAM16\r\n";
        let book = ProfileBook::parse(windows).map_err(|problem| problem.reason)?;
        let none = ProfileTable::default();
        assert_eq!(book.explain(Platform::E6000, "CCAP003", &none, 999), user(Modulation::Qam32));
        assert_eq!(book.explain(Platform::E6000, "CCAP002", &none, 7), user(Modulation::Qam16));
        for (text, line) in [("e6000,99x,QAM32", 1), ("a,b,c\ncasa,7,QAM33", 2), ("casa,1\n", 1)] {
            assert_eq!(ProfileBook::parse(text).map_err(|problem| problem.line).err(), Some(line), "{text}");
        }
        Ok(())
    }
}
