//! HTML as plain text, for readers and previews.

use mail_parser::decoders::html::add_html_token;

use super::tag;

/// The text of HTML: a line for each block, a blank line between paragraphs, a dash before items of lists.
///
/// Scripts, style sheets, comments and the title are left out, the addresses of links and images as well. HTML that was
/// cut off gives the text before the cut.
pub(in crate::message) fn to_text(html: &str) -> String {
    let mut text = Text::default();
    let mut rest = html;
    while let Some((before, from)) = rest
        .find(['<', '&'])
        .and_then(|at| rest.split_at_checked(at))
    {
        text.push(before);
        rest = if let Some(entity) = entity(from) {
            let mut character = String::new();
            add_html_token(&mut character, entity.as_bytes(), false);
            text.push(&character);
            from.get(entity.len()..).unwrap_or_default()
        } else if from.starts_with("<!--") {
            from.split_once("-->").map_or("", |(_, after)| after)
        } else if from.starts_with("<!") || from.starts_with("<?") {
            from.split_once('>').map_or("", |(_, after)| after)
        } else if let Some((name, is_end, after)) = element(from) {
            text.element(&name, is_end);
            match name.as_str() {
                "script" | "style" | "template" | "title" if !is_end => past_end(after, &name),
                _ => after,
            }
        } else {
            let (literal, after) = from.split_at_checked(1).unwrap_or((from, ""));
            text.push(literal);
            after
        };
    }
    text.push(rest);
    text.finish()
}

#[derive(Default)]
struct Text {
    text: String,
    /// Line breaks due before the next character.
    breaks: usize,
    has_space: bool,
    preformatted: usize,
}

impl Text {
    fn push(&mut self, piece: &str) {
        if self.preformatted > 0 {
            for character in piece.chars().filter(|character| *character != '\r') {
                self.flush();
                self.text.push(character);
            }
            return;
        }
        for character in piece.chars() {
            if character.is_ascii_whitespace() {
                self.has_space = true;
            } else {
                self.flush();
                self.text.push(character);
            }
        }
    }

    /// Writes the line breaks or the space that is due.
    fn flush(&mut self) {
        if self.breaks > 0 {
            self.break_lines();
        } else if self.has_space && !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
        self.has_space = false;
    }

    fn break_lines(&mut self) {
        if !self.text.is_empty() {
            let present = self
                .text
                .bytes()
                .rev()
                .take(self.breaks)
                .take_while(|byte| *byte == b'\n')
                .count();
            self.text
                .extend(std::iter::repeat_n('\n', self.breaks - present));
        }
        self.breaks = 0;
        self.has_space = false;
    }

    fn element(&mut self, name: &str, is_end: bool) {
        match name {
            "br" => {
                self.break_lines();
                self.text.push('\n');
            }
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "blockquote" | "dl" | "hr" | "ol"
            | "ul" => {
                self.breaks = self.breaks.max(2);
            }
            "pre" => {
                self.breaks = self.breaks.max(2);
                self.preformatted = if is_end {
                    self.preformatted.saturating_sub(1)
                } else {
                    self.preformatted + 1
                };
            }
            "address" | "article" | "aside" | "center" | "dd" | "div" | "dt" | "fieldset"
            | "figcaption" | "figure" | "footer" | "form" | "header" | "main" | "nav"
            | "section" | "table" | "tr" => self.breaks = self.breaks.max(1),
            "li" => {
                self.breaks = self.breaks.max(1);
                if !is_end {
                    self.flush();
                    self.text.push_str("- ");
                }
            }
            "td" | "th" => self.has_space = true,
            _ => {}
        }
    }

    fn finish(mut self) -> String {
        let end = self.text.trim_end().len();
        self.text.truncate(end);
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text
    }
}

/// `&name;` or `&#number;` at the beginning.
fn entity(from: &str) -> Option<&str> {
    const MAX: usize = 33;
    let end = from.bytes().take(MAX).position(|byte| byte == b';')?;
    let name = from.get(1..end).filter(|_| from.starts_with('&'))?;
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'#');
    is_name.then(|| from.get(..=end)).flatten()
}

/// The tag at the beginning: its name, whether it is an end tag, and what follows it.
fn element(from: &str) -> Option<(String, bool, &str)> {
    let rest = from.strip_prefix('<')?;
    let (is_end, rest) = rest
        .strip_prefix('/')
        .map_or((false, rest), |rest| (true, rest));
    let name = tag::name(rest);
    if name.is_empty() {
        return None;
    }
    let (length, _) = tag::measure(rest);
    Some((
        name.to_ascii_lowercase(),
        is_end,
        rest.get(length + 1..).unwrap_or_default(),
    ))
}

/// What follows the content of an element whose content is no HTML.
fn past_end<'a>(after: &'a str, name: &str) -> &'a str {
    let ends = after.match_indices("</").map(|(at, _)| at);
    let mut ends = ends.filter(|at| {
        let found = after.get(at + 2..).and_then(|rest| rest.get(..name.len()));
        found.is_some_and(|found| found.eq_ignore_ascii_case(name))
    });
    ends.next()
        .and_then(|at| after.get(at..))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_like_the_page() {
        for (html, text) in [
            ("", ""),
            ("<p></p><br>", ""),
            ("Hello <b>wor</b>ld", "Hello world\n"),
            ("<div>one</div><div>two<br>three</div>", "one\ntwo\nthree\n"),
            ("a<br><br>b", "a\n\nb\n"),
            ("<p>one</p>\r\n<p>two</p>", "one\n\ntwo\n"),
            ("<ul>\n<li>a</li> <li>b</ul>c", "- a\n- b\n\nc\n"),
            (
                "<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>",
                "a b\nc\n",
            ),
            ("<pre>a\n  b</pre>", "a\n  b\n"),
            (
                "&lt;b&gt; &amp;&nbsp;&#8364;&#x20ac; &unknown; & &",
                "<b> &\u{a0}€€ &unknown; & &\n",
            ),
            (
                "<head><title>T</title><style type=\"text/css\">p > a { }</style></head><body>x",
                "x\n",
            ),
            ("a<script>if (1 < 2) '</p>'</script>b", "ab\n"),
            ("a<!-- <p> -- > -->b<!doctype html>c<?xml?>d", "abcd\n"),
            ("<a title=\"a > b\" href=x>link</a>", "link\n"),
            ("1 < 2, 3 <4", "1 < 2, 3 <4\n"),
            ("cut <a href=\"https://exam", "cut\n"),
            ("cut <style>p {", "cut\n"),
        ] {
            assert_eq!(to_text(html), text, "{html}");
        }
    }
}
