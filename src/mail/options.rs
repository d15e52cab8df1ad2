//! What flags and settings say, validated before anything is read or sent.

use std::{fs, path::PathBuf};

use super::{
    address::{self, Mailbox},
    message::Attachment,
    smtp::{Login, Server, Tls},
    words::Language,
};
use crate::{
    cli,
    error::{Error, Result},
    settings::Settings,
};

const DEFAULT_PORT: u16 = 25;

/// The sender, the recipients, and the files that go along.
#[derive(Debug)]
pub struct MailOptions {
    /// The sender.
    pub from: Mailbox,
    /// Everybody who gets a mail.
    pub to: Vec<Mailbox>,
    /// Recipients that cannot be mailed to, and the reason.
    pub unusable: Vec<(String, String)>,
    /// The files of `--attach`.
    pub attachments: Vec<Attachment>,
}

impl MailOptions {
    /// Reads the flags and settings.
    ///
    /// # Errors
    /// [`Error::Usage`] without a sender or any recipient; [`Error::Read`] for a file of `--attach`.
    pub fn new(args: &cli::Mail, settings: &Settings) -> Result<Self> {
        let from = match &args.from {
            Some(from) => Some((from.clone(), "--from")),
            None => settings.get("FROM_EMAIL")?.map(|from| (from, "FROM_EMAIL")),
        };
        let Some((from, name)) = from else {
            return Err(Error::usage(format!("no sender: give --from, or {}", settings.place("FROM_EMAIL"))));
        };
        let from =
            address::one(&from).map_err(|reason| Error::usage(format!("{name}: {from:?} is {reason}")))?;
        let (to, name) = match args.to.as_slice() {
            [] => (settings.get("TO_EMAILS")?.unwrap_or_default(), "TO_EMAILS"),
            lists => (lists.join(","), "--to"),
        };
        let to = address::list(&to);
        if let (true, Some((text, reason))) = (to.good.is_empty(), to.bad.first()) {
            return Err(Error::usage(format!("{name}: {text:?} is {reason}")));
        }
        if to.good.is_empty() {
            return Err(Error::usage(format!("no recipient: give --to, or {}", settings.place("TO_EMAILS"))));
        }
        let attachments = args.attach.iter().map(|path| {
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
            Ok(Attachment::new(&name, fs::read(path).map_err(Error::read(path))?))
        });
        Ok(MailOptions {
            from,
            to: to.good,
            unusable: to.bad,
            attachments: attachments.collect::<Result<_>>()?,
        })
    }
}

/// The server that the settings name.
///
/// # Errors
/// [`Error::Usage`] for a setting that cannot be used, and for a user without a password.
pub fn server(args: &cli::Mail, settings: &Settings) -> Result<Server> {
    let login = match settings.get("SMTP_USER")? {
        None => None,
        Some(user) => {
            let password = settings.secret("SMTP_PASSWORD")?.ok_or_else(|| {
                Error::usage("SMTP_USER is set, but no password: set SMTP_PASSWORD_FILE or SMTP_PASSWORD")
            })?;
            Some(Login { user, password })
        }
    };
    let host = settings.get("SMTP_HOST")?.unwrap_or_else(|| "localhost".to_owned());
    Ok(Server {
        host: host.trim().to_owned(),
        port: settings.parse("SMTP_PORT", "a port")?.unwrap_or(DEFAULT_PORT),
        tls: settings.parse("SMTP_TLS", Tls::WORDS)?.unwrap_or(Tls::Opportunistic),
        ca_file: settings.get("SMTP_CA_FILE")?.map(PathBuf::from),
        login,
        helo: helo(args, settings)?,
        timeout: args.timeout,
        debug: args.debug,
    })
}

/// What we call ourselves to the server: SMTP_HELO, else the host name when it has a dot, else the domain of the
/// sender. Many servers refuse a name without a dot, such as that of a container.
fn helo(args: &cli::Mail, settings: &Settings) -> Result<Option<String>> {
    if let Some(name) = settings.get("SMTP_HELO")? {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
        let name = name.trim();
        if name.is_empty() || name.len() > 255 || !name.chars().all(is_name) {
            let examples = "examples: reports.example.net, [192.0.2.1]";
            return Err(Error::usage(format!("SMTP_HELO: invalid name {name:?}; {examples}")));
        }
        return Ok(Some(name.to_owned()));
    }
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let sender = args.from.clone().or(settings.get("FROM_EMAIL")?);
    let sender = sender.and_then(|from| Some(address::one(&from).ok()?.email.domain().to_owned()));
    let is_full =
        |name: &String| name.trim_matches('.').contains('.') && name.is_ascii() && !name.contains(' ');
    Ok([Some(host), sender].into_iter().flatten().find(is_full))
}

/// The language of the mail.
///
/// # Errors
/// [`Error::Usage`] for a MODTOOLS_LANG that is not one of them.
pub fn language(args: &cli::Mail, settings: &Settings) -> Result<Language> {
    match args.lang {
        Some(language) => Ok(language),
        None => Ok(settings.parse("MODTOOLS_LANG", "en or nl")?.unwrap_or_default()),
    }
}
