//! The page's own files, put together: markup, style and script as three files of a site, or all in one
//! with the data inside. A Content-Security-Policy lets nothing run or load but these.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::{brand::Brand, words};
use crate::{language::Language, text};

const PAGE: &str = include_str!("assets/index.html");
const STYLE: &str = include_str!("assets/style.css");

/// The parts of the script, in one scope of their own; the last one begins.
const SCRIPT: [&str; 14] = [
    include_str!("assets/js/dom.js"),
    include_str!("assets/js/data.js"),
    include_str!("assets/js/state.js"),
    include_str!("assets/js/view.js"),
    include_str!("assets/js/facts.js"),
    include_str!("assets/js/charts.js"),
    include_str!("assets/js/spectrum.js"),
    include_str!("assets/js/csv.js"),
    include_str!("assets/js/columns.js"),
    include_str!("assets/js/table.js"),
    include_str!("assets/js/sums.js"),
    include_str!("assets/js/overview.js"),
    include_str!("assets/js/theme.js"),
    include_str!("assets/js/main.js"),
];

/// `app.js`.
#[must_use]
pub fn script() -> String {
    format!("(() => {{\n'use strict';\n\n{}}})();\n", SCRIPT.join("\n"))
}

/// `style.css`, with the colours of the brand.
#[must_use]
pub fn style(brand: &Brand) -> String {
    format!("{}\n{STYLE}", brand.css())
}

/// `index.html` of a site. The names of its files carry what is in them, so that no browser mixes an old
/// script with a new page.
#[must_use]
pub fn index(brand: &Brand, language: Language, style: &str, script: &str) -> String {
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                  connect-src 'self'; base-uri 'none'; form-action 'none'";
    let version =
        |text: &str| digest(text).chars().filter(char::is_ascii_alphanumeric).take(8).collect::<String>();
    let style = format!("<link rel=\"stylesheet\" href=\"style.css?v={}\">", version(style));
    let script = format!("<script src=\"app.js?v={}\"></script>", version(script));
    page(brand, language, policy, &style, "", &script)
}

/// All in one file, that opens from a disk: there a page may not fetch, so `data` is inside, and `history` if there
/// is one.
#[must_use]
pub fn single(brand: &Brand, language: Language, data: &str, history: Option<&str>) -> String {
    let (style, script) = (style(brand), script());
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; \
         form-action 'none'",
        digest(&script),
        digest(&style)
    );
    let history = history.map(|history| inlined("history", history)).unwrap_or_default();
    page(
        brand,
        language,
        &policy,
        &format!("<style>{style}</style>"),
        &format!("{}{history}", inlined("day", data)),
        &format!("<script>{script}</script>"),
    )
}

/// JSON in a page. In it a `<` stands in strings only, and none is left to end the element or to begin a comment.
fn inlined(id: &str, json: &str) -> String {
    format!("<script type=\"application/json\" id=\"{id}\">{}</script>\n", json.replace('<', "\\u003c"))
}

fn page(brand: &Brand, language: Language, policy: &str, style: &str, data: &str, script: &str) -> String {
    let words = inlined("words", &words::json(language));
    fill(PAGE, |key| match key {
        "lang" => language.tag().into(),
        "policy" => policy.into(),
        "name" => text::html(brand.name(language)),
        "subtitle" => text::html(brand.subtitle(language)),
        "footer" => text::html(&brand.footer),
        "logo" => brand.logo().into(),
        "style" => style.into(),
        "data" => format!("{words}{data}").into(),
        "script" => script.into(),
        key => text::html(words::word(key, language)),
    })
}

/// Puts values in the places of a template, `{{key}}`, in one pass: what a value holds is never taken for a place.
fn fill<'a>(template: &str, value: impl Fn(&str) -> Cow<'a, str>) -> String {
    let mut parts = template.split("{{");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (key, text) = part.split_once("}}").unwrap_or((part, ""));
        filled.push_str(&value(key));
        filled.push_str(text);
    }
    filled
}

/// As a policy names what it lets through.
fn digest(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_the_page_is_filled_and_nothing_is_filled_twice() {
        let mut brand = Brand::default();
        brand.name = Some("{{footer}} <b>&\"'".to_owned());
        let page = index(&brand, Language::Nl, "", "");
        assert!(page.contains("<h1>{{footer}} &lt;b&gt;&amp;&quot;&#39;</h1>"));
        assert!(page.contains("<html lang=\"nl\">"));
        let own = ["lang", "policy", "name", "subtitle", "footer", "logo", "style", "data", "script"];
        for key in PAGE.split("{{").skip(1).map(|part| part.split("}}").next().unwrap_or_default()) {
            assert!(own.contains(&key) || !words::word(key, Language::En).is_empty(), "{key}");
        }
    }

    #[test]
    fn nothing_inlined_can_end_its_element() {
        for inlined in [script(), style(&Brand::default())] {
            for end in ["</script", "</style", "<!--", "]]>"] {
                assert!(!inlined.to_ascii_lowercase().contains(end), "{end}");
            }
        }
        let page = single(
            &Brand::default(),
            Language::En,
            "{\"x\":\"</script><script>alert(1)</script><!--\"}",
            None,
        );
        assert!(page.contains("{\"x\":\"\\u003c/script>\\u003cscript>alert(1)\\u003c/script>\\u003c!--\"}"));
        assert_eq!(page.matches("</script>").count(), 3);
    }
}
