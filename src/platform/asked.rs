//! What a command asks for: it decides which tables of the answer count.

use super::lines::{asks, asks_configuration};

/// What a command asks for. Only that counts in its answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// The states of upstreams: a table of them, blocks, the hop history.
    Upstreams,
    Profiles,
    Configuration,
    /// The modem summary.
    Modems,
    /// A command of the user's own, or pasted text without one.
    Anything,
}

impl Asked {
    /// By what a family knows, in this order: a command, which operators abbreviate, or a word that stands anywhere in one.
    pub fn by(command: &str, known: &[(&str, Asked)]) -> Self {
        let fits = |known: &str| match known.starts_with("show ") {
            true => asks(command, known),
            false => command.contains(known),
        };
        match known.iter().find(|(known, _)| fits(known)) {
            Some(&(_, asked)) => asked,
            None if asks_configuration(command) => Asked::Configuration,
            None => Asked::Anything,
        }
    }

    /// Whether a table of this kind may stand in the answer: a configuration may hold profiles, too.
    pub fn may(self, wanted: Asked) -> bool {
        self == wanted || self == Asked::Anything || (self, wanted) == (Asked::Configuration, Asked::Profiles)
    }
}
