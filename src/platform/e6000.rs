//! The e6000 family: its session and its parser.

use super::{Answer, Dialogue, Family, Need, Parsed, Reading, Step};

/// The e6000 family.
pub struct E6000;

impl Family for E6000 {
    fn dialogue(&self) -> &'static Dialogue {
        &Dialogue {
            setup: &["terminal length 0", "terminal width 0"],
            user_mode: false,
            logout: "logout",
            detect: ("show version", &[]),
        }
    }

    fn plan(&self, _answers: &[Answer<'_>]) -> Vec<Step> {
        Vec::new()
    }

    fn need(&self, _command: &str, _answers: &[Answer<'_>]) -> Need {
        Need::Needed
    }

    fn parse(&self, _answers: &[Answer<'_>], _reading: &mut Reading<'_>) -> Parsed {
        Parsed::default()
    }
}
