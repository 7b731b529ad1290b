//! XOAUTH2 and OAUTHBEARER.

use super::Table;
use crate::encoding;
use crate::sasl::{FailureChallenge, InitialResponse, Mechanism};
use crate::token::AccessToken;

pub(super) fn check(table: &mut Table) {
    for vector in RESPONSES {
        table.equal(
            &format!("{}: built", vector.name),
            vector.build().map(|response| response.base64().to_string()),
            vector.base64.to_owned(),
        );
        table.equal(
            &format!("{}: read", vector.name),
            vector.read(),
            (vector.user.to_owned(), vector.token.to_owned()),
        );
    }
    for (name, base64, expected) in CHALLENGES {
        let found = FailureChallenge::parse_base64(base64);
        table.equal(
            name,
            found.as_ref().map(|found| {
                let text = |text: &Option<String>| text.clone().unwrap_or_default();
                [
                    found.status.clone(),
                    text(&found.schemes),
                    text(&found.scope),
                    text(&found.openid_configuration),
                ]
            }),
            expected.map(str::to_owned),
        );
    }
    let abort = |mechanism: Mechanism| encoding::base64(mechanism.abort()).to_string();
    table.equal::<_, ()>(
        "RFC 7628 §4.3: abort",
        Ok(abort(Mechanism::OauthBearer)),
        "AQ==".to_owned(),
    );
    table.equal::<_, ()>(
        "Google: XOAUTH2 ends with an empty line",
        Ok(abort(Mechanism::Xoauth2)),
        String::new(),
    );
    table.equal::<_, ()>(
        "Exchange Online: capabilities",
        Ok(Mechanism::choose(EXCHANGE_CAPABILITIES.split(' '))),
        Some(Mechanism::Xoauth2),
    );
}

struct Response {
    name: &'static str,
    user: &'static str,
    token: &'static str,
    /// With a port: OAUTHBEARER.
    host: Option<(&'static str, u16)>,
    base64: &'static str,
}

impl Response {
    fn build(&self) -> Result<InitialResponse, String> {
        let token = AccessToken::new(self.token).map_err(|error| error.to_string())?;
        match self.host {
            None => InitialResponse::xoauth2(self.user, &token),
            host => InitialResponse::oauthbearer(self.user, &token, host),
        }
        .map_err(|error| error.to_string())
    }

    fn read(&self) -> Result<(String, String), String> {
        let mechanism = if self.host.is_some() {
            Mechanism::OauthBearer
        } else {
            Mechanism::Xoauth2
        };
        let bytes = encoding::base64_lenient(self.base64).ok_or("not base64")?;
        let (user, token) = mechanism
            .parse_initial_response(&bytes)
            .map_err(|error| error.to_string())?;
        Ok((user, token.expose().to_owned()))
    }
}

const RESPONSES: [Response; 4] = [
    Response {
        name: "Microsoft: XOAUTH2",
        user: "test@contoso.onmicrosoft.com",
        token: "EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA",
        host: None,
        base64: "dXNlcj10ZXN0QGNvbnRvc28ub25taWNyb3NvZnQuY29tAWF1dGg9QmVhcmVyIEV3QkFBbDNCQUFVRkZwVUFv\
                 N0ozVmUwYmpMQldaV0NjbFJDM0VvQUEBAQ==",
    },
    Response {
        name: "Google: XOAUTH2",
        user: "someuser@example.com",
        token: "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg",
        host: None,
        base64: "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNr\
                 QmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==",
    },
    Response {
        name: "RFC 7628 §4.1: OAUTHBEARER over IMAP",
        user: "user@example.com",
        token: "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==",
        host: Some(("server.example.com", 143)),
        base64: "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVh\
                 cmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB",
    },
    Response {
        name: "RFC 7628 §4.2: OAUTHBEARER over SMTP",
        user: "user@example.com",
        token: "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==",
        host: Some(("server.example.com", 587)),
        base64: "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9NTg3AWF1dGg9QmVh\
                 cmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB",
    },
];

/// Status, schemes, scope, OpenID configuration.
const CHALLENGES: [(&str, &str, [&str; 4]); 4] = [
    (
        // Ends with a line feed inside the base64.
        "Google: IMAP challenge",
        "eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIG1hYyIsInNjb3BlIjoiaHR0cHM6Ly9tYWlsLmdvb2dsZS5jb20vIn0K",
        ["401", "bearer mac", "https://mail.google.com/", ""],
    ),
    (
        "Google: POP challenge",
        "eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==",
        ["400", "Bearer", "https://mail.google.com/", ""],
    ),
    (
        "Microsoft: POP challenge, one \"=\" short",
        "eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ=",
        ["400", "Bearer", "https://mail.google.com/", ""],
    ),
    (
        "RFC 7628 §4.3: challenge",
        "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJleGFtcGxlX3Njb3BlIiwib3BlbmlkLWNvbmZpZ3VyYXRpb24i\
         OiJodHRwczovL2V4YW1wbGUuY29tLy53ZWxsLWtub3duL29wZW5pZC1jb25maWd1cmF0aW9uIn0=",
        [
            "invalid_token",
            "",
            "example_scope",
            "https://example.com/.well-known/openid-configuration",
        ],
    ),
];

const EXCHANGE_CAPABILITIES: &str = "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID \
                                     UNSELECT CHILDREN IDLE NAMESPACE LITERAL+";
