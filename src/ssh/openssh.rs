//! What the user's OpenSSH configuration says of a host: asked of `ssh -G`, so that `Host` blocks,
//! `Match` and `Include` mean what they mean there.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::settings::without_secrets;

/// Where a host name leads, and as whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alias {
    /// `HostName`.
    pub host: Option<String>,
    /// `Port`.
    pub port: Option<u16>,
    /// `User`.
    pub user: Option<String>,
    /// The first `IdentityFile` that exists.
    pub identity: Option<PathBuf>,
}

/// What `ssh -G` says; nothing when there is no `ssh` or it fails.
#[must_use]
pub fn alias(host: &str) -> Alias {
    let mut command = Command::new("ssh");
    command.args(["-G", "--", host]).stdin(Stdio::null()).stderr(Stdio::null());
    match without_secrets(&mut command).output() {
        Ok(output) if output.status.success() => parse(&String::from_utf8_lossy(&output.stdout)),
        _ => Alias::default(),
    }
}

fn parse(text: &str) -> Alias {
    let mut alias = Alias::default();
    for (key, value) in text.lines().filter_map(|line| line.split_once(' ')) {
        match key {
            "hostname" => alias.host = Some(value.to_owned()),
            "port" => alias.port = value.parse().ok(),
            "user" => alias.user = Some(value.to_owned()),
            "identityfile" if alias.identity.is_none() => alias.identity = existing(value),
            _ => {}
        }
    }
    alias
}

fn existing(file: &str) -> Option<PathBuf> {
    let path = match file.strip_prefix("~/") {
        Some(rest) => Path::new(&std::env::var_os("HOME")?).join(rest),
        None => PathBuf::from(file),
    };
    path.is_file().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_ssh_g_are_read() {
        let alias = parse("host c1\nuser ops\nhostname 10.0.0.1\nport 2022\nidentityfile ~/.ssh/none-such\n");
        assert_eq!(
            alias,
            Alias {
                host: Some("10.0.0.1".into()),
                port: Some(2022),
                user: Some("ops".into()),
                identity: None
            }
        );
    }
}
