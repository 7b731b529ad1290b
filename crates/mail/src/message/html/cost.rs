//! Whether HTML was made to take long.
//!
//! The algorithm of HTML parsing is not linear. Each start tag may look through all elements that are open, and
//! formatting elements that were left open (`<b>`, `<font>`) are opened again for each paragraph that follows, so that
//! 100 KB can grow to millions of nodes; each attribute is compared with all before it. Parsing cannot be stopped half-way, so the worst that could happen is
//! estimated from the tags beforehand, without trusting that any end tag closes anything.

use std::collections::HashSet;

use super::tag;

/// Tags of one document, comments included.
const MAX_TAGS: usize = 50_000;
/// Elements open at the same time.
const MAX_DEPTH: usize = 512;
/// Formatting elements that may be opened again, summed over all tags.
const MAX_REOPENED: usize = 1_500_000;
/// Attributes of one tag.
const MAX_ATTRIBUTES: usize = 500;

/// Whether parsing `html` could take seconds or hundreds of megabytes.
pub(super) fn is_excessive(html: &str) -> bool {
    // Tags are read from each `<`, as if those before did not exist, so that none hides in a comment. In HTML that is
    // meant to be read they hardly overlap.
    let mut unread = 2 * html.len() + 1_000;
    let mut tags = 0;
    let mut depth = 0_usize;
    let mut reopened = 0_usize;
    let mut formatting = HashSet::new();
    for (at, _) in html.match_indices('<') {
        let Some(rest) = html.get(at + 1..) else {
            continue;
        };
        let (is_end, rest) = rest
            .strip_prefix('/')
            .map_or((false, rest), |rest| (true, rest));
        let name = tag::name(rest);
        if name.is_empty() {
            continue;
        }
        tags += 1;
        let (length, attributes) = tag::measure(rest);
        if is_end {
            depth = depth.saturating_sub(usize::from(!is_unnested(name)));
        } else {
            depth += usize::from(!is_unnested(name));
            if is_formatting(name) {
                formatting.insert(rest.get(..length));
            }
        }
        // The same tag is opened again three times at most, a link once (the "Noah's Ark clause").
        reopened += 3 * formatting.len() + 1;
        if tags > MAX_TAGS
            || depth > MAX_DEPTH
            || attributes > MAX_ATTRIBUTES
            || reopened > MAX_REOPENED
            || length > unread
        {
            return true;
        }
        unread -= length;
    }
    false
}

/// Elements which have no content, or which end where the next one begins.
fn is_unnested(name: &str) -> bool {
    const NAMES: [&str; 26] = [
        "area", "base", "br", "body", "col", "dd", "dt", "embed", "frame", "head", "hr", "html",
        "img", "input", "li", "link", "meta", "option", "p", "param", "source", "td", "th", "tr",
        "track", "wbr",
    ];
    NAMES
        .iter()
        .any(|unnested| unnested.eq_ignore_ascii_case(name))
}

/// The formatting elements of the HTML standard, but for links: of those one can be open.
fn is_formatting(name: &str) -> bool {
    const NAMES: [&str; 13] = [
        "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
    ];
    NAMES
        .iter()
        .any(|formatting| formatting.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newsletters_pass() {
        let row = "<tr><td align=left><font face=\"Arial\" size=2><b>Offer</b> <a href=\"https://example.com\">now</a></font>";
        assert!(!is_excessive(&format!(
            "<html><body><table>{}</table>",
            row.repeat(5_000)
        )));
        assert!(!is_excessive(&"<p>a paragraph<br>".repeat(20_000)));
        assert!(!is_excessive(&format!(
            "<img alt='a > b' src=\"data:image/png;base64,{}\">",
            "A".repeat(1_000_000)
        )));
        assert!(!is_excessive(&"1 < 2 and ".repeat(10_000)));
    }

    #[test]
    fn attacks_do_not() {
        assert!(is_excessive(&"<div>".repeat(1_000)));
        assert!(is_excessive(&"<i>".repeat(1_000)));
        let fonts: String = (0..400)
            .map(|number| format!("<font size='{number}'></font>"))
            .collect();
        assert!(is_excessive(&format!("{fonts}{}", "<p>x".repeat(10_000))));
        assert!(is_excessive(&"<br>".repeat(200_000)));
        let names: String = (0..1_000).map(|number| format!(" a{number}")).collect();
        assert!(is_excessive(&format!("<p{names}>")));
        assert!(is_excessive(&format!("<p title='>'{names}>")));
        assert!(is_excessive(&"<a title=\"".repeat(2_001)));
    }
}
