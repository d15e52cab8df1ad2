//! Where a deployment goes to: `[USER@]HOST:DIR`, as scp writes it.

use std::fmt;

/// A directory on another machine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Target {
    pub user: Option<String>,
    pub host: String,
    /// Without a slash at its end; a relative one is in the user's home.
    pub directory: String,
}

impl Target {
    /// Reads `[USER@]HOST:DIR`; an IPv6 address stands in brackets.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = |what: &str| Err(format!("{text:?}: {what}; write USER@HOST:DIR"));
        if text.chars().any(char::is_control) {
            return bad("there are control characters in it");
        }
        // A colon belongs to an address as long as its bracket is open.
        let after_address = text.find("]:").map_or(0, |at| at + 1);
        let Some(colon) = text[after_address..].find(':') else { return bad("no directory") };
        let (place, directory) = (&text[..after_address + colon], &text[after_address + colon + 1..]);
        let (user, host) = match place.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, place),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() || host.starts_with('-') || user.is_some_and(str::is_empty) {
            return bad("no host");
        }
        // What scp and shells take for the home is where SFTP begins anyway.
        let directory = directory.strip_prefix("~/").unwrap_or(directory);
        let directory = match directory.trim_end_matches('/') {
            "" if directory.starts_with('/') => return bad("the page cannot be put into the root directory"),
            "" | "~" => return bad("no directory"),
            directory if directory.starts_with('/') => directory.to_owned(),
            directory => format!("./{directory}"),
        };
        Ok(Target { user: user.map(str::to_owned), host: host.to_owned(), directory })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.directory.trim_start_matches("./"))
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn targets_are_read_as_scp_reads_them() {
        let read = |text: &str| {
            Target::parse(text).map(|t| (t.user.unwrap_or_default(), t.host, t.directory)).expect(text)
        };
        let of = |user: &str, host: &str, directory: &str| (user.into(), host.into(), directory.into());
        assert_eq!(read("web1:/var/www"), of("", "web1", "/var/www"));
        assert_eq!(read("ops@web1:www/page/"), of("ops", "web1", "./www/page"));
        assert_eq!(read("a@b@web1:~/x:y"), of("a@b", "web1", "./x:y"));
        assert_eq!(read("ops@[::1]:/srv/it's"), of("ops", "::1", "/srv/it's"));
        assert_eq!(read("web1:-rf"), of("", "web1", "./-rf"));
        for text in ["", "web1", "web1:", ":/srv", "@web1:/srv", "web1:/", "web1:~", "-oX:/srv", "web1:/a\nb"]
        {
            let error = Target::parse(text).expect_err(text);
            assert!(error.contains("USER@HOST:DIR"), "{error}");
        }
    }
}
