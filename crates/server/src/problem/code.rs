//! The stable codes, each with its status and title.

use actix_web::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $status:ident, $title:literal;)+) => {
        /// The kind of a problem. Programs decide on it; it never changes its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $variant,)+ }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// As it is sent.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The kind in words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }

            /// The HTTP status it is usually sent with.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)+ }
            }
        }
    };
}

codes! {
    /// The body is not JSON.
    MalformedBody = "malformed_body", BAD_REQUEST, "The body is not valid JSON";
    /// A field is unknown, missing, of the wrong type or out of range.
    InvalidField = "invalid_field", UNPROCESSABLE_ENTITY, "A field is invalid";
    /// The body is larger than the gateway reads.
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The body is of another media type.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The media type is not supported";
    /// The request itself cannot be read.
    BadRequest = "bad_request", BAD_REQUEST, "The request cannot be read";
    /// No API key, or one that is unknown or revoked.
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "An API key is needed";
    /// The API key lacks the scope for this.
    InsufficientScope = "insufficient_scope", FORBIDDEN, "The API key may not do this";
    /// It does not exist, or belongs to another key's site.
    NotFound = "not_found", NOT_FOUND, "Not found";
    /// The path exists, but not with this method.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The method is not allowed here";
    /// The person must sign in again before this account works.
    ReauthRequired = "reauth_required", CONFLICT, "The person must sign in again";
    /// An administrator must agree before this account works.
    ConsentRequired = "consent_required", CONFLICT, "An administrator must agree first";
    /// The account was switched off by its owner.
    AccountDisabled = "account_disabled", CONFLICT, "The account is disabled";
    /// The same person's same mailbox is an account already.
    AlreadyConnected = "already_connected", CONFLICT, "The mailbox is connected already";
    /// The settings no longer fit what is stored.
    Misconfigured = "misconfigured", CONFLICT, "The gateway's settings must be mended";
    /// The settings do not take mailboxes of the account's tenant.
    TenantNotAllowed = "tenant_not_allowed", CONFLICT, "The gateway's settings do not take the tenant";
    /// The person has not agreed to what the request needs.
    ScopeMissing = "scope_missing", CONFLICT, "The account's grant does not cover this";
    /// The mailbox was rebuilt: ids and cursors from before are void.
    UidvalidityChanged = "uidvalidity_changed", GONE, "The mailbox was rebuilt";
    /// The authority gave a token but the mail server does not let it in.
    MailboxAccessRefused = "mailbox_access_refused", CONFLICT, "The mail server refused access to the mailbox";
    /// The authority refused what was asked of it.
    AuthorityRefused = "authority_refused", CONFLICT, "The authority refused";
    /// The authority cannot be reached, or answers with something else than OAuth.
    AuthorityUnavailable = "authority_unavailable", BAD_GATEWAY, "The authority cannot be reached";
    /// The mail server cannot be reached, hangs or breaks off.
    MailServerUnavailable = "mail_server_unavailable", BAD_GATEWAY, "The mail server cannot be reached";
    /// The mail server answered NO or BAD.
    MailServerRefused = "mail_server_refused", BAD_GATEWAY, "The mail server refused the command";
    /// The mail server, the authority or the gateway asks for a pause.
    Throttled = "throttled", TOO_MANY_REQUESTS, "Too many requests";
    /// The email is larger than the gateway takes apart.
    EmailTooLarge = "email_too_large", UNPROCESSABLE_ENTITY, "The email is too large to be taken apart";
    /// All connections are in use.
    Busy = "busy", SERVICE_UNAVAILABLE, "All connections are in use";
    /// The database cannot be reached, or could not store.
    StorageUnavailable = "storage_unavailable", SERVICE_UNAVAILABLE, "The storage is not available";
    /// The gateway is at fault.
    Internal = "internal", INTERNAL_SERVER_ERROR, "The gateway failed";
}

impl Code {
    /// Where the code is described.
    pub(super) fn uri(self) -> String {
        format!("/docs#problem-{}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_what_is_documented() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }
}
