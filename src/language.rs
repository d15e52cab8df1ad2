//! The languages that people are written to in, and what the words of closed sets mean in each.

mod meanings;

use std::str::FromStr;

/// A language of mails, pages and sentences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    /// English
    #[default]
    En,
    /// Dutch
    Nl,
}

impl Language {
    /// Both.
    pub const ALL: [Language; 2] = [Language::En, Language::Nl];

    /// BCP 47.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Language::En => "en",
            Language::Nl => "nl",
        }
    }
}

impl FromStr for Language {
    type Err = ();

    /// `en`, `nl`, or a locale of one of them, such as `nl_NL.UTF-8`.
    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split(['_', '-', '.']).next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "en" => Ok(Language::En),
            "nl" => Ok(Language::Nl),
            _ => Err(()),
        }
    }
}
