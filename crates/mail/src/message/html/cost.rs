//! Whether HTML was made to take long.
//!
//! The algorithm of HTML parsing is not linear. Each start tag may look through all elements that are open, and
//! formatting elements that were left open (`<b>`, `<font>`) are opened again for each paragraph that follows, so that
//! 100 KB can grow to millions of nodes. Parsing cannot be stopped half-way, so the worst that could happen is
//! estimated from the tags beforehand, without trusting that any end tag closes anything.

use std::collections::HashSet;

/// Tags of one document, comments included.
const MAX_TAGS: usize = 100_000;
/// Elements open at the same time.
const MAX_DEPTH: usize = 512;
/// Formatting elements that may be opened again, summed over all tags.
const MAX_REOPENED: usize = 2_000_000;

/// Whether parsing `html` could take seconds or hundreds of megabytes.
pub(super) fn is_excessive(html: &str) -> bool {
    let mut tags = 0;
    let mut depth = 0_usize;
    let mut reopened = 0_usize;
    let mut formatting = HashSet::new();
    for (at, _) in html.match_indices('<') {
        tags += 1;
        let Some(rest) = html.get(at + 1..) else {
            continue;
        };
        let (is_end, rest) = rest
            .strip_prefix('/')
            .map_or((false, rest), |rest| (true, rest));
        let name = name(rest);
        if name.is_empty() {
            continue;
        }
        if is_end {
            depth = depth.saturating_sub(usize::from(!is_unnested(name)));
        } else {
            depth += usize::from(!is_unnested(name));
            if is_formatting(name) {
                formatting.insert(tag(rest));
            }
        }
        // The same tag is opened again three times at most, a link once (the "Noah's Ark clause").
        reopened += 3 * formatting.len() + 1;
        if tags > MAX_TAGS || depth > MAX_DEPTH || reopened > MAX_REOPENED {
            return true;
        }
    }
    false
}

fn name(rest: &str) -> &str {
    let end = rest
        .find(|character: char| !character.is_ascii_alphanumeric())
        .unwrap_or(rest.len());
    rest.get(..end)
        .filter(|name| name.starts_with(|first: char| first.is_ascii_alphabetic()))
        .unwrap_or_default()
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

/// A start tag with its attributes. Tags that differ are different; a long one differs from every other.
fn tag(rest: &str) -> &str {
    const MAX: usize = 1_024;
    let mut quote = None;
    let mut previous = ' ';
    for (at, character) in rest.char_indices().take(MAX) {
        match quote {
            Some(open) if open == character => quote = None,
            Some(_) => {}
            None if character == '>' => return rest.get(..at).unwrap_or(rest),
            None if matches!(character, '"' | '\'') && previous == '=' => quote = Some(character),
            None => {}
        }
        if !character.is_ascii_whitespace() || quote.is_some() {
            previous = character;
        }
    }
    rest
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
    }
}
