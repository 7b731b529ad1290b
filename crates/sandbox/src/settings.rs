//! How a sandbox is to be started.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::directory::TenantFile;
use crate::{Clock, Random, SystemRandom};

/// What a sandbox is started with. Only the directory has no default.
///
/// ```
/// use mailgrant_sandbox::SandboxSettings;
///
/// let mut settings = SandboxSettings::new("/tmp/sandbox");
/// settings.redirect_uris.push("http://localhost:8080/oauth/callback".to_owned());
/// assert_eq!(settings.authority_port, 0);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SandboxSettings {
    /// Where everything is kept: certificates, keys, grants, mail. Made when it is missing.
    pub dir: PathBuf,
    /// The tenant; none is the one that comes with the sandbox.
    pub tenant: Option<TenantFile>,
    /// Port of the authority in plain HTTP, and of the control API; 0 for any free one.
    pub authority_port: u16,
    /// Port of the authority in HTTPS; 0 for any free one.
    pub authority_tls_port: u16,
    /// Port of IMAP with TLS from the first byte; 0 for any free one.
    pub imap_port: u16,
    /// Port of IMAP with STARTTLS; 0 for any free one.
    pub imap_starttls_port: u16,
    /// Port of SMTP submission, with STARTTLS; 0 for any free one.
    pub smtp_port: u16,
    /// Port of SMTP submission with TLS from the first byte, which Exchange Online does not have; 0 for any free one,
    /// none for none.
    pub smtp_tls_port: Option<u16>,
    /// Port of POP3 with TLS from the first byte; 0 for any free one.
    pub pop3_port: u16,
    /// Port of POP3 with STLS; 0 for any free one.
    pub pop3_starttls_port: u16,
    /// Redirect URIs that every delegated application gets besides its own: the gateway's callback.
    pub redirect_uris: Vec<String>,
    /// How long access tokens last.
    pub access_token_lifetime: Duration,
    /// Whether to fill empty mailboxes with sample mail.
    pub sample_mail: bool,
    /// What time it is.
    pub clock: Clock,
    /// Where randomness comes from.
    pub random: Arc<dyn Random>,
}

impl SandboxSettings {
    /// The defaults for a directory: the built-in tenant, free ports, tokens of 3599 seconds.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            tenant: None,
            authority_port: 0,
            authority_tls_port: 0,
            imap_port: 0,
            imap_starttls_port: 0,
            smtp_port: 0,
            smtp_tls_port: None,
            pop3_port: 0,
            pop3_starttls_port: 0,
            redirect_uris: Vec::new(),
            access_token_lifetime: ACCESS_TOKEN_LIFETIME,
            sample_mail: true,
            clock: Clock::system(),
            random: Arc::new(SystemRandom),
        }
    }
}

/// What Entra's documented samples show; in the field 60 to 90 minutes.
const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_secs(3599);
