//! Reading initial responses, as a server does.

use super::SaslError;
use crate::token::AccessToken;

/// ```text
/// "user=" user SOH "auth=Bearer " token SOH SOH
/// ```
pub(super) fn parse_xoauth2(bytes: &[u8]) -> Result<(String, AccessToken), SaslError> {
    let text = std::str::from_utf8(bytes).map_err(|_| SaslError::InitialResponse)?;
    let mut pairs = pairs(text)?;
    let user = match pairs.next() {
        Some(("user", user)) => user.to_owned(),
        _ => return Err(SaslError::InitialResponse),
    };
    super::check_user(&user)?;
    match (pairs.next(), pairs.next()) {
        (Some(("auth", auth)), None) => Ok((user, bearer(auth)?)),
        _ => Err(SaslError::InitialResponse),
    }
}

/// ```text
/// client-resp = gs2-header kvsep *kvpair kvsep      (RFC 7628 §3.1)
/// gs2-header  = "n," ["a=" saslname] ","            (no channel binding)
/// ```
pub(super) fn parse_oauthbearer(bytes: &[u8]) -> Result<(String, AccessToken), SaslError> {
    let text = std::str::from_utf8(bytes).map_err(|_| SaslError::InitialResponse)?;
    let (header, rest) = text.split_once('\x01').ok_or(SaslError::InitialResponse)?;
    let name = header
        // "y": the client could bind to the channel, but sees no server that can.
        .strip_prefix("n,")
        .or_else(|| header.strip_prefix("y,"))
        .and_then(|rest| rest.strip_suffix(','))
        .and_then(|rest| rest.strip_prefix("a="))
        .ok_or(SaslError::InitialResponse)?;
    let user = saslname(name).ok_or(SaslError::InitialResponse)?;
    super::check_user(&user)?;
    let mut token = None;
    for (key, value) in pairs(rest)? {
        match key {
            "auth" if token.is_none() => token = Some(bearer(value)?),
            "auth" => return Err(SaslError::InitialResponse),
            // host, port, mthd, path, post, qs: not needed for bearer tokens.
            _ => {}
        }
    }
    Ok((user, token.ok_or(SaslError::InitialResponse)?))
}

/// `*(key "=" value SOH) SOH`, nothing after it.
fn pairs(text: &str) -> Result<impl Iterator<Item = (&str, &str)>, SaslError> {
    let body = text
        .strip_suffix("\x01\x01")
        .ok_or(SaslError::InitialResponse)?;
    if body.split('\x01').any(|pair| !pair.contains('=')) {
        return Err(SaslError::InitialResponse);
    }
    Ok(body.split('\x01').filter_map(|pair| pair.split_once('=')))
}

fn bearer(auth: &str) -> Result<AccessToken, SaslError> {
    match auth.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            AccessToken::new(token).map_err(|_| SaslError::InitialResponse)
        }
        _ => Err(SaslError::InitialResponse),
    }
}

/// Undoes `=2C` and `=3D`; any other `=` is an error (RFC 5801 §4).
fn saslname(escaped: &str) -> Option<String> {
    let mut parts = escaped.split('=');
    let mut name = parts.next()?.to_owned();
    if escaped.contains(',') {
        return None;
    }
    for part in parts {
        let (escape, rest) = part.split_at_checked(2)?;
        name.push(match escape {
            "2C" | "2c" => ',',
            "3D" | "3d" => '=',
            _ => return None,
        });
        name.push_str(rest);
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_other_forms() {
        for text in [
            "",
            "\x01\x01",
            "user=u\x01auth=Bearer t\x01",
            "user=u\x01auth=Bearer t\x01\x01x",
            "user=u\x01auth=Basic t\x01\x01",
            "user=u\x01auth=Bearer \x01\x01",
            "user=u\x01auth=Bearer t t\x01\x01",
            "user=\x01auth=Bearer t\x01\x01",
            "user=u\x01user=v\x01auth=Bearer t\x01\x01",
            "auth=Bearer t\x01user=u\x01\x01",
        ] {
            assert!(parse_xoauth2(text.as_bytes()).is_err(), "{text:?}");
        }
        for text in [
            "n,a=u,\x01auth=Bearer t\x01",
            "n,,\x01auth=Bearer t\x01\x01",
            "p=tls-unique,a=u,\x01auth=Bearer t\x01\x01",
            "n,a=a,b,\x01auth=Bearer t\x01\x01",
            "n,a=a=b,\x01auth=Bearer t\x01\x01",
            "n,a=u,\x01auth=Bearer t\x01auth=Bearer t\x01\x01",
            "n,a=u,\x01\x01",
            "n,a=u,\x01junk\x01auth=Bearer t\x01\x01",
        ] {
            assert!(parse_oauthbearer(text.as_bytes()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn accepts_variants_that_mean_the_same() {
        let (user, token) = parse_xoauth2(b"user=u\x01auth=bearer t\x01\x01").unwrap();
        assert_eq!((user.as_str(), token.expose()), ("u", "t"));
        let (user, token) =
            parse_oauthbearer(b"y,a=a=2cb=3dc,\x01port=1\x01auth=BEARER t\x01host=h\x01\x01")
                .unwrap();
        assert_eq!((user.as_str(), token.expose()), ("a,b=c", "t"));
    }
}
