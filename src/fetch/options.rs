//! Flags and settings, checked and joined before the first connection.

use std::{io::BufRead, path::PathBuf, sync::Arc, time::Duration};

use super::{
    check,
    inventory::{Device, Inventory, Reading},
    logins::Gate,
    written::Mapping,
};
use crate::{
    cli::{self, Via},
    error::{Error, Result},
    platform::{self, Names},
    settings::{Secret, Settings},
    signals::Signals,
    snmp::{Access, Oid},
    ssh::{Algorithms, Checking},
    stage::Context,
    text::encoding,
};

/// What every attempt needs to know; one for the whole run.
#[derive(Debug)]
pub struct Options {
    /// What devices are asked with by SNMP.
    pub snmp: Option<Access>,
    /// Account where a device has none of its own.
    pub user: Option<String>,
    pub password: Option<Secret>,
    /// Key file.
    pub identity: Option<PathBuf>,
    /// Of the key file.
    pub passphrase: Option<Secret>,
    /// Whether there is an agent to ask.
    pub agent: bool,
    /// A second account, only for devices that reject the first.
    pub local: Option<(String, Secret)>,
    /// Leave user mode with this password.
    pub enable: Option<Option<Secret>>,
    /// Jump host where a device has none of its own.
    pub jump: Option<String>,
    /// Whether OpenSSH's configuration is asked about hosts.
    pub openssh: bool,
    /// Host keys.
    pub checking: Checking,
    /// Algorithms where a device has none of its own.
    pub algorithms: Algorithms,
    pub budgets: Budgets,
    /// More attempts after a failure that may pass.
    pub retries: u32,
    /// Sent instead of the platform's commands when there are any.
    pub commands: Vec<String>,
    /// Lines about the devices instead of captures.
    pub check: bool,
    /// Age at which profiles and configuration are asked for again.
    pub refresh: Duration,
    /// Where transcripts go.
    pub transcript: Option<PathBuf>,
    /// Account safety.
    pub gate: Gate,
    /// Whether we were told to stop.
    pub signals: Signals,
}

/// The budgets of one device.
#[derive(Clone, Copy, Debug)]
pub struct Budgets {
    /// Name resolution and TCP.
    pub connect: Duration,
    /// Banner and key exchange; authentication.
    pub auth: Duration,
    /// Silence in an answer.
    pub idle: Duration,
    /// The answer to an SNMP request.
    pub request: Duration,
    /// All attempts together.
    pub device: Duration,
    /// Bytes of all answers together.
    pub output: u64,
}

/// Where the inventory is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file, read again when it changes.
    File(PathBuf),
    /// What was read from standard input.
    Text(String),
    /// The command line names all devices.
    None,
}

impl Place {
    /// Where the flags say that the inventory is; standard input is read to its end here.
    ///
    /// # Errors
    /// [`Error::Usage`] when there is none, or when standard input is not UTF-8; [`Error::Input`].
    pub fn of(args: &cli::Fetch, context: &Context, input: &mut dyn BufRead) -> Result<Self> {
        let mut from_input = || encoding::read(&mut *input, "inventory", Error::Input).map(Place::Text);
        match &args.inventory {
            Some(path) if path.as_os_str() == "-" => from_input(),
            Some(path) => Ok(Place::File(path.clone())),
            None if !args.devices.is_empty() => Ok(Place::None),
            None if context.terminals.stdin => {
                Err(Error::usage("no devices: give -i FILE, names, or an inventory on standard input"))
            }
            None => from_input(),
        }
    }

    /// What messages call it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Place::File(path) => path.display().to_string(),
            Place::Text(_) | Place::None => "inventory".to_owned(),
        }
    }

    /// The inventory as it is now; `names` stand on the command line.
    ///
    /// # Errors
    /// [`Error::Read`]; the errors of [`Reading::inventory`].
    pub fn inventory(&self, reading: &Reading, names: &[String]) -> Result<Inventory> {
        match self {
            Place::File(path) => reading.inventory(&self.name(), &encoding::read_file(path)?, names),
            Place::Text(text) => reading.inventory(&self.name(), text, names),
            Place::None => Ok(reading.names(names)),
        }
    }
}

/// How lines of the inventory become devices.
///
/// # Errors
/// [`Error::Usage`] for an invalid glob.
pub fn reading(args: &cli::Fetch, settings: &Settings) -> Result<Reading> {
    let glob = |text: &String| {
        globset::GlobBuilder::new(text)
            .case_insensitive(true)
            .build()
            .map(|glob| glob.compile_matcher())
            .map_err(|e| Error::usage(format!("--only {text}: {e}")))
    };
    let mapping = |text: &str| text.parse::<Mapping>().map_err(|e| Error::usage(format!("--map: {e}")));
    Ok(Reading {
        platform: args.platform,
        via: args.via,
        names: Names::of_settings(settings)?,
        detect: args.detect || args.check,
        upper: args.upper,
        only: args.only.as_ref().map(glob).transpose()?,
        shard: args.shard,
        mapping: args.map.as_deref().map(mapping).transpose()?.unwrap_or_default(),
    })
}

impl Options {
    /// Joins flags and settings. What only one way in needs is asked for when a device is reached by it.
    ///
    /// # Errors
    /// [`Error::Usage`] for a credential that is missing, [`Error::Read`] for a file that is.
    pub fn new(args: &cli::Fetch, context: &Context, inventory: &Inventory) -> Result<Arc<Self>> {
        let settings = &context.settings;
        let reached = |via: Via| inventory.devices.iter().find(|device| device.via == via);
        let snmp = access(args, settings, reached(Via::Snmp))?;
        let flag_or =
            |flag: &Option<String>, name| flag.clone().map_or_else(|| settings.get(name), |f| Ok(Some(f)));
        let path_or = |flag: &Option<PathBuf>, name| match flag {
            Some(path) => Ok(Some(path.clone())),
            None => settings.get(name).map(|value| value.map(PathBuf::from)),
        };
        let home = settings.get("HOME")?.map(PathBuf::from).unwrap_or_else(|| PathBuf::from("/"));
        let identity = path_or(&args.identity, "CCAP_IDENTITY")?;
        if let Some(identity) = &identity {
            std::fs::File::open(identity).map_err(Error::read(identity))?;
        }
        let known_hosts =
            path_or(&args.known_hosts, "CCAP_KNOWN_HOSTS")?.unwrap_or_else(|| home.join(".ssh/known_hosts"));
        let agent = settings.get("SSH_AUTH_SOCK")?.is_some();
        let has_keys = identity.is_some() || agent;
        let password = match reached(Via::Ssh) {
            Some(_) => password(settings, context, has_keys)?,
            None => settings.secret("CCAP_PASSWORD")?,
        };
        let local = match &args.local_user {
            Some(user) => Some((user.clone(), needed(settings, "CCAP_LOCAL_PASSWORD", "--local-user")?)),
            None => None,
        };
        let jump = flag_or(&args.jump, "CCAP_JUMP")?;
        if jump.as_deref().is_some_and(|jump| jump.starts_with('-')) {
            return Err(Error::usage("--jump: a jump host cannot begin with -"));
        }
        if let Some(directory) = &args.transcript {
            std::fs::create_dir_all(directory).map_err(Error::write(directory))?;
        }
        Ok(Arc::new(Options {
            snmp,
            user: flag_or(&args.user, "CCAP_USER")?,
            identity,
            passphrase: settings.secret("CCAP_PASSPHRASE")?,
            agent,
            local,
            enable: match args.enable {
                true => Some(settings.secret("CCAP_ENABLE_PASSWORD")?.or_else(|| password.clone())),
                false => None,
            },
            password,
            openssh: home.join(".ssh/config").is_file(),
            jump,
            checking: Checking::load(args.host_keys, &known_hosts)?,
            algorithms: args.algorithms,
            budgets: Budgets {
                connect: args.connect_timeout,
                auth: args.auth_timeout,
                idle: args.idle_timeout,
                request: args.request_timeout,
                device: args.device_timeout,
                output: args.max_output,
            },
            retries: args.retries,
            commands: args.commands.clone(),
            check: args.check,
            refresh: args.refresh,
            transcript: args.transcript.clone(),
            gate: Gate::new(args.max_logins as usize, args.auth_breaker),
            signals: context.signals.clone(),
        }))
    }

    /// What is sent instead of the platform's commands.
    #[must_use]
    pub fn commands(&self, via: Via) -> Vec<String> {
        match (self.check, via) {
            (false, _) => self.commands.clone(),
            (true, Via::Ssh) => vec![check::COMMAND.to_owned()],
            (true, Via::Snmp) => check::WALKS.map(str::to_owned).into(),
        }
    }
}

/// What devices are asked with by SNMP. Without one that is, it may be missing or wrong.
fn access(args: &cli::Fetch, settings: &Settings, device: Option<&Device>) -> Result<Option<Access>> {
    let Some(Device { cmts, .. }) = device else {
        return Ok(Access::of_settings(settings).ok().flatten());
    };
    if let Some(command) = args.commands.iter().find(|command| walked(command).is_none()) {
        return Err(Error::usage(format!(
            "--command {command:?}: {cmts} is asked by SNMP, where a command is \"walk OID\"; select devices with --only"
        )));
    }
    let access = Access::of_settings(settings)?;
    access.map(Some).ok_or_else(|| {
        Error::usage(format!(
            "{cmts} is asked by SNMP, and there is neither a community nor a user: set SNMP_COMMUNITY_FILE or {} \
             (v2c), or SNMP_USER and SNMP_AUTH_PASSWORD (v3)",
            settings.place("SNMP_COMMUNITY")
        ))
    })
}

/// The object that a command walks.
#[must_use]
pub fn walked(command: &str) -> Option<Oid> {
    platform::snmp::columns::walked(command)?.parse().ok()
}

fn needed(settings: &Settings, name: &str, flag: &str) -> Result<Secret> {
    let secret = settings.secret(name)?;
    secret.ok_or_else(|| Error::usage(format!("{flag} needs a password: set {}", settings.place(name))))
}

/// The password, asked for on a terminal when it is nowhere else; none when keys may do.
fn password(settings: &Settings, context: &Context, has_keys: bool) -> Result<Option<Secret>> {
    if let Some(password) = settings.secret("CCAP_PASSWORD")? {
        return Ok(Some(password));
    }
    if has_keys {
        return Ok(None);
    }
    if context.terminals.stderr
        && let Ok(typed) = rpassword::prompt_password("Password for the devices: ")
    {
        return Ok(Some(Secret::new(typed)));
    }
    Err(Error::usage(format!(
        "no password: set CCAP_PASSWORD_FILE, or {}, or use a key with --identity",
        settings.place("CCAP_PASSWORD")
    )))
}
