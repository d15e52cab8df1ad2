//! The page's own files, put together: markup, style and script as three files of a site, or all in one
//! with the data inside. A Content-Security-Policy lets nothing run or load but these.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::brand::Brand;
use crate::text;

const PAGE: &str = include_str!("assets/index.html");
const STYLE: &str = include_str!("assets/style.css");

/// The parts of the script, in one scope of their own; the last one begins.
const SCRIPT: [&str; 10] = [
    include_str!("assets/js/dom.js"),
    include_str!("assets/js/data.js"),
    include_str!("assets/js/state.js"),
    include_str!("assets/js/view.js"),
    include_str!("assets/js/facts.js"),
    include_str!("assets/js/charts.js"),
    include_str!("assets/js/csv.js"),
    include_str!("assets/js/table.js"),
    include_str!("assets/js/overview.js"),
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
pub fn index(brand: &Brand, style: &str, script: &str) -> String {
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                  connect-src 'self'; base-uri 'none'; form-action 'none'";
    let version =
        |text: &str| digest(text).chars().filter(char::is_ascii_alphanumeric).take(8).collect::<String>();
    let style = format!("<link rel=\"stylesheet\" href=\"style.css?v={}\">", version(style));
    let script = format!("<script src=\"app.js?v={}\"></script>", version(script));
    page(brand, policy, &style, "", &script)
}

/// All in one file, that opens from a disk: there a page may not fetch, so `data` is inside.
#[must_use]
pub fn single(brand: &Brand, data: &str) -> String {
    let (style, script) = (style(brand), script());
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; \
         form-action 'none'",
        digest(&script),
        digest(&style)
    );
    // In JSON a `<` stands in strings only, and none is left to end the element or to begin a comment.
    let data = data.replace('<', "\\u003c");
    page(
        brand,
        &policy,
        &format!("<style>{style}</style>"),
        &format!("<script type=\"application/json\" id=\"day\">{data}</script>\n"),
        &format!("<script>{script}</script>"),
    )
}

fn page(brand: &Brand, policy: &str, style: &str, data: &str, script: &str) -> String {
    let (name, subtitle, footer) =
        (text::html(&brand.name), text::html(&brand.subtitle), text::html(&brand.footer));
    let logo = brand.logo();
    fill(PAGE, |key| match key {
        "policy" => policy,
        "name" => &name,
        "subtitle" => &subtitle,
        "footer" => &footer,
        "logo" => &logo,
        "style" => style,
        "data" => data,
        "script" => script,
        _ => "",
    })
}

/// Puts values in the places of a template, `{{key}}`, in one pass: what a value holds is never taken for a place.
fn fill<'a>(template: &'a str, value: impl Fn(&str) -> &'a str) -> String {
    let mut parts = template.split("{{");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (key, text) = part.split_once("}}").unwrap_or((part, ""));
        filled.push_str(value(key));
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
        brand.name = "{{footer}} <b>&\"'".to_owned();
        let page = index(&brand, "", "");
        assert!(page.contains("<h1>{{footer}} &lt;b&gt;&amp;&quot;&#39;</h1>"));
        let places = PAGE.split("{{").skip(1).map(|part| part.split("}}").next().unwrap_or_default());
        for key in places {
            assert!(
                ["policy", "name", "subtitle", "footer", "logo", "style", "data", "script"].contains(&key),
                "{key}"
            );
        }
    }

    #[test]
    fn nothing_inlined_can_end_its_element() {
        for inlined in [script(), style(&Brand::default())] {
            for end in ["</script", "</style", "<!--", "]]>"] {
                assert!(!inlined.to_ascii_lowercase().contains(end), "{end}");
            }
        }
        let page = single(&Brand::default(), "{\"x\":\"</script><script>alert(1)</script><!--\"}");
        assert!(page.contains("{\"x\":\"\\u003c/script>\\u003cscript>alert(1)\\u003c/script>\\u003c!--\"}"));
        assert_eq!(page.matches("</script>").count(), 2);
    }
}
