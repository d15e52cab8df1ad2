//! Settings: a flag beats the environment, which beats the env file, which beats the default.
//! Flags are the tools' own; this is the rest of the ladder, and the keeper of secrets.

mod env_file;

use std::{
    collections::BTreeMap,
    fmt, fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    str::FromStr,
};

use crate::error::{Error, Result};

/// Names whose values are secrets: read by [`Settings::secret`] only, and kept from children.
pub const SECRETS: [&str; 7] = [
    "ACCESS_PASSWORD",
    "SMTP_PASSWORD",
    "CCAP_PASSWORD",
    "CCAP_LOCAL_PASSWORD",
    "CCAP_PASSPHRASE",
    "CCAP_ENABLE_PASSWORD",
    "FERNET_KEY",
];

/// A password or key. It cannot be shown by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text, for the one call that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// The environment over the env file.
#[derive(Clone, Default)]
pub struct Settings {
    values: BTreeMap<String, String>,
    file: Option<PathBuf>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("names", &self.values.keys()).field("file", &self.file).finish()
    }
}

impl Settings {
    /// The settings of this process: its environment, over `env_file`, else `./.env`, else
    /// `/etc/modtools/env`. Lines that cannot be read are said once and passed over.
    ///
    /// # Errors
    /// [`Error::Read`] for a file that was named, or that stands in its place, and cannot be read.
    pub fn load(env_file: Option<&Path>) -> Result<Self> {
        let environment =
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        let places = [Path::new(".env"), Path::new("/etc/modtools/env")];
        let file = match env_file {
            Some(file) => Some(file),
            None => places.into_iter().find(|place| place.is_file()),
        };
        let Some(file) = file else {
            return Ok(Self::of(environment));
        };
        let text = fs::read(file).map_err(Error::read(file))?;
        let (settings, bad) = Self::layered(environment, &String::from_utf8_lossy(&text));
        for line in bad {
            log::warn!("{}: line {line} is not NAME=value and is passed over", file.display());
        }
        Ok(Settings { file: Some(file.to_owned()), ..settings })
    }

    /// Settings of exactly these pairs, for tests and for stages that are run in-process.
    #[must_use]
    pub fn of<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Settings { values: pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect(), file: None }
    }

    fn layered(environment: impl Iterator<Item = (String, String)>, text: &str) -> (Self, Vec<usize>) {
        let environment: BTreeMap<_, _> = environment.collect();
        let (bindings, bad) = env_file::parse(text);
        let mut values: BTreeMap<String, String> = BTreeMap::new();
        for binding in bindings {
            let Some(value) = binding.value else { continue };
            let lookup = |name: &str| environment.get(name).or_else(|| values.get(name)).cloned();
            let value = env_file::expand(&value, lookup);
            values.insert(binding.name, value);
        }
        values.extend(environment);
        (Settings { values, file: None }, bad)
    }

    /// Where a setting can be given, for messages: `NAME in the environment or in ./.env`.
    #[must_use]
    pub fn place(&self, name: &str) -> String {
        match &self.file {
            Some(file) => format!("{name} in the environment or in {}", file.display()),
            None => format!("{name} in the environment or in ./.env"),
        }
    }

    /// The value of a setting; a missing and an empty one are the same. A Fernet token is decrypted.
    ///
    /// # Errors
    /// [`Error::Usage`], by name, for a Fernet token that FERNET_KEY does not open.
    pub fn get(&self, name: &str) -> Result<Option<String>> {
        match self.values.get(name).filter(|value| !value.is_empty()) {
            Some(token) if token.starts_with("gAAAAAB") => self.decrypt(name, token).map(Some),
            value => Ok(value.cloned()),
        }
    }

    fn decrypt(&self, name: &str, token: &str) -> Result<String> {
        let refuse = |reason: &str| Error::usage(format!("{name} is a Fernet token, but {reason}"));
        let key = self.values.get("FERNET_KEY").filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| refuse("FERNET_KEY is not set"))?;
        let fernet = fernet::Fernet::new(key).ok_or_else(|| refuse("FERNET_KEY is no Fernet key"))?;
        let plain = fernet.decrypt(token).map_err(|_| refuse("FERNET_KEY does not open it"))?;
        String::from_utf8(plain).map_err(|_| refuse("what is inside is not text"))
    }

    /// A setting that must be read as something: a number, a duration by its own parser.
    ///
    /// # Errors
    /// [`Error::Usage`] that names the setting and what is wrong with it.
    pub fn parse<T: FromStr>(&self, name: &str, what: &str) -> Result<Option<T>> {
        let Some(value) = self.get(name)? else { return Ok(None) };
        match value.trim().parse() {
            Ok(parsed) => Ok(Some(parsed)),
            Err(_) => Err(Error::usage(format!("{name}={value:?} is not {what}; set {}", self.place(name)))),
        }
    }

    /// A switch: `true yes on 1` and `false no off 0`, in any case; missing is `default`.
    ///
    /// # Errors
    /// [`Error::Usage`] that names the setting.
    pub fn switch(&self, name: &str, default: bool) -> Result<bool> {
        let Some(value) = self.get(name)? else { return Ok(default) };
        match value.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(true),
            "false" | "no" | "off" | "0" => Ok(false),
            _ => Err(Error::usage(format!("{name}={value:?} is neither true nor false"))),
        }
    }

    /// A secret: from the file `NAME_FILE` names, else `$CREDENTIALS_DIRECTORY/name` (as systemd
    /// gives it; in lower case or as it stands), else `NAME`. One line end at the end of a file is cut off.
    ///
    /// # Errors
    /// [`Error::Usage`] for a `NAME_FILE` that others can read; [`Error::Read`]; those of [`Settings::get`].
    pub fn secret(&self, name: &str) -> Result<Option<Secret>> {
        if let Some(path) = self.get(&format!("{name}_FILE"))? {
            let path = PathBuf::from(path);
            let mode = fs::metadata(&path).map_err(Error::read(&path))?.mode();
            if mode & 0o077 != 0 {
                let path = path.display();
                return Err(Error::usage(format!(
                    "{name}_FILE: {path} can be read by others (mode {:o}); chmod 600 {path}",
                    mode & 0o777
                )));
            }
            return self.secret_file(name, &path).map(Some);
        }
        if let Some(directory) = self.get("CREDENTIALS_DIRECTORY")? {
            for file in [name.to_ascii_lowercase(), name.to_owned()] {
                let path = Path::new(&directory).join(file);
                if path.is_file() {
                    return self.secret_file(name, &path).map(Some);
                }
            }
        }
        Ok(self.get(name)?.map(Secret))
    }

    fn secret_file(&self, name: &str, path: &Path) -> Result<Secret> {
        let text = fs::read_to_string(path).map_err(Error::read(path))?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        let text = if text.starts_with("gAAAAAB") { self.decrypt(name, text)? } else { text.to_owned() };
        Ok(Secret(text))
    }
}

/// Takes every secret out of a child's environment.
pub fn without_secrets(command: &mut std::process::Command) -> &mut std::process::Command {
    SECRETS.iter().fold(command, |command, name| command.env_remove(name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_environment_beats_the_file_and_feeds_its_expansion() {
        let environment = [("HOST", "env"), ("BOTH", "env")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        let (settings, bad) =
            Settings::layered(environment.into_iter(), "BOTH=file\nURL=${HOST}/${OWN}\nOWN=x\nLATE=${OWN}");
        let get = |name: &str| settings.get(name).expect("no token").unwrap_or_default();
        assert_eq!((get("BOTH"), get("URL"), get("LATE")), ("env".into(), "env/".into(), "x".into()));
        assert!(bad.is_empty());
    }

    #[test]
    fn a_fernet_token_is_opened_or_refused_by_name() {
        let key = fernet::Fernet::generate_key();
        let token = fernet::Fernet::new(&key).expect("a fresh key").encrypt(b"s3cret");
        let with = Settings::of([("ACCESS_PASSWORD", token.as_str()), ("FERNET_KEY", &key)]);
        assert_eq!(with.secret("ACCESS_PASSWORD").expect("opens"), Some(Secret::new("s3cret")));
        let without = Settings::of([("ACCESS_PASSWORD", token)]);
        let error = without.secret("ACCESS_PASSWORD").expect_err("no key").to_string();
        assert!(error.contains("ACCESS_PASSWORD") && error.contains("FERNET_KEY"), "{error}");
    }

    #[test]
    fn a_secret_file_that_others_can_read_is_refused_but_a_credential_is_not() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("ccap_password");
        fs::write(&path, "pa ss\n").expect("written");
        let by_file =
            Settings::of([("CCAP_PASSWORD_FILE", path.to_str().expect("utf-8")), ("CCAP_PASSWORD", "no")]);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("mode");
        assert!(by_file.secret("CCAP_PASSWORD").expect_err("refused").to_string().contains("chmod 600"));
        let by_systemd = Settings::of([("CREDENTIALS_DIRECTORY", dir.path().to_str().expect("utf-8"))]);
        assert_eq!(by_systemd.secret("CCAP_PASSWORD").expect("read"), Some(Secret::new("pa ss")));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
        assert_eq!(by_file.secret("CCAP_PASSWORD").expect("read"), Some(Secret::new("pa ss")));
        assert_eq!(format!("{:?}", by_file.secret("CCAP_PASSWORD")), "Ok(Some((secret)))");
    }
}
