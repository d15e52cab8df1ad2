//! The flags.

use std::{path::PathBuf, time::Duration};

use clap::Parser;
use modtools::{platform::Platform, record::Timestamp, units};

use crate::{fault::Rule, fleet::Plan};

const AFTER_HELP: &str = "\
FILES in DIR
  inventory.ndjson  where each device is reached: the inventory of ccap-fetch
  known_hosts       their host keys
  truth.ndjson      the samples that a scan has to give, without their ts; truth_snmp.ndjson by SNMP
  expect.ndjson     the status and number of samples that a scan of each device has to come to; expect_snmp.ndjson
                    the statuses by SNMP v2c and v3
  logins.ndjson     connections, attempts to log in, commands and log-outs, as they happen

EXAMPLES
  ccap-sim --dir /tmp/fleet --devices e6000=4,casa=4,cbr8=4 --upstreams 48
  ccap-sim --dir /tmp/fleet --latency 100ms --fault 'CCAP00?=drip:500' --fault CCAP101=silent
  ccap-sim --history 2d --seed 7 | mod-store --init
  ccap-fetch -i /tmp/fleet/inventory.ndjson --known-hosts /tmp/fleet/known_hosts --user operator
  SNMP_COMMUNITY=simulated ccap-fetch -i /tmp/fleet/inventory.ndjson --via snmp

EXIT STATUS
  0  served until told to stop, or the history is written
  1  an address or a file could not be used
  2  the fleet cannot be as it was asked for";

/// A simulated fleet of CCAPs: real SSH and SNMP (v2c and v3, SHA and AES) on loopback addresses of 127.77.0.0/16, for demonstrations and tests.
///
/// Prints one line that begins with `ready` once every device can be reached, then serves until SIGTERM or
/// SIGINT. The user and the password need not be kept secret: they guard nothing.
#[derive(Debug, Parser)]
#[command(name = "ccap-sim", version, after_help = AFTER_HELP, max_term_width = 110)]
pub struct Args {
    /// Write the files that describe the fleet into DIR (made when missing)
    #[arg(long, value_name = "DIR", required_unless_present_any = ["history", "list_faults"])]
    pub dir: Option<PathBuf>,
    /// How many devices of each family
    #[arg(long, value_name = "FAMILY=N,…", default_value = "e6000=4,casa=4,cbr8=4", value_delimiter = ',', value_parser = family)]
    pub devices: Vec<(Platform, usize)>,
    /// Upstreams in service of each device
    #[arg(long, value_name = "N", default_value_t = 48, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub upstreams: u32,
    /// Another seed makes another fleet; the same one the same fleet on every machine
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Wait so long before every answer
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = units::duration)]
    pub latency: Duration,
    /// Wait so long before the first prompt [default: --latency]
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    pub login_latency: Option<Duration>,
    /// Break a device: NAME may hold * and ?; --list-faults shows the kinds
    #[arg(long, value_name = "NAME=KIND[:ARG]", value_parser = Rule::parse)]
    pub fault: Vec<Rule>,
    /// Give N upstreams of each device a profile number that nothing explains
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub unknown: u32,
    /// The TCP and UDP port of all devices; 0 picks one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub port: u16,
    /// Who may log in
    #[arg(long, value_name = "NAME", default_value = "operator")]
    pub user: String,
    /// With which password, which is the community of SNMP v2c too [default: CCAP_SIM_PASSWORD, else simulated]
    #[arg(long, value_name = "TEXT")]
    pub password: Option<String>,
    /// A public key in OpenSSH's format that may log in, too
    #[arg(long, value_name = "FILE")]
    pub authorized_key: Option<PathBuf>,
    /// It is always this time [default: now, with the state of the start]
    #[arg(long, value_name = "RFC3339")]
    pub time: Option<Timestamp>,
    /// Let the state move every ten minutes; truth.ndjson then holds for the first ones only
    #[arg(long, conflicts_with = "time")]
    pub live: bool,
    /// Serve nothing: write the samples and scans of so long on standard output, every ten minutes up to now
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    pub history: Option<Duration>,
    /// End when standard input ends, too
    #[arg(long)]
    pub until_eof: bool,
    /// Name the kinds of faults, the status each must lead to, and what it does
    #[arg(long)]
    pub list_faults: bool,
}

impl Args {
    /// The password that is right.
    pub fn password(&self) -> String {
        let set = || std::env::var("CCAP_SIM_PASSWORD").ok();
        self.password.clone().or_else(set).unwrap_or_else(|| "simulated".into())
    }

    /// What the fleet is made of.
    pub fn plan(&self) -> Plan {
        Plan {
            devices: self.devices.clone(),
            upstreams: self.upstreams as usize,
            seed: self.seed,
            unknown: self.unknown as usize,
            faults: self.fault.clone(),
        }
    }
}

fn family(text: &str) -> Result<(Platform, usize), String> {
    let (platform, count) = text.split_once('=').ok_or("no FAMILY=N such as casa=4")?;
    let count = count.parse().map_err(|_| format!("invalid number of devices {count:?}"))?;
    match platform.parse()? {
        Platform::Snmp => Err("snmp is a way in, not a family of devices".into()),
        platform => Ok((platform, count)),
    }
}
