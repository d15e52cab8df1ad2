//! Flags and settings, checked and joined before the first connection.

use std::{io::BufRead, path::PathBuf, sync::Arc, time::Duration};

use super::{
    check,
    inventory::{Inventory, Reading},
    logins::Gate,
    written::Mapping,
};
use crate::{
    cli,
    error::{Error, Result},
    platform::Names,
    settings::{Secret, Settings},
    signals::Signals,
    ssh::{Algorithms, Checking},
    stage::Context,
    text::encoding,
};

/// What every attempt needs to know; one for the whole run.
#[derive(Debug)]
pub struct Options {
    /// Account where a device has none of its own.
    pub user: Option<String>,
    /// Its password.
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
    /// Budgets.
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
        names: Names::of_settings(settings)?,
        detect: args.detect || args.check,
        upper: args.upper,
        only: args.only.as_ref().map(glob).transpose()?,
        shard: args.shard,
        mapping: args.map.as_deref().map(mapping).transpose()?.unwrap_or_default(),
    })
}

impl Options {
    /// Joins flags and settings.
    ///
    /// # Errors
    /// [`Error::Usage`] for a credential that is missing, [`Error::Read`] for a file that is.
    pub fn new(args: &cli::Fetch, context: &Context) -> Result<Arc<Self>> {
        let settings = &context.settings;
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
        let password = password(settings, context, identity.is_some() || agent)?;
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
                device: args.device_timeout,
                output: args.max_output,
            },
            retries: args.retries,
            commands: if args.check { vec![check::COMMAND.to_owned()] } else { args.commands.clone() },
            check: args.check,
            refresh: args.refresh,
            transcript: args.transcript.clone(),
            gate: Gate::new(args.max_logins as usize, args.auth_breaker),
            signals: context.signals.clone(),
        }))
    }
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
