//! `report` and `row`: what mod-report says of a window, and what mod-mail and the web page read.
//! What each number means stands beside the code that makes it, in [`crate::measure::arithmetic`].

use std::collections::BTreeMap;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap as _};

use super::{Figure, Status, Timestamp, columns::columns, is_zero};
use crate::{closed_set::closed_set, modulation::Modulation, text};

/// One value per modulation that was seen, lowest modulation first.
pub type PerModulation<T> = BTreeMap<Modulation, T>;

/// `report`, from mod-report to mod-mail: the header, before its rows. All `_pct` are 0 to 100 and rounded,
/// like `lost_mbps` and `lost_gb`, to three decimals; totals are sums of what was not yet rounded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// That of `generated_at`.
    pub ts: Timestamp,
    /// Begin of the window.
    pub from: Timestamp,
    /// End of the window, itself not in it.
    pub to: Timestamp,
    /// The local day, `YYYY-MM-DD`, when the window is exactly one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Time zone of the local days and hours (IANA name).
    pub tz: String,
    /// Interval of the scans that was reckoned with, s.
    pub interval_s: u64,
    /// When it was made.
    pub generated_at: Timestamp,
    /// Upstreams with a sample in the window: one row each.
    pub upstreams: u64,
    /// Those of them whose modulation rests on the built-in profile table, which their device has not confirmed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub built_in: u64,
    /// CMTSs that they are on.
    pub cmts: u64,
    /// Sum of the rows.
    pub hops: u64,
    /// Sum of the rows.
    pub measurements: u64,
    /// Mean of the rows; 0 without any.
    pub coverage_pct: f64,
    /// Share of all measurements.
    #[serde(default)]
    pub share_pct: PerModulation<f64>,
    /// Sum of the rows that have it, Mbit/s; missing when none has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_mbps: Option<f64>,
    /// Sum of the rows that have it, GB; missing when none has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_gb: Option<f64>,
    /// Scans in which many upstreams of one node, or else of one CMTS, stepped down (at least five, and a tenth of
    /// those in service), largest first.
    #[serde(default)]
    pub incidents: Vec<Incident>,
    /// When CMTSs were worked on, as far as that was told: what was lost then is not counted as lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maintenance: Vec<Maintenance>,
    /// Local days of the window that are over and of which neither samples nor a finished day are left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_days: Vec<String>,
    /// Devices that were tried in the window without a good scan.
    #[serde(default)]
    pub silent: Vec<Silent>,
    /// Devices that nobody had tried for a day when the window ended; nothing is missing of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<Gone>,
}

/// Upstreams of one node, where nodes are known, or else of one CMTS that stepped down in the same scan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Incident {
    /// Name of the device.
    pub cmts: String,
    /// That of the scan.
    pub ts: Timestamp,
    /// How many stepped down.
    pub upstreams: u64,
    /// Family of the device, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// The node that they are on; missing when it is one of the whole CMTS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The CMTS was worked on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub maintenance: bool,
}

/// A window in which CMTSs, or some of their upstreams, were worked on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Maintenance {
    /// A pattern of their names, such as `CCAP0*`.
    pub cmts: String,
    /// Begin.
    pub from: Timestamp,
    /// End, itself not in it.
    pub to: Timestamp,
    /// A pattern of the upstreams; missing: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    /// A pattern of the nodes; missing: all of them, and what has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Where the works are written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

impl Maintenance {
    /// What was worked on, in words for a terminal.
    #[must_use]
    pub fn what(&self) -> String {
        let upstream = self.upstream.as_ref().map(|upstream| format!(" {upstream}"));
        let node = self.node.as_ref().map(|node| format!(" node {node}"));
        let ticket = self.ticket.as_ref().map(|ticket| format!(" ({ticket})"));
        let parts = [upstream, node, ticket].into_iter().flatten();
        text::terminal(&format!("{}{}", self.cmts, parts.collect::<String>())).into_owned()
    }
}

/// A device without a good scan in the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Silent {
    /// Name of the device.
    pub cmts: String,
    /// Its last good scan before the window, when one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Status of its last scan.
    pub status: Status,
}

/// A device that nobody has tried for a day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gone {
    /// Name of the device.
    pub cmts: String,
    /// Its last scan, good or not.
    pub since: Timestamp,
}

columns! {
    /// `row`, after the `report`: one per upstream. CSV, pages and groups have its fields as columns, in this order.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct Row {
        /// Begin of the window, so that two reports of a finished day have the same rows.
        pub ts: Timestamp => hidden,
        /// Name of the device.
        pub cmts: String,
        /// Name of the upstream.
        pub upstream: String,
        /// Family of the device.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub platform: Option<String>,
        /// The operator's text for the upstream.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub description: Option<String>,
        /// Modulation of the last sample in the window.
        pub last: Modulation,
        /// The lowest modulation that was sampled or held; missing when none has bits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub worst: Option<Modulation>,
        /// What the upstream should run at; missing when nothing tells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub expected: Option<Modulation>,
        /// Changes that were observed: a lower bound.
        #[serde(default)]
        pub hops: u64 => sum,
        /// Of them to fewer bits per symbol.
        #[serde(default)]
        pub hops_down: u64 => sum,
        /// Of them to more bits per symbol.
        #[serde(default)]
        pub hops_up: u64 => sum,
        /// What the program that this replaces called hops.
        #[serde(default)]
        pub hops_seed: u64,
        /// Samples in the window.
        #[serde(default)]
        pub measurements: u64 => sum,
        /// Time in the window for which a sample held, s.
        #[serde(default)]
        pub observed_s: u64 => sum,
        /// `observed_s` of the time that has passed of the window.
        #[serde(default)]
        pub coverage_pct: f64 => mean,
        /// Time at fewer bits per symbol than expected, s.
        #[serde(default)]
        pub degraded_s: u64 => sum,
        /// The longest stretch of it, s.
        #[serde(default)]
        pub longest_degraded_s: u64,
        /// Bits per symbol that were lost, of those expected.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub lost_pct: Option<f64> => mean,
        /// Capacity lost on average, Mbit/s; missing when the width is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub lost_mbps: Option<f64> => sum,
        /// Capacity lost in all, GB.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub lost_gb: Option<f64> => sum,
        /// Changes at least six times within twenty samples.
        #[serde(default)]
        pub flapping: bool,
        /// One character per local hour that has passed, in windows of one day: the lowest modulation held in it
        /// as bits per symbol (`6` QAM64 … `2` QPSK), else `O` OFDMA, else `?` unknown, else `-` nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub hours: Option<String>,
        /// What is wrong with it (modtools(5) explains the words); missing when nothing is.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub why: Vec<Why>,
        /// Against the day before; missing when that day is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub delta: Option<Delta>,
        /// Of `observed_s` in maintenance, s: nothing is degraded or lost then. Not written when it is none.
        #[serde(default, skip_serializing_if = "is_zero")]
        pub maintenance_s: u64 => sum,
        /// The last local day on which `expected` was held, `YYYY-MM-DD`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub best_seen: Option<NaiveDate>,
        /// When `last` is below `expected`: when the present stretch below it began, across days.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub since: Option<Timestamp>,
        /// Of the last 14 finished days those that were below `expected` for half of their observed time.
        #[serde(default)]
        pub chronic_days: u32,
        /// Centre frequency, Hz.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub center_hz: Option<u64>,
        /// Channel width, Hz.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub width_hz: Option<u64>,
        /// Modems that are registered on it, as its last sample that tells says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub modems: Option<u64> => sum,
        /// The fibre node that it serves (`--nodes`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub node: Option<String>,
        /// The hub of that node.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub hub: Option<String>,
        /// The area of that node.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub area: Option<String>,
        /// The homes that it passes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub homes: Option<u64>,
        /// Customer hours below what is expected: `degraded_s` × `modems`, h. A modem that is bonded over several
        /// upstreams counts on each of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub customer_hours: Option<f64> => sum,
        /// Signal-to-noise ratio; missing when it is not known of the whole window.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub snr_db: Option<Snr>,
        /// Its row on the page (`--page-url`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub url: Option<String>,
        /// All of this in one sentence, of held time only.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pub says: String,
        /// Samples of each modulation.
        #[serde(default)]
        pub counts: PerModulation<u64>,
        /// Of `measurements`.
        #[serde(default)]
        pub share_pct: PerModulation<f64>,
        /// Of `observed_s`.
        #[serde(default)]
        pub time_pct: PerModulation<f64>,
    }
}

/// The signal-to-noise ratio of the samples of a window, dB.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Snr {
    /// The middle one.
    pub median: f64,
    /// The lowest one.
    pub min: f64,
    /// The middle one of the samples below what is expected; missing when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degraded: Option<f64>,
    /// The middle one of all others; missing when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<f64>,
}

closed_set! {
    /// What may be wrong with an upstream.
    #[allow(missing_docs)]
    pub enum Why {
        Chronic = "chronic",
        StuckLow = "stuck_low",
        Flapping = "flapping",
        SteppedDown = "stepped_down",
        Incident = "incident",
        Gap = "gap",
        UnknownProfile = "unknown_profile",
        UnconfirmedProfile = "unconfirmed_profile",
        NeverBetter = "never_better",
    }
}

/// `day`, of `--format days`: the row of an upstream and a local day that is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DayRow {
    /// Begin of the day.
    pub ts: Timestamp,
    /// The local day, `YYYY-MM-DD`.
    pub date: String,
    /// What the row of its report has.
    #[serde(flatten)]
    #[schemars(with = "Row")]
    fields: serde_json::Map<String, serde_json::Value>,
}

impl DayRow {
    /// The row of a day.
    #[must_use]
    pub fn new(date: String, row: Row) -> Self {
        let ts = row.ts;
        let mut fields = match serde_json::to_value(row) {
            Ok(serde_json::Value::Object(fields)) => fields,
            _ => serde_json::Map::new(),
        };
        fields.remove("ts");
        DayRow { ts, date, fields }
    }
}

/// How a row differs from that of the day before: this day less that one, both measured by what is expected
/// today; of an unfinished day against the same part of the day before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Delta {
    /// Of `hops`.
    pub hops: i64,
    /// Of `lost_pct`, in points; missing when either day has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_pct: Option<f64>,
}

/// `group`, of `--by`, after the `report` and in place of its rows: the upstreams of a CMTS, a node, a frequency.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Group {
    /// Begin of the window.
    pub ts: Timestamp,
    /// What it goes by: `cmts`, `platform`, `node`, `hub`, `area`, `description` or `center_hz`, under this name;
    /// missing: the upstreams without one.
    #[schemars(skip)]
    #[serde(flatten)]
    pub key: Key,
    /// How many upstreams.
    pub upstreams: u64,
    /// Those of them that were below what is expected at some time.
    pub degraded: u64,
    /// Homes of their nodes, as far as they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homes: Option<u64>,
    /// Sums and means of what the rows have, by the names of their fields.
    #[schemars(skip)]
    #[serde(flatten)]
    pub figures: Figures,
    /// Upstreams by what is wrong with them.
    pub why: BTreeMap<String, u64>,
}

/// What a group goes by.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Key {
    pub name: &'static str,
    pub value: Option<KeyValue>,
}

/// The value that the upstreams of a group have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
#[allow(missing_docs)]
pub enum KeyValue {
    Number(u64),
    Text(String),
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.value.iter().map(|value| (self.name, value)))
    }
}

/// The figures of a group, to three decimals.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures(pub Vec<Figure>);

impl Figures {
    /// The figure of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|figure| figure.name == name)?.value
    }
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for Figure { name, is_whole, value, .. } in &self.0 {
            match value {
                Some(value) if *is_whole => map.serialize_entry(name, &(*value as u64))?,
                Some(value) => map.serialize_entry(name, value)?,
                None => {}
            }
        }
        map.end()
    }
}
