//! `ccap-fetch`: the flags.

use std::{path::PathBuf, time::Duration};

use clap::Parser;

use super::{Common, Tool};
use crate::{
    closed_set::closed_set,
    platform::Platform,
    signals::Role,
    ssh::{Algorithms, Policy},
    units,
};

closed_set! {
    /// The way to a device.
    #[derive(Default)]
    pub enum Via {
        /// Its command line, over SSH.
        #[default]
        Ssh = "ssh",
        /// Its MIBs, by SNMP.
        Snmp = "snmp",
    }
}

impl std::str::FromStr for Via {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let word = text.trim().to_ascii_lowercase();
        Via::from_word(&word).ok_or_else(|| {
            let words = crate::closed_set::listed(Via::ALL.map(Via::word));
            format!("unknown via {text:?}; expected one of {words}")
        })
    }
}

/// Collect what each CCAP says of its upstreams over SSH or by SNMP: one `capture` record per device
///
/// Devices come from a file, from standard input, or from the command line: bare names, a table with a
/// header line (CSV), NDJSON, a JSON array, or an answer of NetBox, with the fields cmts, host, port,
/// snmp_port, platform, via, user, jump, algorithms, description.
#[derive(Clone, Debug, Parser)]
#[command(name = "ccap-fetch", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Fetch {
    /// Devices to fetch; with --inventory, fetch only these of it
    #[arg(value_name = "DEVICE")]
    pub devices: Vec<String>,
    /// Read the inventory from FILE; - is standard input, which is also read when nothing else is given
    #[arg(short, long, value_name = "FILE")]
    pub inventory: Option<PathBuf>,
    /// Other names of the fields in the inventory, also nested: cmts=name,host=primary_ip.address
    #[arg(long, value_name = "FIELD=NAME,...")]
    pub map: Option<String>,
    /// Fetch this many devices at the same time
    #[arg(short, long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=2000))]
    pub jobs: u16,
    /// Keep running: fetch each device once per INTERVAL
    #[arg(long, value_name = "INTERVAL", value_parser = units::interval)]
    pub every: Option<Duration>,
    /// With --every, look this often for devices that are due, and write a heartbeat
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = units::tick, requires = "every")]
    pub tick: Duration,
    /// Ask for profiles and configuration again after this long; until then the last answer is used
    #[arg(long, value_name = "DURATION", default_value = "6h", value_parser = units::duration)]
    pub refresh: Duration,
    /// Keep answers about profiles and configuration in DIR, for the next run
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Platform of devices for which the inventory names none, whatever their names suggest
    #[arg(long, value_name = "PLATFORM")]
    pub platform: Option<Platform>,
    /// How to ask devices for which the inventory does not say it: by command line or by MIBs
    #[arg(long, value_name = "ssh|snmp", default_value_t = Via::Ssh)]
    pub via: Via,
    /// Log in to devices of unknown platform, and find it out
    #[arg(long)]
    pub detect: bool,
    /// Fetch only devices whose names match GLOB
    #[arg(long, value_name = "GLOB")]
    pub only: Option<String>,
    /// Write device names in upper case
    #[arg(long)]
    pub upper: bool,
    /// Log in to each device, ask who it is, and say so in a line; store nothing
    #[arg(long, conflicts_with_all = ["dry_run", "every", "commands", "cache"])]
    pub check: bool,
    /// Show the devices and every command that can be sent to them, and connect to nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Send this instead of the platform's commands; may be repeated; for SNMP write "walk OID"
    #[arg(long = "command", value_name = "COMMAND")]
    pub commands: Vec<String>,
    /// Fetch only part I of N of the inventory, for N collectors
    #[arg(long, value_name = "I/N", value_parser = units::part)]
    pub shard: Option<(u32, u32)>,
    /// Write everything that passes to and from each device into DIR, secrets left out
    #[arg(long, value_name = "DIR")]
    pub transcript: Option<PathBuf>,

    /// Account on the devices [default: CCAP_USER]
    #[arg(long, value_name = "USER", help_heading = "Login")]
    pub user: Option<String>,
    /// Private key file [default: CCAP_IDENTITY]
    #[arg(long, value_name = "FILE", help_heading = "Login")]
    pub identity: Option<PathBuf>,
    /// Account to try once where the first one is rejected; its password is CCAP_LOCAL_PASSWORD
    #[arg(long, value_name = "USER", help_heading = "Login")]
    pub local_user: Option<String>,
    /// Leave user mode by `enable`; its password is CCAP_ENABLE_PASSWORD, else the account's
    #[arg(long, help_heading = "Login")]
    pub enable: bool,
    /// Connect through HOST by `ssh -W`, as your OpenSSH configuration says [default: CCAP_JUMP]
    #[arg(long, value_name = "HOST", help_heading = "Login")]
    pub jump: Option<String>,
    /// Begin at most this many logins
    #[arg(long, value_name = "RATE", default_value = "10/s", value_parser = units::rate, help_heading = "Login")]
    pub login_rate: f64,
    /// Have at most this many logins under way
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Login")]
    pub max_logins: u32,
    /// Stop using an account after N devices in a row rejected it; 0: never
    #[arg(long, value_name = "N", default_value_t = 3, help_heading = "Login")]
    pub auth_breaker: u32,

    /// Unknown host keys: refuse them, learn them, or check nothing
    #[arg(long, value_name = "POLICY", value_enum, default_value_t, help_heading = "SSH")]
    pub host_keys: Policy,
    /// File of known host keys [default: CCAP_KNOWN_HOSTS, else ~/.ssh/known_hosts]
    #[arg(long, value_name = "FILE", help_heading = "SSH")]
    pub known_hosts: Option<PathBuf>,
    /// SSH algorithms to offer
    #[arg(long, value_name = "SET", value_enum, default_value_t, help_heading = "SSH")]
    pub algorithms: Algorithms,
    /// List the algorithms of this build, of SSH and of SNMP v3
    #[arg(long, help_heading = "SSH")]
    pub list_algorithms: bool,

    /// Name resolution and TCP connection
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = units::positive_duration, help_heading = "Budgets per device")]
    pub connect_timeout: Duration,
    /// Banner and key exchange; and again authentication up to the first prompt
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = units::positive_duration, help_heading = "Budgets per device")]
    pub auth_timeout: Duration,
    /// Silence in the middle of an answer
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = units::positive_duration, help_heading = "Budgets per device")]
    pub idle_timeout: Duration,
    /// The answer to one SNMP request
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = units::positive_duration, help_heading = "Budgets per device")]
    pub request_timeout: Duration,
    /// All attempts together
    #[arg(long, value_name = "DURATION", default_value = "300s", value_parser = units::positive_duration, help_heading = "Budgets per device")]
    pub device_timeout: Duration,
    /// All answers together
    #[arg(long, value_name = "SIZE", default_value = "32MiB", value_parser = units::size, help_heading = "Budgets per device")]
    pub max_output: u64,
    /// More attempts after a failure that may be temporary; by SNMP, for each request
    #[arg(long, value_name = "N", default_value_t = 2, help_heading = "Budgets per device")]
    pub retries: u32,

    /// The flags of every tool.
    #[command(flatten)]
    pub common: Common,
}

impl Tool for Fetch {
    const NAME: &'static str = "ccap-fetch";

    fn role(&self) -> Role {
        Role::Source
    }

    fn common(&self) -> &Common {
        &self.common
    }
}

const AFTER_HELP: &str = "\
Secrets have no flag: CCAP_PASSWORD_FILE, else $CREDENTIALS_DIRECTORY/ccap_password, else CCAP_PASSWORD in
the environment or the env file; on a terminal you are asked. CCAP_PASSPHRASE opens the key file. By SNMP it is
SNMP_COMMUNITY (v2c), or SNMP_USER with SNMP_AUTH_PASSWORD and SNMP_PRIV_PASSWORD (v3).

Examples:
  ccap-fetch CCAP001 | mod-parse
  ccap-fetch -i inventory.ndjson -j 40 | mod-parse | mod-store
  ccap-fetch -i inventory.csv --every 10m | mod-parse | mod-store
  ccap-fetch -i inventory.csv --check
  ccap-fetch -i inventory.csv --via snmp | mod-parse
  ccap-fetch -i netbox.json --map cmts=name,host=primary_ip.address --dry-run
  ccap-fetch --command 'show version' CCAP201 | jq -r '.commands[0].output'
  printf '%s\\n' CCAP001 CCAP101 | ccap-fetch --dry-run

Exit status:
  0  every device answered
  1  failed: the output could not be written, for instance
  2  wrong usage or configuration; nothing was connected to
  3  the output is valid, some devices failed: one line each on stderr, and their captures say why";
