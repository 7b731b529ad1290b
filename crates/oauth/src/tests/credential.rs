//! Every way in which a client proves who it is.

mod assertion;
mod files;
mod material;
mod replaced;
mod service_account;
mod tenants;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use mailgrant_core::time::UnixTime;
use serde_json::Value;
use tempfile::TempDir;

use super::support::{Authority, policy, registration};
use crate::credential::{Certificate, CertificateSource};
use crate::{Client, Credential, Error, Surroundings, http_client};

/// When the fixtures' certificates are good: they begin on 2026-11-22 and end in 2126.
const NOW: UnixTime = UnixTime(1_800_000_000);
const PASSWORD: &str = "canary-password";
const APP_ONLY: &str = "https://outlook.office365.com/.default";

/// A file that openssl made.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/tests/fixtures")
        .join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(fixture(name)).unwrap()
}

/// A folder of files that can be replaced.
struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, from) in files {
            folder.copy(name, from);
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn copy(&self, name: &str, from: &str) {
        std::fs::copy(fixture(from), self.path(name)).unwrap();
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }
}

/// Time stands still at [`NOW`]; chance counts.
fn surroundings() -> Surroundings {
    let count = Arc::new(AtomicU64::new(1));
    Surroundings::new(
        || NOW,
        move |bytes| {
            let number = count.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            bytes
                .iter_mut()
                .zip(number.iter().cycle())
                .for_each(|(byte, part)| *byte = *part);
        },
    )
}

fn client(authority: &Authority, credential: Credential) -> Client {
    try_client(authority, credential, surroundings()).unwrap()
}

fn try_client(
    authority: &Authority,
    credential: Credential,
    surroundings: Surroundings,
) -> Result<Client, Error> {
    let mut registration = registration(&authority.issuer());
    registration.credential = credential;
    let http = http_client(None, &policy()).unwrap();
    Client::new(http, registration, policy(), surroundings)
}

fn certificate(source: CertificateSource) -> Credential {
    Credential::Certificate(Certificate::open(source).unwrap())
}

/// The form that was sent to a path, the newest last.
async fn forms(authority: &Authority, path: &str) -> Vec<BTreeMap<String, String>> {
    let requests = authority.received(path).await;
    let form = |request: &wiremock::Request| {
        let pairs = request
            .url
            .join(&format!("?{}", String::from_utf8_lossy(&request.body)));
        pairs.unwrap().query_pairs().into_owned().collect()
    };
    requests.iter().map(form).collect()
}

/// Header and claims of a JWT, once its signature was verified with the certificate's public key.
fn verified(jwt: &str, certificate: &str, algorithm: Algorithm) -> (Value, Value) {
    let pem = x509_parser::pem::Pem::iter_from_buffer(text(certificate).as_bytes())
        .map(Result::unwrap)
        .find(|block| block.label == "CERTIFICATE")
        .unwrap();
    let parsed = pem.parse_x509().unwrap();
    let key = DecodingKey::from_rsa_der(&parsed.public_key().subject_public_key.data);
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let claims: Value = jsonwebtoken::decode(jwt, &key, &validation).unwrap().claims;
    let header = URL_SAFE_NO_PAD
        .decode(jwt.split('.').next().unwrap())
        .unwrap();
    (serde_json::from_slice(&header).unwrap(), claims)
}
