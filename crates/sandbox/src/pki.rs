//! The sandbox's certificate authority, and the certificate of its HTTPS and IMAP servers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mailgrant_core::time::UnixTime;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::{Error, files};

/// The certificate authority of one sandbox directory.
///
/// `ca.pem` may be given to every client; `ca.key` (mode 0600) stays. Both are used again at the next start, so that
/// what trusts the sandbox once trusts it always.
#[derive(Clone)]
pub struct Pki {
    ca_file: PathBuf,
    server: Arc<rustls::ServerConfig>,
}

impl Pki {
    /// Opens the authority in `directory`, making one when there is none, and issues a server certificate for
    /// `localhost`, `127.0.0.1` and `::1`.
    ///
    /// # Errors
    ///
    /// When files cannot be read or written, or hold something else.
    pub fn open(directory: &Path, now: UnixTime) -> Result<Self, Error> {
        files::create_directory(directory)?;
        let ca_file = directory.join("ca.pem");
        let key_file = directory.join("ca.key");
        let (certificate, key) = match (files::read(&ca_file)?, files::read(&key_file)?) {
            (Some(certificate), Some(key)) => {
                let key = KeyPair::from_pem(&key).map_err(|error| damaged(&key_file, error))?;
                (certificate, key)
            }
            _ => {
                let (certificate, key) = make_authority(now)?;
                files::write_private(&key_file, key.serialize_pem().as_bytes())?;
                files::write_private(&ca_file, certificate.as_bytes())?;
                (certificate, key)
            }
        };
        let authority = CertificateDer::from_pem_slice(certificate.as_bytes())
            .map_err(|error| damaged(&ca_file, error))?;
        let public = key.public_key_raw();
        if !authority.windows(public.len()).any(|part| part == public) {
            return Err(damaged(&ca_file, "it does not belong to ca.key"));
        }
        let issuer = Issuer::new(authority_parameters(now)?, key);
        let server = server_configuration(&issuer, authority, now)?;
        Ok(Self {
            ca_file,
            server: Arc::new(server),
        })
    }

    /// Where the authority's certificate is (PEM).
    #[must_use]
    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// TLS for a server of the sandbox.
    #[must_use]
    pub fn server(&self) -> Arc<rustls::ServerConfig> {
        Arc::clone(&self.server)
    }
}

/// Ten years around `now`, for certificates that only this machine sees.
pub(crate) fn validity(now: UnixTime) -> Result<(Moment, Moment), Error> {
    let moment = |at: UnixTime| Moment::from_unix_timestamp(at.0).map_err(Error::cryptography);
    Ok((moment(now - YEAR)?, moment(now + YEAR * 9)?))
}

type Moment = time::OffsetDateTime;

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// Apple's and others' limit for server certificates is 825 days.
const SERVER_CERTIFICATE: Duration = Duration::from_secs(800 * 24 * 60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn make_authority(now: UnixTime) -> Result<(String, KeyPair), Error> {
    let key = KeyPair::generate().map_err(Error::cryptography)?;
    let certificate = authority_parameters(now)?
        .self_signed(&key)
        .map_err(Error::cryptography)?;
    Ok((certificate.pem(), key))
}

/// The same at every start but for the dates, which an issuer's certificates do not repeat.
fn authority_parameters(now: UnixTime) -> Result<CertificateParams, Error> {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let name = &mut parameters.distinguished_name;
    name.push(DnType::OrganizationName, "mailgrant");
    name.push(DnType::CommonName, "mailgrant sandbox authority");
    (parameters.not_before, parameters.not_after) = validity(now)?;
    Ok(parameters)
}

fn server_configuration(
    issuer: &Issuer<'_, KeyPair>,
    authority: CertificateDer<'static>,
    now: UnixTime,
) -> Result<rustls::ServerConfig, Error> {
    let key = KeyPair::generate().map_err(Error::cryptography)?;
    let mut parameters =
        CertificateParams::new(["localhost".to_owned()]).map_err(Error::cryptography)?;
    for address in [
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ] {
        parameters
            .subject_alt_names
            .push(SanType::IpAddress(address));
    }
    parameters
        .distinguished_name
        .push(DnType::CommonName, "localhost");
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.insert_extended_key_usage(ExtendedKeyUsagePurpose::ServerAuth);
    parameters.use_authority_key_identifier_extension = true;
    let moment = |at: UnixTime| Moment::from_unix_timestamp(at.0).map_err(Error::cryptography);
    parameters.not_before = moment(now - DAY)?;
    parameters.not_after = moment(now + SERVER_CERTIFICATE)?;
    let certificate = parameters
        .signed_by(&key, issuer)
        .map_err(Error::cryptography)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .map_err(Error::cryptography)?
    .with_no_client_auth()
    .with_single_cert(vec![certificate.der().clone(), authority], key)
    .map_err(Error::cryptography)
}

fn damaged(path: &Path, error: impl std::fmt::Display) -> Error {
    Error::Damaged {
        path: path.to_owned(),
        problem: error.to_string(),
    }
}

impl std::fmt::Debug for Pki {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Pki")
            .field("ca_file", &self.ca_file)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    #[test]
    fn the_authority_is_used_again() {
        let directory = tempfile::tempdir().unwrap();
        let first = Pki::open(directory.path(), NOW).unwrap();
        let before = std::fs::read(first.ca_file()).unwrap();
        let second = Pki::open(directory.path(), NOW + YEAR).unwrap();
        assert_eq!(std::fs::read(second.ca_file()).unwrap(), before);
        let mode = std::fs::metadata(directory.path().join("ca.key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_certificate_of_another_key_is_refused() {
        let one = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        Pki::open(one.path(), NOW).unwrap();
        Pki::open(other.path(), NOW).unwrap();
        std::fs::copy(one.path().join("ca.pem"), other.path().join("ca.pem")).unwrap();
        let error = Pki::open(other.path(), NOW).unwrap_err();
        assert!(error.to_string().contains("ca.pem"), "{error}");
    }

    #[test]
    fn a_damaged_key_is_named() {
        let directory = tempfile::tempdir().unwrap();
        Pki::open(directory.path(), NOW).unwrap();
        std::fs::write(directory.path().join("ca.key"), "nonsense").unwrap();
        let error = Pki::open(directory.path(), NOW).unwrap_err();
        assert!(error.to_string().contains("ca.key"), "{error}");
    }
}
