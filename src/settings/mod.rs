//! Settings: a flag beats the environment, which beats the env file, which beats the default.
//! Flags are the tools' own; this is the rest of the ladder, and where secrets are read.

mod env_file;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod names;
#[cfg_attr(windows, path = "../windows/secret_file.rs")]
mod secret_file;
mod secret_text;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt, fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use self::{names::Kind, secret_text::Readers};
use crate::{
    error::{Error, Result},
    text::encoding,
};

/// Bytes of the largest env file, and of all its values once they are expanded.
const LARGEST_FILE: usize = 1 << 20;

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
    /// `$CREDENTIALS_DIRECTORY/env`, else `/etc/modtools/env`. Lines that cannot be read are named and passed over.
    ///
    /// # Errors
    /// [`Error::Read`] for a file that was named, or that stands in its place, and cannot be read;
    /// [`Error::Usage`] for one that is not UTF-8, belongs to somebody else, or grows beyond bounds.
    pub fn load(env_file: Option<&Path>) -> Result<Self> {
        let environment = environment(std::env::vars_os())?;
        // A credential that systemd could not load is an empty line.
        let credential =
            std::env::var_os("CREDENTIALS_DIRECTORY").map(|directory| PathBuf::from(directory).join("env"));
        let credential = credential.filter(|file| file.metadata().is_ok_and(|file| file.len() > 1));
        let places = [Some(Path::new(".env")), credential.as_deref(), Some(Path::new("/etc/modtools/env"))];
        let found = places.into_iter().flatten().find(|path| path.is_file());
        let Some(file) = env_file.or(found) else {
            return Ok(Self::of(environment));
        };
        if env_file.is_none() && file == Path::new(".env") {
            secret_file::refuse_foreign(file)?;
        }
        let text = encoding::read_file(file)?;
        let (bindings, bad) = bindings(&text, file)?;
        for line in bad {
            log::warn!("{}: line {line} is not NAME=value and is passed over", file.display());
        }
        let plain = |binding: &&env_file::Binding| {
            names::kind(&binding.name) == Some(Kind::Secret)
                && binding.value.as_deref().is_some_and(|value| !value.is_empty() && !is_token(value))
        };
        if let Some(secret) = bindings.iter().find(plain).filter(|_| secret_file::is_readable_by_others(file))
        {
            let file = file.display();
            log::warn!("{file}: others can read {} in it; chmod 600 {file}", secret.name);
        }
        let settings = Self::layered(environment, bindings, file)?;
        Ok(Settings { file: Some(file.to_owned()), ..settings })
    }

    /// Settings of exactly these pairs, for tests and for stages that are run in-process.
    #[must_use]
    pub fn of<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Settings { values: pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect(), file: None }
    }

    fn layered(
        environment: BTreeMap<String, String>,
        bindings: Vec<env_file::Binding>,
        file: &Path,
    ) -> Result<Self> {
        let mut values: BTreeMap<String, String> = BTreeMap::new();
        let mut size = 0;
        for binding in bindings {
            let Some(value) = binding.value else { continue };
            let lookup = |name: &str| environment.get(name).or_else(|| values.get(name)).map(String::as_str);
            let value = env_file::expand(&value, lookup);
            size += value.as_ref().map_or(0, String::len);
            let Some(value) = value.filter(|_| size <= LARGEST_FILE) else {
                let (file, name) = (file.display(), binding.name);
                return Err(Error::usage(format!(
                    "{file}: the value of {name} is too long ({} KiB at most, {} KiB together)",
                    env_file::LONGEST_VALUE >> 10,
                    LARGEST_FILE >> 10
                )));
            };
            values.insert(binding.name, value);
        }
        values.extend(environment);
        Ok(Settings { values, file: None })
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
            Some(token) if is_token(token) => self.decrypt(name, token).map(Some),
            value => Ok(value.cloned()),
        }
    }

    fn decrypt(&self, name: &str, token: &str) -> Result<String> {
        let refuse = |reason: &str| Error::usage(format!("{name} is a Fernet token, but {reason}"));
        let key = self.values.get("FERNET_KEY").filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| refuse("FERNET_KEY is not set"))?;
        let fernet = fernet::Fernet::new(key).ok_or_else(|| refuse("FERNET_KEY is not a Fernet key"))?;
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
    /// gives it; in lower case or as it stands), else `NAME`. Line ends at the end of a file are cut off.
    ///
    /// # Errors
    /// [`Error::Usage`] for a `NAME_FILE` that is missing, that others can read, or whose content cannot be a secret;
    /// [`Error::Read`]; the errors of [`Settings::get`].
    pub fn secret(&self, name: &str) -> Result<Option<Secret>> {
        let by_file = format!("{name}_FILE");
        if let Some(path) = self.get(&by_file)?.map(PathBuf::from) {
            let text = secret_file::read(&by_file, &path, Readers::Owner)?;
            let missing = || Error::usage(format!("{by_file}: {}: no such file", path.display()));
            return self.opened(name, text.ok_or_else(missing)?).map(Some);
        }
        if let Some(directory) = self.get("CREDENTIALS_DIRECTORY")?.map(PathBuf::from) {
            let metadata = fs::metadata(&directory).map_err(Error::read(&directory))?;
            if !metadata.is_dir() {
                return Err(Error::read(&directory)(std::io::ErrorKind::NotADirectory.into()));
            }
            for file in [name.to_ascii_lowercase(), name.to_owned()] {
                if let Some(text) = secret_file::read(name, &directory.join(file), Readers::Any)? {
                    return self.opened(name, text).map(Some);
                }
            }
        }
        Ok(self.get(name)?.map(Secret))
    }

    /// What was read from a file, which may be a Fernet token too.
    fn opened(&self, name: &str, text: String) -> Result<Secret> {
        if is_token(&text) { self.decrypt(name, &text).map(Secret) } else { Ok(Secret(text)) }
    }
}

/// Whether a value is a Fernet token.
fn is_token(value: &str) -> bool {
    value.starts_with("gAAAAAB")
}

/// The environment as text.
///
/// # Errors
/// [`Error::Usage`] for one of our settings that is not UTF-8; other variables are none of our business.
fn environment(variables: impl Iterator<Item = (OsString, OsString)>) -> Result<BTreeMap<String, String>> {
    let mut environment = BTreeMap::new();
    for (name, value) in variables {
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => drop(environment.insert(name, value)),
            (Ok(name), Err(_)) if names::kind(&name).is_some() => {
                return Err(Error::usage(format!("{name} in the environment is not UTF-8")));
            }
            _ => {}
        }
    }
    Ok(environment)
}

fn bindings(text: &str, file: &Path) -> Result<(Vec<env_file::Binding>, Vec<usize>)> {
    if text.len() > LARGEST_FILE {
        let (file, most) = (file.display(), LARGEST_FILE >> 10);
        return Err(Error::usage(format!("{file}: larger than {most} KiB: this is not an env file")));
    }
    Ok(env_file::parse(text))
}

/// Takes every secret out of a child's environment.
pub fn without_secrets(command: &mut std::process::Command) -> &mut std::process::Command {
    names::secrets().fold(command, |command, name| command.env_remove(name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_environment_beats_the_file_and_feeds_its_expansion() {
        let environment = [("HOST", "env"), ("BOTH", "env")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        let (bindings, bad) = env_file::parse("BOTH=file\nURL=${HOST}/${OWN}\nOWN=x\nLATE=${OWN}");
        let settings = Settings::layered(environment.into(), bindings, Path::new("e")).expect("short");
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
