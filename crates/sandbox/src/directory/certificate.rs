//! Certificates and federated identities with which an application proves who it is, instead of by a secret.

use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use mailgrant_core::time::UnixTime;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use x509_parser::parse_x509_certificate;
use x509_parser::public_key::PublicKey;

use crate::Error;

/// A certificate registered on an application. Only its public half is known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationCertificate {
    /// The certificate as it was registered.
    pub pem: String,
    /// Its name in the portal.
    pub display_name: Option<String>,
    /// SHA-1 of the DER form: what `x5t` names.
    pub thumbprint: [u8; 20],
    /// SHA-256 of the DER form: what `x5t#S256` names.
    pub thumbprint_sha256: [u8; 32],
    /// When it begins to hold.
    pub not_before: UnixTime,
    /// When it ends.
    pub not_after: UnixTime,
    /// The RSA modulus, big-endian without leading zeros.
    pub modulus: Vec<u8>,
    /// The RSA exponent, big-endian without leading zeros.
    pub exponent: Vec<u8>,
}

impl ApplicationCertificate {
    /// Reads a certificate in PEM. Entra takes RSA keys only.
    ///
    /// # Errors
    ///
    /// When it is no certificate, or not one of an RSA key.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let invalid = |problem: &dyn std::fmt::Display| {
            Error::tenant(format!(
                "[[application]] certificates: {problem}; give the certificate in PEM (-----BEGIN CERTIFICATE-----)"
            ))
        };
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|e| invalid(&e))?;
        let (_, certificate) = parse_x509_certificate(&der).map_err(|e| invalid(&e))?;
        let key = match certificate.public_key().parsed() {
            Ok(PublicKey::RSA(key)) => key,
            _ => return Err(invalid(&"its key is not an RSA key")),
        };
        let mut thumbprint = [0; 20];
        let sha1 = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &der);
        thumbprint.copy_from_slice(sha1.as_ref());
        let mut thumbprint_sha256 = [0; 32];
        thumbprint_sha256.copy_from_slice(digest::digest(&digest::SHA256, &der).as_ref());
        let validity = certificate.validity();
        Ok(Self {
            pem: pem.to_owned(),
            display_name: None,
            thumbprint,
            thumbprint_sha256,
            not_before: UnixTime(validity.not_before.timestamp()),
            not_after: UnixTime(validity.not_after.timestamp()),
            modulus: without_leading_zeros(key.modulus),
            exponent: without_leading_zeros(key.exponent),
        })
    }
}

/// An issuer whose tokens stand for the application (Entra: federated identity credential).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FederatedCredential {
    /// Its name in the portal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `iss`, exactly. `{authority}` stands for this sandbox's address in plain HTTP.
    pub issuer: String,
    /// `sub`, exactly.
    pub subject: String,
    /// `aud`, exactly.
    #[serde(default = "token_exchange")]
    pub audience: String,
    /// The issuer's keys (RFC 7517). Left out, they are found by the issuer's discovery document, on this machine
    /// only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<serde_json::Value>,
}

/// A certificate as a tenant file writes it: `{ pem = "…" }` or `{ pem_file = "…" }`, with `not_after` to let it end
/// earlier or later than it says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateEntry {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pem: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pem_file: Option<PathBuf>,
    /// RFC 3339
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_after: Option<String>,
}

impl CertificateEntry {
    /// One that is registered now.
    pub(crate) fn new(display_name: Option<String>, pem: String) -> Self {
        Self {
            display_name,
            pem: Some(pem),
            pem_file: None,
            not_after: None,
        }
    }

    pub(crate) fn of(certificate: &ApplicationCertificate) -> Self {
        let not_after = jiff::Timestamp::from_second(certificate.not_after.0).ok();
        Self {
            display_name: certificate.display_name.clone(),
            pem: Some(certificate.pem.clone()),
            pem_file: None,
            not_after: not_after.map(|at| at.to_string()),
        }
    }

    /// Reads the file it names, which lies in `directory` unless its path is absolute.
    pub(super) fn read(&mut self, directory: &Path) -> Result<(), Error> {
        let Some(file) = &self.pem_file else {
            return Ok(());
        };
        if self.pem.is_some() {
            return Err(Error::tenant(ONE_SOURCE));
        }
        let path = directory.join(file);
        let pem = crate::files::read(&path)?.ok_or_else(|| {
            Error::tenant(format!(
                "[[application]] certificates.pem_file: there is no file {}",
                path.display()
            ))
        })?;
        (self.pem, self.pem_file) = (Some(pem), None);
        Ok(())
    }

    pub(super) fn resolve(mut self) -> Result<ApplicationCertificate, Error> {
        self.read(Path::new(""))?;
        let pem = self.pem.ok_or_else(|| Error::tenant(ONE_SOURCE))?;
        let mut certificate = ApplicationCertificate::from_pem(&pem)?;
        certificate.display_name = self.display_name;
        if let Some(text) = self.not_after {
            let at: jiff::Timestamp = text.parse().map_err(|error| {
                Error::tenant(format!(
                    "[[application]] certificates.not_after: {error}; write \"2027-06-01T00:00:00Z\""
                ))
            })?;
            certificate.not_after = UnixTime(at.as_second());
        }
        Ok(certificate)
    }
}

const ONE_SOURCE: &str = "[[application]] certificates: give either pem or pem_file";

/// What Entra's documents recommend for every cloud but the national ones.
fn token_exchange() -> String {
    "api://AzureADTokenExchange".to_owned()
}

fn without_leading_zeros(number: &[u8]) -> Vec<u8> {
    number
        .iter()
        .copied()
        .skip_while(|byte| *byte == 0)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_rsa_certificate_is_refused() {
        let ec = rcgen::generate_simple_self_signed(["x.test".to_owned()]).unwrap();
        for (pem, expected) in [
            ("", "certificates:"),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "certificates:",
            ),
            (&ec.cert.pem(), "not an RSA key"),
        ] {
            let error = ApplicationCertificate::from_pem(pem)
                .unwrap_err()
                .to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_certificate_is_named_by_its_thumbprints_and_dates() {
        let key =
            rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
                .unwrap();
        let mut parameters = rcgen::CertificateParams::default();
        parameters.not_before = time::OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        parameters.not_after = time::OffsetDateTime::from_unix_timestamp(1_900_000_000).unwrap();
        let made = parameters.self_signed(&key).unwrap();
        let read = ApplicationCertificate::from_pem(&made.pem()).unwrap();
        assert_eq!(read.not_before, UnixTime(1_700_000_000));
        assert_eq!(read.not_after, UnixTime(1_900_000_000));
        assert_eq!(read.exponent, [1, 0, 1]);
        assert_eq!(read.modulus.len(), 256);
        let sha1 = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, made.der());
        assert_eq!(read.thumbprint, sha1.as_ref());
    }

    #[test]
    fn an_entry_names_one_source_and_a_date_that_can_be_read() {
        for (entry, expected) in [
            ("{}", "either pem or pem_file"),
            (r#"{"pem": "x", "pem_file": "y"}"#, "either pem or pem_file"),
            (r#"{"pem_file": "no-such-file.pem"}"#, "no file"),
        ] {
            let entry: CertificateEntry = serde_json::from_str(entry).unwrap();
            let error = entry.resolve().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
