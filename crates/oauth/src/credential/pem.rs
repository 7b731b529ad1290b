//! What a PEM file holds (RFC 7468).

use x509_parser::pem::Pem;
use zeroize::Zeroizing;

use super::key::{KeyProblem, RsaKey};

/// Certificates and private keys, in the order of the file. What else there is does not count.
#[derive(Default)]
pub(super) struct Blocks {
    pub(super) certificates: Vec<Vec<u8>>,
    pub(super) keys: Vec<KeyBlock>,
}

pub(super) struct KeyBlock {
    form: Form,
    der: Zeroizing<Vec<u8>>,
}

#[derive(Clone, Copy)]
enum Form {
    Pkcs8,
    EncryptedPkcs8,
    Pkcs1,
    /// RFC 1421's way, which `openssl -traditional` still writes.
    EncryptedPkcs1,
    Other,
}

/// Whether it looks like PEM at all.
pub(super) fn is_pem(content: &[u8]) -> bool {
    content
        .windows(BEGIN.len())
        .any(|window| window == BEGIN.as_bytes())
}

/// Takes the file apart; `None` when a block is damaged.
pub(super) fn blocks(content: &[u8]) -> Option<Blocks> {
    // Editors on Windows put it before the first line.
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let mut blocks = Blocks::default();
    if is_traditionally_encrypted(content) {
        blocks.keys.push(KeyBlock {
            form: Form::EncryptedPkcs1,
            der: Zeroizing::default(),
        });
        return Some(blocks);
    }
    for block in Pem::iter_from_buffer(content) {
        let Pem { label, contents } = block.ok()?;
        let form = match label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
                blocks.certificates.push(contents);
                continue;
            }
            "PRIVATE KEY" => Form::Pkcs8,
            "ENCRYPTED PRIVATE KEY" => Form::EncryptedPkcs8,
            "RSA PRIVATE KEY" => Form::Pkcs1,
            other if other.ends_with("PRIVATE KEY") => Form::Other,
            _ => continue,
        };
        let der = Zeroizing::new(contents);
        blocks.keys.push(KeyBlock { form, der });
    }
    Some(blocks)
}

impl Blocks {
    /// A certificate alone, in DER.
    pub(super) fn of_certificate(der: &[u8]) -> Self {
        Self {
            certificates: vec![der.to_vec()],
            keys: Vec::new(),
        }
    }
}

impl KeyBlock {
    pub(super) fn read(&self, password: Option<&[u8]>) -> Result<RsaKey, KeyProblem> {
        match self.form {
            Form::Pkcs8 => RsaKey::from_pkcs8(&self.der),
            Form::EncryptedPkcs8 => RsaKey::from_encrypted_pkcs8(&self.der, password),
            Form::Pkcs1 => RsaKey::from_pkcs1(&self.der),
            Form::EncryptedPkcs1 => Err(KeyProblem::Encryption),
            Form::Other => Err(KeyProblem::NotRsa),
        }
    }
}

fn is_traditionally_encrypted(content: &[u8]) -> bool {
    const MARK: &[u8] = b"Proc-Type: 4,ENCRYPTED";
    content.windows(MARK.len()).any(|window| window == MARK)
}

const BEGIN: &str = "-----BEGIN ";
