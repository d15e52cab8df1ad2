//! The files that describe the fleet to those who fetch it.

use std::{io, io::Write, path::Path};

use modtools::{
    error::{Error, Result},
    output::write_file,
    ssh,
};

use crate::{
    fault::Kind,
    fleet::Device,
    keys,
    records::{write_entry, write_expectation, write_snmp_expectation, write_snmp_truth, write_truth},
    time::Slot,
};

/// Writes `inventory.ndjson`, `known_hosts`, and what a scan has to come to, over SSH and by SNMP.
pub fn write_all(dir: &Path, fleet: &[Device], port: u16, slot: Slot) -> Result<()> {
    write_each(dir, "inventory.ndjson", fleet, |output, device| {
        let address = device.address.to_string();
        let host = if device.has(Kind::BadHostName) { "no-such-host.invalid" } else { &address };
        write_entry(output, device, host, port)
    })?;
    write_each(dir, "known_hosts", fleet, |output, device| {
        if device.has(Kind::SameAddress) {
            return Ok(());
        }
        let key = keys::announced(device).map_err(io::Error::other)?;
        writeln!(output, "{} {key}", ssh::lookup_name(&device.address.to_string(), port))
    })?;
    write_each(dir, "truth.ndjson", fleet, |output, device| write_truth(output, device, slot))?;
    write_each(dir, "truth_snmp.ndjson", fleet, |output, device| write_snmp_truth(output, device, slot))?;
    write_each(dir, "expect_snmp.ndjson", fleet, |output, device| write_snmp_expectation(output, device))?;
    write_each(dir, "expect.ndjson", fleet, |output, device| write_expectation(output, device, slot))
}

fn write_each(
    dir: &Path,
    name: &str,
    fleet: &[Device],
    mut write: impl FnMut(&mut &mut dyn Write, &Device) -> io::Result<()>,
) -> Result<()> {
    let path = dir.join(name);
    write_file(&path, 0o644, |mut output| {
        fleet.iter().try_for_each(|device| write(&mut output, device)).map_err(Error::write(&path))
    })
}
