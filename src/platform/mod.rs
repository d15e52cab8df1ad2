//! The families of CCAPs: what to type at a device, and what its answers mean. One folder per vendor
//! implements [`Family`]; CONTRIBUTING.md lists the steps to add one. Everything here is pure: text in,
//! values out. The sessions themselves belong to `fetch`.

mod asked;
mod casa;
mod cbr8;
mod collector;
mod e6000;
mod family;
mod lines;
mod modems;
mod names;
mod profiles;
mod reading;
pub mod snmp;

use std::str::FromStr;

use crate::closed_set::{closed_set, listed};

pub use collector::Line;
pub use family::{Answer, Dialogue, Facts, Family, Need, Step, Verdict, error_text, judge};
pub use names::Names;
pub use profiles::{Iuc, ProfileBook, ProfileTable};
pub use reading::{Explain, Parsed, Reading, Taken, Upstream};

closed_set! {
    /// A way of knowing CCAPs: a family with a command line of its own, in the order of their names in the field, or
    /// the MIBs that all of them serve.
    pub enum Platform {
        /// CommScope (ARRIS) E6000 CER.
        E6000 = "e6000",
        /// Casa C100G and C40G, CommScope EVO vCCAP.
        Casa = "casa",
        /// Cisco cBR-8.
        Cbr8 = "cbr8",
        /// Any CMTS by the standard MIBs, over SNMP or from pasted walks.
        Snmp = "snmp",
    }
}

/// What is known of a family.
#[must_use]
pub fn family(platform: Platform) -> &'static dyn Family {
    match platform {
        Platform::E6000 => &e6000::E6000,
        Platform::Casa => &casa::Casa,
        Platform::Cbr8 => &cbr8::Cbr8,
        Platform::Snmp => &snmp::Snmp,
    }
}

impl Platform {
    /// The log target of the family's code.
    #[must_use]
    pub fn log_target(self) -> &'static str {
        family(self).facts().log_target
    }

    /// The setting that switches the family's code to debug logging.
    #[must_use]
    pub fn debug_setting(self) -> &'static str {
        family(self).facts().debug_setting
    }

    /// The family that a device's name tells, without an operator's own patterns (see [`Names`]).
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Names::built_in().platform(name)
    }

    /// The words of all families, for messages: `e6000, casa, cbr8, snmp`.
    #[must_use]
    pub fn words() -> String {
        listed(Self::ALL.map(Self::word))
    }
}

impl FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let given = text.trim();
        let known = Self::ALL.into_iter().find(|platform| platform.word().eq_ignore_ascii_case(given));
        known.ok_or_else(|| format!("unknown platform {text:?}; expected one of {}", Self::words()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_has_facts_of_its_own() {
        let mut names = Vec::new();
        for platform in Platform::ALL {
            assert_eq!(platform.word().parse(), Ok(platform));
            assert!(platform.log_target().ends_with(&format!("::platform::{platform}")), "{platform}");
            names.push(platform.debug_setting());
            names.extend(family(platform).facts().name_glob);
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "{names:?}");
    }
}
