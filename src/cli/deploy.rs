//! The flags by which mod-report uploads what it wrote to a web server.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use crate::{
    ssh::{Algorithms, Policy},
    units,
};

/// A help text of its own: to rustdoc the brackets of a doc comment would be links.
const DEPLOY_HELP: &str = "Upload the page of --web, and with --layout seed the day's \
     modulation_report_DATE_web.json and modulation_report_DATE.json, to DIR on a web server \
     [default without a value: WEB_SERVER:WEB_PATH]";

/// The target, and how files get there.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Deployment")]
pub struct Deploy {
    /// The target; without a value that of the settings.
    #[arg(long, value_name = "[USER@]HOST:DIR", help = DEPLOY_HELP)]
    pub deploy: Option<Option<String>>,
    /// Port of its SSH server [default: what your OpenSSH configuration says, else 22]
    #[arg(long, value_name = "PORT", requires = "deploy", value_parser = clap::value_parser!(u16).range(1..))]
    pub deploy_port: Option<u16>,
    /// Give the files there this owner, such as www-data:www-data
    #[arg(long, value_name = "USER[:GROUP]", requires = "deploy", value_parser = owner)]
    pub deploy_owner: Option<String>,
    /// Upload into a directory of the login's own, and let `sudo -n` there make directories, move, link, own and remove
    #[arg(long, requires = "deploy")]
    pub deploy_sudo: bool,
    /// Time limit for the whole deployment
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = units::duration, requires = "deploy")]
    pub deploy_timeout: Duration,
    /// Private key file [default: CCAP_IDENTITY, else what your OpenSSH configuration says]
    #[arg(long, value_name = "FILE", requires = "deploy")]
    pub identity: Option<PathBuf>,
    /// File of known host keys [default: CCAP_KNOWN_HOSTS, else ~/.ssh/known_hosts]
    #[arg(long, value_name = "FILE", requires = "deploy")]
    pub known_hosts: Option<PathBuf>,
    /// An unknown host key: refuse it, learn it, or check nothing
    #[arg(long, value_name = "POLICY", value_enum, default_value_t, requires = "deploy")]
    pub host_keys: Policy,
    /// SSH algorithms to offer
    #[arg(long, value_name = "SET", value_enum, default_value_t, requires = "deploy")]
    pub algorithms: Algorithms,
}

/// Names as chown takes them; nothing that could be an option of it.
fn owner(text: &str) -> Result<String, String> {
    let is_name = |name: &str| {
        !name.is_empty()
            && !name.starts_with('-')
            && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$' | '@'))
    };
    let names: Vec<_> = text.split(':').collect();
    if names.len() <= 2 && names.into_iter().all(is_name) {
        Ok(text.to_owned())
    } else {
        Err(format!("invalid owner {text:?}; examples: www-data, www-data:www-data"))
    }
}
