//! `KeyCredentials` of an app registration: certificates.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::call::{CmdletError, entry};
use super::bad_request;
use crate::directory::{Application, ApplicationCertificate, CertificateEntry, derived_guid};

/// A certificate as Graph shows it when it is asked for by name.
pub(super) fn object(application: &Application, certificate: &ApplicationCertificate) -> Value {
    let moment = |at: i64| {
        jiff::Timestamp::from_second(at)
            .ok()
            .map(|at| at.to_string())
    };
    json!({
        "KeyId": key_id(application, certificate),
        "DisplayName": certificate.display_name,
        "Type": "AsymmetricX509Cert",
        "Usage": "Verify",
        "StartDateTime": moment(certificate.not_before.0),
        "EndDateTime": moment(certificate.not_after.0),
        "CustomKeyIdentifier": STANDARD.encode(certificate.thumbprint),
        "Key": base64_of(&certificate.pem),
    })
}

/// Unless it is asked for by name, `Key` is left out.
pub(super) fn without_keys(object: &mut Value) {
    let keys = object
        .get_mut("KeyCredentials")
        .and_then(Value::as_array_mut);
    for key in keys.into_iter().flatten() {
        if let Some(key) = key.as_object_mut() {
            key.insert("Key".to_owned(), Value::Null);
        }
    }
}

/// The certificates that are there afterwards: those that are given, and no others.
pub(super) fn replaced(
    application: &Application,
    given: &[Value],
) -> Result<Vec<CertificateEntry>, CmdletError> {
    given.iter().map(|key| one(application, key)).collect()
}

fn one(application: &Application, given: &Value) -> Result<CertificateEntry, CmdletError> {
    let text = |key| entry(given, key).and_then(Value::as_str);
    let kind = (text("type"), text("usage"));
    if kind != (Some("AsymmetricX509Cert"), Some("Verify")) {
        return Err(bad_request(
            "Invalid value specified for property 'keyCredentials': type is AsymmetricX509Cert, usage is Verify.",
        ));
    }
    let Some(key) = text("key") else {
        return text("keyId")
            .and_then(|id| {
                let mut known = application.certificates.iter();
                known.find(|certificate| key_id(application, certificate).eq_ignore_ascii_case(id))
            })
            .map(CertificateEntry::of)
            .ok_or_else(|| {
                bad_request("A value is required for property 'key' of resource 'KeyCredential'.")
            });
    };
    let pem = pem_of(key);
    match ApplicationCertificate::from_pem(&pem) {
        Ok(_) => Ok(CertificateEntry::new(
            text("displayName").map(str::to_owned),
            pem,
        )),
        Err(_) => Err(bad_request(
            "Key credential is invalid: its key is not a certificate of an RSA key.",
        )),
    }
}

fn key_id(application: &Application, certificate: &ApplicationCertificate) -> String {
    let thumbprint = STANDARD.encode(certificate.thumbprint_sha256);
    derived_guid(&application.object_id, "key credential", &thumbprint)
}

fn base64_of(pem: &str) -> String {
    pem.lines()
        .filter(|line| !line.starts_with("-----"))
        .collect()
}

/// Base64 of the octets that PowerShell sends, in lines.
fn pem_of(base64: &str) -> String {
    let letters: Vec<char> = base64
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect();
    let lines: Vec<String> = letters
        .chunks(64)
        .map(|line| line.iter().collect())
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}
