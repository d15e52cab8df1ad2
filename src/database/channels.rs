//! What is known of each upstream besides its modulation, kept in memory so that
//! `modulation_channel` is written only when something changes, or once a day for `last_seen`.

use std::collections::{BTreeMap, HashMap};

use super::{
    Group,
    admit::{DESCRIPTION_CHARS, WORD_CHARS, clip},
};
use crate::{
    measure::Channel,
    record::{Sample, Timestamp},
};

/// `last_seen` is written at least this often, seconds.
const SEEN_EVERY_S: i64 = 86_400;

/// Modems and SNR alone are written at most this often, seconds.
const FIGURES_EVERY_S: i64 = 3600;

/// A row to write: the channel and when it was seen so.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    pub channel: Channel,
    pub seen: Timestamp,
}

/// The rows of `modulation_channel`, as far as we know them.
#[derive(Debug, Default)]
pub(super) struct Channels(HashMap<String, HashMap<String, Change>>);

impl Channels {
    /// Takes rows that are in the table now.
    pub fn learn(&mut self, rows: impl IntoIterator<Item = Change>) {
        for row in rows {
            let device = self.0.entry(row.channel.cmts.clone()).or_default();
            device.insert(row.channel.upstream.clone(), row);
        }
    }

    /// The rows that groups change, one for each upstream, in the order of their key. A field that a
    /// sample lacks keeps its value; a sample older than what is known changes nothing.
    pub fn changes(&self, groups: &[Group]) -> Vec<Change> {
        let mut changes: BTreeMap<(&str, &str), Change> = BTreeMap::new();
        for group in groups {
            let device = self.0.get(&group.cmts);
            for sample in &group.samples {
                let key = (sample.cmts.as_str(), sample.upstream.as_str());
                let known = changes.get(&key).or_else(|| device?.get(&sample.upstream));
                if known.is_some_and(|known| !is_news(known, sample)) {
                    continue;
                }
                let channel = merge(known.map(|known| &known.channel), sample);
                changes.insert(key, Change { channel, seen: sample.ts });
            }
        }
        changes.into_values().collect()
    }
}

fn is_news(known: &Change, sample: &Sample) -> bool {
    let Change { channel, seen } = known;
    let text = |new: &Option<String>, old: &Option<String>, chars| {
        new.as_deref().is_some_and(|new| old.as_deref() != Some(clip(new, chars)))
    };
    let differs = text(&sample.platform, &channel.platform, WORD_CHARS)
        || text(&sample.channel_type, &channel.channel_type, WORD_CHARS)
        || text(&sample.description, &channel.description, DESCRIPTION_CHARS)
        || sample.center_hz.is_some_and(|hz| channel.center_hz != Some(hz))
        || sample.width_hz.is_some_and(|hz| channel.width_hz != Some(hz));
    // Figures change with every scan: they are written once an hour.
    let figures = sample.modems.is_some_and(|modems| channel.modems != Some(modems))
        || sample.snr_db.is_some_and(|snr| channel.snr_db != Some(snr));
    let age = sample.ts.since(*seen);
    age >= SEEN_EVERY_S || (differs && age >= 0) || (figures && age >= FIGURES_EVERY_S)
}

fn merge(known: Option<&Channel>, sample: &Sample) -> Channel {
    let mut channel = known.cloned().unwrap_or_else(|| Channel {
        cmts: sample.cmts.clone(),
        upstream: sample.upstream.clone(),
        ..Channel::default()
    });
    let take = |to: &mut Option<String>, from: &Option<String>, chars| {
        if let Some(from) = from {
            *to = Some(clip(from, chars).to_owned());
        }
    };
    take(&mut channel.platform, &sample.platform, WORD_CHARS);
    take(&mut channel.channel_type, &sample.channel_type, WORD_CHARS);
    take(&mut channel.description, &sample.description, DESCRIPTION_CHARS);
    channel.center_hz = sample.center_hz.or(channel.center_hz);
    channel.width_hz = sample.width_hz.or(channel.width_hz);
    channel.modems = sample.modems.or(channel.modems);
    channel.snr_db = sample.snr_db.or(channel.snr_db);
    channel
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{self, Record};

    fn group(ts: &str, fields: &str) -> Group {
        let line = format!(
            r#"{{"v":1,"type":"sample","ts":"{ts}","cmts":"C","upstream":"u","modulation":"QPSK"{fields}}}"#
        );
        let Ok(Record::Sample(sample)) = record::decode(&line) else { unreachable!("{line}") };
        Group { cmts: "C".into(), ts: sample.ts, samples: vec![sample], scan: None }
    }

    #[test]
    fn only_news_is_written() {
        let mut channels = Channels::default();
        let mut written = |ts: &str, fields: &str| {
            let changes = channels.changes(&[group(ts, fields)]);
            channels.learn(changes.clone());
            changes.into_iter().next().map(|change| change.channel)
        };
        let first = written("2026-05-01T00:00:00Z", r#","width_hz":6400000,"platform":"casa""#);
        assert_eq!(first.and_then(|c| c.width_hz), Some(6_400_000));
        assert_eq!(written("2026-05-01T00:10:00Z", r#","width_hz":6400000"#), None);
        // A field that is missing this time does not wipe what is known.
        assert_eq!(written("2026-05-01T00:20:00Z", ""), None);
        let moved = written("2026-05-01T00:30:00Z", r#","center_hz":30000000"#).expect("a change");
        assert_eq!((moved.center_hz, moved.width_hz), (Some(30_000_000), Some(6_400_000)));
        assert_eq!(moved.platform.as_deref(), Some("casa"));
        // A replay of the past does not bring old values back.
        assert_eq!(written("2026-04-30T00:00:00Z", r#","width_hz":3200000"#), None);
        // Once a day last_seen is written even without a change.
        assert!(written("2026-05-02T00:30:00Z", "").is_some());
    }

    #[test]
    fn groups_of_one_transaction_build_on_each_other() {
        let channels = Channels::default();
        let first = group("2026-05-01T00:00:00Z", r#","width_hz":6400000"#);
        let second = group("2026-05-01T00:10:00Z", r#","description":"node 7""#);
        let changes = channels.changes(&[first, second]);
        assert_eq!(changes.len(), 1);
        let Change { channel, seen } = &changes[0];
        assert_eq!((channel.width_hz, channel.description.as_deref()), (Some(6_400_000), Some("node 7")));
        assert_eq!(seen.to_string(), "2026-05-01T00:10:00Z");
    }

    #[test]
    fn a_long_description_is_clipped_once_and_then_no_news() {
        let mut channels = Channels::default();
        let long = format!(r#","description":"{}""#, "ü".repeat(300));
        let changes = channels.changes(&[group("2026-05-01T00:00:00Z", &long)]);
        assert_eq!(changes[0].channel.description.as_ref().map(|d| d.chars().count()), Some(255));
        channels.learn(changes);
        assert_eq!(channels.changes(&[group("2026-05-01T00:10:00Z", &long)]), []);
    }
}
