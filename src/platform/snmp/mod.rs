//! Any CMTS by the standard MIBs: no session of its own, but walks of columns, fetched by SNMP or pasted from
//! net-snmp's tools. The text of a walk is read, never a packet: that is the fetcher's.
//!
//! `place` and `value` read the two sides of a line, `walk` the lines of an answer with all that may stand
//! between them; `device` holds the columns and makes upstreams of them, `names` their names.

pub mod columns;
mod device;
mod names;
mod place;
mod value;
mod walk;

use super::{
    Answer, Dialogue, Facts, Family, Need, Parsed, Platform, Reading, Step, collector::Collector, family,
};
use columns::Column;
use device::{Device, Flaws};
use walk::Walk;

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
        let product =
            answers.iter().find(|answer| columns::walked(answer.command) == Some(Column::SysObjectId.oid()));
        let cisco = product.is_some_and(|answer| {
            answer
                .output
                .lines()
                .filter_map(|line| line.split_once("OID: "))
                .any(|(_, oid)| place::is_cisco(oid))
        });
        let columns = Column::ALL.into_iter().filter(|&column| cisco || !column.is_of_cisco());
        columns.map(Column::step).collect()
    }

    fn further(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("walk 1.3.6.1.4.1.9.9.114.1.3.1.1.15", "on a Cisco"),
            ("walk 1.3.6.1.4.1.9.9.116.1.4.1.1.5", "on a Cisco"),
        ]
    }

    fn need(&self, command: &str, answers: &[Answer<'_>]) -> Need {
        let walked = columns::walked(command);
        let column = Column::ALL.into_iter().find(|column| walked == Some(column.oid()));
        column.map_or_else(|| family::need_by_script(self, command, answers), Column::need)
    }

    fn parse<'a>(&self, answers: &[Answer<'a>], reading: &mut Reading<'_>) -> Parsed<'a> {
        let mut collector = Collector::new(Platform::Snmp, reading);
        let mut device = Device::default();
        for (place, answer) in answers.iter().enumerate() {
            let scope = columns::walked(answer.command);
            for column in Column::ALL.into_iter().filter(|column| scope == Some(column.oid())) {
                device.asked(column);
            }
            if answer.complete {
                Walk::read(place, answer.command, scope, answer.output, &mut device, &mut collector);
            }
        }
        let pasted = answers.iter().any(|answer| columns::walked(answer.command).is_none());
        let Flaws { fault, partial } = device.resolve(pasted, &mut collector);
        let mut parsed = collector.finish(fault);
        parsed.partial = partial;
        parsed
    }
}
