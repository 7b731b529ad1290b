//! Which parts are the text, the HTML and the attachments: the algorithm of RFC 8621 §4.1.4.

use super::structure::{Part, Structure};

/// Parts by their role, in the order of the message.
#[derive(Default)]
pub(super) struct Selection<'a> {
    /// What to show where only text can be shown; HTML where there is nothing else.
    pub text: Vec<&'a Part>,
    /// What to show where HTML can be shown; text where there is nothing else.
    pub html: Vec<&'a Part>,
    /// Everything else, and images, audio and video wherever they stand: the bodies are strings and cannot hold them.
    pub attachments: Vec<&'a Part>,
}

impl<'a> Selection<'a> {
    pub fn of(structure: &'a Structure) -> Self {
        let mut selection = Self::default();
        if let Some(root) = structure.parts.first() {
            let mut walk = Walk {
                structure,
                selection: &mut selection,
            };
            if root.is_multipart() {
                let lists = Lists {
                    text: true,
                    html: true,
                };
                walk.multipart(root, root.content.is("multipart", "alternative"), lists);
            } else {
                walk.leaf(
                    root,
                    "mixed",
                    0,
                    false,
                    &mut Lists {
                        text: true,
                        html: true,
                    },
                );
            }
        }
        selection
    }
}

/// Which of the two lists parts are still added to.
#[derive(Clone, Copy)]
struct Lists {
    text: bool,
    html: bool,
}

struct Walk<'a, 'b> {
    structure: &'a Structure,
    selection: &'b mut Selection<'a>,
}

impl<'a> Walk<'a, '_> {
    /// The depth of recursion is that of multiparts, which the structure limits.
    fn multipart(&mut self, multipart: &'a Part, in_alternative: bool, mut lists: Lists) {
        let subtype = multipart.content.subtype.as_str();
        let (text_before, html_before) = (self.selection.text.len(), self.selection.html.len());
        for (position, &index) in multipart.children.iter().enumerate() {
            let Some(part) = self.structure.parts.get(index) else {
                continue;
            };
            if part.is_multipart() {
                let is_alternative = part.content.is("multipart", "alternative");
                self.multipart(part, in_alternative || is_alternative, lists);
            } else {
                self.leaf(part, subtype, position, in_alternative, &mut lists);
            }
        }
        if subtype == "alternative" && lists.text && lists.html {
            let texts = self
                .selection
                .text
                .get(text_before..)
                .unwrap_or_default()
                .to_vec();
            let htmls = self
                .selection
                .html
                .get(html_before..)
                .unwrap_or_default()
                .to_vec();
            if texts.is_empty() {
                self.selection.text.extend(htmls);
            } else if htmls.is_empty() {
                self.selection.html.extend(texts);
            }
        }
    }

    fn leaf(
        &mut self,
        part: &'a Part,
        parent: &str,
        position: usize,
        in_alternative: bool,
        lists: &mut Lists,
    ) {
        let content = &part.content;
        let is_plain = content.is("text", "plain");
        let is_html = content.is("text", "html");
        let is_media = content.is_inline_media();
        if is_media {
            self.selection.attachments.push(part);
            return;
        }
        let is_body = content.disposition.as_deref() != Some("attachment")
            && (is_plain || is_html)
            && (position == 0 || (parent != "related" && content.name.is_none()));
        if !is_body {
            self.selection.attachments.push(part);
        } else if parent == "alternative" {
            if is_plain {
                self.selection.text.push(part);
            } else {
                self.selection.html.push(part);
            }
        } else {
            if in_alternative {
                if is_plain {
                    lists.html = false;
                } else {
                    lists.text = false;
                }
            }
            if lists.text {
                self.selection.text.push(part);
            }
            if lists.html {
                self.selection.html.push(part);
            }
        }
    }
}
