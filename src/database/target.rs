//! Which database is meant: the URL of `--db` and MODTOOLS_DB, else ACCESS_*, else a file in the
//! working directory. Nothing is opened here.

use std::path::{Path, PathBuf};

use crate::{
    error::{Error, Result},
    settings::{Secret, Settings},
};

/// The file that is used when nothing else is said.
const DEFAULT_FILE: &str = "modulation.db";
const DEFAULT_PORT: u16 = 3306;
const FORMS: &str = "sqlite:PATH or mysql://USER@HOST[,HOST2][:PORT]/DB[?ssl=required|verify-ca&ca=FILE]";

/// A database, as it was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A MySQL or MariaDB server, or the nodes of one cluster.
    MySql(Server),
}

/// How to reach a MySQL or MariaDB database. The password is asked for only when it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Account; missing when the URL has none and ACCESS_USER is to be asked.
    pub user: Option<String>,
    /// In the order in which they are tried; never empty.
    pub hosts: Vec<Host>,
    /// Name of the database.
    pub database: String,
    /// Whether the connection must be encrypted.
    pub tls: Tls,
}

/// One server: a name or an address (IPv6 without brackets) and its TCP port, or the path of a Unix socket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Host {
    pub name: String,
    pub port: u16,
}

/// Encryption of the connection to the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// Plain text.
    #[default]
    Off,
    /// No connection without it; the server's certificate is checked against the authorities of
    /// this file (PEM), else against the public ones.
    Required(Option<PathBuf>),
    /// The same against the authorities of this file, but whatever name the certificate has: one that MySQL makes
    /// for itself has none.
    VerifyCa(PathBuf),
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Host { name, port } = self;
        if self.is_socket() {
            return f.write_str(name);
        }
        if name.contains(':') { write!(f, "[{name}]:{port}") } else { write!(f, "{name}:{port}") }
    }
}

impl Target {
    /// The database that the flag, MODTOOLS_DB, ACCESS_* or the working directory name, in this
    /// order. The default file counts when it exists, or when `init` is going to make it.
    ///
    /// # Errors
    /// [`Error::Usage`]: a wrong URL, or no database anywhere, naming the places looked at.
    pub fn find(flag: Option<&str>, settings: &Settings, init: bool) -> Result<Self> {
        if let Some(url) = flag {
            return Self::parse(url).map_err(|reason| Error::usage(format!("--db: {reason}")));
        }
        if let Some(url) = settings.get("MODTOOLS_DB")? {
            return Self::parse(&url).map_err(|reason| Error::usage(format!("MODTOOLS_DB: {reason}")));
        }
        if let Some(server) = Server::from_access(settings)? {
            return Ok(Target::MySql(server));
        }
        if init || Path::new(DEFAULT_FILE).exists() {
            return Ok(Target::Sqlite(DEFAULT_FILE.into()));
        }
        Err(Error::usage(format!(
            "no database is named: give --db {FORMS}, or set {}, or ACCESS_HOST and ACCESS_DATABASE there; \
             ./{DEFAULT_FILE} does not exist (mod-store --init makes it)",
            settings.place("MODTOOLS_DB")
        )))
    }

    /// The target of a URL.
    ///
    /// # Errors
    /// What is wrong with it, without the URL, which may hold a password.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once(':').ok_or_else(|| format!("it is not of the form {FORMS}"))?;
        match scheme {
            "sqlite" => sqlite(rest),
            "mysql" | "mariadb" => {
                let rest = rest.strip_prefix("//").ok_or_else(|| format!("it is not of the form {FORMS}"))?;
                Server::parse(rest).map(Target::MySql)
            }
            _ => Err(format!("unknown kind of database {scheme:?}; expected {FORMS}")),
        }
    }

    /// Its name for messages, without a password.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Target::Sqlite(path) => format!("sqlite:{}", path.display()),
            Target::MySql(server) => {
                let hosts: Vec<_> = server.hosts.iter().map(Host::to_string).collect();
                let user = server.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
                format!("mysql://{user}{}/{}", hosts.join(","), server.database)
            }
        }
    }
}

fn sqlite(rest: &str) -> Result<Target, String> {
    match rest.strip_prefix("//").unwrap_or(rest) {
        "" => Err("sqlite: lacks the path of a file".into()),
        ":memory:" => Err("sqlite: must be a file; what is stored in memory is gone at the end".into()),
        path => Ok(Target::Sqlite(path.into())),
    }
}

impl Server {
    /// The part of a URL after `mysql://`.
    fn parse(text: &str) -> Result<Self, String> {
        let (text, options) = text.split_once('?').map_or((text, ""), |(text, options)| (text, options));
        let (authority, database) = text.rsplit_once('/').ok_or("it lacks /DB, the name of the database")?;
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        if user.is_some_and(|user| user.contains(':')) {
            return Err("a password in the URL can be seen by everyone on this machine; \
                        take it out and set ACCESS_PASSWORD or ACCESS_PASSWORD_FILE"
                .into());
        }
        let database = decode(database)?;
        if database.is_empty() {
            return Err("it lacks the name of the database after the last /".into());
        }
        let user = user.map(decode).transpose()?.filter(|user| !user.is_empty());
        Ok(Server { user, hosts: Host::list(hosts, DEFAULT_PORT)?, database, tls: Tls::parse(options)? })
    }

    /// The server that ACCESS_HOST, ACCESS_PORT, ACCESS_DATABASE and ACCESS_USER name, if any.
    fn from_access(settings: &Settings) -> Result<Option<Self>> {
        let host = settings.get("ACCESS_HOST")?;
        let database = settings.get("ACCESS_DATABASE")?;
        let (host, database) = match (host, database) {
            (None, None) => return Ok(None),
            (host, Some(database)) => (host.unwrap_or_else(|| "localhost".into()), database),
            (Some(_), None) => {
                let place = settings.place("ACCESS_DATABASE");
                return Err(Error::usage(format!("ACCESS_HOST is set but not the database: set {place}")));
            }
        };
        let port = settings.parse("ACCESS_PORT", "a TCP port")?.unwrap_or(DEFAULT_PORT);
        let hosts = Host::list(host.trim(), port).map_err(|e| Error::usage(format!("ACCESS_HOST: {e}")))?;
        let user = settings.get("ACCESS_USER")?;
        Ok(Some(Server { user, hosts, database: database.trim().to_owned(), tls: Tls::Off }))
    }

    /// The account and its password, from the URL and ACCESS_USER, ACCESS_PASSWORD.
    ///
    /// # Errors
    /// [`Error::Usage`] that names what is missing.
    pub fn credentials(&self, settings: &Settings) -> Result<(String, Secret)> {
        let user = match &self.user {
            Some(user) => Some(user.clone()),
            None => settings.get("ACCESS_USER")?,
        };
        let user = user.ok_or_else(|| {
            Error::usage(format!("the database needs a user: set {}", settings.place("ACCESS_USER")))
        })?;
        let password = settings.secret("ACCESS_PASSWORD")?.ok_or_else(|| {
            Error::usage(format!(
                "the database needs a password: set {}, or ACCESS_PASSWORD_FILE (an empty file for none)",
                settings.place("ACCESS_PASSWORD")
            ))
        })?;
        Ok((user, password))
    }
}

impl Host {
    /// Whether it is a Unix socket of this machine.
    #[must_use]
    pub fn is_socket(&self) -> bool {
        self.name.starts_with('/')
    }

    /// `HOST[:PORT]` between commas. A host without a port has that of the last one.
    fn list(text: &str, default: u16) -> Result<Vec<Host>, String> {
        let hosts = text.split(',').map(|one| Self::split(one.trim())).collect::<Result<Vec<_>, _>>()?;
        let default = hosts.last().and_then(|&(_, port)| port).unwrap_or(default);
        hosts
            .into_iter()
            .map(|(name, port)| {
                let name = if name.starts_with('/') { name.to_owned() } else { decode(name)? };
                Ok(Host { name, port: port.unwrap_or(default) })
            })
            .collect()
    }

    fn split(text: &str) -> Result<(&str, Option<u16>), String> {
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (name, after) = rest.split_once(']').ok_or("an IPv6 host lacks its ]")?;
                match after.strip_prefix(':') {
                    Some(port) => (name, Some(port)),
                    None if after.is_empty() => (name, None),
                    None => return Err(format!("{after:?} stands after an IPv6 host; expected :PORT")),
                }
            }
            // The path of a socket has no port.
            None if text.starts_with('/') => (text, None),
            None => match text.split_once(':') {
                Some((_, port)) if port.contains(':') => return Err("write an IPv6 host as [ADDRESS]".into()),
                Some((name, port)) => (name, Some(port)),
                None => (text, None),
            },
        };
        if name.is_empty() {
            return Err("a host is empty".into());
        }
        let port = match port {
            Some(port) => {
                let number = port.parse().ok().filter(|&number| number != 0);
                Some(number.ok_or_else(|| format!("invalid TCP port {port:?}"))?)
            }
            None => None,
        };
        Ok((name, port))
    }
}

impl Tls {
    /// The options after `?`.
    fn parse(options: &str) -> Result<Self, String> {
        let (mut required, mut named, mut ca) = (None, true, None);
        for option in options.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("ssl", "required")) => required = Some(true),
                Some(("ssl", "verify-ca")) => (required, named) = (Some(true), false),
                Some(("ssl", "off")) => required = Some(false),
                Some(("ca", file)) if !file.is_empty() => ca = Some(PathBuf::from(decode(file)?)),
                _ => {
                    return Err(format!(
                        "unknown option {option:?}; expected ssl=required, ssl=verify-ca, ssl=off or ca=FILE"
                    ));
                }
            }
        }
        match (required, ca) {
            (Some(false), Some(_)) => Err("ssl=off and ca= exclude each other".into()),
            (Some(false) | None, None) => Ok(Tls::Off),
            (Some(true), Some(ca)) if !named => Ok(Tls::VerifyCa(ca)),
            (Some(true), None) if !named => {
                Err("ssl=verify-ca needs ca=FILE, the authority to check against".into())
            }
            (_, ca) => Ok(Tls::Required(ca)),
        }
    }
}

/// Percent-decoding (RFC 3986, section 2.1).
fn decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
        match (digit(), digit()) {
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => return Err("a % is not followed by two hexadecimal digits; write it as %25".into()),
        }
    }
    String::from_utf8(bytes).map_err(|_| "what is written with % is not UTF-8".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str, port: u16) -> Host {
        Host { name: name.into(), port }
    }

    fn server(user: Option<&str>, hosts: Vec<Host>, database: &str, tls: Tls) -> Target {
        Target::MySql(Server { user: user.map(Into::into), hosts, database: database.into(), tls })
    }

    #[test]
    fn urls_are_read_whole() {
        let ca = || Tls::Required(Some("/etc/ca file.pem".into()));
        for (url, target) in [
            ("sqlite:modulation.db", Target::Sqlite("modulation.db".into())),
            ("sqlite:///var/lib/m.db", Target::Sqlite("/var/lib/m.db".into())),
            ("sqlite:/var/a b%20.db", Target::Sqlite("/var/a b%20.db".into())),
            ("mysql://u@db/access", server(Some("u"), vec![host("db", 3306)], "access", Tls::Off)),
            ("mariadb://db/access", server(None, vec![host("db", 3306)], "access", Tls::Off)),
            (
                "mysql://u%40x@a,b:3307/d%2Fb?ssl=required",
                server(Some("u@x"), vec![host("a", 3307), host("b", 3307)], "d/b", Tls::Required(None)),
            ),
            (
                "mysql://u@%2Frun%2Fmysqld%2Fmysqld.sock/d",
                server(Some("u"), vec![host("/run/mysqld/mysqld.sock", 3306)], "d", Tls::Off),
            ),
            (
                "mysql://u@db/d?ssl=verify-ca&ca=/etc/ca%20file.pem",
                server(Some("u"), vec![host("db", 3306)], "d", Tls::VerifyCa("/etc/ca file.pem".into())),
            ),
            (
                "mysql://u@[::1]:1,10.0.0.2:2/d?ca=/etc/ca%20file.pem",
                server(Some("u"), vec![host("::1", 1), host("10.0.0.2", 2)], "d", ca()),
            ),
        ] {
            assert_eq!(Target::parse(url), Ok(target), "{url}");
        }
    }

    #[test]
    fn a_wrong_url_is_refused_with_its_remedy_and_without_its_password() {
        for (url, word) in [
            ("modulation.db", "sqlite:PATH"),
            ("postgres://u@h/d", "postgres"),
            ("sqlite:", "path"),
            ("sqlite::memory:", "file"),
            ("mysql:u@h/d", "mysql://"),
            ("mysql://u:hunter2@h/d", "ACCESS_PASSWORD"),
            ("mysql://u@h", "/DB"),
            ("mysql://u@h/", "database"),
            ("mysql://u@/d", "host"),
            ("mysql://u@h:0/d", "port"),
            ("mysql://u@h:x/d", "port"),
            ("mysql://u@::1/d", "[ADDRESS]"),
            ("mysql://u@[::1/d", "]"),
            ("mysql://u@h/d?tls=1", "ssl=required"),
            ("mysql://u@h/d?ssl=off&ca=x", "exclude"),
            ("mysql://u@h/d?ssl=verify-ca", "ca=FILE"),
            ("mysql://u%4@h/d", "%25"),
        ] {
            let reason = Target::parse(url).expect_err(url);
            assert!(reason.contains(word) && !reason.contains("hunter2"), "{url}: {reason}");
        }
    }

    #[test]
    fn the_flag_beats_the_settings_and_the_url_beats_access() {
        let access = [("ACCESS_HOST", "old"), ("ACCESS_DATABASE", "a"), ("ACCESS_PORT", "3310")];
        let settings = Settings::of(access.into_iter().chain([("MODTOOLS_DB", "sqlite:s")]));
        assert_eq!(Target::find(Some("sqlite:f"), &settings, false).ok(), Some(Target::Sqlite("f".into())));
        assert_eq!(Target::find(None, &settings, false).ok(), Some(Target::Sqlite("s".into())));
        let settings = Settings::of(access);
        let expected = server(None, vec![host("old", 3310)], "a", Tls::Off);
        assert_eq!(Target::find(None, &settings, false).ok(), Some(expected));
        let socket = Settings::of([("ACCESS_HOST", "/run/my%sql.sock"), ("ACCESS_DATABASE", "a")]);
        let expected = server(None, vec![host("/run/my%sql.sock", 3306)], "a", Tls::Off);
        assert_eq!(Target::find(None, &socket, false).ok(), Some(expected));
        let half = Settings::of([("ACCESS_HOST", "old")]);
        assert!(Target::find(None, &half, false).expect_err("half").to_string().contains("ACCESS_DATABASE"));
    }

    #[test]
    fn credentials_that_are_missing_are_named() {
        let Ok(Target::MySql(server)) = Target::parse("mysql://h/d") else { unreachable!("a server") };
        let ask = |pairs: &[(&str, &str)]| {
            server.credentials(&Settings::of(pairs.iter().copied())).map_err(|e| e.to_string())
        };
        assert!(ask(&[]).expect_err("no user").contains("ACCESS_USER"));
        assert!(ask(&[("ACCESS_USER", "u")]).expect_err("no password").contains("ACCESS_PASSWORD"));
        let both = ask(&[("ACCESS_USER", "u"), ("ACCESS_PASSWORD", "p")]);
        assert_eq!(both, Ok(("u".into(), Secret::new("p"))));
    }
}
