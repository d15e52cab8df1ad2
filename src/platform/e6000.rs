//! CommScope (ARRIS) E6000 CER and C4: the session and the parser.

use super::{Answer, Dialogue, Family, Parsed, Reading, Step};

/// Its upstream tables, SC-QAM and OFDMA.
const UPSTREAMS: &str = "show interface cable-upstream";
/// Its modulation profiles, in line form.
const PROFILES: &str = "show running-config verbose | include modulation-profile";

/// The E6000 family.
pub struct E6000;

impl Family for E6000 {
    fn dialogue(&self) -> &'static Dialogue {
        &Dialogue {
            setup: &[&["terminal length 0", "no pagination"], &["terminal width 0"]],
            user_mode: false,
            logout: "exit",
            detect: ("show chassistype", &["e6000"]),
        }
    }

    fn script(&self, _answers: &[Answer<'_>]) -> Vec<Step> {
        vec![Step::needed(UPSTREAMS), Step::background(PROFILES)]
    }

    fn parse(&self, _answers: &[Answer<'_>], _reading: &mut Reading<'_>) -> Parsed {
        Parsed::default()
    }
}
