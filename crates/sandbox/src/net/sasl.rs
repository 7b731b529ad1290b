//! SASL (RFC 4422) as far as Exchange speaks it: XOAUTH2 in lines of base64.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The user and token of an XOAUTH2 response. The token is shown to nobody.
#[derive(PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) token: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    /// ```text
    /// user= U ^A auth=Bearer T ^A ^A
    /// ```
    pub(crate) fn parse(response: &[u8]) -> Option<Credentials> {
        let response = std::str::from_utf8(response).ok()?;
        let rest = response.strip_prefix("user=")?;
        let (user, rest) = rest.split_once('\x01')?;
        let (auth, end) = rest.split_once('\x01')?;
        let (scheme, token) = auth.strip_prefix("auth=")?.split_once(' ')?;
        let good = end == "\x01"
            && scheme.eq_ignore_ascii_case("Bearer")
            && !user.is_empty()
            && !token.is_empty();
        good.then(|| Credentials {
            user: user.to_owned(),
            token: token.to_owned(),
        })
    }
}

/// A line of a SASL exchange: base64. A `*` (the client gives up) is none.
pub(crate) fn sasl_response(line: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(line).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_of_microsofts_page() {
        let response = sasl_response(b"dXNlcj10ZXN0QGNvbnRvc28ub25taWNyb3NvZnQuY29tAWF1dGg9QmVhcmVyIEV3QkFBbDNCQUFVRkZwVUFvN0ozVmUwYmpMQldaV0NjbFJDM0VvQUEBAQ==").unwrap();
        let credentials = Credentials::parse(&response).unwrap();
        assert_eq!(credentials.user, "test@contoso.onmicrosoft.com");
        assert_eq!(
            credentials.token,
            "EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA"
        );
        assert!(!format!("{credentials:?}").contains("EwBA"));
    }

    #[test]
    fn what_is_no_xoauth2_response() {
        for bad in [
            "",
            "user=a@x.test",
            "user=a@x.test\x01auth=Bearer t",
            "user=a@x.test\x01auth=Bearer t\x01",
            "user=a@x.test\x01auth=Basic t\x01\x01",
            "user=\x01auth=Bearer t\x01\x01",
            "user=a@x.test\x01auth=Bearer \x01\x01",
            "user=a@x.test\x01auth=Bearer t\x01\x01x",
            "n,a=a@x.test,\x01auth=Bearer t\x01\x01",
        ] {
            assert_eq!(Credentials::parse(bad.as_bytes()), None, "{bad:?}");
        }
        assert!(Credentials::parse(b"user=\xff\x01auth=Bearer t\x01\x01").is_none());
        assert_eq!(sasl_response(b"*"), None);
    }
}
