//! TLS: the platform's roots and the operator's, one crypto provider.

use std::io;
use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs;
use rustls::{CertificateError, ClientConfig, InvalidMessage};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio_rustls::TlsConnector;

use super::Transport;
use super::error::Error;

/// A TLS client that trusts the platform's roots and those in `extra_ca_pem`.
pub(super) fn connector(extra_ca_pem: Option<&[u8]>) -> Result<TlsConnector, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let extra_roots = extra_ca_pem.map(certificates).transpose()?;
    let verifier =
        Verifier::new_with_extra_roots(extra_roots.unwrap_or_default(), Arc::clone(&provider))
            .map_err(|error| {
                set_up(format!(
                    "{error}. Install the ca-certificates package, or give a CA file (tls_ca_file)"
                ))
            })?;
    let verifier: Arc<dyn ServerCertVerifier> = Arc::new(verifier);
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| set_up(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Handshakes over `transport` with the server called `host`.
pub(super) async fn handshake(
    connector: &TlsConnector,
    host: &str,
    transport: Box<dyn Transport>,
) -> Result<Box<dyn Transport>, Error> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| Error::InvalidInput {
        what: "the mail host",
        reason: "it is neither a host name nor an IP address",
    })?;
    match connector.connect(name, transport).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(refused(host, &error)),
    }
}

fn refused(host: &str, error: &io::Error) -> Error {
    let Some(tls) = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
    else {
        return Error::Closed {
            during: "the TLS handshake".into(),
            hint: Some(format!(
                "{error}; check the port and whether it is for TLS from the start (implicit) or STARTTLS"
            )),
        };
    };
    let advice = match tls {
        rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        ) => {
            ": it is not signed by a CA that is trusted here. If the CA is your own, give its certificate (tls_ca_file)"
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => ": the server is not who the configuration says. Check the host",
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            ": the port does not speak TLS from the start. Use starttls, or the implicit TLS port (993)"
        }
        _ => "",
    };
    Error::Tls {
        host: host.to_owned(),
        reason: format!("{tls}{advice}"),
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let unreadable = |_| Error::InvalidInput {
        what: "the CA file",
        reason: "it is not PEM with certificates (BEGIN CERTIFICATE)",
    };
    let roots: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    if roots.is_empty() {
        return Err(unreadable(rustls_pki_types::pem::Error::NoItemsFound));
    }
    Ok(roots)
}

fn set_up(reason: String) -> Error {
    Error::Tls {
        host: "any server".into(),
        reason,
    }
}
