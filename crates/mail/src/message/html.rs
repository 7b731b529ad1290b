//! HTML that is safe to show.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

mod cost;
mod style;
mod tag;
mod text;

pub(super) use text::to_text;

/// Where the address of a remote image goes.
const REMOTE_SOURCE: &str = "data-mailgrant-src";
/// How the address of a remote image is marked until it is moved there: ammonia can change values, not names.
const REMOTE_MARK: &str = "mailgrant-remote:";

/// HTML with everything removed that could run, load or imitate; see [`HtmlForm::Sanitised`](super::HtmlForm).
pub(super) fn sanitise(html: &str) -> String {
    if cost::is_excessive(html) {
        return of_text(&to_text(html));
    }
    let clean = reveal(&SANITISER.clean(&hide(html)).to_string());
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

/// Added to characters to hide them: the first private-use plane.
const HIDDEN: u32 = 0xf_0000;

/// Puts private characters in the place of `&` and of U+0080 to U+00BF.
///
/// html5ever 0.40 escapes text in quadratic time: at each of these characters it searches the rest of the text for the
/// next `<`. Hidden, they pass through unescaped, and character references stay as the sender wrote them; the checks on
/// addresses and styles refuse references in the places that count.
fn hide(html: &str) -> String {
    html.chars()
        .map(|character| match character {
            '&' | '\u{80}'..='\u{bf}' => {
                char::from_u32(HIDDEN + u32::from(character)).unwrap_or(character)
            }
            '\u{f0000}'..='\u{f00ff}' => char::REPLACEMENT_CHARACTER,
            _ => character,
        })
        .collect()
}

fn reveal(html: &str) -> String {
    html.chars()
        .map(|character| match character {
            '\u{f0000}'..='\u{f00ff}' => {
                char::from_u32(u32::from(character) - HIDDEN).unwrap_or(character)
            }
            _ => character,
        })
        .collect()
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
        (_, "style") => {
            let style = reveal(value)
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&apos;", "'");
            style::safe(&style).map(Cow::Owned)
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_run_or_load_is_gone() {
        for (html, expected) in [
            ("<p>Hi</p>", "<p>Hi</p>"),
            ("<script>alert(1)</script>x", "x"),
            ("<style>p { color: red }</style>x", "x"),
            ("<title>t</title>x", "x"),
            ("<p onclick=\"alert(1)\" class=c id=i>x</p>", "<p>x</p>"),
            (
                "<form action=/x><input name=a><button>b</button></form>",
                "b",
            ),
            ("<iframe src=https://x.example/>x</iframe>y", "y"),
            (
                "<meta http-equiv=refresh content=0><base href=https://x.example/><link rel=stylesheet href=x>y",
                "y",
            ),
            ("<svg><script>alert(1)</script></svg>x", "x"),
            (
                "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></table></math>x",
                "",
            ),
            (
                "<object data=x>a</object><embed src=x><video src=x></video>y",
                "y",
            ),
            ("<!-- c --><!--[if mso]><p>o</p><![endif]-->x", "x"),
            (
                "<p style=\"color:red;position:fixed\">x</p>",
                "<p style=\"color: red\">x</p>",
            ),
            (
                "<p style=\"font-family:&quot;Segoe UI&quot;\">x</p>",
                "<p style=\"font-family: &quot;Segoe UI&quot;\">x</p>",
            ),
            ("<p style=\"background:u&#114;l(x)\">x</p>", "<p>x</p>"),
            ("<td background=https://x.example/a.png>x</td>", "x"),
            (
                "a & b &lt;i&gt; &nbsp;\u{a0}© <b>é</b>",
                "a & b &lt;i&gt; &nbsp;\u{a0}© <b>é</b>",
            ),
            ("\u{f0026}lt;", "\u{fffd}lt;"),
        ] {
            assert_eq!(sanitise(html), expected, "{html}");
        }
    }

    #[test]
    fn links_open_outside_and_lead_only_to_the_web_and_mail() {
        let rel = "target=\"_blank\" rel=\"noopener noreferrer nofollow\"";
        for (href, is_kept) in [
            ("https://example.com/?a=1&amp;b=2", true),
            ("HTTP://example.com/", true),
            ("mailto:a@example.com", true),
            ("tel:+123", true),
            ("cid:a@b", true),
            ("javascript:alert(1)", false),
            (" java\nscript:alert(1)", false),
            ("&#106;avascript:alert(1)", false),
            ("java&Tab;script:alert(1)", false),
            ("&#x6A;&#x61;vascript&colon;alert(1)", false),
            ("data:text/html,x", false),
            ("vbscript:x", false),
            ("file:///etc/passwd", false),
            ("/relative", false),
            ("//example.com/", false),
            ("#anchor", false),
        ] {
            let clean = sanitise(&format!(
                "<a href=\"{href}\" target=\"_self\" rel=opener>x</a>"
            ));
            let expected = if is_kept {
                format!("<a href=\"{href}\" {rel}>x</a>")
            } else {
                format!("<a {rel}>x</a>")
            };
            assert_eq!(clean, expected);
        }
    }

    #[test]
    fn remote_images_wait_to_be_asked_for() {
        for (html, expected) in [
            (
                "<img src=\"cid:a@b\" alt=x>",
                "<img src=\"cid:a@b\" alt=\"x\">",
            ),
            (
                "<img src=\"https://t.example/p.gif?u=1&amp;v\">",
                "<img data-mailgrant-src=\"https://t.example/p.gif?u=1&amp;v\">",
            ),
            ("<img srcset=\"https://t.example/p.gif 2x\">", "<img>"),
            (
                "<img data-mailgrant-src=x src=\"data:image/png;base64,AA\">",
                "<img>",
            ),
            ("<img src=\"mailgrant-remote:https://t.example/\">", "<img>"),
            (
                "<p> src=\"mailgrant-remote:x\"</p>",
                "<p> data-mailgrant-src=\"x\"</p>",
            ),
        ] {
            assert_eq!(sanitise(html), expected, "{html}");
        }
    }

    #[test]
    fn html_that_takes_long_is_shown_as_text() {
        let clean = sanitise(&format!("{}a &lt; b", "<div>".repeat(10_000)));
        assert_eq!(
            clean,
            "<pre style=\"white-space: pre-wrap\">a &lt; b\n</pre>"
        );
    }
}
