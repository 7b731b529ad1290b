//! The forms in which certificate and key come, and what is said of those that do not do.

use std::path::PathBuf;

use mailgrant_core::secret::Secret;
use mailgrant_core::time::UnixTime;
use proptest::prelude::*;

use super::super::support::Authority;
use super::assertion::X5T_S256;
use super::{Folder, NOW, PASSWORD, certificate, fixture, text, try_client};
use crate::credential::{
    Certificate, CertificateSource, CredentialError, Federated, Part, Password,
    Secret as SecretCredential, ServiceAccount,
};
use crate::{Credential, ErrorKind, Surroundings};

/// `openssl x509 -in other.pem -outform DER | openssl dgst -sha256 -binary | basenc --base64url`
const OTHER_X5T_S256: &str = "6rcfDG6-zlwjzpzAfiI4L9SAnSRcG7lUTbt7zdz32D0";

fn source(file: &str, key_file: Option<&str>, password: Option<&str>) -> CertificateSource {
    CertificateSource {
        key_file: key_file.map(fixture),
        password: password.map_or(Password::None, |password| {
            Password::Value(Secret::new(password))
        }),
        ..CertificateSource::file(fixture(file))
    }
}

fn refused(source: CertificateSource) -> CredentialError {
    Certificate::open(source).unwrap_err()
}

#[test]
fn every_form_that_openssl_writes_is_read() {
    for (file, key_file, password) in [
        ("both.pem", None, None),
        ("certificate.pem", Some("key.pem"), None),
        ("certificate.pem", Some("pkcs1.key.pem"), None),
        ("certificate.pem", Some("both.pem"), None),
        ("certificate.pem", Some("encrypted.key.pem"), Some(PASSWORD)),
        ("certificate.pem", Some("scrypt.key.pem"), Some(PASSWORD)),
        ("certificate.der", Some("key.pem"), None),
        // openssl pkcs12 -export, and with -legacy.
        ("modern.p12", None, Some(PASSWORD)),
        ("legacy.p12", None, Some(PASSWORD)),
        ("empty-password.p12", None, None),
        // A password that nothing needs does no harm.
        ("both.pem", None, Some(PASSWORD)),
    ] {
        let read = Certificate::open(source(file, key_file, password));
        let certificate = read.unwrap_or_else(|error| panic!("{file} {key_file:?}: {error}"));
        assert_eq!(certificate.thumbprint(), X5T_S256, "{file} {key_file:?}");
        // 2126-10-29T13:53:57Z, as `openssl x509 -enddate` says.
        assert_eq!(certificate.ends_at(), UnixTime(4_948_955_637), "{file}");
    }
}

#[test]
fn of_a_chain_the_certificate_of_the_key_counts() {
    for (file, password) in [("chain.pem", None), ("chain.p12", Some(PASSWORD))] {
        let certificate = Certificate::open(source(file, None, password)).unwrap();
        assert_eq!(certificate.thumbprint(), OTHER_X5T_S256, "{file}");
    }
}

#[test]
fn windows_marks_and_text_around_the_blocks_do_not_count() {
    let folder = Folder::new(&[]);
    let content = format!(
        "\u{feff}{}Bag Attributes\n    friendlyName: mailgrant\n{}",
        text("certificate.pem"),
        text("key.pem")
    );
    folder.write("app.pem", content.replace('\n', "\r\n"));
    let certificate = Certificate::open(CertificateSource::file(folder.path("app.pem"))).unwrap();
    assert_eq!(certificate.thumbprint(), X5T_S256);
}

#[test]
fn a_password_comes_from_a_file_too() {
    let folder = Folder::new(&[("app.p12", "modern.p12")]);
    folder.write("password", format!("{PASSWORD}\r\n"));
    let open = || {
        Certificate::open(CertificateSource {
            password: Password::File(folder.path("password")),
            ..CertificateSource::file(folder.path("app.p12"))
        })
    };
    assert_eq!(open().unwrap().thumbprint(), X5T_S256);
    folder.write("password", "\n");
    let error = open().unwrap_err();
    assert_eq!(
        (error.part(), error.path()),
        (Part::Password, &*folder.path("password"))
    );
    assert!(error.problem().contains("holds no password"), "{error}");
}

#[test]
fn what_does_not_do_is_named_with_what_to_do() {
    let folder = Folder::new(&[]);
    let cut = text("both.pem");
    folder.write("cut.pem", &cut[..cut.len() - 200]);
    folder.write(
        "junk.pem",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    folder.write("text.pem", "hello");
    folder.write("large.pem", vec![b'x'; 64 * 1024 + 1]);
    folder.write("empty.pem", "");
    let written = |name: &str| CertificateSource::file(folder.path(name));
    for (source, part, file, words) in [
        (
            source("gone.pem", None, None),
            Part::Certificate,
            "gone.pem",
            "cannot be read: No such file",
        ),
        (
            source("certificate.pem", Some("gone.pem"), None),
            Part::Key,
            "gone.pem",
            "cannot be read",
        ),
        (
            source("certificate.pem", Some("other.key.pem"), None),
            Part::Key,
            "other.key.pem",
            "does not belong to the certificate",
        ),
        (
            source("certificate.pem", None, None),
            Part::Certificate,
            "certificate.pem",
            "holds no private key",
        ),
        (
            source("certificate.pem", Some("certificate.pem"), None),
            Part::Key,
            "certificate.pem",
            "holds no private key",
        ),
        (
            source("key.pem", None, None),
            Part::Certificate,
            "key.pem",
            "holds no certificate",
        ),
        (
            source("ec.pem", None, None),
            Part::Certificate,
            "ec.pem",
            "not an RSA key",
        ),
        (
            source("small.pem", None, None),
            Part::Certificate,
            "small.pem",
            "2048",
        ),
        (
            source("certificate.pem", Some("encrypted.key.pem"), None),
            Part::Password,
            "encrypted.key.pem",
            "encrypted: give its password",
        ),
        (
            source("certificate.pem", Some("encrypted.key.pem"), Some("wrong")),
            Part::Password,
            "encrypted.key.pem",
            "does not open",
        ),
        (
            source(
                "certificate.pem",
                Some("traditional.key.pem"),
                Some(PASSWORD),
            ),
            Part::Key,
            "traditional.key.pem",
            "openssl pkcs8 -topk8",
        ),
        (
            source("certificate.pem", Some("pbes1.key.pem"), Some(PASSWORD)),
            Part::Key,
            "pbes1.key.pem",
            "openssl pkcs8 -topk8",
        ),
        (
            source("modern.p12", None, None),
            Part::Password,
            "modern.p12",
            "has a password: give it",
        ),
        (
            source("modern.p12", None, Some("wrong")),
            Part::Password,
            "modern.p12",
            "does not open",
        ),
        (
            source("legacy.p12", None, Some("wrong")),
            Part::Password,
            "legacy.p12",
            "does not open",
        ),
        (
            source("modern.p12", Some("key.pem"), Some(PASSWORD)),
            Part::Key,
            "key.pem",
            "leave out the key's file",
        ),
        (
            source("without-key.p12", None, Some(PASSWORD)),
            Part::Certificate,
            "without-key.p12",
            "holds no private key",
        ),
        (written("cut.pem"), Part::Certificate, "cut.pem", "damaged"),
        (
            CertificateSource {
                key_file: Some(fixture("key.pem")),
                ..written("junk.pem")
            },
            Part::Certificate,
            "junk.pem",
            "damaged",
        ),
        (
            written("text.pem"),
            Part::Certificate,
            "text.pem",
            "neither PEM nor PKCS#12",
        ),
        (
            written("empty.pem"),
            Part::Certificate,
            "empty.pem",
            "neither PEM nor PKCS#12",
        ),
        (
            written("large.pem"),
            Part::Certificate,
            "large.pem",
            "larger than 65536 bytes",
        ),
    ] {
        let told = format!("{source:?}");
        let error = refused(source);
        assert_eq!(error.part(), part, "{told}: {error}");
        assert_eq!(error.path().file_name().unwrap(), file, "{told}: {error}");
        assert!(error.problem().contains(words), "{told}: {error}");
        assert!(
            !format!("{error:?}{told}").contains("canary"),
            "{error:?} {told}"
        );
    }
}

#[tokio::test]
async fn a_certificate_that_has_ended_or_not_begun_makes_no_client() {
    let authority = Authority::silent().await;
    let at = |seconds: i64| {
        let credential = certificate(CertificateSource::file(fixture("both.pem")));
        let surroundings = Surroundings::new(move || UnixTime(seconds), |bytes| bytes.fill(7));
        try_client(&authority, credential, surroundings)
    };
    let begins = 1_795_355_637;
    at(NOW.0).unwrap();
    at(begins - 300).unwrap();
    at(4_948_955_636).unwrap();
    for (seconds, words) in [
        (4_948_955_637, "has expired on 2126-10-29: make a new one"),
        (
            begins - 301,
            "is not valid before 2026-11-22: check this machine's clock",
        ),
    ] {
        let error = at(seconds).unwrap_err();
        let ErrorKind::Credential(problem) = error.kind() else {
            panic!("{error:?}")
        };
        assert_eq!(problem.part(), Part::Certificate);
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.to_string().contains("both.pem"), "{error}");
        assert!(!error.is_transient());
    }
}

#[test]
fn a_credential_tells_its_kind_and_its_end() {
    let folder = Folder::new(&[]);
    folder.write("secret", "canary-secret");
    folder.write("token", super::files::jwt(4_000_000_000));
    folder.write(
        "key.json",
        super::service_account::key_file("https://oauth2.test/token"),
    );
    let secret = SecretCredential::file(folder.path("secret")).unwrap();
    let ends = Some(UnixTime(4_948_955_637));
    for (credential, kind, ends_at, is_per_mailbox) in [
        (Credential::None, "none", None, false),
        (Credential::Secret(secret), "secret", None, false),
        (
            certificate(source("both.pem", None, None)),
            "certificate",
            ends,
            false,
        ),
        (
            Credential::Federated(Federated::file(folder.path("token")).unwrap()),
            "federated",
            None,
            false,
        ),
        (
            Credential::ServiceAccount(ServiceAccount::file(folder.path("key.json")).unwrap()),
            "service_account",
            None,
            true,
        ),
    ] {
        assert_eq!(credential.kind(), kind);
        assert_eq!(credential.ends_at(), ends_at, "{kind}");
        assert_eq!(credential.is_per_mailbox(), is_per_mailbox, "{kind}");
        let shown = format!("{credential:?}");
        assert!(
            !shown.contains("canary") && !shown.contains("PRIVATE"),
            "{shown}"
        );
    }
}

/// A file of ours with some bytes exchanged, cut somewhere.
fn spoilt(names: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let name = prop::sample::select(names);
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (name, changes, any::<prop::sample::Index>(), any::<bool>()).prop_map(
        |(name, changes, end, cut)| {
            let mut content = std::fs::read(fixture(name)).unwrap();
            for (place, byte) in changes {
                let place = place.index(content.len());
                content[place] = byte;
            }
            if cut {
                content.truncate(end.index(content.len()));
            }
            content
        },
    )
}

/// Opens it in every role a file can have.
fn open_everywhere(content: &[u8]) {
    let folder = Folder::new(&[]);
    folder.write("file", content);
    let file: PathBuf = folder.path("file");
    let with = |password| CertificateSource {
        password,
        ..CertificateSource::file(file.clone())
    };
    let _ = Certificate::open(with(Password::Value(Secret::new(PASSWORD))));
    let _ = Certificate::open(with(Password::None));
    let _ = Certificate::open(CertificateSource {
        key_file: Some(file.clone()),
        ..source("certificate.pem", None, Some(PASSWORD))
    });
    let _ = SecretCredential::file(&file);
    let _ = Federated::file(&file);
    let _ = ServiceAccount::file(&file);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_content_panics(content in prop::collection::vec(any::<u8>(), 0..2000)) {
        open_everywhere(&content);
    }

    #[test]
    fn no_spoilt_file_panics(content in spoilt(&[
        "both.pem", "certificate.der", "modern.p12", "legacy.p12", "chain.p12",
        "encrypted.key.pem", "pkcs1.key.pem", "ec.pem",
    ])) {
        open_everywhere(&content);
    }
}
