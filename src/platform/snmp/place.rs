//! The left side of a line of a walk: which row of which column it names, in any of net-snmp's spellings. `-On`
//! prints `.1.3.6.1.2.1.2.2.1.2.7`; without MIBs that is `iso.3.6.1…`; with some of them `IF-MIB::ifDescr.7`,
//! `ifDescr.7` (`-Os`), `interfaces.ifTable.ifEntry.ifDescr.7` (`-Ou`), the whole path (`-Of`), or `ifDescr[7]` (`-OX`).

use super::columns::Column;

/// The row of a column: an interface index and 0, or a profile and an IUC; zeros for a scalar.
pub type Index = (u32, u32);

/// How a tool spells OIDs. One walk has one form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `.1.3.6…`
    Dotted,
    /// `1.3.6…`, as recordings have it.
    Bare,
    /// `iso.3.6…`
    Iso,
    /// `.iso.org…`
    Path,
    /// `MODULE::name…`
    Module,
    /// `name…`
    Short,
}

/// What a left side names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A row of a column that is read.
    Row(Column, Index),
    /// Columns that are read, or a part of the tree that holds some, without a row: how a walk that found nothing
    /// names what it was asked for.
    Columns(Vec<Column>),
    /// A row of a column that is read, with an index that no such row has.
    Hostile,
    /// Something else.
    Other,
}

/// A left side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// As it was printed.
    pub text: &'a str,
    /// How.
    pub form: Form,
    /// What it names.
    pub target: Target,
    /// Whether the column stands there by its name: then a MIB was loaded.
    pub named: bool,
}

impl<'a> Place<'a> {
    /// Reads a left side, which holds no blank; none when it is not one. A word with dots and no number that is known
    /// to be in a MIB is one only `in_equation`, where ` = ` follows.
    #[must_use]
    pub fn read(text: &'a str, in_equation: bool) -> Option<Self> {
        let form = match text.as_bytes() {
            [b'.', b'0'..=b'9', ..] => Form::Dotted,
            [b'0'..=b'9', ..] if text.starts_with("1.3.6.1.") => Form::Bare,
            [b'.', b'a'..=b'z', ..] => Form::Path,
            [b'A'..=b'Z' | b'a'..=b'z', ..] if text.starts_with("iso.") => Form::Iso,
            [b'A'..=b'Z' | b'a'..=b'z', ..] if text.contains("::") => Form::Module,
            [b'A'..=b'Z' | b'a'..=b'z', ..] if text.contains(['.', '[']) => Form::Short,
            _ => return None,
        };
        let place = |target, named| Some(Place { text, form, target, named });
        match form {
            Form::Dotted | Form::Bare => {
                let digits = text.strip_prefix('.').unwrap_or(text);
                let numeric = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
                if numeric { place(of_number(digits), false) } else { None }
            }
            _ => {
                let (target, base) = of_names(text)?;
                let named = base == Base::Column;
                let known = base != Base::Unknown || matches!(form, Form::Iso | Form::Path | Form::Module);
                let like_a_name = ends_in_index(text) && (in_equation || is_mib_name(text));
                if known || like_a_name { place(target, named) } else { None }
            }
        }
    }

    /// Whether this is what a walk prints right after `before`: a later row of the same column, or another scalar
    /// of the same group.
    #[must_use]
    pub fn continues(&self, before: &Place<'_>) -> bool {
        if self.form != before.form {
            return false;
        }
        if let (Some(group), Some(other)) = (scalar_group(self.text), scalar_group(before.text)) {
            return group == other && self.text != before.text;
        }
        match (&self.target, &before.target) {
            (Target::Row(column, index), Target::Row(other, earlier)) => column == other && index > earlier,
            (Target::Other, Target::Other) => match (cut_index(self.text), cut_index(before.text)) {
                (Some((stem, n)), Some((other, m))) => stem == other && n > m,
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether it names a scalar: one that ends in `.0`.
    #[must_use]
    pub fn is_scalar(&self) -> bool {
        scalar_group(self.text).is_some()
    }
}

/// The group of a scalar: what stands before its name.
fn scalar_group(text: &str) -> Option<&str> {
    let name = text.strip_suffix(".0").or_else(|| text.strip_suffix("[0]"))?;
    Some(&name[..name.rfind(['.', ':']).map_or(0, |at| at + 1)])
}

/// A left side without its last number, and that number.
fn cut_index(text: &str) -> Option<(&str, u64)> {
    let text = text.strip_suffix(']').unwrap_or(text);
    let at = text.rfind(['.', '['])?;
    Some((&text[..=at], text[at + 1..].parse().ok()?))
}

/// Whether a name is one as MIBs have them: `ifAdminStatus.7`, in mixed case.
fn is_mib_name(text: &str) -> bool {
    let names =
        || text.split(['.', '[', ']']).filter(|part| part.starts_with(|c: char| c.is_ascii_alphabetic()));
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && names().next_back().is_some_and(|name| name.bytes().any(|b| b.is_ascii_uppercase()))
}

fn ends_in_index(text: &str) -> bool {
    text.ends_with(|c: char| c.is_ascii_digit() || c == ']')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._[]'\"".contains(&b))
}

/// What an OID of numbers names; `1.3.6.1…`, without the dot in front.
fn of_number(oid: &str) -> Target {
    if !oid.starts_with("1.3.6.1.") {
        return Target::Other;
    }
    for column in Column::ALL {
        if let Some(rest) = oid.strip_prefix(column.oid())
            && (rest.is_empty() || rest.starts_with('.'))
        {
            let mut numbers = Numbers::default();
            rest.split('.').skip(1).for_each(|number| numbers.push(number.parse().ok()));
            return row(column, numbers);
        }
    }
    let below = |column: &Column| column.oid().strip_prefix(oid).is_some_and(|rest| rest.starts_with('.'));
    let columns: Vec<Column> = Column::ALL.into_iter().filter(below).collect();
    if columns.is_empty() { Target::Other } else { Target::Columns(columns) }
}

/// The numbers behind a column: two at most are of use.
#[derive(Default)]
struct Numbers {
    first: [Option<u64>; 2],
    count: usize,
}

impl Numbers {
    fn push(&mut self, number: Option<u64>) {
        if let Some(place) = self.first.get_mut(self.count) {
            *place = number;
        }
        self.count += 1;
    }
}

/// The most that an index of an interface or a profile can be (RFC 2863, RFC 4546).
const LARGEST: u64 = 0x7fff_ffff;
/// The most that an IUC can be: it has four bits (DOCSIS MULPI).
const LARGEST_IUC: u64 = 15;

fn row(column: Column, numbers: Numbers) -> Target {
    let within = |number: Option<u64>, most| number.filter(|n| (1..=most).contains(n)).map(|n| n as u32);
    let index = match (column, numbers.count, numbers.first) {
        (_, 0, _) => return Target::Columns(vec![column]),
        (Column::SysObjectId | Column::SysUpTime, 1, [Some(0), _]) => Some((0, 0)),
        (Column::SysObjectId | Column::SysUpTime, ..) => None,
        (Column::ModControl | Column::ModType, 2, [profile, iuc]) => {
            within(profile, LARGEST).zip(within(iuc, LARGEST_IUC))
        }
        (Column::ModControl | Column::ModType, ..) => None,
        (_, 1, [index, _]) => within(index, LARGEST).map(|index| (index, 0)),
        _ => None,
    };
    index.map_or(Target::Hostile, |index| Target::Row(column, index))
}

/// Where nodes are in the tree whose names stand in front of numbers.
const NODES: [(&str, &str); 41] = [
    ("iso", "1"),
    ("org", "1.3"),
    ("dod", "1.3.6"),
    ("internet", "1.3.6.1"),
    ("mgmt", "1.3.6.1.2"),
    ("mib-2", "1.3.6.1.2.1"),
    ("system", "1.3.6.1.2.1.1"),
    ("sysDescr", "1.3.6.1.2.1.1.1"),
    ("sysContact", "1.3.6.1.2.1.1.4"),
    ("sysName", "1.3.6.1.2.1.1.5"),
    ("sysLocation", "1.3.6.1.2.1.1.6"),
    ("sysServices", "1.3.6.1.2.1.1.7"),
    ("interfaces", "1.3.6.1.2.1.2"),
    ("ifTable", "1.3.6.1.2.1.2.2"),
    ("ifEntry", "1.3.6.1.2.1.2.2.1"),
    ("ifMIB", "1.3.6.1.2.1.31"),
    ("ifMIBObjects", "1.3.6.1.2.1.31.1"),
    ("ifXTable", "1.3.6.1.2.1.31.1.1"),
    ("ifXEntry", "1.3.6.1.2.1.31.1.1.1"),
    ("transmission", "1.3.6.1.2.1.10"),
    ("docsIfMib", "1.3.6.1.2.1.10.127"),
    ("docsIfMibObjects", "1.3.6.1.2.1.10.127.1"),
    ("docsIfBaseObjects", "1.3.6.1.2.1.10.127.1.1"),
    ("docsIfUpstreamChannelTable", "1.3.6.1.2.1.10.127.1.1.2"),
    ("docsIfUpstreamChannelEntry", "1.3.6.1.2.1.10.127.1.1.2.1"),
    ("docsIfSignalQualityTable", "1.3.6.1.2.1.10.127.1.1.4"),
    ("docsIfSignalQualityEntry", "1.3.6.1.2.1.10.127.1.1.4.1"),
    ("docsIfCmtsObjects", "1.3.6.1.2.1.10.127.1.3"),
    ("docsIfCmtsModulationTable", "1.3.6.1.2.1.10.127.1.3.5"),
    ("docsIfCmtsModulationEntry", "1.3.6.1.2.1.10.127.1.3.5.1"),
    ("private", "1.3.6.1.4"),
    ("enterprises", "1.3.6.1.4.1"),
    ("cisco", "1.3.6.1.4.1.9"),
    ("ciscoMgmt", "1.3.6.1.4.1.9.9"),
    ("ciscoCableSpectrumMIB", "1.3.6.1.4.1.9.9.114"),
    ("cableLabs", "1.3.6.1.4.1.4491"),
    ("clabProject", "1.3.6.1.4.1.4491.2"),
    ("clabProjDocsis", "1.3.6.1.4.1.4491.2.1"),
    ("docsIf31Mib", "1.3.6.1.4.1.4491.2.1.28"),
    ("docsIf31CmtsUsOfdmaChanTable", "1.3.6.1.4.1.4491.2.1.28.1.23"),
    ("docsIf31CmtsUsOfdmaChanEntry", "1.3.6.1.4.1.4491.2.1.28.1.23.1"),
];

/// The IUCs by their names in docsIfCmtsModIntervalUsageCode.
const IUCS: [(&str, u64); 9] = [
    ("request", 1),
    ("requestData", 2),
    ("initialRanging", 3),
    ("periodicRanging", 4),
    ("shortData", 5),
    ("longData", 6),
    ("advPhyShortData", 9),
    ("advPhyLongData", 10),
    ("ugs", 11),
];

/// The last name of a left side that is known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Base {
    Column,
    Node,
    Unknown,
}

/// What a left side with names in it names, and by what; none when it is not a left side. The last known name
/// counts: what stands before it is the path to it.
fn of_names(text: &str) -> Option<(Target, Base)> {
    let path = text.rsplit_once("::").map_or(text, |(_, path)| path);
    let (mut base, mut column, mut numbers, mut oid) =
        (Base::Unknown, None, Numbers::default(), String::new());
    for part in path.split(['.', '[', ']']).filter(|part| !part.is_empty()) {
        if let Some(named) = Column::ALL.into_iter().find(|column| column.name() == part) {
            (base, column, numbers) = (Base::Column, Some(named), Numbers::default());
        } else if let Some((_, node)) = NODES.iter().find(|(name, _)| *name == part) {
            (base, oid) = (Base::Node, (*node).to_owned());
        } else if part.bytes().all(|b| b.is_ascii_digit()) {
            numbers.push(part.parse().ok());
            oid.extend([".", part]);
        } else if !part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_'\"".contains(&b)) {
            return None;
        } else {
            let iuc = IUCS.iter().find(|(name, _)| *name == part).map(|&(_, iuc)| iuc);
            let of_profile =
                matches!(column, Some(Column::ModControl | Column::ModType)) && base == Base::Column;
            match iuc.filter(|_| of_profile) {
                Some(iuc) => numbers.push(Some(iuc)),
                None => base = Base::Unknown,
            }
        }
    }
    let target = match (base, column) {
        (Base::Column, Some(column)) => row(column, numbers),
        (Base::Node, _) => of_number(&oid),
        _ => Target::Other,
    };
    Some((target, base))
}

/// Whether the value of a sysObjectID is a product of Cisco's.
#[must_use]
pub fn is_cisco(value: &str) -> bool {
    const CISCO: &str = "1.3.6.1.4.1.9";
    let value = value.trim();
    let (module, path) = value.rsplit_once("::").unwrap_or(("", value));
    let mut oid = String::new();
    for part in path.split('.').filter(|part| !part.is_empty()) {
        match NODES.iter().find(|(name, _)| *name == part) {
            Some((_, node)) => oid = (*node).to_owned(),
            None if oid.is_empty() => oid = part.to_owned(),
            None => oid.extend([".", part]),
        }
    }
    module.starts_with("CISCO-")
        || oid == CISCO
        || oid.strip_prefix(CISCO).is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Option<Target> {
        Place::read(text, true).map(|place| place.target)
    }

    #[test]
    fn a_row_has_many_spellings() {
        let profile = Some(Target::Row(Column::Profile, (843_087_001, 0)));
        for text in [
            ".1.3.6.1.2.1.10.127.1.1.2.1.4.843087001",
            "1.3.6.1.2.1.10.127.1.1.2.1.4.843087001",
            "iso.3.6.1.2.1.10.127.1.1.2.1.4.843087001",
            ".iso.3.6.1.2.1.10.127.1.1.2.1.4.843087001",
            "SNMPv2-SMI::transmission.127.1.1.2.1.4.843087001",
            "SNMPv2-SMI::mib-2.10.127.1.1.2.1.4.843087001",
            "transmission.127.1.1.2.1.4.843087001",
            ".iso.org.dod.internet.mgmt.mib-2.transmission.127.1.1.2.1.4.843087001",
            "DOCS-IF-MIB::docsIfUpChannelModulationProfile.843087001",
            "DOCS-IF-MIB::docsIfUpChannelModulationProfile[843087001]",
            "docsIfUpChannelModulationProfile.843087001",
            "transmission.docsIfMib.docsIfMibObjects.docsIfBaseObjects.docsIfUpstreamChannelTable.docsIfUpstreamChannelEntry.docsIfUpChannelModulationProfile.843087001",
        ] {
            assert_eq!(target(text), profile, "{text}");
        }
        let long = Some(Target::Row(Column::ModType, (202, 10)));
        for text in [
            ".1.3.6.1.2.1.10.127.1.3.5.1.4.202.10",
            "DOCS-IF-MIB::docsIfCmtsModType.202.advPhyLongData",
            "DOCS-IF-MIB::docsIfCmtsModType[202][advPhyLongData]",
            "docsIfCmtsModType[202][10]",
        ] {
            assert_eq!(target(text), long, "{text}");
        }
    }

    #[test]
    fn an_index_that_no_row_has_is_none() {
        for index in ["", "0", "1.2", "-1", "2147483648", "99999999999999999999999", "1..2"] {
            let text = format!(".1.3.6.1.2.1.10.127.1.1.2.1.4.{index}");
            assert!(!matches!(target(&text), Some(Target::Row(..))), "{text}");
        }
        assert_eq!(target("docsIfCmtsModType.202.16"), Some(Target::Hostile));
        assert_eq!(target("docsIfCmtsModType.202"), Some(Target::Hostile));
        assert_eq!(target(".1.3.6.1.2.1.2.2.1.20.5"), Some(Target::Other));
        assert_eq!(target("SNMPv2-SMI::transmission.127.1.1.4"), Some(Target::Columns(vec![Column::Snr])));
    }

    #[test]
    fn words_are_no_rows() {
        for text in ["second", "lines:", "ifDescr", "a.b", "x.5,", "", ".", "::", "10.0.0.1", "v1.2"] {
            assert_eq!(Place::read(text, false), None, "{text}");
        }
    }

    #[test]
    fn a_cisco_is_known_by_its_product() {
        for value in [
            ".1.3.6.1.4.1.9.1.2105",
            "iso.3.6.1.4.1.9.1.2105",
            "SNMPv2-SMI::enterprises.9.1.2105",
            "enterprises.9.1.2105",
            ".iso.org.dod.internet.private.enterprises.9.1.2105",
            "CISCO-PRODUCTS-MIB::ciscoCBR8",
        ] {
            assert!(is_cisco(value), "{value}");
        }
        for value in [".1.3.6.1.4.1.4115.1.9.1", "enterprises.4115.1.9.1", "SNMPv2-SMI::enterprises.99.1", ""]
        {
            assert!(!is_cisco(value), "{value}");
        }
    }
}
