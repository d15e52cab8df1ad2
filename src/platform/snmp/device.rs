//! All columns of a device, and the upstreams that they come to. Nothing here depends on the order in which the
//! columns were walked.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    columns::{Column, MOST_ROWS},
    names,
    place::{Index, is_cisco},
    value::Value,
};
use crate::{
    modulation::Modulation,
    platform::{Need, Upstream, collector::Collector, profiles::Iuc},
    record::Source,
};

/// One value, and how sure it is that the device said so.
#[derive(Clone, Debug)]
struct Cell<'a> {
    /// 0 for a line that can be nothing else; more for one that may be part of a string.
    doubt: u8,
    value: Value<'a>,
    /// Another line of no more doubt says something else.
    contradicted: bool,
}

/// What was read of a device.
pub struct Device<'a> {
    columns: [BTreeMap<Index, Cell<'a>>; Column::ALL.len()],
    /// Columns that were asked for, whether they have rows or not.
    asked: [bool; Column::ALL.len()],
    /// What the text says where a walk broke off, and the column that it broke off in.
    broken: Vec<(Option<Column>, &'a str)>,
    too_long: Option<Column>,
}

/// Why not all is well.
#[derive(Debug, Default, PartialEq)]
pub struct Flaws {
    /// Nothing of it counts.
    pub fault: Option<String>,
    /// Something is missing, and what is there counts.
    pub partial: Option<String>,
}

impl Default for Device<'_> {
    fn default() -> Self {
        Device {
            columns: [const { BTreeMap::new() }; Column::ALL.len()],
            asked: [false; Column::ALL.len()],
            broken: Vec::new(),
            too_long: None,
        }
    }
}

impl<'a> Device<'a> {
    /// Notes a value. Of two lines for one row the one of less doubt counts; where both are as sure, and say
    /// different things, none does. False when the column has more rows than any device has.
    pub fn row(&mut self, column: Column, index: Index, doubt: u8, value: Value<'a>) -> bool {
        self.asked(column);
        let rows = &mut self.columns[column as usize];
        let new = Cell { doubt, value, contradicted: false };
        if let Some(old) = rows.get_mut(&index) {
            if doubt < old.doubt {
                *old = new;
            } else if doubt == old.doubt && old.value != new.value {
                old.contradicted = true;
            }
        } else if rows.len() >= MOST_ROWS {
            self.too_long = Some(self.too_long.map_or(column, |other| other.min(column)));
            return false;
        } else {
            rows.insert(index, new);
        }
        true
    }

    /// Notes that a column was asked for.
    pub fn asked(&mut self, column: Column) {
        self.asked[column as usize] = true;
    }

    /// Notes that a walk broke off in a column, where it is known.
    pub fn broken(&mut self, column: Option<Column>, reason: &'a str) {
        if self.broken.len() < Column::ALL.len() {
            self.broken.push((column, reason));
        }
    }

    fn rows(&self, column: Column) -> &BTreeMap<Index, Cell<'a>> {
        &self.columns[column as usize]
    }

    fn has_rows(&self, column: Column) -> bool {
        !self.rows(column).is_empty()
    }

    fn get(&self, column: Column, index: Index) -> Option<&Value<'a>> {
        self.rows(column).get(&index).filter(|cell| !cell.contradicted).map(|cell| &cell.value)
    }

    fn number(&self, column: Column, interface: u32) -> Option<i64> {
        match self.get(column, (interface, 0)) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    fn text(&self, column: Column, index: Index) -> Option<&str> {
        match self.get(column, index) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The interfaces that have a row in one of these columns.
    fn interfaces(&self, columns: &[Column]) -> BTreeSet<u32> {
        columns.iter().flat_map(|&column| self.rows(column).keys().map(|&(interface, _)| interface)).collect()
    }

    /// Adds the upstreams in service, in the order of their interface indexes, and says what is amiss. `whole`: the
    /// text is all that there is (it was pasted), so that a column that is not in it was not walked.
    pub fn resolve(&self, whole: bool, collector: &mut Collector<'_, '_, 'a>) -> Flaws {
        let torn = self.add_profiles(collector);
        let contradicted =
            self.columns.iter().flat_map(BTreeMap::values).filter(|cell| cell.contradicted).count();
        collector.unparsed(contradicted);
        let channels = self.interfaces(&CHANNELS);
        let mut flaws = Flaws { fault: self.fault(&channels), partial: None };
        if flaws.fault.is_some() {
            return flaws;
        }
        let incomplete = self.add_upstreams(&channels, collector);
        collector.unparsed(incomplete.values().sum());
        let broken = self.broken.first().map(|(column, reason)| match column {
            Some(column) => format!("{}: {reason}", column.name()),
            None => (*reason).to_owned(),
        });
        let lacks = incomplete
            .iter()
            .find(|(column, _)| self.broken.iter().any(|(broken, _)| *broken == Some(**column)))
            .filter(|(column, _)| column.need() == Need::Needed);
        if let (Some((column, _)), Some(reason)) = (lacks, &broken) {
            flaws.fault = Some(format!("{}: the walk is not whole: {reason}", column.name()));
            return flaws;
        }
        let missing = || self.missing(whole);
        let torn =
            || (torn > 0).then(|| format!("{}: {torn} profiles are not whole", Column::ModType.name()));
        let lacking = || {
            let (column, count) = incomplete.iter().next()?;
            Some(format!("{}: no value for {count} of the channels in service", column.name()))
        };
        let differing = || {
            (contradicted > 0)
                .then(|| format!("{contradicted} rows with values that contradict each other are not used"))
        };
        flaws.partial = broken.or_else(lacking).or_else(missing).or_else(torn).or_else(differing);
        flaws
    }

    /// Why nothing counts.
    fn fault(&self, channels: &BTreeSet<u32>) -> Option<String> {
        let broken = self.broken.first().map_or(String::new(), |(_, reason)| format!(": {reason}"));
        if let Some(column) = self.too_long {
            return Some(format!("{}: more than {MOST_ROWS} rows", column.name()));
        }
        if !Column::ALL.into_iter().any(|column| self.has_rows(column)) {
            return Some(format!(
                "no line of a walk was read{broken}; expected lines such as `snmpbulkwalk -On` prints"
            ));
        }
        let ofdma = self.has_rows(Column::OfdmaLower) || self.has_rows(Column::OfdmaUpper);
        if !self.has_rows(Column::Profile) && (!ofdma || !channels.is_empty()) {
            let name = Column::Profile.name();
            return Some(format!(
                "{name} has no row{broken}; either it was not walked, or the device is not a CMTS"
            ));
        }
        if !ofdma && !self.is_cmts() {
            return Some(format!(
                "no modulation profile is in use or defined{broken}; the device is not a CMTS"
            ));
        }
        if !self.has_rows(Column::IfDescr) && !self.has_rows(Column::IfName) {
            return Some(format!("ifDescr has no row{broken}, so no upstream has a name"));
        }
        if !self.has_rows(Column::IfOperStatus) {
            return Some(format!(
                "ifOperStatus has no row{broken}, so no upstream is known to be in service"
            ));
        }
        let compared =
            [Column::Frequency, Column::Width, Column::ChannelType, Column::CloneFrom, Column::Status];
        let profiles = self.interfaces(&[Column::Profile]);
        let others = self.interfaces(&compared);
        let cut = self.broken.iter().find(|(column, _)| *column == Some(Column::Profile));
        cut.filter(|_| others.is_empty() || !others.is_subset(&profiles))
            .map(|(_, reason)| format!("{}: the walk is not whole: {reason}", Column::Profile.name()))
    }

    /// A modem serves the same tables, without profiles.
    fn is_cmts(&self) -> bool {
        let in_use = |column| self.rows(column).values().any(|cell| matches!(cell.value, Value::Number(1..)));
        self.has_rows(Column::ModType) || in_use(Column::Profile) || in_use(Column::CiscoProfile)
    }

    /// Columns that should stand in pasted text and do not.
    fn missing(&self, whole: bool) -> Option<String> {
        let cisco = self.is_cisco() == Some(true);
        let expected = |column: &Column| match column {
            Column::SysObjectId | Column::SysUpTime | Column::IfType | Column::IfName => false,
            Column::OfdmaLower | Column::OfdmaUpper => false,
            Column::CiscoProfile => cisco,
            column => column.need() != Need::Extra,
        };
        let names = Column::ALL.into_iter().filter(expected).filter(|&column| !self.asked[column as usize]);
        let names: Vec<&str> = names.filter(|&c| c != Column::IfDescr).map(Column::name).collect();
        (whole && !names.is_empty()).then(|| format!("not in the text: {}", names.join(", ")))
    }

    /// Whether the device is one of Cisco's; none when it is not known.
    fn is_cisco(&self) -> Option<bool> {
        self.text(Column::SysObjectId, (0, 0)).map(is_cisco)
    }

    /// The modulation of each profile: that of its best data grant (IUC 10, then 9, 6, 5). IUC 11 is UGS, not data.
    /// Returns how many profiles have a line of which one of the two columns is missing.
    fn add_profiles(&self, collector: &mut Collector<'_, '_, 'a>) -> usize {
        let control = self.has_rows(Column::ModControl);
        let mut torn = 0;
        let numbers: BTreeSet<u32> = self.interfaces(&[Column::ModType, Column::ModControl]);
        for profile in numbers {
            for (code, iuc) in [(10, Iuc::ALong), (9, Iuc::AShort), (6, Iuc::Long), (5, Iuc::Short)] {
                let row = (profile, code);
                let is = |column| self.rows(column).contains_key(&row);
                let number = |column| match self.get(column, row) {
                    Some(Value::Number(number)) => Some(*number),
                    _ => None,
                };
                if !is(Column::ModType) && !is(Column::ModControl) {
                    continue;
                }
                if number(Column::ModControl).is_some_and(|state| state != ACTIVE) {
                    continue;
                }
                let halves = is(Column::ModType) != is(Column::ModControl);
                torn += usize::from(halves && control && self.has_rows(Column::ModType));
                // A line whose state or modulation is missing, or not known, leaves the profile unexplained: a worse
                // burst type is not what the channel runs at.
                if (number(Column::ModControl) == Some(ACTIVE) || !control)
                    && let Some(modulation) = number(Column::ModType).and_then(modulation)
                {
                    collector.profiles.add(profile, iuc, modulation);
                }
                break;
            }
        }
        torn
    }

    /// Adds the upstreams in service. Returns for each needed column how many channels have no value in it.
    fn add_upstreams(
        &self,
        channels: &BTreeSet<u32>,
        collector: &mut Collector<'_, '_, 'a>,
    ) -> BTreeMap<Column, usize> {
        let mut incomplete = BTreeMap::new();
        let mut lacks = |column| *incomplete.entry(column).or_insert(0) += 1;
        let ofdma = self.ofdma();
        for (interface, name) in self.names(channels, &ofdma) {
            let is_ofdma = ofdma.contains(&interface);
            if !is_ofdma && self.number(Column::Status, interface).is_some_and(|status| status != ACTIVE) {
                continue;
            }
            let up = self.number(Column::IfOperStatus, interface) == Some(UP);
            if let Some(edge) = self.missing_edge(interface).filter(|_| up && is_ofdma) {
                lacks(edge);
            }
            match (self.number(Column::IfOperStatus, interface), name) {
                (Some(UP), _) if !is_ofdma && self.profile(interface).is_none() => lacks(Column::Profile),
                (Some(UP), Some(name)) if name.len() <= LONGEST_NAME => {
                    let known = self.upstream(interface, is_ofdma, name);
                    if !collector.insert(known) {
                        lacks(Column::IfDescr);
                    }
                }
                (Some(UP), _) => lacks(Column::IfDescr),
                // A row without an interface is a leftover; one that has a name should have a state.
                (None, Some(_)) => lacks(Column::IfOperStatus),
                _ => {}
            }
        }
        incomplete
    }

    /// The channels, in the order of their interface indexes, with their names. Channels that are out of service
    /// have a share in that: a name must not change because another channel comes and goes.
    fn names(&self, channels: &BTreeSet<u32>, ofdma: &BTreeSet<u32>) -> Vec<(u32, Option<String>)> {
        let temporary = |interface| self.number(Column::CloneFrom, interface).is_some_and(|from| from != 0);
        let (mut interfaces, mut names) = (Vec::new(), Vec::new());
        for &interface in channels.union(ofdma) {
            if temporary(interface) {
                continue;
            }
            let text = |column| self.text(column, (interface, 0));
            if let Some(candidates) = names::candidates(text(Column::IfDescr), text(Column::IfName)) {
                interfaces.push(interface);
                names.push(candidates);
            }
        }
        let names = names::distinct(names).into_iter().map(|name| name.map(Cow::into_owned));
        interfaces.into_iter().zip(names).collect()
    }

    /// The OFDMA channels: those of their own table, else the interfaces of that kind.
    fn ofdma(&self) -> BTreeSet<u32> {
        let table = self.interfaces(&[Column::OfdmaLower, Column::OfdmaUpper]);
        if !table.is_empty() {
            return table;
        }
        let kinds = self.rows(Column::IfType).iter();
        kinds.filter(|(_, cell)| cell.value == Value::Number(OFDMA_UPSTREAM)).map(|(&(n, _), _)| n).collect()
    }

    /// The edge of an OFDMA channel that is not told, when the other one is.
    fn missing_edge(&self, interface: u32) -> Option<Column> {
        let is = |edge| self.rows(edge).contains_key(&(interface, 0));
        match (is(Column::OfdmaLower), is(Column::OfdmaUpper)) {
            (true, false) => Some(Column::OfdmaUpper),
            (false, true) => Some(Column::OfdmaLower),
            _ => None,
        }
    }

    /// The profile in use: on a Cisco what its spectrum management chose, else what the channel is configured with.
    fn profile(&self, interface: u32) -> Option<u32> {
        let number = |column| self.number(column, interface).and_then(|profile| u32::try_from(profile).ok());
        let chosen = || number(Column::CiscoProfile).filter(|&profile| profile > 0);
        let chosen = if self.is_cisco() == Some(false) { None } else { chosen() };
        chosen.or_else(|| number(Column::Profile))
    }

    fn upstream(&self, interface: u32, is_ofdma: bool, name: String) -> Upstream<'a> {
        let mut upstream = Upstream::named(name, Source::Snmp);
        let hertz = |column| self.number(column, interface).and_then(|hz| u64::try_from(hz).ok());
        let hertz = |column| hertz(column).filter(|hz| (1..=HIGHEST_HZ).contains(hz));
        if is_ofdma {
            upstream.modulation = Modulation::Ofdma;
            upstream.channel_type = Some("ofdma".into());
            let edges = hertz(Column::OfdmaLower).zip(hertz(Column::OfdmaUpper));
            if let Some((low, high)) = edges.filter(|(low, high)| low < high) {
                upstream.center_hz = Some(low + (high - low) / 2);
                upstream.width_hz = Some(high - low);
            }
        } else {
            upstream.profile = self.profile(interface);
            upstream.channel_type =
                self.number(Column::ChannelType, interface).and_then(channel_type).map(Into::into);
            upstream.center_hz = hertz(Column::Frequency);
            upstream.width_hz = hertz(Column::Width);
        }
        let snr = self.number(Column::Snr, interface);
        upstream.snr_db =
            snr.filter(|&n| n != 0 && n.abs() <= LARGEST_SNR).map(|tenths| tenths as f64 / 10.0);
        let modems = self.number(Column::CiscoModems, interface);
        upstream.modems = modems.and_then(|modems| u64::try_from(modems).ok());
        let alias = self.text(Column::IfAlias, (interface, 0)).filter(|text| !text.is_empty());
        upstream.description = alias.map(|text| text.to_owned().into());
        upstream
    }
}

/// The columns of the channel table: a row of any of them is a channel.
const CHANNELS: [Column; 6] = [
    Column::Frequency,
    Column::Width,
    Column::Profile,
    Column::ChannelType,
    Column::CloneFrom,
    Column::Status,
];

/// ifOperStatus of an interface that works.
const UP: i64 = 1;

/// RowStatus of a row that counts.
const ACTIVE: i64 = 1;

/// docsOfdmaUpstream (IANAifType).
const OFDMA_UPSTREAM: i64 = 278;

/// An ifDescr and an ifName have 255 bytes at most (RFC 2863).
const LONGEST_NAME: usize = 255;

/// No upstream is above; what is has not been understood.
const HIGHEST_HZ: u64 = 10_000_000_000;

/// No signal is 100 dB above noise; tenths of a dB.
const LARGEST_SNR: i64 = 1000;

/// docsIfCmtsModType.
fn modulation(number: i64) -> Option<Modulation> {
    Some(match number {
        2 => Modulation::Qpsk,
        3 => Modulation::Qam16,
        4 => Modulation::Qam8,
        5 => Modulation::Qam32,
        6 => Modulation::Qam64,
        7 => Modulation::Qam128,
        8 => Modulation::Qam256,
        _ => return None,
    })
}

/// docsIfUpChannelType.
fn channel_type(number: i64) -> Option<&'static str> {
    Some(match number {
        1 => "tdma",
        2 => "atdma",
        3 => "scdma",
        4 => "mixed",
        _ => return None,
    })
}
