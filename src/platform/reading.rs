//! What a parser is given, and what it gives back: the upstreams of one scan, and what each line was taken for.

use std::{borrow::Cow, fmt};

use super::{ProfileBook, collector::Line};
use crate::{
    modulation::Modulation,
    record::{ExplainedBy, Source},
};

/// What one line of output was taken for (`mod-parse --explain`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// A header or first line of a table or block, by its name.
    Header(&'static str),
    /// A row that became a sample, or part of one: of what.
    Row(&'static str),
    /// The data grants of a modulation profile.
    Profile,
    /// Understood, and not of interest: why.
    Ignored(&'static str),
    /// Not understood where a row was expected; counted in `scan.unparsed`.
    Unparsed(&'static str),
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Taken::Header(name) => write!(f, "header of {name}"),
            Taken::Row(what) => f.write_str(what),
            Taken::Profile => f.write_str("data grants of a profile"),
            Taken::Ignored(why) => write!(f, "ignored, {why}"),
            Taken::Unparsed(why) => write!(f, "unparsed, {why}"),
        }
    }
}

/// Hears of every line what it was taken for. Lines of a block are reported when the block ends, so not
/// strictly in order.
pub type Explain<'a> = &'a mut dyn FnMut(Line<'_>, Taken);

/// What a parser is given besides the text.
pub struct Reading<'a> {
    /// Name of the device, for the user's own profile file.
    pub cmts: &'a str,
    /// What the user says about profile numbers.
    pub book: &'a ProfileBook,
    /// For `--explain`.
    pub explain: Option<Explain<'a>>,
}

/// An upstream as its device shows it: a sample without time and device.
#[derive(Clone, Debug, PartialEq)]
pub struct Upstream<'a> {
    /// Name on the device, whole.
    pub name: Cow<'a, str>,
    /// Modulation of its data grants.
    pub modulation: Modulation,
    /// Number of its modulation profile.
    pub profile: Option<u32>,
    /// Where it was read.
    pub source: Source,
    /// What the modulation rests on; none when nothing explains the profile.
    pub explained_by: Option<ExplainedBy>,
    /// `atdma`, `tdma`, `scdma`, `ofdma`.
    pub channel_type: Option<Cow<'a, str>>,
    /// Centre frequency, Hz.
    pub center_hz: Option<u64>,
    /// Channel width, Hz.
    pub width_hz: Option<u64>,
    /// The operator's text.
    pub description: Option<Cow<'a, str>>,
    /// MER, dB.
    pub snr_db: Option<f64>,
    /// Modems that are registered on it now.
    pub modems: Option<u64>,
}

impl<'a> Upstream<'a> {
    /// An upstream of which only the name is known; its modulation follows from the profile, once all are read.
    pub(super) fn named(name: impl Into<Cow<'a, str>>, source: Source) -> Self {
        Upstream {
            name: name.into(),
            modulation: Modulation::Unknown,
            profile: None,
            source,
            explained_by: None,
            channel_type: None,
            center_hz: None,
            width_hz: None,
            description: None,
            snr_db: None,
            modems: None,
        }
    }
}

/// What the answers of one scan came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed<'a> {
    /// In the order of the device.
    pub upstreams: Vec<Upstream<'a>>,
    /// Lines that were not understood where a row was expected.
    pub unparsed: u64,
    /// The command for profiles whose answer holds text in which no profile could be read.
    pub unread_profiles: Option<&'a str>,
    /// Why the scan is `partial`: something is missing, and what there is counts.
    pub partial: Option<String>,
    /// Why the scan failed to parse: a needed table without a recognisable header. Then no upstreams count.
    pub fault: Option<String>,
}

impl Parsed<'_> {
    /// Upstreams whose modulation rests on the built-in table.
    #[must_use]
    pub fn built_in(&self) -> u64 {
        let rests = |upstream: &&Upstream<'_>| upstream.explained_by == Some(ExplainedBy::BuiltIn);
        self.upstreams.iter().filter(rests).count() as u64
    }
}
