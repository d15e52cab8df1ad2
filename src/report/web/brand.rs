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
use serde::Deserialize;

use crate::error::{Error, Result};

/// A logo is part of every page: it has to be small, bytes.
const LOGO_LIMIT: usize = 262_144;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The brand of a page.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Brand {
    /// In the head of the page and its window.
    pub name: String,
    /// Beneath the name.
    pub subtitle: String,
    /// The last line of the page.
    pub footer: String,
    logo: Option<PathBuf>,
    colors: Colors,
    #[serde(skip)]
    image: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Colors {
    primary: String,
    on_primary: String,
    accent: String,
    accent_dark: String,
}

impl Default for Brand {
    fn default() -> Self {
        Brand {
            name: "Upstream modulation".to_owned(),
            subtitle: "Which upstreams suffer, since when, and why".to_owned(),
            footer: String::new(),
            logo: None,
            colors: Colors::default(),
            image: None,
        }
    }
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
    /// [`Error::Read`]; [`Error::Usage`] for what is no brand, naming the file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(Error::read(path))?;
        let wrong = |what: String| Error::usage(format!("--brand {}: {what}", path.display()));
        let mut brand: Brand = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        for color in brand.colors.named().map(|(_, color)| color) {
            if !is_color(color) {
                return Err(wrong(format!("{color:?} is no colour such as #0f172a")));
            }
        }
        if let Some(logo) = &brand.logo {
            let logo = path.parent().unwrap_or(Path::new("")).join(logo);
            let image = fs::read(&logo).map_err(Error::read(&logo))?;
            let image = data_uri(&image).map_err(|what| wrong(format!("{}: {what}", logo.display())))?;
            brand.image = Some(image);
        }
        Ok(brand)
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

#[cfg(test)]
mod tests {
    use super::*;

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
