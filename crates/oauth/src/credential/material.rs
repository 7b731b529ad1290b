//! Certificate and key, as they are found in files.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;

use super::certificate::{CertificateSource, Password};
use super::error::{CredentialError, Part};
use super::key::{KeyProblem, RsaKey, SIZES, without_leading_zeros};
use super::pem::{self, Blocks};
use super::pkcs12;
use super::watched::Content;

/// A certificate in DER, and its key.
pub(super) struct Pair {
    pub(super) certificate: Vec<u8>,
    pub(super) key: RsaKey,
}

/// Finds them in the contents of the files: that of the certificate, of the key and of the
/// password, as far as they are given.
pub(super) fn pair(
    source: &CertificateSource,
    contents: &[Content],
) -> Result<Pair, CredentialError> {
    let mut contents = contents.iter().map(|content| content.as_slice());
    let file = contents.next().unwrap_or_default();
    let key_file = source.key_file.as_ref().and_then(|_| contents.next());
    let search = Search {
        source,
        file,
        key_file,
        password: password(source, contents.next())?,
    };
    let (certificates, keys) = if pem::is_pem(file) || parse(file).is_some() {
        search.in_pem()?
    } else {
        search.in_pkcs12()?
    };
    search.choose(&certificates, keys)
}

struct Search<'a> {
    source: &'a CertificateSource,
    file: &'a [u8],
    key_file: Option<&'a [u8]>,
    password: Option<Content>,
}

type Keys = Vec<Result<RsaKey, KeyProblem>>;

impl Search<'_> {
    fn in_pem(&self) -> Result<(Vec<Vec<u8>>, Keys), CredentialError> {
        let blocks = |part: Part, content| {
            pem::blocks(content)
                .ok_or_else(|| self.wrong(part, "a PEM block is damaged, or still being written"))
        };
        let Blocks {
            certificates,
            mut keys,
        } = if pem::is_pem(self.file) {
            blocks(Part::Certificate, self.file)?
        } else {
            Blocks::of_certificate(self.file)
        };
        if let Some(content) = self.key_file {
            keys = blocks(Part::Key, content)?.keys;
        }
        let password = self.password.as_ref().map(|password| password.as_slice());
        let keys = keys.iter().map(|key| key.read(password)).collect();
        Ok((certificates, keys))
    }

    fn in_pkcs12(&self) -> Result<(Vec<Vec<u8>>, Keys), CredentialError> {
        if self.key_file.is_some() {
            return Err(self.wrong(
                Part::Key,
                "the certificate is in a PKCS#12 file, or in none: a PKCS#12 file holds its key \
                 itself, so leave out the key's file",
            ));
        }
        let password = match &self.password {
            Some(password) => std::str::from_utf8(password)
                .map_err(|_| self.wrong(Part::Password, "the password is not UTF-8 text"))?,
            None => "",
        };
        let archive = pkcs12::open(self.file, password).map_err(|problem| match problem {
            pkcs12::Problem::Password if self.password.is_none() => {
                self.wrong(Part::Password, "the PKCS#12 file has a password: give it")
            }
            pkcs12::Problem::Password => self.wrong(Part::Password, problem.to_string()),
            _ => self.wrong(Part::Certificate, problem.to_string()),
        })?;
        Ok((archive.certificates, archive.keys))
    }

    fn choose(&self, certificates: &[Vec<u8>], keys: Keys) -> Result<Pair, CredentialError> {
        let key_part = match self.key_file {
            Some(_) => Part::Key,
            None => Part::Certificate,
        };
        if certificates.is_empty() {
            return Err(self.wrong(Part::Certificate, "holds no certificate"));
        }
        if keys.is_empty() {
            return Err(match key_part {
                Part::Key => self.wrong(key_part, "holds no private key"),
                _ => self.wrong(
                    key_part,
                    "holds no private key: put it into this file too, or name the key's file",
                ),
            });
        }
        let keys = keys.into_iter().collect::<Result<Vec<_>, _>>();
        let keys = keys.map_err(|problem| match problem {
            KeyProblem::Encrypted | KeyProblem::Password => {
                self.wrong(Part::Password, problem.to_string())
            }
            _ => self.wrong(key_part, problem.to_string()),
        })?;
        matching(certificates, keys).map_err(|problem| match problem {
            Mismatch::Certificate(problem) => self.wrong(Part::Certificate, problem),
            Mismatch::Pair => self.wrong(
                key_part,
                "the private key does not belong to the certificate: put both of one pair in place",
            ),
        })
    }

    /// Names the file that the part is in.
    fn wrong(&self, part: Part, problem: impl Into<String>) -> CredentialError {
        let path = match (&self.source.password, &self.source.key_file) {
            (Password::File(path), _) if part == Part::Password => path,
            (_, Some(path)) if part != Part::Certificate => path,
            _ => &self.source.file,
        };
        CredentialError::new(part, path, problem)
    }
}

enum Mismatch {
    Certificate(&'static str),
    Pair,
}

/// The first certificate that one of the keys belongs to: files with a chain are common.
fn matching(certificates: &[Vec<u8>], keys: Vec<RsaKey>) -> Result<Pair, Mismatch> {
    let mut problem = Mismatch::Pair;
    let mut keys = keys;
    for der in certificates {
        let Some(certificate) = parse(der) else {
            problem = Mismatch::Certificate("the certificate is damaged");
            continue;
        };
        let Ok(PublicKey::RSA(public)) = certificate.public_key().parsed() else {
            problem = Mismatch::Certificate(
                "the certificate's key is not RSA, which authorities expect: make a new pair with \
                 `openssl req -x509 -newkey rsa:3072`",
            );
            continue;
        };
        let bits = 8 * without_leading_zeros(public.modulus).len();
        if !SIZES.contains(&bits) {
            problem = Mismatch::Certificate(
                "the certificate's RSA key is too small: make a new pair with 2048 bits or more",
            );
            continue;
        }
        let belongs = |key: &RsaKey| key.belongs_to(public.modulus, public.exponent);
        if let Some(index) = keys.iter().position(belongs) {
            return Ok(Pair {
                certificate: der.clone(),
                key: keys.swap_remove(index),
            });
        }
    }
    Err(problem)
}

fn password(
    source: &CertificateSource,
    content: Option<&[u8]>,
) -> Result<Option<Content>, CredentialError> {
    match &source.password {
        Password::None => Ok(None),
        Password::Value(password) => Ok(Some(Content::new(password.expose().as_bytes().to_vec()))),
        Password::File(path) => {
            let content = content.unwrap_or_default();
            let end = content
                .iter()
                .rposition(|byte| !matches!(byte, b'\r' | b'\n'))
                .map_or(0, |last| last + 1);
            match content.get(..end) {
                Some(password) if !password.is_empty() => Ok(Some(Content::new(password.to_vec()))),
                _ => Err(CredentialError::new(
                    Part::Password,
                    path,
                    "holds no password",
                )),
            }
        }
    }
}

/// A certificate in DER, and nothing after it.
pub(super) fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Some(certificate),
        _ => None,
    }
}

/// `x5t` (RFC 7515 §4.1.7).
pub(super) fn sha1(der: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, der))
}

/// `x5t#S256` (RFC 7515 §4.1.8).
pub(super) fn sha256(der: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, der))
}
