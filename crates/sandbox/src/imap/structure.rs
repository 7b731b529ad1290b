//! ENVELOPE, BODY and BODYSTRUCTURE (RFC 3501 §7.4.2).

use super::mime::{
    Address, Content, Fields, Parameterised, Part, addresses, media_type, parameterised,
};
use super::syntax::{nstring, string};

/// ```text
/// ("date" "subject" from sender reply-to to cc bcc "in-reply-to" "message-id")
/// ```
///
/// Without `hosts` addresses have none, as some servers show them.
pub(super) fn envelope(out: &mut Vec<u8>, header: &[u8], hosts: bool) {
    let fields = Fields::new(header);
    let list = |name: &str| fields.value(name).map(addresses).unwrap_or_default();
    let from = list("From");
    let or_from = |list: Vec<Address>| if list.is_empty() { from.clone() } else { list };

    out.push(b'(');
    nstring(out, fields.unfolded("Date").as_deref());
    out.push(b' ');
    nstring(out, fields.unfolded("Subject").as_deref());
    for addresses in [
        from.clone(),
        or_from(list("Sender")),
        or_from(list("Reply-To")),
        list("To"),
        list("Cc"),
        list("Bcc"),
    ] {
        out.push(b' ');
        address_list(out, &addresses, hosts);
    }
    out.push(b' ');
    nstring(out, fields.unfolded("In-Reply-To").as_deref());
    out.push(b' ');
    nstring(out, fields.unfolded("Message-ID").as_deref());
    out.push(b')');
}

/// BODYSTRUCTURE, or BODY where the extension data is left out.
pub(super) fn body(out: &mut Vec<u8>, message: &[u8], part: &Part, extended: bool) {
    let fields = Fields::new(message.get(part.header.clone()).unwrap_or_default());
    out.push(b'(');
    if let Content::Multipart(parts) = &part.content {
        for part in parts {
            body(out, message, part, extended);
        }
        out.push(b' ');
        string(out, media_type(&part.content_type.value).1);
        if extended {
            out.push(b' ');
            parameters(out, &part.content_type);
            placing(out, &fields);
        }
    } else {
        leaf(out, message, part, &fields, extended);
        if extended {
            out.push(b' ');
            nstring(out, fields.unfolded("Content-MD5").as_deref());
            placing(out, &fields);
        }
    }
    out.push(b')');
}

fn leaf(out: &mut Vec<u8>, message: &[u8], part: &Part, fields: &Fields<'_>, extended: bool) {
    let octets = message.get(part.body.clone()).unwrap_or_default();
    // A multipart in which no part was found has no form of its own; it is shown as what it holds: text.
    let (kind, subtype): (&[u8], &[u8]) = if part.is("multipart", None) {
        (b"text", b"plain")
    } else {
        media_type(&part.content_type.value)
    };
    // A message that is not taken apart (too deep, or encoded) is shown as a sequence of octets.
    let opaque = part.is("message", Some("rfc822")) && !matches!(part.content, Content::Message(_));
    let (kind, subtype): (&[u8], &[u8]) = if opaque {
        (b"application", b"octet-stream")
    } else {
        (kind, subtype)
    };
    string(out, kind);
    out.push(b' ');
    string(out, subtype);
    out.push(b' ');
    parameters(out, &part.content_type);
    out.push(b' ');
    nstring(out, fields.unfolded("Content-ID").as_deref());
    out.push(b' ');
    nstring(out, fields.unfolded("Content-Description").as_deref());
    out.push(b' ');
    let encoding = fields.unfolded("Content-Transfer-Encoding");
    match encoding.as_deref() {
        None | Some(b"") => out.extend_from_slice(b"\"7bit\""),
        Some(encoding) => string(out, encoding),
    }
    out.extend_from_slice(format!(" {}", octets.len()).as_bytes());
    if let Content::Message(inner) = &part.content {
        out.push(b' ');
        let header = message.get(inner.header.clone()).unwrap_or_default();
        envelope(out, header, true);
        out.push(b' ');
        body(out, message, inner, extended);
    }
    if matches!(part.content, Content::Message(_)) || kind.eq_ignore_ascii_case(b"text") {
        let lines = octets.iter().filter(|byte| **byte == b'\n').count();
        out.extend_from_slice(format!(" {lines}").as_bytes());
    }
}

/// ` disposition language location`
fn placing(out: &mut Vec<u8>, fields: &Fields<'_>) {
    out.push(b' ');
    match fields.value("Content-Disposition").map(parameterised) {
        Some(disposition) if !disposition.value.is_empty() => {
            out.push(b'(');
            string(out, &disposition.value);
            out.push(b' ');
            parameters(out, &disposition);
            out.push(b')');
        }
        _ => out.extend_from_slice(b"NIL"),
    }
    out.push(b' ');
    nstring(out, fields.unfolded("Content-Language").as_deref());
    out.push(b' ');
    nstring(out, fields.unfolded("Content-Location").as_deref());
}

fn parameters(out: &mut Vec<u8>, value: &Parameterised) {
    if value.parameters.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    for (at, (name, value)) in value.parameters.iter().enumerate() {
        out.push(if at == 0 { b'(' } else { b' ' });
        string(out, name);
        out.push(b' ');
        string(out, value);
    }
    out.push(b')');
}

fn address_list(out: &mut Vec<u8>, list: &[Address], hosts: bool) {
    if list.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for address in list {
        out.push(b'(');
        nstring(out, address.name.as_deref());
        out.extend_from_slice(b" NIL ");
        nstring(out, address.mailbox.as_deref());
        out.push(b' ');
        nstring(out, address.host.as_deref().filter(|_| hosts));
        out.push(b')');
    }
    out.push(b')');
}
