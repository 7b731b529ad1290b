//! A certificate: the client signs an assertion with its key (`private_key_jwt`).

use base64::Engine as _;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::Header;
use mailgrant_core::secret::Secret;
use mailgrant_core::time::UnixTime;
use mailgrant_core::token::ClientAssertion;

use super::assertion;
use super::error::{CredentialError, Part};
use super::key::RsaKey;
use super::material;
use super::proof::Occasion;
use super::watched::{Content, Digest, Meaning, Watched};
use crate::error::Error;

/// A certificate and its private key in files that are read again for each request, so that both
/// can be replaced before the certificate ends.
#[derive(Clone)]
pub struct Certificate(Arc<Watched<Files>>);

/// Where certificate and key are, and how they are used.
///
/// ```
/// use mailgrant_oauth::credential::{Algorithm, CertificateSource};
///
/// let source = CertificateSource::file("app.pem");
/// assert_eq!(source.algorithm, Algorithm::Ps256);
/// ```
#[derive(Clone, Debug)]
pub struct CertificateSource {
    /// PEM, PKCS#12, or the certificate alone in DER. Of several certificates the one of the key
    /// counts.
    pub file: PathBuf,
    /// The private key in PEM (PKCS#8 or PKCS#1), where it is not in `file`.
    pub key_file: Option<PathBuf>,
    /// Of an encrypted key or of the PKCS#12 file.
    pub password: Password,
    /// How assertions are signed.
    pub algorithm: Algorithm,
    /// Whom assertions are for.
    pub audience: Audience,
    /// `kid`, for authorities that know keys by an id of their own.
    pub key_id: Option<String>,
}

/// The password of a key or PKCS#12 file.
#[derive(Clone, Debug, Default)]
pub enum Password {
    /// There is none.
    #[default]
    None,
    /// The password itself.
    Value(Secret),
    /// A file that holds it; line ends after it do not count.
    File(PathBuf),
}

/// How assertions are signed, and how they name the certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PSS with SHA-256, and `x5t#S256`: what Entra's documents ask for.
    #[default]
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, and `x5t`: what older authorities know.
    Rs256,
}

/// Whom assertions are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Audience {
    /// The token endpoint, as Entra wants it.
    #[default]
    TokenEndpoint,
    /// The issuer.
    Issuer,
}

impl CertificateSource {
    /// A file with certificate and key that needs no password.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            file: path.into(),
            key_file: None,
            password: Password::None,
            algorithm: Algorithm::default(),
            audience: Audience::default(),
            key_id: None,
        }
    }
}

impl Certificate {
    /// Reads certificate and key. Whether the certificate has ended is seen later, when the time is
    /// known.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or holds something else, the key is not the certificate's, not
    /// RSA or too small, or the password is wrong or missing.
    pub fn open(source: CertificateSource) -> Result<Self, CredentialError> {
        Ok(Self(Arc::new(Watched::open(Files(source))?)))
    }

    /// When the certificate ends that was in use last.
    #[must_use]
    pub fn ends_at(&self) -> UnixTime {
        self.0.last().not_after
    }

    /// `x5t#S256` of the certificate that was in use last: the name by which registrations list it.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        self.0.last().thumbprint.clone()
    }

    /// The certificate that was in use last, in DER, in base64: what a registration is given. It is public.
    #[must_use]
    pub fn base64(&self) -> String {
        self.0.last().base64.clone()
    }

    /// Whether the certificate that was in use last is good now.
    pub(super) fn check(&self, now: UnixTime) -> Result<(), CredentialError> {
        let files = self.0.meaning();
        files.check(&self.0.last(), now)
    }

    pub(super) async fn current(&self, now: UnixTime) -> Arc<Signer> {
        self.0.current(now).await
    }

    pub(super) async fn fingerprint(&self, now: UnixTime) -> Digest {
        self.0.fingerprint(now).await
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = &self.0.meaning().0;
        formatter.debug_tuple("Certificate").field(source).finish()
    }
}

/// A certificate's key and all that its assertions have in common.
pub(crate) struct Signer {
    key: RsaKey,
    header: Header,
    audience: Audience,
    thumbprint: String,
    base64: String,
    not_before: UnixTime,
    not_after: UnixTime,
    /// For people.
    validity: (String, String),
}

impl Signer {
    pub(super) fn sign(&self, occasion: &Occasion<'_>) -> Result<ClientAssertion, Error> {
        let audience = match self.audience {
            Audience::TokenEndpoint => occasion.token_endpoint,
            Audience::Issuer => occasion.issuer.ok_or_else(|| {
                Error::configuration(
                    "the issuer is not known, so no assertion can be for it: configure `issuer`, or \
                     leave out `audience`",
                )
            })?,
        };
        let client_id = occasion.client_id.as_str();
        assertion::client(
            &self.header,
            &self.key,
            client_id,
            audience,
            occasion.surroundings,
        )
    }
}

struct Files(CertificateSource);

impl Meaning for Files {
    type Value = Signer;

    fn files(&self) -> Vec<(Part, &Path)> {
        let source = &self.0;
        let mut files = vec![(Part::Certificate, source.file.as_path())];
        files.extend(source.key_file.as_deref().map(|path| (Part::Key, path)));
        if let Password::File(path) = &source.password {
            files.push((Part::Password, path));
        }
        files
    }

    fn read(&self, contents: &[Content]) -> Result<Signer, CredentialError> {
        let material::Pair { certificate, key } = material::pair(&self.0, contents)?;
        let wrong = |problem: &str| CredentialError::new(Part::Certificate, &self.0.file, problem);
        let parsed = material::parse(&certificate).ok_or_else(|| wrong("holds no certificate"))?;
        let validity = parsed.validity();
        let (algorithm, x5t, x5t_s256) = match self.0.algorithm {
            Algorithm::Ps256 => (
                jsonwebtoken::Algorithm::PS256,
                None,
                Some(material::sha256(&certificate)),
            ),
            Algorithm::Rs256 => (
                jsonwebtoken::Algorithm::RS256,
                Some(material::sha1(&certificate)),
                None,
            ),
        };
        let mut header = Header::new(algorithm);
        header.x5t = x5t;
        header.x5t_s256 = x5t_s256;
        header.kid.clone_from(&self.0.key_id);
        let day = |time: x509_parser::time::ASN1Time| time.to_datetime().date().to_string();
        Ok(Signer {
            key,
            header,
            audience: self.0.audience,
            thumbprint: material::sha256(&certificate),
            base64: base64::engine::general_purpose::STANDARD.encode(&certificate),
            not_before: UnixTime(validity.not_before.timestamp()),
            not_after: UnixTime(validity.not_after.timestamp()),
            validity: (day(validity.not_before), day(validity.not_after)),
        })
    }

    fn check(&self, signer: &Signer, now: UnixTime) -> Result<(), CredentialError> {
        let wrong = |problem| {
            Err(CredentialError::new(
                Part::Certificate,
                &self.0.file,
                problem,
            ))
        };
        let (begins, ends) = &signer.validity;
        if signer.not_after <= now {
            return wrong(format!(
                "the certificate has expired on {ends}: make a new one, add it to the registration \
                 at the provider and put it with its key in this place"
            ));
        }
        if signer.not_before > now + CLOCKS_APART {
            return wrong(format!(
                "the certificate is not valid before {begins}: check this machine's clock"
            ));
        }
        Ok(())
    }
}

/// By how much the clock of whoever made the certificate may be ahead.
const CLOCKS_APART: Duration = Duration::from_secs(300);
