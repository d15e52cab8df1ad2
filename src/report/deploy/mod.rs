//! `--deploy`: uploads what was written to a web server over SSH, with the host-key rules and keys of ccap-fetch.
//!
//! Everything is uploaded under temporary names first, then each file takes its place by a rename: a connection
//! that breaks leaves the page that was there. With `--deploy-sudo` the uploads go into a directory of the login's
//! own, and `sudo -n` moves them. Where the account may run no command, the SFTP server renames. Nothing is
//! removed but old files of ours and our temporary ones.

mod payload;
mod plan;
mod server;
mod target;
mod upload;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::{Days, NaiveDate};

use self::{plan::Method, target::Target};
use super::{findings::Findings, format::seed, web::Site};
use crate::{
    cli::{self, report::Layout},
    error::{Error, Result},
    exit::Exit,
    measure::window::local,
    settings::Secret,
    signals::Signals,
    ssh::{Algorithms, Checking},
    stage::Context,
};

/// A deployment that can be made.
#[derive(Debug)]
pub struct Deployment {
    target: Target,
    port: Option<u16>,
    owner: Option<String>,
    sudo: bool,
    timeout: Duration,
    identity: Option<PathBuf>,
    passphrase: Option<Secret>,
    agent: bool,
    checking: Checking,
    algorithms: Algorithms,
    signals: Signals,
    /// Whether the day's JSON of the seed layout is uploaded too.
    seed: bool,
}

impl Deployment {
    /// Checks the flags; none when nothing is to be deployed. `day` is the one that the window is.
    ///
    /// # Errors
    /// [`Error::Usage`] and [`Error::Read`], naming the flag, the setting or the file.
    pub fn new(args: &cli::Report, context: &Context, day: Option<NaiveDate>) -> Result<Option<Self>> {
        let flags = &args.deploy;
        let Some(target) = &flags.deploy else { return Ok(None) };
        let settings = &context.settings;
        if !settings.switch("ENABLE_WEB_DEPLOYMENT", true)? {
            log::info!("ENABLE_WEB_DEPLOYMENT is false: nothing is deployed");
            return Ok(None);
        }
        let seed = args.layout == Some(Layout::Seed);
        if args.web.is_none() && !seed {
            return Err(Error::usage("--deploy: name what to deploy: --web DIR, --layout seed, or both"));
        }
        if seed {
            check_seed(args, day)?;
        }
        let target = match target {
            Some(target) => Target::parse(target).map_err(|e| Error::usage(format!("--deploy {e}")))?,
            None => target_of_settings(context)?,
        };
        let path_or = |flag: &Option<PathBuf>, name| match flag {
            Some(path) => Ok(Some(path.clone())),
            None => settings.get(name).map(|value| value.map(PathBuf::from)),
        };
        let identity = path_or(&flags.identity, "CCAP_IDENTITY")?;
        if let Some(identity) = &identity {
            std::fs::File::open(identity).map_err(Error::read(identity))?;
        }
        let known_hosts = match path_or(&flags.known_hosts, "CCAP_KNOWN_HOSTS")? {
            Some(path) => path,
            None => Path::new(&settings.get("HOME")?.unwrap_or_else(|| "/".into())).join(".ssh/known_hosts"),
        };
        Ok(Some(Deployment {
            target,
            port: flags.deploy_port,
            owner: flags.deploy_owner.clone(),
            sudo: flags.deploy_sudo,
            timeout: flags.deploy_timeout,
            identity,
            passphrase: settings.secret("CCAP_PASSPHRASE")?,
            agent: settings.get("SSH_AUTH_SOCK")?.is_some(),
            checking: Checking::load(flags.host_keys, &known_hosts)?,
            algorithms: flags.algorithms,
            signals: context.signals.clone(),
            seed,
        }))
    }

    /// Uploads it. A deployment that fails costs no report: it is one line, and the result is partial.
    ///
    /// # Errors
    /// [`Error::Read`] for a local file.
    pub fn make(&self, keep_days: u32, findings: &Findings<'_>, site: Option<&Site>) -> Result<Exit> {
        let question = findings.question;
        let mut items = site.map_or_else(|| Ok(Vec::new()), payload::of_site)?;
        if self.seed && !findings.is_empty() {
            let mut json = Vec::new();
            seed::json(None, findings, &mut json).map_err(Error::system("the seed layout"))?;
            items.extend(payload::of_seed(findings.file_date(), json));
        }
        if items.is_empty() {
            log::info!("{}: there is nothing to deploy", self.target);
            return Ok(Exit::Done);
        }
        let today = local(question.tz, question.now).date();
        let method = Method {
            directory: self.target.directory.clone(),
            owner: self.owner.clone(),
            sudo: self.sudo,
            now: u64::try_from(question.now.0).unwrap_or(0),
            token: fastrand::u32(..),
            oldest: today.checked_sub_days(Days::new(keep_days.into())),
        };
        match upload::upload(self, &items, &method) {
            Ok(uploaded) => {
                log::info!("{}: deployed, {uploaded} of {} files were new", self.target, items.len());
                Ok(Exit::Done)
            }
            Err(broken) => {
                let left = match broken.replaced {
                    false => "what was there is still there",
                    true => "some of the files there are new ones, each of them whole",
                };
                log::warn!("{}: {}; {left}", self.target, broken.failure);
                Ok(Exit::Partial)
            }
        }
    }
}

/// What others read is of one whole day and of all upstreams: they cannot see what was left out.
fn check_seed(args: &cli::Report, day: Option<NaiveDate>) -> Result<()> {
    if day.is_none() {
        return Err(Error::usage("--deploy: the seed layout is of one local day; name it with --date"));
    }
    let partial = [("--cmts", args.cmts.is_some()), ("--upstream", args.upstream.is_some())];
    match partial.into_iter().find(|&(_, given)| given) {
        Some((flag, _)) => {
            Err(Error::usage(format!("--deploy: the seed layout is of all upstreams; leave out {flag}")))
        }
        None => Ok(()),
    }
}

fn target_of_settings(context: &Context) -> Result<Target> {
    let settings = &context.settings;
    match (settings.get("WEB_SERVER")?, settings.get("WEB_PATH")?) {
        (Some(server), Some(path)) => Target::parse(&format!("{server}:{path}"))
            .map_err(|e| Error::usage(format!("WEB_SERVER:WEB_PATH {e}"))),
        (server, _) => {
            let missing = if server.is_none() { "WEB_SERVER" } else { "WEB_PATH" };
            Err(Error::usage(format!(
                "--deploy without a value needs WEB_SERVER and WEB_PATH: set {}, or write --deploy USER@HOST:DIR",
                settings.place(missing)
            )))
        }
    }
}
