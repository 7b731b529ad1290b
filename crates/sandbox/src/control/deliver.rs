//! `/control/deliver`: mail arrives.

use actix_web::{HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_builder::MessageBuilder;
use mailgrant_core::time::UnixTime;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{refusal, store_refusal};
use crate::authority::Authority;
use crate::mailstore::{Flags, MailStore, StoreError};

/// One delivery, or several at once.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Deliveries {
    Several(Vec<serde_json::Value>),
    One(serde_json::Map<String, serde_json::Value>),
}

/// A message to put together, or one that is whole (`raw`, `raw_base64`).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delivery {
    mailbox: String,
    from: Option<String>,
    from_name: Option<String>,
    subject: Option<String>,
    text: Option<String>,
    html: Option<String>,
    /// The whole message as text; lines may end as they like.
    raw: Option<String>,
    /// The whole message, octet for octet.
    raw_base64: Option<String>,
    #[serde(default = "inbox")]
    folder: String,
    /// As IMAP names them: `\Seen`, `\Flagged`.
    #[serde(default)]
    flags: Vec<String>,
    /// RFC 3339; now when absent.
    received_at: Option<String>,
}

/// Where a message went.
#[derive(Serialize)]
struct Delivered {
    mailbox: String,
    folder: String,
    uid: u32,
    uid_validity: u32,
}

/// Octets of a request's body.
pub(super) const LARGEST: usize = 64 << 20;

/// Checks every delivery before the first is made, and answers where each went.
pub(super) async fn post(
    authority: web::Data<Authority>,
    store: web::Data<MailStore>,
    deliveries: web::Json<Deliveries>,
) -> HttpResponse {
    let deliveries = match deliveries.into_inner() {
        Deliveries::One(one) => vec![serde_json::Value::Object(one)],
        Deliveries::Several(several) => several,
    };
    let read: Result<Vec<Ready>, String> = deliveries
        .into_iter()
        .map(|delivery| {
            serde_json::from_value::<Delivery>(delivery)
                .map_err(|error| error.to_string())
                .and_then(|delivery| Ready::of(delivery, &authority))
        })
        .collect();
    let ready = match read {
        Ok(ready) => ready,
        Err(problem) => return refusal(&problem),
    };
    let delivered = web::block(move || {
        ready
            .into_iter()
            .map(|ready| ready.deliver(&store))
            .collect::<Result<Vec<_>, StoreError>>()
    });
    match delivered.await {
        Ok(Ok(delivered)) => HttpResponse::Ok().json(json!({ "delivered": delivered })),
        Ok(Err(error)) => store_refusal(&error),
        Err(_) => refusal("the sandbox is about to stop"),
    }
}

/// A delivery with nothing left to decide.
struct Ready {
    mailbox: String,
    folder: String,
    message: Vec<u8>,
    flags: Flags,
    received_at: UnixTime,
}

impl Ready {
    fn of(delivery: Delivery, authority: &Authority) -> Result<Self, String> {
        let now = authority.now();
        let received_at = match &delivery.received_at {
            None => now,
            Some(text) => match text.parse::<jiff::Timestamp>() {
                Ok(at) => UnixTime(at.as_second()),
                Err(error) => return Err(format!("received_at: {error}; write RFC 3339")),
            },
        };
        let mut flags = Flags::NONE;
        for name in &delivery.flags {
            flags |= Flags::from_name(name)
                .ok_or_else(|| format!("flags: Exchange keeps no flag \"{name}\""))?;
        }
        let (mailbox, display_name) = {
            let tenants = authority.directory.tenants();
            let (_, mailbox) = tenants
                .mailbox(&delivery.mailbox)
                .ok_or_else(|| format!("mailbox: there is no mailbox {}", delivery.mailbox))?;
            (mailbox.address.clone(), mailbox.display_name.clone())
        };
        let composed = delivery.from.is_some()
            || delivery.subject.is_some()
            || delivery.text.is_some()
            || delivery.html.is_some();
        let message = match (&delivery.raw, &delivery.raw_base64, composed) {
            (Some(raw), None, false) => with_crlf(raw),
            (None, Some(raw), false) => STANDARD
                .decode(raw)
                .map_err(|error| format!("raw_base64: {error}"))?,
            (None, None, true) => {
                let id = authority.random.uuid();
                compose(&delivery, (&display_name, &mailbox), &id, received_at)?
            }
            _ => {
                return Err("send one of raw, raw_base64, or from with subject and text".to_owned());
            }
        };
        Ok(Self {
            mailbox,
            folder: delivery.folder,
            message,
            flags,
            received_at,
        })
    }

    fn deliver(self, store: &MailStore) -> Result<Delivered, StoreError> {
        let mailbox = store.mailbox(&self.mailbox)?;
        let appended = mailbox.append(&self.folder, &self.message, self.flags, self.received_at)?;
        Ok(Delivered {
            mailbox: self.mailbox,
            folder: self.folder,
            uid: appended.uid,
            uid_validity: appended.uid_validity,
        })
    }
}

fn compose(
    delivery: &Delivery,
    to: (&str, &str),
    id: &uuid::Uuid,
    at: UnixTime,
) -> Result<Vec<u8>, String> {
    let from = delivery
        .from
        .as_deref()
        .ok_or("from: the sender's address is missing")?;
    let subject = delivery.subject.as_deref().unwrap_or_default();
    let name = delivery.from_name.as_deref().unwrap_or_default();
    for (key, value) in [("from", from), ("from_name", name), ("subject", subject)] {
        if value.chars().any(char::is_control) {
            return Err(format!("{key}: no control characters"));
        }
    }
    let domain = from
        .rsplit_once('@')
        .map_or("sandbox.test", |(_, domain)| domain);
    let mut message = MessageBuilder::new()
        .to((to.0.to_owned(), to.1.to_owned()))
        .subject(subject)
        .date(at.0)
        .message_id(format!("{id}@{domain}"));
    message = match name {
        "" => message.from(from),
        name => message.from((name.to_owned(), from.to_owned())),
    };
    if delivery.text.is_some() || delivery.html.is_none() {
        message = message.text_body(delivery.text.as_deref().unwrap_or_default());
    }
    if let Some(html) = &delivery.html {
        message = message.html_body(html.as_str());
    }
    message.write_to_vec().map_err(|error| error.to_string())
}

/// Every line ends as on the wire (RFC 5322 §2.3).
fn with_crlf(text: &str) -> Vec<u8> {
    text.replace("\r\n", "\n")
        .replace('\n', "\r\n")
        .into_bytes()
}

fn inbox() -> String {
    "INBOX".to_owned()
}
