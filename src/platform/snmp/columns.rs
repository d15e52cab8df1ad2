//! The columns that a scan by SNMP walks, and nothing else: RFC 4546 (DOCS-IF-MIB), RFC 2863 (IF-MIB), DOCS-IF31-MIB
//! and two of Cisco's. The fetcher walks them one by one, and the parser knows each by its number and its name.

use crate::platform::{Need, Step};

/// The most rows of one column, fetched or read: tables of upstreams have hundreds. A device that has more sends
/// something else than what was asked, or does not end.
pub const MOST_ROWS: usize = 100_000;

macro_rules! columns {
    ($($(#[$doc:meta])* $member:ident = $oid:literal, $name:literal, $need:ident, $change:ident;)+) => {
        /// A column of a table (or a scalar) that is read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Column { $($(#[$doc])* $member),+ }

        impl Column {
            /// All of them, in the order in which they are walked.
            pub const ALL: [Column; [$($oid),+].len()] = [$(Column::$member),+];

            /// Its number in the tree, without the dot in front.
            #[must_use]
            pub const fn oid(self) -> &'static str {
                match self { $(Column::$member => $oid),+ }
            }

            /// Its name in the MIB, without the module.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Column::$member => $name),+ }
            }

            /// Whether a scan can do without it.
            #[must_use]
            pub const fn need(self) -> Need {
                match self { $(Column::$member => Need::$need),+ }
            }

            /// Names and profiles: walked again only every `--refresh`.
            #[must_use]
            pub const fn slow_changing(self) -> bool {
                match self { $(Column::$member => Change::$change as u8 == Change::Slow as u8),+ }
            }
        }
    };
}

/// How often what a column says may change.
enum Change {
    /// Only when somebody works on the device.
    Slow,
    /// From scan to scan.
    Quick,
}

columns! {
    /// The product: tells a Cisco, which has a column of its own.
    SysObjectId = "1.3.6.1.2.1.1.2", "sysObjectID", Optional, Slow;
    /// Hundredths of a second since the start. Interface indexes may change when the device starts again.
    SysUpTime = "1.3.6.1.2.1.1.3", "sysUpTime", Optional, Quick;
    /// The interface in words; most names of upstreams stand here.
    IfDescr = "1.3.6.1.2.1.2.2.1.2", "ifDescr", Needed, Slow;
    /// The kind of interface: an OFDMA upstream is 278, also where its own table is not served.
    IfType = "1.3.6.1.2.1.2.2.1.3", "ifType", Optional, Slow;
    /// Only `up` (1) is in service.
    IfOperStatus = "1.3.6.1.2.1.2.2.1.8", "ifOperStatus", Needed, Quick;
    /// The short name of the interface.
    IfName = "1.3.6.1.2.1.31.1.1.1.1", "ifName", Optional, Slow;
    /// The operator's text for the interface.
    IfAlias = "1.3.6.1.2.1.31.1.1.1.18", "ifAlias", Optional, Slow;
    /// Centre frequency, Hz.
    Frequency = "1.3.6.1.2.1.10.127.1.1.2.1.2", "docsIfUpChannelFrequency", Optional, Quick;
    /// Width, Hz.
    Width = "1.3.6.1.2.1.10.127.1.1.2.1.3", "docsIfUpChannelWidth", Optional, Quick;
    /// Number of the modulation profile, 0 for none.
    Profile = "1.3.6.1.2.1.10.127.1.1.2.1.4", "docsIfUpChannelModulationProfile", Needed, Quick;
    /// 1 tdma, 2 atdma, 3 scdma, 4 mixed.
    ChannelType = "1.3.6.1.2.1.10.127.1.1.2.1.15", "docsIfUpChannelType", Optional, Quick;
    /// Not 0: a temporary row, by which somebody configures the channel of that index.
    CloneFrom = "1.3.6.1.2.1.10.127.1.1.2.1.16", "docsIfUpChannelCloneFrom", Optional, Quick;
    /// Only `active` (1) is in service.
    Status = "1.3.6.1.2.1.10.127.1.1.2.1.18", "docsIfUpChannelStatus", Optional, Quick;
    /// Signal to noise, tenths of a dB, 0 where it is not known.
    Snr = "1.3.6.1.2.1.10.127.1.1.4.1.5", "docsIfSigQSignalNoise", Optional, Quick;
    /// Of a line of a modulation profile (by profile and IUC): only `active` (1) lines count.
    ModControl = "1.3.6.1.2.1.10.127.1.3.5.1.3", "docsIfCmtsModControl", Optional, Slow;
    /// Of a line of a modulation profile: its modulation.
    ModType = "1.3.6.1.2.1.10.127.1.3.5.1.4", "docsIfCmtsModType", Optional, Slow;
    /// Lower edge of an OFDMA channel, Hz.
    OfdmaLower = "1.3.6.1.4.1.4491.2.1.28.1.23.1.4", "docsIf31CmtsUsOfdmaChanLowerBdryFreq", Optional, Quick;
    /// Upper edge of an OFDMA channel, Hz.
    OfdmaUpper = "1.3.6.1.4.1.4491.2.1.28.1.23.1.5", "docsIf31CmtsUsOfdmaChanUpperBdryFreq", Optional, Quick;
    /// The profile that spectrum management chose last, on a Cisco: the one in use.
    CiscoProfile = "1.3.6.1.4.1.9.9.114.1.3.1.1.15", "ccsUpSpecMgmtToModProfile", Optional, Quick;
    /// Modems that are registered on the channel, on a Cisco (CISCO-DOCS-EXT-MIB).
    CiscoModems = "1.3.6.1.4.1.9.9.116.1.4.1.1.5", "cdxIfUpChannelCmRegistered", Extra, Quick;
}

/// The word in front of an OID in the command of a capture.
const WALK: &str = "walk ";

impl Column {
    /// The command of a capture whose output is this column.
    #[must_use]
    pub fn command(self) -> String {
        format!("{WALK}{}", self.oid())
    }

    /// Whether only a Cisco has it.
    #[must_use]
    pub const fn is_of_cisco(self) -> bool {
        matches!(self, Column::CiscoProfile | Column::CiscoModems)
    }

    /// As a step of a scan.
    #[must_use]
    pub fn step(self) -> Step {
        Step { command: self.command(), need: self.need(), slow_changing: self.slow_changing() }
    }
}

/// The OID that a command of a capture walks, without the dot in front; none for another command.
#[must_use]
pub fn walked(command: &str) -> Option<&str> {
    command.strip_prefix(WALK).map(|oid| oid.trim().trim_start_matches('.'))
}
