//! The name of the table that holds the samples: `modulation_new`, another one by MODTOOLS_TABLE, or `modulation`
//! where there is no `modulation_new`.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Mutex, Once},
};

use crate::{
    error::{Error, Result},
    settings::Settings,
    sync::unpoisoned,
};

/// The setting that names the table.
const SETTING: &str = "MODTOOLS_TABLE";
const FALLBACK: SampleTable = SampleTable("modulation");
/// Columns by which a table of this name is known for one of samples.
const COLUMNS: [&str; 4] = ["timestamp", "cmts", "upstream", "modulation"];
/// Longest name of a table on MySQL and MariaDB, less what a migration appends.
const LONGEST: usize = 58;
/// Names of tables that hold something else.
const TAKEN: [&str; 9] = [
    "modulation_detail",
    "modulation_channel",
    "modulation_scan",
    "modulation_device",
    "modulation_day",
    "modulation_prune",
    "modulation_migration",
    "modulation_new_keyed",
    "lastupdatemodulation",
];

/// The table of samples. It displays as it stands in SQL: quoted where that may be needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleTable(&'static str);

impl SampleTable {
    /// The one of which everything holds unless told otherwise.
    pub const USUAL: SampleTable = SampleTable("modulation_new");

    /// Its plain name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0
    }

    fn is_usual(self) -> bool {
        self == Self::USUAL
    }
}

impl fmt::Display for SampleTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SQLite reads MySQL's quotes, too.
        if self.is_usual() { f.write_str(self.0) } else { write!(f, "`{}`", self.0) }
    }
}

/// What the settings say about the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice(Option<SampleTable>);

impl Choice {
    /// Reads MODTOOLS_TABLE.
    ///
    /// # Errors
    /// [`Error::Usage`] for what cannot be the name of a table of samples.
    pub fn of_settings(settings: &Settings) -> Result<Self> {
        let Some(name) = settings.get(SETTING)? else { return Ok(Choice(None)) };
        let name = name.trim();
        match fault(name) {
            None => Ok(Choice(Some(SampleTable(interned(name))))),
            Some(reason) => Err(Error::usage(format!("{}={name:?}: {reason}", settings.place(SETTING)))),
        }
    }

    /// The table, among those of a database: `has` tells whether a table has a column. A fallback announces itself,
    /// once per run.
    pub fn among(self, has: impl Fn(&str, &str) -> bool) -> SampleTable {
        static ANNOUNCED: Once = Once::new();
        let there = |table: SampleTable| COLUMNS.iter().all(|column| has(table.0, column));
        match self.0 {
            Some(named) => named,
            None if !there(SampleTable::USUAL) && there(FALLBACK) => {
                ANNOUNCED.call_once(|| {
                    log::warn!(
                        "there is no table {}: {} is used; {SETTING}={} says so for good, \
                         {SETTING}={} with mod-store --init makes a new one",
                        SampleTable::USUAL.0,
                        FALLBACK.0,
                        FALLBACK.0,
                        SampleTable::USUAL.0
                    );
                });
                FALLBACK
            }
            None => SampleTable::USUAL,
        }
    }
}

/// Why a text cannot be the name of the table.
fn fault(name: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(plain) || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(
            "invalid name of a table; expected letters, digits and _, such as modulation_new".into(),
        );
    }
    if name.len() > LONGEST {
        return Some(format!("a name of more than {LONGEST} characters"));
    }
    let taken = TAKEN.iter().any(|taken| taken.eq_ignore_ascii_case(name));
    let internal = name.len() >= 7 && name[..7].eq_ignore_ascii_case("sqlite_");
    (taken || internal).then(|| "a table of this name holds something else".into())
}

/// A name that lives as long as the program; each is kept once.
fn interned(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = unpoisoned(NAMES.lock());
    if let Some(known) = names.get(name) {
        return known;
    }
    let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.insert(name);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(name: &str) -> Result<Choice> {
        Choice::of_settings(&Settings::of([(SETTING, name)]))
    }

    #[test]
    fn a_name_is_an_identifier_and_not_one_of_ours() {
        for name in ["modulation", "modulation_old", "Samples2", "order"] {
            assert_eq!(choice(name).expect(name).among(|_, _| false).name(), name);
        }
        for name in ["a b", "a`b", "x;DROP TABLE y", "1a", "modulation_day", "SQLITE_master", &"n".repeat(59)]
        {
            let error = choice(name).expect_err(name).to_string();
            assert!(error.contains("MODTOOLS_TABLE"), "{error}");
        }
    }

    #[test]
    fn modulation_is_used_only_where_it_holds_samples_and_nothing_else_does() {
        let among = |tables: &[&str]| {
            let tables: Vec<String> = tables.iter().map(|&table| table.to_owned()).collect();
            Choice(None).among(|table, _| tables.iter().any(|known| known == table)).name()
        };
        assert_eq!(among(&[]), "modulation_new");
        assert_eq!(among(&["modulation"]), "modulation");
        assert_eq!(among(&["modulation", "modulation_new"]), "modulation_new");
        // A table of that name, about something else.
        assert_eq!(Choice(None).among(|_, column| column == "timestamp").name(), "modulation_new");
    }
}
