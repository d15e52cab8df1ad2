//! The languages that people are written to in.

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
