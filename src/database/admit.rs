//! What the tables take, decided before anything is sent: a value that does not fit is rejected with
//! its reason, never cut short, and never left to a server that would cut it.

use crate::{
    modulation::Modulation,
    record::{Sample, Scan, Timestamp},
};

/// Longest name of a device or an upstream, characters.
pub(super) const NAME_CHARS: usize = 64;
/// Longest platform and channel type kept; a longer one is clipped.
pub(super) const WORD_CHARS: usize = 16;
/// Longest description of an upstream kept; a longer one is clipped.
pub(super) const DESCRIPTION_CHARS: usize = 255;
/// Longest error text of a scan kept; a longer one is clipped.
pub(super) const ERROR_CHARS: usize = 1000;
/// 1990-01-01T00:00:00Z: DOCSIS is younger, so an earlier time is a broken clock.
const EARLIEST: Timestamp = Timestamp(631_152_000);
/// How far a clock may be ahead of ours, seconds.
const AHEAD_S: i64 = 86_400;

/// Which characters a column can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repertoire {
    /// ASCII: all that the old one-byte sets have in common.
    Ascii,
    /// The basic plane, `utf8mb3`.
    Basic,
    /// Every character.
    Unicode,
}

/// A column for names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its length in characters.
    pub chars: usize,
    /// What it can hold.
    pub repertoire: Repertoire,
}

impl Default for Column {
    fn default() -> Self {
        Column { chars: NAME_CHARS, repertoire: Repertoire::Unicode }
    }
}

/// What `modulation_new` takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Names of devices.
    pub cmts: Column,
    /// Names of upstreams.
    pub upstream: Column,
    /// Words that its modulation column has room for.
    pub words: Vec<Modulation>,
    /// Words that do not go there, because the programs that read the table do not know them.
    pub left_out: Vec<Modulation>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            cmts: Column::default(),
            upstream: Column::default(),
            words: Modulation::ALL.to_vec(),
            left_out: Vec::new(),
        }
    }
}

/// What becomes of a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is stored.
    Store,
    /// It is not meant for this table; no fault.
    LeaveOut,
    /// It does not fit; why.
    Reject(String),
}

impl Limits {
    /// Whether a sample can be stored.
    #[must_use]
    pub fn judge(&self, sample: &Sample, now: Timestamp) -> Verdict {
        let fault = self
            .cmts
            .fault("cmts", &sample.cmts)
            .or_else(|| self.upstream.fault("upstream", &sample.upstream))
            .or_else(|| time_fault(sample.ts, now));
        if let Some(fault) = fault {
            return Verdict::Reject(fault);
        }
        if self.left_out.contains(&sample.modulation) {
            return Verdict::LeaveOut;
        }
        if !self.words.contains(&sample.modulation) {
            return Verdict::Reject(format!("the modulation column has no room for {}", sample.modulation));
        }
        Verdict::Store
    }

    /// Why a scan cannot be stored, if it cannot.
    #[must_use]
    pub fn scan_fault(&self, scan: &Scan, now: Timestamp) -> Option<String> {
        self.cmts.fault("cmts", &scan.cmts).or_else(|| time_fault(scan.ts, now))
    }
}

impl Column {
    /// Why a name does not fit, if it does not.
    pub(super) fn fault(self, what: &str, name: &str) -> Option<String> {
        let outside = |c: char| match self.repertoire {
            Repertoire::Ascii => !c.is_ascii(),
            Repertoire::Basic => c.len_utf8() > 3,
            Repertoire::Unicode => false,
        };
        // Bytes bound characters from above, so that most names are not counted.
        let chars = if name.len() <= self.chars { name.len() } else { name.chars().count() };
        if name.is_empty() {
            Some(format!("{what} is empty"))
        } else if chars > self.chars {
            Some(format!("{what} has {chars} characters, {} fit", self.chars))
        } else if name.starts_with(char::is_whitespace) || name.ends_with(char::is_whitespace) {
            // MySQL takes "A" and "A " for the same key: one of the two would be lost.
            Some(format!("{what} begins or ends with a blank"))
        } else if self.repertoire != Repertoire::Unicode && name.chars().any(outside) {
            Some(format!("{what} has a character that the table's character set lacks"))
        } else {
            None
        }
    }
}

/// Why a time cannot be meant, if it cannot.
pub(super) fn time_fault(ts: Timestamp, now: Timestamp) -> Option<String> {
    if ts < EARLIEST {
        Some(format!("{ts} is before 1990"))
    } else if ts > now + AHEAD_S {
        Some(format!("{ts} is more than a day in the future"))
    } else {
        None
    }
}

/// The first `chars` characters, for free text, of which the beginning says enough.
#[must_use]
pub(super) fn clip(text: &str, chars: usize) -> &str {
    match text.char_indices().nth(chars) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Source;

    const NOW: Timestamp = Timestamp(1_777_636_800);

    fn sample(cmts: &str, upstream: &str, ts: i64, modulation: Modulation) -> Sample {
        Sample {
            ts: Timestamp(ts),
            cmts: cmts.into(),
            upstream: upstream.into(),
            modulation,
            profile: None,
            source: Source::State,
            explained_by: None,
            platform: None,
            channel_type: None,
            center_hz: None,
            width_hz: None,
            description: None,
            snr_db: None,
            modems: None,
        }
    }

    #[test]
    fn what_does_not_fit_is_rejected_with_its_reason() {
        let limits = Limits::default();
        let long = "x".repeat(65);
        for (cmts, upstream, ts, reason) in [
            ("", "u", NOW.0, "cmts is empty"),
            (long.as_str(), "u", NOW.0, "65 characters"),
            ("c", "", NOW.0, "upstream is empty"),
            ("c", long.as_str(), NOW.0, "upstream has 65"),
            ("c ", "u", NOW.0, "blank"),
            ("c", "u", 631_151_999, "before 1990"),
            ("c", "u", NOW.0 + 86_401, "future"),
        ] {
            let verdict = limits.judge(&sample(cmts, upstream, ts, Modulation::Qam64), NOW);
            assert!(matches!(&verdict, Verdict::Reject(why) if why.contains(reason)), "{verdict:?}");
        }
        for (cmts, ts) in [
            ("Robert'); DROP TABLE modulation_new;--", NOW.0),
            (&*"ü".repeat(64), 631_152_000),
            ("c", NOW.0 + 86_400),
        ] {
            let verdict = limits.judge(&sample(cmts, "1/scq/0", ts, Modulation::Unknown), NOW);
            assert_eq!(verdict, Verdict::Store, "{cmts}");
        }
    }

    #[test]
    fn an_older_table_takes_less() {
        let limits = Limits {
            cmts: Column { chars: 8, repertoire: Repertoire::Ascii },
            upstream: Column { chars: 64, repertoire: Repertoire::Basic },
            words: vec![Modulation::Qpsk, Modulation::Qam16, Modulation::Qam64],
            left_out: vec![Modulation::Ofdma, Modulation::Unknown],
        };
        let judge = |cmts, upstream, m| limits.judge(&sample(cmts, upstream, NOW.0, m), NOW);
        assert_eq!(judge("CCAP001", "ü", Modulation::Qam64), Verdict::Store);
        assert_eq!(judge("CCAP001", "u", Modulation::Ofdma), Verdict::LeaveOut);
        for verdict in [
            judge("CCAP00001", "u", Modulation::Qam64),
            judge("CCAPü", "u", Modulation::Qam64),
            judge("CCAP001", "\u{1f600}", Modulation::Qam64),
            judge("CCAP001", "u", Modulation::Qam32),
        ] {
            assert!(matches!(verdict, Verdict::Reject(_)), "{verdict:?}");
        }
    }

    #[test]
    fn text_is_clipped_between_characters() {
        assert_eq!((clip("üxy", 2), clip("ab", 2), clip("", 3)), ("üx", "ab", ""));
    }
}
