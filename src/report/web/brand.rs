//! Whose page it is: a name, a few words, a logo and colours, from a small JSON file.
//!
//! ```json
//! {"name":"…", "subtitle":"…", "footer":"…", "logo":"FILE.svg",
//!  "colors":{"primary":"#0f172a", "on_primary":"#ffffff", "accent":"#0369a1", "accent_dark":"#7dd3fc"}}
//! ```
//!
//! Every key may be left out. `logo` is an SVG or PNG file, beside the brand file unless its path is absolute.
//! `primary` is behind the head of the page and `on_primary` its text; `accent` is for links and buttons,
//! `accent_dark` the same in the dark theme.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    language::Language,
};

/// A logo is part of every page: it has to be small, bytes.
const LOGO_LIMIT: usize = 262_144;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The brand of a page.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Brand {
    /// In the head of the page and its window.
    pub name: Option<String>,
    /// Beneath the name.
    pub subtitle: Option<String>,
    /// The last line of the page.
    pub footer: String,
    #[serde(skip_serializing)]
    logo: Option<PathBuf>,
    colors: Colors,
    /// The logo, read, as a `data:` URI: only where a brand was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
}

/// Whose page it is to be.
#[derive(Debug)]
pub enum Choice {
    /// That of the page before, if there is one.
    Before,
    /// This one.
    This(Box<Brand>),
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Colors {
    primary: String,
    on_primary: String,
    accent: String,
    accent_dark: String,
}

impl Default for Colors {
    fn default() -> Self {
        Colors {
            primary: "#0f172a".to_owned(),
            on_primary: "#f8fafc".to_owned(),
            accent: "#0369a1".to_owned(),
            accent_dark: "#7dd3fc".to_owned(),
        }
    }
}

impl Brand {
    /// Reads a brand file and its logo.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Usage`] for an invalid brand, naming the file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(Error::read(path))?;
        let wrong = |what: String| Error::usage(format!("--brand {}: {what}", path.display()));
        let mut brand: Brand = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        brand.check_colors().map_err(wrong)?;
        brand.image = None;
        if let Some(logo) = &brand.logo {
            let logo = path.parent().unwrap_or(Path::new("")).join(logo);
            let image = fs::read(&logo).map_err(Error::read(&logo))?;
            let image = data_uri(&image).map_err(|what| wrong(format!("{}: {what}", logo.display())))?;
            brand.image = Some(image);
        }
        Ok(brand)
    }

    /// Takes a brand as [`Brand::to_kept`] wrote it beside a page.
    pub fn of_kept(text: &str) -> std::result::Result<Self, String> {
        let brand: Brand = serde_json::from_str(text).map_err(|e| e.to_string())?;
        brand.check_colors()?;
        match &brand.image {
            Some(image) if !is_data_uri(image) => Err("its logo is not an image of ours".to_owned()),
            _ => Ok(brand),
        }
    }

    /// As it is kept beside a page, its logo in it.
    #[must_use]
    pub fn to_kept(&self) -> String {
        let mut kept = serde_json::to_string(self).unwrap_or_default();
        kept.push('\n');
        kept
    }

    fn check_colors(&self) -> std::result::Result<(), String> {
        match self.colors.named().into_iter().find(|(_, color)| !is_color(color)) {
            Some((_, color)) => Err(format!("invalid colour {color:?}; example: #0f172a")),
            None => Ok(()),
        }
    }

    /// Its name, or that of every page.
    #[must_use]
    pub fn name(&self, language: Language) -> &str {
        self.name.as_deref().unwrap_or(match language {
            Language::En => "Upstream modulation",
            Language::Nl => "Modulatie van upstreams",
        })
    }

    /// Its words beneath the name, or those of every page.
    #[must_use]
    pub fn subtitle(&self, language: Language) -> &str {
        self.subtitle.as_deref().unwrap_or(match language {
            Language::En => "Which upstreams suffer, since when, and why",
            Language::Nl => "Welke upstreams er last van hebben, sinds wanneer en waarom",
        })
    }

    /// The logo as a `data:` URI; our own where the brand has none.
    #[must_use]
    pub fn logo(&self) -> String {
        let own =
            || format!("data:image/svg+xml;base64,{}", STANDARD.encode(include_str!("assets/logo.svg")));
        self.image.clone().unwrap_or_else(own)
    }

    /// The colours as custom properties of CSS.
    #[must_use]
    pub fn css(&self) -> String {
        let properties: String = self
            .colors
            .named()
            .map(|(name, color)| format!("  --brand-{}: {color};\n", name.replace('_', "-")))
            .concat();
        format!(":root {{\n{properties}}}\n")
    }
}

impl Colors {
    fn named(&self) -> [(&'static str, &str); 4] {
        [
            ("primary", &self.primary),
            ("on_primary", &self.on_primary),
            ("accent", &self.accent),
            ("accent_dark", &self.accent_dark),
        ]
    }
}

/// `#rgb` or `#rrggbb`: whatever else CSS takes for a colour could be more than one.
fn is_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| matches!(digits.len(), 3 | 6) && digits.chars().all(|c| c.is_ascii_hexdigit()))
}

/// An image within the page. An SVG in an `<img>` runs no scripts and loads nothing.
fn data_uri(image: &[u8]) -> std::result::Result<String, String> {
    if image.len() > LOGO_LIMIT {
        return Err(format!("a logo may have {LOGO_LIMIT} bytes, this one has {}", image.len()));
    }
    let kind = if image.starts_with(PNG) {
        "png"
    } else if std::str::from_utf8(image).is_ok_and(|text| text.contains("<svg")) {
        "svg+xml"
    } else {
        return Err("a logo is an SVG or a PNG file".to_owned());
    };
    Ok(format!("data:image/{kind};base64,{}", STANDARD.encode(image)))
}

/// As [`data_uri`] makes them.
fn is_data_uri(text: &str) -> bool {
    let base64 = text
        .strip_prefix("data:image/png;base64,")
        .or_else(|| text.strip_prefix("data:image/svg+xml;base64,"));
    base64.is_some_and(|base64| {
        base64.len() <= LOGO_LIMIT * 2
            && base64.chars().all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_brand_is_what_was_read_and_nothing_else() {
        let mut brand = Brand { name: Some("A & B".to_owned()), ..Brand::default() };
        brand.image = data_uri(b"<svg/>").ok();
        let kept = Brand::of_kept(&brand.to_kept()).expect("its own");
        assert_eq!((kept.name, kept.image.as_ref()), (brand.name, brand.image.as_ref()));
        for bad in [
            "",
            r#"{"image":"https://elsewhere/logo.png"}"#,
            r#"{"image":"data:image/png;base64,\"><script>"}"#,
            r#"{"colors":{"primary":"red;}"}}"#,
        ] {
            assert!(Brand::of_kept(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn colours_are_hexadecimal_and_nothing_else() {
        for good in ["#fff", "#0f172a", "#E60000"] {
            assert!(is_color(good), "{good}");
        }
        for bad in ["", "red", "#ff", "#ffff", "#gggggg", "#fff;}*{display:none", "url(x)", "#ффф"] {
            assert!(!is_color(bad), "{bad}");
        }
    }

    #[test]
    fn a_logo_is_a_small_svg_or_png() {
        assert!(
            data_uri(b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>")
                .is_ok_and(|uri| uri.starts_with("data:image/svg+xml;base64,"))
        );
        assert!(data_uri(&[PNG, b"..."].concat()).is_ok_and(|uri| uri.starts_with("data:image/png;base64,")));
        assert!(data_uri(b"GIF89a").is_err_and(|e| e.contains("PNG")));
        assert!(data_uri(&vec![b' '; LOGO_LIMIT + 1]).is_err_and(|e| e.contains("bytes")));
    }
}
