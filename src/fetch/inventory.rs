//! The inventory: which devices there are, read from a bare list of names, CSV with a header, or NDJSON.
//! A line that cannot be used costs that line, never the run.

use std::collections::HashSet;

use globset::GlobMatcher;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    platform::{Names, Platform},
    ssh::Algorithms,
};

/// One device of the inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its name in records.
    pub cmts: String,
    /// What is connected to.
    pub host: String,
    /// TCP port; none: OpenSSH's configuration, else 22.
    pub port: Option<u16>,
    /// Its family; none: to be found out at login.
    pub platform: Option<Platform>,
    /// Its own account.
    pub user: Option<String>,
    /// Its own jump host.
    pub jump: Option<String>,
    /// Its own set of algorithms.
    pub algorithms: Option<Algorithms>,
}

/// How lines become devices.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// For devices that do not say theirs.
    pub platform: Option<Platform>,
    /// The platforms that names tell.
    pub names: Names,
    /// Devices of no known platform are kept, to be logged in to.
    pub detect: bool,
    /// Names in upper case.
    pub upper: bool,
    /// Only these names.
    pub only: Option<GlobMatcher>,
    /// Only the names of part `.0` of `.1`.
    pub shard: Option<(u32, u32)>,
}

/// A line that gives no device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Number of the line, from 1; none for a name on the command line.
    pub line: Option<u64>,
    /// The name, as far as it was read.
    pub cmts: Option<String>,
    /// Why, with the remedy.
    pub reason: String,
}

/// What an inventory came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// In the order of the lines, each name once.
    pub devices: Vec<Device>,
    /// Lines that could not be used.
    pub skipped: Vec<Skipped>,
    /// Lines that hold a device, before `--only` and `--shard`.
    pub listed: usize,
}

/// A device as it is written: every field but the name may be missing.
#[derive(Debug, Default, Deserialize)]
struct Written {
    #[serde(alias = "name", alias = "hostname", alias = "ccap")]
    cmts: Option<String>,
    #[serde(alias = "address", alias = "ip")]
    host: Option<String>,
    port: Option<Value>,
    platform: Option<String>,
    user: Option<String>,
    jump: Option<String>,
    algorithms: Option<String>,
}

impl Reading {
    /// Reads an inventory's text after names from the command line.
    #[must_use]
    pub fn inventory(&self, names: &[String], text: &str) -> Inventory {
        let mut found = Inventory::default();
        let mut seen = HashSet::new();
        for name in names {
            self.take(
                Ok(Written { cmts: Some(name.clone()), ..Written::default() }),
                None,
                &mut seen,
                &mut found,
            );
        }
        let mut columns: Option<Vec<String>> = None;
        for (number, line) in (1u64..).zip(text.lines()) {
            let line = line.trim_start_matches('\u{feff}').trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let written = if line.starts_with('{') {
                serde_json::from_str(line).map_err(|e| format!("not a device in JSON: {e}"))
            } else if columns.is_none() && found.listed == names.len() && is_header(line) {
                columns = Some(cells(line).into_iter().map(|name| name.to_ascii_lowercase()).collect());
                continue;
            } else {
                match &columns {
                    Some(columns) => by_columns(columns, &cells(line)),
                    None => bare(line),
                }
            };
            self.take(written, Some(number), &mut seen, &mut found);
        }
        found
    }

    fn take(
        &self,
        written: Result<Written, String>,
        line: Option<u64>,
        seen: &mut HashSet<String>,
        found: &mut Inventory,
    ) {
        let name = written.as_ref().ok().and_then(|w| w.cmts.clone());
        match written.and_then(|written| self.device(written)) {
            Ok(device) => {
                found.listed += 1;
                let wanted = self.only.as_ref().is_none_or(|glob| glob.is_match(&device.cmts))
                    && self.shard.is_none_or(|(part, parts)| shard_of(&device.cmts, parts) == part);
                if !wanted {
                    return;
                }
                if !seen.insert(device.cmts.clone()) {
                    let reason = "is in the inventory already; this line is passed over".to_owned();
                    found.skipped.push(Skipped { line, cmts: Some(device.cmts), reason });
                    return;
                }
                if device.platform.is_none() && !self.detect {
                    let reason =
                        "its name tells no platform: give one in the inventory or by --platform, or let \
                                  --detect find it out"
                            .to_owned();
                    found.skipped.push(Skipped { line, cmts: Some(device.cmts), reason });
                    return;
                }
                found.devices.push(device);
            }
            Err(reason) => found.skipped.push(Skipped { line, cmts: name, reason }),
        }
    }

    fn device(&self, written: Written) -> Result<Device, String> {
        let given = |text: Option<String>| text.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
        let cmts = given(written.cmts).ok_or("has no cmts")?;
        let host = given(written.host).unwrap_or_else(|| cmts.clone());
        for (what, text) in [("cmts", &cmts), ("host", &host)] {
            if text.chars().any(|c| c.is_whitespace() || c.is_control()) || text.starts_with('-') {
                return Err(format!("{text:?} cannot be a {what}"));
            }
        }
        let port = match &written.port {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.trim().is_empty() => None,
            Some(value) => {
                let text = value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned());
                let port = text.parse().ok().filter(|&port: &u16| port > 0);
                Some(port.ok_or_else(|| format!("{text:?} is no port"))?)
            }
        };
        let platform = match given(written.platform) {
            Some(word) => Some(word.parse()?),
            None => self.platform.or_else(|| self.names.platform(&cmts)),
        };
        let algorithms = given(written.algorithms).map(|word| {
            <Algorithms as clap::ValueEnum>::from_str(&word, true)
                .map_err(|_| format!("{word:?} is no set of algorithms; known are auto, modern, legacy"))
        });
        let jump = given(written.jump);
        if jump.as_deref().is_some_and(|jump| jump.starts_with('-')) {
            return Err("a jump host cannot begin with -".to_owned());
        }
        Ok(Device {
            cmts: if self.upper { cmts.to_uppercase() } else { cmts },
            host,
            port,
            platform,
            user: given(written.user),
            jump,
            algorithms: algorithms.transpose()?,
        })
    }
}

const COLUMNS: [&str; 4] = ["cmts", "name", "hostname", "ccap"];

/// A first line with a column for the name, among others or alone.
fn is_header(line: &str) -> bool {
    cells(line).iter().any(|cell| COLUMNS.contains(&cell.to_ascii_lowercase().as_str()))
}

fn cells(line: &str) -> Vec<String> {
    let separator = if line.contains(';') && !line.contains(',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(separator)
        .trim(csv::Trim::All)
        .from_reader(line.as_bytes());
    reader
        .records()
        .next()
        .and_then(Result::ok)
        .map_or_else(Vec::new, |r| r.iter().map(str::to_owned).collect())
}

fn by_columns(columns: &[String], cells: &[String]) -> Result<Written, String> {
    if cells.len() > columns.len() {
        return Err(format!("has {} columns, the header has {}", cells.len(), columns.len()));
    }
    let mut written = Written::default();
    for (column, cell) in columns.iter().zip(cells).filter(|(_, cell)| !cell.is_empty()) {
        let cell = Some(cell.clone());
        match column.as_str() {
            "cmts" | "name" | "hostname" | "ccap" => written.cmts = cell,
            "host" | "address" | "ip" => written.host = cell,
            "port" => written.port = cell.map(Value::String),
            "platform" => written.platform = cell,
            "user" => written.user = cell,
            "jump" => written.jump = cell,
            "algorithms" => written.algorithms = cell,
            _ => {}
        }
    }
    Ok(written)
}

fn bare(line: &str) -> Result<Written, String> {
    let name = line.split('#').next().unwrap_or_default().trim();
    if name.contains([',', ';']) {
        return Err("CSV needs a header line with a column cmts".to_owned());
    }
    Ok(Written { cmts: Some(name.to_owned()), ..Written::default() })
}

/// The part of `parts` that a name belongs to, by rendezvous hashing: when a collector is added, only
/// the devices that it takes over move.
fn shard_of(name: &str, parts: u32) -> u32 {
    use sha2::Digest;
    let weight = |part: &u32| sha2::Sha256::digest(format!("{part}/{name}"));
    (1..=parts).max_by_key(weight).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Inventory {
        Reading::default().inventory(&[], text)
    }

    fn names(inventory: &Inventory) -> Vec<&str> {
        inventory.devices.iter().map(|d| d.cmts.as_str()).collect()
    }

    #[test]
    fn names_csv_and_ndjson_give_the_same_devices() {
        let bare = read("# fleet\nCCAP001\n\n  CCAP101  # hall 2\n");
        let csv = read("cmts,description\nCCAP001,\"a, b\"\nCCAP101,\n");
        let semicolons = read("Name;Platform\r\nCCAP001;e6000\r\nCCAP101;casa\r\n");
        let json = read("{\"cmts\":\"CCAP001\"}\n{\"cmts\":\"CCAP101\",\"port\":null,\"new\":[1]}\n");
        assert_eq!(names(&bare), ["CCAP001", "CCAP101"]);
        for other in [csv, semicolons, json] {
            assert_eq!(other, bare);
        }
        let full = read(
            r#"{"cmts":"x","host":"10.0.0.1","port":2222,"platform":"cbr8","user":"u","jump":"j","algorithms":"legacy"}"#,
        );
        let device = &full.devices[0];
        assert_eq!((device.host.as_str(), device.port), ("10.0.0.1", Some(2222)));
        assert_eq!((device.platform, device.algorithms), (Some(Platform::Cbr8), Some(Algorithms::Legacy)));
    }

    #[test]
    fn a_bad_line_costs_that_line_and_says_why() {
        let found = read(
            "CCAP001\n{\"cmts\":\"CCAP002\",\"port\":\"x\"}\n{broken\nrouter7\nCCAP001\n\
             {\"cmts\":\"CCAP003\",\"platform\":\"nokia\"}\n{\"host\":\"h\"}\n-oProxyCommand=x\na,b\nCCAP004\n",
        );
        assert_eq!(names(&found), ["CCAP001", "CCAP004"]);
        let lines: Vec<_> = found.skipped.iter().filter_map(|s| s.line).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(found.skipped[2].reason.contains("--detect"), "{:?}", found.skipped[2]);
        assert!(found.skipped[4].reason.contains("known are"), "{:?}", found.skipped[4]);
    }

    #[test]
    fn every_name_is_in_one_part_and_few_move_when_a_part_is_added() {
        let text: String = (0..300).map(|n| format!("CCAP{n:03}-x\n")).collect();
        let part =
            |shard| Reading { shard: Some(shard), detect: true, ..Reading::default() }.inventory(&[], &text);
        let (one, two) = (part((1, 2)), part((2, 2)));
        assert_eq!((one.devices.len() + two.devices.len(), one.listed), (300, 300));
        assert!(names(&one).iter().all(|name| !names(&two).contains(name)));
        assert!((90..210).contains(&one.devices.len()), "{}", one.devices.len());
        let of_three = part((1, 3));
        assert!(names(&of_three).iter().all(|name| names(&one).contains(name)), "moved between old parts");
    }
}
