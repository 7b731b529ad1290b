//! What a part says of itself: the `Content-…` fields.

use std::borrow::Cow;

use mail_parser::{Attribute, ContentType};

use super::charset;
use super::fields::Fields;
use super::transfer::Encoding;

/// The description of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    /// Lower-cased: `text`.
    pub main_type: String,
    /// Lower-cased: `plain`.
    pub subtype: String,
    pub charset: Option<String>,
    /// Set on multiparts only.
    pub boundary: Option<String>,
    pub encoding: Encoding,
    /// Lower-cased: `attachment`, `inline`.
    pub disposition: Option<String>,
    /// The name of the file, decoded, without control characters.
    pub name: Option<String>,
    /// The content id without its angle brackets.
    pub cid: Option<String>,
}

impl Default for Content {
    fn default() -> Self {
        Self {
            main_type: "text".to_owned(),
            subtype: "plain".to_owned(),
            charset: None,
            boundary: None,
            encoding: Encoding::Identity,
            disposition: None,
            name: None,
            cid: None,
        }
    }
}

impl Content {
    /// Reads the fields. A missing or unreadable type is `text/plain`, in a digest `message/rfc822` (RFC 2045 §5.2,
    /// RFC 2046 §5.1.5).
    pub fn of(fields: &Fields<'_>, is_in_digest: bool) -> Self {
        let content_type = fields
            .first("Content-Type")
            .and_then(|value| value.content_type());
        let disposition = fields
            .first("Content-Disposition")
            .and_then(|value| value.content_type());
        let mut content = Self::default();
        let media_type = content_type.as_ref().and_then(|value| {
            let subtype = value
                .subtype()
                .map(|subtype| subtype.trim().to_ascii_lowercase())?;
            let main_type = value.ctype().trim().to_ascii_lowercase();
            (is_token(&main_type) && is_token(&subtype)).then_some((main_type, subtype))
        });
        if let Some((main_type, subtype)) = media_type {
            content.main_type = main_type;
            content.subtype = subtype;
        } else if is_in_digest {
            content.main_type = "message".to_owned();
            content.subtype = "rfc822".to_owned();
        }
        let parameter = |name| {
            content_type
                .as_ref()
                .and_then(|value| parameter(value, name))
        };
        content.charset = parameter("charset");
        if content.main_type == "multipart" {
            content.boundary = parameter("boundary")
                .map(|boundary| boundary.trim_end().to_owned())
                .filter(|text| !text.is_empty());
        }
        content.name = disposition
            .as_ref()
            .and_then(|value| self::parameter(value, "filename"))
            .or_else(|| parameter("name"))
            .map(|name| {
                name.chars()
                    .filter(|character| !character.is_control())
                    .collect::<String>()
            })
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty());
        content.disposition = disposition
            .map(|value| value.ctype().trim().to_ascii_lowercase())
            .filter(|disposition| !disposition.is_empty());
        content.encoding = fields
            .first("Content-Transfer-Encoding")
            .map(|value| Encoding::of(&value.token()))
            .unwrap_or_default();
        content.cid = fields
            .first("Content-ID")
            .and_then(|value| value.message_ids().into_iter().next());
        content
    }

    /// A multipart without a single part is shown as the text it holds.
    pub fn without_parts(&mut self) {
        if self.main_type == "multipart" {
            self.main_type = "text".to_owned();
            self.subtype = "plain".to_owned();
            self.boundary = None;
        }
    }

    pub fn is(&self, main_type: &str, subtype: &str) -> bool {
        self.main_type == main_type && self.subtype == subtype
    }

    /// Images, audio and video: what a message can show between its text (RFC 8621 §4.1.4).
    pub fn is_inline_media(&self) -> bool {
        matches!(self.main_type.as_str(), "image" | "audio" | "video")
    }

    pub fn media_type(&self) -> String {
        format!("{}/{}", self.main_type, self.subtype)
    }

    /// Decoded octets as text with LF line ends, and whether they fitted the charset.
    pub fn text(&self, bytes: &[u8]) -> (String, bool) {
        let (text, is_sound) = charset::decode(self.charset.as_deref().unwrap_or_default(), bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        (text.replace("\r\n", "\n"), is_sound)
    }
}

fn parameter(value: &ContentType<'_>, name: &str) -> Option<String> {
    let attributes: &[Attribute<'_>] = value.attributes()?;
    let found = attributes
        .iter()
        .find(|attribute| attribute.name.eq_ignore_ascii_case(name))?;
    Some(match &found.value {
        Cow::Borrowed(value) => (*value).to_owned(),
        Cow::Owned(value) => value.clone(),
    })
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte))
}
