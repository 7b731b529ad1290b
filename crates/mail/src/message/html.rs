//! HTML that is safe to show.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use mail_parser::decoders::html::html_to_text;

mod cost;
mod style;

/// Where the address of a remote image goes.
const REMOTE_SOURCE: &str = "data-mailgrant-src";
/// How the address of a remote image is marked until it is moved there: ammonia can change values, not names.
const REMOTE_MARK: &str = "mailgrant-remote:";

/// HTML with everything removed that could run, load or imitate; see [`HtmlForm::Sanitised`](super::HtmlForm).
pub(super) fn sanitise(html: &str) -> String {
    if cost::is_excessive(html) {
        return of_text(&html_to_text(html));
    }
    let clean = SANITISER.clean(html).to_string();
    // In text or in another attribute the mark cannot stand behind an unescaped quote that opens an attribute.
    clean.replace(
        &format!(" src=\"{REMOTE_MARK}"),
        &format!(" {REMOTE_SOURCE}=\""),
    )
}

/// Text as HTML that looks like it.
pub(super) fn of_text(text: &str) -> String {
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!("<pre style=\"white-space: pre-wrap\">{escaped}</pre>")
}

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    builder
        .tags(HashSet::from(TAGS))
        .clean_content_tags(HashSet::from(WITHOUT_CONTENT))
        .generic_attributes(HashSet::from(ATTRIBUTES))
        .tag_attributes(
            TAG_ATTRIBUTES
                .into_iter()
                .map(|(tag, names)| (tag, names.iter().copied().collect()))
                .collect(),
        )
        .set_tag_attribute_values(HashMap::from([(
            "a",
            HashMap::from([("target", "_blank")]),
        )]))
        .link_rel(Some("noopener noreferrer nofollow"))
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel", "cid"]))
        .url_relative(UrlRelative::Deny)
        .strip_comments(true)
        .attribute_filter(attribute);
    builder
});

fn attribute<'a>(tag: &str, name: &str, value: &'a str) -> Option<Cow<'a, str>> {
    match (tag, name) {
        (_, "style") => style::safe(value).map(Cow::Owned),
        ("img", "src") => {
            let address = value.trim();
            if scheme(address).eq_ignore_ascii_case("cid") {
                Some(Cow::Borrowed(address))
            } else {
                Some(Cow::Owned(format!("{REMOTE_MARK}{address}")))
            }
        }
        _ => Some(Cow::Borrowed(value)),
    }
}

fn scheme(address: &str) -> &str {
    address.split(':').next().unwrap_or_default()
}

const TAGS: [&str; 70] = [
    "a",
    "abbr",
    "acronym",
    "address",
    "article",
    "aside",
    "b",
    "bdi",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "font",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "main",
    "mark",
    "nav",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
];

const WITHOUT_CONTENT: [&str; 14] = [
    "applet", "audio", "embed", "frameset", "iframe", "math", "noembed", "noframes", "object",
    "script", "style", "svg", "title", "video",
];

const ATTRIBUTES: [&str; 8] = [
    "align", "bgcolor", "dir", "height", "lang", "style", "valign", "width",
];

const TAG_ATTRIBUTES: [(&str, &[&str]); 9] = [
    ("a", &["href", "title"]),
    ("abbr", &["title"]),
    ("col", &["span"]),
    ("font", &["color", "face", "size"]),
    ("img", &["alt", "border", "src", "title"]),
    ("ol", &["start", "type"]),
    ("table", &["border", "cellpadding", "cellspacing"]),
    ("td", &["colspan", "nowrap", "rowspan"]),
    ("th", &["colspan", "nowrap", "rowspan", "scope"]),
];
