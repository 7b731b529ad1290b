//! What a part says of itself: the `Content-…` fields.

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
            .map(|value| value.parametrised())
            .unwrap_or_default();
        let disposition = fields
            .first("Content-Disposition")
            .map(|value| value.parametrised())
            .unwrap_or_default();
        let mut content = Self::default();
        let media_type = content_type
            .value
            .split_once('/')
            .filter(|(main, subtype)| is_token(main) && is_token(subtype));
        if let Some((main_type, subtype)) = media_type {
            main_type.clone_into(&mut content.main_type);
            subtype.clone_into(&mut content.subtype);
        } else if is_in_digest {
            content.main_type = "message".to_owned();
            content.subtype = "rfc822".to_owned();
        }
        content.charset = content_type.get("charset");
        if content.main_type == "multipart" {
            let boundary = content_type
                .get("boundary")
                .map(|boundary| boundary.trim_end().to_owned());
            content.boundary = boundary.filter(|boundary| !boundary.is_empty());
        }
        content.name = disposition
            .text("filename")
            .or_else(|| content_type.text("name"))
            .map(|name| {
                name.chars()
                    .filter(|character| !character.is_control())
                    .collect::<String>()
            })
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty());
        content.disposition = Some(disposition.value).filter(|disposition| !disposition.is_empty());
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
        (with_lf(text), is_sound)
    }
}

/// CRLF, CR and the CRCRLF of mail that was converted twice, as LF.
fn with_lf(text: &str) -> String {
    let mut converted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((line, after)) = rest.split_once('\r') {
        converted.push_str(line);
        converted.push('\n');
        let end = after.trim_start_matches('\r');
        rest = end.strip_prefix('\n').unwrap_or(after);
    }
    converted.push_str(rest);
    converted
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte))
}
