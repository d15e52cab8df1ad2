//! The records that the simulator writes itself: what it shows now (`truth.ndjson`, without times) and
//! what it showed in the past (`--history`).

use std::io::{self, Write};

use modtools::record::{self, End, ExplainedBy, Scan, Source, Status, Timestamp};
use serde::Serialize;

use crate::{
    chance::hash,
    fault::Kind,
    fleet::Device,
    mib, personality,
    state::Shown,
    time::{Slot, start_of},
};

/// A sample with borrowed text: a million of them take a second or two.
#[derive(Serialize)]
struct Sample<'a> {
    v: u64,
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<&'a str>,
    cmts: &'a str,
    upstream: &'a str,
    modulation: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<u32>,
    source: Source,
    #[serde(skip_serializing_if = "Option::is_none")]
    explained_by: Option<ExplainedBy>,
    platform: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    center_hz: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width_hz: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snr_db: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modems: Option<u64>,
}

fn write_sample(
    output: &mut impl Write,
    ts: Option<&str>,
    device: &Device,
    shown: Shown<'_>,
) -> io::Result<()> {
    let sample = Sample {
        v: record::VERSION,
        r#type: "sample",
        ts,
        cmts: &device.name,
        upstream: shown.upstream,
        modulation: shown.modulation.word(),
        profile: shown.profile,
        source: shown.source,
        explained_by: shown.explained_by,
        platform: device.platform.word(),
        channel_type: shown.channel_type,
        center_hz: shown.center_hz,
        width_hz: shown.width_hz,
        description: shown.description,
        snr_db: shown.snr_tenths.map(|tenths| f64::from(tenths) / 10.0),
        modems: shown.modems,
    };
    serde_json::to_writer(&mut *output, &sample)?;
    output.write_all(b"\n")
}

/// The samples that a scan of this device has to give; none when it cannot give any.
pub fn write_truth(output: &mut impl Write, device: &Device, slot: Slot) -> io::Result<()> {
    if !device.expected().is_good() {
        return Ok(());
    }
    personality::shown(device, slot).try_for_each(|shown| write_sample(output, None, device, shown))
}

/// The samples that a scan by SNMP has to give; none when it cannot give any.
pub fn write_snmp_truth(output: &mut impl Write, device: &Device, slot: Slot) -> io::Result<()> {
    if !device.expected_by_snmp()[0].is_good() {
        return Ok(());
    }
    mib::shown(device, slot).try_for_each(|shown| {
        let unread = device.is_about_snr(Kind::SnmpGenErr);
        let shown = Shown { snr_tenths: shown.snr_tenths.filter(|_| !unread), ..shown };
        write_sample(output, None, device, shown)
    })
}

/// Samples and scans of all devices, slot by slot, then `end`.
pub fn write_history(
    output: &mut impl Write,
    fleet: &[Device],
    slots: std::ops::Range<Slot>,
) -> io::Result<()> {
    let last = slots.end - 1;
    let (mut ok, mut failed) = (0, 0);
    for slot in slots {
        let ts = start_of(slot).to_string();
        for device in fleet {
            let scan = past_scan(device, slot);
            let mut samples = 0;
            if scan.status.is_good() {
                for shown in personality::shown(device, slot) {
                    write_sample(output, Some(&ts), device, shown)?;
                    samples += 1;
                }
            }
            *(if scan.status.is_good() { &mut ok } else { &mut failed }) += 1;
            record::write(output, &Scan { samples, ..scan })?;
        }
    }
    record::write(output, &End { ts: start_of(last), stage: "ccap-sim".into(), ok, failed })
}

fn past_scan(device: &Device, slot: Slot) -> Scan {
    let silent = device.is_silent(slot);
    let status = if silent { Status::ConnectTimeout } else { device.expected() };
    let (attempts, elapsed_ms) = match status.is_good() {
        true => (1, 900 + hash(&[device.seed, slot as u64]) % 700),
        false => (3, 30_000),
    };
    Scan {
        ts: start_of(slot),
        cmts: device.name.clone(),
        platform: device.platform.word().into(),
        status,
        error: (status != Status::Ok).then(|| format!("simulated: {status}")),
        attempts,
        elapsed_ms,
        samples: 0,
        unparsed: 0,
        built_in: 0,
    }
}

/// A line of `expect.ndjson`: how a collector has to end with this device.
#[derive(Serialize)]
struct Expectation<'a> {
    cmts: &'a str,
    status: Status,
    samples: usize,
}

/// Writes what a collector has to come to, one line per device.
pub fn write_expectation(output: &mut impl Write, device: &Device, slot: Slot) -> io::Result<()> {
    let status = device.expected();
    let samples = if status.is_good() { personality::shown(device, slot).count() } else { 0 };
    serde_json::to_writer(&mut *output, &Expectation { cmts: &device.name, status, samples })?;
    output.write_all(b"\n")
}

/// A line of `expect_snmp.ndjson`.
#[derive(Serialize)]
struct SnmpExpectation<'a> {
    cmts: &'a str,
    v2c: Status,
    v3: Status,
}

/// Writes what a collector has to come to by SNMP, one line per device.
pub fn write_snmp_expectation(output: &mut impl Write, device: &Device) -> io::Result<()> {
    let [v2c, v3] = device.expected_by_snmp();
    serde_json::to_writer(&mut *output, &SnmpExpectation { cmts: &device.name, v2c, v3 })?;
    output.write_all(b"\n")
}

/// A line of `inventory.ndjson`.
#[derive(Serialize)]
struct Entry<'a> {
    cmts: &'a str,
    host: &'a str,
    port: u16,
    snmp_port: u16,
    platform: &'a str,
}

/// Writes where a device is reached.
pub fn write_entry(output: &mut impl Write, device: &Device, host: &str, port: u16) -> io::Result<()> {
    let entry = Entry { cmts: &device.name, host, port, snmp_port: port, platform: device.platform.word() };
    serde_json::to_writer(&mut *output, &entry)?;
    output.write_all(b"\n")
}

/// The slots of the past so many seconds, up to the one of `now`.
pub fn past(now: Timestamp, seconds: u64) -> std::ops::Range<Slot> {
    let (last, slot) = (crate::time::slot_of(now), crate::time::SLOT_S);
    last - (seconds as i64 / slot).max(1) + 1..last + 1
}
