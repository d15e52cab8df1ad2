//! The records that the tools pass to each other: NDJSON, UTF-8, one object per line. The doc comments here
//! are the specification; modtools(5) shows the same to users.
//!
//! Every record begins with `v` (the version of the format, 1), `type` and `ts` (UTC, whole seconds). Keys are
//! lower_snake with units in their names. An absent value is a missing key, never `""` or `null`. Fields may be
//! added; none is renamed. A tool passes on unchanged what it does not know.
//!
//! One line of each type, as the tools write it:
//!
//! `capture`, all that one device said in one scan, whatever happened:
//! ```json
//! {"v":1,"type":"capture","ts":"2026-11-24T12:00:00Z","cmts":"CCAP001","platform":"e6000","host":"10.0.0.1","port":22,"status":"ok","attempts":1,"elapsed_ms":1840,"phases":{"connect_ms":40,"auth_ms":310,"commands_ms":1490},"commands":[{"command":"show interface cable-upstream","output":"US  Cable  Oper …\n","elapsed_ms":900,"complete":true}]}
//! ```
//! `sample`, one upstream at one moment:
//! ```json
//! {"v":1,"type":"sample","ts":"2026-11-24T12:00:00Z","cmts":"CCAP001","upstream":"2/scq/0","modulation":"QAM64","profile":364,"source":"state","explained_by":"device","platform":"e6000","channel_type":"atdma","center_hz":58800000,"width_hz":6400000}
//! ```
//! `scan`, after the samples of one capture, always:
//! ```json
//! {"v":1,"type":"scan","ts":"2026-11-24T12:00:00Z","cmts":"CCAP001","platform":"e6000","status":"ok","attempts":1,"elapsed_ms":1840,"samples":1,"unparsed":0,"built_in":0}
//! ```
//! `heartbeat`, at each tick of `ccap-fetch --every`, proof that the whole pipe moves:
//! ```json
//! {"v":1,"type":"heartbeat","ts":"2026-11-24T12:00:30Z","devices":60,"due":3,"running":3,"next_due":"2026-11-24T12:01:00Z"}
//! ```
//! `end`, the last record of a source that ended in order:
//! ```json
//! {"v":1,"type":"end","ts":"2026-11-24T12:00:09Z","stage":"ccap-fetch","ok":59,"failed":1}
//! ```
//! `error`, a line that a tool could not use:
//! ```json
//! {"v":1,"type":"error","ts":"2026-11-24T12:00:01Z","stage":"mod-parse","line":3,"message":"not JSON: expected value at line 1 column 1"}
//! ```
//! `report` and then one `row` per upstream, what mod-report says of a window:
//! ```json
//! {"v":1,"type":"report","ts":"2026-11-25T06:00:00Z","from":"2026-11-23T23:00:00Z","to":"2026-11-24T23:00:00Z","date":"2026-11-24","tz":"Europe/Amsterdam","interval_s":600,"generated_at":"2026-11-25T06:00:00Z","upstreams":1,"cmts":1,"hops":2,"measurements":144,"coverage_pct":100.0,"share_pct":{"QAM16":4.167,"QAM64":95.833},"lost_mbps":0.142,"incidents":[],"silent":[]}
//! ```
//! `event`, what opened, grew or closed since the last run of `mod-report --events`:
//! ```json
//! {"v":1,"type":"event","ts":"2026-11-24T12:10:00Z","id":"9c2f60e1d4b7a803","what":"opened","cmts":"CCAP001","node":"N12","upstreams":12,"from":"QAM64","to":"QAM16","since":"2026-11-24T12:00:00Z","lost_mbps":122.88,"modems":431,"says":"12 upstreams of N12 on CCAP001 fell from QAM64 to QAM16 at 2026-11-24 13:00, 122.9 Mbit/s lost, 431 modems."}
//! ```
//! mod-report also writes [`Change`], [`Gap`], [`State`], [`Fresh`] and [`Work`]; mod-prune [`Pruned`] and [`TableStatus`].

mod answers;
pub mod columns;
mod decode;
mod event;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod outputs;
mod prune;
mod report;
mod sample;
mod schema;
mod stored;
mod supervised;
mod time;
mod totals;
mod work;

use std::io;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{closed_set::closed_set, modulation::Modulation};
pub use answers::{Change, Fresh, Gap, State};
pub use columns::{Cell, Figure, Fold};
pub use decode::{BadLine, Record, decode};
pub use event::{Event, What};
pub use outputs::Outputs;
pub use prune::{Health, IdStatus, Pruned, Retained, Stopped, TableStatus, Way};
pub use report::{
    DayRow, Delta, Figures, Gone, Group, Incident, Key, KeyValue, Maintenance, PerModulation, Report, Row,
    Silent, Snr, Why,
};
pub use schema::schema;
pub use stored::Stored;
pub use supervised::{Document, Statistics, StatusRecord, StatusWord};
pub use time::Timestamp;
pub use totals::Totals;
pub use work::{Verdict, Work, WorkSide};

/// The version of the records that we write and understand.
pub const VERSION: u64 = 1;

/// How every line of our own begins, up to the word of its type.
const HEAD: &str = "{\"v\":1,\"type\":\"";

/// A record that we write: its `type` word, and a body whose first field is `ts`.
pub trait Body: Serialize {
    /// The `type` of the record.
    const TYPE: &'static str;

    /// Appends its fields and the brace behind them.
    ///
    /// # Errors
    /// A body that cannot be JSON is a defect and becomes `InvalidData`.
    fn append_fields(&self, line: &mut Vec<u8>) -> io::Result<()> {
        let head = line.len();
        serde_json::to_writer(&mut *line, self)?;
        // The body's own opening brace gives way to the common head.
        line.remove(head);
        Ok(())
    }
}

/// Writes one record as one line.
///
/// # Errors
/// What the writer says; a body that cannot be JSON is a defect and becomes `InvalidData`.
pub fn write<B: Body>(output: &mut (impl io::Write + ?Sized), body: &B) -> io::Result<()> {
    let mut line = Vec::with_capacity(512);
    append(&mut line, body)?;
    output.write_all(&line)
}

/// Appends one record as one line.
///
/// # Errors
/// A body that cannot be JSON is a defect and becomes `InvalidData`.
pub fn append<B: Body>(lines: &mut Vec<u8>, body: &B) -> io::Result<()> {
    append_type::<B>(lines);
    body.append_fields(lines)?;
    lines.push(b'\n');
    Ok(())
}

/// Appends what a record begins with.
fn append_type<B: Body>(lines: &mut Vec<u8>) {
    for part in [HEAD, B::TYPE, "\","] {
        lines.extend_from_slice(part.as_bytes());
    }
}

macro_rules! bodies {
    ($($name:ty = $word:literal),* $(,)?) => { $(impl Body for $name { const TYPE: &'static str = $word; })* };
}
bodies!(Capture = "capture", Scan = "scan", Heartbeat = "heartbeat", End = "end", Fault = "error");
bodies!(Stored<'_> = "stored", Pruned = "pruned", TableStatus = "status", StatusRecord<'_> = "status");
bodies!(Report = "report", Row = "row", DayRow = "day", Group = "group", Event = "event");
bodies!(Change = "change", Gap = "gap", State = "state", Fresh = "fresh", Work = "work");

/// For numbers that are left out of a record when they are 0.
pub(crate) fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

closed_set! {
    /// How the collection of one device ended.
    pub enum Status {
        /// All commands complete.
        Ok = "ok",
        /// All needed commands complete, an optional one failed.
        Partial = "partial",
        /// The name has no address.
        ResolveFailed = "resolve_failed",
        /// Nothing listens on the port.
        Refused = "refused",
        /// No route, or the network said no.
        Unreachable = "unreachable",
        /// No answer to the connection within its budget.
        ConnectTimeout = "connect_timeout",
        /// No common algorithm, or the SSH handshake broke.
        KexFailed = "kex_failed",
        /// The host key is not in known_hosts.
        HostKeyUnknown = "host_key_unknown",
        /// The host key differs from known_hosts, or is revoked.
        HostKeyChanged = "host_key_changed",
        /// The credential was rejected, or there was none to offer.
        AuthFailed = "auth_failed",
        /// Handshake, authentication or the first prompt took too long.
        LoginTimeout = "login_timeout",
        /// Output stalled, or the device used up its total budget.
        ReadTimeout = "read_timeout",
        /// The connection was closed or reset.
        Disconnected = "disconnected",
        /// More output than allowed.
        OutputTooLarge = "output_too_large",
        /// A needed command was answered by an error text.
        CommandFailed = "command_failed",
        /// We were told to stop.
        Cancelled = "cancelled",
        /// A needed table has no recognisable header (scan records only).
        ParseFailed = "parse_failed",
        /// A fault of ours.
        Internal = "internal",
    }
}

impl Status {
    /// Whether samples may come of it.
    #[must_use]
    pub fn is_good(self) -> bool {
        matches!(self, Status::Ok | Status::Partial)
    }
}

/// `capture`, from ccap-fetch to mod-parse: everything that one device said in one scan. There is one
/// for every device and scan, whatever happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Capture {
    /// When the first attempt began; its samples and its scan carry the same.
    pub ts: Timestamp,
    /// Name of the device.
    pub cmts: String,
    /// Family: `e6000`, `casa`, `cbr8`, `snmp`. Text, because a capture of a family that we do not know is still a capture.
    pub platform: String,
    /// Family of the device, where it is known and `platform` is a way of asking any family (`snmp`): what samples and
    /// scan carry as their platform, so that a series goes on when a device is asked in another way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Host name or address that was connected to.
    pub host: String,
    /// TCP port; UDP port by SNMP.
    pub port: u16,
    /// How it ended.
    pub status: Status,
    /// Why it is not ok, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Connections tried, 0 when none was.
    #[serde(default)]
    pub attempts: u32,
    /// From the first attempt to the end, ms.
    #[serde(default)]
    pub elapsed_ms: u64,
    /// Where the time of the last attempt went.
    #[serde(default)]
    pub phases: Phases,
    /// What the key exchange settled on, of the last attempt that got so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithms: Option<Algorithms>,
    /// SHA-256 of the host key, as OpenSSH prints it: `SHA256:` and base64 without padding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_key_sha256: Option<String>,
    /// Every command that was sent, in order.
    #[serde(default)]
    pub commands: Vec<CommandOutput>,
}

/// Time per phase of a session, ms; a phase that was not reached is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Phases {
    /// Name resolution, TCP, banner and key exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_ms: Option<u64>,
    /// Authentication up to the first prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_ms: Option<u64>,
    /// All commands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commands_ms: Option<u64>,
}

/// SSH algorithms in use (RFC 4253 names).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)]
pub struct Algorithms {
    pub kex: String,
    pub hostkey: String,
    pub cipher: String,
    pub mac: String,
}

/// One command and what the device answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandOutput {
    /// As it was typed.
    pub command: String,
    /// Cleaned text: no echo, prompt, ANSI sequences, backspaces or CR; invalid UTF-8 became U+FFFD.
    #[serde(default)]
    pub output: String,
    /// From sending to the final prompt, ms.
    #[serde(default)]
    pub elapsed_ms: u64,
    /// The command's echo was seen, then the output, then the final prompt. An output that is not complete never
    /// yields samples.
    #[serde(default)]
    pub complete: bool,
    /// `false` when the device does not echo, or echoes what it has not read yet: then the prompt, an empty line and a
    /// long silence ended the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub echo: Option<bool>,
    /// Age in seconds, when it was kept from an earlier session (profiles and configuration).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_s: Option<u64>,
}

closed_set! {
    /// Where a sample's modulation was read.
    pub enum Source {
        /// The device's present state.
        State = "state",
        /// The last modulation hop in its history.
        HopHistory = "hop-history",
        /// Its configuration: no hop is known.
        Config = "config",
        /// The columns of the standard MIBs.
        Snmp = "snmp",
    }
}

closed_set! {
    /// What says that a profile number stands for a modulation.
    pub enum ExplainedBy {
        /// The device prints the modulation itself.
        Printed = "printed",
        /// The user's own file, `--profiles`.
        User = "user",
        /// The device's own table of profiles.
        Device = "device",
        /// The table that is built in: the numbers of one operator, which need not be those of another.
        BuiltIn = "built_in",
    }
}

/// `sample`, from mod-parse to mod-store and mod-report: one upstream at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sample<S = String> {
    /// That of its capture.
    pub ts: Timestamp,
    /// Name of the device.
    pub cmts: S,
    /// Name of the upstream on the device, whole: `2/scq/0`, `1/1.1/0`, `1/0/0/3`.
    pub upstream: S,
    /// Modulation of its data grants.
    pub modulation: Modulation,
    /// Number of its modulation profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<u32>,
    /// Where the modulation was read; hand-made samples may leave it out.
    #[serde(default = "state")]
    pub source: Source,
    /// What the modulation rests on; missing when nothing explains the profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explained_by: Option<ExplainedBy>,
    /// Family of the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<S>,
    /// `atdma`, `tdma`, `scdma`, `ofdma`, as far as the device says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_type: Option<S>,
    /// Centre frequency, Hz.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub center_hz: Option<u64>,
    /// Channel width, Hz.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width_hz: Option<u64>,
    /// The operator's text for the upstream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<S>,
    /// Signal to noise (MER), dB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snr_db: Option<f64>,
    /// Modems that are registered on the upstream now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modems: Option<u64>,
}

fn state() -> Source {
    Source::State
}

/// `scan`, from mod-parse on: after the samples of one capture, always.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scan {
    /// That of its capture.
    pub ts: Timestamp,
    /// Name of the device.
    pub cmts: String,
    /// Family of the device; empty in hand-made records that leave it out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub platform: String,
    /// That of the capture, or `parse_failed`.
    pub status: Status,
    /// Why it is not ok, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Connections tried.
    #[serde(default)]
    pub attempts: u32,
    /// Of the capture, ms.
    #[serde(default)]
    pub elapsed_ms: u64,
    /// Samples that came of it.
    #[serde(default)]
    pub samples: u64,
    /// Lines that were not understood.
    #[serde(default)]
    pub unparsed: u64,
    /// Samples whose modulation rests on the built-in table of profiles.
    #[serde(default)]
    pub built_in: u64,
}

/// `heartbeat`, each tick of `ccap-fetch --every`, through to the end of the pipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Heartbeat {
    /// Time of the tick.
    pub ts: Timestamp,
    /// Devices in the inventory.
    pub devices: u64,
    /// Of them due now.
    pub due: u64,
    /// Of them being fetched.
    pub running: u64,
    /// When the next one is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due: Option<Timestamp>,
}

/// `end`, a source's last record at a clean end: nothing is missing after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct End {
    /// When it ended.
    pub ts: Timestamp,
    /// Name of the tool.
    pub stage: String,
    /// Items that went well.
    pub ok: u64,
    /// Items that failed.
    pub failed: u64,
}

/// `error`, any stage: a line that could not be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// When it was found.
    pub ts: Timestamp,
    /// Name of the tool.
    pub stage: String,
    /// Number of the line in its input, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What is wrong with it.
    pub message: String,
}

#[cfg(test)]
mod tests;
