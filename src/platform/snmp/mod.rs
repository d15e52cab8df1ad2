//! Any CMTS by the standard MIBs: no session of its own, but walks of columns, fetched by SNMP or pasted from
//! net-snmp's tools. The text of a walk is read, never a packet: that is the fetcher's.

pub mod columns;

use super::{Answer, Dialogue, Facts, Family, Parsed, Platform, Reading, Step, collector::Collector};
use columns::Column;

/// A CMTS by the standard MIBs.
pub struct Snmp;

impl Family for Snmp {
    fn facts(&self) -> &'static Facts {
        &Facts {
            product: "any CMTS by the standard MIBs",
            name_glob: None,
            log_target: module_path!(),
            debug_setting: "DEBUG_SNMP",
            built_in: &[],
        }
    }

    fn dialogue(&self) -> Option<&'static Dialogue> {
        None
    }

    fn script(&self, answers: &[Answer<'_>]) -> Vec<Step> {
        let cisco = answers.iter().any(|answer| {
            columns::walked(answer.command) == Some(Column::SysObjectId.oid()) && is_cisco(answer.output)
        });
        let columns = Column::ALL.into_iter().filter(|&column| cisco || column != Column::CiscoProfile);
        columns.map(Column::step).collect()
    }

    fn further(&self) -> &'static [(&'static str, &'static str)] {
        &[("walk 1.3.6.1.4.1.9.9.114.1.3.1.1.15", "on a Cisco")]
    }

    fn parse<'a>(&self, _answers: &[Answer<'a>], reading: &mut Reading<'_>) -> Parsed<'a> {
        Collector::new(Platform::Snmp, reading)
            .finish(Some("no walk of the channel table was found".to_owned()))
    }
}

/// Whether the answer to [`Column::SysObjectId`] names a product of Cisco's.
fn is_cisco(output: &str) -> bool {
    output.contains(".1.3.6.1.4.1.9.")
}
