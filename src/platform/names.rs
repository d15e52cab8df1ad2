//! Which family a device belongs to, by its name: the operator's own patterns first, then the families' patterns.

use std::sync::LazyLock;

use globset::{GlobBuilder, GlobMatcher};

use super::{Platform, family};
use crate::{error::Error, settings::Settings};

/// Patterns of device names.
#[derive(Clone, Debug)]
pub struct Names(Vec<(GlobMatcher, Platform)>);

impl Names {
    /// The setting with the operator's own patterns.
    pub const SETTING: &str = "MODTOOLS_NAMES";

    /// The patterns of the families alone.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static BUILT_IN: LazyLock<Names> = LazyLock::new(|| {
            let named = |platform| Some((family(platform).facts().name_glob?, platform));
            let compiled = Platform::ALL.into_iter().filter_map(named).map(|(glob, platform)| {
                (compile(glob).expect("invariant: the globs of the families are valid"), platform)
            });
            Names(compiled.collect())
        });
        &BUILT_IN
    }

    /// Reads the setting, a list such as `e6000=*-HUB-*, casa=C100*`, whose patterns come before those of
    /// the families.
    pub fn read(setting: Option<&str>) -> Result<Self, String> {
        let mut names = Vec::new();
        let entries = setting.unwrap_or_default().split([',', ';', ' ']).map(str::trim);
        for entry in entries.filter(|entry| !entry.is_empty()) {
            let (platform, glob) = entry
                .split_once('=')
                .ok_or_else(|| format!("invalid pattern {entry:?}; examples: casa=C100*, e6000=*-HUB-*"))?;
            names.push((compile(glob.trim())?, platform.parse()?));
        }
        names.extend(Self::built_in().0.iter().cloned());
        Ok(Names(names))
    }

    /// Reads the operator's patterns out of the settings.
    ///
    /// # Errors
    /// [`Error::Usage`] that names the setting.
    pub fn of_settings(settings: &Settings) -> Result<Self, Error> {
        let value = settings.get(Self::SETTING)?;
        Self::read(value.as_deref()).map_err(|reason| Error::usage(format!("{}: {reason}", Self::SETTING)))
    }

    /// The family of a device of this name.
    #[must_use]
    pub fn platform(&self, name: &str) -> Option<Platform> {
        self.0.iter().find(|(glob, _)| glob.is_match(name)).map(|&(_, platform)| platform)
    }
}

impl Default for Names {
    fn default() -> Self {
        Self::built_in().clone()
    }
}

fn compile(glob: &str) -> Result<GlobMatcher, String> {
    let glob = GlobBuilder::new(glob).case_insensitive(true).build().map_err(|e| e.to_string())?;
    Ok(glob.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_family_anywhere_and_in_any_case() {
        for (name, platform) in [
            ("CCAP001", Some(Platform::E6000)),
            ("ams-ccap142.example.net", Some(Platform::Casa)),
            ("AMS/CCAP299", Some(Platform::Cbr8)),
            ("CCAP9-CCAP201", Some(Platform::Cbr8)),
            ("xCCAPxCCAP205", Some(Platform::Cbr8)),
            ("CCAP301", None),
            ("CCAP1", None),
            ("CCAP0é", None),
            ("CCAP0a1", None),
            ("CCAP00", None),
            ("router1", None),
            ("", None),
        ] {
            assert_eq!(Platform::of_name(name), platform, "{name}");
        }
    }

    #[test]
    fn an_operator_has_names_of_their_own() -> Result<(), String> {
        let names = Names::read(Some("casa=C100*, e6000=*-hub-*;cbr8=CCAP0*"))?;
        assert_eq!(names.platform("c100g-12"), Some(Platform::Casa));
        assert_eq!(names.platform("AMS-HUB-1"), Some(Platform::E6000));
        assert_eq!(names.platform("CCAP001"), Some(Platform::Cbr8), "the operator's pattern comes first");
        assert_eq!(names.platform("CCAP101"), Some(Platform::Casa));
        assert!(Names::read(Some("nokia=x*")).is_err_and(|e| e.contains("casa")));
        assert!(Names::read(Some("x*")).is_err() && Names::read(Some("casa=[")).is_err());
        Ok(())
    }
}
