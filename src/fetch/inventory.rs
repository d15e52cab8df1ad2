//! The inventory: which devices there are, out of what is written ([`super::written`]).
//! A line that cannot be used costs that line, never the run.

use std::{collections::HashSet, net::IpAddr};

use globset::GlobMatcher;

use super::written::{self, At, Entry, Mapping, Written};
use crate::{
    cli::Via,
    error::{Error, Result},
    platform::{Names, Platform},
    ssh::Algorithms,
    tables,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its name in records.
    pub cmts: String,
    /// What is connected to.
    pub host: String,
    /// Its command line or its MIBs.
    pub via: Via,
    /// TCP port, or UDP port by SNMP; none: OpenSSH's configuration, else 22; by SNMP 161.
    pub port: Option<u16>,
    /// Its family; none: to be found out at login, and by SNMP not needed.
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
    /// For devices that do not say theirs.
    pub via: Via,
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
    /// Where fields stand under other names.
    pub mapping: Mapping,
}

/// An entry that gives no device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Where it stands.
    pub at: At,
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
    /// Entries that could not be used.
    pub skipped: Vec<Skipped>,
    /// Entries that hold a device, before `--only` and `--shard`.
    pub listed: usize,
}

impl Reading {
    /// The devices that are named on the command line.
    #[must_use]
    pub fn names(&self, names: &[String]) -> Inventory {
        self.devices(names.iter().map(|name| (At::Arguments, Ok(Written::named(name)))))
    }

    /// The devices of an inventory, or those of them that `selected` names. `place` is its file.
    ///
    /// # Errors
    /// [`Error::Usage`] for a text of which nothing can be read, and for a name that is not in it.
    pub fn inventory(&self, place: &str, text: &str, selected: &[String]) -> Result<Inventory> {
        let entries = written::entries(text, &self.mapping)
            .map_err(|problem| Error::usage(format!("{place} line {}: {}", problem.line, problem.reason)))?;
        let named = |name: &str| selected.iter().any(|wanted| wanted.eq_ignore_ascii_case(name));
        let name = |entry: &Entry| Some(entry.1.as_ref().ok()?.get("cmts")?.to_owned());
        if let Some(gone) = selected
            .iter()
            .find(|wanted| !entries.iter().filter_map(name).any(|name| wanted.eq_ignore_ascii_case(&name)))
        {
            let pattern = if gone.contains(['*', '?', '[']) { "; --only takes a pattern" } else { "" };
            return Err(Error::usage(format!("{gone} is not in {place}{pattern}")));
        }
        let wanted = |entry: &Entry| selected.is_empty() || name(entry).is_some_and(|name| named(&name));
        Ok(self.devices(entries.into_iter().filter(wanted)))
    }

    fn devices(&self, entries: impl Iterator<Item = Entry>) -> Inventory {
        let mut found = Inventory::default();
        let mut seen = HashSet::new();
        for (at, written) in entries {
            let cmts = written.as_ref().ok().and_then(|w| w.get("cmts").map(str::to_owned));
            let device = match written.and_then(|written| self.device(&written)) {
                Ok(device) => device,
                Err(reason) => {
                    found.skipped.push(Skipped { at, cmts, reason });
                    continue;
                }
            };
            found.listed += 1;
            if !self.wants(&device) {
                continue;
            }
            match self.unusable(&device, &mut seen) {
                Some(reason) => {
                    let reason = reason.to_owned();
                    found.skipped.push(Skipped { at, cmts: Some(device.cmts), reason });
                }
                None => found.devices.push(device),
            }
        }
        found
    }

    fn wants(&self, device: &Device) -> bool {
        self.only.as_ref().is_none_or(|glob| glob.is_match(&device.cmts))
            && self.shard.is_none_or(|(part, parts)| shard_of(&device.cmts, parts) == part)
    }

    fn unusable(&self, device: &Device, seen: &mut HashSet<String>) -> Option<&'static str> {
        if !seen.insert(device.cmts.clone()) {
            return Some("is in the inventory already; this entry is skipped");
        }
        let unknown = device.via == Via::Ssh && device.platform.is_none() && !self.detect;
        unknown.then_some(
            "unknown platform: give it in the inventory or by --platform, or find it out at login with --detect",
        )
    }

    /// How a device is asked, and its family. The platform `snmp` is a way of asking.
    fn way(&self, written: &Written, cmts: &str) -> Result<(Via, Option<Platform>), String> {
        let own_via: Option<Via> = written.get("via").map(str::parse).transpose()?;
        let own_platform: Option<Platform> = written.get("platform").map(str::parse).transpose()?;
        let given = own_platform.or(self.platform);
        let via = match given {
            Some(Platform::Snmp) if own_via == Some(Via::Ssh) => {
                return Err("platform snmp cannot be asked via ssh; correct one of the two".to_owned());
            }
            Some(Platform::Snmp) => Via::Snmp,
            _ => own_via.unwrap_or(self.via),
        };
        let family = given.filter(|&platform| platform != Platform::Snmp);
        Ok((via, family.or_else(|| self.names.platform(cmts))))
    }

    fn device(&self, written: &Written) -> Result<Device, String> {
        let cmts = tables::name("device name", written.get("cmts").ok_or("has no cmts")?)?.to_owned();
        let host = host(written.get("host").unwrap_or(&cmts))?;
        let (via, platform) = self.way(written, &cmts)?;
        let algorithms = written.get("algorithms").map(|word| {
            <Algorithms as clap::ValueEnum>::from_str(word, true).map_err(|_| {
                format!("unknown set of algorithms {word:?}; expected one of auto, modern, legacy")
            })
        });
        let jump = written.get("jump").map(|jump| tables::name("jump host", jump).map(str::to_owned));
        Ok(Device {
            cmts: if self.upper { cmts.to_uppercase() } else { cmts },
            host,
            via,
            port: port(written, via)?,
            platform,
            user: written.get("user").map(str::to_owned),
            jump: jump.transpose()?,
            algorithms: algorithms.transpose()?,
        })
    }
}

/// The port of the way that is taken. `port` belongs to SSH, unless the entry itself says that the way is SNMP.
fn port(written: &Written, via: Via) -> Result<Option<u16>, String> {
    let read = |field: &str| {
        let text = written.get(field)?;
        let port = text.parse().ok().filter(|&port: &u16| port > 0);
        Some(port.ok_or_else(|| format!("invalid {field} {text:?}; expected 1 to 65535")))
    };
    let (port, snmp_port) = (read("port").transpose()?, read("snmp_port").transpose()?);
    Ok(match via {
        Via::Ssh => port,
        Via::Snmp => snmp_port.or(port.filter(|_| written.get("via").is_some())),
    })
}

/// A host as it is connected to: an address loses its prefix length (`10.0.0.1/24`) and its brackets.
fn host(text: &str) -> Result<String, String> {
    let bare = text.split_once('/').map_or(text, |(address, _)| address);
    let bare = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(bare);
    let without_zone = bare.split_once('%').map_or(bare, |(address, _)| address);
    if without_zone.parse::<IpAddr>().is_ok() && !bare.chars().any(char::is_whitespace) {
        return Ok(bare.to_owned());
    }
    if text.contains([':', '/']) {
        return Err(format!("invalid host {text:?}; a port has a field of its own"));
    }
    tables::name("host", text).map(str::to_owned)
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
        Reading::default().inventory("inventory.csv", text, &[]).expect("readable")
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
            r#"{"cmts":"x","host":"10.0.0.1","port":2222,"platform":"cbr8","user":"u","jump":"j","algorithms":"legacy","via":"ssh"}"#,
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
        let lines: Vec<_> = found.skipped.iter().map(|s| s.at).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6, 7, 8, 9].map(At::Line));
        assert!(found.skipped[2].reason.contains("--detect"), "{:?}", found.skipped[2]);
        assert!(found.skipped[4].reason.contains("nokia"), "{:?}", found.skipped[4]);
    }

    #[test]
    fn every_name_is_in_one_part_and_few_move_when_a_part_is_added() {
        let text: String = (0..300).map(|n| format!("CCAP{n:03}-x\n")).collect();
        let part = |shard| {
            let reading = Reading { shard: Some(shard), detect: true, ..Reading::default() };
            reading.inventory("i", &text, &[]).expect("readable")
        };
        let (one, two) = (part((1, 2)), part((2, 2)));
        assert_eq!((one.devices.len() + two.devices.len(), one.listed), (300, 300));
        assert!(names(&one).iter().all(|name| !names(&two).contains(name)));
        assert!((90..210).contains(&one.devices.len()), "{}", one.devices.len());
        let of_three = part((1, 3));
        assert!(names(&of_three).iter().all(|name| names(&one).contains(name)), "moved between old parts");
    }

    #[test]
    fn a_table_keeps_its_separator_whatever_stands_in_a_description() {
        let found =
            read("cmts;host;description\r\nCCAP004;10.0.0.4;Noord,3\r\nCCAP005;10.0.0.5;\"a; b\"\r\n");
        assert_eq!((names(&found), found.skipped.len()), (vec!["CCAP004", "CCAP005"], 0));
        assert_eq!(found.devices[0].host, "10.0.0.4");
        let found = read("cmts,host,description\nCCAP001,10.0.0.1,\nCCAP002,10.0.0.2,Noord,3\n");
        assert_eq!(names(&found), ["CCAP001"]);
        assert!(found.skipped[0].at == At::Line(3) && found.skipped[0].reason.contains("quote a cell"));
        let found = read("cmts;host\nNoord,3;10.0.0.1\nCCAP001;10.0.0.1, 10.0.0.2\n");
        assert!(found.devices.is_empty() && found.skipped[0].reason.contains("it holds ','"), "{found:?}");
    }

    #[test]
    fn json_in_every_form_gives_devices_and_map_finds_nested_names() {
        let array = read("[\n {\"cmts\": \"CCAP001\"},\n \"CCAP101\",\n 7\n]");
        assert_eq!((names(&array), array.skipped[0].at), (vec!["CCAP001", "CCAP101"], At::Item(3)));
        let netbox = r#"{"count": 3, "next": "x", "results": [
            {"id": 1, "name": "CCAP001", "platform": {"slug": "x"}, "primary_ip": {"address": "10.0.0.1/24"}},
            {"id": 2, "name": "CCAP101", "platform": null, "primary_ip": {"address": "2001:db8::1/64"}}]}"#;
        let mapping: Mapping = "cmts=name, host=primary_ip.address".parse().expect("a mapping");
        let reading = Reading { mapping, ..Reading::default() };
        let found = reading.inventory("n.json", netbox, &[]).expect("readable");
        let hosts: Vec<_> = found.devices.iter().map(|d| (d.cmts.as_str(), d.host.as_str())).collect();
        assert_eq!(hosts, [("CCAP001", "10.0.0.1"), ("CCAP101", "2001:db8::1")]);
        assert!(found.skipped[0].reason.contains("2 of 3 devices"), "{:?}", found.skipped);
        let csv = reading.inventory("n.csv", "Name,primary_ip.address\nCCAP001,10.0.0.1/24\n", &[]);
        assert_eq!(csv.expect("readable").devices[0].host, "10.0.0.1");
        for (text, word) in [
            ("Name,ip\nCCAP001,10.0.0.1\n", "--map host=primary_ip.address: no such column"),
            ("[{\"name\": 1},\n", "line 2: not JSON"),
            ("10.0.0.1;CCAP001\n", "line 1: no column \"name\""),
        ] {
            let error = reading.inventory("n.csv", text, &[]).expect_err(text).to_string();
            assert!(error.contains(word), "{error}");
        }
        assert!("name=cmts".parse::<Mapping>().is_err_and(|e| e.contains("expected one of cmts")));
        assert!("cmts".parse::<Mapping>().is_err());
    }

    #[test]
    fn a_host_is_an_address_or_a_name() {
        for (given, host) in [
            ("10.0.0.1/32", "10.0.0.1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1%eth0"),
            ("ccap001.example.net", "ccap001.example.net"),
        ] {
            assert_eq!(super::host(given).as_deref(), Ok(host));
        }
        for bad in ["10.0.0.1:22", "ccap001:22", "a/b", "a b", "-x", "a,b"] {
            assert!(super::host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_select_from_an_inventory() {
        let select = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            Reading::default().inventory("i.csv", "cmts,host\nCCAP001,a\nCCAP101,b\nx y,c\n", &names)
        };
        let found = select(&["ccap101"]).expect("there");
        assert_eq!((names(&found), found.skipped.len()), (vec!["CCAP101"], 0));
        let error = select(&["CCAP101", "CCAP009"]).expect_err("not there").to_string();
        assert_eq!(error, "CCAP009 is not in i.csv");
    }
}
