//! A file of the spool by its name, which says what is in it: the depth is known without reading.

use crate::record::Timestamp;

const END: &str = ".ndjson";

/// A file that waits. The order is that of the time: oldest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) struct Entry {
    pub at: Timestamp,
    number: u32,
    writer: u32,
    pub groups: u64,
    pub samples: u64,
    pub bytes: u64,
}

impl Entry {
    /// One of ours.
    pub fn new(at: Timestamp, number: u32, groups: u64, samples: u64, bytes: u64) -> Self {
        Entry { at, number, writer: std::process::id(), groups, samples, bytes }
    }

    /// `20261125T001122Z-000007-4711-2g-96s.ndjson`
    pub fn name(&self) -> String {
        let Entry { at, number, writer, groups, samples, .. } = self;
        let at = at.utc().format("%Y%m%dT%H%M%SZ");
        format!("{at}-{number:06}-{writer}-{groups}g-{samples}s{END}")
    }

    /// The file of a name; none: not one of ours.
    pub fn of(name: &str, bytes: u64) -> Option<Self> {
        let mut parts = name.strip_suffix(END)?.split('-');
        let mut part = || parts.next();
        let at = chrono::NaiveDateTime::parse_from_str(part()?, "%Y%m%dT%H%M%SZ").ok()?;
        Some(Entry {
            at: Timestamp(at.and_utc().timestamp()),
            number: part()?.parse().ok()?,
            writer: part()?.parse().ok()?,
            groups: part()?.strip_suffix('g')?.parse().ok()?,
            samples: part()?.strip_suffix('s')?.parse().ok()?,
            bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_is_in_the_file_and_sorts_by_time() {
        let at = Timestamp(1_777_636_800);
        let entry = Entry::new(at, 7, 2, 96, 4000);
        assert!(entry.name().starts_with("20260501T120000Z-000007-"), "{}", entry.name());
        assert_eq!(Entry::of(&entry.name(), 4000), Some(entry.clone()));
        for other in ["lock", ".unfinished-1", "20260501T120000Z-000007-1-2g.ndjson", "x.ndjson"] {
            assert_eq!(Entry::of(other, 1), None, "{other}");
        }
        assert!(Entry::new(at + 1, 1, 1, 1, 1) > entry);
    }
}
