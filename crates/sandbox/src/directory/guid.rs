//! Identifiers: read, and made so that the same thing always has the same.

use crate::Error;

/// Reads the value of a key that must be a GUID; in lower case with hyphens.
pub(super) fn guid(key: &str, value: &str) -> Result<String, Error> {
    match uuid::Uuid::try_parse(value) {
        Ok(uuid) => Ok(uuid.to_string()),
        Err(_) => Err(Error::tenant(format!(
            "{key}: \"{value}\" is not a GUID such as 1b4e28ba-2fa1-41d2-883f-0016d3cca427"
        ))),
    }
}

/// A GUID that is always the same for the same thing.
pub(crate) fn derived_guid(tenant: &str, kind: &str, name: &str) -> String {
    let text = format!("{tenant}\n{kind}\n{}", name.to_ascii_lowercase());
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let mut bytes = [0; 16];
    for (byte, of_digest) in bytes.iter_mut().zip(digest.as_ref()) {
        *byte = *of_digest;
    }
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}
