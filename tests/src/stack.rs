//! Everything at once: authority, Dovecot, gateway.

use std::path::PathBuf;

use anyhow::Result;
use tempfile::TempDir;

use crate::{
    authority::{Authority, Format},
    dovecot::{self, Dovecot},
    gateway::{Configuration, Gateway},
    pki::Pki,
    process::free_port,
};

pub struct Stack {
    // In this order they end: the gateway first, its folder last.
    pub gateway: Gateway,
    pub dovecot: Dovecot,
    pub authority: Authority,
    pub dir: TempDir,
}

#[derive(Clone, Copy)]
pub struct Options {
    pub format: Format,
    pub access_token_seconds: u32,
    /// `implicit` or `starttls`.
    pub tls: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            format: Format::Jwt,
            access_token_seconds: 3600,
            tls: "implicit",
        }
    }
}

impl Stack {
    pub async fn start(options: Options) -> Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("mailgrant-test-")
            .tempdir()?;
        // Dovecot's mail user passes through here.
        std::fs::set_permissions(
            dir.path(),
            std::os::unix::fs::PermissionsExt::from_mode(0o755),
        )?;
        let pki = Pki::make(dir.path())?;
        let port = free_port();
        let keys = dovecot::key_folder(dir.path());
        let authority = Authority::start(
            dir.path(),
            &keys,
            &Configuration::redirect_uri(port),
            options.format,
            options.access_token_seconds,
        )
        .await?;
        let dovecot = Dovecot::start(dir.path(), &pki, &authority.issuer, options.format)?;
        let gateway_dir: PathBuf = dir.path().join("gateway");
        std::fs::create_dir(&gateway_dir)?;
        let gateway = Gateway::start(&Configuration {
            dir: gateway_dir,
            port,
            issuer: authority.issuer.clone(),
            client_id: "gateway".to_owned(),
            client_secret: authority.secret.clone(),
            scope: "mail.imap",
            imap_host: "localhost".to_owned(),
            imap_port: if options.tls == "implicit" {
                dovecot.imaps
            } else {
                dovecot.imap
            },
            tls: options.tls,
            ca: pki.ca.clone(),
            more: String::new(),
        })?;
        Ok(Self {
            gateway,
            dovecot,
            authority,
            dir,
        })
    }
}
