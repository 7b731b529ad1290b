//! Certificates and keys that are replaced while the program runs.

use std::path::Path;

use jsonwebtoken::Algorithm as Signed;
use mailgrant_core::time::UnixTime;

use super::super::support::{Authority, scopes, token_answer};
use super::assertion::X5T_S256;
use super::{Folder, NOW, client, forms, verified};
use crate::credential::{Certificate, CertificateSource};
use crate::{Client, Credential};

struct Running {
    authority: Authority,
    folder: Folder,
    certificate: Certificate,
    client: Client,
}

impl Running {
    async fn start(files: &[(&str, &str)], key_file: Option<&str>) -> Self {
        let authority = Authority::start().await;
        authority.post("/token", token_answer(None)).await;
        let folder = Folder::new(files);
        let certificate = Certificate::open(CertificateSource {
            key_file: key_file.map(|name| folder.path(name)),
            ..CertificateSource::file(folder.path("app.pem"))
        })
        .unwrap();
        let client = client(&authority, Credential::Certificate(certificate.clone()));
        Self {
            authority,
            folder,
            certificate,
            client,
        }
    }

    /// Asks for a token; the certificate with whose key that was signed is the one expected.
    async fn asks_with(&self, certificate: &str) {
        self.client.app_only(&scopes("mail"), None).await.unwrap();
        let form = forms(&self.authority, "/token").await.pop().unwrap();
        let (header, _) = verified(&form["client_assertion"], certificate, Signed::PS256);
        assert_eq!(header["x5t#S256"], self.certificate.thumbprint());
        assert_eq!(
            header["x5t#S256"] == X5T_S256,
            certificate == "certificate.pem"
        );
    }
}

/// As editors and deployment tools do it: a new file in the place of the old one.
fn swap(folder: &Folder, name: &str, from: &str) {
    folder.copy("new", from);
    std::fs::rename(folder.path("new"), folder.path(name)).unwrap();
}

/// Nobody can tell by its times that the file has changed.
fn with_the_times_of(before: &Path, change: impl FnOnce()) {
    let modified = before.metadata().unwrap().modified().unwrap();
    change();
    let file = std::fs::File::options().write(true).open(before).unwrap();
    file.set_modified(modified).unwrap();
}

#[tokio::test]
async fn a_replaced_certificate_signs_the_next_request() {
    let running = Running::start(&[("app.pem", "both.pem")], None).await;
    running.asks_with("certificate.pem").await;
    swap(&running.folder, "app.pem", "chain.pem");
    running.asks_with("other.pem").await;
    with_the_times_of(&running.folder.path("app.pem"), || {
        running.folder.copy("app.pem", "both.pem");
    });
    running.asks_with("certificate.pem").await;
}

#[tokio::test]
async fn half_a_pair_is_waited_for() {
    let files = [("app.pem", "certificate.pem"), ("app.key", "key.pem")];
    let running = Running::start(&files, Some("app.key")).await;
    running.asks_with("certificate.pem").await;
    // The new certificate is there, the new key is not yet: the old pair signs.
    swap(&running.folder, "app.pem", "other.pem");
    running.asks_with("certificate.pem").await;
    running.asks_with("certificate.pem").await;
    swap(&running.folder, "app.key", "other.key.pem");
    running.asks_with("other.pem").await;
}

#[tokio::test]
async fn files_that_are_gone_or_spoilt_do_not_stop_the_service() {
    let running = Running::start(&[("app.pem", "both.pem")], None).await;
    for content in [
        Some(Vec::new()),
        Some(b"-----BEGIN CERTIFICATE-----\nMII".to_vec()),
        Some(std::fs::read(super::fixture("ec.pem")).unwrap()),
        None,
    ] {
        match content {
            Some(content) => running.folder.write("app.pem", content),
            None => std::fs::remove_file(running.folder.path("app.pem")).unwrap(),
        }
        running.asks_with("certificate.pem").await;
    }
    swap(&running.folder, "app.pem", "chain.pem");
    running.asks_with("other.pem").await;
}

#[tokio::test]
async fn the_end_is_that_of_the_certificate_in_place() {
    let folder = Folder::new(&[("app.pem", "both.pem")]);
    let source = CertificateSource::file(folder.path("app.pem"));
    let credential = Credential::Certificate(Certificate::open(source).unwrap());
    let before = credential.ends_at().unwrap();
    swap(&folder, "app.pem", "chain.pem");
    assert_eq!(credential.ends_at(), Some(before), "not looked at yet");
    credential.reread(NOW).await;
    assert_ne!(credential.ends_at(), Some(before));
}

#[tokio::test]
async fn a_certificate_that_has_ended_replaces_none_that_is_good() {
    let folder = Folder::new(&[("app.pem", "both.pem")]);
    let source = CertificateSource::file(folder.path("app.pem"));
    let certificate = Certificate::open(source).unwrap();
    let credential = Credential::Certificate(certificate.clone());
    swap(&folder, "app.pem", "chain.pem");
    // Before it begins, and after it has ended.
    for now in [UnixTime(0), UnixTime(5_000_000_000)] {
        credential.reread(now).await;
        assert_eq!(certificate.thumbprint(), X5T_S256);
    }
    // It was only waited for.
    credential.reread(NOW).await;
    assert_ne!(certificate.thumbprint(), X5T_S256);
}
